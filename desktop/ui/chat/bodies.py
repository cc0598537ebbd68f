"""What stands in a row's bubble: text in its several dresses, pictures, files, cards. Sizes come out; the row puts them in their place."""

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QFont, QFontMetricsF

from desktop.core.domain import Message, MessageKind
from desktop.ui import theme
from desktop.ui.chat import code_colors, sticker_set
from desktop.ui.chat import text as words
from desktop.ui.chat.cards import LIVE_HEIGHT, PLAIN_HEIGHT
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.laid import Laid
from desktop.ui.chat.pictures import shown_size
from desktop.ui.chat.pieces import Glyph, line, text_width
from desktop.ui.chat.poll_cards import lay_out_chain, lay_out_poll
from desktop.ui.chat.row import Row
from desktop.ui.chat.small_cards import (
    lay_out_address,
    lay_out_group,
    lay_out_merged,
    lay_out_person,
    lay_out_video,
)
from desktop.ui.chat.summaries import summary
from desktop.ui.chat.text_layout import RichText, from_html, from_markdown, lay_out, tint
from desktop.ui.chat.voice_card import lay_out_voice
from desktop.ui.chat.zones import Zone
from desktop.ui.i18n import catalog, tr
from desktop.ui.theme.values_chat import (
    AVATAR_GAP,
    BUBBLE_MAX,
    BUBBLE_PAD_X,
    BUBBLE_PAD_Y,
    BUBBLE_SHARE,
    CARD_WIDTH,
    CODE_MAX,
    SIDE,
)

QUOTE = 18
META = 17
CODE_HEAD = 24
LINK_CARD = 260


def lay_out_body(row: Row, y: float, context: TalkContext) -> None:
    """Fills a row's bubble, its left edge at 0 and its top at `y`."""
    message = row.message
    if message.kind in (MessageKind.PICTURE, MessageKind.STICKER) and message.attachment is not None:
        row.body = "picture"
        size = shown_size(message.attachment)
        row.picture = QSize(theme.scaled(size.width()), theme.scaled(size.height()))
        row.bubble = QRectF(0, y, row.picture.width(), row.picture.height())
        return
    if sticker_set.knows(message.sticker):
        row.body, row.picture = "sticker", sticker_set.message_size()
        row.bubble = QRectF(0, y, row.picture.width(), row.picture.height())
        return
    made = _card(message, card_width(row), context)
    if made is not None:
        row.body, row.laid = "laid", made
        row.bubble = QRectF(0, y, made.width, made.y)
    elif message.attachment is not None:
        row.body = "file"
        row.bubble = QRectF(0, y, card_width(row), theme.scaled(104))
    elif message.card is not None:
        row.body = "card"
        height = LIVE_HEIGHT if context.live_cards else PLAIN_HEIGHT
        row.bubble = QRectF(0, y, card_width(row), theme.scaled(height))
    else:
        _text(row, y, context)


def _card(message: Message, width: float, context: TalkContext) -> Laid | None:
    attachment = message.attachment
    match message.kind:
        case MessageKind.POLL if message.poll is not None:
            return lay_out_poll(message, width, context)
        case MessageKind.CHAIN if message.chain is not None:
            return lay_out_chain(message, width, context)
        case MessageKind.MERGED:
            return lay_out_merged(message, width)
        case MessageKind.VOICE if attachment is not None:
            return lay_out_voice(attachment)
        case MessageKind.VIDEO if attachment is not None:
            return lay_out_video(attachment, width)
        case _ if message.card is not None and message.card.type == "Conversation":
            return lay_out_group(message.card, width)
        case _ if message.card is not None and message.card.type == "Person":
            return lay_out_person(message, width, context)
        case _:
            return None


def card_width(row: Row) -> float:
    """How wide cards are in this row."""
    room = row.width - 2 * (theme.scaled(SIDE) + theme.scaled(theme.values.AVATAR) + AVATAR_GAP)
    return float(max(theme.scaled(200), min(theme.scaled(CARD_WIDTH), room)))


