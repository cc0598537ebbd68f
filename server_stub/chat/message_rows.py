"""Messages as they lie in their table and as the wire shows them: a row's `extra` is every member of the object that has no column."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.records.visibility import fetch_rows
from server_stub.storage.database import Tx

MESSAGE: Final = "Message"
PREVIEW: Final = 200  # characters of text in lastMessage
CHUNK: Final = 500

encode_extra: Final = msgspec.json.Encoder().encode
decode_extra: Final = msgspec.json.Decoder(dict[str, Any]).decode

COLUMNS: Final = "id, scope, seq, sender_id, kind, text, extra, sent_at"


@dataclass(slots=True)
class MessageRow:
    """One message. `sent_at` in milliseconds since the epoch; `extra` may be changed by its holder and written back."""

    id: str
    scope: int
    seq: int
    sender_id: str | None
    kind: str
    text: str
    extra: dict[str, Any]
    sent_at: int
    conversation_id: str

    @property
    def is_recalled(self) -> bool:
        """Whether its content was taken back."""
        return "recalledAt" in self.extra

    def to_object(self) -> dict[str, Any]:
        """The message as the wire shows it."""
        return message_object(
            self.id,
            self.conversation_id,
            self.seq,
            self.sender_id,
            self.kind,
            self.text,
            self.extra,
            format_utc(self.sent_at),
        )

    def last_message(self) -> dict[str, Any]:
        """What lists show of it, in Conversation.lastMessage."""
        last: dict[str, Any] = {
            "id": self.id,
            "seq": self.seq,
            "senderId": self.sender_id,
            "kind": self.kind,
            "text": preview_of(self.text, self.extra),
            "sentAt": format_utc(self.sent_at),
        }
        return {
            **last,
            **{key: self.extra[key] for key in ("event", "recalledAt", "recalledById") if key in self.extra},
        }


def preview_of(text: str, extra: dict[str, Any]) -> str:
    """The beginning of the text, or what else names the message where there is none: for lists and alerts."""
    if not text:
        text = next((extra[key][word] for key, word in _NAMED if key in extra), "")
    return text[:PREVIEW]


_NAMED: Final = (
    ("attachment", "name"),
    ("card", "title"),
    ("poll", "question"),
    ("chain", "title"),
    ("merged", "title"),
)


def message_object(
    id_: str,
    conversation_id: str,
    seq: int,
    sender_id: str | None,
    kind: str,
    text: str,
    extra: dict[str, Any],
    sent: str,
) -> dict[str, Any]:
    """A Message as the wire shows it."""
    return {
        "id": id_,
        "conversationId": conversation_id,
        "seq": seq,
        "senderId": sender_id,
        "kind": kind,
        "text": text,
        "mentions": [],
        **extra,
        "sentAt": sent,
    }


def to_row(row: Sequence[Any], conversation_id: str) -> MessageRow:
    """From the COLUMNS of a row."""
    id_, scope, seq, sender_id, kind, text, extra, sent_at = row
    return MessageRow(
        id_, scope, seq, sender_id, kind, text, decode_extra(extra) if extra else {}, sent_at, conversation_id
    )


def load_rows(conn: sa.Connection, ids: Sequence[str]) -> list[MessageRow]:
    """Messages by id, in no order. Checks no rights."""
    rows, names = _load(conn, ids)
    return [to_row(row, names[row[1]]) for row in rows]


def _load(conn: sa.Connection, ids: Sequence[str]) -> tuple[list[Any], dict[int, str]]:
    """Rows of COLUMNS, and the conversations of their scopes."""
    rows: list[Any] = []
    for start in range(0, len(ids), CHUNK):
        chunk = tuple(ids[start : start + CHUNK])
        rows += fetch_rows(conn, f"SELECT {COLUMNS} FROM message WHERE id IN ({','.join('?' * len(chunk))})", chunk)
    scopes = tuple({row[1] for row in rows})
    names: dict[int, str] = {}
    for start in range(0, len(scopes), CHUNK):
        part = scopes[start : start + CHUNK]
        marks = ",".join("?" * len(part))
        found = fetch_rows(conn, f"SELECT scope, id FROM conversation WHERE scope IN ({marks})", part)
        names.update((row[0], row[1]) for row in found)
    return rows, names


def load_row(conn: sa.Connection, message_id: str) -> MessageRow | None:
    """One message, None when there is none. Checks no rights."""
    return next(iter(load_rows(conn, [message_id])), None)


def load_messages(
    conn: sa.Connection, ids: Sequence[str], scopes: Container[int] | None = None
) -> dict[str, dict[str, Any]]:
    """Messages by id, as the wire shows them to everyone: those in `scopes`; None: all, whoever asks."""
    rows, names = _load(conn, ids)
    return {
        id_: message_object(
            id_, names[scope], seq, sender_id, kind, text, decode_extra(extra) if extra else {}, format_utc(sent_at)
        )
        for id_, scope, seq, sender_id, kind, text, extra, sent_at in rows
        if scopes is None or scope in scopes
    }


def do_put_row(tx: Tx, row: MessageRow) -> int:
    """Write text and extra of a message that changed; returns the change id. Who hears of it is the caller's to say."""
    n = tx.change_id()
    tx.raw.execute(
        "UPDATE message SET text = ?, extra = ?, modseq = ? WHERE id = ?",
        (row.text, encode_extra(row.extra).decode() if row.extra else None, n, row.id),
    )
    return n
