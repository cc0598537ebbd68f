"""The head of the notices page: the way back, the tabs, the search, the button for a new one."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.ui import theme
from desktop.ui.kit import Button, ElidedLabel, HeaderBar, IconButton, SearchBox, TabStrip, on_click

SEARCH_WIDTH: Final = 190
SEARCH_NARROW: Final = 96


class NoticesHeader(HeaderBar):
    """`back_asked`: to the workbench."""

    back_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margins=(12, 14))
        back = IconButton("arrow-left", "office.back")
        back.setObjectName("noticesBack")
        on_click(back, self.back_asked.emit)
        self.tabs = TabStrip()
        self.search = SearchBox("office.search_notices")
        self.search.setObjectName("noticesSearch")
        self.new = Button(key="office_notice.new", kind="primary", icon="plus", parent=self)
        self.new.setObjectName("noticesNew")
        self.new.hide()
        self._title = ElidedLabel(key="office.notices", role="header", strong=True, whole=True)
        self.line.addWidget(back)
        self.line.addWidget(self._title)
        self.line.addWidget(self.tabs, 1)
        self.line.addWidget(self.search)
        self.line.addWidget(self.new)
        self.fold(self._narrow_search, self.new.set_compact, lambda cut: self._title.set_whole(not cut))

    def _narrow_search(self, narrow: bool) -> None:
        self.search.setFixedWidth(theme.scaled(SEARCH_NARROW if narrow else SEARCH_WIDTH))
