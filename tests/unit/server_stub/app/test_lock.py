"""The lock of a data folder: one holder, given back at the end, whatever the end was."""

import multiprocessing
from pathlib import Path

import pytest

from server_stub.app.lock import DataFolderInUse, DataLock


def _hold_and_die(folder: Path) -> None:
    DataLock(folder).__enter__()


def test_only_one_holder(tmp_path: Path) -> None:
    with DataLock(tmp_path), pytest.raises(DataFolderInUse, match="in use"), DataLock(tmp_path):
        pass
    with DataLock(tmp_path):
        pass


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_hold_and_die, args=(tmp_path,))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    with DataLock(tmp_path):
        pass
