"""One process per data folder: a lock that the system gives back by itself when the process ends, however it ends.

The file client.lock holds the process's number for whoever wants to end it (build_scripts/demo_clients.py).
"""

import os
import sys
from pathlib import Path

LOCK_NAME = "client.lock"
LOCK_OFFSET = 1 << 20  # behind the number: Windows lets nobody read what is locked


class FolderLock:
    """The lock of one data folder; not held at first."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Takes the lock; True also when it is ours already. False while another process holds it.

        Raises:
            OSError: the file cannot be made, or its file system knows no locks.
        """
        if self._descriptor is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            taken = _take(descriptor)
            if taken:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, str(os.getpid()).encode("ascii"))
        except OSError:
            os.close(descriptor)
            raise
        if taken:
            self._descriptor = descriptor
        else:
            os.close(descriptor)
        return taken

    def release(self) -> None:
        """Gives the lock back; the file stays, so that nobody locks a deleted one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        os.lseek(descriptor, LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:  # EACCES by the book; Wine gives no number
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
