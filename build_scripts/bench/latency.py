"""One-to-one messages, durable before delivered: latency at 50 a second and the most a second, beside a bare echo and a bare commit."""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

from build_scripts.bench import ejabberd, office, references
from build_scripts.bench.figures import pin
from build_scripts.bench.load import Deliveries, Send, closed_loop, paced
from build_scripts.bench.wire import connect, loopback_tls

PAIRS, WINDOW, SECONDS = 20, 8, 6.0


async def _measure(lines: list[Send], deliveries: Deliveries) -> dict[str, float]:
    await paced(lines, deliveries, per_second=50, seconds=1)
    figures = await paced(lines, deliveries, per_second=50, seconds=SECONDS)
    figures["most_per_second"] = await closed_loop(lines, deliveries, window=WINDOW, seconds=SECONDS)
    return figures


async def tongban(running: office.Office) -> dict[str, float]:
    """Our server: delivery is the push to the other person's socket."""
    deliveries = Deliveries()
    lines: list[Send] = []
    for sender, receiver in zip(running.people[::2], running.people[1::2], strict=True):
        await running.listen(receiver, deliveries.note)
        lines.append(await running.speak(sender, running.direct_conversation(sender, receiver), opening_to=receiver))
    return await _measure(lines, deliveries)


async def bare_echo(certificate: Path, key: Path) -> dict[str, float]:
    """A bare asyncio protocol that sends each frame back."""
    async with references.running("echo", certificate, key) as (port, _):
        deliveries = Deliveries()
        sockets = [await connect(port, "/", deliveries.note, headers={}, tls=loopback_tls()) for _ in range(PAIRS)]
        return await _measure([socket.send for socket in sockets], deliveries)


async def peer(folder: Path, certificate: Path, key: Path) -> dict[str, float]:
    """ejabberd with its archive in PostgreSQL."""
    with ejabberd.Ejabberd(folder, certificate, key) as server:
        deliveries, tls = Deliveries(), loopback_tls()
        lines: list[Send] = []
        for number in range(PAIRS):
            await ejabberd.XmppClient.sign_in(server.port, f"to{number}", tls, deliveries.note)
            sender = await ejabberd.XmppClient.sign_in(server.port, f"from{number}", tls, deliveries.note)
            lines.append(sender.line(f"to{number}@localhost/b", "chat"))
        return await _measure(lines, deliveries)


def main(argv: list[str]) -> dict[str, Any]:
    """Runs the bench; the load on core 1, each server on core 0."""
    parser = argparse.ArgumentParser(prog="latency", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="install and measure ejabberd too (root on Debian)")
    options = parser.parse_args(argv)
    pin(1)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, office.Office(Path(name), people=2 * PAIRS) as running:
        certificate, key = running.certificate, running.key
        figures["tongban"] = asyncio.run(tongban(running))
        figures["reference: bare WebSocket echo"] = asyncio.run(bare_echo(certificate, key))
        figures["reference: bare SQLite commit"] = references.sqlite_commits()
    if options.peers:
        with tempfile.TemporaryDirectory() as name:
            files = office.make_certificate(Path(name))
            figures["peer: ejabberd, archive in PostgreSQL"] = asyncio.run(peer(Path(name), *files))
    return figures
