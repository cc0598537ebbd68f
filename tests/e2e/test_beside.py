"""Two accounts at the same time, each in a process of its own: both are there for a colleague, the second comes back with the first, --quit ends both."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from build_scripts.environment import ROOT
from desktop.app.beside import is_running
from desktop.core.crypto.keychain import MemoryKeychain, PassphraseKeychain
from desktop.core.domain import Presence
from desktop.core.services.client import Client
from tests.helpers.core_server import PASSWORD, ServerProcess

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SECRET = "correct horse"
LIMIT = 60.0


async def remember(server: ServerProcess, folder: Path, login: str) -> None:
    """Signs in once, as a user who lets the client remember it."""
    keychain = PassphraseKeychain(folder / "keychain.sealed", SECRET)
    async with await Client.open(folder, keychain=keychain) as client:
        await client.sign_in(server.address, login, PASSWORD, remember=True)


async def both_seen(server: ServerProcess, folder: Path, wanted: bool) -> None:
    """Waits until a colleague sees Anna and Ben there, or neither."""
    async with await Client.open(folder, keychain=MemoryKeychain()) as client:
        session = await client.sign_in(server.address, "cara", PASSWORD, remember=False)
        async with asyncio.timeout(LIMIT):
            await session.wait_until(synced=True)
            named = {person.id: person.name for person in await session.directory.people()}
            while True:
                here = {
                    named.get(who) for who, how in session.presence.everyone().items() if how is not Presence.OFFLINE
                }
                if ({"Anna", "Ben"} <= here) if wanted else not {"Anna", "Ben"} & here:
                    return
                await asyncio.sleep(0.1)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_second_account_runs_beside_the_first(tmp_path: Path) -> None:
    server, first = ServerProcess(tmp_path), tmp_path / "client"
    second = first / "beside" / "2"
    second.mkdir(parents=True)
    server.init("anna", "ben", "cara")
    server.start()
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "TONGBAN_KEYCHAIN_PASSPHRASE": SECRET}
    command = [sys.executable, "-m", "desktop", "--data-dir", str(first)]
    process: subprocess.Popen[bytes] | None = None
    try:
        asyncio.run(remember(server, first, "anna"))
        asyncio.run(remember(server, second, "ben"))
        (second / "preferences.json").write_text(json.dumps({"account_label": "Ben", "beside_open": True}))
        process = subprocess.Popen([*command, "--hidden"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        asyncio.run(both_seen(server, tmp_path / "cara", wanted=True))
        assert is_running(first)
        assert is_running(second)
        assert load_label(second).startswith("Ben")
    finally:
        subprocess.run([*command, "--quit"], cwd=ROOT, env=environment, timeout=LIMIT, check=False)
        if process is not None:
            process.wait(LIMIT)
        server.stop()
    wait_for(lambda: not is_running(first) and not is_running(second), "both ended")
    assert load_label(second, "beside_open") == "True", "it was not its user who ended it: it comes back"


def load_label(folder: Path, name: str = "account_label") -> str:
    return str(json.loads((folder / "preferences.json").read_text(encoding="utf-8"))[name])
