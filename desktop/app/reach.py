"""Whether everybody can use what a window shows: names and roles for screen readers, the way of the Tab key, text that is cut off.

Looks at what is visible now and changes nothing. The tour asks it on every page; with `--reach` it does nothing else (tests/e2e/test_everybody.py).
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QTextEdit,
    QToolButton,
    QTreeView,
    QWidget,
)

from desktop.ui import i18n
from desktop.ui.kit import Button, ElidedLabel, IconButton
from desktop.ui.theme.icons import UnknownIcon, outline

Role = QAccessible.Role
MUTE: Final = frozenset({Role.NoRole, Role.Client, Role.Window, Role.Grouping, Role.LayeredPane, Role.Whitespace})
"""Roles that tell a screen reader nothing of what a control is for."""
KEY: Final = re.compile(r"[a-z][A-Za-z_]*(\.[A-Za-z0-9_]+)+")
SLACK: Final = 1.5  # text metrics round


def flaws(window: QWidget) -> list[str]:
    """Every flaw of the visible controls inside a window, one line each, in the order of the Tab key; none: everybody can use it."""
    return [*_names(window), *_ways(window), *clipped(window)]


def stops(window: QWidget) -> list[QWidget]:
    """The controls the Tab key comes to, in its order, beginning with the window's first."""
    found: list[QWidget] = []
    at = window.nextInFocusChain()
    seen: set[QWidget] = set()
    while at is not None and at is not window and at not in seen:
        seen.add(at)
        if _is_stop(at, window):
            found.append(at)
        at = at.nextInFocusChain()
    return found


def _is_stop(widget: QWidget, window: QWidget) -> bool:
    policy = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    return bool(policy) and widget.isEnabled() and widget.isVisibleTo(window) and widget.focusProxy() is None


def _seen(window: QWidget) -> list[QWidget]:
    """The window and what is visible in it. A page keeps far more than it shows, so what is hidden is not entered."""
    found = [window]
    for widget in found:
        for child in widget.children():
            if isinstance(child, QWidget) and not child.isHidden() and not child.isWindow():
                found.append(child)
    return found


def _focusable(window: QWidget) -> Iterator[QWidget]:
    for widget in _seen(window):
        inner = isinstance(widget.parentWidget(), QAbstractSpinBox | QComboBox)  # its owner speaks for it
        own = widget.objectName() != "qt_scrollarea_viewport"
        if own and not inner and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
            yield widget


def first_focus(window: QWidget) -> list[str]:
    """On a page that was just opened the keyboard is in its list or field, not on an icon beside it, on the rail, or nowhere."""
    held = window.focusWidget()
    if held is None or not held.isVisibleTo(window):
        return ["the keyboard is nowhere"]
    if isinstance(held, IconButton | Button):
        return [f"{_called(held)}: has the keyboard first"]
    return []


# ------------------------------------------------------------ what a screen reader says
def _names(window: QWidget) -> Iterator[str]:
    for widget in _focusable(window):
        interface = QAccessible.queryAccessibleInterface(widget)
        name = interface.text(QAccessible.Text.Name).strip()
        if widget is not window or widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            if not name:
                yield f"{_called(widget)}: no name"
            elif (why := bad_name(name)) is not None:
                yield f"{_called(widget)}: {why}: {name!r}"
        if interface.role() in MUTE and widget is not window:
            yield f"{_called(widget)}: says nothing of what it is ({interface.role().name})"
        if isinstance(widget, QAbstractItemView):
            yield from _rows(widget, interface)


def bad_name(name: str) -> str | None:
    """Why a text is nothing to say to people: an untranslated key, an icon's name, a picture character. None: it is good."""
    if KEY.fullmatch(name) and (i18n.has(name) or name.partition(".")[0] in _prefixes()):
        return "an untranslated key"
    if _is_icon(name):
        return "an icon's name"
    if all(not letter.isalnum() for letter in name):
        return "no word"
    return None


@cache
def _prefixes() -> frozenset[str]:
    return frozenset(key.split(".")[0] for key in i18n.catalog())


def _is_icon(name: str) -> bool:
    if "-" not in name:
        return False
    try:
        outline(name)
    except UnknownIcon:
        return False
    return True


def _rows(view: QAbstractItemView, interface: QAccessibleInterface) -> Iterator[str]:
    model = view.model()
    count = model.rowCount(view.rootIndex()) if model is not None else 0
    if isinstance(view, QHeaderView):  # its columns are the table's children
        return
    if not count or not view.isVisible():
        return
    if interface.childCount() < count:
        yield f"{_called(view)}: {count} rows, {interface.childCount()} told"
        return
    columns = 1 if isinstance(view, QListView) else model.columnCount(view.rootIndex())  # private in models of lists
    for row in range(min(count, 12)):
        for column in range(columns):
            index = model.index(row, column, view.rootIndex())
            spoken = index.data(Qt.ItemDataRole.AccessibleTextRole) or index.data(Qt.ItemDataRole.DisplayRole)
            if spoken not in (None, ""):
                break
        else:
            yield f"{_called(view)}: row {row} says nothing"
            return


