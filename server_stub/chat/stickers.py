"""A person's own stickers: small pictures, in an order of their own."""

from typing import Any, Final

from server_stub.chat.attachments import check_sticker
from server_stub.chat.desk import CHAT, ChatDesk
from server_stub.chat.policy import MAX_STICKERS
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import fetch_rows, scope_id
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

STICKER: Final = "Sticker"
MAX_NAME: Final = 50
MAX_ORDER: Final = 1_000_000


class StickerHandler(RecordHandler):
    """Sticker: create `{blobId, name?, order?}`; name and order may change."""

    properties = frozenset("id blobId type name order createdAt updatedAt authorId".split())

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(STICKER, CHAT)
        self._desk = desk

    def on_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> tuple[JsonObject, list[int]]:
        """A picture the person may see becomes one of their stickers."""
        unknown = sorted(data.keys() - {"blobId", "name", "order"})
        if unknown:
            raise invalid_properties("set by the server", *unknown)
        if not isinstance(data.get("blobId"), str):
            raise invalid_properties("the id of a picture", "blobId")
        held = fetch_rows(
            tx.conn,
            "SELECT count(*), coalesce(max(json_extract(data, '$.order')), 0) FROM record WHERE type = ? AND author_id = ?",
            (STICKER, actor.person_id),
        )[0]
        if held[0] >= MAX_STICKERS:
            raise SetError(SetErrorType.OVER_QUOTA, f"at most {MAX_STICKERS} stickers")
        blob = self._desk.do_refer(tx, actor, data["blobId"], record_id, STICKER)
        check_sticker(blob.size, blob.type)
        made = {"order": min(held[1] + 1, MAX_ORDER), **data, "type": blob.type}
        return _check(made), [scope_id(tx, "person", actor.person_id)]

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]
    ) -> tuple[JsonObject, list[int] | None]:
        """`name` and `order`."""
        if not changed <= {"name", "order"}:
            raise invalid_properties("only name and order may change", *sorted(changed - {"name", "order"}))
        return _check(data), None

    def on_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """Its picture may go."""
        do_unrefer(tx, record.id, STICKER)


def _check(data: JsonObject) -> JsonObject:
    name: Any = data.get("name", "")
    order: Any = data.get("order")
    if not isinstance(name, str) or len(name) > MAX_NAME or not name.isprintable():
        raise invalid_properties(f"a word of at most {MAX_NAME} characters", "name")
    if not isinstance(order, int) or isinstance(order, bool) or not 0 <= order <= MAX_ORDER:
        raise invalid_properties("a whole number", "order")
    return data
