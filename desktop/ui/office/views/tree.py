"""The tree view: records below their parents; opened branches are kept, a search shows the way to its finds, records get another parent by hand or keys."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QFrame, QTreeView, QVBoxLayout, QWidget

from desktop.core.domain.conditions import Facts
from desktop.core.domain.definition import Field, FieldKind, TypeDefinition, View
from desktop.core.domain.records import Light, Record, RecordQuery
from desktop.core.domain.titles import title_fields
from desktop.core.errors import AppError
from desktop.models.record_form import zone_minutes
from desktop.models.record_lights import light_of
from desktop.models.record_tree import Tree, tree_of
from desktop.ui import i18n, theme
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import Banner, Menu
from desktop.ui.office.views.base import RecordView, ViewContext, register
from desktop.ui.office.views.cells import NUMERIC
from desktop.ui.office.views.kept_choices import KeptChoices
from desktop.ui.office.views.record_pool import RecordPool
from desktop.ui.office.views.state_stack import StateStack
from desktop.ui.office.views.table_header import RecordHeader
from desktop.ui.office.views.tree_model import RecordTreeModel
from desktop.ui.office.views.tree_rows import TreeDelegate
from desktop.ui.tasks import alive
from desktop.ui.theme import icons

FIRST_WIDTH: Final = 280
WIDTH: Final = 130
MOST_KEPT: Final = 2000
"""Opened branches that are remembered."""
FIRST_ROWS: Final = 40
"""Rows that are read before the tree stands."""
MOST_OPENED: Final = 500
"""A search opens the way to at most so many finds."""


class TreeBranches(QTreeView):
    """The tree itself, with our carets. Signals: opened (an index), lifted (-1 out, 1 in: one level), menu_asked."""

    opened = Signal(QModelIndex)
    lifted = Signal(int)
    menu_asked = Signal(QPoint)

    def __init__(self, model: RecordTreeModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setHeader(RecordHeader(self))
        self.setProperty("look", "pane")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(False)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setDropIndicatorShown(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setExpandsOnDoubleClick(False)
        self.setAutoExpandDelay(700)
        self.setAnimated(False)
        self.customContextMenuRequested.connect(self.menu_asked)
        self.clicked.connect(self.opened)
        i18n.bind(self.setAccessibleName, "office_views.tree")
        self._fit()
        theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self.setIndentation(theme.scaled(20))
        self.scheduleDelayedItemsLayout()

    def drawBranches(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:  # noqa: N802  # Qt's name
        colors = theme.tokens()
        painter.fillRect(
            rect,
            colors.selected if self.selectionModel().isRowSelected(index.row(), index.parent()) else colors.surface,
        )
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), colors.line)
        if index.model().hasChildren(index):
            side = theme.scaled(14)
            place = QRectF(rect.right() - side - 2, rect.center().y() - side / 2 + 0.5, side, side)
            icons.paint(painter, place, "caret-down" if self.isExpanded(index) else "caret-right", colors.ink2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.lifted.emit(step)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(self.currentIndex())
        elif event.key() == Qt.Key.Key_Menu:
            self.menu_asked.emit(self.visualRect(self.currentIndex()).center())
        else:
            super().keyPressEvent(event)


@register("tree")
class TreeView(RecordView):
    """Records of one type by their parent."""

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.kept = KeptChoices(context.records, f"{context.module_id}/{view.id}/tree", self)
        self._opened: set[str] = set()
        self._applying = False
        self._ready = False
        self.pool = RecordPool(context.records, view.type, self)
        self.model = RecordTreeModel(self.pool.get, self._text, self._label)
        self.model.setParent(self)
        self.tree = TreeBranches(self.model)
        self.tree.setObjectName("recordTree")
        self.delegate = TreeDelegate(context, self.model, self._field, self._light, self.tree)
        self.tree.setItemDelegate(self.delegate)
        self.stack = StateStack(self.tree)
        self.notice = Banner()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.stack, 1)
        column.addWidget(self.notice)
        self.setFocusProxy(self.tree)
        self._bind()

    def _bind(self) -> None:
        self.tree.opened.connect(self._on_opened)
        self.tree.lifted.connect(self._on_lifted)
        self.tree.menu_asked.connect(lambda place: self.menu().popup(self.tree.viewport().mapToGlobal(place)))
        self.tree.expanded.connect(lambda index: self._on_toggled(index, True))
        self.tree.collapsed.connect(lambda index: self._on_toggled(index, False))
        self.tree.selectionModel().currentChanged.connect(self._on_current)
        self.tree.header().sectionResized.connect(self._on_resized)
        self.model.dropped.connect(self.move_below)
        self.pool.arrived.connect(self.model.touch)
        self.stack.retry.connect(self.reload)
        self.context.definition_changed.connect(self.reload)

    # ---- definition
    @property
    def definition(self) -> TypeDefinition | None:
        """The type of the rows."""
        return self.context.type_of(self.view.type)

    @property
    def parent_field(self) -> Field | None:
        """The reference to the parent: the view's, else the first to the type itself."""
        definition = self.definition
        if definition is None:
            return None
        found = definition.field(self.view.parent) if self.view.parent else None
        own = (f for f in definition.fields if f.kind is FieldKind.REFERENCE and f.target == definition.name)
        return found or next(own, None)

    def columns(self) -> tuple[str, ...]:
        """The record's title, then the view's columns; a title field in front stands for the title."""
        definition = self.definition
        names = tuple(n for n in self.view.columns if self.context.field_of(self.view.type, n) is not None)
        titles = title_fields(definition) if definition is not None else ()
        return names if names and names[0] in titles else ("", *names)

    def _field(self, name: str) -> Field | None:
        return self.context.field_of(self.view.type, name) if name else None

    def _text(self, record: Record, name: str) -> str:
        return self.context.text(record, name) if name else self.context.title(record)

    def _label(self, name: str) -> str:
        field, definition = self._field(name), self.definition
        if field is not None:
            return self.label_of(field)
        return self.context.label(definition.label) if definition is not None else ""

    def _light(self, record: Record, name: str) -> Light | None:
        definition = self.definition
        due = next((one for one in definition.due if one.field == name), None) if definition is not None else None
        if due is None or definition is None:
            return None
        now = self.context.now_ms()
        return light_of(definition, due, record, Facts(self.context.me.id, (), now, zone_minutes(now)))

    # ---- reading
    def reload(self) -> None:
        self.tasks.start(self._reload(), name="reload", exclusive=True)

    async def _reload(self) -> None:
        await self.kept.load()
        field = self.parent_field
        if field is None:
            self.stack.show_empty(narrowed=False)
            return
        if not self._ready:
            self._opened = set(self.kept.texts("open"))
        try:
            tree = await self._read(field)
        except AppError as error:
            if alive(self) and not self.stack.showing:
                self.stack.show_failed(error)
                return
            raise
        if alive(self):
            self._show(tree)

    async def _read(self, field: Field) -> Tree:
        outline = self.context.records.outline
        everything = await outline(RecordQuery(self.view.type, self.view.filter, "", self.view.sort), field.name)
        matching = None
        if self.needle or self.narrowed:
            found = await outline(RecordQuery(self.view.type, self.wanted(), self.needle), field.name)
            matching = frozenset(placed.id for placed in found)
        tree = await in_background(tree_of, everything, matching)
        if alive(self):
            await self.pool.renew([key for key in self._near(tree) if key in tree])
        return tree

    def _near(self, tree: Tree) -> list[str]:
        """Rows that are on the screen, and those that will be first."""
        opened = self._opened if tree.matching is None else self._way_to_finds(tree)
        found = dict.fromkeys(islice(tree.walk(opened), FIRST_ROWS))
        index = self.tree.indexAt(QPoint(2, 1))
        while index.isValid() and self.tree.visualRect(index).top() < self.tree.viewport().height():
            found[self.model.id_of(index)] = None
            index = self.tree.indexBelow(index)
        return [*found, self.model.id_of(self.tree.currentIndex())]

    @staticmethod
    def _way_to_finds(tree: Tree) -> set[str]:
        finds = islice((key for key in tree.parents if tree.matching is not None and key in tree.matching), MOST_OPENED)
        return {key for find in finds for key in tree.path(find)}

    def _show(self, tree: Tree) -> None:
        searched = tree.matching is not None and tree.matching != self.model.tree.matching
        current, anchor = self.model.id_of(self.tree.currentIndex()), self._anchor()
        self._applying = True
        reset = self.model.show_tree(tree, self.columns())
        self._mark_numbers()
        if reset:
            self._open_branches(tree)
            index = self.model.index_of(current) if current in tree else QModelIndex()
            if index.isValid():
                self.tree.setCurrentIndex(index)
            self._restore(anchor)
        elif searched:
            self._open_branches(tree)
        self._applying = False
        self._set_widths()
        self._ready = True
        empty = not tree.parents
        self.stack.show_empty(narrowed=tree.matching is not None) if empty else self.stack.show_content()

    def _mark_numbers(self) -> None:
        header = self.tree.header()
        if isinstance(header, RecordHeader):
            held = ((n, self._field(name)) for n, name in enumerate(self.model.columns))
            header.right = frozenset(n for n, field in held if field is not None and field.kind in NUMERIC)

    def _open_branches(self, tree: Tree) -> None:
        """What was open, and while there is a search the way to what it found."""
        wanted = self._opened if tree.matching is None else self._way_to_finds(tree)
        for key in sorted(wanted & tree.parents.keys(), key=lambda one: len(tree.path(one))):
            if all(one in wanted for one in tree.path(key)):
                self.tree.expand(self.model.index_of(key))

    def _anchor(self) -> tuple[str, int]:
        """The record at the top of the screen, and how far it is scrolled out."""
        index = self.tree.indexAt(QPoint(2, 1))
        return self.model.id_of(index), self.tree.visualRect(index).top()

    def _restore(self, anchor: tuple[str, int]) -> None:
        index = self.model.index_of(anchor[0]) if anchor[0] in self.model.tree else QModelIndex()
        if index.isValid() and self.tree.verticalScrollBar().maximum():
            self.tree.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtTop)
            bar = self.tree.verticalScrollBar()
            bar.setValue(bar.value() - anchor[1])

    def _set_widths(self) -> None:
        self._applying = True
        widths = self.kept.numbers("widths")
        for number, name in enumerate(self.model.columns):
            usual = FIRST_WIDTH if number == 0 else WIDTH
            self.tree.setColumnWidth(number, theme.scaled(widths.get(name, usual)))
        self._applying = False

    def _on_resized(self, column: int, _old: int, new: int) -> None:
        if not self._applying and column < len(self.model.columns) - 1:
            widths = self.kept.numbers("widths") | {self.model.columns[column]: round(new / theme.text_scale())}
            self.kept.keep(widths=widths)

    # ---- opening
    def _on_toggled(self, index: QModelIndex, opened: bool) -> None:
        if self._applying or self.model.tree.matching is not None:
            return
        (self._opened.add if opened else self._opened.discard)(self.model.id_of(index))
        self.kept.keep(open=sorted(self._opened)[:MOST_KEPT])

    def expand_all(self) -> None:
        """Opens every branch."""
        for key in self.model.tree.parents:
            if self.model.tree.below(key):
                self.tree.expand(self.model.index_of(key))

    def collapse_all(self) -> None:
        """Closes every branch."""
        self.tree.collapseAll()
        self._opened.clear()
        self.kept.keep(open=[])

    def menu(self) -> Menu:
        """What can be done with the record."""
        menu = Menu(self, leaves=True)
        key = self.model.id_of(self.tree.currentIndex())
        field = self.parent_field
        if key:
            menu.addAction(tr("office_views.open"), partial(self.opened.emit, key))
            may = field is not None and self.context.records.may(None, self.view.type, "create")
            below = menu.addAction(tr("office_views.new_below"), partial(self._new_below, key))
            below.setEnabled(may)
            menu.addAction(tr("office_views.top_level"), partial(self.move_below, [key], ""))
            menu.addSeparator()
        menu.addAction(tr("office_views.expand_all"), self.expand_all)
        menu.addAction(tr("office_views.collapse_all"), self.collapse_all)
        return menu

    def _new_below(self, parent: str) -> None:
        field = self.parent_field
        if field is not None:
            self.new_asked.emit({field.name: parent})

    # ---- moving
    def _on_lifted(self, step: int) -> None:
        """Ctrl with Right: below the record before it; with Left: beside its parent."""
        key = self.model.id_of(self.tree.currentIndex())
        tree = self.model.tree
        if not key:
            return
        above = tree.parents.get(key, "")
        target = tree.before(key) if step > 0 else tree.parents.get(above, "")
        if (step > 0 and target) or (step < 0 and above):
            if target:
                self._opened.add(target)
            self.move_below([key], target)

    def move_below(self, keys: list[str], parent: str) -> None:
        """Gives records another parent, "" for none; what can't be is said."""
        field, tree = self.parent_field, self.model.tree
        if field is None:
            return
        self.notice.hide()
        for key in keys:
            record = self.pool.peek(key)  # what is carried was on the screen
            if record is None or tree.parents.get(key, "") == parent:
                continue
            if parent and tree.is_below(parent, key):
                self._say(tr("office_views.into_itself"))
            elif not self.context.records.may_edit(record, field.name):
                self._say(tr("office_views.may_not_change", field=self.context.label(field.label)))
            else:
                self.patch_asked.emit(record, {field.name: parent or None})

    def _say(self, text: str) -> None:
        self.notice.show_text(text, tone="red", icon="warning-circle", dismissible=True)

    # ---- choosing
    def _on_opened(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self.model.id_of(index))

    def _on_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        if not self._applying:
            key = self.model.id_of(index)
            self.selection_changed.emit([key] if key else [])

    # ---- for the page
    def show_record(self, record_id: str) -> None:
        self.delegate.marked = record_id
        if record_id in self.model.tree and not self.tree.hasFocus():
            index = self.model.index_of(record_id)
            self.tree.scrollTo(index)
        self.tree.viewport().update()

    def on_names(self) -> None:
        self.tree.header().viewport().update()
        self.tree.viewport().update()
