"""Messages: the hot path of sending, read markers, what is unread. Raw SQL on purpose: a message costs five short statements.

Nothing here is done per recipient: who gets a message is who is in the conversation's scope.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.chat.conversations import GATHER_FROM, Membership, do_open_system
from server_stub.clock import format_utc
from server_stub.errors import invalid_properties
from server_stub.ids import is_uuid7, uuid7
from server_stub.push.events import ObjectsChanged
from server_stub.records.visibility import INF
from server_stub.storage.database import Tx

MAX_TEXT: Final = 10_000
MAX_MENTIONS: Final = 200
PREVIEW: Final = 200  # characters of text in lastMessage
EVERYBODY: Final = "all"

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_CHUNK: Final = 500


@dataclass(slots=True)
class Draft:
    """A message that was checked and has no seq yet."""

    kind: str
    text: str
    mentions: Sequence[str] = ()
    reply_to_id: str | None = None
    attachment: dict[str, Any] | None = None
    card: dict[str, Any] | None = None
    extra: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        extra: dict[str, Any] = {}
        if self.mentions:
            extra["mentions"] = list(self.mentions)
        if self.reply_to_id is not None:
            extra["replyToId"] = self.reply_to_id
        if self.attachment is not None:
            extra["attachment"] = self.attachment
        if self.card is not None:
            extra["card"] = self.card
        self.extra = extra

    @property
    def preview(self) -> str:
        """The beginning of the text, or the file's name where there is none: for lists."""
        return (self.text or (self.attachment or {}).get("name") or (self.card or {}).get("title", ""))[:PREVIEW]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message: as /get gives it; `is_new` is False when the same id was sent before."""

    message: dict[str, Any]
    is_new: bool


def do_send(
    tx: Tx, sender_id: str, conversation_id: str, creation_id: str, draft: Draft, *, at: int | None = None
) -> Sent:
    """Write a message of a member; seq is contiguous per conversation and grows in commit order.

    Args:
        creation_id: a UUIDv7 becomes the message's id, and sending it again changes nothing.
        at: its time when that is not now (imports).

    Raises:
        SetError: invalidProperties: not a member, a system conversation, somebody else's id, an answer to nothing.
    """
    row = tx.raw.execute(
        "SELECT c.scope, c.kind, c.last_seq FROM conversation AS c JOIN member AS m ON m.conversation_id = c.id"
        " WHERE c.id = ? AND m.person_id = ? AND m.until = ?",
        (conversation_id, sender_id, INF),
    ).fetchone()
    if row is None or row[1] == "system":
        known = _find_sent(tx, sender_id, conversation_id, creation_id)
        if known is not None:  # sent while still a member, the answer was lost
            return known
        raise invalid_properties("no conversation of yours to write in", "conversationId")
    return _do_write(
        tx, row[0], conversation_id, row[2] + 1, sender_id, creation_id, draft, tx.now if at is None else at
    )


def do_post_system(
    tx: Tx,
    sender: str,
    person_ids: Iterable[str],
    text: str,
    card: dict[str, Any] | None = None,
    *,
    at: int | None = None,
) -> None:
    """A message of the system to each of these people, in their conversation with that sender (`notices`, `alerts`)."""
    draft = Draft("text", text, card=card)
    when = tx.now if at is None else at
    for person_id in person_ids:
        conversation_id = do_open_system(tx, sender, person_id, at=when)
        scope, last_seq = tx.raw.execute(
            "SELECT scope, last_seq FROM conversation WHERE id = ?", (conversation_id,)
        ).fetchone()
        _do_write(tx, scope, conversation_id, last_seq + 1, None, "", draft, when)


def _do_write(
    tx: Tx, scope: int, conversation_id: str, seq: int, sender_id: str | None, creation_id: str, draft: Draft, when: int
) -> Sent:
    message_id = creation_id if is_uuid7(creation_id) else uuid7(when)
    raw = tx.raw
    if (
        draft.reply_to_id is not None
        and not raw.execute("SELECT 1 FROM message WHERE id = ? AND scope = ?", (draft.reply_to_id, scope)).fetchone()
    ):
        raise invalid_properties("there is no such message in this conversation", "replyToId")
    extra = draft.extra
    n = tx.change_id()
    written = raw.execute(
        "INSERT INTO message(id, scope, seq, modseq, sender_id, kind, text, extra, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO NOTHING",
        (
            message_id,
            scope,
            seq,
            n,
            sender_id,
            draft.kind,
            draft.text,
            _encode(extra).decode() if extra else None,
            when,
        ),
    )
    if written.rowcount != 1:
        return _recall(tx, message_id, scope, conversation_id, sender_id)
    sent_at = format_utc(when)
    last = {
        "id": message_id,
        "seq": seq,
        "senderId": sender_id,
        "kind": draft.kind,
        "text": draft.preview,
        "sentAt": sent_at,
    }
    raw.execute(
        "UPDATE conversation SET last_seq = ?, last_message = ?, updated_at = ?, touched = ? WHERE id = ?",
        (seq, _encode(last).decode(), when, n, conversation_id),
    )
    if draft.mentions:
        raw.executemany(
            "INSERT INTO mention(scope, person_id, seq, sender_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(scope, person_id, seq, sender_id) for person_id in draft.mentions],
        )
    message = _object(message_id, conversation_id, seq, sender_id, draft.kind, draft.text, extra, sent_at)
    scopes = (scope,)
    tx.publish(ObjectsChanged("Message", n, scopes, objects=(message,)))
    tx.publish(ObjectsChanged("Conversation", n, scopes))
    return Sent(message, True)


def _find_sent(tx: Tx, sender_id: str, conversation_id: str, message_id: str) -> Sent | None:
    row = tx.raw.execute(
        f"SELECT {_COLUMNS} FROM message WHERE id = ? AND sender_id = ?"
        " AND scope = (SELECT scope FROM conversation WHERE id = ?)",
        (message_id, sender_id, conversation_id),
    ).fetchone()
    return Sent(_from_row(row, conversation_id), False) if row is not None else None


def _recall(tx: Tx, message_id: str, scope: int, conversation_id: str, sender_id: str | None) -> Sent:
    """The message that was written under this id before, if it is the same person's in the same conversation."""
    row = tx.raw.execute(f"SELECT {_COLUMNS} FROM message WHERE id = ?", (message_id,)).fetchone()
    if row[3] != sender_id or row[1] != scope:
        raise invalid_properties("this id is taken", "id")
    return Sent(_from_row(row, conversation_id), False)


