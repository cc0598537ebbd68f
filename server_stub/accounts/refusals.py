"""Why a request for entry is refused: one exception whose code is part of the wire contract (docs/protocol.md §2)."""

from __future__ import annotations

from typing import Final

STATUS_OF: Final = {
    "invalidCredentials": 401,
    "locked": 429,
    "accountDisabled": 403,
    "deviceRevoked": 403,
    "invalidGrant": 401,
    "invalidProof": 401,
    "tokenExpired": 401,
    "forbidden": 403,
    "notFound": 404,
    "tooLarge": 413,
    "rateLimit": 429,
    "busy": 503,
    "overQuota": 507,
    "diskFull": 507,
    "badRequest": 400,
}


class Refused(Exception):
    """The server says no. `code` is one of STATUS_OF; `retry_after` is whole seconds; `detail` never holds secrets."""

    def __init__(self, code: str, detail: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUS_OF[self.code]
