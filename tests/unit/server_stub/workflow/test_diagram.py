"""Drawings: the file's own layout kept, one made where there is none, ways back, and nothing drawn on something else."""

from itertools import combinations

import pytest

from server_stub.workflow.diagram import Diagram, Shape, diagram_of
from server_stub.workflow.reading import read_bpmn
from tests.helpers.office_bpmn import DISPATCH, one_node, sample_files, user

DRAWING = (
    '<bpmndi:BPMNDiagram id="d"><bpmndi:BPMNPlane id="pl" bpmnElement="p">'
    '<bpmndi:BPMNShape id="s_di" bpmnElement="s"><dc:Bounds x="-20" y="22" width="36" height="36"/></bpmndi:BPMNShape>'
    '<bpmndi:BPMNShape id="a_di" bpmnElement="a"><dc:Bounds x="100" y="0" width="100" height="80"/></bpmndi:BPMNShape>'
    '<bpmndi:BPMNShape id="b_di" bpmnElement="a"><dc:Bounds x="900" y="0" width="100" height="80"/></bpmndi:BPMNShape>'
    '<bpmndi:BPMNShape id="e_di" bpmnElement="e"><dc:Bounds x="1e999" y="nan" width="36" height="36"/></bpmndi:BPMNShape>'
    '<bpmndi:BPMNEdge id="f_di" bpmnElement="s_a"><di:waypoint x="16" y="40"/><di:waypoint x="60" y="40"/><di:waypoint x="100" y="40"/></bpmndi:BPMNEdge>'
    "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
)


def overlap(a: Shape, b: Shape) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def crossings(diagram: Diagram) -> list[tuple[str, str]]:
    """Flows that run through a box they neither leave nor enter."""
    found = []
    for name, edge in diagram.edges.items():
        for shape_id, shape in diagram.shapes.items():
            if (
                edge.kind == "return"
                or shape_id in {edge.source, edge.target}
                or shape.kind in {"subProcess", "boundaryEvent"}
            ):
                continue
            for (ax, ay), (bx, by) in zip(edge.points, edge.points[1:], strict=False):
                if (
                    min(ax, bx) < shape.x + shape.w
                    and max(ax, bx) > shape.x
                    and min(ay, by) < shape.y + shape.h
                    and max(ay, by) > shape.y
                ):
                    found.append((name, shape_id))
    return found


def test_the_layout_of_the_file_is_kept() -> None:
    data = one_node(user()).replace(b"</bpmn:definitions>", DRAWING.encode() + b"</bpmn:definitions>")
    diagram = diagram_of(read_bpmn(data))
    assert list(diagram.shapes) == ["a", "s"]
    start, step = diagram.shapes["s"], diagram.shapes["a"]
    assert (step.x - start.x, start.y - step.y, step.w, step.h) == (120, 22, 100, 80)
    assert [x - start.x for x, _y in diagram.edges["s_a"].points] == [36, 80, 120]
    assert (start.kind, step.kind, step.name) == ("startEvent", "userTask", "a")
    assert min(start.x, step.x) > 0


def test_a_drawing_is_made_where_there_is_none() -> None:
    file = read_bpmn(DISPATCH)
    diagram = diagram_of(file)
    assert set(file.steps) <= set(diagram.shapes)
    assert {"s_draft", "gw_draft", "wait_e"} <= set(diagram.edges)
    apart = [(name, one) for name, one in diagram.shapes.items() if one.kind not in {"subProcess", "boundaryEvent"}]
    inside = {"ss", "file", "se"}
    for (a, one), (b, other) in combinations(apart, 2):
        assert (a in inside) != (b in inside) or not overlap(one, other), (a, b)
    assert crossings(diagram) == []
    sub, step = diagram.shapes["sub"], diagram.shapes["file"]
    assert sub.x < step.x
    assert step.x + step.w < sub.x + sub.w
    assert diagram.shapes["late"].event == "timer"
    assert diagram_of(file) == diagram


def test_ways_back_are_lines_of_their_own() -> None:
    diagram = diagram_of(read_bpmn(DISPATCH))
    back = {one.source: one.target for one in diagram.edges.values() if one.kind == "return"}
    assert back["review"] == "draft"
    assert back["cosign"] == back["finance"] == "review"
    assert "draft" not in back


@pytest.mark.parametrize("path", sample_files(), ids=lambda one: one.name)
def test_files_that_others_wrote_keep_their_places(path: object) -> None:
    from server_stub.workflow.process_file import BpmnRefused

    try:
        file = read_bpmn(path.read_bytes())  # type: ignore[attr-defined]
    except BpmnRefused:
        return
    diagram = diagram_of(file)
    assert set(file.steps) <= set(diagram.shapes)
    assert diagram.width > 100
