"""The calendar that drops from a date field: a month in the colors of the theme, below it the times where times are asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QDate, QLocale, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPainter, QPaintEvent, QPalette, QTextCharFormat
from PySide6.QtWidgets import QCalendarWidget, QFrame, QToolButton, QVBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, on_click, round_corners, row
from desktop.ui.office.record.editor import CalmComboBox
from desktop.ui.theme import icons

HALF_HOURS = tuple(f"{half // 2:02}:{half % 2 * 30:02}" for half in range(48))


class MonthCalendar(QCalendarWidget):
    """One month. Weeks begin on Monday; the names of days and months are in the language of the program."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        self.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        self.setGridVisible(False)
        i18n.bind(self.setAccessibleName, "office_record.calendar")
        self._dress()
        theme.changed.connect(self._dress)
        i18n.changed.connect(self._dress)

    def _dress(self) -> None:
        chinese = i18n.language() == "zh"
        self.setLocale(
            QLocale(QLocale.Language.Chinese, QLocale.Country.China)
            if chinese
            else QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom)
        )
        formats = QCalendarWidget.HorizontalHeaderFormat
        self.setHorizontalHeaderFormat(formats.SingleLetterDayNames if chinese else formats.ShortDayNames)
        colors = theme.tokens()
        names, plain, weekend = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        names.setForeground(colors.ink3)
        names.setBackground(colors.surface)
        plain.setForeground(colors.ink)
        weekend.setForeground(colors.red_text)
        self.setHeaderTextFormat(names)
        for day in Qt.DayOfWeek:
            free = day in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday)
            self.setWeekdayTextFormat(day, weekend if free else plain)
        for name, icon in (("qt_calendar_prevmonth", "caret-left"), ("qt_calendar_nextmonth", "caret-right")):
            button = self.findChild(QToolButton, name)
            if button is not None:
                button.setIcon(icons.icon(icon, "ink2", 16))
        self.setFixedSize(theme.scaled(308), theme.scaled(262))
        bar = self.findChild(QWidget, "qt_calendar_navigationbar")
        if bar is not None:
            bar.setBackgroundRole(QPalette.ColorRole.Base)


class DropPane(QFrame):
    """A small window below a field that leaves when pressed outside of it or on Escape."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        round_corners(self)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(8, 8, 8, 8)
        self.column.setSpacing(6)

    def drop_below(self, field: QWidget) -> None:
        """Shows it under the field, or above where there is no room."""
        self.adjustSize()
        place = field.mapToGlobal(QPoint(0, field.height() + 2))
        screen = field.screen() or QGuiApplication.primaryScreen()
        room = screen.availableGeometry()
        if place.y() + self.height() > room.bottom():
            place.setY(max(room.top(), field.mapToGlobal(QPoint(0, 0)).y() - self.height() - 2))
        place.setX(max(room.left(), min(place.x(), room.right() - self.width())))
        self.move(place)
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)  # the window is translucent where its corners are round: nothing else paints it
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.tokens().line_strong)
        painter.setBrush(theme.tokens().surface)
        radius = theme.values.RADIUS_CARD
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
            return
        super().keyPressEvent(event)


class DayPane(DropPane):
    """Picks a day, and a time of day where asked: `picked` carries the day, and "HH:MM" or the empty text."""

    picked = Signal(QDate, str)

    def __init__(self, parent: QWidget, *, timed: bool) -> None:
        super().__init__(parent)
        self.month = MonthCalendar()
        self.time = _time_list("office_record.time", self)
        self.column.addWidget(self.month)
        done = Button(key="office_record.done", kind="primary", small=True, parent=self)
        on_click(done, self._finish)
        today = Button(key="office_record.today", kind="link", small=True)
        on_click(today, lambda: self._pick(self._today()))
        self.time.setVisible(timed)
        done.setVisible(timed)
        self._today: Callable[[], QDate] = QDate.currentDate
        self.column.addLayout(row(today, None, self.time, done))
        self._timed = timed
        self.month.clicked.connect(self._pick)
        self.month.activated.connect(self._pick)

    def show_day(self, day: QDate, time: str, today: QDate) -> None:
        """What is picked so far."""
        self._today = lambda: today
        self.month.setSelectedDate(day)
        _show_time(self.time, time)

    def _pick(self, day: QDate) -> None:
        self.month.setSelectedDate(day)
        self.picked.emit(day, self.time.currentText() if self._timed else "")
        if not self._timed:
            self.hide()

    def _finish(self) -> None:
        self._pick(self.month.selectedDate())
        self.hide()


class SpanPane(DropPane):
    """Picks the two ends of a span: `picked` carries both days and times."""

    picked = Signal(QDate, str, QDate, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.month = MonthCalendar()
        self.ends = [Button(small=True), Button(small=True)]
        self.times = [_time_list("office_record.start", self), _time_list("office_record.end", self)]
        self._days = [QDate(), QDate()]
        self._chosen = 0
        for number, button in enumerate(self.ends):
            button.setCheckable(True)
            on_click(button, partial(self._choose, number))
            self.times[number].currentTextChanged.connect(self._tell)
        done = Button(key="office_record.done", kind="primary", small=True)
        on_click(done, self.hide)
        self.column.addLayout(row(*self.ends, None))
        self.column.addWidget(self.month)
        self.column.addLayout(row(*self.times, None, done))
        self._showing = False
        self.month.clicked.connect(self._pick)
        self.month.activated.connect(self._pick)

    def show_ends(self, first: tuple[QDate, str], last: tuple[QDate, str]) -> None:
        """What is picked so far."""
        self._showing = True
        self._days = [first[0], last[0]]
        _show_time(self.times[0], first[1])
        _show_time(self.times[1], last[1])
        self._showing = False
        self._choose(0)

    def _choose(self, end: int) -> None:
        self._chosen = end
        for number, button in enumerate(self.ends):
            button.setChecked(number == end)
            key = "office_record.start_on" if number == 0 else "office_record.end_on"
            button.setText(tr(key, day=self._days[number].toString(Qt.DateFormat.ISODate)))
        self.month.setSelectedDate(self._days[end])

    def _pick(self, day: QDate) -> None:
        if self._chosen == 0:
            self._days[1] = day.addDays(self._days[0].daysTo(self._days[1]))
            self._days[0] = day
        else:
            self._days[1] = day
            self._days[0] = min(self._days[0], day)
        self._choose(1)
        self._tell()

    def _tell(self) -> None:
        if not self._showing:
            self.picked.emit(self._days[0], self.times[0].currentText(), self._days[1], self.times[1].currentText())


def _time_list(key: str, parent: QWidget) -> CalmComboBox:
    box = CalmComboBox(parent)
    box.addItems(list(HALF_HOURS))
    box.setMinimumWidth(theme.scaled(84))
    box.setMaxVisibleItems(12)
    i18n.bind(box.setAccessibleName, key)
    return box


def _show_time(box: CalmComboBox, time: str) -> None:
    index = box.findText(time)
    if index < 0:
        box.addItem(time)
        index = box.count() - 1
    box.setCurrentIndex(index)
