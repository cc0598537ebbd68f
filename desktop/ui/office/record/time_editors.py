"""Editors of days, moments and spans: typed in any of several forms, stepped by arrow keys, or picked from a calendar."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QWidget

from desktop.core.clock import utc_date
from desktop.core.domain.definition import Field
from desktop.models import record_values as values
from desktop.ui import i18n
from desktop.ui.kit import IconButton, TextField, on_click, row
from desktop.ui.office.record.calendar import DayPane, SpanPane
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.views.base import ViewContext

DAYS = {"before_yesterday": -2, "yesterday": -1, "today": 0, "tomorrow": 1, "after_tomorrow": 2}
WORK_BEGINS = 9
LENGTH_MS = 3_600_000
"""A span that is picked starts with an hour."""


def day_words() -> dict[str, int]:
    """Words for days near today in both languages, whatever the program speaks."""
    catalog = i18n.catalog()
    return {
        text.casefold(): count
        for name, count in DAYS.items()
        for text in catalog.get(f"office_record.day.{name}", {}).values()
    }


class _TimeLine(TextField):
    """The line of a time field: steps by arrows, drops the calendar by Alt+Down or F4, tidies itself when left."""

    stepped = Signal(int, str)
    dropped = Signal()
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key is Qt.Key.Key_F4 or (key is Qt.Key.Key_Down and event.modifiers() & Qt.KeyboardModifier.AltModifier):
            self.dropped.emit()
            return
        steps = {
            Qt.Key.Key_Up: (1, "d"),
            Qt.Key.Key_Down: (-1, "d"),
            Qt.Key.Key_PageUp: (1, "m"),
            Qt.Key.Key_PageDown: (-1, "m"),
        }
        if key in steps and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.stepped.emit(*steps[key])
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.left.emit()
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.left.emit()
        super().focusOutEvent(event)


class _TimeEditor(FieldEditor):
    """Base of the three: a line, and a button for the calendar."""

    hint = ""

    def __init__(
        self, context: ViewContext, field: Field, *, compact: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, field, compact=compact, parent=parent)
        self._value: Any = None
        self._pane: QWidget | None = None
        self.line = _TimeLine()
        i18n.bind(self.line.setPlaceholderText, self.hint)
        self.setFocusProxy(self.line)
        self.button = IconButton("calendar-blank", "office_record.open_calendar", tone="ink3", size=16, box=28)
        on_click(self.button, self.open_calendar)
        self.column.addLayout(row(self.line, self.button, spacing=2))
        self.line.textChanged.connect(self._on_text)
        self.line.left.connect(self._tidy)
        self.line.stepped.connect(self._step)
        self.line.dropped.connect(self.open_calendar)

    # ---- for sub-classes
    def parse(self, text: str) -> Any:
        """The wire value of a text; raises Unreadable."""
        raise NotImplementedError

    def words(self, value: Any) -> str:
        """A wire value as it stands in the line."""
        raise NotImplementedError

    def moved(self, value: Any, count: int, unit: str) -> Any:
        """The value so many days or months further."""
        raise NotImplementedError

    def open_calendar(self) -> None:
        """Drops the calendar."""
        raise NotImplementedError

    # ---- the value
    def today(self) -> date:
        """The local day."""
        return values.local_date(self.context.now_ms())

    def value(self) -> Any:
        return self._value

    def show_value(self, value: Any) -> None:
        if self.line.hasFocus() and value == self._value:
            return  # being typed
        self.line.setText(self.words(value) if value is not None else "")
        self._value = value

    def pick(self, value: Any) -> None:
        """The user chose a value by calendar or arrows."""
        self._setting = True
        self.line.setText(self.words(value))
        self._setting = False
        self._value = value
        self.told()

    def raw(self) -> str | None:
        text = self.line.text()
        if not text.strip() or text == (self.words(self._value) if self._value is not None else ""):
            return None
        try:
            self.parse(text)
        except values.Unreadable:
            return text
        return None

    def set_raw(self, text: str) -> None:
        self.line.setText(text)

    def _on_text(self, text: str) -> None:
        if self._setting:
            return
        if not text.strip():
            self._value = None
        else:
            with suppress(values.Unreadable):  # raw() says so; the last value stays
                self._value = self.parse(text)
        self.told()

    def _tidy(self) -> None:
        if self._value is not None and self.raw() is None:
            self._setting = True
            self.line.setText(self.words(self._value))
            self._setting = False

    def _step(self, count: int, unit: str) -> None:
        try:
            self.pick(self.moved(self._value, count, unit))
        except values.Unreadable:
            return  # the calendar ends here


class DateEditor(_TimeEditor):
    """A day."""

    hint = "office_record.date_hint"

    def parse(self, text: str) -> Any:
        return values.parse_date(text, self.today(), day_words()).isoformat()

    def words(self, value: Any) -> str:
        return str(value)

    def moved(self, value: Any, count: int, unit: str) -> Any:
        day = _day(value)
        return self.today().isoformat() if day is None else values.step_date(day, count, unit).isoformat()

    def open_calendar(self) -> None:
        pane = DayPane(self, timed=False) if not isinstance(self._pane, DayPane) else self._pane
        if self._pane is None:
            pane.picked.connect(lambda day, _time: self.pick(day.toString(Qt.DateFormat.ISODate)))
            self._pane = pane
        pane.show_day(_qdate(_day(self._value) or self.today()), "", _qdate(self.today()))
        pane.drop_below(self.line)


class DatetimeEditor(_TimeEditor):
    """A moment."""

    hint = "office_record.datetime_hint"

    def parse(self, text: str) -> Any:
        return utc_date(values.parse_moment(text, self.today(), day_words()))

    def words(self, value: Any) -> str:
        ms = values.moment_of(value)
        return str(value) if ms is None else values.format_moment(ms)

    def moved(self, value: Any, count: int, unit: str) -> Any:
        ms = values.moment_of(value)
        if ms is None:
            return utc_date(values.local_ms(self.today(), WORK_BEGINS))
        return utc_date(_move(ms, count, unit))

    def open_calendar(self) -> None:
        pane = DayPane(self, timed=True) if not isinstance(self._pane, DayPane) else self._pane
        if self._pane is None:
            pane.picked.connect(self._on_picked)
            self._pane = pane
        ms = values.moment_of(self._value) or values.local_ms(self.today(), WORK_BEGINS)
        pane.show_day(*_day_and_time(ms), _qdate(self.today()))
        pane.drop_below(self.line)

    def _on_picked(self, day: QDate, time: str) -> None:
        self.pick(utc_date(_moment(day, time)))


class SpanEditor(_TimeEditor):
    """From one moment to another."""

    hint = "office_record.span_hint"

    def parse(self, text: str) -> Any:
        return values.span_value(*values.parse_span(text, self.today(), day_words()))

    def words(self, value: Any) -> str:
        span = values.span_of(value)
        return str(value) if span is None else values.format_span(*span)

    def moved(self, value: Any, count: int, unit: str) -> Any:
        span = values.span_of(value)
        if span is None:
            return values.span_value(*self._first_span())
        start = _move(span[0], count, unit)
        return values.span_value(start, start + span[1] - span[0])

    def _first_span(self) -> tuple[int, int]:
        start = values.local_ms(self.today(), WORK_BEGINS)
        return start, start + LENGTH_MS

    def open_calendar(self) -> None:
        pane = SpanPane(self) if not isinstance(self._pane, SpanPane) else self._pane
        if self._pane is None:
            pane.picked.connect(self._on_picked)
            self._pane = pane
        start, end = values.span_of(self._value) or self._first_span()
        pane.show_ends(_day_and_time(start), _day_and_time(end))
        pane.drop_below(self.line)

    def _on_picked(self, first: QDate, start: str, last: QDate, end: str) -> None:
        begins, ends = _moment(first, start), _moment(last, end)
        self.pick(values.span_value(begins, ends if ends > begins else begins + LENGTH_MS))


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _qdate(day: date) -> QDate:
    return QDate(day.year, day.month, day.day)


def _day_and_time(ms: int) -> tuple[QDate, str]:
    text = values.format_moment(ms)
    return _qdate(date.fromisoformat(text[:10])), text[11:]


def _moment(day: QDate, time: str) -> int:
    return values.local_ms(date(day.year(), day.month(), day.day()), *values.parse_clock(time))


def _move(ms: int, count: int, unit: str) -> int:
    text = values.format_moment(ms)
    day = values.step_date(date.fromisoformat(text[:10]), count, unit)
    hour, minute = values.parse_clock(text[11:])
    rest = ms - values.local_ms(date.fromisoformat(text[:10]), hour, minute)
    return values.local_ms(day, hour, minute) + rest
