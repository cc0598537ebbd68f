"""Cases under way (办理中的一件): what waits for whom, who did what, where a record is. Times in ms since 1970, None where unset.

Read tolerantly: unknown keys are ignored, unknown actions and states are shown as they are written.
"""

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from desktop.core.domain.chat_parts import Attachment
from desktop.core.domain.definition import Label
from desktop.core.domain.processes import Process, StepAction
from desktop.core.domain.records import Light, Record


class _Wire(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A value of the wire: unknown keys are ignored, defaults are not written."""


class CaseState(StrEnum):
    """Where a case stands as a whole."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    TERMINATED = "terminated"

    @classmethod
    def _missing_(cls, value: object) -> "CaseState":
        del value
        return cls.RUNNING


class WorkKind(StrEnum):
    """handle: something to be decided or done (待办); read: something to be read (待阅)."""

    HANDLE = "handle"
    READ = "read"

    @classmethod
    def _missing_(cls, value: object) -> "WorkKind":
        del value
        return cls.HANDLE


class CurrentStep(_Wire, frozen=True):
    """A step the case is at: who has it since when. `on_behalf`: person who has it → person it is for (a delegation)."""

    step_id: str
    name: str = ""
    since: int = 0
    due_at: int | None = None
    amber_at: int | None = None
    person_ids: tuple[str, ...] = ()
    on_behalf: dict[str, str] = {}
    label: Label | None = None

    @property
    def words(self) -> Label:
        """The step's name in both languages."""
        return words_of(self.name, self.label)


class NextStep(_Wire, frozen=True):
    """A step that most likely comes next, and who would have it where that is known."""

    step_id: str
    name: str = ""
    person_ids: tuple[str, ...] = ()
    label: Label | None = None

    @property
    def words(self) -> Label:
        """The step's name in both languages."""
        return words_of(self.name, self.label)


class Case(_Wire, frozen=True):
    """One record on its way through its process.

    Attributes:
        department_id: the starter's at the start. now: where it is. next: what most likely follows, in order. done: ids of steps passed.
        way: the same with services, gateways and events. durations: minutes of working time spent, by step id. end_state: of the end that was reached.
        actions: what this user may do with the case as a whole, beside his item (withdraw, urge, suspend…), as the server gives it.
    """

    id: str
    record_type: str = ""
    record_id: str = ""
    module: str = ""
    process_id: str = ""
    process_version: int = 0
    title: str = ""
    state: CaseState = CaseState.RUNNING
    started_by_id: str | None = None
    started_at: int = 0
    department_id: str | None = None
    ended_at: int | None = None
    end_state: str | None = None
    now: tuple[CurrentStep, ...] = ()
    next: tuple[NextStep, ...] = ()
    done: tuple[str, ...] = ()
    way: tuple[str, ...] = ()
    durations: dict[str, float] = {}
    actions: tuple[StepAction, ...] = ()
    created_at: int = 0
    updated_at: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing comes any more."""
        return self.state in (CaseState.COMPLETED, CaseState.TERMINATED)


class ReturnStep(_Wire, frozen=True):
    """An earlier step a case may be returned to, and who handled it."""

    step_id: str
    name: str = ""
    person_id: str | None = None
    label: Label | None = None

    @property
    def words(self) -> Label:
        """The step's name in both languages."""
        return words_of(self.name, self.label)


class ChosenStep(_Wire, frozen=True):
    """A later step whose people the handler picks now."""

    step_id: str
    name: str = ""
    label: Label | None = None

    @property
    def words(self) -> Label:
        """The step's name in both languages."""
        return words_of(self.name, self.label)


class WorkItem(_Wire, frozen=True):
    """What waits for one person at a step, or for whoever of `candidate_ids` acts first.

    Attributes:
        part: "step", or "before", "after" (an added signer's) or "read" (shown to somebody).
        state: "open", "done" or "withdrawn". person_id: whose it is; None while it is shared. on_behalf_of_id: for whom (a delegation).
        added_by_id: who added this signer or reader. amber_at, due_at: from when it is amber and red.
        actions: the buttons, exactly as the server gives them. opinion: "none", "optional", "required" or "onReturn". signature: "never", "always" or
            "onApprove". editable: fields that may be changed here ("*": all the author may change). required: fields that must be filled to go on.
        pending: an act of this device on it is on its way.
    """

    id: str
    case_id: str = ""
    record_type: str = ""
    record_id: str = ""
    module: str = ""
    title: str = ""
    step_id: str = ""
    step_name: str = ""
    kind: WorkKind = WorkKind.HANDLE
    part: str = "step"
    state: str = "open"
    person_id: str | None = None
    candidate_ids: tuple[str, ...] = ()
    on_behalf_of_id: str | None = None
    added_by_id: str | None = None
    created_at: int = 0
    updated_at: int = 0
    read_at: int | None = None
    amber_at: int | None = None
    due_at: int | None = None
    done_at: int | None = None
    actions: tuple[StepAction, ...] = ()
    opinion: str = "optional"
    signature: str = "never"
    attachments: bool = True
    editable: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    return_to: tuple[ReturnStep, ...] = ()
    chooses: tuple[ChosenStep, ...] = ()
    urged_at: int | None = None
    pending: bool = False
    step_label: Label | None = None

    @property
    def step_words(self) -> Label:
        """The step's name in both languages."""
        return words_of(self.step_name, self.step_label)

    @property
    def open(self) -> bool:
        """Whether somebody still has to act."""
        return self.state == "open"

    def is_of(self, person_id: str) -> bool:
        """Whether it is, or still may become, this person's."""
        return self.person_id == person_id or (self.person_id is None and person_id in self.candidate_ids)

    def light(self, now_ms: int) -> Light:
        """Green, amber when it is nearly due, red when it is over."""
        return light_at(now_ms, self.amber_at, self.due_at)


class Refusal(Struct, frozen=True):
    """Why the server would not have an act.

    Attributes:
        code: "overtaken", "forbidden", "invalidProperties", or another error of /set.
        by, at, action: of "overtaken": who was faster (None: the process itself), when, and what was done.
        properties: of "invalidProperties": "opinion", "signature", fields of the record…; reasons: what is wrong with each, where told.
        step_names: where the case is now, when the server told.
    """

    code: str
    by: str | None = None
    at: int | None = None
    action: str | None = None
    properties: tuple[str, ...] = ()
    reasons: dict[str, str] = {}
    description: str = ""
    step_names: tuple[Label, ...] = ()


class CaseEvent(_Wire, frozen=True):
    """One entry of a case's history: who did what, when, in whose place, with which words. The history only grows.

    Attributes:
        action: an ActionName, or one of the server's own: start, advance, skip, timeout, escalate, delegate, handOver, end, move.
        signature: blob of a PNG. values: fields changed with it. to: people named by it. to_step_id: where it was returned to.
        chosen: people picked for later steps, by step id. seq: its place in the case; 0: not told yet.
        pending: on its way to the server. refusal: the server would not have it; all that was typed is still in here.
    """

    id: str
    case_id: str = ""
    record_type: str = ""
    record_id: str = ""
    work_item_id: str | None = None
    action: str = ""
    outcome: str | None = None
    step_id: str = ""
    step_name: str = ""
    person_id: str | None = None
    on_behalf_of_id: str | None = None
    opinion: str = ""
    attachments: tuple[Attachment, ...] = ()
    signature: str | None = None
    values: dict[str, Any] = {}
    to: tuple[str, ...] = ()
    to_step_id: str | None = None
    chosen: dict[str, tuple[str, ...]] = {}
    at: int = 0
    seq: int = 0
    pending: bool = False
    refusal: Refusal | None = None
    step_label: Label | None = None

    @property
    def step_words(self) -> Label:
        """The step's name in both languages."""
        return words_of(self.step_name, self.step_label)


class HowMany(Struct, frozen=True):
    """Of people asked in addition (countersign, added signers): how many must answer ("one", "all" or a number), "parallel" or "sequential"."""

    count: str | int = "all"
    order: str = "parallel"


class WorkTab(StrEnum):
    """The lists of a desk: waits to be handled, waits to be read, done by me, started by me, all cases I may see."""

    TODO = "todo"
    TO_READ = "toRead"
    DONE = "done"
    STARTED = "started"
    ALL = "all"


class WorkQuery(Struct, frozen=True):
    """Which rows of a desk. Empty `modules` and `types`: all. `text`: words in the title, in the record (number, unit…) or in the step's name.

    limit: how many at most; None: all.
    """

    tab: WorkTab = WorkTab.TODO
    modules: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    text: str = ""
    offset: int = 0
    limit: int | None = 200


class WorkRow(Struct, frozen=True):
    """One row of a desk: a case, with this user's item in it where there is one.

    Attributes:
        key: stays the same while the row is about the same thing: the item's id, else the case's.
        record: None while it is not here. kept: it has files, and all of them are on this device. pending: an act on it is on its way.
    """

    key: str
    title: str
    item: WorkItem | None = None
    case: Case | None = None
    record: Record | None = None
    light: Light = Light.GREEN
    kept: bool = False
    pending: bool = False


class WorkPage(Struct, frozen=True):
    """A part of the rows that match; `total` counts all of them."""

    rows: tuple[WorkRow, ...]
    total: int


class WorkCounts(Struct, frozen=True):
    """How much waits for this user, without what is being sent: in all, and by module. `red`: how many of `todo` are overdue."""

    todo: int = 0
    to_read: int = 0
    red: int = 0
    todo_by_module: dict[str, int] = {}
    to_read_by_module: dict[str, int] = {}


class Flow(Struct, frozen=True):
    """All a flow panel shows of one record.

    Attributes:
        case: None: nothing was started yet. item: this user's open item (what he has to do first, before what he has to read).
        items: all items of the case this user may see. events: the history in order; what is on its way stands last.
        process: the version the case runs on, None while it is not here. refused: acts of this device that the server would not have.
        actions: what this user may do now, exactly as the server gives it, those of his item before those of the case; empty while an act is on its way.
    """

    record_type: str
    record_id: str
    case: Case | None = None
    item: WorkItem | None = None
    items: tuple[WorkItem, ...] = ()
    events: tuple[CaseEvent, ...] = ()
    process: Process | None = None
    refused: tuple[CaseEvent, ...] = ()
    actions: tuple[StepAction, ...] = ()
    pending: bool = False


def words_of(name: str, label: Label | None) -> Label:
    """A name in both languages: its label, else the name as it is in both."""
    return label if label is not None else Label(name, name)


def light_at(now_ms: int, amber_at: int | None, due_at: int | None) -> Light:
    """The light of something that is due."""
    if due_at is not None and now_ms >= due_at:
        return Light.RED
    if amber_at is not None and now_ms >= amber_at:
        return Light.AMBER
    return Light.GREEN


def minutes_left(now_ms: int, due_at: int | None) -> int | None:
    """Minutes until it is due, negative when it is over; None: it is never due."""
    return None if due_at is None else (due_at - now_ms) // 60_000


def in_order(events: list[CaseEvent]) -> list[CaseEvent]:
    """The history as it happened; what the server has not numbered yet stands last."""
    return sorted(events, key=lambda event: (event.seq == 0, event.seq, event.at, event.id))


def is_shared(item: WorkItem) -> bool:
    """Whether several people may take it, and the first one wins."""
    return item.person_id is None and len(item.candidate_ids) > 1


def with_pending(item: WorkItem, pending: bool) -> WorkItem:
    """The item with its own acts on their way marked."""
    return item if item.pending == pending else msgspec.structs.replace(item, pending=pending)
