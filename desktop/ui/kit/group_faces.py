"""Pictures of groups by conversation id: the one its owner set, or up to nine of its members' faces side by side.

Whoever draws an avatar for a conversation's id gets it from here, so that lists, cards and pop-ups need not know where it comes from.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPixmap

from desktop.ui import theme

MOST: Final = 9
RADIUS: Final = 0.2  # of the side
SMALLEST_LETTER: Final = 8  # pixels; below it a tile is its color alone


@dataclass(frozen=True, slots=True, eq=False)
class GroupFace:
    """`tiles`: (letter, color) of members, two to nine; `picture` stands in their place where there is one."""

    tiles: tuple[tuple[str, int], ...] = ()
    picture: QImage | None = None


class _Notifier(QObject):
    changed = Signal(str)


_notifier = _Notifier()
_faces: dict[str, GroupFace] = {}
changed = _notifier.changed
"""The id of a conversation that looks different now."""


def get(key: str) -> GroupFace | None:
    """What is known of a group's looks."""
    return _faces.get(key)


def put(key: str, face: GroupFace | None) -> None:
    """A group looks like this from now on; None: like its name."""
    if face is None:
        _faces.pop(key, None)
    else:
        _faces[key] = face
    changed.emit(key)


def forget_all() -> None:
    """Another user is at the screen."""
    _faces.clear()


def rows_of(count: int) -> list[int]:
    """How many tiles stand in each row: a short row first, at most three in one."""
    wide = 2 if count <= 4 else 3
    short = count % wide
    return ([short] if short else []) + [wide] * (count // wide)


@lru_cache(maxsize=256)
def drawn(face: GroupFace, side: int, ratio: float, ground: int) -> QPixmap:
    """The face as a rounded square of `side` logical pixels on a ground of that color."""
    made = QPixmap(round(side * ratio), round(side * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    path = QPainterPath()
    path.addRoundedRect(QRectF(0, 0, side, side), side * RADIUS, side * RADIUS)
    painter.setClipPath(path)
    painter.fillRect(QRectF(0, 0, side, side), QColor.fromRgba(ground))
    if face.picture is not None:
        painter.drawImage(QRectF(0, 0, side, side), face.picture)
    else:
        _tiles(painter, face.tiles[:MOST], side)
    painter.end()
    return made


def _tiles(painter: QPainter, tiles: tuple[tuple[str, int], ...], side: int) -> None:
    rows = rows_of(len(tiles))
    wide = max(rows, default=1)
    gap = max(1.0, side / 24)
    edge = (side - gap * (wide + 1)) / wide
    left_over = iter(tiles)
    y = (side - len(rows) * edge - (len(rows) - 1) * gap) / 2
    font = theme.font("base")
    font.setPixelSize(max(1, round(edge * 0.6)))
    painter.setFont(font)
    for count in rows:
        x = (side - count * edge - (count - 1) * gap) / 2
        for _ in range(count):
            letter, color = next(left_over)
            place = QRectF(x, y, edge, edge)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor.fromRgba(color))
            painter.drawRoundedRect(place, edge * 0.15, edge * 0.15)
            if font.pixelSize() >= SMALLEST_LETTER:
                painter.setPen(theme.tokens().rail_ink_active)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, letter)
            x += edge + gap
        y += edge + gap
