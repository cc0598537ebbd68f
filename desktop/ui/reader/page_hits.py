"""Marks the hits of a search on the pages in view, some in each step: where a hit stands is costly to find."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, QTimer

from desktop.ui.reader.search_run import Hit, SearchRun

if TYPE_CHECKING:
    from desktop.ui.reader.pages_view import PagesView

AT_ONCE = 8


class PageHits(QObject):
    """The marks of one reader; `view_of` gives its pages while they are shown."""

    def __init__(self, run: SearchRun, view_of: Callable[[], PagesView | None], parent: QObject) -> None:
        super().__init__(parent)
        self._run, self._view_of = run, view_of
        self._marks: dict[int, list[tuple[QRectF, ...]]] = {}
        self._timer = QTimer(self, interval=0, singleShot=True)
        self._timer.timeout.connect(self._mark_visible)

    def start(self) -> None:
        """Marks what is in view, soon."""
        self._timer.start()

    def forget(self) -> None:
        """Another search, or the pages stand otherwise."""
        self._marks = {}

    def reveal(self, hit: Hit) -> None:
        """Brings a hit into view."""
        view = self._view_of()
        if view is not None and view.source is not None:
            rectangles = view.source.rectangles(hit.part, hit.span)
            if rectangles:
                view.reveal(hit.part, rectangles[0])

    def _mark_visible(self) -> None:
        view = self._view_of()
        source = view.source if view is not None else None
        if view is None or source is None:
            return
        if not self._run.hits:
            view.set_marks({}, None)
            return
        budget = AT_ONCE
        for page in view.visible_pages():
            hits = [hit for hit in self._run.hits if hit.part == page]
            known = self._marks.setdefault(page, [])
            while len(known) < len(hits) and budget:
                known.append(source.rectangles(page, hits[len(known)].span))
                budget -= 1
        current = self._run.current_hit
        place = (current.part, source.rectangles(current.part, current.span)) if current else None
        view.set_marks(self._marks, place)
        if not budget:
            self._timer.start()
