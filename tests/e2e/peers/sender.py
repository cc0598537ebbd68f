"""A client core as a process of its own, made to be killed: encrypted store, no window, no system keychain.

usage: python -m tests.e2e.peers.sender FOLDER SERVER LOGIN PLAN, the password in TONGBAN_TEST_PASSWORD
PLAN is JSON, {conversation id: messages to send}; {} only receives. Started again over the same FOLDER it goes on with what is left.
On stdin: `network` (the system saw another network), `finish {conversation id: last seq}` (end when all of it is here). The journal tells the rest.
"""

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from desktop.core.crypto.keychain import PassphraseKeychain
from desktop.core.domain import ConnectionState
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from desktop.core.sync.outbox import EditState
from tests.helpers.kill_journal import Journal

LOOK_SHARE = 3
"""A look reads the whole outbox: this many times longer than it takes nobody looks again, so that looking does not become the work."""
BURST = 8
"""Messages of one room handed to the outbox at once, in order, before the first is on disk: what a script does, and a fast typist nearly."""
FINISH_LIMIT = 40.0


def open_keychain(folder: Path) -> PassphraseKeychain:
    """The product's keychain for machines without one, with a derivation that costs a test nothing."""
    return PassphraseKeychain(folder / "keys", "only for tests", iterations=1, memory_kib=64)


class Sender:
    """One session at work."""

    def __init__(self, session: Session, journal: Journal, login: str, plan: dict[str, int]) -> None:
        self._session = session
        self._journal = journal
        self._login = login
        self._plan = plan
        self._changed = asyncio.Event()
        self._tops: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Until `finish` came and everything is here."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop,), daemon=True).start()
        with self._session.events.subscribe(lambda _: self._changed.set()):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tell_online(), name="online")
                for room, count in self._plan.items():
                    tasks.create_task(self._talk(room, count), name="talk")
                tasks.create_task(self._follow(), name="follow")
            tops = await self._tops
            async with asyncio.timeout(FINISH_LIMIT):
                while not await self._holds(tops):
                    self._changed.clear()
                    await self._changed.wait()

    async def _tell_online(self) -> None:
        await self._session.wait_until(ConnectionState.LIVE, synced=True)
        self._journal.write("O")

    async def _talk(self, room: str, count: int) -> None:
        """Queues what is left for one room; the order in which the outbox is asked is the order of sending."""
        ledger = self._journal.ledger
        while (left := count - ledger.per_room[room]) > 0:
            first = ledger.intended.get(room, 0) + 1
            numbers = range(first, first + min(left, BURST))
            self._journal.write(f"I {room} {numbers[-1]}")
            async with asyncio.TaskGroup() as tasks:  # they start in the order in which they are made
                for number in numbers:
                    tasks.create_task(self._send(room, number), name="send")

    async def _send(self, room: str, number: int) -> None:
        message = await self._session.chat.send_text(room, f"{self._login} {number}")
        self._journal.write(f"A {room} {number} {message.id}")

    async def _follow(self) -> None:
        """Notes what the outbox let go of."""
        ledger, loop = self._journal.ledger, asyncio.get_running_loop()
        while True:
            self._changed.clear()
            waiting, began = ledger.open, loop.time()
            edits = await self._session.outbox.edits()
            lines = [f"R {edit.object_id} {edit.code}" for edit in edits if edit.state is EditState.REFUSED]
            lines += [f"S {message_id}" for message_id in sorted(waiting - {edit.object_id for edit in edits})]
            if lines:
                self._journal.write(*lines, durable=True)
            if not edits and not ledger.open and all(ledger.per_room[r] >= n for r, n in self._plan.items()):
                break
            await asyncio.sleep(LOOK_SHARE * (loop.time() - began))
            await self._changed.wait()
        self._journal.write("D")

    async def _holds(self, tops: dict[str, int]) -> bool:
        """Whether the client itself says that all of it is here. Asks nobody: a question would fetch what is missing."""
        status = self._session.status
        if status.state is not ConnectionState.LIVE or status.syncing:
            return False
        held = {conversation.id: conversation.last_seq for conversation in await self._session.chat.conversations()}
        return all(held.get(room) == top for room, top in tops.items())

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        for line in sys.stdin:
            order, _, rest = line.strip().partition(" ")
            if order == "network":
                loop.call_soon_threadsafe(self._session.network_changed)
            elif order == "finish":
                loop.call_soon_threadsafe(self._tops.set_result, json.loads(rest))
        os._exit(4)  # the test is gone


async def enter(client: Client, journal: Journal, server: str, login: str) -> Session:
    """As a window would: the remembered account, or the password where that does not do any more."""
    remembered = [account for account in client.accounts() if account.remembered]
    if remembered:
        session = await client.resume(remembered[0])
        states: asyncio.Queue[None] = asyncio.Queue()
        with session.events.subscribe(lambda _: states.put_nowait(None)):
            while session.status.state in (ConnectionState.IDLE, ConnectionState.CONNECTING):
                await states.get()
        if session.status.state is not ConnectionState.FAILED:
            return session
        await session.close()
    session = await client.sign_in(server, login, os.environ["TONGBAN_TEST_PASSWORD"], remember=True)
    journal.write("P")
    return session


async def main(folder: Path, server: str, login: str, plan: dict[str, int]) -> None:
    """Signs in or goes on, sends, receives, ends on order."""
    journal = Journal(folder / "journal")
    async with await Client.open(folder / "data", keychain=open_keychain(folder)) as client:
        session = await enter(client, journal, server, login)
        await Sender(session, journal, login, plan).run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], json.loads(sys.argv[4])))
