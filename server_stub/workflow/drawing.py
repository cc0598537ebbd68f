"""A page for a process that has no drawing, made by our own layout: every node, every flow, labels for both; sub-processes with what is in them."""

from typing import Final

from msgspec.structs import replace

from server_stub.workflow.bpmn_xml import Element, children, id_of, local, name_of
from server_stub.workflow.draft import ACTIVITIES, CONTAINERS, GATEWAYS
from server_stub.workflow.drawing_xml import Box, DrawnEdge, DrawnShape, Plane, Point
from server_stub.workflow.layout import Item, Line, place
from server_stub.workflow.normalise_reach import reached_from_start

PADDING: Final = 24.0
_SIZES: Final = {"event": (36.0, 36.0), "gateway": (50.0, 50.0), "activity": (100.0, 80.0)}


def make_plane(main: Element) -> Plane:
    """A page for a process, made by our own layout: every node, every flow, labels for both."""
    return _drawn(main)[0]


def _drawn(around: Element) -> tuple[Plane, float, float]:
    nodes = reached_from_start(around)
    inner = {id_of(one): _drawn(one) for one in nodes if local(one) in CONTAINERS}
    items = [_item(one, inner.get(id_of(one))) for one in nodes]
    flows = children(around, "sequenceFlow")
    lines = [Line(id=id_of(one), source=str(one.get("sourceRef")), target=str(one.get("targetRef"))) for one in flows]
    attached = {id_of(one): str(one.get("attachedToRef")) for one in nodes if local(one) == "boundaryEvent"}
    placed = place(items, lines, [id_of(one) for one in nodes[:1]], attached)
    shapes, edges = [], []
    for node in nodes:
        box = placed.boxes[id_of(node)]
        within = inner.get(id_of(node))
        flags = (("isExpanded", "true"),) if within else ()
        if local(node) == "exclusiveGateway":
            flags = (("isMarkerVisible", "true"),)
        shapes.append(DrawnShape(element=id_of(node), box=box, label=_label_under(node, box), flags=flags))
        if within:
            dx, dy = box.x + PADDING / 2, box.y + PADDING
            shapes += [_moved_shape(one, dx, dy) for one in within[0].shapes]
            edges += [_moved_edge(one, dx, dy) for one in within[0].edges]
    for flow in flows:
        points = placed.lines[id_of(flow)]
        edges.append(DrawnEdge(element=id_of(flow), points=points, label=_label_along(name_of(flow), points)))
    plane = Plane(element=id_of(around), shapes=tuple(shapes), edges=tuple(edges))
    return plane, placed.width, placed.height


def _item(node: Element, within: tuple[Plane, float, float] | None) -> Item:
    kind = local(node)
    if within is not None:
        return Item(id=id_of(node), w=within[1] + PADDING, h=within[2] + PADDING * 1.5)
    w, h = _SIZES["gateway" if kind in GATEWAYS else "activity" if kind in ACTIVITIES else "event"]
    return Item(id=id_of(node), w=w, h=h, is_gateway=kind in GATEWAYS)


def _label_under(node: Element, box: Box) -> Box | None:
    if local(node) in ACTIVITIES or not name_of(node):
        return None
    width = _text_width(name_of(node))
    return Box(box.x + box.w / 2 - width / 2, box.y + box.h + 5, width, 14)


def _label_along(name: str, points: tuple[Point, ...]) -> Box | None:
    if not name:
        return None
    (ax, ay), (bx, by) = points[0], points[1]
    width = _text_width(name)
    if ay == by:
        return Box((ax + bx) / 2 - width / 2, ay - 18, width, 14)
    return Box(ax + 5, (ay + by) / 2 - 7, width, 14)


def _text_width(name: str) -> float:
    return min(90.0, sum(12.0 if ord(one) > 0x2E80 else 6.5 for one in name) + 4)


def _moved_shape(shape: DrawnShape, dx: float, dy: float) -> DrawnShape:
    return replace(shape, box=moved(shape.box, dx, dy), label=moved(shape.label, dx, dy) if shape.label else None)


def _moved_edge(edge: DrawnEdge, dx: float, dy: float) -> DrawnEdge:
    points = tuple((x + dx, y + dy) for x, y in edge.points)
    return replace(edge, points=points, label=moved(edge.label, dx, dy) if edge.label else None)


def moved(box: Box, dx: float, dy: float) -> Box:
    """The box elsewhere."""
    return Box(box.x + dx, box.y + dy, box.w, box.h)
