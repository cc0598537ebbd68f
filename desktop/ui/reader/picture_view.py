"""Shows one picture: fit, zoom at the pointer, turn by quarters, drag. Large ones are scaled in the background thread."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QImage,
    QImageReader,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget

from desktop.ui import theme
from desktop.ui.background import in_background
from desktop.ui.reader.watermark import paint_watermark
from desktop.ui.reader.zoom import Fit, clamp, step
from desktop.ui.tasks import TaskOwner, alive

MARGIN = 24
SMOOTH_AFTER_MS = 60
MEMORY_LIMIT_MB = 512
"""QImageReader refuses what would need more: a small file may claim a huge picture."""


def decode_picture(data: bytes) -> QImage | None:
    """The picture upright as its camera meant it; None when the bytes are no picture we read."""
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    reader.setAllocationLimit(MEMORY_LIMIT_MB)
    image = reader.read()
    return None if image.isNull() else image


class PictureView(QAbstractScrollArea):
    """The picture on the reader's gray."""

    zoom_changed = Signal()
    copy_refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tasks = TaskOwner(self)
        self.may_copy = True
        self.watermark = ""
        self.fit = Fit.PAGE
        self.factor = 1.0
        self._image = QImage()
        self._smooth = QImage()
        self._grip: QPointF | None = None
        self._later = QTimer(self, interval=SMOOTH_AFTER_MS, singleShot=True)
        self._later.timeout.connect(self._start_smoothing)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.changed.connect(self.viewport().update)

    @property
    def image(self) -> QImage:
        """The whole picture as it stands, turned."""
        return self._image

    def show_image(self, image: QImage) -> None:
        """Shows another picture, fitted."""
        self._image, self._smooth = image, QImage()
        self.set_fit(Fit.PAGE)

    def clear(self) -> None:
        """Lets go of the picture."""
        self._image, self._smooth = QImage(), QImage()
        self.viewport().update()

    def rotate(self, quarters: int = 1) -> None:
        """Turns by quarters, clockwise."""
        self._image = self._image.transformed(QTransform().rotate(90 * quarters))
        self._smooth = QImage()
        self._lay_out()

    def copy(self) -> None:
        """Puts the picture on the clipboard, where the policy allows it."""
        if self._image.isNull():
            return
        if not self.may_copy:
            self.copy_refused.emit()
            return
        QApplication.clipboard().setImage(self._image)

    # ---- size
    def set_fit(self, fit: Fit) -> None:
        """Follows the window's size from now on."""
        self.fit = fit
        self._lay_out()
        self.zoom_changed.emit()

    def set_factor(self, factor: float, at: QPoint | None = None) -> None:
        """Shows at this size; the point `at` of the viewport stays where it is."""
        spot = QPointF(at or self.viewport().rect().center())
        inside = (spot - self._rect().topLeft()) / self.factor
        self.fit, self.factor = Fit.FREE, clamp(factor)
        self._lay_out()
        moved = self._rect().topLeft() + inside * self.factor - spot
        self.horizontalScrollBar().setValue(round(self.horizontalScrollBar().value() + moved.x()))
        self.verticalScrollBar().setValue(round(self.verticalScrollBar().value() + moved.y()))
        self.zoom_changed.emit()

    def zoom_step(self, direction: int, at: QPoint | None = None) -> None:
        """One step larger (1) or smaller (-1)."""
        self.set_factor(step(self.factor, direction), at)

    def _lay_out(self) -> None:
        if self._image.isNull():
            return
        room = self.maximumViewportSize() - QSize(2 * MARGIN, 2 * MARGIN)
        natural = self._natural()
        if self.fit is not Fit.FREE:
            by_width = room.width() / natural.width()
            by_page = min(by_width, room.height() / natural.height())
            # Small pictures stand at their own size: blown up they only look broken.
            self.factor = clamp(min(1.0, by_page if self.fit is Fit.PAGE else by_width))
        size = natural * self.factor
        view = self.viewport().size()
        self.horizontalScrollBar().setRange(0, max(0, round(size.width()) + 2 * MARGIN - view.width()))
        self.verticalScrollBar().setRange(0, max(0, round(size.height()) + 2 * MARGIN - view.height()))
        self.horizontalScrollBar().setPageStep(view.width())
        self.verticalScrollBar().setPageStep(view.height())
        self._later.start()
        self.viewport().update()

    def _natural(self) -> QSize:
        return self._image.size()

    def _rect(self) -> QRectF:
        size = self._natural().toSizeF() * self.factor
        width = max(self.viewport().width(), size.width() + 2 * MARGIN)
        height = max(self.viewport().height(), size.height() + 2 * MARGIN)
        left = (width - size.width()) / 2 - self.horizontalScrollBar().value()
        top = (height - size.height()) / 2 - self.verticalScrollBar().value()
        return QRectF(left, top, size.width(), size.height())

    def _pixels(self) -> QSize:
        return (self._rect().size() * self.devicePixelRatioF()).toSize()

    def _start_smoothing(self) -> None:
        wanted = self._pixels()
        if self._image.isNull() or self._smooth.size() == wanted or wanted.width() >= self._image.width():
            return
        self.tasks.start(self._smoothen(self._image, wanted), name="smooth", exclusive=True)

    async def _smoothen(self, image: QImage, size: QSize) -> None:
        aspect, mode = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        made = await in_background(image.scaled, size, aspect, mode)
        if alive(self) and self._image is image and size == self._pixels():
            self._smooth = made
            self.viewport().update()

    # ---- Qt events
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.tokens().line)
        if self._image.isNull():
            return
        rect = self._rect()
        if self._smooth.size() == self._pixels():
            painter.drawImage(rect, self._smooth)
        else:
            painter.drawImage(rect, self._image)
        # Grown with the picture: the number of marks stays small however far it is zoomed.
        paint_watermark(painter, rect, self.watermark, scale=max(1.0, max(rect.width(), rect.height()) / 900))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        before = self.factor
        self._lay_out()
        if before != self.factor:
            self.zoom_changed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if event.angleDelta().y():
                self.set_factor(self.factor * 1.0015 ** event.angleDelta().y(), event.position().toPoint())
            event.accept()
            return
        super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._grip = event.position()
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None:
            return
        step_by = self._grip - event.position()
        self._grip = event.position()
        self.horizontalScrollBar().setValue(round(self.horizontalScrollBar().value() + step_by.x()))
        self.verticalScrollBar().setValue(round(self.verticalScrollBar().value() + step_by.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None
        self.viewport().unsetCursor()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)
