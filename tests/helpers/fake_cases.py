"""Cases and processes in memory, with the verbs of the real service (desktop.core.services.cases) and the samples of case_samples.py.

`CasesScene` is a RecordsScene with `cases`. Every verb suspends once and is noted in `session.calls`; `session.failures["cases.act"] = Offline()` makes the
next call of one fail. Offline, acts stay pending until `session.go(ConnectionState.LIVE)`. `session.cases.refuse[record_id] = Refusal(…)` makes the next
act on a record come back refused, `session.cases.by_others(item_id, person, action)` lets somebody else be faster. No Qt in here.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from desktop.core.domain import Attachment, ConnectionState, Label, Record
from desktop.core.domain.case_rules import offered
from desktop.core.domain.cases import (
    Case,
    CaseEvent,
    CaseState,
    CurrentStep,
    Flow,
    HowMany,
    Refusal,
    WorkCounts,
    WorkItem,
    WorkKind,
    WorkPage,
    WorkQuery,
    WorkRow,
    WorkTab,
    in_order,
    with_pending,
)
from desktop.core.domain.conditions import record_texts, words_of
from desktop.core.domain.processes import (
    Delegation,
    Draft,
    Overlay,
    OverlayPlan,
    Process,
    ProcessForm,
    ProcessNote,
    ProcessState,
    StepAction,
    TraceStep,
    TryOut,
    Unsound,
)
from desktop.core.domain.records import Light
from desktop.core.errors import Offline, Rejected
from desktop.core.events import ChangeSet, EditRefused
from tests.helpers.case_samples import (
    SEAL_STEP_LIST,
    case_modules,
    case_records,
    sample_cases,
    sample_events,
    sample_items,
    sample_processes,
    sample_refused,
)
from tests.helpers.fake_records import RecordsScene, wire
from tests.helpers.fake_session import DAY, NOW

ENDING = ("submit", "approve", "refuse", "return", "transfer", "read", "terminate")
"""Acts after which the item is no longer its person's."""


class CasesScene(RecordsScene):
    """A signed-in 林远 with seal requests and documents under way."""

    def __init__(self, *, fleet: bool = False, many: int = 0) -> None:
        super().__init__(fleet=fleet, many=many)
        self.records.definitions += case_modules()
        self.records.put(*case_records())
        self.cases = FakeCases(self)

    def go(self, state: ConnectionState, *, detail: str | None = None, retry_at: int | None = None) -> None:
        super().go(state, detail=detail, retry_at=retry_at)
        if state is ConnectionState.LIVE:
            self.cases.settle()


