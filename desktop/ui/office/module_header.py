"""The head of a module's page: the way back, its name, the tabs, the search, export, the button for a new record, what is needed seldom."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.ui import theme
from desktop.ui.kit import Button, ElidedLabel, HeaderBar, IconButton, SearchBox, TabStrip

SEARCH_WIDTH = 170
SEARCH_NARROW = 96


class ModuleHeader(HeaderBar):
    """Where there is no room the search gets narrow, the export goes into the menu, the button shows its icon, at last the name is cut."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.back = IconButton("arrow-left", "office.back")
        self.back.setObjectName("moduleBack")
        self.title = ElidedLabel(role="header", strong=True, whole=True)
        self.tabs = TabStrip()
        self.search = SearchBox("office_module.search", shortcut="Ctrl+F")
        self.search.setObjectName("moduleSearch")
        self.export = Button(key="office_module.export_excel")
        self.export.setObjectName("moduleExport")
        self.more = IconButton("dots-three-vertical", "office_module.more")
        self.more.setObjectName("moduleMore")
        self.new = Button(kind="primary", icon="plus")
        self.new.setObjectName("moduleNew")
        self._exports = self._folded = False
        self.line.addWidget(self.back)
        self.line.addWidget(self.title)
        self.line.addWidget(self.tabs, 1)
        for part in (self.search, self.export, self.new, self.more):
            self.line.addWidget(part)
        self.fold(self._narrow_search, self._fold_export, self.new.set_compact, self._cut_title)

    @property
    def export_folded(self) -> bool:
        """The rows can be exported, and there was no room for the button."""
        return self._exports and self._folded

    def offer_export(self, offered: bool) -> None:
        """Whether this tab's rows can be exported."""
        self._exports = offered
        self._fold_export(self._folded)

    def _fold_export(self, folded: bool) -> None:
        self._folded = folded
        self.export.setVisible(self._exports and not folded)

    def _narrow_search(self, narrow: bool) -> None:
        self.search.setFixedWidth(theme.scaled(SEARCH_NARROW if narrow else SEARCH_WIDTH))

    def _cut_title(self, cut: bool) -> None:
        self.title.set_whole(not cut)
