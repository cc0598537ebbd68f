"""One line of text with its hits lit, painted into a rectangle."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from desktop.core.domain.search import Excerpt
from desktop.ui import theme

_ROUND = 2.0
_BEFORE = 4
_LEAD = 0.6
"""Share of the line that words before the first hit may take."""


def led(lead: str, excerpt: Excerpt) -> Excerpt:
    """The excerpt behind other words."""
    return Excerpt(lead + excerpt.text, tuple((start + len(lead), end + len(lead)) for start, end in excerpt.marks))


def _in_sight(excerpt: Excerpt, metrics: QFontMetricsF, room: int) -> Excerpt:
    """The line begun later, where its first hit would stand beyond the end."""
    if not excerpt.marks or metrics.horizontalAdvance(excerpt.text[: excerpt.marks[0][1]] + "…") <= room:
        return excerpt
    cut = max(0, excerpt.marks[0][0] - _BEFORE)
    while cut > 0 and metrics.horizontalAdvance("…" + excerpt.text[cut : excerpt.marks[0][1]]) < room * _LEAD:
        cut -= 1
    moved = tuple((max(1, start - cut + 1), end - cut + 1) for start, end in excerpt.marks if end > cut)
    return Excerpt("…" + excerpt.text[cut:], moved)


def paint_excerpt(painter: QPainter, rect: QRect, excerpt: Excerpt, font: QFont, ink: QColor) -> int:
    """Draws the line, shortened to fit; hits stand on the marker's color. Answers the width it took."""
    metrics = QFontMetricsF(font)
    excerpt = _in_sight(excerpt, metrics, rect.width())
    text = excerpt.text.replace("\n", " ")
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, rect.width()))
    whole = len(shown) if shown == text else max(0, len(shown) - 1)
    colors = theme.tokens()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colors.amber_line)
    height = metrics.height()
    top = rect.center().y() + 0.5 - height / 2
    for start, end in excerpt.marks:
        if start < whole:
            left = rect.left() + metrics.horizontalAdvance(shown[:start])
            right = rect.left() + metrics.horizontalAdvance(shown[: min(end, whole)])
            painter.drawRoundedRect(QRectF(left, top, right - left, height), _ROUND, _ROUND)
    painter.restore()
    painter.setFont(font)
    painter.setPen(ink)
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
    painter.drawText(rect, int(flags), shown)
    return round(metrics.horizontalAdvance(shown))
