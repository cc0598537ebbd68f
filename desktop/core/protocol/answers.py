"""Arguments of method responses (RFC 8620 §5) and of the authentication endpoints, decoded on demand."""

from typing import Any, TypeVar

import msgspec

from desktop.core.protocol.problems import ProtocolError

AnyAnswer = TypeVar("AnyAnswer")


class ChangesAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """/changes, with our `modseqs`: at which change id each object last changed."""

    new_state: str
    has_more_changes: bool = False
    created: list[str] = []
    updated: list[str] = []
    destroyed: list[str] = []
    modseqs: dict[str, int] = {}


class GetAnswer(msgspec.Struct, frozen=True, rename={"objects": "list", "not_found": "notFound"}):
    """/get; objects stay raw."""

    state: str
    objects: list[msgspec.Raw] = []
    not_found: list[str] = []


class ClaimAnswer(msgspec.Struct, frozen=True):
    """What has to be proved of a file (docs/protocol.md, possession): `key` in base64url, `ranges` of offset and length."""

    id: str
    key: str
    ranges: list[tuple[int, int]]


class DirectState(msgspec.Struct, frozen=True):
    """How a direct transfer stands."""

    id: str
    state: str = "offered"


class DirectTaken(msgspec.Struct, frozen=True, rename="camel"):
    """What the device that takes a file is told (docs/protocol.md, direct transfers): `certificate` in base64, `token` in hex."""

    id: str
    blob_id: str
    size: int
    name: str
    certificate: str
    token: str
    addresses: list[tuple[str, int]]
    type: str = ""


class QueryAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """/query."""

    ids: list[str] = []
    position: int = 0
    total: int | None = None
    limit: int | None = None


class SetError(msgspec.Struct, frozen=True, rename="camel"):
    """Why one object of a /set was refused (RFC 8620 §5.3), with what office records add: the object as it is, who holds a resource, who has the value,
    who was faster with a work item (`by`, `at`, `action`, the `case` as it is now), the `problems` of a process; why and until when one may not write in a
    conversation (`reason`, `until`), after how many seconds it may be tried again."""

    type: str = "serverFail"
    description: str | None = None
    properties: list[str] | None = None
    current: dict[str, Any] | None = None
    conflicts: list[Any] | None = None
    free: list[str] | None = None
    existing_id: str | None = None
    reasons: dict[str, Any] | None = None
    by: str | None = None
    at: str | None = None
    action: str | None = None
    case: dict[str, Any] | None = None
    problems: list[Any] | None = None
    retry_after: Any = None
    reason: Any = None
    until: Any = None

    @property
    def code(self) -> str:
        """What it is called in a sentence: why something is forbidden, where that is said; else the type."""
        return self.reason if self.type == "forbidden" and isinstance(self.reason, str) else self.type

    @property
    def extra(self) -> dict[str, Any] | None:
        """All it says beyond type and description, in wire names; None: nothing."""
        found = {
            "properties": self.properties,
            "conflicts": self.conflicts,
            "free": self.free,
            "existingId": self.existing_id,
            "reasons": self.reasons,
            "by": self.by,
            "at": self.at,
            "action": self.action,
            "case": self.case,
            "retryAfter": self.retry_after,
            "reason": self.reason,
            "until": self.until,
        }
        return {name: value for name, value in found.items() if value is not None} or None


class SetAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """/set."""

    new_state: str | None = None
    created: dict[str, msgspec.Raw] | None = None
    updated: dict[str, msgspec.Raw] | None = None
    destroyed: list[str] | None = None
    not_created: dict[str, SetError] | None = None
    not_updated: dict[str, SetError] | None = None
    not_destroyed: dict[str, SetError] | None = None


class MethodError(msgspec.Struct, frozen=True, rename="camel"):
    """A call failed as a whole (RFC 8620 §3.6.2)."""

    type: str
    description: str | None = None


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """RFC 9457 problem details; `code` is the last part of its type."""

    type: str = "about:blank"
    status: int = 0
    detail: str | None = None
    retry_after: float | None = None

    @property
    def code(self) -> str:
        """`invalidCredentials` of `urn:tongban:error:invalidCredentials`."""
        return self.type.rsplit(":", 1)[-1]


class TokenAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """What /auth/token grants. `repr` hides the tokens."""

    access_token: str
    expires_in: float
    refresh_token: str
    device_id: str
    account_id: str

    def __repr__(self) -> str:
        return f"TokenAnswer(account_id={self.account_id!r}, …)"


class SessionAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """The parts of the JMAP Session object (RFC 8620 §2) the client uses."""

    capabilities: dict[str, dict[str, object]]
    accounts: dict[str, dict[str, object]]
    api_url: str
    download_url: str
    upload_url: str
    primary_accounts: dict[str, str] = {}
    username: str = ""
    state: str = ""


def decode_answer(raw: bytes | msgspec.Raw, kind: type[AnyAnswer]) -> AnyAnswer:
    """`raw` as `kind`. Raises ProtocolError."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"broken {kind.__name__}: {type(error).__name__}") from error
