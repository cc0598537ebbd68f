"""Fills a new data folder with the demo office. One seed makes one office; only the time it is made at differs."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from server_stub.accounts.passwords import Passwords
from server_stub.app.chat_alerts import OfficeAlerts
from server_stub.app.demo.assets import make_assets
from server_stub.app.demo.chat import ChatPlanner
from server_stub.app.demo.chat_writer import ChatWriter
from server_stub.app.demo.moments import DAY_MS, Moments
from server_stub.app.demo.office import LibraryMaker, NoticeMaker
from server_stub.app.demo.own_things import do_own_things
from server_stub.app.demo.people import People, do_make_people
from server_stub.app.demo.samples import SampleWriter, load_events
from server_stub.app.demo.source import DemoSource
from server_stub.chat.conversations import do_open_system, load_membership, system_conversation_id
from server_stub.chat.desk import ChatDesk
from server_stub.chat.messages import do_post_system
from server_stub.chat.read_markers import do_mark_read
from server_stub.clock import Clock
from server_stub.modules.engine.chores import ChoreRunner
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import ModuleDefinition
from server_stub.modules.engine.duties import BATCH, do_whats_due
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.modules.engine.loader import make_handlers
from server_stub.modules.engine.processes.process_folders import FolderProcess, do_take_processes, read_processes
from server_stub.modules.engine.reading import MODULES_FOLDER, load_definitions
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.satellites import satellite_handlers
from server_stub.records.handler import RecordHandler
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Database, Tx

log = logging.getLogger("tongban.demo")

SEED: Final = 20_261_122
OFFICE_AGE_MS: Final = 500 * DAY_MS
NOTICES: Final = "notices"
PROCESS: Final = "process"


class Server(Protocol):
    """As much of the wired server as the demo needs."""

    @property
    def database(self) -> Database: ...

    @property
    def blobs(self) -> BlobStore: ...

    @property
    def passwords(self) -> Passwords: ...

    @property
    def clock(self) -> Clock: ...


async def fill_demo_office(services: Server) -> None:
    """Write everybody and everything, from months ago up to now, into an empty database.

    Raises:
        DemoFilesMissing: the program came without resources/demo.
        PaperFailed: a document cannot be typeset.
        SamplesBroken, SampleRefused: a module's samples.toml.
    """
    source = await asyncio.to_thread(DemoSource.load)
    moments = Moments(services.clock.now_ms())
    rng = random.Random(SEED)  # noqa: S311 (a demo, no secrets)
    database = services.database
    drawing = asyncio.to_thread(make_assets, source, moments, services.blobs, random.Random(SEED + 1))  # noqa: S311
    hashing = asyncio.to_thread(services.passwords.hash, source.office["password"])
    assets, password_hash = await asyncio.gather(drawing, hashing)
    people = await database.write(lambda tx: _do_people(tx, source, moments, password_hash))

    planner = ChatPlanner(source, people, moments, rng)
    plans = await asyncio.to_thread(planner.plans)
    desk = ChatDesk(blobs=services.blobs, alerts=OfficeAlerts())
    writer = ChatWriter(source, people, assets, moments, rng, desk)
    counts = [await database.write(lambda tx, one=plan: writer.do_write(tx, one)) for plan in plans]  # type: ignore[misc]
    await database.write(lambda tx: do_own_things(tx, desk, source, people, assets, moments, writer.said))

    context = OfficeContext(blobs=services.blobs, clock=services.clock, say=do_post_system)
    modules = await asyncio.to_thread(load_definitions)
    handlers = {handler.name: handler for handler in make_handlers(modules, context)}
    library = LibraryMaker(handlers["Folder"], handlers["Document"], source, people, assets, moments)
    folders = await database.write(library.do_folders)
    documents = await database.write(lambda tx: library.do_documents(tx, folders))
    notices = NoticeMaker(handlers["Notice"], source, people, assets, moments, rng).actions()
    for action in notices:
        await database.write(action)
    samples = SampleWriter(modules, _with_satellites(handlers, context), people, assets, moments)
    events = await asyncio.to_thread(load_events, modules)
    processes, _ = await asyncio.to_thread(read_processes, MODULES_FOLDER, modules)
    await database.write(lambda tx: _do_processes(tx, processes, modules, moments))
    chores = ChoreRunner(database, services.clock, _rules_of(handlers), services.blobs)
    for event in events:
        moment = await database.write(lambda tx, one=event: samples.do_event(tx, one))  # type: ignore[misc]
        while await chores.run_next(moment):
            pass
    await database.write(lambda tx: _do_settle(tx, handlers, source, people, moments, rng))
    log.info(
        "the demo office is there: %d people, %d messages in %d conversations, %d notices, %d documents, %d sample events",
        len(people.ids),
        sum(counts),
        len(plans),
        len(notices),
        documents,
        len(events),
    )


def _with_satellites(handlers: dict[str, OfficeHandler], context: OfficeContext) -> dict[str, RecordHandler]:
    """Also those of comments and read marks."""
    return {**handlers, **{one.name: one for one in satellite_handlers(context, handlers, _rules_of(handlers))}}


def _rules_of(handlers: dict[str, OfficeHandler]) -> Callable[[str], Rules | None]:
    return lambda name: handlers[name].rules if name in handlers else None


def _do_processes(
    tx: Tx, processes: Sequence[FolderProcess], modules: Sequence[ModuleDefinition], moments: Moments
) -> None:
    tx.now = moments.now - OFFICE_AGE_MS
    do_take_processes(tx, processes, modules)


def _do_people(tx: Tx, source: DemoSource, moments: Moments, password_hash: str) -> People:
    tx.now = moments.now - OFFICE_AGE_MS
    return do_make_people(tx, source.office, password_hash)


def _do_settle(
    tx: Tx, handlers: dict[str, Any], source: DemoSource, people: People, moments: Moments, rng: random.Random
) -> None:
    """What ran out before now runs out; everybody has read most of what the system told them."""
    rules_of: Callable[[str], Any] = lambda name: handlers[name].rules if name in handlers else None  # noqa: E731
    while do_whats_due(tx, rules_of, moments.now) == BATCH:
        pass
    unread = int(source.today["clerk_unread_notices"])
    for login, person_id in people.ids.items():
        do_open_system(tx, NOTICES, person_id)
        mine = load_membership(tx.conn, system_conversation_id(NOTICES, person_id), person_id)
        assert mine is not None  # just opened
        last = tx.raw.execute("SELECT last_seq FROM conversation WHERE id = ?", (mine.conversation_id,)).fetchone()[0]
        behind = unread if login == source.office["clerk"] else rng.choice((0, 0, 0, 1, 1, 2, 3))
        if last > behind:
            do_mark_read(tx, mine, last - behind, at=moments.now - rng.randint(60, 600) * 60_000)
        _do_read_cards(tx, person_id, moments)


def _do_read_cards(tx: Tx, person_id: str, moments: Moments) -> None:
    """Who started something has seen that it is on its way."""
    conversation_id = system_conversation_id(PROCESS, person_id)
    mine = load_membership(tx.conn, conversation_id, person_id)
    row = tx.raw.execute("SELECT last_seq FROM conversation WHERE id = ?", (conversation_id,)).fetchone()
    if mine is not None and row is not None and row[0]:
        do_mark_read(tx, mine, row[0], at=moments.now - 60_000)
