"""The table inside a form: lines with cells edited in place, moved, pasted from a spreadsheet, summed below. And the object, a small form inside the form."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QFrame,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from desktop.core.clock import utc_date
from desktop.core.domain.conditions import is_empty
from desktop.core.domain.definition import Field, FieldKind
from desktop.models import record_values as values
from desktop.models.record_form import is_written
from desktop.models.record_lines import NUMERIC, LinesModel
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Card, IconButton, Label, on_click, row
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.record.pick_line import PickLine
from desktop.ui.office.record.time_editors import day_words
from desktop.ui.office.views.base import ViewContext

MakeEditor = Callable[[ViewContext, Field, bool], FieldEditor]
SHOWN_ROWS = 8
WIDTHS = {FieldKind.TEXT: 116, FieldKind.LONG_TEXT: 150, FieldKind.SPAN: 230, FieldKind.DATETIME: 150}
OTHER_WIDTH = 86

Index = QModelIndex | QPersistentModelIndex


def read_cell(context: ViewContext, field: Field, text: str) -> Any:
    """The wire value of a pasted cell; raises ValueError where its column can't hold it."""
    today = values.local_date(context.now_ms())
    match field.kind:
        case FieldKind.NUMBER:
            return values.parse_number(text, field.decimals)
        case FieldKind.MONEY:
            return values.parse_money(text)
        case FieldKind.DATE:
            return values.parse_date(text, today, day_words()).isoformat()
        case FieldKind.DATETIME:
            return utc_date(values.parse_moment(text, today, day_words()))
        case FieldKind.SPAN:
            return values.span_value(*values.parse_span(text, today, day_words()))
        case FieldKind.BOOL:
            return text.strip().casefold() in {"1", "x", "y", "yes", "true", tr("office_module.yes").casefold()}
        case FieldKind.CHOICE:
            return _choice(context, field, text)
        case FieldKind.PERSON | FieldKind.DEPARTMENT:
            return _named(context, field, text)
        case FieldKind.TEXT | FieldKind.LONG_TEXT:
            return text.strip()
    raise ValueError(text)


def _choice(context: ViewContext, field: Field, text: str) -> str:
    wanted = text.strip().casefold()
    for choice in field.choices:
        if wanted in (choice.value.casefold(), choice.label.zh.casefold(), choice.label.en.casefold()):
            return choice.value
    raise ValueError(text)


def _named(context: ViewContext, field: Field, text: str) -> str:
    organization = context.organization
    people = field.kind is FieldKind.PERSON
    rows = organization.people.values() if people else organization.departments.values()
    found = [one.id for one in rows if one.name == text.strip()]
    if len(found) != 1:
        raise ValueError(text)  # nobody, or two of that name: not ours to guess
    return found[0]


