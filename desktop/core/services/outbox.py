"""Verbs of the outbox: what has not reached the server yet, and what it refused."""

from desktop.core.services.context import Context
from desktop.core.sync.events import EditDropped, EditRetried
from desktop.core.sync.outbox import Edit, EditState


class OutboxService:
    """The queue as a user may see it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def edits(self) -> list[Edit]:
        """Everything in it, in order."""
        return await self._context.db(self._context.store.load_edits)

    async def pending(self) -> int:
        """How many edits wait for the server."""
        return sum(edit.state is EditState.PENDING for edit in await self.edits())

    async def refused(self) -> list[Edit]:
        """What the server refused, with its reasons."""
        return [edit for edit in await self.edits() if edit.state is EditState.REFUSED]

    async def retry(self, edit_id: str) -> None:
        """Once more."""
        await self._context.driver.do(EditRetried(self._context.clock.monotonic(), edit_id))

    async def drop(self, edit_id: str) -> None:
        """Takes it back, unless it is on its way."""
        await self._context.driver.do(EditDropped(self._context.clock.monotonic(), edit_id))
