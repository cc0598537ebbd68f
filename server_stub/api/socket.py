"""JMAP over WebSocket (RFC 8887) with our Push and Signal frames: one socket, from the handshake to the close.

Any frame is answered or ignored, none ends the server; requests of one socket run side by side, a few at a time, and begin in order.
"""

import asyncio
import contextlib
import logging
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from server_stub.accounts.refusals import Refused
from server_stub.accounts.service import Admission
from server_stub.api.dispatch import Dispatcher
from server_stub.api.door import Door, admit, refusal_response, refuse_crowd
from server_stub.api.outlets import AsgiOutlet, RawOutlet
from server_stub.api.rawsocket import RAW_EXTENSION
from server_stub.api.wire import Call, Request, check_calls, check_size, decode_json
from server_stub.clock import Clock
from server_stub.errors import CannotCalculateChanges, RequestError, RequestErrorType
from server_stub.push.connection import Connection
from server_stub.push.frames import Frame, encode
from server_stub.push.hub import Hub
from server_stub.push.presence import STATUSES, is_status_text
from server_stub.records.actor import READ_SCOPE, WRITE_SCOPE, Actor
from server_stub.records.types import Registry
from server_stub.records.visibility import current_state, find_scope
from server_stub.storage.database import Database

log = logging.getLogger("tongban.api")

PUSHED_WHOLE: Final = frozenset({"Message", "Receipt"})
TOKEN_ENDED: Final = 1008  # RFC 8887 §4.1: the credentials the socket was opened with have ended
_LONGEST_TIMER_S: Final = 24 * 3600.0
_MAX_SCOPES_KEPT: Final = 50_000


class _Incoming(msgspec.Struct, rename="camel"):
    """Any frame a client may send; which fields count depends on `@type`."""

    type: str = msgspec.field(name="@type")
    id: str | None = None
    using: list[str] | None = None
    method_calls: list[Call] | None = None
    created_ids: dict[str, str] | None = None
    data_types: list[str] | None = None
    push_state: str | None = None
    objects: list[str] | None = None
    signals: bool = False
    kind: str | None = None
    conversation_id: str | None = None
    status: str | None = None
    text: str | None = None
    access_token: str | None = None


_decoder: Final = msgspec.json.Decoder(_Incoming)


