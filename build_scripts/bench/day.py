"""A day in the tray, compressed: traffic, sleep, the cable out and the server started again, round after round, with the window closed.

Memory may grow by less than 10 MiB from the tenth round on, nothing may be held more and more (widgets, tasks, threads), every message is in the store once,
nothing pops up twice. Linux only (Xvfb). `--rounds N` (60: about ten minutes; a round stands for eight minutes of a day of eight hours).
"""

import argparse
import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from build_scripts.bench import office
from build_scripts.bench.catchup import PASSWORD, held_messages
from build_scripts.bench.figures import cpu_seconds, pss_mib
from build_scripts.bench.load import Send
from build_scripts.desktop_session import DesktopSession
from build_scripts.progress import Step
from tests.helpers.cable import Cable
from tests.helpers.remote_client import RemoteClient

ROUNDS, WARM = 60, 10
MESSAGES, PEOPLE = 40, 6
SLEEP_S, CUT_S, WAIT_S = 2.0, 1.5, 120.0
GROWTH_MIB = 10.0

T = TypeVar("T")


def main(argv: Sequence[str]) -> dict[str, Any]:
    """What grew, what was lost, doubled or shown twice."""
    parser = argparse.ArgumentParser(prog="bench day")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(list(argv))
    with tempfile.TemporaryDirectory(prefix="tongban-day-") as name:
        folder = Path(name)
        running = office.Office(folder / "office", people=PEOPLE, group=True, password=PASSWORD)
        with DesktopSession(tray="sni", notifications="none", keyring=True) as session:
            day = Day(running, session, RemoteClient(session, office.LOGIN, folder / "home"))
            figures = asyncio.run(day.live(options.rounds))
            figures["messages in the store"] = held_messages(session, folder / "home" / "data")
    figures["lost"] = day.sent - figures["messages in the store"]
    return figures


class Day:
    """One client and the office it belongs to."""

    def __init__(self, running: office.Office, session: DesktopSession, client: RemoteClient) -> None:
        self._office, self._session, self._client = running, session, client
        self.sent = 0
        self._speakers: list[Send] = []

    async def live(self, rounds: int) -> dict[str, Any]:
        """Its rounds; the figures."""
        self._office.__enter__()
        cable = Cable(self._office.port)
        await cable.plug()
        try:
            await self._on(lambda: self._start(cable.address))
            seen: list[dict[str, float]] = []
            with Step("the day") as step:
                for number in range(rounds):
                    step.note(f"round {number + 1} of {rounds}")
                    await self._round(number, cable)
                    seen.append(await self._on(self._look))
            offered = await self._on(lambda: self._client.probe("offered"))
            code = await self._on(self._client.quit)
        finally:
            self._client.drop()
            await cable.pull()
            self._office.__exit__()
        first, last = seen[min(WARM, len(seen) - 1)], seen[-1]
        return {
            "rounds": rounds,
            "messages sent": self.sent,
            "exit code": code,
            "grown": {key: round(last[key] - first[key], 1) for key in ("pss_MiB", "widgets", "tasks", "threads")},
            "memory at the end, MiB": round(last["pss_MiB"], 1),
            "memory goal kept": last["pss_MiB"] - first["pss_MiB"] < GROWTH_MIB,
            "processor, % of a core": round(100 * last["cpu_s"] / (last["at"] - seen[0]["at"] or 1), 1),
            "pop-ups": len(offered),
            "shown twice": sum(count > 1 for count in offered.values()),
        }

    async def _on(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)

    def _start(self, address: str) -> None:
        client = self._client
        client.start("--server", address, "--ca", self._office.authority, "--sign-in", office.LOGIN, password=PASSWORD)
        client.until(lambda: client.probe("status") == "live" and not client.probe("syncing"), "live", WAIT_S)
        client.until(lambda: client.probe("conversations"), "conversations", WAIT_S)
        client.do("close_window", name="mainWindow")

    async def _round(self, number: int, cable: Cable) -> None:
        """Somebody always writes; by turns the cable is out, the machine sleeps, the server starts again, the user reads."""
        if not self._speakers:
            for person in self._office.people[1:]:
                self._speakers.append(await self._office.speak(person, self._office.group))
        match number % 5:
            case 1:
                await cable.pull()
                await self._speak()
                await asyncio.sleep(CUT_S)
                await cable.plug()
            case 2:
                process = self._client.process
                assert process is not None
                os.kill(process.pid, signal.SIGSTOP)
                await self._speak()
                await asyncio.sleep(SLEEP_S)
                os.kill(process.pid, signal.SIGCONT)
            case 3:
                self._speakers.clear()
                await self._on(self._office.__exit__)
                await self._on(self._office.__enter__)
            case 4:
                await self._on(self._read_all)
            case _:
                await self._speak()
        await self._on(self._settled)

    async def _speak(self) -> None:
        for number in range(MESSAGES):
            self._speakers[number % len(self._speakers)](f"第{self.sent}条 请查收材料".encode())
            self.sent += 1
            if number % 10 == 0:
                await asyncio.sleep(0.05)

    def _read_all(self) -> None:
        client = self._client

        def read() -> bool:
            client.do("press", name="消息记录", keys="End")
            return bool(client.probe("tray")["unread"] == 0)

        self._session.click_tray_icon()
        client.until(lambda: client.do("click_row", name="会话列表", text="压测群") is None, "the group", WAIT_S)
        client.until(read, "all read", WAIT_S)
        client.do("close_window", name="mainWindow")

    def _settled(self) -> None:
        """Live, and what was sent is here."""

        def whole() -> bool:
            if self._client.probe("status") != "live" or self._client.probe("syncing"):
                return False
            return any(one["last"] >= self.sent for one in self._client.probe("conversations"))

        self._client.until(whole, f"{self.sent} messages", WAIT_S)

    def _look(self) -> dict[str, float]:
        process = self._client.process
        assert process is not None
        return {
            "pss_MiB": pss_mib(process.pid) or 0.0,
            "cpu_s": cpu_seconds(process.pid) or 0.0,
            "at": time.monotonic(),
            **self._client.probe("held"),
        }