_COLUMNS: Final = "id, scope, seq, sender_id, kind, text, extra, sent_at"


def _from_row(row: Sequence[Any], conversation_id: str) -> dict[str, Any]:
    message_id, _, seq, sender_id, kind, text, extra, sent_at = row
    return _object(
        message_id, conversation_id, seq, sender_id, kind, text, _decode(extra) if extra else {}, format_utc(sent_at)
    )


def _object(
    id_: str,
    conversation_id: str,
    seq: int,
    sender_id: str | None,
    kind: str,
    text: str,
    extra: dict[str, Any],
    sent: str,
) -> dict[str, Any]:
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


def load_messages(conn: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Messages by id, as the wire shows them. Checks no rights."""
    rows: list[Any] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = tuple(ids[start : start + _CHUNK])
        marks = ",".join("?" * len(chunk))
        rows += conn.exec_driver_sql(f"SELECT {_COLUMNS} FROM message WHERE id IN ({marks})", chunk).fetchall()
    scopes = tuple({row[1] for row in rows})
    names: dict[int, str] = {}
    for start in range(0, len(scopes), _CHUNK):
        part = scopes[start : start + _CHUNK]
        marks = ",".join("?" * len(part))
        found = conn.exec_driver_sql(f"SELECT scope, id FROM conversation WHERE scope IN ({marks})", part)
        names.update((row[0], row[1]) for row in found)
    return {row[0]: _from_row(row, names[row[1]]) for row in rows}


# ---------------------------------------------------------------- read markers


def do_mark_read(tx: Tx, mine: Membership, seq: int, *, at: int | None = None) -> bool:
    """Move a person's read marker forward; never back, never past the last message. False when it stays."""
    last_seq, count = tx.raw.execute(
        "SELECT last_seq, member_count FROM conversation WHERE id = ?", (mine.conversation_id,)
    ).fetchone()
    seq = min(seq, last_seq)
    if seq <= mine.read_seq:
        return False
    n = tx.change_id()
    when = tx.now if at is None else at
    tx.raw.execute(
        "UPDATE member SET read_seq = ?, read_at = ?, read_touched = ?, own_touched = ? WHERE row = ?",
        (seq, when, n, n, mine.row),
    )
    receipt = receipt_object(mine.conversation_id, mine.person_id, mine.id, seq, when)
    tx.publish(ObjectsChanged("Receipt", n, (mine.scope,), objects=(receipt,), gather=count > GATHER_FROM))
    tx.publish(ObjectsChanged("Conversation", n, person_ids=(mine.person_id,)))
    return True


def receipt_object(
    conversation_id: str, person_id: str, id_: str, read_seq: int, read_at: int | None
) -> dict[str, Any]:
    """A Receipt as the wire shows it."""
    return {
        "id": id_,
        "conversationId": conversation_id,
        "personId": person_id,
        "readSeq": read_seq,
        "readAt": format_utc(read_at) if read_at is not None else None,
    }


def count_unread(conn: sa.Connection, scope: int, person_id: str, read_seq: int) -> tuple[int, int]:
    """(messages of others after the read marker, those among them that mention the person or all)."""
    unread = conn.exec_driver_sql(
        "SELECT count(*) FROM message WHERE scope = ? AND seq > ? AND kind <> 'system' AND (sender_id IS NULL OR sender_id <> ?)",
        (scope, read_seq, person_id),
    ).scalar_one()
    if not unread:
        return 0, 0
    mentions = conn.exec_driver_sql(
        "SELECT count(DISTINCT seq) FROM mention WHERE scope = ? AND person_id IN (?, ?) AND seq > ?"
        " AND (sender_id IS NULL OR sender_id <> ?)",
        (scope, person_id, EVERYBODY, read_seq, person_id),
    ).scalar_one()
    return int(unread), int(mentions)
