"""The verbs of records against the real server: sync of every type it offers, merge by field, conflict, comments, history, a dry run of an import."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import AnnotationTarget, Record, RecordQuery
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from tests.helpers.core_server import PASSWORD, ServerProcess

LIMIT = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("office"))
    process.init("anna", "ben")
    for login in ("anna", "ben"):
        process.give_roles(login, "publisher", "admin")
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


async def sent(session: Session) -> None:
    async def done() -> bool:
        return await session.outbox.pending() == 0

    await until(session, done)


async def arrived(session: Session, key: str, version: int) -> Record:
    async def there() -> bool:
        found = await session.records.record("Notice", key)
        return found is not None and found.version >= version

    await until(session, there)
    found = await session.records.record("Notice", key)
    assert found is not None
    return found


def test_two_people_write_one_record(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna") as anna, signed_in(server, tmp_path, "ben") as ben:
            data = {"title": "old", "body": "<p>x</p>", "audience": {"everyone": True}, "state": "published"}
            key = await anna.records.create("Notice", data)
            await sent(anna)
            hers, his = await arrived(anna, key, 1), await arrived(ben, key, 1)
            await anna.records.update(hers, {"title": "hers"})
            await sent(anna)
            await ben.records.update(his, {"pinned": True})  # another field, on the version he saw: merged
            await sent(ben)
            assert (await arrived(ben, key, 3)).data["title"] == "hers"
            await ben.records.update(his, {"title": "his"})  # the field she wrote since: a conflict
            await sent(ben)
            conflict = (await ben.records.conflicts())[0]
            assert (conflict.code, conflict.fields, conflict.mine) == ("conflict", ("title",), {"title": "his"})
            assert conflict.theirs is not None
            assert conflict.theirs.data["title"] == "hers"
            await ben.records.resolve(conflict.edit_id, {"title": "mine"})
            await sent(ben)
            assert (await arrived(anna, key, 4)).data["title"] == "his"
            assert await ben.records.conflicts() == []
            history = await anna.records.history(hers)
            assert next((one.changes[0].field, one.changes[0].new) for one in history if one.changes) == (
                "title",
                "his",
            )
            await ben.records.comment(his, "收到", mentions=(anna.account_id,))
            await sent(ben)

            async def said() -> bool:
                return [one.text for one in await anna.records.comments(key)] == ["收到"]

            await until(anna, said)

    asyncio.run(scenario())


def test_every_type_the_server_offers_is_here_and_can_be_asked(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna") as anna:
            modules = await anna.records.modules()
            assert {"notices", "library"} <= {module.id for module in modules}
            for module in modules:
                for type_ in module.types:
                    await anna.records.page(RecordQuery(type_.name))
                for view in module.views:
                    if view.kind != "chart":
                        await anna.records.page(RecordQuery(view.type, view.filter, sort=view.sort))
            row = {"title": "imported", "body": "<p>b</p>", "audience": {"everyone": True}}
            dry = await anna.records.import_rows("Notice", [row, {"body": "no title"}], True)
            assert list(dry.errors) == [1]
            assert "title" in dry.errors[1][0].properties
            before = (await anna.records.page(RecordQuery("Notice"))).total
            assert (await anna.records.import_rows("Notice", [row], False)).created == 1

            async def came() -> bool:
                return (await anna.records.page(RecordQuery("Notice"))).total == before + 1

            await until(anna, came)

    asyncio.run(scenario())


def test_marks_on_documents_reach_who_may_see_them(server: ServerProcess, tmp_path: Path) -> None:
    highlight = {"rects": [[72, 100, 200, 14]], "color": "yellow"}

    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna") as anna, signed_in(server, tmp_path, "ben") as ben:
            data = {"title": "marked", "body": "<p>x</p>", "audience": {"everyone": True}, "state": "published"}
            key = await anna.records.create("Notice", data)
            await arrived(ben, key, 1)
            target = AnnotationTarget("Notice", key, "blob-1")
            await anna.annotations.annotate(target, 0, "highlight", highlight, shared=True)
            await anna.annotations.annotate(target, 1, "note", {"x": 1, "y": 2, "text": "mine"}, shared=False)
            assert [one.pending for one in await anna.annotations.annotations(target)] == [True, True]
            await sent(anna)

            async def seen() -> bool:
                return len(await ben.annotations.annotations(target)) == 1

            await until(ben, seen)
            (shared,) = await ben.annotations.annotations(target)
            assert (shared.kind, shared.mark["rects"], shared.author_id) == (
                "highlight",
                [[72, 100, 200, 14]],
                (await anna.me()).id,
            )
            await until(anna, all_here(anna, target, 2))
            for one in await anna.annotations.annotations(target):
                await anna.annotations.erase(one)
            assert await anna.annotations.annotations(target) == []
            await until(ben, all_here(ben, target, 0))

    asyncio.run(scenario())


def all_here(session: Session, target: AnnotationTarget, count: int) -> Callable[[], Awaitable[bool]]:
    """So many marks, none of them on its way."""

    async def check() -> bool:
        found = await session.annotations.annotations(target)
        return len(found) == count and not any(one.pending for one in found)

    return check
