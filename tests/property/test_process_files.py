"""Process files under random damage, expressions nobody meant, and step lists to BPMN and back: always an answer, always bounded, nothing lost."""

import copy
import math
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from server_stub.workflow.budget import MAX_SIZE, Budget, EvaluationError
from server_stub.workflow.diagram import diagram_of
from server_stub.workflow.dialects import translate, translate_script
from server_stub.workflow.evaluator import evaluate, execute
from server_stub.workflow.options import Label, StepAction, StepOptions
from server_stub.workflow.process_file import BpmnRefused, Many
from server_stub.workflow.reading import read_bpmn
from server_stub.workflow.step_list import (
    BranchStep,
    CallStep,
    Choice,
    EndStep,
    Lane,
    ParallelStep,
    PersonStep,
    ScriptStep,
    ServiceStep,
    StepList,
    check_step_list,
)
from server_stub.workflow.step_list_read import read_step_list
from server_stub.workflow.step_list_write import write_step_list
from tests.helpers.office_bpmn import DISPATCH, sample_files

FILES = [DISPATCH, *(one.read_bytes() for one in sample_files())]
TEXTS = (
    "",
    "=",
    "${",
    "${a&&b}",
    "x",
    "1e999",
    "PT",
    "nan",
    "::",
    "a:b",
    "(((",
    "R/PT0S",
    "步",
    "#",
    "'",
    "-1",
    "true",
    "[",
    "__class__",
    "Start",
)

# ---------------------------------------------------------------- damage
spots = st.integers(0, 10**6)
damages = st.lists(
    st.tuples(st.sampled_from(["drop", "retag", "set", "unset", "text", "double", "move", "id"]), spots, spots, spots),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, steps: list[tuple[str, int, int, int]]) -> bytes:
    root = etree.fromstring(data)
    elements = [one for one in root.iter() if isinstance(one.tag, str)]
    words = [*TEXTS, *(one.get("id") for one in elements if one.get("id"))]
    for kind, a, b, c in steps:
        one, other = elements[a % len(elements)], elements[b % len(elements)]
        names = list(one.attrib)
        try:
            if kind == "drop" and one.getparent() is not None:
                one.getparent().remove(one)
            elif kind == "retag":
                one.tag = other.tag
            elif kind == "set" and names:
                one.set(names[b % len(names)], words[c % len(words)])
            elif kind == "unset" and names:
                del one.attrib[names[b % len(names)]]
            elif kind == "text":
                one.text = words[c % len(words)]
            elif kind == "double":
                other.append(copy.deepcopy(one))
            elif kind == "move":
                other.append(one)
            elif kind == "id":
                one.set("id", words[c % len(words)])
        except ValueError:
            pass  # an element cannot be put into itself
    return bytes(etree.tostring(root))


def check_problems(refusal: BpmnRefused) -> None:
    """Reasons in both languages; the engine's own parser never had to say no."""
    assert refusal.problems
    assert all(one.zh and one.en and one.code for one in refusal.problems)
    assert not any(one.code == "engine" for one in refusal.problems), refusal


def read_or_refuse(data: bytes) -> bool:
    """Whatever it is, it is read or refused; what was read reads again as the same, and can be drawn."""
    try:
        found = read_bpmn(data)
    except BpmnRefused as refusal:
        check_problems(refusal)
        return False
    again = read_bpmn(found.xml)
    assert (again.xml, again.sha256, again.id, again.name) == (found.xml, found.sha256, found.id, found.name)
    assert (again.steps, again.ends, again.services) == (found.steps, found.ends, found.services)
    assert again.labels == found.labels
    diagram = diagram_of(found)
    for shape in diagram.shapes.values():
        assert 0 <= shape.x <= shape.x + shape.w <= diagram.width
        assert 0 <= shape.y <= shape.y + shape.h <= diagram.height
    for edge in diagram.edges.values():
        assert all(0 <= x <= diagram.width and 0 <= y <= diagram.height for x, y in edge.points)
    return True


@settings(max_examples=250, deadline=2_000, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FILES), damages)
def test_a_damaged_tree_is_read_or_refused(data: bytes, steps: list[tuple[str, int, int, int]]) -> None:
    read_or_refuse(damaged(data, steps))


