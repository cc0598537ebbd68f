"""The head of the mini panel: face, name, presence with its menu, a line about oneself; the handle to drag the window by."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QLinearGradient, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain import Person, Presence
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Avatar, Button, ElidedLabel, IconButton, Menu, on_click, presence_color, row
from desktop.ui.theme import icons

CHOICES = (Presence.ONLINE, Presence.AWAY, Presence.BUSY, Presence.DND)
HEIGHT = 74


class PanelHead(QWidget):
    """`dragged` while the mouse pulls (how far since the last time), `dropped` when it lets go."""

    presence_chosen = Signal(object)
    close_asked = Signal()
    main_asked = Signal()
    dragged = Signal(QPoint)
    dropped = Signal()

    def __init__(self, system_move: Callable[[], bool], parent: QWidget | None = None) -> None:
        """`system_move` hands the drag to the system where a program may not move its windows; False: do it ourselves."""
        super().__init__(parent)
        self._system_move = system_move
        self._grabbed: QPoint | None = None
        self._presence = Presence.OFFLINE
        self.avatar = Avatar(44)
        self.name = ElidedLabel(strong=True, tone="on_accent")
        self.presence = Button(kind="plain_on_accent", small=True)
        self.presence.setObjectName("panelPresence")
        on_click(self.presence, self._show_menu)
        self.about = ElidedLabel(role="secondary", tone="on_accent")
        whole = IconButton("arrows-out-simple", "panel.main", tone="on_accent", size=14, box=24)
        whole.setObjectName("panelMain")
        close = IconButton("x", "common.close", tone="on_accent", size=14, box=24)
        close.setObjectName("panelClose")
        on_click(whole, self.main_asked.emit)
        on_click(close, self.close_asked.emit)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addLayout(row(self.name, self.presence, None, whole, close, spacing=4))
        words.addWidget(self.about)
        line = row(self.avatar, spacing=10, margins=(14, 10, 8, 10))
        line.addLayout(words, 1)
        self.setLayout(line)
        theme.changed.connect(self._fit)
        i18n.changed.connect(self._retranslate)
        self._fit()

    def set_me(self, me: Person, presence: Presence, about: str) -> None:
        """Who is signed in, how colleagues see that person, and a line below."""
        self._presence = presence
        self.avatar.set_subject(me.name, me.id)
        self.name.setText(me.name)
        self.about.setText(me.signature or about)
        self._retranslate()

    def _retranslate(self) -> None:
        said = tr(f"presence.{self._presence.value}")
        self.presence.setText(f"{said} ▾")
        self.presence.setIcon(icons.icon("circle-fill", presence_color(self._presence), 12))
        self.presence.setAccessibleName(said)

    def _fit(self) -> None:
        self.setFixedHeight(theme.scaled(HEIGHT))
        self._retranslate()
        self.update()

    def _show_menu(self) -> None:
        menu = Menu(self, leaves=True)
        for presence in CHOICES:
            action = menu.addAction(
                icons.icon("circle-fill", presence_color(presence), 14), tr(f"presence.{presence.value}")
            )
            action.triggered.connect(lambda _checked=False, chosen=presence: self.presence_chosen.emit(chosen))
        menu.popup(self.presence.mapToGlobal(self.presence.rect().bottomLeft()))

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        ground = QLinearGradient(QPointF(0, 0), QPointF(self.width(), self.height()))
        ground.setColorAt(0.0, colors.accent)
        ground.setColorAt(1.0, colors.accent_hover)
        QPainter(self).fillRect(self.rect(), ground)

    # ---- dragging
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and not self._system_move():
            self._grabbed = event.globalPosition().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            at = event.globalPosition().toPoint()
            self.dragged.emit(at - self._grabbed)
            self._grabbed = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            self._grabbed = None
            self.dropped.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.main_asked.emit()
