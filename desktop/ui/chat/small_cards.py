"""Smaller cards in the flow: merged messages, a colleague, a video, a link."""

from PySide6.QtCore import QRectF

from desktop.core.domain import Attachment, MergedItem, Message
from desktop.core.domain import Card as MessageCard
from desktop.ui import theme
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.laid import Laid
from desktop.ui.chat.pieces import Box, Face, Glyph, line
from desktop.ui.chat.summaries import kind_words
from desktop.ui.chat.text import one_line
from desktop.ui.i18n import tr, when

SHOWN_ITEMS = 4


def item_words(item: MergedItem) -> str:
    """One merged message in a line, without who said it."""
    name = item.attachment.name if item.attachment is not None else item.merged.title if item.merged is not None else ""
    said = kind_words(item.kind, item.text, name)
    return one_line(said or item.text or (item.card.title if item.card is not None else ""), 120)


def lay_out_merged(message: Message, width: float) -> Laid:
    """Messages forwarded as one: the title and the first of them."""
    card = Laid(width)
    merged = message.merged
    title = merged.title if merged is not None else tr("chat_talk.merged.making")
    card.gap(10)
    card.text(title or tr("chat_talk.merged"), bold=True, height=22)
    card.gap(2)
    items = merged.items if merged is not None else ()
    for item in items[:SHOWN_ITEMS]:
        card.text(tr("chat.quote", name=item.name, text=item_words(item)), "secondary", "ink3", height=19)
    card.gap(8)
    many = tr("chat_talk.merged.count", n=len(items)) if merged is not None else ""
    card.foot(" ・ ".join(part for part in (tr("chat_talk.merged"), many) if part))
    if merged is not None:
        card.press(QRectF(0, 0, width, card.y), "merged", "", title)
    return card


def lay_out_person(message: Message, width: float, context: TalkContext) -> Laid:
    """A colleague's card: face, name, post."""
    card = Laid(width)
    if message.card is None:
        return card
    who = message.card.id
    name = context.people.name(who) or message.card.title or tr("common.unknown_person")
    card.gap(12)
    side = theme.scaled(40)
    card.pieces.append(Face(QRectF(card.left, card.y, side, side), name, who))
    indent = side + theme.scaled(10)
    card.text(name, bold=True, height=21, indent=indent)
    card.text(context.people.post(who), "secondary", "ink3", height=19, indent=indent)
    card.gap(12)
    card.foot(tr("chat_talk.person_card"))
    card.press(QRectF(0, 0, width, card.y), "person", who, f"{tr('chat_talk.person_card')} {name}")
    return card


def lay_out_group(group: MessageCard, width: float) -> Laid:
    """The card of a group: a press opens it, or offers to ask for admission."""
    card = Laid(width)
    card.gap(12)
    side = theme.scaled(40)
    card.pieces.append(Face(QRectF(card.left, card.y, side, side), group.title, group.id))
    indent = side + theme.scaled(10)
    card.gap(10)
    card.text(group.title, bold=True, height=21, indent=indent)
    card.gap(21)
    card.foot(tr("chat_join.card"))
    card.press(QRectF(0, 0, width, card.y), "group", group.id, f"{tr('chat_join.card')} {group.title}")
    return card


def clock_words(duration_ms: int | None) -> str:
    """Minutes and seconds: 0:07, 12:30."""
    seconds = round((duration_ms or 0) / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"


def lay_out_video(attachment: Attachment, width: float) -> Laid:
    """A video: what it is called, how long, how large; a press opens it."""
    card = Laid(width)
    card.gap(12)
    side = theme.scaled(40)
    ground = QRectF(card.left, card.y, side, side)
    card.pieces += [
        Box(ground, "rail", radius=6),
        Glyph(ground.adjusted(11, 11, -11, -11), "play-fill", "rail_ink_active"),
    ]
    indent = side + theme.scaled(10)
    card.text(attachment.name, height=21, indent=indent)
    parts = [clock_words(attachment.duration_ms)] if attachment.duration_ms else []
    parts += [when.size(attachment.size)] if attachment.size else []
    card.text(" ・ ".join(parts), "secondary", "ink3", height=19, indent=indent)
    card.gap(12)
    card.foot(
        tr("chat_talk.video"),
        ("open", "", tr("chat.file.open")),
        ("save_as", "", tr("chat.file.save_as")),
    )
    card.press(QRectF(0, 0, card.width, card.y - theme.scaled(34)), "open", "", attachment.name)
    return card


def lay_out_address(address: str, width: float) -> Laid:
    """What a message that is one link leads to: the place's name and the way there."""
    rest = address.partition("://")[2]
    host, _, path = rest.partition("/")
    card = Laid(width)
    side, height = theme.scaled(18), theme.scaled(40)
    ground = QRectF(0, 0, width, height)
    card.pieces += [Box(ground, "field", radius=6), Glyph(QRectF(10, (height - side) / 2, side, side), "globe", "link")]
    left = side + theme.scaled(18)
    room = width - left - 10
    card.pieces.append(line(QRectF(left, 3, room, height / 2 - 2), host, "secondary", "ink", bold=True))
    card.pieces.append(line(QRectF(left, height / 2 - 1, room, height / 2 - 3), f"/{path}", "small", "ink3"))
    card.y = height
    card.press(ground, "link", address, address)
    return card
