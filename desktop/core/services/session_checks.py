"""Help → Diagnose: what only a signed-in session can tell. Its token, the push socket, its store."""

from collections.abc import Awaitable, Callable
from typing import Final

from desktop.core.domain.diagnosis import Finding, FindingState
from desktop.core.errors import (
    AccountDisabled,
    AppError,
    AuthExpired,
    DeviceRevoked,
    Offline,
    Rejected,
    Unreachable,
    UntrustedServer,
)
from desktop.core.net.transport import Socket, SocketClosed
from desktop.core.protocol.capabilities import CORE, WEBSOCKET
from desktop.core.protocol.frames import RequestError, Response, decode_frame, encode_request
from desktop.core.protocol.problems import ProtocolError
from desktop.core.services.context import Context

STORE_LIMIT_S: Final = 8.0
SLOW_MS: Final = 1500
_QUESTION: Final = "diagnosis"


class SessionChecks:
    """What only a signed-in session can tell."""

    def __init__(self, context: Context, check_store: Callable[[float], Awaitable[bool]] | None = None) -> None:
        self._context, self._check_store = context, check_store

    async def sign_in(self) -> Finding:
        """Whether the server still takes this device's token."""
        context = self._context
        begun = context.clock.monotonic()
        try:
            await context.tokens.ensure()
            await context.transport.fetch_session()
        except (AuthExpired, DeviceRevoked, AccountDisabled) as error:
            return Finding("sign_in", FindingState.FAILED, error.code, {}, "sign_in")
        except UntrustedServer:
            return Finding("sign_in", FindingState.UNCHECKED, "untrusted")
        except Offline:
            return Finding("sign_in", FindingState.UNCHECKED, "offline")
        except Rejected as error:
            return Finding("sign_in", FindingState.FAILED, "rejected", {"type": str(error.data.get("type", ""))[:40]})
        return Finding("sign_in", FindingState.OK, "ok", {"ms": _whole((context.clock.monotonic() - begun) * 1000)})

    async def socket(self) -> Finding:
        """A socket of its own is opened, asked something and closed."""
        context = self._context
        try:
            await context.tokens.ensure()
            session = await context.transport.fetch_session()
        except AppError:
            return Finding("socket", FindingState.UNCHECKED, "offline")
        url = str(session.capabilities.get(WEBSOCKET, {}).get("url", "/jmap/ws"))
        try:
            opened = await context.transport.open_socket(url)
        except AuthExpired:
            return Finding("socket", FindingState.UNCHECKED, "sign_in")
        except Rejected as error:
            return Finding(
                "socket", FindingState.FAILED, "blocked", {"status": str(error.data.get("type", ""))[:40]}, "proxy"
            )
        except Unreachable:
            return Finding("socket", FindingState.FAILED, "cut", {}, "proxy")
        except Offline as error:
            return Finding(
                "socket", FindingState.FAILED, "blocked", {"status": str(error.data.get("reason", ""))[:40]}, "proxy"
            )
        try:
            return await self._echo(opened)
        except SocketClosed as closed:
            return Finding("socket", FindingState.FAILED, "closed", {"code": closed.code}, "proxy")
        except ProtocolError:
            return Finding("socket", FindingState.FAILED, "blocked", {"status": "protocol"}, "proxy")
        finally:
            await opened.close()

    async def _echo(self, opened: Socket) -> Finding:
        now = self._context.clock.monotonic
        begun = now()
        await opened.send(encode_request(_QUESTION, [("Core/echo", {}, "c")], (CORE,)))
        while True:
            frame = decode_frame(await opened.receive())
            if isinstance(frame, Response | RequestError) and frame.request_id == _QUESTION:
                break
        took = _whole((now() - begun) * 1000)
        if took > SLOW_MS:
            return Finding("socket", FindingState.ATTENTION, "slow", {"ms": took})
        return Finding("socket", FindingState.OK, "ok", {"ms": took})

    async def check_store(self) -> bool:
        """As SqliteStore.check; True where there is nothing to check."""
        return True if self._check_store is None else await self._check_store(STORE_LIMIT_S)


def _whole(value: float) -> int:
    return max(1, round(value))
