"""Processes as an administrator and the screens see them: versions, steps, diagrams, what a try-out tells (docs/protocol.md, Processes).

Read tolerantly: unknown keys are ignored, an unknown kind of shape is drawn as a task.
"""

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from desktop.core.domain.definition import Label
from desktop.core.errors import AppError


class _Wire(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A value of the wire: unknown keys are ignored, defaults are not written."""


class ActionName(StrEnum):
    """What a person does with a case. Server-made events have other names; both are plain text in `CaseEvent.action`."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REFUSE = "refuse"
    RETURN = "return"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"
    ADD_SIGNER_BEFORE = "addSignerBefore"
    ADD_SIGNER_AFTER = "addSignerAfter"
    COUNTERSIGN = "countersign"
    CIRCULATE = "circulate"
    READ = "read"
    URGE = "urge"
    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"


class StepAction(_Wire, frozen=True):
    """One thing a handler may do at a step: a button.

    Attributes:
        name: an ActionName, as text. outcome: what the process goes on with. label: words on the button instead of the action's own.
        opinion: "required", "optional" or "none"; None: as the step says.
    """

    name: str
    outcome: str | None = None
    label: Label | None = None
    opinion: str | None = None


class ProcessStep(_Wire, frozen=True):
    """A step of a process as its version has it.

    Attributes:
        kind: "handle" or "read". performers: who acts, as principals of the step list; performers_text: the same in words, where the server tells.
        count: "one", "all" or a number. order: "parallel" or "sequential". limit, urge_after, escalate_after: working time ("4h", "1d").
    """

    id: str
    name: str = ""
    kind: str = "handle"
    performers_text: str | Label = ""
    performers: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    count: str | int = "one"
    order: str = "parallel"
    actions: tuple[StepAction, ...] = ()
    opinion: str = "optional"
    signature: str = "never"
    attachments: bool = True
    editable: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    limit: str | None = None
    urge_after: str | None = None
    escalate_after: str | None = None
    on_overdue: str | None = None
    overdue_after: str | None = None
    skip_repeated: bool = False
    chooses: tuple[str, ...] = ()
    state: str | None = None
    label: Label | None = None


class DiagramShape(_Wire, frozen=True):
    """A node of the diagram. kind: the BPMN element ("userTask", "startEvent"…); pixels from the left top. label: the name in both languages, where known."""

    kind: str = "task"
    name: str = ""
    x: float = 0.0
    y: float = 0.0
    w: float = 100.0
    h: float = 80.0
    label: Label | None = None


class DiagramEdge(_Wire, frozen=True):
    """An arrow. kind: "flow", or "return" for an arrow back; points in pixels, at least two."""

    name: str = ""
    points: tuple[tuple[float, float], ...] = ()
    kind: str = "flow"
    label: Label | None = None


class Diagram(_Wire, frozen=True):
    """A process as it was drawn, or as the server laid it out."""

    width: float = 0.0
    height: float = 0.0
    shapes: dict[str, DiagramShape] = msgspec.field(default_factory=dict)
    edges: dict[str, DiagramEdge] = msgspec.field(default_factory=dict)

    def in_language(self, language: str) -> "Diagram":
        """The same with its names in `language`, where the file has them."""
        return msgspec.structs.replace(
            self,
            shapes={
                key: one if one.label is None else msgspec.structs.replace(one, name=one.label.text(language))
                for key, one in self.shapes.items()
            },
            edges={
                key: one if one.label is None else msgspec.structs.replace(one, name=one.label.text(language))
                for key, one in self.edges.items()
            },
        )


class ProcessNote(_Wire, frozen=True):
    """Something the server says of a file, at one of its elements: a note (it was normalised) or a problem (it was refused)."""

    element: str = ""
    code: str = ""
    zh: str = ""
    en: str = ""

    def text(self, language: str) -> str:
        """The words in `language`."""
        return Label(self.zh, self.en).text(language)


class ProcessState(StrEnum):
    """draft: being written; published: new cases take it; retired: only running cases stay on it."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"

    @classmethod
    def _missing_(cls, value: object) -> "ProcessState":
        del value
        return cls.RETIRED


class Process(_Wire, frozen=True):
    """One version of a process, or a draft (version 0). `id` names the version, `process_id` the process. `origin`: "folder" (shipped) or "office".

    notes: what was normalised when the file was read. problems: why a draft cannot be published. running_cases: told to administrators.
    """

    id: str
    process_id: str = ""
    module: str = ""
    record_type: str = ""
    version: int = 0
    state: ProcessState = ProcessState.PUBLISHED
    name: str = ""
    steps: tuple[ProcessStep, ...] = ()
    diagram: Diagram | None = None
    notes: tuple[ProcessNote, ...] = ()
    running_cases: int = 0
    published_at: int | None = None
    published_by_id: str | None = None
    created_at: int = 0
    updated_at: int = 0
    origin: str = "folder"
    author_id: str | None = None
    problems: tuple[ProcessNote, ...] = ()
    label: Label | None = None

    @property
    def words(self) -> Label:
        """Its name in both languages."""
        return (
            self.label if self.label is not None else Label(self.name or self.process_id, self.name or self.process_id)
        )

    def step(self, step_id: str) -> ProcessStep | None:
        """The step of that id."""
        return next((one for one in self.steps if one.id == step_id), None)


class ProcessForm(Struct, frozen=True):
    """A process to be changed: its file, and as a list of steps (docs/processes.md); None where the file has another shape, for the `reason`."""

    process: Process
    bpmn: bytes
    step_list: dict[str, Any] | None = None
    reason: Label | None = None


class Draft(Struct, frozen=True):
    """What saving a draft told: its id, the notes on it, and what keeps it from being published. `id` None: the file cannot run, nothing was kept."""

    id: str | None
    notes: tuple[ProcessNote, ...] = ()
    problems: tuple[ProcessNote, ...] = ()


class TraceStep(_Wire, frozen=True):
    """One moment of a try-out: a step that was reached, who would have it, and what the script let happen there.

    kind: "userTask", "timer" or "end". on_behalf: who would have it → the absent person. fallback: nobody was found but those of last resort.
    entered_at, due_at: ms.
    """

    step_id: str = ""
    name: str = ""
    kind: str = "userTask"
    person_ids: tuple[str, ...] = ()
    on_behalf: dict[str, str] = {}
    fallback: bool = False
    outcome: str | None = None
    state: str | None = None
    entered_at: int | None = None
    due_at: int | None = None
    note: str | Label | None = None
    label: Label | None = None

    @property
    def words(self) -> Label:
        """The step's name in both languages."""
        return self.label if self.label is not None else Label(self.name or self.step_id, self.name or self.step_id)


class TryOut(_Wire, frozen=True):
    """What a process would do with a sample case; nothing was written. `ended`: it came to an end."""

    trace: tuple[TraceStep, ...] = ()
    ended: bool = False
    end_state: str | None = None
    notes: tuple[ProcessNote, ...] = ()
    problems: tuple[ProcessNote, ...] = ()


class Overlay(_Wire, frozen=True):
    """What administrators change of a module (docs/modules.md): what is in force, and what is being written."""

    id: str
    module: str = ""
    changes: dict[str, Any] | None = None
    draft: dict[str, Any] | None = None
    published_at: int | None = None
    published_by_id: str | None = None
    updated_at: int = 0


class Unsound(Struct, frozen=True):
    """Why changes of a module are not sound, in words of the server's; with `code` in those of the client's (office_unsound.<code>).

    where: place in the definition, such as `types.Car.plate`. args: texts, numbers, lists of texts, and {code, args} of a reason in the reason.
    """

    zh: str = ""
    en: str = ""
    where: str = ""
    code: str = ""
    args: dict[str, Any] = {}

    def text(self, language: str) -> str:
        """The server's words."""
        return Label(self.zh, self.en).text(language)


def unsound_of(error: AppError) -> tuple[Unsound, ...]:
    """The reasons a refusal carries; none: it has others."""
    told = error.data.get("sentences")
    try:
        return msgspec.convert(told if isinstance(told, list) else [], tuple[Unsound, ...])
    except msgspec.ValidationError:
        return ()


class OverlayPlan(Struct, frozen=True):
    """What publishing an overlay does, in sentences; `problems`: why it cannot be."""

    lines: tuple[Label | str, ...] = ()
    problems: tuple[Unsound | str, ...] = ()


class Delegation(Struct, frozen=True, rename="camel"):
    """That another one acts for a person during an absence. Times in ms; `modules` empty: all. state: active or revoked."""

    id: str
    person_id: str = ""
    delegate_id: str = ""
    from_at: int = msgspec.field(default=0, name="from")
    to_at: int = msgspec.field(default=0, name="to")
    modules: tuple[str, ...] = ()
    reason: str = ""
    state: str = "active"
