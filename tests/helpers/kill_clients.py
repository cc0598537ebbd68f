"""Client processes (tests/e2e/peers/sender.py) that a test starts, kills and starts again over one data folder; and what their stores hold at the end."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from desktop.core.domain import ConnectionState, Delivery, Message
from desktop.core.services.client import Client
from tests.e2e.peers.sender import open_keychain
from tests.helpers.kill_journal import JournalReader, Ledger
from tests.helpers.kill_verdict import Row
from tests.helpers.live_server import PASSWORD, ROOT

LOOK_EVERY = 0.005
PAGE = 500


class ClientProcess:
    """One device. As a context it is killed at the end if it still runs."""

    def __init__(self, folder: Path, login: str, plan: dict[str, int]) -> None:
        folder.mkdir()
        self.folder = folder
        self.login = login
        self.kills = 0
        self._plan = plan
        self._reader = JournalReader(folder / "journal")
        self._process: subprocess.Popen[str] | None = None
        self._server = ""

    @property
    def ledger(self) -> Ledger:
        """What it told up to now."""
        return self._reader.read()

    def start(self, server: str) -> "ClientProcess":
        """Starts it, over what an earlier life left behind."""
        self._server = server
        command = [sys.executable, "-m", "tests.e2e.peers.sender", str(self.folder), server, self.login]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [*command, json.dumps(self._plan)],
                cwd=ROOT,
                env={**os.environ, "TONGBAN_TEST_PASSWORD": PASSWORD},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
            )
        return self

    def kill(self) -> None:
        """kill -9. Fails when it had ended by itself: then nothing was interrupted."""
        assert self._process is not None
        self.check()
        self._process.kill()
        self._process.wait(10)
        self.kills += 1
        if self._process.stdin is not None:
            self._process.stdin.close()

    def restart(self) -> None:
        """kill -9, and the next life at once."""
        self.kill()
        self.start(self._server)

    def check(self) -> None:
        """Fails with its log when it ended by itself."""
        assert self._process is not None
        assert self._process.poll() is None, f"{self.login} ended with {self._process.returncode}:\n{self.log()}"

    def tell(self, line: str) -> None:
        """One order on its stdin."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def wait_for_end(self, seconds: float) -> None:
        """Waits until it ends as it should."""
        assert self._process is not None
        code = self._process.wait(seconds)
        assert code == 0, f"{self.login} ended with {code}:\n{self.log()}"

    def log(self) -> str:
        """The end of what it printed."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def __enter__(self) -> "ClientProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait(10)
            if self._process.stdin is not None and not self._process.stdin.closed:
                self._process.stdin.close()


def wait_for(
    true: Callable[[], bool], what: str, clients: Sequence[ClientProcess] = (), *, seconds: float = 60.0
) -> None:
    """Looks every few milliseconds (a kill must come in the middle of things); fails when time is up or a client ended."""
    deadline = time.monotonic() + seconds
    while not true():
        for client in clients:
            client.check()
        told = {client.login: len(client.ledger.acknowledged) for client in clients}
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}; acknowledged {told}"
        time.sleep(LOOK_EVERY)


def load_held(folder: Path, rooms: Sequence[str]) -> dict[str, list[Row]]:
    """What the encrypted store of a device holds, read as a user would with the cable out: the server must be gone."""
    return asyncio.run(_load_held(folder, rooms))


async def _load_held(folder: Path, rooms: Sequence[str]) -> dict[str, list[Row]]:
    async with await Client.open(folder / "data", keychain=open_keychain(folder)) as client:
        session = await client.resume(client.accounts()[0])
        found: dict[str, list[Row]] = {}
        for room in rooms:
            page = await session.chat.window(room, limit=PAGE)
            messages: list[Message] = list(page.messages)
            while page.has_older:
                page = await session.chat.older(room, messages[0].seq, limit=PAGE)
                assert page.messages, f"the store says there is more before {messages[0].seq}, and has nothing"
                messages[:0] = page.messages
            assert {message.delivery for message in messages} <= {Delivery.SENT}
            found[room] = [Row(m.id, m.seq, m.sender_id, m.text) for m in messages]
        assert session.status.state is not ConnectionState.LIVE, "the server is still there: this proves nothing"
        assert await session.outbox.edits() == []
        return found
