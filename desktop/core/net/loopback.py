"""A backend the size of a self-test: inside this process, on 127.0.0.1, over real TLS, with two departments and two people.

It answers what a client asks of docs/protocol.md §4–§6 to sign in, take its first snapshot and follow a change that is
pushed; anything else is an error to it. It is no stand-in for the real backend and knows no rights, no writes, no files.
"""

import asyncio
import datetime
import ipaddress
import os
import secrets
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from desktop.core.clock import Clock
from desktop.core.protocol.capabilities import CORE, DIRECTORY, WEBSOCKET

ACCOUNT: Final = "person-self-test"
LOGIN: Final = "selftest"
COLLEAGUE: Final = "person-colleague"
BEFORE: Final = "李晓华"  # not a text
AFTER: Final = "李晓桦"  # not a text
_HOST: Final = "127.0.0.1"
_CLOSE_LIMIT: Final = 2.0
_MAX_BODY: Final = 1 << 20


class LoopbackOffice:
    """The canned office. `url` after `serving` has begun; `password` is made anew for each."""

    def __init__(self) -> None:
        self.url = ""
        self.password = secrets.token_urlsafe(12)
        self._token = secrets.token_urlsafe(24)
        self._state = 1
        self._changed: list[str] = []
        self._sockets: dict[asyncio.StreamWriter, ServerProtocol] = {}
        self._tables: dict[str, dict[str, dict[str, Any]]] = {
            "Department": {
                "dep-office": {"id": "dep-office", "name": "办公室", "order": 1},  # not a text
                "dep-records": {
                    "id": "dep-records",
                    "name": "档案科",  # not a text
                    "parentId": "dep-office",
                    "order": 1,
                },
            },
            "Person": {
                ACCOUNT: _person(ACCOUNT, "自检员", LOGIN),  # not a text
                COLLEAGUE: _person(COLLEAGUE, BEFORE, "lixiaohua"),
            },
        }

    async def rename_colleague(self) -> None:
        """Changes one person and tells every open socket, as a backend does."""
        self._tables["Person"][COLLEAGUE]["name"] = AFTER
        self._state += 1
        self._changed = [COLLEAGUE]
        frame = {
            "@type": "StateChange",
            "changed": {ACCOUNT: {"Person": str(self._state)}},
            "pushState": str(self._state),
        }
        for writer, protocol in list(self._sockets.items()):
            protocol.send_text(msgspec.json.encode(frame))
            await _flush(protocol, writer)

    # ------------------------------------------------------------ connections
    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until it ends."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if b"upgrade: websocket" in head.lower():
                    await self._talk(head, reader, writer)
                    return
                length = _content_length(head)
                body = await reader.readexactly(length) if length else b""
                status, answer = self._answer(head.split(b" ", 2)[:2], body)
                data = msgspec.json.encode(answer)
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                    + data
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass  # the other side has left
        finally:
            self._sockets.pop(writer, None)
            writer.close()

    async def _talk(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = ServerProtocol(subprotocols=[Subprotocol("jmap")])
        protocol.receive_data(head)
        request = next(event for event in protocol.events_received() if isinstance(event, Request))
        protocol.send_response(protocol.accept(request))
        self._sockets[writer] = protocol
        await _flush(protocol, writer)
        while data := await reader.read(1 << 16):
            protocol.receive_data(data)
            for frame in protocol.events_received():
                if getattr(frame, "opcode", None) is Opcode.TEXT:
                    answer = self._frame(msgspec.json.decode(frame.data))  # type: ignore[union-attr]
                    if answer is not None:
                        protocol.send_text(msgspec.json.encode(answer))
            await _flush(protocol, writer)
            if protocol.close_expected():
                return

    # ------------------------------------------------------------ what it says
    def _answer(self, target: list[bytes], body: bytes) -> tuple[str, dict[str, Any]]:
        match target:
            case [b"POST", b"/auth/token"]:
                asked = msgspec.json.decode(body)
                if asked.get("login") != LOGIN or not secrets.compare_digest(str(asked.get("password")), self.password):
                    return "401 Unauthorized", {"type": "urn:tongban:error:invalidCredentials", "status": 401}
                grant = {"accessToken": self._token, "expiresIn": 600, "refreshToken": secrets.token_urlsafe(24)}
                return "200 OK", {**grant, "deviceId": "self-test", "accountId": ACCOUNT}
            case [b"GET", b"/.well-known/jmap"]:
                return "200 OK", self._session()
            case [b"POST", b"/auth/revoke"]:
                return "200 OK", {}
            case _:
                return "404 Not Found", {"type": "urn:tongban:error:notFound", "status": 404}

    def _session(self) -> dict[str, Any]:
        own: dict[str, Any] = {CORE: {"maxObjectsInGet": 500}, DIRECTORY: {}}
        return {
            "capabilities": {**own, WEBSOCKET: {"url": "/jmap/ws", "supportsPush": True}},
            "accounts": {ACCOUNT: {"name": LOGIN}},
            "apiUrl": "/jmap/api",
            "downloadUrl": "/jmap/download/{accountId}/{blobId}/{name}",
            "uploadUrl": "/files",
            "username": LOGIN,
            "state": "1",
        }

    def _frame(self, frame: dict[str, Any]) -> dict[str, Any] | None:
        if frame.get("@type") != "Request":
            return None  # WebSocketPushEnable and signals want no answer
        found: dict[str, list[str]] = {}
        answers = []
        for name, arguments, call_id in frame["methodCalls"]:
            if (reference := arguments.get("#ids")) is not None:
                arguments["ids"] = found.get(f"{reference['resultOf']}{reference['path']}", [])
            answer = self._method(name, arguments)
            for part in ("ids", "created", "updated"):
                found[f"{call_id}/{part}"] = answer.get(part, [])
            answers.append(["error" if "type" in answer else name, answer, call_id])
        return {"@type": "Response", "requestId": frame.get("id"), "methodResponses": answers, "sessionState": "1"}

    def _method(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        kind, _, verb = name.partition("/")
        table = self._tables.get(kind)
        if table is None:
            return {"type": "unknownMethod"}
        state = str(self._state)
        match verb:
            case "get":
                ids = asked.get("ids") or []
                return {"state": state, "list": [table[one] for one in ids if one in table], "notFound": []}
            case "query":
                return {"ids": list(table), "position": 0, "total": len(table), "queryState": state}
            case "changes":
                behind = asked.get("sinceState") != state
                changed = [one for one in self._changed if one in table and behind]
                numbers = dict.fromkeys(changed, self._state)
                return {"oldState": asked.get("sinceState"), "newState": state, "updated": changed, "modseqs": numbers}
            case _:
                return {"type": "unknownMethod"}


@asynccontextmanager
async def serving(office: LoopbackOffice, clock: Clock) -> AsyncIterator[LoopbackOffice]:
    """Serves the office on a free port of 127.0.0.1 until the block ends."""
    server = await asyncio.start_server(office.take, _HOST, 0, ssl=_context(clock))
    office.url = f"https://{_HOST}:{server.sockets[0].getsockname()[1]}"
    try:
        yield office
    finally:
        server.close()
        for writer in list(office._sockets):
            writer.transport.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_LIMIT):
                await server.wait_closed()


def _context(clock: Clock) -> ssl.SSLContext:
    """TLS with a certificate made for this hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.fromtimestamp(clock.now_ms() / 1000, datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tongban self-test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(_HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with tempfile.TemporaryDirectory() as folder:  # the ssl module reads keys from files only
        path = Path(folder, "server.pem")
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        context.load_cert_chain(path)
    return context


def _person(person_id: str, name: str, login: str) -> dict[str, Any]:
    identity = {"departmentId": "dep-office", "post": "科员", "primary": True}  # not a text
    return {"id": person_id, "name": name, "login": login, "identities": [identity], "active": True}


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return min(int(value), _MAX_BODY)
    return 0


async def _flush(protocol: ServerProtocol, writer: asyncio.StreamWriter) -> None:
    for data in protocol.data_to_send():
        if data:
            writer.write(data)
    await writer.drain()
