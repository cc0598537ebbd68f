"""How a timeline is painted: the line of hours or days, resources, blocks in the color of their state, the line of now, a gesture and what is in its way."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from desktop.models.record_values import local_date
from desktop.models.timeline_layout import Block, Scale, Window, ticks_of
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import draw_elided
from desktop.ui.office.views.date_bar import day_words
from desktop.ui.office.views.timeline_canvas import TimelineCanvas
from desktop.ui.office.views.timeline_drag import Drag
from desktop.ui.theme import icons

TWO_LINES = 110
"""Pixels from which a block has room for its hours below its name."""


def tone_colors(tone: str) -> tuple[QColor, QColor, QColor]:
    """Fill, edge and ink of a tone: neutral, accent, green, amber or red."""
    colors = theme.tokens()
    if tone == "accent":
        return colors.accent_soft, colors.accent, colors.link
    if tone in ("green", "amber", "red"):
        return (
            colors.named(f"{tone}_soft"),
            colors.named(tone),
            colors.red_text if tone == "red" else colors.named(tone),
        )
    return colors.field, colors.line_strong, colors.ink2


def time_words(start: int, end: int) -> str:
    """09:00–12:00; with days where they differ, days alone where it is whole ones."""
    if when.clock(start) == when.clock(end) == "00:00":
        last = local_date(end - 1)
        first = local_date(start)
        return f"{first:%m-%d}" if first == last else f"{first:%m-%d} – {last:%m-%d}"
    if local_date(start) == local_date(end - 1):
        return f"{when.clock(start)}–{'24:00' if when.clock(end) == '00:00' else when.clock(end)}"
    return f"{local_date(start):%m-%d} {when.clock(start)} – {local_date(end):%m-%d} {when.clock(end)}"


class TimelinePainter:
    """Words and tones come from the view: `title(block)`, `tone(block)`, `state(block)`, `head(row key)` → two lines."""

    def __init__(
        self,
        title: Callable[[Block], str],
        tone: Callable[[Block], str],
        state: Callable[[Block], str],
        head: Callable[[str], tuple[str, str]],
    ) -> None:
        self._title, self._tone, self._state, self._head = title, tone, state, head

    def paint(self, canvas: TimelineCanvas) -> None:
        """Paints what is on the screen."""
        painter = QPainter(canvas.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = theme.tokens()
        painter.fillRect(canvas.viewport().rect(), colors.surface)
        window = canvas.window_
        if window is None:
            return
        self._paint_grid(painter, canvas, window)
        body = QRect(canvas.head_width(), canvas.ticks_height(), canvas.viewport().width(), canvas.viewport().height())
        painter.setClipRect(body)
        for number in canvas.visible_rows():
            for placed in canvas.rows[number].placed:
                rect = canvas.lane_rect(number, placed.lane, placed.block.start, placed.block.end)
                if rect.right() >= canvas.head_width() and rect.left() <= canvas.viewport().width():
                    self._paint_block(painter, canvas, rect, placed.block)
        self._paint_now(painter, canvas, window)
        if canvas.drag is not None and canvas.drag.began:
            self._paint_drag(painter, canvas, canvas.drag)
        painter.setClipping(False)
        self._paint_heads(painter, canvas)
        self._paint_ticks(painter, canvas, window)
        if canvas.drag is not None and canvas.drag.began and canvas.drag.refusal:
            self._paint_refusal(painter, canvas, canvas.drag)
        painter.end()

    # ---- ground
    def _paint_grid(self, painter: QPainter, canvas: TimelineCanvas, window: Window) -> None:
        colors, height = theme.tokens(), canvas.viewport().height()
        today = local_date(canvas.now_ms())
        for tick in ticks_of(window):
            left, right = canvas.x_of(tick.at), canvas.x_of(tick.end)
            if right < canvas.head_width() or left > canvas.viewport().width():
                continue
            if window.scale is not Scale.DAY:
                if tick.day == today:
                    painter.fillRect(QRectF(left, 0, right - left, height), colors.hover)
                elif tick.day.weekday() >= 5:
                    painter.fillRect(QRectF(left, 0, right - left, height), colors.bg)
                painter.fillRect(QRectF(left, 0, 1, height), colors.line)
        for number in canvas.visible_rows():
            row = canvas.row_rect(number)
            painter.fillRect(QRect(0, row.bottom(), row.width(), 1), colors.line)

    def _paint_ticks(self, painter: QPainter, canvas: TimelineCanvas, window: Window) -> None:
        colors, height = theme.tokens(), canvas.ticks_height()
        painter.fillRect(QRect(0, 0, canvas.viewport().width(), height), colors.surface)
        painter.setClipRect(QRect(canvas.head_width(), 0, canvas.viewport().width(), height))
        today = local_date(canvas.now_ms())
        metrics = QFontMetrics(theme.font("secondary"))
        free = -1.0
        for tick in ticks_of(window):
            left, right = canvas.x_of(tick.at), canvas.x_of(tick.end)
            if right < canvas.head_width() or left > canvas.viewport().width():
                continue
            painter.fillRect(QRectF(left, 0, 1, height), colors.line)
            hour = tick.hour
            if hour is not None:
                words = f"{hour}:00"
            elif right - left > theme.scaled(72):
                words = day_words("office_views.tick_day", tick.day)
            else:
                words = str(tick.day.day)
            if metrics.horizontalAdvance(words) > right - left and left < free:
                continue
            free = left + metrics.horizontalAdvance(words) + theme.scaled(8)
            mark = hour is None and tick.day == today
            place = QRect(round(left), 0, max(round(right - left), 1), height)
            painter.setFont(theme.font("secondary", bold=mark))
            painter.setPen(colors.link if mark else colors.ink3)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip, words)
        painter.setClipping(False)
        painter.fillRect(QRect(0, height - 1, canvas.viewport().width(), 1), colors.line)

    def _paint_heads(self, painter: QPainter, canvas: TimelineCanvas) -> None:
        colors, width = theme.tokens(), canvas.head_width()
        painter.fillRect(QRect(0, 0, width, canvas.viewport().height()), colors.surface)
        painter.fillRect(QRect(width - 1, 0, 1, canvas.viewport().height()), colors.line)
        for number in canvas.visible_rows():
            row = canvas.row_rect(number)
            if canvas.drag is not None and canvas.drag.began and canvas.drag.row == number:
                painter.fillRect(QRect(0, row.top(), width - 1, row.height() - 1), colors.hover)
            first, second = self._head(canvas.rows[number].key)
            line, pad = theme.scaled(17), theme.scaled(12)
            room = QRect(pad, row.top() + theme.scaled(11), width - pad - 4, line)
            draw_elided(painter, room, first, theme.font("secondary"), colors.ink)
            draw_elided(painter, room.translated(0, line), second, theme.font("secondary"), colors.ink3)
            painter.fillRect(QRect(0, row.bottom(), width, 1), colors.line)

    # ---- blocks
    def _paint_block(self, painter: QPainter, canvas: TimelineCanvas, rect: QRectF, block: Block) -> None:
        fill, edge, ink = tone_colors(self._tone(block))
        drag = canvas.drag
        dragged = drag is not None and drag.began and drag.block is not None and drag.block.key == block.key
        painter.setOpacity(0.4 if dragged else 1.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(rect, 4, 4)
        painter.fillRect(QRectF(rect.left(), rect.top() + 1, 3, rect.height() - 2), edge)
        if not block.own:
            painter.setBrush(Qt.BrushStyle.BDiagPattern)
            painter.save()
            painter.setOpacity(0.18)
            painter.setBrush(QColor(edge))
            painter.setBrush(Qt.BrushStyle.BDiagPattern)
            painter.drawRoundedRect(rect, 4, 4)
            painter.restore()
        self._paint_words(painter, canvas, rect, block, ink)
        clash = drag is not None and any(block.key == one.key for one in drag.clash)
        if clash or canvas.current == block.key or canvas.marked == block.record.id:
            colors = theme.tokens()
            painter.setBrush(Qt.BrushStyle.NoBrush)
            strong = clash or (canvas.current == block.key and canvas.hasFocus())
            painter.setPen(QPen(colors.red if clash else colors.accent, 2 if strong else 1))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
        painter.setOpacity(1.0)

    def _paint_words(self, painter: QPainter, canvas: TimelineCanvas, rect: QRectF, block: Block, ink: QColor) -> None:
        """The name begins where the screen does when the block began before."""
        left = max(rect.left(), float(canvas.head_width())) + theme.scaled(11)
        room = QRect(round(left), round(rect.top()), round(rect.right() - left - 4), round(rect.height()))
        if room.width() < theme.scaled(12):
            return
        glyph = "warning-circle-fill" if block.record.refusal else "clock" if block.record.pending else ""
        if glyph:
            side = theme.scaled(14)
            icons.paint(painter, QRectF(room.left(), room.center().y() - side / 2, side, side), glyph, ink)
            room.setLeft(room.left() + side + 4)
        if room.width() < theme.scaled(TWO_LINES):
            draw_elided(painter, room, self._title(block), theme.font("secondary"), ink)
            return
        half = room.height() // 2
        upper = QRect(room.left(), room.top() + 2, room.width(), half - 1)
        draw_elided(painter, upper, self._title(block), theme.font("secondary"), ink)
        words = " · ".join(part for part in (time_words(block.start, block.end), self._state(block)) if part)
        draw_elided(painter, upper.translated(0, half - 2), words, theme.font("small"), ink)

    @staticmethod
    def _paint_now(painter: QPainter, canvas: TimelineCanvas, window: Window) -> None:
        now = canvas.now_ms()
        if window.start <= now < window.end:
            colors, x = theme.tokens(), canvas.x_of(now)
            painter.setPen(QPen(colors.red, 1))
            painter.drawLine(QPointF(x, canvas.ticks_height()), QPointF(x, canvas.viewport().height()))
            painter.setBrush(colors.red)
            painter.drawEllipse(QPointF(x, canvas.ticks_height() + 1), 3, 3)

    # ---- a gesture
    def _paint_drag(self, painter: QPainter, canvas: TimelineCanvas, drag: Drag) -> None:
        colors = theme.tokens()
        lane = 0
        if drag.block is not None:
            found = canvas.placed(drag.block.key)
            lane = found[1] if found is not None and found[0] == drag.row else 0
        rect = canvas.lane_rect(drag.row, lane, drag.start, drag.end)
        tone = "red" if drag.refusal else "accent" if drag.block is None else self._tone(drag.block)
        fill, _, ink = tone_colors(tone)
        painter.setPen(QPen(colors.red if drag.refusal else colors.accent, 2))
        painter.setBrush(fill)
        painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
        room = rect.toRect().adjusted(theme.scaled(8), 0, -4, 0)
        draw_elided(painter, room, time_words(drag.start, drag.end), theme.font("secondary", bold=True), ink)

    @staticmethod
    def _paint_refusal(painter: QPainter, canvas: TimelineCanvas, drag: Drag) -> None:
        """The words why, below the block or above it where there is no room below."""
        colors, font = theme.tokens(), theme.font("secondary")
        metrics = QFontMetrics(font)
        limit = canvas.viewport().width() - 16
        words = metrics.elidedText(drag.refusal, Qt.TextElideMode.ElideRight, limit - 20)
        width, height = metrics.horizontalAdvance(words) + 20, metrics.height() + 10
        row = canvas.row_rect(drag.row)
        left = min(max(8.0, canvas.x_of(drag.start)), canvas.viewport().width() - width - 8.0)
        top = row.bottom() - 4 if row.bottom() + height < canvas.viewport().height() else row.top() - height + 4
        place = QRectF(left, top, width, height)
        painter.setPen(QPen(colors.red, 1))
        painter.setBrush(colors.red_soft)
        painter.drawRoundedRect(place, 6, 6)
        painter.setFont(font)
        painter.setPen(colors.red_text)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)


def spoken_block(title: str, resource: str, state: str, block: Block) -> str:
    """A block in one sentence: for tool tips and for who listens."""
    parts = [title, resource, time_words(block.start, block.end), state]
    if block.record.refusal:
        parts.append(tr("office_module.refused_row"))
    elif block.record.pending:
        parts.append(tr("office_module.pending_row"))
    return "\n".join(part for part in parts if part)
