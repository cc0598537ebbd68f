"""How the card of an office record is painted: kind and state, title, fields, what a press does."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from desktop.ui import theme
from desktop.ui.chat.cards import CardFace
from desktop.ui.i18n import tr
from desktop.ui.kit import paint_chip
from desktop.ui.theme import icons

CHIP_PADDING = 12
PAD = 12
FOOT = 38


def paint_card(painter: QPainter, bubble: QRectF, face: CardFace, *, live: bool, reading: bool) -> None:
    """Paints into the bubble, whose ground is there already. `reading`: the record is on its way; a closed one shows its title alone."""
    pad = theme.scaled(PAD)
    box = bubble.adjusted(pad, pad, -pad, -pad)
    if live:
        _live(painter, bubble, box, face, reading=reading)
    else:
        _plain(painter, box, face)
    rule = bubble.bottom() - theme.scaled(FOOT)
    _rule(painter, bubble, rule)
    if not face.closed:
        foot = QRectF(box.left(), rule, box.width(), bubble.bottom() - rule)
        _line(painter, foot, tr("chat.card.open"), "secondary", "link")


def _plain(painter: QPainter, box: QRectF, face: CardFace) -> None:
    """What the message itself knows: kind and title."""
    indent, side = theme.scaled(22), theme.scaled(16)
    icons.paint(painter, QRectF(box.left(), box.top() + 1, side, side), face.icon, theme.tokens().link)
    head = QRectF(box.left() + indent, box.top(), box.width() - indent, theme.scaled(18))
    _line(painter, head, face.kind or tr("chat.card.other"), "secondary", "ink2")
    title = QRectF(box.left(), head.bottom() + theme.scaled(6), box.width(), theme.scaled(22))
    _line(painter, title, face.title, "base", "ink", bold=True)


def _live(painter: QPainter, bubble: QRectF, box: QRectF, face: CardFace, *, reading: bool) -> None:
    """Kind, title and state over a rule, then fields (mockup 1)."""
    indent, side, height = theme.scaled(22), theme.scaled(16), theme.scaled(22)
    head = QRectF(box.left() + indent, box.top(), box.width() - indent, height)
    place = QRectF(box.left(), head.center().y() - side / 2, side, side)
    icons.paint(painter, place, face.icon, theme.tokens().link)
    if face.state:
        width = QFontMetricsF(theme.font("small")).horizontalAdvance(face.state) + CHIP_PADDING
        paint_chip(painter, box.right() - width, head.center().y(), face.state, face.tone)
        head.setRight(box.right() - width - theme.scaled(8))
    whole = " ・ ".join(part for part in (face.kind, face.title) if part)
    fits = QFontMetricsF(theme.font("base", bold=True)).horizontalAdvance(whole) <= head.width()
    _line(painter, head, whole if fits else face.title, "base", "ink", bold=True)
    y = head.bottom() + theme.scaled(10)
    _rule(painter, bubble, y)
    y += theme.scaled(9)
    step = theme.scaled(21)
    for name, value in face.fields:
        taken = _line(painter, QRectF(box.left(), y, box.width() / 2, step), name, "secondary", "ink3")
        left = box.left() + taken + theme.scaled(8)
        _line(painter, QRectF(left, y, box.right() - left, step), value, "secondary", "ink")
        y += step
    if reading or face.closed:
        note = tr("office_workbench.card.loading" if reading else "office_workbench.card.closed")
        _line(painter, QRectF(box.left(), y, box.width(), step), note, "secondary", "ink3")


def _rule(painter: QPainter, bubble: QRectF, y: float) -> None:
    painter.fillRect(QRectF(bubble.left() + 1, y, bubble.width() - 2, 1), theme.tokens().line)


def _line(painter: QPainter, place: QRectF, text: str, role: str, tone: str, *, bold: bool = False) -> float:
    """One line, shortened to fit; answers the width it took."""
    font = theme.font(role, bold=bold)
    painter.setFont(font)
    painter.setPen(theme.tokens().named(tone))
    metrics = QFontMetricsF(font)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
    return metrics.horizontalAdvance(shown)