# ------------------------------------------------------------ the keyboard's way
def _ways(window: QWidget) -> Iterator[str]:
    seen = _seen(window)
    way = [widget for widget in seen if _is_stop(widget, window)]
    if not way:
        yield "the Tab key leads nowhere"
    for widget in way:
        if isinstance(widget, QTextEdit | QPlainTextEdit) and not widget.tabChangesFocus():
            yield f"{_called(widget)}: keeps the Tab key"
        if isinstance(widget, QTableView | QTreeView) and widget.tabKeyNavigation():
            yield f"{_called(widget)}: keeps the Tab key"
    for widget in seen:
        lonely = widget.focusPolicy() == Qt.FocusPolicy.NoFocus and widget.isEnabled()
        held = isinstance(widget, QAbstractButton) and lonely and widget.property("keysElsewhere") is None
        if held and not _inside(widget):
            yield f"{_called(widget)}: out of the keyboard's reach"


def _inside(widget: QWidget) -> bool:
    """Part of another control that has a key for it: a spin box's arrows, a field's eye or clear button, a view's corner."""
    owner = widget.parentWidget()
    parts = (QAbstractSpinBox, QComboBox, QAbstractItemView)
    return isinstance(owner, parts) or type(widget).__name__ == "QLineEditIconButton"


# ------------------------------------------------------------ text that is cut
def clipped(window: QWidget) -> list[str]:
    """Texts that do not fit their widget and were not meant to be shortened."""
    found: list[str] = []
    for widget in _seen(window):
        if isinstance(widget, QLabel) and not isinstance(widget, ElidedLabel) and widget.text():
            found.extend(_cut_label(widget))
        elif isinstance(widget, QAbstractButton) and not isinstance(widget, QToolButton):
            wanted = widget.sizeHint().width()
            if widget.text() and wanted > widget.width() + SLACK:
                found.append(f"{_called(widget)}: {widget.width()} of {wanted} px: {widget.text()!r}")
        if isinstance(widget, QPushButton) and widget.text() and widget.icon().isNull():
            shown = QPushButton.text(widget)  # a folded button knows more than it shows
            if not shown.strip("… "):
                found.append(f"{_called(widget)}: shows nothing of {widget.text()!r}")
        if isinstance(widget, QLabel | QAbstractButton | QLineEdit) and (over := _beyond(widget, window)) > SLACK:
            found.append(f"{_called(widget)}: {over} px of it are out of sight: {widget.accessibleName()!r}")
    return found


def _beyond(widget: QWidget, window: QWidget) -> int:
    """How many pixels of its width no scrolling brings into sight: what its parents cut off."""
    left, right = 0, widget.width()
    at: QWidget = widget
    while at is not window and (owner := at.parentWidget()) is not None:
        left, right = left + at.x(), right + at.x()
        area = owner.parentWidget()
        if isinstance(area, QAbstractScrollArea) and area.viewport() is owner and _scrolls(area):
            return 0
        if right > owner.width() + SLACK or left < -SLACK:
            return max(right - owner.width(), -left)
        at = owner
    return 0


def _scrolls(area: QAbstractScrollArea) -> bool:
    return area.horizontalScrollBar().maximum() > 0


def _cut_label(label: QLabel) -> Iterator[str]:
    room, shown = label.contentsRect(), QLabel.text(label)  # a chip knows more than it shows
    if label.textFormat() is Qt.TextFormat.RichText or "</" in shown:
        return
    if label.wordWrap():
        needed = label.heightForWidth(label.width())
        if needed > label.height() + SLACK:
            yield f"{_called(label)}: {label.height()} of {needed} px high: {shown!r}"
        return
    metrics = label.fontMetrics()
    width = max((metrics.horizontalAdvance(line) for line in shown.split("\n")), default=0)
    if width > room.width() + SLACK:
        yield f"{_called(label)}: {room.width()} of {width} px: {shown!r}"


def _called(widget: QWidget) -> str:
    """A widget for a developer: its class, and the nearest names around it."""
    names: list[str] = []
    at: QWidget | None = widget
    while at is not None and len(names) < 3:
        if at.objectName():
            names.append(at.objectName())
        at = at.parentWidget()
    return f"{type(widget).__name__}[{' < '.join(names)}]"
