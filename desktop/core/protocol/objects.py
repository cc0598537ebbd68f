"""Synced types: how each looks on the wire and which domain value it becomes. Dates become ms; what is unknown falls back, never fails hard.

Types of modules are known by their definitions alone: they become `Record`s, which keep the wire's values. Notices, folders and documents are records
too; `value_of` reads them as the structs their own screens know.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from desktop.core.clock import local_minutes, utc_date
from desktop.core.domain import (
    Alert,
    Annotation,
    Announcement,
    Comment,
    Conversation,
    Department,
    Document,
    Favorite,
    Folder,
    Follow,
    JoinRequest,
    Member,
    Message,
    ModuleDefinition,
    Notice,
    Person,
    ReadMark,
    Receipt,
    Record,
    ScheduledMessage,
    Sticker,
    Todo,
)
from desktop.core.domain.cases import Case, CaseEvent, WorkItem
from desktop.core.domain.moments import bounds_ms
from desktop.core.domain.processes import Delegation, Process
from desktop.core.domain.records import wire_of
from desktop.core.protocol.chat_objects import (
    MESSAGE_DATES,
    adapt_conversation,
    adapt_favorite,
    adapt_join_request,
    adapt_message,
    adapt_own_thing,
    adapt_scheduled,
)
from desktop.core.protocol.plain_messages import plain_message
from desktop.core.protocol.problems import ProtocolError
from desktop.core.protocol.wire_shapes import dates_to_ms, drop_nulls, only_known, tidy

DomainObject = (
    Alert
    | Announcement
    | Case
    | CaseEvent
    | Annotation
    | Comment
    | Conversation
    | Delegation
    | Department
    | Document
    | Favorite
    | Folder
    | Follow
    | JoinRequest
    | Member
    | Message
    | ModuleDefinition
    | Notice
    | Person
    | Process
    | ReadMark
    | Receipt
    | Record
    | ScheduledMessage
    | Sticker
    | Todo
    | WorkItem
)

MAX_ID: Final = 255
"""Characters of an id (RFC 8620 §1.2)."""

MAX_DEPTH: Final = 12
"""How deep lists and objects of a record may lie inside one another."""

Adapt = Callable[[dict[str, Any], str], None]
"""Changes a decoded wire object in place; the second argument is this user's person id."""


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One synced type: its domain struct, its UTCDate fields, its parent's field (for indexes), its special cases. `record`: kept as a Record."""

    name: str
    struct: type[DomainObject]
    dates: tuple[str, ...] = ()
    parent: str | None = None
    adapt: Adapt | None = None
    record: bool = False


def _adapt_notice(data: dict[str, Any], me: str) -> None:
    del me
    only_known(data, "level", _NOTICE_LEVELS, "normal")
    for local in ("myReadAt", "myConfirmedAt", "pending"):
        data.pop(local, None)


def _adapt_document(data: dict[str, Any], me: str) -> None:
    del me
    for version in data.get("versions") or ():
        if isinstance(version, dict):
            dates_to_ms(version, ("at",))
            drop_nulls(version)
    for local in ("kept", "leaseUntil"):
        data.pop(local, None)


def _adapt_comment(data: dict[str, Any], me: str) -> None:
    del me
    for local in ("pending", "refusal"):
        data.pop(local, None)
    for attachment in data.get("attachments") or ():
        if isinstance(attachment, dict):
            drop_nulls(attachment)


def _adapt_annotation(data: dict[str, Any], me: str) -> None:
    del me
    for local in ("pending", "refusal"):
        data.pop(local, None)


def _adapt_todo(data: dict[str, Any], me: str) -> None:
    del me
    due = data.get("dueAt")
    if due is not None:  # a date is over when that day ends here
        bounds = bounds_ms(due, 0)
        if bounds is None:
            raise ProtocolError("dueAt is no date")
        bounds = bounds_ms(due, local_minutes(bounds[1])) or bounds
        data["dueAt"] = bounds[1]


def _adapt_case(data: dict[str, Any], me: str) -> None:
    del me
    tidy(data, ("now",), ("since", "dueAt", "amberAt"))
    tidy(data, ("next", "actions"))


