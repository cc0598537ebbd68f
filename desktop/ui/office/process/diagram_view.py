"""The diagram of a process, drawn from its file's own layout: done green, current lit with who has it, how long steps took. Zoom, pan, fit, by keys too.

Arrows lead from element to element and say what each is; Ctrl with arrows moves the sheet, + and - zoom, 0 fits.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QToolTip, QVBoxLayout, QWidget

from desktop.core.domain.processes import Diagram, DiagramShape
from desktop.ui import i18n, theme
from desktop.ui.i18n import has, tr
from desktop.ui.kit import EmptyState, IconButton, Label, on_click
from desktop.ui.kit.spoken import speak_as
from desktop.ui.office.process.diagram_paint import TEXT_FROM, Lit, family, paint_edge, paint_shape, place_of
from desktop.ui.theme import values_process as values

PAN: Final = 60
WHEEL: Final = 120
EDGE_ROOM: Final = 24.0
"""Names and arrow heads reach beyond their points."""


class DiagramSheet(QWidget):
    """The sheet itself.

    Signals:
        chosen: the id of an element that was pressed, or taken with Enter.
        zoomed: the zoom changed.
    """

    chosen = Signal(str)
    zoomed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Graphic)
        self.setObjectName("diagramSheet")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(theme.scaled(120), theme.scaled(120))
        self.diagram: Diagram | None = None
        self._told: Diagram | None = None
        self.lit = Lit()
        self.zoom = 1.0
        self.current = ""
        self.picked = ""
        self._origin = QPointF()
        self._bounds = QRectF()
        self._order: list[str] = []
        self._paint_order: list[str] = []
        self._edge_places: dict[str, QRectF] = {}
        self._fitting = True
        self._grip: QPointF | None = None
        self._moved = False
        theme.changed.connect(self._refit)
        i18n.changed.connect(self._on_language)
        self._announce()

    # ---- what is shown
    def show_diagram(self, diagram: Diagram | None, lit: Lit | None = None) -> None:
        """Shows a diagram; the same one in another light stays where it is on the screen."""
        same = diagram == self._told
        self._told, self.lit = diagram, lit or Lit()
        self.diagram = None if diagram is None else diagram.in_language(i18n.language())
        if not same:
            self._measure()
            self.current = self.current if diagram is not None and self.current in diagram.shapes else ""
            self._fitting = True
            self.begin()
        elif self._fitting:
            self._refit()
        self._announce()
        self.update()

    def _measure(self) -> None:
        self._bounds, self._edge_places, self._order, self._paint_order = QRectF(), {}, [], []
        diagram = self.diagram
        if diagram is None:
            return
        for shape in diagram.shapes.values():
            self._bounds = self._bounds.united(place_of(shape))
        for key, edge in diagram.edges.items():
            place = QRectF()
            for x, y in edge.points:
                place = place.united(QRectF(x - EDGE_ROOM, y - EDGE_ROOM, 2 * EDGE_ROOM, 2 * EDGE_ROOM))
            self._edge_places[key] = place
            self._bounds = self._bounds.united(place)
        margin = values.DIAGRAM_MARGIN
        self._bounds = self._bounds.adjusted(-margin, -margin, margin, margin)
        held = list(diagram.shapes.items())
        walkable = [(k, s) for k, s in held if family(s.kind) in ("task", "event", "gateway")]
        self._order = [k for k, s in sorted(walkable, key=lambda one: (round(one[1].x / 40), one[1].y))]
        # What holds others first: pools, then sub-processes by their size.
        layer = {"pool": 0, "group": 1}
        self._paint_order = [
            k for k, s in sorted(held, key=lambda one: (layer.get(family(one[1].kind), 2), -one[1].w * one[1].h))
        ]

    # ---- zoom and place
    def fit(self) -> None:
        """The whole diagram, never larger than the text scale."""
        if self._bounds.isEmpty() or self.width() < 2 or self.height() < 2:
            return
        wanted = min(self.width() / self._bounds.width(), self.height() / self._bounds.height())
        self.zoom = min(max(wanted, values.ZOOM_MIN), theme.text_scale())
        room = QPointF(self.width(), self.height()) / self.zoom
        shown = QPointF(self._bounds.width(), self._bounds.height())
        spare = room - shown
        # In the middle; a diagram that does not fit at the least zoom begins at its beginning.
        self._origin = self._bounds.topLeft() - QPointF(max(0.0, spare.x()) / 2, max(0.0, spare.y()) / 2)
        self.zoomed.emit()
        self.update()

    def zoom_by(self, factor: float, around: QPointF | None = None) -> None:
        """Zooms around a point of the widget, else around its middle."""
        middle = around if around is not None else QPointF(self.width() / 2, self.height() / 2)
        held = self._to_sheet(middle)
        self.zoom = min(max(self.zoom * factor, values.ZOOM_MIN), values.ZOOM_MAX)
        self._origin = held - middle / self.zoom
        self._fitting = False
        self._keep_near()
        self.zoomed.emit()
        self.update()

    def pan(self, dx: float, dy: float) -> None:
        """Moves the window over the sheet, in widget pixels."""
        self._origin += QPointF(dx, dy) / self.zoom
        self._fitting = False
        self._keep_near()
        self.update()

    def _keep_near(self) -> None:
        """Some of the diagram always stays in sight."""
        room = QPointF(self.width(), self.height()) / self.zoom
        edge = min(80.0, room.x() / 3, room.y() / 3)
        x = min(max(self._origin.x(), self._bounds.left() - room.x() + edge), self._bounds.right() - edge)
        y = min(max(self._origin.y(), self._bounds.top() - room.y() + edge), self._bounds.bottom() - edge)
        self._origin = QPointF(x, y)

    def _to_sheet(self, place: QPointF) -> QPointF:
        return self._origin + place / self.zoom

    def on_screen(self, key: str) -> QRectF:
        """Where an element stands in the widget."""
        assert self.diagram is not None
        box = place_of(self.diagram.shapes[key])
        return QRectF((box.topLeft() - self._origin) * self.zoom, box.size() * self.zoom)

    def show_element(self, key: str) -> None:
        """Brings an element into sight."""
        if self.diagram is None or key not in self.diagram.shapes:
            return
        box = self.on_screen(key)
        room = QRectF(self.rect()).adjusted(12, 12, -12, -12)
        dx = min(0.0, box.left() - room.left()) or max(0.0, box.right() - room.right())
        dy = min(0.0, box.top() - room.top()) or max(0.0, box.bottom() - room.bottom())
        if dx or dy:
            self.pan(dx, dy)

    # ---- elements
    def element_at(self, place: QPointF) -> str:
        """The element under a point of the widget, the smallest where several lie there; empty for none."""
        if self.diagram is None:
            return ""
        at = self._to_sheet(place)
        hits = [(s.w * s.h, k) for k, s in self.diagram.shapes.items() if place_of(s).contains(at)]
        walkable = [hit for hit in hits if family(self.diagram.shapes[hit[1]].kind) not in ("pool", "group")]
        return min(walkable)[1] if walkable else ""

    def words_of(self, key: str) -> str:
        """What an element is and where the case stands there, in one line."""
        if self.diagram is None or key not in self.diagram.shapes:
            return ""
        shape = self.diagram.shapes[key]
        state = self.lit.state(key)
        parts = [shape.name or kind_word(shape), kind_word(shape) if shape.name else ""]
        if state != "plain":
            parts.append(tr(f"office_process.diagram.{state}"))
        parts.append(self.note_of(key))
        return " · ".join(part for part in parts if part)

    def note_of(self, key: str) -> str:
        """Who has it now, or how long it took."""
        return self.lit.current.get(key) or self.lit.spent.get(key, "")

    def step(self, count: int) -> None:
        """The next element, or the one before."""
        if not self._order:
            return
        at = self._order.index(self.current) if self.current in self._order else -1 if count > 0 else 0
        self.current = self._order[(at + count) % len(self._order)]
        self.show_element(self.current)
        self._announce()
        self.update()

    def pick(self, key: str) -> None:
        """Marks an element as the one that is worked on."""
        self.picked = key
        self.update()

    def _on_language(self) -> None:
        self.diagram = None if self._told is None else self._told.in_language(i18n.language())
        self._announce()
        self.update()

    def _announce(self) -> None:
        words = self.words_of(self.current)
        name = tr("office_process.diagram.name")
        count = len(self._order)
        self.setAccessibleName(f"{name}: {words}" if words else tr("office_process.diagram.named", n=count))
        where = [self.words_of(key) for key in self.lit.current]
        self.setAccessibleDescription("; ".join(where))
        if self.hasFocus():
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.NameChanged))

    # ---- Qt overrides
    def sizeHint(self) -> QSize:
        scale = theme.text_scale()
        return QSize(
            round(min(900, max(320, self._bounds.width())) * scale),
            round(min(520, max(180, self._bounds.height())) * scale),
        )

    def show_whole(self) -> None:
        """The user wants all of it, however small."""
        self._fitting = False
        self.fit()

    def begin(self) -> None:
        """All of it where that can be read; else as large as can be read, with where the case is in the middle."""
        self.fit()
        readable = values.ZOOM_READABLE * theme.text_scale()
        if self.zoom >= readable or self.diagram is None or self._bounds.isEmpty():
            return
        self.zoom = readable
        room = QPointF(self.width(), self.height()) / self.zoom
        now = next((key for key in self.lit.current if key in self.diagram.shapes), None)
        middle = place_of(self.diagram.shapes[now]).center() if now is not None else self._bounds.topLeft() + room / 2
        start = middle - room / 2
        low, high = self._bounds.topLeft(), self._bounds.bottomRight() - room
        self._origin = QPointF(_between(start.x(), low.x(), high.x()), _between(start.y(), low.y(), high.y()))
        self.zoomed.emit()
        self.update()

    def _refit(self) -> None:
        if self._fitting:
            self.begin()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(values.ZOOM_STEP ** (turn.y() / WHEEL), event.position())
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.pan(-turn.y(), 0)
        else:
            self.pan(-turn.x(), -turn.y())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._grip, self._moved = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None:
            return
        step = event.position() - self._grip
        if not self._moved and step.manhattanLength() < 4:
            return
        self._moved, self._grip = True, event.position()
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.pan(-step.x(), -step.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.unsetCursor()
        pressed, self._grip = self._grip is not None and not self._moved, None
        key = self.element_at(event.position()) if pressed else ""
        if key:
            self.current = key
            self._announce()
            self.update()
            self.chosen.emit(key)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self.element_at(event.position()):
            self.show_whole()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        arrows = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        if key in arrows:
            dx, dy = arrows[Qt.Key(key)]
            self.pan(dx * PAN, dy * PAN) if control else self.step(dx + dy)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(values.ZOOM_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / values.ZOOM_STEP)
        elif key == Qt.Key.Key_0:
            self.show_whole()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current:
            self.chosen.emit(self.current)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.current and self._order:
            self.current = next(iter(self.lit.current), self._order[0])
            self._announce()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = self.words_of(self.element_at(QPointF(event.pos())))
            QToolTip.showText(event.globalPos(), words, self) if words else QToolTip.hideText()
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), theme.tokens().bg)
        if self.diagram is None:
            return
        corner = self._to_sheet(QPointF(event.rect().topLeft()))
        seen = QRectF(corner, self._to_sheet(QPointF(event.rect().bottomRight() + QPoint(1, 1))))
        painter.setTransform(QTransform.fromScale(self.zoom, self.zoom), True)
        painter.translate(-self._origin)
        self.paint_diagram(painter, seen, words=self.zoom >= TEXT_FROM)

    def paint_diagram(self, painter: QPainter, seen: QRectF, *, words: bool = True) -> None:
        """Paints what of the diagram touches `seen`, in the diagram's units; also for paper."""
        diagram = self.diagram
        if diagram is None:
            return
        shapes = diagram.shapes
        near = seen.adjusted(-60, -60, 60, 60)  # names stand below and above small shapes
        holders = [k for k in self._paint_order if family(shapes[k].kind) in ("pool", "group") or _holds(shapes[k])]
        for key in holders:
            self._paint(painter, key, near, words=words)
        for key, edge in diagram.edges.items():
            if self._edge_places[key].intersects(seen):
                paint_edge(painter, edge, words=words)
        for key in self._paint_order:
            if key not in holders:
                self._paint(painter, key, near, words=words)

    def _paint(self, painter: QPainter, key: str, near: QRectF, *, words: bool) -> None:
        assert self.diagram is not None
        shape = self.diagram.shapes[key]
        if place_of(shape).intersects(near):
            ring = key == self.picked or (key == self.current and self.hasFocus())
            paint_shape(painter, shape, self.lit.state(key), self.note_of(key), words=words, ring=ring)


