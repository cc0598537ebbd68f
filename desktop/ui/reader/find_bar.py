"""The strip for searching inside a document: text, how many hits and which one, forward, back, close."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.ui.i18n import tr
from desktop.ui.kit import IconButton, Label, SearchBox, on_click
from desktop.ui.reader.search_run import SearchRun


class FindBar(QFrame):
    """Drives a SearchRun; `origin` of a new search is asked from the reader by signal."""

    searched = Signal(str)
    moved = Signal(int)
    closed = Signal()

    def __init__(self, run: SearchRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readerFindBar")
        self.setProperty("surface", "header")
        self._run = run
        self.box = SearchBox("reader.find.placeholder")
        self.box.setObjectName("readerFindBox")
        self.box.setMaximumWidth(320)
        self.count = Label(role="secondary", tone="ink2")
        self.count.setObjectName("readerFindCount")
        previous = IconButton("caret-up", "reader.find.previous", size=16, box=28)
        following = IconButton("caret-down", "reader.find.next", size=16, box=28)
        close = IconButton("x", "common.close", size=16, box=28)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 6, 14, 6)
        layout.setSpacing(6)
        for widget in (self.box, previous, following, self.count):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.addWidget(close)
        self.box.searched.connect(self.searched)
        on_click(previous, lambda: self.moved.emit(-1))
        on_click(following, lambda: self.moved.emit(1))
        on_click(close, self.closed.emit)
        run.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Shows the count as it stands."""
        run = self._run
        if not run.needle.strip():
            self.count.setText("")
        elif not run.hits:
            self.count.setText(tr("reader.find.none") if run.done else tr("reader.find.running"))
        else:
            more = ("+" if run.capped else "") if run.done else "…"
            self.count.setText(tr("reader.find.count", current=run.current + 1, total=f"{len(run.hits)}{more}"))
        self.count.set_tone("red_text" if run.needle.strip() and run.done and not run.hits else "ink2")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.moved.emit(-1 if back else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)
