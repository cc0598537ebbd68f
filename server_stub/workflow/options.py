"""What an office step says of itself: who acts, how many, what they may do, by when. `tongban:step` of a BPMN file and JSON on the wire, same names in both.

Values only: options_xml.py reads and writes them in files; who a performer is, the process engine finds out.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

ActionName = Literal[
    "submit",
    "approve",
    "refuse",
    "return",
    "withdraw",
    "transfer",
    "addSignerBefore",
    "addSignerAfter",
    "countersign",
    "circulate",
    "read",
    "urge",
    "suspend",
    "resume",
    "terminate",
]
"""What people do with a case; one shared vocabulary of all processes."""

_FIELD: Final = r"[a-z][A-Za-z0-9]{0,59}"
_PATH: Final = rf"{_FIELD}(\.{_FIELD}){{0,2}}"
_NAMED: Final = r"[^,\s\x00-\x1f\x7f]([^,\x00-\x1f\x7f]{0,98}[^,\s\x00-\x1f\x7f])?"
PERFORMER_PATTERN: Final = (
    rf"^(starter|superior|superiorChain:[1-9][0-9]?|departmentHead|previous|chosen|head:{_PATH}|field:{_PATH}"
    rf"|role:[a-z][a-z0-9-]{{0,39}}|rule:[a-z][A-Za-z0-9_]{{0,59}}|of:[^\W\d][\w.-]{{0,99}}|(post|person):{_NAMED})$"
)
Performer = Annotated[str, Meta(pattern=PERFORMER_PATTERN, description="starter, role:finance, field:signers, …")]
"""Who has a step. `starter` · `superior` (of the starter) · `superiorChain:<n>` (n levels up, one after the other) · `departmentHead` (head of the starter's
department as it was at the start) · `head:<field>` heads of the departments in a field · `post:<title>`, `post:办公室/主任` a post in a department ·
`role:<r>` · `person:<login or id>` · `field:<f>` people of a field, also `a.b` through a reference or `lines.f` · `previous` (who handled the step before) ·
`chosen` (picked by the handler of an earlier step) · `rule:<function>` · `of:<stepId>` (who handled that step)."""

StepId = Annotated[str, Meta(pattern=r"^[^\W\d][\w.-]{0,99}$", description="the id of a task in the file")]
FieldPath = Annotated[str, Meta(pattern=rf"^(\*|{_PATH})$", description="a field, lines.field, or * for all")]
Moment = Annotated[str, Meta(pattern=r"^[0-9]{1,4}[mhd]$", description="working time: 30m, 4h, 1d; 0h at once")]
Limit = Annotated[
    str, Meta(pattern=rf"^([1-9][0-9]{{0,3}}[mhd]|field:{_PATH})$", description="working time, or field:deadline")
]
StateWord = Annotated[str, Meta(pattern=r"^[a-z][A-Za-z0-9-]{0,59}$", description="a state of the record")]
OutcomeWord = Annotated[
    str, Meta(pattern=r"^[^\s\x00-\x1f\x7f]{1,60}$", description="a result of a step: stamped, 同意")
]
Words = Annotated[str, Meta(min_length=1, max_length=200)]
OpinionNeed = Literal["none", "optional", "required"]


class Label(Struct, frozen=True, kw_only=True):
    """Words for people, in both languages."""

    zh: Words
    en: Words


class StepAction(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """One thing a handler may do at a step.

    Attributes:
        outcome: what conditions of the process see as `outcome`; None: the usual one of the action (OUTCOMES).
        label: the button's words; None: the usual ones of the action.
        opinion: None: as the step says.
    """

    name: ActionName
    outcome: OutcomeWord | None = None
    label: Label | None = None
    opinion: OpinionNeed | None = None


OUTCOMES: Final[dict[str, str]] = {"submit": "submitted", "approve": "approved", "refuse": "refused", "read": "read"}
"""The outcome of actions that end a step, where its file names no other."""


class StepOptions(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """All that a step says beside its place in the process.

    Attributes:
        performers: who acts; several are united. Empty: only `fallback`.
        fallback: who has it when nobody is found, with an alert.
        count: "one": anyone of them does it, the first wins; "all" or a number: each, or that many of them, must act.
        order: for count "all" or a number: everybody at once, or one after the other.
        kind: "handle" is work (待办), "read" is for their attention (待阅).
        actions: in the order of the buttons. A ProcessFile has them filled in (usual_actions), a StepList as written.
        opinion: whether words are needed; "onReturn" also means on refusing.
        signature: whether a handwritten one is needed.
        editable: fields the handler may write; "*" all the author may.
        required: fields that must hold something before the step is done.
        limit: working time from entering the step, or "field:deadline".
        urge_after, escalate_after: working time after the limit.
        on_overdue: what the system does by itself, `overdue_after` after the limit (None: at the limit).
        skip_repeated: who approved an earlier step of this case passes by itself.
        chooses: steps whose performers the handler of this step picks.
        state: the record's state while here; None: unchanged.
    """

    performers: tuple[Performer, ...] = ()
    fallback: tuple[Performer, ...] = ("role:admin",)
    count: Literal["one", "all"] | Annotated[int, Meta(ge=1, le=1000)] = "one"
    order: Literal["parallel", "sequential"] = "parallel"
    kind: Literal["handle", "read"] = "handle"
    actions: tuple[StepAction, ...] = ()
    opinion: Literal["none", "optional", "required", "onReturn"] = "optional"
    signature: Literal["never", "always", "onApprove"] = "never"
    attachments: bool = True
    editable: tuple[FieldPath, ...] = ()
    required: tuple[FieldPath, ...] = ()
    limit: Limit | None = None
    urge_after: Moment | None = None
    escalate_after: Moment | None = None
    on_overdue: Literal["approve", "return", "terminate"] | None = None
    overdue_after: Moment | None = None
    skip_repeated: bool = False
    chooses: tuple[StepId, ...] = ()
    state: StateWord | None = None
    label: Label | None = None


def usual_actions(options: StepOptions) -> tuple[StepAction, ...]:
    """The actions of a step whose file names none: reading for a step to read, submitting for the starter's own, else approving and what goes with it."""
    if options.kind == "read":
        return (StepAction(name="read"),)
    if options.performers == ("starter",):
        return (StepAction(name="submit"),)
    names: tuple[ActionName, ...] = ("approve", "return", "transfer", "addSignerBefore", "addSignerAfter", "circulate")
    return tuple(StepAction(name=one) for one in names)
