"""Certificates: made once, renewed in time with the same authority key, refused when they do not belong together."""

import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from server_stub.app.tls import TlsError, TlsFiles, ensure_certificates, host_names, server_context
from tests.helpers.server_parts import START_MS

DAY_MS = 86_400_000
NAMES = host_names(["office.example", "10.0.0.5"])


def leaf(files: TlsFiles) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.server.read_bytes())


def test_made_once_and_kept(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "tls")
    assert ensure_certificates(files, NAMES, START_MS)
    before = [path.read_bytes() for path in (files.ca, files.ca_key, files.server, files.server_key)]
    assert not ensure_certificates(files, NAMES, START_MS)
    assert [path.read_bytes() for path in (files.ca, files.ca_key, files.server, files.server_key)] == before
    server_context(files)


def test_the_certificate_holds_every_name(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "tls")
    ensure_certificates(files, NAMES, START_MS)
    held = leaf(files).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", "office.example"} <= set(held.get_values_for_type(x509.DNSName))
    assert {"127.0.0.1", "::1", "10.0.0.5"} <= {str(one) for one in held.get_values_for_type(x509.IPAddress)}
    assert files.server.read_bytes().count(b"BEGIN CERTIFICATE") == 2  # the chain, with the authority clients pin


def test_renewed_before_the_end_by_the_same_authority(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "tls")
    ensure_certificates(files, NAMES, START_MS)
    authority = files.ca.read_bytes()
    assert not ensure_certificates(files, NAMES, START_MS + 360 * DAY_MS)
    later = START_MS + 370 * DAY_MS
    assert ensure_certificates(files, NAMES, later)
    assert files.ca.read_bytes() == authority
    assert leaf(files).not_valid_after_utc > datetime.fromtimestamp(later / 1000, UTC) + timedelta(days=390)


def test_an_old_authority_gets_new_dates_and_keeps_its_key(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "tls")
    ensure_certificates(files, NAMES, START_MS)
    before = x509.load_pem_x509_certificate(files.ca.read_bytes())
    assert ensure_certificates(files, NAMES, START_MS + 3400 * DAY_MS)
    after = x509.load_pem_x509_certificate(files.ca.read_bytes())
    assert after.public_key() == before.public_key()
    assert after.not_valid_after_utc > before.not_valid_after_utc
    leaf(files).verify_directly_issued_by(after)


def test_another_name_makes_another_certificate(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "tls")
    ensure_certificates(files, NAMES, START_MS)
    assert ensure_certificates(files, [*NAMES, "new.example"], START_MS)
    assert not ensure_certificates(files, ["new.example", *NAMES], START_MS)


@pytest.mark.parametrize("name", ["ca.pem", "ca.key", "server.pem", "server.key"])
def test_damaged_files_are_told_not_replaced(tmp_path: Path, name: str) -> None:
    files = TlsFiles(tmp_path / "tls")
    ensure_certificates(files, NAMES, START_MS)
    (files.folder / name).write_bytes(b"rubbish")
    with pytest.raises(TlsError, match=name):
        ensure_certificates(files, NAMES, START_MS)
    assert (files.folder / name).read_bytes() == b"rubbish"


def test_a_foreign_authority_is_told(tmp_path: Path) -> None:
    files, other = TlsFiles(tmp_path / "one"), TlsFiles(tmp_path / "other")
    ensure_certificates(files, NAMES, START_MS)
    ensure_certificates(other, NAMES, START_MS)
    files.ca.write_bytes(other.ca.read_bytes())
    with pytest.raises(TlsError, match="does not belong"):
        ensure_certificates(files, NAMES, START_MS)
    files.ca_key.write_bytes(other.ca_key.read_bytes())
    with pytest.raises(TlsError, match=r"server\.pem"):
        ensure_certificates(files, NAMES, START_MS)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_keys_are_for_the_owner_alone(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "tls")
    ensure_certificates(files, NAMES, START_MS)
    assert [oct(path.stat().st_mode & 0o777) for path in (files.ca_key, files.server_key)] == ["0o600", "0o600"]


def test_nothing_below_tls_1_3(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "tls")
    ensure_certificates(files, NAMES, START_MS)
    assert server_context(files).minimum_version == ssl.TLSVersion.TLSv1_3
