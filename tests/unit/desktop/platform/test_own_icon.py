"""The program's own icon and what the desktop hands over: badge, jump list, Dock menu, links and files as events."""

import ctypes
import sys
from ctypes import POINTER, c_int32, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication, QMenu

from desktop.app.icon_menu import entries, fill_menu
from desktop.app.links import local_file
from desktop.app.options import parse_options
from desktop.platform import jump_list
from desktop.platform.badge import Badge
from desktop.platform.jump_list import Entry, set_jump_list
from desktop.platform.open_events import OpenEvents
from desktop.platform.start_tasks import TASKS
from desktop.ui import i18n


def test_the_badge_is_told_changes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    badge = Badge(set_number=told.append)
    for unread in (0, 3, 3, 120_000, -1, 0):
        badge.show(unread)
    assert told == [3, 9999, 0]
    for system, expected in (("linux", []), ("win32", [5]), ("darwin", [5])):
        monkeypatch.setattr(sys, "platform", system)
        of_further: list[int] = []
        Badge(further=True, set_number=of_further.append).show(5)
        assert of_further == expected, system


def test_links_and_files_come_as_events_and_wait_for_a_listener(tmp_path: Path) -> None:
    events = OpenEvents()
    told: list[object] = []
    events.opened.connect(told.append)
    assert events.hears(QFileOpenEvent(QUrl("tongban://page/messages")))
    assert not events.hears(QEvent(QEvent.Type.User))
    assert not events.hears(QFileOpenEvent(QUrl()))
    assert (events.take(), told) == (["tongban://page/messages"], [])
    file = tmp_path / "函.ofd"
    assert events.hears(QFileOpenEvent(QUrl.fromLocalFile(str(file))))
    assert (told, events.take()) == ([[str(file)]], [])
    assert local_file(str(file)) == file


def test_files_of_a_command_line_are_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    link = "tongban://notice/1"
    found = parse_options(["函.ofd", (tmp_path / "a b.pdf").as_uri(), link]).links
    assert found == (str(tmp_path / "函.ofd"), str(tmp_path / "a b.pdf"), link)
    assert [local_file(one) for one in (*found[1:], "relative.pdf")] == [tmp_path / "a b.pdf", None, None]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_menu_of_the_icon_has_words_for_every_task(qapp: QApplication, language: i18n.Language) -> None:
    before = i18n.language()
    i18n.set_language(language)
    try:
        menu = QMenu()
        followed: list[str] = []
        fill_menu(fill_menu(menu, followed.append), followed.append)  # filled anew, not twice
        assert [action.text() for action in menu.actions()] == [entry.title for entry in entries()]
        assert len({entry.title for entry in entries()}) == len(TASKS)
        menu.actions()[1].trigger()
        assert followed == [TASKS[1].link]
    finally:
        i18n.set_language(before)


class FakeCom:
    """Objects in memory whose tables of functions note which place was called with what; `refused`: (class, place) that fails."""

    def __init__(self, refused: tuple[str, int] = ("", 0)) -> None:
        self.calls: list[tuple[str, int, Any]] = []
        self.alive = 0
        self._refused = refused
        self._kept: list[object] = []

    def create(self, class_id: str, interface: str) -> int:
        assert {jump_list.DESTINATION_LIST: jump_list.I_DESTINATION_LIST, jump_list.COLLECTION: jump_list.I_COLLECTION,
                jump_list.LINK: jump_list.I_LINK}[class_id] == interface  # fmt: skip
        return self._object({jump_list.DESTINATION_LIST: "list", jump_list.COLLECTION: "tasks"}.get(class_id, "link"))

    def _object(self, kind: str) -> int:
        self.alive += 1
        table = (c_void_p * 24)()
        for place in range(24):
            table[place] = ctypes.cast(self._method(kind, place), c_void_p).value
        it = c_void_p(ctypes.addressof(table))  # an object is a pointer to its table
        self._kept += [table, it]
        return ctypes.addressof(it)

    def _method(self, kind: str, place: int) -> Any:
        if place == 2:
            released = ctypes.CFUNCTYPE(c_uint32, c_void_p)(lambda _this: self._release())
            self._kept.append(released)
            return released
        texts = (kind == "list" and place == 3) or (kind == "link" and place in (11, 17, 20))
        first = ctypes.c_wchar_p if texts else c_void_p
        noted = ctypes.CFUNCTYPE(c_int32, c_void_p, first, c_void_p, c_void_p)(
            lambda _this, one, two, three: self._note(kind, place, one, two, three)
        )
        self._kept.append(noted)
        return noted

    def _release(self) -> int:
        self.alive -= 1
        return 0

    def _note(self, kind: str, place: int, one: Any, two: Any, three: Any) -> int:
        if (kind, place) == self._refused:
            return -2147467263  # E_NOTIMPL
        if (kind, place) == ("link", 0):
            ctypes.cast(two, POINTER(c_void_p))[0] = self._object("store")
        elif (kind, place) == ("list", 4):
            ctypes.cast(three, POINTER(c_void_p))[0] = self._object("removed")
        elif (kind, place) == ("store", 6):
            self.calls.append((kind, place, ctypes.cast(two, POINTER(jump_list.PropertyText)).contents.text))
        elif isinstance(one, str):
            self.calls.append((kind, place, one))
        else:
            self.calls.append((kind, place, None))
        return 0


@pytest.mark.skipif(ctypes.sizeof(c_void_p) != 8, reason="one calling convention on 64 bit systems alone")
def test_the_jump_list_is_written_in_windows_own_order() -> None:
    com = FakeCom()
    lines = [Entry("最新未读", "tongban://do/newest"), Entry("消息", "tongban://page/messages")]
    assert set_jump_list(lines, r"C:\Tongban\tongban.exe", "tongban", create=com.create)
    links = [
        call
        for line in lines
        for call in (("link", 20, r"C:\Tongban\tongban.exe"), ("link", 11, line.arguments),
                     ("link", 17, r"C:\Tongban\tongban.exe"), ("store", 6, line.title), ("store", 7, None),
                     ("tasks", 5, None))
    ]  # fmt: skip
    assert com.calls == [("list", 3, "tongban"), *links, ("list", 7, None), ("list", 8, None)]
    assert com.alive == 0, "every object is let go"
    refusing = FakeCom(refused=("list", 4))
    assert not set_jump_list(lines, "x", "tongban", create=refusing.create)
    assert refusing.alive == 0
    assert ctypes.sizeof(jump_list.PropertyText) == 24
    assert bytes(jump_list.Guid.of(jump_list.LINK).bytes).hex() == "0114020000000000c000000000000046"
