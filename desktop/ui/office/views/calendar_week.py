"""A week or one day with hours down the side: bars of whole days above, timed entries side by side where they overlap, the line of now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen

from desktop.models.agenda_layout import Entry, Line, lay_day, lay_line
from desktop.models.record_values import local_date, local_ms
from desktop.models.timeline_layout import HOUR_MS, snapped
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.office.views.calendar_canvas import CalendarCanvas
from desktop.ui.office.views.date_bar import day_words

HEAD, SIDE, HOUR, CHIP, GAP = 32, 52, 46, 20, 2
MOST_BARS = 5
FIRST_HOUR = 7
HOURS = 24


class WeekCanvas(CalendarCanvas):
    """Days beside each other. Hours are those of the clock, so a day on which clocks change has 24 of them too."""

    def row_step(self) -> int:
        return 7 if len(self.days) > 1 else 1

    def show_entries(self, days: Sequence[date], entries: Sequence[Entry]) -> None:
        fresh = list(days) != list(self.days)
        super().show_entries(days, entries)
        if fresh:
            hours = [_clock_hours(one.start) for one in entries if not one.bar]
            self.verticalScrollBar().setValue(round(min([FIRST_HOUR, *hours]) * theme.scaled(HOUR)) - 4)

    def _bars(self) -> Line:
        return lay_line(self.days, [one for one in self.entries if one.bar], MOST_BARS)

    def _top(self) -> int:
        """Where the hours begin."""
        lanes = self._bars().lanes + any(self._bars().hidden)
        return theme.scaled(HEAD) + (lanes * theme.scaled(CHIP + GAP) + 4 if lanes else 0)

    def _width(self) -> float:
        return (self.viewport().width() - theme.scaled(SIDE)) / max(1, len(self.days))

    def relayout(self) -> None:
        room = self.viewport().height() - self._top()
        self.verticalScrollBar().setRange(0, max(0, HOURS * theme.scaled(HOUR) - room))
        self.verticalScrollBar().setPageStep(max(1, room))
        self.verticalScrollBar().setSingleStep(theme.scaled(HOUR))
        self.viewport().update()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # Qt hands a QResizeEvent
        self.relayout()

    def _left(self, number: int) -> float:
        return theme.scaled(SIDE) + number * self._width()

    def day_rect(self, day: date) -> QRectF:
        if day not in self.days:
            return QRectF()
        return QRectF(self._left(list(self.days).index(day)), 0, self._width(), self.viewport().height())

    def day_at(self, place: QPointF) -> date | None:
        if place.x() < theme.scaled(SIDE) or not self.days:
            return None
        return self.days[min(len(self.days) - 1, int((place.x() - theme.scaled(SIDE)) / self._width()))]

    def _y_of(self, hours: float) -> float:
        return self._top() + hours * theme.scaled(HOUR) - self.verticalScrollBar().value()

    def moment_at(self, place: QPointF) -> int | None:
        day = self.day_at(place)
        if day is None or place.y() < self._top():
            return None
        hours = (place.y() - self._top() + self.verticalScrollBar().value()) / theme.scaled(HOUR)
        return snapped(local_ms(day) + (hours - 0.25) * HOUR_MS, HOUR_MS // 2)

    # ---- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.viewport().rect(), theme.tokens().surface)
        self.hits = []
        if self.days:
            painter.setClipRect(QRect(0, self._top(), self.viewport().width(), self.viewport().height()))
            self._paint_hours(painter)
            for number, day in enumerate(self.days):
                self._paint_day(painter, number, day)
            self._paint_now(painter)
            painter.setClipping(False)
            self._paint_head(painter)
        painter.end()

    def _paint_hours(self, painter: QPainter) -> None:
        colors = theme.tokens()
        painter.setFont(theme.font("small"))
        for number, day in enumerate(self.days):
            if day.weekday() >= 5:
                place = QRectF(self._left(number), self._top(), self._width(), self.viewport().height())
                painter.fillRect(place, colors.bg)
        for hour in range(HOURS):
            y = self._y_of(hour)
            painter.fillRect(QRectF(theme.scaled(SIDE), y, self.viewport().width(), 1), colors.line)
            painter.setPen(colors.ink3)
            place = QRectF(0, y - theme.scaled(8), theme.scaled(SIDE - 8), theme.scaled(16))
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{hour}:00")

    def _paint_day(self, painter: QPainter, number: int, day: date) -> None:
        left, width = self._left(number), self._width()
        painter.fillRect(QRectF(left, self._top(), 1, self.viewport().height()), theme.tokens().line)
        for timed in lay_day(day, self.entries):
            share = (width - 6) / timed.columns
            start, end = _clock_hours(timed.entry.start), _clock_hours(timed.entry.end) or HOURS
            end = max(end if end > start else HOURS, start + 0.5)
            top, bottom = self._y_of(start), self._y_of(end)
            rect = QRectF(left + 3 + timed.column * share, top + 1, share - 2, bottom - top - 2)
            self.paint_entry(painter, rect, timed.entry)
        covered = self.dragged_days()
        if covered is not None and covered[0] <= day <= covered[1]:
            self.paint_gesture(painter, QRectF(left, self._top(), width, self.viewport().height()))

    def _paint_now(self, painter: QPainter) -> None:
        now = self.now_ms()
        today = local_date(now)
        if today in self.days:
            left, y = self._left(list(self.days).index(today)), self._y_of(_clock_hours(now))
            painter.setPen(QPen(theme.tokens().red, 1))
            painter.drawLine(QPointF(left, y), QPointF(left + self._width(), y))

    def _paint_head(self, painter: QPainter) -> None:
        colors, height = theme.tokens(), theme.scaled(HEAD)
        painter.fillRect(QRect(0, 0, self.viewport().width(), self._top()), colors.surface)
        today = local_date(self.now_ms())
        painter.setPen(colors.ink3)
        painter.setFont(theme.font("small"))
        week = tr("office_views.week_number", n=self.days[0].isocalendar().week)
        painter.drawText(QRectF(0, 0, theme.scaled(SIDE), height), Qt.AlignmentFlag.AlignCenter, week)
        for number, day in enumerate(self.days):
            place = QRectF(self._left(number), 0, self._width(), height)
            painter.setFont(theme.font("secondary", bold=day == today))
            painter.setPen(colors.link if day == today else colors.ink2)
            words = day_words("office_views.tick_day", day)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)
            if day == self.day and self.hasFocus():
                painter.fillRect(QRectF(place.left() + 4, height - 3, place.width() - 8, 2), colors.accent)
        self._paint_bars(painter)
        painter.fillRect(QRect(0, self._top() - 1, self.viewport().width(), 1), colors.line)

    def _paint_bars(self, painter: QPainter) -> None:
        line = self._bars()
        for bar in line.bars:
            top = theme.scaled(HEAD) + bar.lane * theme.scaled(CHIP + GAP)
            left, right = self._left(bar.first), self._left(bar.last + 1)
            self.paint_entry(painter, QRectF(left + 2, top, right - left - 5, theme.scaled(CHIP)), bar.entry)
        for number, count in enumerate(line.hidden):
            if count:
                top = theme.scaled(HEAD) + line.lanes * theme.scaled(CHIP + GAP)
                painter.setPen(theme.tokens().ink2)
                painter.setFont(theme.font("small"))
                place = QRectF(self._left(number) + 6, top, self._width() - 6, theme.scaled(CHIP))
                painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, tr("office_views.more", n=count))


def _clock_hours(ms: int) -> float:
    """Hours since midnight as the clock shows them."""
    moment = datetime.fromtimestamp(ms / 1000).astimezone()
    return moment.hour + moment.minute / 60
