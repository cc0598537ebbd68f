"""Colors, shadings and pens of OFD objects (GB/T 33190-2016 §8.3, §8.4) as Qt's brushes and pens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QGradient, QLinearGradient, QPen, QRadialGradient

from desktop.ui.reader.ofd.document import Resources
from desktop.ui.reader.ofd.package import Element, child, children, number, numbers

THIN: Final = 0.353
"""Millimeters: the line width where none is said."""
_MAX_CHAIN: Final = 16
_MAX_STOPS: Final = 256
_CAPS: Final = {"Round": Qt.PenCapStyle.RoundCap, "Square": Qt.PenCapStyle.SquareCap}
_JOINS: Final = {"Round": Qt.PenJoinStyle.RoundJoin, "Bevel": Qt.PenJoinStyle.BevelJoin}


class Style:
    """What an object says of its looks: its own attributes before its draw parameter's, before its layer's."""

    def __init__(self, resources: Resources, element: Element, layer_param: str | None) -> None:
        self._resources = resources
        self._element = element
        self._layer_param = layer_param
        self.alpha = _alpha(element)

    def _sources(self) -> Iterator[Element]:
        yield self._element
        for first in (self._element.get("DrawParam"), self._layer_param):
            param_id, seen = first, set[str]()
            while param_id and param_id not in seen and len(seen) < _MAX_CHAIN:
                seen.add(param_id)
                param = self._resources.params.get(param_id)
                if param is None:
                    break
                yield param
                param_id = param.get("Relative")

    def attribute(self, name: str) -> str | None:
        """An attribute, None where nobody says it."""
        return next((value for one in self._sources() if (value := one.get(name)) is not None), None)

    def _part(self, name: str) -> Element | None:
        return next((found for one in self._sources() if (found := child(one, name)) is not None), None)

    def fill(self, *, default: bool) -> QBrush | None:
        """The brush of the inside; black where a color is missing and there is a default, else None."""
        part = self._part("FillColor")
        return self._brush(part) if part is not None else self._black() if default else None

    def pen(self) -> QPen:
        """The pen of the outline: black and thin where nothing is said."""
        part = self._part("StrokeColor")
        brush = self._brush(part) if part is not None else self._black()
        pen = QPen(brush, max(0.0, number(self.attribute("LineWidth"), THIN)))
        pen.setCapStyle(_CAPS.get(self.attribute("Cap") or "", Qt.PenCapStyle.FlatCap))
        pen.setJoinStyle(_JOINS.get(self.attribute("Join") or "", Qt.PenJoinStyle.MiterJoin))
        pen.setMiterLimit(number(self.attribute("MiterLimit"), 3.528))
        dashes = [max(0.0, one) for one in numbers(self.attribute("DashPattern"), 32)]
        if len(dashes) == 1:
            dashes *= 2
        if dashes and sum(dashes) > 0 and pen.widthF() > 0:
            pen.setDashPattern([max(0.01, one / pen.widthF()) for one in dashes[: len(dashes) // 2 * 2]])
            pen.setDashOffset(number(self.attribute("DashOffset"), 0.0) / pen.widthF())
        return pen

    def _black(self) -> QBrush:
        color = QColor(Qt.GlobalColor.black)
        color.setAlpha(self.alpha)
        return QBrush(color)

    def _brush(self, element: Element) -> QBrush:
        for name, make in (("AxialShd", _axial), ("RadialShd", _radial)):
            shading = child(element, name)
            if shading is not None:
                gradient = make(shading)
                self._stops(gradient, shading)
                return QBrush(gradient)
        return QBrush(self._color(element if (first := _first_of_mesh(element)) is None else first))

    def _stops(self, gradient: QGradient, shading: Element) -> None:
        segments = children(shading, "Segment")[:_MAX_STOPS]
        for index, one in enumerate(segments):
            even = index / (len(segments) - 1) if len(segments) > 1 else 0.0
            color = child(one, "Color")
            if color is not None:
                gradient.setColorAt(min(1.0, max(0.0, number(one.get("Position"), even))), self._color(color))

    def _color(self, element: Element) -> QColor:
        space = self._resources.spaces.get(element.get("ColorSpace") or "")
        most = 255.0
        values = _components(element.get("Value"))
        if space is not None:
            most = float((1 << int(min(16, max(1, number(space.get("BitsPerComponent"), 8))))) - 1)
            entries = children(child(space, "Palette"), "CV")
            index = int(number(element.get("Index"), -1))
            if element.get("Value") is None and 0 <= index < len(entries):
                values = _components(entries[index].text)
        parts = [min(1.0, max(0.0, one / most)) for one in values]
        color = QColor(Qt.GlobalColor.black)
        if len(parts) == 1:
            color = QColor.fromRgbF(parts[0], parts[0], parts[0])
        elif len(parts) == 3:
            color = QColor.fromRgbF(parts[0], parts[1], parts[2])
        elif len(parts) >= 4:
            color = QColor.fromCmykF(parts[0], parts[1], parts[2], parts[3]).toRgb()
        color.setAlpha(_alpha(element) * self.alpha // 255)
        return color


def _first_of_mesh(element: Element) -> Element | None:
    """The color of the first point of a Gouraud mesh: meshes are shown in it. None where there is no mesh."""
    meshes = (one for one in element if isinstance(one.tag, str) and "Gouraud" in one.tag)
    return next(
        (found for mesh in meshes for point in mesh.iter() if (found := child(point, "Color")) is not None), None
    )


def _alpha(element: Element) -> int:
    return int(min(255.0, max(0.0, number(element.get("Alpha"), 255.0))))


def _components(value: str | None) -> list[float]:
    """The components of a color, decimal or hexadecimal with #."""
    found: list[float] = []
    for one in (value or "").split()[:4]:
        try:
            found.append(float(int(one[1:], 16)) if one.startswith("#") else float(one))
        except ValueError:
            return []
    return found


def _spread(shading: Element, gradient: QGradient) -> None:
    kinds = {"Repeat": QGradient.Spread.RepeatSpread, "Reflect": QGradient.Spread.ReflectSpread}
    gradient.setSpread(kinds.get(shading.get("MapType") or "", QGradient.Spread.PadSpread))


def _point(value: str | None) -> QPointF:
    found = numbers(value, 2)
    return QPointF(found[0], found[1]) if len(found) == 2 else QPointF()


def _axial(shading: Element) -> QGradient:
    gradient = QLinearGradient(_point(shading.get("StartPoint")), _point(shading.get("EndPoint")))
    _spread(shading, gradient)
    return gradient


def _radial(shading: Element) -> QGradient:
    gradient = QRadialGradient(
        _point(shading.get("EndPoint")),
        max(0.001, number(shading.get("EndRadius"), 1.0)),
        _point(shading.get("StartPoint")),
        max(0.0, number(shading.get("StartRadius"), 0.0)),
    )
    _spread(shading, gradient)
    return gradient
