"""A light on one message for a moment: what was looked for is seen at once among its neighbors."""

from typing import Protocol

from PySide6.QtCore import QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop.ui import motion, theme
from desktop.ui.theme.tokens import RADIUS_BUBBLE

LIT_MS = 2400
STEP_MS = 60
FADING = 0.4
_AROUND = 4


class MessagePlaces(Protocol):
    """The view of a conversation."""

    def viewport(self) -> QWidget: ...
    def global_rect(self, message_id: str) -> QRect:
        """Where a message is on the screen; empty when it is not in sight."""
        ...


class Spotlight(QWidget):
    """Lies over the view; takes no mouse. It follows the message while the view moves, and fades."""

    def __init__(self, view: MessagePlaces) -> None:
        super().__init__(view.viewport())
        self._view = view
        self.message_id = ""
        self._left = 0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._timer = QTimer(self, interval=STEP_MS)
        self._timer.timeout.connect(self._step)
        self.hide()

    def light(self, message_id: str) -> None:
        """Lights a message that is in sight."""
        self.message_id, self._left = message_id, LIT_MS
        self.resize(self._view.viewport().size())
        self.show()
        self.raise_()
        self._timer.start()

    def _step(self) -> None:
        self._left -= STEP_MS
        if self._left <= 0:
            self._timer.stop()
            self.message_id = ""
            self.hide()
        else:
            self.resize(self._view.viewport().size())
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        place = self._view.global_rect(self.message_id)
        if place.isEmpty():
            return
        box = QRectF(self.mapFromGlobal(place.topLeft()), place.size()).adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND)
        strength = 1.0 if motion.is_reduced() else min(1.0, self._left / (LIT_MS * FADING))
        edge, fill = QColor(theme.tokens().amber), QColor(theme.tokens().amber)
        edge.setAlphaF(0.9 * strength)
        fill.setAlphaF(0.18 * strength)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(edge, 2))
        painter.setBrush(fill)
        painter.drawRoundedRect(box, RADIUS_BUBBLE + _AROUND, RADIUS_BUBBLE + _AROUND)
