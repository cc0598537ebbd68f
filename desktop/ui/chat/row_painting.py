"""How a laid-out row is painted. What changes without a new layout (read counts, transfers, thumbnails) is read here, each time."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QTextCharFormat, QTextLayout

from desktop.core.domain import Delivery, MessageKind, Transfer, TransferState
from desktop.ui import theme
from desktop.ui.chat import sticker_set
from desktop.ui.chat import text as words
from desktop.ui.chat.card_painting import paint_card
from desktop.ui.chat.cards import CardFace
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.file_cards import file_status, file_zones
from desktop.ui.chat.pieces import paint_pieces
from desktop.ui.chat.row import Row
from desktop.ui.chat.voice_card import paint_voice
from desktop.ui.i18n import has, tr
from desktop.ui.kit import conversation_icon, conversation_name, paint_avatar, paint_file_sheet
from desktop.ui.theme import icons
from desktop.ui.theme.values_chat import PICK_MARK, SIDE


@dataclass(slots=True)
class PaintState:
    """What a row needs to know while it is painted: selection in it, and whether it has the keyboard's focus."""

    selection: tuple[int, int] | None = None
    focused: bool = False
    hovered: str = ""


class RowPainter:
    """Paints rows of one talk."""

    def __init__(self, context: TalkContext) -> None:
        self._context = context

    def paint(self, painter: QPainter, row: Row, state: PaintState) -> None:
        """Paints a row at the painter's origin."""
        if row.separator or row.unread_line:
            self._lines(painter, row)
        if row.avatar is not None:
            self._avatar(painter, row)
        if row.name:
            painter.setFont(theme.font("secondary"))
            painter.setPen(theme.tokens().ink3)
            painter.drawText(QPointF(row.name_at.x(), row.name_at.y() + theme.scaled(12)), row.name)
        match row.body:
            case "picture":
                self._picture(painter, row, state)
            case "sticker":
                self._sticker(painter, row, state)
            case "file":
                self._file(painter, row, state)
            case "card":
                self._card(painter, row, state)
            case "laid":
                colors = theme.tokens()
                ground = colors.selected if state.selection else colors.bubble_other
                self._fill(painter, row, ground, edge=True)
            case _:
                self._text(painter, row, state)
        if row.pieces:
            paint_pieces(painter, row.pieces)
        if row.body == "laid" and row.message.kind is MessageKind.VOICE:
            paint_voice(painter, row.bubble, row.message, self._context.voice)
        if row.mine and row.body != "system":
            self._footer(painter, row)
        if state.focused:
            painter.setPen(QPen(theme.tokens().accent, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = theme.values.RADIUS_BUBBLE
            painter.drawRoundedRect(row.bubble.adjusted(-2, -2, 2, 2), radius + 2, radius + 2)

    def _lines(self, painter: QPainter, row: Row) -> None:
        colors = theme.tokens()
        y = 0.0
        if row.separator:
            height = theme.scaled(34)
            painter.setFont(theme.font("secondary"))
            painter.setPen(colors.ink3)
            painter.drawText(QRectF(0, y, row.width, height), Qt.AlignmentFlag.AlignCenter, row.separator)
            y += height
        if row.unread_line:
            height = theme.scaled(30)
            font = theme.font("secondary")
            label = tr("chat.unread_line")
            width = QFontMetricsF(font).horizontalAdvance(label)
            middle = y + height / 2 - 2
            painter.setPen(QPen(colors.accent, 1))
            gap = (row.width - width) / 2 - 12
            painter.drawLine(QPointF(theme.scaled(SIDE), middle), QPointF(gap, middle))
            painter.drawLine(QPointF(row.width - gap, middle), QPointF(row.width - theme.scaled(SIDE), middle))
            painter.setFont(font)
            painter.setPen(colors.link)
            painter.drawText(QRectF(0, y - 2, row.width, height), Qt.AlignmentFlag.AlignCenter, label)

    def _avatar(self, painter: QPainter, row: Row) -> None:
        place = row.avatar
        if place is None:
            return
        sender, conversation = row.message.sender_id, self._context.conversation
        if sender:
            paint_avatar(painter, place, self._context.people.name(sender), sender)
        elif conversation is not None:
            name, icon = conversation_name(conversation), conversation_icon(conversation)
            paint_avatar(painter, place, name, conversation.id, icon=icon)

    def _fill(self, painter: QPainter, row: Row, color: QColor, *, edge: bool) -> None:
        painter.setBrush(color)
        painter.setPen(QPen(theme.tokens().line, 1) if edge else Qt.PenStyle.NoPen)
        box = row.bubble.adjusted(0.5, 0.5, -0.5, -0.5) if edge else row.bubble
        painter.drawRoundedRect(box, theme.values.RADIUS_BUBBLE, theme.values.RADIUS_BUBBLE)

    def _text(self, painter: QPainter, row: Row, state: PaintState) -> None:
        colors = theme.tokens()
        if row.body == "system":
            painter.setBrush(colors.field)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(row.bubble, 4, 4)
        elif row.body == "code":
            self._fill(painter, row, colors.field, edge=True)
        elif row.body == "text":
            self._fill(painter, row, colors.bubble_me if row.mine else colors.bubble_other, edge=not row.mine)
        if row.quote_rect is not None:
            painter.fillRect(
                QRectF(row.quote_rect.left(), row.quote_rect.top() + 1, 3, row.quote_rect.height() - 2), colors.quote
            )
            font = theme.font("secondary")
            painter.setFont(font)
            painter.setPen(colors.ink2)
            room = row.quote_rect.adjusted(11, 0, 0, 0)
            shown = QFontMetricsF(font).elidedText(row.quote, Qt.TextElideMode.ElideRight, room.width() + 1)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        if row.layout is None:
            return
        painter.setPen(colors.ink2 if row.body == "system" else colors.ink)
        row.layout.draw(painter, row.layout_at, _selected(state.selection))

    def _picture(self, painter: QPainter, row: Row, state: PaintState) -> None:
        attachment = row.message.attachment
        if attachment is None or row.picture is None:
            return
        colors = theme.tokens()
        pixmap = self._context.thumbnails.get(attachment.blob_id, row.picture)
        if pixmap is not None:
            painter.drawPixmap(row.bubble.topLeft(), pixmap)
        else:
            painter.setBrush(colors.field)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(row.bubble, theme.values.RADIUS_CARD, theme.values.RADIUS_CARD)
            failed = self._context.thumbnails.failed(attachment.blob_id)
            side = theme.scaled(32)
            middle = row.bubble.center()
            place = QRectF(middle.x() - side / 2, middle.y() - side / 2 - 8, side, side)
            icons.paint(painter, place, "image-square" if failed else "image", colors.faint)
            painter.setFont(theme.font("small"))
            painter.setPen(colors.ink3)
            label = tr("chat.picture_missing" if failed else "common.loading")
            below = QRectF(row.bubble.left(), place.bottom() + 2, row.bubble.width(), theme.scaled(18))
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, label)
        transfer = self._context.transfer_of(row.message)
        if transfer is not None and transfer.size and transfer.state in (TransferState.RUNNING, TransferState.WAITING):
            _progress(
                painter, QRectF(row.bubble.left() + 8, row.bubble.bottom() - 12, row.bubble.width() - 16, 4), transfer
            )
        if state.selection:
            painter.setPen(QPen(colors.accent, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(
                row.bubble.adjusted(1, 1, -1, -1), theme.values.RADIUS_CARD, theme.values.RADIUS_CARD
            )

    def _sticker(self, painter: QPainter, row: Row, state: PaintState) -> None:
        if state.selection:
            painter.setBrush(theme.tokens().selected)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(row.bubble, theme.values.RADIUS_CARD, theme.values.RADIUS_CARD)
        sticker_set.paint(painter, row.bubble, row.message.sticker or "")

    def _file(self, painter: QPainter, row: Row, state: PaintState) -> None:
        attachment = row.message.attachment
        if attachment is None:
            return
        colors = theme.tokens()
        self._fill(painter, row, colors.bubble_other if not state.selection else colors.selected, edge=True)
        pad = theme.scaled(12)
        box = row.bubble.adjusted(pad, pad, -pad, -pad)
        sheet = QRectF(box.left(), box.top(), theme.scaled(36), theme.scaled(44))
        paint_file_sheet(painter, sheet, attachment.name)
        left = sheet.right() + theme.scaled(10)
        name_font = theme.font("base")
        painter.setFont(name_font)
        painter.setPen(colors.ink)
        name = QFontMetricsF(name_font).elidedText(
            words.one_line(attachment.name), Qt.TextElideMode.ElideMiddle, box.right() - left
        )
        painter.drawText(
            QRectF(left, box.top(), box.right() - left, theme.scaled(22)), Qt.AlignmentFlag.AlignVCenter, name
        )
        transfer = self._context.transfer_of(row.message)
        small = theme.font("secondary")
        painter.setFont(small)
        painter.setPen(colors.red_text if transfer and transfer.state is TransferState.FAILED else colors.ink3)
        status = QFontMetricsF(small).elidedText(
            file_status(attachment, transfer, row.message), Qt.TextElideMode.ElideRight, box.right() - left
        )
        painter.drawText(
            QRectF(left, sheet.center().y(), box.right() - left, theme.scaled(20)),
            Qt.AlignmentFlag.AlignVCenter,
            status,
        )
        bar_y = sheet.bottom() + theme.scaled(8)
        if transfer is not None and transfer.state not in (TransferState.DONE, TransferState.FAILED):
            _progress(painter, QRectF(box.left(), bar_y, box.width(), 4), transfer)
        else:
            painter.fillRect(QRectF(box.left(), bar_y + 1, box.width(), 1), colors.line)
        painter.setPen(colors.link)
        for zone in file_zones(row, transfer):
            painter.drawText(zone.rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, zone.name)

    def _card(self, painter: QPainter, row: Row, state: PaintState) -> None:
        card = row.message.card
        if card is None:
            return
        self._fill(
            painter, row, theme.tokens().bubble_other if not state.selection else theme.tokens().selected, edge=True
        )
        kind_key = f"chat.card.{card.type}"
        kind = tr(kind_key) if has(kind_key) else tr("chat.card.other")
        plain = CardFace(kind, "megaphone-simple", card.title or row.message.text)
        live = self._context.live_cards
        face = self._context.face(card) if live else plain
        reading = face is None
        paint_card(painter, row.bubble, face or plain, live=live, reading=reading)

    def _footer(self, painter: QPainter, row: Row) -> None:
        colors, message = theme.tokens(), row.message
        if message.delivery is Delivery.REFUSED:
            self._refusal(painter, row)
            return
        place = QRectF(row.bubble.left() - 400, row.under, row.bubble.width() + 400, theme.scaled(18))
        painter.setFont(theme.font("secondary"))
        if message.delivery is not Delivery.SENT:
            key, icon = self._context.waiting_words(message)
            label = tr(key)
            painter.setPen(colors.ink3)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)
            width = QFontMetricsF(painter.font()).horizontalAdvance(label)
            side = theme.scaled(13)
            spot = QRectF(place.right() - width - side - 4, place.center().y() - side / 2, side, side)
            icons.paint(painter, spot, icon, colors.ink3)
            return
        read, total = self._context.readers(message.seq)
        if total <= 0:
            return
        if self._context.is_group:
            label = tr("chat.read_all") if read >= total else tr("chat.read_count", read=read, total=total)
        else:
            label = tr("chat.read" if read else "chat.unread")
        painter.setPen(colors.link if read < total or not self._context.is_group else colors.ink3)
        if not self._context.is_group:
            painter.setPen(colors.ink3 if read else colors.link)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)

    def _refusal(self, painter: QPainter, row: Row) -> None:
        colors = theme.tokens()
        painter.setFont(theme.font("secondary"))
        painter.setPen(colors.link)
        left = row.bubble.right()
        for zone in row.zones:
            if zone.action in ("retry", "discard"):
                painter.drawText(zone.rect, Qt.AlignmentFlag.AlignCenter, zone.name)
                left = min(left, zone.rect.left())
        reason = f"chat.refused.{row.message.refusal}"
        label = tr(reason) if has(reason) else tr("chat.refused")
        painter.setPen(colors.red_text)
        place = QRectF(0, row.under + 2, left - 8, theme.scaled(20))
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)
        width = QFontMetricsF(painter.font()).horizontalAdvance(label)
        side = theme.scaled(14)
        spot = QRectF(place.right() - width - side - 5, place.center().y() - side / 2, side, side)
        icons.paint(painter, spot, "warning-circle-fill", colors.red)


