"""Forgets what nobody needs to be told any more: closed intervals older than the kept log of changes."""

from __future__ import annotations

import logging

from server_stub.chat.conversations import do_forget_stays_before
from server_stub.records.visibility import do_forget_before
from server_stub.storage.changemarks import change_before, do_drop_marks_before, do_mark_change
from server_stub.storage.database import Tx

log = logging.getLogger("tongban.app")


def do_trim_changes(tx: Tx, older_than_ms: int) -> bool:
    """Mark the time, then forget changes made before `older_than_ms`: older states answer cannotCalculateChanges. False: nothing to do."""
    do_mark_change(tx)
    n = change_before(tx.conn, older_than_ms)
    (start,) = tx.raw.execute("SELECT value FROM counter WHERE name = 'log_start'").fetchone()
    if n is None or n <= start:
        return False
    do_forget_before(tx, n)
    do_forget_stays_before(tx, n)
    do_drop_marks_before(tx, older_than_ms)
    log.info("changes up to %d are forgotten", n)
    return True
