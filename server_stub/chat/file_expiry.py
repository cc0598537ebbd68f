"""Files in talks of two run out by policy: the message lets its blob go and says so; what else keeps the blob keeps it.

Only files and videos, and only of conversations of two: a group's files are its own. The blob itself goes with the orphans, when no
notice, case, favorite or other message refers to it.
"""

from __future__ import annotations

from typing import Final

from server_stub.chat.attachments import DIRECT, EXPIRED
from server_stub.chat.message_rows import MESSAGE, do_put_row, load_rows
from server_stub.ids import uuid7
from server_stub.push.events import ObjectsChanged
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

BATCH: Final = 500
_DAY_MS: Final = 86_400_000


def do_expire_files(tx: Tx, older_than_ms: int) -> int:
    """Let go of what was sent before that time, at most BATCH messages; gives how many. The sender's devices and others keep what they have."""
    # The ids of messages begin with their time, as their writers' clocks had it: a day more, and the message's own time decides.
    last_id = uuid7(max(0, older_than_ms + _DAY_MS))
    found = tx.raw.execute(
        "SELECT m.id FROM blob_ref AS r JOIN message AS m ON m.id = r.object_id JOIN conversation AS c ON c.scope = m.scope"
        " WHERE r.type_name = ? AND r.object_id < ? AND m.sent_at < ? AND m.kind IN ('file', 'video') AND c.kind = 'direct'"
        " LIMIT ?",
        (MESSAGE, last_id, older_than_ms, BATCH),
    ).fetchall()
    for message in load_rows(tx.conn, [row[0] for row in found]):
        do_unrefer(tx, message.id, MESSAGE)
        attachment = message.extra.get("attachment")
        if attachment is None:
            continue
        attachment.pop(DIRECT, None)
        attachment[EXPIRED] = True
        n = do_put_row(tx, message)
        tx.publish(ObjectsChanged(MESSAGE, n, (message.scope,), objects=(message.to_object(),)))
    return len(found)
