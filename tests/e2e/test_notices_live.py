"""What the notice screens ask of the core, against the real server: drafts in the list at once, ways on, reminding, ballots and what is told of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop.core.clock import SystemClock, utc_date
from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import Notice, Record
from desktop.core.errors import Rejected
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from desktop.models.contacts import Organization
from desktop.models.notice_vote import BALLOT, Vote, vote_of
from tests.helpers.core_server import PASSWORD, ServerProcess

LIMIT = 30.0
DAY = 86_400_000
NOTICE = "Notice"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("notices"))
    process.init("anna", "ben")
    process.give_roles("anna", "publisher")
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


async def until(session: Session, true: Callable[[], Awaitable[Any]]) -> Any:
    """Waits for a change that makes it true; what it answered."""
    changed = asyncio.Event()
    with session.events.subscribe(lambda event: changed.set()):
        async with asyncio.timeout(LIMIT):
            while not (found := await true()):
                await changed.wait()
                changed.clear()
    return found


async def notice(session: Session, key: str, state: str) -> Notice:
    """The notice once it is in this state and in the list of this user."""

    async def listed() -> Notice | None:
        found = await session.office.notices()
        return next((one for one in found if one.id == key and one.state == state and not one.pending), None)

    made: Notice = await until(session, listed)
    return made


async def record(session: Session, key: str) -> Record:
    found = await session.records.record(NOTICE, key)
    assert found is not None
    return found


def test_a_draft_is_in_the_list_at_once_and_goes_its_way(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna") as anna, signed_in(server, tmp_path, "ben") as ben:
            data = {"title": "清洗水箱", "body": "<p>周六</p>", "audience": {"everyone": True}, "level": "important"}
            key = await ben.records.create(NOTICE, data)
            assert (await ben.office.notice(key)) is not None  # before the server has seen it
            await ben.records.act(await record(ben, key), "submit")
            assert (await notice(anna, key, "submitted")).title == "清洗水箱"
            await anna.records.act(await record(anna, key), "sendBack", {"returnReason": "缺落款"})
            await notice(ben, key, "draft")
            returned = await record(ben, key)
            assert (returned.data["sentBack"], returned.data["returnReason"]) == (True, "缺落款")
            await ben.records.act(returned, "submit")
            await notice(anna, key, "submitted")
            planned = utc_date(SystemClock().now_ms() + DAY)
            await anna.records.act(await record(anna, key), "schedule", {"publishAt": planned})
            await notice(anna, key, "scheduled")
            await anna.records.act(await record(anna, key), "publish")
            assert (await notice(ben, key, "published")).published_at is not None
            await anna.office.remind(key)
            with pytest.raises(Rejected) as refused:
                await anna.office.remind(key)
            assert refused.value.data["type"] == "rateLimit"

    asyncio.run(scenario())


@pytest.mark.parametrize("secret", [False, True])
def test_a_ballot_is_counted_and_told_as_the_vote_says(server: ServerProcess, tmp_path: Path, secret: bool) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna") as anna, signed_in(server, tmp_path, "ben") as ben:
            data = {
                "title": "春游",
                "audience": {"everyone": True},
                "hasVote": True,
                "voteQuestion": "去哪里",
                "voteOptions": [{"text": "湿地"}, {"text": "水库"}],
                "voteSecret": secret,
                "voteClosesAt": utc_date(SystemClock().now_ms() + DAY),
            }
            key = await anna.records.create(NOTICE, data)
            await anna.records.act(await record(anna, key), "publish")
            await notice(ben, key, "published")
            before = await seen_by(ben, key)
            assert before is not None
            assert (before.may_vote, before.counts, before.options) == (True, None, ("湿地", "水库"))
            await ben.records.create(BALLOT, {"noticeId": key, "choices": [{"option": 1}]})

            async def told() -> Vote | None:
                vote = await seen_by(ben, key)
                return vote if vote is not None and vote.voters == 1 else None

            after: Vote = await until(ben, told)
            assert not after.may_vote
            assert after.counts == (None if secret else (0, 1))
            count: Vote | None = await seen_by(anna, key)
            assert count is not None
            assert count.mine is None

            async def counted() -> Vote | None:
                vote = await seen_by(anna, key)
                return vote if vote is not None and vote.voters == 1 and (secret or vote.names) else None

            hers: Vote = await until(anna, counted)
            assert dict(hers.names) == ({} if secret else {1: (ben.account_id,)})
            assert hers.counts == (None if secret else (0, 1))

    asyncio.run(scenario())


async def seen_by(session: Session, key: str) -> Vote | None:
    organization = Organization(await session.directory.departments(), await session.directory.people())
    ballots = await session.records.linked(BALLOT, "noticeId", key)
    told = await session.office.fetch_notice(key)
    assert told is not None
    me, now = session.account_id, SystemClock().now_ms()
    return vote_of(told, ballots, organization, me=me, now_ms=now)
