"""The whole server over a folder, wired as it is in the product, called without a network; the clock is the test's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from server_stub.accounts.directory import do_create_person
from server_stub.accounts.integration import do_grant
from server_stub.app.settings import Settings
from server_stub.app.wiring import Backend, open_backend
from server_stub.clock import FixedClock
from tests.helpers.asgi_call import Answer, call
from tests.helpers.server_parts import START_MS

URNS = ["urn:ietf:params:jmap:core", *(f"urn:tongban:{one}" for one in ("directory", "account", "chat", "office"))]


@dataclass
class Program:
    """Somebody who comes in by an integration token."""

    app: Starlette
    person_id: str
    secret: str

    async def http(self, method: str, path: str, body: Any = b"", **headers: str) -> Answer:
        """Any request; header names with underscores."""
        sent = {"authorization": f"Bearer {self.secret}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return await call(self.app, method, path, sent, body)

    async def calls(self, name: str, **arguments: Any) -> list[Any]:
        """One method call: its name in the answer and its arguments."""
        wanted = {"using": URNS, "methodCalls": [[name, {"accountId": self.person_id, **arguments}, "0"]]}
        answer = await self.http("POST", "/jmap/api", json.dumps(wanted).encode(), content_type="application/json")
        assert answer.status == 200, answer.body
        answered: list[Any] = json.loads(answer.body)["methodResponses"][0][:2]
        return answered

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """One method call that is answered as itself."""
        answered, result = await self.calls(name, **arguments)
        assert answered == name, result
        return dict(result)

    async def make(self, type_name: str, **properties: Any) -> dict[str, Any]:
        """Create one object; its `created` entry."""
        result = await self.call(f"{type_name}/set", create={"k": properties})
        assert result["created"], result["notCreated"]
        return dict(result["created"]["k"])

    async def upload(self, content: bytes, type_: str = "text/plain") -> str:
        """A simple upload; the blob's id."""
        answer = await self.http("POST", f"/jmap/upload/{self.person_id}/", content, content_type=type_)
        assert answer.status == 201, answer.body
        return str(json.loads(answer.body)["blobId"])


@dataclass
class Whole:
    """The open backend."""

    backend: Backend
    app: Starlette
    clock: FixedClock

    async def enroll(self, name: str, *roles: str) -> Program:
        """A new person with a token for everything."""
        database = self.backend.database
        person_id = await database.write(lambda tx: do_create_person(tx, name=name, roles=roles))
        _, secret = await database.write(
            lambda tx: do_grant(
                tx,
                name="test",
                person_id=person_id,
                scopes=("read", "write"),
                addresses=(),
                expires_at=self.clock.now + 10 * 366 * 86_400_000,
                actor="test",
            )
        )
        return Program(self.app, person_id, secret)


@asynccontextmanager
async def open_whole(folder: Path, **settings: Any) -> AsyncIterator[Whole]:
    """Open it, close it at the end; opening the same folder again is a restart."""
    clock = FixedClock(START_MS)
    folder.mkdir(exist_ok=True)
    backend = open_backend(Settings(data=folder, **settings), clock)
    try:
        await backend.start()
        yield Whole(backend, backend.application(), clock)
    finally:
        await backend.close()
