"""One message laid out for one width, and how it is painted. A row knows its height, its text, and the places that react.

Laying out depends on the message, the one before, and the width; everything that changes later (read counts, transfers,
thumbnails, presence) is read while painting and never changes the height.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF
from PySide6.QtGui import QFont, QFontMetricsF, QTextCharFormat, QTextLayout, QTextOption

from desktop.core.domain import Delivery, Message, MessageKind
from desktop.ui import theme
from desktop.ui.chat import text as words
from desktop.ui.chat.cards import LIVE_HEIGHT, PLAIN_HEIGHT
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.pictures import shown_size
from desktop.ui.i18n import catalog, tr, when
from desktop.ui.theme.values_chat import (
    AVATAR_GAP,
    BUBBLE_MAX,
    BUBBLE_PAD_X,
    BUBBLE_PAD_Y,
    BUBBLE_SHARE,
    CARD_WIDTH,
    ROW_GAP,
    SAME_SENDER_MS,
    SEPARATOR_MS,
    SIDE,
)

_WRAP = QTextOption()
_WRAP.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)


@dataclass(slots=True)
class Zone:
    """A place in a row that reacts to a click: what to do, with what. `name` is what a screen reader says."""

    rect: QRectF
    action: str
    data: str = ""
    name: str = ""


@dataclass(slots=True)
class Row:
    """A message laid out. Places are relative to the row's upper left corner."""

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
    picture: QSize | None = None
    top: float = 0.0

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


def summary(message: Message) -> str:
    """A message in one line, for quotes, lists and copies."""
    if message.attachment is not None and message.kind is MessageKind.PICTURE:
        return tr("chat.kind.picture")
    if message.attachment is not None:
        return f"{tr('chat.kind.file')} {message.attachment.name}"
    if message.card is not None and not message.text:
        return message.card.title
    return message.text


def _text_layout(text: str, font: QFont, width: float, spans: Sequence[words.Span] = ()) -> tuple[QTextLayout, QSizeF]:
    layout = QTextLayout(words.shown(text), font)
    layout.setTextOption(_WRAP)
    layout.setCacheEnabled(True)
    if spans:
        layout.setFormats([_tint(span) for span in spans])  # before the lines: it drops them
    layout.beginLayout()
    y = widest = 0.0
    while True:
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += line.height() * 1.15
        widest = max(widest, line.naturalTextWidth())
    layout.endLayout()
    return layout, QSizeF(widest, y)


def _tint(span: words.Span) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start, made.length = span.start, span.length
    tint = QTextCharFormat()
    tint.setForeground(theme.tokens().link)
    tint.setFontUnderline(span.kind == "link")
    made.format = tint
    return made


