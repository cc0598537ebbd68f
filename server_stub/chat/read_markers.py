"""Read markers: how far each member has read, and what is unread for it."""

from typing import Any

import sqlalchemy as sa

from server_stub.chat.conversations import GATHER_FROM, Membership
from server_stub.clock import format_utc
from server_stub.push.events import ObjectsChanged
from server_stub.storage.database import Tx

EVERYBODY = "all"


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
    """(messages of others after the read marker, those among them that mention the person or all); none that were recalled."""
    unread = conn.exec_driver_sql(
        "SELECT count(*) FROM message WHERE scope = ? AND seq > ? AND kind <> 'system' AND (sender_id IS NULL OR sender_id <> ?)",
        (scope, read_seq, person_id),
    ).scalar_one()
    if not unread:
        return 0, 0
    unread -= conn.exec_driver_sql(
        "SELECT count(*) FROM recalled_message WHERE scope = ? AND seq > ? AND (sender_id IS NULL OR sender_id <> ?)",
        (scope, read_seq, person_id),
    ).scalar_one()
    mentions = conn.exec_driver_sql(
        "SELECT count(DISTINCT seq) FROM mention WHERE scope = ? AND person_id IN (?, ?) AND seq > ?"
        " AND (sender_id IS NULL OR sender_id <> ?)",
        (scope, person_id, EVERYBODY, read_seq, person_id),
    ).scalar_one()
    return int(unread), int(mentions)
