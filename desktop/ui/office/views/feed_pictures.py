"""Pictures of a feed's card: fetched once they are wanted, decoded off the UI thread to the size they are shown at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.core.domain import Attachment
from desktop.core.errors import AppError
from desktop.ui import theme
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.layouts import empty_layout
from desktop.ui.office.ports import OfficeSession
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import icons

WIDTH: Final = 168
HEIGHT: Final = 112
MORE_WIDTH: Final = 72
MOST: Final = 4
LARGEST: Final = 16 << 20
"""Bytes above which a picture is not fetched for a glance."""
MAX_PIXELS: Final = 64_000_000
"""A picture that claims more is not decoded: it would fill the memory before it is scaled down."""


def picture_of(value: Any) -> Attachment | None:
    """The file of a wire value where it is a picture that a card can show; None for any other."""
    if not isinstance(value, dict) or not value.get("blobId"):
        return None
    kind, size = str(value.get("type") or ""), value.get("size")
    if not kind.startswith("image/") or "svg" in kind or (isinstance(size, int) and size > LARGEST):
        return None
    return Attachment(str(value["blobId"]), str(value.get("name") or ""), kind, size if isinstance(size, int) else 0)


def decode(data: bytes, place: QSize) -> QImage:
    """A picture that fills a place; null where the bytes are none."""
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MAX_PIXELS:
        return QImage()
    if size.width() > place.width() and size.height() > place.height():
        reader.setScaledSize(size.scaled(place, Qt.AspectRatioMode.KeepAspectRatioByExpanding))
    return reader.read()


class Picture(QWidget):
    """One picture. `pressed` carries its Attachment."""

    pressed = Signal(object)

    def __init__(self, session: OfficeSession, attachment: Attachment, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.attachment = attachment
        self.image = QImage()
        self.failed = False
        self.tasks = TaskOwner(self)
        self.setFixedSize(theme.scaled(WIDTH), theme.scaled(HEIGHT))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("office_views.picture", name=attachment.name))
        self.setToolTip(attachment.name)
        self.tasks.start(self._load(session), name="load")

    async def _load(self, session: OfficeSession) -> None:
        attachment = self.attachment
        try:
            data = await session.files.open_bytes(attachment.blob_id, attachment.name, quiet=True)
        except AppError:  # shown as a picture that is missing, not as a message of its own
            data = b""
        if not alive(self):
            return
        place = self.size() * self.devicePixelRatioF()
        image = await in_background(decode, data, place)
        if alive(self):
            self.image, self.failed = image, image.isNull()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setClipPath(path)
        painter.fillRect(self.rect(), colors.field)
        if self.image.isNull():
            side = theme.scaled(28)
            glyph = "image-broken" if self.failed else "image"
            place = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
            icons.paint(painter, place, glyph if icons.exists(glyph) else "image", colors.faint)
        else:
            size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
            left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
            painter.drawImage(QRectF(left, top, size.width(), size.height()), self.image)
        if self.hasFocus():
            painter.setPen(QPen(colors.accent, 3))
            painter.drawPath(path)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.pressed.emit(self.attachment)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit(self.attachment)
            return
        super().keyPressEvent(event)


class More(QWidget):
    """A tile that stands for the pictures that found no room: "+3". `pressed`: the user wants them."""

    pressed = Signal()

    def __init__(self, count: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count = count
        self.setObjectName("morePictures")
        self.setFixedSize(theme.scaled(MORE_WIDTH), theme.scaled(HEIGHT))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("office_views.more_pictures", n=count))
        self.setToolTip(self.accessibleName())

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPen(colors.accent, 3) if self.hasFocus() else QPen(colors.line, 1)
        painter.setPen(edge)
        painter.setBrush(colors.field)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.setPen(colors.ink2)
        painter.setFont(theme.font("header"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, f"+{self.count}")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit()
            return
        super().keyPressEvent(event)


class PictureRow(QWidget):
    """The first pictures of a record, and a tile for the others. Pressed, it opens the first of those and makes room for all."""

    pressed = Signal(object)

    def __init__(self, session: OfficeSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._all: list[Attachment] = []
        self._shown = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 2, 0, 2)
        self._grid.setSpacing(8)
        self._grid.setColumnStretch(MOST + 1, 1)
        self.hide()

    def show_pictures(self, pictures: Sequence[Attachment]) -> None:
        """Shows these; the same ones again load nothing, and stay unfolded."""
        if list(pictures) != self._all:
            self._all = list(pictures)
            self._fill(MOST)

    def _fill(self, most: int) -> None:
        empty_layout(self._grid)
        self._shown = min(most, len(self._all))
        for place, attachment in enumerate(self._all[: self._shown]):
            picture = Picture(self._session, attachment)
            picture.pressed.connect(self.pressed)
            self._grid.addWidget(picture, place // MOST, place % MOST)
        if self._shown < len(self._all):
            more = More(len(self._all) - self._shown)
            more.pressed.connect(self._show_rest)
            self._grid.addWidget(more, 0, MOST)
        self.setVisible(bool(self._all))

    def _show_rest(self) -> None:
        first = self._all[self._shown]
        self._fill(len(self._all))
        self.pressed.emit(first)
