"""Coming back to 100,000 changes: seconds from the start of the client until all of them are in its encrypted, searchable store, and the UI's longest pause.

The real client beside a real server over TLS, nothing shared but the machine. Beside it a bare loop that inserts the rows which the store holds in the end,
words of the search among them, into the same tables with the same cipher; and one that also makes them from the wire's text. Linux only (Xvfb).
`--messages N`.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from build_scripts.bench import office
from build_scripts.bench.coldstart import text_of
from build_scripts.bench.figures import cpu_seconds
from build_scripts.desktop_session import DesktopSession
from build_scripts.environment import ROOT
from build_scripts.progress import Step

MESSAGES, BATCH = 100_000, 2_000
PRAGMAS = (
    ("locking_mode", "exclusive"),
    ("journal_mode", "wal"),
    ("synchronous", "normal"),
    ("cache_size", -16384),
    ("temp_store", "memory"),
)
"""As store/sqlite.py sets them."""
PASSWORD = "a password for the bench"
START_S, CATCH_UP_S, REST_S = 60.0, 900.0, 0.5
STARTING_S = 1.5


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Messages a second into the store, their share of the bare loop, the longest pause of the UI in ms."""
    parser = argparse.ArgumentParser(prog="bench catchup")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    options = parser.parse_args(list(argv))
    with tempfile.TemporaryDirectory(prefix="tongban-catchup-") as name:
        folder = Path(name)
        running = office.Office(folder / "office", people=2, group=True, password=PASSWORD)
        with DesktopSession(tray="xembed", notifications="none", keyring=True) as session:
            with running, Step("the client knows the office"):
                _client_is_live(session, running, folder, 0)
            with Step("messages while it is away"):
                _write_messages(running, options.messages)
            with running, Step("it comes back") as step:
                seconds, pause, used = _client_is_live(session, running, folder, options.messages)
                step.note(f"{seconds:.2f} s")
        bare, making = _bare(options.messages)
    rate = options.messages / seconds
    return {
        "messages": options.messages,
        "client": {
            "s": round(seconds, 2),
            "per_s": round(rate),
            "longest_pause_of_the_ui_ms": round(pause, 1),
            "cpu_us_per_message": round(used / options.messages * 1e6, 1),
        },
        "reference: bare insert of the same rows": {"per_s": round(bare)},
        "share_of_the_bare_loop": round(rate / bare, 2),
        "reference: decode, make the words, insert": {"per_s": round(making)},
        "share_of_that": round(rate / making, 2),
    }


# ---------------------------------------------------------------- the client
def _client_is_live(
    session: DesktopSession, running: office.Office, folder: Path, messages: int
) -> tuple[float, float, float]:
    """Starts it until it holds all: seconds from being connected until all is in its store, the UI's longest pause meanwhile in ms, processor seconds of it."""
    from tests.helpers.remote_client import RemoteClient

    client = RemoteClient(session, office.LOGIN, folder / "home")
    address = f"https://127.0.0.1:{running.port}"
    client.start("--server", address, "--ca", running.authority, "--sign-in", office.LOGIN, password=PASSWORD)
    try:
        client.until(lambda: client.probe("usable_at") or not messages, "the window", START_S)
        assert client.process is not None
        used, begun = cpu_seconds(client.process.pid) or 0.0, time.monotonic()
        client.probe("longest_pause_ms")
        pause = 0.0

        def whole() -> list[int] | None:
            nonlocal pause
            since = client.probe("longest_pause_ms")
            if time.monotonic() - begun > STARTING_S:  # before, the window loads its parts, as every start does
                pause = max(pause, since)
            live, done = client.probe("caught_up")
            if live is None or done is None:
                return None
            held = client.probe("conversations")
            return [live, done] if held and held[0]["last"] >= messages else None

        times = client.until(whole, "everything is here", CATCH_UP_S)
        assert times is not None
        live, done = times
        used = (cpu_seconds(client.process.pid) or 0.0) - used
        _wait_for_rest(client.process.pid)  # the last few are indexed behind: they must be, before it ends
        pause = max(pause, client.probe("longest_pause_ms"))
        assert client.quit() == 0
    finally:
        client.drop()
    if messages:
        held = held_messages(session, folder / "home" / "data")
        if held < messages:
            raise RuntimeError(f"the store holds {held} of {messages} messages")
    return (done - live) / 1000, pause, used


def _wait_for_rest(pid: int) -> None:
    used = cpu_seconds(pid) or 0.0
    deadline = time.monotonic() + CATCH_UP_S
    while time.monotonic() < deadline:
        time.sleep(REST_S)
        now = cpu_seconds(pid) or 0.0
        if now - used < 0.05 * REST_S:
            return
        used = now
    raise RuntimeError("the client does not come to rest")


