"""The list of a desk (mockup 3, left): what waits, with unit and number, grade, step and time left; unread bold, kept ones marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.core.domain.cases import WorkKind, WorkRow
from desktop.core.domain.records import Light
from desktop.models.keyed_rows import KeyedRows
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import ListPane, RowDelegate, draw_elided, paint_chip
from desktop.ui.office.process import words
from desktop.ui.office.views.base import STATE, ViewContext
from desktop.ui.theme import icons
from desktop.ui.theme import values_process as values

Index = QModelIndex | QPersistentModelIndex
TONES: Final = frozenset({"red", "amber", "green", "accent", "neutral"})


class DeskWords:
    """What a row of the desk says. `columns`: fields of its second line; `grade`: the choice field of its chip."""

    def __init__(self, context: ViewContext, columns: Sequence[str], grade: str | None) -> None:
        self.context, self.columns, self.grade = context, tuple(columns), grade

    def title(self, row: WorkRow) -> str:
        """What it is about."""
        return row.title or (self.context.title(row.record) if row.record is not None else "") or "…"

    def detail(self, row: WorkRow) -> str:
        """Unit and number; where the type has none of these fields, its name and who started it."""
        record = row.record
        if record is not None:
            found = [text for name in self.columns if (text := self.context.text(record, name))]
            found = [text for text in found if text not in self.title(row)]  # what names it is not said twice
            if found:
                return " · ".join(found)
        about = row.item or row.case
        definition = self.context.type_of(about.record_type) if about is not None else None
        kind = self.context.label(definition.label) if definition is not None else ""
        starter = row.case.started_by_id if row.case is not None else record.author_id if record is not None else None
        return " · ".join(part for part in (kind, self.context.name_of(starter)) if part)

    def chip(self, row: WorkRow) -> tuple[str, str]:
        """Words and tone of the grade; empty where it has none."""
        record = row.record
        if record is None or self.grade is None:
            return "", "neutral"
        field = self.context.field_of(record.type, self.grade)
        value = record.data.get(self.grade)
        if field is None or value is None:
            return "", "neutral"
        tone = self.context.choice_color(field, value)
        return self.context.cell_text(field, value), tone if tone in TONES else "neutral"

    def step(self, row: WorkRow) -> tuple[str, str]:
        """Where it is and how long there is, with the tone of that."""
        now, item, case = self.context.now_ms(), row.item, row.case
        if row.pending or (item is not None and item.pending):
            return tr("office_process.desk.pending"), "amber"
        if item is not None and item.open:
            parts = [self.context.label(item.step_words), words.left(now, item.due_at, short=True)]
            if item.on_behalf_of_id:
                parts.insert(1, tr("office_process.desk.for", name=self.context.name_of(item.on_behalf_of_id)))
            return " · ".join(part for part in parts if part), words.TONES[item.light(now)]
        if item is not None and item.done_at:
            done = tr("office_process.desk.done_at", time=when.short(item.done_at, now))
            return " · ".join(
                part for part in (self.context.label(item.step_words), done, self._where(row)) if part
            ), "ink3"
        return self._where(row) or (case.title if case is not None else ""), "ink3"

    def _where(self, row: WorkRow) -> str:
        """Where the case is: its steps with who has them, or how it ended."""
        case, record = row.case, row.record
        if case is None:
            return ""
        if case.ended:
            definition = self.context.type_of(case.record_type)
            state = definition.state(record.data.get(STATE)) if definition is not None and record is not None else None
            return self.context.label(state.label) if state is not None else tr(f"office_process.case.{case.state}")
        return " · ".join(
            " ".join(
                part
                for part in (self.context.label(step.words), words.short_names(self.context, step.person_ids))
                if part
            )
            for step in case.now
        )

    def unread(self, row: WorkRow) -> bool:
        """Whether it waits for this user and was not looked at."""
        return row.item is not None and row.item.open and row.item.read_at is None

    def spoken(self, row: WorkRow) -> str:
        """The row for a screen reader."""
        parts = [self.title(row), self.detail(row), self.chip(row)[0], self.step(row)[0]]
        if self.unread(row):
            parts.append(tr("office_process.desk.unread"))
        if row.light is Light.RED:
            parts.append(tr("office_process.diagram.late"))
        if row.kept:
            parts.append(tr("office_process.desk.kept"))
        return words.spoken(parts)


class DeskModel(QAbstractListModel):
    """Rows that keep their identity."""

    def __init__(self, spoken: Callable[[WorkRow], str], parent: QWidget) -> None:
        super().__init__(parent)
        self._spoken = spoken
        self.rows: KeyedRows[WorkRow] = KeyedRows(self, lambda one: one.key)

    def show_rows(self, rows: Sequence[WorkRow]) -> None:
        """These rows now."""
        self.rows.replace(rows)

    def row(self, place: int) -> WorkRow:
        """The row at a place."""
        return self.rows.rows[place]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._spoken(self.row(index.row()))
        return None

    def find(self, record_id: str) -> int:
        """The row about a record, -1 for none."""
        return next((n for n, one in enumerate(self.rows.rows) if record_of(one)[1] == record_id), -1)


class DeskPane(ListPane):
    """The list. What is read may have left it: then no row is chosen, not even when the keyboard comes here.

    Signals: stepped: an arrow was pressed while no row was chosen (-1 or 1).
    """

    stepped = Signal(int)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if self.currentIndex().isValid():
            super().focusInEvent(event)
            return
        chosen = self.selectionModel()
        with QSignalBlocker(chosen):  # Qt takes the first row
            super().focusInEvent(event)
            chosen.clear()
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if step and not self.currentIndex().isValid():
            self.stepped.emit(step)
            return
        super().keyPressEvent(event)


def record_of(row: WorkRow) -> tuple[str, str]:
    """Type and id of what a row is about."""
    about = row.item or row.case
    if about is not None:
        return about.record_type, about.record_id
    return (row.record.type, row.record.id) if row.record is not None else ("", "")


class DeskDelegate(RowDelegate):
    """Paints a row of three lines."""

    height = values.DESK_ROW
    padding = 14

    def __init__(self, says: DeskWords, model: DeskModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._says, self._model = says, model

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        colors, says = theme.tokens(), self._says
        row = self._model.row(index.row())
        painter.fillRect(QRect(0, rect.bottom(), rect.right() + 40, 1), colors.line)
        step = theme.scaled(22)
        line = QRect(rect.left(), rect.top() + theme.scaled(9), rect.width(), step)
        unread = says.unread(row)
        left = line.left()
        if unread:
            dot = theme.scaled(7)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.accent)
            painter.drawEllipse(QRectF(left, line.center().y() - dot / 2 + 0.5, dot, dot))
            left += theme.scaled(13)
        room = QRect(left, line.top(), line.right() - left, step)
        draw_elided(painter, room, says.title(row), theme.font("base", bold=unread), colors.ink)
        line.translate(0, step)
        draw_elided(painter, line, says.detail(row), theme.font("secondary"), colors.ink3)
        line.translate(0, step)
        self._paint_state(painter, line, row)

    def _paint_state(self, painter: QPainter, line: QRect, row: WorkRow) -> None:
        colors, says = theme.tokens(), self._says
        left, right = line.left(), line.right()
        small = theme.font("secondary")
        if row.kept:
            text = tr("office_process.desk.kept")
            width = QFontMetrics(small).horizontalAdvance(text) + 3
            if right - left - width > theme.scaled(150):
                place = QRect(right - width, line.top(), width, line.height())
                draw_elided(painter, place, text, small, colors.ink3)
                right -= width + 2
            side = theme.scaled(13)
            place_icon = QRectF(right - side - 2, line.center().y() - side / 2, side, side)
            icons.paint(painter, place_icon, "download-simple", colors.ink3)
            right -= side + 8
        chip, tone = says.chip(row)
        if chip:
            left = round(paint_chip(painter, left, line.center().y(), chip, tone).right()) + 8
        text, ink = says.step(row)
        if row.item is not None and row.item.kind is WorkKind.READ and row.item.open and not text:
            text = tr("office_process.desk.toRead")
        draw_elided(
            painter, QRect(left, line.top(), max(0, right - left), line.height()), text, small, colors.named(ink)
        )
