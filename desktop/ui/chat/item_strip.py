"""The pictures and files that wait to be sent with the next press of Send."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.ui.chat.outgoing import Item
from desktop.ui.i18n import when
from desktop.ui.kit import ElidedLabel, IconButton, IconLabel, Label, on_click


class ItemStrip(QFrame):
    """What waits to be sent with the next press of Send: each with its name, size and a way out."""

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.items: list[Item] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 4)
        self._layout.setSpacing(4)
        self.hide()

    def add(self, items: tuple[Item, ...]) -> None:
        """Puts more into it."""
        self.items.extend(items)
        self._show()

    def clear(self) -> None:
        """Empties it."""
        self.items = []
        self._show()

    def _remove(self, item: Item) -> None:
        self.items.remove(item)
        self._show()

    def _show(self) -> None:
        while (old := self._layout.takeAt(0)) is not None:
            widget = old.widget()
            if widget is not None:
                widget.deleteLater()
        for item in self.items:
            self._layout.addWidget(self._line(item))
        self.setVisible(bool(self.items))
        self.changed.emit()

    def _line(self, item: Item) -> QWidget:
        line = QFrame()
        line.setProperty("surface", "card")
        layout = QHBoxLayout(line)
        layout.setContentsMargins(8, 3, 4, 3)
        layout.setSpacing(8)
        layout.addWidget(IconLabel(_icon(item), size=16))
        layout.addWidget(ElidedLabel(item.name), 1)
        if not item.name.endswith("/"):
            layout.addWidget(Label(when.size(item.size), role="secondary", tone="ink3"))
        remove = IconButton("x", "chat.compose.strip_remove", size=14, box=22)
        on_click(remove, lambda: self._remove(item))
        layout.addWidget(remove)
        return line


def _icon(item: Item) -> str:
    if item.name.endswith("/"):
        return "folder"
    return "image" if item.is_picture else "file"
