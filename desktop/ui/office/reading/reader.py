"""The reader view: a list at the left, what it says at the right, next and previous by keys; what is read is marked where the type keeps marks."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from desktop.core.domain.definition import TypeDefinition, View
from desktop.core.domain.records import Record, RecordQuery, TodoKind
from desktop.core.domain.titles import title_fields
from desktop.core.errors import AppError
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, Chip, IconButton, Label, ListPane, Scroll, on_click
from desktop.ui.office.reading.reader_list import ReaderDelegate
from desktop.ui.office.record.facts_view import FactsView
from desktop.ui.office.record.files import RecordFiles
from desktop.ui.office.views.base import STATE, RecordView, ViewContext, register
from desktop.ui.office.views.board_column import CardModel
from desktop.ui.office.views.kept_choices import KeptChoices
from desktop.ui.office.views.record_pool import RecordPool
from desktop.ui.office.views.state_stack import StateStack
from desktop.ui.tasks import alive

LIST_WIDTH: Final = 300
NEWEST: Final = ("-createdAt",)
LIST_STEP: Final = 1000
"""Rows the list is told of; more as it is scrolled to its end."""
FIRST_ROWS: Final = 24
"""Rows that are read before the list stands."""


class ReaderPage(QWidget):
    """One record to read: title, who and when, its fields with rich text and files."""

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.record: Record | None = None
        self.title = Label(role="title", strong=True, wrap=True)
        self.title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.state = Chip()
        self.meta = Label(role="secondary", tone="ink3", wrap=True)
        self.facts = FactsView(context)
        self.area = Scroll(surface="surface")
        self.area.setObjectName("readerPage")
        self.area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.area.inner.setContentsMargins(28, 22, 28, 28)
        self.area.inner.setSpacing(12)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.state)
        line.addWidget(self.meta, 1)
        self.area.inner.addWidget(self.title)
        self.area.inner.addLayout(line)
        self.area.inner.addWidget(self.facts)
        self.area.inner.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.area)

    def show_record(self, definition: TypeDefinition, record: Record) -> None:
        """Shows a record; the same one as it is now stays at its place."""
        other = self.record is None or self.record.id != record.id
        self.record = record
        self.title.setText(self.context.title(record))
        self.area.setAccessibleName(self.title.text())
        state = definition.state(record.data.get(STATE))
        self.state.setVisible(state is not None)
        if state is not None:
            self.state.setText(self.context.label(state.label))
            self.state.set_tone(state.color)
        who = self.context.name_of(record.author_id) or tr("office_record.the_office")
        moment = when.date_time(record.created_at) if record.created_at else ""
        self.meta.setText(" · ".join(part for part in (who, moment) if part))
        self.facts.show_record(definition, record)
        if other:
            self.area.verticalScrollBar().setValue(0)


@register("reader")
class ReaderView(RecordView):
    """Records of one type to be read one after the other."""

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.kept = KeptChoices(context.records, f"{context.module_id}/{view.id}/reader", self)
        self.unread: frozenset[str] = frozenset()
        self._showing = False
        self.pool = RecordPool(context.records, view.type, self)
        self.model = CardModel(self.pool, self._spoken, self, step=LIST_STEP)
        self.list = ListPane("office_views.reader_list")
        self.list.setObjectName("readerList")
        self.list.setModel(self.model)
        self.list.setItemDelegate(
            ReaderDelegate(context, self.model, self._meta, lambda key: key in self.unread, self.list)
        )
        self.page = ReaderPage(context)
        self.files = RecordFiles(context, self)
        self.place = Label(role="secondary", tone="ink3")
        self.previous = IconButton("caret-up", "office_views.previous", size=16, box=28)
        self.next = IconButton("caret-down", "office_views.next", size=16, box=28)
        self.open = Button(key="office_views.open_record", kind="ghost", small=True)
        self._build_ui()
        self._bind()

    def _build_ui(self) -> None:
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.stack = StateStack(self.split, self)
        bar = QFrame()
        bar.setProperty("surface", "header")
        line = QHBoxLayout(bar)
        line.setContentsMargins(14, 4, 10, 4)
        line.setSpacing(4)
        for part in (self.previous, self.next, self.place):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(self.open)
        right = QWidget(self.split)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.page, 1)
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(1)
        self.split.insertWidget(0, self.list)
        self.split.addWidget(right)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([theme.scaled(LIST_WIDTH), theme.scaled(700)])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.stack)
        self.setFocusProxy(self.list)

    def _bind(self) -> None:
        self.list.selectionModel().currentChanged.connect(self._on_current)
        self.list.activated.connect(self._on_activated)
        on_click(self.previous, lambda: self.step(-1))
        on_click(self.next, lambda: self.step(1))
        on_click(self.open, self._open)
        for keys, step in (("Alt+Up", -1), ("Alt+Down", 1), ("K", -1), ("J", 1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda step=step: self.step(step))
        self.page.facts.file_opened.connect(self.file_asked)
        self.page.facts.file_saved.connect(self.files.save_file)
        self.page.facts.opened.connect(self._on_link)
        self.split.splitterMoved.connect(self._on_split)
        self.stack.retry.connect(self.reload)
        self.pool.arrived.connect(self._show_current)
        self.context.definition_changed.connect(self.reload)

    @property
    def definition(self) -> TypeDefinition | None:
        """The type of what is read."""
        return self.context.type_of(self.view.type)

    def watched_types(self) -> frozenset[str]:
        return frozenset({self.view.type, "Todo"})

    # ---- words
    def _meta(self, record: Record) -> str:
        definition = self.definition
        skipped = {*title_fields(definition)} if definition is not None else set()
        words = [self.context.text(record, name) for name in self.view.columns if name not in skipped]
        return " · ".join(part for part in words if part) or self.context.name_of(record.author_id)

    def _spoken(self, record: Record) -> str:
        return f"{self.context.title(record)}, {self._meta(record)}"

    # ---- reading
    def reload(self) -> None:
        self.tasks.start(self._reload(), name="reload", exclusive=True)

    async def _reload(self) -> None:
        first = not self.kept.loaded
        await self.kept.load()
        query = RecordQuery(self.view.type, self.wanted(), self.needle, self.view.sort or NEWEST)
        try:
            ids = [placed.id for placed in await self.context.records.outline(query, "id")]
            if alive(self):
                await self.pool.renew(self._near(ids))
            todos = await self.context.records.todos(TodoKind.TO_READ, "open") if self._marks() else []
        except AppError as error:
            if alive(self) and not self.stack.showing:
                self.stack.show_failed(error)
                return
            raise
        if not alive(self):
            return
        if first:
            width = theme.scaled(self.kept.number("list", LIST_WIDTH))
            self.split.setSizes([width, max(1, self.width() - width)])
        self.unread = frozenset(one.record_id for one in todos if one.record_type == self.view.type)
        self._show(ids)

    def _near(self, ids: list[str]) -> list[str]:
        """Rows on the screen, and the one that is or will be read."""
        wanted = self._row_in(ids)[1]
        top = max(0, self.list.indexAt(QPoint(4, 1)).row())
        return list(dict.fromkeys([*ids[top : top + FIRST_ROWS], *([wanted] if wanted else [])]))

    def _row_in(self, ids: list[str]) -> tuple[int, str]:
        """Where the reader goes on: at the record that is read, else at the place it had."""
        index = self.list.currentIndex()
        current = self.model.key(index.row()) if index.isValid() else ""
        if current in ids:
            return ids.index(current), current
        row = min(max(index.row(), 0), max(0, len(ids) - 1))
        return row, ids[row] if ids else ""

    def _marks(self) -> bool:
        return self.definition is not None and self.definition.marks

    def _show(self, ids: list[str]) -> None:
        place, (wanted, _) = self.list.verticalScrollBar().value(), self._row_in(ids)
        self._showing = True
        self.model.show_ids(ids)
        if not ids:
            self._showing = False
            self.page.record = None
            self.stack.show_empty(narrowed=bool(self.needle or self.narrowed))
            return
        self.list.setCurrentIndex(self.model.index(self.model.row_of(ids[wanted]), 0))
        self.list.verticalScrollBar().setValue(place)
        self._showing = False
        self.stack.show_content()
        self.list.viewport().update()
        self._show_current()

    def current(self) -> Record | None:
        """What is being read; None while it is not here."""
        index = self.list.currentIndex()
        return self.model.record(index.row()) if index.isValid() else None

    def _show_current(self) -> None:
        record, definition = self.current(), self.definition
        if record is None or definition is None:
            return
        other = self.page.record is None or self.page.record.id != record.id
        self.page.show_record(definition, record)
        row, count = self.list.currentIndex().row(), len(self.model.ids)
        self.place.setText(tr("office_views.of", at=row + 1, n=count))
        self.previous.setEnabled(row > 0)
        self.next.setEnabled(row + 1 < count)
        if other and definition.marks and self.isVisible():
            self.tasks.start(self._mark_read(record), name="mark", exclusive=True)

    async def _mark_read(self, record: Record) -> None:
        await self.context.session.office.mark_read(record.id, record.type)

    def step(self, count: int) -> None:
        """The next one, or the one before."""
        row = self.list.currentIndex().row() + count
        if 0 <= row < len(self.model.ids):
            self.list.setCurrentIndex(self.model.index(self.model.row_of(self.model.ids[row]), 0))

    def _on_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        if not self._showing and index.isValid():
            self._show_current()
            self.selection_changed.emit([self.model.key(index.row())])

    def _on_activated(self, _index: QModelIndex) -> None:
        self.page.area.setFocus(Qt.FocusReason.OtherFocusReason)

    def _open(self) -> None:
        record = self.current()
        if record is not None:
            self.opened.emit(record.id)

    def _on_link(self, type_name: str, record_id: str) -> None:
        if type_name == self.view.type:
            self.opened.emit(record_id)

    def _on_split(self, position: int, _index: int) -> None:
        self.kept.keep(list=round(position / theme.text_scale()))

    # ---- for the page
    def show_record(self, record_id: str) -> None:
        row = self.model.row_of(record_id) if record_id else -1
        if row >= 0 and row != self.list.currentIndex().row():
            self.list.setCurrentIndex(self.model.index(row, 0))

    def on_names(self) -> None:
        self.list.viewport().update()
        self._show_current()
