"""The marks on the document that is open: read, made, taken away; in upright points of its pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from PySide6.QtCore import QObject, QPointF, QRectF, Signal

from desktop.core.domain import Annotation, AnnotationTarget
from desktop.core.errors import AppError
from desktop.ui.tasks import TaskOwner, alive

COLORS: Final = ("yellow", "green", "blue", "red")
NOTE_SIDE: Final = 18.0
"""Points: the sheet that stands for a note."""
NEAR: Final = 6.0
"""Points: how near to a line of the pen counts as on it."""


class AnnotationVerbs(Protocol):
    """As much of the session's annotations as this needs."""

    async def annotations(self, target: AnnotationTarget) -> list[Annotation]:
        """The marks on a content."""
        ...

    async def annotate(
        self, target: AnnotationTarget, page: int, kind: str, mark: Mapping[str, Any], *, shared: bool
    ) -> str:
        """Mark a page; queued."""
        ...

    async def erase(self, annotation: Annotation) -> None:
        """Take an own mark away."""
        ...


class Marks(QObject):
    """Marks of one document at a time. `me`: whose marks may be taken away."""

    changed = Signal()
    failed = Signal(object)  # AppError

    def __init__(self, verbs: AnnotationVerbs, me: str, parent: QObject) -> None:
        super().__init__(parent)
        self.me = me
        self._verbs = verbs
        self._target: AnnotationTarget | None = None
        self._pages: dict[int, list[Annotation]] = {}
        self._tasks = TaskOwner(self)

    def show_target(self, target: AnnotationTarget | None) -> None:
        """Another document, or none that can be marked."""
        self._target, self._pages = target, {}
        self._tasks.cancel("marks")
        self.changed.emit()
        self.reload()

    @property
    def usable(self) -> bool:
        """Whether the document that is open can be marked."""
        return self._target is not None

    def reload(self) -> None:
        """Read again: somebody marked something."""
        if self._target is not None:
            self._tasks.start(self._load(self._target), name="marks", exclusive=True)

    async def _load(self, target: AnnotationTarget) -> None:
        try:
            found = await self._verbs.annotations(target)
        except AppError as error:
            self.failed.emit(error)
            return
        if alive(self) and target == self._target:
            self._pages = {}
            for one in found:
                self._pages.setdefault(one.page, []).append(one)
            self.changed.emit()

    def on_page(self, page: int) -> list[Annotation]:
        """The marks of a page, the oldest first."""
        return self._pages.get(page, [])

    def add(self, page: int, kind: str, mark: Mapping[str, Any], *, shared: bool) -> None:
        """Make a mark; it is shown at once."""
        if self._target is not None:
            self._tasks.start(self._add(self._target, page, kind, mark, shared), name="mark")

    async def _add(self, target: AnnotationTarget, page: int, kind: str, mark: Mapping[str, Any], shared: bool) -> None:
        try:
            await self._verbs.annotate(target, page, kind, mark, shared=shared)
        except AppError as error:
            self.failed.emit(error)
        if alive(self):
            self.reload()

    def erase(self, annotation: Annotation) -> None:
        """Take an own mark away; it is gone at once."""
        self._pages[annotation.page] = [one for one in self.on_page(annotation.page) if one.id != annotation.id]
        self.changed.emit()
        self._tasks.start(self._erase(annotation), name="erase")

    async def _erase(self, annotation: Annotation) -> None:
        try:
            await self._verbs.erase(annotation)
        except AppError as error:
            self.failed.emit(error)
        if alive(self):
            self.reload()

    def at(self, page: int, point: QPointF) -> Annotation | None:
        """The topmost mark under a point, None where there is none."""
        return next((one for one in reversed(self.on_page(page)) if _holds(one, point)), None)


def rectangles(annotation: Annotation) -> list[QRectF]:
    """The rectangles of a highlight; none where the mark is not as it should be."""
    found = annotation.mark.get("rects")
    rows = found if isinstance(found, list) else []
    return [QRectF(*row) for row in rows if _numbers(row, 4)]


def strokes(annotation: Annotation) -> list[list[QPointF]]:
    """The lines of the pen."""
    found = annotation.mark.get("strokes")
    lines = found if isinstance(found, list) else []
    return [
        [QPointF(point[0], point[1]) for point in line if _numbers(point, 2)]
        for line in lines
        if isinstance(line, list)
    ]


def note_box(annotation: Annotation) -> QRectF:
    """Where the sheet of a note stands."""
    place = [annotation.mark.get("x"), annotation.mark.get("y")]
    x, y = place if _numbers(place, 2) else (0.0, 0.0)
    return QRectF(float(x or 0), float(y or 0), NOTE_SIDE, NOTE_SIDE)


def words(annotation: Annotation) -> str:
    """What is written in a note or beside a highlight."""
    text = annotation.mark.get("text")
    return text if isinstance(text, str) else ""


def _numbers(row: Any, least: int) -> bool:
    return isinstance(row, list) and len(row) >= least and all(isinstance(one, int | float) for one in row)


def _holds(annotation: Annotation, point: QPointF) -> bool:
    match annotation.kind:
        case "highlight":
            return any(one.contains(point) for one in rectangles(annotation))
        case "note":
            return note_box(annotation).contains(point)
        case _:
            near = QRectF(point.x() - NEAR, point.y() - NEAR, 2 * NEAR, 2 * NEAR)
            return any(near.contains(one) for line in strokes(annotation) for one in line)
