"""How the table's rows are painted: state bars, chips, lights of dates, marks of unsent and refused rows, group heads over the whole width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.records import Light, Record
from desktop.models.record_summary import Run
from desktop.models.record_table import RecordTableModel
from desktop.ui import theme
from desktop.ui.kit import draw_elided, paint_chip
from desktop.ui.office.views.base import ViewContext, value_of
from desktop.ui.office.views.cells import NUMERIC
from desktop.ui.theme import icons

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT: Final = 38
PAD: Final = 10
CHIP_PAD: Final = 16
LIGHTS: Final = {
    Light.RED: ("warning-circle-fill", "red"),
    Light.AMBER: ("clock-fill", "amber"),
    Light.GREEN: ("check-circle", "green"),
}
YES: Final = {
    "red": ("warning-circle-fill", "red"),
    "amber": ("warning-circle-fill", "amber"),
    "accent": ("check-bold", "accent"),
    "neutral": ("check-bold", "ink3"),
}
"""The mark of a yes by its tone; else a green check."""
_LINE: Final = int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextSingleLine)
LEFT: Final = int(Qt.AlignmentFlag.AlignLeft) | _LINE
RIGHT: Final = int(Qt.AlignmentFlag.AlignRight) | _LINE
MOST_KEPT: Final = 8000


class RecordDelegate(QStyledItemDelegate):
    """Paints cells; `field_of` gives a column's field, `light_of` the light of a date in it."""

    def __init__(
        self,
        context: ViewContext,
        model: RecordTableModel,
        field_of: Callable[[str], Field | None],
        light_of: Callable[[Record, str], Light | None],
        table: QTableView,
    ) -> None:
        super().__init__(table)
        self._context, self._model, self._table = context, model, table
        self._field_of, self._light_of = field_of, light_of
        self.hovered = -1
        self.opened = ""
        self._texts: dict[tuple[str, str], tuple[Record, str, int]] = {}
        self._take_fonts()
        theme.changed.connect(self._take_fonts)

    def _take_fonts(self) -> None:
        self._font = theme.font("base")
        self._metrics = QFontMetrics(self._font)
        self.forget()

    def forget(self) -> None:
        """Names or the language changed: words are made again."""
        self._texts.clear()

    def _words(self, index: Index, record: Record, name: str) -> tuple[str, int]:
        """A cell's words and how wide they are; kept, a wheel paints the same cells many times."""
        held = self._texts.get((record.id, name))
        if held is None or held[0] is not record:
            if len(self._texts) > MOST_KEPT:
                self._texts.clear()
            text = str(index.data() or "").replace("\n", " ")
            held = (record, text, self._metrics.horizontalAdvance(text))
            self._texts[record.id, name] = held
        return held[1], held[2]

    def asked_width(self, index: Index) -> int:
        """How wide a cell must be for all of its words; 0 for one that is not read."""
        record = self._model.record_at(index.row())
        name = self._model.columns[index.column()]
        field = self._field_of(name)
        if record is None or field is None:
            return 0
        words = self._words(index, record, name)[1]
        if field.kind is FieldKind.CHOICE:
            words += theme.scaled(CHIP_PAD) if words else 0
        elif field.kind is FieldKind.BOOL:
            words = theme.scaled(16)
        elif self._light_of(record, name) is not None:
            words += theme.scaled(19)
        marks = theme.scaled(20) if index.column() == 0 and (record.pending or record.refusal) else 0
        return words + marks + theme.scaled(2 * PAD) + 2

    def _draw(self, painter: QPainter, room: QRect, text: str, width: int, color: QColor, flags: int = LEFT) -> None:
        """One line, shortened where it does not fit."""
        if width > room.width():
            text = self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, room.width()))
        painter.setFont(self._font)
        painter.setPen(color)
        painter.drawText(room, flags, text)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(80), theme.scaled(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        run = self._model.run_at(index.row())
        record = None if run is not None else self._model.record_at(index.row())
        self._paint_ground(painter, rect, option, index, record, run)
        if run is not None:
            self._paint_run(painter, rect, index, run)
        elif record is None:
            self._paint_missing(painter, rect)
        else:
            self._paint_cell(painter, rect, index, record)
        painter.restore()

    # ---- ground
    def _paint_ground(
        self,
        painter: QPainter,
        rect: QRect,
        option: QStyleOptionViewItem,
        index: Index,
        record: Record | None,
        run: Run | None,
    ) -> None:
        colors = theme.tokens()
        state: QStyle.StateFlag = option.state
        shown = record is not None and record.id == self.opened
        if state & QStyle.StateFlag.State_Selected or shown:
            painter.fillRect(rect, colors.selected)
        elif run is not None:
            painter.fillRect(rect, colors.bg)
        elif index.row() == self.hovered:
            painter.fillRect(rect, colors.hover)
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), colors.line)
        current = self._table.currentIndex()
        if current.isValid() and current.row() == index.row() and self._table.hasFocus():
            painter.setPen(QPen(colors.accent, 1))
            painter.drawLine(rect.left(), rect.top(), rect.right(), rect.top())
            painter.drawLine(rect.left(), rect.bottom(), rect.right(), rect.bottom())

    def _is_first(self, index: Index) -> bool:
        return self._table.horizontalHeader().visualIndex(index.column()) == 0

    # ---- groups
    def _paint_run(self, painter: QPainter, rect: QRect, index: Index, run: Run) -> None:
        """A head spans the row: each cell paints its part of it."""
        colors = theme.tokens()
        header = self._table.horizontalHeader()
        left = -header.offset() + theme.scaled(PAD)
        painter.setClipRect(rect)
        side = theme.scaled(14)
        glyph = "caret-right" if run.key in self._model.closed else "caret-down"
        icons.paint(painter, QRectF(left, rect.center().y() - side / 2 + 0.5, side, side), glyph, colors.ink2)
        room = QRect(left + theme.scaled(20), rect.top(), header.length() - theme.scaled(30), rect.height())
        text = str(self._model.data(self._model.index(index.row(), 0)) or "")
        draw_elided(painter, room, text, theme.font("base", bold=True), colors.ink)

    @staticmethod
    def _paint_missing(painter: QPainter, rect: QRect) -> None:
        bar = QRectF(rect.left() + PAD, rect.center().y() - 4, min(rect.width() - 2 * PAD, theme.scaled(90)), 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tokens().field)
        painter.drawRoundedRect(bar, 4, 4)

    # ---- cells
    def _paint_cell(self, painter: QPainter, rect: QRect, index: Index, record: Record) -> None:
        pad = theme.scaled(PAD)
        room = rect.adjusted(pad, 0, -pad, -1)
        if self._is_first(index):
            room.setLeft(room.left() + self._paint_marks(painter, rect, record))
        name = self._model.columns[index.column()]
        field = self._field_of(name)
        if field is None:
            return
        value = value_of(record, name)
        text, width = self._words(index, record, name)
        match field.kind:
            case FieldKind.CHOICE if text:
                painter.setClipRect(rect)
                paint_chip(
                    painter, room.left(), room.center().y() + 0.5, text, self._context.choice_color(field, value)
                )
            case FieldKind.BOOL:
                self._paint_bool(painter, room, value, field)
            case kind if kind in NUMERIC:
                self._draw(painter, room, text, width, theme.tokens().ink, RIGHT)
            case _:
                self._paint_text(painter, room, text, width, field, record)

    def _paint_text(self, painter: QPainter, room: QRect, text: str, width: int, field: Field, record: Record) -> None:
        light = self._light_of(record, field.name)
        colors = theme.tokens()
        color = colors.ink
        if light is not None and light is not Light.GREEN:
            glyph, token = LIGHTS[light]
            side = theme.scaled(14)
            color = colors.red_text if light is Light.RED else colors.amber
            icons.paint(
                painter, QRectF(room.left(), room.center().y() - side / 2 + 0.5, side, side), glyph, colors.named(token)
            )
            room = room.adjusted(side + theme.scaled(5), 0, 0, 0)
        elif light is Light.GREEN:
            dot = theme.scaled(7)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.green)
            painter.drawEllipse(QRectF(room.left() + theme.scaled(3), room.center().y() - dot / 2 + 0.5, dot, dot))
            room = room.adjusted(theme.scaled(19), 0, 0, 0)
        self._draw(painter, room, text, width, color)

    @staticmethod
    def _paint_bool(painter: QPainter, room: QRect, value: object, field: Field) -> None:
        side = theme.scaled(16)
        place = QRectF(room.left(), room.center().y() - side / 2 + 0.5, side, side)
        if value is True:
            glyph, token = YES.get(field.color or "green", ("check-bold", "green"))
            icons.paint(painter, place, glyph, theme.tokens().named(token))
        elif value is False:
            icons.paint(painter, place, "minus", theme.tokens().faint)

    def _paint_marks(self, painter: QPainter, rect: QRect, record: Record) -> int:
        """The bar of the state at the row's left edge, and whether the row waits to be sent or was refused. Answers the width taken."""
        colors = theme.tokens()
        state = self._field_of("state")
        if state is not None:
            tone = self._context.choice_color(state, record.data.get("state"))
            color = colors.scroll if tone == "neutral" else colors.named(tone)
            painter.fillRect(QRect(rect.left(), rect.top() + 5, 3, rect.height() - 11), color)
        glyph, token = (
            ("warning-circle-fill", "red") if record.refusal else ("clock", "ink3") if record.pending else ("", "")
        )
        if not glyph:
            return 0
        side = theme.scaled(15)
        place = QRectF(rect.left() + theme.scaled(PAD), rect.center().y() - side / 2, side, side)
        icons.paint(painter, place, glyph, colors.named(token))
        return side + theme.scaled(5)
