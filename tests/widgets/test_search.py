"""The search box over everything and the one inside a conversation: sections, keyboard, filters, what stays in place, where hits lead."""

from typing import Any, cast

import msgspec
import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.app.search_desk import SearchDesk
from desktop.core.domain import ConnectionState, Message, MessageKind
from desktop.core.domain.search import Excerpt, Facet, Found, FoundKind, FoundPart
from desktop.models.search import ALL, Command, SearchModel
from desktop.models.search_filters import Filters, day_span, span_start, take_operators
from desktop.ui.chat.page import MessagesPage, create_messages_page
from desktop.ui.search.overlay import SearchOverlay
from desktop.ui.search.talk_search import TalkSearch
from desktop.ui.shell.main_window import MainWindow
from desktop.ui.shell.ui_state import UiState
from tests.helpers.fake_records import RecordsScene
from tests.helpers.fake_search import FakeSearch
from tests.helpers.fake_session import GROUP, HISTORY, NOW, PEOPLE, FakeSession
from tests.helpers.stage import RecordingNavigator, click, play, press, settle, shown, until

OLD = Message("old", GROUP, MessageKind.TEXT, "去年的会议材料", 3, "zhangmin", NOW - 400 * 86_400_000)


class Places:
    """Writes down where hits lead."""

    def __init__(self) -> None:
        self.went: list[str] = []

    def open_found(self, found: Found) -> None:
        self.went.append(f"{found.type} {found.id}")

    def run_command(self, key: str) -> None:
        self.went.append(key)


class Box:
    """The search over a window with one line to come back to."""

    def __init__(self) -> None:
        self.session = RecordsScene(fleet=True)
        self.search = FakeSearch(self.session)
        self.session.search = self.search  # type: ignore[attr-defined]  # the port of this screen
        self.window, self.places = QWidget(), Places()
        self.line = QLineEdit()
        QVBoxLayout(self.window).addWidget(self.line)
        shown(self.window, 1000, 700)
        self.window.activateWindow()
        self.line.setFocus()
        self.overlay = SearchOverlay(cast(Any, self.session), self.places, self.window)

    async def ask(self, text: str) -> list[str]:
        """What is shown when everything has answered."""
        self.overlay.open_search(text)
        await until(lambda: self.overlay.answered, text)
        return self.rows()

    def rows(self) -> list[str]:
        """Rows as a screen reader hears them."""
        model = self.overlay.model
        said = (model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(model.rowCount()))
        return [str(one) for one in said]

    @property
    def chosen(self) -> str:
        return str(self.overlay.list.currentIndex().data(Qt.ItemDataRole.DisplayRole))

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        press(self.overlay.input, key, modifiers)


def test_hits_in_sections_by_keyboard_alone() -> None:
    async def scene() -> None:
        box = Box()
        rows = await box.ask("zm")
        assert rows == ["联系人", "张敏, 办公室主任 防汛办副主任"]
        box.key(Qt.Key.Key_Return)
        assert box.places.went == ["Person zhangmin"]
        assert not box.overlay.isVisible()
        assert box.window.focusWidget() is box.line
        rows = await box.ask("材料")
        assert [one for one in rows if ", " not in one] == ["消息", "文件"]
        assert "办公室工作群 ・ 张敏：@林远 会议材料改好后同步给信息中心一份。" in rows[1]
        box.key(Qt.Key.Key_Down)
        box.key(Qt.Key.Key_Down)
        assert box.chosen == "防汛工作会议材料（第三稿）.pdf"
        box.key(Qt.Key.Key_Up)
        box.key(Qt.Key.Key_Return)
        assert box.places.went[1].startswith("Message ")
        await until(lambda: box.search.texts == ["材料", "zm"], "remembered")
        await box.ask("")
        assert box.rows() == ["最近搜索", "材料", "zm"]
        box.key(Qt.Key.Key_Down)
        box.key(Qt.Key.Key_Return)
        assert box.overlay.input.text() == "zm"
        await until(lambda: box.rows()[0] == "联系人", "asked again")
        assert box.overlay.input.accessibleName() == "搜索"
        assert box.overlay.input.accessibleDescription() == "找到 1 条"
        box.key(Qt.Key.Key_Escape)
        assert box.window.focusWidget() is box.line
        await box.ask("")
        click(box.overlay.forget)
        await until(lambda: box.overlay.model.rowCount() == 0, "forgotten")
        assert box.overlay.empty.isVisible()

    play(scene())


