"""A small HTTPS server in the test's own loop, with certificates as good or bad as wanted, its own idea of the time, and an answer for every path."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """An own CA and a leaf of it, on disk as one PEM file; `anchor`: the CA's DER."""

    path: Path
    anchor: bytes


def make_certificate(folder: Path, *, host: str = "127.0.0.1", starts_in: int = -10, ends_in: int = 300) -> Certificate:
    """A certificate for one address, valid from and until so many days from now. The CA is always good."""
    now = datetime.datetime.now(datetime.UTC)
    keys = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in ("Office CA", "server")
    )

    def begin(subject: x509.Name, key: ec.EllipticCurvePrivateKey, start: int, end: int) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now + start * DAY).not_valid_after(now + end * DAY)

    ca = begin(ca_name, keys[0], -400, 400).add_extension(x509.BasicConstraints(True, 0), critical=True)
    own_id = x509.SubjectKeyIdentifier.from_public_key(keys[0].public_key())
    signed_ca = ca.add_extension(own_id, critical=False).sign(keys[0], hashes.SHA256())
    try:
        named: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        named = x509.DNSName(host)
    leaf = begin(name, keys[1], starts_in, ends_in)
    leaf = leaf.add_extension(x509.SubjectAlternativeName([named]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key())
    signed = leaf.add_extension(issuer, critical=False).sign(keys[0], hashes.SHA256())
    path = folder / f"{signed.serial_number:x}.pem"
    private = keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + signed.public_bytes(Encoding.PEM) + signed_ca.public_bytes(Encoding.PEM))
    return Certificate(path, signed_ca.public_bytes(Encoding.DER))


@asynccontextmanager
async def tls_server(
    certificate: Certificate | None, *, clock_off_s: float = 0.0, answers: Mapping[str, tuple[str, bytes]] | None = None
) -> AsyncIterator[str]:
    """Its address. `answers`: status line and body by path; anything else gets 200 and nothing. No certificate: no TLS."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.path)
    now = datetime.datetime.now(datetime.UTC).timestamp

    async def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Without TLS what comes is no request: it is answered as such a server would, at once.
            head = await (reader.readuntil(b"\r\n\r\n") if certificate else reader.read(1)) + b" / "
            status, body = (answers or {}).get(head.split(b" ")[1].decode(), ("200 OK", b""))
            lines = (f"HTTP/1.1 {status}", f"Date: {formatdate(now() + clock_off_s, usegmt=True)}", "Connection: close")
            writer.write(("\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(on_client, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
