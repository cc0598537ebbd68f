"""Thumbnails of the talk: asked for once, decoded to the size they are shown at, kept within a bound."""

from collections import OrderedDict
from collections.abc import Callable

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImageReader, QPainter, QPainterPath, QPixmap

from desktop.core.domain import Attachment
from desktop.core.errors import AppError
from desktop.models.verbs import FileVerbs
from desktop.ui import theme
from desktop.ui.tasks import TaskOwner

EDGE = 256
KEPT = 64
MAX_SHOWN = 240
MIN_SHOWN = 72
# A picture that claims more is not decoded: it would fill the memory before it is scaled down.
MAX_PIXELS = 64_000_000


def shown_size(attachment: Attachment) -> QSize:
    """The place a picture takes in the talk, known before its bytes are here."""
    width, height = attachment.width or 4, attachment.height or 3
    if width <= 0 or height <= 0:
        width, height = 4, 3
    known = bool(attachment.width)
    scale = min(MAX_SHOWN / width, MAX_SHOWN / height, 1.0 if known else MAX_SHOWN)
    return QSize(max(MIN_SHOWN, round(width * scale)), max(MIN_SHOWN, round(height * scale)))


def read_picture(data: bytes, place: QSize) -> QPixmap:
    """Decodes bytes to fill a place; a null pixmap when they are no picture or an absurdly large one."""
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MAX_PIXELS:
        return QPixmap()
    if size.width() > place.width() or size.height() > place.height():
        reader.setScaledSize(size.scaled(place, Qt.AspectRatioMode.KeepAspectRatioByExpanding))
    return QPixmap.fromImage(reader.read())


def rounded(source: QPixmap, place: QSize, ratio: float) -> QPixmap:
    """A picture cut to a place with round corners."""
    made = QPixmap(place * ratio)
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    path = QPainterPath()
    path.addRoundedRect(QRectF(0, 0, place.width(), place.height()), theme.values.RADIUS_CARD, theme.values.RADIUS_CARD)
    painter.setClipPath(path)
    size = source.size().scaled(place, Qt.AspectRatioMode.KeepAspectRatioByExpanding)
    left, top = (place.width() - size.width()) / 2, (place.height() - size.height()) / 2
    painter.drawPixmap(QRectF(left, top, size.width(), size.height()), source, QRectF(source.rect()))
    painter.end()
    return made


class Thumbnails(QObject):
    """`get` answers what is here and asks for the rest; `arrived` names the blob."""

    arrived = Signal(str)

    def __init__(self, files: FileVerbs, ratio: Callable[[], float], parent: QObject) -> None:
        super().__init__(parent)
        self._files, self._ratio = files, ratio
        self._tasks = TaskOwner(self)
        self._kept: OrderedDict[tuple[str, int, int, float], QPixmap] = OrderedDict()
        self._failed: set[str] = set()

    def get(self, blob_id: str, place: QSize) -> QPixmap | None:
        """The rounded picture, or None while it is on its way or can't be had (see `failed`)."""
        key = (blob_id, place.width(), place.height(), self._ratio())
        pixmap = self._kept.get(key)
        if pixmap is not None:
            self._kept.move_to_end(key)
            return pixmap
        if blob_id and blob_id not in self._failed and not self._tasks.running(blob_id):
            self._tasks.start(self._load(blob_id, place), name=blob_id)
        return None

    def failed(self, blob_id: str) -> bool:
        """Whether the picture could not be had."""
        return blob_id in self._failed

    def forget_failures(self) -> None:
        """The connection is back: ask again."""
        self._failed.clear()

    async def _load(self, blob_id: str, place: QSize) -> None:
        ratio = self._ratio()
        try:
            data = await self._files.thumbnail(blob_id, EDGE if ratio <= 1 else 4 * EDGE)
        except AppError:  # shown as a picture that is missing, not as a message of its own
            self._failed.add(blob_id)
            self.arrived.emit(blob_id)
            return
        source = read_picture(data, place * ratio)
        if source.isNull():
            self._failed.add(blob_id)
        else:
            self._kept[(blob_id, place.width(), place.height(), ratio)] = rounded(source, place, ratio)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self.arrived.emit(blob_id)
