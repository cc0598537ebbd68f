"""A whole backend in this process, on loopback, without TLS and with a door that believes what it is told. For tests of the api."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from server_stub.accounts.refusals import Refused
from server_stub.accounts.service import Admission
from server_stub.api.app import Services, create_app
from server_stub.api.wire import Limits
from server_stub.chat.alerting import Alerting
from server_stub.chat.handlers import chat_handlers
from server_stub.clock import SystemClock
from server_stub.ids import uuid7
from server_stub.records import visibility
from server_stub.records.actor import Actor
from server_stub.records.types import TypeHandler
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Database, Tx

USING = ["urn:ietf:params:jmap:core", "urn:tongban:chat", "urn:tongban:office", "urn:tongban:directory"]
DEADLINE = 30.0  # a loaded machine is no failure
FOREVER = 1 << 62


class FakeDoor:
    """`Authorization: Bearer <person>` is that person; `<person>:read` may only read; `expired` is not let in."""

    def __init__(self) -> None:
        self.expires: dict[str, int] = {}

    async def admit(self, headers: Mapping[str, str], method: str, url: str, address: str) -> Admission:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token in {"", "expired"}:
            raise Refused("tokenExpired", "no token")
        person, _, scope = token.partition(":")
        actor = Actor(person, device_id=f"device-{person}", scopes=frozenset({scope}) if scope else None)
        return Admission(actor, self.expires.get(person, FOREVER))

    async def renew(self, admission: Admission, access_token: str) -> Admission:
        if access_token != "good":
            raise Refused("tokenExpired", "unknown")
        return Admission(admission.actor, FOREVER)

    def note_use(self, admission: Admission, address: str, what: str) -> None:
        """Nothing is logged here."""


@dataclass
class Backend:
    """A running backend and how to talk to it."""

    url: str
    services: Services
    door: FakeDoor
    loop: asyncio.AbstractEventLoop
    http: httpx.Client
    blobs: BlobStore
    people: list[str] = field(default_factory=list)

    def write(self, action: Callable[[Any], Any]) -> Any:
        """A write of the server's own, from the test."""
        return asyncio.run_coroutine_threadsafe(self.services.database.write(action), self.loop).result(DEADLINE)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """A coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE)

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Run something on the server's loop."""
        done = threading.Event()
        self.loop.call_soon_threadsafe(function, *args)
        self.loop.call_soon_threadsafe(done.set)
        assert done.wait(DEADLINE)

    def client(self, person: str) -> "Jmap":
        """A plain HTTP client of a person."""
        return Jmap(self, person)

    @asynccontextmanager
    async def socket(self, person: str, **options: Any) -> AsyncIterator["Socket"]:
        """An open JMAP WebSocket of a person."""
        options.setdefault("subprotocols", ["jmap"])
        async with connect(
            self.url.replace("http", "ws") + "/jmap/ws",
            additional_headers={"Authorization": f"Bearer {person}"},
            max_size=None,
            proxy=None,
            **options,
        ) as connection:
            yield Socket(connection, person)


@dataclass
class Jmap:
    """Requests over HTTP."""

    backend: Backend
    person: str

    def post(self, body: bytes | dict[str, Any], **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.person}", "Content-Type": "application/json", **headers}
        return self.backend.http.post("/jmap/api", content=content, headers=given)

    def get(self, path: str) -> httpx.Response:
        return self.backend.http.get(path, headers={"Authorization": f"Bearer {self.person}"})

    def calls(self, *calls: tuple[str, dict[str, Any]], **more: Any) -> list[Any]:
        """Method calls with ids 0, 1, 2…; returns the method responses. `accountId` is filled in."""
        method_calls = [
            [name, {"accountId": self.person.partition(":")[0], **arguments}, str(position)]
            for position, (name, arguments) in enumerate(calls)
        ]
        response = self.post({"using": USING, "methodCalls": method_calls, **more})
        assert response.status_code == 200, response.text
        return list(response.json()["methodResponses"])

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """One method call that must succeed; its arguments."""
        ((answered, result, _),) = self.calls((name, arguments))
        assert answered == name, result
        return dict(result)

    def fails(self, name: str, **arguments: Any) -> str:
        """One method call that must fail; the type of its error."""
        ((answered, result, _),) = self.calls((name, arguments))
        assert answered == "error", result
        return str(result["type"])

    def create(self, type_name: str, key: str = "k", **properties: Any) -> dict[str, Any]:
        """Create one object; its `created` entry."""
        result = self.call(f"{type_name}/set", create={key: properties})
        assert result["created"], result
        return dict(result["created"][key])

    def refused(self, type_name: str, key: str = "k", **properties: Any) -> dict[str, Any]:
        """Create that must be refused; its SetError."""
        return dict(self.call(f"{type_name}/set", create={key: properties})["notCreated"][key])


