"""The menus of the table: what a header offers (the keyboard way to all that is dragged there) and what can be done with the rows chosen."""

from __future__ import annotations

from functools import partial

from PySide6.QtGui import QAction

from desktop.ui.i18n import tr
from desktop.ui.kit import Menu, clipboard_text
from desktop.ui.office.views.table import TableView


def header_menu(view: TableView, column: int) -> Menu:
    """Order, grouping, place and choice of columns. `column` -1: none in particular."""
    menu = Menu(view, leaves=True)
    if 0 <= column < len(view.model.columns):
        _column_part(view, menu, view.model.columns[column])
        menu.addSeparator()
    columns_part(view, menu)
    return menu


def _column_part(view: TableView, menu: Menu, name: str) -> None:
    shown = view.shown_columns()
    place = shown.index(name)
    menu.addAction(tr("office_module.sort_up"), partial(view.set_sort, (name,)))
    menu.addAction(tr("office_module.sort_down"), partial(view.set_sort, (f"-{name}",)))
    if view.memory.state.sort is not None:
        menu.addAction(tr("office_module.sort_reset"), partial(view.set_sort, None))
    if name in view.groupable():
        menu.addAction(tr("office_module.group_by_this"), partial(view.group_by, name))
    menu.addSeparator()
    left = menu.addAction(tr("office_module.move_left"), partial(_move, view, place, place - 1))
    left.setEnabled(place > 0)
    right = menu.addAction(tr("office_module.move_right"), partial(_move, view, place, place + 1))
    right.setEnabled(place < len(shown) - 1)
    hide = menu.addAction(tr("office_module.hide_column"), partial(_toggle, view, name))
    hide.setEnabled(len(shown) > 1)


def columns_menu(view: TableView) -> Menu:
    """The choice of columns alone."""
    menu = Menu(view, leaves=True)
    columns_part(view, menu)
    return menu


def columns_part(view: TableView, menu: Menu) -> None:
    """A check mark for each column that may stand there."""
    shown = view.shown_columns()
    inner = Menu(menu)
    inner.setTitle(tr("office_module.columns"))
    for name in view.possible_columns():
        field = view.field_of(name)
        if field is None:
            continue
        action = QAction(view.context.label(field.label), inner)
        action.setCheckable(True)
        action.setChecked(name in shown)
        action.setEnabled(shown != (name,))
        action.triggered.connect(lambda _on, name=name: _toggle(view, name))
        inner.addAction(action)
    menu.addMenu(inner)
    reset = menu.addAction(tr("office_module.columns_reset"), lambda: view.memory.change(columns=(), widths={}))
    reset.setEnabled(bool(view.memory.state.columns or view.memory.state.widths))


def _move(view: TableView, place: int, target: int) -> None:
    names = list(view.shown_columns())
    names.insert(target, names.pop(place))
    view.set_columns(names)


def _toggle(view: TableView, name: str) -> None:
    shown = list(view.shown_columns())
    if name in shown:
        shown.remove(name)
    else:
        shown.append(name)
    view.set_columns(shown)


def row_menu(view: TableView) -> Menu:
    """What can be done with the rows chosen: with one of them, or with all."""
    menu = Menu(view, leaves=True)
    record, count = view.current(), len(view.grid.selected_places())
    if record is not None and count <= 1:
        menu.addAction(tr("office_module.open"), partial(view.opened.emit, record.id))
        for action in view.context.records.allowed_actions(record):
            menu.addAction(view.context.label(action.label), partial(view.act_asked.emit, action.name))
        menu.addAction(tr("office_module.copy_link"), partial(clipboard_text, f"tongban://{record.type}/{record.id}"))
        menu.addSeparator()
    if count:
        menu.addAction(tr("office_module.copy_rows", n=count), view.copy)
        menu.addAction(tr("office_module.export_rows", n=count), view.export_asked.emit)
        menu.addAction(tr("office_module.delete_rows", n=count), view.delete_asked.emit)
        menu.addSeparator()
    menu.addAction(tr("office_module.select_all"), view.grid.selectAll)
    if view.model.runs:
        menu.addAction(tr("office_module.close_groups"), partial(view.close_groups, True))
        menu.addAction(tr("office_module.open_groups"), partial(view.close_groups, False))
    return menu
