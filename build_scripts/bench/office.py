"""A real Tongban server with a crowd, for load: people with integration tokens, direct conversations by pair, and one group of all.

The people are made in the data folder before the server starts; the server is a process of its own on core 0.
"""

import json
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from build_scripts.bench.figures import pin
from build_scripts.bench.load import Send
from build_scripts.bench.wire import connect, loopback_tls
from server_stub.accounts.directory import do_create_person
from server_stub.accounts.integration import do_grant
from server_stub.accounts.passwords import Passwords
from server_stub.app.layout import DataLayout
from server_stub.app.tls import TlsFiles, ensure_certificates, host_names
from server_stub.chat.conversations import do_create_group
from server_stub.clock import SystemClock
from server_stub.ids import direct_conversation_id, uuid7
from server_stub.storage.database import Database, Tx

USING = ["urn:ietf:params:jmap:core", "urn:tongban:chat"]
TEXT = re.compile(rb'"text":"([^"]*)"')
DAY_MS = 86_400_000
LOGIN = "bench"


@dataclass(frozen=True)
class Person:
    """Somebody of the crowd: id and bearer token."""

    id: str
    token: str


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback and its key, by the server's own authority: their files."""
    files = TlsFiles(folder / "tls")
    ensure_certificates(files, host_names(), SystemClock().now_ms())
    return files.server, files.server_key


class Office:
    """The crowd and its server; a context manager that may be entered again: on the same port. Clients it opens live until their loop ends.

    password: the first person signs in as `LOGIN` with it.
    """

    def __init__(self, folder: Path, *, people: int, group: bool = False, password: str | None = None) -> None:
        self.folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.people: list[Person] = []
        self.group = ""
        subprocess.run(
            [sys.executable, "-m", "server_stub", "init", "--data", str(folder)], check=True, stdout=subprocess.DEVNULL
        )
        self.certificate, self.key = make_certificate(folder)
        password_hash = Passwords().hash(password) if password is not None else None
        self.write(lambda tx: self._fill(tx, people, group=group, password_hash=password_hash))

    def write(self, action: Callable[[Tx], None]) -> None:
        """Writes to the data while the server does not run."""
        database = Database.open(DataLayout(self.folder).database, clock=SystemClock())
        try:
            database.write_now(action)
        finally:
            database.close_now()

    @property
    def authority(self) -> Path:
        """The certificate authority a client is to trust."""
        return DataLayout(self.folder).tls.ca

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._server is None:
            raise RuntimeError("the server does not run")
        return self._server.pid

    def _fill(self, tx: Tx, people: int, *, group: bool, password_hash: str | None) -> None:
        for number in range(people):
            login = LOGIN if password_hash is not None and not number else None
            person = do_create_person(
                tx, name=f"压测{number}", login=login, password_hash=password_hash if login else None
            )
            _, token = do_grant(
                tx, name="bench", person_id=person, scopes=("read", "write"), addresses=(),
                expires_at=tx.now + DAY_MS, actor="bench",
            )  # fmt: skip
            self.people.append(Person(person, token))
        if group:
            self.group = uuid7(tx.now)
            ids = [person.id for person in self.people]
            do_create_group(tx, self.group, "压测群", ids[0], ids[1:])

    def __enter__(self) -> Self:
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "server_stub", "serve", "--data", str(self.folder), "--port", str(self.port)]
        self._server = subprocess.Popen(
            [*command, "--port-file", str(port_file), "--log-level", "WARNING"], preexec_fn=lambda: pin(0)
        )
        deadline = time.monotonic() + 30
        while not port_file.exists():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.05)
        self.port = int(port_file.read_text())
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(20)

    def direct_conversation(self, one: Person, other: Person) -> str:
        """Their conversation; made by the first message's sender."""
        return direct_conversation_id(one.id, other.id)

    async def listen(self, person: Person, note: Callable[[bytes], None]) -> None:
        """Opens a socket with pushed messages; `note` gets the text of each."""

        def on_text(frame: bytes) -> None:
            if b'"Push"' in frame[:64]:
                for text in TEXT.findall(frame):
                    note(text)

        socket = await connect(self.port, "/jmap/ws", on_text, headers=_headers(person), tls=loopback_tls())
        socket.send(
            json.dumps({"@type": "WebSocketPushEnable", "dataTypes": ["Message"], "objects": ["Message"]}).encode()
        )

    async def speak(self, person: Person, conversation: str, *, opening_to: Person | None = None) -> Send:
        """Opens a socket that sends texts to a conversation, which is opened first when it is a direct one."""
        socket = await connect(self.port, "/jmap/ws", lambda _: None, headers=_headers(person), tls=loopback_tls())
        if opening_to is not None:
            create = {"kind": "direct", "memberIds": [opening_to.id]}
            socket.send(_request("Conversation/set", person, {"create": {"c": create}}))

        def send(token: bytes) -> None:
            creation = uuid7(time.time_ns() // 1_000_000)
            message = {"conversationId": conversation, "kind": "text", "text": token.decode()}
            socket.send(_request("Message/set", person, {"create": {creation: message}}))

        return send


def _headers(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.token}", "Sec-WebSocket-Protocol": "jmap"}


def _request(method: str, person: Person, arguments: dict[str, object]) -> bytes:
    call = [method, {"accountId": person.id} | arguments, "0"]
    frame = {"@type": "Request", "id": secrets.token_hex(4), "using": USING, "methodCalls": [call]}
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode()
