"""The bar over a view: conditions as chips, each set in a panel below it; saved ones by name; for tables grouping and columns too."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain.definition import Field, FieldKind, View
from desktop.models.record_filters import FieldFilter, SavedFilter, conditions
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Folding, IconButton, Label, Menu, TextField, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.frame.filter_editors import FilterEditor, create_filter_editor
from desktop.ui.office.frame.filter_words import filter_words
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import AUTHOR, CREATED, STATE, UPDATED, ViewContext
from desktop.ui.office.views.memory import ViewMemory

NARROWEST: Final = 60
NOT_FILTERED: Final = frozenset({FieldKind.BLOB, FieldKind.OBJECT, FieldKind.LINES, FieldKind.AUDIENCE})


class FilterChip(QFrame):
    """One condition: a press opens it, the cross takes it off."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.open_button = Button(text, kind="link", small=True)
        self.off = IconButton("x", "office_module.filter_off", size=12, box=20)
        self.setProperty("surface", "card")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 2, 0)
        layout.setSpacing(0)
        layout.addWidget(self.open_button)
        layout.addWidget(self.off)


class FilterBar(QFrame):
    """Works on a tab's memory.

    Signals:
        condition_changed: the filter of all chips, a dict or None.
        text_wanted: a saved filter's words for the search box.
        columns_asked: the columns' menu, with the place of its button.
        group_asked: the groups' menu.
    """

    condition_changed = Signal(object)
    text_wanted = Signal(str)
    columns_asked = Signal(object)
    group_asked = Signal(object)

    def __init__(
        self, context: ViewContext, view: View, memory: ViewMemory, *, table: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "header")
        self.context, self.view, self.memory = context, view, memory
        self._condition: object = None
        self.editor: FilterEditor | None = None
        self.text = ""
        self.saved = Button(small=True, icon="funnel")
        self.saved.setObjectName("savedFilters")
        self.add = Button(key="office_module.add_filter", kind="ghost", icon="plus", small=True)
        self.add.setObjectName("addFilter")
        self.clear = Button(key="office_module.clear_filters", kind="link", small=True)
        self.group = Button(key="office_module.group", kind="ghost", icon="rows", small=True)
        self.group.setObjectName("groupBy")
        self.columns = Button(key="office_module.columns", kind="ghost", icon="columns", small=True)
        self.columns.setObjectName("columns")
        self.chips = Flow(spacing=6)
        self._panel = QFrame()
        self._panel.setProperty("surface", "bg")
        self._panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._panel.hide()
        self._inside = QVBoxLayout(self._panel)
        self._inside.setContentsMargins(14, 10, 14, 10)
        self._inside.setSpacing(8)
        top = QHBoxLayout()
        top.setContentsMargins(10, 6, 10, 6)
        top.setSpacing(6)
        for part in (self.saved, self.add):
            top.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.chips, 1)
        for part in (self.clear, self.group, self.columns):
            top.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self._panel)
        Folding(self, top, self._fold_table, self.add.set_compact, self.saved.set_compact)
        self.group.setHidden(not table)
        self.columns.setHidden(not table)
        on_click(self.saved, lambda: self.saved_menu().popup(_below(self.saved)))
        on_click(self.add, lambda: self.add_menu().popup(_below(self.add)))
        on_click(self.clear, self.clear_all)
        on_click(self.group, lambda: self.group_asked.emit(_below(self.group)))
        on_click(self.columns, lambda: self.columns_asked.emit(_below(self.columns)))
        memory.changed.connect(self._on_memory)
        context.names_changed.connect(self.show_chips)
        i18n.changed.connect(self.show_chips)
        theme.changed.connect(self.show_chips)
        self.show_chips()

    def _fold_table(self, folded: bool) -> None:
        self.group.set_compact(folded)
        self.columns.set_compact(folded)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(NARROWEST), super().minimumSizeHint().height())

    # ---- what is asked
    @property
    def filters(self) -> tuple[FieldFilter, ...]:
        """The conditions on now."""
        return self.memory.state.filters

    def field_of(self, name: str) -> Field | None:
        """A field of the view's type."""
        return self.context.field_of(self.view.type, name)

    def fields(self) -> list[Field]:
        """Fields that may be filtered by."""
        definition = self.context.type_of(self.view.type)
        names = [field.name for field in definition.fields] if definition is not None else []
        found = (self.field_of(name) for name in dict.fromkeys([STATE, *names, AUTHOR, CREATED, UPDATED]))
        return [field for field in found if field is not None and field.kind not in NOT_FILTERED]

    def begin(self) -> None:
        """The tab is opened: the default filter, where the user has one, else what was on the last time."""
        default = self.memory.state.named(self.memory.state.default)
        if default is not None and self.memory.state.active != default.name:
            self.apply_saved(default)
        self.show_chips()
        self._tell()

    def _on_memory(self, parts: frozenset[str]) -> None:
        if parts & {"filters", "saved", "default", "active"}:
            self.show_chips()
        if "filters" in parts:
            self._tell()

    def _tell(self) -> None:
        condition = conditions(self.filters, self.field_of, self.context.now_ms())
        if condition != self._condition:
            self._condition = condition
            self.condition_changed.emit(condition)

    # ---- chips
    def show_chips(self) -> None:
        """Draws the chips anew."""
        empty_layout(self.chips.flow)
        for one in self.filters:
            field = self.field_of(one.field)
            if field is None:
                continue
            chip = FilterChip(filter_words(self.context, field, one))
            chip.setObjectName(f"chip_{one.field}")
            on_click(chip.open_button, partial(self.edit, one.field))
            on_click(chip.off, partial(self.take_off, one.field))
            self.chips.add(chip)
        self.clear.setVisible(bool(self.filters))
        state = self.memory.state
        self.saved.setText(state.active or tr("office_module.all_records"))
        self.saved.setAccessibleName(tr("office_module.saved_filters", name=self.saved.text()))

    def set_filter(self, one: FieldFilter) -> None:
        """Puts a condition on, or changes it; one without parts goes."""
        asks = one.values or one.low or one.high or one.period or one.empty is not None
        held = list(self.filters)
        place = next((n for n, other in enumerate(held) if other.field == one.field), len(held))
        held[place : place + 1] = [one] if asks else []
        self.memory.change(filters=tuple(held), active="")

    def take_off(self, name: str) -> None:
        """Takes a condition off."""
        if self.editor is not None and self.editor.field.name == name:
            self.close_panel()
        self.memory.change(filters=tuple(one for one in self.filters if one.field != name), active="")

    def clear_all(self) -> None:
        """Takes every condition off."""
        self.close_panel()
        self.memory.change(filters=(), active="")

    def add_menu(self) -> Menu:
        """A line for each field."""
        menu = Menu(self, leaves=True)
        for field in self.fields():
            menu.addAction(self.context.label(field.label), partial(self.edit, field.name))
        return menu

    # ---- the panel
    def edit(self, name: str) -> None:
        """Opens the panel of a field's condition."""
        field = self.field_of(name)
        if field is None:
            return
        one = next((held for held in self.filters if held.field == name), FieldFilter(name))
        self.close_panel()
        self.editor = create_filter_editor(self.context, field, one)
        self.editor.changed.connect(self.set_filter)
        done = Button(key="office_module.done", small=True)
        on_click(done, self.close_panel)
        self._inside.addLayout(row(Label(self.context.label(field.label), strong=True), None, done))
        self._inside.addWidget(self.editor)
        self._panel.show()
        target = self.editor.focusProxy() or self.editor.nextInFocusChain()
        if target is not None:
            target.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_panel(self) -> None:
        """Closes it; what was set stays."""
        self.editor = None
        empty_layout(self._inside)
        self._panel.hide()

    # ---- saved ones
    def saved_menu(self) -> Menu:
        """Saved filters, and what can be done with them."""
        menu, state = Menu(self, leaves=True), self.memory.state
        everything = menu.addAction(tr("office_module.all_records"), self.show_everything)
        everything.setCheckable(True)
        everything.setChecked(not state.active and not state.filters)
        for one in state.saved:
            text = tr("office_module.default_filter", name=one.name) if one.name == state.default else one.name
            action = menu.addAction(text, partial(self.apply_saved, one))
            action.setCheckable(True)
            action.setChecked(one.name == state.active)
        menu.addSeparator()
        save = menu.addAction(tr("office_module.save_filter"), partial(self.ask_name, ""))
        save.setEnabled(bool(self.filters or self.text))
        if state.active:
            menu.addAction(tr("office_module.rename_filter"), partial(self.ask_name, state.active))
            menu.addAction(tr("office_module.delete_filter"), partial(self._forget, state.active))
            default = "" if state.default == state.active else state.active
            key = "office_module.make_default" if default else "office_module.no_default"
            menu.addAction(tr(key), lambda: self.memory.change(default=default))
        return menu

    def show_everything(self) -> None:
        """No condition, no words."""
        self.close_panel()
        self.memory.change(filters=(), active="")
        self.text_wanted.emit("")

    def apply_saved(self, one: SavedFilter) -> None:
        """Puts a saved filter on, with its order and its grouping."""
        self.close_panel()
        grouped = {"group": one.group, "grouped": True} if one.group else {"group": None, "grouped": False}
        self.memory.change(filters=one.filters, active=one.name, sort=one.sort or None, **grouped)
        self.text_wanted.emit(one.text)

    def ask_name(self, old: str) -> None:
        """Asks in the panel for the name to save under, or for another one than `old`."""
        self.close_panel()
        line = TextField(key="office_module.filter_name")
        line.setObjectName("filterName")
        line.setText(old)
        line.setMaxLength(60)
        line.setMaximumWidth(theme.scaled(260))
        keep = Button(key="office_module.save", kind="primary", small=True)
        keep.setObjectName("filterSave")
        off = Button(key="common.cancel", small=True)
        on_click(off, self.close_panel)
        on_click(keep, lambda: self._keep(old, line.text().strip()))
        line.returnPressed.connect(lambda: self._keep(old, line.text().strip()))
        self._inside.addLayout(row(line, keep, off, None))
        self._panel.show()
        line.setFocus(Qt.FocusReason.OtherFocusReason)
        line.selectAll()

    def _keep(self, old: str, name: str) -> None:
        if not name:
            return
        self.close_panel()
        if old:
            self.memory.set(self.memory.state.renamed(old, name))
        else:
            self.save_as(name)

    def save_as(self, name: str) -> None:
        """Keeps what is on under a name."""
        state = self.memory.state
        group = state.group if state.grouped else None
        made = SavedFilter(name, state.filters, self.text, state.sort or (), group)
        self.memory.set(state.with_saved(made))

    def _forget(self, name: str) -> None:
        self.memory.set(self.memory.state.without(name))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self._panel.isHidden():
            self.close_panel()
            self.add.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        super().keyPressEvent(event)


def _below(button: QWidget) -> QPoint:
    return button.mapToGlobal(button.rect().bottomLeft())


def group_menu(bar: FilterBar, names: list[str], current: str | None) -> Menu:
    """Fields that rows may be grouped by."""
    menu = Menu(bar, leaves=True)
    for name in (None, *names):
        field = bar.field_of(name) if name else None
        text = bar.context.label(field.label) if field is not None else tr("office_module.no_group")
        action = menu.addAction(text, partial(bar.memory.change, group=name, grouped=True, closed=()))
        action.setCheckable(True)
        action.setChecked(name == current)
    return menu
