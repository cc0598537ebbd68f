"""The bar over a chart: which report, which measure, which period with its days, and what can be done with the figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.models.record_values import Unreadable, parse_date
from desktop.models.report_table import PeriodName
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, ComboBox, ElidedLabel, Folding, IconButton, TabStrip, TextField, on_click

NARROWEST = 60


class ChartBar(QFrame):
    """Signals: report_chosen (id), measure_chosen (number), period_chosen (name, first and last day or None), copy_asked, excel_asked, picture_asked."""

    report_chosen = Signal(str)
    measure_chosen = Signal(int)
    period_chosen = Signal(str, object, object)
    copy_asked = Signal()
    excel_asked = Signal()
    picture_asked = Signal()

    def __init__(self, today: date, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "header")
        self._today = today
        self._showing = False
        self.reports = TabStrip()
        self.reports.chosen.connect(self.report_chosen)
        self.period = ComboBox()
        self.period.setObjectName("period")
        i18n.bind(self.period.setAccessibleName, "office_views.period")
        self.first = TextField(key="office_views.period_from")
        self.last = TextField(key="office_views.period_to")
        self.by = ElidedLabel(role="secondary", tone="ink3", whole=True)
        self.strip = TabStrip(small=True, prefix="measure_")
        self.strip.chosen.connect(lambda key: self.measure_chosen.emit(int(key)))
        self.copy = IconButton("copy", "office_views.copy_table", size=16, box=30)
        self.picture = IconButton("image", "office_views.save_picture", size=16, box=30)
        self.excel = Button(key="office_views.save_excel", folded_icon="file-xls", small=True)
        self._build_ui()
        self._bind()

    def _build_ui(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.reports, 1)
        for button in (self.copy, self.picture, self.excel):
            top.addWidget(button)
        line = QHBoxLayout()
        line.setSpacing(6)
        for field in (self.first, self.last):
            field.setMaximumWidth(theme.scaled(130))
        for part in (self.period, self.first, self.last, self.by):
            line.addWidget(part)
        line.addWidget(self.strip, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(6)
        column.addLayout(top)
        column.addLayout(line)
        Folding(self, top, self.excel.set_compact)
        Folding(self, line, lambda cut: self.by.set_whole(not cut))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(NARROWEST), super().minimumSizeHint().height())

    @property
    def measures(self) -> list[Button]:
        """What the chart can draw, in order."""
        return list(self.strip.buttons.values())

    def _bind(self) -> None:
        self._fill_periods()
        i18n.changed.connect(self._fill_periods)
        self.period.activated.connect(lambda _row: self._on_period())
        for field in (self.first, self.last):
            field.editingFinished.connect(self._on_days)
        on_click(self.copy, self.copy_asked.emit)
        on_click(self.excel, self.excel_asked.emit)
        on_click(self.picture, self.picture_asked.emit)

    def _fill_periods(self) -> None:
        chosen = self.period.currentData()
        self.period.clear()
        for name in PeriodName:
            self.period.addItem(tr(f"office_views.period_{name}"), str(name))
        if chosen is not None:
            self.period.setCurrentIndex(self.period.findData(chosen))

    # ---- what is shown
    def show_reports(self, reports: Sequence[tuple[str, str]], chosen: str) -> None:
        """The reports (id, name) and the one that is shown."""
        self.reports.set_tabs(reports)
        self.reports.choose(chosen)

    def show_measures(self, names: Sequence[str], chosen: int) -> None:
        """What the chart can draw; with one there is nothing to choose."""
        self.strip.set_tabs([(str(number), name) for number, name in enumerate(names)] if len(names) > 1 else [])
        self.strip.choose(str(chosen))

    def show_period(self, name: str, first: date | None, last: date | None, by: str) -> None:
        """The period; `by`: words on the field it narrows by, or that there is none."""
        self._showing = True
        self.period.setCurrentIndex(max(0, self.period.findData(name)))
        custom = name == PeriodName.CUSTOM
        for field, day in ((self.first, first), (self.last, last)):
            field.setVisible(custom)
            if not field.hasFocus():
                field.setText(day.isoformat() if day is not None else "")
        self.by.setText(by)
        self._showing = False

    # ---- what the user wants
    def _on_period(self) -> None:
        name = str(self.period.currentData())
        if name == PeriodName.CUSTOM and not self.first.text():
            first = self._today.replace(day=1)
            self.period_chosen.emit(name, first, self._today)
        elif name == PeriodName.CUSTOM:
            self.first.show()
            self.last.show()
            self._on_days()
        else:
            self.period_chosen.emit(name, None, None)

    def _on_days(self) -> None:
        if self._showing or self.period.currentData() != PeriodName.CUSTOM:
            return
        days: list[date | None] = []
        for field in (self.first, self.last):
            try:
                days.append(parse_date(field.text(), self._today) if field.text().strip() else None)
            except Unreadable:
                field.set_invalid(True)
                return
            field.set_invalid(False)
        first, last = days
        if first is not None and last is not None and first > last:
            self.last.set_invalid(True)
            self.last.setToolTip(tr("office_views.period_order"))
            self.by.setText(tr("office_views.period_order"))
            return
        self.last.setToolTip("")
        self.period_chosen.emit(str(PeriodName.CUSTOM), first, last)
