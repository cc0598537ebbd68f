"""The push socket over websockets (RFC 6455, subprotocol `jmap`)."""

import ssl
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from desktop.core.errors import Offline, Unreachable
from desktop.core.net.problems import error_of
from desktop.core.net.proxy import Door
from desktop.core.net.transport import SocketClosed
from desktop.core.net.trust import DEFAULT_PORT
from desktop.core.protocol.frames import MAX_FRAME

PING_EVERY: Final = 20.0
OPEN_LIMIT: Final = 10.0
CLOSE_LIMIT: Final = 2.0
ABNORMAL: Final = 1006


class WebSocket:
    """Adapter of `net.transport.Socket`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise SocketClosed(_code(error)) from error

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv(decode=False)  # as bytes: whoever reads it wants no text
        except ConnectionClosed as error:
            raise SocketClosed(_code(error)) from error

    async def close(self) -> None:
        await self._connection.close()


async def open_websocket(url: str, context: ssl.SSLContext, headers: dict[str, str], door: Door) -> WebSocket:
    """Opens the socket.

    Raises:
        Unreachable, ProxyFailed, Offline, AuthExpired, Rejected kinds; ssl.SSLError passes through for the trust check.
    """
    parts = urlsplit(url)
    way = await door.open(parts.hostname or "", parts.port or DEFAULT_PORT)
    try:
        connection = await connect(
            url,
            sock=way,
            ssl=context,
            additional_headers=headers,
            subprotocols=[Subprotocol("jmap")],
            compression=None,  # costs more than it saves on a LAN, and mixes secrets with chosen text
            max_size=MAX_FRAME,
            ping_interval=PING_EVERY,
            ping_timeout=PING_EVERY,
            open_timeout=OPEN_LIMIT,
            close_timeout=CLOSE_LIMIT,
            proxy=None,  # the door has gone through it
        )
    except InvalidStatus as error:
        body = error.response.body or b""
        raise error_of(error.response.status_code, bytes(body), error.response.headers.get("Retry-After")) from error
    except (InvalidHandshake, InvalidURI) as error:
        raise Offline(reason="handshake") from error
    except ssl.SSLCertVerificationError:
        raise
    except (OSError, TimeoutError, EOFError) as error:
        raise Unreachable(server=url) from error
    return WebSocket(connection)


def _code(error: ConnectionClosed) -> int:
    return error.rcvd.code if error.rcvd is not None else ABNORMAL
