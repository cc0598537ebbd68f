"""The mini panel, windows of their own and the lock: what they list, how they hide, what they remember, what they keep from sight."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.app.locking import Locking
from desktop.core.domain import ModuleDefinition, Presence
from desktop.core.domain.definition import Label
from desktop.core.errors import InvalidCredentials
from desktop.models.people import People
from desktop.models.roster import DepartmentRow, PersonRow
from desktop.ui.i18n import tr
from desktop.ui.panel.docking import LEAVE_LOOKS, STRIP, Edge, EdgeDock, edge_of, may_dock, out_place, strip_place
from desktop.ui.panel.mini_panel import MiniPanel, PanelSession
from desktop.ui.panel.roster_list import RosterDelegate
from desktop.ui.popout.talk_windows import TalkWindows
from desktop.ui.shell.placement import bring_into_view, place_within, reachable
from desktop.ui.shell.ui_state import UiState
from tests.helpers.fake_session import ZHANG, FakeSession
from tests.helpers.stage import RecordingNavigator, play, until

AREA = QRect(0, 0, 1440, 900)
MODULES = [
    ModuleDefinition(
        id="vehicles", group="personal", label=Label("公务用车", "Vehicles"), icon="car", order=1, types=()
    )
]


class Modules:
    """The records' one verb that the panel needs."""

    async def modules(self) -> list[ModuleDefinition]:
        return MODULES


async def people_of(session: FakeSession) -> People:
    people = People(session.me)
    people.set_directory(await session.directory.people(), await session.directory.departments())
    said = dict.fromkeys([person.id for person in await session.directory.people()], "在防汛值班")
    people.set_presence(session.presence.everyone(), snapshot=True, texts=said)
    return people


async def make_panel(state: UiState | None = None) -> tuple[MiniPanel, FakeSession, RecordingNavigator]:
    session, paths = FakeSession(), RecordingNavigator()
    whole = cast(PanelSession, _With(session, records=Modules()))
    panel = MiniPanel(whole, await people_of(session), paths, state or UiState())
    panel.come_forward()
    await until(lambda: panel.roster.rowCount() > 0 and panel.recent_model.rowCount() > 0)
    return panel, session, paths