def held_messages(session: DesktopSession, data: Path) -> int:
    """Messages in the store that can be searched, counted in a process on the session's bus: its keychain holds the key."""
    argv = [sys.executable, "-c", "from build_scripts.bench.catchup import count; count()", str(data)]
    return int(subprocess.run(argv, cwd=ROOT, env=session.env, check=True, capture_output=True, text=True).stdout)


def count() -> None:
    """`count DATA` as a process of its own."""
    import msgspec

    from desktop.core.crypto.keychain import system_keychain
    from desktop.core.crypto.keys import subkey
    from desktop.core.store.sqlite import SqliteStore

    data = Path(sys.argv[1])
    known = msgspec.json.decode((data / "accounts.json").read_bytes())
    keychain, me = system_keychain(), known["accounts"][0]["id"]
    assert keychain is not None
    key = keychain.load(f"{known['install']}/account/{me}")
    assert key is not None
    store = SqliteStore.open(next((data / "accounts").glob("*/store.db")), subkey(key, "store"), me)
    rows = store._run("SELECT count(*) FROM message WHERE moment NOT IN (SELECT moment FROM to_index)")
    sys.stdout.write(f"{rows[0][0]}\n")
    store.close()


# ---------------------------------------------------------------- the messages
def _write_messages(running: office.Office, count: int) -> None:
    """Each a change of its own, as if it had been sent alone."""
    from server_stub.app.layout import DataLayout
    from server_stub.chat.messages import Draft, do_send
    from server_stub.clock import SystemClock
    from server_stub.ids import uuid7
    from server_stub.storage.database import Database, Tx

    sender = running.people[1].id
    now = time.time_ns() // 1_000_000

    def send(tx: Tx, number: int) -> None:
        at = now - count + number
        do_send(tx, sender, running.group, uuid7(at), Draft("text", text_of(number)), at=at)

    async def write() -> None:
        database = Database.open(DataLayout(running.folder).database, clock=SystemClock())
        try:
            for first in range(0, count, BATCH):
                numbers = range(first, min(first + BATCH, count))
                await asyncio.gather(*(database.write(lambda tx, one=one: send(tx, one)) for one in numbers))  # type: ignore[misc]
        finally:
            await database.close()

    asyncio.run(write())


# ---------------------------------------------------------------- the reference
def _bare(count: int) -> tuple[float, float]:
    """Rows a second of a loop that inserts what the store holds after a catch-up, and of one that makes it from the wire's text before."""
    import msgspec

    from desktop.core.domain import Message, MessageKind
    from desktop.core.store.message_search import indexed
    from desktop.core.store.moments import moment_of
    from server_stub.ids import uuid7

    now, room, sender = time.time_ns() // 1_000_000, uuid7(0), uuid7(1)
    wire: list[bytes] = []
    for number in range(count):
        at = now - count + number
        one = Message(uuid7(at), room, MessageKind.TEXT, text_of(number), number + 1, sender, at)
        wire.append(msgspec.json.encode(one))
    decode, pack = msgspec.json.Decoder(Message).decode, msgspec.json.Encoder().encode

    def row(raw: bytes) -> Row:
        one = decode(raw)
        return (1, one.seq, moment_of(one), one.id, pack(one)), indexed(one, 1)

    rows = [row(raw) for raw in wire]
    return _inserting(rows, lambda made: made), _inserting(wire, row)


Row = tuple[tuple[int, int, int, str, bytes], str]
"""Of `message`, and the words of `message_text`."""
Source = TypeVar("Source")


def _inserting(source: Sequence[Source], row: Callable[[Source], Row]) -> float:
    """Rows a second into a fresh encrypted file with the store's schema and settings, in transactions of a page of the sync."""
    import apsw

    from desktop.core.store.schema import MIGRATIONS
    from desktop.core.sync.puller import MOST_CHANGES

    with tempfile.TemporaryDirectory() as folder:
        db = apsw.Connection(str(Path(folder) / "bare.db"))
        for name, value in (("cipher", "chacha20"), ("key", "raw:" + os.urandom(32).hex()), *PRAGMAS):
            db.pragma(name, value)
        for script in MIGRATIONS:
            db.execute(script)
        begun = time.monotonic()
        for start in range(0, len(source), MOST_CHANGES):
            with db:
                for one in source[start : start + MOST_CHANGES]:
                    values, words = row(one)
                    db.execute("INSERT INTO message(conversation, seq, moment, id, data) VALUES(?, ?, ?, ?, ?)", values)
                    db.execute("INSERT INTO message_text(rowid, text) VALUES(?, ?)", (values[2], words))
        seconds = time.monotonic() - begun
        db.close()
    return len(source) / seconds
