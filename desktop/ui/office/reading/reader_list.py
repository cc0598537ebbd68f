"""The list of a reader: names with a second line, a dot for what is to be read, rows that keep their identity."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.core.domain.records import Record
from desktop.ui import theme
from desktop.ui.i18n import when
from desktop.ui.kit import RowDelegate, draw_elided
from desktop.ui.office.views.base import ViewContext
from desktop.ui.office.views.board_column import CardModel
from desktop.ui.theme import icons

Index = QModelIndex | QPersistentModelIndex


class ReaderDelegate(RowDelegate):
    """Paints a row; `unread` tells which records wait to be read."""

    height = 56

    def __init__(
        self,
        context: ViewContext,
        model: CardModel,
        meta: Callable[[Record], str],
        unread: Callable[[str], bool],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._context, self._model, self._meta, self._unread = context, model, meta, unread

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        colors = theme.tokens()
        record = self._model.record(index.row())
        painter.fillRect(QRect(0, rect.bottom(), rect.right() + 40, 1), colors.line)
        if record is None:  # it is on its way
            return
        line = theme.scaled(20)
        upper = QRect(rect.left(), rect.top() + theme.scaled(8), rect.width(), line)
        left = upper.left()
        if self._unread(record.id):
            dot = theme.scaled(7)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.accent)
            painter.drawEllipse(QRectF(left, upper.center().y() - dot / 2 + 0.5, dot, dot))
            left += theme.scaled(13)
        glyph = "warning-circle-fill" if record.refusal else "clock" if record.pending else ""
        if glyph:
            side = theme.scaled(14)
            icons.paint(painter, QRectF(left, upper.center().y() - side / 2, side, side), glyph, colors.ink3)
            left += side + 4
        moment = when.short(record.created_at, self._context.now_ms())
        width = draw_elided(painter, upper, moment, theme.font("small"), colors.ink3, align=Qt.AlignmentFlag.AlignRight)
        room = QRect(left, upper.top(), upper.right() - left - width - 6, line)
        bold = self._unread(record.id)
        draw_elided(painter, room, self._context.title(record), theme.font("base", bold=bold), colors.ink)
        lower = upper.translated(0, line)
        draw_elided(painter, lower, self._meta(record), theme.font("secondary"), colors.ink3)
