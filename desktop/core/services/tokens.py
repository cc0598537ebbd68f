"""The session's tokens: a fresh access token when asked, the rotated refresh token saved before anything else happens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from desktop.core.clock import Clock
from desktop.core.errors import AuthExpired
from desktop.core.net.transport import Transport
from desktop.core.protocol.answers import TokenAnswer

EARLY: Final = 60.0
"""Seconds before the end of an access token at which it is renewed."""

CLOSE_LIMIT: Final = 5.0

SaveRefreshToken = Callable[[str], Awaitable[None]]


class Tokens:
    """Owns the refresh token (or, until the first success, the password). `repr` tells nothing."""

    def __init__(
        self, transport: Transport, clock: Clock, save: SaveRefreshToken, *, login: str, device_name: str, platform: str
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._save = save
        self._login = login
        self._device = (device_name, platform)
        self._refresh_token: str | None = None
        self._password: str | None = None
        self._access_token: str | None = None
        self._ends_at = 0.0
        self._renewal: asyncio.Task[None] | None = None

    def begin(self, refresh_token: str | None, password: str | None) -> None:
        """What to renew with."""
        self._refresh_token, self._password = refresh_token, password

    @property
    def access_token(self) -> str | None:
        """The token in use."""
        return self._access_token

    @property
    def renew_at(self) -> float:
        """Monotonic time at which the next renewal is due."""
        return self._ends_at - EARLY

    def spoil(self) -> None:
        """The server does not take the access token any more."""
        self._ends_at = 0.0

    async def take(self, answer: TokenAnswer) -> None:
        """A grant: saved first, used then."""
        self._refresh_token = answer.refresh_token
        await self._save(answer.refresh_token)
        self._access_token = answer.access_token
        self._ends_at = self._clock.monotonic() + max(answer.expires_in, EARLY + 5)
        self._transport.use_token(answer.access_token)

    async def ensure(self) -> None:
        """A fresh access token.

        Raises:
            AuthExpired and the Rejected kinds: sign in again. Offline: later.
        """
        if self._clock.monotonic() < self.renew_at:
            return
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.get_running_loop().create_task(self._renew(), name="tokens.renew")
            self._renewal.add_done_callback(_note_failure)
        # A refresh token works once: who loses patience must not take the answer with the new one away from everybody.
        await asyncio.shield(self._renewal)

    async def close(self) -> None:
        """Waits for a renewal that is under way, with a limit: its answer must reach the store."""
        if self._renewal is not None and not self._renewal.done():
            await asyncio.wait({self._renewal}, timeout=CLOSE_LIMIT)
            self._renewal.cancel()

    async def _renew(self) -> None:
        await self.take(await self._grant())

    async def _grant(self) -> TokenAnswer:
        if self._refresh_token is not None:
            try:
                return await self._transport.refresh(self._refresh_token)
            except AuthExpired:
                if self._password is None:
                    raise
        if self._password is None:
            raise AuthExpired(type="noGrant")
        return await self._transport.sign_in(self._login, self._password, *self._device)


def _note_failure(task: asyncio.Task[None]) -> None:
    """Marks the failure as seen: whoever still waits gets it, and nobody else needs to."""
    if not task.cancelled():
        task.exception()
