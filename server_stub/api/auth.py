"""`/auth/token` and `/auth/revoke` (docs/protocol.md §2), and what the other file routes share with them."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from server_stub.accounts.refusals import Refused
from server_stub.accounts.service import Accounts
from server_stub.accounts.sessions import MAX_DEVICE_NAME, PLATFORMS, DeviceInfo, Tokens
from server_stub.api.door import admit, refusal_response

log = logging.getLogger("tongban.auth")

MAX_BODY: Final = 64 * 1024
BODY_S: Final = 20.0  # nobody has proved anything yet: who sends slower than this is not waited for
_NO_STORE: Final = {"Cache-Control": "no-store"}

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class _Device(msgspec.Struct):
    name: str = ""
    platform: str = "other"


class _TokenRequest(msgspec.Struct, rename="camel"):
    grant_type: Literal["password", "refresh_token"]
    login: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    password: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    device: _Device | None = None
    refresh_token: _Text | None = None

    def __repr__(self) -> str:
        return f"_TokenRequest({self.grant_type})"


class _RevokeRequest(msgspec.Struct):
    scope: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


def auth_routes(accounts: Accounts) -> list[Route]:
    """The routes of sign-in and sign-out."""

    @answers_refusals
    async def token(request: Request) -> Response:
        asked = await read_json(request, _TokenRequest)
        proof = single_header(request, "dpop")
        url, address = str(request.url), address_of(request)
        if asked.grant_type == "refresh_token":
            if asked.refresh_token is None:
                raise Refused("badRequest", "refreshToken is missing")
            return _tokens(await accounts.refresh(asked.refresh_token, proof=proof, url=url, address=address))
        if asked.login is None or asked.password is None:
            raise Refused("badRequest", "login and password are needed")
        device = _device(asked.device or _Device())
        return _tokens(
            await accounts.sign_in(asked.login, asked.password, device, proof=proof, url=url, address=address)
        )

    @answers_refusals
    async def revoke(request: Request) -> Response:
        admission = await admit(accounts, request, request.method)
        asked = await read_json(request, _RevokeRequest)
        await accounts.revoke(admission.actor, asked.scope)
        return Response(status_code=204, headers=_NO_STORE)

    return [Route("/auth/token", token, methods=["POST"]), Route("/auth/revoke", revoke, methods=["POST"])]


def address_of(connection: HTTPConnection) -> str:
    """The peer's IP address, as text."""
    return connection.client.host if connection.client is not None else "unknown"


def single_header(request: Request, name: str) -> str | None:
    """The header's value; None when it is missing. Raises Refused invalidProof when it stands there twice."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise Refused("invalidProof", f"more than one {name} header")
    return values[0] if values else None


def answers_refusals(endpoint: Endpoint) -> Endpoint:
    """Turn a Refused into problem details (RFC 9457)."""

    @functools.wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refused:
            response = refusal_response(refused)
            response.headers.update(_NO_STORE)
            return response
        except ClientDisconnect:
            return Response(status_code=400)

    return answer


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises Refused tooLarge as soon as it is longer than `limit`."""
    parts = bytearray()
    async for chunk in request.stream():
        parts += chunk
        if len(parts) > limit:
            raise Refused("tooLarge", f"the body is longer than {limit} bytes")
    return bytes(parts)


async def read_json(request: Request, type_: type[T]) -> T:
    """The body as a checked object. Raises Refused badRequest, tooLarge."""
    try:
        async with asyncio.timeout(BODY_S):
            body = await read_body(request, MAX_BODY)
    except TimeoutError:
        raise Refused("badRequest", "the body does not come") from None
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refused("badRequest", "the body is not what this route expects") from None


def _tokens(tokens: Tokens) -> Response:
    body = {
        "accessToken": tokens.access,
        "tokenType": "DPoP",
        "expiresIn": tokens.expires_in_s,
        "refreshToken": tokens.refresh,
        "deviceId": tokens.device_id,
        "accountId": tokens.person_id,
    }
    return Response(msgspec.json.encode(body), 200, _NO_STORE, "application/json")


def _device(asked: _Device) -> DeviceInfo:
    name = "".join(char for char in asked.name if char.isprintable()).strip()[:MAX_DEVICE_NAME]
    return DeviceInfo(name or "?", asked.platform if asked.platform in PLATFORMS else "other")
