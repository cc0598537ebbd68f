"""What the services of one session share. Built by `Session`, seen by nobody above."""

import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from desktop.core.clock import Clock
from desktop.core.domain import ConnectionState
from desktop.core.errors import Offline, Rejected
from desktop.core.events import EventBus
from desktop.core.ids import uuid7
from desktop.core.net.transport import Transport
from desktop.core.protocol.answers import AnyAnswer, MethodError, SetAnswer, decode_answer
from desktop.core.protocol.frames import MethodCall
from desktop.core.protocol.problems import ProtocolError
from desktop.core.services.driver import Driver
from desktop.core.services.tasks import TaskRoom
from desktop.core.services.tokens import Tokens
from desktop.core.services.workers import Workers
from desktop.core.sync.events import EditMade
from desktop.core.sync.outbox import Edit, EditKind
from desktop.core.sync.port import PutLocal, Store

Result = TypeVar("Result")


@dataclass(slots=True)
class Context:
    """One session's parts."""

    me: str
    store: Store
    workers: Workers
    driver: Driver
    transport: Transport
    tokens: Tokens
    bus: EventBus
    clock: Clock
    tasks: TaskRoom

    def new_id(self) -> str:
        """A UUIDv7 of now."""
        return uuid7(self.clock.now_ms(), os.urandom(10))

    @property
    def live(self) -> bool:
        """Whether there is a connection now."""
        return self.driver.status.state is ConnectionState.LIVE

    async def db(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Work on the store's thread."""
        return await self.workers.db(work, *arguments)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """A task the session owns."""
        self.tasks.start(work, name=name)

    async def edit(  # noqa: PLR0913 - an edit has many sides, most callers name two
        self,
        kind: EditKind,
        type_name: str,
        object_id: str,
        payload: dict[str, Any],
        *,
        lane: str | None = None,
        edit_id: str | None = None,
        upload: str | None = None,
        local_path: str | None = None,
        alone: bool = False,
        uploads: tuple[tuple[str, str], ...] = (),
        needs: str | None = None,
        room: str | None = None,
        shown: dict[str, Any] | None = None,
    ) -> Edit:
        """Queues a write; returns when it is safe on disk."""
        edit = Edit(
            id=edit_id or self.new_id(),
            lane=lane or f"{type_name}:{object_id}",
            kind=kind,
            type_name=type_name,
            object_id=object_id,
            payload=payload,
            created_at=self.clock.now_ms(),
            upload=upload,
            local_path=local_path,
            alone=alone,
            uploads=uploads,
            needs=needs,
            room=room,
            shown=shown,
        )
        await self.driver.do(EditMade(self.clock.monotonic(), edit))
        return edit

    async def put_local(self, space: str, key: str, value: object | None) -> None:
        """A value of this device alone."""
        data = None if value is None else msgspec.json.encode(value)
        await self.driver.write(PutLocal(space, key, data))

    async def load_local(self, space: str, kind: type[AnyAnswer]) -> dict[str, AnyAnswer]:
        """All values of a space; broken ones are left out."""
        raw = await self.db(self.store.load_local, space)
        found: dict[str, AnyAnswer] = {}
        for key, data in raw.items():
            try:
                found[key] = msgspec.json.decode(data, type=kind)
            except msgspec.MsgspecError:
                continue
        return found

    # ------------------------------------------------------------ asking the server directly
    async def call(self, method: str, arguments: dict[str, Any], kind: type[AnyAnswer]) -> AnyAnswer:
        """One method call over HTTP, for what is not synced or must not wait in the outbox.

        Raises:
            Offline: no connection. Rejected: a method error.
        """
        if not self.live:
            raise Offline(reason="offline")
        await self.tokens.ensure()
        call: MethodCall = (method, {"accountId": self.me, **arguments}, "c")
        response = await self.transport.call([call])
        if not response.method_responses:
            raise Offline(reason="protocolError")
        name, raw, _ = response.method_responses[0]
        try:
            if name == "error":
                error = decode_answer(raw, MethodError)
                raise Rejected(type=error.type, description=error.description or "")
            return decode_answer(raw, kind)
        except ProtocolError as error:
            raise Offline(reason="protocolError") from error

    async def call_set(self, type_name: str, **arguments: Any) -> SetAnswer:
        """One /set whose first refusal is raised as Rejected."""
        answer = await self.call(f"{type_name}/set", arguments, SetAnswer)
        for refused in (answer.not_created, answer.not_updated, answer.not_destroyed):
            for error in (refused or {}).values():
                raise Rejected(
                    type=error.type,
                    description=error.description or "",
                    properties=error.properties,
                    retry_after=error.retry_after,
                    **{k: v for k, v in (error.extra or {}).items() if k not in ("properties", "retryAfter")},
                )
        return answer
