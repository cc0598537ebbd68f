"""Contacts against the real server: private contacts written with no connection, fields hidden by right, the office's order, exports."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import Person, RecordQuery
from desktop.core.errors import Rejected
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from tests.helpers.core_server import PASSWORD, ServerProcess

LIMIT = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("office"))
    process.init("anna", "ben", "cara")
    process.give_roles("anna", "admin")
    process.start()
    yield process
    process.stop()


@asynccontextmanager
async def signed_in(server: ServerProcess, folder: Path, login: str) -> AsyncIterator[Session]:
    async with await Client.open(folder / login, keychain=MemoryKeychain()) as client:
        session = await client.sign_in(server.address, login, PASSWORD, remember=True)
        async with asyncio.timeout(LIMIT):
            await session.wait_until(synced=True)
        yield session


async def until(session: Session, true: Callable[[], Awaitable[bool]]) -> None:
    """Waits for a change that makes it true."""
    changed = asyncio.Event()
    with session.events.subscribe(lambda event: changed.set()):
        async with asyncio.timeout(LIMIT):
            while not await true():
                await changed.wait()
                changed.clear()


async def person(session: Session, login: str) -> Person:
    return next(one for one in await session.directory.people() if one.login == login)


def test_contacts_are_their_authors_alone(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna") as anna, signed_in(server, tmp_path, "ben") as ben:
            group = await ben.records.create("ContactGroup", {"name": "Partners", "colleagues": [(await anna.me()).id]})
            key = await ben.records.create("Contact", {"name": "Emma", "mobile": "13800001111", "groupIds": [group]})

            async def sent() -> bool:
                found = await ben.records.record("Contact", key)
                return found is not None and not found.pending and found.version > 0

            await until(ben, sent)
            assert (await ben.records.page(RecordQuery("Contact"))).total == 1
            assert (await anna.records.page(RecordQuery("Contact"))).total == 0
            held = await ben.records.record("ContactGroup", group)
            assert held is not None
            await ben.records.destroy(held)

            async def left() -> bool:
                found = await ben.records.record("Contact", key)
                return found is not None and not found.data.get("groupIds")

            await until(ben, left)

    asyncio.run(scenario())


def test_fields_are_hidden_on_running_desktops(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            signed_in(server, tmp_path, "anna") as anna,
            signed_in(server, tmp_path, "ben") as ben,
            signed_in(server, tmp_path, "cara") as cara,
        ):
            whom = await person(anna, "ben")
            await anna._context.call_set("Person", update={whom.id: {"email": "ben@x.example", "room": "305"}})

            async def sees_all() -> bool:
                return (await person(cara, "ben")).email == "ben@x.example"

            await until(cara, sees_all)
            await anna.directory.set_visibility("Person", whom.id, {"room": "leaders"})
            await ben.directory.set_hides(["email"])

            async def hidden() -> bool:
                found = await person(cara, "ben")
                return found.room is None and found.hidden.get("room") == "leaders"

            await until(cara, hidden)
            assert (await person(anna, "ben")).room == "305"

            async def own() -> bool:
                return (await person(ben, "ben")).hides == ("email",)

            await until(ben, own)
            with pytest.raises(Rejected):
                await cara.directory.set_visibility("Person", whom.id, {})

    asyncio.run(scenario())


def test_exports_are_asked_of_the_server(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna") as anna, signed_in(server, tmp_path, "cara") as cara:
            ids = [one.id for one in await cara.directory.people()]
            await cara.directory.ask_export(ids, "xlsx")

            async def told() -> bool:
                return (await anna.records.page(RecordQuery("DirectoryExport"))).total == 1

            await until(anna, told)
            (entry,) = (await anna.records.page(RecordQuery("DirectoryExport"))).records
            assert (entry.data["rows"], entry.author_id) == (len(ids), (await cara.me()).id)
            with pytest.raises(Rejected):
                await cara.directory.ask_export(["nobody"], "xlsx")

    asyncio.run(scenario())