# ---- text
def _text(row: Row, y: float, context: TalkContext) -> None:
    message = row.message
    meta = meta_words(message)
    plain = not (message.reply_to_id or meta or message.code or message.markdown)
    large = message.kind is MessageKind.EMOJI or (plain and words.is_emoji(message.text))
    row.body = "emoji" if large else "code" if message.code else "text"
    limit = min(row.width * BUBBLE_SHARE, theme.scaled(CODE_MAX if message.code else BUBBLE_MAX))
    rich = _dressed(message, context)
    row.text, row.spans = rich.text, rich.spans
    formats = [*rich.formats, *(tint(span) for span in rich.spans)]
    row.layout, size = lay_out(row.text, _font(row), limit, formats)
    pad_x, pad_y = padding(row)
    width, height = size.width() + 2 * pad_x, size.height() + 2 * pad_y
    if message.reply_to_id:
        width, height = _quote(row, y, context, limit, width, height)
    if message.code:
        height += theme.scaled(CODE_HEAD)
        width = max(width, theme.scaled(200))
    address = _only_address(message) if plain else ""
    if address:
        width = max(width, min(limit, theme.scaled(LINK_CARD)) + 2 * pad_x)
        row.laid = lay_out_address(address, width - 2 * pad_x)
        height += row.laid.y + 6
    if meta:
        height += theme.scaled(META)
        width = max(width, text_width(meta, "small") + 2 * pad_x)
    row.bubble = QRectF(0, y, width, height)


def _dressed(message: Message, context: TalkContext) -> RichText:
    if message.code:
        text = message.text.rstrip("\n")
        return RichText(text, code_colors.formats(text, message.language))
    if message.markdown:
        return from_markdown(message.text)
    if message.formatted:
        return from_html(message.formatted)
    return RichText(message.text, [], words.spans(message.text, _mention_names(message, context)))


def _font(row: Row) -> QFont:
    if row.body == "code":
        return theme.mono_font("secondary")
    return theme.font("hero" if row.body == "emoji" else "base")


def padding(row: Row) -> tuple[float, float]:
    """Between the bubble's edge and its text."""
    return (0, 0) if row.body == "emoji" else (BUBBLE_PAD_X, BUBBLE_PAD_Y)


def meta_words(message: Message) -> str:
    """The quiet line at the foot of a text: sent automatically, forwarded, changed."""
    if not (message.forwarded or message.edited_at or message.auto):
        return ""
    parts = [tr("presence_text.auto")] if message.auto else []
    parts += [tr("chat_talk.forwarded")] if message.forwarded else []
    parts += [tr("chat_talk.edited")] if message.edited_at is not None else []
    return " ・ ".join(parts)


def _only_address(message: Message) -> str:
    text = message.text.strip()
    if not text.lower().startswith("http") or " " in text or "\n" in text or message.formatted:
        return ""
    found = list(words.links(text))
    return found[0][1] if len(found) == 1 and found[0][1] == text else ""


def _quote(row: Row, y: float, context: TalkContext, limit: float, width: float, height: float) -> tuple[float, float]:
    pad_x, pad_y = padding(row)
    quoted = context.quoted(row.message.reply_to_id or "")
    sender = context.people.name(quoted.sender_id) if quoted else ""
    if quoted is not None and quoted.recalled_at is None:
        row.quote = tr("chat.quote", name=sender, text=words.one_line(summary(quoted, context.people)))
    else:
        row.quote = tr("chat_talk.quote_recalled") if quoted is not None else tr("chat.quote_gone")
    quote_width = QFontMetricsF(theme.font("secondary")).horizontalAdvance(row.quote) + 14
    width = max(width, min(limit, quote_width) + 2 * pad_x)
    row.quote_rect = QRectF(0, y + pad_y, width - 2 * pad_x, theme.scaled(QUOTE))
    return width, height + theme.scaled(QUOTE) + 6


def _mention_names(message: Message, context: TalkContext) -> list[tuple[str, str]]:
    if not message.mentions:
        return []
    names = [(context.people.name(m), m) for m in message.mentions if m != "all"]
    if "all" in message.mentions:
        names += [(word, "all") for word in catalog()["chat.everyone"].values()]
    return names


