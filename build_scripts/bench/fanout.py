"""A group of 500, every message archived: deliveries a second and CPU per delivery, beside a bare asyncio protocol that sends one encoded frame to all."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from build_scripts.bench import ejabberd, office, references
from build_scripts.bench.figures import cpu_seconds, pin
from build_scripts.bench.load import Deliveries, Send, closed_loop
from build_scripts.bench.wire import connect, loopback_tls

MEMBERS, WINDOW, SECONDS = 500, 4, 6.0


async def _measure(line: Send, deliveries: Deliveries, cpu: Callable[[], float]) -> dict[str, float]:
    await closed_loop([line], deliveries, window=WINDOW, seconds=1)
    before, count, start = cpu(), deliveries.count, time.perf_counter()
    await closed_loop([line], deliveries, window=WINDOW, seconds=SECONDS)
    made, spent, lasted = deliveries.count - count, cpu() - before, time.perf_counter() - start
    return {"deliveries_per_second": made / lasted, "cpu_us_per_delivery": spent / max(made, 1) * 1e6}


def _cpu_of(pids: list[int]) -> Callable[[], float]:
    return lambda: sum(cpu_seconds(pid) or 0.0 for pid in pids if Path(f"/proc/{pid}").exists())


async def tongban(running: office.Office) -> dict[str, float]:
    """Our server: one sender, 500 members listening."""
    deliveries = Deliveries()
    for person in running.people:
        await running.listen(person, deliveries.note)
    line = await running.speak(running.people[0], running.group)
    return await _measure(line, deliveries, _cpu_of([running.pid]))


async def bare(certificate: Path, key: Path) -> dict[str, float]:
    """A bare asyncio protocol, no archive."""
    async with references.running("fanout", certificate, key) as (port, pid):
        deliveries = Deliveries()
        sockets = [await connect(port, "/", deliveries.note, headers={}, tls=loopback_tls()) for _ in range(MEMBERS)]
        return await _measure(sockets[0].send, deliveries, _cpu_of([pid]))


async def peer(folder: Path, certificate: Path, key: Path) -> dict[str, float]:
    """ejabberd, the room archived in PostgreSQL."""
    with ejabberd.Ejabberd(folder, certificate, key) as server:
        deliveries, tls, room = Deliveries(), loopback_tls(), "room@conference.localhost"
        members = [
            await ejabberd.XmppClient.sign_in(server.port, f"u{number}", tls, deliveries.note)
            for number in range(MEMBERS)
        ]
        for member in members:
            await member.join(room)
        return await _measure(members[0].line(room, "groupchat"), deliveries, _cpu_of(server.pids()))


def main(argv: list[str]) -> dict[str, Any]:
    """Runs the bench; the load on core 1, each server on core 0."""
    parser = argparse.ArgumentParser(prog="fanout", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="install and measure ejabberd too (root on Debian)")
    options = parser.parse_args(argv)
    pin(1)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, office.Office(Path(name), people=MEMBERS, group=True) as running:
        figures["tongban, archived"] = asyncio.run(tongban(running))
        figures["reference: bare asyncio protocol"] = asyncio.run(bare(running.certificate, running.key))
    if options.peers:
        with tempfile.TemporaryDirectory() as name:
            files = office.make_certificate(Path(name))
            figures["peer: ejabberd, archive in PostgreSQL"] = asyncio.run(peer(Path(name), *files))
    return figures
