"""The bar over a calendar or timeline: back, what is shown, on, today; scales and zoom at the right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.kit import Button, IconButton, Label, on_click

HEIGHT = 41


class DateBar(QFrame):
    """Signals: stepped (-1 or 1 windows), today_asked, scale_chosen (its key), zoomed (-1 or 1)."""

    stepped = Signal(int)
    today_asked = Signal()
    scale_chosen = Signal(str)
    zoomed = Signal(int)

    def __init__(self, scales: Sequence[str], *, zoom: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "header")
        self.title = Label(role="base", strong=True)
        self.title.setObjectName("dateTitle")
        self.back = IconButton("caret-left", "office_views.back", size=14, box=26)
        self.on = IconButton("caret-right", "office_views.on", size=14, box=26)
        self.today = Button(key="office_views.today", kind="ghost", small=True)
        self.buttons: dict[str, Button] = {}
        line = QHBoxLayout(self)
        line.setContentsMargins(10, 0, 10, 0)
        line.setSpacing(4)
        for part in (self.back, self.title, self.on, self.today):
            line.addWidget(part)
        line.addStretch(1)
        if zoom:
            self._add_zoom(line)
        for scale in scales:
            button = Button(key=f"office_views.scale_{scale}", kind="tab", small=True)
            button.setCheckable(True)
            button.setObjectName(f"scale_{scale}")
            on_click(button, partial(self.scale_chosen.emit, scale))
            self.buttons[scale] = button
            line.addWidget(button)
        on_click(self.back, partial(self.stepped.emit, -1))
        on_click(self.on, partial(self.stepped.emit, 1))
        on_click(self.today, self.today_asked.emit)
        self._fit()
        theme.changed.connect(self._fit)

    def _add_zoom(self, line: QHBoxLayout) -> None:
        out = IconButton("minus", "office_views.zoom_out", size=14, box=26)
        closer = IconButton("plus", "office_views.zoom_in", size=14, box=26)
        for button, step in ((out, -1), (closer, 1)):
            on_click(button, partial(self.zoomed.emit, step))
            line.addWidget(button)

    def show_window(self, title: str, scale: str) -> None:
        """What is shown below."""
        self.title.setText(title)
        for key, button in self.buttons.items():
            button.setChecked(key == scale)

    def _fit(self) -> None:
        self.setFixedHeight(theme.scaled(HEIGHT))


def day_words(key: str, day: date) -> str:
    """A date in words by a text with {y}, {m}, {d}, {month} and {weekday}."""
    return i18n.tr(
        key,
        y=day.year,
        m=day.month,
        d=day.day,
        month=i18n.tr(f"office_views.month.{day.month}"),
        weekday=i18n.tr(f"when.weekday.{day.weekday()}"),
    )
