"""Records in a talk: a card follows its record and stays shut without a right to it; a message becomes a record in two clicks."""

import os
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from desktop.core.domain import Card, Message
from desktop.core.domain.definition import Field, FieldKind, Label
from desktop.models.verbs import TalkSession
from desktop.ui.chat.cards import CardFace
from desktop.ui.chat.page import MessagesPage, create_messages_page
from desktop.ui.i18n import tr
from desktop.ui.office.talk_cards import TalkCards
from desktop.ui.shell.ui_state import UiState
from tests.helpers.fake_records import TRIP, VEHICLE, RecordsScene
from tests.helpers.fake_session import GROUP
from tests.helpers.stage import RecordingNavigator, play, settle, until


class Scene:
    """The messages page over records in memory, a group open."""

    def __init__(self) -> None:
        self.session = RecordsScene(fleet=True)
        self.recorder = RecordingNavigator()
        self.cards = TalkCards(self.session, self.session.clock.now_ms)
        talk: TalkSession = self.session
        self.page: MessagesPage = create_messages_page(
            talk, self.recorder, self.recorder, UiState(), lambda: self.cards
        )

    async def open(self) -> None:
        self.page.resize(1000, 700)
        self.page.show()
        await until(lambda: self.page.list.model.rowCount() > 0)
        self.page.open_conversation(GROUP)
        await until(lambda: self.page.pane.window_model.conversation_id == GROUP)
        await settle()

    async def receive(self, text: str, **more: Any) -> Message:
        message = self.session.receive(GROUP, "zhaolei", text, **more)
        self.page.pane.view.to_newest()
        await until(lambda: any(row.message.id == message.id for _, _, row in self.page.pane.view.placed), "in sight")
        return message

    def face(self, card: Card) -> CardFace | None:
        return self.page.pane.context.face(card)

    def press_card(self, message: Message) -> None:
        view = self.page.pane.view
        y, row = next((y, row) for _, y, row in view.placed if row.message.id == message.id)
        zone = next(zone for zone in row.zones if zone.action == "card")
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=(zone.rect.center() + QPointF(0, y)).toPoint())


def picture(widget: QWidget, name: str) -> None:
    """Kept for the eye where TONGBAN_PICTURES names a folder."""
    folder = os.environ.get("TONGBAN_PICTURES")
    if folder:
        assert widget.grab().save(str(Path(folder) / f"{name}.png"))


def give_origin(session: RecordsScene, *types: str) -> None:
    """Adds the field that says what a record was made from."""
    text = {"kind": FieldKind.TEXT, "label": Label("标识", "Id")}
    parts = tuple(Field(name=name, **text) for name in ("type", "id", "title"))  # type: ignore[arg-type]  # a dict of mixed values
    origin = Field(name="origin", kind=FieldKind.OBJECT, label=Label("来源", "Origin"), fields=parts)
    module = session.records.definitions[0]
    changed = tuple(
        msgspec.structs.replace(one, fields=(*one.fields, origin)) if one.name in types else one for one in module.types
    )
    session.records.definitions = [msgspec.structs.replace(module, types=changed)]


def test_a_card_follows_its_record() -> None:
    async def scene() -> None:
        stage = Scene()
        await stage.open()
        trip = stage.session.records.get("t1")
        card = Card(TRIP, trip.id, "旧标题")
        message = await stage.receive("旧标题", card=card)
        await until(lambda: stage.face(card) is not None, "read")
        face = stage.face(card)
        assert face is not None
        assert not face.closed
        assert face.title == stage.session.records.title(trip)
        assert face.state
        assert len(face.fields) == 2
        picture(stage.page, "card-live")
        before = face.state
        definition = stage.session.records.definition(TRIP)
        other = next(state for state in definition.states if state.value != trip.data["state"])
        changed = msgspec.structs.replace(trip, data={**trip.data, "state": other.value, "destination": "四号闸"})
        stage.session.records.put(changed, tell=True)
        await until(lambda: (now := stage.face(card)) is not None and "四号闸" in now.title, "the change")
        now = stage.face(card)
        assert now is not None
        assert now.state == other.label.zh != before
        stage.press_card(message)
        assert stage.recorder.calls[-1] == (TRIP, trip.id)
        stage.page.close_page()

    play(scene())


def test_a_card_without_a_right_shows_its_title_alone_and_stays_shut() -> None:
    async def scene() -> None:
        stage = Scene()
        await stage.open()
        card = Card(TRIP, "not-mine", "别人的申请")
        message = await stage.receive("别人的申请", card=card)
        await until(lambda: stage.face(card) is not None, "read")
        face = stage.face(card)
        assert face is not None
        assert (face.closed, face.title, face.fields) == (True, "别人的申请", ())
        picture(stage.page, "card-closed")
        calls = list(stage.recorder.calls)
        stage.press_card(message)
        assert stage.recorder.calls == calls
        assert stage.page.pane.snack.text.text() == tr("office_workbench.no_record")
        trip = msgspec.structs.replace(stage.session.records.get("t1"), id="not-mine")
        stage.session.records.put(trip, tell=True)  # the right came
        await until(lambda: (now := stage.face(card)) is not None and not now.closed, "open")
        stage.page.close_page()

    play(scene())


def test_a_message_becomes_a_record_in_two_clicks() -> None:
    async def scene() -> None:
        stage = Scene()
        give_origin(stage.session, TRIP)
        await stage.open()
        message = await stage.receive("明早去三号闸\n带上雨靴")
        stage.cards.warm()
        await until(stage.cards.offers, "offers")
        actions = stage.page.pane.message_actions.menu(message).actions()
        wanted = tr("office_workbench.make", type="用车申请")
        assert [action.text() for action in actions].count(wanted) == 1
        next(action for action in actions if action.text() == wanted).trigger()
        assert stage.recorder.calls[-1] == ("new", TRIP)
        assert stage.recorder.prefills == [
            {
                "destination": "明早去三号闸",
                "reason": "明早去三号闸\n带上雨靴",
                "origin": {"type": "Message", "id": message.id, "title": "明早去三号闸"},
            }
        ]
        stage.page.close_page()

    play(scene())


def test_nothing_is_offered_where_it_may_not_be_made() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.session.me = msgspec.structs.replace(stage.session.me, roles=())
        give_origin(stage.session, VEHICLE)  # only the fleet makes vehicles
        await stage.open()
        message = await stage.receive("新车到了")
        stage.cards.warm()
        await until(lambda: stage.session.called("records.modules") and not stage.cards.tasks.running("reload"))
        assert stage.cards.offers() == []
        assert stage.page.pane.message_actions.menu(message).actions()
        stage.page.close_page()

    play(scene())