class SocketApp:
    """The ASGI application behind /jmap/ws."""

    def __init__(
        self, *, database: Database, clock: Clock, door: Door, dispatcher: Dispatcher, registry: Registry, hub: Hub
    ) -> None:
        self.database = database
        self.clock = clock
        self.door = door
        self.dispatcher = dispatcher
        self.registry = registry
        self.hub = hub
        self._scopes: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, from the handshake on."""
        await receive()  # websocket.connect
        connection = HTTPConnection(scope)
        try:
            if self.hub.stopping:
                raise Refused("busy", "the server is stopping", retry_after=5)
            if "jmap" not in scope["subprotocols"]:
                raise Refused("badRequest", "the subprotocol is jmap (RFC 8887)")
            admission = await admit(self.door, connection, "GET")
            refuse_crowd(self.hub, admission)
        except Refused as refused:
            await _refuse(scope, send, refused)
            return
        await _Socket(self, admission, scope, send).run(receive)

    async def get_conversation_scope(self, conversation_id: str) -> int | None:
        """The scope of a conversation; remembered, it never changes."""
        found = self._scopes.get(conversation_id)
        if found is None:
            found = await self.database.read(lambda conn: find_scope(conn, "conversation", conversation_id))
            if found is not None:
                if len(self._scopes) >= _MAX_SCOPES_KEPT:
                    self._scopes.clear()
                self._scopes[conversation_id] = found
        return found


async def _refuse(scope: Scope, send: Send, refused: Refused) -> None:
    if "websocket.http.response" in scope.get("extensions", {}):
        response = refusal_response(refused)
        head = {
            "type": "websocket.http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
        await send(head)
        await send({"type": "websocket.http.response.body", "body": response.body})
    else:
        await send({"type": "websocket.close", "code": TOKEN_ENDED, "reason": refused.code})


class _Socket:
    """An accepted connection."""

    def __init__(self, app: SocketApp, admission: Admission, scope: Scope, send: Send) -> None:
        self._app = app
        self._admission = admission
        self._send = send
        self._address = scope["client"][0] if scope.get("client") else ""
        raw = scope.get("extensions", {}).get(RAW_EXTENSION)
        self._outlet: RawOutlet | AsgiOutlet = RawOutlet(raw, send) if raw is not None else AsgiOutlet(send)
        actor = admission.actor
        self._connection = Connection(
            actor.person_id, self._outlet, device_id=actor.device_id, token_id=admission.token_id
        )
        self._running = asyncio.Semaphore(app.dispatcher.limits.max_concurrent_requests)
        self._end_timer: asyncio.TimerHandle | None = None

    async def run(self, receive: Receive) -> None:
        """Until either side closes."""
        hub = self._app.hub
        try:
            # Before anything is answered: from here on a sign-out finds this socket.
            await hub.connect(self._connection)
            await self._send({"type": "websocket.accept", "subprotocol": "jmap"})
            self._watch_end()
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(), name="socket-out")
                try:
                    await self._listen(receive, tasks)
                finally:
                    hub.disconnect(self._connection)
                    writer.cancel()
        finally:
            hub.disconnect(self._connection)
            if self._end_timer is not None:
                self._end_timer.cancel()

    async def _write(self) -> None:
        # The peer may be gone at any moment; _listen hears of it.
        with contextlib.suppress(WebSocketDisconnect, OSError):
            await self._outlet.run()

    async def _listen(self, receive: Receive, tasks: asyncio.TaskGroup) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            await self._outlet.drained()
            text = message.get("text")
            if text is None:
                self._answer_error(RequestError(RequestErrorType.NOT_JSON, "text frames only"), None)
                continue
            await self._on_text(text, tasks)

    async def _on_text(self, text: str, tasks: asyncio.TaskGroup) -> None:
        limits = self._app.dispatcher.limits
        try:
            check_size(text, limits)
            try:
                frame = _decoder.decode(text)
            except msgspec.ValidationError as problem:
                self._answer_error(RequestError(RequestErrorType.NOT_REQUEST, str(problem)), _find_id(text, limits))
                return
            except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
                raise RequestError(RequestErrorType.NOT_JSON, str(problem)) from problem
        except RequestError as problem:
            self._answer_error(problem, None)
            return
        match frame.type:
            case "Request":
                await self._running.acquire()
                tasks.create_task(self._answer(frame), name="socket-request")
            case "WebSocketPushEnable":
                await self._enable(frame)
            case "WebSocketPushDisable":
                self._app.hub.disable(self._connection)
            case "Signal":
                await self._on_signal(frame)
            case _:
                self._answer_error(RequestError(RequestErrorType.NOT_REQUEST, "no such @type"), frame.id)

    # ------------------------------------------------------------ requests

    async def _answer(self, frame: _Incoming) -> None:
        try:
            if frame.using is None or frame.method_calls is None:
                raise RequestError(RequestErrorType.NOT_REQUEST, "using and methodCalls are needed")
            request = Request(frame.using, frame.method_calls, frame.created_ids)
            check_calls(request, self._app.dispatcher.limits)
            self._app.door.note_use(self._admission, self._address, "WS /jmap/api")
            response = await self._app.dispatcher.handle_request(request, self._admission.actor)
        except RequestError as problem:
            self._answer_error(problem, frame.id)
        else:
            head: dict[str, Any] = {"@type": "Response"}
            if frame.id is not None:
                head["requestId"] = frame.id
            self._outlet.send(Frame(encode(head | response)))
        finally:
            self._running.release()

    def _answer_error(self, problem: RequestError, request_id: str | None) -> None:
        self._outlet.send(Frame(encode({"@type": "RequestError", "requestId": request_id, **problem.to_problem()})))

    # ------------------------------------------------------------ push

    async def _enable(self, frame: _Incoming) -> None:
        """Pushes on first, then what the client missed: nothing falls between."""
        if not self._admission.actor.may(READ_SCOPE):
            self._answer_error(RequestError(RequestErrorType.NOT_REQUEST, "the token may not read"), frame.id)
            return
        wanted = (
            None if frame.data_types is None else [name for name in frame.data_types if self._app.registry.get(name)]
        )
        whole = PUSHED_WHOLE.intersection(frame.objects or ())
        # Whole objects are asked for by name, also where dataTypes forgot them.
        self._app.hub.enable(
            self._connection,
            None if wanted is None else {*wanted, *whole},
            whole,
            signals=frame.signals and self._admission.actor.may(WRITE_SCOPE),  # who hears signals is seen by all
        )
        if frame.push_state is not None:
            actor, state = self._admission.actor, frame.push_state
            types = self._connection.wants(handler.name for handler in self._app.registry)
            changed = await self._app.database.read(
                lambda conn: changed_since(conn, self._app.registry, actor, types, state)
            )
            self._app.hub.tell_state(self._connection, changed)

    async def _on_signal(self, frame: _Incoming) -> None:
        hub, may_tell = self._app.hub, self._admission.actor.may(WRITE_SCOPE)
        if frame.kind == "typing" and may_tell and frame.conversation_id is not None:
            scope = await self._app.get_conversation_scope(frame.conversation_id)
            if scope is not None:
                hub.type_in(self._connection, scope, frame.conversation_id)
        elif frame.kind == "presence" and may_tell and frame.status in STATUSES:
            assert frame.status is not None
            text = frame.text if frame.text is None or is_status_text(frame.text) else None
            hub.set_status(self._connection, frame.status, text)
        elif frame.kind == "authorize" and frame.access_token is not None:
            try:
                self._admission = await self._app.door.renew(self._admission, frame.access_token)
            except Refused as refused:
                self._outlet.close(TOKEN_ENDED, refused.code)
            else:
                self._watch_end()

    # ------------------------------------------------------------ the token's end

    def _watch_end(self) -> None:
        """Close the socket when its token ends, unless a newer one comes in time."""
        if self._end_timer is not None:
            self._end_timer.cancel()
        left = (self._admission.expires_at - self._app.clock.now_ms()) / 1000
        if left <= 0:
            self._outlet.close(TOKEN_ENDED, "tokenExpired")
            return
        self._end_timer = asyncio.get_running_loop().call_later(min(left, _LONGEST_TIMER_S), self._watch_end)


def _find_id(text: str, limits: Any) -> str | None:
    """The id of a frame whose shape is wrong otherwise. Raises RequestError notJSON."""
    value = decode_json(text, limits)
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def changed_since(
    conn: sa.Connection, registry: Registry, actor: Actor, types: list[str], push_state: str
) -> dict[str, str]:
    """Type → state for every one of `types` that has news for the actor since `push_state`."""
    now = current_state(conn)
    changed: dict[str, str] = {}
    for name in types:
        handler = registry.get(name)
        if handler is None:
            continue
        try:
            page = handler.changes(conn, actor, push_state, 1)
        except CannotCalculateChanges:
            changed[name] = now
        else:
            if page.created or page.updated or page.destroyed or page.has_more:
                changed[name] = now
    return changed
