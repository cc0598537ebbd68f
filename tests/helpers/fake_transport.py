"""A transport without a network: the backend model behind the real `Transport` interface, with faults. For tests of the driver and the services."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, Mapping
from random import Random

from desktop.core.errors import AuthExpired, InvalidCredentials, Rejected, Unreachable
from desktop.core.net.transport import (
    BadUpload,
    Claim,
    DirectPolicy,
    Download,
    Moved,
    Piece,
    Prove,
    ReadAt,
    SocketClosed,
)
from desktop.core.protocol.answers import SessionAnswer, TokenAnswer
from desktop.core.protocol.frames import MethodCall, Response
from tests.helpers.backend_model import BackendModel, Connection

CAPABILITIES: dict[str, dict[str, object]] = {
    "urn:ietf:params:jmap:core": {"maxObjectsInGet": 100},
    "urn:ietf:params:jmap:websocket": {"url": "/ws"},
    "urn:tongban:push": {"objects": ["Message"]},
    "urn:tongban:chat": {},
}


class FakeNetwork:
    """What all transports of a test share: the model, whether it can be reached, how bad the line is, the tokens, the files."""

    def __init__(self, model: BackendModel, seed: int = 1) -> None:
        self.model = model
        self.up = True
        self.loss = 0.0
        self.doubling = 0.0
        self.delay = 0.0
        self.random = Random(seed)
        self.passwords: dict[str, str] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.spent: set[str] = set()
        self.expires_in = 300.0
        self.sockets: list[FakeSocket] = []
        self.blobs: dict[str, bytes] = {}
        self.renditions: dict[tuple[str, str], bytes] = {}
        self.uploads: dict[str, bytearray] = {}
        self.break_after: int | None = None

    def cut(self) -> None:
        """Every socket ends without a word, and nobody gets through until `up` is set again."""
        self.up = False
        for socket in list(self.sockets):
            socket.end(1006)

    def grant(self, account: str) -> TokenAnswer:
        token = f"refresh-{len(self.refresh_tokens)}"
        self.refresh_tokens[token] = account
        return TokenAnswer(f"access-{len(self.refresh_tokens)}", self.expires_in, token, f"device-{account}", account)


class FakeSocket:
    """One socket over the model; frames may get lost, doubled, delayed (which reorders them)."""

    def __init__(self, network: FakeNetwork, account: str) -> None:
        self._network = network
        self._connection: Connection = network.model.connect(account)
        self._arrived = asyncio.Event()
        self._code: int | None = None
        network.sockets.append(self)

    async def send(self, text: str) -> None:
        if self._code is not None:
            raise SocketClosed(self._code)
        network = self._network
        for _ in range(1 + (network.random.random() < network.doubling)):
            if network.random.random() >= network.loss and '"Signal"' not in text[:40]:
                network.model.take(self._connection, text)
        for socket in network.sockets:
            socket.look()

    async def receive(self) -> str:
        while True:
            if self._code is not None:
                raise SocketClosed(self._code)
            waiting = self._connection.to_client
            if waiting:
                place = self._network.random.randrange(len(waiting)) if self._network.delay else 0
                text = waiting.pop(place)
                if self._network.random.random() >= self._network.loss:
                    return text
                continue
            self._arrived.clear()
            await self._arrived.wait()

    async def close(self) -> None:
        self.end(1000)

    def look(self) -> None:
        """Something may have come."""
        if self._connection.to_client:
            self._arrived.set()

    def end(self, code: int) -> None:
        """The socket is gone."""
        if self._code is None:
            self._code = code
            self._network.model.disconnect(self._connection)
            self._network.sockets.remove(self)
            self._arrived.set()


class FakeTransport:
    """`Transport` of one device."""

    def __init__(self, network: FakeNetwork, account: str) -> None:
        self._network = network
        self._account = account
        self._token: str | None = None

    def _reach(self) -> None:
        if not self._network.up:
            raise Unreachable(server="fake")

    def use_token(self, access_token: str | None) -> None:
        self._token = access_token

    async def sign_in(self, login: str, password: str, device_name: str, platform: str) -> TokenAnswer:
        self._reach()
        if self._network.passwords.get(login) != password:
            raise InvalidCredentials(type="invalidCredentials")
        return self._network.grant(self._account)

    async def refresh(self, refresh_token: str) -> TokenAnswer:
        self._reach()
        account = self._network.refresh_tokens.get(refresh_token)
        if account is None or refresh_token in self._network.spent:
            raise AuthExpired(type="invalidGrant")
        self._network.spent.add(refresh_token)
        return self._network.grant(account)

    async def revoke(self, scope: str) -> None:
        self._reach()

    async def fetch_session(self) -> SessionAnswer:
        self._reach()
        return SessionAnswer(CAPABILITIES, {self._account: {}}, "/api", "/download", "/upload")

    async def open_socket(self, url: str) -> FakeSocket:
        self._reach()
        return FakeSocket(self._network, self._account)

    async def call(self, calls: list[MethodCall]) -> Response:
        self._reach()
        raise Rejected(type="unknownMethod")

    async def create_upload(self, size: int, name: str, content_type: str) -> str:
        self._reach()
        url = f"upload-{len(self._network.uploads)}"
        self._network.uploads[url] = bytearray()
        return url

    async def claim(self, blob_id: str, size: int, content_type: str, prove: Prove) -> bool:
        self._reach()
        data = self._network.blobs.get(blob_id)
        if data is None or len(data) != size:
            return False
        claim = Claim(b"key", ((0, size),))
        return await prove(claim) == hmac.new(b"key", blob_id.encode() + data, hashlib.sha256).hexdigest()

    async def upload(self, url: str, size: int, read_at: ReadAt, moved: Moved) -> str:
        self._reach()
        if url not in self._network.uploads:
            raise BadUpload("404")
        data = self._network.uploads[url]
        while len(data) < size:
            if self._network.break_after is not None and len(data) >= self._network.break_after:
                self._network.break_after = None
                raise Unreachable(server="fake")
            data += await read_at(len(data), min(1000, size - len(data)))
            moved(len(data))
            await asyncio.sleep(0)
        blob_id = hashlib.sha256(data).hexdigest()
        self._network.blobs[blob_id] = bytes(data)
        return blob_id

    async def download(self, blob_id: str, name: str, offset: int) -> Download:
        self._reach()
        if blob_id not in self._network.blobs:
            raise Rejected(type="notFound")
        data = self._network.blobs[blob_id]
        return Download(offset, len(data), self._parts(data, offset))

    async def _parts(self, data: bytes, offset: int) -> AsyncGenerator[bytes, None]:
        for start in range(offset, len(data), 70_000):
            if self._network.break_after is not None and start >= self._network.break_after:
                self._network.break_after = None
                raise Unreachable(server="fake")
            yield data[start : start + 70_000]
            await asyncio.sleep(0)

    async def fetch_piece(self, blob_id: str, name: str, offset: int, length: int) -> Piece | None:
        self._reach()
        if blob_id not in self._network.blobs:
            raise Rejected(type="notFound")
        data = self._network.blobs[blob_id]
        return Piece(data[offset : offset + length], len(data))

    async def thumbnail(self, blob_id: str, edge: int) -> bytes:
        self._reach()
        return b"thumbnail"

    async def rendition(self, blob_id: str, suffix: str) -> bytes | None:
        self._reach()
        return self._network.renditions.get((blob_id, suffix))

    async def direct_policy(self) -> DirectPolicy | None:
        return None

    async def direct_post(self, path: str, body: Mapping[str, object]) -> bytes:
        raise Rejected(type="notFound")

    async def direct_state(self, transfer_id: str) -> str:
        raise Rejected(type="notFound")

    async def close(self) -> None:
        return
