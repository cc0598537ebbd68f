"""Records of the sample module in memory, with the verbs of the real service: filters and formulas by desktop.core.domain, events as the core's.

`RecordsScene` is a FakeSession with `records`. Every verb suspends once and is noted in `session.calls`; `session.failures["records.page"] = Offline()`
makes the next call of one fail. Offline, writes stay pending until `session.go(ConnectionState.LIVE)`; `session.records.refuse[id] = "conflict"`
makes the next write of a record come back refused. No Qt in here.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from desktop.core.clock import parse_utc_date, utc_date
from desktop.core.domain import Attachment, ConnectionState
from desktop.core.domain.conditions import Every, Facts, Overlaps, is_empty, matches, record_texts, resolve, words_of
from desktop.core.domain.definition import Action, ModuleDefinition, TypeDefinition
from desktop.core.domain.formulas import with_formulas
from desktop.core.domain.records import (
    AgendaItem,
    Comment,
    Conflict,
    DueItem,
    FieldChange,
    FigureGroup,
    GroupSummary,
    ImportResult,
    Light,
    Placed,
    Record,
    RecordChange,
    RecordPage,
    RecordQuery,
    RowError,
    Todo,
)
from desktop.core.domain.titles import title_of
from desktop.core.errors import Offline, Rejected
from desktop.core.events import ChangeSet, EditRefused
from desktop.core.store.record_cells import cell, value_of_cell
from tests.helpers.fake_annotations import FakeAnnotations
from tests.helpers.fake_session import DAY, DEPARTMENTS, HOUR, MINUTE, NOW, PEOPLE, FakeSession
from tests.helpers.sample_module import sample_module

ZONE = 480
TODAY = date(2026, 10, 22)
TRIP, VEHICLE = "SampleTrip", "SampleVehicle"


class RecordsScene(FakeSession):
    """A signed-in 林远 with the sample module. `fleet`: he keeps the fleet, and may do everything."""

    def __init__(self, *, fleet: bool = False, many: int = 0) -> None:
        super().__init__()
        if fleet:
            self.me = msgspec.structs.replace(self.me, roles=(*self.me.roles, "fleet"))
        self.records = FakeRecords(self)
        self.annotations = FakeAnnotations()
        if many:
            self.records.put(*(made_trip(number) for number in range(many)))

    def go(self, state: ConnectionState, *, detail: str | None = None, retry_at: int | None = None) -> None:
        super().go(state, detail=detail, retry_at=retry_at)
        if state is ConnectionState.LIVE:
            self.records.settle()


class FakeRecords:
    """RecordsService in memory."""

    def __init__(self, session: FakeSession) -> None:
        self._session = session
        self.definitions: list[ModuleDefinition] = [sample_module()]
        self.held: dict[str, dict[str, Record]] = {}
        self.talk: dict[str, Comment] = {}
        self.changes: dict[str, list[RecordChange]] = {}
        self.follows: set[str] = set()
        self.drafts: dict[str, dict[str, Any]] = {}
        self.states: dict[str, dict[str, Any]] = {}
        self.open_conflicts: list[Conflict] = []
        self.list: list[Todo] = []
        self.refuse: dict[str, str] = {}
        self.row_errors: dict[int, tuple[RowError, ...]] = {}
        self._serial = 0
        self.put(*sample_records())

    # ---- for the tests
    def put(self, *records: Record, tell: bool = False) -> None:
        """Writes records as the sync does."""
        for record in records:
            self.held.setdefault(record.type, {})[record.id] = record
        if tell:
            for name in {record.type for record in records}:
                self._tell(name, *(record.id for record in records if record.type == name))

    def remove(self, record: Record) -> None:
        """Somebody else deletes a record."""
        del self.held[record.type][record.id]
        self._session.events.publish(ChangeSet(record.type, (), (record.id,)))

    def read_singly(self) -> int:
        """How many records were asked for by their ids."""
        return sum(len(ids) for _, ids in self._session.called("records.several") if isinstance(ids, tuple))

    def get(self, record_id: str) -> Record:
        """The record as it is now."""
        return next(records[record_id] for records in self.held.values() if record_id in records)

    def definition(self, type_name: str) -> TypeDefinition:
        """A type."""
        return next(one for module in self.definitions for one in module.types if one.name == type_name)

    def settle(self) -> None:
        """The outbox went out: nothing is pending any more."""
        for name, records in self.held.items():
            waiting = [record for record in records.values() if record.pending]
            for record in waiting:
                records[record.id] = msgspec.structs.replace(record, pending=False, version=record.version + 1)
            if waiting:
                self._tell(name, *(record.id for record in waiting))

    def _tell(self, name: str, *ids: str) -> None:
        self._session.events.publish(ChangeSet(name, tuple(ids)))

    async def _begin(self, name: str, *arguments: object) -> None:
        self._session.calls.append((f"records.{name}", *arguments))
        failure = self._session.failures.pop(f"records.{name}", None)
        await asyncio.sleep(0)
        if failure is not None:
            raise failure

    @property
    def _live(self) -> bool:
        return self._session.status.state is ConnectionState.LIVE

    def _facts(self) -> Facts:
        me = self._session.me
        return Facts(me.id, tuple(i.department_id for i in me.identities), self._session.clock.now_ms(), ZONE)

    # ---- reading
    async def modules(self) -> list[ModuleDefinition]:
        await self._begin("modules")
        return list(self.definitions)

    def _found(self, query: RecordQuery) -> list[Record]:
        condition, words = resolve(query.filter, self._facts()), words_of(query.text)
        if query.during is not None:
            during = query.during
            condition = Every((condition, Overlaps(during.field, utc_date(during.start), utc_date(during.end))))
        found = []
        for record in self.held.get(query.type_name, {}).values():
            if matches(condition, wire(record)) and all(
                any(word in text for text in record_texts(wire(record))) for word in words
            ):
                found.append(record)
        return in_order(found, query.sort)

    async def page(self, query: RecordQuery) -> RecordPage:
        await self._begin("page", query)
        found = self._found(query)
        end = len(found) if query.limit is None else query.offset + query.limit
        return RecordPage(tuple(found[query.offset : end]), len(found))

    async def summary(self, query: RecordQuery, group: str | None, sums: Sequence[str] = ()) -> list[GroupSummary]:
        await self._begin("summary", query, group, tuple(sums))
        groups: dict[str, tuple[Any, int, dict[str, Decimal]]] = {}
        for record in self._found(query):
            value = wire(record).get(group) if group else None
            value = None if is_empty(value) else value
            _, count, held = groups.get(repr(value), (value, 0, {}))
            for name in sums:
                held[name] = held.get(name, Decimal(0)) + Decimal(str(record.data.get(name) or 0))
            groups[repr(value)] = (value, count + 1, held)
        return [GroupSummary(v, n, {k: str(s) for k, s in held.items()}) for v, n, held in groups.values()]

    async def outline(self, query: RecordQuery, field: str) -> list[Placed]:
        await self._begin("outline", query, field)
        return [Placed(record.id, value_of_cell(cell(wire(record).get(field)))) for record in self._found(query)]

    async def several(self, type_name: str, ids: Sequence[str]) -> dict[str, Record]:
        await self._begin("several", type_name, tuple(ids))
        held = self.held.get(type_name, {})
        return {key: held[key] for key in ids if key in held}

    async def figures(
        self, query: RecordQuery, groups: Sequence[str], fields: Sequence[str]
    ) -> list[FigureGroup] | None:
        await self._begin("figures", query, tuple(groups), tuple(fields))
        return None  # as the store where it does not know exactly: the screen reads the records

    async def record(self, type_name: str, id: str) -> Record | None:
        await self._begin("record", type_name, id)
        return self.held.get(type_name, {}).get(id)

    async def titles(self, type_name: str, ids: Sequence[str], language: str = "zh") -> dict[str, str]:
        await self._begin("titles", type_name, tuple(ids))
        known = any(one.name == type_name for module in self.definitions for one in module.types)
        held = self.held.get(type_name, {}) if known else {}
        return {key: self.title(held[key], language) for key in ids if key in held}

    def title(self, record: Record, language: str = "zh") -> str:
        """What a record is called."""
        names = {person.id: person.name for person in PEOPLE} | {one.id: one.name for one in DEPARTMENTS}
        return title_of(
            self.definition(record.type), record.data, language=language, name_of=lambda key: names.get(key, key)
        )

    async def linked(self, type_name: str, field: str, id: str) -> list[Record]:
        await self._begin("linked", type_name, field, id)
        return [r for r in self.held.get(type_name, {}).values() if id in _as_list(r.data.get(field))]

    # ---- writing
    async def create(self, type_name: str, data: dict[str, Any]) -> str:
        await self._begin("create", type_name, data)
        self._serial += 1
        definition = self.definition(type_name)
        first = {"state": definition.states[0].value} if definition.states else {}
        now = self._session.clock.now_ms()
        made = Record(
            f"new-{self._serial}",
            type_name,
            with_formulas(definition.fields, first | data),
            self._session.me.id,
            now,
            now,
        )
        self._write(made, {})
        return made.id

    async def update(self, record: Record, patch: dict[str, Any]) -> None:
        await self._begin("update", record, patch)
        self._patch(record, patch)

    async def act(self, record: Record, action_name: str, data: Mapping[str, Any] | None = None) -> None:
        await self._begin("act", record, action_name, dict(data or {}))
        action = self.definition(record.type).action(action_name)
        if action is None or action not in self.allowed_actions(record):
            raise Rejected(type="forbidden", description=action_name)
        self._patch(record, {**(data or {}), **({"state": action.to} if action.to else {})})

    def _patch(self, record: Record, patch: dict[str, Any]) -> None:
        old = self.held[record.type][record.id]
        code = self.refuse.pop(record.id, None)
        if code is not None:
            self.put(msgspec.structs.replace(old, refusal=code), tell=True)
            self._session.events.publish(EditRefused(record.type, record.id, code))
            return
        data = {key: value for key, value in {**old.data, **patch}.items() if value is not None}
        data = with_formulas(self.definition(record.type).fields, data)
        self._write(msgspec.structs.replace(old, data=data, refusal=None), old.data)

    def _write(self, record: Record, before: Mapping[str, Any]) -> None:
        now = self._session.clock.now_ms()
        changed = [n for n in {*before, *record.data} if before.get(n) != record.data.get(n)]
        entry = RecordChange(
            f"h-{record.id}-{record.version + 1}",
            record.id,
            record.type,
            now,
            self._session.me.id,
            tuple(FieldChange(n, before.get(n), record.data.get(n)) for n in sorted(changed)),
        )
        self.changes.setdefault(record.id, []).append(entry)
        version = record.version + 1 if self._live else record.version
        self.put(msgspec.structs.replace(record, updated_at=now, version=version, pending=not self._live), tell=True)

    async def destroy(self, record: Record) -> None:
        await self._begin("destroy", record)
        if not self.may(record, record.type, "destroy"):
            raise Rejected(type="forbidden", description="")
        self.remove(self.get(record.id))

    async def import_rows(self, type_name: str, rows: list[dict[str, Any]], dry_run: bool) -> ImportResult:
        await self._begin("import_rows", type_name, rows, dry_run)
        if not self._live:
            raise Offline(reason="offline")
        if self.row_errors or dry_run:
            return ImportResult(dict(self.row_errors))
        for row in rows:
            await self.create(type_name, row)
        return ImportResult({}, len(rows))

    # ---- rights
    def _is(self, principal: str, record: Record | None) -> bool:
        me = self._session.me
        who, _, states = principal.partition("@")
        data = record.data if record is not None else {}
        if states and data.get("state") not in states.split("|"):
            return False
        if who == "everyone" or (who == "author" and (record is None or record.author_id == me.id)):
            return True
        kind, _, name = who.partition(":")
        return (kind == "role" and name in me.roles) or (kind == "field" and me.id in _as_list(data.get(name)))

    def may(self, record: Record | None, type_name: str, action: str) -> bool:
        access = self.definition(type_name).access
        return any(self._is(one, record) for one in getattr(access, action))

    def allowed_actions(self, record: Record) -> list[Action]:
        actions = self.definition(record.type).actions
        state = record.data.get("state")
        return [a for a in actions if state in a.from_ and any(self._is(who, record) for who in a.who)]

    def may_edit(self, record: Record, field: str) -> bool:
        found = self.definition(record.type).field(field)
        if found is None or found.read_only or found.computed or found.immutable:
            return False
        who = found.edit
        return any(self._is(one, record) for one in who) if who else self.may(record, record.type, "update")

    # ---- talk
    async def comments(self, record_id: str) -> list[Comment]:
        await self._begin("comments", record_id)
        return sorted((c for c in self.talk.values() if c.record_id == record_id), key=lambda c: c.created_at)

    async def comment(
        self, record: Record, text: str, mentions: Sequence[str] = (), attachments: Sequence[Attachment] = ()
    ) -> None:
        await self._begin("comment", record, text, tuple(mentions), tuple(attachments))
        self._serial += 1
        now, me = self._session.clock.now_ms() + self._serial, self._session.me.id
        made = Comment(
            f"c-{self._serial}",
            record.id,
            record.type,
            text,
            tuple(mentions),
            tuple(attachments),
            me,
            now,
            now,
            not self._live,
        )
        self.talk[made.id] = made
        self._tell("Comment", made.id)

    async def delete_comment(self, id: str) -> None:
        await self._begin("delete_comment", id)
        del self.talk[id]
        self._session.events.publish(ChangeSet("Comment", (), (id,)))

    async def history(self, record: Record) -> list[RecordChange]:
        await self._begin("history", record)
        if not self._live:
            raise Offline(reason="offline")
        return list(reversed(self.changes.get(record.id, [])))

    async def follow(self, record: Record, on: bool) -> None:
        await self._begin("follow", record, on)
        (self.follows.add if on else self.follows.discard)(record.id)
        self._tell("Follow", f"{record.id}_{self._session.me.id}")

    def following(self, record_id: str) -> bool:
        return record_id in self.follows

    async def send_card(self, conversation_id: str, record: Record) -> None:
        await self._begin("send_card", conversation_id, record)

    # ---- conflicts
    async def conflicts(self) -> list[Conflict]:
        await self._begin("conflicts")
        return list(self.open_conflicts)

    async def resolve(self, edit_id: str, take: dict[str, str]) -> None:
        await self._begin("resolve", edit_id, take)
        conflict = next(one for one in self.open_conflicts if one.edit_id == edit_id)
        self.open_conflicts.remove(conflict)
        mine = {name: value for name, value in conflict.mine.items() if take.get(name, "mine") == "mine"}
        if conflict.id in self.held.get(conflict.type, {}):
            self._patch(self.get(conflict.id), mine)

    async def drop(self, edit_id: str) -> None:
        await self._begin("drop", edit_id)
        self.open_conflicts = [one for one in self.open_conflicts if one.edit_id != edit_id]

    # ---- kept
    async def draft(self, key: str) -> dict[str, Any] | None:
        await self._begin("draft", key)
        return self.drafts.get(key)

    async def set_draft(self, key: str, data: dict[str, Any] | None) -> None:
        await self._begin("set_draft", key, data)
        if data is None:
            self.drafts.pop(key, None)
        else:
            self.drafts[key] = data

    async def view_state(self, view_key: str) -> dict[str, Any]:
        await self._begin("view_state", view_key)
        return self.states.get(view_key, {})

    async def set_view_state(self, view_key: str, state: dict[str, Any]) -> None:
        await self._begin("set_view_state", view_key, state)
        self.states[view_key] = state

    # ---- across modules
    async def todos(self, kind: str | None = None, state: str = "open") -> list[Todo]:
        await self._begin("todos", kind, state)
        return [one for one in self.list if one.state == state and kind in (None, one.kind)]

    async def started(self) -> list[Record]:
        await self._begin("started")
        mine = self._session.me.id
        return [
            r
            for name in self.held
            for r in self.held[name].values()
            if r.author_id == mine and self.definition(name).tracked
        ]

    async def done(self) -> list[Todo]:
        await self._begin("done")
        return [one for one in self.list if one.state == "done"]

    async def radar(self) -> list[DueItem]:
        await self._begin("radar")
        return sorted(self._dues(), key=lambda item: item.at_ms)

    def _dues(self) -> Iterator[DueItem]:
        now = self._session.clock.now_ms()
        for name, records in self.held.items():
            for due in self.definition(name).due:
                settled = resolve(due.unless, self._facts())
                for record in records.values():
                    day = record.data.get(due.field)
                    if day is None or (due.unless and matches(settled, wire(record))):
                        continue
                    end = parse_utc_date(f"{day}T00:00:00+08:00") + DAY
                    light = (
                        Light.RED if end <= now else Light.AMBER if end - now <= due.amber_days * DAY else Light.GREEN
                    )
                    yield DueItem(record, due, end, light, self.title(record), "sample_vehicles")

    async def agenda(self, day_start_ms: int, day_end_ms: int) -> list[AgendaItem]:
        await self._begin("agenda", day_start_ms, day_end_ms)
        items = []
        for record in self.held.get(TRIP, {}).values():
            start, end = (parse_utc_date(record.data["span"][part]) for part in ("start", "end"))
            if start < day_end_ms and end > day_start_ms:
                items.append(AgendaItem(record, self.title(record), start, end, "sample_vehicles"))
        return sorted(items, key=lambda item: item.start)

    async def counts(self) -> dict[str, int]:
        await self._begin("counts")
        return {"sample_vehicles": sum(one.state == "open" for one in self.list)}


def wire(record: Record) -> dict[str, Any]:
    """The record as it is on the wire, envelope included."""
    envelope = {
        "id": record.id,
        "authorId": record.author_id,
        "createdAt": utc_date(record.created_at),
        "updatedAt": utc_date(record.updated_at),
        "version": record.version,
    }
    return {**record.data, **envelope}


def in_order(records: Iterable[Record], sort: Sequence[str]) -> list[Record]:
    """Sorted by fields, `-` descending; empty ones last either way."""
    found = sorted(records, key=lambda record: record.id)
    for name in reversed(sort or ("-createdAt",)):
        field, down = name.lstrip("-"), name.startswith("-")
        held = [record for record in found if not is_empty(wire(record).get(field))]
        empty = [record for record in found if is_empty(wire(record).get(field))]
        held.sort(key=lambda record, field=field: _sort_key(wire(record)[field]), reverse=down)  # type: ignore[misc]  # a default binds the loop's value
        found = held + empty
    return found


def _sort_key(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return (0, float(value), "")
    if isinstance(value, dict):
        return (1, 0.0, str(value.get("start", "")))
    try:
        return (0, float(value), "")
    except (TypeError, ValueError):
        return (1, 0.0, str(value))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


# ------------------------------------------------------------ what is in the sample
def span(day: int, start: int, end: int) -> dict[str, str]:
    """A span of local hours, `day` days from the scene's today."""
    midnight = parse_utc_date("2026-10-22T00:00:00+08:00") + day * DAY
    return {"start": utc_date(midnight + start * HOUR), "end": utc_date(midnight + end * HOUR)}


