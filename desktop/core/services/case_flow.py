"""Verbs of one case as it is read: where a record is, its history, what this user may do, the version of the process it runs on."""

from collections.abc import Mapping
from typing import Final

from desktop.core.clock import utc_date
from desktop.core.domain import Record
from desktop.core.domain.case_rules import offered
from desktop.core.domain.cases import Case, CaseEvent, Flow, WorkItem, in_order, with_pending
from desktop.core.domain.conditions import Every
from desktop.core.domain.processes import Process, StepAction
from desktop.core.services.case_lists import CASE, WORK_ITEM, CaseLists, first, only
from desktop.core.services.case_overlay import (
    CASE_EVENT,
    acts_of,
    ends_an_item,
    event_of,
    is_on_its_way,
    items_under_way,
)
from desktop.core.services.record_query import Asking
from desktop.core.services.record_scene import Scene
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import RecordsWanted, SortKey, Store

_NEWEST_CASE: Final = (SortKey("startedAt", True, "time"),)


class CaseFlow(CaseLists):
    """Flow of a record."""

    _processes: dict[tuple[str, int], Process] | None = None

    # ------------------------------------------------------------ reading
    async def flow(self, record_type: str, record_id: str) -> Flow:
        """All that a flow panel shows of a record; a bare one while nothing is known of it."""
        acted = self._settling()

        def load(store: Store, asking: Asking, scene: Scene) -> Flow:
            del asking, scene
            case = self._case(store, record_id)
            items = self._items(store, record_id)
            edits = store.load_edits()
            acts = acts_of(edits, record_id)
            mine = [item for item in items if item.open and item.is_of(self._context.me)]
            item = min(mine, key=first, default=None)
            pending = any(ends_an_item(edit) for edit in acts)
            pending = pending or (item is not None and item.id in items_under_way(edits, acted))
            here = {one.id: one for one in items}
            waiting = [self._event(edit, here, case) for edit in acts if is_on_its_way(edit)]
            return Flow(
                record_type,
                record_id,
                case,
                None if item is None else with_pending(item, pending),
                tuple(items),
                tuple(self._with(self._history(store, record_id), waiting)),
                None if case is None else self._version(store, case.process_id, case.process_version),
                tuple(self._event(edit, here, case) for edit in acts if edit.state is EditState.REFUSED),
                () if pending else offered(case, item),
                pending,
            )

        return await self._ask(load)

    async def case_of(self, record_type: str, record_id: str) -> Case | None:
        """The newest case of a record."""
        del record_type
        return await self._context.db(self._case, self._context.store, record_id)

    async def item(self, item_id: str) -> WorkItem | None:
        """One work item."""

        def load(store: Store) -> WorkItem | None:
            found = self._values(store.load_records(WORK_ITEM, (item_id,)).values(), WorkItem)
            return found[0] if found else None

        return await self._context.db(load, self._context.store)

    async def events(self, case_id: str) -> list[CaseEvent]:
        """The history of a case in order; what is on its way stands last."""

        def load(store: Store) -> list[CaseEvent]:
            cases = self._values(store.load_records(CASE, (case_id,)).values(), Case)
            if not cases:
                return []
            case = cases[0]
            here = {one.id: one for one in self._items(store, case.record_id)}
            acts = [edit for edit in acts_of(store.load_edits(), case.record_id) if is_on_its_way(edit)]
            history = [event for event in self._history(store, case.record_id) if event.case_id == case_id]
            return self._with(history, [self._event(edit, here, case) for edit in acts])

        return await self._context.db(load, self._context.store)

    async def process(self, process_id: str, version: int) -> Process | None:
        """A version of a process, when it is here."""
        return await self._context.db(self._version, self._context.store, process_id, version)

    def allowed(self, record: Record, item: WorkItem | None) -> list[StepAction]:
        """The buttons of an item of this user, exactly as the server gives them; `Flow.actions` tells those of a record as a whole."""
        here = item is not None and item.record_id == record.id and not item.pending
        return list(item.actions) if item is not None and here else []

    async def opened(self, item: WorkItem) -> None:
        """This user looked at an item of his for the first time; queued, told once."""
        if item.open and item.read_at is None and item.is_of(self._context.me):
            edits = await self._context.db(self._context.store.load_edits)
            if not any(edit.type_name == WORK_ITEM and edit.object_id == item.id for edit in edits):
                stamp = utc_date(self._context.clock.now_ms())
                await self._context.edit(EditKind.UPDATE, WORK_ITEM, item.id, {"readAt": stamp})

    # ------------------------------------------------------------ on the store's thread
    def _case(self, store: Store, record_id: str) -> Case | None:
        wanted = RecordsWanted(CASE, only("recordId", record_id), _NEWEST_CASE, limit=1)
        found = self._values(store.load_page(wanted)[0], Case)
        return found[0] if found else None

    def _items(self, store: Store, record_id: str) -> list[WorkItem]:
        wanted = RecordsWanted(WORK_ITEM, Every((only("recordId", record_id),)))
        return sorted(self._values(store.load_page(wanted)[0], WorkItem), key=lambda one: (one.created_at, one.id))

    def _history(self, store: Store, record_id: str) -> list[CaseEvent]:
        found = store.load_objects(CASE_EVENT, parent=record_id)
        return in_order([event for event in found if isinstance(event, CaseEvent)])

    def _version(self, store: Store, process_id: str, version: int) -> Process | None:
        known = self._processes
        if known is None:
            found = [one for one in store.load_objects("Process") if isinstance(one, Process)]
            self._processes = known = {(one.process_id, one.version): one for one in found}
        return known.get((process_id, version))

    def _event(self, edit: Edit, items: Mapping[str, WorkItem], case: Case | None) -> CaseEvent:
        return event_of(edit, self._context.me, items.get(str(edit.payload.get("workItemId"))), case)

    def _with(self, history: list[CaseEvent], waiting: list[CaseEvent]) -> list[CaseEvent]:
        known = {event.id for event in history}
        return [*history, *(event for event in waiting if event.id not in known)]
