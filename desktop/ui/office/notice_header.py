"""The head of the notices page: the way back, the tabs, the search, the button for a new one."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.kit import Button, IconButton, Label, SearchBox, on_click
from desktop.ui.office.tab_strip import TabStrip

SEARCH_WIDTH: Final = 190


class NoticesHeader(QFrame):
    """`back_asked`: to the workbench."""

    back_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "header")
        back = IconButton("arrow-left", "office.back")
        back.setObjectName("noticesBack")
        on_click(back, self.back_asked.emit)
        self.tabs = TabStrip()
        self.search = SearchBox("office.search_notices")
        self.search.setObjectName("noticesSearch")
        self.new = Button(key="office_notice.new", kind="primary", icon="plus", parent=self)
        self.new.setObjectName("noticesNew")
        self.new.hide()
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 0, 14, 0)
        line.setSpacing(10)
        line.addWidget(back)
        line.addWidget(Label(key="office.notices", role="header", strong=True))
        line.addWidget(self.tabs, 1)
        line.addWidget(self.search)
        line.addWidget(self.new)
        self._fit()
        theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self.setFixedHeight(theme.scaled(theme.values.HEADER_HEIGHT))
        self.search.setFixedWidth(theme.scaled(SEARCH_WIDTH))
