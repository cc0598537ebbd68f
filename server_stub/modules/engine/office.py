"""All of the office in one value: handlers for the registry, definitions as synced records, the task of due dates; and all of it anew while it runs."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from server_stub.clock import Clock
from server_stub.errors import StorageFailed
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.context import Blobs, OfficeContext, SystemVoice
from server_stub.modules.engine.definition import ModuleDefinition
from server_stub.modules.engine.duties import DutyRunner
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.modules.engine.loader import make_fresh_handlers, make_handlers
from server_stub.modules.engine.migrations import MODULE_DEFINITION, Plan, do_migrate
from server_stub.modules.engine.reading import MODULES_FOLDER, load_definitions
from server_stub.modules.engine.referrers import do_index_references
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.satellites import card_title, satellite_handlers
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import do_create_record, do_destroy_record, do_update_record, load_records_of_type
from server_stub.records.types import TypeHandler
from server_stub.records.visibility import EVERYONE, scope_id
from server_stub.storage.database import Database, Tx

T = TypeVar("T")
log = logging.getLogger("tongban.office")

TypesChanged = Callable[[Sequence[TypeHandler], Sequence[str]], None]
"""(handlers of types that are new, names of types that are gone): the registry's part of a renewal. Called on the writer's thread."""


class _DryRun(Exception):
    """Carries the plan out of a transaction that is thrown away."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


