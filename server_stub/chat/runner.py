"""The one task of chat: sends what was scheduled at its moment, lets groups of departments follow the organisation, answers for who is away."""

import asyncio
import logging
from typing import Final

from server_stub.accounts.directory import DEPARTMENT, PERSON
from server_stub.chat.absence import AbsenceAnswers
from server_stub.chat.department_groups import do_follow_departments
from server_stub.chat.message_handler import MessageHandler
from server_stub.chat.scheduled import BATCH, ScheduledChanged, do_send_due, next_scheduled
from server_stub.clock import Clock
from server_stub.errors import StorageFailed
from server_stub.push.events import ObjectsChanged
from server_stub.storage.database import Database

log = logging.getLogger("tongban.chat")

LONGEST_NAP_S: Final = 30.0  # so that a changed system clock is noticed
RETRY_S: Final = 5.0


class ChatRunner:
    """Its owner runs `run()` in a TaskGroup and cancels it at the end."""

    def __init__(self, database: Database, clock: Clock, messages: MessageHandler) -> None:
        self._database = database
        self._clock = clock
        self._messages = messages
        self._changed = asyncio.Event()
        self._directory_changed = True  # who knows what happened while the server was down
        self.absence = AbsenceAnswers(database, clock, self._changed.set)
        database.subscribe(self._on_commit)

    def _on_commit(self, events: list[object]) -> None:
        for event in events:
            if isinstance(event, ObjectsChanged) and event.type_name in (PERSON, DEPARTMENT):
                self._directory_changed = True
                self._changed.set()
            elif isinstance(event, ScheduledChanged):
                self._changed.set()

    async def run(self) -> None:
        """Do what is due, sleep until the next moment or until something changes; for ever."""
        while True:
            self._changed.clear()
            try:
                while await self.run_due() == BATCH:
                    pass
                await self.run_directory()
                await self.absence.run_due()
                nap = await self._nap()
            except StorageFailed as problem:
                log.warning("chat cannot do what is due now: %s", problem)
                nap = RETRY_S
            try:
                async with asyncio.timeout(nap):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def run_due(self) -> int:
        """Send what is due now, at most BATCH; returns how many."""
        due_at, now = await self._database.read(next_scheduled), self._clock.now_ms()
        if due_at is None or due_at > now:
            return 0
        return await self._database.write(lambda tx: do_send_due(tx, self._messages, now))

    async def run_directory(self) -> None:
        """Let people into and out of the groups of departments, when the directory may have changed."""
        if self._directory_changed:
            self._directory_changed = False
            try:
                await self._database.write(do_follow_departments)
            except StorageFailed:
                self._directory_changed = True
                raise

    async def _nap(self) -> float:
        due_at = await self._database.read(next_scheduled)
        if due_at is None:
            return LONGEST_NAP_S
        return min(max((due_at - self._clock.now_ms()) / 1000, 0.01), LONGEST_NAP_S)
