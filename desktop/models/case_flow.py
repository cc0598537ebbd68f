"""The flow of a case as rows: what was done, who has it, what comes next. From what the core tells; no words, no widgets.

People who acted at one step together are one row with members; reading rounds count who has read. A step that was left and entered again has a row each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from desktop.core.domain import Attachment
from desktop.core.domain.cases import (
    Case,
    CaseEvent,
    CaseState,
    CurrentStep,
    Flow,
    WorkItem,
    WorkKind,
    light_at,
    words_of,
)
from desktop.core.domain.definition import Label
from desktop.core.domain.records import Light

STEP_DONE: Final = frozenset({"submit", "approve", "refuse", "read"})
"""Acts that are the step itself; others happen on the way."""
SILENT: Final = frozenset({"start", "advance"})
"""What the rows before and after say already."""
LEAVES: Final = frozenset({"return", "withdraw", "move"})
"""After these a step that is entered again is another visit."""


NAMELESS: Final = Label("", "")


class Look(StrEnum):
    """How a row stands there."""

    DONE = "done"
    NOTE = "note"
    """Something on the way: urged, transferred, delegated."""
    CURRENT = "current"
    READING = "reading"
    NEXT = "next"
    PENDING = "pending"
    REFUSED = "refused"
    END = "end"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Member:
    """One of several at a step."""

    person_id: str
    done: bool = False
    at: int | None = None
    action: str = ""
    outcome: str | None = None
    opinion: str = ""
    on_behalf_of_id: str | None = None
    signature: str | None = None
    added_by_id: str | None = None
    pending: bool = False


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One row. `at`: when it was done, or since when it waits. `key` stays the same while the row is about the same thing.

    `persons`: who did it, who has it, or who would get it. `on_behalf`: person → for whom. `to`: people named by it. `told`: `done` of `count`.
    """

    key: str
    look: Look
    step_id: str = ""
    step: Label = NAMELESS
    action: str = ""
    outcome: str | None = None
    persons: tuple[str, ...] = ()
    on_behalf: Mapping[str, str] = field(default_factory=dict)
    at: int | None = None
    due_at: int | None = None
    amber_at: int | None = None
    urged_at: int | None = None
    opinion: str = ""
    attachments: tuple[Attachment, ...] = ()
    signature: str | None = None
    to: tuple[str, ...] = ()
    to_step: Label = NAMELESS
    members: tuple[Member, ...] = ()
    mine: bool = False
    event: CaseEvent | None = None

    @property
    def count(self) -> int:
        """How many of several."""
        return len(self.members)

    @property
    def told(self) -> int:
        """How many of them are done."""
        return sum(one.done for one in self.members)

    @property
    def waiting(self) -> tuple[Member, ...]:
        """Who of them is not done."""
        return tuple(one for one in self.members if not one.done)

    def light(self, now_ms: int) -> Light:
        """Green, amber or red, of a row that waits."""
        return light_at(now_ms, self.amber_at, self.due_at)


def rows_of(flow: Flow, me_id: str) -> list[FlowRow]:
    """The rows of a flow from the first to the last."""
    return _Rows(flow, me_id).made()