class _CellDelegate(QStyledItemDelegate):
    """Edits a cell with the editor of its field."""

    def __init__(self, context: ViewContext, make: MakeEditor, parent: QTableView) -> None:
        super().__init__(parent)
        self._context, self._make = context, make

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        model = index.model()
        assert isinstance(model, LinesModel)
        editor = self._make(self._context, model.columns[index.column()], True)
        editor.setParent(parent)
        editor.setAutoFillBackground(True)
        editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        editor.focus_target().installEventFilter(self)
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        model = index.model()
        assert isinstance(editor, FieldEditor)
        assert isinstance(model, LinesModel)
        editor.set_value(index.data(Qt.ItemDataRole.EditRole))
        raw = model.raw(index.row(), model.columns[index.column()].name)
        if raw is not None:
            editor.set_raw(raw)

    def setModelData(self, editor: QWidget, model: object, index: Index) -> None:
        assert isinstance(editor, FieldEditor)
        assert isinstance(model, LinesModel)
        editor.finish()
        name, raw = model.columns[index.column()].name, editor.raw()
        if raw is None:
            model.set_cell(index.row(), name, editor.value())
        else:
            model.set_raw(index.row(), name, raw)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys reach the line inside of an editor: Tab, Enter and Escape end it all the same, unless its list of hits wants them."""
        if isinstance(watched, FieldEditor) or not isinstance(watched, QWidget):
            return super().eventFilter(watched, event)
        editor = watched.parentWidget()
        while editor is not None and not isinstance(editor, FieldEditor):
            editor = editor.parentWidget()
        if editor is None or (isinstance(watched, PickLine) and watched.list.isVisible() and _is_for_list(event)):
            return False
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        handled = super().eventFilter(editor, event)
        # Enter is left to the editor by Qt, which would hear it twice: from the line, and from its parent on the way up.
        return handled or event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        place: QRect = option.rect
        height = max(place.height(), editor.sizeHint().height())
        editor.setGeometry(QRect(place.x(), place.y() - (height - place.height()) // 2, place.width(), height))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if isinstance(model, LinesModel) and model.is_bad(index):
            place: QRect = option.rect
            painter.fillRect(place, theme.tokens().red_soft)
        super().paint(painter, option, index)

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:  # noqa: N802  # Qt's name
        super().initStyleOption(option, index)
        model = index.model()
        if isinstance(model, LinesModel) and not is_written(model.columns[index.column()]):
            option.palette.setColor(option.palette.ColorRole.Text, QColor(theme.tokens().ink2))


def _is_for_list(event: QEvent) -> bool:
    keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_Up, Qt.Key.Key_Down)
    return isinstance(event, QKeyEvent) and event.key() in keys


class LinesTable(QTableView):
    """The table: Enter and typing edit, Tab goes through the cells and out at the end, Ctrl+V pastes, Delete clears, Alt+arrows move a line."""

    def __init__(self, context: ViewContext, make: MakeEditor, model: LinesModel) -> None:
        super().__init__()
        self._context, self._lines = context, model
        self.setModel(model)
        self.setItemDelegate(_CellDelegate(context, make, self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignCenter)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setShowGrid(True)
        self.setCornerButtonEnabled(False)
        self._dress()
        theme.changed.connect(self._dress)
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._fit)

    def _dress(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.scaled(34))
        self.verticalHeader().setFixedWidth(theme.scaled(30))
        header = self.horizontalHeader()
        for number, field in enumerate(self._lines.columns):
            self.setColumnWidth(number, theme.scaled(WIDTHS.get(field.kind, OTHER_WIDTH)))
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        palette = self.palette()
        palette.setColor(palette.ColorRole.Mid, theme.tokens().line)
        self.setPalette(palette)
        self._fit()

    def _fit(self) -> None:
        rows = min(self._lines.rowCount(), SHOWN_ROWS)
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows * theme.scaled(34) + bar)

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(280), self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_line(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear_cells()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            if self.state() is not QAbstractItemView.State.EditingState:  # else it is the editor's, on its way up
                self.edit(index)
        elif event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._leave_or_next(event)
        else:
            super().keyPressEvent(event)

    def _leave_or_next(self, event: QKeyEvent) -> None:
        step = 1 if event.key() == Qt.Key.Key_Tab else -1
        index = self.currentIndex()
        place = index.row() * self._lines.columnCount() + index.column() + step
        if not index.isValid() or not 0 <= place < self._lines.rowCount() * self._lines.columnCount():
            self.focusNextPrevChild(step > 0)
            return
        self.setCurrentIndex(self._lines.index(*divmod(place, self._lines.columnCount())))

    def focusNextPrevChild(self, next: bool) -> bool:
        return QWidget.focusNextPrevChild(self, next)

    # ---- what the user does
    def paste(self) -> tuple[int, int]:
        """Pastes a spreadsheet's cells from the current one on."""
        index = self.currentIndex()
        text = QGuiApplication.clipboard().text()
        start = (index.row(), index.column()) if index.isValid() else (self._lines.count, 0)
        return self._lines.paste(*start, text, lambda field, cell: read_cell(self._context, field, cell))

    def copy(self) -> None:
        """Copies the chosen cells as a spreadsheet does."""
        chosen = sorted((i.row(), i.column(), str(i.data() or "")) for i in self.selectedIndexes())
        rows: dict[int, list[str]] = {}
        for number, _, text in chosen:
            rows.setdefault(number, []).append(text.replace("\t", " ").replace("\n", " "))
        QGuiApplication.clipboard().setText("\n".join("\t".join(cells) for cells in rows.values()))

    def clear_cells(self) -> None:
        """Empties the chosen cells."""
        for index in self.selectedIndexes():
            field = self._lines.columns[index.column()]
            if is_written(field):
                self._lines.set_cell(index.row(), field.name, None)

    def move_line(self, step: int) -> None:
        """Moves the current line up or down."""
        index = self.currentIndex()
        if index.isValid():
            self.setCurrentIndex(self._lines.index(self._lines.move(index.row(), step), index.column()))

    def drop_lines(self) -> None:
        """Takes the chosen lines away."""
        self._lines.remove(sorted({index.row() for index in self.selectedIndexes()}))

    def add_line(self) -> None:
        """Goes to the empty line and starts writing."""
        index = self._lines.index(self._lines.count, 0)
        self.setCurrentIndex(index)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edit(index)