# ---- places inside, once the bubble stands
def place_body(row: Row) -> None:
    """Puts what is in the bubble where the bubble is now."""
    box = row.bubble
    if row.layout is not None:
        _place_text(row)
    elif row.laid is not None:
        row.pieces, zones = row.laid.place(box.topLeft())
        row.zones += zones
    elif row.body == "picture":
        name = row.message.attachment.name if row.message.attachment else ""
        row.zones.append(Zone(box, "picture", name=f"{tr('chat.kind.picture')} {name}"))
    elif row.body == "card" and row.message.card is not None:
        row.zones.append(Zone(box, "card", name=row.message.card.title))


def _place_text(row: Row) -> None:
    box, (pad_x, pad_y) = row.bubble, padding(row)
    top = box.top() + pad_y
    if row.quote_rect is not None:
        row.quote_rect.moveLeft(box.left() + pad_x)
        row.zones.append(Zone(row.quote_rect, "jump", row.message.reply_to_id or "", row.quote))
        top += theme.scaled(QUOTE) + 6
    if row.body == "code":
        top = _code_head(row, top)
    row.layout_at = QPointF(box.left() + pad_x, top)
    row.zones += [
        Zone(rect, "link" if span.kind == "link" else "person", span.data, span.data)
        for span in row.spans
        if span.data != "all"
        for rect in span_rects(row, span)
    ]
    meta = meta_words(row.message)
    foot = box.bottom() - pad_y - (theme.scaled(META) if meta else 0)
    if row.laid is not None:
        pieces, zones = row.laid.place(QPointF(box.left() + pad_x, foot - row.laid.y))
        row.pieces += pieces
        row.zones += zones
    if meta:
        _meta(row, meta, QRectF(box.left() + pad_x, foot, box.width() - 2 * pad_x, theme.scaled(META)))


def _meta(row: Row, meta: str, rect: QRectF) -> None:
    row.pieces.append(line(rect, meta, "small", "ink3", side="right"))
    if row.message.edited_at is not None:
        width = text_width(tr("chat_talk.edited"), "small")
        place = QRectF(rect.right() - width - 2, rect.top(), width + 4, rect.height())
        row.zones.append(Zone(place, "history", "", tr("chat_talk.act.history"), tr("chat_talk.act.history")))


def _code_head(row: Row, top: float) -> float:
    height = theme.scaled(CODE_HEAD)
    box = row.bubble
    label = row.message.language or tr("chat_talk.code")
    row.pieces.append(line(QRectF(box.left() + BUBBLE_PAD_X, box.top(), box.width(), height), label, "small", "ink3"))
    side = theme.scaled(14)
    copy = QRectF(box.right() - side - theme.scaled(10), box.top() + (height - side) / 2, side, side)
    row.pieces.append(Glyph(copy, "copy", "ink3"))
    name = tr("chat_talk.code.copy")
    row.zones.append(Zone(copy.adjusted(-6, -5, 6, 5), "copy_code", "", name, name))
    return top + height


def span_rects(row: Row, span: words.Span) -> list[QRectF]:
    """Where a stretch of the text stands in the row: a rectangle for each line it is on."""
    rects: list[QRectF] = []
    layout = row.layout
    if layout is None:
        return rects
    for number in range(layout.lineCount()):
        made = layout.lineAt(number)
        start = max(span.start, made.textStart())
        end = min(span.start + span.length, made.textStart() + made.textLength())
        if start < end:
            left, right = x_of(made.cursorToX(start)), x_of(made.cursorToX(end))
            rects.append(QRectF(row.layout_at.x() + left, row.layout_at.y() + made.y(), right - left, made.height()))
    return rects


def x_of(answer: object) -> float:
    """PySide answers cursorToX as a pair (x, cursor) in some versions."""
    return float(answer[0]) if isinstance(answer, tuple) else float(answer)  # type: ignore[arg-type]
