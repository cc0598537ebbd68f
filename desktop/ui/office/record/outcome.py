"""What the server said to a write that was just queued: taken, refused, or nothing yet because there is no connection."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from desktop.core.domain import ConnectionState
from desktop.core.domain.records import Conflict, Record
from desktop.core.events import ChangeSet, EditRefused, Event
from desktop.ui.office.views.base import ViewContext

PATIENCE_S = 6.0
"""After that the write counts as queued: what the server says later stands with the record."""


class Outcome:
    """Watches one record from before the write on, so that no answer is missed."""

    def __init__(self, context: ViewContext, type_name: str) -> None:
        self._context, self._type = context, type_name
        self._news = asyncio.Event()
        self.refused: EditRefused | None = None
        self._record_id = ""

    def _on_event(self, event: Event) -> None:
        match event:
            case ChangeSet(type_name=name) if name == self._type:
                self._news.set()
            case EditRefused(type_name=name, object_id=key) if name == self._type and key in ("", self._record_id):
                self.refused = event
                self._news.set()

    async def wait(self, record_id: str) -> Record | None:
        """The record once it is not pending any more; as it is when there is no connection or patience ends. None: it is gone."""
        self._record_id = record_id
        with self._context.session.events.subscribe(self._on_event), suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    self._news.clear()
                    found = await self._context.records.record(self._type, record_id)
                    live = self._context.session.status.state is ConnectionState.LIVE
                    if found is None or not found.pending or found.refusal is not None or not live:
                        return found
                    await self._news.wait()
        return await self._context.records.record(self._type, record_id)


async def conflict_of(context: ViewContext, record_id: str) -> Conflict | None:
    """The refused edit of a record that waits for the user. Raises AppError."""
    return next((one for one in await context.records.conflicts() if one.id == record_id), None)
