"""Paths of OFD (GB/T 33190-2016 §9.3, abbreviated data) as QPainterPath; what cannot be read ends the path there."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath

MAX_TOKENS: Final = 400_000
_OPERANDS: Final = {"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}


def read_path(data: str) -> QPainterPath:
    """The path of AbbreviatedData: S and M move, L line, Q and B curves, A arc, C closes."""
    path = QPainterPath()
    tokens = data.split(None, MAX_TOKENS)[:MAX_TOKENS]
    at = 0
    while at < len(tokens):
        operator, count = tokens[at], _OPERANDS.get(tokens[at])
        if count is None:
            break
        values = _numbers(tokens[at + 1 : at + 1 + count])
        if len(values) < count:
            break
        _draw(path, operator, values)
        at += 1 + count
    return path


def _numbers(tokens: list[str]) -> list[float]:
    try:
        found = [float(one) for one in tokens]
    except ValueError:
        return []
    return found if all(-1e7 < one < 1e7 for one in found) else []


def _draw(path: QPainterPath, operator: str, values: list[float]) -> None:
    match operator:
        case "S" | "M":
            path.moveTo(values[0], values[1])
        case "L":
            path.lineTo(values[0], values[1])
        case "Q":
            path.quadTo(*values)
        case "B":
            path.cubicTo(*values)
        case "A":
            _arc(path, *values)
        case _:
            path.closeSubpath()


def _arc(
    path: QPainterPath, rx: float, ry: float, rotation: float, large: float, sweep: float, x: float, y: float
) -> None:
    """An elliptical arc from the current point, as SVG 1.1 F.6.5 computes it, in pieces of at most a quarter turn."""
    start = path.currentPosition()
    rx, ry = abs(rx), abs(ry)
    if rx < 1e-9 or ry < 1e-9 or (start.x() == x and start.y() == y):
        path.lineTo(x, y)
        return
    angle = math.radians(rotation)
    cos, sin = math.cos(angle), math.sin(angle)
    dx, dy = (start.x() - x) / 2, (start.y() - y) / 2
    x1, y1 = cos * dx + sin * dy, -sin * dx + cos * dy
    stretch = (x1 / rx) ** 2 + (y1 / ry) ** 2
    if stretch > 1:
        rx, ry = rx * math.sqrt(stretch), ry * math.sqrt(stretch)
    over, under = (rx * ry) ** 2 - (rx * y1) ** 2 - (ry * x1) ** 2, (rx * y1) ** 2 + (ry * x1) ** 2
    root = math.sqrt(max(0.0, over / under)) if under else 0.0
    root = -root if bool(large) == bool(sweep) else root
    cx1, cy1 = root * rx * y1 / ry, -root * ry * x1 / rx
    center = QPointF(cos * cx1 - sin * cy1 + (start.x() + x) / 2, sin * cx1 + cos * cy1 + (start.y() + y) / 2)
    first = math.atan2((y1 - cy1) / ry, (x1 - cx1) / rx)
    turn = math.atan2((-y1 - cy1) / ry, (-x1 - cx1) / rx) - first
    if sweep and turn < 0:
        turn += 2 * math.pi
    elif not sweep and turn > 0:
        turn -= 2 * math.pi
    pieces = max(1, math.ceil(abs(turn) / (math.pi / 2)))
    step = turn / pieces
    pull = 4 / 3 * math.tan(step / 4)

    def point(px: float, py: float) -> QPointF:
        return QPointF(center.x() + cos * px - sin * py, center.y() + sin * px + cos * py)

    for piece in range(pieces):
        a, b = first + step * piece, first + step * (piece + 1)
        path.cubicTo(
            point(rx * (math.cos(a) - pull * math.sin(a)), ry * (math.sin(a) + pull * math.cos(a))),
            point(rx * (math.cos(b) + pull * math.sin(b)), ry * (math.sin(b) - pull * math.cos(b))),
            point(rx * math.cos(b), ry * math.sin(b)),
        )
