"""What doing nothing costs: server memory for each of 2,000 TLS connections with push on, and the processor a client in the tray takes.

Beside it a bare asyncio WebSocket protocol over the same TLS, and with `--peers` ejabberd. Linux only (/proc, Xvfb). `--connections N`, `--seconds S`.
"""

import argparse
import asyncio
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from build_scripts import local_server
from build_scripts.bench import ejabberd, office, references
from build_scripts.bench.figures import cpu_seconds, pin, pss_mib
from build_scripts.bench.wire import connect, loopback_tls
from build_scripts.desktop_session import DesktopSession
from build_scripts.progress import Step

CONNECTIONS, PEOPLE, AT_ONCE = 2_000, 50, 50
SETTLE_S, IDLE_S, START_S = 3.0, 60.0, 60.0
LOGIN, PASSWORD = "linyuan", "tongban-demo"  # of the demo office

Opener = Callable[[int], Awaitable[object]]


def main(argv: Sequence[str]) -> dict[str, Any]:
    """kB of memory for each connection by server; the client's share of one core in percent."""
    parser = argparse.ArgumentParser(prog="bench idle")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--seconds", type=float, default=IDLE_S)
    parser.add_argument("--peers", action="store_true", help="install and measure ejabberd too (root on Debian)")
    options = parser.parse_args(list(argv))
    _allow_files(2 * options.connections + 200)
    figures: dict[str, Any] = {"connections": options.connections}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures["client, connected, in the tray"] = _client(folder / "client", options.seconds)
        pin(1)
        with office.Office(folder / "office", people=PEOPLE) as running:
            figures["tongban"] = asyncio.run(_tongban(running, options.connections))
            certificate, key = running.certificate, running.key
            figures["reference: bare asyncio WebSocket"] = asyncio.run(_bare(certificate, key, options.connections))
            if options.peers:
                with tempfile.TemporaryDirectory() as peer:  # of its own: another user runs it
                    figures["peer: ejabberd"] = asyncio.run(_peer(Path(peer), certificate, key, options.connections))
    return figures


# ---------------------------------------------------------------- servers
async def _memory(opener: Opener, pids: Callable[[], list[int]], count: int) -> dict[str, float]:
    """Opens `count` connections, a few at a time; what the server's memory grew by for each after the first ones."""
    for number in range(PEOPLE):  # pools, caches and code pages of a server that has seen somebody
        await opener(number)
    before = await _settled(pids)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            await opener(number)

    await asyncio.gather(*(one(number) for number in range(PEOPLE, count)))
    after = await _settled(pids)
    return {"kB_per_connection": round((after - before) * 1024 / (count - PEOPLE), 1), "MiB_before": round(before, 1)}


async def _settled(pids: Callable[[], list[int]]) -> float:
    """Memory of the processes once it changed by less than 0.5 % in a while."""
    last = 0.0
    while True:
        await asyncio.sleep(SETTLE_S)
        now = sum(pss_mib(pid) or 0.0 for pid in pids())
        if abs(now - last) < 0.005 * now:
            return now
        last = now


async def _tongban(running: office.Office, count: int) -> dict[str, float]:
    async def listen(number: int) -> None:
        await running.listen(running.people[number % PEOPLE], lambda _: None)

    return await _memory(listen, lambda: [running.pid], count)


async def _bare(certificate: Path, key: Path, count: int) -> dict[str, float]:
    async with references.running("echo", certificate, key) as (port, pid):
        tls = loopback_tls()
        return await _memory(
            lambda _: connect(port, "/", lambda _text: None, headers={}, tls=tls), lambda: [pid], count
        )


async def _peer(folder: Path, certificate: Path, key: Path, count: int) -> dict[str, float]:
    with ejabberd.Ejabberd(folder, certificate, key) as server:
        tls, made = loopback_tls(), iter(range(sys.maxsize))

        async def sign_in(_: int) -> None:
            await ejabberd.XmppClient.sign_in(server.port, f"idle{next(made)}", tls, lambda _body: None)

        return await _memory(sign_in, server.pids, count)


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, wanted), hard), hard))


# ---------------------------------------------------------------- the client
def _client(folder: Path, seconds: float) -> dict[str, float]:
    from tests.helpers.remote_client import RemoteClient

    folder.mkdir()
    port_file, data, log = folder / "port", folder / "data", folder / "server.log"
    with Step("demo office and a client in the tray"):
        server = local_server.start(Path(sys.executable), data, port=0, port_file=port_file, log=log)
        try:
            address = local_server.wait_until_healthy(server, port_file, data, log=log)
            with DesktopSession(tray="sni", notifications="none", keyring=True) as session:
                client = RemoteClient(session, LOGIN, folder / "home")
                client.start("--server", address.url, "--ca", address.ca_file, "--sign-in", LOGIN, password=PASSWORD)
                try:
                    client.until(lambda: client.probe("status") == "live", "live", START_S)
                    client.until(lambda: client.probe("conversations") and not client.probe("syncing"), "sync", START_S)
                    client.do("close_window", name="mainWindow")
                    assert client.process is not None
                    return _idle_share(client.process.pid, seconds)
                finally:
                    client.drop()
        finally:
            local_server.stop(server)
            shutil.rmtree(data, ignore_errors=True)


def _idle_share(pid: int, seconds: float) -> dict[str, float]:
    """Processor time of a process nobody touches, in percent of one core, once its start is over."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:  # what a start leaves to be done: index, records of the modules
        used = cpu_seconds(pid) or 0.0
        time.sleep(SETTLE_S)
        if (cpu_seconds(pid) or 0.0) - used < 0.01 * SETTLE_S:
            break
    used, began = cpu_seconds(pid) or 0.0, time.monotonic()
    time.sleep(seconds)
    share = ((cpu_seconds(pid) or 0.0) - used) / (time.monotonic() - began)
    return {"percent_of_a_core": round(100 * share, 2), "pss_MiB": round(pss_mib(pid) or 0.0, 1)}
