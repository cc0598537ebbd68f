"""The drawing of a process as the client shows it: boxes and lines by id, from the file's own layout or made where it has none, and where steps return to."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from msgspec import Struct, field

from server_stub.workflow.bpmn_xml import Element, children, id_of, local, name_of, parse_xml, text_of
from server_stub.workflow.draft import ACTIVITIES, CONTAINERS, FLOW_NODES, PEOPLE_TASKS
from server_stub.workflow.drawing import make_plane, moved
from server_stub.workflow.drawing_xml import DRAWN, Box, Plane, Point, load_planes
from server_stub.workflow.layout import MARGIN
from server_stub.workflow.normalise_reach import reached_from_start
from server_stub.workflow.options import Label
from server_stub.workflow.process_file import ProcessFile

RETURN_RISE: Final = 30.0
RETURN_STEP: Final = 10.0
LARGEST_STEP: Final = 2e4
"""Area of a box above which it is a frame around others."""
_SHOWN: Final = frozenset({*FLOW_NODES, "participant", "lane", "textAnnotation"})


class Shape(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A box. `kind`: the BPMN name (userTask, startEvent, exclusiveGateway, participant, lane, …); `event`: what an event is about (timer, message, …).

    label: the name in both languages, where the file has it.
    """

    kind: str
    name: str
    x: float
    y: float
    w: float
    h: float
    event: str | None = None
    label: Label | None = None


