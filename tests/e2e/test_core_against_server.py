"""The client's core against the real server over TLS: two people talk, the server goes away and comes back, nothing is lost or doubled."""

import asyncio
import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import (
    Audience,
    ConnectionState,
    Conversation,
    Delivery,
    Direction,
    Document,
    Message,
    Notice,
    NoticeLevel,
    Transfer,
    TransferRules,
    TransferState,
)
from desktop.core.domain.search import Facet, SearchQuery
from desktop.core.errors import InvalidCredentials, Offline, UntrustedServer
from desktop.core.events import ChangeSet, EditRefused, Event, MessageArrived
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from desktop.core.sync.port import RemoveObjects
from tests.helpers.core_server import PASSWORD, ROOT, ServerProcess

LIMIT = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("server"))
    process.init("anna", "ben")
    process.give_roles("anna", "publisher", "librarian")
    process.start()
    yield process
    process.kill()


class Device:
    """One client with its session and what its bus told."""

    def __init__(self, client: Client, session: Session) -> None:
        self.client = client
        self.session = session
        self.seen: list[Event] = []

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        """Waits for a condition over the store, looked at again after each event."""
        changed = asyncio.Event()
        with self.session.events.subscribe(lambda _: changed.set()):
            async with asyncio.timeout(LIMIT):
                while not await true():
                    await changed.wait()
                    changed.clear()

    async def texts(self, conversation_id: str) -> list[str]:
        page = await self.session.chat.window(conversation_id, limit=500)
        return [message.text for message in page.messages if message.delivery is Delivery.SENT]

    async def until_texts(self, conversation_id: str, count: int) -> list[str]:
        async def enough() -> bool:
            return len(await self.texts(conversation_id)) >= count

        await self.until(enough)
        return await self.texts(conversation_id)


@asynccontextmanager
async def device(server: ServerProcess, folder: Path, login: str, keychain: MemoryKeychain) -> AsyncIterator[Device]:
    async with await Client.open(folder, keychain=keychain) as client:
        session = await client.sign_in(server.address, login, PASSWORD, remember=True)
        async with asyncio.timeout(LIMIT):
            await session.wait_until(ConnectionState.LIVE, synced=True)
        it = Device(client, session)
        with session.events.subscribe(it.seen.append):
            yield it


def test_search_finds_here_and_on_the_server(server: ServerProcess, tmp_path: Path) -> None:
    """What was just said is found at once; what this device lacks, the server has; each only for whom it is."""

    async def scenario() -> None:
        async with device(server, tmp_path / "a", "anna", MemoryKeychain()) as anna:
            search, people = anna.session.search, await anna.session.directory.search("ben")
            room = await anna.session.chat.open_direct(people[0].id)
            before = len(await anna.texts(room.id))
            await anna.session.chat.send_text(room.id, "档案数字化验收")
            await anna.until_texts(room.id, before + 1)
            query = SearchQuery("验收", conversation_id=room.id)
            (here,) = (await search.messages(query)).items
            assert (here.title.text, here.title.marks, here.who) == ("档案数字化验收", ((5, 7),), "Anna")
            assert (await search.remote_messages(query)).items == ()
            await anna.session._context.driver.write(
                RemoveObjects("Message", (here.id,))
            )  # never fetched, or long gone
            assert (await search.messages(query)).items == ()
            (there,) = (
                await search.remote_messages(SearchQuery("验收", anna.session.account_id, facet=Facet.TEXT))
            ).items
            assert (there.id, there.title, there.remote) == (here.id, here.title, True)
            assert (await search.remote_messages(SearchQuery("验收", people[0].id))).items == ()

    asyncio.run(scenario())


