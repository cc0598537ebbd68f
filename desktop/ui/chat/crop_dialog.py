"""Cutting a square out of a picture: drag it, zoom by wheel or slider, with the keyboard too. For a group's picture."""

from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QImageReader, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QFileDialog, QSlider, QWidget

from desktop.ui import i18n, theme
from desktop.ui.chat.outgoing import PICTURES
from desktop.ui.chat.pictures import MAX_PIXELS
from desktop.ui.i18n import tr
from desktop.ui.kit import Dialog, Label, finished, group_faces

SIDE = 260
RESULT = 480  # pixels of what is cut out
MOST_ZOOM = 400  # percent of the smallest that fills the square
READ_EDGE = 2400  # larger pictures are read smaller
STEP = 12  # pixels an arrow key moves


class CropView(QWidget):
    """The picture under a square window."""

    def __init__(self, picture: QImage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = picture
        self._zoom = 1.0
        self._center = QPointF(picture.width() / 2, picture.height() / 2)  # in the picture's pixels
        self._held: QPoint | None = None
        self.setFixedSize(theme.scaled(SIDE), theme.scaled(SIDE))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        i18n.bind(self.setAccessibleName, "chat_face.crop")

    @property
    def part(self) -> QRectF:
        """The square of the picture that is seen."""
        edge = min(self._picture.width(), self._picture.height()) / self._zoom
        return QRectF(self._center.x() - edge / 2, self._center.y() - edge / 2, edge, edge)

    def cut(self) -> QImage:
        """The square, in the size it is sent."""
        made = QImage(RESULT, RESULT, QImage.Format.Format_RGB32)
        made.fill(theme.tokens().surface)
        painter = QPainter(made)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 0, RESULT, RESULT), self._picture, self.part)
        painter.end()
        return made

    def set_zoom(self, percent: int) -> None:
        """100: the whole of the shorter side."""
        self._zoom = max(100, min(MOST_ZOOM, percent)) / 100
        self.move_by(QPointF())

    def move_by(self, pixels: QPointF) -> None:
        """Drags the picture; it never leaves the square empty."""
        scale = self.part.width() / self.width()
        half = self.part.width() / 2
        x = self._center.x() - pixels.x() * scale
        y = self._center.y() - pixels.y() * scale
        self._center = QPointF(
            min(max(x, half), self._picture.width() - half), min(max(y, half), self._picture.height() - half)
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(self.rect()), self._picture, self.part)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.tokens().accent if self.hasFocus() else theme.tokens().line_strong)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, box.width() * group_faces.RADIUS, box.width() * group_faces.RADIUS)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            at = event.position().toPoint()
            self.move_by(QPointF(at - self._held))
            self._held = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        move = moves.get(Qt.Key(event.key()))
        if move is None:
            super().keyPressEvent(event)
        else:
            self.move_by(QPointF(*move) * STEP)


class CropDialog(Dialog):
    """Shows a picture; `data` is the square, as a JPEG."""

    def __init__(self, parent: QWidget, picture: QImage) -> None:
        super().__init__(parent, "chat_face.title", width=320)
        self.view = CropView(picture)
        self.zoom = QSlider(Qt.Orientation.Horizontal)
        self.zoom.setRange(100, MOST_ZOOM)
        i18n.bind(self.zoom.setAccessibleName, "chat_face.zoom")
        self.zoom.valueChanged.connect(self.view.set_zoom)
        self.body.addWidget(Label(key="chat_face.title", role="header", strong=True))
        self.body.addWidget(Label(key="chat_face.hint", role="secondary", tone="ink2", wrap=True))
        self.body.addWidget(self.view, 0, Qt.AlignmentFlag.AlignHCenter)
        self.body.addWidget(self.zoom)
        self.add_button("common.cancel", accept=False)
        self.ok = self.add_button("chat_face.use", kind="primary", accept=True)

    @property
    def data(self) -> bytes:
        """What is sent."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self.view.cut().save(buffer, "JPEG", 90)  # type: ignore[call-overload]  # the stub wants bytes, Qt wants str
        return bytes(buffer.data().data())

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom.setValue(self.zoom.value() + event.angleDelta().y() // 6)


def read_for_crop(path: Path) -> QImage | None:
    """A picture from a file, upright, not larger than is of use; None: no picture, or an absurdly large one."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MAX_PIXELS:
        return None
    longest = max(size.width(), size.height())
    if longest > READ_EDGE:
        reader.setScaledSize(size * (READ_EDGE / longest))
    picture = reader.read()
    return None if picture.isNull() else picture


def ask_file(parent: QWidget, on_chosen: object) -> None:
    """Asks for a picture; `on_chosen` is called with its path."""
    dialog = QFileDialog(parent.window(), tr("chat_face.title"))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    patterns = " ".join(f"*.{suffix}" for suffix in sorted(PICTURES))
    dialog.setNameFilter(f"{tr('chat.compose.pictures')} ({patterns})")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(on_chosen)
    dialog.open()


async def ask_square(parent: QWidget, picture: QImage) -> bytes | None:
    """Lets the user cut; None when it was given up."""
    dialog = CropDialog(parent, picture)
    try:
        return dialog.data if await finished(dialog) else None
    finally:
        dialog.deleteLater()
