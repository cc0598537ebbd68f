"""All of the office in one value: handlers for the registry, definitions as synced records, the task of due dates; and all of it anew while it runs."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from server_stub.audit.chain import do_record
from server_stub.clock import Clock
from server_stub.errors import StorageFailed
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.chores import ChoreRunner
from server_stub.modules.engine.context import Blobs, OfficeContext, SystemVoice
from server_stub.modules.engine.definition import DefinitionError, ModuleDefinition
from server_stub.modules.engine.duties import DutyRunner
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.modules.engine.loader import make_fresh_handlers, make_handlers
from server_stub.modules.engine.lookups import do_bring_lookups_in_line
from server_stub.modules.engine.migrations import MODULE_DEFINITION, Plan, do_migrate
from server_stub.modules.engine.overlays import Changes
from server_stub.modules.engine.overlays_handler import ModuleOverlayHandler
from server_stub.modules.engine.overlays_store import Overlays, do_put_in_force, load_overlays
from server_stub.modules.engine.processes.hand_over import METHOD as HAND_OVER
from server_stub.modules.engine.processes.hand_over import TAKE_BACK, HandOver, TakeBack
from server_stub.modules.engine.processes.process_folders import (
    FolderProcess,
    do_take_processes,
    misfits,
    process_problems,
    read_processes,
)
from server_stub.modules.engine.processes.process_handler import ProcessHandler
from server_stub.modules.engine.processes.process_methods import ProcessMethods
from server_stub.modules.engine.processes.process_publishing import NotPublishable
from server_stub.modules.engine.processes.process_store import published_ids
from server_stub.modules.engine.reading import MODULES_FOLDER, load_definitions
from server_stub.modules.engine.referrers import do_index_references
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.satellites import card_title, satellite_handlers
from server_stub.modules.engine.saying import Said
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import do_create_record, do_destroy_record, do_update_record, load_records_of_type
from server_stub.records.types import OwnMethod, TypeHandler
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


@dataclass(frozen=True, slots=True)
class _Made:
    """What folders and administrators say together, ready to be put in the place of what is there."""

    definitions: list[ModuleDefinition]
    processes: list[FolderProcess]
    handlers: dict[str, OfficeHandler]


class Office:
    """The modules of one server.

    Attributes:
        definitions: in the order of the workbench.
        handlers: every office type at the start: those of the modules, those of satellites.py, ModuleDefinition.
        context: what all of them share.
        on_types: told of types that come and go while the server runs.
        methods_of_people: what the office adds to the Person type.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        blobs: Blobs,
        say: SystemVoice,
        *,
        folder: Path = MODULES_FOLDER,
        font_folders: tuple[Path, ...] = (),
    ) -> None:
        """Raises DefinitionError: the folders are not sound, or not with what administrators have changed."""
        self.on_types: TypesChanged | None = None
        self._folder = folder
        self._database = database
        overlays, published = database.read_now(lambda conn: (load_overlays(conn), published_ids(conn)))
        self.definitions, self._processes = _read(folder, overlays, published)
        self._renewing = asyncio.Lock()
        self.context = OfficeContext(blobs=blobs, clock=clock, say=say, font_folders=font_folders)
        made = make_handlers(self.definitions, self.context, folder)
        self._of_modules: dict[str, OfficeHandler] = {handler.name: handler for handler in made}
        self.handlers: list[RecordHandler] = [
            *made,
            *satellite_handlers(self.context, self._of_modules, self.rules_of),
            ProcessHandler(self.context, ProcessMethods(database, self.context, self.rules_of)),
            ModuleOverlayHandler(self.context, database, self),
            RecordHandler(MODULE_DEFINITION, OFFICE),
        ]
        self.methods_of_people: Mapping[str, OwnMethod] = {
            HAND_OVER: HandOver(database, self.context, self.rules_of),
            TAKE_BACK: TakeBack(database, self.context, self.rules_of),
        }
        self._duties = DutyRunner(database, clock, self.rules_of, self.context)
        self.chores = ChoreRunner(database, clock, self.rules_of, blobs)

    def rules_of(self, type_name: str) -> Rules | None:
        """The rules of a module's type, None for any other."""
        handler = self._of_modules.get(type_name)
        return None if handler is None else handler.rules

    def handler_of(self, type_name: str) -> OfficeHandler | None:
        """The handler of a module's type, None for any other."""
        return self._of_modules.get(type_name)

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
        """Handle due dates and chores for ever: the owner keeps this in a TaskGroup and cancels it at the end."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.chores.run(), name="chores")
            await self._duties.run()

    async def plan(self) -> list[str]:
        """What the folders as they are now would do with the data, in sentences: everything is done, then thrown away.

        Raises:
            DefinitionError: the folders are not sound.
        """
        return await self._rehearse(lambda overlays: overlays, lambda tx, made: None)

    async def plan_changes(self, module_id: str, changes: Changes | None) -> list[str]:
        """The same, with other changes of administrators to a module.

        Raises:
            DefinitionError: the module is not sound with them.
        """
        return await self._rehearse(lambda overlays: overlays.with_changes(module_id, changes), _refuse_misfits)

    async def _rehearse(self, change: Callable[[Overlays], Overlays], check: Callable[[Tx, _Made], None]) -> list[str]:
        made = await self._read_anew(change)

        def rehearse(tx: Tx) -> None:
            plan = _do_all(tx, made, refuse=False)
            check(tx, made)
            raise _DryRun(plan)

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
        return await self._renew(lambda overlays: overlays, lambda tx, made: None)

    async def publish_changes(self, module_id: str, changes: Changes | None, by: str) -> list[str]:
        """Put changes of an administrator to a module in force while the server runs; None takes them all back. What was done, in sentences.

        Raises:
            DefinitionError: the module is not sound with them.
            DataWouldBeLost: see start. In both cases everything stays as it is.
        """

        def keep(tx: Tx, made: _Made) -> None:
            _refuse_misfits(tx, made)
            do_put_in_force(tx, module_id, changes, by)
            do_record(tx, by, "module.changes", module_id, {"taken_back": changes is None})

        return await self._renew(lambda overlays: overlays.with_changes(module_id, changes), keep)

    async def _renew(self, change: Callable[[Overlays], Overlays], also: Callable[[Tx, _Made], None]) -> list[str]:
        async with self._renewing:
            made = await self._read_anew(change)
            before = _Made(self.definitions, self._processes, dict(self._of_modules))
            held = {name: dict(vars(handler)) for name, handler in before.handlers.items()}
            swapped: list[bool] = []

            def renew(tx: Tx) -> Plan:
                plan = _do_all(tx, made, refuse=True)
                also(tx, made)
                self._swap(made)
                swapped.append(True)
                return plan

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
        return _do_all(tx, _Made(self.definitions, self._processes, self._of_modules), refuse=True)

    def do_publish_definitions(self, tx: Tx) -> None:
        """Create, update and destroy ModuleDefinition records so that they say what the folders say."""
        _do_publish(tx, self.definitions)

    # ------------------------------------------------------------ while it runs

    async def _read_anew(self, change: Callable[[Overlays], Overlays]) -> _Made:
        """The folders as they are now, with the changes of administrators after `change`. Raises DefinitionError."""
        overlays, published = await self._database.read(lambda conn: (load_overlays(conn), published_ids(conn)))
        return await asyncio.to_thread(self._make_anew, change(overlays), published)

    def _make_anew(self, overlays: Overlays, published: Collection[str]) -> _Made:
        definitions, processes = _read(self._folder, overlays, published)
        old = self.context
        context = OfficeContext(blobs=old.blobs, clock=old.clock, say=old.say, font_folders=old.font_folders)
        made = make_fresh_handlers(definitions, context, self._folder)
        return _Made(definitions, processes, {handler.name: handler for handler in made})

    def _swap(self, made: _Made) -> None:
        """Handlers keep their identity, as requests under way, the registry and others hold them: what they are made of changes."""
        added = [one for name, one in made.handlers.items() if name not in self._of_modules]
        gone = [name for name in self._of_modules if name not in made.handlers]
        for name, one in made.handlers.items():
            one.context = one.rules.context = self.context
            held = self._of_modules.setdefault(name, one)
            if held is not one:
                vars(held).update(vars(one))
        for name in gone:
            del self._of_modules[name]
        self.definitions, self._processes = made.definitions, made.processes
        self._enter_types()
        if self.on_types is not None and (added or gone):
            self.on_types(added, gone)

    def _swap_back(self, before: _Made, held: Mapping[str, dict[str, object]]) -> None:
        """The disk refused the commit: nothing of the renewal happened."""
        for name, handler in before.handlers.items():
            if name in held:
                vars(handler).update(held[name])
        self._swap(before)

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


def _read(
    folder: Path, overlays: Overlays, published: Collection[str]
) -> tuple[list[ModuleDefinition], list[FolderProcess]]:
    """Definitions with the changes of administrators, and the processes that lie beside them.

    Args:
        published: processes an administrator keeps, and drafts of them.

    Raises:
        DefinitionError: something of it does not fit.
    """
    definitions = load_definitions(folder, overlays.change)
    processes, problems = read_processes(folder, definitions)
    problems = problems or process_problems(definitions, processes, {*published, *overlays.processes()})
    if problems:
        raise DefinitionError("modules", problems)
    return definitions, processes


def _do_all(tx: Tx, made: _Made, *, refuse: bool) -> Plan:
    contexts = [one.context for one in made.handlers.values()]
    plan = do_migrate(tx, made.definitions, contexts[0] if contexts else None, refuse=refuse)
    _do_publish(tx, made.definitions)
    do_index_references(tx, made.definitions)
    do_bring_lookups_in_line(tx, made.definitions)
    try:
        plan.news += do_take_processes(tx, made.processes, made.definitions)
    except NotPublishable as problem:
        raise DefinitionError("modules", [str(problem)]) from None
    plan.news += [Said(f"look at this: {one}", f"请留意：{one.zh}") for one in misfits(tx, made.definitions)]
    return plan


def _refuse_misfits(tx: Tx, made: _Made) -> None:
    """What an administrator changes of a module must leave every published process something to work with."""
    problems = misfits(tx, made.definitions)
    if problems:
        raise DefinitionError("modules", problems)


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
