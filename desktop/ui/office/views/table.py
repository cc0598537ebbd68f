"""The table view: columns, order, groups, totals and selection over any number of records. Only pages near the screen are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain.conditions import Facts
from desktop.core.domain.definition import Field, TypeDefinition, View
from desktop.core.domain.records import GroupSummary, Light, Record, RecordQuery
from desktop.core.domain.titles import title_fields
from desktop.core.errors import AppError
from desktop.models.record_filters import GROUPABLE
from desktop.models.record_form import zone_minutes
from desktop.models.record_lights import light_of
from desktop.models.record_summary import Run, decimal_of, group_value, run_of, runs_of
from desktop.models.record_table import PAGE, RecordTableModel
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import clipboard_text
from desktop.ui.office.views.base import AUTHOR, CREATED, STATE, UPDATED, RecordView, ViewContext, register
from desktop.ui.office.views.cells import NUMERIC
from desktop.ui.office.views.memory import ViewMemory
from desktop.ui.office.views.table_cells import RecordDelegate
from desktop.ui.office.views.table_grid import RecordGrid
from desktop.ui.office.views.table_totals import TotalsLine
from desktop.ui.office.views.table_widths import FLEXIBLE, WIDEST, Wish, spread, wish
from desktop.ui.tasks import alive

WIDTHS: Final = {
    "text": 118, "longText": 200, "richText": 200, "number": 88, "money": 100, "date": 112, "datetime": 132, "span": 176,
    "bool": 60, "choice": 80, "multiChoice": 120, "person": 80, "persons": 124, "department": 110, "departments": 140,
    "reference": 148, "references": 180, "files": 150, "lines": 64,
}  # fmt: skip
MOST_GROUPS: Final = 500
"""More heads than these help nobody; the rows stay sorted by the field."""
MOST_OUTLINED: Final = 20_000
"""Up to so many records all are looked at to tell the groups apart; from there on the first one of each."""
MEASURED_ROWS: Final = 40
"""So many rows tell how wide the columns ask to be."""
MOST_TOLD: Final = 200
"""A selection's ids are told one by one up to here."""


