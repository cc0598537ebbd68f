"""A tab's content: the filter bar, the view, what stands there when there is nothing to show, and for tables the bar of many rows."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain.definition import View
from desktop.core.errors import AppError
from desktop.ui import i18n
from desktop.ui.i18n import error_text
from desktop.ui.kit import EmptyState
from desktop.ui.office.frame.bulk_bar import BulkBar
from desktop.ui.office.frame.filter_bar import FilterBar, group_menu
from desktop.ui.office.frame.table_menus import columns_menu, header_menu, row_menu
from desktop.ui.office.views.base import RecordView, ViewContext, create_view
from desktop.ui.office.views.kept_choices import KeptChoices
from desktop.ui.office.views.memory import ViewMemory
from desktop.ui.office.views.table import TableView
from desktop.ui.tasks import TaskOwner, alive

BARE = frozenset({"form", "reader", "chart", "desk"})
"""Views without a filter bar: nothing to narrow, or their own way of it."""


class ViewFrame(QWidget):
    """Signals: text_wanted (a saved filter's words for the page's search box), export_asked (the chosen rows), new_asked."""

    text_wanted = Signal(str)
    export_asked = Signal()
    new_asked = Signal()

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.definition = context, view
        self.tasks = TaskOwner(self)
        self._stack = QStackedWidget(
            self
        )  # parents first: a widget that gets another parent is dressed anew, with all below it
        self.view: RecordView = create_view(context, view, self._stack)
        self.table = self.view if isinstance(self.view, TableView) else None
        key = f"{context.module_id}/{view.id}/filters"
        self.memory = self.table.memory if self.table is not None else ViewMemory(context.records, key, self)
        self.bar: FilterBar | None = None
        self.bulk: BulkBar | None = None
        self.state = EmptyState("hourglass-medium", "common.loading", parent=self._stack)
        self.state.setObjectName("viewState")
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.state)
        self._build_ui()
        self.state.action.clicked.connect(self._on_state_action)
        self.tasks.start(self._begin(), name="begin")

    def _build_ui(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        if str(self.definition.kind) not in BARE:
            self.bar = FilterBar(self.context, self.definition, self.memory, table=self.table is not None, parent=self)
            self.bar.condition_changed.connect(self.view.set_filter)
            self.bar.text_wanted.connect(self.text_wanted)
            column.addWidget(self.bar)
        column.addWidget(self._stack, 1)
        if self.table is not None and self.bar is not None:
            self._build_table(self.table, self.bar, column)

    def _build_table(self, table: TableView, bar: FilterBar, column: QVBoxLayout) -> None:
        self.bulk = BulkBar(table)
        column.addWidget(self.bulk)
        bar.columns_asked.connect(lambda place: columns_menu(table).popup(place))
        bar.group_asked.connect(lambda place: group_menu(bar, table.groupable(), table.group).popup(place))
        self.bulk.export_asked.connect(self.export_asked)
        table.export_asked.connect(self.export_asked)
        table.menu_asked.connect(lambda place: row_menu(table).popup(place))
        table.header_menu_asked.connect(lambda column, place: header_menu(table, column).popup(place))
        table.act_asked.connect(self._on_act)
        table.read.connect(self._on_read)
        table.failed.connect(self._on_failed)
        self._stack.setCurrentWidget(self.state)

    async def _begin(self) -> None:
        if self.table is not None:
            await self.memory.load()
            if alive(self) and self.bar is not None:
                self.bar.begin()
                await self.table.start()
            return
        kept = getattr(self.view, "kept", None)
        await asyncio.gather(self.memory.load(), *([kept.load()] if isinstance(kept, KeptChoices) else []))
        if alive(self):
            if self.bar is not None:
                self.bar.begin()
            self.view.reload()

    # ---- states
    def _on_read(self, total: int) -> None:
        if total:
            self._stack.setCurrentWidget(self.view)
            return
        narrowed = bool(self.view.needle or self.view.narrowed)
        may_create = self.context.records.may(None, self.definition.type, "create")
        if narrowed:
            self.state.show_text(
                "magnifying-glass", "office_module.none_found", hint_key="office_module.none_found_hint"
            )
            i18n.bind(self.state.action.setText, "office_module.clear_filters")
            self.state.action.show()
        else:
            self.state.show_text("tray", "office_module.no_records")
            i18n.bind(self.state.action.setText, "office_module.make_first")
            self.state.action.setVisible(may_create)
        self._stack.setCurrentWidget(self.state)

    def _on_failed(self, error: AppError) -> None:
        self.state.show_text("warning-circle", "office_module.failed")
        self.state.hint.setText(error_text(error))
        self.state.hint.show()
        i18n.bind(self.state.action.setText, "common.retry")
        self.state.action.show()
        self.failed = error
        self._stack.setCurrentWidget(self.state)

    failed: AppError | None = None

    def _on_state_action(self) -> None:
        if self.failed is not None:
            self.failed = None
            self.view.reload()
        elif self.view.needle or self.view.narrowed:
            self.text_wanted.emit("")
            if self.bar is not None:
                self.bar.show_everything()
        else:
            self.new_asked.emit()

    # ---- for the page
    def set_text(self, text: str) -> None:
        """Narrows to records with these words."""
        if self.bar is not None:
            self.bar.text = text
        self.view.set_text(text)

    def leave(self) -> None:
        """The tab is left: what it remembers is written."""
        self.memory.flush_waiting()

    def _on_act(self, name: str) -> None:
        """An action of the row menu: with nothing to ask it is done, else the bar of many asks for it."""
        record = self.table.current() if self.table is not None else None
        definition = self.context.type_of(self.definition.type)
        action = definition.action(name) if definition is not None else None
        if record is None or action is None or self.bulk is None:
            return
        self.bulk.ask_action(action)
        self.bulk.show()
