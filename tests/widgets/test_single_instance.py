"""One client per data folder, whatever the first one is doing: starting, busy, dead, or without a socket."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QDeadlineTimer
from PySide6.QtWidgets import QApplication

from desktop.app import lifecycle
from desktop.app.options import Options
from desktop.platform import single_instance
from desktop.platform.single_instance import SingleInstance

ROOT = Path(__file__).resolve().parents[2]
START = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import pytest
from PySide6.QtCore import QCoreApplication
from desktop.platform.single_instance import SingleInstance
app = QCoreApplication([])
one = SingleInstance(Path(sys.argv[1]))
print("handed over" if one.hand_over(("tongban://conversation/c1",)) else one.claim(), flush=True)
sys.stdin.read()
"""


def start(folder: Path, **env: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", START, str(folder)]
    return subprocess.Popen(
        argv, cwd=ROOT, env=os.environ | env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_first_one_that_is_long_in_starting_stays_the_only_one(tmp_path: Path, qapp: QApplication) -> None:
    """It has claimed, and turns its loop only later than a question to it takes: the second must wait, not claim."""
    first = SingleInstance(tmp_path)
    assert first.claim()
    asked: list[list[str]] = []
    first.asked.connect(asked.append)
    with start(tmp_path) as second:
        with pytest.raises(subprocess.TimeoutExpired):  # not a turn of our loop meanwhile
            second.wait(single_instance.CONNECT_MS / 1000 + 0.6)
        with ThreadPoolExecutor(1) as reader:
            answer, deadline = reader.submit(says, second), QDeadlineTimer(15_000)
            while not answer.done() and not deadline.hasExpired():
                QCoreApplication.processEvents()
            assert answer.result() == "handed over"
    assert ["tongban://conversation/c1"] in asked
    first.release()


def test_a_second_one_never_claims_what_a_living_one_has(tmp_path: Path, qapp: QApplication) -> None:
    with start(tmp_path) as first:
        assert says(first) == "True"
        assert not SingleInstance(tmp_path).claim()
        first.kill()
        assert first.stdout is not None
        assert first.stdout.read() == ""
        heir = SingleInstance(tmp_path)
        assert not heir.hand_over(())
        assert heir.claim(), "the socket that the dead one left is no obstacle"
        heir.release()


def test_without_a_socket_there_is_still_only_one(tmp_path: Path) -> None:
    """A temporary folder whose name alone is longer than a socket's may be (108 bytes, 104 on macOS)."""
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    with start(tmp_path / "data", TMPDIR=str(deep)) as first:
        assert says(first) == "True"
        assert not SingleInstance(tmp_path / "data").claim()


def test_the_sockets_name_is_short_and_one_folders_own(tmp_path: Path) -> None:
    names = {single_instance.instance_name(tmp_path / name) for name in ("a", "b", "一个很长的名字" * 30)}
    assert len(names) == 3
    assert all(len(name) <= 32 for name in names), "behind macOS's temporary folder of about 50 bytes it must fit 104"
    assert all(name.isascii() for name in names)


def test_an_installer_asks_the_running_one_to_end(tmp_path: Path, qapp: QApplication) -> None:
    """`--quit`: one runs and ends; nobody runs; one runs and does not end."""
    first = SingleInstance(tmp_path)
    assert first.claim()
    shown: list[list[str]] = []
    first.asked.connect(shown.append)
    first.end_asked.connect(first.release)
    script = "import sys; from desktop.app.lifecycle import main; sys.exit(main(sys.argv[1:]))"
    argv = [sys.executable, "-c", script, "--quit", "--data-dir", str(tmp_path)]
    with subprocess.Popen(argv, cwd=ROOT) as installer:
        deadline = QDeadlineTimer(20_000)
        while installer.poll() is None and not deadline.hasExpired():
            QCoreApplication.processEvents()
        assert installer.poll() == 0
    assert shown == [], "asked to end, it does not come to the front"
    assert lifecycle.quit_running(Options(tmp_path / "none")) == lifecycle.NOBODY
    assert not (tmp_path / "none").exists()
    assert lifecycle.quit_running(Options(tmp_path)) == lifecycle.NOBODY
    assert first.claim()
    assert SingleInstance(tmp_path).end_other(0) == "stays"
    first.release()