class Socket:
    """A JMAP WebSocket in a test."""

    def __init__(self, connection: ClientConnection, person: str) -> None:
        self.connection = connection
        self.person = person
        self.seen: list[dict[str, Any]] = []
        self._next = 0

    async def send(self, frame: dict[str, Any]) -> None:
        await self.connection.send(json.dumps(frame))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE):
            return dict(json.loads(await self.connection.recv()))

    async def until(self, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame that matches, among those put aside and those to come; others are put aside."""
        for position, frame in enumerate(self.seen):
            if matches(frame):
                return self.seen.pop(position)
        while True:
            frame = await self.receive()
            if matches(frame):
                return frame
            self.seen.append(frame)

    async def type(self, name: str) -> dict[str, Any]:
        """The next frame of this @type."""
        return await self.until(lambda frame: frame["@type"] == name)

    async def request(self, name: str, **arguments: Any) -> dict[str, Any]:
        """One method call; its arguments."""
        self._next += 1
        key = str(self._next)
        call = [name, {"accountId": self.person, **arguments}, "c"]
        await self.send({"@type": "Request", "id": key, "using": USING, "methodCalls": [call]})
        response = await self.until(lambda frame: frame.get("requestId") == key)
        assert response["@type"] == "Response", response
        return dict(response["methodResponses"][0][1])

    async def enable(self, data_types: list[str] | None = None, **more: Any) -> dict[str, Any]:
        """Ask for pushes; returns the snapshot of presence."""
        await self.send({"@type": "WebSocketPushEnable", "dataTypes": data_types, "signals": True, **more})
        return dict((await self.until(lambda frame: frame.get("kind") == "presence"))["presence"])


def enroll(services: Services, count: int) -> list[str]:
    """People p1, p2, … with UUIDv7 ids."""
    people = [uuid7(1_700_000_000_000 + position) for position in range(count)]

    def fill(tx: Tx) -> None:
        for person in people:
            visibility.do_enroll(tx, person)

    services.database.write_now(fill)
    return people


@contextmanager
def running_backend(
    folder: Path,
    *,
    people: int = 3,
    handlers: tuple[TypeHandler, ...] = (),
    limits: Limits | None = None,
    raw: bool = True,
    alerts: Alerting | None = None,
) -> Iterator[Backend]:
    """Start it, yield it, stop it. `raw`: with our uvicorn protocol, else with uvicorn's own."""
    database = Database.open(folder / "office.db", clock=SystemClock())
    door = FakeDoor()
    blobs = BlobStore(folder / "blobs", database)
    services = Services.assemble(
        database,
        SystemClock(),
        door,
        [*chat_handlers(blobs, alerts=alerts, database=database), *handlers],
        limits=limits,
    )
    blobs.set_visibility(services.sees)
    ids = enroll(services, people)
    config = uvicorn.Config(
        create_app(services),
        host="127.0.0.1",
        port=0,
        ws="server_stub.api.rawsocket:RawWebSocketProtocol" if raw else "websockets-sansio",
        ws_per_message_deflate=False,
        log_level="warning",
        lifespan="on",
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not the main thread
    ready = threading.Event()
    state: dict[str, Any] = {}

    async def main() -> None:
        config.load()
        server.lifespan = config.lifespan_class(config)
        state["loop"] = asyncio.get_running_loop()
        await server.startup()
        state["port"] = server.servers[0].sockets[0].getsockname()[1]
        ready.set()
        await server.main_loop()
        services.hub.go_away()
        await server.shutdown()
        await database.close()

    thread = threading.Thread(target=asyncio.run, args=(main(),), name="backend")
    thread.start()
    try:
        assert ready.wait(DEADLINE), "the backend did not start"
        url = f"http://127.0.0.1:{state['port']}"
        with httpx.Client(base_url=url, trust_env=False, timeout=DEADLINE) as http:
            yield Backend(url, services, door, state["loop"], http, blobs, ids)
    finally:
        server.should_exit = True
        thread.join(DEADLINE)
        assert not thread.is_alive()
