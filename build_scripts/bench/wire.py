"""A WebSocket client for load: asyncio protocol over TLS, no fragmentation, zero mask, so that the generator costs little beside the server it loads.

A measuring instrument, not a client: it trusts any certificate and speaks to loopback only.
"""

import asyncio
import base64
import os
import ssl
from collections.abc import Callable

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
HEADER_END = b"\r\n\r\n"


def loopback_tls() -> ssl.SSLContext:
    """A TLS 1.3 client context without verification, for servers this machine runs itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def encode(payload: bytes, opcode: int = TEXT, *, masked: bool = True) -> bytes:
    """One whole frame (RFC 6455 §5.2); the mask key is zero, which masks nothing and costs nothing."""
    size, bit = len(payload), 0x80 if masked else 0
    if size < 126:
        head = bytes((0x80 | opcode, bit | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, bit | 126)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, bit | 127)) + size.to_bytes(8)
    return head + (b"\0\0\0\0" if masked else b"") + payload


class Socket(asyncio.Protocol):
    """One connection. `on_text` gets each text frame's payload, in order, on the loop."""

    def __init__(self, path: str, headers: dict[str, str], on_text: Callable[[bytes], None]) -> None:
        self._path, self._headers = path, headers
        self.on_text = on_text
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream transport is needed")
        self._transport = transport
        lines = [
            f"GET {self._path} HTTP/1.1",
            "Host: localhost",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            *(f"{name}: {value}" for name, value in self._headers.items()),
        ]
        transport.write("\r\n".join(lines).encode() + HEADER_END)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.opened.done():
            self._open()
        if self.opened.done():
            self._frames()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed during the handshake"))

    def send(self, payload: bytes) -> None:
        """Sends one text frame."""
        self._write(encode(payload))

    def close(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, frame: bytes) -> None:
        if self._transport is None:
            raise ConnectionError("not connected")
        self._transport.write(frame)

    def _open(self) -> None:
        end = self._buffer.find(HEADER_END)
        if end < 0:
            return
        status = bytes(self._buffer[: self._buffer.find(b"\r\n")])
        del self._buffer[: end + len(HEADER_END)]
        if b" 101 " in status + b" ":
            self.opened.set_result(None)
        else:
            self.opened.set_exception(ConnectionError(status.decode("latin-1")))

    def _frames(self) -> None:
        buffer, start = self._buffer, 0
        while len(buffer) - start >= 2:
            size, body = buffer[start + 1] & 0x7F, start + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                if len(buffer) - body < width:
                    break
                size = int.from_bytes(buffer[body : body + width])
                body += width
            if len(buffer) - body < size:
                break
            self._frame(buffer[start] & 0x0F, bytes(buffer[body : body + size]))
            start = body + size
        del buffer[:start]

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self.on_text(payload)
        elif opcode == PING:
            self._write(encode(payload, PONG))


async def connect(
    port: int, path: str, on_text: Callable[[bytes], None], *, headers: dict[str, str], tls: ssl.SSLContext
) -> Socket:
    """Opens a WebSocket to this machine.

    Raises:
        ConnectionError: the server refused the handshake.
    """
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(lambda: Socket(path, headers, on_text), "127.0.0.1", port, ssl=tls)
    async with asyncio.timeout(10):
        await socket.opened
    return socket
