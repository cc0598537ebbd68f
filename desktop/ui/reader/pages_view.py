"""Shows the pages of a document one under the other: scrolling, zoom, selection, hits and watermark. Only what is in view is drawn.

Coordinates: document points in, logical pixels on the screen; `_scale` is pixels for one point.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget

from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit.spoken import speak_as
from desktop.ui.reader.page_images import PageImages, Strip, strips
from desktop.ui.reader.page_source import PageSelection, PageSource
from desktop.ui.reader.turned_source import QUARTERS, TurnedSource, turned, upright_to_shown
from desktop.ui.reader.watermark import paint_watermark
from desktop.ui.reader.zoom import Fit, clamp, step
from desktop.ui.theme.tokens import palette_tokens

PIXELS_PER_POINT = 96 / 72
MARGIN = 24.0
GAP = 16.0
EDGE_SCROLL_MS = 30


@dataclass(frozen=True, slots=True)
class _Row:
    """Pages side by side: pixels from the first page's top; how wide they are together at this size."""

    top: float
    pages: range
    width: float


class PageLayer(Protocol):
    """What may lie over the pages and take the mouse first. Points are those of upright pages."""

    def paint(self, painter: QPainter, page: int, place: QTransform) -> None:
        """Paint over a page; `place` leads from its points to the painter's."""
        ...

    def press(self, page: int, point: QPointF) -> bool:
        """The left button went down; True: it was for the layer."""
        ...

    def move(self, page: int, point: QPointF) -> bool:
        """The pointer moved with the button down; True: it was for the layer."""
        ...

    def release(self) -> bool:
        """The button came up; True: it was for the layer."""
        ...

    def cursor(self, page: int, point: QPointF) -> Qt.CursorShape | None:
        """The pointer's shape over a point, None: as the pages want."""
        ...


