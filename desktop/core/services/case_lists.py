"""Verbs of the desk: what waits for this user, what was done, begun, and everything he may see. From this device alone, quick at tens of thousands of cases."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

from desktop.core.clock import utc_date
from desktop.core.domain import Record, RecordQuery
from desktop.core.domain.cases import (
    Case,
    WorkCounts,
    WorkItem,
    WorkKind,
    WorkPage,
    WorkQuery,
    WorkRow,
    WorkTab,
    with_pending,
)
from desktop.core.domain.conditions import Condition, Every, Is, Literal, Never, Some, Words, resolve, words_of
from desktop.core.domain.records import Light
from desktop.core.protocol.objects import value_of
from desktop.core.services.case_keeping import CaseKeeping, files_of
from desktop.core.services.case_overlay import items_under_way
from desktop.core.services.context import Context
from desktop.core.services.record_base import RecordBase
from desktop.core.services.record_query import Asking
from desktop.core.services.record_scene import RecordScene, Scene
from desktop.core.services.transfers import TransferService
from desktop.core.sync.port import GroupsWanted, RecordsWanted, SortKey, Store

CASE: Final = "Case"
WORK_ITEM: Final = "WorkItem"
MAX_FOUND: Final = 20_000
"""Records a word may be found in; the newest count."""
MAX_WORDS: Final = 8
SETTLING: Final = 30.0
"""Seconds for which a confirmed act counts as under way while its item has not changed yet."""
_BY_DUE: Final = (SortKey("dueAt", False, "time"), SortKey("createdAt", True, "time"))
_BY_DONE: Final = (SortKey("doneAt", True, "time"),)
_BY_START: Final = (SortKey("startedAt", True, "time"),)
Value = TypeVar("Value", Case, WorkItem)


class CaseLists(RecordBase):
    """Lists and counts."""

    def __init__(self, context: Context, scene: RecordScene, transfers: TransferService, keeping: CaseKeeping) -> None:
        super().__init__(context, scene)
        self._transfers = transfers
        self._keeping = keeping
        self._acted: dict[str, tuple[str, float]] = {}

    # ------------------------------------------------------------ verbs
    async def work(self, query: WorkQuery) -> WorkPage:
        """A part of the rows of a tab. What is due first stands first among what waits; elsewhere the newest."""
        acted = self._settling()

        def load(store: Store, asking: Asking, scene: Scene) -> WorkPage:
            waiting = items_under_way(store.load_edits(), acted)
            if query.tab in (WorkTab.STARTED, WorkTab.ALL):
                return self._case_page(store, asking, scene, query, waiting)
            parts = [self._tab_of(query.tab), *self._narrowed(store, asking, scene, query)]
            sort = _BY_DONE if query.tab is WorkTab.DONE else _BY_DUE
            wanted = RecordsWanted(WORK_ITEM, Every(tuple(parts)), sort, query.offset, query.limit)
            found, total = store.load_page(wanted)
            items = self._values(found, WorkItem)
            cases = self._values(store.load_records(CASE, {item.case_id for item in items}).values(), Case)
            by_id = {case.id: case for case in cases}
            rows = [(item, by_id.get(item.case_id)) for item in items]
            return WorkPage(self._rows(store, asking, scene, rows, waiting), total)

        return await self._ask(load)

    async def counts(self) -> WorkCounts:
        """How much waits, without what is being sent."""
        acted = self._settling()

        def load(store: Store, asking: Asking, scene: Scene) -> WorkCounts:
            waiting = items_under_way(store.load_edits(), acted)
            facts = self._facts(scene)
            todo = self._count(store, WorkTab.TODO, waiting)
            to_read = self._count(store, WorkTab.TO_READ, waiting)
            over = resolve({"dueAtBefore": utc_date(facts.now_ms)}, facts)
            red = sum(self._count(store, WorkTab.TODO, waiting, over).values()) if todo else 0
            return WorkCounts(sum(todo.values()), sum(to_read.values()), red, todo, to_read)

        return await self._ask(load)

    def _count(self, store: Store, tab: WorkTab, waiting: set[str], *more: Condition) -> dict[str, int]:
        parts = [self._tab_of(tab), *more]
        if waiting:
            parts.append(Never(_one_of("id", waiting)))
        groups = store.load_groups(GroupsWanted(RecordsWanted(WORK_ITEM, Every(tuple(parts))), "module"))
        return {str(group.value or ""): group.count for group in groups}

    # ------------------------------------------------------------ what is meant
    def _tab_of(self, tab: WorkTab) -> Condition:
        mine = self._mine()
        match tab:
            case WorkTab.DONE:
                return Every((_one_of("state", ("done",)), _one_of("personId", (self._context.me,))))
            case WorkTab.TO_READ:
                return Every((_one_of("state", ("open",)), _one_of("kind", (WorkKind.READ,)), mine))
            case _:
                return Every((_one_of("state", ("open",)), Never(_one_of("kind", (WorkKind.READ,))), mine))

    def _mine(self) -> Condition:
        me = self._context.me
        shared = Every((Is("personId", (Literal(),)), Is("candidateIds", (Literal(me),))))
        return Some((_one_of("personId", (me,)), shared))

    def _narrowed(self, store: Store, asking: Asking, scene: Scene, query: WorkQuery) -> list[Condition]:
        """What modules, types and words add."""
        parts: list[Condition] = []
        if query.modules:
            parts.append(_one_of("module", query.modules))
        if query.types:
            parts.append(_one_of("recordType", query.types))
        types = [
            type_.name
            for module, type_ in scene.homes.values()
            if type_.process is not None
            and (not query.modules or module.id in query.modules)
            and (not query.types or type_.name in query.types)
        ]
        for word in words_of(query.text)[:MAX_WORDS]:
            ids: list[str] = []
            for name in types:
                wanted = asking.wanted(RecordQuery(name, text=word, limit=MAX_FOUND))
                ids += store.load_ids(wanted)
            parts.append(Some((Words((word,)), _one_of("recordId", ids[:MAX_FOUND]))))
        return parts

    def _case_page(self, store: Store, asking: Asking, scene: Scene, query: WorkQuery, waiting: set[str]) -> WorkPage:
        parts = self._narrowed(store, asking, scene, query)
        if query.tab is WorkTab.STARTED:
            parts.append(_one_of("startedById", (self._context.me,)))
        wanted = RecordsWanted(CASE, Every(tuple(parts)), _BY_START, query.offset, query.limit)
        found, total = store.load_page(wanted)
        cases = self._values(found, Case)
        open_ = Every((_one_of("state", ("open",)), self._mine(), _one_of("caseId", [case.id for case in cases])))
        items: dict[str, WorkItem] = {}
        for item in self._values(store.load_page(RecordsWanted(WORK_ITEM, open_))[0], WorkItem):
            held = items.get(item.case_id)
            if held is None or first(item) < first(held):
                items[item.case_id] = item
        return WorkPage(self._rows(store, asking, scene, [(items.get(c.id), c) for c in cases], waiting), total)

    # ------------------------------------------------------------ rows
    def _rows(
        self,
        store: Store,
        asking: Asking,
        scene: Scene,
        found: Sequence[tuple[WorkItem | None, Case | None]],
        waiting: set[str],
    ) -> tuple[WorkRow, ...]:
        wanted: dict[str, set[str]] = {}
        for item, case in found:
            about = item or case
            if about is not None:
                wanted.setdefault(about.record_type, set()).add(about.record_id)
        records: dict[str, Record] = {}
        for name, ids in wanted.items():
            if name in scene.homes:
                records |= store.load_records(name, ids)
                records |= {one.id: one for one in asking.laid(RecordsWanted(name)).overlay if one.id in ids}
        now = self._context.clock.now_ms()
        return tuple(self._row(scene, item, case, records, waiting, now) for item, case in found)

    def _row(
        self,
        scene: Scene,
        item: WorkItem | None,
        case: Case | None,
        records: dict[str, Record],
        waiting: set[str],
        now: int,
    ) -> WorkRow:
        about = item or case
        record = records.get(about.record_id) if about is not None else None
        pending = item is not None and item.id in waiting
        blobs = files_of(record, scene.type(record.type)) if record is not None else {}
        return WorkRow(
            item.id if item is not None else case.id if case is not None else "",
            about.title if about is not None else "",
            None if item is None else with_pending(item, pending),
            case,
            record,
            item.light(now) if item is not None and item.open else Light.GREEN,
            bool(blobs) and all(self._transfers.has(blob) for blob in blobs),
            pending,
        )

    def _values(self, records: Iterable[Record], kind: type[Value]) -> list[Value]:
        """Stored cases or items as their structs."""
        found = (value_of(record, self._context.me) for record in records)
        return [value for value in found if isinstance(value, kind)]

    # ------------------------------------------------------------ acts the server has confirmed, while their items have not followed
    def _settling(self) -> dict[str, str]:
        """Item → the act on it."""
        now = self._context.clock.monotonic()
        self._acted = {key: (event, at) for key, (event, at) in self._acted.items() if now - at < SETTLING}
        return {key: event for key, (event, _) in self._acted.items()}


def first(item: WorkItem) -> tuple[bool, int, str]:
    """What stands first among several open items of one person in one case: what is to be handled, then the oldest."""
    return item.kind is WorkKind.READ, item.created_at, item.id


def _one_of(field: str, values: Collection[Any]) -> Condition:
    return Is(field, tuple(Literal(str(value)) for value in values), many=False)


def only(field: str, *values: str) -> Condition:
    """The field is one of the values, and no list."""
    return _one_of(field, values)
