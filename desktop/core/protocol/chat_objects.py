"""How the objects of talking look on the wire: each function changes a decoded object in place, so that it reads as its domain value."""

from typing import Any, Final

import msgspec

from desktop.core.domain import JoinRule, JoinState, Merged, MessageKind, Notify, ScheduledState
from desktop.core.protocol.problems import ProtocolError
from desktop.core.protocol.wire_shapes import dates_to_ms, drop_nulls, only_known, tidy

MAX_SEQ: Final = (1 << 53) - 1
"""The largest integer JSON carries safely (RFC 8620 §1.3)."""

_CONVERSATION_KINDS: Final = frozenset({"direct", "group", "system"})
_MESSAGE_KINDS: Final = frozenset(kind.value for kind in MessageKind)
_NOTIFY: Final = frozenset(one.value for one in Notify)
_JOIN_RULES: Final = frozenset(rule.value for rule in JoinRule)
_JOIN_STATES: Final = frozenset(state.value for state in JoinState)
_SCHEDULED_STATES: Final = frozenset(state.value for state in ScheduledState)
MESSAGE_DATES: Final = ("sentAt", "editedAt", "recalledAt")
_RICH: Final = frozenset({"pinned", "poll", "chain", "event", "entries", "merged", "results"})


def adapt_conversation(data: dict[str, Any], me: str) -> None:
    """A conversation with what is this user's own, and its last line."""
    members = data.pop("memberIds", None)
    if data.get("kind") == "direct" and isinstance(members, list):
        data["peerId"] = next((person for person in members if person != me), me)
    announcement = data.get("announcement")
    if isinstance(announcement, dict):
        data["announcement"] = announcement.get("text")
    last = data.get("lastMessage")
    if isinstance(last, dict):
        adapt_message(last, me)
        dates_to_ms(last, MESSAGE_DATES)
        drop_nulls(last)
    only_known(data, "kind", _CONVERSATION_KINDS, "group")
    _adapt_own(data)
    if data.get("joinRule") not in _JOIN_RULES:
        data.pop("joinRule", None)


def _adapt_own(data: dict[str, Any]) -> None:
    """What this user alone has of a conversation."""
    draft = data.pop("draft", None)
    if isinstance(draft, dict):
        dates_to_ms(draft, ("at",))
        data |= {"draft": draft.get("text") or "", "draftReplyToId": draft.get("replyToId"), "draftAt": draft.get("at")}
    if data.get("notify") not in _NOTIFY:  # of a server that knows two ways: what names this user pops up nevertheless
        data["notify"] = "mentions" if data.get("muted") is True else "all"


def adapt_message(data: dict[str, Any], me: str) -> None:
    """A message, pending or not; what few messages have is looked at only where it is there."""
    del me
    only_known(data, "kind", _MESSAGE_KINDS, "text")
    if not isinstance(data.get("seq"), int) or not 0 < data["seq"] <= MAX_SEQ:
        raise ProtocolError("broken Message: seq")
    for local in ("delivery", "localPath", "refusal", "changing"):  # ours alone: a server does not set them
        data.pop(local, None)
    attachment = data.get("attachment")
    if isinstance(attachment, dict):
        drop_nulls(attachment)
    if not _RICH.isdisjoint(data):
        _adapt_rich(data)


def _adapt_rich(data: dict[str, Any]) -> None:
    """What few messages have."""
    for field, dates in (("pinned", ("at",)), ("poll", ("closesAt", "closedAt")), ("chain", ()), ("event", ())):
        held = data.get(field)
        if isinstance(held, dict):
            dates_to_ms(held, dates)
            drop_nulls(held)
        else:
            data.pop(field, None)
    tidy(data, ("entries",), ("at",))
    if isinstance(data.get("merged"), dict):
        _adapt_merged(data["merged"])


def _adapt_merged(merged: dict[str, Any]) -> None:
    tidy(merged, ("items",), ("sentAt",))
    for item in merged.get("items") or ():
        if isinstance(item, dict):
            only_known(item, "kind", _MESSAGE_KINDS, "text")
            for inner in (item.get("attachment"), item.get("card"), item.get("merged")):
                if isinstance(inner, dict):
                    drop_nulls(inner)


def adapt_own_thing(data: dict[str, Any], me: str) -> None:
    """What has nothing but marks of this device."""
    del me
    data.pop("pending", None)


def adapt_join_request(data: dict[str, Any], me: str) -> None:
    """A request to join."""
    del me
    only_known(data, "state", _JOIN_STATES, "refused")


def adapt_scheduled(data: dict[str, Any], me: str) -> None:
    """A scheduled message; its content stays as it is on the wire."""
    del me
    data.pop("pending", None)
    only_known(data, "state", _SCHEDULED_STATES, "failed")


def adapt_favorite(data: dict[str, Any], me: str) -> None:
    """A favorite, which carries the content of a message."""
    del me
    data.pop("pending", None)
    only_known(data, "kind", _MESSAGE_KINDS, "text")
    for inner in (data.get("attachment"), data.get("card")):
        if isinstance(inner, dict):
            drop_nulls(inner)
    if isinstance(data.get("merged"), dict):
        _adapt_merged(data["merged"])


def merged_of(data: dict[str, Any]) -> Merged:
    """Messages that were forwarded as one (which it takes apart). Raises ProtocolError."""
    try:
        _adapt_merged(data)
        return msgspec.convert(data, Merged)
    except (ValueError, TypeError, AttributeError) as error:
        raise ProtocolError(f"broken merged: {type(error).__name__}") from error
