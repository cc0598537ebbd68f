"""HTTP failures as errors of the client, by the problem's code (docs/protocol.md §2)."""

import msgspec

from desktop.core.errors import (
    AccountDisabled,
    AppError,
    AuthExpired,
    DeviceRevoked,
    InvalidCredentials,
    Locked,
    Offline,
    Rejected,
)
from desktop.core.protocol.answers import Problem

MAX_RETRY: float = 3600.0


def error_of(status: int, body: bytes, retry_header: str | None = None) -> AppError:
    """The error an answer outside 2xx stands for."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (ValueError, RecursionError):
        problem = Problem()
    code = problem.code if problem.type.startswith("urn:tongban:error:") else ""
    after = _seconds(problem.retry_after, retry_header)
    match code:
        case "invalidCredentials":
            return InvalidCredentials(type=code)
        case "locked":
            return Locked(type=code, retry_after=after if after is not None else 60.0)
        case "accountDisabled":
            return AccountDisabled(type=code)
        case "deviceRevoked":
            return DeviceRevoked(type=code)
        case "invalidGrant" | "tokenExpired":
            return AuthExpired(type=code)
        case "busy":
            return Offline(retry_after=after)
        case _:
            return _by_status(status, code, problem.detail, after)


def _by_status(status: int, code: str, detail: str | None, after: float | None) -> AppError:
    if status == 401:
        return AuthExpired(type=code or "unauthorized")
    if status in (429, 502, 503, 504):
        return Offline(retry_after=after)
    return Rejected(type=code or f"http{status}", status=status, description=(detail or "")[:200])


def _seconds(given: float | None, header: str | None) -> float | None:
    if given is None and header is not None and header.isascii() and header.isdigit():
        given = float(header[:9])
    return None if given is None else min(max(0.0, given), MAX_RETRY)
