"""A signed-in session without a server: the real driver and services over a fake transport, and what its bus told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from desktop.core.clock import Clock, SystemClock
from desktop.core.domain import ConnectionState
from desktop.core.events import Event
from desktop.core.services.session import Session
from desktop.core.services.tokens import Tokens
from desktop.core.services.workers import Workers
from desktop.core.sync.port import Store
from tests.helpers.fake_transport import FakeTransport

LIMIT = 20.0


class Desk:
    """A session and what its bus told."""

    def __init__(self, session: Session, store: Store) -> None:
        self.session = session
        self.store = store
        self.seen: list[Event] = []
        self._changed = asyncio.Event()

    def on_event(self, event: Event) -> None:
        """The bus told something."""
        self.seen.append(event)
        self._changed.set()

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        """Waits for a condition, which is asked again after each event."""
        async with asyncio.timeout(LIMIT):
            while not await true():
                await self._changed.wait()
                self._changed.clear()

    async def live(self) -> None:
        """Waits for the connection, everything read."""
        async with asyncio.timeout(LIMIT):
            await self.session.wait_until(ConnectionState.LIVE, synced=True)

    async def until_sent(self) -> None:
        """Nothing waits for the server any more."""

        async def sent() -> bool:
            return await self.session.outbox.pending() == 0

        await self.until(sent)


def signed_in(
    account: str, folder: Path, store: Store, transport: FakeTransport, clock: Clock | None = None
) -> Session:
    """A session that was just signed in, not started."""
    now = clock or SystemClock()

    async def save(token: str) -> None:
        del token

    async def sign_out(session: Session, everywhere: bool, forget: bool) -> None:
        del session, everywhere, forget

    tokens = Tokens(transport, now, save, login=account, device_name="test", platform="other")
    tokens.begin(None, "pw")
    return Session(
        me=account, login=account, store=store, blob_folder=folder / account, account_key=bytes(32),
        transport=transport, tokens=tokens, clock=now, workers=Workers(), sign_out=sign_out,
    )  # fmt: skip


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[None]:
    """The session runs, the desk listens."""
    with desk.session.events.subscribe(desk.on_event):
        await desk.session.start()
        try:
            yield
        finally:
            await desk.session.close()
