"""The network's edge without a network: addresses, problem answers, fingerprints, time limits, speeds."""

import asyncio
import ssl
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.errors import (
    AccountDisabled,
    AppError,
    AuthExpired,
    DeviceRevoked,
    InvalidCredentials,
    Locked,
    Offline,
    Rejected,
    StorageUnavailable,
    Unreachable,
    UntrustedServer,
)
from desktop.core.net.problems import error_of
from desktop.core.net.trust import TrustStore, fingerprint, is_certificate_failure, origin
from desktop.core.services.speed import Speed
from desktop.core.services.workers import within


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("office.example", "https://office.example"),
        ("https://Office.Example:443/jmap?x", "https://office.example"),
        ("https://127.0.0.1:8460", "https://127.0.0.1:8460"),
        (" [::1]:8460 ", "https://[::1]:8460"),
    ],
)
def test_addresses(text: str, found: str) -> None:
    assert origin(text) == found


@pytest.mark.parametrize("text", ["", "http://office.example", "https://", "ftp://x", "https://h:99999", "https://h:x"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(Unreachable):
        origin(text)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_unreachable(text: str) -> None:
    try:
        assert origin(text).startswith("https://")
    except Unreachable:
        return


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "invalidCredentials", InvalidCredentials),
        (429, "locked", Locked),
        (403, "accountDisabled", AccountDisabled),
        (403, "deviceRevoked", DeviceRevoked),
        (401, "invalidGrant", AuthExpired),
        (401, "tokenExpired", AuthExpired),
        (503, "busy", Offline),
        (404, "notFound", Rejected),
        (413, "tooLarge", Rejected),
    ],
)
def test_problem_codes_become_what_the_caller_can_do(status: int, code: str, kind: type[AppError]) -> None:
    body = f'{{"type":"urn:tongban:error:{code}","status":{status},"retryAfter":7}}'.encode()
    error = error_of(status, body)
    assert type(error) is kind
    assert error.data.get("retry_after", 7) == 7


@given(st.integers(300, 599), st.binary(max_size=100), st.none() | st.text(max_size=20))
def test_any_answer_is_an_error_of_ours(status: int, body: bytes, retry: str | None) -> None:
    assert isinstance(error_of(status, body, retry), AppError)


def test_bytes_that_are_no_certificate_are_not_trusted() -> None:
    with pytest.raises(UntrustedServer):
        fingerprint(b"nonsense")


def test_a_broken_pin_file_never_means_trust_everybody(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_bytes(b"{broken")
    with pytest.raises(StorageUnavailable):
        TrustStore(tmp_path / "trust.json")


def test_certificate_failures_are_found_below_others() -> None:
    outer = OSError("outer")
    outer.__cause__ = ssl.SSLCertVerificationError("inner")
    assert is_certificate_failure(outer)
    assert not is_certificate_failure(OSError("x"))


def test_a_keychain_that_hangs_does_not_hang_us() -> None:
    release = threading.Event()

    async def scenario() -> None:
        with pytest.raises(StorageUnavailable):
            await within(0.05, release.wait)
        assert await within(5.0, lambda: 3) == 3
        with pytest.raises(ZeroDivisionError):
            await within(5.0, lambda: 1 / 0)

    try:
        asyncio.run(scenario())
    finally:
        release.set()


def test_speed_forgets() -> None:
    speed = Speed()
    assert speed.after(0.0, 0) == 0.0
    assert speed.after(1.0, 1000) == 1000.0
    assert speed.after(1.0, 1000) == 1000.0
    assert 0 < speed.after(31.0, 1000) < 2
    assert speed.after(32.0, 500) >= 0
