"""The plain HTTP ends: health, the Session, JMAP requests, the event source. Thin: parse, call, serialize."""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from server_stub.accounts.refusals import Refused
from server_stub.accounts.service import Admission
from server_stub.api.dispatch import Dispatcher
from server_stub.api.door import Door, admit, refusal_response, refuse_crowd
from server_stub.api.session import session_object
from server_stub.clock import Clock
from server_stub.errors import RequestError, RequestErrorType
from server_stub.push.connection import Connection
from server_stub.push.frames import Frame
from server_stub.push.hub import Hub
from server_stub.records.actor import READ_SCOPE, Actor
from server_stub.records.store import load_record
from server_stub.storage.database import Database

NO_STORE: Final = {"cache-control": "no-cache, no-store, must-revalidate"}
_EVENT_BACKLOG: Final = 64


@dataclass(frozen=True, slots=True)
class HttpEnds:
    """The handlers with what they need."""

    database: Database
    clock: Clock
    door: Door
    dispatcher: Dispatcher
    hub: Hub
    capabilities: dict[str, Any]
    busy: Counter[str]

    def routes(self) -> list[Route]:
        """What create_app mounts."""
        return [
            Route("/healthz", self.get_health, methods=["GET"]),
            Route("/.well-known/jmap", self.get_session, methods=["GET"]),
            Route("/jmap/api", self.post_request, methods=["POST"]),
            Route("/jmap/events", self.get_events, methods=["GET"]),
        ]

    async def get_health(self, request: Request) -> Response:
        """200 while serving, 503 while stopping."""
        if self.hub.stopping:
            return JSONResponse({"status": "stopping"}, 503)
        return JSONResponse({"status": "ok"})

    async def get_session(self, request: Request) -> Response:
        """RFC 8620 §2."""
        try:
            actor = (await admit(self.door, request, "GET")).actor
        except Refused as refused:
            return refusal_response(refused)
        name, login = await self.database.read(lambda conn: _load_names(conn, actor))
        base = f"{request.url.scheme}://{request.url.netloc}"
        return JSONResponse(session_object(self.capabilities, actor, name, login, base), headers=NO_STORE)

    async def post_request(self, request: Request) -> Response:
        """RFC 8620 §3."""
        try:
            actor = (await admit(self.door, request, "POST")).actor
        except Refused as refused:
            return refusal_response(refused)
        try:
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                raise RequestError(RequestErrorType.NOT_JSON, "the content type is application/json")
            with self._counted(actor):
                body = await read_body(request, self.dispatcher.limits.max_size_request)
                answer = await self.dispatcher.handle_bytes(body, actor)
        except RequestError as problem:
            return JSONResponse(problem.to_problem(), problem.status, media_type="application/problem+json")
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        return Response(answer, media_type="application/json", headers=NO_STORE)

    @contextlib.contextmanager
    def _counted(self, actor: Actor) -> Any:
        """At most maxConcurrentRequests of one account at a time."""
        if self.busy[actor.person_id] >= self.dispatcher.limits.max_concurrent_requests:
            raise RequestError(
                RequestErrorType.LIMIT, "too many requests at a time", limit="maxConcurrentRequests", status=429
            )
        self.busy[actor.person_id] += 1
        try:
            yield
        finally:
            self.busy[actor.person_id] -= 1
            if not self.busy[actor.person_id]:
                del self.busy[actor.person_id]

    async def get_events(self, request: Request) -> Response:
        """RFC 8620 §7.3: `types`, `closeafter`, `ping`."""
        try:
            admission = await admit(self.door, request, "GET")
            types, close_after, ping = _event_parameters(request)
            if not admission.actor.may(READ_SCOPE):
                raise Refused("forbidden", f"the token lacks the scope {READ_SCOPE}")
            refuse_crowd(self.hub, admission)
            if self.hub.stopping:
                raise Refused("busy", "the server is stopping", retry_after=5)
        except Refused as refused:
            return refusal_response(refused)
        stream = self._events(admission, types, close_after, ping)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def _events(
        self, admission: Admission, types: list[str] | None, close_after: bool, ping: int
    ) -> AsyncIterator[bytes]:
        outlet = _EventOutlet()
        connection = Connection(
            admission.actor.person_id, outlet, device_id=admission.actor.device_id, token_id=admission.token_id
        )
        await self.hub.connect(connection)
        try:
            self.hub.listen(connection, types)
            yield b": welcome\n\n"
            while not outlet.closed:
                left = (admission.expires_at - self.clock.now_ms()) / 1000
                if left <= 0:
                    return
                chunks = await outlet.take(min(float(ping or 3600), left))
                for chunk in chunks:
                    yield chunk
                    if close_after:
                        return
                if ping and not chunks:
                    yield b'event: ping\ndata: {"interval":%d}\n\n' % ping
        finally:
            self.hub.disconnect(connection)


class _EventOutlet:
    """Collects state changes for an event stream; a stream that is not read keeps only the newest."""

    behind = False

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque(maxlen=_EVENT_BACKLOG)
        self._news = asyncio.Event()
        self.closed = False

    def send(self, frame: Frame) -> None:
        if frame.payload.startswith(b'{"@type":"StateChange"'):
            self._frames.append(frame)
            self._news.set()

    def backlog(self) -> int:
        return 0

    def close(self, code: int, reason: str) -> None:
        self.closed = True
        self._news.set()

    async def take(self, seconds: float) -> list[bytes]:
        """What is there, or comes first within so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()
        taken = [b"event: state\ndata: " + frame.payload + b"\n\n" for frame in self._frames]
        self._frames.clear()
        return taken


def _event_parameters(request: Request) -> tuple[list[str] | None, bool, int]:
    query = request.query_params
    types = query.get("types", "*")
    ping = query.get("ping", "0")
    if query.get("closeafter", "no") not in {"no", "state"} or not (
        ping.isascii() and ping.isdigit() and len(ping) < 7
    ):
        raise Refused("badRequest", "closeafter is no or state, ping is a number of seconds")
    seconds = int(ping)
    return (
        None if types == "*" else types.split(","),
        query.get("closeafter") == "state",
        min(300, max(10, seconds)) if seconds else 0,
    )


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request, never more than `most` bytes of it in memory.

    Raises:
        RequestError: limit maxSizeRequest.
    """
    too_large = RequestError(RequestErrorType.LIMIT, "the request is too large", limit="maxSizeRequest", status=413)
    stated = request.headers.get("content-length", "0")
    if stated.isdigit() and (len(stated) > 15 or int(stated) > most):
        raise too_large
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _load_names(conn: sa.Connection, actor: Actor) -> tuple[str, str]:
    person = load_record(conn, actor.person_id, type_name="Person")
    data = person.data if person is not None else {}
    return str(data.get("name", actor.person_id)), str(data.get("login", actor.person_id))
