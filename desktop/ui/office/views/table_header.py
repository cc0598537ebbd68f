"""The table's header: arrows and places of several sorted columns, order and widths by dragging, the keyboard way to all of it by its menu."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QContextMenuEvent, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QApplication, QHeaderView, QWidget

from desktop.ui import i18n, theme
from desktop.ui.kit import draw_elided
from desktop.ui.kit.spoken import speak_as
from desktop.ui.theme import icons

HEIGHT: Final = 34
NARROWEST: Final = 48
PAD: Final = 10


class RecordHeader(QHeaderView):
    """Signals: sort_asked (column, add to what is sorted already), menu_asked (column, place on the screen)."""

    sort_asked = Signal(int, bool)
    menu_asked = Signal(int, object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        speak_as(self, QAccessible.Role.RowHeader)
        self.marks: dict[int, tuple[int, bool]] = {}
        self.right: frozenset[int] = frozenset()
        self.setSectionsMovable(True)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setStretchLastSection(True)
        self.setMinimumSectionSize(theme.scaled(NARROWEST))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        i18n.bind(self.setAccessibleName, "common.column_heads")
        self.sectionClicked.connect(self._on_clicked)

    def set_marks(self, marks: dict[int, tuple[int, bool]]) -> None:
        """Which columns are sorted: column → (place among them from 1, descending)."""
        self.marks = marks
        self.viewport().update()

    def asked_width(self, column: int) -> int:
        """How wide a column must be for its name, with the arrow of a sorted one."""
        text = str(self.model().headerData(column, Qt.Orientation.Horizontal) or "")
        mark = theme.scaled(26 if len(self.marks) > 1 else 16) if column in self.marks else 0
        return QFontMetrics(theme.font("secondary")).horizontalAdvance(text) + mark + theme.scaled(2 * PAD) + 2

    def _on_clicked(self, column: int) -> None:
        held = QApplication.keyboardModifiers()
        self.sort_asked.emit(column, bool(held & Qt.KeyboardModifier.ShiftModifier))

    # ---- Qt overrides
    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), theme.scaled(HEIGHT))

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:  # noqa: N802  # Qt's name
        colors = theme.tokens()
        painter.save()
        painter.fillRect(rect, colors.surface)
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), colors.line)
        painter.fillRect(QRect(rect.right(), rect.top() + 9, 1, rect.height() - 18), colors.line)
        pad = theme.scaled(PAD)
        room = rect.adjusted(pad, 0, -pad, 0)
        mark = self.marks.get(section)
        if mark is not None:
            room = room.adjusted(0, 0, -self._paint_mark(painter, room, mark), 0)
        text = str(self.model().headerData(section, Qt.Orientation.Horizontal) or "")
        side = Qt.AlignmentFlag.AlignRight if section in self.right else None
        draw_elided(painter, room, text, theme.font("secondary"), colors.link if mark else colors.ink3, align=side)
        if self.hasFocus():
            painter.fillRect(QRect(rect.left(), rect.bottom() - 1, rect.width(), 2), colors.accent)
        painter.restore()

    def _paint_mark(self, painter: QPainter, room: QRect, mark: tuple[int, bool]) -> int:
        """The arrow, with the column's place where several are sorted. Answers the width taken."""
        place, down = mark
        colors = theme.tokens()
        side = theme.scaled(12)
        spot = QRectF(QPointF(room.right() - side, room.center().y() - side / 2 + 0.5), QPointF(room.right(), 0))
        spot.setHeight(side)
        icons.paint(painter, spot, "arrow-down-bold" if down else "arrow-up-bold", colors.link)
        if len(self.marks) < 2:
            return side + 4
        digits = QRect(room.right() - side - theme.scaled(10), room.top(), theme.scaled(9), room.height())
        draw_elided(painter, digits, str(place), theme.font("tiny"), colors.link)
        return side + theme.scaled(14)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_asked.emit(self.logicalIndexAt(event.pos()), event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Menu):
            self.menu_asked.emit(-1, self.mapToGlobal(self.rect().bottomLeft()))
            return
        super().keyPressEvent(event)
