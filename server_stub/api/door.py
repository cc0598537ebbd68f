"""Who may come in: the interface that accounts fill, and how a refusal looks on the wire."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from server_stub.accounts.refusals import Refused
from server_stub.accounts.service import Admission
from server_stub.push.hub import Hub

MAX_SOCKETS: Final = 100  # open sockets and event streams of one person


class Door(Protocol):
    """Proves who is behind a request; `server_stub.accounts.Accounts` is the real one."""

    async def admit(self, headers: Mapping[str, str], method: str, url: str, address: str) -> Admission:
        """The actor and how long the proof holds. Raises Refused."""
        ...

    async def renew(self, admission: Admission, access_token: str) -> Admission:
        """Go on with a newer token on an open socket. Raises Refused."""
        ...

    def note_use(self, admission: Admission, address: str, what: str) -> None:
        """Log a request that came in over an open socket."""
        ...


async def admit(door: Door, connection: HTTPConnection, method: str) -> Admission:
    """The admission behind an HTTP request or a WebSocket handshake. Raises Refused."""
    address = connection.client.host if connection.client is not None else ""
    return await door.admit(connection.headers, method, str(connection.url), address)


def refuse_crowd(hub: Hub, admission: Admission) -> None:
    """Raises Refused busy when this person has too many sockets open already."""
    if hub.count_of(admission.actor.person_id) >= MAX_SOCKETS:
        raise Refused("busy", f"more than {MAX_SOCKETS} open sockets of one person", retry_after=30)


def refusal_problem(refused: Refused) -> dict[str, Any]:
    """The problem details (RFC 9457) of docs/protocol.md §2."""
    problem: dict[str, Any] = {
        "type": f"urn:tongban:error:{refused.code}",
        "status": refused.status,
        "detail": refused.detail,
    }
    if refused.retry_after is not None:
        problem["retryAfter"] = refused.retry_after
    return problem


def refusal_response(refused: Refused) -> Response:
    """The same as an HTTP response."""
    headers = {"retry-after": str(refused.retry_after)} if refused.retry_after is not None else {}
    if refused.status == 401:
        headers["www-authenticate"] = 'DPoP algs="ES256"'
    return JSONResponse(
        refusal_problem(refused), refused.status, headers=headers, media_type="application/problem+json"
    )
