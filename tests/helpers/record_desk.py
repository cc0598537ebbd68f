"""A signed-in session over the record model, for tests of the verbs of records: the real driver and services, no network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from desktop.core.domain import ConnectionState, Record
from desktop.core.protocol.answers import SessionAnswer
from desktop.core.protocol.frames import MethodCall, Response
from desktop.core.services.session import Session
from desktop.core.store.memory import MemoryStore
from desktop.core.sync.port import Store
from tests.helpers.desk import LIMIT, Desk, at_work, signed_in
from tests.helpers.fake_transport import CAPABILITIES, FakeNetwork, FakeTransport
from tests.helpers.record_model import RecordModel


class RecordTransport(FakeTransport):
    """The fake transport of a server that has office types, a history and imports."""

    def __init__(self, network: FakeNetwork, account: str, model: RecordModel) -> None:
        super().__init__(network, account)
        self._model = model
        self.calls: list[MethodCall] = []
        self.answers: dict[str, Any] = {}

    async def fetch_session(self) -> SessionAnswer:
        await super().fetch_session()
        office: dict[str, dict[str, object]] = {
            "urn:tongban:office": {"types": ["ModuleDefinition", *self._model.types]}
        }
        return SessionAnswer({**CAPABILITIES, **office}, {self._account: {}}, "/api", "/download", "/upload")

    async def call(self, calls: list[MethodCall]) -> Response:
        self._reach()
        self.calls += calls
        name, _, call_id = calls[0]
        answer = self.answers[name]
        found = answer(calls[0][1]) if callable(answer) else answer
        return Response([(name, msgspec.Raw(msgspec.json.encode(found)), call_id)])


class RecordDesk(Desk):
    """A session, its server and what its bus told."""

    def __init__(self, session: Session, store: Store, transport: RecordTransport, network: FakeNetwork) -> None:
        super().__init__(session, store)
        self.records = session.records
        self.transport = transport
        self.network = network

    async def sent(self) -> None:
        """Nothing waits for the server any more."""
        await self.until_sent()

    def look(self) -> None:
        """The model changed behind the sockets' back: they look whether something came."""
        for socket in self.network.sockets:
            socket.look()

    async def offline(self) -> None:
        self.network.cut()
        async with asyncio.timeout(LIMIT):
            await self.session.wait_until(ConnectionState.OFFLINE)

    async def online(self) -> None:
        self.network.up = True
        self.session.network_changed()
        await self.live()

    async def one(self, type_name: str, record_id: str) -> Record:
        found = await self.records.record(type_name, record_id)
        assert found is not None
        return found


@asynccontextmanager
async def record_desk(
    model: RecordModel, account: str, folder: Path, store: Store | None = None
) -> AsyncIterator[RecordDesk]:
    """A desk of one account; the types of the model's modules are what its session offers."""
    network = FakeNetwork(model)
    network.passwords = {account: "pw"}
    kept = store or MemoryStore(account)
    transport = RecordTransport(network, account, model)
    desk = RecordDesk(signed_in(account, folder, kept, transport), kept, transport, network)
    async with at_work(desk):
        yield desk
