"""The server's own certificate authority and certificate: made at init, renewed before they run out. TLS 1.3 only.

Keys never leave DATA/tls. Time comes in as an argument.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFE: Final = timedelta(days=3650)
SERVER_LIFE: Final = timedelta(days=397)  # the longest some clients accept
RENEW_BEFORE: Final = timedelta(days=30)
BACKDATE: Final = timedelta(days=1)  # clients with a slow clock
LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class TlsError(Exception):
    """The certificate files cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where they lie: ca.pem may be handed out, the keys may not. server.pem holds the whole chain."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def ca_key(self) -> Path:
        return self.folder / "ca.key"

    @property
    def server(self) -> Path:
        return self.folder / "server.pem"

    @property
    def server_key(self) -> Path:
        return self.folder / "server.key"


def host_names(extra: Iterable[str] = ()) -> list[str]:
    """The names of the certificate: loopback, this machine's name, the configured ones; no doubles."""
    own = socket.gethostname().strip(".")
    candidates = [*LOOPBACK_NAMES, *([own] if own.isascii() and own else []), *extra]
    return list(dict.fromkeys(name.lower() for name in candidates))


def ensure_certificates(files: TlsFiles, names: Iterable[str], now_ms: int) -> bool:
    """Make or renew what is missing, near its end or lacks a name. True when the server's certificate is new.

    Raises:
        TlsError: a file is there but cannot be read or does not fit its key.
    """
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    wanted = list(names)
    _make_folder(files.folder)
    ca, ca_key = _ensure_ca(files, now)
    if files.server.exists() and files.server_key.exists() and _is_good(files, ca, wanted, now):
        return False
    _issue_server(files, ca, ca_key, wanted, now)
    return True


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A certificate with its chain, and its key, made by somebody else; PEM files that we only read."""

    certificate: Path
    key: Path


def server_context(files: TlsFiles, brought: CertificatePair | None = None) -> ssl.SSLContext:
    """A context for the listening side: TLS 1.3 only, no session tickets beyond OpenSSL's own two."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    load_chain(context, files, brought)
    return context


def load_chain(context: ssl.SSLContext, files: TlsFiles, brought: CertificatePair | None = None) -> None:
    """(Re)load the certificate, `brought` before our own: new connections use it, open ones go on. Raises TlsError."""
    pair = brought or CertificatePair(files.server, files.server_key)
    try:
        context.load_cert_chain(pair.certificate, pair.key)
    except (OSError, ssl.SSLError) as error:
        raise TlsError(
            f"the server certificate {pair.certificate} cannot be loaded with {pair.key}: {error}"
        ) from error


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _ensure_ca(files: TlsFiles, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    if files.ca.exists() or files.ca_key.exists():
        ca, key = _load_certificate(files.ca), _load_key(files.ca_key)
        if ca.public_key() != key.public_key():
            raise TlsError(f"{files.ca_key} does not belong to {files.ca}")
        if now <= ca.not_valid_after_utc - SERVER_LIFE:
            return ca, key
        # The key stays, so that clients which pinned it keep trusting us: only the dates move.
        ca = _sign_ca(key, now)
        _write(files.ca, _pem(ca), secret=False)
        return ca, key
    key = ec.generate_private_key(ec.SECP256R1())
    ca = _sign_ca(key, now)
    _write(files.ca_key, _pem_of_key(key), secret=True)
    _write(files.ca, _pem(ca), secret=False)
    return ca, key


def _sign_ca(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tongban"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Tongban CA of {socket.gethostname()}"[:64]),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _issue_server(
    files: TlsFiles, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, names: list[str], now: datetime
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(min(now + SERVER_LIFE, ca.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(files.server_key, _pem_of_key(key), secret=True)
    _write(files.server, _pem(certificate) + _pem(ca), secret=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_good(files: TlsFiles, ca: x509.Certificate, names: list[str], now: datetime) -> bool:
    certificate, key = _load_certificate(files.server), _load_key(files.server_key)
    try:
        certificate.verify_directly_issued_by(ca)
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise TlsError(f"{files.server} was not made by {files.ca}; remove it to have a new one made") from error
    except Exception as error:
        raise TlsError(f"{files.server} was not signed by {files.ca}; remove it to have a new one made") from error
    fits = certificate.public_key() == key.public_key()
    lives = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - RENEW_BEFORE
    return fits and lives and set(held) == {_general_name(name) for name in names}


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TlsError(f"{path} cannot be read as a certificate: {error}") from error


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise TlsError(f"{path} cannot be read as a key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TlsError(f"{path} is not an EC key")
    return key


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes, *, secret: bool) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
