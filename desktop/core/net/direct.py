"""One file from client to client over the office network: TLS 1.3 in which each side knows the other's very certificate, and asks by range.

What is on the wire: the receiver says `TBD1` and a token of 32 bytes, then asks any number of times (offset u64, length u32, big endian); each
is answered by exactly these bytes, in the order of asking. Nothing else is ever understood. The one who sends listens only while it waits
for one receiver, and only on the addresses by which it reaches its own server.
"""

import asyncio
import datetime
import hmac
import ipaddress
import os
import secrets
import socket
import ssl
import struct
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from desktop.core.errors import BadFile, Offline
from desktop.core.net.transport import Moved, ReadAt

MAGIC: Final = b"TBD1"
TOKEN_BYTES: Final = 32
PIECE: Final = 256 * 1024
"""Bytes asked for at once."""
AHEAD: Final = 4
"""How many pieces are asked for before the first of them is here."""
CONNECT_S: Final = 2.0
HELLO_S: Final = 5.0
"""How long a stranger may take for TLS, and again for the token."""
STILL_S: Final = 20.0
"""A line on which nothing moves for so long is cut."""
WAITING: Final = 4
"""Connections that may wait to be answered."""
MAX_STRANGERS: Final = 16
"""Connections that were no receiver: after so many nobody is listened to any more."""
_HELLO: Final = struct.Struct(f">4s{TOKEN_BYTES}s")
_ASKED: Final = struct.Struct(">QI")
_EPOCH: Final = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_CENTURY: Final = datetime.timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Identity:
    """A key and its certificate (DER) for one transfer. The key is sealed under a password that lives in this object alone."""

    certificate: bytes
    pem: bytes
    password: bytes

    def load_into(self, context: ssl.SSLContext) -> None:
        """Python's TLS reads keys from files only: a sealed one, gone at once."""
        handle, name = tempfile.mkstemp(prefix="tongban-", suffix=".pem")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.pem)
            context.load_cert_chain(name, password=self.password)
        finally:
            Path(name).unlink(missing_ok=True)


def make_identity() -> Identity:
    """A fresh one. Blocks for some milliseconds."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, secrets.token_hex(8))])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(_EPOCH).not_valid_after(_EPOCH + _CENTURY)
    certificate = made.sign(key, hashes.SHA256())
    password = secrets.token_hex(32).encode()
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return Identity(certificate.public_bytes(serialization.Encoding.DER), pem + sealed, password)


def _context(identity: Identity, peer: bytes, *, server: bool) -> ssl.SSLContext:
    """TLS 1.3 that believes one certificate and no other. Raises BadFile for one that is none: it came from outside."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(cadata=peer)
    except (ssl.SSLError, ValueError) as error:
        raise BadFile(reason="certificate") from error
    identity.load_into(context)
    return context


def _is_peer(writer: asyncio.StreamWriter, peer: bytes) -> bool:
    tls = writer.get_extra_info("ssl_object")
    shown = tls.getpeercert(binary_form=True) if tls is not None else None
    return shown is not None and hmac.compare_digest(shown, peer)


async def near_addresses(server_host: str, server_port: int) -> list[str]:
    """The addresses of this machine by which it reaches its own server; nothing is sent to find out."""
    loop = asyncio.get_running_loop()
    found: list[str] = []
    with suppress(OSError):
        for family, _, _, _, where in await loop.getaddrinfo(server_host, server_port, type=socket.SOCK_DGRAM):
            with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect(where)
                host = str(probe.getsockname()[0]).partition("%")[0]
                if host not in found and not ipaddress.ip_address(host).is_link_local:
                    found.append(host)
    return found[:4]