class Office:
    """The modules of one server.

    Attributes:
        definitions: in the order of the workbench.
        handlers: every office type at the start: those of the modules, those of satellites.py, ModuleDefinition.
        context: what all of them share.
        on_types: told of types that come and go while the server runs.
    """

    def __init__(
        self, database: Database, clock: Clock, blobs: Blobs, say: SystemVoice, *, folder: Path = MODULES_FOLDER
    ) -> None:
        """Raises DefinitionError: the folders are not sound."""
        self.definitions: list[ModuleDefinition] = load_definitions(folder)
        self.on_types: TypesChanged | None = None
        self._folder = folder
        self._database = database
        self.context = OfficeContext(blobs=blobs, clock=clock, say=say)
        made = make_handlers(self.definitions, self.context, folder)
        self._of_modules: dict[str, OfficeHandler] = {handler.name: handler for handler in made}
        self.handlers: list[RecordHandler] = [
            *made,
            *satellite_handlers(self.context, self._of_modules, self.rules_of),
            RecordHandler(MODULE_DEFINITION, OFFICE),
        ]
        self._duties = DutyRunner(database, clock, self.rules_of, self.context)

    def rules_of(self, type_name: str) -> Rules | None:
        """The rules of a module's type, None for any other."""
        handler = self._of_modules.get(type_name)
        return None if handler is None else handler.rules

    def card_title(self, conn: sa.Connection, actor: Actor, type_name: str, record_id: str) -> str | None:
        """What a record is called on a card, None when the actor does not see it."""
        return card_title(self.context, conn, actor, type_name, record_id)

    async def start(self) -> None:
        """Bring data and synced definitions in line with the folders; once at the start of the server.

        Raises:
            DataWouldBeLost: the folders say something else than the data, and no migration says what is meant.
        """
        plan = await self._database.write(self.do_bring_in_line)
        _log(plan)

    async def run(self) -> None:
        """Handle due dates for ever: the owner keeps this in a TaskGroup and cancels it at the end."""
        await self._duties.run()

    async def plan(self) -> list[str]:
        """What the folders as they are now would do with the data, in sentences: everything is done, then thrown away.

        Raises:
            DefinitionError: the folders are not sound.
        """
        fresh, handlers = await asyncio.to_thread(self._read_anew)

        def rehearse(tx: Tx) -> None:
            raise _DryRun(_do_all(tx, fresh, handlers, refuse=False))

        try:
            await self._database.write(rehearse)
        except _DryRun as done:
            return done.plan.lines()
        raise AssertionError("a dry run always ends in _DryRun")

    async def reload(self) -> list[str]:
        """Take the folders as they are now, while the server runs: new and changed modules, types, fields, rules. What was done, in sentences.

        Raises:
            DefinitionError: the folders are not sound.
            DataWouldBeLost: see start. In both cases everything stays as it is.
        """
        fresh, handlers = await asyncio.to_thread(self._read_anew)
        before = (self.definitions, dict(self._of_modules))
        swapped: list[bool] = []

        def renew(tx: Tx) -> Plan:
            plan = _do_all(tx, fresh, handlers, refuse=True)
            self._swap(fresh, handlers)
            swapped.append(True)
            return plan

        held = {name: dict(vars(handler)) for name, handler in before[1].items()}
        try:
            plan = await self._database.write(renew)
        except StorageFailed:
            if swapped:
                self._swap_back(before, held)
            raise
        _log(plan)
        return plan.lines()

    def do_bring_in_line(self, tx: Tx) -> Plan:
        """Migrate the data to the definitions of this office and publish them. Raises DataWouldBeLost."""
        return _do_all(tx, self.definitions, self._of_modules, refuse=True)

    def do_publish_definitions(self, tx: Tx) -> None:
        """Create, update and destroy ModuleDefinition records so that they say what the folders say."""
        _do_publish(tx, self.definitions)

    # ------------------------------------------------------------ while it runs

    def _read_anew(self) -> tuple[list[ModuleDefinition], dict[str, OfficeHandler]]:
        definitions = load_definitions(self._folder)
        context = OfficeContext(blobs=self.context.blobs, clock=self.context.clock, say=self.context.say)
        made = make_fresh_handlers(definitions, context, self._folder)
        return definitions, {handler.name: handler for handler in made}

    def _swap(self, definitions: list[ModuleDefinition], handlers: Mapping[str, OfficeHandler]) -> None:
        """Handlers keep their identity, as requests under way, the registry and others hold them: what they are made of changes."""
        added = [one for name, one in handlers.items() if name not in self._of_modules]
        gone = [name for name in self._of_modules if name not in handlers]
        for name, one in handlers.items():
            one.context = one.rules.context = self.context
            held = self._of_modules.setdefault(name, one)
            if held is not one:
                vars(held).update(vars(one))
        for name in gone:
            del self._of_modules[name]
        self.definitions = definitions
        self._enter_types()
        if self.on_types is not None and (added or gone):
            self.on_types(added, gone)

    def _swap_back(
        self,
        before: tuple[list[ModuleDefinition], Mapping[str, OfficeHandler]],
        held: Mapping[str, dict[str, object]],
    ) -> None:
        """The disk refused the commit: nothing of the renewal happened."""
        for name, handler in before[1].items():
            if name in held:
                vars(handler).update(held[name])
        self._swap(before[0], dict(before[1]))

    def _enter_types(self) -> None:
        made = self._of_modules.values()
        _replace(self.context.types, {one.name: one.definition for one in made})
        _replace(self.context.modules, {one.name: module.id for module in self.definitions for one in module.types})
        _replace(self.context.scopers, {one.name: one.rules.scopes for one in made})


def _replace(held: dict[str, T], now: Mapping[str, T]) -> None:
    """New content for a dict that others hold; a reader in between finds what is in both."""
    held.update(now)
    for name in [one for one in held if one not in now]:
        del held[name]


def _do_all(
    tx: Tx, definitions: Sequence[ModuleDefinition], handlers: Mapping[str, OfficeHandler], *, refuse: bool
) -> Plan:
    contexts = [one.context for one in handlers.values()]
    plan = do_migrate(tx, definitions, contexts[0] if contexts else None, refuse=refuse)
    _do_publish(tx, definitions)
    do_index_references(tx, definitions)
    return plan


def _do_publish(tx: Tx, definitions: Sequence[ModuleDefinition]) -> None:
    held = {record.id: record for record in load_records_of_type(tx.conn, MODULE_DEFINITION)}
    for module in definitions:
        data = module.to_object()
        record = held.pop(module.id, None)
        if record is None:
            do_create_record(tx, MODULE_DEFINITION, module.id, data, scopes=[scope_id(tx, *EVERYONE)])
        elif record.data != data:
            do_update_record(tx, record, data, history=False)
    for gone in held:
        do_destroy_record(tx, gone)


def _log(plan: Plan) -> None:
    for line in (*plan.news, *plan.steps):
        log.info("definitions: %s", line)
