"""What cards and strips in the talk are drawn from: lines of text, rules, bars, boxes and icons, placed once while a row is laid out.

A piece knows its place in the row and the names of its tokens; painting reads the palette, so a change of theme needs no layout.
"""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from desktop.ui import theme
from desktop.ui.kit import paint_avatar
from desktop.ui.theme import icons

Side = Literal["left", "right", "middle"]
_SIDES = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "right": Qt.AlignmentFlag.AlignRight,
    "middle": Qt.AlignmentFlag.AlignHCenter,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text, shortened while it was made (see `line`)."""

    rect: QRectF
    text: str
    role: str = "base"
    tone: str = "ink"
    bold: bool = False
    side: Side = "left"


@dataclass(frozen=True, slots=True)
class Box:
    """A filled shape with an optional edge; `radius` in logical pixels."""

    rect: QRectF
    fill: str = ""
    edge: str = ""
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Glyph:
    """An icon of the family in a square."""

    rect: QRectF
    name: str
    tone: str = "ink3"


@dataclass(frozen=True, slots=True)
class Face:
    """A person's round picture."""

    rect: QRectF
    name: str
    key: str


Piece = Line | Box | Glyph | Face


def text_width(text: str, role: str = "base", *, bold: bool = False) -> float:
    """How wide one line of a text is, in logical pixels."""
    return QFontMetricsF(theme.font(role, bold=bold)).horizontalAdvance(text)


def line(
    rect: QRectF, text: str, role: str = "base", tone: str = "ink", *, bold: bool = False, side: Side = "left"
) -> Line:
    """A line of text that fits its place: shortened here, once, not at every frame."""
    metrics = QFontMetricsF(theme.font(role, bold=bold))
    shown = metrics.elidedText(text.replace("\n", " "), Qt.TextElideMode.ElideRight, rect.width() + 1)
    return Line(rect, shown, role, tone, bold, side)


def moved(piece: Piece, dx: float, dy: float) -> Piece:
    """The same piece elsewhere."""
    rect = piece.rect.translated(dx, dy)
    match piece:
        case Line():
            return Line(rect, piece.text, piece.role, piece.tone, piece.bold, piece.side)
        case Box():
            return Box(rect, piece.fill, piece.edge, piece.radius)
        case Glyph():
            return Glyph(rect, piece.name, piece.tone)
        case Face():
            return Face(rect, piece.name, piece.key)


def paint_pieces(painter: QPainter, pieces: list[Piece]) -> None:
    """Draws them in order."""
    colors = theme.tokens()
    for piece in pieces:
        match piece:
            case Line():
                painter.setFont(theme.font(piece.role, bold=piece.bold))
                painter.setPen(colors.named(piece.tone))
                painter.drawText(piece.rect, Qt.AlignmentFlag.AlignVCenter | _SIDES[piece.side], piece.text)
            case Box():
                painter.setBrush(colors.named(piece.fill) if piece.fill else Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(colors.named(piece.edge), 1) if piece.edge else Qt.PenStyle.NoPen)
                painter.drawRoundedRect(piece.rect, piece.radius, piece.radius)
            case Glyph():
                icons.paint(painter, piece.rect, piece.name, colors.named(piece.tone))
            case Face():
                paint_avatar(painter, piece.rect, piece.name, piece.key)
