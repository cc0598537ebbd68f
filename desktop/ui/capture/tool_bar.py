"""The bar under the chosen region: tools, colors, widths, undo, and what becomes of the picture."""

from functools import partial

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QHBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.capture.marks import Tool
from desktop.ui.kit import IconButton, on_click
from desktop.ui.theme import values_capture as values

_ICONS = {
    Tool.RECTANGLE: "rectangle",
    Tool.ELLIPSE: "circle",
    Tool.ARROW: "arrow-up-right",
    Tool.PEN: "pencil-simple",
    Tool.TEXT: "text-t",
    Tool.MOSAIC: "grid-four",
    Tool.NUMBER: "number-circle-one",
}
_GAP = 8


class _Dot(QAbstractButton):
    """A round choice: a color, or a width drawn as a dot of its size."""

    def __init__(self, key: str, color: str, radius: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color, self._radius = color, radius
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        i18n.bind(self.setToolTip, key)
        i18n.bind(self.setAccessibleName, key)
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(24), theme.scaled(30))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = theme.tokens()
        center = QPointF(self.width() / 2, self.height() / 2)
        if self.isChecked() or self.hasFocus():
            painter.setPen(QPen(tokens.link if self.isChecked() else tokens.faint, 1.6))
            painter.drawEllipse(center, theme.scaled(10), theme.scaled(10))
        painter.setPen(QPen(tokens.line_strong, 1) if self._color else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._color) if self._color else tokens.ink2)
        painter.drawEllipse(center, theme.scaled(self._radius), theme.scaled(self._radius))
        painter.end()


class ToolBar(QFrame):
    """`tool` is None while the region itself is moved. `done` carries copy, save, send or cancel."""

    tool_changed = Signal()
    undo_wanted = Signal()
    redo_wanted = Signal()
    done = Signal(str)

    def __init__(self, can_send: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "popup")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        i18n.bind(self.setAccessibleName, "capture.tools")
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.tool: Tool | None = None
        self.color, self.size_index = values.PENS[0], 1
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(2)
        self.tools: dict[Tool, IconButton] = {}
        for tool, icon in _ICONS.items():
            button = IconButton(icon, f"capture.tool.{tool.value}", checkable=True, active="link", size=18, box=30)
            on_click(button, partial(self._toggle, tool))
            self.tools[tool] = button
            row.addWidget(button)
        row.addSpacing(_GAP)
        self._sizes = QButtonGroup(self)
        for number in range(len(values.WIDTHS)):
            dot = _Dot(f"capture.width.{number}", "", (2, 4, 6)[number])
            dot.setChecked(number == self.size_index)
            self._sizes.addButton(dot, number)
            row.addWidget(dot)
        self._sizes.idClicked.connect(self._on_size)
        row.addSpacing(_GAP)
        self._colors = QButtonGroup(self)
        for number, color in enumerate(values.PENS):
            dot = _Dot(f"capture.color.{number}", color, 7)
            dot.setChecked(number == 0)
            self._colors.addButton(dot, number)
            row.addWidget(dot)
        self._colors.idClicked.connect(self._on_color)
        row.addSpacing(_GAP)
        self.undo_button = self._act("arrow-u-up-left", "undo", row)
        self.redo_button = self._act("arrow-u-up-right", "redo", row)
        on_click(self.undo_button, self.undo_wanted.emit)
        on_click(self.redo_button, self.redo_wanted.emit)
        row.addSpacing(_GAP)
        self.ends: dict[str, IconButton] = {}
        for name, icon in (("cancel", "x"), ("save", "floppy-disk"), ("copy", "copy"), ("send", "paper-plane-tilt")):
            if name != "send" or can_send:
                self.ends[name] = self._act(icon, name, row)
                on_click(self.ends[name], partial(self.done.emit, name))
        self.adjustSize()

    @staticmethod
    def _act(icon: str, name: str, row: QHBoxLayout) -> IconButton:
        button = IconButton(icon, f"capture.{name}", size=18, box=30)
        row.addWidget(button)
        return button

    def _toggle(self, tool: Tool) -> None:
        self.set_tool(None if self.tool is tool else tool)

    def set_tool(self, tool: Tool | None) -> None:
        """Chooses what a stroke draws; None moves the region."""
        self.tool = tool
        for one, button in self.tools.items():
            button.setChecked(one is tool)
        self.tool_changed.emit()

    def set_undo(self, can_undo: bool, can_redo: bool) -> None:
        """What undo and redo would do."""
        self.undo_button.setEnabled(can_undo)
        self.redo_button.setEnabled(can_redo)

    def _on_size(self, number: int) -> None:
        self.size_index = number
        self.tool_changed.emit()

    def _on_color(self, number: int) -> None:
        self.color = values.PENS[number]
        self.tool_changed.emit()

    def stand_by(self, region: QRect, screen: QRect) -> None:
        """Under the region, else over it, else inside it at its foot; always on the screen."""
        self.adjustSize()
        width, height = self.width(), self.height()
        x = max(screen.left() + _GAP, min(region.right() - width, screen.right() - width - _GAP))
        y = region.bottom() + _GAP
        if y + height > screen.bottom():
            y = region.top() - height - _GAP
        if y < screen.top():
            y = min(region.bottom(), screen.bottom()) - height - _GAP
        self.move(x, y)
