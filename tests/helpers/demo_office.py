"""The demo office, filled in once a test run: the first worker that wants it makes it, the others wait and copy it."""

import asyncio
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from server_stub.accounts.passwords import Passwords
from server_stub.app.demo import fill_demo_office
from server_stub.app.layout import DataLayout
from server_stub.chat.handlers import chat_handlers
from server_stub.chat.messages import do_post_system
from server_stub.clock import Clock, FixedClock, SystemClock
from server_stub.modules.engine.office import Office
from server_stub.records.handler import RecordHandler
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Database

LOGIN, PASSWORD = "linyuan", "tongban-demo"
WAIT_SECONDS = 180.0  # on a loaded machine
POLL_SECONDS = 0.1


@dataclass
class FilledOffice:
    """What `fill_demo_office` asks of a server, over a folder laid out as a server's."""

    database: Database
    blobs: BlobStore
    passwords: Passwords
    clock: Clock
    handlers: dict[str, RecordHandler]

    def close(self) -> None:
        """The files are at rest."""
        self.passwords.close()
        self.database.close_now()


def open_office(folder: Path, clock: Clock) -> FilledOffice:
    """Opens (or makes) the database of a folder, with the handlers of all modules."""
    layout = DataLayout(folder)
    database = Database.open(layout.database, clock=clock)
    blobs = BlobStore(layout.blobs, database)
    office = Office(database, clock, blobs, do_post_system)
    handlers: list[RecordHandler] = [*office.handlers, *chat_handlers(blobs)]
    return FilledOffice(database, blobs, Passwords(memory_kib=64, rounds=1), clock, {one.name: one for one in handlers})


def copy_demo_office(factory: pytest.TempPathFactory, folder: Path) -> tuple[float, int]:
    """Puts a copy of the demo office into a new folder; answers the seconds of processor time that making it took, and its now (ms)."""
    base = factory.getbasetemp()
    held = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo-office"
    told = held.with_name("demo-office.seconds")
    try:
        held.mkdir()
    except FileExistsError:
        _wait_for(told)
    else:
        _fill(held, told)
    words = told.read_text("utf-8").split()
    if not words:
        raise RuntimeError("another worker could not make the demo office")
    shutil.copytree(held, folder)
    return float(words[0]), int(words[1])


def _fill(folder: Path, told: Path) -> None:
    words = ""
    now = SystemClock().now_ms()
    started = time.process_time()
    try:
        office = open_office(folder, FixedClock(now))
        try:
            asyncio.run(fill_demo_office(office))
        finally:
            office.close()
        words = f"{time.process_time() - started} {now}"
    finally:
        fresh = told.with_suffix(".new")
        fresh.write_text(words, "utf-8")
        fresh.rename(told)


def _wait_for(path: Path) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError("the demo office of another worker")
        time.sleep(POLL_SECONDS)
