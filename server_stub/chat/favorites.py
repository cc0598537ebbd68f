"""Favorites: a person's own copies of messages; they stay whatever becomes of the message."""

from typing import Any, Final

from server_stub.chat.attachments import is_elsewhere
from server_stub.chat.desk import CHAT, ChatDesk
from server_stub.chat.message_rows import MessageRow, load_row, preview_of
from server_stub.chat.places import load_place
from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import fetch_rows, scope_id
from server_stub.storage.blobs import do_link, do_unrefer
from server_stub.storage.database import Tx

FAVORITE: Final = "Favorite"
MAX_NOTE: Final = 1000
MAX_TAGS: Final = 20
MAX_TAG: Final = 30
MAX_FAVORITES: Final = 5000
_COPIED: Final = ("attachment", "merged", "card", "code", "language", "markdown", "formatted", "sticker")
_OWN: Final = frozenset({"note", "tags"})


class FavoriteHandler(RecordHandler):
    """Favorite: create `{messageId, note?, tags?}` copies what the person sees; note and tags may change."""

    properties = frozenset(
        "id messageId conversationId senderId kind text attachment merged card code language markdown formatted sticker note"
        " tags sentAt createdAt updatedAt authorId".split()
    )

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(FAVORITE, CHAT)
        self._desk = desk

    def on_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> tuple[JsonObject, list[int]]:
        """The copy, for this person alone."""
        unknown = sorted(data.keys() - _OWN - {"messageId"})
        if unknown:
            raise invalid_properties("copied by the server", *unknown)
        message_id = data.get("messageId")
        row = load_row(tx.conn, message_id) if isinstance(message_id, str) else None
        if row is None or load_place(tx.conn, row.conversation_id, actor.person_id) is None:
            raise invalid_properties("no message that you see", "messageId")
        if row.is_recalled or row.kind in ("system", "shake"):
            raise invalid_properties("there is nothing to keep", "messageId")
        mine = scope_id(tx, "person", actor.person_id)
        held = fetch_rows(
            tx.conn, "SELECT count(*) FROM record WHERE type = ? AND author_id = ?", (FAVORITE, actor.person_id)
        )
        if held[0][0] >= MAX_FAVORITES:
            raise SetError(SetErrorType.OVER_QUOTA, f"at most {MAX_FAVORITES} favorites")
        _do_link_blobs(tx, row, record_id)
        return {**_copy(row), **_check_own(data)}, [mine]

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]
    ) -> tuple[JsonObject, list[int] | None]:
        """`note` and `tags`."""
        if not changed <= _OWN:
            raise invalid_properties("only note and tags may change", *sorted(changed - _OWN))
        kept = {key: value for key, value in data.items() if key not in _OWN}
        return {**kept, **_check_own(data)}, None

    def on_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """Its files may go."""
        do_unrefer(tx, record.id, FAVORITE)


def _copy(row: MessageRow) -> JsonObject:
    text = row.text or (preview_of("", row.extra) if row.kind in ("poll", "chain") else "")
    copied: JsonObject = {
        "messageId": row.id,
        "conversationId": row.conversation_id,
        "kind": row.kind,
        "text": text,
        "sentAt": format_utc(row.sent_at),
        **{key: row.extra[key] for key in _COPIED if key in row.extra},
    }
    return copied if row.sender_id is None else {**copied, "senderId": row.sender_id}


def _do_link_blobs(tx: Tx, row: MessageRow, record_id: str) -> None:
    items: list[Any] = [row.extra, *row.extra.get("merged", {}).get("items", ())]
    for item in items:
        if "attachment" in item and not is_elsewhere(item["attachment"]):
            do_link(tx, item["attachment"]["blobId"], record_id, FAVORITE, item["attachment"]["type"])


def _check_own(data: JsonObject) -> JsonObject:
    note, tags = data.get("note"), data.get("tags", [])
    if not (note is None or (isinstance(note, str) and len(note) <= MAX_NOTE)):
        raise invalid_properties(f"at most {MAX_NOTE} characters", "note")
    if (
        not isinstance(tags, list)
        or len(tags) > MAX_TAGS
        or not all(isinstance(one, str) and 0 < len(one.strip()) <= MAX_TAG for one in tags)
    ):
        raise invalid_properties(f"at most {MAX_TAGS} words of {MAX_TAG} characters", "tags")
    own: JsonObject = {"tags": list(dict.fromkeys(one.strip() for one in tags))}
    return {**own, "note": note} if note else own
