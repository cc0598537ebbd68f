"""What hangs under a bubble: who answered with which emoji, and whether a message that must be confirmed is."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF

from desktop.core.domain import Message
from desktop.core.domain.chat_rules import must_confirm
from desktop.ui import theme
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.pieces import Box, Glyph, Line, Piece, text_width
from desktop.ui.chat.system_words import names_words
from desktop.ui.chat.zones import Zone
from desktop.ui.i18n import tr

GAP = 4
CHIP = 24
STRIP = 30


def reaction_chips(
    reactions: dict[str, tuple[str, ...]], context: TalkContext, at: QPointF, room: float, *, from_right: bool
) -> tuple[list[Piece], list[Zone], float]:
    """Chips in lines within `room`, hung from the left or from the right; the third answer is their height."""
    pieces: list[Piece] = []
    zones: list[Zone] = []
    height, x, y = theme.scaled(CHIP), 0.0, 0.0
    for emoji, people in reversed(reactions.items()) if from_right else reactions.items():
        if not people:
            continue
        label = str(len(people))
        wide = text_width(emoji, "emphasis") + text_width(label, "secondary") + theme.scaled(20)
        if x and x + wide > room:
            x, y = 0.0, y + height + GAP
        left = at.x() + (room - x - wide if from_right else x)
        rect = QRectF(left, at.y() + y, wide, height)
        mine = context.me_id in people
        pieces.append(Box(rect, "accent_soft" if mine else "surface", "accent" if mine else "line", height / 2))
        pad = theme.scaled(7)
        pieces.append(Line(rect.adjusted(pad, 0, 0, 0), emoji, "emphasis", "ink"))
        pieces.append(Line(rect.adjusted(0, 0, -pad, 0), label, "secondary", "link" if mine else "ink2", side="right"))
        names = names_words(people, context.people)
        said = tr("chat_talk.reaction", emoji=emoji, names=names)
        zones.append(Zone(rect, "react", emoji, said, names))
        x += wide + GAP
    return pieces, zones, y + height if zones else 0.0


def confirm_strip(
    message: Message, context: TalkContext, at: QPointF, width: float
) -> tuple[list[Piece], list[Zone], float]:
    """The bar of a message that must be confirmed: a button for who has not, the count for who wrote it."""
    height = theme.scaled(STRIP)
    rect = QRectF(at, at + QPointF(width, height))
    pad, side = theme.scaled(10), theme.scaled(15)
    mine = message.sender_id == context.me_id
    done = not mine and not must_confirm(message, context.me_id)
    total = max(context.others, len(message.confirmed_ids))
    complete = mine and total > 0 and len(message.confirmed_ids) >= total
    calm = done or complete
    pieces: list[Piece] = [Box(rect, "green_soft" if calm else "amber_soft", radius=8)]
    icon = QRectF(rect.left() + pad, rect.center().y() - side / 2, side, side)
    tone = "green" if calm else "amber"
    pieces.append(Glyph(icon, "check-circle" if calm else "circle-wavy-warning", tone))
    links: list[tuple[str, str]] = []
    if mine:
        label = tr("chat_talk.confirm.count", n=len(message.confirmed_ids), total=total)
        links = [("confirmations", tr("chat_talk.confirm.list"))]
        if not complete and message.seq:
            links.append(("remind", tr("chat_talk.remind")))
    elif done:
        label = tr("chat_talk.confirm.done")
    else:
        label = tr("chat_talk.confirm.wanted")
        links = [("confirm", tr("chat_talk.confirm"))] if message.seq else []
    zones = _links(pieces, rect, links)
    text = QRectF(icon.right() + theme.scaled(6), rect.top(), rect.width(), height)
    pieces.append(Line(text, label, "secondary", tone))
    return pieces, zones, height


def confirm_width(message: Message, context: TalkContext) -> float:
    """The least room the strip needs."""
    total = tr("chat_talk.confirm.count", n=context.others, total=context.others)
    words: Iterable[str] = (total, tr("chat_talk.confirm.list"), tr("chat_talk.remind"))
    if message.sender_id != context.me_id:
        words = (tr("chat_talk.confirm.wanted"), tr("chat_talk.confirm"))
    return sum(text_width(word, "secondary") for word in words) + theme.scaled(76)


def _links(pieces: list[Piece], rect: QRectF, links: list[tuple[str, str]]) -> list[Zone]:
    right, zones = rect.right() - theme.scaled(10), []
    for action, label in reversed(links):
        width = text_width(label, "secondary")
        button = action == "confirm"
        place = QRectF(
            right - width - (12 if button else 0), rect.top() + 4, width + (12 if button else 1), rect.height() - 8
        )
        if button:
            pieces.append(Box(place, "accent", radius=5))
        tone = "on_accent" if button else "link"
        pieces.append(Line(place, label, "secondary", tone, side="middle"))
        zones.append(Zone(place.adjusted(-4, -4, 4, 4), action, "", label))
        right = place.left() - theme.scaled(12)
    return zones
