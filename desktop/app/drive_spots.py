"""Driving what is painted rather than made of widgets: where a moment or a point of a page stands, drags, colors, entries of menus.

The same hand as desktop/app/drive.py, and under the same rule: it looks and clicks, it never changes a state behind a widget.
"""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QCursor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QLabel, QMenu, QTableView, QWidget

from desktop.app.drive import NotFound, find, focus_window
from desktop.ui.chat.accessible import SpokenArea
from desktop.ui.office.views.timeline import TimelineView
from desktop.ui.reader.pages_view import PagesView


def _face(name: str) -> QWidget:
    """The widget that is painted on: of a scrolled one the part inside its bars."""
    widget = find(name)
    return widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget


def moment_spot(name: str, row: str, at_ms: int) -> list[int]:
    """Where a moment stands in a timeline's row, in pixels of its face. row: words that stand in its resource's fields.

    Raises:
        NotFound: no timeline, no such row, or it is scrolled away.
    """
    view: QWidget | None = find(name)
    while view is not None and not isinstance(view, TimelineView):
        view = view.parentWidget()
    if view is None:
        raise NotFound(f"{name} is in no timeline")
    canvas = view.canvas
    for number, one in enumerate(canvas.rows):
        record = view.resources.get(one.key)
        if record is not None and any(row in str(value) for value in record.data.values()):
            spot = QPointF(canvas.x_of(at_ms), canvas.row_rect(number).center().y()).toPoint()
            inside = canvas.viewport().rect().adjusted(canvas.head_width(), canvas.ticks_height(), 0, 0)
            if not inside.contains(spot):
                raise NotFound(f"{at_ms} of {row} is not on the screen: {spot.toTuple()} in {inside.getRect()}")
            return [spot.x(), spot.y()]
    raise NotFound(f"no row says {row}")


def spoken(name: str) -> list[str]:
    """What a screen reader says of the messages of a talk, oldest first."""
    view = find(name)
    if not isinstance(view, SpokenArea):
        raise NotFound(f"{name} says nothing")
    held = (view.window_model.at(row) for row in range(len(view.window_model)))
    return [view.spoken(one.id) for one in held]


def labels() -> list[str]:
    """The texts of all labels on the screen."""
    return [
        one.text() for one in QApplication.allWidgets() if isinstance(one, QLabel) and one.isVisible() and one.text()
    ]


def cells(name: str) -> list[list[str]]:
    """The texts of a table as it stands: its headings, then its rows."""
    view = find(name)
    if not isinstance(view, QTableView):
        raise NotFound(f"{name} is no table")
    model, header = view.model(), view.horizontalHeader()
    columns = [header.logicalIndex(place) for place in range(header.count())]
    shown = [column for column in columns if not header.isSectionHidden(column)]
    heads = [str(model.headerData(column, Qt.Orientation.Horizontal) or "") for column in shown]
    rows = range(model.rowCount())
    return [heads, *([str(model.index(row, column).data() or "") for column in shown] for row in rows)]


def page_spot(name: str, page: int, x: float, y: float) -> list[int]:
    """Where a point of a page (in points, upright) stands on the face of a reader."""
    pages = find(name)
    if not isinstance(pages, PagesView):
        raise NotFound(f"{name} shows no pages")
    spot = pages.place_of(page).map(QPointF(x, y)).toPoint()
    return [spot.x(), spot.y()]


def mouse(name: str, deed: str, x: int, y: int) -> None:
    """press, move or release of the left button at a place of a widget's face; a move keeps the button as it is."""
    face, at = _face(name), QPoint(x, y)
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    match deed:
        case "press":
            focus_window(face)
            QTest.mousePress(face, left, none, at)
        case "move":  # not by the screen's pointer, whose own events come whenever they like
            spot, place = QPointF(at), QPointF(face.mapToGlobal(at))
            nothing = Qt.MouseButton.NoButton
            QApplication.sendEvent(face, QMouseEvent(QEvent.Type.MouseMove, spot, place, nothing, left, none))
        case "release":
            QTest.mouseRelease(face, left, none, at)
        case _:
            raise NotFound(deed)


def color_at(name: str, x: int, y: int) -> str:
    """The color ("#rrggbb") of a widget's face as it is painted now."""
    face = _face(name)
    picture = face.grab().toImage()
    ratio = picture.devicePixelRatio()
    return picture.pixelColor(round(x * ratio), round(y * ratio)).name()


def pointer_over(name: str) -> str:
    """The shape of the pointer over a widget's face, by Qt's name for it."""
    cursor: QCursor = _face(name).cursor()
    return str(cursor.shape().name)


def choose(text: str) -> None:
    """Clicks the entry of the open menu that says so.

    Raises:
        NotFound: no menu is open, or it has no such entry, or not one that can be chosen.
    """
    menu = QApplication.activePopupWidget()
    if not isinstance(menu, QMenu):
        raise NotFound("no menu is open")
    for action in menu.actions():
        if action.text() == text and action.isEnabled():
            at = menu.actionGeometry(action).center()
            QTest.mouseMove(menu, at)
            QTest.mouseClick(menu, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
            return
    raise NotFound(f"{text} is not among {[action.text() for action in menu.actions()]}")
