"""A voice message in the flow: as long as it lasts, its loudness as bars; what plays, was played or not heard yet is read while painting."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from desktop.core.domain import Attachment, Message
from desktop.ui import theme
from desktop.ui.chat.laid import Laid
from desktop.ui.chat.pieces import text_width
from desktop.ui.chat.small_cards import clock_words
from desktop.ui.chat.voice_state import VoiceState
from desktop.ui.i18n import tr
from desktop.ui.theme import icons

LEAST, MOST = 150, 280
LONGEST_MS = 60_000
HEIGHT, ICON, SPEED = 38, 18, 34
BAR_STEP = 5


def lay_out_voice(attachment: Attachment) -> Laid:
    """Room and zones; `paint_voice` fills it. The speed is at the right end while it plays."""
    share = min(1.0, (attachment.duration_ms or 0) / LONGEST_MS)
    card = Laid(theme.scaled(LEAST + (MOST - LEAST) * share))
    card.y = theme.scaled(HEIGHT)
    speed = theme.scaled(SPEED) + card.left
    said = tr("voice.play", time=clock_words(attachment.duration_ms))
    card.press(QRectF(0, 0, card.width - speed, card.y), "voice", "", said)
    card.press(QRectF(card.width - speed, 0, speed, card.y), "voice_speed", "", tr("chat_talk.kind.voice"))
    return card


def paint_voice(painter: QPainter, rect: QRectF, message: Message, state: VoiceState | None) -> None:
    """Draws into the bubble's rectangle."""
    attachment = message.attachment
    if attachment is None:
        return
    colors = theme.tokens()
    mine_now = state is not None and state.current == message.id
    progress = state.progress(message) if state is not None else 0.0
    pad, side = theme.scaled(12), theme.scaled(ICON)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    glyph = "pause-fill" if mine_now and state is not None and state.playing else "play-fill"
    icons.paint(painter, QRectF(rect.left() + pad, rect.center().y() - side / 2, side, side), glyph, colors.link)
    said = f"{state.rate:g}×" if mine_now and state is not None else clock_words(attachment.duration_ms)
    wide = max(text_width(said, "secondary"), theme.scaled(SPEED - 4))
    painter.setFont(theme.font("secondary", bold=mine_now))
    painter.setPen(colors.link if mine_now else colors.ink2)
    place = QRectF(rect.right() - pad - wide, rect.top(), wide, rect.height())
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, said)
    left = rect.left() + pad + side + theme.scaled(8)
    bars = QRectF(left, rect.top(), place.left() - theme.scaled(6) - left, rect.height())
    _paint_bars(painter, bars, attachment.waveform or (), progress)
    if state is not None and state.is_unheard(message):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.red)
        painter.drawEllipse(QPointF(rect.right() + theme.scaled(9), rect.center().y()), 4.0, 4.0)
    painter.restore()


def _paint_bars(painter: QPainter, place: QRectF, loudness: tuple[int, ...], progress: float) -> None:
    colors = theme.tokens()
    count = max(1, int(place.width() // BAR_STEP))
    painter.setPen(Qt.PenStyle.NoPen)
    for number in range(count):
        value = loudness[number * len(loudness) // count] if loudness else 20
        tall = max(2.5, place.height() * 0.6 * min(100, max(0, value)) / 100)
        painter.setBrush(colors.link if (number + 0.5) / count <= progress else colors.faint)
        bar = QRectF(place.left() + number * BAR_STEP, place.center().y() - tall / 2, 2.5, tall)
        painter.drawRoundedRect(bar, 1.2, 1.2)
