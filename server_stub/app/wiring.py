"""Opens a data folder and wires the whole server over it, from the database to the ASGI application. Knows every part, decides nothing."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette

from server_stub.accounts.directory import PERSON
from server_stub.accounts.handlers import account_handlers
from server_stub.accounts.lockout import LockPolicy
from server_stub.accounts.passwords import Passwords
from server_stub.accounts.service import Accounts, Policy
from server_stub.accounts.sessions import TokenLives
from server_stub.api.allowance import Allowance
from server_stub.api.app import Services, create_app
from server_stub.api.auth import auth_routes
from server_stub.api.blobs import BlobApi
from server_stub.api.direct import DIRECT_PATH, DirectApi
from server_stub.api.possession import PossessionApi
from server_stub.api.renditions import RENDITION_URL, RenditionApi
from server_stub.api.session import CHAT, UPLOAD
from server_stub.api.tus import TusApi
from server_stub.api.updates import UpdatesApi
from server_stub.api.wire import Limits
from server_stub.app.admin import AdminDoor, Context
from server_stub.app.audited import audited
from server_stub.app.chat_alerts import OfficeAlerts
from server_stub.app.layout import DataLayout
from server_stub.app.settings import Settings
from server_stub.app.trimming import do_trim_changes
from server_stub.app.updates import updates_folder
from server_stub.chat.file_expiry import BATCH, do_expire_files
from server_stub.chat.handlers import chat_handlers, message_handler
from server_stub.chat.messages import do_post_system
from server_stub.chat.policy import ChatPolicy
from server_stub.chat.runner import ChatRunner
from server_stub.chat.search import MessageSearch
from server_stub.clock import Clock
from server_stub.modules.engine.office import Office
from server_stub.push.hub import Hub
from server_stub.push.rates import RateLimiter
from server_stub.records.handler import RecordHandler
from server_stub.records.types import Registry, TypeHandler
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Database
from server_stub.storage.quota import Quota
from server_stub.storage.renditions import Renditions, drop_orphaned_renditions, find_office_program
from server_stub.storage.thumbnails import drop_orphaned_thumbnails
from server_stub.storage.uploads import UploadStore

log = logging.getLogger("tongban.app")

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
INDEXED_AT_ONCE: Final = 20
"""Rounds of indexing for search in one housekeeping: some seconds; questions index the rest."""
_PERSONAL: Final = frozenset({"Alert", "ReadMark", "Follow"})  # destroying one's own is no administrative act


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """An open data folder with everything that works on it."""

    settings: Settings
    layout: DataLayout
    clock: Clock
    database: Database
    passwords: Passwords
    accounts: Accounts
    blobs: BlobStore
    uploads: UploadStore
    blob_api: BlobApi
    rendition_api: RenditionApi | None
    direct_api: DirectApi | None
    tus_api: TusApi
    admin: AdminDoor
    office: Office
    chat: ChatRunner
    search: MessageSearch
    services: Services

    @property
    def registry(self) -> Registry:
        """Every synced type."""
        return self.services.registry

    @property
    def hub(self) -> Hub:
        """Who is online."""
        return self.services.hub

    def application(self) -> Starlette:
        """The ASGI application."""
        return create_app(self.services)

    async def start(self) -> None:
        """What has to be done once before anybody comes in."""
        await self.office.start()

    async def keep_house(self) -> None:
        """Drop what has run out: tokens, uploads, orphaned blobs and their thumbnails, changes older than the kept log."""
        await self.accounts.clean_up()
        await self.tus_api.drop_expired()
        await self._expire_files()
        await self.blobs.drop_orphans(self.clock.now_ms() - self.settings.orphan_hours * HOUR_MS)
        kept_since = self.clock.now_ms() - self.settings.keep_changes_days * DAY_MS
        await self.database.write(lambda tx: do_trim_changes(tx, kept_since))
        await asyncio.to_thread(drop_orphaned_thumbnails, self.layout.thumbnails, self.layout.blobs)
        await asyncio.to_thread(drop_orphaned_renditions, self.layout.renditions, self.layout.blobs)
        for _ in range(INDEXED_AT_ONCE):
            if not await self.database.read(self.search.index_more):
                break

    async def _expire_files(self) -> None:
        """Let go of old files in talks, a batch at a time: others write in between."""
        days = self.settings.chat_file_days
        before = self.clock.now_ms() - days * DAY_MS
        while days and await self.database.write(lambda tx: do_expire_files(tx, before)) == BATCH:
            pass

    async def close(self) -> None:
        """Write what is pending, then close the database: after this nothing is lost and nothing runs."""
        await self.accounts.close()
        self.blob_api.close()
        if self.rendition_api is not None:
            await self.rendition_api.close()
        self.search.close()
        await self.database.close()


def open_backend(settings: Settings, clock: Clock) -> Backend:
    """Open the data folder and wire the server over it. Belongs to the running event loop's thread.

    Raises:
        DatabaseTooNew, DatabaseDamaged: see there.
    """
    layout = DataLayout(settings.data)
    database = Database.open(layout.database, clock=clock)
    passwords = make_passwords(settings)
    accounts = Accounts(database, clock, passwords, _policy(settings))
    blobs = BlobStore(layout.blobs, database)
    uploads = UploadStore(layout.uploads)
    allowance = Allowance(
        RateLimiter(clock, per_second=settings.writes_per_second, burst=settings.write_burst),
        Quota(database, settings.stored_bytes_per_person, uploads.open_bytes),
    )
    blob_api = BlobApi(
        accounts,
        database,
        blobs,
        thumbnails=layout.thumbnails,
        max_upload=settings.max_upload,
        allowance=allowance,
    )
    program = find_office_program(settings.office_program)
    rendition_api = RenditionApi(blob_api, Renditions(program, layout.renditions)) if program is not None else None
    tus_api = TusApi(
        accounts,
        blobs,
        uploads,
        clock,
        max_size=settings.max_resumable_upload,
        expires_ms=settings.upload_expires_hours * HOUR_MS,
        allowance=allowance,
    )
    possession = PossessionApi(
        accounts, database, blobs, clock, max_size=settings.max_resumable_upload, allowance=allowance
    )
    direct = _direct(settings, accounts, database, blobs, clock, allowance)
    fonts = tuple(Path(one) for one in settings.font_folders)
    for folder in fonts:
        if not folder.is_dir():
            log.warning("font_folders: %s is no folder; official documents are set in the fonts there are", folder)
    office = Office(database, clock, blobs, do_post_system, font_folders=fonts)
    chat_policy = _chat_policy(settings)
    files: dict[str, Any] = {"maxSize": settings.max_resumable_upload}
    if rendition_api is not None:
        files["renditionUrl"] = RENDITION_URL
    if direct is not None:
        keeps = bool(settings.lan_direct_keep_copy)
        files["direct"] = {"url": DIRECT_PATH, "maxSize": settings.lan_direct_max_bytes, "keepCopy": keeps}
    talking = chat_handlers(blobs, office.card_title, alerts=OfficeAlerts(), policy=chat_policy, database=database)
    admin = AdminDoor(Context(database, passwords, office=office, serving=True), settings.data)
    services = Services.assemble(
        database,
        clock,
        accounts,
        [
            *_account_handlers(office),
            *talking,
            *(_office_handler(one) for one in office.handlers),
        ],
        routes=[
            *auth_routes(accounts),
            *blob_api.routes(),
            *tus_api.routes(),
            *possession.routes(),
            *(direct.routes() if direct is not None else ()),
            admin.route(),
            *UpdatesApi(updates_folder(settings)).routes(),
            *(rendition_api.routes() if rendition_api is not None else ()),
        ],
        limits=Limits(max_size_upload=settings.max_upload),
        allowance=allowance,
        details={UPLOAD: files, CHAT: chat_policy.to_capability()},
    )
    blobs.set_visibility(services.sees)
    if direct is not None:
        direct.tell = services.hub.tell_person
    database.subscribe(message_handler(talking).search.on_commit)
    chat = ChatRunner(database, clock, message_handler(talking))
    chat.absence.status_of = services.hub.status_of
    office.on_types = lambda added, gone: services.change_types([_office_handler(one) for one in added], gone)
    return Backend(
        settings=settings,
        layout=layout,
        clock=clock,
        database=database,
        passwords=passwords,
        accounts=accounts,
        blobs=blobs,
        uploads=uploads,
        blob_api=blob_api,
        rendition_api=rendition_api,
        direct_api=direct,
        tus_api=tus_api,
        admin=admin,
        office=office,
        chat=chat,
        search=message_handler(talking).search,
        services=services,
    )


def make_passwords(settings: Settings) -> Passwords:
    """The password checker of these settings."""
    return Passwords(min_length=settings.password_min_length)


def _account_handlers(office: Office) -> list[RecordHandler]:
    """People, departments, devices; what the office adds to a person's methods is known here."""
    made = account_handlers()
    for one in made:
        if one.name == PERSON:
            one.own_methods = {**one.own_methods, **office.methods_of_people}
    return made


def _office_handler(handler: TypeHandler) -> TypeHandler:
    return handler if handler.name in _PERSONAL else audited(handler)


def _direct(
    settings: Settings, accounts: Accounts, database: Database, blobs: BlobStore, clock: Clock, allowance: Allowance
) -> DirectApi | None:
    """Direct transfers, where the policy allows them at all."""
    most = settings.lan_direct_max_bytes
    return DirectApi(accounts, database, blobs, clock, max_size=most, allowance=allowance) if most else None


def _chat_policy(settings: Settings) -> ChatPolicy:
    return ChatPolicy(
        edit_within=settings.edit_within_seconds,
        recall_within=settings.recall_within_seconds,
        max_voice_ms=settings.max_voice_seconds * 1000,
    )


def _policy(settings: Settings) -> Policy:
    return Policy(
        lives=TokenLives(
            access_ms=settings.access_token_seconds * 1000, refresh_ms=settings.refresh_token_days * DAY_MS
        ),
        by_login=LockPolicy(settings.lock_after_failures, settings.lock_base_seconds, settings.lock_max_seconds),
        by_address=LockPolicy(
            settings.address_lock_after_failures, settings.lock_base_seconds, settings.lock_max_seconds
        ),
    )