@register("table")
class TableView(RecordView):
    """A table. Its memory (`memory`) is shared with the filter bar over it.

    Signals:
        read: a result is on the screen: how many records there are.
        failed: AppError while nothing could be shown.
        chosen_changed: how many records are selected.
        delete_asked, act_asked (an action's name), export_asked: for the rows that are selected.
        menu_asked, header_menu_asked: a menu at a place; of a column, -1 for none in particular.
    """

    read = Signal(int)
    failed = Signal(object)
    chosen_changed = Signal(int)
    delete_asked = Signal()
    act_asked = Signal(str)
    export_asked = Signal()
    menu_asked = Signal(object)
    header_menu_asked = Signal(int, object)

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.memory = ViewMemory(context.records, f"{context.module_id}/{view.id}/filters", self)
        self._summaries: list[GroupSummary] | None = None
        self._fields: dict[str, Field | None] = {}
        self._applying = False
        self._wishes: list[Wish] = []
        self._marked = False
        self.total = 0
        self.ready = False
        self.shown_group: str | None = None
        """The field of the groups on the screen; `group` is the one asked for."""
        self.model = RecordTableModel(context.text, self._label, self._run_words, self)
        self.model.tips = self._tip
        self.grid = RecordGrid(self.model)
        self.grid.setObjectName("recordGrid")
        self.grid.setItemDelegate(RecordDelegate(context, self.model, self.field_of, self.light_of, self.grid))
        self.totals = TotalsLine(self.grid)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.grid, 1)
        column.addWidget(self.totals)
        self.setFocusProxy(self.grid)
        self._bind()
        self._name()

    def _bind(self) -> None:
        self.grid.visible_changed.connect(self._fetch)
        self.grid.resized.connect(self._spread)
        self.grid.opened.connect(self._on_opened)
        self.grid.toggled.connect(self._on_toggled)
        self.grid.selection_moved.connect(self._on_selection)
        self.grid.copy_asked.connect(self.copy)
        self.grid.pressed_delete.connect(self.delete_asked)
        self.grid.menu_asked.connect(self.menu_asked)
        self.grid.header.sort_asked.connect(self.sort_by)
        self.grid.header.menu_asked.connect(self.header_menu_asked)
        self.grid.header.sectionResized.connect(self._on_resized)
        self.grid.header.sectionMoved.connect(self._on_moved)
        self.memory.changed.connect(self._on_memory)
        self.context.definition_changed.connect(self._on_definition)
        theme.changed.connect(self._measure)

    # ---- definition
    @property
    def definition(self) -> TypeDefinition | None:
        """The type of the rows; None while the definition is not there."""
        return self.context.type_of(self.view.type)

    def field_of(self, name: str) -> Field | None:
        """A column's field; kept, painting asks often."""
        if name not in self._fields:
            self._fields[name] = self.context.field_of(self.view.type, name)
        return self._fields[name]

    def possible_columns(self) -> list[str]:
        """Every field that may stand in a column."""
        definition = self.definition
        if definition is None:
            return []
        names = [field.name for field in definition.fields]
        return [*names, *([STATE] if definition.states and STATE not in names else []), AUTHOR, CREATED, UPDATED]

    def columns(self) -> tuple[str, ...]:
        """The columns chosen, else the view's, else what names the record and its first fields."""
        possible = self.possible_columns()
        for wanted in (self.memory.state.columns, self.view.columns):
            known = tuple(name for name in dict.fromkeys(wanted) if name in possible)
            if known:
                return known
        definition = self.definition
        names = [*(title_fields(definition) if definition else ()), *possible[:6]]
        return tuple(dict.fromkeys([*names, *([STATE] if STATE in possible else [])]))

    def _label(self, name: str) -> str:
        field = self.field_of(name)
        return self.label_of(field) if field is not None else name

    def _on_definition(self) -> None:
        self._fields.clear()
        self.grid.delegate.forget()
        self._show_columns()
        self.reload()

    # ---- order and groups
    @property
    def sort(self) -> tuple[str, ...]:
        """The order: the user's, else the view's."""
        chosen = self.memory.state.sort
        return self.view.sort if chosen is None else chosen

    @property
    def group(self) -> str | None:
        """The field of the groups; None for none."""
        state = self.memory.state
        name = state.group if state.grouped else self.view.group
        field = self.field_of(name) if name else None
        return name if field is not None and field.kind in GROUPABLE else None

    def groupable(self) -> list[str]:
        """Fields that rows may be grouped by."""
        return [n for n in self.possible_columns() if (f := self.field_of(n)) is not None and f.kind in GROUPABLE]

    def group_by(self, name: str | None) -> None:
        """Groups the rows by a field; None ends it."""
        self.memory.change(group=name, grouped=True, closed=())

    def sort_by(self, column: int, add: bool) -> None:
        """A header was pressed: up, then down, then as the view has it. `add` keeps what is sorted already."""
        name = self.model.columns[column]
        held = [one for one in self.sort if one.lstrip("-") != name]
        was = next((one for one in self.sort if one.lstrip("-") == name), None)
        turned = {None: name, name: f"-{name}"}.get(was)
        if add:
            place = next((n for n, one in enumerate(self.sort) if one.lstrip("-") == name), len(self.sort))
            held[place:place] = [turned] if turned else []
            self.set_sort(tuple(held) or None)
        else:
            self.set_sort((turned,) if turned else None)

    def set_sort(self, sort: tuple[str, ...] | None) -> None:
        """Another order; None is the view's own."""
        self.memory.change(sort=sort)

    def _order(self) -> tuple[str, ...]:
        """The order of the query: a group's rows must stand together."""
        group = self.group
        if group is None:
            return self.sort
        own = next((one for one in self.sort if one.lstrip("-") == group), group)
        return (own, *(one for one in self.sort if one.lstrip("-") != group))

    def _on_memory(self, parts: frozenset[str]) -> None:
        if not self.memory.loaded or self._applying:
            return
        if "columns" in parts:
            self._show_columns()
        if "closed" in parts and not parts & {"sort", "group", "grouped"}:
            self.model.set_closed(self.memory.state.closed)
            self._fetch()
        if parts & {"sort", "group", "grouped"}:
            self._mark_sorted()
            self._from_top()

    # ---- columns
    def _show_columns(self) -> None:
        self._applying = True
        try:
            self.model.set_columns(self.columns())
            header = self.grid.header
            for visual in range(header.count()):  # a reset keeps the order of sections that were moved by hand
                header.moveSection(header.visualIndex(visual), visual)
            self._wishes = []
        finally:
            self._applying = False
        right = (n for n, name in enumerate(self.model.columns) if (f := self.field_of(name)) and f.kind in NUMERIC)
        self.grid.header.right = frozenset(right)
        self._mark_sorted()
        self._show_totals()
        self._measure()

    def _measure(self) -> None:
        """Asks the columns how wide they want to be, then makes them so. A width the user gave stays."""
        rows = range(min(MEASURED_ROWS, self.model.rowCount()))
        self._wishes = [self._wish(number, name, rows) for number, name in enumerate(self.model.columns)]
        self._spread()

    def _wish(self, number: int, name: str, rows: range) -> Wish:
        field = self.field_of(name)
        usual = theme.scaled(WIDTHS.get(str(field.kind), 140) if field is not None else 140)
        kept = self.memory.state.widths.get(name)
        if kept is not None:
            return Wish(theme.scaled(kept), theme.scaled(kept))
        if field is None or not len(rows):
            return Wish(usual, usual, flexible=field is not None and field.kind in FLEXIBLE)
        delegate = self.grid.delegate
        asked = max(delegate.asked_width(self.model.index(row, number)) for row in rows)
        asked = max(asked, self.grid.header.asked_width(number), self.totals.asked_width(number))
        return wish(
            asked, usual, self.grid.header.minimumSectionSize(), theme.scaled(WIDEST), flexible=field.kind in FLEXIBLE
        )

    def _spread(self) -> None:
        was, self._applying = self._applying, True
        if len(self._wishes) == len(self.model.columns):
            for number, width in enumerate(spread(self._wishes, self.grid.viewport().width())):
                self.grid.header.resizeSection(number, width)
        self._applying = was

    def _mark_sorted(self) -> None:
        marks = {}
        for place, one in enumerate(self.sort, 1):
            name = one.lstrip("-")
            if name in self.model.columns:
                marks[self.model.columns.index(name)] = (place, one.startswith("-"))
        self.grid.header.set_marks(marks)

    def _on_resized(self, column: int, _old: int, new: int) -> None:
        last = self.grid.header.visualIndex(column) == self.grid.header.count() - 1
        if self._applying or last or column >= len(self.model.columns):
            return
        widths = dict(self.memory.state.widths)
        widths[self.model.columns[column]] = round(new / theme.text_scale())
        if column < len(self._wishes):
            self._wishes[column] = Wish(new, new)
        self.memory.change(widths=widths)

    def _on_moved(self, _column: int, _old: int, _new: int) -> None:
        if not self._applying:
            self._applying = True  # the header shows it already; the model keeps its order till the next time
            self.memory.change(columns=self.shown_columns())
            self._applying = False

    def shown_columns(self) -> tuple[str, ...]:
        """Columns as they stand on the screen, from left to right."""
        header = self.grid.header
        order = (header.logicalIndex(visual) for visual in range(header.count()))
        return tuple(self.model.columns[n] for n in order if 0 <= n < len(self.model.columns))

    def set_columns(self, names: Sequence[str]) -> None:
        """Other columns; none puts the view's own back."""
        self.memory.change(columns=tuple(names))

    # ---- reading
    async def start(self) -> None:
        """Reads the memory, then the first rows."""
        await self.memory.load()
        if alive(self):
            self._show_columns()
            self.reload()

    def set_text(self, text: str) -> None:
        if text != self.needle:
            self.needle = text
            self._from_top()

    def set_filter(self, condition: dict[str, Any] | None) -> None:
        if condition != self.narrowed:
            self.narrowed = condition
            self._from_top()

    def _from_top(self) -> None:
        self.grid.scrollToTop()
        self.reload()

    def reload(self) -> None:
        if self.memory.loaded:
            self.tasks.start(self._reload(), name="reload", exclusive=True)

    def query(self, offset: int = 0, limit: int | None = PAGE) -> RecordQuery:
        """What the table shows, as a query."""
        return RecordQuery(self.view.type, self.wanted(), self.needle, self._order(), offset, limit)

    async def _reload(self) -> None:
        group = self.group
        try:
            pages, total = await self._read_pages()
            self._summaries = await self._summarize() if self._needs_summary() else None
            runs = await self._runs(group, total, pages)
        except AppError as error:
            if alive(self) and not self.ready:
                self.failed.emit(error)
                return
            raise
        if not alive(self):
            return
        self.shown_group = group if runs else None
        self._show(total, pages, runs)

    async def _read_pages(self) -> tuple[dict[int, tuple[Record, ...]], int]:
        """The pages on the screen, read again; the first one always."""
        first, last = self.grid.visible_rows()
        places = {self.model.place_of(row) for row in range(first, last + 1)}
        numbers = sorted({place // PAGE for place in places if place >= 0} | {0})
        pages: dict[int, tuple[Record, ...]] = {}
        total = 0
        for number in numbers:
            page = await self.context.records.page(self.query(number * PAGE))
            pages[number], total = page.records, page.total
        return {n: records for n, records in pages.items() if n * PAGE < max(total, 1)}, total

    def _needs_summary(self) -> bool:
        return self.group is not None or bool(self._summed())

    def _summed(self) -> tuple[str, ...]:
        return tuple(n for n in self.view.totals if (f := self.field_of(n)) is not None and f.kind in NUMERIC)

    async def _summarize(self) -> list[GroupSummary]:
        return await self.context.records.summary(self.query(), self.group, self._summed())

    async def _runs(self, group: str | None, total: int, pages: dict[int, tuple[Record, ...]]) -> list[Run]:
        """Groups in the order of the rows: who stands first in each tells which group it is."""
        summaries = self._summaries
        if group is None or summaries is None or len(summaries) > MOST_GROUPS:
            return []
        if total <= MOST_OUTLINED:
            placed = await self.context.records.outline(self.query(), group)
            return runs_of(placed, summaries)
        known = {repr(one.value): one for one in summaries}
        runs: list[Run] = []
        start = 0
        while start < total:
            record = await self._record_at(start, pages)
            summary = known.pop(repr(group_value(record, group)), None) if record is not None else None
            if summary is None:  # written meanwhile: the change that follows reads again
                return []
            runs.append(run_of(summary, start))
            start += summary.count
        return runs if start == total else []

    async def _record_at(self, place: int, pages: dict[int, tuple[Record, ...]]) -> Record | None:
        held = pages.get(place // PAGE)
        if held is not None and place % PAGE < len(held):
            return held[place % PAGE]
        page = await self.context.records.page(self.query(place, 1))
        return next(iter(page.records), None)

    def _show(self, total: int, pages: dict[int, tuple[Record, ...]], runs: list[Run]) -> None:
        anchor, offset = self._anchor()
        self.model.closed = frozenset(self.memory.state.closed) if runs else frozenset()
        self.model.show(total, pages, runs)
        marked = any(one.pending or one.refusal for one in pages.get(0, ())[:MEASURED_ROWS])
        fresh = not self.ready or not self.total or marked is not self._marked
        self._marked = marked
        self.total, self.ready = total, True
        row = self.model.position(anchor) if anchor else -1
        if row >= 0 and self.grid.verticalScrollBar().value():
            self.grid.verticalScrollBar().setValue(self.grid.rowHeight(row) * row + offset)
        self._show_totals()
        if fresh:
            self._measure()
        self._fetch()
        self.read.emit(total)

    def _anchor(self) -> tuple[str, int]:
        """The record at the top of the screen and how far it is scrolled out: what the user reads stays where it is."""
        top = self.grid.rowAt(0)
        record = self.model.record_at(top)
        return (record.id, -self.grid.rowViewportPosition(top)) if record is not None else ("", 0)

    def _fetch(self) -> None:
        first, last = self.grid.visible_rows()
        if self.ready and self.model.missing(first - 20, last + 20) and not self.tasks.running("fetch"):
            self.tasks.start(self._fetch_missing(), name="fetch")

    async def _fetch_missing(self) -> None:
        """Reads what the screen lacks, till it lacks nothing: the user may scroll on meanwhile."""
        while alive(self):
            first, last = self.grid.visible_rows()
            missing = self.model.missing(first, last) or self.model.missing(first - 20, last + 20)
            if not missing:
                return
            query = self.query(missing[0] * PAGE)
            page = await self.context.records.page(query)
            if not alive(self):
                return
            if query != self.query(missing[0] * PAGE):
                continue
            if page.total != self.total or not page.records:
                self.reload()
                return
            self.model.put(missing[0], page.records)

    # ---- words
    def _run_words(self, run: Run) -> str:
        field = self.field_of(self.shown_group or "")
        value = self.context.cell_text(field, run.value) if field is not None else ""
        parts = [value or tr("office_module.none"), tr("office_module.count", n=run.count)]
        for summed in self._summed():
            parts.append(f"{self._label(summed)} {self._sum_words(summed, run.sums.get(summed, 0))}")
        return "   ".join(parts)

    def _sum_words(self, name: str, amount: object) -> str:
        field = self.field_of(name)
        return self.context.cell_text(field, str(amount)) if field is not None else str(amount)

    def _show_totals(self) -> None:
        chosen = len(self.grid.selected_places()) if self.grid.selectionModel().hasSelection() else 0
        words = tr("office_module.count", n=self.total)
        if chosen > 1:
            words = f"{words}   {tr('office_module.chosen', n=chosen)}"
        sums: dict[int, str] = {}
        for name in self._summed():
            if name in self.model.columns and self._summaries is not None:
                parts = (decimal_of(one.sums.get(name, 0)) or 0 for one in self._summaries)
                sums[self.model.columns.index(name)] = self._sum_words(name, sum(parts))
        self.totals.show_sums(words, sums)

    def _tip(self, record: Record) -> str | None:
        if record.refusal:
            return tr("office_module.refused_row")
        return tr("office_module.pending_row") if record.pending else None

    def light_of(self, record: Record, name: str) -> Light | None:
        """The light of a date in a cell; None where the field is no due date."""
        definition = self.definition
        due = next((one for one in definition.due if one.field == name), None) if definition is not None else None
        if definition is None or due is None:
            return None
        me = self.context.me
        now = self.context.now_ms()
        facts = Facts(me.id, tuple(i.department_id for i in me.identities), now, zone_minutes(now))
        return light_of(definition, due, record, facts)

    def on_names(self) -> None:
        self._fields.clear()
        self.grid.delegate.forget()
        self._name()
        self.model.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, max(0, len(self.model.columns) - 1))
        self.grid.viewport().update()
        self._show_totals()
        self._measure()

    def _name(self) -> None:
        self.grid.setAccessibleName(self.context.label(self.view.label))

    # ---- what the user does
    def show_record(self, record_id: str) -> None:
        self.grid.delegate.opened = record_id
        row = self.model.position(record_id) if record_id else -1
        if row >= 0 and self.grid.currentIndex().row() != row:
            self.grid.select_row(row)
            self.grid.scrollTo(self.model.index(row, 0))
        self.grid.viewport().update()

    def _on_opened(self, record_id: str) -> None:
        self.opened.emit(record_id)

    def _on_toggled(self, row: int) -> None:
        run = self.model.run_at(row)
        if run is None:
            return
        closed = set(self.memory.state.closed)
        closed.symmetric_difference_update({run.key})
        self.memory.change(closed=tuple(sorted(closed)))

    def close_groups(self, closed: bool) -> None:
        """Closes or opens all groups."""
        self.memory.change(closed=tuple(sorted(run.key for run in self.model.runs)) if closed else ())

    def _on_selection(self) -> None:
        places = self.grid.selected_places()
        records = (self.model.record_in(place) for place in places[:MOST_TOLD])
        self.selection_changed.emit([record.id for record in records if record is not None])
        self.chosen_changed.emit(len(places))
        self._show_totals()

    async def chosen(self) -> list[Record]:
        """The selected records, those too that are not in memory. Raises AppError."""
        places = self.grid.selected_places()
        found: dict[int, Record] = {}
        for number in sorted({place // PAGE for place in places}):
            held: Sequence[Record] | None = self.model.pages.get(number)
            if held is None:
                held = (await self.context.records.page(self.query(number * PAGE))).records
            found |= {number * PAGE + offset: record for offset, record in enumerate(held)}
        return [found[place] for place in places if place in found]

    def current(self) -> Record | None:
        """The record in the current row."""
        return self.model.record_at(self.grid.currentIndex().row())

    def copy(self) -> None:
        """Puts the selected rows on the clipboard, cells divided by tabs: a spreadsheet takes them."""
        self.tasks.start(self._copy(), name="copy", exclusive=True)

    async def _copy(self) -> None:
        records = await self.chosen()
        if alive(self) and records:
            names = self.shown_columns()
            lines = ("\t".join(_one_cell(self.context.text(r, n)) for n in names) for r in records)
            clipboard_text("\n".join(lines))

    def arrangement(self) -> dict[str, Any]:
        """Order and grouping, for a saved filter."""
        state = self.memory.state
        return {"sort": state.sort or (), "group": state.group if state.grouped else None}

    def index_at(self, row: int, name: str) -> QModelIndex:
        """The cell of a row under a column."""
        return self.model.index(row, self.model.columns.index(name))


def _one_cell(text: str) -> str:
    return text.replace("\t", " ").replace("\r", " ").replace("\n", " ")