class LinesEditor(FieldEditor):
    """Lines with their sums."""

    wide = True

    def __init__(self, context: ViewContext, field: Field, make: MakeEditor, parent: QWidget | None = None) -> None:
        super().__init__(context, field, parent=parent)
        self.model = LinesModel(field, context.cell_text, self._head, self)
        self.table = LinesTable(context, make, self.model)
        frame = Card(padding=1)
        frame.body.addWidget(self.table)
        self.add = Button(key="office_record.lines.add", icon="plus", small=True)
        self.add.setObjectName("linesAdd")
        self.drop = IconButton("trash", "office_record.lines.remove", size=16, box=28)
        self.up = IconButton("arrow-up", "office_record.lines.up", size=16, box=28)
        self.down = IconButton("arrow-down", "office_record.lines.down", size=16, box=28)
        self.paste = IconButton("clipboard-text", "office_record.lines.paste", size=16, box=28)
        self.sums = Label(role="secondary", tone="ink2", wrap=True)
        self.sums.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.note = Label(role="secondary", tone="amber", wrap=True)
        self.note.hide()
        self.setFocusProxy(self.table)
        self.column.addWidget(frame)
        self.column.addLayout(row(self.add, self.paste, self.up, self.down, self.drop, None, spacing=4))
        self.column.addWidget(self.sums)
        self.column.addWidget(self.note)
        on_click(self.add, self.table.add_line)
        on_click(self.drop, self.table.drop_lines)
        on_click(self.up, lambda: self.table.move_line(-1))
        on_click(self.down, lambda: self.table.move_line(1))
        on_click(self.paste, self.paste_rows)
        self.model.edited.connect(self._on_edited)
        self.model.modelReset.connect(self._show_sums)
        context.names_changed.connect(self.table.viewport().update)
        i18n.changed.connect(self._show_sums)
        self._show_sums()

    def _head(self, field: Field) -> str:
        unit = f" ({self.context.label(field.unit)})" if field.unit else ""
        return f"{self.context.label(field.label)}{unit}{' *' if field.required else ''}"

    def value(self) -> Any:
        return self.model.lines() or None

    def show_value(self, value: Any) -> None:
        self.model.set_lines(value)
        self._show_sums()

    def raw(self) -> str | None:
        raws = self.model.raws()
        return json.dumps(raws, ensure_ascii=False) if raws else None

    def set_raw(self, text: str) -> None:
        for number, texts in json.loads(text).items():
            for name, cell in texts.items():
                self.model.set_raw(int(number), name, cell)

    def show_bad(self, cells: set[tuple[int, str]]) -> None:
        """Marks cells: (row, field)."""
        self.model.show_bad(cells)

    def set_invalid(self, invalid: bool) -> None:
        if not invalid:
            self.model.show_bad(set())

    def paste_rows(self) -> None:
        """Pastes, and says how many cells could not be read."""
        written, bad = self.table.paste()
        self.note.setText(tr("office_record.lines.pasted", n=written, bad=bad) if bad else "")
        self.note.setVisible(bad > 0)

    def _on_edited(self) -> None:
        self._show_sums()
        self.told()

    def _show_sums(self) -> None:
        totals = self.model.totals() if self.model.count else {}
        shown = [
            f"{self.context.label(one.label)} {self._sum_text(one, totals[one.name])}"
            for one in self.model.columns
            if one.name in totals and self._summed(one)
        ]
        self.sums.setText(tr("office_record.lines.sums", sums="  ".join(shown)) if shown else "")
        self.sums.setVisible(bool(shown))

    @staticmethod
    def _summed(field: Field) -> bool:
        """Amounts have a sum, prices have none: what is computed has one."""
        return field.kind in NUMERIC and bool(field.formula)

    def _sum_text(self, field: Field, total: Decimal) -> str:
        return self.context.cell_text(field, f"{total:.2f}" if field.kind is FieldKind.MONEY else float(total))


class ObjectEditor(FieldEditor):
    """The fields of an object, in a box."""

    wide = True

    def __init__(self, context: ViewContext, field: Field, make: MakeEditor, parent: QWidget | None = None) -> None:
        super().__init__(context, field, parent=parent)
        self.editors: dict[str, FieldEditor] = {}
        self._held: dict[str, Any] = {}
        box = Card(padding=10)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for one in field.fields:
            editor = make(context, one, False)
            editor.setEnabled(is_written(one))
            editor.changed.connect(self.told)
            name = context.label(one.label)
            editor.set_name(name)
            self.editors[one.name] = editor
            form.addRow(Label(name + (" *" if one.required else ""), role="secondary", tone="ink3"), editor)
        box.body.addLayout(form)
        self.column.addWidget(box)

    def focus_target(self) -> QWidget:
        first = next(iter(self.editors.values()), None)
        return self if first is None else first.focus_target()

    def set_name(self, name: str) -> None:
        self.setAccessibleName(name)

    def value(self) -> Any:
        known = {name: editor.value() for name, editor in self.editors.items()}
        held = {name: value for name, value in self._held.items() if name not in known}
        return {**held, **{name: value for name, value in known.items() if not is_empty(value)}} or None

    def show_value(self, value: Any) -> None:
        self._held = dict(value) if isinstance(value, dict) else {}
        for name, editor in self.editors.items():
            editor.set_value(self._held.get(name))

    def raw(self) -> str | None:
        return next((text for editor in self.editors.values() if (text := editor.raw()) is not None), None)

    async def settle(self) -> None:
        for editor in self.editors.values():
            await editor.settle()
