"""What a client wants done with a case: CaseEvent/set create, its shape checked. Rights and what the step asks for are looked at elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from server_stub.errors import invalid_properties
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Field, FieldKind, Label
from server_stub.modules.engine.values import Check, WrongValue, check_value
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx
from server_stub.workflow.options import ActionName

MAX_OPINION: Final = 4000
MAX_PEOPLE: Final = 200
MAX_READERS: Final = 5_000
"""To whom one act may circulate; the engine shows it to them by and by (following.py)."""
_LABEL: Final = Label(zh="办理", en="Handling")
_FIELDS: Final = (
    Field(name="opinion", kind=FieldKind.LONG_TEXT, label=_LABEL, max=MAX_OPINION),
    Field(name="to", kind=FieldKind.PERSONS, label=_LABEL, max=MAX_READERS),
    Field(name="attachments", kind=FieldKind.FILES, label=_LABEL, max=20),
    Field(name="signature", kind=FieldKind.BLOB, label=_LABEL),
)
_PERSONS: Final = Field(name="chosen", kind=FieldKind.PERSONS, label=_LABEL, max=MAX_PEOPLE)
_Id = Annotated[str, Meta(min_length=1, max_length=255)]
_SET_BY_SERVER: Final = frozenset(
    {"id", "caseId", "stepId", "stepName", "stepLabel", "personId", "onBehalfOfId", "at", "seq"}
)


class _Wire(Struct, rename="camel", forbid_unknown_fields=True):
    """The properties a client may give, as they come."""

    record_type: _Id
    record_id: _Id
    action: ActionName
    work_item_id: _Id | None = None
    outcome: Annotated[str, Meta(max_length=60)] | None = None
    opinion: str | None = None
    attachments: list[Any] | None = None
    signature: str | None = None
    values: dict[str, Any] | None = None
    to: list[Any] | None = None
    to_step_id: _Id | None = None
    chosen: dict[str, list[Any]] | None = None
    count: Literal["one", "all"] | Annotated[int, Meta(ge=1, le=MAX_PEOPLE)] | None = None
    order: Literal["parallel", "sequential"] | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do.

    Attributes:
        values: patch of the record's fields; None takes one away.
        to: people named. chosen: step → people picked for it.
        count, order: of countersign and added signers: how many must answer, at once or one after the other.
    """

    action: ActionName
    work_item_id: str | None = None
    outcome: str | None = None
    opinion: str = ""
    attachments: tuple[JsonObject, ...] = ()
    signature: str | None = None
    values: Mapping[str, Any] | None = None
    to: tuple[str, ...] = ()
    to_step_id: str | None = None
    chosen: Mapping[str, tuple[str, ...]] | None = None
    count: str | int = "all"
    order: str = "parallel"

    def without_words(self) -> "Wish":
        """The bare act, as the server does it by itself."""
        return replace(self, opinion="", attachments=(), signature=None, values=None)


ACTIONS: Final[tuple[str, ...]] = get_args(ActionName)


def read_wish(tx: Tx, context: OfficeContext, obj: JsonObject) -> Wish:
    """The checked wish of a create entry.

    Raises:
        SetError: invalidProperties.
    """
    wrong = sorted(_SET_BY_SERVER & {key for key, value in obj.items() if value is not None})
    if wrong:
        raise invalid_properties("set by the server", *wrong)
    try:
        wire = msgspec.convert({key: one for key, one in obj.items() if key not in _SET_BY_SERVER}, _Wire)
    except msgspec.ValidationError as problem:
        raise invalid_properties(str(problem)[:300], _place_of(problem)) from None
    check = Check(tx.conn, None, context.standpoint(tx.now), context.types)
    checked = {field.name: _checked(check, field, getattr(wire, field.name), field.name) for field in _FIELDS}
    if wire.action != "circulate" and len(checked["to"] or ()) > MAX_PEOPLE:
        raise invalid_properties(f"at most {MAX_PEOPLE} people", "to")
    picked = wire.chosen or {}
    chosen = {step: tuple(_checked(check, _PERSONS, people, "chosen") or ()) for step, people in picked.items()}
    return Wish(
        wire.action,
        wire.work_item_id,
        wire.outcome,
        (checked["opinion"] or "").strip(),
        tuple(checked["attachments"] or ()),
        checked["signature"],
        wire.values,
        tuple(dict.fromkeys(checked["to"] or ())),
        wire.to_step_id,
        chosen or None,
        wire.count if wire.count is not None else "all",
        wire.order or "parallel",
    )


def _checked(check: Check, field: Field, value: Any, name: str) -> Any:
    if value is None or value in ("", []):
        return None
    try:
        return check_value(check, field, value)
    except WrongValue as problem:
        raise invalid_properties(str(problem), name) from None


def _place_of(problem: msgspec.ValidationError) -> str:
    """The property a message of msgspec is about."""
    text = str(problem)
    if " - at `$." in text:
        return text.rpartition("`$.")[2].partition("`")[0].partition(".")[0].partition("[")[0]
    parts = text.split("`")
    return parts[1] if len(parts) > 1 else "action"
