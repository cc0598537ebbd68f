"""A lock belongs to a living process: others see it, wait for it, and get it when that process dies."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from build_scripts import demo_clients, locks
from desktop.platform import folder_lock

ROOT = Path(__file__).resolve().parents[3]
HOLD = """
import sys
from pathlib import Path
from build_scripts import locks
with locks.only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds tmp_path/lock until its input is closed."""
    argv = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_what_nobody_made_is_not_held(tmp_path: Path) -> None:
    assert not locks.is_held(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()


def test_a_killed_holder_holds_nothing(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    assert locks.is_held(tmp_path / "lock")
    holder.kill()
    assert holder.stdout is not None
    assert holder.stdout.read() == "", "its end, also that of the interpreter behind a starter"
    assert not locks.is_held(tmp_path / "lock")


def test_the_second_one_says_that_it_waits_and_comes_after_the_first(
    holder: subprocess.Popen[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = threading.Event()

    def wait_for_turn() -> None:
        with locks.only_one(tmp_path / "lock"):
            inside.set()

    second = threading.Thread(target=wait_for_turn)
    second.start()
    assert not inside.wait(3 * locks.POLL_SECONDS)
    assert holder.stdin is not None
    holder.stdin.close()
    assert inside.wait(20)
    second.join()
    assert "Another dev.py is at work here" in capsys.readouterr().out


def test_the_demo_knows_the_lock_of_the_client() -> None:
    """The two must not import each other, so the names are written twice."""
    assert demo_clients.LOCK_NAME == folder_lock.LOCK_NAME
    assert demo_clients.LOCK_OFFSET == folder_lock.LOCK_OFFSET
