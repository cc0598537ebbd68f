"""The built-in stickers: drawings of resources/stickers and the words under them. A message carries a name alone; an unknown one shows as its text."""

import json
from functools import cache

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImageReader, QPainter, QPixmap, QPixmapCache

from desktop.ui import i18n, theme

SIDE = 116
CAPTION = 20


@cache
def _words() -> dict[str, dict[str, str]]:
    path = i18n.folder().parent / "stickers" / "stickers.json"
    return {one["name"]: one for one in json.loads(path.read_text("utf-8"))} if path.is_file() else {}


def names() -> tuple[str, ...]:
    """All of the set, in its order."""
    return tuple(_words())


def knows(name: str | None) -> bool:
    """Whether the set has a drawing of that name."""
    return name in _words()


def caption(name: str) -> str:
    """What a sticker says, in the language in use."""
    return _words()[name][i18n.language()]


def wire_text(name: str) -> str:
    """What goes with it for clients that do not draw it, as the server words it."""
    return _words()[name]["zh"]


def caption_of(text: str) -> str:
    """The caption in the language in use of a sticker of which only the text is at hand; empty: not of the set."""
    return next((caption(name) for name, one in _words().items() if one["zh"] == text), "")


def pixmap(name: str, side: int, ratio: float) -> QPixmap:
    """The drawing in a square of `side` logical pixels."""
    key = f"sticker {name} {side} {ratio}"
    kept = QPixmap()
    if QPixmapCache.find(key, kept):
        return kept
    reader = QImageReader(str(i18n.folder().parent / "stickers" / f"{name}.svg"))  # by Qt's own plug-in for SVG
    edge = round(side * ratio)
    reader.setScaledSize(QSize(edge, edge))
    made = QPixmap.fromImage(reader.read())
    made.setDevicePixelRatio(ratio)
    QPixmapCache.insert(key, made)
    return made


def message_size() -> QSize:
    """The place a sticker takes in the talk, its caption under it."""
    return QSize(theme.scaled(SIDE), theme.scaled(SIDE) + theme.scaled(CAPTION))


def paint(painter: QPainter, place: QRectF, name: str, *, role: str = "secondary") -> None:
    """The drawing, as large as fits, and its caption under it."""
    font = theme.font(role)
    painter.setFont(font)
    below = painter.fontMetrics().height()
    side = int(min(place.width(), place.height() - below))
    left = place.center().x() - side / 2
    drawn = pixmap(name, side, painter.device().devicePixelRatioF())
    painter.drawPixmap(QRectF(left, place.top(), side, side), drawn, QRectF(drawn.rect()))
    painter.setPen(theme.tokens().ink2)
    text = painter.fontMetrics().elidedText(caption(name), Qt.TextElideMode.ElideRight, int(place.width()))
    words = QRectF(place.left(), place.top() + side, place.width(), place.height() - side)
    painter.drawText(words, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, text)
