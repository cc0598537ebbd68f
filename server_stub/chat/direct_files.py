"""Files that two clients passed to each other in the office network: noted here, so that a message may carry what the server never had.

Nothing here gives anybody a blob: a row says that this sender's file reached this receiver, and lets the sender's message name it. Who
reads it from the server is decided by the blob's references alone, and one is made only once the sender has proved to have the content.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from server_stub.audit.chain import do_record
from server_stub.chat.attachments import DIRECT
from server_stub.chat.conversations import load_memberships
from server_stub.chat.message_rows import MESSAGE, do_put_row, load_row
from server_stub.push.events import ObjectsChanged
from server_stub.records.actor import Actor
from server_stub.records.visibility import fetch_rows
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Tx
from server_stub.storage.schema import metadata

direct_file: Final = sa.Table(
    "direct_file",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("conversation_id", sa.Text, nullable=False),
    sa.Column("sender_id", sa.Text, nullable=False),
    sa.Column("receiver_id", sa.Text, nullable=False),
    sa.Column("blob_id", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("message_id", sa.Text, nullable=True),
    sa.Index("direct_file_blob", "blob_id", "sender_id"),
)


def find_peer(conn: sa.Connection, conversation_id: str, person_id: str) -> str | None:
    """The other one of a conversation of two; None: it is another kind, or not this person's."""
    kind = fetch_rows(conn, "SELECT kind FROM conversation WHERE id = ?", (conversation_id,))
    if not kind or kind[0][0] != "direct":
        return None
    people = [one.person_id for one in load_memberships(conn, conversation_id)]
    others = [one for one in people if one != person_id]
    return others[0] if person_id in people and len(others) == 1 else None


def do_note_direct(
    tx: Tx, id_: str, conversation_id: str, sender_id: str, receiver_id: str, blob_id: str, size: int, type_: str
) -> None:
    """A file reached its receiver, who says that it is what its name says."""
    tx.raw.execute(
        "INSERT INTO direct_file(id, conversation_id, sender_id, receiver_id, blob_id, size, type, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (id_, conversation_id, sender_id, receiver_id, blob_id, size, type_, tx.now),
    )


def do_audit_direct(tx: Tx, id_: str, sender_id: str, details: dict[str, Any]) -> None:
    """Every transfer that began leaves its line, however it ended. `details`: ids, counts and hashes."""
    do_record(tx, sender_id, "file.direct", id_, details)


def do_name_direct(
    tx: Tx, sender_id: str, conversation_id: str, blob_id: str, message_id: str
) -> tuple[int, str] | None:
    """The sender's message carries a file that was passed in this conversation: its size and type; None when none was."""
    row = tx.raw.execute(
        "SELECT id, size, type FROM direct_file WHERE blob_id = ? AND sender_id = ? AND conversation_id = ?"
        " AND (message_id IS NULL OR message_id = ?) ORDER BY at DESC LIMIT 1",
        (blob_id, sender_id, conversation_id, message_id),
    ).fetchone()
    if row is None:
        return None
    tx.raw.execute("UPDATE direct_file SET message_id = ? WHERE id = ?", (message_id, row[0]))
    return row[1], row[2]


def do_keep_direct(tx: Tx, blobs: BlobStore, actor: Actor, id_: str) -> bool:
    """The sender has brought the content to the server after all: whoever reads the message reads the file.

    False: it is not this person's. Raises SetError blobNotFound while the server does not know that the sender has the content.
    """
    row = tx.raw.execute("SELECT sender_id, blob_id, message_id FROM direct_file WHERE id = ?", (id_,)).fetchone()
    if row is None or row[0] != actor.person_id:
        return False
    message = load_row(tx.conn, row[2]) if row[2] is not None else None
    attachment = message.extra.get("attachment") if message is not None else None
    if message is None or attachment is None or DIRECT not in attachment:
        return True  # not sent yet (it will find the blob), recalled, expired, or kept already
    blobs.do_refer(tx, row[1], message.id, MESSAGE, actor)
    del attachment[DIRECT]
    n = do_put_row(tx, message)
    tx.publish(ObjectsChanged(MESSAGE, n, (message.scope,), objects=(message.to_object(),)))
    return True
