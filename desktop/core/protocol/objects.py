"""Synced types: how each looks on the wire and which domain value it becomes. Dates become ms; what is unknown falls back, never fails hard."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from desktop.core.clock import parse_utc_date
from desktop.core.domain import (
    Alert,
    Conversation,
    Department,
    Document,
    Folder,
    Member,
    Message,
    ModuleDefinition,
    Notice,
    Person,
    ReadMark,
    Receipt,
)
from desktop.core.protocol.problems import ProtocolError

DomainObject = (
    Alert
    | Conversation
    | Department
    | Document
    | Folder
    | Member
    | Message
    | ModuleDefinition
    | Notice
    | Person
    | ReadMark
    | Receipt
)

MAX_ID: Final = 255
"""Characters of an id (RFC 8620 §1.2)."""

MAX_SEQ: Final = (1 << 53) - 1
"""The largest integer JSON carries safely (RFC 8620 §1.3)."""

Adapt = Callable[[dict[str, Any], str], None]
"""Changes a decoded wire object in place; the second argument is this user's person id."""


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One synced type: its domain struct, its UTCDate fields, its parent's field (for indexes), its special cases."""

    name: str
    struct: type[DomainObject]
    dates: tuple[str, ...] = ()
    parent: str | None = None
    adapt: Adapt | None = None


def _adapt_conversation(data: dict[str, Any], me: str) -> None:
    members = data.pop("memberIds", None)
    if data.get("kind") == "direct" and isinstance(members, list):
        data["peerId"] = next((person for person in members if person != me), me)
    announcement = data.get("announcement")
    if isinstance(announcement, dict):
        data["announcement"] = announcement.get("text")
    last = data.get("lastMessage")
    if isinstance(last, dict):
        _adapt_message(last, me)
        _dates_to_ms(last, ("sentAt",))
        _drop_nulls(last)
    _only_known(data, "kind", _CONVERSATION_KINDS, "group")
    data.pop("draft", None)


def _adapt_message(data: dict[str, Any], me: str) -> None:
    del me
    _only_known(data, "kind", _MESSAGE_KINDS, "text")
    if not isinstance(data.get("seq"), int) or not 0 < data["seq"] <= MAX_SEQ:
        raise ProtocolError("broken Message: seq")
    for local in ("delivery", "localPath", "refusal"):  # ours alone: a server does not set them
        data.pop(local, None)
    attachment = data.get("attachment")
    if isinstance(attachment, dict):
        _drop_nulls(attachment)


def _adapt_notice(data: dict[str, Any], me: str) -> None:
    del me
    _only_known(data, "level", _NOTICE_LEVELS, "normal")
    for local in ("myReadAt", "myConfirmedAt"):
        data.pop(local, None)


def _adapt_document(data: dict[str, Any], me: str) -> None:
    del me
    for version in data.get("versions") or ():
        if isinstance(version, dict):
            _dates_to_ms(version, ("at",))
            _drop_nulls(version)
    for local in ("kept", "leaseUntil"):
        data.pop(local, None)


def _only_known(data: dict[str, Any], field: str, known: frozenset[str], fallback: str) -> None:
    if field in data and data[field] not in known:
        data[field] = fallback


_CONVERSATION_KINDS: Final = frozenset({"direct", "group", "system"})
_MESSAGE_KINDS: Final = frozenset({"text", "emoji", "picture", "file", "system"})
_NOTICE_LEVELS: Final = frozenset({"normal", "important", "mustConfirm"})
_STAMPS: Final = ("createdAt", "updatedAt")

TYPES: Final[dict[str, ObjectType]] = {
    info.name: info
    for info in (
        ObjectType("Person", Person),
        ObjectType("Department", Department, parent="parent_id"),
        ObjectType("Conversation", Conversation, _STAMPS, adapt=_adapt_conversation),
        ObjectType("Member", Member, ("joinedAt",), "conversation_id"),
        ObjectType("Message", Message, ("sentAt",), "conversation_id", _adapt_message),
        ObjectType("Receipt", Receipt, ("readAt",), "conversation_id"),
        ObjectType("ModuleDefinition", ModuleDefinition),
        ObjectType("Notice", Notice, (*_STAMPS, "publishedAt", "expiresAt", "withdrawnAt"), adapt=_adapt_notice),
        ObjectType("Folder", Folder, parent="parent_id"),
        ObjectType("Document", Document, _STAMPS, "folder_id", _adapt_document),
        ObjectType("ReadMark", ReadMark, ("readAt", "confirmedAt"), "record_id"),
        ObjectType("Alert", Alert, ("createdAt",)),
    )
}


def decode_object(type_name: str, raw: bytes | msgspec.Raw, me: str) -> DomainObject:
    """The domain value of one wire object.

    Raises:
        ProtocolError: not an object of this type.
    """
    try:
        data = msgspec.json.decode(raw, type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"broken {type_name}: {type(error).__name__}") from error
    return object_of(type_name, data, me)


def object_of(type_name: str, data: dict[str, Any], me: str) -> DomainObject:
    """Like `decode_object`, from a decoded wire object (which it may change)."""
    info = TYPES[type_name]
    try:
        _dates_to_ms(data, info.dates)
        if info.adapt is not None:
            info.adapt(data, me)
        _drop_nulls(data)
        value: DomainObject = msgspec.convert(data, info.struct)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ProtocolError(f"broken {type_name}: {type(error).__name__}") from error
    if not 0 < len(value.id) <= MAX_ID:
        raise ProtocolError(f"broken {type_name}: id")
    return value


def _dates_to_ms(data: dict[str, Any], fields: tuple[str, ...]) -> None:
    for field in fields:
        value = data.get(field)
        if value is None:
            continue
        if not isinstance(value, str):
            raise ProtocolError(f"{field} is no date")
        data[field] = parse_utc_date(value)


def _drop_nulls(data: dict[str, Any]) -> None:
    for key in [key for key, value in data.items() if value is None]:
        del data[key]


def state_number(state: str) -> int | None:
    """The change id a state stands for, or None when it tells no number (states are opaque; this only saves fetches)."""
    head = state.split(".", 1)[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) < 19 else None
