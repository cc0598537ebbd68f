"""What a step lets people do and asks them for, as far as the server's own words tell; it decides in the end. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from desktop.core.domain.cases import Case, WorkItem
from desktop.core.domain.chat_parts import Attachment
from desktop.core.domain.conditions import is_empty
from desktop.core.domain.definition import TypeDefinition
from desktop.core.domain.processes import ActionName, StepAction
from desktop.core.domain.records import Record

FINISHING: Final = frozenset({ActionName.SUBMIT, ActionName.APPROVE, ActionName.ADD_SIGNER_AFTER})
DECIDING: Final = FINISHING | {ActionName.REFUSE, ActionName.RETURN, ActionName.READ}
"""After FINISHING ones the step's required fields must be filled; DECIDING ones take an opinion, a signature and fields."""


def offered(case: Case | None, item: WorkItem | None) -> tuple[StepAction, ...]:
    """The buttons: those of this user's item, then those of the case that the item does not have."""
    own = () if item is None else item.actions
    named = {one.name for one in own}
    return (*own, *(one for one in (() if case is None else case.actions) if one.name not in named))


def missing_of(
    record: Record,
    action: StepAction,
    item: WorkItem | None,
    opinion: str,
    signature: bytes | Attachment | None,
    values: Mapping[str, Any] | None,
    definition: TypeDefinition | None = None,
) -> list[str]:
    """What the step asks for and is not there: "opinion", "signature", fields of the record. The server decides in the end.

    A field with a `when` is left to it: whether it is asked at all depends on the rest of the record.
    """
    need = action.opinion or ("optional" if item is None else item.opinion)
    back = action.name in (ActionName.RETURN, ActionName.REFUSE)
    decides = item is not None and action.name in DECIDING
    wanted = need == "required" or (need == "onReturn" and back)
    missing = ["opinion"] if wanted and (decides or action.opinion) and not opinion.strip() else []
    if item is None or not decides:
        return missing
    finishes = action.name in FINISHING
    signed = item.signature == "always" or (item.signature == "onApprove" and finishes)
    if signed and action.name != ActionName.READ and signature is None:
        missing.append("signature")
    if finishes and item.part != "read":
        held = {**record.data, **(values or {})}
        names = [one for one in item.required if "." not in one and one != "*" and not _is_conditional(definition, one)]
        missing += [name for name in names if is_empty(held.get(name))]
    return missing


def _is_conditional(definition: TypeDefinition | None, name: str) -> bool:
    field = None if definition is None else definition.field(name)
    return field is not None and field.when is not None