class RowBuilder:
    """Lays out rows of one talk."""

    def __init__(self, context: TalkContext) -> None:
        self._context = context

    def build(self, message: Message, previous: Message | None, width: int, *, unread_line: bool) -> Row:
        """Lays a message out for a width."""
        row = Row(message, width, mine=message.sender_id == self._context.me_id, unread_line=unread_line)
        row.separator = self._separator(message, previous)
        y = float(theme.scaled(34)) if row.separator else 0.0
        if unread_line:
            y += theme.scaled(30)
        row.top = y
        if message.kind is MessageKind.SYSTEM and message.card is None:
            self._system(row, y)
        else:
            self._talk(row, previous, y)
        return row

    def _separator(self, message: Message, previous: Message | None) -> str:
        if previous is not None and message.sent_at - previous.sent_at < SEPARATOR_MS:
            same_day = when.days_apart(previous.sent_at, message.sent_at) == 0
            if same_day or message.sent_at < previous.sent_at:
                return ""
        return when.separator(message.sent_at, when.now())

    def _system(self, row: Row, y: float) -> None:
        row.body = "system"
        row.text = row.message.text
        font = theme.font("secondary")
        row.layout, size = _text_layout(row.text, font, min(row.width * 0.8, theme.scaled(520)))
        width = size.width() + 20
        row.bubble = QRectF((row.width - width) / 2, y + 2, width, size.height() + 8)
        row.layout_at = QPointF(row.bubble.left() + 10, row.bubble.top() + 4)
        row.height = row.bubble.bottom() + theme.scaled(ROW_GAP)

    def _talk(self, row: Row, previous: Message | None, y: float) -> None:
        message, context = row.message, self._context
        side, avatar = theme.scaled(SIDE), theme.scaled(theme.values.AVATAR)
        left = row.width - side - avatar if row.mine else side
        row.avatar = QRectF(left, y, avatar, avatar)
        follows = (
            previous is not None
            and previous.sender_id == message.sender_id
            and not row.separator
            and message.sent_at - previous.sent_at < SAME_SENDER_MS
        )
        if context.is_group and not row.mine and not follows and message.sender_id:
            post = context.people.post(message.sender_id)
            name = context.people.name(message.sender_id) or tr("common.unknown_person")
            row.name = f"{name} ・ {post}" if post else name
            row.name_at = QPointF(left + avatar + AVATAR_GAP, y)
            y += theme.scaled(19)
        self._body(row, y)
        inset = side + avatar + AVATAR_GAP
        row.bubble.moveLeft(row.width - inset - row.bubble.width() if row.mine else inset)
        self._place_inside(row)
        bottom = row.bubble.bottom()
        if row.mine:
            bottom += self._footer(row)
        row.height = max(bottom, row.avatar.bottom()) + theme.scaled(ROW_GAP)

    def _body(self, row: Row, y: float) -> None:
        message = row.message
        if message.attachment is not None and message.kind is MessageKind.PICTURE:
            row.body = "picture"
            size = shown_size(message.attachment)
            row.picture = QSize(theme.scaled(size.width()), theme.scaled(size.height()))
            row.bubble = QRectF(0, y, row.picture.width(), row.picture.height())
        elif message.attachment is not None:
            row.body = "file"
            row.bubble = QRectF(0, y, self._card_width(row), theme.scaled(104))
        elif message.card is not None:
            row.body = "card"
            height = LIVE_HEIGHT if self._context.live_cards else PLAIN_HEIGHT
            row.bubble = QRectF(0, y, self._card_width(row), theme.scaled(height))
        else:
            self._text(row, y)

    def _card_width(self, row: Row) -> float:
        room = row.width - 2 * (theme.scaled(SIDE) + theme.scaled(theme.values.AVATAR) + AVATAR_GAP)
        return float(max(theme.scaled(200), min(theme.scaled(CARD_WIDTH), room)))

    def _text(self, row: Row, y: float) -> None:
        message = row.message
        row.text = message.text
        large = message.kind is MessageKind.EMOJI or (not message.reply_to_id and words.is_emoji(message.text))
        row.body = "emoji" if large else "text"
        font = theme.font("hero" if large else "base")
        limit = min(row.width * BUBBLE_SHARE, theme.scaled(BUBBLE_MAX))
        row.spans = words.spans(row.text, self._mention_names(message))
        row.layout, size = _text_layout(row.text, font, limit, row.spans)
        pad_x, pad_y = (0, 0) if large else (BUBBLE_PAD_X, BUBBLE_PAD_Y)
        width, height = size.width() + 2 * pad_x, size.height() + 2 * pad_y
        if message.reply_to_id:
            quoted = self._context.quoted(message.reply_to_id)
            sender = self._context.people.name(quoted.sender_id) if quoted else ""
            row.quote = (
                tr("chat.quote", name=sender, text=words.one_line(summary(quoted))) if quoted else tr("chat.quote_gone")
            )
            quote_width = QFontMetricsF(theme.font("secondary")).horizontalAdvance(row.quote) + 14
            width = max(width, min(limit, quote_width) + 2 * pad_x)
            row.quote_rect = QRectF(0, y + pad_y, width - 2 * pad_x, theme.scaled(18))
            height += theme.scaled(18) + 6
        row.bubble = QRectF(0, y, width, height)

    def _mention_names(self, message: Message) -> list[tuple[str, str]]:
        if not message.mentions:
            return []
        names = [(self._context.people.name(m), m) for m in message.mentions if m != "all"]
        if "all" in message.mentions:
            names += [(word, "all") for word in catalog()["chat.everyone"].values()]
        return names

    def _place_inside(self, row: Row) -> None:
        box = row.bubble
        if row.layout is not None:
            pad_x, pad_y = (0, 0) if row.body == "emoji" else (BUBBLE_PAD_X, BUBBLE_PAD_Y)
            top = box.top() + pad_y
            if row.quote_rect is not None:
                row.quote_rect.moveLeft(box.left() + pad_x)
                row.zones.append(Zone(row.quote_rect, "jump", row.message.reply_to_id or "", row.quote))
                top += theme.scaled(18) + 6
            row.layout_at = QPointF(box.left() + pad_x, top)
            row.zones += [
                Zone(rect, "link" if span.kind == "link" else "person", span.data, span.data)
                for span in row.spans
                if span.data != "all"
                for rect in _span_rects(row, span)
            ]
        elif row.body == "picture":
            name = row.message.attachment.name if row.message.attachment else ""
            row.zones.append(Zone(box, "picture", name=f"{tr('chat.kind.picture')} {name}"))
        elif row.body == "card" and row.message.card is not None:
            row.zones.append(Zone(box, "card", name=row.message.card.title))
        if row.avatar is not None and row.message.sender_id:
            row.zones.append(Zone(row.avatar, "person", row.message.sender_id, row.name))

    def _footer(self, row: Row) -> float:
        if row.message.delivery is Delivery.REFUSED:
            metrics = QFontMetricsF(theme.font("secondary"))
            right = row.bubble.right()
            top = row.bubble.bottom() + 2
            height = theme.scaled(20)
            for action, key in (("discard", "chat.discard"), ("retry", "chat.retry")):
                width = metrics.horizontalAdvance(tr(key)) + 8
                row.zones.append(Zone(QRectF(right - width, top, width, height), action, row.message.id, tr(key)))
                right -= width + 4
            return float(height) + 2
        return float(theme.scaled(18))


def _span_rects(row: Row, span: words.Span) -> list[QRectF]:
    rects: list[QRectF] = []
    layout = row.layout
    if layout is None:
        return rects
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        start = max(span.start, line.textStart())
        end = min(span.start + span.length, line.textStart() + line.textLength())
        if start < end:
            left, right = _x_of(line.cursorToX(start)), _x_of(line.cursorToX(end))
            rects.append(QRectF(row.layout_at.x() + left, row.layout_at.y() + line.y(), right - left, line.height()))
    return rects


def _x_of(answer: object) -> float:
    """PySide answers cursorToX as a pair (x, cursor) in some versions."""
    return float(answer[0]) if isinstance(answer, tuple) else float(answer)  # type: ignore[arg-type]
