"""Marking a document: the strip of tools, the layer over the pages, the bubble of a note, held together."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, QPointF
from PySide6.QtWidgets import QWidget

from desktop.core.domain import Annotation
from desktop.ui.reader.mark_bar import MarkBar
from desktop.ui.reader.marks import Marks, note_box, words
from desktop.ui.reader.marks_layer import MarksLayer
from desktop.ui.reader.note_bubble import NoteBubble
from desktop.ui.reader.pages_view import PagesView


class MarkingDesk(QObject):
    """For one reader. `name_of`: a person's id as a name."""

    def __init__(self, marks: Marks, name_of: Callable[[str], str], parent: QWidget) -> None:
        super().__init__(parent)
        self.marks = marks
        self.layer = MarksLayer(marks, self)
        self.bar = MarkBar(self.layer, parent)
        self.bar.hide()
        self._name_of = name_of
        self._pages: PagesView | None = None
        self._bubble: NoteBubble | None = None
        self._place: tuple[int, QPointF] | None = None
        self._read: Annotation | None = None
        self.layer.note_wanted.connect(self._ask_note)
        self.layer.opened.connect(self._open_note)
        marks.changed.connect(self._on_changed)

    def lie_over(self, pages: PagesView) -> None:
        """Marks are shown on these pages from now on."""
        self._pages = pages
        pages.layer = self.layer
        pages.selected.connect(self._on_selected)
        self.layer.changed.connect(pages.viewport().update)
        self._bubble = NoteBubble(pages.viewport())
        self._bubble.written.connect(self._write)
        self._bubble.erased.connect(self._erase)

    def show_bar(self, on: bool) -> None:
        """Opens the strip with the first tool in hand, or puts all away."""
        self.bar.setVisible(on)
        self.bar.take("highlight" if on else "")
        if not on and self._bubble is not None:
            self._bubble.leave()

    def _on_selected(self) -> None:
        """What is selected with the marker in hand is marked."""
        if self._pages is None or self.layer.tool != "highlight":
            return
        for page, rects in self._pages.upright_selection():
            self.layer.highlight(page, rects)
        self._pages.clear_selection()

    def _spot(self, page: int, point: QPointF) -> QPoint:
        assert self._pages is not None
        return self._pages.place_of(page).map(point).toPoint()

    def _ask_note(self, page: int, point: QPointF) -> None:
        if self._bubble is not None:
            self._place, self._read = (page, point), None
            self._bubble.write(self._spot(page, point))

    def _open_note(self, note: Annotation) -> None:
        if self._bubble is not None:
            self._read = note
            mine = note.author_id == self.marks.me
            who = self._name_of(note.author_id) if note.author_id else ""
            self._bubble.read(self._spot(note.page, note_box(note).topRight()), who, words(note), mine=mine)

    def _write(self, text: str) -> None:
        if self._place is not None:
            self.layer.write_note(*self._place, text)
            self._place = None

    def _erase(self) -> None:
        if self._read is not None and self._bubble is not None:
            self.marks.erase(self._read)
            self._bubble.leave()
            self._read = None

    def _on_changed(self) -> None:
        if not self.marks.usable and self._bubble is not None:
            self._bubble.hide()
