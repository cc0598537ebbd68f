"""One client per data folder: the lock tells a living one from a dead one and says which process it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from desktop.platform import folder_lock
from desktop.platform.folder_lock import LOCK_NAME, FolderLock

ROOT = Path(__file__).resolve().parents[4]
HOLD = """
import sys
from pathlib import Path
from desktop.platform.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
assert lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_gets_it_when_the_first_gave_it_back(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "new"), FolderLock(tmp_path / "new")
    assert first.acquire()
    assert first.acquire(), "still ours"
    assert not second.acquire()
    first.release()
    first.release()
    assert second.acquire()
    second.release()


def test_another_process_is_named_while_it_holds_it_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text("12345678901234567890", encoding="ascii")  # of a longer number
    argv = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        lock = FolderLock(tmp_path)
        assert not lock.acquire()
        number = int((tmp_path / LOCK_NAME).read_text(encoding="ascii"))
        # An environment's python.exe on Windows is a starter; the number is that of the interpreter itself.
        assert number == holder.pid or sys.platform == "win32"
        holder.kill()
        assert holder.stdout.read() == b"", "its end, also that of the interpreter behind a starter"
        assert lock.acquire()
        lock.release()


def test_a_folder_that_cannot_be_made_is_an_error_and_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        FolderLock(tmp_path / "file" / "data").acquire()


def test_a_disk_that_is_full_gives_the_lock_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    lock = FolderLock(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(folder_lock.os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            lock.acquire()
    assert FolderLock(tmp_path).acquire()