class _Rows:
    """Makes the rows of one flow."""

    def __init__(self, flow: Flow, me_id: str) -> None:
        self._flow, self._me = flow, me_id
        self._rows: list[FlowRow] = []
        self._open: dict[str, int] = {}  # step → the row of this visit
        self._items = {item.id: item for item in flow.items}
        self._reading = self._reading_steps()

    def made(self) -> list[FlowRow]:
        flow, case = self._flow, self._flow.case
        for event in flow.events:
            self._add_event(event)
        running = case is not None and not case.ended
        if case is not None and running:
            for step in case.now:
                self._add_current(case, step)
        self._add_readings(case)
        if case is not None and case.ended and not any(row.action in ("end", "terminate") for row in self._rows):
            self._rows.append(_ended(case))
        for event in flow.refused:
            self._rows.append(replace(_row_of(event, Look.REFUSED), key=f"refused:{event.id}"))
        if case is not None and running:
            self._rows += [
                FlowRow(f"next:{one.step_id}", Look.NEXT, one.step_id, one.words, persons=one.person_ids)
                for one in case.next
            ]
        return self._rows

    # ---- what was done
    def _add_event(self, event: CaseEvent) -> None:
        if event.action in SILENT:
            return
        if event.action in LEAVES:
            self._open.clear()
        item = self._items.get(event.work_item_id or "")
        reading = event.action == "read" or (item is not None and item.kind is WorkKind.READ)
        if reading and event.action in STEP_DONE:
            return  # its round counts it
        if event.action in STEP_DONE and event.step_id:
            self._add_to_step(event)
            return
        look = Look.PENDING if event.pending else _look_of(event.action)
        self._rows.append(_row_of(event, look, self._step_name(event.to_step_id)))

    def _add_to_step(self, event: CaseEvent) -> None:
        """The act of one at a step; the second one of the same visit makes members of both."""
        at = self._open.get(event.step_id)
        if at is None or not self._joins(self._rows[at], event):
            self._open[event.step_id] = len(self._rows)
            self._rows.append(_row_of(event, Look.PENDING if event.pending else Look.DONE))
            return
        row = self._rows[at]
        members = row.members or ((_member_of(row.event),) if row.event is not None else ())
        self._rows[at] = replace(
            row,
            members=(*members, _member_of(event)),
            persons=(*row.persons, *((event.person_id,) if event.person_id else ())),
            on_behalf={**row.on_behalf, **_behalf(event)},
            opinion="",
            signature=None,
            attachments=(*row.attachments, *event.attachments),
            at=event.at or row.at,
            look=Look.PENDING if event.pending or row.look is Look.PENDING else Look.DONE,
        )

    def _joins(self, row: FlowRow, event: CaseEvent) -> bool:
        """Whether an act belongs to the visit of a row: the step is one of several people, and this one has not acted in it yet."""
        process = self._flow.process
        step = process.step(event.step_id) if process is not None else None
        return (step is None or step.count != "one") and event.person_id not in row.persons

    def _step_name(self, step_id: str | None) -> Label:
        if not step_id:
            return NAMELESS
        process = self._flow.process
        step = process.step(step_id) if process is not None else None
        if step is not None and step.name:
            return words_of(step.name, step.label)
        named = (e.step_words for e in reversed(self._flow.events) if e.step_id == step_id and e.step_name)
        return next(named, Label(step_id, step_id))

    # ---- who has it
    def _add_current(self, case: Case, step: CurrentStep) -> None:
        if self._reads(step.step_id):
            return
        items = [i for i in self._flow.items if i.step_id == step.step_id and i.open and i.kind is WorkKind.HANDLE]
        done = self._take_done(step)
        members: tuple[Member, ...] = ()
        acted = {one.person_id for one in done}
        waiting = [_waiting_member(i, person) for i in items for person in _people_of(i) if person not in acted]
        if done or len(items) > 1:
            known = {one.person_id for one in waiting} | acted
            waiting += [Member(one) for one in step.person_ids if one not in known]
            members = (*done, *waiting)
        persons = step.person_ids or tuple(dict.fromkeys(p for i in items for p in _people_of(i)))
        self._rows.append(
            FlowRow(
                f"now:{step.step_id}",
                Look.CURRENT if case.state is CaseState.RUNNING else Look.STOPPED,
                step.step_id,
                step.words if step.name else self._step_name(step.step_id),
                persons=persons,
                on_behalf=step.on_behalf,
                at=step.since or None,
                due_at=step.due_at,
                amber_at=step.amber_at,
                urged_at=max((i.urged_at for i in items if i.urged_at), default=None),
                members=members,
                mine=self._me in persons,
            )
        )

    def _take_done(self, step: CurrentStep) -> tuple[Member, ...]:
        """Those of a step of several who are done already: their row becomes part of the one that waits."""
        at = self._open.get(step.step_id)
        if at is None:
            return ()
        row = self._rows[at]
        first = row.event.at if row.event is not None else 0
        if first and step.since and first < step.since:
            return ()  # an earlier visit
        if row.look is Look.PENDING and not row.members:
            return ()  # the only one, on its way: it stays a row of its own
        del self._rows[at]
        self._open = {key: place - (place > at) for key, place in self._open.items() if key != step.step_id}
        return row.members or ((_member_of(row.event),) if row.event is not None else ())

    # ---- who reads
    def _reads(self, step_id: str) -> bool:
        return step_id in self._reading

    def _reading_steps(self) -> dict[str, None]:
        """Steps where people read, in the order they came up."""
        flow, process = self._flow, self._flow.process
        found = {item.step_id: None for item in flow.items if item.kind is WorkKind.READ and item.state != "withdrawn"}
        found |= {event.step_id: None for event in flow.events if event.action == "read"}
        for step in flow.case.now if flow.case is not None else ():
            known = process.step(step.step_id) if process is not None else None
            if known is not None and known.kind == WorkKind.READ:
                found[step.step_id] = None
        handled = {item.step_id for item in flow.items if item.kind is WorkKind.HANDLE and item.open}
        return {key: None for key in found if key not in handled}

    def _add_readings(self, case: Case | None) -> None:
        now = {step.step_id: step for step in case.now} if case is not None else {}
        for step_id in self._reading:
            step = now.get(step_id)
            members = self._readers(step_id, step)
            if not members:
                continue
            own = [i for i in self._flow.items if i.step_id == step_id and i.kind is WorkKind.READ]
            began = [i.created_at for i in own if i.created_at] or ([step.since] if step is not None else [])
            self._add_reading(
                FlowRow(
                    f"read:{step_id}",
                    Look.READING if any(not one.done for one in members) else Look.DONE,
                    step_id,
                    next((i.step_words for i in own if i.step_name), None) or self._step_name(step_id),
                    action="circulate",
                    at=min(began, default=None) or None,
                    due_at=step.due_at if step is not None else None,
                    amber_at=step.amber_at if step is not None else None,
                    members=members,
                    mine=any(one.person_id == self._me and not one.done for one in members),
                )
            )

    def _add_reading(self, row: FlowRow) -> None:
        """Where it began when all have read, or the case is over; else after who has it now."""
        case = self._flow.case
        past = row.look is Look.DONE or (case is not None and case.ended)
        began = row.at or 0
        places = (at for at, one in enumerate(self._rows) if past and began and one.at and one.at > began)
        self._rows.insert(next(places, len(self._rows)), row)

    def _readers(self, step_id: str, step: CurrentStep | None) -> tuple[Member, ...]:
        """Everybody of a round: those who read, in their order, then those who have not."""
        found: dict[str, Member] = {}
        for event in self._flow.events:
            if event.step_id == step_id and event.action == "read" and event.person_id:
                found[event.person_id] = _member_of(event)
        for item in sorted(self._flow.items, key=lambda one: one.created_at):
            if item.step_id != step_id or item.kind is not WorkKind.READ or item.state == "withdrawn":
                continue
            person = item.person_id or next(iter(item.candidate_ids), "")
            if person not in found:
                done = item.state == "done"
                at = item.done_at or item.read_at
                found[person] = Member(person, done, at, "read" if done else "", added_by_id=item.added_by_id)
        for person in step.person_ids if step is not None else ():
            found.setdefault(person, Member(person))
        return tuple(sorted(found.values(), key=lambda one: not one.done))


