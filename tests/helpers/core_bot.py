"""A client as a process of its own, to be killed: signs in (or resumes), writes numbered messages, prints each once its verb has returned."""

import asyncio
import sys
from pathlib import Path

from desktop.core.crypto.keychain import PassphraseKeychain
from desktop.core.services.client import Client
from tests.helpers.core_server import PASSWORD


async def main(folder: Path, server: str, login: str, peer: str, first: int, last: int) -> None:
    """Writes messages `first` to `last` to `peer`, then waits until all are sent."""
    keychain = PassphraseKeychain(folder / "keys", "test", iterations=1, memory_kib=64)
    async with await Client.open(folder, keychain=keychain) as client:
        known = client.accounts()
        session = await (client.resume(known[0]) if known else client.sign_in(server, login, PASSWORD, remember=True))
        async with asyncio.timeout(30):
            await session.wait_until(synced=True)
        person = next(p for p in await session.directory.people() if p.login == peer)
        room = await session.chat.open_direct(person.id)
        for number in range(first, last):
            await session.chat.send_text(room.id, f"bot {number}")
            print(number, flush=True)
        async with asyncio.timeout(60):
            while await session.outbox.pending():
                await asyncio.sleep(0.05)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6])))