class _With:
    """A session with one part more."""

    def __init__(self, session: FakeSession, **parts: Any) -> None:
        self._session = session
        self.__dict__.update(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def names(rows: Sequence[DepartmentRow | PersonRow]) -> list[str]:
    return [row.name if isinstance(row, DepartmentRow) else row.person.name for row in rows]


def test_departments_unfold_to_people_with_their_presence() -> None:
    async def scene() -> None:
        panel, session, paths = await make_panel()
        rows = [panel.roster.at(n) for n in range(panel.roster.rowCount())]
        mine = next(row for row in rows if isinstance(row, DepartmentRow) and row.opened)
        assert mine.name == "办公室"  # one's own is open at first
        people = [row for row in rows if isinstance(row, PersonRow)]
        here = [row.presence is not Presence.OFFLINE for row in people]
        assert here == sorted(here, reverse=True)  # who is here stands first
        first = next(n for n, row in enumerate(rows) if isinstance(row, DepartmentRow) and not row.opened)
        panel.contacts.clicked.emit(panel.roster.index(first))
        assert panel.roster.rowCount() > len(rows)
        folded = panel.roster.at(first)
        assert isinstance(folded, DepartmentRow)
        QTest.keyClick(panel.contacts, Qt.Key.Key_Left)
        assert panel.roster.rowCount() == len(rows)
        row = next(n for n in range(panel.roster.rowCount()) if isinstance(panel.roster.at(n), PersonRow))
        panel.contacts.setCurrentIndex(panel.roster.index(row))
        person = panel.roster.at(row)
        assert isinstance(person, PersonRow)
        delegate = panel.contacts.itemDelegate()
        assert isinstance(delegate, RosterDelegate)
        here = tr(f"presence.{person.presence.value}")
        assert delegate.tip(panel.roster.index(row)) == f"{person.person.name} · {here} · 在防汛值班"
        assert delegate.tip(panel.roster.index(first)) == ""
        QTest.keyClick(panel.contacts, Qt.Key.Key_Return)
        await until(lambda: bool(paths.calls))
        assert paths.calls[0][0] == "conversation"
        session.presence.tell({people[0].person.id: Presence.OFFLINE})
        panel.close_for_good()

    play(scene())


def test_search_tabs_and_modules() -> None:
    async def scene() -> None:
        panel, _, paths = await make_panel()
        asked = QSignalSpy(panel.module_asked)
        panel.search.setText("zhangm")
        await until(lambda: names([panel.roster.at(n) for n in range(panel.roster.rowCount())]) == ["张敏"])
        panel.search.setText("nobody at all")
        await until(panel.nobody.isVisible)
        panel.search.setText("")
        await until(panel.contacts.isVisible)
        for number, pane in ((1, panel.groups), (2, panel.recent), (3, panel.apps)):
            panel._tabs.button(number).click()
            assert pane.isVisible()
        panel.apps.chosen.emit(panel.apps.model().index(0, 0))
        assert asked.at(0) == ["vehicles"]
        panel.recent.chosen.emit(panel.recent_model.index(0))
        assert paths.calls[-1] == ("conversation", panel.recent_model.at(0).id)
        panel.close_for_good()

    play(scene())


def test_the_panel_remembers_where_and_how_it_stood() -> None:
    state = UiState()

    async def scene() -> None:
        panel, _, _ = await make_panel(state)
        panel._tabs.button(2).click()
        area = panel.dock.area()
        panel.move(area.left() + 3, area.top() + 90)
        panel.dock.dropped()
        assert panel.dock.edge is Edge.LEFT
        panel.close_for_good()
        again, _, _ = await make_panel(state)
        assert again.dock.edge is Edge.LEFT
        assert again.pos() == QPoint(area.left(), area.top() + 90)
        assert again.recent.isVisible()
        again.close_for_good()

    play(scene())


# ---------------------------------------------------------------- edges
@pytest.mark.parametrize(
    ("left", "top", "edge"),
    [(600, 3, Edge.TOP), (4, 200, Edge.LEFT), (1165, 200, Edge.RIGHT), (600, 200, Edge.NONE), (600, 275, Edge.NONE)],
)
def test_the_edge_a_window_was_dragged_to(left: int, top: int, edge: Edge) -> None:
    window = QRect(left, top, 280, 620)
    assert edge_of(window, AREA) is edge
    if edge is not Edge.NONE:
        assert AREA.contains(QRect(out_place(edge, window, AREA), window.size()))
        strip = strip_place(edge, window, AREA)
        assert AREA.contains(strip)
        assert min(strip.width(), strip.height()) == STRIP


def test_no_hiding_between_two_screens() -> None:
    right = QRect(1440, 0, 1440, 900)
    assert not may_dock(Edge.RIGHT, AREA, [right])
    assert may_dock(Edge.LEFT, AREA, [right])
    assert may_dock(Edge.RIGHT, AREA, [])
    assert not may_dock(Edge.NONE, AREA, [])


def test_it_hides_when_the_mouse_is_gone_and_comes_for_the_strip(qapp: QApplication) -> None:
    at = QPoint(0, 0)
    window = QWidget()
    window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    window.setGeometry(300, 40, 200, 300)
    window.show()
    dock = EdgeDock(window, mouse=lambda: at)
    dock.set_edge(Edge.TOP)
    at = window.frameGeometry().center()
    for _ in range(LEAVE_LOOKS + 2):
        dock.look()
    assert window.isVisible()
    at = QPoint(5, 700)
    for _ in range(LEAVE_LOOKS):
        if window.isActiveWindow():  # offscreen activates what is shown; a real desktop does not
            QApplication.setActiveWindow(cast(QWidget, None))
        dock.look()
    assert (window.isVisible(), dock.hidden) == (False, True)
    strip = dock._strip
    assert strip is not None
    strip.touched.emit()
    assert (window.isVisible(), dock.hidden) == (True, False)
    dock.pause()
    window.close()


def test_lost_windows_come_back(qapp: QApplication) -> None:
    assert reachable(QRect(100, 100, 400, 300), [AREA])
    assert not reachable(QRect(2000, 100, 400, 300), [AREA])
    assert not reachable(QRect(100, -200, 400, 300), [AREA])  # the head is out of sight: nobody can drag it
    assert place_within(QRect(2000, -50, 3000, 300), AREA) == QRect(0, 0, 1440, 300)
    window = QWidget()
    window.setGeometry(9000, 9000, 300, 200)
    window.show()
    assert bring_into_view(window)
    assert window.screen().availableGeometry().contains(window.frameGeometry())
    assert not bring_into_view(window)
    window.close()


# ---------------------------------------------------------------- windows of their own
def test_a_talk_in_its_own_window_is_read_renamed_and_remembered() -> None:
    state = UiState()

    async def scene() -> None:
        session = FakeSession()
        people = await people_of(session)
        files = SimpleNamespace()
        talks = TalkWindows(session, people, RecordingNavigator(), cast(Any, files), state)
        talks.open(ZHANG)
        await until(lambda: talks.ids == (ZHANG,))
        talks.open(ZHANG)  # once more only brings it forward
        window = talks.window(ZHANG)
        assert window is not None
        assert "张敏" in window.windowTitle()
        session.receive(ZHANG, "zhangmin", "在吗")
        await until(lambda: "(" in window.windowTitle() or talks.looking_at() == ZHANG)
        window.pane.composer.edit.setPlainText("写到一半")
        assert talks.drafts() == [(ZHANG, "写到一半")]
        talks.close()
        assert state.get("talks.open") == [ZHANG]
        again = TalkWindows(session, people, RecordingNavigator(), cast(Any, files), state)
        again.restore()
        await until(lambda: again.ids == (ZHANG,))
        found = again.window(ZHANG)
        assert found is not None
        found.close()
        assert again.ids == ()
        assert state.get("talks.open") == []
        again.close()

    play(scene())


# ---------------------------------------------------------------- lock
def test_locked_windows_come_back_only_with_the_password() -> None:
    async def scene() -> None:
        session = FakeSession()

        async def check(password: str) -> bool:
            if password == "none":
                raise InvalidCredentials(type="passwordNeeded")
            return password == "right"

        window, menu = QWidget(), QWidget(None, Qt.WindowType.Popup)
        window.show()
        menu.show()
        lock = Locking(lambda: session.me, check)
        changes = QSignalSpy(lock.changed)
        lock.lock()
        asking = lock.window
        assert asking is not None
        assert [window.isVisible(), menu.isVisible(), asking.isVisible()] == [False, False, True]
        for word in ("wrong", "none"):
            asking.problem.setText("")
            asking.field.setText(word)
            asking.try_password()
            await until(lambda: bool(asking.problem.text()) and asking.open.isEnabled())
            assert lock.locked
        asking.close()  # only hides: the lock stays
        assert lock.locked
        lock.toggle()
        assert asking.isVisible()
        asking.field.setText("right")
        asking.try_password()
        await until(lambda: not lock.locked)
        assert [window.isVisible(), menu.isVisible()] == [True, False]
        assert [changes.at(0)[0], changes.at(1)[0]] == [True, False]
        await asyncio.sleep(0)
        window.close()

    play(scene())
