"""The line under the table: how many records, how many chosen, and sums right under their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QTableView, QWidget

from desktop.ui import theme
from desktop.ui.kit import draw_elided

HEIGHT: Final = 34
PAD: Final = 10


class TotalsLine(QWidget):
    """Follows the columns of a table."""

    def __init__(self, table: QTableView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self.words = ""
        self.sums: dict[int, str] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        header = table.horizontalHeader()
        for signal in (header.sectionResized, header.sectionMoved, header.geometriesChanged):
            signal.connect(self._again)
        table.horizontalScrollBar().valueChanged.connect(self._again)
        self._fit()
        theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self.setFixedHeight(theme.scaled(HEIGHT))

    def _again(self, *_what: object) -> None:
        self.update()

    def show_sums(self, words: str, sums: Mapping[int, str]) -> None:
        """The words at the left and the sums by column."""
        self.words, self.sums = words, dict(sums)
        self.setAccessibleName("  ".join([words, *sums.values()]))
        self.update()

    def asked_width(self, column: int) -> int:
        """How wide a column must be for its sum; 0 where there is none."""
        text = self.sums.get(column, "")
        return (
            QFontMetrics(theme.font("base", bold=True)).horizontalAdvance(text) + theme.scaled(2 * PAD) + 2
            if text
            else 0
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        painter.fillRect(self.rect(), colors.surface)
        painter.fillRect(QRect(0, 0, self.width(), 1), colors.line)
        header = self._table.horizontalHeader()
        pad = theme.scaled(PAD)
        taken = self.width()
        for column, text in self.sums.items():
            left = header.sectionViewportPosition(column)
            place = QRect(left + pad, 0, header.sectionSize(column) - 2 * pad, self.height())
            right = Qt.AlignmentFlag.AlignRight
            draw_elided(painter, place, text, theme.font("base", bold=True), colors.ink, align=right)
            taken = min(taken, left)
        room = QRect(pad, 0, max(0, taken - pad), self.height())
        draw_elided(painter, room, self.words, theme.font("secondary"), colors.ink2)
