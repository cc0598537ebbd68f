"""Coming back to 100,000 changes: seconds from the start of the client until all of them are in its encrypted, searchable store, and the UI's longest pause.

The real client beside a real server over TLS, nothing shared but the machine. Beside it a bare loop that decodes and inserts the same rows into the same
tables with the same cipher. Linux only (Xvfb). `--messages N`.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from build_scripts.bench import office
from build_scripts.bench.coldstart import text_of
from build_scripts.bench.figures import cpu_seconds
from build_scripts.desktop_session import DesktopSession
from build_scripts.environment import ROOT
from build_scripts.progress import Step

MESSAGES, BATCH = 100_000, 5_000
PRAGMAS = (("locking_mode", "exclusive"), ("journal_mode", "wal"), ("synchronous", "normal"), ("temp_store", "memory"))
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
                seconds, pause = _client_is_live(session, running, folder, options.messages)
                step.note(f"{seconds:.1f} s")
        bare = _bare(options.messages)
    rate = options.messages / seconds
    return {
        "messages": options.messages,
        "client": {"s": round(seconds, 1), "per_s": round(rate), "longest_pause_of_the_ui_ms": round(pause, 1)},
        "reference: bare decode and insert": {"per_s": round(bare)},
        "share_of_the_bare_loop": round(rate / bare, 2),
    }


# ---------------------------------------------------------------- the client
def _client_is_live(
    session: DesktopSession, running: office.Office, folder: Path, messages: int
) -> tuple[float, float]:
    """Starts it until it holds all: seconds from being connected, and the UI's longest pause meanwhile."""
    from tests.helpers.remote_client import RemoteClient

    client = RemoteClient(session, office.LOGIN, folder / "home")
    address = f"https://127.0.0.1:{running.port}"
    client.start("--server", address, "--ca", running.authority, "--sign-in", office.LOGIN, password=PASSWORD)
    try:
        client.until(lambda: client.probe("usable_at") or not messages, "the window", START_S)
        begun = time.monotonic()
        client.probe("longest_pause_ms")
        pause = 0.0

        def whole() -> bool:
            nonlocal pause
            since = client.probe("longest_pause_ms")
            if time.monotonic() - begun > STARTING_S:  # before, the window loads its parts, as every start does
                pause = max(pause, since)
            if client.probe("status") != "live" or client.probe("syncing"):
                return False
            held = client.probe("conversations")
            return bool(held) and held[0]["last"] >= messages

        client.until(whole, "everything is here", CATCH_UP_S)
        assert client.process is not None
        seconds = _quiet_since(client.process.pid, time.monotonic()) - begun  # until the search knows it too
        pause = max(pause, client.probe("longest_pause_ms"))
        assert client.quit() == 0
    finally:
        client.drop()
    if messages:
        held = held_messages(session, folder / "home" / "data")
        if held < messages:
            raise RuntimeError(f"the store holds {held} of {messages} messages")
    return seconds, pause


def _quiet_since(pid: int, since: float) -> float:
    """When the process came to rest; `since` when it did nothing for a while from then on."""
    used = cpu_seconds(pid) or 0.0
    deadline = time.monotonic() + CATCH_UP_S
    while time.monotonic() < deadline:
        time.sleep(REST_S)
        now = cpu_seconds(pid) or 0.0
        if now - used < 0.05 * REST_S:
            return since
        used, since = now, time.monotonic()
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
    from server_stub.chat.messages import Draft, do_send
    from server_stub.storage.database import Tx

    sender = running.people[1].id
    now = time.time_ns() // 1_000_000
    for first in range(0, count, BATCH):

        def write(tx: Tx, first: int = first) -> None:
            for number in range(first, min(first + BATCH, count)):
                do_send(
                    tx, sender, running.group, f"k{number}", Draft("text", text_of(number)), at=now - count + number
                )

        running.write(write)


def _bare(count: int) -> float:
    """Rows a second: wire text decoded, packed, inserted with its words for the search, in transactions of a page of /changes."""
    import apsw
    import msgspec

    from desktop.core.domain import Message, MessageKind
    from desktop.core.store.schema import MIGRATIONS
    from desktop.core.store.search_text import index_text
    from desktop.core.sync.puller import CHANGES_PAGE

    wire = [
        msgspec.json.encode(
            Message(f"m{number}", "c1", MessageKind.TEXT, text_of(number), number + 1, "p1", 1_700_000_000_000 + number)
        )
        for number in range(count)
    ]
    with tempfile.TemporaryDirectory() as folder:
        db = apsw.Connection(str(Path(folder) / "bare.db"))
        for name, value in (("cipher", "chacha20"), ("key", "raw:" + os.urandom(32).hex()), *PRAGMAS):
            db.pragma(name, value)
        for script in MIGRATIONS:
            db.execute(script)
        decode, pack = msgspec.json.Decoder(Message).decode, msgspec.json.Encoder().encode
        begun = time.monotonic()
        for page in _pages(wire, CHANGES_PAGE):
            with db:
                for raw in page:
                    one = decode(raw)
                    row = (1, one.seq, one.sent_at << 20, one.id, pack(one))
                    db.execute("INSERT INTO message(conversation, seq, moment, id, data) VALUES(?, ?, ?, ?, ?)", row)
                    db.execute("INSERT INTO message_text(rowid, text) VALUES(?, ?)", (row[2], index_text(one.text)))
        seconds = time.monotonic() - begun
        db.close()
    return count / seconds


def _pages(rows: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    for start in itertools.count(0, size):
        if start >= len(rows):
            return
        yield rows[start : start + size]
