"""The desk (mockup 3): what waits for me at the left, the document or its sheet in the middle, the flow and my opinion at the right.

Narrow windows show the list or what was chosen, the narrowest ones the document or the flow. J and K or the arrows lead through the list, Enter goes to
the opinion, Ctrl+Enter does what the step is there for. What is being read stays when the list moves on.
"""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from desktop.core.domain.cases import Flow, WorkCounts, WorkQuery, WorkRow, WorkTab
from desktop.core.domain.definition import View
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, EditRefused, Event, StatusChanged
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import EmptyState, TabStrip, on_click, restyle
from desktop.ui.office.process.case_pane import WATCHED, CasePane
from desktop.ui.office.process.desk_list import DeskDelegate, DeskModel, DeskPane, DeskWords, record_of
from desktop.ui.office.process.desk_page import DeskPage
from desktop.ui.office.process.flow_panel import lit_of
from desktop.ui.office.process.seal_bar import SealBar
from desktop.ui.office.record.case_tab import cases_of
from desktop.ui.office.views.base import STATE, RecordView, ViewContext, register
from desktop.ui.office.views.kept_choices import KeptChoices
from desktop.ui.tasks import alive
from desktop.ui.theme import values_process as values

ROWS: Final = 500
TICK_MS: Final = 60_000
WIDE, NARROW, NARROWEST = "wide", "narrow", "narrowest"