def day(offset: int) -> str:
    """A date, days from the scene's today."""
    return (TODAY + timedelta(days=offset)).isoformat()


VEHICLES: tuple[dict[str, Any], ...] = (
    {
        "plate": "苏A・12345",
        "model": "别克 GL8",
        "seats": 7,
        "fuel": "petrol",
        "keeperId": "zhaolei",
        "departmentId": "d4",
        "inspectionDate": day(21),
        "price": "239900.00",
        "inUse": True,
    },
    {
        "plate": "苏A・22318",
        "model": "帕萨特",
        "seats": 5,
        "fuel": "petrol",
        "keeperId": "sunqiang",
        "departmentId": "d4",
        "inspectionDate": day(120),
        "price": "198000.00",
        "inUse": True,
    },
    {
        "plate": "苏A・90216",
        "model": "考斯特",
        "seats": 19,
        "fuel": "petrol",
        "keeperId": "zhaolei",
        "departmentId": "d4",
        "inspectionDate": day(-2),
        "price": "486500.50",
        "inUse": False,
    },
    {
        "plate": "苏A・77105",
        "model": "汉兰达",
        "seats": 7,
        "fuel": "electric",
        "keeperId": "zhaolei",
        "departmentId": "d8",
        "inspectionDate": day(300),
        "price": "312800.00",
        "inUse": True,
        "parentId": "v1",
    },
)
TRIPS: tuple[dict[str, Any], ...] = (
    {
        "number": "YC-2026-001",
        "destination": "长江堤防",
        "span": span(0, 9, 12),
        "vehicleId": "v1",
        "passengers": ["lixiaoming", "linyuan"],
        "driverId": "sunqiang",
        "departmentId": "d8",
        "kind": "flood",
        "state": "approved",
        "reason": "防汛督查",
        "needs": ["boots", "radio"],
        "wanted": day(0),
    },
    {
        "number": "YC-2026-002",
        "destination": "火车站",
        "span": span(0, 14, 16),
        "vehicleId": "v1",
        "passengers": ["zhangmin"],
        "driverId": "sunqiang",
        "departmentId": "d2",
        "kind": "guest",
        "state": "approved",
        "reason": "接站",
    },
    {
        "number": "YC-2026-003",
        "destination": "市财政局",
        "span": span(0, 10, 16),
        "vehicleId": "v2",
        "passengers": ["wangjianguo"],
        "departmentId": "d5",
        "kind": "duty",
        "state": "approved",
        "reason": "报送预算",
    },
    {
        "number": "YC-2026-004",
        "destination": "省水利厅",
        "span": span(0, 15, 18),
        "vehicleId": "v4",
        "passengers": ["liuyang", "linyuan"],
        "departmentId": "d6",
        "kind": "duty",
        "state": "asked",
        "reason": "防汛值班汇报",
        "wanted": day(1),
    },
    {
        "number": "YC-2026-005",
        "destination": "水文站",
        "span": span(-1, 8, 17),
        "vehicleId": "v2",
        "passengers": ["zhouhai"],
        "driverId": "sunqiang",
        "departmentId": "d1",
        "kind": "flood",
        "state": "done",
        "odometerOut": 41200,
        "odometerIn": 41388.5,
        "wanted": day(-1),
        "notes": "<p>巡查 <b>三处</b>险工。</p>",
        "items": [
            {"item": "汽油", "quantity": 42.5, "price": "7.86", "paidOn": day(-1)},
            {"item": "过路费", "quantity": 2, "price": "35.00"},
        ],
    },
    {
        "number": "YC-2026-006",
        "destination": "县档案馆",
        "span": span(1, 9, 11),
        "passengers": ["chenjing"],
        "departmentId": "d7",
        "kind": "duty",
        "state": "draft",
        "wanted": day(2),
        "overnight": False,
        "papers": [{"blobId": "b-sheet", "name": "移交清单.xlsx", "type": "application/vnd.ms-excel", "size": 83200}],
    },
    {
        "number": "YC-2026-007",
        "destination": "机场",
        "span": span(2, 6, 9),
        "vehicleId": "v4",
        "passengers": ["sunli", "hejing", "wufang"],
        "departmentId": "d1",
        "kind": "guest",
        "state": "refused",
        "reason": "改乘班车",
        "wanted": day(-3),
    },
)


