"""A process as it was read from a BPMN file: the normalised XML that runs, its steps, what was changed on the way, or why it was refused."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct, field

from server_stub.workflow.options import Label, StepOptions

NO_NAME: Final = ""


class Note(Struct, frozen=True):
    """One thing that was changed or guessed so that a file of another modeller runs. `element`: its id, or "" for the whole file."""

    element: str
    code: str
    zh: str
    en: str


class Problem(Struct, frozen=True):
    """One reason why a file cannot run. `element`: its id, or "" for the whole file."""

    element: str
    code: str
    zh: str
    en: str


class BpmnRefused(Exception):
    """The file cannot run as a process; nothing was kept of it. `problems` holds at least one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: Final = tuple(problems)
        super().__init__("; ".join(f"{one.element}: {one.en}" if one.element else one.en for one in self.problems))


class Many(Struct, frozen=True, kw_only=True):
    """The instances of a step, where its file draws them (multi-instance). The engine runs them: the normalised XML holds a plain task.

    Attributes:
        sequential: one after the other.
        collection: expression over the case's data whose value is a list: one instance for each entry; None: see `cardinality`.
        cardinality: expression whose value is the number of instances; None: see `collection`. One of both is there.
        variable: the name by which an instance knows its entry.
        results: the name of the list with what the instances gave, in order of completion; `completion` and later conditions may use it.
        result: the name of what one instance gives.
        completion: expression over the data, `results` and `numberOfInstances`, `numberOfCompletedInstances`, `numberOfActiveInstances`; true: the
            rest is withdrawn. None: all must act.
    """

    sequential: bool = False
    collection: str | None = None
    cardinality: str | None = None
    variable: str = "item"
    results: str
    result: str
    completion: str | None = None


class Step(Struct, frozen=True, kw_only=True):
    """A task for people.

    Attributes:
        process: id of the <process> in the file it belongs to.
        parent: id of the sub-process around it; None: directly in its process.
        manual: done outside the program, only acknowledged here.
    """

    id: str
    name: str
    process: str
    options: StepOptions
    parent: str | None = None
    many: Many | None = None
    manual: bool = False


class End(Struct, frozen=True, kw_only=True):
    """An end event of the main process. `state`: the state the record ends in; None: unchanged. `code`: of an error end."""

    id: str
    name: str = NO_NAME
    state: str | None = None
    kind: Literal["plain", "terminate", "error", "cancel", "message", "escalation"] = "plain"
    code: str | None = None


class ProcessFile(Struct, frozen=True, kw_only=True):
    """A file that runs.

    Attributes:
        id: of its main process, which is the one marked executable, else that of the first participant, else the first.
        xml: the normalised file, UTF-8; what SpiffWorkflow parses. Only processes the main one needs are in it.
        sha256: of `xml`, hexadecimal: the version's address.
        notes: what was changed, in the order of the file.
        steps: by id, in the order in which the flow first reaches them; those of processes in the same file that it calls come after.
        ends: end events of the main process by id.
        called: ids of processes that it calls and that are not in the file: to be given at the start.
        services: what a service task asks for, by the task's id: the name given to the service callback.
        messages: names of the messages and signals it waits for.
        labels: what elements are called in both languages, by id (the process, steps, gateways, events, flows): those whose file says so.
    """

    id: str
    name: str
    xml: bytes
    sha256: str
    notes: tuple[Note, ...] = ()
    steps: Mapping[str, Step] = field(default_factory=dict)
    ends: Mapping[str, End] = field(default_factory=dict)
    called: tuple[str, ...] = ()
    services: Mapping[str, str] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    labels: Mapping[str, Label] = field(default_factory=dict)


def words_of(process: ProcessFile, element: str, name: str = NO_NAME) -> Label:
    """What an element is called, in both languages: its label, else its `name`, else its id."""
    return process.labels.get(element) or Label(zh=name or element, en=name or element)
