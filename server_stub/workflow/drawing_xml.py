"""The drawing in a BPMN file (BPMN DI): read leniently into boxes and lines, written anew and complete enough for any modeller."""

from collections.abc import Mapping, Sequence
from typing import Final

from lxml import etree
from msgspec import Struct

from server_stub.workflow.bpmn_xml import BPMNDI, DC, DI, Element, float_of, id_of, local, q
from server_stub.workflow.draft import FLOW_NODES, Draft

Point = tuple[float, float]
MAX_POINTS: Final = 100
DRAWN: Final = frozenset(
    {*FLOW_NODES, "sequenceFlow", "process", "collaboration", "participant", "lane", "textAnnotation", "association"}
)
"""Kinds of elements a drawing shows."""
_FLAGS: Final = ("isHorizontal", "isExpanded", "isMarkerVisible")


class Box(Struct, frozen=True):
    """A rectangle: left, top, width, height in the units of the drawing (pixels at 100 %)."""

    x: float
    y: float
    w: float
    h: float


class DrawnShape(Struct, frozen=True, kw_only=True):
    """A node as it is drawn. `flags`: isHorizontal, isExpanded, isMarkerVisible as written."""

    element: str
    box: Box
    label: Box | None = None
    flags: tuple[tuple[str, str], ...] = ()


class DrawnEdge(Struct, frozen=True, kw_only=True):
    """A flow as it is drawn: its corners, first to last."""

    element: str
    points: tuple[Point, ...]
    label: Box | None = None


class Plane(Struct, frozen=True, kw_only=True):
    """One page of a drawing. `element`: the collaboration, process or sub-process on it."""

    element: str
    shapes: tuple[DrawnShape, ...]
    edges: tuple[DrawnEdge, ...]


def load_planes(root: Element, known: Mapping[str, object] | frozenset[str]) -> list[Plane]:
    """The pages of the file's drawing with what they show of the known elements; anything broken is left out."""
    planes = []
    for plane in root.iter(q("BPMNPlane", BPMNDI)):
        seen: set[str] = set()
        shapes, edges = [], []
        for drawn in plane:
            element = str(drawn.get("bpmnElement") or "").rpartition(":")[2]
            if element not in known or element in seen:
                continue
            if drawn.tag == q("BPMNShape", BPMNDI):
                box = _load_box(drawn.find(q("Bounds", DC)))
                if box is not None:
                    flags = tuple((name, drawn.get(name)) for name in _FLAGS if drawn.get(name) in {"true", "false"})
                    shapes.append(DrawnShape(element=element, box=box, label=_load_label(drawn), flags=flags))
                    seen.add(element)
            elif drawn.tag == q("BPMNEdge", BPMNDI):
                points = _load_points(drawn)
                if len(points) >= 2:
                    edges.append(DrawnEdge(element=element, points=points, label=_load_label(drawn)))
                    seen.add(element)
        if shapes:
            planes.append(
                Plane(
                    element=str(plane.get("bpmnElement") or "").rpartition(":")[2],
                    shapes=tuple(shapes),
                    edges=tuple(edges),
                )
            )
    return planes


def _load_box(bounds: Element | None) -> Box | None:
    if bounds is None:
        return None
    numbers = [float_of(bounds.get(name)) for name in ("x", "y", "width", "height")]
    x, y, w, h = numbers
    if x is None or y is None or w is None or h is None or w <= 0 or h <= 0:
        return None
    return Box(x, y, w, h)


def _load_label(drawn: Element) -> Box | None:
    label = drawn.find(q("BPMNLabel", BPMNDI))
    return None if label is None else _load_box(label.find(q("Bounds", DC)))


def _load_points(drawn: Element) -> tuple[Point, ...]:
    points = []
    for waypoint in drawn.findall(q("waypoint", DI))[:MAX_POINTS]:
        x, y = float_of(waypoint.get("x")), float_of(waypoint.get("y"))
        if x is not None and y is not None:
            points.append((x, y))
    return tuple(points)


def write_planes(root: Element, planes: Sequence[Plane]) -> None:
    """Put these pages into the file instead of its drawing."""
    for old in list(root.iter(q("BPMNDiagram", BPMNDI))):
        old.getparent().remove(old)
    for number, page in enumerate(planes, 1):
        diagram = etree.SubElement(root, q("BPMNDiagram", BPMNDI), {"id": f"Diagram_{number}"})
        attributes = {"id": f"Plane_{number}", "bpmnElement": page.element}
        plane = etree.SubElement(diagram, q("BPMNPlane", BPMNDI), attributes)
        for shape in page.shapes:
            drawn = etree.SubElement(
                plane, q("BPMNShape", BPMNDI), {"id": f"{shape.element}_di{_of(number)}", "bpmnElement": shape.element}
            )
            for name, value in shape.flags:
                drawn.set(name, value)
            _write_box(drawn, shape.box)
            _write_label(drawn, shape.label)
        for edge in page.edges:
            drawn = etree.SubElement(
                plane, q("BPMNEdge", BPMNDI), {"id": f"{edge.element}_di{_of(number)}", "bpmnElement": edge.element}
            )
            for x, y in edge.points:
                etree.SubElement(drawn, q("waypoint", DI), {"x": number_text(x), "y": number_text(y)})
            _write_label(drawn, edge.label)


def _of(number: int) -> str:
    return "" if number == 1 else str(number)


def _write_box(parent: Element, box: Box) -> None:
    names = {"x": box.x, "y": box.y, "width": box.w, "height": box.h}
    etree.SubElement(parent, q("Bounds", DC), {name: number_text(value) for name, value in names.items()})


def _write_label(parent: Element, label: Box | None) -> None:
    if label is not None:
        _write_box(etree.SubElement(parent, q("BPMNLabel", BPMNDI)), label)


def number_text(number: float) -> str:
    """Two decimals at most, none where it is whole."""
    rounded = round(number, 2)
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


def rewrite_drawing(draft: Draft) -> None:
    """The draft's drawing as read: of what is still in it, each once."""
    parts = [one for part in draft.root if local(part) for one in part.iter()]
    known = frozenset(id_of(one) for one in parts if one.get("id") and local(one) in DRAWN)
    planes = [one for one in load_planes(draft.root, known) if one.element in known]
    write_planes(draft.root, planes)