def test_kinds_are_tabs_and_commands_are_found_by_their_letters() -> None:
    async def scene() -> None:
        box = Box()
        await box.ask("材料")
        assert list(box.overlay.model.totals) == ["message", "file"]
        box.key(Qt.Key.Key_Tab)
        assert box.overlay.model.tab == "message"
        assert box.rows()[0] == "消息"
        assert "文件" not in box.rows()
        box.key(Qt.Key.Key_Tab)
        box.key(Qt.Key.Key_Tab)
        assert box.overlay.model.tab == ALL
        box.key(Qt.Key.Key_Backtab)
        assert box.rows()[0] == "文件"
        button = box.overlay.findChild(QPushButton, "search.tab.file")
        assert button is not None
        assert button.text() == "文件 1"
        assert button.property("kind") == "primary"
        await box.ask("sz")
        assert "设置, 页面" in box.rows()
        row = box.rows().index("设置, 页面")
        box.overlay._on_clicked(box.overlay.model.index(row, 0))
        assert box.places.went == ["page:settings"]
        rows = await box.ask("新建")
        assert rows[0] == "操作"
        assert all(one.startswith("新建") for one in rows[1:])
        box.key(Qt.Key.Key_Return)
        assert box.places.went[1].startswith("new:Sample")

    play(scene())


def test_what_the_server_has_comes_below_and_moves_nothing() -> None:
    async def scene() -> None:
        box = Box()
        box.search.beyond = [OLD]
        box.overlay.open_search("材料")
        await until(lambda: "local" in box.overlay.asking.spent, "local")
        box.key(Qt.Key.Key_Down)
        box.key(Qt.Key.Key_Down)
        chosen, place = box.chosen, box.overlay.list.visualRect(box.overlay.list.currentIndex())
        await until(lambda: "server" in box.overlay.asking.spent, "server")
        assert box.chosen == chosen
        assert abs(box.overlay.list.visualRect(box.overlay.list.currentIndex()).top() - place.top()) < 60
        assert any("去年的会议材料" in row and row.endswith("来自服务器") for row in box.rows())
        assert "服务器" in box.overlay.status.text()
        box.search.down = True
        await box.ask("材料")
        assert "没有应答" in box.overlay.status.text()
        box.session.go(ConnectionState.OFFLINE)
        asked = len(box.search.asked)
        assert await box.ask("没有这样的词") == []
        assert box.overlay.empty.isVisible()
        assert "离线" in box.overlay.status.text()
        assert all(name != "remote" for name, _ in box.search.asked[asked:])

    play(scene())


