"""Whom to trust: TLS 1.3, and the server's own CA pinned on first use (SHA-256 of its public key). A changed pin is never accepted silently.

A server whose certificate the system's trust store knows needs no pin. A pinned server is checked in full against its CA: dates, names, chain.
"""

import asyncio
import hashlib
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from desktop.core.crypto.keychain import write_private
from desktop.core.errors import StorageUnavailable, Unreachable, UntrustedServer
from desktop.core.net.proxy import Door

_CONNECT_LIMIT: Final = 10.0
_CLOSE_LIMIT: Final = 2.0
DEFAULT_PORT: Final = 443


class TrustDecision(Protocol):
    """Asks the user. `known` is None on first sight, else the fingerprint that was trusted so far."""

    async def __call__(self, server: str, fingerprint: str, known: str | None) -> bool:
        """True: trust this key from now on."""
        ...


class Pin(msgspec.Struct, frozen=True):
    """What is known of one server: its trust anchor (DER) and the anchor's fingerprint. No anchor: the system's store knows it."""

    fingerprint: str
    anchor: bytes | None = None


class TrustStore:
    """Pins by server, in one small file."""

    def __init__(self, path: Path, decide: TrustDecision | None = None, door: Door | None = None) -> None:
        self._path = path
        self._door = door or Door()
        self._decide = decide
        self._pins = self._load()

    def pin(self, server: str) -> Pin | None:
        """What is known of this server."""
        return self._pins.get(origin(server))

    def fingerprint(self, server: str) -> str:
        """The pinned key's SHA-256 in hex; empty when there is no pin, or the system's trust store vouches for the server."""
        pin = self.pin(server)
        return pin.fingerprint if pin is not None and pin.anchor is not None else ""

    async def context(self, server: str) -> ssl.SSLContext:
        """A TLS context for this server; asks or pins on first sight.

        Raises:
            UntrustedServer: the user said no.
            Unreachable: nobody answers there.
        """
        known = self.pin(server)
        if known is not None:
            return _context(known.anchor)
        if await self._system_knows(server):
            self._remember(server, Pin("system"))
            return _context(None)
        anchor = await self._fetch_anchor(server)
        await self._accept(server, anchor, None)
        return _context(anchor)

    async def renew(self, server: str) -> ssl.SSLContext:
        """After the pinned certificate failed: shows the user both fingerprints.

        Raises:
            UntrustedServer: without a user to ask, or the user said no.
        """
        known = self.pin(server)
        anchor = await self._fetch_anchor(server)
        fresh = fingerprint(anchor)
        if known is not None and known.fingerprint == fresh:
            # The same key, and still no valid connection: expired, or another name. Asking would change nothing.
            raise UntrustedServer(server=origin(server), fingerprint=fresh, known=known.fingerprint)
        await self._accept(server, anchor, known.fingerprint if known else None)
        return _context(anchor)

    async def knock(self, server: str) -> None:
        """Whether anybody answers there with TLS, whoever it is. Raises Unreachable, ProxyFailed."""
        await self._fetch_anchor(server)

    async def prove(self, server: str) -> None:
        """Whether the server stands the check that counts for it: against its pinned CA, or the system's trust store.

        Raises:
            ssl.SSLError: it does not (SSLCertVerificationError tells why). Unreachable, ProxyFailed: nobody answers.
        """
        known = self.pin(server)
        await _peer_chain(server, _context(known.anchor if known is not None else None), self._door)

    async def _accept(self, server: str, anchor: bytes, known: str | None) -> None:
        fresh = fingerprint(anchor)
        accepted = known is None if self._decide is None else await self._decide(origin(server), fresh, known)
        if not accepted:
            raise UntrustedServer(server=origin(server), fingerprint=fresh, known=known)
        self._remember(server, Pin(fresh, anchor))

    def _remember(self, server: str, pin: Pin) -> None:
        self._pins[origin(server)] = pin
        try:
            write_private(self._path, msgspec.json.encode(self._pins))
        except OSError as error:
            raise StorageUnavailable(reason="disk") from error

    def _load(self) -> dict[str, Pin]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Pin])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            # A broken pin file must not turn into "trust whoever answers first".
            raise StorageUnavailable(reason="pins") from error

    async def _system_knows(self, server: str) -> bool:
        try:
            await _peer_chain(server, _context(None), self._door)
        except ssl.SSLError:
            return False
        return True

    async def _fetch_anchor(self, server: str) -> bytes:
        """The CA at the end of the chain the server shows, else its own certificate (DER)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # only to look; nothing is sent over this connection
        try:
            chain = await _peer_chain(server, context, self._door)
        except ssl.SSLError as error:
            raise Unreachable(server=origin(server)) from error
        return chain[-1]


def origin(server: str) -> str:
    """`https://host[:port]` in lower case, without path.

    Raises:
        Unreachable: not an https address.
    """
    text = server.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Unreachable(server=text) from error
    if parts.scheme != "https" or not host:
        raise Unreachable(server=text)
    shown = f"[{host}]" if ":" in host else host
    return f"https://{shown}" if port in (None, DEFAULT_PORT) else f"https://{shown}:{port}"


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of the certificate's public key (SPKI), hex."""
    from cryptography import x509  # wanted with the first sight of a server, not with every start
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError as error:
        raise UntrustedServer(fingerprint="", known=None) from error
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def is_certificate_failure(error: BaseException | None) -> bool:
    """Whether a failed connection failed at the certificate."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def _context(anchor: bytes | None) -> ssl.SSLContext:
    context = ssl.create_default_context() if anchor is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if anchor is not None:
        context.load_verify_locations(cadata=anchor)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the anchor may be the server's own certificate
    return context


async def _peer_chain(server: str, context: ssl.SSLContext, door: Door) -> list[bytes]:
    parts = urlsplit(origin(server))
    host, port = parts.hostname or "", parts.port or DEFAULT_PORT
    way = await door.open(host, port)
    to: dict[str, Any] = {"host": host, "port": port} if way is None else {"sock": way, "server_hostname": host}
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        async with asyncio.timeout(_CONNECT_LIMIT):
            _, writer = await asyncio.open_connection(**to, ssl=context)
    except ssl.SSLError:
        raise
    except (OSError, TimeoutError) as error:
        raise Unreachable(server=origin(server)) from error
    try:
        return chain_of(writer.get_extra_info("ssl_object"))
    finally:
        await _end(writer)


async def _end(writer: asyncio.StreamWriter) -> None:
    """Closes for good: a transport left half-closed would outlive the loop."""
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_LIMIT):
            await writer.wait_closed()
    writer.transport.abort()


def chain_of(connection: Any) -> list[bytes]:
    """The certificates shown, leaf first. Python < 3.13 has the chain on the inner object only; without it the leaf must do."""
    get_chain = getattr(connection, "get_unverified_chain", None)
    if get_chain is not None:
        return [bytes(certificate) for certificate in get_chain()]
    inner = getattr(connection, "_sslobj", None)
    if inner is not None and hasattr(inner, "get_unverified_chain"):
        der = 2  # _ssl.ENCODING_DER
        return [bytes(certificate.public_bytes(der)) for certificate in inner.get_unverified_chain()]
    leaf: bytes = connection.getpeercert(binary_form=True)
    return [leaf]
