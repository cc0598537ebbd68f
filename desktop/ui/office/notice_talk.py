"""What people said of a notice, and what became of it: the generic panes, one at a time."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QTabBar, QVBoxLayout, QWidget

from desktop.core.domain.records import Record
from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.kit import row
from desktop.ui.office.record.comments import CommentsPane
from desktop.ui.office.record.history import HistoryPane
from desktop.ui.office.views.base import ViewContext

TALK: Final = 0
HISTORY: Final = 1


class NoticeTalk(QWidget):
    """Hidden while there is nothing to talk about: a draft is its author's alone."""

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("noticeTalk")
        self._context = context
        self._record: Record | None = None
        self._count = 0
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for _ in (TALK, HISTORY):
            self.tabs.addTab("")
        i18n.bind(self.tabs.setAccessibleName, "office_record.parts")
        self.comments = CommentsPane(context)
        self.history = HistoryPane(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(10)
        column.addLayout(row(self.tabs, None))
        column.addWidget(self.comments)
        column.addWidget(self.history)
        self.history.hide()
        self.hide()
        self._label_tabs(0)
        self.comments.counted.connect(self._label_tabs)
        self.tabs.currentChanged.connect(self._show_tab)
        i18n.changed.connect(self._on_language)

    def show_record(self, record: Record) -> None:
        """Shows what belongs to this notice, or the same again after a change."""
        definition = self._context.type_of(record.type)
        self._record = record
        self.setVisible(definition is not None and definition.comments and record.data.get("state") != "draft")
        if self.isHidden():
            return
        self.comments.show_record(record)
        if not self.history.isHidden():
            self.history.show_record(record)

    def forget(self) -> None:
        """Another notice comes."""
        self._record = None
        self.tabs.setCurrentIndex(TALK)
        self.hide()

    def _label_tabs(self, count: int) -> None:
        self._count = count
        said = tr("office_record.tab.comments", n=count) if count else tr("office_record.tab.no_comments")
        self.tabs.setTabText(TALK, said)
        self.tabs.setTabText(HISTORY, tr("office_record.tab.history"))

    def _on_language(self) -> None:
        self._label_tabs(self._count)

    def _show_tab(self, tab: int) -> None:
        self.comments.setVisible(tab == TALK)
        self.history.setVisible(tab == HISTORY)
        if tab == HISTORY and self._record is not None:
            self.history.show_record(self._record)