def test_filters_by_operators_fields_and_chips() -> None:
    async def scene() -> None:
        box = Box()
        await box.ask("")
        await until(lambda: box.overlay.filters.people, "names")
        await box.ask("from:zm type:file 材料")
        assert box.overlay.input.text() == "材料"
        assert box.overlay.filters.filters == Filters(PEOPLE[1], facet=Facet.FILE)
        assert [row.split(",")[0] for row in box.rows()] == [
            "消息",
            "办公室工作群 ・ 张敏：防汛工作会议材料（第三稿）.pdf",
        ]
        chip = box.overlay.findChild(QPushButton, "search.chip.person")
        assert chip is not None
        assert chip.text() == "来自 张敏"
        box.overlay.input.clear()
        box.key(Qt.Key.Key_Backspace)
        box.key(Qt.Key.Key_Backspace)
        assert box.overlay.filters.filters.empty
        box.key(Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        field = box.overlay.filters.person
        assert field.isVisible()
        assert field.hasFocus()
        field.setText("周")
        field.textEdited.emit("周")
        press(field, Qt.Key.Key_Return)
        assert box.overlay.filters.filters.person is not None
        assert box.overlay.filters.filters.person.name == "周海"
        for _ in range(12):  # the keyboard goes round inside the box
            press(cast(QWidget, QApplication.focusWidget()), Qt.Key.Key_Tab)
            assert box.overlay.isAncestorOf(cast(QWidget, QApplication.focusWidget()))
            if QApplication.focusWidget() is box.overlay.input:
                break
        assert box.overlay.input.hasFocus()
        box.key(Qt.Key.Key_Escape)
        assert not box.overlay.isVisible()

    play(scene())


@pytest.mark.parametrize(
    ("text", "left", "filters"),
    [
        ("from:张敏 防汛", "防汛", Filters(PEOPLE[1])),
        ("防汛 来自:wjg ", "防汛  ", Filters(PEOPLE[3])),
        ("type:文件 x", "x", Filters(facet=Facet.FILE)),
        ("after:2026-10 before:2026-11-05 x", "x",
         Filters(span="", since=cast(Any, day_span("2026-10"))[0], until=cast(Any, day_span("2026-11-05"))[0])),
        ("from:nobody type:what after:soon x", "from:nobody type:what after:soon x", Filters()),
        ("from:张敏", "from:张敏", Filters()),
        ("http://in:x y", "http://in:x y", Filters()),
    ],
)  # fmt: skip
def test_operators(text: str, left: str, filters: Filters) -> None:
    assert take_operators(text, Filters(), lambda: PEOPLE, lambda: ()) == (left, filters)


def test_spans_are_whole_local_days() -> None:
    start, end = cast("tuple[int, int]", day_span("2026-02"))
    assert (end - start) // 86_400_000 == 28
    assert day_span("2026-13") is day_span("soon") is day_span("2026-02-30") is None
    assert span_start("today", start + 5) == start
    assert (start - span_start("week", start)) // 86_400_000 == 6
    assert Filters(span="today").query(" a  b ", start + 5).since == start
    assert Filters(span="today").query(" a  b ", start + 5).text == "a b"


def test_the_model_replaces_sections_and_keeps_the_rest() -> None:
    def hit(kind: FoundKind, key: str) -> Found:
        return Found(kind, "Message", key, Excerpt(key))

    model = SearchModel()
    moved: list[str] = []
    model.rowsRemoved.connect(lambda _parent, first, last: moved.append(f"-{first}..{last}"))
    many = tuple(hit(FoundKind.MESSAGE, f"m{n}") for n in range(5))
    model.put(FoundPart(FoundKind.MESSAGE, many, 9, True))
    model.put_commands([Command("page:x", Excerpt("x"))])
    assert model.rowCount() == 1 + 3 + 2  # the best three of a section
    assert model.step(-1, 1) == 1
    assert model.step(3, 1) == 5
    assert model.step(5, 1) == 5
    assert model.step(1, -1) == 1
    model.begin()
    model.put(FoundPart(FoundKind.PERSON, (hit(FoundKind.PERSON, "p"),), 1))
    assert moved == []  # what was found before stays until its section answers
    model.put(FoundPart(FoundKind.MESSAGE, many[1:], 4))
    model.settle()
    assert [cast(QAbstractItemModel, model).index(row, 0).data() for row in range(model.rowCount())] == [
        "",
        "p",
        "",
        "m1",
        "m2",
        "m3",
    ]
    model.append(FoundPart(FoundKind.MESSAGE, (many[0], many[1]), 2))
    model.set_tab("message")
    assert [row.found.id for n in range(1, 6) if (row := model.row(n)) is not None and row.found is not None] == [
        "m1",
        "m2",
        "m3",
        "m4",
        "m0",
    ]
    assert model.totals["message"] == (5, False)


# ------------------------------------------------------------ inside a conversation
async def talk(history: int = 0) -> tuple[MessagesPage, FakeSearch]:
    session = FakeSession(history=history)
    search = FakeSearch(session)
    session.search = search  # type: ignore[attr-defined]  # the port of this screen
    recorder = RecordingNavigator()
    page = create_messages_page(session, recorder, recorder, UiState())
    shown(page)
    await until(lambda: page.list.model.rowCount() > 3, "rows")
    page.open_conversation(GROUP)
    await until(lambda: len(page.pane.window_model) > 2, "messages")
    return page, search


def test_finding_inside_a_conversation_and_going_there() -> None:
    async def scene() -> None:
        page, search = await talk()
        press(page, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        finder = cast(TalkSearch, page.pane.finder)
        await until(lambda: finder.isVisible() and finder.input.hasFocus(), "the pane")
        assert finder.empty.isVisible()
        finder.input.setText("材料")
        await until(lambda: finder.model.rowCount() == 4, "hits")
        assert finder.status.text().startswith("找到 3 条")
        assert {query.conversation_id for name, query in search.asked if name == "messages"} == {GROUP}
        press(finder.input, Qt.Key.Key_Down)
        press(finder.input, Qt.Key.Key_Return)
        await until(page.pane.spotlight.isVisible, "lit")
        found = cast(Message, page.pane.held(page.pane.spotlight.message_id))
        assert found.text == "@林远 会议材料改好后同步给信息中心一份。"
        finder.filters.facet.setCurrentIndex(3)
        finder.filters.facet.activated.emit(3)
        await until(lambda: finder.model.rowCount() == 2, "files alone")
        finder.filters.person.chosen.emit("wufang")
        await until(finder.empty.isVisible, "nothing of hers")
        page.open_conversation(next(c for c in page._session.chat.list if c != GROUP))  # type: ignore[attr-defined]
        assert finder.filters.filters.empty
        assert not finder.input.text()
        press(finder.input, Qt.Key.Key_Escape)
        assert finder.isHidden()
        page.close_page()

    play(scene())


def test_a_message_far_back_is_shown_with_its_neighbors() -> None:
    async def scene() -> None:
        page, _ = await talk(history=5000)
        message = page._session.chat.talks[HISTORY].messages[999]  # type: ignore[attr-defined]
        page.open_message(HISTORY, message.id, message.seq)
        await until(lambda: page.pane.spotlight.message_id == message.id, "lit")
        in_sight = [row.message.seq for _, _, row in page.pane.view.placed]
        assert min(in_sight) < message.seq < max(in_sight)
        page.open_message(HISTORY, "gone", 4000)
        await until(page.pane.snack.isVisible, "said")
        assert page.pane.snack.text.text() == "这条消息已经不在了。"
        page.close_page()

    play(scene())


# ------------------------------------------------------------ where hits lead
def test_hits_and_commands_lead_to_their_pages() -> None:
    calls: list[str] = []

    class Page(QWidget):
        def __getattr__(self, name: str) -> Any:
            if not name.startswith(("open_", "new_")):
                raise AttributeError(name)
            return lambda *arguments: calls.append(f"{name} {' '.join(str(one) for one in arguments)}")

    async def scene() -> None:
        session = RecordsScene()
        session.search = FakeSearch(session)  # type: ignore[attr-defined]  # the port of this screen
        window = MainWindow(session, UiState())
        opens: dict[str, tuple[Any, ...]] = {
            "messages": ("conversation",), "contacts": ("person",), "workbench": ("notice", "document", "record"), "settings": (),
        }  # fmt: skip
        for key, targets in opens.items():
            window.add_page(key, "gear", f"shell.{key}", Page, opens=targets)
        window.add_search()
        desk = SearchDesk(cast(Any, session), window)
        window.search = desk.open_search
        window.start()
        shown(window, 1000, 700).activateWindow()
        await until(window.isActiveWindow, "active")
        press(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
        await settle()
        assert desk.overlay.isVisible()
        assert desk.overlay.input.hasFocus()
        desk.overlay.close_search()
        window.rail.wanted.emit("search")
        assert desk.overlay.isVisible()
        desk.overlay.close_search()
        for kind, type_name in ((FoundKind.PERSON, "Person"), (FoundKind.PERSON, "Department"), (FoundKind.NOTICE, "Notice"),
                                (FoundKind.DOCUMENT, "Document"), (FoundKind.RECORD, "SampleTrip"), (FoundKind.CONVERSATION, "Conversation")):  # fmt: skip
            desk.open_found(Found(kind, type_name, "k", Excerpt("x")))
        desk.open_found(
            Found(FoundKind.MESSAGE, "Message", "old", Excerpt(""), message=msgspec.structs.replace(OLD, seq=7))
        )
        for command in ("settings:files", "module:sample", "new:SampleTrip", "page:contacts"):
            desk.run_command(command)
        assert calls == [
            "open_person k", "open_department k", "open_notice k", "open_document k", "open_record SampleTrip k",
            "open_conversation k", f"open_message {GROUP} old 7", "open_section files", "open_module sample", "new_record SampleTrip {}",
        ]  # fmt: skip
        assert window.current_page == "contacts"
        window.close_for_good()

    play(scene())
