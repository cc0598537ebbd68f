"""Forwarded talk: the server itself copies what the sender may see of one conversation, so that nobody can make it up.

The message carries the first level; talk inside the talk is a title and a count there, and is opened by the method Message/merged.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.chat.attachments import is_elsewhere
from server_stub.chat.message_rows import MESSAGE, MessageRow, load_row, load_rows, preview_of
from server_stub.chat.names import conversation_name, names_of
from server_stub.chat.places import load_place
from server_stub.chat.policy import MAX_MERGED
from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject
from server_stub.records.visibility import fetch_rows
from server_stub.storage.blobs import do_link
from server_stub.storage.database import Database, Tx

MAX_DEPTH: Final = 3
MAX_SHOWN: Final = 256 << 10  # bytes of what one message carries
MAX_CONTENT: Final = 1 << 20  # bytes with everything inside
_COPIED: Final = ("attachment", "card", "code", "language", "markdown", "formatted", "sticker")
_NOT_FORWARDED: Final = frozenset({"system", "shake"})


def do_merge(tx: Tx, actor: Actor, message_id: str, ids: Sequence[str]) -> JsonObject:
    """Copy these messages into one that is about to be written; returns its `merged`.

    Raises:
        SetError: invalidProperties: not 1 to 100 messages of one conversation the actor sees, recalled ones, too deep; tooLarge.
    """
    rows = _load_sources(tx, actor, ids)
    content = {"title": _title(tx.conn, rows[0].conversation_id), "items": _items(tx.conn, rows)}
    if _depth(content) > MAX_DEPTH:
        raise invalid_properties(f"talk inside talk goes {MAX_DEPTH} deep", "mergedIds")
    stored, shown = msgspec.json.encode(content), shown_level(content)
    if len(stored) > MAX_CONTENT or len(msgspec.json.encode(shown)) > MAX_SHOWN:
        raise SetError(SetErrorType.TOO_LARGE, "too much to forward at once")
    tx.raw.execute(
        "INSERT INTO merged_content(message_id, content) VALUES (?, ?) ON CONFLICT (message_id) DO NOTHING",
        (message_id, stored.decode()),
    )
    for attachment in _attachments(content):
        if not is_elsewhere(attachment):
            do_link(tx, attachment["blobId"], message_id, MESSAGE, attachment["type"])
    return shown


def shown_level(content: JsonObject) -> JsonObject:
    """One level as readers get it: of what is nested only title and count."""
    return {"title": content["title"], "items": [_shown_item(item) for item in content["items"]]}


def make_open_merged(database: Database) -> Callable[[Actor, JsonObject], Awaitable[JsonObject]]:
    """The method Message/merged `{id, path:[index, …]}` → `{id, path, title, items}`: the level to which these items lead."""

    async def open_merged(actor: Actor, arguments: JsonObject) -> JsonObject:
        return await database.read(lambda conn: load_merged(conn, actor, arguments))

    return open_merged


def load_merged(conn: sa.Connection, actor: Actor, arguments: JsonObject) -> JsonObject:
    """A level of forwarded talk. Raises SetError notFound, invalidProperties."""
    id_, path = arguments.get("id"), arguments.get("path", [])
    if not isinstance(id_, str) or not isinstance(path, list) or not all(type(one) is int for one in path):
        raise invalid_properties("an id and a list of positions", "id", "path")
    row = load_row(conn, id_)
    content = None
    if row is not None and load_place(conn, row.conversation_id, actor.person_id) is not None:
        content = load_content(conn, id_)
    for position in path:
        items = [] if content is None else content["items"]
        content = items[position].get("merged") if 0 <= position < len(items) else None
    if content is None:
        raise SetError(SetErrorType.NOT_FOUND)
    return {"id": id_, "path": path, **shown_level(content)}


def load_content(conn: sa.Connection, message_id: str) -> JsonObject | None:
    """All of the forwarded talk a message holds."""
    rows = fetch_rows(conn, "SELECT content FROM merged_content WHERE message_id = ?", (message_id,))
    return msgspec.json.decode(rows[0][0]) if rows else None


def _load_sources(tx: Tx, actor: Actor, ids: Sequence[str]) -> list[MessageRow]:
    if not 1 <= len(ids) <= MAX_MERGED or len(set(ids)) < len(ids):
        raise invalid_properties(f"1 to {MAX_MERGED} different messages", "mergedIds")
    rows = sorted(load_rows(tx.conn, ids), key=lambda row: row.seq)
    there = {row.conversation_id for row in rows}
    if len(rows) < len(ids) or len(there) != 1 or load_place(tx.conn, there.pop(), actor.person_id) is None:
        raise invalid_properties("messages of one conversation that you see", "mergedIds")
    if any(row.is_recalled or row.kind in _NOT_FORWARDED for row in rows):
        raise invalid_properties("recalled messages and lines are not forwarded", "mergedIds")
    return rows


def _title(conn: sa.Connection, conversation_id: str) -> str:
    name = conversation_name(conn, conversation_id)
    if name is None:
        people = fetch_rows(
            conn, "SELECT person_id FROM member WHERE conversation_id = ? ORDER BY row", (conversation_id,)
        )
        name = "和".join(names_of(conn, [row[0] for row in people]).values())
    return f"{name}的聊天记录"


def _items(conn: sa.Connection, rows: Sequence[MessageRow]) -> list[JsonObject]:
    names = names_of(conn, [row.sender_id for row in rows if row.sender_id is not None])
    return [_item(conn, row, "" if row.sender_id is None else names[row.sender_id]) for row in rows]


def _item(conn: sa.Connection, row: MessageRow, name: str) -> JsonObject:
    text = row.text if row.kind not in ("poll", "chain") else preview_of(row.text, row.extra)
    item: JsonObject = {
        "senderId": row.sender_id,
        "name": name,
        "sentAt": format_utc(row.sent_at),
        "kind": row.kind,
        "text": text,
        **{key: row.extra[key] for key in _COPIED if key in row.extra},
    }
    if row.kind == "merged":
        item["merged"] = load_content(conn, row.id) or {"title": "", "items": []}
    return item


def _shown_item(item: JsonObject) -> JsonObject:
    inside = item.get("merged")
    return item if inside is None else {**item, "merged": {"title": inside["title"], "count": len(inside["items"])}}


def _depth(content: JsonObject) -> int:
    return 1 + max((_depth(item["merged"]) for item in content["items"] if "merged" in item), default=0)


def _attachments(content: JsonObject) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in content["items"]:
        if "attachment" in item:
            found.append(item["attachment"])
        if "merged" in item:
            found += _attachments(item["merged"])
    return found
