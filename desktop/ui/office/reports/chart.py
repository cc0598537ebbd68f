"""The chart view: reports of a module over a period as a picture and a table of exact figures, to be copied, written into a workbook or saved as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QScrollArea, QSplitter, QVBoxLayout, QWidget

from desktop.core.domain.definition import Field, FieldKind, Report, View
from desktop.core.domain.records import RecordQuery
from desktop.core.errors import AppError
from desktop.models.record_values import local_date
from desktop.models.report_table import (
    Group,
    Key,
    Period,
    PeriodName,
    ReportTable,
    figure_names,
    figure_places,
    figure_text,
    key_day,
    may_add_up,
    period_filter,
    period_of,
    picture_of,
    table_of,
    table_of_groups,
    time_name,
)
from desktop.ui import theme
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import Banner, Label, finished
from desktop.ui.office.reports.chart_bar import ChartBar
from desktop.ui.office.reports.chart_canvas import ChartCanvas, ChartData, Line
from desktop.ui.office.reports.chart_table import FigureRow, FigureTable, total_row
from desktop.ui.office.views.base import RecordView, ViewContext, all_of, register
from desktop.ui.office.views.kept_choices import KeptChoices
from desktop.ui.office.views.state_stack import StateStack
from desktop.ui.tasks import alive

_OUTSIDE: Final = '\\/:*?"<>|'


@register("chart")
class ChartView(RecordView):
    """Reports, one at a time."""

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.kept = KeptChoices(context.records, f"{context.module_id}/{view.id}/chart", self)
        self.table = ReportTable(())
        self.shown: Report | None = None
        self.measure = 0
        self.bar = ChartBar(local_date(context.now_ms()))
        self.canvas = ChartCanvas()
        self.canvas.setObjectName("chartCanvas")
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is inside takes the keyboard, and scrolls along
        self.area.setWidget(self.canvas)
        self.figures = FigureTable()
        self.figures.setObjectName("figureTable")
        self.foot = Label(role="secondary", tone="ink3")
        self.foot.setContentsMargins(12, 4, 12, 6)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.area)
        self.split.addWidget(self.figures)
        self.split.setSizes([theme.scaled(300), theme.scaled(220)])
        self.stack = StateStack(self.split)
        self.notice = Banner()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.bar, self.stack, self.foot, self.notice):
            column.addWidget(part, 1 if part is self.stack else 0)
        self.setFocusProxy(self.figures)
        self._bind()

    def _bind(self) -> None:
        self.bar.report_chosen.connect(self.choose_report)
        self.bar.measure_chosen.connect(self.choose_measure)
        self.bar.period_chosen.connect(self.choose_period)
        self.bar.copy_asked.connect(self.copy)
        self.bar.excel_asked.connect(lambda: self.tasks.start(self._save_excel(), name="save", exclusive=True))
        self.bar.picture_asked.connect(lambda: self.tasks.start(self._save_picture(), name="save", exclusive=True))
        self.stack.retry.connect(self.reload)
        self.context.definition_changed.connect(self.reload)

    # ---- definition
    def reports(self) -> list[Report]:
        """The reports of this tab whose types are here."""
        module = self.context.module
        held = (module.report(one) for one in self.view.reports) if module is not None else ()
        return [one for one in held if one is not None and self.context.type_of(one.type) is not None]

    @property
    def report(self) -> Report | None:
        """The one that is shown."""
        reports = self.reports()
        chosen = self.kept.text("report")
        return next((one for one in reports if one.id == chosen), reports[0] if reports else None)

    def watched_types(self) -> frozenset[str]:
        return frozenset({self.view.type, *(one.type for one in self.reports())})

    def time_field(self, report: Report) -> Field | None:
        """The field the period narrows by; None where the report has none."""
        definition = self.context.type_of(report.type)
        name = time_name(report, definition, self.context.module) if definition is not None else ""
        return self.context.field_of(report.type, name) if name else None

    # ---- choosing
    @property
    def period_name(self) -> str:
        """The period's name, as the user left it."""
        return self.kept.text("period", PeriodName.YEAR)

    def days(self) -> tuple[date | None, date | None]:
        """First and last day of a custom period."""
        return _day(self.kept.text("first")), _day(self.kept.text("last"))

    @property
    def period(self) -> Period:
        """The days that count."""
        return period_of(self.period_name, local_date(self.context.now_ms()), *self.days())

    def choose_report(self, report_id: str) -> None:
        """Another report."""
        self.kept.keep(report=report_id)
        self.measure = 0
        self.reload()

    def choose_measure(self, number: int) -> None:
        """Draws another measure."""
        self.measure = number
        self._show()

    def choose_period(self, name: str, first: date | None = None, last: date | None = None) -> None:
        """Another period; first and last day for a custom one."""
        days = {"first": first.isoformat() if first else "", "last": last.isoformat() if last else ""}
        self.kept.keep(period=str(name), **(days if name == PeriodName.CUSTOM else {}))
        self.reload()

    # ---- reading
    def reload(self) -> None:
        self.tasks.start(self._reload(), name="reload", exclusive=True)

    async def _reload(self) -> None:
        await self.kept.load()
        if not alive(self):
            return
        report = self.report
        if report is None:
            self.stack.show_empty(narrowed=False, key="office_views.no_reports", icon="chart-bar")
            return
        try:
            table = await self._read(report)
        except AppError as error:
            if alive(self) and not self.stack.showing:
                self.stack.show_failed(error)
                return
            raise
        if alive(self) and report == self.report:
            self.table, self.shown = table, report
            self._show()

    async def _read(self, report: Report) -> ReportTable:
        """Added up by the store; where that would not be exact, here from the records themselves."""
        fields = {name: self.context.field_of(report.type, name) for name in _names_of(report)}
        records = self.context.records
        condition = all_of((report.filter, period_filter(self.time_field(report), self.period)))
        needle = self.needle if report.type == self.view.type else ""
        query = RecordQuery(report.type, condition, needle, (), 0, None)
        if may_add_up(report, fields.get):
            found = await records.figures(query, report.group, figure_names(report))
            if found is not None:
                return table_of_groups(report, found, fields.get)
        page = await records.page(query)
        return await in_background(table_of, report, page.records, fields.get)

    # ---- words
    def _field(self, name: str) -> Field | None:
        return self.context.field_of(self.shown.type, name) if self.shown is not None else None

    def key_words(self, group: Group, key: Key) -> str:
        """What a group is called: a month, a choice, a person, a record's title."""
        if key is None:
            return tr("office_views.without")
        if group.unit:
            return _time_words(str(key), group.unit)
        field = self._field(group.name)
        if field is None:
            return str(key)
        many = field.kind in (
            FieldKind.MULTI_CHOICE,
            FieldKind.PERSONS,
            FieldKind.DEPARTMENTS,
            FieldKind.REFERENCES,
        )
        value: Any = [key] if many else key
        if field.kind is FieldKind.NUMBER and isinstance(key, str):
            value = Decimal(key)
        return self.context.cell_text(field, value) or "…"

    def _group_label(self, group: Group) -> str:
        field = self._field(group.name)
        return self.context.label(field.label) if field is not None else group.name

    def places(self) -> list[int | None]:
        """Decimals of each measure."""
        report = self.shown
        return [figure_places(one, self._field(one.field or "")) for one in report.measures] if report else []

    # ---- showing
    def _show(self) -> None:
        report = self.shown
        if report is None:
            return
        labels = [self.context.label(one.label) for one in report.measures]
        self.measure = min(self.measure, max(0, len(labels) - 1))
        self.bar.show_reports([(one.id, self.context.label(one.label)) for one in self.reports()], report.id)
        self.bar.show_measures(labels, self.measure)
        field = self.time_field(report)
        by = tr("office_views.by_time", field=self.context.label(field.label)) if field else tr("office_views.no_time")
        self.bar.show_period(self.period_name, *self.days(), by)
        self.bar.period.setEnabled(field is not None)
        self.foot.setText(tr("office_views.records_used", n=self.table.records))
        full = bool(self.table.records)
        for button in (self.bar.copy, self.bar.excel, self.bar.picture):
            button.setEnabled(full)
        if not full:
            self.stack.show_empty(narrowed=False, key="office_views.no_figures", icon="chart-bar")
            return
        self._show_figures(report, labels)
        self._show_picture(report, labels[self.measure])
        self.stack.show_content()

    def _show_figures(self, report: Report, labels: Sequence[str]) -> None:
        heads = [*(self._group_label(group) for group in self.table.groups), *labels]
        rows = [FigureRow(self._row_names(row.keys), row.figures, self._words(row.figures)) for row in self.table.rows]
        totals = self.table.totals
        total = total_row(len(self.table.groups), totals, self._words(totals)) if len(rows) > 1 else None
        self.figures.show_rows(heads, rows, total)

    def _row_names(self, keys: Sequence[Key]) -> tuple[str, ...]:
        return tuple(self.key_words(group, key) for group, key in zip(self.table.groups, keys, strict=True))

    def _words(self, figures: Sequence[Decimal | None]) -> tuple[str, ...]:
        return tuple(figure_text(one, places) for one, places in zip(figures, self.places(), strict=True))

    def _show_picture(self, report: Report, label: str) -> None:
        picture = picture_of(self.table, self.measure)
        places = self.places()[self.measure]
        groups = self.table.groups
        names = tuple(self.key_words(groups[0], key) for key in picture.keys)
        second = groups[1] if len(groups) > 1 else None
        lines = tuple(Line(self.key_words(second, s.key) if second else label, s.values) for s in picture.series)
        along = bool(groups and groups[0].unit)
        kind = report.chart if report.chart in ("bar", "line", "pie") else "bar"
        self.area.setVisible(report.chart != "none")
        title = f"{self.context.label(report.label)} · {label}"
        self.canvas.show_chart(ChartData(kind, title, names, lines, lambda one: figure_text(one, places), along))
        tall = self.canvas.sizeHint().height() if kind == "bar" and not along else theme.scaled(220)
        self.canvas.setMinimumHeight(tall)

    def on_names(self) -> None:
        self._show()

    # ---- figures to take along
    def copy(self) -> None:
        """The table onto the clipboard."""
        self.figures.copy()
        self.notice.show_text(tr("office_views.copied"), tone="green", icon="check", dismissible=True)

    async def _ask_target(self, suffix: str) -> Path | None:
        title = self.context.label(self.shown.label) if self.shown else ""
        clean = "".join(" " if sign in _OUTSIDE else sign for sign in title).strip() or "report"
        key = "office_views.save_excel" if suffix == "xlsx" else "office_views.save_picture"
        dialog = QFileDialog(self, tr(key))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.selectFile(f"{clean}.{suffix}")
        try:
            if not await finished(dialog) or not alive(self):
                return None
            return Path(dialog.selectedFiles()[0])
        finally:
            dialog.deleteLater()

    async def _save_excel(self) -> None:
        target = await self._ask_target("xlsx")
        if target is not None:
            await self.write_excel(target)

    async def write_excel(self, target: Path) -> None:
        """Writes the table into a workbook. Raises BadFile."""
        from desktop.ui.office.exchange.names import Names  # workbooks take a while to load
        from desktop.ui.office.reports.chart_export import write_figures

        model = self.figures.figures
        rows = [*model.rows, *([model.total] if model.total else [])]
        title = self.context.label(self.shown.label) if self.shown else ""
        words = (str(self.context.language), Names(self.context.organization))
        await in_background(write_figures, target, title, model.heads, self.places(), rows, words)
        self._say_saved(target)

    async def _save_picture(self) -> None:
        target = await self._ask_target("png")
        if target is not None:
            await self.write_picture(target)

    async def write_picture(self, target: Path) -> None:
        """Saves the chart as a PNG. Raises BadFile."""
        from desktop.ui.office.reports.chart_export import write_picture

        await in_background(write_picture, target, self.canvas.picture())
        self._say_saved(target)

    def _say_saved(self, target: Path) -> None:
        if alive(self):
            text = tr("office_views.saved", name=target.name)
            self.notice.show_text(text, tone="green", icon="check", dismissible=True)

    # ---- for the page
    def show_record(self, record_id: str) -> None:
        """Figures have no record."""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _names_of(report: Report) -> list[str]:
    """Fields a report needs to know."""
    return [one.rpartition(":")[2] for one in report.group] + [one.field for one in report.measures if one.field]


def _time_words(key: str, unit: str) -> str:
    day = key_day(key, unit)
    if unit == "year":
        return tr("office_views.year_group", y=day.year)
    if unit == "month":
        return tr("office_views.month_group", y=day.year, m=f"{day.month:02d}")
    if unit == "week":
        week = day.isocalendar()
        return tr("office_views.week_group", y=week.year, w=week.week)
    return key
