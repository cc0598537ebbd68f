"""The strip of tools for marking a document: highlight, note, pen, eraser; color; for oneself or for everybody who sees the record."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QToolButton, QWidget

from desktop.ui import i18n, theme
from desktop.ui.kit import CheckBox, IconButton, Label, on_click
from desktop.ui.reader.marks import COLORS
from desktop.ui.reader.marks_layer import MarksLayer, mark_color

TOOLS = (("highlight", "highlighter-circle"), ("note", "note"), ("pen", "pen-nib"), ("eraser", "eraser"))
DOT = 14


class MarkBar(QFrame):
    """Chooses what the layer does."""

    closed = Signal()

    def __init__(self, layer: MarksLayer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layer = layer
        self.setObjectName("readerMarkBar")
        self.setProperty("surface", "header")
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 4, 12, 4)
        line.setSpacing(4)
        self._tools = QButtonGroup(self)
        self._tools.setExclusive(False)
        self._buttons: dict[str, IconButton] = {}
        for tool, icon in TOOLS:
            button = IconButton(icon, f"reader.mark.{tool}", checkable=True, active="accent")
            button.setObjectName(f"readerMark_{tool}")
            button.toggled.connect(partial(self._choose, tool))
            self._buttons[tool] = button
            line.addWidget(button)
        line.addSpacing(12)
        self._colors = QButtonGroup(self)
        self._dots: list[tuple[QToolButton, str]] = []
        for color in COLORS:
            dot = QToolButton()
            dot.setCheckable(True)
            dot.setAutoRaise(True)
            dot.setObjectName(f"readerMarkColor_{color}")
            i18n.bind(dot.setToolTip, f"reader.mark.{color}")
            i18n.bind(dot.setAccessibleName, f"reader.mark.{color}")
            on_click(dot, partial(self._paint_with, color))
            self._colors.addButton(dot)
            self._dots.append((dot, color))
            line.addWidget(dot)
        line.addSpacing(12)
        self._shared = CheckBox(key="reader.mark.shared")
        self._shared.setObjectName("readerMarkShared")
        self._shared.toggled.connect(self._share)
        line.addWidget(self._shared)
        self._hint = Label(role="secondary", tone="ink3")
        line.addWidget(self._hint)
        line.addStretch(1)
        close = IconButton("x", "reader.mark.close", size=16)
        on_click(close, self.closed.emit)
        line.addWidget(close)
        self._dots[0][0].setChecked(True)
        theme.changed.connect(self._tint)
        i18n.changed.connect(self._say)
        self._tint()

    def take(self, tool: str) -> None:
        """Take a tool as if it were clicked; "" puts all down."""
        for name, button in self._buttons.items():
            button.setChecked(name == tool)

    def _choose(self, tool: str, on: bool) -> None:
        if on:
            for name, button in self._buttons.items():
                if name != tool:
                    button.setChecked(False)
            self._layer.set_tool(tool)
        elif self._layer.tool == tool:
            self._layer.set_tool("")
        self._say()

    def _say(self) -> None:
        self._hint.setText(i18n.tr(f"reader.mark.hint.{self._layer.tool}") if self._layer.tool else "")

    def _paint_with(self, color: str) -> None:
        self._layer.color = color

    def _share(self, on: bool) -> None:
        self._layer.shared = on

    def _tint(self) -> None:
        side, ratio = theme.scaled(DOT), self.devicePixelRatioF()
        for dot, color in self._dots:
            picture = QPixmap(QSize(side, side) * ratio)
            picture.setDevicePixelRatio(ratio)
            picture.fill("transparent")
            painter = QPainter(picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(mark_color(color))
            painter.setPen(mark_color(color))
            painter.drawEllipse(1, 1, side - 2, side - 2)
            painter.end()
            dot.setIcon(QIcon(picture))
            dot.setIconSize(QSize(side, side))
            dot.setFixedSize(theme.scaled(28), theme.scaled(28))
