"""The bar over a calendar or timeline: back, what is shown, on, today; scales and zoom at the right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.kit import Button, ElidedLabel, HeaderBar, IconButton, TabStrip, on_click

HEIGHT = 41


class DateBar(HeaderBar):
    """Signals: stepped (-1 or 1 windows), today_asked, scale_chosen (its key), zoomed (-1 or 1)."""

    stepped = Signal(int)
    today_asked = Signal()
    scale_chosen = Signal(str)
    zoomed = Signal(int)

    def __init__(self, scales: Sequence[str], *, zoom: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent, margins=(10, 10), spacing=4)
        self.title = ElidedLabel(role="base", strong=True, whole=True)
        self.title.setObjectName("dateTitle")
        self.back = IconButton("caret-left", "office_views.back", size=14, box=26)
        self.on = IconButton("caret-right", "office_views.on", size=14, box=26)
        self.today = Button(key="office_views.today", kind="ghost", folded_icon="calendar-blank", small=True)
        self._scales = scales
        self.zooms: list[IconButton] = []
        self.strip = TabStrip(small=True, prefix="scale_")
        self.strip.chosen.connect(self.scale_chosen)
        for part in (self.back, self.title, self.on, self.today):
            self.line.addWidget(part)
        self.line.addStretch(1)
        if zoom:
            self._add_zoom(self.line)
        self.line.addWidget(self.strip)
        self._label()
        i18n.changed.connect(self._label)
        on_click(self.back, partial(self.stepped.emit, -1))
        on_click(self.on, partial(self.stepped.emit, 1))
        on_click(self.today, self.today_asked.emit)
        self.fold(
            self.today.set_compact, self._hide_zoom, lambda cut: self.title.set_whole(not cut), self.today.setHidden
        )

    def _hide_zoom(self, hidden: bool) -> None:
        """Ctrl and the wheel, or + and -, do the same."""
        for button in self.zooms:
            button.setHidden(hidden)

    @property
    def buttons(self) -> dict[str, Button]:
        """The scales by their keys."""
        return self.strip.buttons

    def _label(self) -> None:
        self.strip.set_tabs([(scale, i18n.tr(f"office_views.scale_{scale}")) for scale in self._scales])

    def _add_zoom(self, line: QHBoxLayout) -> None:
        out = IconButton("minus", "office_views.zoom_out", size=14, box=26)
        closer = IconButton("plus", "office_views.zoom_in", size=14, box=26)
        for button, step in ((out, -1), (closer, 1)):
            on_click(button, partial(self.zoomed.emit, step))
            line.addWidget(button)
            self.zooms.append(button)

    def show_window(self, title: str, scale: str) -> None:
        """What is shown below."""
        self.title.setText(title)
        self.strip.choose(scale)

    def _fit_height(self) -> None:
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
