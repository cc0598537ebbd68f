"""The write-ahead log of the database: made as long as it gets before anybody waits for it, and folded into the file beside the writer.

A commit that makes the log longer waits for the file system's own journal too, and one that folds it in waits for two more syncs: neither is for
those who send a message just then.
"""

import logging
import os
import sqlite3
import threading
from pathlib import Path
from typing import Final

log = logging.getLogger("tongban.storage")

EVERY: Final = 150
"""Writes between two foldings: some 750 pages of the log."""
FALL_BACK: Final = 8000
"""Pages of the log after which the writer folds it in itself: without a gap between writes nobody else comes to an end with it."""
GROWN: Final = 1200
"""Pages the log is made long at the start."""


class Checkpoints:
    """A thread with a connection of its own. `note` from the writer's thread."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._writes = 0
        self._news = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="db-checkpoint", daemon=True)
        self._thread.start()

    def note(self, writes: int) -> None:
        """So many writes are in the log."""
        self._writes += writes
        if self._writes >= EVERY:
            self._writes = 0
            self._news.set()

    def _run(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            if self._ending:
                return
            try:
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error as problem:
                log.warning("the log could not be folded in; the writer will: %s", problem)

    def close(self) -> None:
        """Ends after what is under way."""
        self._ending = True
        self._news.set()
        self._thread.join()
        self._db.close()


def grow_log(path: Path) -> None:
    """Make the log of an open database as long as it usually gets; changes nothing. Blocking, some 20 ms. Raises sqlite3.Error."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = OFF")  # nobody needs what is written
        db.execute("PRAGMA wal_autocheckpoint = 0")
        for number in range(GROWN):  # a row that stays the same would not be written at all
            db.execute("INSERT OR REPLACE INTO counter(name, value) VALUES ('scratch', ?)", (number,))
        db.execute("DELETE FROM counter WHERE name = 'scratch'")
        db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
    finally:
        db.close()
    with open(f"{path}-wal", "r+b") as file:
        os.fsync(file.fileno())
