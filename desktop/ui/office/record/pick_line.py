"""A line that finds: what is typed is looked up as it is typed, hits hang below, Enter or a press takes one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from desktop.core.errors import AppError
from desktop.ui.kit import TextField
from desktop.ui.kit.hit_list import HITS, Hit, HitList
from desktop.ui.tasks import TaskOwner, alive

SEARCH_MS = 60

Finder = Callable[[str], Awaitable[Sequence[Hit]]]


class PickLine(TextField):
    """The line. `picked` carries a Hit; an empty line may be opened by Down or a press to see the first ones."""

    picked = Signal(object)

    def __init__(self, find: Finder, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._find = find
        self.settled = ""
        """The name of what is picked already: opened on it, the list offers everything."""
        self.tasks = TaskOwner(self)
        self._enter_waits = False
        self.list = HitList(self)
        self.list.picked.connect(self._on_picked)
        self._wait = QTimer(self, interval=SEARCH_MS, singleShot=True)
        self._wait.timeout.connect(self.search)
        self.textEdited.connect(self._on_typed)

    def _on_typed(self, _text: str) -> None:
        self._enter_waits = False
        self._wait.start()

    def _on_picked(self, hit: Hit) -> None:
        self._stop()  # what was typed last is not looked up any more: the list would hang there again
        self.picked.emit(hit)

    def _stop(self) -> None:
        self._wait.stop()
        self._enter_waits = False
        self.tasks.cancel("search")

    def search(self) -> None:
        """Looks up what stands in the line and shows the hits."""
        self._wait.stop()
        text = self.text().strip()
        self.tasks.start(self._search("" if text == self.settled else text), name="search", exclusive=True)

    async def _search(self, text: str) -> None:
        try:
            found = list(await self._find(text))[:HITS]
        except AppError:
            found = []  # the store could not be read; the page around says so
        if not alive(self) or not self.hasFocus():
            return
        self.list.show_hits(found)
        if self._enter_waits and found:
            self.list.take(self.list.currentIndex())
        self._enter_waits = False

    @property
    def hits(self) -> list[Hit]:
        """What was found last."""
        return self.list.hits

    def take_first(self) -> bool:
        """Takes the hit that is called exactly what was typed, or the only one; False where that is not clear."""
        text = self.text().strip()
        same = [hit for hit in self.hits if hit.name == text]
        clear = same if len(same) == 1 else self.hits if len(self.hits) == 1 and text else []
        if clear:
            self.list.hide()
            self.picked.emit(clear[0])
        return bool(clear)

    # ---- Qt overrides
    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and self.list.isVisible() and (self._wait.isActive() or self.tasks.running("search")):
            self._enter_waits = True  # the hits that hang there are those of fewer letters
            if self._wait.isActive():
                self.search()
            return
        if self.list.handles(event):
            return
        if event.key() == Qt.Key.Key_Down:
            self.search()
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if not self.isReadOnly():
            self.search()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._stop()
        self.list.hide()
        super().focusOutEvent(event)
