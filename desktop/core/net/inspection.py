"""A look at a server that trusts nothing and sends nothing of ours: its certificates, its clock, how long the way takes."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from desktop.core.errors import Unreachable
from desktop.core.net.proxy import Door
from desktop.core.net.trust import DEFAULT_PORT, chain_of, fingerprint, origin

LIMIT: Final = 10.0
_MOST_HEAD: Final = 32 * 1024
_HEALTH: Final = "/healthz"


class ShownCertificate(msgspec.Struct, frozen=True):
    """The server's own certificate. Times in ms since 1970; `anchor`: the key at the end of the chain (SHA-256, hex)."""

    names: tuple[str, ...]
    issuer: str
    starts_at: int
    ends_at: int
    anchor: str


class Look(msgspec.Struct, frozen=True):
    """`date`: the server's Date header in ms since 1970, None without one; `waited_ms`: from the question to its answer."""

    certificate: ShownCertificate
    date: int | None
    waited_ms: float


def target(server: str) -> tuple[str, int]:
    """Host and port of an address. Raises Unreachable for what is none."""
    parts = urlsplit(origin(server))
    return parts.hostname or "", parts.port or DEFAULT_PORT


async def look_at(server: str, door: Door) -> Look:
    """Connects whatever the certificate, and asks for the health page.

    Raises:
        Unreachable, ProxyFailed: no connection. ssl.SSLError: something answers, and not in TLS 1.3.
    """
    host, port = target(server)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only to look
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    way = await door.open(host, port)
    to: dict[str, Any] = {"host": host, "port": port} if way is None else {"sock": way, "server_hostname": host}
    try:
        async with asyncio.timeout(LIMIT):
            reader, writer = await asyncio.open_connection(**to, ssl=context)
    except ssl.SSLError:
        raise
    except (OSError, TimeoutError) as error:
        raise Unreachable(server=origin(server)) from error
    try:
        certificate = read_certificate(chain_of(writer.get_extra_info("ssl_object")))
        begun = _now()
        date = await _ask_date(reader, writer, host)
        return Look(certificate, date, (_now() - begun) * 1000)
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                await writer.wait_closed()
        writer.transport.abort()


async def _ask_date(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> int | None:
    named = f"[{host}]" if ":" in host else host
    writer.write(f"GET {_HEALTH} HTTP/1.1\r\nHost: {named}\r\nConnection: close\r\n\r\n".encode())
    try:
        async with asyncio.timeout(LIMIT):
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    for line in head[:_MOST_HEAD].decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "date":
            with suppress(ValueError):
                moment = parsedate_to_datetime(value.strip())
                return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    return None


def read_certificate(chain: list[bytes]) -> ShownCertificate:
    """The leaf of a chain of DER certificates. Raises UntrustedServer for what is no certificate."""
    from cryptography import x509

    anchor = fingerprint(chain[-1])
    leaf = x509.load_der_x509_certificate(chain[0])
    try:
        other = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names: tuple[str, ...] = ()
    else:
        addresses = [str(address) for address in other.get_values_for_type(x509.IPAddress)]
        names = (*other.get_values_for_type(x509.DNSName), *addresses)
    issuer = next((str(one.value) for one in leaf.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)), "")
    return ShownCertificate(
        names,
        issuer,
        round(leaf.not_valid_before_utc.timestamp() * 1000),
        round(leaf.not_valid_after_utc.timestamp() * 1000),
        anchor,
    )


def is_named(host: str, names: tuple[str, ...]) -> bool:
    """Whether a certificate for these names is one for that host (RFC 6125 §6.4; a star stands for one label)."""
    host = host.lower().rstrip(".")
    parent = host.partition(".")[2]
    return any(name in (host, f"*.{parent}") for name in (one.lower() for one in names))


def _now() -> float:
    return asyncio.get_running_loop().time()


async def reach(host: str, port: int) -> float:
    """Milliseconds a plain connection takes, without a proxy. Raises OSError, TimeoutError."""
    begun = _now()
    async with asyncio.timeout(LIMIT):
        _, writer = await asyncio.open_connection(host, port)
    took = (_now() - begun) * 1000
    writer.close()
    writer.transport.abort()
    return took


async def go_through(door: Door, host: str, port: int) -> float:
    """Milliseconds the way through the door's proxy takes. Raises ProxyFailed."""
    begun = _now()
    opened = await door.open(host, port)
    if opened is not None:
        opened.close()
    return (_now() - begun) * 1000