def _look_of(action: str) -> Look:
    return {"end": Look.END, "terminate": Look.STOPPED}.get(action, Look.NOTE)


def _behalf(event: CaseEvent) -> dict[str, str]:
    return {event.person_id: event.on_behalf_of_id} if event.person_id and event.on_behalf_of_id else {}


def _row_of(event: CaseEvent, look: Look, to_step: Label = NAMELESS) -> FlowRow:
    return FlowRow(
        f"event:{event.id}",
        look,
        event.step_id,
        event.step_words,
        event.action,
        event.outcome,
        persons=(event.person_id,) if event.person_id else (),
        on_behalf=_behalf(event),
        at=event.at or None,
        opinion=event.opinion,
        attachments=event.attachments,
        signature=event.signature,
        to=event.to,
        to_step=to_step,
        event=event,
    )


def _member_of(event: CaseEvent) -> Member:
    return Member(
        event.person_id or "",
        not event.pending,
        event.at or None,
        event.action,
        event.outcome,
        event.opinion,
        event.on_behalf_of_id,
        event.signature,
        pending=event.pending,
    )


def _people_of(item: WorkItem) -> Sequence[str]:
    return (item.person_id,) if item.person_id else item.candidate_ids


def _waiting_member(item: WorkItem, person_id: str) -> Member:
    return Member(
        person_id,
        on_behalf_of_id=item.on_behalf_of_id,
        added_by_id=item.added_by_id,
        at=item.created_at or None,
        pending=item.pending,
    )


def _ended(case: Case) -> FlowRow:
    stopped = case.state is CaseState.TERMINATED
    return FlowRow(
        "end",
        Look.STOPPED if stopped else Look.END,
        action="terminate" if stopped else "end",
        outcome=case.end_state,
        at=case.ended_at,
    )


def done_steps(rows: Iterable[FlowRow]) -> frozenset[str]:
    """Steps that a row tells as done: for a diagram whose case does not tell them."""
    return frozenset(row.step_id for row in rows if row.look is Look.DONE and row.step_id)
