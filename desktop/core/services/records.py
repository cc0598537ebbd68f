"""Verbs of office records of any type, as their definitions say: pages and totals, writes that queue and show at once, what this user may, imports.

Reading is from this device and works offline. Records whose edits wait show as they will be; what the server refuses shows its version again, with the
reason, and waits under `conflicts`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from desktop.core.domain import (
    GroupSummary,
    ImportResult,
    ModuleDefinition,
    Record,
    RecordPage,
    RecordQuery,
    RowError,
)
from desktop.core.domain.access import CREATE
from desktop.core.domain.conditions import Is, Literal, is_empty
from desktop.core.domain.definition import Action, FieldKind
from desktop.core.domain.records import FigureGroup, Placed
from desktop.core.errors import Rejected
from desktop.core.protocol.answers import SetError
from desktop.core.services.record_query import Asking
from desktop.core.services.record_scene import Scene
from desktop.core.services.record_waiting import RecordWaiting
from desktop.core.sync.outbox import EditKind, EditState
from desktop.core.sync.port import FiguresWanted, GroupsWanted, RecordsWanted, SortKey, Store

MAX_IMPORT: Final = 10_000
_NEWEST: Final = (SortKey("createdAt", True, "time"),)


class RecordsService(RecordWaiting):
    """Office records of modules on this device."""

    # ------------------------------------------------------------ reading
    async def modules(self) -> list[ModuleDefinition]:
        """The modules this server has, in their order."""
        return list((await self._scene.ready()).modules)

    async def page(self, query: RecordQuery) -> RecordPage:
        """A part of the records that match. Raises Rejected: unsupportedFilter."""
        return await self._page(query)

    async def summary(self, query: RecordQuery, group: str | None, sums: Sequence[str] = ()) -> list[GroupSummary]:
        """All records that match (offset and limit do not count) by the value of a field, the largest group first: how many, and sums. Raises Rejected."""

        def load(store: Store, asking: Asking, scene: Scene) -> list[GroupSummary]:
            type_ = scene.type(query.type_name)
            fields = [] if type_ is None else [type_.field(name) for name in sums]
            money = frozenset(field.name for field in fields if field is not None and field.kind is FieldKind.MONEY)
            wanted = asking.wanted(msgspec.structs.replace(query, offset=0, limit=None))
            return store.load_groups(GroupsWanted(wanted, group, tuple(sums), money))

        return await self._ask(load)

    async def outline(self, query: RecordQuery, field: str) -> list[Placed]:
        """All records that match (no offset, no limit) in order, with what one field holds: a tree, the columns of a board. Raises Rejected."""

        def load(store: Store, asking: Asking, scene: Scene) -> list[Placed]:
            del scene
            return store.load_outline(asking.wanted(msgspec.structs.replace(query, offset=0, limit=None)), field)

        return await self._ask(load)

    async def several(self, type_name: str, ids: Sequence[str]) -> dict[str, Record]:
        """Those of the records that are here, as they look now."""
        return await self._several(type_name, ids)

    async def figures(
        self, query: RecordQuery, groups: Sequence[str], fields: Sequence[str]
    ) -> list[FigureGroup] | None:
        """Figures of `fields` over the records that match, by `groups` ("state", "month:span", "week:" as days).

        None: they are not to be had exactly without reading the records. Raises Rejected.
        """

        def load(store: Store, asking: Asking, scene: Scene) -> list[FigureGroup] | None:
            type_ = scene.type(query.type_name)
            known = {name: None if type_ is None else type_.field(name) for name in fields}
            money = frozenset(name for name, one in known.items() if one is not None and one.kind is FieldKind.MONEY)
            wanted = asking.wanted(msgspec.structs.replace(query, offset=0, limit=None, sort=()))
            return store.load_figures(FiguresWanted(wanted, tuple(map(_unit_of, groups)), tuple(fields), money))

        return await self._ask(load)

    async def record(self, type_name: str, id: str) -> Record | None:
        """One record as it looks now; None: gone, or never seen here."""
        return await self._one(type_name, id)

    async def titles(self, type_name: str, ids: Sequence[str], language: str = "zh") -> dict[str, str]:
        """What names people, departments or records; ids that are not known here are missing."""
        return await self._ask(
            lambda store, asking, scene: self._titles(store, asking, scene, type_name, ids, language)
        )

    async def linked(self, type_name: str, field: str, id: str) -> list[Record]:
        """Records whose reference field points to a record, the newest first."""

        def load(store: Store, asking: Asking, scene: Scene) -> list[Record]:
            del scene
            wanted = RecordsWanted(type_name, Is(field, (Literal(id),)), _NEWEST)
            return store.load_page(asking.laid(wanted))[0]

        return await self._ask(load)

    # ------------------------------------------------------------ writing
    async def create(self, type_name: str, data: dict[str, Any]) -> str:
        """Queues a new record; its id. What is empty is left out."""
        record_id = self._context.new_id()
        payload = {key: value for key, value in data.items() if not is_empty(value)}
        await self._queue(EditKind.CREATE, type_name, record_id, payload)
        return record_id

    async def update(self, record: Record, patch: dict[str, Any]) -> None:
        """Queues a change of the fields named, on the version `record` shows; fields that hold the value already are left out. None empties a field.

        A new record the server refused is written once more, with the change.
        """
        changed = {key: value for key, value in patch.items() if not _same(record.data.get(key), value)}
        if record.refusal is not None and await self._mend(record, changed):
            return
        if changed:
            await self._queue(EditKind.UPDATE, record.type, record.id, versioned(record, changed))

    async def _mend(self, record: Record, changed: Mapping[str, Any]) -> bool:
        for edit in await self._edits(record.type):
            if edit.object_id == record.id and edit.kind is EditKind.CREATE and edit.state is EditState.REFUSED:
                payload = {key: value for key, value in {**edit.payload, **changed}.items() if not is_empty(value)}
                await self._rewrite(edit, payload)
                await self.drop(edit.id)
                return True
        return False

    async def act(self, record: Record, action_name: str, data: Mapping[str, Any] | None = None) -> None:
        """Queues an action with what it asks for. It goes out by itself, after the edits before it.

        Raises:
            Rejected: invalidProperties: the record's type has no such action, or what it requires is missing.
        """
        await self._scene.ready()
        type_ = self._scene.now.type(record.type)
        action = None if type_ is None else type_.action(action_name)
        if action is None:
            raise Rejected(type="invalidProperties", description="no such action", properties=["action"])
        filled = dict(data or {})
        missing = [name for name in action.requires if is_empty(filled.get(name, record.data.get(name)))]
        if missing:
            raise Rejected(type="invalidProperties", description="required", properties=missing)
        changed = {key: value for key, value in filled.items() if not _same(record.data.get(key), value)}
        payload = {**versioned(record, changed), "action": action.name}
        if action.to is not None:
            payload["state"] = action.to
        await self._queue(EditKind.UPDATE, record.type, record.id, payload, alone=True)

    async def destroy(self, record: Record) -> None:
        """Queues the end of a record; one that never reached the server just leaves the outbox."""
        edits = [edit for edit in await self._edits(record.type) if edit.object_id == record.id]
        made = next((edit for edit in edits if edit.kind is EditKind.CREATE), None)
        if made is not None and await self._withdraw(made):
            waiting = await self._context.db(self._context.store.load_edits)
            for edit in [*edits, *(one for one in waiting if one.needs == record.id)]:
                await self.drop(edit.id)
            return
        await self._queue(EditKind.DESTROY, record.type, record.id, {})

    # ------------------------------------------------------------ what this user may
    def may(self, record: Record | None, type_name: str, action: str) -> bool:
        """Whether this user may `read`, `create`, `update` or `destroy`, or do the action named. `record` None: a new one."""
        rights = self._scene.rights(type_name)
        return rights is not None and rights.may(record, action)

    def allowed_actions(self, record: Record) -> list[Action]:
        """What this user may do with the record now, the primary one first, destructive ones last."""
        rights = self._scene.rights(record.type)
        return [] if rights is None else rights.actions(record)

    def may_edit(self, record: Record, field: str) -> bool:
        """Whether this user may change the field. A new record is one that has no version and no refusal of another's making."""
        rights = self._scene.rights(record.type)
        fresh = record.version == 0 and record.author_id in (None, self._context.me)
        return rights is not None and rights.may_edit(None if fresh else record, field)

    # ------------------------------------------------------------ many at once
    async def import_rows(self, type_name: str, rows: list[dict[str, Any]], dry_run: bool) -> ImportResult:
        """All rows become records, or none does. Needs the server's word. Raises Offline, Rejected."""
        if len(rows) > MAX_IMPORT:
            raise Rejected(type="requestTooLarge", description=f"at most {MAX_IMPORT} rows")
        keys = [self._context.new_id() for _ in rows]
        create = {key: {k: v for k, v in row.items() if not is_empty(v)} for key, row in zip(keys, rows, strict=True)}
        asked = {"create": create, "dryRun": dry_run}
        answer = await self._context.call(f"{type_name}/import", asked, _ImportAnswer)
        places = {key: place for place, key in enumerate(keys)}
        errors = {places[key]: _row_errors(error) for key, error in answer.not_created.items() if key in places}
        return ImportResult(dict(sorted(errors.items())), 0 if dry_run or errors else len(answer.created))

    def may_import(self, type_name: str) -> bool:
        """Whether this user may make records of the type at all."""
        return self.may(None, type_name, CREATE)


class _ImportAnswer(msgspec.Struct, rename="camel"):
    created: dict[str, Any] = {}
    not_created: dict[str, SetError] = {}


def _unit_of(group: str) -> tuple[str, str]:
    unit, _, name = group.rpartition(":")
    return ("day" if unit == "week" else unit), name


def _row_errors(error: SetError) -> tuple[RowError, ...]:
    return (RowError(tuple(error.properties or ()), error.type, error.description or ""),)


def _same(held: Any, value: Any) -> bool:
    return (bool(held == value) and type(held) is type(value)) or (is_empty(held) and is_empty(value))


def versioned(record: Record, changed: Mapping[str, Any]) -> dict[str, Any]:
    """A patch with the version it was written on. A new record the server has not confirmed will have version 1: nobody else can have changed it before."""
    patch = {key: None if is_empty(value) else value for key, value in changed.items()}
    return {**patch, "version": max(record.version, 1)}