class FakeCases:
    """CasesService in memory."""

    def __init__(self, session: CasesScene) -> None:
        self._session = session
        self.held: dict[str, Case] = {one.id: one for one in sample_cases()}
        self.items: dict[str, WorkItem] = {one.id: one for one in sample_items()}
        self.history: dict[str, CaseEvent] = {one.id: one for one in sample_events()}
        self.stood_in = 2
        self.versions: dict[str, Process] = {one.id: one for one in sample_processes()}
        self.waiting: dict[str, CaseEvent] = {}
        self.sent_back: dict[str, CaseEvent] = {"x-d5": sample_refused()}
        self.absences: dict[str, Delegation] = {
            "g1": Delegation("g1", "wangjianguo", "linyuan", NOW - DAY, NOW + 2 * DAY, (), "出差", "active")
        }
        self.kept = {"d1"}
        self.forms: dict[str, dict[str, Any]] = {"p-seal-3": SEAL_STEP_LIST, "p-seal-4": SEAL_STEP_LIST}
        self.overlays: dict[str, Overlay] = {}
        self.unsound: tuple[Unsound, ...] = ()
        self.own_phrases: list[str] | None = None
        self.refuse: dict[str, Refusal] = {}
        self.problems: tuple[ProcessNote, ...] = ()
        self.trace: TryOut | None = None
        self._serial = 0

    # ---- for the tests
    def put(self, *values: Case | WorkItem | CaseEvent | Process) -> None:
        """Writes as the sync does, and tells."""
        for value in values:
            spaces: dict[str, dict[str, Any]] = {
                "Case": self.held,
                "WorkItem": self.items,
                "CaseEvent": self.history,
                "Process": self.versions,
            }
            spaces[type(value).__name__][value.id] = value
            self._tell(type(value).__name__, value.id)

    def by_others(self, item_id: str, person_id: str, action: str = "approve", opinion: str = "") -> None:
        """Somebody else acts on an item: it is his and done, and its case goes on."""
        item = self.items[item_id]
        self._apply(self._made(item.record_id, item.record_type, item, StepAction(action), opinion, person_id), item)

    def settle(self) -> None:
        """The outbox went out."""
        waiting, self.waiting = self.waiting, {}
        for event in waiting.values():
            self._send(event)

    def case(self, record_id: str) -> Case | None:
        """The case of a record."""
        return next((one for one in self.held.values() if one.record_id == record_id), None)

    async def _begin(self, name: str, *arguments: object) -> None:
        self._session.calls.append((f"cases.{name}", *arguments))
        failure = self._session.failures.pop(f"cases.{name}", None)
        await asyncio.sleep(0)
        if failure is not None:
            raise failure

    def _tell(self, name: str, *ids: str) -> None:
        self._session.events.publish(ChangeSet(name, tuple(ids)))

    @property
    def _me(self) -> str:
        return self._session.me.id

    @property
    def _live(self) -> bool:
        return self._session.status.state is ConnectionState.LIVE

    # ---- lists
    async def work(self, query: WorkQuery) -> WorkPage:
        await self._begin("work", query)
        found = [row for row in self._rows(query.tab) if self._is_wanted(row, query)]
        end = len(found) if query.limit is None else query.offset + query.limit
        return WorkPage(tuple(found[query.offset : end]), len(found))

    def _rows(self, tab: WorkTab) -> list[WorkRow]:
        mine = [item for item in self.items.values() if item.is_of(self._me)]
        if tab in (WorkTab.TODO, WorkTab.TO_READ):
            kind = WorkKind.HANDLE if tab is WorkTab.TODO else WorkKind.READ
            rows = [self._row(self.held.get(i.case_id), i) for i in mine if i.open and i.kind is kind]
            return sorted(
                rows, key=lambda r: (r.item.due_at is None, r.item.due_at or 0, -r.item.created_at) if r.item else ()
            )
        if tab is WorkTab.DONE:
            rows = [self._row(self.held.get(i.case_id), i) for i in mine if i.state == "done"]
            return sorted(rows, key=lambda r: -((r.item.done_at if r.item else 0) or 0))
        cases = [c for c in self.held.values() if tab is WorkTab.ALL or c.started_by_id == self._me]
        return sorted(
            (self._row(c, self._open_item(c.record_id)) for c in cases),
            key=lambda r: -(r.case.started_at if r.case else 0),
        )

    def _row(self, case: Case | None, item: WorkItem | None) -> WorkRow:
        now = self._session.clock.now_ms()
        pending = item is not None and any(event.work_item_id == item.id for event in self.waiting.values())
        about = item or case
        record_type, record_id = (about.record_type, about.record_id) if about else ("", "")
        return WorkRow(
            item.id if item else case.id if case else "",
            about.title if about else "",
            None if item is None else with_pending(item, pending),
            case,
            self._session.records.held.get(record_type, {}).get(record_id),
            item.light(now) if item is not None and item.open else Light.GREEN,
            record_id in self.kept,
            pending,
        )

    def _is_wanted(self, row: WorkRow, query: WorkQuery) -> bool:
        about = row.item or row.case
        if about is None or (query.modules and about.module not in query.modules):
            return False
        if query.types and about.record_type not in query.types:
            return False
        texts = [row.title.casefold(), *((row.item.step_name.casefold(),) if row.item else ())]
        texts += record_texts(wire(row.record)) if row.record is not None else []
        return all(any(word in text for text in texts) for word in words_of(query.text))

    async def counts(self) -> WorkCounts:
        await self._begin("counts")
        found: dict[WorkTab, dict[str, int]] = {WorkTab.TODO: {}, WorkTab.TO_READ: {}}
        red = 0
        for tab, modules in found.items():
            for row in self._rows(tab):
                if row.item is not None and not row.pending:
                    modules[row.item.module] = modules.get(row.item.module, 0) + 1
                    red += tab is WorkTab.TODO and row.light is Light.RED
        todo, to_read = found[WorkTab.TODO], found[WorkTab.TO_READ]
        return WorkCounts(sum(todo.values()), sum(to_read.values()), red, todo, to_read)

    # ---- one record's case
    async def flow(self, record_type: str, record_id: str) -> Flow:
        await self._begin("flow", record_type, record_id)
        case, item = self.case(record_id), self._open_item(record_id)
        waiting = [event for event in self.waiting.values() if event.record_id == record_id]
        pending = any(event.action in ENDING for event in waiting)
        record = self._session.records.held.get(record_type, {}).get(record_id)
        return Flow(
            record_type,
            record_id,
            case,
            None if item is None else with_pending(item, pending),
            tuple(one for one in self.items.values() if one.record_id == record_id),
            tuple(in_order([e for e in self.history.values() if e.record_id == record_id]) + waiting),
            None if case is None else self._version(case.process_id, case.process_version),
            tuple(event for event in self.sent_back.values() if event.record_id == record_id),
            () if pending or record is None else offered(case, item),
            pending,
        )

    def _open_item(self, record_id: str) -> WorkItem | None:
        mine = [one for one in self.items.values() if one.record_id == record_id and one.open and one.is_of(self._me)]
        return min(mine, key=lambda one: (one.kind is WorkKind.READ, one.created_at), default=None)

    async def case_of(self, record_type: str, record_id: str) -> Case | None:
        await self._begin("case_of", record_type, record_id)
        return self.case(record_id)

    async def item(self, item_id: str) -> WorkItem | None:
        await self._begin("item", item_id)
        return self.items.get(item_id)

    async def opened(self, item: WorkItem) -> None:
        await self._begin("opened", item.id)
        if item.read_at is None:
            self.put(msgspec.structs.replace(self.items[item.id], read_at=self._session.clock.now_ms()))

    async def events(self, case_id: str) -> list[CaseEvent]:
        await self._begin("events", case_id)
        waiting = [event for event in self.waiting.values() if event.case_id == case_id]
        return in_order([event for event in self.history.values() if event.case_id == case_id]) + waiting

    async def process(self, process_id: str, version: int) -> Process | None:
        await self._begin("process", process_id, version)
        return self._version(process_id, version)

    def _version(self, process_id: str, version: int) -> Process | None:
        found = (one for one in self.versions.values() if one.process_id == process_id and one.version == version)
        return next(found, None)

    def allowed(self, record: Record, item: WorkItem | None) -> list[StepAction]:
        if any(e.record_id == record.id and e.action in ENDING for e in self.waiting.values()):
            return []
        return list(item.actions) if item is not None and item.record_id == record.id else []

    # ---- acting
    async def act(
        self,
        record: Record,
        action: StepAction,
        item: WorkItem | None = None,
        *,
        opinion: str = "",
        attachments: Sequence[Path | Attachment] = (),
        signature: bytes | Attachment | None = None,
        values: Mapping[str, Any] | None = None,
        to: Sequence[str] = (),
        to_step: str | None = None,
        chosen: Mapping[str, Sequence[str]] | None = None,
        how_many: HowMany | None = None,
        instead_of: str | None = None,
    ) -> str:
        more: dict[str, Any] = {"opinion": opinion, "values": dict(values or {}), "to": tuple(to), "to_step": to_step}
        if how_many is not None:
            more["how_many"] = how_many
        await self._begin("act", record.id, action.name, item.id if item else None, more)
        event = self._made(record.id, record.type, item, action, opinion, self._me)
        event = msgspec.structs.replace(
            event,
            attachments=tuple(one if isinstance(one, Attachment) else _attached(one) for one in attachments),
            signature=_signature(signature),
            values=dict(values or {}),
            to=tuple(to),
            to_step_id=to_step,
            chosen={key: tuple(people) for key, people in (chosen or {}).items()},
        )
        if instead_of is not None:
            self.sent_back.pop(instead_of, None)
        if self._live:
            self._send(event)
        else:
            self.waiting[event.id] = msgspec.structs.replace(event, pending=True)
            self._tell("CaseEvent", event.id)
            self._tell("WorkItem", *([item.id] if item else []))
        return event.id

    async def submit(
        self,
        record: Record,
        *,
        opinion: str = "",
        attachments: Sequence[Path | Attachment] = (),
        values: Mapping[str, Any] | None = None,
        chosen: Mapping[str, Sequence[str]] | None = None,
        instead_of: str | None = None,
    ) -> str:
        item = self._open_item(record.id)
        return await self.act(
            record,
            StepAction("submit"),
            item,
            opinion=opinion,
            attachments=attachments,
            values=values,
            chosen=chosen,
            instead_of=instead_of,
        )

    async def may_submit(self, record: Record) -> bool:
        await self._begin("may_submit", record.id)
        definition = self._session.records.definition(record.type)
        mine = record.author_id == self._me and definition.process is not None
        return mine and self.case(record.id) is None and all(e.record_id != record.id for e in self.waiting.values())

    def _made(
        self, record_id: str, record_type: str, item: WorkItem | None, action: StepAction, opinion: str, person: str
    ) -> CaseEvent:
        self._serial += 1
        case = self.case(record_id)
        now = case.now[0] if case is not None and case.now else CurrentStep("apply", "申请")
        return CaseEvent(
            f"made-{self._serial}",
            case.id if case else "",
            record_type,
            record_id,
            item.id if item else None,
            action.name,
            action.outcome,
            item.step_id if item else now.step_id,
            item.step_name if item else now.name,
            person,
            item.on_behalf_of_id if item else None,
            opinion,
            at=self._session.clock.now_ms() + self._serial,
        )

    def _send(self, event: CaseEvent) -> None:
        """The server's side: an item that is done was overtaken; else the case moves one step."""
        item = self.items.get(event.work_item_id or "")
        refusal = self.refuse.pop(event.record_id, None)
        if refusal is None and item is not None and not item.open and event.action in ENDING:
            last = [e for e in self.history.values() if e.work_item_id == item.id]
            faster = last[-1] if last else None
            refusal = Refusal(
                "overtaken", faster.person_id if faster else None, faster.at if faster else None, "approve"
            )
        event = msgspec.structs.replace(event, pending=False)
        if refusal is not None:
            self.sent_back[event.id] = msgspec.structs.replace(event, refusal=refusal)
            self._tell("CaseEvent", event.id)
            self._session.events.publish(EditRefused("CaseEvent", event.id, refusal.code))
            return
        self._apply(event, item)

    def _apply(self, event: CaseEvent, item: WorkItem | None) -> None:
        case = self.case(event.record_id) or self._started(event)
        seq = 1 + sum(one.case_id == case.id for one in self.history.values())
        self.put(msgspec.structs.replace(event, case_id=case.id, seq=seq))
        if event.values:
            record = self._session.records.get(event.record_id)
            data = {**record.data, **event.values}
            self._session.records.put(msgspec.structs.replace(record, data=data), tell=True)
        if event.action not in ENDING:
            return
        if item is not None:
            done = msgspec.structs.replace(item, state="done", person_id=event.person_id, done_at=event.at, actions=())
            self.put(done)
        if event.action != "read":
            self._advance(case, event)

    def _started(self, event: CaseEvent) -> Case:
        definition = self._session.records.definition(event.record_type)
        process = next(p for p in self.versions.values() if p.process_id == definition.process)
        record = self._session.records.get(event.record_id)
        first = process.steps[0]
        case = Case(
            f"c-{event.record_id}",
            event.record_type,
            event.record_id,
            process.module,
            process.process_id,
            process.version,
            str(record.data.get("subject", "")),
            started_by_id=event.person_id,
            started_at=event.at,
            now=(CurrentStep(first.id, first.name, event.at, None, None, (event.person_id or "",)),),
        )
        self.held[case.id] = case
        return case

    def _advance(self, case: Case, event: CaseEvent) -> None:
        """One step on in the order of the process (back where it was returned); 张敏 has what comes next."""
        process = self._version(case.process_id, case.process_version)
        steps = process.steps if process is not None else ()
        ids = [step.id for step in steps]
        here = event.step_id if event.step_id in ids else ids[0]
        target = event.to_step_id if event.action == "return" else None
        place = ids.index(target) if target in ids else ids.index(here) + (0 if event.action == "transfer" else 1)
        if event.action in ("refuse", "terminate") or place >= len(ids):
            ended = CaseState.TERMINATED if event.action == "terminate" else CaseState.COMPLETED
            self.put(msgspec.structs.replace(case, state=ended, ended_at=event.at, now=(), next=(), done=tuple(ids)))
            return
        step, who = steps[place], (event.to or event.chosen.get(steps[place].id) or ("zhangmin",))[0]
        now = CurrentStep(step.id, step.name, event.at, event.at + DAY, None, (who,))
        self.put(msgspec.structs.replace(case, now=(now,), next=case.next[1:], done=tuple(ids[:place])))
        kind = WorkKind(step.kind)
        item = WorkItem(
            f"w-{event.id}",
            case.id,
            case.record_type,
            case.record_id,
            case.module,
            case.title,
            step.id,
            step.name,
            kind,
            person_id=who,
            created_at=event.at,
            due_at=event.at + DAY,
            actions=step.actions,
        )
        self.put(item)

    async def refused(self, record_id: str | None = None) -> list[CaseEvent]:
        await self._begin("refused", record_id)
        return [event for event in self.sent_back.values() if record_id in (None, event.record_id)]

    async def retry(self, event_id: str) -> None:
        await self._begin("retry", event_id)
        event = self.sent_back.pop(event_id)
        self._send(msgspec.structs.replace(event, refusal=None))

    async def drop(self, event_id: str) -> None:
        await self._begin("drop", event_id)
        self.sent_back.pop(event_id, None)
        self.waiting.pop(event_id, None)
        self._tell("CaseEvent", event_id)

    # ---- phrases
    async def phrases(self, defaults: Sequence[str] = ()) -> list[str]:
        await self._begin("phrases")
        return list(defaults) if self.own_phrases is None else list(self.own_phrases)

    async def set_phrases(self, phrases: Sequence[str]) -> None:
        await self._begin("set_phrases", tuple(phrases))
        self.own_phrases = list(phrases)

    # ---- absence
    async def delegations(self) -> list[Delegation]:
        await self._begin("delegations")
        return sorted(self.absences.values(), key=lambda one: -one.from_at)

    async def delegate(
        self,
        delegate_id: str,
        from_at: int,
        to_at: int,
        *,
        modules: Sequence[str] = (),
        reason: str = "",
        person_id: str | None = None,
    ) -> str:
        await self._begin("delegate", delegate_id, from_at, to_at)
        self._word()
        self._serial += 1
        made = Delegation(
            f"g-{self._serial}", person_id or self._me, delegate_id, from_at, to_at, tuple(modules), reason
        )
        self.absences[made.id] = made
        self._tell("Delegation", made.id)
        return made.id

    async def change_delegation(
        self, delegation_id: str, from_at: int, to_at: int, *, modules: Sequence[str] = (), reason: str = ""
    ) -> None:
        await self._begin("change_delegation", delegation_id, from_at, to_at)
        self._word()
        old = self.absences[delegation_id]
        changed = {"from_at": from_at, "to_at": to_at, "modules": tuple(modules), "reason": reason}
        self.absences[old.id] = msgspec.structs.replace(old, **changed)
        self._tell("Delegation", old.id)

    async def end_delegation(self, delegation_id: str) -> None:
        await self._begin("end_delegation", delegation_id)
        self._word()
        old = self.absences[delegation_id]
        self.absences[old.id] = msgspec.structs.replace(old, state="revoked")
        self._tell("Delegation", old.id)

    async def hand_over(self, person_id: str, to_id: str, modules: Sequence[str] = ()) -> int:
        await self._begin("hand_over", person_id, to_id, tuple(modules))
        self._word()
        moved = [one for one in self.items.values() if one.open and one.person_id == person_id]
        self.put(*(msgspec.structs.replace(one, person_id=to_id) for one in moved))
        return len(moved)

    def _word(self) -> None:
        if not self._live:
            raise Offline(reason="offline")

    # ---- processes
    async def take_back(self) -> int:
        await self._begin("take_back")
        self._word()
        return self.stood_in

    async def processes(self) -> list[Process]:
        await self._begin("processes")
        return sorted(self.versions.values(), key=lambda one: (one.module, one.process_id, -one.version))

    async def export_bpmn(self, version_id: str) -> bytes:
        await self._begin("export_bpmn", version_id)
        self._word()
        process = self.versions[version_id]
        return f'<definitions><process id="{process.process_id}" name="{process.name}"/></definitions>'.encode()

    async def process_form(self, version_id: str) -> ProcessForm:
        await self._begin("process_form", version_id)
        self._word()
        form, reason = self.forms.get(version_id), Label("有会签边界事件", "It has a boundary event")
        return ProcessForm(self.versions[version_id], b"<definitions/>", form, None if form else reason)

    async def save_draft(
        self, content: bytes | Mapping[str, Any], *, draft_id: str | None = None, record_type: str = ""
    ) -> Draft:
        await self._begin("save_draft", content, draft_id, record_type)
        self._word()
        if self.problems:
            return Draft(None, problems=self.problems)
        self._serial += 1
        known = self.versions.get(draft_id or "") or next(iter(self.versions.values()))
        key = draft_id or f"p-draft-{self._serial}"
        if not isinstance(content, bytes):
            self.forms[key] = dict(content)
        self.put(msgspec.structs.replace(known, id=key, state=ProcessState.DRAFT))
        return Draft(key, known.notes)

    async def publish(self, version_id: str) -> tuple[ProcessNote, ...]:
        await self._begin("publish", version_id)
        self._word()
        if self.problems:
            return self.problems
        draft = self.versions[version_id]
        for one in list(self.versions.values()):
            if one.process_id == draft.process_id and one.state is ProcessState.PUBLISHED:
                self.put(msgspec.structs.replace(one, state=ProcessState.RETIRED))
        now = self._session.clock.now_ms()
        self.put(
            msgspec.structs.replace(draft, state=ProcessState.PUBLISHED, published_at=now, published_by_id=self._me)
        )

        return ()

    async def retire(self, version_id: str) -> None:
        await self._begin("retire", version_id)
        self._word()
        self.put(msgspec.structs.replace(self.versions[version_id], state=ProcessState.RETIRED))

    async def drop_draft(self, version_id: str) -> None:
        await self._begin("drop_draft", version_id)
        self._word()
        if self.versions[version_id].state is not ProcessState.DRAFT:
            raise Rejected(type="forbidden", description="published")
        del self.versions[version_id]
        self._session.events.publish(ChangeSet("Process", (), (version_id,)))

    async def try_out(
        self,
        content: str | bytes | Mapping[str, Any],
        record_type: str,
        data: Mapping[str, Any],
        person_id: str,
        script: Sequence[str] = (),
    ) -> TryOut:
        await self._begin("try_out", content, record_type, dict(data), person_id, tuple(script))
        self._word()
        if self.trace is not None:
            return self.trace
        steps = self.versions[content].steps if isinstance(content, str) else next(iter(self.versions.values())).steps
        outcomes = [*script, *("approved" for _ in steps)]
        who = {"apply": (person_id,)}
        found = [
            TraceStep(step.id, step.name, person_ids=who.get(step.id, ("zhangmin",)), outcome=outcome, state=step.state)
            for step, outcome in zip(steps, outcomes, strict=False)
        ]
        return TryOut(tuple(found), ended=True, end_state="passed")

    async def move_case(self, case_id: str, version: int, map: Mapping[str, str]) -> None:
        await self._begin("move_case", case_id, version, dict(map))
        self._word()
        self.put(msgspec.structs.replace(self.held[case_id], process_version=version))

    # ---- overlays
    async def overlay(self, module_id: str) -> Overlay | None:
        await self._begin("overlay", module_id)
        self._word()
        return self.overlays.get(module_id)

    async def save_overlay(self, module_id: str, draft: Mapping[str, Any] | None) -> None:
        await self._begin("save_overlay", module_id, draft)
        self._word()
        held = self.overlays.get(module_id, Overlay(f"overlay_{module_id}", module_id))
        self.overlays[module_id] = msgspec.structs.replace(held, draft=None if draft is None else dict(draft))

    async def plan_overlay(self, module_id: str) -> OverlayPlan:
        await self._begin("plan_overlay", module_id)
        self._word()
        return OverlayPlan(() if self.unsound else ("新增 1 个字段",), self.unsound)

    async def publish_overlay(self, module_id: str) -> OverlayPlan:
        await self._begin("publish_overlay", module_id)
        self._word()
        held = self.overlays[module_id]
        self.overlays[module_id] = msgspec.structs.replace(held, changes=held.draft, draft=None)
        return OverlayPlan(("新增 1 个字段",))


def _attached(path: Path) -> Attachment:
    return Attachment("b-" + hashlib.sha256(str(path).encode()).hexdigest()[:12], path.name, size=1024)


def _signature(signature: bytes | Attachment | None) -> str | None:
    if isinstance(signature, Attachment):
        return signature.blob_id
    return None if signature is None else hashlib.sha256(signature).hexdigest()