@settings(max_examples=100, deadline=2_000)
@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(spots, st.integers(0, 200), st.binary(max_size=20)), min_size=1, max_size=4),
)
def test_damaged_bytes_are_read_or_refused(data: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    for at, length, new in cuts:
        start = at % len(data)
        data = data[:start] + new + data[start + length :]
    read_or_refuse(data)


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert not read_or_refuse(data)


# ---------------------------------------------------------------- expressions
names = st.sampled_from(
    [
        "record",
        "starter",
        "outcome",
        "items",
        "__class__",
        "eval",
        "open",
        "x",
        "len",
        "has",
        "days",
        "sum",
        "str",
        "round",
    ]
)
atoms = st.one_of(
    names,
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["'a'", '"1250.00"', "'2026-11-22'", "None", "True", "b'x'", "...", "1j", "lambda: 0", "'x' * 9", "[]", "{}"]
    ),
)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operations = st.sampled_from(
        [
            "+",
            "-",
            "*",
            "/",
            "//",
            "%",
            "**",
            "<<",
            "and",
            "or",
            "==",
            "<",
            ">=",
            "in",
            "not in",
            "is",
            "|",
            ",",
            "if",
            ":=",
            "@",
        ]
    )
    return st.one_of(
        st.tuples(inner, operations, inner).map(lambda one: f"({one[0]} {one[1]} {one[2]})"),
        inner.map(lambda one: f"(not {one})"),
        inner.map(lambda one: f"(-{one})"),
        st.tuples(inner, inner, inner).map(lambda one: f"({one[0]} if {one[1]} else {one[2]})"),
        st.tuples(names, st.lists(inner, max_size=3)).map(lambda one: f"{one[0]}({', '.join(one[1])})"),
        st.tuples(inner, names).map(lambda one: f"{one[0]}.{one[1]}"),
        st.tuples(inner, inner).map(lambda one: f"{one[0]}[{one[1]}]"),
        st.lists(inner, max_size=4).map(lambda one: f"[{', '.join(one)}]"),
        st.tuples(inner, inner).map(lambda one: f"{{{one[0]}: {one[1]}}}"),
        inner.map(lambda one: f"[y for y in {one}]"),
        inner.map(lambda one: f"f'{{{one}}}'"),
    )


expressions = st.recursive(atoms, grown, max_leaves=12)
DATA: dict[str, Any] = {
    "record": {
        "amount": "1250.00",
        "lines": [{"amount": 3}, {"amount": None}, 7],
        "time": {"start": "2026-11-01", "end": "2026-11-03"},
        "text": "z" * 400,
    },
    "starter": "u1",
    "outcome": "approved",
    "items": list(range(50)),
}


def is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(one) for key, one in value.items())
    if isinstance(value, list):
        return all(is_plain(one) for one in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or type(value) in (str, int, bool)


@settings(max_examples=400)
@given(expressions)
def test_expressions_give_plain_small_values_or_a_reason(text: str) -> None:
    before = msgspec.json.encode(DATA)
    budget = Budget()
    try:
        value = evaluate(text, DATA, budget)
    except EvaluationError as error:
        value = [error.zh, error.en]
        reasons = all(value)
    else:
        reasons = True
    assert reasons
    assert is_plain(value)
    assert len(msgspec.json.encode(value)) < MAX_SIZE * 6
    assert msgspec.json.encode(DATA) == before


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "record", "_x", "len"]), expressions), min_size=1, max_size=6))
def test_scripts_assign_all_or_nothing(lines: list[tuple[str, str]]) -> None:
    data: dict[str, Any] = {**DATA, "a": 1}
    try:
        execute("\n".join(f"{name} = {text}" for name, text in lines), data)
    except EvaluationError:
        assert data == {**DATA, "a": 1}
    else:
        assert data.keys() <= {*DATA, "a", "b"}
        assert data["record"] is DATA["record"]
        assert is_plain(data)


@settings(max_examples=300)
@given(st.one_of(expressions, st.text(max_size=200)), st.sampled_from(["{}", "${{{}}}", "#{{{}}}", "= {}", "={}"]))
def test_translating_ends_and_what_it_gives_is_ours(text: str, shape: str) -> None:
    for change in (translate, translate_script):
        try:
            ours = change(shape.format(text))
        except EvaluationError:
            continue
        assert change(ours) == ours


