"""The server's expected failures. Bugs stay plain builtins and are caught only at the borders.

ServerError
├── StorageFailed           the disk said no; nothing of the group was kept
├── DatabaseTooNew          written by a newer version of this program
├── DatabaseDamaged         not a database, or one with broken pages
├── RequestError            the whole JMAP request is refused (RFC 8620 §3.6.1), problem details
├── MethodError             one method call is refused (RFC 8620 §3.6.2)
│   └── CannotCalculateChanges
└── SetError                one object of a /set is refused (RFC 8620 §5.3)
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

PROBLEM_PREFIX: Final = "urn:ietf:params:jmap:error:"


class RequestErrorType(StrEnum):
    """Request-level errors, RFC 8620 §3.6.1."""

    UNKNOWN_CAPABILITY = "unknownCapability"
    NOT_JSON = "notJSON"
    NOT_REQUEST = "notRequest"
    LIMIT = "limit"


class MethodErrorType(StrEnum):
    """Method-level errors, RFC 8620 §3.6.2 and §5."""

    SERVER_UNAVAILABLE = "serverUnavailable"
    SERVER_FAIL = "serverFail"
    SERVER_PARTIAL_FAIL = "serverPartialFail"
    UNKNOWN_METHOD = "unknownMethod"
    INVALID_ARGUMENTS = "invalidArguments"
    INVALID_RESULT_REFERENCE = "invalidResultReference"
    FORBIDDEN = "forbidden"
    ACCOUNT_NOT_FOUND = "accountNotFound"
    ACCOUNT_NOT_SUPPORTED_BY_METHOD = "accountNotSupportedByMethod"
    ACCOUNT_READ_ONLY = "accountReadOnly"
    REQUEST_TOO_LARGE = "requestTooLarge"
    CANNOT_CALCULATE_CHANGES = "cannotCalculateChanges"
    STATE_MISMATCH = "stateMismatch"
    ANCHOR_NOT_FOUND = "anchorNotFound"
    UNSUPPORTED_SORT = "unsupportedSort"
    UNSUPPORTED_FILTER = "unsupportedFilter"
    TOO_MANY_CHANGES = "tooManyChanges"


class SetErrorType(StrEnum):
    """Errors of single objects, RFC 8620 §5.3, and our own below the line."""

    FORBIDDEN = "forbidden"
    OVER_QUOTA = "overQuota"
    TOO_LARGE = "tooLarge"
    RATE_LIMIT = "rateLimit"
    NOT_FOUND = "notFound"
    INVALID_PATCH = "invalidPatch"
    WILL_DESTROY = "willDestroy"
    INVALID_PROPERTIES = "invalidProperties"
    SINGLETON = "singleton"
    # ours
    BLOB_NOT_FOUND = "blobNotFound"


class ServerError(Exception):
    """Root of everything the server expects to go wrong."""


class StorageFailed(ServerError):
    """The database could not keep a group of writes; none of the group happened."""


class DatabaseTooNew(ServerError):
    """The data directory was written by a newer version of this program."""

    def __init__(self, found: int, supported: int) -> None:
        super().__init__(f"the database has schema version {found}, this program knows versions up to {supported}")
        self.found = found
        self.supported = supported


class DatabaseDamaged(ServerError):
    """The file is no database, or its pages are broken."""


class RequestError(ServerError):
    """A whole JMAP request that is refused. `limit` names the limit that was passed (with type `limit`)."""

    def __init__(self, type_: RequestErrorType, detail: str, *, limit: str | None = None, status: int = 400) -> None:
        super().__init__(detail)
        self.type = type_
        self.detail = detail
        self.limit = limit
        self.status = status

    def to_problem(self) -> dict[str, Any]:
        """The problem details object (RFC 7807) for HTTP bodies and RequestError frames."""
        problem: dict[str, Any] = {
            "type": PROBLEM_PREFIX + self.type.value,
            "status": self.status,
            "detail": self.detail,
        }
        if self.limit is not None:
            problem["limit"] = self.limit
        return problem


class MethodError(ServerError):
    """A method call that is refused; other calls of the request go on."""

    def __init__(self, type_: MethodErrorType, description: str = "") -> None:
        super().__init__(description or type_.value)
        self.type = type_
        self.description = description

    def to_arguments(self) -> dict[str, Any]:
        """The arguments of the `error` response."""
        arguments: dict[str, Any] = {"type": self.type.value}
        if self.description:
            arguments["description"] = self.description
        return arguments


class CannotCalculateChanges(MethodError):
    """The state is older than the kept log, or never was: the client starts over."""

    def __init__(self, description: str = "") -> None:
        super().__init__(MethodErrorType.CANNOT_CALCULATE_CHANGES, description)


class SetError(ServerError):
    """One object of a /set that is refused.

    Args:
        type_: a SetErrorType, or a text for a type that only one module knows.
        description: for developers, English.
        properties: the properties at fault (with `invalidProperties`).
        extra: more members of the error object, such as the server's version of a record in conflict.
    """

    def __init__(
        self, type_: str, description: str = "", properties: Sequence[str] | None = None, **extra: object
    ) -> None:
        super().__init__(description or type_)
        self.type = str(type_)
        self.description = description
        self.properties = list(properties) if properties is not None else None
        self.extra = extra

    def to_object(self) -> dict[str, Any]:
        """The SetError object of notCreated, notUpdated, notDestroyed."""
        result: dict[str, Any] = {"type": self.type, **self.extra}
        if self.description:
            result["description"] = self.description
        if self.properties is not None:
            result["properties"] = self.properties
        return result


def invalid_properties(description: str, *properties: str) -> SetError:
    """The commonest SetError: these properties are wrong, for this reason."""
    return SetError(SetErrorType.INVALID_PROPERTIES, description, properties)
