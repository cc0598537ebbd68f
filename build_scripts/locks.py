"""Lock files that the system gives back by itself when their holder ends, however it ends. Standard library only."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

POLL_SECONDS = 0.1


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Holds a lock file, so that two dev.py started together do not do the same thing over each other; waits for its turn."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _take(descriptor, 0):
            print(f"  Another dev.py is at work here; waiting for it ({path}) …", flush=True)
            while not _take(descriptor, 0):
                time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path, offset: int = 0) -> bool:
    """True while a living process holds the lock of this file. `offset`: the byte that is locked, where bytes are (Windows)."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _take(descriptor, offset)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int, offset: int) -> bool:
        os.lseek(descriptor, offset, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _take(descriptor: int, offset: int) -> bool:  # no offset: the file is locked as a whole
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
