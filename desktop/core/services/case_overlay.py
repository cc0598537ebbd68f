"""Acts of the outbox as the history will show them, and what a refusal said. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from desktop.core.clock import parse_utc_date
from desktop.core.domain.cases import Case, CaseEvent, Refusal, WorkItem
from desktop.core.domain.chat_parts import Attachment
from desktop.core.domain.definition import Label
from desktop.core.domain.processes import ActionName
from desktop.core.sync.outbox import Edit, EditKind, EditState

CASE_EVENT: Final = "CaseEvent"
ENDING: Final = frozenset(
    {
        ActionName.SUBMIT,
        ActionName.APPROVE,
        ActionName.REFUSE,
        ActionName.RETURN,
        ActionName.TRANSFER,
        ActionName.ADD_SIGNER_BEFORE,
        ActionName.READ,
        ActionName.TERMINATE,
        ActionName.WITHDRAW,
    }
)
"""Acts after which the item does not wait for its person any more, or at least not as it did."""


def acts_of(edits: Iterable[Edit], record_id: str | None = None) -> list[Edit]:
    """The acts in the outbox, in order, on one record or on any."""
    return [
        edit
        for edit in edits
        if edit.type_name == CASE_EVENT
        and edit.kind is EditKind.CREATE
        and (record_id is None or edit.payload.get("recordId") == record_id)
    ]


def is_on_its_way(edit: Edit) -> bool:
    """Whether the server has not refused it."""
    return edit.state is EditState.PENDING


def ends_an_item(edit: Edit) -> bool:
    """Whether it is on its way and ends what waited for this user."""
    return is_on_its_way(edit) and edit.payload.get("action") in ENDING


def items_under_way(edits: Iterable[Edit], acted: Mapping[str, str]) -> set[str]:
    """Items this user has acted on, as far as the server has not answered; `acted`: item → act, of those it may have, unless it refused."""
    acts = acts_of(edits)
    refused = {edit.id for edit in acts if not is_on_its_way(edit)}
    waiting = {edit.payload.get("workItemId") for edit in acts if ends_an_item(edit)}
    return {str(one) for one in waiting if one} | {item for item, event in acted.items() if event not in refused}


def event_of(edit: Edit, me: str, item: WorkItem | None, case: Case | None) -> CaseEvent:
    """The entry an act will become, with the refusal it met."""
    payload = edit.payload
    now = case.now[0] if case is not None and case.now else None
    step_id = item.step_id if item is not None else now.step_id if now is not None else ""
    step_name = item.step_name if item is not None else now.name if now is not None else ""
    step_label = item.step_label if item is not None else now.label if now is not None else None
    refused = edit.state is EditState.REFUSED
    return CaseEvent(
        edit.object_id,
        case.id if case is not None else item.case_id if item is not None else "",
        str(payload.get("recordType", "")),
        str(payload.get("recordId", "")),
        payload.get("workItemId"),
        str(payload.get("action", "")),
        payload.get("outcome"),
        step_id,
        step_name,
        me,
        item.on_behalf_of_id if item is not None else None,
        str(payload.get("opinion") or ""),
        tuple(_attachment(one) for one in payload.get("attachments") or ()),
        payload.get("signature"),
        dict(payload.get("values") or {}),
        tuple(payload.get("to") or ()),
        payload.get("toStepId"),
        {key: tuple(people) for key, people in (payload.get("chosen") or {}).items()},
        edit.created_at,
        pending=not refused,
        refusal=refusal_of(edit) if refused else None,
        step_label=step_label,
    )


def refusal_of(edit: Edit) -> Refusal:
    """Why the server would not have it."""
    extra = edit.extra or {}
    at, case = extra.get("at"), extra.get("case")
    reasons = extra.get("reasons")
    return Refusal(
        edit.code or "rejected",
        _text(extra.get("by")),
        _moment(at),
        _text(extra.get("action")),
        tuple(one for one in extra.get("properties") or () if isinstance(one, str)),
        {str(key): str(value) for key, value in reasons.items()} if isinstance(reasons, Mapping) else {},
        edit.description or "",
        _step_names(case),
    )


def _step_names(case: Any) -> tuple[Label, ...]:
    now = case.get("now") if isinstance(case, Mapping) else None
    steps = [one for one in now if isinstance(one, Mapping)] if isinstance(now, list) else []
    return tuple(_words(one) for one in steps if isinstance(one.get("name"), str))


def _words(step: Mapping[str, Any]) -> Label:
    label, name = step.get("label"), str(step["name"])
    told = label if isinstance(label, Mapping) else {}
    return Label(str(told.get("zh") or name), str(told.get("en") or name))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _moment(value: Any) -> int | None:
    try:
        return parse_utc_date(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _attachment(value: Mapping[str, Any]) -> Attachment:
    return msgspec.convert({"blobId": "", **value}, Attachment)