# ---------------------------------------------------------------- the one who sends
class DirectSource:
    """A file that waits for one receiver. Listens from `open` on, answers nobody before `serve`, and is to be closed.

    `heard` is set whenever the receiver takes something, `last_heard` is when (the loop's time); `error`: the file is not what it was.
    """

    def __init__(self, read_at: ReadAt, size: int, moved: Moved) -> None:
        self._read_at = read_at
        self._size = size
        self._moved = moved
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._lines: set[asyncio.Task[None]] = set()
        self._strangers = 0
        self._line: asyncio.Task[None] | None = None  # the receiver's
        self._peer = b""
        self._token = b""
        self.error: BadFile | None = None
        self.heard = asyncio.Event()
        self.last_heard = 0.0

    def open(self, hosts: Sequence[str]) -> list[tuple[str, int]]:
        """Takes a free port on each address; where it is. Nobody is answered yet. Raises OSError when there is none."""
        for host in hosts:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            one = socket.socket(family, socket.SOCK_STREAM)
            self._sockets.append(one)
            one.bind((host, 0))
            one.listen(WAITING)  # the receiver may be there before we know who it is: it waits, unanswered
        return [(host, int(one.getsockname()[1])) for host, one in zip(hosts, self._sockets, strict=True)]

    async def serve(self, identity: Identity, peer: bytes, token: bytes) -> None:
        """From now on the one who shows this certificate and says this token is answered. Raises BadFile, OSError."""
        self._peer, self._token = peer, token
        self._touch()
        context = _context(identity, peer, server=True)
        for one in self._sockets:
            self._servers.append(
                await asyncio.start_server(
                    self._connected, sock=one, ssl=context, ssl_handshake_timeout=HELLO_S, backlog=WAITING, limit=4096
                )
            )
        self._sockets = []

    async def close(self) -> None:
        """Listens no more; who is connected is cut off."""
        for server in self._servers:
            server.close()
        for one in self._sockets:
            one.close()
        self._servers, self._sockets = [], []
        lines = list(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    def _touch(self) -> None:
        self.last_heard = asyncio.get_running_loop().time()
        self.heard.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            if not await self._knows(reader, writer):
                self._strangers += 1
                if self._strangers >= MAX_STRANGERS:
                    for server in self._servers:
                        server.close()
                return
            if self._line is not None:  # it came back before we saw that it was gone
                self._line.cancel()
            self._line = line
            await self._answer(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ssl.SSLError):
            return  # it may come again
        except BadFile as error:  # changed while it was sent
            self.error = error
            self.heard.set()
        finally:
            self._lines.discard(line)
            self._line = None if self._line is line else self._line
            writer.transport.abort()

    async def _knows(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if not _is_peer(writer, self._peer):
            return False
        try:
            async with asyncio.timeout(HELLO_S):
                magic, token = _HELLO.unpack(await reader.readexactly(_HELLO.size))
        except (TimeoutError, asyncio.IncompleteReadError):
            return False
        return magic == MAGIC and hmac.compare_digest(token, self._token)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(STILL_S):
                offset, length = _ASKED.unpack(await reader.readexactly(_ASKED.size))
            if not 0 < length <= PIECE or offset + length > self._size:
                return
            end = offset + length
            while offset < end:
                data = await self._read_at(offset, end - offset)
                if not data:
                    raise BadFile(reason="changed")
                writer.write(data)
                async with asyncio.timeout(STILL_S):
                    await writer.drain()
                offset += len(data)
                self._touch()
                self._moved(offset)


# ---------------------------------------------------------------- the one who receives
class DirectLine:
    """A connection to the one who sends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def parts(self, offset: int, size: int) -> AsyncGenerator[bytes, None]:
        """The file from `offset` to `size`, in order. Raises Offline when the line is cut or still."""
        ahead = at = offset
        try:
            while at < size:
                while ahead < size and ahead - at < AHEAD * PIECE:
                    length = min(PIECE, size - ahead)
                    self._writer.write(_ASKED.pack(ahead, length))
                    ahead += length
                async with asyncio.timeout(STILL_S):
                    await self._writer.drain()
                    data = await self._reader.read(min(PIECE, ahead - at))
                if not data:
                    raise Offline(reason="direct")
                at += len(data)
                yield data
        except (OSError, TimeoutError) as error:
            raise Offline(reason="direct") from error

    def close(self) -> None:
        """Ends it; never raises."""
        self._writer.transport.abort()


async def connect_direct(
    addresses: Sequence[tuple[str, int]], identity: Identity, peer: bytes, token: bytes
) -> DirectLine:
    """To the first of these addresses where the one with this certificate is. Raises Offline (nobody there), BadFile (no certificate)."""
    context = _context(identity, peer, server=False)
    for host, port in addresses[:4]:
        with suppress(OSError, TimeoutError, ssl.SSLError, ValueError):
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=context, server_hostname="peer", limit=4 * PIECE
                )
            if not _is_peer(writer, peer):
                writer.transport.abort()
                continue
            writer.write(_HELLO.pack(MAGIC, token))
            return DirectLine(reader, writer)
    raise Offline(reason="direct")
