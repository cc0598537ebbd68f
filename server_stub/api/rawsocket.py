"""uvicorn's WebSocket protocol with a door to the transport: frames that were encoded once go out without being framed again.

Use it as uvicorn's `ws` setting (`server_stub.api.rawsocket:RawWebSocketProtocol`). Any other ASGI server works too, only slower.
"""

from asyncio import BaseTransport
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server_stub.api.crowd import Crowd
from server_stub.push.connection import LAGGING

RAW_EXTENSION: Final = "tongban.raw"


class RawWebSocketProtocol(WebSocketsSansIOProtocol):
    """Puts itself into the scope's extensions, so that the application can write whole frames.

    Attributes:
        behind: more than LAGGING bytes wait in the transport.
    """

    behind = False

    def __init__(self, config: Any, *args: Any, **options: Any) -> None:
        super().__init__(config, *args, **options)
        self._crowd: Crowd | None = getattr(config, "crowd", None)

    def connection_made(self, transport: BaseTransport) -> None:
        """uvicorn's, with our mark of what is too much. Its place in the crowd is that of the request it came in by."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=LAGGING)

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn's; its place in the crowd is free."""
        if self._crowd is not None:
            self._crowd.leave(self.transport)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The transport holds more than LAGGING bytes."""
        super().pause_writing()
        self.behind = True

    def resume_writing(self) -> None:
        """The transport takes more."""
        super().resume_writing()
        self.behind = False

    def handle_connect(self, event: Any) -> None:
        """uvicorn's, then the extension: the application's task has not run yet."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"][RAW_EXTENSION] = self

    def backlog(self) -> int:
        """Bytes written and not yet taken by the network."""
        return 0 if self.disconnected else self.transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Wait until the transport takes more."""
        await self.writable.wait()

    def abort(self) -> None:
        """End the connection at once, with what is unsent."""
        self.transport.abort()
