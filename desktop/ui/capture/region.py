"""The chosen part of a screen: drawn, moved and pulled at its eight handles, always inside the picture. In pixels of the picture."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPoint, QRect, Qt

Handle = str  # the edges it moves: "tl", "t", "tr", "r", "br", "b", "bl", "l"; "" moves all of it
HANDLES: Final[tuple[Handle, ...]] = ("tl", "t", "tr", "r", "br", "b", "bl", "l")
_CURSORS: Final = {
    "tl": Qt.CursorShape.SizeFDiagCursor,
    "br": Qt.CursorShape.SizeFDiagCursor,
    "tr": Qt.CursorShape.SizeBDiagCursor,
    "bl": Qt.CursorShape.SizeBDiagCursor,
    "t": Qt.CursorShape.SizeVerCursor,
    "b": Qt.CursorShape.SizeVerCursor,
    "l": Qt.CursorShape.SizeHorCursor,
    "r": Qt.CursorShape.SizeHorCursor,
}


def between(first: QPoint, last: QPoint) -> QRect:
    """The rectangle two corners span, both of its corners' pixels in it."""
    left, top = min(first.x(), last.x()), min(first.y(), last.y())
    return QRect(left, top, abs(first.x() - last.x()) + 1, abs(first.y() - last.y()) + 1)


@dataclass(frozen=True, slots=True)
class Region:
    """Inside `bounds`, never empty."""

    rect: QRect
    bounds: QRect

    def handle_place(self, handle: Handle) -> QPoint:
        """The middle of a handle."""
        rect = self.rect
        x = rect.left() if "l" in handle else rect.right() if "r" in handle else rect.center().x()
        y = rect.top() if "t" in handle else rect.bottom() if "b" in handle else rect.center().y()
        return QPoint(x, y)

    def handle_at(self, place: QPoint, reach: int) -> Handle | None:
        """The handle within `reach` of a place; None beside all of them."""
        near = [(self.handle_place(h) - place, h) for h in HANDLES]
        return next((h for away, h in near if max(abs(away.x()), abs(away.y())) <= reach), None)

    def moved(self, dx: int, dy: int) -> "Region":
        """All of it elsewhere, stopped at the edges of the picture."""
        rect, bounds = self.rect, self.bounds
        dx = max(bounds.left() - rect.left(), min(bounds.right() - rect.right(), dx))
        dy = max(bounds.top() - rect.top(), min(bounds.bottom() - rect.bottom(), dy))
        return Region(rect.translated(dx, dy), bounds)

    def pulled(self, handle: Handle, dx: int, dy: int) -> "Region":
        """One handle elsewhere; pulled over the opposite edge it turns inside out."""
        left, top, right, bottom = self.rect.left(), self.rect.top(), self.rect.right(), self.rect.bottom()
        left, right = left + dx * ("l" in handle), right + dx * ("r" in handle)
        top, bottom = top + dy * ("t" in handle), bottom + dy * ("b" in handle)
        return Region(between(QPoint(left, top), QPoint(right, bottom)).intersected(self.bounds), self.bounds)


def cursor_of(handle: Handle) -> Qt.CursorShape:
    """How the pointer looks over a handle."""
    return _CURSORS.get(handle, Qt.CursorShape.SizeAllCursor)
