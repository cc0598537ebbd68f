"""The reader's name and time over what is read: light enough to read through, there on every screenshot and print."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from desktop.ui import theme
from desktop.ui.theme.tokens import palette_tokens

ANGLE = -28.0
SMALLEST = 0.1
STRENGTH = 20
"""Alpha of 255."""


def paint_watermark(painter: QPainter, rect: QRectF, text: str, *, scale: float = 1.0, on_paper: bool = True) -> None:
    """Repeats `text` across `rect` in slanted rows; `scale` grows it with the page."""
    if not text or rect.isEmpty():
        return
    scale = max(scale, SMALLEST)
    color = QColor(palette_tokens(False).ink2 if on_paper else theme.tokens().ink2)
    color.setAlpha(STRENGTH)
    font = theme.font("title")
    font.setPixelSize(max(8, round(22 * scale)))
    width = QFontMetricsF(font).horizontalAdvance(text)
    across, down = width + 120 * scale, 190 * scale
    painter.save()
    painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
    painter.setFont(font)
    painter.setPen(color)
    painter.translate(rect.center())
    painter.rotate(ANGLE)
    reach = (rect.width() + rect.height()) / 2
    row = 0
    y = -reach
    while y < reach:
        x = -reach - (across / 2 if row % 2 else 0)
        while x < reach:
            painter.drawText(QPointF(x, y), text)
            x += across
        y += down
        row += 1
    painter.restore()
