"""One picture on a dark ground: fitted, zoomed around the mouse, dragged, turned by quarters. Paints; loads nothing."""

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from desktop.ui import theme
from desktop.ui.kit.spoken import speak_as

LEAST, MOST = 0.05, 16.0
STEP = 1.25
WHEEL_NOTCH = 120


class PictureCanvas(QWidget):
    """Shows a picture. `zoomed` tells the scale, 1.0 is a picture pixel for a screen pixel."""

    zoomed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Graphic)
        self.setObjectName("pictureCanvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._pixmap = QPixmap()
        self._quarter = 0
        self._scale = 1.0
        self._fitted = True
        self._offset = QPointF()
        self._drag: QPoint | None = None

    @property
    def scale(self) -> float:
        """Screen pixels a picture pixel takes."""
        return self._scale

    @property
    def turned(self) -> int:
        """Quarter turns clockwise, 0 to 3."""
        return self._quarter

    @property
    def fitted(self) -> bool:
        """Whether the picture follows the window's size."""
        return self._fitted

    def set_image(self, image: QImage) -> None:
        """Another picture, fitted and upright."""
        self._pixmap = QPixmap.fromImage(image)
        self._quarter = 0
        self.fit()

    def image(self) -> QImage:
        """The picture as it is turned now."""
        return self._pixmap.transformed(QTransform().rotate(90 * self._quarter)).toImage()

    def fit(self) -> None:
        """The whole picture, never larger than it is."""
        self._fitted = True
        self._offset = QPointF()
        size = self._turned_size()
        if size.isEmpty():
            return
        ratio = self.devicePixelRatioF()
        self._set_scale(min(self.width() * ratio / size.width(), self.height() * ratio / size.height(), 1.0))

    def actual(self) -> None:
        """One picture pixel for one screen pixel."""
        self.zoom_to(1.0, QPointF(self.rect().center()))

    def zoom_in(self) -> None:
        """One step closer."""
        self.zoom_to(self._scale * STEP, QPointF(self.rect().center()))

    def zoom_out(self) -> None:
        """One step away."""
        self.zoom_to(self._scale / STEP, QPointF(self.rect().center()))

    def rotate(self) -> None:
        """A quarter turn clockwise."""
        self._quarter = (self._quarter + 1) % 4
        if self._fitted:
            self.fit()
        else:
            self._bound()
        self.update()

    def zoom_to(self, scale: float, around: QPointF) -> None:
        """Scales so that the point of the picture under `around` stays there."""
        self._fitted = False
        before = self._scale
        scale = min(max(scale, LEAST), MOST)
        center = QPointF(self.rect().center())
        self._offset = around - center - (around - center - self._offset) * (scale / before)
        self._set_scale(scale)
        self._bound()

    def _set_scale(self, scale: float) -> None:
        self._scale = min(max(scale, LEAST), MOST)
        self.zoomed.emit(self._scale)
        self.update()

    def _turned_size(self) -> QSizeF:
        size = QSizeF(self._pixmap.size())
        return size.transposed() if self._quarter % 2 else size

    def _shown_size(self) -> QSizeF:
        return self._turned_size() * (self._scale / self.devicePixelRatioF())

    def _bound(self) -> None:
        """Keeps the picture from being dragged out of sight."""
        shown = self._shown_size()
        over_x, over_y = max(0.0, (shown.width() - self.width()) / 2), max(0.0, (shown.height() - self.height()) / 2)
        self._offset = QPointF(min(max(self._offset.x(), -over_x), over_x), min(max(self._offset.y(), -over_y), over_y))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.tokens().rail)
        if self._pixmap.isNull():
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._scale < 3)
        painter.translate(QPointF(self.rect().center()) + self._offset)
        painter.rotate(90 * self._quarter)
        side = self._scale / self.devicePixelRatioF()
        width, height = self._pixmap.width() * side, self._pixmap.height() * side
        painter.drawPixmap(QRectF(-width / 2, -height / 2, width, height), self._pixmap, QRectF(self._pixmap.rect()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()
        else:
            self._bound()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / WHEEL_NOTCH
        self.zoom_to(self._scale * STEP**notches, event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = event.position().toPoint()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            now = event.position().toPoint()
            self._offset += QPointF(now - self._drag)
            self._drag = now
            self._bound()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._fitted:
            self.zoom_to(1.0, event.position())
        else:
            self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom_in()
            case Qt.Key.Key_Minus:
                self.zoom_out()
            case Qt.Key.Key_0:
                self.fit()
            case Qt.Key.Key_1:
                self.actual()
            case Qt.Key.Key_R:
                self.rotate()
            case _:
                super().keyPressEvent(event)
