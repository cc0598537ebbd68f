"""The round button over the messages that leads back to the newest, with how many came meanwhile."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.theme import icons


class JumpButton(QPushButton):
    """Stands at the lower right of its parent, whatever size that has."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._count = 0
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        i18n.changed.connect(self._fit)
        theme.changed.connect(self._fit)
        parent.installEventFilter(self)
        self.set_count(0)
        self.hide()

    def set_count(self, count: int) -> None:
        """How many new messages are below."""
        self._count = count
        self._fit()

    def _fit(self) -> None:
        text = tr("chat.jump_fresh", n=self._count) if self._count else ""
        self.setAccessibleName(text or tr("chat.jump_newest"))
        self.setToolTip(tr("chat.jump_newest"))
        width = self.fontMetrics().horizontalAdvance(text) + theme.scaled(44) if text else theme.scaled(36)
        self.setFixedSize(width, theme.scaled(36))
        self.place()
        self.update()

    def place(self) -> None:
        """Goes to its corner."""
        host = self.parentWidget()
        if host is not None:
            self.move(host.width() - self.width() - 20, host.height() - self.height() - 14)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self, self.place)
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(colors.accent if self.hasFocus() else colors.line, 1))
        painter.setBrush(colors.hover if self.underMouse() else colors.surface)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        side = theme.scaled(18)
        left = theme.scaled(9)
        icons.paint(painter, QRectF(left, (self.height() - side) / 2, side, side), "arrow-down", colors.link)
        if self._count:
            painter.setPen(colors.link)
            painter.setFont(self.font())
            place = QRectF(left + side + 4, 0, self.width(), self.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, tr("chat.jump_fresh", n=self._count))