def _adapt_work_item(data: dict[str, Any], me: str) -> None:
    behalf = data.pop("onBehalf", None)
    if isinstance(behalf, dict) and data.get("onBehalfOfId") is None:  # shared: each may act for another one
        data["onBehalfOfId"] = behalf.get(me)
    tidy(data, ("actions", "returnTo", "chooses"))
    data.pop("pending", None)


def _adapt_case_event(data: dict[str, Any], me: str) -> None:
    del me
    tidy(data, ("attachments",))
    for local in ("pending", "refusal"):
        data.pop(local, None)


def _adapt_process(data: dict[str, Any], me: str) -> None:
    del me
    tidy(data, ("steps", "notes"))
    steps = []
    for step in data.get("steps") or ():
        if not isinstance(step, dict):
            raise ProtocolError("steps are objects")
        flat = {**step.pop("options", {}), **step} if isinstance(step.get("options"), dict) else step
        tidy(flat, ("actions",))
        drop_nulls(flat)
        steps.append(flat)
    data["steps"] = steps


_NOTICE_LEVELS: Final = frozenset({"normal", "important", "mustConfirm"})
_STAMPS: Final = ("createdAt", "updatedAt")
_WORK_DATES: Final = (*_STAMPS, "readAt", "amberAt", "dueAt", "doneAt", "urgedAt")

TYPES: Final[dict[str, ObjectType]] = {
    info.name: info
    for info in (
        ObjectType("Person", Person),
        ObjectType("Department", Department, parent="parent_id"),
        ObjectType("Conversation", Conversation, (*_STAMPS, "hiddenAt", "dissolvedAt"), adapt=adapt_conversation),
        ObjectType("Member", Member, ("joinedAt", "mutedUntil"), "conversation_id"),
        ObjectType("Message", Message, MESSAGE_DATES, "conversation_id", adapt_message),
        ObjectType("Receipt", Receipt, ("readAt",), "conversation_id"),
        ObjectType("Announcement", Announcement, ("at",), "conversation_id", adapt_own_thing),
        ObjectType("JoinRequest", JoinRequest, ("createdAt",), "conversation_id", adapt_join_request),
        ObjectType("ScheduledMessage", ScheduledMessage, ("sendAt", "createdAt"), "conversation_id", adapt_scheduled),
        ObjectType("Favorite", Favorite, ("createdAt", "sentAt"), None, adapt_favorite),
        ObjectType("Sticker", Sticker, ("createdAt",), None, adapt_own_thing),
        ObjectType("ModuleDefinition", ModuleDefinition),
        ObjectType("Notice", Notice, (*_STAMPS, "publishedAt", "expiresAt", "withdrawnAt"), None, _adapt_notice, True),
        ObjectType("Folder", Folder, parent="parent_id", record=True),
        ObjectType("Document", Document, _STAMPS, "folder_id", _adapt_document, True),
        ObjectType("ReadMark", ReadMark, ("readAt", "confirmedAt"), "record_id"),
        ObjectType("Alert", Alert, ("createdAt",)),
        ObjectType("Todo", Todo, ("createdAt", "doneAt"), "record_id", _adapt_todo),
        ObjectType("Comment", Comment, _STAMPS, "record_id", _adapt_comment),
        ObjectType("Annotation", Annotation, _STAMPS, "record_id", _adapt_annotation),
        ObjectType("Follow", Follow, (), "record_id"),
        ObjectType("Case", Case, (*_STAMPS, "startedAt", "endedAt"), "record_id", _adapt_case, True),
        ObjectType("WorkItem", WorkItem, _WORK_DATES, "record_id", _adapt_work_item, True),
        ObjectType("CaseEvent", CaseEvent, ("at",), "record_id", _adapt_case_event),
        ObjectType("Process", Process, (*_STAMPS, "publishedAt"), None, _adapt_process),
        ObjectType("Delegation", Delegation, (*_STAMPS, "from", "to")),
    )
}


NOT_SYNCED: Final = frozenset({"RecordChange", "ModuleOverlay", "Device", "LoginEntry"})
"""Types a server names that are asked for on demand."""


