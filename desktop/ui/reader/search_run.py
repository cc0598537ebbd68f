"""A search through a document in small steps between frames: hits come in order, the screen never waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from desktop.ui.reader.text_search import Span

STEP_MS = 6
MOST_HITS = 5000


@dataclass(frozen=True, slots=True)
class Hit:
    """One place found: `part` is a page of a PDF or a piece of a text."""

    part: int
    span: Span


class SearchRun(QObject):
    """Looks for a text in `parts` parts with `find(part, needle)`; tells as it goes."""

    changed = Signal()  # hits, current or done changed

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.hits: list[Hit] = []
        self.current = -1
        self.done = True
        self.needle = ""
        self._find: Callable[[int, str], list[Span]] | None = None
        self._parts = self._next = self._origin = 0
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._step)

    def set_document(self, parts: int, find: Callable[[int, str], list[Span]] | None) -> None:
        """Another document; the old search is forgotten."""
        self._parts, self._find = parts, find
        self.start("", 0)

    def start(self, needle: str, origin: int) -> None:
        """Begins again; the first current hit is the first at or after the part `origin`."""
        self.needle, self._origin = needle, origin
        self.hits, self.current, self._next = [], -1, 0
        self.done = not needle.strip() or self._find is None
        if self.done:
            self._timer.stop()
        else:
            self._timer.start()
        self.changed.emit()

    def move(self, direction: int) -> Hit | None:
        """Goes to the next (1) or the previous (-1) hit, around the ends."""
        if not self.hits:
            return None
        self.current = (self.current + direction) % len(self.hits) if self.current >= 0 else 0
        self.changed.emit()
        return self.hits[self.current]

    @property
    def current_hit(self) -> Hit | None:
        """The hit gone to last."""
        return self.hits[self.current] if 0 <= self.current < len(self.hits) else None

    @property
    def capped(self) -> bool:
        """Whether there may be more hits than are kept."""
        return len(self.hits) >= MOST_HITS

    def _step(self) -> None:
        clock = QElapsedTimer()
        clock.start()
        while self._next < self._parts and clock.elapsed() < STEP_MS and len(self.hits) < MOST_HITS:
            assert self._find is not None
            found = self._find(self._next, self.needle)[: MOST_HITS - len(self.hits)]
            self.hits.extend(Hit(self._next, span) for span in found)
            self._next += 1
        self.done = self._next >= self._parts or self.capped
        if self.done:
            self._timer.stop()
        if self.current < 0 and self.hits:
            after = next((n for n, hit in enumerate(self.hits) if hit.part >= self._origin), -1)
            self.current = after if after >= 0 else (0 if self.done else -1)
        self.changed.emit()
