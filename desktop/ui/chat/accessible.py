"""What a screen reader sees of the message view: a list whose children are the messages that are held, each with name, place and state.

Qt keeps every interface under an id until it is told otherwise, so none may be collected while Qt holds it: `_kept` does, until
Qt has deleted it (a view with its widget, a message when it leaves the list).
"""

import weakref

import shiboken6
from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface, QColor, QWindow
from PySide6.QtWidgets import QAbstractScrollArea, QAccessibleWidget

from desktop.models.messages import MessageWindow
from desktop.ui import theme

_kept: list[QAccessibleInterface] = []
_installed: list[bool] = []


class SpokenArea(QAbstractScrollArea):
    """A view of messages that can be asked for what a screen reader says. The view answers."""

    window_model: MessageWindow
    focused_message: str

    def spoken(self, message_id: str) -> str:
        """A held message in one line, empty when it is not held."""
        raise NotImplementedError

    def global_rect(self, message_id: str) -> QRect:
        """Where a message stands on the screen, empty when it is out of sight."""
        raise NotImplementedError

    def message_at(self, x: int, y: int) -> str:
        """The message at a place of the screen, empty when none is there."""
        raise NotImplementedError


class MessageItem(QAccessibleInterface):
    """One message of the view."""

    def __init__(self, view: SpokenArea, message_id: str) -> None:
        super().__init__()
        self._view = weakref.ref(view)
        self.message_id = message_id

    def _alive(self) -> SpokenArea | None:
        view = self._view()
        return view if view is not None and shiboken6.isValid(view) else None

    @property
    def orphaned(self) -> bool:
        """Whether its view is gone."""
        return self._alive() is None

    def isValid(self) -> bool:
        view = self._alive()
        return view is not None and view.window_model.row_of(self.message_id) >= 0

    def object(self) -> QObject | None:  # type: ignore[override]  # PySide's stub leaves out that there may be none
        return None

    def window(self) -> QWindow | None:  # type: ignore[override]  # likewise
        return None

    def parent(self) -> QAccessibleInterface | None:  # type: ignore[override]  # likewise
        view = self._alive()
        return QAccessible.queryAccessibleInterface(view) if view is not None else None

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # likewise
        return None

    def childCount(self) -> int:
        return 0

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]  # likewise
        return None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]  # likewise
        return None

    def text(self, t: QAccessible.Text) -> str:
        view = self._alive()
        return view.spoken(self.message_id) if view is not None and t is QAccessible.Text.Name else ""

    def setText(self, t: QAccessible.Text, text: str) -> None:
        """Messages cannot be changed."""

    def rect(self) -> QRect:
        view = self._alive()
        return view.global_rect(self.message_id) if view is not None else QRect()

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.ListItem

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        view = self._alive()
        if view is None:
            state.invalid = True
            return state
        state.focusable = state.selectable = True
        state.readOnly = True
        state.focused = view.hasFocus() and view.focused_message == self.message_id
        state.offscreen = view.global_rect(self.message_id).isEmpty()
        return state

    def foregroundColor(self) -> QColor:
        return theme.tokens().ink

    def backgroundColor(self) -> QColor:
        return theme.tokens().bg


class MessageViewList(QAccessibleWidget):
    """The view itself."""

    def __init__(self, view: SpokenArea) -> None:
        super().__init__(view, QAccessible.Role.List)
        self._ref = weakref.ref(view)
        self._items: dict[str, tuple[MessageItem, int]] = {}

    def _view(self) -> SpokenArea | None:
        view = self._ref()
        return view if view is not None and shiboken6.isValid(view) else None

    def childCount(self) -> int:
        view = self._view()
        return len(view.window_model) if view is not None else 0

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # PySide's stub leaves out None
        view = self._view()
        if view is None or not 0 <= index < len(view.window_model):
            return None
        return self._item(view, view.window_model.at(index).id)

    def _item(self, view: SpokenArea, message_id: str) -> MessageItem:
        known = self._items.get(message_id)
        if known is None:
            item = MessageItem(view, message_id)
            known = item, QAccessible.registerAccessibleInterface(item)
            _kept.append(item)
            self._items[message_id] = known
        return known[0]

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        view = self._view()
        return view.window_model.row_of(child.message_id) if view is not None and isinstance(child, MessageItem) else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]  # likewise
        view = self._view()
        message_id = view.message_at(x, y) if view is not None else ""
        return self._item(view, message_id) if view is not None and message_id else None

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]  # likewise
        view = self._view()
        if view is None or not view.hasFocus() or view.window_model.row_of(view.focused_message) < 0:
            return None
        return self._item(view, view.focused_message)

    def forget_gone(self) -> None:
        """Lets go of the messages that have left the list."""
        view = self._view()
        gone = [key for key in self._items if view is None or view.window_model.row_of(key) < 0]
        for key in gone:
            _, number = self._items.pop(key)
            QAccessible.deleteAccessibleInterface(number)
        if gone:
            _drop_deleted()


def _drop_deleted() -> None:
    """Lets go of what Qt deleted, and has it delete the messages of views that are gone."""
    for interface in _kept:
        if shiboken6.isValid(interface) and isinstance(interface, MessageItem) and interface.orphaned:
            QAccessible.deleteAccessibleInterface(QAccessible.uniqueId(interface))
    _kept[:] = [interface for interface in _kept if shiboken6.isValid(interface)]


def _make(_key: str, about: QObject) -> QAccessibleInterface | None:
    if not isinstance(about, SpokenArea):
        return None
    _drop_deleted()
    made = MessageViewList(about)
    _kept.append(made)
    return made


def install() -> None:
    """Teaches Qt to ask here about message views. Once a process."""
    if not _installed:
        _installed.append(True)
        QAccessible.installFactory(_make)


def tell_focus(view: SpokenArea) -> None:
    """The keyboard went to another message of the view."""
    row = view.window_model.row_of(view.focused_message)
    if not QAccessible.isActive() or row < 0 or not view.hasFocus():
        return
    event = QAccessibleEvent(view, QAccessible.Event.Focus)
    event.setChild(row)
    QAccessible.updateAccessibility(event)


def tell_reorder(view: SpokenArea) -> None:
    """Messages came or went."""
    if not QAccessible.isActive():
        return
    known = QAccessible.queryAccessibleInterface(view)
    if isinstance(known, MessageViewList):
        known.forget_gone()
    QAccessible.updateAccessibility(QAccessibleEvent(view, QAccessible.Event.ObjectReorder))
