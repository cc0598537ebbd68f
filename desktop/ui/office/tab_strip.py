"""The tabs of a module's page as quiet buttons; those that find no room wait in a menu at the end. Left and Right go from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop.ui import theme
from desktop.ui.kit import Button, IconButton, Menu, on_click
from desktop.ui.layouts import discard


class TabStrip(QWidget):
    """Tabs by key; `chosen` carries the key of the one the user pressed."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current = ""
        self.buttons: dict[str, Button] = {}
        self.more = IconButton("dots-three", "office_module.more_views", box=30)
        self.more.setObjectName("moreViews")
        on_click(self.more, lambda: self.more_menu().popup(self.more.mapToGlobal(self.more.rect().bottomLeft())))
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(2)
        self._line.addWidget(self.more)
        self._line.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._fit)

    def set_tabs(self, tabs: Sequence[tuple[str, str]]) -> None:
        """Other tabs: (key, words)."""
        if [key for key, _ in tabs] != list(self.buttons):
            for button in self.buttons.values():
                self._line.removeWidget(button)
                discard(button)
            self.buttons = {}
            for place, (key, _) in enumerate(tabs):
                button = Button(kind="tab")
                button.setObjectName(f"tab_{key}")
                button.setCheckable(True)
                on_click(button, partial(self._on_pressed, key))
                self.buttons[key] = button
                self._line.insertWidget(place, button)
        for key, words in tabs:
            self.buttons[key].setText(words)
        self._fit()

    def choose(self, key: str) -> None:
        """Marks a tab; tells nobody."""
        self.current = key
        for other, button in self.buttons.items():
            button.setChecked(other == key)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if other == key else Qt.FocusPolicy.ClickFocus)
        self._fit()

    def _on_pressed(self, key: str) -> None:
        self.choose(key)
        self.chosen.emit(key)

    def hidden_keys(self) -> list[str]:
        """Tabs that found no room."""
        return [key for key, button in self.buttons.items() if button.isHidden()]

    def more_menu(self) -> Menu:
        """The tabs that found no room."""
        menu = Menu(self, leaves=True)
        for key in self.hidden_keys():
            menu.addAction(self.buttons[key].text(), partial(self._on_pressed, key))
        return menu

    def _fit(self) -> None:
        """Shows as many as fit, the chosen one always."""
        gap = self._line.spacing()
        widths = {key: button.sizeHint().width() + gap for key, button in self.buttons.items()}
        room = self.width()
        if sum(widths.values()) <= room + gap:
            shown = set(widths)
        else:
            room -= self.more.width() + gap + widths.get(self.current, 0)
            shown = {self.current}
            for key, width in widths.items():
                if key == self.current:
                    continue
                room -= width
                if room < 0:
                    break
                shown.add(key)
        for key, button in self.buttons.items():
            button.setVisible(key in shown)
        self.more.setVisible(len(shown) < len(widths))

    # ---- Qt overrides
    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(110), theme.scaled(32))

    def sizeHint(self) -> QSize:
        gap = self._line.spacing()
        width = sum(button.sizeHint().width() + gap for button in self.buttons.values())
        return QSize(width, theme.scaled(32))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        keys = list(self.buttons)
        if step and self.current in keys:
            key = keys[(keys.index(self.current) + step) % len(keys)]
            self._on_pressed(key)
            self.buttons[key].setFocus(Qt.FocusReason.TabFocusReason)
            return
        super().keyPressEvent(event)