def _between(value: float, low: float, high: float) -> float:
    """Within both; in the middle of them where there is more room than needed."""
    return (low + high) / 2 if high < low else min(max(value, low), high)


def _holds(shape: DiagramShape) -> bool:
    """A sub-process with others inside lies below the edges."""
    return family(shape.kind) == "task" and shape.h >= 110 and "task" not in shape.kind.lower()


def kind_word(shape: DiagramShape) -> str:
    """What a kind of element is called."""
    key = f"office_process.bpmn.{shape.kind}"
    return tr(key) if has(key) else tr(f"office_process.bpmn.{family(shape.kind)}")


class DiagramView(QWidget):
    """The sheet with its tools.

    Signals:
        chosen: the id of an element that was pressed.
        closed: the diagram is not wanted any more.
    """

    chosen = Signal(str)
    closed = Signal()

    def __init__(self, *, closable: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("diagramView")
        self.sheet = DiagramSheet()
        self.title = Label(role="secondary", tone="ink2")
        self.percent = Label(role="secondary", tone="ink3")
        self.smaller = IconButton("minus", "office_process.diagram.smaller", size=16, box=28)
        self.larger = IconButton("plus", "office_process.diagram.larger", size=16, box=28)
        self.whole = IconButton("frame-corners", "office_process.diagram.fit", size=16, box=28)
        self.close_button = IconButton("x", "common.close", size=16, box=28, parent=self)
        self.close_button.setVisible(closable)
        self.state = EmptyState("flow-arrow", "office_process.diagram.none")
        self.state.hide()
        line = QHBoxLayout()
        line.setContentsMargins(14, 6, 8, 6)
        line.setSpacing(2)
        line.addWidget(self.title, 1)
        for part in (self.smaller, self.percent, self.larger, self.whole, self.close_button):
            line.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.sheet, 1)
        column.addWidget(self.state, 1)
        on_click(self.smaller, lambda: self.sheet.zoom_by(1 / values.ZOOM_STEP))
        on_click(self.larger, lambda: self.sheet.zoom_by(values.ZOOM_STEP))
        on_click(self.whole, self.sheet.show_whole)
        on_click(self.close_button, self.closed.emit)
        self.sheet.chosen.connect(self.chosen)
        self.sheet.zoomed.connect(self._show_zoom)
        self.setFocusProxy(self.sheet)
        self._show_zoom()

    def _show_zoom(self) -> None:
        self.percent.setText(f"{round(self.sheet.zoom * 100)}%")

    def show_diagram(self, diagram: Diagram | None, lit: Lit | None = None, title: str = "") -> None:
        """Shows a diagram in the light of a case; None where the process has none."""
        self.title.setText(title)
        there = diagram is not None and bool(diagram.shapes)
        self.sheet.setVisible(there)
        self.state.setVisible(not there)
        self.sheet.show_diagram(diagram if there else None, lit)
