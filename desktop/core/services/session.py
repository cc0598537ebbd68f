"""One signed-in account: its parts opened in order and closed in reverse. The services are the verbs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from desktop.core.clock import Clock
from desktop.core.crypto.keys import subkey
from desktop.core.domain import ConnectionState, ConnectionStatus, Person
from desktop.core.errors import AppError, InvalidCredentials, Offline
from desktop.core.events import (
    ChangeSet,
    DirectTold,
    EditRefused,
    Event,
    EventBus,
    MessageArrived,
    PresenceChanged,
    StatusChanged,
)
from desktop.core.net.transport import Transport
from desktop.core.net.updates import UpdateSource
from desktop.core.services.alerts import AlertService
from desktop.core.services.annotations import AnnotationsService
from desktop.core.services.blobs import BlobCache
from desktop.core.services.cache import CacheService
from desktop.core.services.case_keeping import CaseKeeping
from desktop.core.services.cases import CasesService
from desktop.core.services.chat import ChatService
from desktop.core.services.context import Context
from desktop.core.services.directory import DirectoryService
from desktop.core.services.driver import Driver
from desktop.core.services.office import OfficeService
from desktop.core.services.outbox import OutboxService
from desktop.core.services.password_check import fits, make_check
from desktop.core.services.presence import PresenceService
from desktop.core.services.records import RecordsService
from desktop.core.services.search import SearchService
from desktop.core.services.session_checks import SessionChecks
from desktop.core.services.settings import SettingsService
from desktop.core.services.tasks import TaskRoom
from desktop.core.services.tokens import Tokens
from desktop.core.services.transfers import TransferService
from desktop.core.services.workers import Workers
from desktop.core.sync.port import PutLocal, Store

_log = logging.getLogger("tongban.session")
INDEX_BATCH: Final = 1000
INDEX_PAUSE: Final = 0.05


class Session:
    """A signed-in account at work. Made by `Client`."""

    def __init__(
        self,
        *,
        me: str,
        login: str,
        store: Store,
        blob_folder: Path,
        account_key: bytes,
        transport: Transport,
        tokens: Tokens,
        clock: Clock,
        workers: Workers,
        sign_out: Callable[["Session", bool, bool], Awaitable[None]],
        may_connect: asyncio.Event | None = None,
        check_store: Callable[[float], Awaitable[bool]] | None = None,
    ) -> None:
        self._sign_out = sign_out
        self.events = EventBus()
        self._me = me
        self._login = login
        self._workers = workers
        self._tasks = TaskRoom("session")
        self._driver = Driver(
            me=me,
            store=store,
            transport=transport,
            tokens=tokens,
            bus=self.events,
            clock=clock,
            workers=workers,
            may_connect=may_connect,
        )
        self._context = Context(me, store, workers, self._driver, transport, tokens, self.events, clock, self._tasks)
        blobs = BlobCache(blob_folder, subkey(account_key, "blobs"))
        self.files = TransferService(self._context, blobs)
        self.chat = ChatService(self._context, self.files)
        self.directory = DirectoryService(self._context)
        self.office = OfficeService(self._context, self.files)
        self.records = RecordsService(self._context)
        self.search = SearchService(self._context, self.records.scene, self.chat)
        self.annotations = AnnotationsService(self._context)
        self._keeping = CaseKeeping(self._context, self.records.scene, self.files)
        self.cases = CasesService(self._context, self.records.scene, self.files, self._keeping)
        self.cache = CacheService(self._context, blobs, self.files, self.office, self._keeping)
        self.alerts = AlertService(self._context)
        self.presence = PresenceService(self._context)
        self.settings = SettingsService(self._context)
        self.outbox = OutboxService(self._context)
        self.checks = SessionChecks(self._context, check_store)
        self._subscription = ExitStack()
        self._quiet = asyncio.Event()
        self._closed = False

    @property
    def account_id(self) -> str:
        """This user's person id."""
        return self._me

    @property
    def update_source(self) -> UpdateSource | None:
        """Where updates of this program come from; None: not from this server."""
        transport = self._context.transport
        return transport if isinstance(transport, UpdateSource) else None

    @property
    def status(self) -> ConnectionStatus:
        """The connection as it is now."""
        return self._driver.status

    async def me(self) -> Person:
        """This user; a bare one until the directory is here."""
        return await self.directory.person(self._me) or Person(self._me, self._login, login=self._login)

    async def start(self) -> None:
        """Begins; returns at once, the connection comes behind."""
        self._subscription.enter_context(self.events.subscribe(self._on_event))
        await self.files.start()
        await self._driver.start()
        self._tasks.start(self._work_behind(), name="behind")

    async def wait_until(self, state: ConnectionState = ConnectionState.LIVE, *, synced: bool = False) -> None:
        """For scripts: waits for a state of the connection (`synced`: and until everything is here). Wrap it in asyncio.timeout."""
        reached = asyncio.Event()

        def look(event: Event | None = None) -> None:
            del event
            if self.status.state is state and not (synced and self.status.syncing):
                reached.set()

        with self.events.subscribe(look):
            look()
            await reached.wait()

    def network_changed(self) -> None:
        """The system reports another network, or the user wants a try now."""
        self._driver.network_changed()

    async def revoke(self, *, everywhere: bool) -> None:
        """Ends this device's session on the server, or all of them. Raises Offline."""
        await self._context.tokens.ensure()
        await self._context.transport.revoke("all" if everywhere else "device")

    async def sign_out(self, *, everywhere: bool = False, forget: bool = False) -> None:
        """Ends the session here and, when it can be reached, on the server. `forget` deletes this account's data on this device.

        Raises:
            Offline: `everywhere` needs the server.
        """
        await self._sign_out(self, everywhere, forget)

    async def keep_password_check(self, password: str) -> None:
        """Remembers enough of a password that was just right to know it again."""
        check = await asyncio.to_thread(make_check, password)
        await self._driver.write(PutLocal("auth", "check", check))

    async def check_password(self, password: str) -> bool:
        """Whether this is the password of the last sign-in here; works with the cable out. Raises InvalidCredentials: none was kept."""
        check = (await self._context.db(self._context.store.load_local, "auth")).get("check")
        if check is None:
            raise InvalidCredentials(type="passwordNeeded")
        return await asyncio.to_thread(fits, check, password)

    async def drop_grant(self) -> None:
        """Forgets the refresh token: the next start asks for the password."""
        await self._driver.write(PutLocal("auth", "refresh", None))

    async def close(self) -> None:
        """Ends the session; what is queued stays queued."""
        if self._closed:
            return
        self._closed = True
        self._subscription.close()
        await self._tasks.close()
        await self._driver.close()
        await self._context.tokens.close()
        await self._context.transport.close()
        await self._workers.db(self._context.store.close)
        self._workers.close()
        self.files.close()

    # ------------------------------------------------------------ behind the scenes
    def _on_event(self, event: Event) -> None:
        match event:
            case StatusChanged():
                self.presence.on_status(event)
                self.files.on_status(event)
                self.chat.on_status(event)
                if event.status.state is ConnectionState.LIVE and not event.status.syncing:
                    self._quiet.set()
            case PresenceChanged(snapshot=snapshot, presence=presence, texts=texts):
                if presence or snapshot or texts:
                    self.presence.on_presence(event)
            case MessageArrived():
                self.files.on_message(event)
            case DirectTold(told=told):
                self.files.direct.on_told(told)
            case EditRefused():
                self.files.on_refused(event)
                self.cases.on_refused(event)
            case ChangeSet(type_name=name, upserts=people):
                self.records.on_change(event)
                self.cases.on_change(event)
                self._keeping.on_change(event)
                if name != "Person":
                    return
                # Direct conversations carry their peer's name: whoever shows them must look again.
                self._tasks.start(self._tell_renamed(frozenset(people)), name="renamed")
            case _:
                return

    async def _tell_renamed(self, people: frozenset[str]) -> None:
        conversations = await self._context.db(self._context.store.load_conversations)
        renamed = tuple(c.id for c in conversations if c.peer_id in people)
        if renamed:
            self.events.publish(ChangeSet("Conversation", renamed))

    async def _work_behind(self) -> None:
        """When everything is here: keeps documents by policy and the files of open work, builds the search index, a little at a time."""
        while True:
            await self._quiet.wait()
            self._quiet.clear()
            try:
                await self.office.keep_by_policy()
                await self._keeping.prefetch()
            except Offline:
                continue
            except AppError as error:
                _log.warning("documents not kept: %s", error.code)
            while True:
                if not await self._context.db(self._context.store.index_some, INDEX_BATCH):
                    break
                await asyncio.sleep(INDEX_PAUSE)  # nobody waits for it: leave the store's thread to others
