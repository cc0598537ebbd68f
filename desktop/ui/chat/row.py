"""One message laid out for one width: its text, its height, and the places that react. Filled by rows.py, painted by row_painting.py."""

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QTextLayout

from desktop.core.domain import Message
from desktop.ui.chat import text as words
from desktop.ui.chat.laid import Laid
from desktop.ui.chat.pieces import Piece
from desktop.ui.chat.summaries import summary
from desktop.ui.chat.zones import Zone


@dataclass(slots=True)
class Row:
    """A message laid out. Places are relative to the row's upper left corner; `under` is where its footer begins."""

    message: Message
    width: int
    height: float = 0.0
    mine: bool = False
    separator: str = ""
    unread_line: bool = False
    name: str = ""
    avatar: QRectF | None = None
    name_at: QPointF = field(default_factory=QPointF)
    bubble: QRectF = field(default_factory=QRectF)
    body: str = "text"
    layout: QTextLayout | None = None
    layout_at: QPointF = field(default_factory=QPointF)
    text: str = ""
    quote: str = ""
    quote_rect: QRectF | None = None
    spans: list[words.Span] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    laid: Laid | None = None
    picture: QSize | None = None
    top: float = 0.0
    under: float = 0.0

    @property
    def length(self) -> int:
        """How many places a selection can take in this row: text units, or one for what is no text."""
        return words.units(self.text) if self.layout is not None else 1

    def text_at(self, place: QPointF) -> int:
        """The place in the text nearest to a point of the row."""
        if self.layout is None:
            return 0 if place.x() < self.bubble.center().x() else 1
        local = place - self.layout_at
        last = 0
        for number in range(self.layout.lineCount()):
            line = self.layout.lineAt(number)
            last = line.textStart() + line.textLength()
            if local.y() < line.y() + line.height():
                return int(line.xToCursor(local.x()))
        return last

    def copied(self, start: int, end: int) -> str:
        """What a selection of this row puts on the clipboard."""
        if self.layout is not None:
            return words.cut(self.text, start, end)
        return summary(self.message) if end > start else ""
