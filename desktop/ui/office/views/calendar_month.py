"""A month as a grid of weeks: week numbers, today, bars over several days, "+n more" where a day is full."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen

from desktop.models.agenda_layout import WEEK, Line, lay_line
from desktop.models.record_values import local_date
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.office.views.calendar_canvas import CalendarCanvas
from desktop.ui.office.views.date_bar import day_words

HEAD, NUMBER, CHIP, GAP, WEEKS = 28, 24, 20, 2, 36
LEAST = 74
"""Height of a week below which the month scrolls."""


class MonthCanvas(CalendarCanvas):
    """`month`: the one whose days are in full ink."""

    month = 0

    def _weeks(self) -> int:
        return max(1, len(self.days) // WEEK)

    def _side(self) -> int:
        return theme.scaled(WEEKS)

    def _height(self) -> float:
        room = self.viewport().height() - theme.scaled(HEAD)
        return max(theme.scaled(LEAST), room / self._weeks())

    def _width(self) -> float:
        return (self.viewport().width() - self._side()) / WEEK

    def relayout(self) -> None:
        room = self.viewport().height() - theme.scaled(HEAD)
        self.verticalScrollBar().setRange(0, max(0, round(self._height() * self._weeks()) - room))
        self.verticalScrollBar().setPageStep(max(1, room))
        self.viewport().update()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # Qt hands a QResizeEvent
        self.relayout()

    def _cell(self, number: int) -> QRectF:
        top = theme.scaled(HEAD) + number // WEEK * self._height() - self.verticalScrollBar().value()
        return QRectF(self._side() + number % WEEK * self._width(), top, self._width(), self._height())

    def day_rect(self, day: date) -> QRectF:
        return self._cell((day - self.days[0]).days) if self.days and self.days[0] <= day <= self.days[-1] else QRectF()

    def day_at(self, place: QPointF) -> date | None:
        top = place.y() - theme.scaled(HEAD) + self.verticalScrollBar().value()
        if place.y() < theme.scaled(HEAD) or place.x() < self._side():
            return None
        number = int(top / self._height()) * WEEK + min(WEEK - 1, int((place.x() - self._side()) / self._width()))
        return self.days[number] if 0 <= number < len(self.days) else None

    def lanes(self) -> int:
        """Entries that find room on a day."""
        room = self._height() - theme.scaled(NUMBER) - 3
        return max(1, int(room / theme.scaled(CHIP + GAP)))

    def _more_rect(self, day: date) -> QRectF:
        cell = self.day_rect(day)
        top = cell.top() + theme.scaled(NUMBER) + (self.lanes() - 1) * theme.scaled(CHIP + GAP)
        return QRectF(cell.left() + 2, top, cell.width() - 4, theme.scaled(CHIP))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        day = self.day_at(event.position())
        if (
            day is not None
            and self._line_of(day).hidden[day.weekday()]
            and self._more_rect(day).contains(event.position())
        ):
            self.day_asked.emit(day)
            return
        super().mousePressEvent(event)

    def _line_of(self, day: date) -> Line:
        start = (day - self.days[0]).days // WEEK * WEEK
        return lay_line(self.days[start : start + WEEK], self.entries, self.lanes())

    # ---- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.viewport().rect(), theme.tokens().surface)
        self.hits = []
        if self.days:
            for week in range(self._weeks()):
                self._paint_week(painter, week)
            self._paint_head(painter)
        painter.end()

    def _paint_head(self, painter: QPainter) -> None:
        colors, height = theme.tokens(), theme.scaled(HEAD)
        painter.fillRect(QRect(0, 0, self.viewport().width(), height), colors.surface)
        painter.setFont(theme.font("secondary"))
        painter.setPen(colors.ink3)
        for number in range(WEEK):
            place = QRectF(self._side() + number * self._width(), 0, self._width(), height)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, tr(f"when.weekday.{number}"))
        painter.fillRect(QRect(0, height - 1, self.viewport().width(), 1), colors.line)

    def _paint_week(self, painter: QPainter, week: int) -> None:
        days = self.days[week * WEEK : (week + 1) * WEEK]
        first = self._cell(week * WEEK)
        if first.bottom() < 0 or first.top() > self.viewport().height():
            return
        colors = theme.tokens()
        covered = self.dragged_days()
        for number, day in enumerate(days):
            cell = self._cell(week * WEEK + number)
            self._paint_cell(painter, cell, day)
            if covered is not None and covered[0] <= day <= covered[1]:
                self.paint_gesture(painter, cell)
        painter.setPen(colors.ink3)
        painter.setFont(theme.font("small"))
        side = QRectF(0, first.top(), self._side(), theme.scaled(NUMBER))
        painter.drawText(
            side, Qt.AlignmentFlag.AlignCenter, tr("office_views.week_number", n=days[0].isocalendar().week)
        )
        painter.fillRect(QRectF(0, first.bottom() - 1, self.viewport().width(), 1), colors.line)
        line = lay_line(days, self.entries, self.lanes())
        for bar in line.bars:
            left, right = self._cell(week * WEEK + bar.first), self._cell(week * WEEK + bar.last)
            top = left.top() + theme.scaled(NUMBER) + bar.lane * theme.scaled(CHIP + GAP)
            inset, end = (2 if bar.begins else 0), (3 if bar.ends else 0)
            rect = QRectF(left.left() + inset, top, right.right() - left.left() - inset - end, theme.scaled(CHIP))
            self.paint_entry(painter, rect, bar.entry)
        for number, count in enumerate(line.hidden):
            if count:
                painter.setPen(colors.ink2)
                painter.setFont(theme.font("small"))
                place = self._more_rect(days[number]).adjusted(theme.scaled(5), 0, 0, 0)
                words = tr("office_views.more", n=count)
                painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)

    def _paint_cell(self, painter: QPainter, cell: QRectF, day: date) -> None:
        colors = theme.tokens()
        today, other = day == local_date(self.now_ms()), day.month != self.month
        if day.weekday() >= 5 or other:
            painter.fillRect(cell, colors.bg)
        painter.fillRect(QRectF(cell.left(), cell.top(), 1, cell.height()), colors.line)
        words = str(day.day) if day.day > 1 else day_words("office_views.week_day", day)
        place = QRectF(cell.left() + theme.scaled(5), cell.top() + 2, theme.scaled(20), theme.scaled(20))
        painter.setFont(theme.font("secondary", bold=today))
        if today:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.accent)
            painter.drawEllipse(place)
            painter.setPen(colors.on_accent)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(day.day))
        else:
            painter.setPen(colors.ink3 if other else colors.ink)
            wide = place.adjusted(2, 0, cell.width(), 0)
            painter.drawText(wide, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        if day == self.day and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colors.accent, 1))
            painter.drawRect(cell.adjusted(1, 0, -1, -2))