def test_two_people_talk_and_the_push_arrives(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            device(server, tmp_path / "a", "anna", MemoryKeychain()) as anna,
            device(server, tmp_path / "b", "ben", MemoryKeychain()) as ben,
        ):
            room = await anna.session.chat.open_direct(ben.session.account_id)
            before = len(await ben.texts(room.id))
            pending = await anna.session.chat.send_text(room.id, "你好 Ben")
            assert pending.delivery is Delivery.PENDING
            assert (await ben.until_texts(room.id, before + 1))[-1] == "你好 Ben"
            arrived = [event for event in ben.seen if isinstance(event, MessageArrived)]
            assert [event.message.text for event in arrived] == ["你好 Ben"]
            assert arrived[0].notify
            assert arrived[0].conversation.name == "Anna"
            seq = arrived[0].message.seq
            await ben.session.chat.mark_read(room.id, seq)

            async def read() -> bool:
                receipts = await anna.session.chat.receipts(room.id)
                return any(r.person_id == ben.session.account_id and r.read_seq == seq for r in receipts)

            await anna.until(read)

    asyncio.run(scenario())


def test_what_was_written_while_the_server_was_away_arrives_once_and_in_order(
    server: ServerProcess, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()

    async def scenario() -> None:
        async with device(server, tmp_path / "b", "ben", MemoryKeychain()) as ben:
            async with device(server, tmp_path / "a", "anna", keychain) as anna:
                room = await anna.session.chat.open_direct(ben.session.account_id)
                before = len(await ben.texts(room.id))
                await anna.session.chat.send_text(room.id, "first")
                await ben.until_texts(room.id, before + 1)
                server.kill()
                for number in range(60):
                    await anna.session.chat.send_text(room.id, f"offline {number}")
                shown = (await anna.session.chat.window(room.id)).messages
                assert shown[-1].text == "offline 59"
                assert shown[-1].delivery is Delivery.PENDING
            # The client itself ends and starts again with the cable out.
            async with await Client.open(tmp_path / "a", keychain=keychain) as client:
                session = await client.resume(client.accounts()[0])
                assert session.status.state is not ConnectionState.LIVE
                assert (await session.chat.window(room.id)).messages[-1].text == "offline 59"
                await session.chat.send_text(room.id, "offline 60")
                server.start()
                session.network_changed()
                ben.session.network_changed()
                texts = await ben.until_texts(room.id, before + 62)
                assert texts[before:] == ["first", *(f"offline {number}" for number in range(61))]
                anna_again = Device(client, session)

                async def empty() -> bool:
                    return await session.outbox.pending() == 0

                await anna_again.until(empty)
                assert (await anna_again.until_texts(room.id, before + 62))[before:] == texts[before:]

    asyncio.run(scenario())


def test_server_killed_again_and_again_while_sending(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            device(server, tmp_path / "a", "anna", MemoryKeychain()) as anna,
            device(server, tmp_path / "b", "ben", MemoryKeychain()) as ben,
        ):
            room = await anna.session.chat.open_direct(ben.session.account_id)
            before = len(await ben.texts(room.id))
            wanted = [f"storm {number}" for number in range(300)]
            for number, text in enumerate(wanted):
                await anna.session.chat.send_text(room.id, text)
                if number % 100 == 60:
                    server.kill()
                    await asyncio.to_thread(server.start)
                    anna.session.network_changed()
            anna.session.network_changed()
            ben.session.network_changed()
            assert (await ben.until_texts(room.id, before + 300))[before:] == wanted

    asyncio.run(scenario())


def bot(server: ServerProcess, folder: Path, first: int, last: int) -> "subprocess.Popen[str]":
    arguments = [str(folder), server.address, "anna", "ben", str(first), str(last)]
    command = [sys.executable, "-m", "tests.helpers.core_bot", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_client_killed_in_the_middle_loses_and_doubles_nothing(server: ServerProcess, tmp_path: Path) -> None:
    written = -1
    for stop_after in (150, 400, 700):
        with bot(server, tmp_path / "bot", written + 1, 1000) as process:
            assert process.stdout is not None
            for line in process.stdout:
                written = int(line)
                if written >= stop_after:
                    process.kill()
                    break
            rest = process.stdout.read().split()  # what it had still printed counts as written
            written = int(rest[-1]) if rest else written
    with bot(server, tmp_path / "bot", written + 1, 1000) as process:
        assert process.stdout is not None
        assert process.stdout.read().split()[-1] == "done"
        assert process.wait() == 0

    async def scenario() -> None:
        async with device(server, tmp_path / "b", "ben", MemoryKeychain()) as ben:
            (room,) = await ben.session.chat.conversations()
            page = await ben.session.chat.window(room.id, limit=5000)
            numbers = [int(m.text.split()[1]) for m in page.messages if m.text.startswith("bot ")]
            # A message may be on disk although its verb had not returned when the process died: written once more by the next run.
            assert sorted(set(numbers)) == list(range(1000))
            assert numbers == sorted(numbers)
            assert len({m.id for m in page.messages}) == len(page.messages)
            assert len(numbers) - len(set(numbers)) <= 3

    asyncio.run(scenario())


def test_pictures_and_files_travel_and_stay_sealed_on_disk(server: ServerProcess, tmp_path: Path) -> None:
    target = BytesIO()
    Image.new("RGB", (640, 360), "teal").save(target, "PNG")
    content = os.urandom(9_500_000)
    (tmp_path / "report 报告.bin").write_bytes(content)

    async def scenario() -> None:
        async with (
            device(server, tmp_path / "a", "anna", MemoryKeychain()) as anna,
            device(server, tmp_path / "b", "ben", MemoryKeychain()) as ben,
        ):
            room = await anna.session.chat.open_direct(ben.session.account_id)
            start = (await ben.session.chat.conversation(room.id) or room).last_seq
            await anna.session.chat.send_picture(room.id, target.getvalue(), "map.png")
            await anna.session.chat.send_file(room.id, tmp_path / "report 报告.bin")
            received: list[Message] = []

            async def both() -> bool:
                page = await ben.session.chat.window(room.id)
                received[:] = [message for message in page.messages if message.seq > start]
                return len(received) == 2

            await ben.until(both)
            attachments = {m.attachment.name: m.attachment for m in received if m.attachment is not None}
            picture, report = attachments["map.png"], attachments["report 报告.bin"]
            assert (picture.width, picture.height) == (640, 360)
            assert await ben.session.files.open_bytes(picture.blob_id) == target.getvalue()
            assert len(await ben.session.files.thumbnail(picture.blob_id, 96)) > 50
            transfer = await ben.session.files.download(report)

            async def done() -> bool:
                states = {t.id: t.state for t in ben.session.files.transfers()}
                return states[transfer.id] is TransferState.DONE

            await ben.until(done)
            await ben.session.files.save_as(report.blob_id, tmp_path / "copy.bin")
            assert (tmp_path / "copy.bin").read_bytes() == content
            needle = content[1000:1032]
            sealed = [path for path in (tmp_path / "b").rglob("*") if path.is_file()]
            assert not any(needle in path.read_bytes() for path in sealed)
            anna_states = {t.state for t in anna.session.files.transfers()}
            assert anna_states == {TransferState.DONE}

            # What the server has is not sent again, once it is proved; a folder comes by itself where that is wanted.
            (tmp_path / "航拍").mkdir()
            (tmp_path / "航拍" / "一.bin").write_bytes(content[:300_000])
            await anna.session.files.set_rules(TransferRules(receive=("file",), receive_up_to=1_000_000))
            await ben.session.chat.send_file(room.id, tmp_path / "copy.bin")
            await ben.session.chat.send_file(room.id, tmp_path / "航拍")

            async def come() -> bool:
                return any(
                    t.name == "航拍.zip" and t.state is TransferState.DONE for t in anna.session.files.transfers()
                )

            await anna.until(come)
            sent = {
                t.name: (t.instant, t.blob_id) for t in ben.session.files.transfers() if t.direction is Direction.UP
            }
            assert sent["copy.bin"] == (True, report.blob_id)
            assert not sent["航拍.zip"][0]
            with zipfile.ZipFile(BytesIO(await anna.session.files.open_bytes(sent["航拍.zip"][1] or ""))) as folder:
                assert folder.read("航拍/一.bin") == content[:300_000]

    asyncio.run(scenario())


def test_secrets_never_reach_the_log(server: ServerProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "zebra-plan.txt").write_bytes(b"zebra-content")

    async def scenario() -> None:
        async with device(server, tmp_path / "a", "anna", MemoryKeychain()) as anna:
            ben = next(p for p in await anna.session.directory.people() if p.login == "ben")
            room = await anna.session.chat.open_direct(ben.id)
            await anna.session.chat.send_text(room.id, "zebra-text")
            await anna.session.chat.send_file(room.id, tmp_path / "zebra-plan.txt")

            async def sent() -> bool:
                return await anna.session.outbox.pending() == 0

            await anna.until(sent)
            with pytest.raises(InvalidCredentials):
                await anna.client.sign_in(server.address, "anna", "zebra-password", remember=False)

    asyncio.run(scenario())
    assert caplog.records
    assert "zebra" not in caplog.text
    assert PASSWORD not in caplog.text
    assert "DPoP" not in caplog.text


def test_refusals_at_the_door(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        keychain = MemoryKeychain()
        async with await Client.open(tmp_path / "a", keychain=keychain) as client:
            with pytest.raises(InvalidCredentials):
                await client.sign_in(server.address, "anna", "wrong", remember=False)
            with pytest.raises(Offline):
                await client.sign_in("https://127.0.0.1:1", "anna", PASSWORD, remember=False)
            session = await client.sign_in(server.address, "anna", PASSWORD, remember=False)
            account = client.accounts()[0]
            assert (account.login, account.remembered) == ("anna", False)
            await session.close()
            with pytest.raises(InvalidCredentials):
                await client.resume(account)
            with pytest.raises(InvalidCredentials):
                await client.resume(account, "wrong")
            again = await client.resume(account, PASSWORD)
            async with asyncio.timeout(LIMIT):
                await again.wait_until(ConnectionState.LIVE)
            await again.sign_out(forget=True)
            assert client.accounts() == []
            assert not list((tmp_path / "a" / "accounts").glob("*"))

    asyncio.run(scenario())


def test_another_key_at_the_same_address_is_not_trusted(server: ServerProcess, tmp_path: Path) -> None:
    impostor = ServerProcess(tmp_path / "other")
    (tmp_path / "other").mkdir()

    async def scenario() -> None:
        async with await Client.open(tmp_path / "a", keychain=MemoryKeychain()) as client:
            session = await client.sign_in(server.address, "anna", PASSWORD, remember=True)
            await session.close()
            server.kill()
            impostor.init()
            impostor.port = server.port
            impostor.start()
            with pytest.raises(UntrustedServer) as caught:
                await client.sign_in(server.address, "anna", PASSWORD, remember=True)
            assert caught.value.data["known"] != caught.value.data["fingerprint"]

    try:
        asyncio.run(scenario())
    finally:
        impostor.kill()
        server.start()


def test_events_name_what_changed(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with device(server, tmp_path / "a", "anna", MemoryKeychain()) as anna:
            ben = next(p for p in await anna.session.directory.people() if p.login == "ben")
            room = await anna.session.chat.open_direct(ben.id)
            message = await anna.session.chat.send_text(room.id, "who sees this?")
            sets = [event for event in anna.seen if isinstance(event, ChangeSet) and event.type_name == "Message"]
            assert message.id in sets[-1].upserts
            assert sets[-1].conversations == {room.id}

    asyncio.run(scenario())


async def new_folder(librarian: Device, name: str) -> str:
    folder_id = librarian.session._context.new_id()
    await librarian.session._context.call_set("Folder", create={folder_id: {"name": name}})
    return folder_id


async def the_document(one: Device, document_id: str, versions: int = 1) -> Document:
    """The document once the server has that many versions of it."""
    found: list[Document] = []

    async def here() -> bool:
        found[:] = [d for d in await one.session.office.documents() if d.id == document_id and d.blob_id]
        return bool(found) and len(found[0].versions) >= versions

    await one.until(here)
    return found[0]


async def the_notice(one: Device, notice_id: str, state: str) -> Notice:
    found: list[Notice] = []

    async def here() -> bool:
        found[:] = [n for n in await one.session.office.notices() if n.id == notice_id and n.state == state]
        return bool(found)

    await one.until(here)
    return found[0]


def test_a_document_is_added_and_gets_a_version_also_from_offline(server: ServerProcess, tmp_path: Path) -> None:
    first, second = os.urandom(300_000), os.urandom(200_000)
    (tmp_path / "预案.pdf").write_bytes(first)
    (tmp_path / "预案 2.docx").write_bytes(second)
    keychain = MemoryKeychain()

    async def scenario() -> None:
        async with device(server, tmp_path / "b", "ben", MemoryKeychain()) as ben:
            async with device(server, tmp_path / "a", "anna", keychain) as anna:
                folder_id = await new_folder(anna, "防汛")
                online = await anna.session.office.add_document(folder_id, tmp_path / "预案.pdf", "Online", None)
                document = await the_document(ben, online)
                assert (document.title, document.name, document.size) == ("Online", "预案.pdf", len(first))
                assert document.owner_id == anna.session.account_id
                assert (await ben.session.office.document_path(online)).data == first
                (transfer,) = anna.session.files.transfers()
                assert (transfer.state, transfer.moved) == (TransferState.DONE, len(first))
                server.kill()
                # With the cable out: a new document and, before anybody has it, its second version.
                offline = await anna.session.office.add_document(
                    folder_id, tmp_path / "预案.pdf", "Offline", "汛〔1〕号"
                )
                await anna.session.office.add_version(offline, tmp_path / "预案 2.docx")
                await anna.session.office.add_version(online, tmp_path / "预案 2.docx")
                shown = {d.id: d for d in await anna.session.office.documents()}
                assert (shown[offline].title, shown[offline].number) == ("Offline", "汛〔1〕号")
            # The client ends and starts again before the network is back.
            server.start()
            ben.session.network_changed()
            async with await Client.open(tmp_path / "a", keychain=keychain) as client:
                await client.resume(client.accounts()[0])
                document = await the_document(ben, offline, versions=2)
                assert (document.name, document.size, document.number) == ("预案 2.docx", len(second), "汛〔1〕号")
                assert [version.size for version in document.versions] == [len(first), len(second)]
                assert document.type.endswith("wordprocessingml.document")
                assert (await ben.session.office.document_path(offline)).data == second
                assert len((await the_document(ben, online, versions=2)).versions) == 2

    asyncio.run(scenario())


def test_a_document_the_server_refuses_shows_at_its_transfer_and_can_be_taken_back(
    server: ServerProcess, tmp_path: Path
) -> None:
    (tmp_path / "x.txt").write_bytes(b"text")

    async def scenario() -> None:
        async with (
            device(server, tmp_path / "a", "anna", MemoryKeychain()) as anna,
            device(server, tmp_path / "b", "ben", MemoryKeychain()) as ben,
        ):
            folder_id = await new_folder(anna, "档案")
            await ben.until(lambda: sees_folder(ben, folder_id))
            document_id = await ben.session.office.add_document(folder_id, tmp_path / "x.txt", "X", None)
            failed: list[Transfer] = []

            async def told() -> bool:
                failed[:] = [t for t in ben.session.files.transfers() if t.state is TransferState.FAILED]
                return bool(failed)

            await ben.until(told)
            assert failed[0].error == "forbidden"
            refusals = [event for event in ben.seen if isinstance(event, EditRefused)]
            assert [(r.type_name, r.object_id, r.code) for r in refusals] == [("Document", document_id, "forbidden")]
            assert await ben.session.office.document(document_id) is None
            server.give_roles("ben", "librarian")
            await ben.session.files.resume(failed[0].id)
            assert (await the_document(anna, document_id)).title == "X"
            server.give_roles("ben")
            again = await ben.session.office.add_document(folder_id, tmp_path / "x.txt", "Y", None)
            await ben.until(told)
            await ben.session.files.cancel(failed[0].id)
            assert await ben.session.outbox.edits() == []
            assert again not in [d.id for d in await ben.session.office.documents()]

    async def sees_folder(one: Device, folder_id: str) -> bool:
        return folder_id in [folder.id for folder in await one.session.office.folders()]

    asyncio.run(scenario())


def test_a_notice_with_a_file_is_read_and_withdrawn_and_leaves_its_trace(server: ServerProcess, tmp_path: Path) -> None:
    content = os.urandom(50_000)
    (tmp_path / "值班表.pdf").write_bytes(content)

    async def scenario() -> None:
        async with (
            device(server, tmp_path / "a", "anna", MemoryKeychain()) as anna,
            device(server, tmp_path / "b", "ben", MemoryKeychain()) as ben,
        ):
            paper = await anna.session.files.upload_file(tmp_path / "值班表.pdf")
            notice_id = await anna.session.office.publish(
                "值班",
                "<p>见附件</p>",
                level=NoticeLevel.IMPORTANT,
                audience=Audience(everyone=True),
                attachments=[paper],
            )
            notice = await the_notice(ben, notice_id, "published")
            (attached,) = notice.attachments
            assert (attached.name, attached.size) == ("值班表.pdf", len(content))
            assert await ben.session.files.open_bytes(attached.blob_id) == content
            await ben.session.office.mark_read(notice_id)
            await anna.session.office.withdraw(notice_id, "时间有误")
            written, gone = [await the_notice(one, notice_id, "withdrawn") for one in (anna, ben)]
            for notice in (written, gone):
                assert (notice.title, notice.withdraw_reason) == ("值班", "时间有误")
                assert notice.withdrawn_at is not None
            assert (gone.body, gone.attachments) == ("", ())  # the reader keeps the trace, not the content

    asyncio.run(scenario())


def test_a_quick_reply_at_the_first_sign_in_leaves_no_stale_count(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with device(server, tmp_path / "a", "anna", MemoryKeychain()) as anna:
            person = next(p for p in await anna.session.directory.people() if p.login == "ben")
            room = await anna.session.chat.open_direct(person.id)
            for text in [f"history {number}" for number in range(50)]:
                await anna.session.chat.send_text(room.id, text)
            for turn in range(4):
                async with await Client.open(tmp_path / f"b{turn}", keychain=MemoryKeychain()) as client:
                    session = await client.sign_in(server.address, "ben", PASSWORD, remember=False)
                    ben = Device(client, session)
                    with session.events.subscribe(ben.seen.append):
                        await session.wait_until(ConnectionState.LIVE, synced=turn % 2 == 0)
                        await anna.session.chat.send_text(room.id, f"ping {turn}")
                        seq = await arrival(ben, f"ping {turn}")
                        await session.chat.send_text(room.id, "pong")
                        if turn < 2:  # the server has the reply before the marker is set
                            await ben.until(partial(nothing_pending, ben))
                        await session.chat.mark_read(room.id, seq)
                        await ben.until(partial(is_read, ben, room.id, seq))

    async def arrival(ben: Device, text: str) -> int:
        found: list[int] = []

        async def here() -> bool:
            arrived = [event.message for event in ben.seen if isinstance(event, MessageArrived)]
            found[:] = [message.seq for message in arrived if message.text == text]
            return bool(found)

        await ben.until(here)
        return found[0]

    async def nothing_pending(ben: Device) -> bool:
        return await ben.session.outbox.pending() == 0

    async def is_read(ben: Device, room_id: str, seq: int) -> bool:
        """By the server's word and with no layer of ours over it."""
        held = ben.session._context.store.load_object
        shown = await ben.session._context.db(held, "Conversation", room_id)
        assert isinstance(shown, Conversation)
        done = await nothing_pending(ben) and not ben.session.status.syncing
        return done and shown.unread_count == 0 and shown.read_seq >= seq and shown.last_seq > seq

    asyncio.run(scenario())
