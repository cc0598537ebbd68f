"""A row of small buttons of which one is on: filters over a list, each with its count."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, on_click, restyle


class FilterTabs(QWidget):
    """Texts come from `<prefix>.<key>`; counts above zero stand behind them. Left and Right go from one to the next."""

    chosen = Signal(str)

    def __init__(self, prefix: str, keys: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prefix = prefix
        self._counts: dict[str, int] = {}
        self.current = keys[0]
        self._buttons: dict[str, Button] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for key in keys:
            button = Button(small=True)
            button.setObjectName(f"filter_{key}")
            on_click(button, partial(self.choose, key))
            self._buttons[key] = button
            layout.addWidget(button)
        layout.addStretch(1)
        self._refresh()
        i18n.changed.connect(self._refresh)

    def choose(self, key: str) -> None:
        """Turns one on."""
        if key in self._buttons and key != self.current:
            self.current = key
            self._refresh()
            self.chosen.emit(key)

    def set_counts(self, counts: dict[str, int]) -> None:
        """Other counts."""
        self._counts = counts
        self._refresh()

    def set_shown(self, key: str, shown: bool) -> None:
        """Hides a filter that makes no sense for this user."""
        self._buttons[key].setVisible(shown)

    def _refresh(self) -> None:
        for key, button in self._buttons.items():
            count = self._counts.get(key, 0)
            text = tr(f"{self._prefix}.{key}")
            button.setText(f"{text} {count}" if count else text)
            button.setAccessibleName(button.text())
            kind = "primary" if key == self.current else "secondary"
            if button.property("kind") != kind:
                button.setProperty("kind", kind)
                restyle(button)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        keys = [key for key, button in self._buttons.items() if not button.isHidden()]
        if step and self.current in keys:
            key = keys[(keys.index(self.current) + step) % len(keys)]
            self.choose(key)
            self._buttons[key].setFocus()
            return
        super().keyPressEvent(event)
