"""The text beside the presence and the absence reply: asked for, sent, shown to colleagues."""

from PySide6.QtCore import QDateTime

from desktop.core.domain import AbsenceReply, Presence
from desktop.core.events import PresenceChanged
from desktop.ui.chat.absence_dialog import AbsenceDialog
from desktop.ui.i18n import tr
from tests.helpers.fake_session import NOW, WANG, FakeSession
from tests.helpers.stage import play, settle
from tests.widgets.test_chat_view import open_page


def test_what_a_colleague_says_stands_over_the_talk() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        pane = page.pane
        assert pane.conversation is not None
        peer = pane.conversation.peer_id
        assert peer is not None
        session.events.publish(PresenceChanged({peer: Presence.BUSY}, texts={peer: "开会到 11 点"}))
        await settle()
        assert pane.header.detail.text().endswith(f"{tr('presence.busy')} ・ 开会到 11 点")
        session.receive(WANG, peer, "出差中，周五回来。", auto=True)
        await settle()
        session.events.publish(PresenceChanged({peer: Presence.OFFLINE}))
        await settle()
        assert "11" not in pane.header.detail.text()

    play(scene())


def test_the_absence_dialog_takes_only_what_can_be() -> None:
    async def scene() -> None:
        dialog = AbsenceDialog(None, None, NOW)
        assert not dialog.ok.isEnabled(), "no text yet"
        dialog.enabled_box.setChecked(True)
        dialog.edit.setPlainText(" 出差中，周五回来。 ")
        assert dialog.ok.isEnabled()
        assert dialog.reply == AbsenceReply("出差中，周五回来。", enabled=True)
        dialog.time_box.setChecked(True)
        assert dialog.reply.begins == NOW - NOW % 60_000
        dialog.end.setDateTime(QDateTime.fromMSecsSinceEpoch(NOW - 3_600_000))
        assert not dialog.ok.isEnabled()
        assert dialog.problem.text() == tr("presence_text.absence.backwards")
        dialog.time_box.setChecked(False)
        dialog.edit.setPlainText("x" * 501)
        assert not dialog.ok.isEnabled()
        held = AbsenceReply("回来再说", True, True, NOW, NOW + 60_000, "a")
        again = AbsenceDialog(None, held, NOW)
        assert again.reply.while_away
        assert again.reply.text == held.text
        for one in (dialog, again):
            one.deleteLater()

    play(scene())