def is_record(type_name: str) -> bool:
    """Whether objects of this type are office records."""
    info = TYPES.get(type_name)
    return info is None or info.record


def wire_name(attribute: str) -> str:
    """`folderId` of `folder_id`."""
    head, *rest = attribute.split("_")
    return head + "".join(part.capitalize() for part in rest)


def decode_object(type_name: str, raw: bytes | msgspec.Raw, me: str) -> DomainObject:
    """The domain value of one wire object; a `Record` for office records, those with a struct of their own too.

    Raises:
        ProtocolError: not an object of this type.
    """
    if type_name == "Message":
        plain = plain_message(raw)
        if plain is not None:
            return plain
    try:
        data = msgspec.json.decode(raw, type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"broken {type_name}: {type(error).__name__}") from error
    return object_of(type_name, data, me)


def object_of(type_name: str, data: dict[str, Any], me: str) -> DomainObject:
    """Like `decode_object`, from a decoded wire object (which it may change)."""
    if is_record(type_name):
        record = record_of(type_name, data)
        if type_name in TYPES:
            value_of(record, me)  # its own screens must be able to read it
        return record
    return _struct_of(type_name, data, me)


def _struct_of(type_name: str, data: dict[str, Any], me: str) -> DomainObject:
    info = TYPES[type_name]
    try:
        dates_to_ms(data, info.dates)
        if info.adapt is not None:
            info.adapt(data, me)
        drop_nulls(data)
        value: DomainObject = msgspec.convert(data, info.struct)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ProtocolError(f"broken {type_name}: {type(error).__name__}") from error
    if not 0 < len(value.id) <= MAX_ID:
        raise ProtocolError(f"broken {type_name}: id")
    return value


def record_of(type_name: str, data: dict[str, Any]) -> Record:
    """A wire object of an office type (which it takes apart). Raises ProtocolError."""
    try:
        dates_to_ms(data, _STAMPS)
        record_id, author, version = data.pop("id", None), data.pop("authorId", None), data.pop("version", 0)
        created, updated = data.pop("createdAt", None) or 0, data.pop("updatedAt", None) or 0
    except (ValueError, OverflowError) as error:
        raise ProtocolError(f"broken {type_name}: {type(error).__name__}") from error
    if not isinstance(record_id, str) or not 0 < len(record_id) <= MAX_ID:
        raise ProtocolError(f"broken {type_name}: id")
    if not isinstance(author, str | None) or not isinstance(version, int) or _deeper(data, MAX_DEPTH):
        raise ProtocolError(f"broken {type_name}: envelope")
    drop_nulls(data)
    return Record(record_id, type_name, data, author, created, updated, version)


def _deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects lie inside one another deeper than that."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if levels <= 0:
        return bool(inner)
    return any(_deeper(one, levels - 1) for one in inner if isinstance(one, dict | list))


def value_of(record: Record, me: str) -> DomainObject:
    """A record as the struct of its type; records of modules stay what they are. Raises ProtocolError: it is none."""
    if record.type not in TYPES:
        return record
    data = wire_of(record)
    del data["version"]
    for name, value in data.items():
        if isinstance(value, list):  # adapting changes what lies inside
            data[name] = [dict(one) if isinstance(one, dict) else one for one in value]
    return _struct_of(record.type, data, me)


def as_record(type_name: str, value: DomainObject) -> Record:
    """A notice, folder or document as the record it came from."""
    if isinstance(value, Record):
        return value
    info = TYPES[type_name]
    data: dict[str, Any] = msgspec.to_builtins(value)
    for local in ("myReadAt", "myConfirmedAt", "pending", "kept", "leaseUntil"):
        data.pop(local, None)
    for field in info.dates:
        if data.get(field) is not None:
            data[field] = utc_date(data[field])
    for version in data.get("versions") or ():
        version["at"] = utc_date(version["at"])
    return record_of(type_name, data)


def state_number(state: str) -> int | None:
    """The change id a state stands for, or None when it tells no number (states are opaque; this only saves fetches)."""
    head = state.split(".", 1)[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) < 19 else None