@register("desk")
class DeskView(RecordView):
    """Cases of the view's types (`types`, else its one `type`) as one person's desk."""

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.kept = KeptChoices(context.records, f"{context.module_id}/{view.id}/desk", self)
        self.says = DeskWords(context, view.columns, view.group)
        self.counts = WorkCounts()
        self.total = 0
        self.mode = WIDE
        self.reading = ""
        """The record that is read; it stays when its row leaves the list."""
        self._reading_type = ""
        self._wanted: tuple[str, str] | None = None
        self._showing = False
        self._loaded = False
        self._restored = False
        self._build_ui()
        self._bind()

    # ---- build
    def _build_ui(self) -> None:
        self.tabs = TabStrip()
        self.tabs.setObjectName("deskTabs")
        self._counts: dict[str, int] = {}
        self.list = DeskPane("office_process.desk.list")
        self.list.setObjectName("deskList")
        self.model = DeskModel(self.says.spoken, self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(DeskDelegate(self.says, self.model, self.list))
        self.state = EmptyState("tray", "common.loading")
        self.state.setObjectName("deskState")
        self.state.action.hide()
        self.left = QWidget()
        self.left.setProperty("surface", "pane")
        self.left.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self.left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        strip = QWidget()
        inner = QVBoxLayout(strip)
        inner.setContentsMargins(12, 10, 8, 8)
        inner.addWidget(self.tabs)
        column.addWidget(strip)
        column.addWidget(self.list, 1)
        column.addWidget(self.state, 1)
        self.page = DeskPage(self.context)
        self.pane = CasePane(self.context)
        self.seals = SealBar(self.context, self.page, self.pane.box)
        self.page.bars.addWidget(self.seals)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(1)
        for part in (self.left, self.page, self.pane):
            self.split.addWidget(part)
        self.split.setStretchFactor(1, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.split)
        self.setFocusProxy(self.list)
        self._label_tabs()
        self.tabs.choose(WorkTab.TODO)
        self._fit()

    def _bind(self) -> None:
        self.tabs.chosen.connect(self.show_tab)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        self.list.activated.connect(lambda _index: self.enter())
        self.list.clicked.connect(self._on_clicked)
        self.list.stepped.connect(self.step)
        self.pane.acted.connect(self._on_acted)
        on_click(self.state.action, self.reload)
        self.page.back_asked.connect(self._back)
        self.page.panel_asked.connect(lambda _on: self._arrange())
        self.page.opened.connect(self._on_link)
        self.page.make_asked.connect(self.make_asked)
        self.pane.diagram_asked.connect(self.show_diagram)
        self.pane.flow_changed.connect(self._on_flow)
        self.pane.file_opened.connect(self.page.open_file)
        self.pane.file_saved.connect(self.page.files.save_file)
        for keys, step in (("J", 1), ("K", -1), ("Alt+Down", 1), ("Alt+Up", -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda step=step: self.step(step))
        for host in (self.left, self.page):
            for keys in ("Ctrl+Return", "Ctrl+Enter"):
                shortcut = QShortcut(QKeySequence(keys), host)
                shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                shortcut.activated.connect(self.pane.box.go_on)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self.list.viewport().update)
        self._tick.start()
        self.split.splitterMoved.connect(self._on_split)
        self.context.definition_changed.connect(self.reload)
        theme.changed.connect(self._fit)
        i18n.changed.connect(self._relabel)

    def _fit(self) -> None:
        self.left.setMinimumWidth(theme.scaled(values.DESK_LIST_NARROWEST))
        self.pane.setMinimumWidth(theme.scaled(values.PANEL_NARROWEST))
        self.page.setMinimumWidth(theme.scaled(values.DESK_LIST_NARROWEST))
        self._arrange()

    # ---- which rows
    @property
    def ready(self) -> bool:
        """Whether the list was read."""
        return self._loaded

    @property
    def types(self) -> tuple[str, ...]:
        """Record types whose cases stand here."""
        return self.view.types or (self.view.type,)

    @property
    def tab(self) -> WorkTab:
        """The list that is shown."""
        return WorkTab(self.tabs.current)

    def watched_types(self) -> frozenset[str]:
        return frozenset({*self.types, *WATCHED})

    def _on_event(self, event: Event) -> None:
        if not alive(self):
            return
        match event:
            case ChangeSet(type_name=name) if name in self.watched_types():
                self._reload_timer.start()
            case EditRefused() | StatusChanged():
                self._reload_timer.start()
            case _:
                return

    def set_filter(self, condition: dict[str, Any] | None) -> None:
        """A desk has its own lists; there is no filter bar over it."""

    def reload(self) -> None:
        self.tasks.start(self._reload(), name="reload", exclusive=True)

    async def _reload(self) -> None:
        cases = cases_of(self.context)
        if cases is None:
            self._show_state("prohibit", "office_process.desk.empty.all")
            return
        await self.kept.load()
        if not alive(self):
            return
        if not self._restored:
            self._restored = True
            self._restore()
        query = WorkQuery(self.tab, types=self.types, text=self.needle, limit=ROWS)
        try:
            counts, found = await cases.counts(), await cases.work(query)
        except AppError as error:
            if alive(self) and not self._loaded:
                self._show_state("warning-circle", "office_module.failed", hint=error_text(error), retry=True)
                return
            raise
        if alive(self):
            self._loaded = True
            self._show_counts(counts, found.total)
            self._show_rows(list(found.rows), found.total)

    def _restore(self) -> None:
        tab = self.kept.text("tab")
        if self._wanted is None and tab in tuple(WorkTab):
            self.tabs.choose(tab)
        self._arrange()

    def _label_tabs(self) -> None:
        """The lists' names, with how much waits in them."""
        texts = []
        for tab in WorkTab:
            count = self._counts.get(tab, 0)
            texts.append((str(tab), tr(f"office_process.desk.{tab}") + (f" {count}" if count else "")))
        self.tabs.set_tabs(texts)
        for button in self.tabs.buttons.values():
            if button.property("small") != "true":
                button.setProperty("small", "true")
                restyle(button)

    def _show_counts(self, counts: WorkCounts, total: int) -> None:
        self.counts = counts
        modules = {one.id for one in self.context.modules if any(one.type(name) for name in self.types)}
        self._counts = {
            WorkTab.TODO: sum(n for key, n in counts.todo_by_module.items() if key in modules),
            WorkTab.TO_READ: sum(n for key, n in counts.to_read_by_module.items() if key in modules),
        }
        if self.tab in self._counts and not self.needle:
            self._counts[self.tab] = total
        self._label_tabs()

    def _show_rows(self, rows: list[WorkRow], total: int) -> None:
        """New rows; the one that is read stays chosen, else the list stands where it stood."""
        place, bar = self.list.currentIndex().row(), self.list.verticalScrollBar()
        top = bar.value()
        self.total = total
        self._showing = True
        self.model.show_rows(rows)
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._read(*wanted)
        row = self.model.find(self.reading) if self.reading else -1
        if row >= 0:
            self.list.setCurrentIndex(self.model.index(row, 0))
        else:
            self.list.selectionModel().clear()  # Qt keeps a row chosen, which nobody reads
            self._left_at = max(place, 0) if place >= 0 else self._left_at
        bar.setValue(top)
        self._showing = False
        self.list.setVisible(bool(rows))
        self.state.setVisible(not rows)
        if not rows:
            narrowed = bool(self.needle)
            key = "office_module.none_found" if narrowed else f"office_process.desk.empty.{self.tab}"
            self._show_state("magnifying-glass" if narrowed else "tray", key)
        self.list.viewport().update()
        if not self.reading and rows and self.mode == WIDE:
            self.list.setCurrentIndex(self.model.index(0, 0))
        elif self.reading:
            self._load_record()
        elif not rows:
            self._nothing()

    _left_at = 0
    """Where the row stood that left the list while it was read: the keys go on from there."""

    def _show_state(self, icon: str, key: str, *, hint: str = "", retry: bool = False) -> None:
        self.state.show_text(icon, key)
        self.state.hint.setText(hint)
        self.state.hint.setVisible(bool(hint))
        i18n.bind(self.state.action.setText, "common.retry")
        self.state.action.setVisible(retry)
        self.state.show()
        self.list.hide()

    def _relabel(self) -> None:
        self._label_tabs()
        self.list.viewport().update()

    def _nothing(self) -> None:
        self.reading = ""
        self.page.clear()
        self.pane.show_record(None)
        self._arrange()

    # ---- which record
    def current(self) -> WorkRow | None:
        """The row that is chosen."""
        index = self.list.currentIndex()
        return self.model.row(index.row()) if index.isValid() else None

    def _on_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        if self._showing or not index.isValid():
            return
        row = self.model.row(index.row())
        self._left_at = index.row()
        self._read(*record_of(row))
        self._load_record()
        self.selection_changed.emit([self.reading])

    def _on_clicked(self, index: QModelIndex) -> None:
        """A press on the row that is chosen already opens it again where the list stood alone."""
        if not self.reading and index.isValid():
            self._on_current(index, index)

    def _read(self, type_name: str, record_id: str) -> None:
        self._reading_type, self.reading = type_name, record_id
        self._arrange()

    def _load_record(self) -> None:
        self.tasks.start(self._show_record(self._reading_type, self.reading), name="record", exclusive=True)

    async def _show_record(self, type_name: str, record_id: str) -> None:
        try:
            record = await self.context.records.record(type_name, record_id)
        except AppError as error:
            if alive(self):
                self.page.show_missing(error_text(error))
            return
        if not alive(self) or self.reading != record_id:
            return
        row = next((one for one in self.model.rows.rows if record_of(one)[1] == record_id), None)
        if record is None:
            self.page.show_missing(row.title if row is not None else "")
            self.pane.show_record(None)
            return
        self.page.show_record(record, self._title(record, row), self._chip(record, row))
        self.pane.show_record(record)
        definition = self.context.type_of(type_name)
        if definition is not None and definition.marks and self.isVisible():
            await self.context.session.office.mark_read(record.id, record.type)

    def _title(self, record: Record, row: WorkRow | None) -> str:
        return (row.title if row is not None else "") or self.context.title(record)

    def _chip(self, record: Record, row: WorkRow | None) -> tuple[str, str]:
        """The grade; where there is none, the state."""
        grade = self.says.chip(row if row is not None else WorkRow(record.id, "", record=record))
        if grade[0]:
            return grade
        definition = self.context.type_of(record.type)
        state = definition.state(record.data.get(STATE)) if definition is not None else None
        return (self.context.label(state.label), state.color) if state is not None else ("", "neutral")

    def _on_flow(self, flow: Flow) -> None:
        if self.page.stack.currentWidget() is self.page.diagram:
            self.page.diagram.show_diagram(*lit_of(flow, self.context))

    def show_diagram(self) -> None:
        """The process of what is read, in the middle."""
        if self.pane.flow is not None:
            if self.mode == NARROWEST:
                self.page.panel.setChecked(False)
            self.page.show_diagram(*lit_of(self.pane.flow, self.context))

    def open_here(self, type_name: str, record_id: str) -> bool:
        """Shows a record of one of its types here, in the list that has it; False where it is none of them."""
        if type_name not in self.types:
            return False
        self._wanted = (type_name, record_id)
        if self._loaded and self.model.find(record_id) < 0 and self.tab is not WorkTab.ALL:
            self.tasks.start(self._find_tab(type_name, record_id), name="find", exclusive=True)
        else:
            self.reload()
        return True

    async def _find_tab(self, type_name: str, record_id: str) -> None:
        """The first list that has it: to do, to read, else all."""
        cases = cases_of(self.context)
        if cases is None:
            return
        for tab in (WorkTab.TODO, WorkTab.TO_READ):
            found = await cases.work(WorkQuery(tab, types=(type_name,), limit=None))
            if any(record_of(row)[1] == record_id for row in found.rows):
                break
        else:
            tab = WorkTab.ALL
        if alive(self):
            self.show_tab(tab)

    def _on_link(self, type_name: str, record_id: str) -> None:
        if not self.open_here(type_name, record_id):
            self.link_asked.emit(type_name, record_id)

    # ---- keys
    def step(self, count: int) -> None:
        """The next one, or the one before; after what left the list, the one that took its place."""
        row = self.list.currentIndex().row()
        wanted = row + count if row >= 0 else self._left_at + min(count, 0)
        if self.model.rowCount():
            wanted = max(0, min(wanted, self.model.rowCount() - 1))
            self.list.setCurrentIndex(self.model.index(wanted, 0))

    def enter(self) -> None:
        """Goes to where the user writes, else to the document."""
        row = self.current()
        if row is not None and not self.reading:
            self._read(*record_of(row))
            self._load_record()
        self._arrange()
        box = self.pane.box
        if not box.edit.isHidden() and not box.isHidden() and self.mode != NARROWEST:
            box.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        elif self.page.stack.currentWidget() is self.page.sheet:
            self.page.sheet.area.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_acted(self, _name: str) -> None:
        """The box goes: the keyboard goes on in the list, the next one is an arrow away."""
        if self.left.isVisible() and self.window().isActiveWindow():
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _back(self) -> None:
        self.reading = ""
        self._arrange()
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- room
    def _arrange(self) -> None:
        """Who is seen at this width."""
        width = self.width()
        narrow, narrowest = theme.scaled(values.NARROW_DESK), theme.scaled(values.NARROWEST_DESK)
        before, self.mode = self.mode, WIDE if width >= narrow else NARROW if width >= narrowest else NARROWEST
        wide, open_ = self.mode == WIDE, bool(self.reading)
        panel = self.mode != NARROWEST or self.page.panel.isChecked()
        self.left.setVisible(wide or not open_)
        self.page.setVisible(wide or open_)
        self.pane.setVisible((wide or open_) and panel)
        self.page.stack.setVisible(self.mode != NARROWEST or not self.page.panel.isChecked())
        self.page.back.setVisible(not wide)
        self.page.panel.setVisible(self.mode == NARROWEST)
        if self.mode == NARROWEST and self.page.panel.isChecked():
            self.split.setOrientation(Qt.Orientation.Vertical)
        else:
            self.split.setOrientation(Qt.Orientation.Horizontal)
        if before != self.mode or not self._sized:
            self._share()

    _sized = False

    def _share(self) -> None:
        """The widths the user chose, or those of the mockup."""
        if self.width() < 100:
            return
        self._sized = True
        left = theme.scaled(self.kept.number("list", values.DESK_LIST_WIDTH)) if not self.left.isHidden() else 0
        right = theme.scaled(self.kept.number("panel", values.PANEL_WIDTH)) if not self.pane.isHidden() else 0
        left, right = min(left, self.width() * 2 // 5), min(right, self.width() * 2 // 5)
        if self.split.orientation() is Qt.Orientation.Horizontal:
            self.split.setSizes([left, max(1, self.width() - left - right), right])

    def _on_split(self, _place: int, _index: int) -> None:
        if self.mode == WIDE:
            scale = theme.text_scale()
            self.kept.keep(list=round(self.left.width() / scale), panel=round(self.pane.width() / scale))

    def show_tab(self, key: str) -> None:
        """Shows a list."""
        self.tabs.choose(key)
        self.kept.keep(tab=str(key))
        if self._wanted is None:
            self.reading = ""
        self.reload()

    # ---- for the page
    def show_record(self, record_id: str) -> None:
        """Marks the record shown in the pane beside the views: here it is what is read."""
        if record_id and record_id != self.reading and self.isVisible():
            self.open_here(self.view.type, record_id)

    def on_names(self) -> None:
        self.list.viewport().update()

    # ---- Qt overrides
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