# ---------------------------------------------------------------- step lists
words = st.text(st.sampled_from("核稿审批用印 abAB12、—<>&\"'"), min_size=0, max_size=12).map(
    lambda one: " ".join(one.split())
)
conditions = st.sampled_from(
    [
        "record.amount > 5000",
        'outcome == "refused"',
        "record.copies > 2 or record.kind == '合同'",
        "days(record.time) >= 3",
        "True",
    ]
)
performers = st.sampled_from(
    "starter superior superiorChain:2 departmentHead post:办公室/主任 role:finance person:zhangmin field:lines.ownerId of:n1 rule:keepers chosen".split()
)
labels = st.none() | st.builds(Label, zh=words.map(lambda one: one or "字"), en=words.map(lambda one: one or "w"))
actions = st.builds(
    StepAction,
    name=st.sampled_from(["approve", "return", "refuse", "circulate"]),
    outcome=st.sampled_from([None, "stamped", "同意"]),
    label=labels,
    opinion=st.sampled_from([None, "none", "required"]),
)
options = st.builds(
    StepOptions,
    performers=st.lists(performers, max_size=3).map(tuple),
    fallback=st.lists(performers, max_size=2).map(tuple),
    count=st.sampled_from(["one", "all", 1, 2, 5]),
    order=st.sampled_from(["parallel", "sequential"]),
    kind=st.sampled_from(["handle", "read"]),
    actions=st.lists(actions, max_size=3).map(tuple),
    opinion=st.sampled_from(["none", "optional", "required", "onReturn"]),
    signature=st.sampled_from(["never", "always", "onApprove"]),
    attachments=st.booleans(),
    editable=st.sampled_from([(), ("*",), ("title", "lines.amount")]),
    required=st.sampled_from([(), ("title",)]),
    limit=st.sampled_from([None, "1d", "30m", "field:deadline"]),
    urge_after=st.sampled_from([None, "0h", "2d"]),
    escalate_after=st.sampled_from([None, "1d"]),
    on_overdue=st.sampled_from([None, "approve", "terminate"]),
    overdue_after=st.sampled_from([None, "4h"]),
    skip_repeated=st.booleans(),
    chooses=st.sampled_from([(), ("n2",)]),
    state=st.sampled_from([None, "inReview"]),
    label=labels,
)
instances = st.none() | st.builds(
    Many,
    sequential=st.booleans(),
    collection=st.sampled_from(["record.signers", "readers"]),
    variable=st.just("one"),
    results=st.just("opinions"),
    result=st.just("opinion"),
    completion=st.sampled_from([None, "numberOfCompletedInstances >= 2"]),
)
simple = st.one_of(
    st.builds(PersonStep, id=st.just("x"), name=words, options=options, many=instances, manual=st.booleans()),
    st.builds(ServiceStep, id=st.just("x"), name=words, service=st.sampled_from(["give-number", "归档"]), label=labels),
    st.builds(
        ScriptStep,
        id=st.just("x"),
        name=words,
        script=st.sampled_from(["rounds = 1", "a = record.amount * 2\nb = a > 3"]),
        label=labels,
    ),
    st.builds(CallStep, id=st.just("x"), name=words, process=st.just("stamping"), label=labels),
)
ends = st.builds(EndStep, id=st.just("x"), name=words, state=st.sampled_from([None, "passed", "refused"]), label=labels)


def forks(inner: st.SearchStrategy[tuple[Any, ...]]) -> st.SearchStrategy[tuple[Any, ...]]:
    way = st.tuples(inner, st.none() | ends).map(lambda one: one[0] if one[1] is None else (*one[0], one[1]))
    branch = st.builds(
        BranchStep,
        id=st.just("x"),
        name=words,
        choices=st.lists(
            st.builds(Choice, name=words, condition=conditions, steps=way, label=labels), min_size=1, max_size=3
        ).map(tuple),
        otherwise=st.builds(Choice, name=words, steps=st.just(()) | way, label=labels),
        several=st.booleans(),
        label=labels,
    )
    parallel = st.builds(
        ParallelStep,
        id=st.just("x"),
        name=words,
        lanes=st.lists(st.builds(Lane, name=words, steps=inner, label=labels), min_size=2, max_size=3).map(tuple),
        label=labels,
    )
    return st.lists(st.one_of(simple, simple, branch, parallel), min_size=1, max_size=4).map(tuple)


sequences = st.recursive(st.lists(simple, min_size=1, max_size=3).map(tuple), forks, max_leaves=6)


def numbered(steps: tuple[Any, ...], count: list[int], prefix: str = "n") -> tuple[Any, ...]:
    """The same items with ids of their own."""
    found = []
    for item in steps:
        count[0] += 1
        changes: dict[str, Any] = {"id": f"{prefix}{count[0]}"}
        if isinstance(item, BranchStep):
            changes["choices"] = tuple(
                msgspec.structs.replace(one, steps=numbered(one.steps, count)) for one in item.choices
            )
            changes["otherwise"] = msgspec.structs.replace(item.otherwise, steps=numbered(item.otherwise.steps, count))
        elif isinstance(item, ParallelStep):
            changes["lanes"] = tuple(
                msgspec.structs.replace(one, steps=numbered(one.steps, count)) for one in item.lanes
            )
        found.append(msgspec.structs.replace(item, **changes))
    return tuple(found)


step_lists = st.builds(
    lambda name, label, steps, end: StepList(id="process", name=name, steps=numbered((*steps, end), [0]), label=label),
    words,
    labels,
    sequences,
    ends,
)


@settings(max_examples=150, deadline=2_000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(step_lists)
def test_a_step_list_comes_back_from_its_file_as_it_was(steps: StepList) -> None:
    assert msgspec.json.decode(msgspec.json.encode(steps), type=StepList) == steps
    if check_step_list(steps):
        return
    data = write_step_list(steps)
    assert write_step_list(steps) == data
    file = read_bpmn(data)
    assert file.notes == ()
    assert read_step_list(file) == steps
    assert read_step_list(read_bpmn(file.xml)) == steps
