"""Puts the server together: from a database, a door and the types to one ASGI application. Reads no settings."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.routing import BaseRoute, WebSocketRoute

from server_stub.accounts.events import AccessEnded, RightsChanged, TokenRevoked
from server_stub.api.allowance import Allowance
from server_stub.api.dispatch import Dispatcher
from server_stub.api.door import Door
from server_stub.api.http import HttpEnds
from server_stub.api.session import OFFICE, capabilities, session_state
from server_stub.api.socket import TOKEN_ENDED, SocketApp
from server_stub.api.wire import Limits
from server_stub.clock import Clock
from server_stub.push.connection import Connection
from server_stub.push.hub import Hub
from server_stub.records.actor import Actor
from server_stub.records.types import Registry, TypeHandler
from server_stub.records.visibility import person_scopes
from server_stub.storage.database import Database


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a running server consists of, wired.

    Attributes:
        routes: more routes to mount: sign-in, blobs, uploads.
        capabilities: the Session's capabilities.
    """

    database: Database
    clock: Clock
    door: Door
    registry: Registry
    hub: Hub
    dispatcher: Dispatcher
    capabilities: dict[str, Any]
    routes: Sequence[BaseRoute] = ()

    @classmethod
    def assemble(
        cls,
        database: Database,
        clock: Clock,
        door: Door,
        handlers: Iterable[TypeHandler],
        *,
        routes: Sequence[BaseRoute] = (),
        limits: Limits | None = None,
        details: Mapping[str, Mapping[str, Any]] | None = None,
        allowance: Allowance | None = None,
    ) -> Self:
        """Wire the parts. Call it once per database: it subscribes to the database's events.

        Args:
            details: members of capability values beyond the default ones (see session.capabilities).
            allowance: how much each person may write; unlimited when missing.
        """
        limits = limits or Limits()
        registry = Registry(handlers)
        known = capabilities(registry, limits, details or {})
        dispatcher = Dispatcher(database, registry, list(known), limits, allowance)
        dispatcher.session_state = session_state(known)
        hub = Hub(database, clock, person_scopes, [handler.name for handler in registry])
        database.subscribe(lambda events: _close_ended(hub, events))
        return cls(database, clock, door, registry, hub, dispatcher, known, routes)

    def change_types(self, added: Iterable[TypeHandler], gone: Iterable[str]) -> None:
        """Types that come and go while the server runs; clients see it in the Session, whose state changes."""
        for name in gone:
            self.registry.remove(name)
        for handler in added:
            self.registry.add(handler)
        self.capabilities[OFFICE] = {
            **self.capabilities[OFFICE],
            "types": self.registry.by_capability().get(OFFICE, []),
        }
        self.dispatcher.session_state = session_state(self.capabilities)
        self.hub.know_types([handler.name for handler in self.registry])

    def sees(self, conn: sa.Connection, actor: Any, type_name: str, object_ids: Sequence[str]) -> bool:
        """Whether an actor sees at least one of these objects: what BlobStore.set_visibility wants to know."""
        handler = self.registry.get(type_name)
        return (
            handler is not None and isinstance(actor, Actor) and bool(handler.get(conn, actor, object_ids, ["id"]).list)
        )


def create_app(services: Services, *, on_stop: Callable[[], None] | None = None) -> Starlette:
    """The ASGI application. The caller opens the database before and closes it after.

    Args:
        on_stop: called when the server leaves, before its connections are gone for good.
    """
    ends = HttpEnds(
        services.database,
        services.clock,
        services.door,
        services.dispatcher,
        services.hub,
        services.capabilities,
        Counter(),
    )
    socket = SocketApp(
        database=services.database,
        clock=services.clock,
        door=services.door,
        dispatcher=services.dispatcher,
        registry=services.registry,
        hub=services.hub,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        if not services.hub.stopping:
            services.hub.go_away()
        if on_stop is not None:
            on_stop()

    return Starlette(
        routes=[*ends.routes(), WebSocketRoute("/jmap/ws", socket), *services.routes],
        lifespan=lifespan,
    )


def _close_ended(hub: Hub, events: list[object]) -> None:
    """Sockets whose right to be open ended: the client refreshes its token and comes back, or is told why it may not."""
    for event in events:
        match event:
            case AccessEnded(device_ids=ids):
                hub.close_where(_of("device_id", ids), TOKEN_ENDED, "deviceRevoked")
            case TokenRevoked(token_id=token_id):
                hub.close_where(_of("token_id", (token_id,)), TOKEN_ENDED, "tokenExpired")
            case RightsChanged(person_ids=ids):
                hub.close_where(_of("person_id", ids), TOKEN_ENDED, "rightsChanged")


def _of(attribute: str, values: Iterable[str]) -> Callable[[Connection], bool]:
    wanted = frozenset(values)
    return lambda connection: getattr(connection, attribute) in wanted
