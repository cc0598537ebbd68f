"""A grid of square cells in the look of a list: own stickers, built-in ones, a group's album."""

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyleOptionViewItem, QWidget

from desktop.ui import theme
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.kit import ListPane, RowDelegate
from desktop.ui.kit.panes import Index


class PictureGrid(ListPane):
    """Cells side by side, as many as the width takes; `chosen` as of any list."""

    def __init__(self, key: str, *, parent: QWidget | None = None) -> None:
        super().__init__(key, parent=parent)
        self.setProperty("look", "")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)


class CellDelegate(RowDelegate):
    """A square of `cell` pixels (before the text's size), with a line around the one that has the keyboard."""

    padding = 0

    def __init__(self, grid: PictureGrid, cell: int, margin: int) -> None:
        super().__init__(grid)
        self._cell, self._margin = cell, margin

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(self._cell), theme.scaled(self._cell))

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        margin = self._margin
        place = rect.adjusted(margin, margin, -margin, -margin)
        self.paint_cell(painter, place, index.row())
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.tokens().accent)
            painter.drawRect(place)

    def paint_cell(self, painter: QPainter, place: QRect, number: int) -> None:
        """Draws what is in a cell."""
        raise NotImplementedError


class ThumbnailDelegate(CellDelegate):
    """Pictures of the server; `blob_of` answers a cell's picture, None for a cell that is gone already."""

    def __init__(
        self, grid: PictureGrid, cell: int, margin: int, thumbnails: Thumbnails, blob_of: Callable[[int], str | None]
    ) -> None:
        super().__init__(grid, cell, margin)
        self._thumbnails, self._blob_of = thumbnails, blob_of
        thumbnails.arrived.connect(lambda _blob: grid.viewport().update())

    def paint_cell(self, painter: QPainter, place: QRect, number: int) -> None:
        blob_id = self._blob_of(number)
        if blob_id is None:
            return
        pixmap = self._thumbnails.get(blob_id, place.size())
        if pixmap is not None:
            painter.drawPixmap(place.topLeft(), pixmap)
        else:
            painter.fillRect(place, theme.tokens().field)