def sample_records() -> Iterator[Record]:
    """Four vehicles and seven trips."""
    definition = {one.name: one for one in sample_module().types}
    for number, data in enumerate(VEHICLES, 1):
        yield Record(f"v{number}", VEHICLE, dict(data), "zhaolei", NOW - 400 * DAY, NOW - number * DAY, 1)
    for number, data in enumerate(TRIPS, 1):
        whole = with_formulas(definition[TRIP].fields, data)
        author = ("lixiaoming", "zhangmin", "wangjianguo", "linyuan", "zhouhai", "linyuan", "hejing")[number - 1]
        yield Record(f"t{number}", TRIP, whole, author, NOW - (8 - number) * HOUR, NOW - (8 - number) * 50 * MINUTE, 2)


def made_trip(number: int) -> Record:
    """One of many."""
    kinds, states = ("duty", "flood", "guest"), ("draft", "asked", "approved", "done", "refused")
    people = [person.id for person in PEOPLE]
    data: dict[str, Any] = {
        "number": f"YC-2025-{number:05d}",
        "destination": ("水文站", "省水利厅", "火车站", "堤防三段", "县政府")[number % 5] + f" {number}",
        "span": span(-1 - number // 4, 8 + number % 9, 18 + number % 3),
        "vehicleId": f"v{number % 4 + 1}",
        "passengers": [people[number % len(people)], people[(number * 7 + 1) % len(people)]],
        "departmentId": DEPARTMENTS[number % len(DEPARTMENTS)].id,
        "kind": kinds[number % 3],
        "state": states[number * 7 % 5],
        "wanted": day(number % 40 - 30),
        "cost": f"{number % 997}.{number % 100:02d}",
    }
    return Record(
        f"m{number:06d}", TRIP, data, people[number % len(people)], NOW - number * MINUTE, NOW - number * MINUTE, 1
    )
