"""Lays out rows: separators, face and name, the bubble (bodies.py), what hangs under it (strips.py), the footer of own messages.

Laying out depends on the message, the one before, and the width; everything that changes later (read counts, transfers,
thumbnails, presence) is read while painting and never changes the height.
"""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF

from desktop.core.domain import Delivery, Message, MessageKind
from desktop.ui import theme
from desktop.ui.chat import text as words
from desktop.ui.chat.bodies import lay_out_body, place_body, span_rects
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.pieces import Glyph
from desktop.ui.chat.row import Row
from desktop.ui.chat.strips import confirm_strip, confirm_width, reaction_chips
from desktop.ui.chat.system_words import event_words, person_words, recalled_words
from desktop.ui.chat.text_layout import lay_out, tint
from desktop.ui.chat.zones import Zone
from desktop.ui.i18n import tr, when
from desktop.ui.theme.values_chat import (
    AVATAR_GAP,
    BUBBLE_MAX,
    BUBBLE_SHARE,
    PICK_COLUMN,
    ROW_GAP,
    SAME_SENDER_MS,
    SEPARATOR_MS,
    SIDE,
)

STRIP_GAP = 4


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
        said = self._told(message)
        if said is not None:
            self._system(row, y, said)
        else:
            self._talk(row, previous, y)
        return row

    def _separator(self, message: Message, previous: Message | None) -> str:
        if previous is not None and message.sent_at - previous.sent_at < SEPARATOR_MS:
            same_day = when.days_apart(previous.sent_at, message.sent_at) == 0
            if same_day or message.sent_at < previous.sent_at:
                return ""
        return when.separator(message.sent_at, when.now())

    # ---- lines in the middle
    def _told(self, message: Message) -> str | None:
        """What a line in the middle says; None for what somebody says in a bubble."""
        people = self._context.people
        if message.recalled_at is not None:
            return recalled_words(message.sender_id, message.recalled_by_id, people)
        if message.kind is MessageKind.SHAKE:
            mine = message.sender_id == self._context.me_id
            return (
                tr("chat_talk.shake.mine")
                if mine
                else tr("chat_talk.shake.theirs", who=person_words(message.sender_id, people))
            )
        if message.kind is MessageKind.SYSTEM and message.card is None:
            return (event_words(message.event, people) if message.event is not None else "") or message.text
        return None

    def _system(self, row: Row, y: float, said: str) -> None:
        row.body = "system"
        row.text = said
        again = row.message.id in self._context.recalled_texts
        if again:
            label = tr("chat_talk.reedit")
            row.text = f"{said} ・ {label}"
            row.spans = [words.Span(words.units(row.text) - words.units(label), words.units(label), "link", "")]
        font = theme.font("secondary")
        limit = min(row.width * 0.8, theme.scaled(520))
        row.layout, size = lay_out(row.text, font, limit, [tint(span) for span in row.spans])
        width = size.width() + 20
        row.bubble = QRectF((row.width - width) / 2, y + 2, width, size.height() + 8)
        row.layout_at = QPointF(row.bubble.left() + 10, row.bubble.top() + 4)
        row.zones += [
            Zone(rect, "reedit", "", tr("chat_talk.reedit")) for s in row.spans for rect in span_rects(row, s)
        ]
        row.under = row.bubble.bottom()
        row.height = row.under + theme.scaled(ROW_GAP)

    # ---- bubbles
    def _talk(self, row: Row, previous: Message | None, y: float) -> None:
        message, context = row.message, self._context
        side, avatar = theme.scaled(SIDE), theme.scaled(theme.values.AVATAR)
        if context.picking and not row.mine:
            side += theme.scaled(PICK_COLUMN)
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
            name = context.name(message.sender_id) or tr("common.unknown_person")
            row.name = f"{name} ・ {post}" if post else name
            row.name_at = QPointF(left + avatar + AVATAR_GAP, y)
            y += theme.scaled(19)
        lay_out_body(row, y, context)
        inset = side + avatar + AVATAR_GAP
        row.bubble.moveLeft(row.width - inset - row.bubble.width() if row.mine else inset)
        place_body(row)
        if message.sender_id:
            row.zones.append(Zone(row.avatar, "person", message.sender_id, row.name))
        row.under = row.bubble.bottom()
        if message.must_confirm or message.reactions or message.pinned is not None:
            self._strips(row, inset)
        bottom = row.under
        if row.mine:
            bottom += self._footer(row)
        row.height = max(bottom, row.avatar.bottom()) + theme.scaled(ROW_GAP)

    def _strips(self, row: Row, inset: float) -> None:
        message, box = row.message, row.bubble
        if message.must_confirm:
            width = max(box.width(), confirm_width(message, self._context))
            left = box.right() - width if row.mine else box.left()
            pieces, zones, height = confirm_strip(message, self._context, QPointF(left, row.under + STRIP_GAP), width)
            row.pieces += pieces
            row.zones += zones
            row.under += height + STRIP_GAP
        if message.reactions:
            room = max(box.width(), min(row.width * BUBBLE_SHARE, theme.scaled(BUBBLE_MAX)))
            left = box.right() - room if row.mine else box.left()
            at = QPointF(left, row.under + STRIP_GAP)
            pieces, zones, height = reaction_chips(message.reactions, self._context, at, room, from_right=row.mine)
            row.pieces += pieces
            row.zones += zones
            row.under += height + STRIP_GAP if zones else 0.0
        if message.pinned is not None:
            side = theme.scaled(14)
            x = box.left() - side / 2 if row.mine else box.right() - side / 2
            row.pieces.append(Glyph(QRectF(x, box.top() - side / 3, side, side), "push-pin-fill", "amber"))

    def _footer(self, row: Row) -> float:
        metrics = QFontMetricsF(theme.font("secondary"))
        right, height = row.bubble.right(), theme.scaled(18)
        if row.message.delivery is Delivery.REFUSED:
            top, height = row.under + 2, theme.scaled(20)
            for action, key in (("discard", "chat.discard"), ("retry", "chat.retry")):
                width = metrics.horizontalAdvance(tr(key)) + 8
                row.zones.append(Zone(QRectF(right - width, top, width, height), action, row.message.id, tr(key)))
                right -= width + 4
            return float(height) + 2
        if self._context.is_group and row.message.seq:
            width = metrics.horizontalAdvance(tr("chat.read_count", read=888, total=888))
            row.zones.append(
                Zone(QRectF(right - width, row.under, width, height), "readers", "", tr("chat_talk.readers"))
            )
        return float(height)
