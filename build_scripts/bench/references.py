"""References to measure beside: a bare WebSocket echo, a bare SQLite commit, a bare asyncio protocol that sends one encoded frame to all.

`python -m build_scripts.bench.references echo|fanout CERT KEY` serves on a free loopback port over TLS and prints the port.
"""

import asyncio
import base64
import hashlib
import sqlite3
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from build_scripts.bench.figures import percentile, pin
from build_scripts.bench.wire import HEADER_END, encode

ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Peer(asyncio.Protocol):
    """Server side of a WebSocket: short text frames only, answers by `reply`."""

    everyone: "set[Peer]" = set()  # noqa: RUF012 - one server a process
    mode = "echo"

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._open = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's TLS transport has all of it but the base class
        self.everyone.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.everyone.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            self._handshake()
        while self._open and len(self._buffer) >= 6:
            size, mask = self._buffer[1] & 0x7F, 2
            if size == 126:
                size, mask = int.from_bytes(self._buffer[2:4]), 4
            end = mask + 4 + size
            if len(self._buffer) < end:
                break
            payload = bytes(self._buffer[mask + 4 : end])
            del self._buffer[:end]
            self._answer(encode(payload, masked=False))

    def _handshake(self) -> None:
        end = self._buffer.find(HEADER_END)
        if end < 0 or self.transport is None:
            return
        lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        key = next(line.split(b":", 1)[1].strip() for line in lines if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + ACCEPT_GUID).digest())  # noqa: S324 - RFC 6455 §4.2.2
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + accept
            + HEADER_END
        )
        self._open = True

    def _answer(self, frame: bytes) -> None:
        targets = self.everyone if self.mode == "fanout" else (self,)
        for peer in targets:
            if peer.transport is not None:
                peer.transport.write(frame)


async def serve(mode: str, certificate: str, key: str) -> None:
    """Serves until killed."""
    Peer.mode = mode
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@asynccontextmanager
async def running(mode: str, certificate: Path, key: Path) -> AsyncIterator[tuple[int, int]]:
    """A reference server in a process of its own on core 0: its port and process id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, mode, str(certificate), str(key), stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise RuntimeError("no output to read the port from")
        yield int(await process.stdout.readline()), process.pid
    finally:
        process.kill()
        await process.wait()


def sqlite_commits(seconds: float = 2.0) -> dict[str, float]:
    """Bare durable commits of one 300-byte row each, at 50 a second (a disk that rests in between is slower) and as many as go."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        connection.executescript(
            "pragma journal_mode=wal; pragma synchronous=full; create table m(id integer primary key, body text)"
        )
        paced = _timed_commits(connection, seconds, pause=0.02)
        flat_out = _timed_commits(connection, seconds, pause=0)
        connection.close()
    return {
        "p50_ms": percentile(paced, 0.5),
        "p99_ms": percentile(paced, 0.99),
        "most_per_second": len(flat_out) / seconds,
    }


def _timed_commits(connection: sqlite3.Connection, seconds: float, *, pause: float) -> list[float]:
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        connection.execute("insert into m(body) values(?)", ("x" * 300,))
        times.append((time.perf_counter() - start) * 1e3)
        time.sleep(pause)
    return times


if __name__ == "__main__":
    pin(0)
    try:
        import uvloop

        uvloop.run(serve(*sys.argv[1:4]))
    except ImportError:
        asyncio.run(serve(*sys.argv[1:4]))
