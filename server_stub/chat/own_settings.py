"""What a member sets for themselves in a conversation: read marker, mute, pin, folder, draft… Only their own devices see it."""

from typing import Any, Final

import msgspec

from server_stub.chat.contents import utc_of
from server_stub.chat.conversations import Membership, do_change_own
from server_stub.chat.messages import MAX_TEXT
from server_stub.chat.read_markers import do_mark_read
from server_stub.clock import format_utc
from server_stub.errors import invalid_properties
from server_stub.records.types import JsonObject
from server_stub.records.visibility import INF
from server_stub.storage.database import Tx

OWN: Final = frozenset({"muted", "pinned", "readSeq", "folder", "hiddenAt", "markedUnread", "draft", "notify"})
MAX_FOLDER: Final = 50
NOTIFY: Final = ("all", "mentions", "none")


def own_of(stored: str | None) -> JsonObject:
    """folder, hiddenAt, markedUnread, draft, notify, as they are kept."""
    return msgspec.json.decode(stored) if stored else {}


def own_properties(muted: bool, pinned: bool, stored: str | None) -> JsonObject:
    """The own part of a Conversation on the wire."""
    held = own_of(stored)
    return {
        "muted": muted,
        "pinned": pinned,
        "markedUnread": bool(held.pop("markedUnread", False)),
        "notify": "none" if muted else held.pop("notify", "all"),
        **{key: value for key, value in held.items() if key != "notify"},
    }


def do_patch_own(tx: Tx, mine: Membership, patch: JsonObject) -> None:
    """Apply the own part of a patch. Raises SetError invalidProperties."""
    muted, pinned = patch.get("muted", bool(mine.muted)), patch.get("pinned", bool(mine.pinned))
    wrong = [key for key, value in (("muted", muted), ("pinned", pinned)) if not isinstance(value, bool)]
    seq = patch.get("readSeq", 0)
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq <= INF:
        wrong.append("readSeq")
    if wrong:
        raise invalid_properties("of the wrong type", *wrong)
    own = _patched(tx, mine, patch)
    if "notify" in patch:
        muted = own.get("notify") == "none"
    elif "muted" in patch and own.get("notify") == "none":
        own.pop("notify")
    if muted:
        own.pop("notify", None)
    if "readSeq" in patch and seq > mine.read_seq:
        own.pop("markedUnread", None)
    stored = msgspec.json.encode(own).decode() if own else None
    if (muted, pinned, stored) != (bool(mine.muted), bool(mine.pinned), mine.own):
        do_change_own(tx, mine, muted=muted, pinned=pinned, own=stored)
    if "readSeq" in patch:
        do_mark_read(tx, mine, seq)


def _patched(tx: Tx, mine: Membership, patch: JsonObject) -> JsonObject:
    own = own_of(mine.own)
    for key, check in _CHECKS.items():
        if key in patch:
            value = None if patch[key] is None else check(tx, patch[key])
            own.pop(key, None)
            if value not in (None, False):
                own[key] = value
    return {key: own[key] for key in sorted(own)}


def _folder(tx: Tx, value: Any) -> str | None:
    if not isinstance(value, str) or len(value.strip()) > MAX_FOLDER or not value.isprintable():
        raise invalid_properties(f"a folder has a name of at most {MAX_FOLDER} characters", "folder")
    return value.strip() or None


def _hidden_at(tx: Tx, value: Any) -> str:
    if not isinstance(value, str):
        raise invalid_properties("a UTCDate", "hiddenAt")
    return utc_of(value, "hiddenAt")


def _marked(tx: Tx, value: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid_properties("true or false", "markedUnread")
    return value


def _notify(tx: Tx, value: Any) -> str | None:
    if value not in NOTIFY:
        raise invalid_properties("all, mentions or none", "notify")
    return None if value == "all" else str(value)


def _draft(tx: Tx, value: Any) -> JsonObject | None:
    """A text that was not sent yet; an empty one is none."""
    known = {"text", "replyToId", "at"}
    if not isinstance(value, dict) or not value.keys() <= known or not isinstance(value.get("text"), str):
        raise invalid_properties("a draft is {text, replyToId?, at?}", "draft")
    reply = value.get("replyToId")
    if len(value["text"]) > MAX_TEXT or not (reply is None or (isinstance(reply, str) and len(reply) <= 100)):
        raise invalid_properties(f"a draft has at most {MAX_TEXT} characters", "draft")
    if not value["text"] and reply is None:
        return None
    at = value.get("at")
    draft = {"text": value["text"], "at": utc_of(at, "draft") if isinstance(at, str) else format_utc(tx.now)}
    return draft if reply is None else {**draft, "replyToId": reply}


_CHECKS: Final = {
    "folder": _folder,
    "hiddenAt": _hidden_at,
    "markedUnread": _marked,
    "notify": _notify,
    "draft": _draft,
}
