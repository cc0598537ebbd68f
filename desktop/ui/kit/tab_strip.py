"""Tabs as quiet buttons in one line; those that find no room wait in a menu at the end. Left and Right go from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop.ui import theme
from desktop.ui.kit.buttons import Button, IconButton, on_click
from desktop.ui.kit.corners import Menu
from desktop.ui.layouts import discard

NARROWEST = 96
"""The chosen tab is shortened before it is narrower than this."""


class TabStrip(QWidget):
    """Tabs by key; `chosen` carries the key of the one the user pressed.

    Args:
        small: of the height of filters instead of a header's.
        prefix: what the buttons' object names begin with.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, small: bool = False, prefix: str = "tab_") -> None:
        super().__init__(parent)
        self.current = ""
        self.buttons: dict[str, Button] = {}
        self._small, self._prefix = small, prefix
        self.more = IconButton("caret-down", "common.more_tabs", size=14, box=26 if small else 30)
        self.more.setObjectName("moreViews")
        on_click(self.more, lambda: self.more_menu().popup(self.more.mapToGlobal(self.more.rect().bottomLeft())))
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(2)
        self._line.addWidget(self.more)
        self._line.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._refit)

    def set_tabs(self, tabs: Sequence[tuple[str, str]]) -> None:
        """Other tabs: (key, words)."""
        if [key for key, _ in tabs] != list(self.buttons):
            for button in self.buttons.values():
                self._line.removeWidget(button)
                discard(button)
            self.buttons = {}
            for place, (key, _) in enumerate(tabs):
                button = Button(kind="tab", small=self._small)
                button.setObjectName(f"{self._prefix}{key}")
                button.setCheckable(True)
                on_click(button, partial(self._on_pressed, key))
                self.buttons[key] = button
                self._line.insertWidget(place, button)
            self._mark()
        for key, words in tabs:
            self.buttons[key].setText(words)
        self._refit()

    def choose(self, key: str) -> None:
        """Marks a tab; tells nobody."""
        self.current = key
        self._mark()
        self._refit()

    def _mark(self) -> None:
        """One stop for the Tab key: the chosen one, or the first where none is."""
        stop = self.current if self.current in self.buttons else next(iter(self.buttons), "")
        for key, button in self.buttons.items():
            button.setChecked(key == self.current)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if key == stop else Qt.FocusPolicy.ClickFocus)

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

    def _widths(self) -> dict[str, int]:
        return {key: button.whole_width() + self._line.spacing() for key, button in self.buttons.items()}

    def _refit(self) -> None:
        self._fit()
        self.updateGeometry()

    def _fit(self) -> None:
        """Shows as many as fit, the chosen one always, shortened where it has to be."""
        widths, room, gap = self._widths(), self.width(), self._line.spacing()
        kept = self.current if self.current in widths else next(iter(widths), "")
        shown = set(widths)
        if sum(widths.values()) > room + gap:
            shown = {kept}
            room -= self.more.width() + gap
            left = room - widths[kept]
            for key, width in widths.items():
                if key == kept:
                    continue
                left -= width
                if left < 0:
                    break
                shown.add(key)
        for key, button in self.buttons.items():
            button.set_room(room if key == kept and len(shown) == 1 and widths[key] - gap > room else 0)
            button.setVisible(key in shown)
        self.more.setVisible(len(shown) < len(widths))

    # ---- Qt overrides
    def minimumSizeHint(self) -> QSize:
        widths = self._widths()
        kept = widths.get(self.current, max(widths.values(), default=0))
        least = min(kept, theme.scaled(NARROWEST)) + (self.more.width() if len(widths) > 1 else 0)
        return QSize(least, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        return QSize(sum(self._widths().values()), super().sizeHint().height())

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
