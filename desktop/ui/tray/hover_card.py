"""The card that shows while the mouse rests on the tray icon (mockup 4): unread conversations, to-dos and dates. Takes no focus, leaves with the mouse.

Desktops differ in what they tell: an embedded icon sends a tool tip event, others only say where the icon is, so the mouse is compared
with its place. Where neither is told (Wayland's trays) the tool tip text says the same in words.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QEnterEvent, QGuiApplication, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QSystemTrayIcon, QVBoxLayout, QWidget

from desktop.core.domain import Conversation, ConversationKind
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import (
    Avatar,
    Badge,
    Button,
    Divider,
    ElidedLabel,
    Label,
    conversation_icon,
    conversation_name,
    on_click,
    rounded_mask,
    row,
)
from desktop.ui.layouts import empty_layout

WIDTH: Final = 300
MOST: Final = 5
LOOK_MS: Final = 250
REST_LOOKS: Final = 2
"""So many looks in a row must find the mouse on the icon: passing over it opens nothing."""
GAP: Final = 8


class HoverLine(QFrame):
    """One unread conversation."""

    pressed = Signal()

    def __init__(self, conversation: Conversation, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        name = conversation_name(conversation)
        self.setObjectName(f"hover_{conversation.id}")
        self.setAccessibleName(f"{name}: {text}")
        avatar = Avatar(36)
        key = conversation.peer_id if conversation.kind is ConversationKind.DIRECT else conversation.id
        avatar.set_subject(name, key or conversation.id, icon=conversation_icon(conversation))
        badge = Badge(parent=self)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(ElidedLabel(name))
        words.addWidget(ElidedLabel(text, role="secondary", tone="ink3"))
        line = row(avatar, spacing=10, margins=(12, 8, 14, 8))
        line.addLayout(words, 1)
        line.addWidget(badge)
        self.setLayout(line)
        badge.set_count(conversation.unread_count)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.pressed.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.underMouse():
            QPainter(self).fillRect(self.rect().adjusted(1, 0, -1, 0), theme.tokens().hover)


class HoverCard(QWidget):
    """Signals: opened(conversation id); work_asked: the line of to-dos and dates; ignore_asked: everything counts as read."""

    opened = Signal(str)
    work_asked = Signal()
    ignore_asked = Signal()

    def __init__(self) -> None:
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags | Qt.WindowType.WindowDoesNotAcceptFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setObjectName("trayHover")
        self._unread: tuple[tuple[Conversation, str], ...] = ()
        self._work = ""
        self.title = Label(strong=True)
        self.ignore = Button(key="tray.hover.ignore", kind="link", small=True)
        self.ignore.setObjectName("hoverIgnore")
        on_click(self.ignore, self.ignore_asked.emit)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(0)
        self.foot = Button(kind="link", small=True)
        self.foot.setObjectName("hoverWork")
        on_click(self.foot, self.work_asked.emit)
        for button in (self.ignore, self.foot):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the card never has the keyboard
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(row(self.title, None, self.ignore, margins=(14, 10, 10, 8)))
        column.addWidget(Divider())
        column.addLayout(self._lines)
        column.addWidget(Divider())
        column.addLayout(row(self.foot, None, margins=(8, 6, 14, 8)))
        theme.changed.connect(self._fill)
        i18n.changed.connect(self._fill)

    def show_unread(self, unread: Sequence[tuple[Conversation, str]], work: str) -> None:
        """What it tells: conversations with something unread and their last words, and a line about to-dos and dates."""
        told = tuple(unread)
        if (told, work) != (self._unread, self._work):
            self._unread, self._work = told, work
            self._fill()

    def _fill(self) -> None:
        count = sum(one.unread_count for one, _ in self._unread)
        self.title.setText(tr("tray.hover.title", n=count))
        self.ignore.setVisible(bool(count))
        empty_layout(self._lines)
        for conversation, text in self._unread[:MOST]:
            line = HoverLine(conversation, text)
            line.pressed.connect(partial(self._open, conversation.id))
            self._lines.addWidget(line)
        if not self._unread:
            nothing = Label(tr("tray.hover.none"), role="secondary", tone="ink3")
            nothing.setContentsMargins(14, 12, 14, 12)
            self._lines.addWidget(nothing)
        self.foot.setText(self._work or tr("tray.hover.no_work"))
        self.setFixedWidth(theme.scaled(WIDTH))
        self.adjustSize()

    def _open(self, conversation_id: str) -> None:
        self.hide()
        self.opened.emit(conversation_id)

    def show_at(self, icon: QRect) -> None:
        """Shows it beside the icon, on the side that has room."""
        screens = QGuiApplication.screens()
        holding = [screen for screen in screens if screen.geometry().contains(icon.center())] or screens[:1]
        self.adjustSize()
        for screen in holding[:1]:
            self.move(place_beside(icon, self.width(), self.height(), screen.availableGeometry()))
            self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors, radius = theme.tokens(), theme.values.RADIUS_CARD
        painter.setBrush(colors.surface)
        painter.setPen(QPen(colors.line_strong, 1))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), radius, radius)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.setMask(rounded_mask(self))


def place_beside(icon: QRect, width: int, height: int, area: QRect) -> QPoint:
    """The card's upper left corner: above an icon at the foot of the screen, below one at its head, within the area."""
    left = max(area.left() + GAP, min(icon.center().x() - width // 2, area.right() - width - GAP))
    above = icon.top() - height - GAP
    top = above if above >= area.top() else icon.bottom() + GAP
    return QPoint(left, max(area.top(), min(top, area.bottom() - height)))


class HoverWatch(QObject):
    """Notices that the mouse rests on the icon, and that it has left icon and card."""

    entered = Signal(QRect)
    left = Signal()

    def __init__(
        self,
        icon: QSystemTrayIcon,
        card: Callable[[], QWidget | None],
        parent: QObject,
        *,
        mouse: Callable[[], QPoint] = QCursor.pos,
    ) -> None:
        super().__init__(parent)
        self._icon, self._card, self._mouse = icon, card, mouse
        self._looks = 0
        self._shown = False
        icon.installEventFilter(self)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Begins to look, where the desktop tells the icon's place."""
        self._timer.start()

    def stop(self) -> None:
        """Looks no more."""
        self._timer.stop()
        self._leave()

    def look(self) -> None:
        """Compares the mouse with the icon's place."""
        place, at = self._icon.geometry(), self._mouse()
        on_icon = not place.isEmpty() and place.contains(at)
        card = self._card()
        if self._shown:
            on_card = (
                card is not None and card.isVisible() and card.geometry().adjusted(-GAP, -GAP, GAP, GAP).contains(at)
            )
            self._looks = self._looks + 1 if not (on_icon or on_card) else 0
            if self._looks >= REST_LOOKS:
                self._leave()
            return
        self._looks = self._looks + 1 if on_icon else 0
        if self._looks >= REST_LOOKS:
            self._enter(place)

    def _enter(self, place: QRect) -> None:
        self._looks, self._shown = 0, True
        self.entered.emit(place)

    def _leave(self) -> None:
        if self._shown:
            self._looks, self._shown = 0, False
            self.left.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and not self._shown:
            place = self._icon.geometry()
            self._enter(place if not place.isEmpty() else QRect(self._mouse(), self._mouse()))
            return True
        return False