class Edge(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A line along its corners. "return": no flow of the file; where a step's handler may send the case back to."""

    name: str
    points: tuple[Point, ...]
    kind: Literal["flow", "return"] = "flow"
    source: str
    target: str
    label: Label | None = None


class Diagram(Struct, frozen=True, kw_only=True, rename="camel"):
    """A drawing, in pixels at 100 %; everything lies inside. Shapes in the order in which to paint them: pools and lanes first."""

    width: float
    height: float
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    edges: Mapping[str, Edge] = field(default_factory=dict)


def diagram_of(process: ProcessFile) -> Diagram:
    """The drawing of the file's main process."""
    root = parse_xml(process.xml)
    main = next(one for one in children(root, "process") if id_of(one) == process.id)
    plane = _own_plane(root, main) or make_plane(main)
    return _diagram(process, root, main, plane)


def _own_plane(root: Element, main: Element) -> Plane | None:
    """The file's page with the main process on it, if every step has its place there."""
    parts = [one for part in root if local(part) for one in part.iter()]
    known = frozenset(id_of(one) for one in parts if local(one) in DRAWN)
    steps = {id_of(one) for one in main if local(one) in ACTIVITIES}
    for plane in load_planes(root, known):
        if steps <= {one.element for one in plane.shapes}:
            return plane
    return None


def _diagram(process: ProcessFile, root: Element, main: Element, plane: Plane) -> Diagram:
    elements = {id_of(one): one for part in root if local(part) for one in part.iter() if one.get("id")}
    inside = {id_of(one) for one in main.iter() if one.get("id")}
    boxes = {
        one.element: one.box
        for one in plane.shapes
        if local(elements[one.element]) in _SHOWN
        and (one.element in inside or elements[one.element].get("processRef") == process.id)
    }
    flows = {id_of(one): one for one in main.iter() if local(one) == "sequenceFlow"}
    points = {one.element: one.points for one in plane.edges if one.element in flows}
    for name, flow in flows.items():
        a, b = boxes.get(str(flow.get("sourceRef"))), boxes.get(str(flow.get("targetRef")))
        if name not in points and a is not None and b is not None:
            points[name] = _line_between(a, b)
    returns = {f"return:{step}": (step, to) for step, to in _returns(process, main) if step in boxes and to in boxes}
    lines = {**points, **_return_lines(boxes, returns)}
    left = min([1e6, *(box.x for box in boxes.values()), *(x for one in lines.values() for x, _y in one)])
    top = min([1e6, *(box.y for box in boxes.values()), *(y for one in lines.values() for _x, y in one)])
    dx, dy = (MARGIN - left, MARGIN - top) if boxes else (0.0, 0.0)
    labels = process.labels
    shapes = {
        name: _shape(elements[name], moved(box, dx, dy), labels.get(elements[name].get("processRef") or name))
        for name, box in _painted(boxes, elements)
    }
    edges = {
        name: Edge(
            name=name_of(flows[name]) if name in flows else "",
            points=tuple((x + dx, y + dy) for x, y in line),
            kind="flow" if name in flows else "return",
            source=str(flows[name].get("sourceRef")) if name in flows else returns[name][0],
            target=str(flows[name].get("targetRef")) if name in flows else returns[name][1],
            label=labels.get(name),
        )
        for name, line in lines.items()
    }
    width = max(
        [0.0, *(one.x + one.w for one in shapes.values()), *(x for one in edges.values() for x, _y in one.points)]
    )
    height = max(
        [0.0, *(one.y + one.h for one in shapes.values()), *(y for one in edges.values() for _x, y in one.points)]
    )
    return Diagram(width=width + MARGIN, height=height + MARGIN, shapes=shapes, edges=edges)


def _painted(boxes: Mapping[str, Box], elements: Mapping[str, Element]) -> list[tuple[str, Box]]:
    """What is around others first."""
    rank = {"participant": 0, "lane": 1, "subProcess": 2, "transaction": 2, "boundaryEvent": 4}
    return sorted(boxes.items(), key=lambda one: (rank.get(local(elements[one[0]]), 3), -one[1].w * one[1].h))


def _shape(element: Element, box: Box, label: Label | None) -> Shape:
    event = next(
        (local(one)[: -len("EventDefinition")] for one in element if local(one).endswith("EventDefinition")), None
    )
    name = text_of(element)[:500] if local(element) == "textAnnotation" else name_of(element)
    return Shape(kind=local(element), name=name, x=box.x, y=box.y, w=box.w, h=box.h, event=event, label=label)


def _line_between(a: Box, b: Box) -> tuple[Point, ...]:
    """A right-angled line from the right of one to the left of the other."""
    ay, by = a.y + a.h / 2, b.y + b.h / 2
    if ay == by:
        return (a.x + a.w, ay), (b.x, by)
    turn = (a.x + a.w + b.x) / 2
    return (a.x + a.w, ay), (turn, ay), (turn, by), (b.x, by)


def _returns(process: ProcessFile, main: Element) -> Iterator[tuple[str, str]]:
    """Each step that may return the case, with the step before it, to which it mostly goes."""
    for around in (one for one in main.iter() if local(one) in CONTAINERS):
        entering: dict[str, list[str]] = {}
        for flow in children(around, "sequenceFlow"):
            entering.setdefault(str(flow.get("targetRef")), []).append(str(flow.get("sourceRef")))
        order = [id_of(one) for one in reached_from_start(around)]
        people = {id_of(one) for one in children(around, *PEOPLE_TASKS)}
        for name in order:
            if name in people and any(one.name == "return" for one in process.steps[name].options.actions):
                to = _step_before(name, entering, people, order)
                if to is not None:
                    yield name, to


def _step_before(name: str, entering: Mapping[str, list[str]], people: set[str], order: list[str]) -> str | None:
    seen, queue = {name}, [name]
    for one in queue:
        for source in entering.get(one, ()):
            if source in people and order.index(source) < order.index(name):
                return source
            if source not in seen:
                seen.add(source)
                queue.append(source)
    return None


def _return_lines(boxes: Mapping[str, Box], returns: Mapping[str, tuple[str, str]]) -> dict[str, tuple[Point, ...]]:
    """Over the top of what lies between, or below it where the top is not free; each a little further out where they would meet."""
    lines: dict[str, tuple[Point, ...]] = {}
    taken: list[tuple[float, float, float]] = []
    for name, (source, target) in returns.items():
        a, b = boxes[source], boxes[target]
        ax, bx = a.x + a.w / 2 - 12, b.x + b.w / 2 + 12
        others = [box for one, box in boxes.items() if one not in {source, target} and box.w * box.h <= LARGEST_STEP]
        between = [one for one in others if one.x < max(ax, bx) and one.x + one.w > min(ax, bx)]
        top = min([a.y, b.y, *(one.y for one in between)]) - RETURN_RISE
        bottom = max([a.y + a.h, b.y + b.h, *(one.y + one.h for one in between)]) + RETURN_RISE
        is_below = _meets(others, ax, top, a.y) + _meets(others, bx, top, b.y) > 0 and not (
            _meets(others, ax, a.y + a.h, bottom) or _meets(others, bx, b.y + b.h, bottom)
        )
        y, step = (bottom, RETURN_STEP) if is_below else (top, -RETURN_STEP)
        while any(
            abs(y - other) < RETURN_STEP and min(ax, bx) <= end and max(ax, bx) >= start for start, end, other in taken
        ):
            y += step
        taken.append((min(ax, bx), max(ax, bx), y))
        lines[name] = ((ax, a.y + a.h * is_below), (ax, y), (bx, y), (bx, b.y + b.h * is_below))
    return lines


def _meets(boxes: list[Box], x: float, top: float, bottom: float) -> int:
    """How many boxes an upright line crosses."""
    return sum(one.x <= x <= one.x + one.w and one.y < bottom and one.y + one.h > top for one in boxes)
