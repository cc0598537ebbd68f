"""A text in several inks and weights that wraps like one: a step strong, its person quiet. Screen readers read it as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.ui import theme


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of the text: its words, a tone of the tokens, a role of the fonts."""

    text: str
    tone: str = "ink"
    role: str = "base"
    strong: bool = False


class RunsLabel(QWidget):
    """The widget; as tall as the text needs for its width."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[Run, ...] = ()
        self._layout = QTextLayout()
        self._laid = -1
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self._dress)

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Another text."""
        wanted = tuple(run for run in runs if run.text)
        if wanted != self._runs:
            self._runs = wanted
            self._dress()

    def text(self) -> str:
        """All of it."""
        return "".join(run.text for run in self._runs)

    def _dress(self) -> None:
        colors = theme.tokens()
        formats = []
        start = 0
        for run in self._runs:
            look = QTextCharFormat()
            font: QFont = theme.font(run.role, bold=run.strong)
            look.setFont(font)
            ink: QColor = colors.named(run.tone)
            look.setForeground(ink)
            piece = QTextLayout.FormatRange()
            piece.start, piece.length, piece.format = start, _units(run.text), look
            formats.append(piece)
            start += _units(run.text)
        self._layout = QTextLayout(self.text(), theme.font("base"))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._layout.setTextOption(option)
        self._layout.setFormats(formats)
        self._laid = -1
        self.setAccessibleName(self.text())
        self.updateGeometry()
        self.update()

    def _lay(self, width: int) -> float:
        """Breaks the lines for a width; answers the height, 0 without words."""
        if not self._runs:
            return 0.0
        height = 0.0
        self._layout.beginLayout()
        while (line := self._layout.createLine()).isValid():
            line.setLineWidth(max(1, width))
            line.setPosition(QPointF(0, height))
            height += line.height() + 1
        self._layout.endLayout()
        self._laid = width
        return height

    # ---- Qt overrides
    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(self._lay(width)) + bool(self._runs)

    def sizeHint(self) -> QSize:
        self._lay(100_000)
        width = round(self._layout.boundingRect().width()) + 2
        return QSize(width, round(self._lay(width)) + 1)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(40), self.heightForWidth(max(theme.scaled(40), self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._laid = -1
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._runs:
            return
        if self._laid != self.width():
            self._lay(self.width())
        self._layout.draw(QPainter(self), QPointF(0, 0), [], QRectF(event.rect()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Copies the text: an opinion is often wanted elsewhere."""
        if event.button() == Qt.MouseButton.LeftButton:
            QGuiApplication.clipboard().setText(self.text())


def _units(text: str) -> int:
    """Its length as Qt counts."""
    return len(text.encode("utf-16-le")) // 2
