"""The shapes of BPMN, drawn with QPainter in the diagram's own units: events, tasks with the mark of their kind, gateways, pools, notes, edges."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import atan2, cos, pi, sin
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from desktop.core.domain.processes import DiagramEdge, DiagramShape
from desktop.ui import theme
from desktop.ui.theme import icons

ARROW: Final = 8.0
CORNER: Final = 8.0
TEXT_FROM: Final = 0.3
"""Below this zoom words are specks: they are left out."""
LABEL_ROOM: Final = 110.0
ANYWHERE: Final = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere
NAME_LINES: Final = 2

_TASK_MARKS: Final = {
    "userTask": "user",
    "manualTask": "hand",
    "serviceTask": "gear-six",
    "scriptTask": "code",
    "sendTask": "paper-plane-tilt",
    "receiveTask": "envelope-simple",
    "businessRuleTask": "table",
}
_GATEWAYS: Final = {"exclusive": "×", "parallel": "+", "inclusive": "○", "complex": "✱", "event": "◇"}
_EVENT_MARKS: Final = {
    "timer": "clock",
    "message": "envelope-simple",
    "signal": "broadcast",
    "error": "lightning",
    "cancel": "x",
    "terminate": "circle-fill",
    "escalation": "arrow-fat-up",
    "compensation": "rewind",
    "link": "arrow-right",
}


@dataclass(frozen=True, slots=True)
class Lit:
    """How far a case is in the diagram, in words that stand at the elements.

    Attributes:
        done: elements that are behind.
        current: element → who has it and since when.
        late: current ones whose time is over.
        spent: element → how long it took.
    """

    done: frozenset[str] = frozenset()
    current: Mapping[str, str] = field(default_factory=dict)
    late: frozenset[str] = frozenset()
    spent: Mapping[str, str] = field(default_factory=dict)

    def state(self, key: str) -> str:
        """done, late, current or plain."""
        if key in self.current:
            return "late" if key in self.late else "current"
        return "done" if key in self.done else "plain"


def family(kind: str) -> str:
    """task, event, gateway, pool, note, data or group: what a kind of BPMN is drawn as."""
    low = kind.lower()
    if "gateway" in low:
        return "gateway"
    if "event" in low and "subprocess" not in low:
        return "event"
    if low in ("participant", "lane", "pool"):
        return "pool"
    if "annotation" in low:
        return "note"
    if low.startswith("data"):
        return "data"
    return "group" if low == "group" else "task"


def _inks(state: str) -> tuple[QColor, QColor, float]:
    """Edge, fill and line width of a state."""
    colors = theme.tokens()
    match state:
        case "done":
            return colors.green, colors.green_soft, 1.6
        case "current":
            return colors.accent, colors.accent_soft, 2.4
        case "late":
            return colors.red, colors.red_soft, 2.4
    return colors.line_strong, colors.surface, 1.4


def place_of(shape: DiagramShape) -> QRectF:
    """Where a shape stands."""
    return QRectF(shape.x, shape.y, max(1.0, shape.w), max(1.0, shape.h))


def paint_shape(painter: QPainter, shape: DiagramShape, state: str, note: str, *, words: bool, ring: bool) -> None:
    """One shape in its state. `note`: who has it, or how long it took; `words`: large enough to be read; `ring`: the keyboard is on it."""
    box = place_of(shape)
    kind = family(shape.kind)
    edge, fill, width = _inks(state)
    painter.save()
    painter.setPen(QPen(edge, width))
    painter.setBrush(fill)
    match kind:
        case "event":
            _paint_event(painter, shape, box, edge, width)
        case "gateway":
            _paint_gateway(painter, shape, box, edge)
        case "pool":
            _paint_pool(painter, shape, box, words=words)
        case "note":
            _paint_note(painter, shape, box, words=words)
        case "data":
            _paint_data(painter, box)
        case "group":
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(edge, width, Qt.PenStyle.DashDotLine))
            painter.drawRoundedRect(box, CORNER, CORNER)
        case _:
            _paint_task(painter, shape, box, state, note, words=words)
    if words and kind in ("event", "gateway", "data") and (shape.name or note):
        _paint_outer_label(painter, shape, box, note, state)
    if ring:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.tokens().accent, 1.5, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(box.adjusted(-5, -5, 5, 5), CORNER, CORNER)
    painter.restore()


def _note_ink(state: str) -> QColor:
    colors = theme.tokens()
    return {"done": colors.green, "current": colors.link, "late": colors.red_text}.get(state, colors.ink3)


def _paint_task(painter: QPainter, shape: DiagramShape, box: QRectF, state: str, note: str, *, words: bool) -> None:
    low = shape.kind.lower()
    if low == "callactivity":
        pen = painter.pen()
        pen.setWidthF(pen.widthF() + 1.8)
        painter.setPen(pen)
    elif low in ("eventsubprocess",):
        painter.setPen(QPen(painter.pen().color(), painter.pen().widthF(), Qt.PenStyle.DotLine))
    holds = "subprocess" in low or low == "transaction"
    painter.drawRoundedRect(box, CORNER, CORNER)
    if low == "transaction":
        painter.drawRoundedRect(box.adjusted(3, 3, -3, -3), CORNER - 2, CORNER - 2)
    mark = _TASK_MARKS.get(shape.kind)
    tall = min(13.0, box.height() * 0.26)
    if mark is not None and words and box.height() >= 36:
        icons.paint(painter, QRectF(box.left() + 4, box.top() + 4, tall, tall), mark, theme.tokens().ink3)
    if low == "callactivity" or (holds and box.height() < 110):
        _paint_plus(painter, QPointF(box.center().x(), box.bottom() - 9))
    if not words:
        return
    room = box.adjusted(6, 4, -6, -4)
    if holds and box.height() >= 110:
        painter.setPen(theme.tokens().ink2)
        painter.setFont(_font(12, bold=True))
        wrap = _wrap(shape.name, painter.font(), room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter | wrap), shape.name)
        return
    _paint_inside(painter, room, shape.name, note, state)


def _paint_plus(painter: QPainter, middle: QPointF) -> None:
    """The boxed plus of what holds more than is shown."""
    painter.save()
    painter.setPen(QPen(theme.tokens().ink3, 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(middle.x() - 6, middle.y() - 6, 12, 12))
    painter.drawLine(middle - QPointF(3.5, 0), middle + QPointF(3.5, 0))
    painter.drawLine(middle - QPointF(0, 3.5), middle + QPointF(0, 3.5))
    painter.restore()


def _paint_inside(painter: QPainter, room: QRectF, name: str, note: str, state: str) -> None:
    """The name in the middle, below it what the case says; the name shrinks before it is cut."""
    small = _font(10.5)
    below = QFontMetricsF(small).height() + 1 if note else 0.0
    space = room.adjusted(0, 0, 0, -below) if note else room
    font, wrap, needed = _font(12), ANYWHERE, QRectF()
    for size in (12.0, 11.0, 10.0, 9.0):
        font = _font(size, bold=state in ("current", "late"))
        wrap = _wrap(name, font, space.width())
        needed = QFontMetricsF(font).boundingRect(space, int(Qt.AlignmentFlag.AlignCenter | wrap), name)
        if needed.height() <= space.height() + 1 and wrap != ANYWHERE:
            break
    height = min(needed.height(), space.height())
    top = room.top() + (room.height() - height - below) / 2
    painter.setFont(font)
    painter.setPen(theme.tokens().ink)
    painter.save()
    painter.setClipRect(room, Qt.ClipOperation.IntersectClip)
    painter.drawText(QRectF(room.left(), top, room.width(), height), int(Qt.AlignmentFlag.AlignCenter | wrap), name)
    painter.restore()
    if note:
        painter.setFont(small)
        painter.setPen(_note_ink(state))
        shown = QFontMetricsF(small).elidedText(note, Qt.TextElideMode.ElideRight, room.width() + 4)
        painter.drawText(
            QRectF(room.left() - 2, top + height, room.width() + 4, below), int(Qt.AlignmentFlag.AlignCenter), shown
        )


def _paint_event(painter: QPainter, shape: DiagramShape, box: QRectF, edge: QColor, width: float) -> None:
    low = shape.kind.lower()
    if "end" in low:
        painter.setPen(QPen(edge, width + 2.4))
    painter.drawEllipse(box.adjusted(1, 1, -1, -1))
    if "intermediate" in low or "boundary" in low:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(box.adjusted(4, 4, -4, -4))
    mark = next((icon for name, icon in _EVENT_MARKS.items() if name in low), None)
    if mark is not None:
        inner = box.width() * 0.26
        icons.paint(painter, box.adjusted(inner, inner, -inner, -inner), mark, edge)


def _paint_gateway(painter: QPainter, shape: DiagramShape, box: QRectF, edge: QColor) -> None:
    middle = box.center()
    painter.drawPolygon(
        QPolygonF(
            [
                QPointF(middle.x(), box.top()),
                QPointF(box.right(), middle.y()),
                QPointF(middle.x(), box.bottom()),
                QPointF(box.left(), middle.y()),
            ]
        )
    )
    low = shape.kind.lower()
    sign = next((mark for name, mark in _GATEWAYS.items() if low.startswith(name)), "×")
    reach = box.width() * 0.17
    painter.setPen(QPen(edge.darker(120) if not theme.is_dark() else edge.lighter(120), 2.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if sign in ("×", "+", "✱"):
        for turn in {"×": (45, 135), "+": (0, 90), "✱": (0, 45, 90, 135)}[sign]:
            dx, dy = reach * cos(turn * pi / 180), reach * sin(turn * pi / 180)
            painter.drawLine(QPointF(middle.x() - dx, middle.y() - dy), QPointF(middle.x() + dx, middle.y() + dy))
    else:
        painter.drawEllipse(middle, reach, reach)
        if sign == "◇":
            painter.drawEllipse(middle, reach * 0.6, reach * 0.6)


def _paint_pool(painter: QPainter, shape: DiagramShape, box: QRectF, *, words: bool) -> None:
    colors = theme.tokens()
    painter.setPen(QPen(colors.line_strong, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box)
    band = 30.0
    if box.width() >= box.height() or shape.kind.lower() == "participant":
        painter.drawLine(QPointF(box.left() + band, box.top()), QPointF(box.left() + band, box.bottom()))
    if not words or not shape.name:
        return
    painter.save()
    painter.setPen(colors.ink2)
    painter.setFont(_font(12))
    painter.translate(box.left(), box.bottom())
    painter.rotate(-90)
    painter.drawText(QRectF(0, 0, box.height(), band), int(Qt.AlignmentFlag.AlignCenter), shape.name)
    painter.restore()


def _paint_note(painter: QPainter, shape: DiagramShape, box: QRectF, *, words: bool) -> None:
    path = QPainterPath(QPointF(box.left() + 10, box.top()))
    path.lineTo(box.topLeft())
    path.lineTo(box.bottomLeft())
    path.lineTo(QPointF(box.left() + 10, box.bottom()))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    if words:
        painter.setPen(theme.tokens().ink2)
        painter.setFont(_font(11))
        room = box.adjusted(6, 2, 0, -2)
        wrap = _wrap(shape.name, painter.font(), room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | wrap), shape.name)


def _paint_data(painter: QPainter, box: QRectF) -> None:
    fold = min(10.0, box.width() / 3)
    sheet = QPolygonF(
        [
            box.topLeft(),
            QPointF(box.right() - fold, box.top()),
            QPointF(box.right(), box.top() + fold),
            box.bottomRight(),
            box.bottomLeft(),
        ]
    )
    painter.drawPolygon(sheet)
    painter.drawPolyline(
        [
            QPointF(box.right() - fold, box.top()),
            QPointF(box.right() - fold, box.top() + fold),
            QPointF(box.right(), box.top() + fold),
        ]
    )


def _paint_outer_label(painter: QPainter, shape: DiagramShape, box: QRectF, note: str, state: str) -> None:
    """The name of a small shape below it; of a gateway above it, where no edge leaves."""
    font = _font(11)
    metrics = QFontMetricsF(font)
    text = "\n".join(part for part in (shape.name, note) if part)
    room = QRectF(box.center().x() - LABEL_ROOM / 2, 0, LABEL_ROOM, 200)
    wrap = _wrap(text, font, room.width())
    needed = metrics.boundingRect(room, int(Qt.AlignmentFlag.AlignHCenter | wrap), text)
    top = box.top() - needed.height() - 2 if family(shape.kind) == "gateway" else box.bottom() + 3
    painter.setFont(font)
    painter.setPen(_note_ink(state) if note else theme.tokens().ink2)
    place = QRectF(room.left(), top, room.width(), needed.height() + 2)
    painter.drawText(place, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | wrap), text)


def paint_edge(painter: QPainter, edge: DiagramEdge, *, words: bool) -> None:
    """A line with its arrow head and name; a way back is dashed and red."""
    points = [QPointF(x, y) for x, y in edge.points]
    if len(points) < 2:
        return
    colors = theme.tokens()
    back = edge.kind == "return"
    ink = colors.red if back else colors.line_strong
    pen = QPen(ink, 1.4)
    if back:
        pen.setDashPattern([4, 3])
    elif edge.kind in ("message", "association", "data"):
        pen.setDashPattern([2, 3])
    painter.save()
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(_rounded(points))
    if edge.kind != "association":
        _paint_head(painter, points[-2], points[-1], ink)
    if words and edge.name:
        _paint_edge_name(painter, points, edge.name, colors.red_text if back else colors.ink2)
    painter.restore()


def _rounded(points: Sequence[QPointF], radius: float = 5.0) -> QPainterPath:
    path = QPainterPath(points[0])
    for number in range(1, len(points) - 1):
        before, here, after = points[number - 1], points[number], points[number + 1]
        path.lineTo(_towards(here, before, radius))
        path.quadTo(here, _towards(here, after, radius))
    path.lineTo(points[-1])
    return path


def _towards(start: QPointF, end: QPointF, reach: float) -> QPointF:
    step = end - start
    length = (step.x() ** 2 + step.y() ** 2) ** 0.5
    return start if length < 1e-6 else start + step * (min(reach, length / 2) / length)


def _paint_head(painter: QPainter, before: QPointF, tip: QPointF, ink: QColor) -> None:
    turn = atan2(tip.y() - before.y(), tip.x() - before.x())
    wings = [tip - QPointF(ARROW * cos(turn + side), ARROW * sin(turn + side)) for side in (0.42, -0.42)]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(ink))
    painter.drawPolygon(QPolygonF([tip, *wings]))


def _paint_edge_name(painter: QPainter, points: Sequence[QPointF], name: str, ink: QColor) -> None:
    """At the first piece that is long enough, over a patch of the background so that lines don't run through it."""
    font = _font(11)
    metrics = QFontMetricsF(font)
    width, lines = min(metrics.horizontalAdvance(name) + 4, LABEL_ROOM), 1
    lengths = [abs(b.x() - a.x()) + abs(b.y() - a.y()) for a, b in itertools.pairwise(points)]
    flat = [abs(b.x() - a.x()) >= abs(b.y() - a.y()) for a, b in itertools.pairwise(points)]
    fits = [n for n, length in enumerate(lengths) if length >= width * 0.8]
    number = next((n for n in fits if flat[n]), fits[0] if fits else lengths.index(max(lengths)))
    start, end = points[number], points[number + 1]
    middle = (start + end) / 2
    level = abs(end.x() - start.x()) >= abs(end.y() - start.y())
    between = lengths[number] - ARROW
    if level and " " in name and between < width:  # in two lines between two shapes rather than under one of them
        narrow = max(between, *(metrics.horizontalAdvance(one) + 4 for one in name.split()))
        needed = metrics.boundingRect(QRectF(0, 0, narrow, LABEL_ROOM), int(Qt.TextFlag.TextWordWrap), name)
        if needed.height() <= NAME_LINES * metrics.height() + 1:
            width, lines = narrow, NAME_LINES
    height = lines * metrics.height()
    place = (
        QRectF(middle.x() - width / 2, middle.y() - height - 3, width, height)
        if level
        else QRectF(middle.x() + 4, middle.y() - height / 2, width, height)
    )
    patch = QColor(theme.tokens().bg)
    patch.setAlpha(210)
    painter.fillRect(place, patch)
    painter.setFont(font)
    painter.setPen(ink)
    if lines > 1:
        painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), name)
        return
    shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, width)
    painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), shown)


def _wrap(text: str, font: QFont, width: float) -> Qt.TextFlag:
    """How words go on to the next line: between words (Chinese: between any two signs) where each of them has room, else anywhere."""
    metrics = QFontMetricsF(font)
    fits = all(metrics.horizontalAdvance(word) <= width for word in text.split() if word.isascii())
    return Qt.TextFlag.TextWordWrap if fits else ANYWHERE


def _font(size: float, *, bold: bool = False) -> QFont:
    """A font in the diagram's units: text grows with the zoom, not twice with the text scale."""
    made = theme.font("secondary", bold=bold)
    made.setPixelSize(max(1, round(size)))
    return made
