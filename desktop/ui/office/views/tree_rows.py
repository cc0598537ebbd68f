"""How rows of a tree are painted: names, chips, figures, lights; what only leads to a match is paler."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView

from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.records import Light, Record
from desktop.ui import theme
from desktop.ui.kit import draw_elided, paint_chip
from desktop.ui.office.views.base import ViewContext, value_of
from desktop.ui.office.views.cells import NUMERIC
from desktop.ui.office.views.tree_model import RecordTreeModel
from desktop.ui.theme import icons

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 36
GLYPHS = {Light.RED: ("warning-circle-fill", "red"), Light.AMBER: ("clock-fill", "amber")}


class TreeDelegate(QStyledItemDelegate):
    """Cells of a RecordTreeModel."""

    def __init__(
        self,
        context: ViewContext,
        model: RecordTreeModel,
        field_of: Callable[[str], Field | None],
        light_of: Callable[[Record, str], Light | None],
        tree: QTreeView,
    ) -> None:
        super().__init__(tree)
        self._context, self._model, self._tree = context, model, tree
        self._field_of, self._light_of = field_of, light_of
        self.marked = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(80), theme.scaled(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        record = self._model.record(index)
        if record is None:  # it is on its way
            painter.fillRect(option.rect, theme.tokens().surface)
            return
        colors, rect = theme.tokens(), QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(rect, self._ground(option, record))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), colors.line)
        matching = self._model.tree.matching
        ink = colors.ink3 if matching is not None and record.id not in matching else colors.ink
        pad = theme.scaled(6)
        room = rect.adjusted(pad, 0, -pad, -1)
        if index.column() == 0:
            room.setLeft(room.left() + self._paint_mark(painter, room, record))
        self._paint_cell(painter, room, index, record, ink)
        focused = option.state & QStyle.StateFlag.State_HasFocus
        if focused and self._tree.hasFocus():
            painter.setPen(colors.accent)
            painter.drawRect(rect.adjusted(0, 0, -1, -2))
        painter.restore()

    def _ground(self, option: QStyleOptionViewItem, record: Record) -> QColor:
        colors = theme.tokens()
        if option.state & QStyle.StateFlag.State_Selected or record.id == self.marked:
            return colors.selected
        return colors.hover if option.state & QStyle.StateFlag.State_MouseOver else colors.surface

    @staticmethod
    def _paint_mark(painter: QPainter, room: QRect, record: Record) -> int:
        glyph, token = (
            ("warning-circle-fill", "red") if record.refusal else ("clock", "ink3") if record.pending else ("", "")
        )
        if not glyph:
            return 0
        side = theme.scaled(15)
        icons.paint(
            painter, QRectF(room.left(), room.center().y() - side / 2, side, side), glyph, theme.tokens().named(token)
        )
        return side + 5

    def _paint_cell(self, painter: QPainter, room: QRect, index: Index, record: Record, ink: QColor) -> None:
        name = self._model.columns[index.column()]
        field, words = self._field_of(name), str(index.data() or "")
        font: QFont = theme.font("base", bold=False)
        if field is not None and field.kind is FieldKind.CHOICE and words:
            tone = self._context.choice_color(field, value_of(record, name))
            painter.setClipRect(room)
            paint_chip(painter, room.left(), room.center().y() + 0.5, words, tone)
            return
        light = self._light_of(record, name)
        if light is not None and light in GLYPHS and words:
            glyph, token = GLYPHS[light]
            side = theme.scaled(14)
            place = QRectF(room.left(), room.center().y() - side / 2 + 0.5, side, side)
            icons.paint(painter, place, glyph, theme.tokens().named(token))
            room = room.adjusted(side + 5, 0, 0, 0)
            ink = theme.tokens().red_text if light is Light.RED else theme.tokens().amber
        right = field is not None and field.kind in NUMERIC
        draw_elided(painter, room, words, font, ink, align=Qt.AlignmentFlag.AlignRight if right else None)