class PagesView(QAbstractScrollArea):
    """The pages. Owns the source it is given and closes it with itself or with the next one."""

    page_changed = Signal(int)  # the page most in view, from 0
    zoom_changed = Signal()
    selection_changed = Signal()
    selected = Signal()  # a selection was finished with the mouse
    copy_refused = Signal()
    page_drawn = Signal(int)  # something of a page, that may be in view, was drawn
    marks_needed = Signal()  # other pages came into view; their hits may want rectangles

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Document)
        self.source: PageSource | None = None
        self.images: PageImages | None = None
        self.may_copy = True
        self.watermark = ""
        self.fit = Fit.WIDTH
        self.factor = 1.0
        self.columns = 1
        self.layer: PageLayer | None = None
        self._rows: list[_Row] = []
        self._page = -1
        self._degrees = 0
        self._selection: list[PageSelection] = []
        self._anchor: tuple[int, QPointF] | None = None
        self._marks: dict[int, list[tuple[QRectF, ...]]] = {}
        self._current: tuple[int, tuple[QRectF, ...]] | None = None
        self._edge = QTimer(self, interval=EDGE_SCROLL_MS)
        self._edge.timeout.connect(self._scroll_at_edge)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self.viewport().update)

    # ---- the document
    def show_source(self, source: PageSource) -> None:
        """Shows another document from its first page."""
        self.clear()
        before = self.factor
        self._draw_from(source)
        self.verticalScrollBar().setValue(0)
        self._on_scrolled()
        if before != self.factor:
            self.zoom_changed.emit()

    def take_over(self, source: PageSource) -> None:
        """The same document from another source: place, size and turn stay as they are."""
        place, before, images = self.place(), self.source, self.images
        self._degrees = 0
        self._set_selection([])
        self.images = None  # its pictures stand in for the new ones
        fresh = self._draw_from(source)
        if images is not None:
            fresh.inherit(images)
            images.close()
            images.deleteLater()
        if before is not None:
            before.close()
        self.take_place(place)

    def resize_page(self, page: int, size: QSizeF) -> None:
        """The upright page has another size, in points, than its source had guessed; what is in view stays in view."""
        if self.source is None or not 0 <= page < self.source.page_count:
            return
        place, inner = self.place(), self.source.inner if isinstance(self.source, TurnedSource) else self.source
        inner.sizes[page] = size
        self.source = turned(inner, self._degrees)
        self._lay_out()
        self.go_to(place["page"], place["top"])

    def _draw_from(self, source: PageSource) -> PageImages:
        self._drop_images()
        self.source = source
        self.images = images = source.images(self)
        images.drawn.connect(self._on_drawn)
        self._lay_out()
        return images

    def _drop_images(self) -> None:
        if self.images is not None:
            self.images.close()
            self.images.deleteLater()
            self.images = None

    def clear(self) -> None:
        """Lets go of the document."""
        self._selection, self._marks, self._current, self._page = [], {}, None, -1
        self._degrees = 0
        self._drop_images()
        if self.source is not None:
            self.source.close()
            self.source = None
        self.viewport().update()

    # ---- layout
    @property
    def _scale(self) -> float:
        return PIXELS_PER_POINT * self.factor

    def _page_rect(self, page: int) -> QRectF:
        """Where a page lies on the viewport now."""
        assert self.source is not None
        row = self._rows[page // self.columns]
        room = max(self.viewport().width(), self._content_width())
        left = (room - row.width) / 2 - self.horizontalScrollBar().value()
        for before in range(row.pages.start, page):
            left += self.source.sizes[before].width() * self._scale + GAP
        size = self.source.sizes[page] * self._scale
        return QRectF(left, row.top - self.verticalScrollBar().value(), size.width(), size.height())

    def _content_width(self) -> float:
        return max(row.width for row in self._rows) + 2 * MARGIN

    def _row_pages(self) -> list[range]:
        assert self.source is not None
        count = self.source.page_count
        return [range(first, min(first + self.columns, count)) for first in range(0, count, self.columns)]

    def _row_width(self, pages: range) -> float:
        """In points, without the gaps."""
        assert self.source is not None
        return sum(self.source.sizes[page].width() for page in pages)

    def _row_at(self, y: float) -> int:
        """The row at a height of the whole document, the nearest one above it."""
        return max(0, bisect_right(self._rows, y, key=lambda row: row.top) - 1)

    def _lay_out(self) -> None:
        if self.source is None:
            return
        self._fit()
        self._rows = []
        y = MARGIN
        for pages in self._row_pages():
            width = self._row_width(pages) * self._scale + (len(pages) - 1) * GAP
            self._rows.append(_Row(y, pages, width))
            y += max(self.source.sizes[page].height() for page in pages) * self._scale + GAP
        view = self.viewport().size()
        vertical, horizontal = self.verticalScrollBar(), self.horizontalScrollBar()
        vertical.setRange(0, max(0, round(y - GAP + MARGIN - view.height())))
        vertical.setPageStep(view.height())
        vertical.setSingleStep(40)
        horizontal.setRange(0, max(0, round(self._content_width() - view.width())))
        horizontal.setPageStep(view.width())
        horizontal.setSingleStep(40)
        self.viewport().update()

    def _fit(self) -> None:
        assert self.source is not None
        if self.fit is Fit.FREE:
            return
        size = self.source.sizes[max(0, self._page)]
        widest = max(map(self._row_width, self._row_pages()))
        # The room is counted with the bar always there: otherwise fitting makes it come and go.
        bar = self.verticalScrollBar().sizeHint().width()
        width = self.maximumViewportSize().width() - bar - 2 * MARGIN - (self.columns - 1) * GAP
        wanted = width / (widest * PIXELS_PER_POINT)
        if self.fit is Fit.PAGE:
            height = self.maximumViewportSize().height() - 2 * MARGIN
            wanted = min(wanted, height / (size.height() * PIXELS_PER_POINT))
        self.factor = clamp(wanted)

    def set_fit(self, fit: Fit) -> None:
        """Follows the width or the page from now on."""
        self.fit = fit
        self._rescale(self.factor, self.viewport().rect().center())

    def set_factor(self, factor: float, at: QPoint | None = None) -> None:
        """Shows at this size; the point `at` of the viewport stays where it is."""
        self.fit = Fit.FREE
        self._rescale(clamp(factor), at or self.viewport().rect().center())

    def set_columns(self, columns: int) -> None:
        """One page (1) or two side by side (2); the page in view stays in view."""
        page = max(0, self._page)
        self.columns = columns
        if self.source is not None:
            self._lay_out()
            self.zoom_changed.emit()
            self.go_to(page)

    def turn(self) -> None:
        """Turns all pages a quarter clockwise; the page in view stays in view."""
        if self.source is None:
            return
        page, self._degrees = max(0, self._page), (self._degrees + 90) % 360
        self._draw_from(turned(self.source, self._degrees))
        self._set_selection([])
        self.set_marks({}, None)
        self.zoom_changed.emit()
        self.go_to(page)

    def place(self) -> dict[str, Any]:
        """Where one is and how it looks: the page, its height in points at the top, size, arrangement."""
        row = self._rows[max(0, self._page) // self.columns]
        top = (self.verticalScrollBar().value() - row.top + MARGIN) / self._scale
        return {
            "page": max(0, self._page),
            "top": round(top, 1),
            "fit": self.fit.value,
            "factor": round(self.factor, 4),
            "columns": self.columns,
            "degrees": self._degrees,
        }

    def take_place(self, place: Mapping[str, Any]) -> None:
        """Go where `place` said; what does not fit this document is left out."""
        if self.source is None or not place:
            return
        columns, degrees = place.get("columns"), place.get("degrees")
        if columns in (1, 2) and columns != self.columns:
            self.set_columns(columns)
        while degrees in QUARTERS and degrees != self._degrees:
            self.turn()
        factor = place.get("factor")
        if place.get("fit") == Fit.FREE.value and isinstance(factor, int | float):
            self.set_factor(float(factor))
        elif place.get("fit") in (Fit.WIDTH.value, Fit.PAGE.value):
            self.set_fit(Fit(place["fit"]))
        page, top = place.get("page"), place.get("top")
        if isinstance(page, int):
            self.go_to(page, float(top) if isinstance(top, int | float) else 0.0)

    def zoom_step(self, direction: int, at: QPoint | None = None) -> None:
        """One step larger (1) or smaller (-1)."""
        self.set_factor(step(self.factor, direction), at)

    def _rescale(self, factor: float, at: QPoint) -> None:
        if self.source is None:
            return
        page, point = self._point_at(QPointF(at))
        self.factor = factor
        self._lay_out()
        rect = self._page_rect(page)
        now = rect.topLeft() + point * self._scale
        self.verticalScrollBar().setValue(round(self.verticalScrollBar().value() + now.y() - at.y()))
        self.horizontalScrollBar().setValue(round(self.horizontalScrollBar().value() + now.x() - at.x()))
        self.zoom_changed.emit()
        self._on_scrolled()

    def _visible(self) -> range:
        if self.source is None:
            return range(0)
        top = self.verticalScrollBar().value()
        first = self._row_at(top)
        last = max(first, self._row_at(top + self.viewport().height()))
        return range(self._rows[first].pages.start, self._rows[last].pages.stop)

    def place_of(self, page: int) -> QTransform:
        """From points of the upright page to the viewport."""
        assert self.source is not None
        corner = self._page_rect(page).topLeft()
        shown = QTransform.fromScale(self._scale, self._scale) * QTransform.fromTranslate(corner.x(), corner.y())
        return upright_to_shown(self.source, page) * shown

    def upright(self, page: int, point: QPointF) -> QPointF:
        """A point of the page as shown, as a point of the upright page."""
        assert self.source is not None
        return upright_to_shown(self.source, page).inverted()[0].map(point)

    def upright_selection(self) -> list[tuple[int, list[QRectF]]]:
        """What is selected: page, rectangles of the upright page."""
        assert self.source is not None
        found = []
        for part in self._selection:
            back = upright_to_shown(self.source, part.page).inverted()[0]
            found.append((part.page, [back.mapRect(one) for one in part.rectangles]))
        return found

    def clear_selection(self) -> None:
        """Nothing is selected."""
        self._set_selection([])

    def visible_pages(self) -> range:
        """The pages in view."""
        return self._visible()

    def _point_at(self, spot: QPointF) -> tuple[int, QPointF]:
        """The page nearest to a spot of the viewport and the point on it."""
        pages = self._rows[self._row_at(spot.y() + self.verticalScrollBar().value())].pages
        page = next((one for one in pages if spot.x() < self._page_rect(one).right() + GAP / 2), pages[-1])
        rect = self._page_rect(page)
        return page, (spot - rect.topLeft()) / self._scale

    # ---- going somewhere
    @property
    def page(self) -> int:
        """The page most in view, from 0; -1 without a document."""
        return self._page

    def go_to(self, page: int, top: float = 0.0) -> None:
        """Scrolls so that this height of the page stands at the top."""
        if self.source is None or not 0 <= page < self.source.page_count:
            return
        row = self._rows[page // self.columns]
        self.verticalScrollBar().setValue(round(row.top + top * self._scale - MARGIN))
        self._on_scrolled()

    def reveal(self, page: int, rect: QRectF) -> None:
        """Scrolls only when this rectangle is not well in view."""
        shown = QRectF(self._page_rect(page).topLeft() + rect.topLeft() * self._scale, rect.size() * self._scale)
        inner = QRectF(self.viewport().rect()).adjusted(0, 48, 0, -48)
        if not (inner.top() <= shown.top() and shown.bottom() <= inner.bottom()):
            vertical = self.verticalScrollBar()
            vertical.setValue(round(vertical.value() + shown.top() - self.viewport().height() / 3))
        if shown.left() < 0 or shown.right() > inner.right():
            horizontal = self.horizontalScrollBar()
            horizontal.setValue(round(horizontal.value() + shown.left() - self.viewport().width() / 3))

    def _on_scrolled(self) -> None:
        if self.source is None:
            return
        middle = self.verticalScrollBar().value() + self.viewport().height() / 2
        page = self._rows[self._row_at(middle)].pages.start
        if page != self._page:
            self._page = page
            self.page_changed.emit(page)
        self.marks_needed.emit()
        self.viewport().update()

    # ---- hits
    def set_marks(
        self, marks: dict[int, list[tuple[QRectF, ...]]], current: tuple[int, tuple[QRectF, ...]] | None
    ) -> None:
        """Marks hits by page; `current` is the one gone to last."""
        self._marks, self._current = marks, current
        self.viewport().update()

    # ---- selection
    @property
    def selected_text(self) -> str:
        """The selected text, pages parted by a line."""
        return "\n".join(part.text.replace("\r\n", "\n") for part in self._selection)

    def select_all(self) -> None:
        """Selects every page."""
        if self.source is not None:
            self._set_selection([s for s in map(self.source.select_page, range(self.source.page_count)) if s])

    def copy(self) -> None:
        """Puts the selected text on the clipboard, where the document's policy allows it."""
        if not self._selection:
            return
        if not self.may_copy:
            self.copy_refused.emit()
            return
        QApplication.clipboard().setText(self.selected_text)

    def _set_selection(self, selection: list[PageSelection]) -> None:
        self._selection = selection
        self.selection_changed.emit()
        self.viewport().update()

    def _drag_to(self, spot: QPointF) -> None:
        if self.source is None or self._anchor is None:
            return
        (first, start), (last, end) = self._anchor, self._point_at(spot)
        if last < first:
            (first, start), (last, end) = (last, end), (first, start)
        parts = []
        for page in range(first, last + 1):
            size = self.source.sizes[page]
            begin = start if page == first else QPointF(0, 0)
            finish = end if page == last else QPointF(size.width(), size.height())
            parts.append(
                self.source.select_page(page) if first < page < last else self.source.select(page, begin, finish)
            )
        self._set_selection([part for part in parts if part])

    def _scroll_at_edge(self) -> None:
        spot = self.viewport().mapFromGlobal(self.cursor().pos())
        beyond = min(0, spot.y()) + max(0, spot.y() - self.viewport().height())
        if beyond:
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() + beyond // 2)
            self._drag_to(QPointF(spot))

    # ---- painting
    def _on_drawn(self, page: int) -> None:
        self.page_drawn.emit(page)
        if page in self._visible():
            self.viewport().update()

    def _strips(self, page: int) -> list[Strip]:
        assert self.source is not None
        size = self.source.sizes[page] * (self._scale * self.devicePixelRatioF())
        return strips(page, max(1, round(size.width())), max(1, round(size.height())))

    def _wish(self) -> None:
        """Asks for what is in view first, then for a screenful below and above."""
        assert self.images is not None
        assert self.source is not None
        ratio = self.devicePixelRatioF()
        height = self.viewport().height()
        in_view, near = [], []
        visible = self._visible()
        for page in range(max(0, visible.start - 1), min(self.source.page_count, visible.stop + 1)):
            top = self._page_rect(page).top()
            for strip in self._strips(page):
                start, end = top + strip.top / ratio, top + (strip.top + strip.depth) / ratio
                if end > 0 and start < height:
                    in_view.append(strip)
                elif end > -height / 2 and start < height * 1.5:
                    near.append(strip)
        self.images.want(in_view + near)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.tokens().line)
        if self.source is None:
            return
        self._wish()
        for page in self._visible():
            self._paint_page(painter, page)

    def _paint_page(self, painter: QPainter, page: int) -> None:
        rect = self._page_rect(page)
        shade = QColor(theme.tokens().shadow)
        painter.fillRect(rect.translated(0, 2).adjusted(-1, 0, 1, 1), shade)
        painter.fillRect(rect, palette_tokens(False).surface)
        self._paint_strips(painter, page, rect)
        if self.source is not None and not self.source.here(page):
            painter.setPen(palette_tokens(False).ink3)
            in_view = rect.intersected(QRectF(self.viewport().rect()))
            if in_view.height() > 4 * painter.fontMetrics().height():
                painter.drawText(in_view, Qt.AlignmentFlag.AlignCenter, tr("reader.arriving.page"))
        painter.save()
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        self._paint_rectangles(
            painter, rect, [r for group in self._marks.get(page, []) for r in group], self._hit_color(100)
        )
        if self._current is not None and self._current[0] == page:
            self._paint_rectangles(painter, rect, list(self._current[1]), self._hit_color(255))
        chosen = [r for part in self._selection if part.page == page for r in part.rectangles]
        self._paint_rectangles(painter, rect, chosen, palette_tokens(False).selection)
        painter.restore()
        if self.layer is not None:
            self.layer.paint(painter, page, self.place_of(page))
        paint_watermark(painter, rect, self.watermark, scale=self._scale)

    def _paint_strips(self, painter: QPainter, page: int, rect: QRectF) -> None:
        assert self.images is not None
        ratio = self.devicePixelRatioF()
        wanted = self._strips(page)
        if any(self.images.get(strip) is None for strip in wanted):
            for strip, image in self.images.stand_ins(page):
                stretch = rect.height() / strip.height
                target = QRectF(rect.left(), rect.top() + strip.top * stretch, rect.width(), strip.depth * stretch)
                painter.drawImage(target, image)
        for strip in wanted:
            found = self.images.get(strip)
            if found is not None:
                # Whole device pixels: half a pixel off makes small Chinese type gray.
                left, top = round(rect.left() * ratio) / ratio, round(rect.top() * ratio) / ratio + strip.top / ratio
                painter.drawImage(QRectF(left, top, strip.width / ratio, strip.depth / ratio), found)

    @staticmethod
    def _hit_color(alpha: int) -> QColor:
        color = QColor(palette_tokens(False).away)
        color.setAlpha(alpha)
        return color

    def _paint_rectangles(self, painter: QPainter, page: QRectF, rectangles: list[QRectF], color: QColor) -> None:
        area = QPainterPath()  # one area: where rectangles overlap the color is not laid twice
        area.setFillRule(Qt.FillRule.WindingFill)
        for rectangle in rectangles:
            place = QRectF(page.topLeft() + rectangle.topLeft() * self._scale, rectangle.size() * self._scale)
            area.addRect(place.adjusted(-1, -1, 1, 1))
        painter.fillPath(area, color)

    # ---- Qt events
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.source is None:
            return
        page, before = max(0, self._page), self.factor
        inside = (self.verticalScrollBar().value() - self._rows[page // self.columns].top) / self._scale
        self._lay_out()
        if before != self.factor:
            top = self._rows[page // self.columns].top
            self.verticalScrollBar().setValue(round(top + inside * self._scale))
            self.zoom_changed.emit()
        self._on_scrolled()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if event.angleDelta().y():
                self.set_factor(self.factor * 1.0015 ** event.angleDelta().y(), event.position().toPoint())
            event.accept()
            return
        super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.source is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        page, point = self._point_at(event.position())
        if self.layer is not None and self.layer.press(page, self.upright(page, point)):
            return
        extends = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier) and self._anchor is not None
        if not extends:
            self._set_selection([])
            self._anchor = self._point_at(event.position())
        self._edge.start()
        if extends:
            self._drag_to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.source is None:
            return
        page, point = self._point_at(event.position())
        upright = self.upright(page, point)
        if event.buttons() & Qt.MouseButton.LeftButton:
            if self.layer is None or not self.layer.move(page, upright):
                self._drag_to(event.position())
            return
        shape = self.layer.cursor(page, upright) if self.layer is not None else None
        if shape is None:
            shape = Qt.CursorShape.IBeamCursor if self.source.on_text(page, point) else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._edge.stop()
        taken = self.layer is not None and self.layer.release()
        if self._selection and not taken:
            self.selected.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.source is None:
            return
        page, point = self._point_at(event.position())
        word = self.source.select_word(page, point) if self.source.on_text(page, point) else None
        self._set_selection([word] if word else [])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        vertical = self.verticalScrollBar()
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif event.key() == Qt.Key.Key_Home:
            vertical.setValue(vertical.minimum())
        elif event.key() == Qt.Key.Key_End:
            vertical.setValue(vertical.maximum())
        elif event.key() == Qt.Key.Key_Space:
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            vertical.setValue(vertical.value() + (-1 if back else 1) * round(self.viewport().height() * 0.9))
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(640, 720)
