"""A field for a moment in the machine's zone, typed, stepped by arrow keys, or picked from a calendar."""

from PySide6.QtCore import QDateTime, QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QDateTimeEdit, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import when
from desktop.ui.theme import icons


class TimeField(QDateTimeEdit):
    """`at` is the moment in ms since 1970; nothing before now can be chosen."""

    def __init__(self, key: str, at: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.setCalendarPopup(True)
        self.setMinimumDateTime(QDateTime.fromMSecsSinceEpoch(when.now()))
        self.set_at(at)
        i18n.bind(self.setAccessibleName, key)

    @property
    def at(self) -> int:
        """The moment."""
        return int(self.dateTime().toMSecsSinceEpoch())

    def set_at(self, at: int) -> None:
        """Another moment."""
        self.setDateTime(QDateTime.fromMSecsSinceEpoch(at))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        side = theme.scaled(14)
        place = QRectF(self.width() - side - theme.scaled(8), (self.height() - side) / 2, side, side)
        icons.paint(QPainter(self), place, "calendar-blank", theme.tokens().ink3)