def paint_pick(painter: QPainter, row: Row, *, picked: bool) -> None:
    """The ground and the check mark of a row while several are picked."""
    colors = theme.tokens()
    top = row.top
    if picked:
        painter.fillRect(QRectF(0, top - 4, row.width, row.height - top - 2), colors.selected)
    side = theme.scaled(PICK_MARK)
    middle = row.avatar.center().y() if row.avatar is not None else row.bubble.center().y()
    place = QRectF(theme.scaled(SIDE) - 4, middle - side / 2, side, side)
    painter.setPen(Qt.PenStyle.NoPen if picked else QPen(colors.line_strong, 1.2))
    painter.setBrush(colors.accent if picked else colors.surface)
    painter.drawEllipse(place)
    if picked:
        icons.paint(painter, place.adjusted(4, 4, -4, -4), "check-bold", colors.on_accent)


def _selected(selection: tuple[int, int] | None) -> list[QTextLayout.FormatRange]:
    if not selection or selection[0] == selection[1]:
        return []
    made = QTextLayout.FormatRange()
    made.start, made.length = selection[0], selection[1] - selection[0]
    tint = QTextCharFormat()
    tint.setBackground(theme.tokens().selection)
    tint.setForeground(theme.tokens().ink)
    made.format = tint
    return [made]


def _progress(painter: QPainter, place: QRectF, transfer: Transfer) -> None:
    colors = theme.tokens()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colors.line)
    painter.drawRoundedRect(place, 2, 2)
    share = min(1.0, transfer.moved / transfer.size) if transfer.size else 0.0
    painter.setBrush(colors.accent if transfer.state is TransferState.RUNNING else colors.faint)
    painter.drawRoundedRect(QRectF(place.left(), place.top(), place.width() * share, place.height()), 2, 2)
