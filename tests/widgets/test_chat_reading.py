"""When an open conversation counts as read, and what the card of a file says on its way up and down."""

import asyncio

import msgspec
import pytest
from PySide6.QtWidgets import QWidget

from desktop.core.domain import Attachment, Delivery, Direction, Message, MessageKind, Transfer, TransferState
from desktop.models.people import People
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.file_cards import file_actions, file_status
from desktop.ui.chat.page import MessagesPage, create_messages_page
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.shell.ui_state import UiState
from tests.helpers.fake_session import WANG, FakeSession
from tests.helpers.stage import RecordingNavigator, play, settle, until


def _page(session: FakeSession) -> MessagesPage:
    navigator = RecordingNavigator()
    page = create_messages_page(session, navigator, navigator, UiState())
    page.resize(1000, 700)
    page.show()
    return page


async def _opened(session: FakeSession) -> MessagesPage:
    page = _page(session)
    page.activateWindow()
    await until(lambda: page.list.model.rowCount() > 0)
    page.open_conversation(WANG)
    await until(lambda: page.pane.window_model.conversation_id == WANG and session.called("chat.members"))
    await settle()
    return page


def _unread(page: MessagesPage) -> int:
    found = page.list.model.find(WANG)
    assert found is not None
    return found.unread_count


def test_what_arrives_in_the_open_conversation_of_the_active_window_is_read() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await _opened(session)
        assert page.isActiveWindow()
        message = session.receive(WANG, "wangjianguo", "看一下")
        await until(lambda: (WANG, message.seq) in session.called("chat.mark_read"), "the read mark")
        await until(lambda: _unread(page) == 0, "the badge to go")
        page.close_page()

    play(scene())


def test_behind_another_window_it_is_read_only_when_the_user_comes_back() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await _opened(session)
        other = QWidget()
        other.show()
        other.activateWindow()
        await until(lambda: not page.isActiveWindow(), "the other window in front")
        message = session.receive(WANG, "wangjianguo", "看一下")
        await until(lambda: page.pane.view.placed[0][2].message.id == message.id)
        timer = page.pane.read_marks
        await until(lambda: not timer.isActive(), "the moment of reading to pass")
        assert session.called("chat.mark_read") == []
        assert _unread(page) == 1
        page.activateWindow()
        await until(lambda: session.called("chat.mark_read") == [(WANG, message.seq)], "the read mark")
        await until(lambda: _unread(page) == 0, "the badge to go")
        other.close()
        page.close_page()

    play(scene())


FILE = Attachment("", "预算.xlsx", size=2048)
UP = Transfer("t1", Direction.UP, FILE.name, 2048, 1024, TransferState.RUNNING, 512.0, 2.0, message_id="m1")
DOWN = Transfer("t2", Direction.DOWN, FILE.name, 2048, 1024, TransferState.RUNNING, 512.0, 2.0, blob_id="b1")


def _message(delivery: Delivery) -> Message:
    return Message("m1", WANG, MessageKind.FILE, sender_id="linyuan", attachment=FILE, delivery=delivery)


@pytest.mark.parametrize(
    ("transfer", "delivery", "said", "offered"),
    [
        (UP, Delivery.UPLOADING, "上传中", ("pause", "cancel")),
        (
            msgspec.structs.replace(UP, state=TransferState.HELD),
            Delivery.UPLOADING,
            "断网，联网后继续",
            ("pause", "cancel"),
        ),
        (msgspec.structs.replace(UP, state=TransferState.PAUSED), Delivery.UPLOADING, "已暂停", ("resume", "cancel")),
        (msgspec.structs.replace(UP, state=TransferState.DONE), Delivery.PENDING, "已上传，待发送", ()),
        (msgspec.structs.replace(UP, state=TransferState.DONE), Delivery.REFUSED, "已上传", ()),
        (
            msgspec.structs.replace(UP, state=TransferState.DONE),
            Delivery.SENT,
            "已发送",
            ("open", "download", "save_as"),
        ),
        (DOWN, Delivery.SENT, "下载中", ("pause", "cancel")),
        (msgspec.structs.replace(DOWN, state=TransferState.DONE), Delivery.SENT, "已下载", ("open", "save_as")),
        (
            msgspec.structs.replace(DOWN, state=TransferState.DONE, way="direct"),
            Delivery.SENT,
            "已下载",
            ("open", "save_as"),
        ),
        (None, Delivery.PENDING, "等待中", ()),
    ],
)
def test_a_file_says_how_far_it_is(
    transfer: Transfer | None, delivery: Delivery, said: str, offered: tuple[str, ...]
) -> None:
    async def scene() -> None:
        status = file_status(FILE, transfer, _message(delivery))
        assert status.split(" ・ ")[1].split(" ")[0] == said
        assert status.endswith("局域网直传") is (transfer is not None and transfer.way == "direct")
        assert file_actions(transfer, _message(delivery)) == offered
        gone = msgspec.structs.replace(FILE, expired=True)
        assert "文件已过期" in file_status(gone, transfer, _message(delivery))

    play(scene())


def test_a_colleagues_copy_of_a_file_is_no_upload_and_the_own_one_comes_down_again() -> None:
    async def scene() -> None:
        session = FakeSession()
        host = QWidget()
        thumbnails = Thumbnails(session.files, lambda: 1.0, host)
        context = TalkContext(People(session.me, host), thumbnails, lambda _id: None)
        up = msgspec.structs.replace(UP, state=TransferState.DONE, blob_id="b1")
        context.set_transfer(up)
        sent = msgspec.structs.replace(_message(Delivery.SENT), attachment=Attachment("b1", FILE.name))
        theirs = msgspec.structs.replace(sent, id="m2", sender_id="wangjianguo")
        assert context.transfer_of(theirs) is None
        assert context.transfer_of(sent) is up
        context.set_transfer(DOWN)
        assert context.transfer_of(theirs) is DOWN
        assert context.transfer_of(sent) is DOWN
        await asyncio.sleep(0)

    play(scene())


def test_a_held_upload_is_not_said_to_be_going_on() -> None:
    async def scene() -> None:
        session, host = FakeSession(), QWidget()
        thumbnails = Thumbnails(session.files, lambda: 1.0, host)
        context = TalkContext(People(session.me, host), thumbnails, lambda _id: None)
        message = _message(Delivery.UPLOADING)
        context.set_transfer(UP)
        assert context.waiting_words(message) == ("chat.uploading", "arrow-up")
        context.set_transfer(msgspec.structs.replace(UP, state=TransferState.HELD))
        assert context.waiting_words(message) == ("chat.pending", "clock")
        assert context.waiting_words(_message(Delivery.PENDING)) == ("chat.pending", "clock")

    play(scene())
