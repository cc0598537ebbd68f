"""The calendar view: records on their days as a month, a week, a day or a list; moved by hand and made over days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain.definition import Field, FieldKind, View
from desktop.core.domain.records import During, RecordQuery
from desktop.core.errors import AppError
from desktop.models.agenda_layout import Entry, entries_of, month_weeks, shifted
from desktop.models.record_values import local_date, local_ms
from desktop.models.timeline_layout import HOUR_MS, Scale, step_day, time_value, window_of
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import Banner
from desktop.ui.office.views.base import STATE, RecordView, ViewContext, all_of, register
from desktop.ui.office.views.calendar_agenda import AgendaList
from desktop.ui.office.views.calendar_canvas import CalendarCanvas, CalendarWords
from desktop.ui.office.views.calendar_month import MonthCanvas
from desktop.ui.office.views.calendar_week import WeekCanvas
from desktop.ui.office.views.date_bar import DateBar, day_words
from desktop.ui.office.views.kept_choices import KeptChoices
from desktop.ui.office.views.state_stack import StateStack
from desktop.ui.office.views.timeline_paint import time_words
from desktop.ui.tasks import alive

SCALES: Final = ("month", "week", "day", "agenda")
MORNING: Final = 9


@register("calendar")
class CalendarView(RecordView):
    """Records of one type by a date, datetime or span."""

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.kept = KeptChoices(context.records, f"{context.module_id}/{view.id}/calendar", self)
        self.day: date = local_date(context.now_ms())
        self.entries: list[Entry] = []
        words = CalendarWords(self._title, self._tone, self._spoken, self._may_move)
        self.month = MonthCanvas(words, context.now_ms)
        self.week = WeekCanvas(words, context.now_ms)
        self.agenda = AgendaList(words, self._state)
        self.rooms = QStackedWidget()
        for room in (self.month, self.week, self.agenda):
            self.rooms.addWidget(room)
        self.bar = DateBar(SCALES)
        self.notice = Banner()
        self.stack = StateStack(self.rooms)
        self._waiting = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.stack, 1)
        column.addWidget(self.notice)
        self._bind()

    def _bind(self) -> None:
        self.bar.stepped.connect(self.step)
        self.bar.today_asked.connect(lambda: self.go(local_date(self.context.now_ms())))
        self.bar.scale_chosen.connect(self.set_scale)
        self.agenda.opened.connect(self._on_opened)
        self.agenda.picked.connect(self._on_selected)
        self.stack.retry.connect(self.reload)
        self.context.definition_changed.connect(self.reload)
        for canvas in (self.month, self.week):
            canvas.opened.connect(self._on_opened)
            canvas.moved.connect(self._on_moved)
            canvas.created.connect(self._on_created)
            canvas.selected.connect(self._on_selected)
            canvas.refused.connect(self._say)
            canvas.stepped.connect(self._on_stepped)
            canvas.day_asked.connect(self.show_day)
            canvas.released.connect(self._on_released)

    # ---- definition
    @property
    def time(self) -> Field | None:
        """The field that places a record: the view's, else the booking's, else the first with a time."""
        definition = self.context.type_of(self.view.type)
        if definition is None:
            return None
        name = self.view.time or (definition.booking.span if definition.booking else "")
        kinds = (FieldKind.SPAN, FieldKind.DATETIME, FieldKind.DATE)
        found = self.context.field_of(definition.name, name) if name else None
        return found or next((field for field in definition.fields if field.kind in kinds), None)

    # ---- the days
    @property
    def scale(self) -> str:
        """month, week, day or agenda, as the user left it."""
        held = self.kept.text("scale", "month")
        return held if held in SCALES else "month"

    def days(self) -> list[date]:
        """Days that are shown, and read."""
        if self.scale in ("month", "agenda"):
            weeks = month_weeks(self.day)
            if self.scale == "month":
                return [day for week in weeks for day in week]
        window = window_of({"week": Scale.WEEK, "day": Scale.DAY}.get(self.scale, Scale.MONTH), self.day)
        return [window.first + timedelta(days=n) for n in range((window.after - window.first).days)]

    def step(self, count: int) -> None:
        """So many months, weeks or days further."""
        scale = {"week": Scale.WEEK, "day": Scale.DAY}.get(self.scale, Scale.MONTH)
        self.go(step_day(scale, self.day, count))

    def _on_stepped(self, count: int) -> None:
        """A canvas turns the page; the day chosen there stays the chosen one."""
        canvas = self.canvas
        chosen = canvas.day if canvas is not None else self.day
        if chosen in self.days():
            self.step(count)
        else:
            self.go(chosen)

    def go(self, day: date) -> None:
        """Shows the page with this day."""
        self.day = day
        for canvas in (self.month, self.week):
            canvas.day = day
        self._show_page()
        self.reload()

    def set_scale(self, scale: str) -> None:
        """month, week, day or agenda."""
        canvas = self.canvas
        if canvas is not None and canvas.day in self.days():
            self.day = canvas.day
        self.kept.keep(scale=scale)
        self.go(self.day)

    def show_day(self, day: date) -> None:
        """One day alone."""
        self.kept.keep(scale="day")
        self.go(day)

    @property
    def canvas(self) -> CalendarCanvas | None:
        """The painted calendar that is shown; None for the list."""
        return {"month": self.month, "agenda": None}.get(self.scale, self.week)

    def _show_page(self) -> None:
        room: QWidget = self.canvas or self.agenda
        had_focus = any(one.hasFocus() for one in (self.month, self.week, self.agenda))
        self.rooms.setCurrentWidget(room)
        self.setFocusProxy(room)
        if had_focus:
            room.setFocus()
        days = self.days()
        if self.scale == "day":
            title = day_words("office_views.day_title", self.day)
        elif self.scale == "week":
            first, last = (day_words("office_views.week_day", day) for day in (days[0], days[-1]))
            week = days[0].isocalendar().week
            title = tr("office_views.week_title", first=first, last=last, week=week, y=days[0].year)
        else:
            title = day_words("office_views.month_title", self.day)
        self.bar.show_window(title, self.scale)

    # ---- reading
    def reload(self) -> None:
        self.tasks.start(self._reload(), name="reload", exclusive=True)

    async def _reload(self) -> None:
        await self.kept.load()
        if not alive(self):
            return
        self._show_page()
        days, field = self.days(), self.time
        if field is None:
            self.stack.show_empty(narrowed=False)
            return
        try:
            page = await self.context.records.page(self._query(field, days))
        except AppError as error:
            if alive(self) and not self.stack.showing:
                self.stack.show_failed(error)
                return
            raise
        entries = await in_background(entries_of, page.records, field, days[0], days[-1] + timedelta(days=1))
        if alive(self) and days == self.days():
            self._show(days, entries)

    def _query(self, field: Field, days: list[date]) -> RecordQuery:
        """Records that touch the days."""
        first, after = days[0], days[-1] + timedelta(days=1)
        if field.kind is FieldKind.DATE:
            dates = {f"{field.name}After": first.isoformat(), f"{field.name}Before": after.isoformat()}
            return RecordQuery(self.view.type, all_of((self.wanted(), dates)), self.needle, (field.name,), 0, None)
        during = During(field.name, local_ms(first), local_ms(after))
        return RecordQuery(self.view.type, self.wanted(), self.needle, (field.name,), 0, None, during)

    def _show(self, days: list[date], entries: list[Entry]) -> None:
        canvas = self.canvas
        if canvas is not None and canvas.drag is not None:
            self._waiting = True
            return
        self.entries = entries
        self.month.month = self.day.month
        if canvas is None:
            self.agenda.show_entries(entries, days[0], days[-1] + timedelta(days=1))
            if not entries:
                self.stack.show_empty(narrowed=bool(self.needle or self.narrowed), key="office_views.nothing_here")
                return
        else:
            canvas.show_entries(days, entries)
        self.stack.show_content()

    def _on_released(self) -> None:
        if self._waiting:
            self._waiting = False
            self.reload()

    # ---- words
    def _title(self, entry: Entry) -> str:
        return self.context.title(entry.record)

    def _tone(self, entry: Entry) -> str:
        definition = self.context.type_of(entry.record.type)
        state = definition.state(entry.record.data.get(STATE)) if definition is not None else None
        return state.color if state is not None else "accent"

    def _state(self, entry: Entry) -> str:
        return self.context.text(entry.record, STATE)

    def _spoken(self, entry: Entry) -> str:
        times = time_words(entry.start, entry.end)
        parts = [self._title(entry), times, self._state(entry)]
        if entry.record.refusal:
            parts.append(tr("office_module.refused_row"))
        elif entry.record.pending:
            parts.append(tr("office_module.pending_row"))
        return "\n".join(part for part in parts if part)

    def _may_move(self, entry: Entry) -> str:
        field = self.time
        allowed = field is not None and self.context.records.may_edit(entry.record, field.name)
        return "" if allowed else tr("office_views.may_not_move")

    # ---- gestures
    def _on_moved(self, entry: Entry, days: int) -> None:
        field = self.time
        if field is not None:
            self.notice.hide()
            start, end = shifted(entry, days)
            self.patch_asked.emit(entry.record, {field.name: time_value(field, start, end)})

    def _on_created(self, first: date, last: date, at: int | None) -> None:
        field = self.time
        if field is None:
            return
        if not self.context.records.may(None, self.view.type, "create"):
            self._say(tr("office_views.may_not_create"))
            return
        if at is not None:
            start, end = at, at + HOUR_MS
        elif first != last and field.kind is FieldKind.SPAN:
            start, end = local_ms(first), local_ms(last + timedelta(days=1))
        else:
            start = local_ms(first, 0 if field.kind is FieldKind.DATE else MORNING)
            end = start + HOUR_MS
        self.new_asked.emit({field.name: time_value(field, start, end)})

    def _say(self, text: str) -> None:
        self.notice.show_text(text, tone="red", icon="warning-circle", dismissible=True)

    def _on_opened(self, entry: Entry) -> None:
        self.opened.emit(entry.record.id)

    def _on_selected(self, entry: Entry | None) -> None:
        self.selection_changed.emit([entry.record.id] if entry is not None else [])

    # ---- for the page
    def show_record(self, record_id: str) -> None:
        for canvas in (self.month, self.week):
            canvas.marked = record_id
            canvas.viewport().update()
        if self.canvas is None and record_id:
            self.agenda.choose(record_id)

    def on_names(self) -> None:
        self._show_page()
        for room in (self.month, self.week, self.agenda):
            room.viewport().update()
