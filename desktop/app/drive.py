"""Drives the client's own widgets as a person would, with real events: for the tour and for end-to-end tests.

Finds what is on the screen by object name, accessible name or text; never reaches behind a widget to change state.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QAbstractTableModel, QModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QAction, QInputMethodEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTextEdit,
    QWidget,
)

T = TypeVar("T")

POLL_S = 0.03
DEADLINE_S = 15.0


class NotFound(LookupError):
    """No such thing on the screen."""


class TooLate(TimeoutError):
    """A condition did not come true within its deadline."""


async def until(condition: Callable[[], T], what: str, seconds: float = DEADLINE_S) -> T:
    """Waits until a condition gives something true, looking again some dozens of times a second.

    Raises:
        TooLate: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            if value := condition():
                return value
        except NotFound:
            pass
        if time.monotonic() > deadline:
            raise TooLate(what)
        await asyncio.sleep(POLL_S)


def text_of(widget: QWidget) -> str:
    """What a widget says: its text, else its accessible name."""
    if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
        return str(widget.text())
    if isinstance(widget, QTextEdit):
        return widget.toPlainText()
    return widget.accessibleName()


def find_all(name: str) -> list[QWidget]:
    """Visible widgets called so, best match first: object name, then accessible name, then text."""
    seen = [widget for widget in QApplication.allWidgets() if widget.isVisible()]
    by_object = [widget for widget in seen if widget.objectName() == name]
    by_access = [widget for widget in seen if widget.accessibleName() == name]
    by_text = [widget for widget in seen if text_of(widget) == name]
    return list(dict.fromkeys(by_object + by_access + by_text))


def find(name: str, inside: str = "") -> QWidget:
    """The best match; with `inside`, the best within a widget called that.

    Raises:
        NotFound: nothing visible is called so.
    """
    around = find_all(inside) if inside else []
    for widget in find_all(name):
        if not inside or any(one.isAncestorOf(widget) for one in around):
            return widget
    raise NotFound(f"{name} in {inside}" if inside else name)


def focus_window(widget: QWidget) -> None:
    """Brings a widget's window to the front, as a click on it would."""
    window = widget.window()
    window.raise_()
    window.activateWindow()


def click(name: str, *, inside: str = "", double: bool = False, right: bool = False) -> None:
    """Clicks the middle of a widget; one in a scrolled area comes into sight first."""
    widget = find(name, inside)
    if not widget.isEnabled():
        raise NotFound(f"{name} is disabled")
    _bring_into_sight(widget)
    _click_at(widget, widget.rect().center(), double=double, right=right)


def click_row(name: str, text: str, *, double: bool = False, right: bool = False) -> None:
    """Clicks the row of an item view whose text contains `text`."""
    view = find(name)
    if not isinstance(view, QAbstractItemView):
        raise NotFound(f"{name} is no item view")
    index = find_row(view.model(), text)
    view.scrollTo(index)
    _click_at(view.viewport(), view.visualRect(index).center(), double=double, right=right)


def find_row(model: QAbstractItemModel, text: str) -> QModelIndex:
    """The first index, depth first, whose display text contains `text`, else the first whose accessible text does.

    Raises:
        NotFound: no row says so.
    """
    for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
        for index in _walk(model, QModelIndex()):
            if text in str(model.data(index, role) or ""):
                return index
    raise NotFound(text)


def _walk(model: QAbstractItemModel, parent: QModelIndex) -> Iterator[QModelIndex]:
    flat = isinstance(model, QAbstractListModel)  # whose columnCount and hasChildren Qt keeps private
    leaves = flat or isinstance(model, QAbstractTableModel)  # whose hasChildren it keeps private too
    for row in range(model.rowCount(parent)):
        for column in range(1 if flat else model.columnCount(parent)):
            yield model.index(row, column, parent)
        first = model.index(row, 0, parent)
        if not leaves and model.hasChildren(first):
            yield from _walk(model, first)


def _bring_into_sight(widget: QWidget) -> None:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(widget, 0, 0)
        parent = parent.parentWidget()


def _click_at(widget: QWidget, at: QPoint, *, double: bool, right: bool) -> None:
    button = Qt.MouseButton.RightButton if right else Qt.MouseButton.LeftButton
    focus_window(widget)
    QTest.mouseMove(widget, at)
    if double:
        QTest.mouseDClick(widget, button, Qt.KeyboardModifier.NoModifier, at)
    else:
        QTest.mouseClick(widget, button, Qt.KeyboardModifier.NoModifier, at)


def close_window(name: str) -> None:
    """Closes a window as its title bar's button does."""
    find(name).window().close()


def type_text(name: str, text: str, inside: str = "", *, at_once: bool = False) -> None:
    """Focuses a field and types: Latin by keys, everything else as an input method commits it; all `at_once` as a paste does."""
    widget = find(name, inside)
    focus_window(widget)
    if not widget.hasFocus():
        widget.setFocus(Qt.FocusReason.MouseFocusReason)
    target = widget.focusProxy() or widget
    for character in (text,) if at_once else text:
        if len(character) == 1 and character.isascii() and character.isprintable():
            QTest.keyClicks(target, character)
        else:
            event = QInputMethodEvent()
            event.setCommitString(character)
            QApplication.sendEvent(target, event)


def press(name: str, keys: str, inside: str = "") -> None:
    """Presses a key or combination ("Return", "Ctrl+A") in a widget."""
    widget = find(name, inside)
    focus_window(widget)
    if not widget.hasFocus():
        widget.setFocus(Qt.FocusReason.OtherFocusReason)
    combination = QKeySequence.fromString(keys)[0]  # type: ignore[index]  # the stubs forget operator[]
    QTest.keyClick(widget.focusProxy() or widget, combination.key(), combination.keyboardModifiers())


def trigger(window_name: str, action_name: str) -> None:
    """Triggers an action of a window or menu by object name or text."""
    owner = find(window_name)
    for action in owner.findChildren(QAction):
        if action_name in (action.objectName(), action.text()):
            action.trigger()
            return
    raise NotFound(action_name)


def describe(widget: QWidget) -> dict[str, Any]:
    """What a test may want to know of a widget."""
    at = QRect(widget.mapToGlobal(QPoint(0, 0)), widget.size())
    found: dict[str, Any] = {
        "class": type(widget).__name__,
        "name": widget.objectName(),
        "accessible": widget.accessibleName(),
        "text": text_of(widget),
        "enabled": widget.isEnabled(),
        "focus": widget.hasFocus(),
        "minimized": widget.isMinimized(),
        "rect": [at.x(), at.y(), at.width(), at.height()],
    }
    if isinstance(widget, QAbstractItemView) and widget.model() is not None:
        found["rows"] = rows_of(widget.model())
    if isinstance(widget, QComboBox):
        found["choice"] = widget.currentText()
    if isinstance(widget, QAbstractButton) and widget.isCheckable():
        found["checked"] = widget.isChecked()
    return found


def rows_of(model: QAbstractItemModel, limit: int = 200) -> list[str]:
    """The texts of a model's top rows."""
    rows = range(min(model.rowCount(), limit))
    return [str(model.data(model.index(row, 0), Qt.ItemDataRole.DisplayRole) or "") for row in rows]
