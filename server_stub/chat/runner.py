"""The one task of chat: sends what was scheduled at its moment, lets groups of departments follow the organisation, answers for who is away."""

import asyncio
import logging

from server_stub.accounts.directory import DEPARTMENT, PERSON
from server_stub.chat.absence import AbsenceAnswers
from server_stub.chat.department_groups import do_follow_departments
from server_stub.chat.message_handler import MessageHandler
from server_stub.chat.scheduled import BATCH, ScheduledChanged, do_send_due, next_scheduled
from server_stub.clock import Clock
from server_stub.errors import StorageFailed
from server_stub.push.events import ObjectsChanged
from server_stub.storage.database import Database
from server_stub.storage.rounds import nap_until, run_rounds

log = logging.getLogger("tongban.chat")


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
        await run_rounds(self._changed, self._round, log, "chat cannot do what is due now")

    async def _round(self) -> float:
        while await self.run_due() == BATCH:
            pass
        await self.run_directory()
        await self.absence.run_due()
        return nap_until(await self._database.read(next_scheduled), self._clock.now_ms())

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
