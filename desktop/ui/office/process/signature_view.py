"""A handwritten signature of the history: its picture in the ink of the palette, fetched when first shown."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop.core.errors import AppError
from desktop.ui import i18n, theme
from desktop.ui.background import in_background
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import values_process as values

LARGEST = 4096
"""Sides of a picture that are looked at; a larger one is no signature of ours."""


def decode_signature(data: bytes) -> QImage | None:
    """The picture of a signature; None for what is none."""
    image = QImage.fromData(data)
    if image.isNull() or max(image.width(), image.height()) > LARGEST:
        return None
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


class SignatureView(QWidget):
    """Shows one signature; takes no room until it is there."""

    def __init__(self, context: ViewContext, blob_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("signature")
        self._context, self.blob_id = context, blob_id
        self.image: QImage | None = None
        self.tasks = TaskOwner(self)
        i18n.bind(self.setAccessibleName, "office_process.sign.picture")
        theme.changed.connect(self._fit)
        self._fit()
        self.tasks.start(self._load(), name="load")

    async def _load(self) -> None:
        try:
            data = await self._context.session.files.open_bytes(self.blob_id, "signature.png", quiet=True)
        except AppError:
            return  # the words stand without it; the next time the row is drawn it is asked for again
        image = await in_background(decode_signature, data)
        if alive(self):
            self.image = image
            self._fit()

    def _fit(self) -> None:
        self.setVisible(self.image is not None)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        if self.image is None:
            return QSize(0, 0)
        height = theme.scaled(values.SIGNATURE_HEIGHT)
        return QSize(min(theme.scaled(180), round(self.image.width() * height / max(1, self.image.height()))), height)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        if self.image is None:
            return
        ratio = self.devicePixelRatioF()
        size = self.image.size().scaled(self.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        inked = self.image.scaled(
            size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        tint = QPainter(inked)
        tint.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        tint.fillRect(inked.rect(), theme.tokens().ink)
        tint.end()
        painter = QPainter(self)
        painter.drawImage(
            QRectF(0, (self.height() - size.height() / ratio) / 2, size.width() / ratio, size.height() / ratio), inked
        )
