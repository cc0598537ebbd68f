"""Building a card from the top down: each call adds a line, a rule or a button below the one before. Places are the card's own."""

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTextLayout

from desktop.ui import theme
from desktop.ui.chat.pieces import Box, Face, Glyph, Line, Piece, Side, line, moved, text_width
from desktop.ui.chat.text_layout import lay_out
from desktop.ui.chat.zones import Zone
from desktop.ui.theme.values_chat import CARD_FOOT, CARD_PAD

BUTTON_PAD = 10


@dataclass(slots=True)
class Laid:
    """A card being laid out: `width` is its outer width, `y` where the next line goes."""

    width: float
    y: float = 0.0
    pieces: list[Piece] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)

    @property
    def left(self) -> float:
        """Where content begins."""
        return float(theme.scaled(CARD_PAD))

    @property
    def room(self) -> float:
        """How wide content may be."""
        return self.width - 2 * self.left

    def gap(self, height: float) -> None:
        """Leaves room."""
        self.y += theme.scaled(height)

    def text(
        self,
        words: str,
        role: str = "base",
        tone: str = "ink",
        *,
        bold: bool = False,
        height: float = 20,
        indent: float = 0.0,
        side: Side = "left",
        keep: float = 0.0,
    ) -> QRectF:
        """One line; `indent` and `keep` are kept free at its sides."""
        rect = QRectF(self.left + indent, self.y, max(0.0, self.room - indent - keep), theme.scaled(height))
        self.pieces.append(line(rect, words, role, tone, bold=bold, side=side))
        self.y += rect.height()
        return rect

    def paragraph(
        self, words: str, role: str = "base", tone: str = "ink", *, bold: bool = False, most: int = 3
    ) -> None:
        """Text over several lines, shortened after `most`."""
        layout, _ = lay_out(words, theme.font(role, bold=bold), self.room)
        for number in range(min(most, layout.lineCount())):
            piece = words_of(layout, number)
            more = number == most - 1 and layout.lineCount() > most
            height = layout.lineAt(number).height() * 1.15
            rect = QRectF(self.left, self.y, self.room, height)
            self.pieces.append(line(rect, piece + "……" * more, role, tone, bold=bold))
            self.y += height

    def head(self, icon: str, words: str) -> None:
        """What kind of card it is: an icon and a quiet line."""
        side = theme.scaled(15)
        self.pieces.append(Glyph(QRectF(self.left, self.y + 2, side, side), icon, "link"))
        self.text(words, "secondary", "ink2", height=19, indent=side + theme.scaled(6))

    def rule(self) -> None:
        """A thin line across."""
        self.pieces.append(Box(QRectF(1, self.y, self.width - 2, 1), "line"))
        self.y += 1

    def face(self, rect: QRectF, name: str, key: str) -> None:
        """A person's round picture."""
        self.pieces.append(Face(rect, name, key))

    def press(self, rect: QRectF, action: str, data: str = "", name: str = "", tip: str = "") -> None:
        """A place that reacts."""
        self.zones.append(Zone(rect, action, data, name, tip))

    def foot(self, words: str, *links: tuple[str, str, str]) -> None:
        """The last line under a rule: a quiet word at the left, links (action, data, words) at the right."""
        self.rule()
        height, right = theme.scaled(CARD_FOOT), self.width - self.left
        for action, data, label in reversed(links):
            width = text_width(label, "secondary")
            rect = QRectF(right - width, self.y, width + 1, height)
            self.pieces.append(Line(rect, label, "secondary", "link"))
            self.press(rect, action, data, label)
            right -= width + theme.scaled(14)
        rect = QRectF(self.left, self.y, max(0.0, right - self.left), height)
        self.pieces.append(line(rect, words, "secondary", "ink3"))
        self.y += height

    def place(self, at: QPointF) -> tuple[list[Piece], list[Zone]]:
        """The finished card in the row."""
        pieces = [moved(piece, at.x(), at.y()) for piece in self.pieces]
        zones = [Zone(z.rect.translated(at), z.action, z.data, z.name, z.tip) for z in self.zones]
        return pieces, zones


def words_of(layout: QTextLayout, number: int) -> str:
    """The text of one line of a layout."""
    made = layout.lineAt(number)
    whole = layout.text().encode("utf-16-le", "surrogatepass")
    start = made.textStart() * 2
    return whole[start : start + made.textLength() * 2].decode("utf-16-le", "ignore").strip("\u2028\n ")
