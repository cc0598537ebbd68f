"""What a form knows of a record: defaults, conditions, formulas, what is wrong, what is sent, what a draft keeps, what others changed meanwhile."""

from typing import Any

import msgspec
import pytest

from desktop.core.domain.conditions import Facts
from desktop.core.domain.definition import Field, FieldKind, Label, TypeDefinition
from desktop.core.domain.records import Record
from desktop.models.record_form import FormState, Problem, cleaned, parts_of, value_problem
from desktop.models.record_lines import LinesModel, block
from tests.helpers.fake_session import NOW
from tests.helpers.sample_module import sample_module

FACTS = Facts("linyuan", ("d2", "d8"), NOW, 0)
GOOD: dict[str, Any] = {
    "destination": "省水利厅",
    "span": {"start": "2026-10-22T01:00:00.000Z", "end": "2026-10-22T03:00:00.000Z"},
    "passengers": ["linyuan"],
}


def trip() -> TypeDefinition:
    found = sample_module().type("SampleTrip")
    assert found is not None
    return found


def state(record: Record | None = None, **prefill: Any) -> FormState:
    return FormState(trip(), FACTS, record=record, prefill=prefill)


def fields(one: FormState) -> set[str]:
    return {field.name for part in one.parts() for field in part.fields}


def a_field(kind: FieldKind, **more: Any) -> Field:
    return Field(name="x", kind=kind, label=Label("x", "x"), **more)


def test_defaults_and_the_first_state_stand_in_a_new_record() -> None:
    one = state()
    assert one.values["kind"] == "duty"
    assert one.values["state"] == "draft"
    assert one.changed == frozenset()


@pytest.mark.parametrize(
    ("kind", "default", "value"),
    [
        (FieldKind.PERSON, "@me", "linyuan"),
        (FieldKind.PERSONS, "@me", ["linyuan"]),
        (FieldKind.PERSONS, ["@me", "wangfang", "@me"], ["linyuan", "wangfang"]),
        (FieldKind.DEPARTMENTS, ["@myDepartments"], ["d2", "d8"]),
        (FieldKind.LINES, [], None),
        (FieldKind.DEPARTMENT, "@myDepartments", "d2"),
        (FieldKind.DEPARTMENTS, "@myDepartments", ["d2", "d8"]),
        (FieldKind.DATE, "@today+1m", "2026-11-22"),
        (FieldKind.TEXT, "plain", "plain"),
        (FieldKind.DATE, "@nonsense", None),
    ],
)
def test_placeholders_of_defaults(kind: FieldKind, default: Any, value: object) -> None:
    assert state().resolved(a_field(kind), default) == value


def test_a_conditional_field_comes_and_goes_and_is_not_sent_when_gone() -> None:
    one = state(**GOOD, nights=2)
    assert "nights" not in fields(one)
    assert "nights" not in one.data()
    one.set("overnight", True)
    assert "nights" in fields(one)
    assert one.data()["nights"] == 2
    one.set("nights", 31)
    assert one.problems() == {"nights": Problem("too_large", {"limit": 30})}
    one.set("overnight", False)
    assert one.problems() == {}


def test_formulas_follow_at_once_and_are_never_sent() -> None:
    one = state(**GOOD)
    touched = one.set(
        "items", [{"item": "油", "quantity": 2, "price": "35.00"}, {"item": "停车", "quantity": 1, "price": "10.50"}]
    )
    assert one.values["cost"] == "80.50"
    assert one.values["items"][0]["amount"] == "70.00"
    assert touched == {"cost", "items"}
    assert one.data()["items"] == [
        {"item": "油", "quantity": 2, "price": "35.00"},
        {"item": "停车", "quantity": 1, "price": "10.50"},
    ]
    assert "cost" not in one.data()
    one.set("odometerOut", 100)
    assert one.set("odometerIn", 130.5) == {"distance"}
    assert one.values["distance"] == 30.5


def test_what_is_missing_is_said_in_the_order_of_the_form() -> None:
    assert list(state().problems()) == ["destination", "span", "passengers"]
    assert {problem.code for problem in state().problems().values()} == {"required"}


def test_a_text_that_is_no_value_is_a_problem_of_its_own() -> None:
    one = state(**GOOD)
    assert one.problems({"wanted": "sometime"}) == {"wanted": Problem("unreadable")}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (a_field(FieldKind.TEXT, max=3), "四个字的", "too_long"),
        (a_field(FieldKind.TEXT, min=3), "一", "too_short"),
        (a_field(FieldKind.TEXT, pattern="[A-Z]{2}"), "Ab", "pattern"),
        (a_field(FieldKind.TEXT, pattern="["), "Ab", ""),
        (a_field(FieldKind.NUMBER, min=1), 0.5, "too_small"),
        (a_field(FieldKind.MONEY, max=10), "10.01", "too_large"),
        (a_field(FieldKind.MONEY, max=10), "10.00", ""),
        (a_field(FieldKind.PERSONS, min=2), ["a"], "too_few"),
        (a_field(FieldKind.FILES, max=1), [{}, {}], "too_many"),
        (a_field(FieldKind.SPAN), {"start": "2026-10-22T03:00:00Z", "end": "2026-10-22T03:00:00Z"}, "span"),
        (a_field(FieldKind.DATE, after="y"), "2026-10-21", "before"),
        (a_field(FieldKind.DATE, after="y"), "2026-10-22", ""),
        (a_field(FieldKind.OBJECT, fields=(a_field(FieldKind.TEXT, required=True),)), {"z": 1}, "required"),
    ],
)
def test_limits_of_values(field: Field, value: object, code: str) -> None:
    problem = value_problem(field, value, {"y": "2026-10-22"})
    assert (problem.code if problem else "") == code


def test_a_line_is_named_by_its_row_and_field() -> None:
    one = state(**GOOD)
    one.set("items", [{"item": "油", "price": "1.00"}, {"price": "-1.00"}])
    problem = one.problems()["items"]
    assert (problem.code, problem.row, problem.inner and problem.inner.name) == ("required", 1, "item")
    one.set("items", [{"item": "油"}, {"item": "x", "price": "-1.00"}, {}])
    problem = one.problems()["items"]
    assert (problem.code, problem.row, problem.inner and problem.inner.name) == ("too_small", 1, "price")


# ------------------------------------------------------------ changing a record
def record(**data: Any) -> Record:
    return Record("t1", "SampleTrip", {**GOOD, "state": "draft", **data}, "linyuan", version=3)


def test_a_patch_has_what_changed_and_empties_with_null() -> None:
    one = state(record(reason="开会", wanted="2026-10-23"))
    assert one.patch() == {}
    one.set("destination", "市财政局")
    one.set("reason", "")
    one.set("wanted", "2026-10-23")
    assert one.patch() == {"destination": "市财政局", "reason": None}
    one.set("destination", "省水利厅")
    assert one.patch() == {"reason": None}


def test_lines_as_the_server_computed_them_are_no_change() -> None:
    one = state(record(items=[{"item": "油", "quantity": 2, "price": "35.00", "amount": "70.00"}]))
    one.set("items", [{"item": "油", "quantity": 2, "price": "35.00"}])
    assert one.changed == frozenset()


def test_an_immutable_field_is_only_set_at_creation() -> None:
    definition = trip()
    fixed = msgspec.structs.replace(
        definition,
        fields=tuple(msgspec.structs.replace(f, immutable=f.name == "destination") for f in definition.fields),
    )
    destination = fixed.field("destination")
    assert destination is not None
    assert FormState(fixed, FACTS).writable(destination)
    one = FormState(fixed, FACTS, record=record())
    assert not one.writable(destination)
    assert one.stands(destination)
    one.set("destination", "别处")
    assert one.patch() == {}


def test_an_action_asks_for_its_fields_and_no_others() -> None:
    one = FormState(trip(), FACTS, record=record(), only=("vehicleId", "driverId"), required=("vehicleId",))
    assert fields(one) == {"vehicleId", "driverId"}
    assert list(one.problems()) == ["vehicleId"]
    one.set("vehicleId", "v1")
    assert one.problems() == {}
    assert one.patch() == {"vehicleId": "v1"}


def test_a_step_asks_only_for_what_applies_and_sends_nothing_else() -> None:
    one = FormState(trip(), FACTS, record=record(), only=("nights", "overnight"), heeds_when=True)
    shown = {field.name for field in trip().fields if one.stands(field)}
    assert shown == {"overnight"}
    one.set("overnight", True)
    assert {field.name for field in trip().fields if one.stands(field)} == {"nights", "overnight"}
    one.set("nights", 99)
    assert list(one.problems()) == ["nights"]
    one.set("overnight", None)
    assert (one.problems(), one.patch()) == ({}, {})
    asked = FormState(trip(), FACTS, record=record(), only=("nights",))
    assert [field.name for field in trip().fields if asked.stands(field)] == ["nights"]


def test_what_others_change_meanwhile_is_taken_or_shown() -> None:
    one = state(record(reason="开会", wanted="2026-10-23"))
    one.set("destination", "市财政局")
    one.set("reason", "")
    theirs = record(destination="机场", reason="开会", wanted="2026-10-30")
    assert one.rebase(theirs) == {"destination"}
    assert one.values["destination"] == "市财政局"
    assert one.values["wanted"] == "2026-10-30"
    assert one.patch() == {"destination": "市财政局", "reason": None}
    assert one.rebase(record(destination="市财政局", wanted="2026-10-30")) == frozenset()


def test_a_draft_comes_back_with_texts_that_are_no_values() -> None:
    one = state()
    one.set("destination", "省水利厅")
    kept = msgspec.json.decode(msgspec.json.encode(one.draft({"wanted": "下周吧"})))
    other = state()
    assert other.restore(kept) == (frozenset({"destination"}), {"wanted": "下周吧"})
    assert other.values["destination"] == "省水利厅"
    assert other.changed == {"destination"}


@pytest.mark.parametrize(
    "broken", [{}, {"values": 5, "raws": []}, {"values": {"gone": 1, "cost": "1.00"}, "raws": {"x": 1}}]
)
def test_a_draft_of_another_version_is_no_harm(broken: dict[str, Any]) -> None:
    one = state()
    before = dict(one.values)
    assert one.restore(broken) == (frozenset(), {})
    assert one.values == before


def test_a_draft_tells_what_changed_since_it_was_written() -> None:
    one = state(record(reason="开会"))
    one.set("reason", "出差")
    kept = one.draft({})
    assert state(record(reason="开会")).outdated(kept) == frozenset()
    assert state(record(reason="参观")).outdated(kept) == {"reason"}


def test_sections_come_first_and_the_rest_follows() -> None:
    parts = parts_of(trip())
    assert [part.label.zh if part.label else None for part in parts] == ["行程", "费用", None]
    assert sum(len(part.fields) for part in parts) == len(trip().fields)


def test_empty_lines_are_not_sent() -> None:
    items = trip().field("items")
    assert items is not None
    assert cleaned(items, [{"item": ""}, {"amount": "0.00"}, {"item": "油", "amount": "0.00"}]) == [{"item": "油"}]


# ------------------------------------------------------------ lines
def lines(*rows: dict[str, Any]) -> LinesModel:
    items = trip().field("items")
    assert items is not None
    model = LinesModel(items, lambda _field, value: str(value or ""), lambda field: field.name)
    model.set_lines(list(rows))
    return model


def test_writing_on_the_last_row_makes_a_line() -> None:
    model = lines()
    assert model.rowCount() == 1
    model.set_cell(0, "quantity", 3)
    model.set_cell(0, "price", "2.50")
    assert model.lines() == [{"quantity": 3, "price": "2.50", "amount": "7.50"}]
    assert model.rowCount() == 2
    model.set_cell(1, "item", "")
    assert model.rowCount() == 2


def test_lines_move_and_go() -> None:
    model = lines({"item": "a"}, {"item": "b"}, {"item": "c"})
    assert model.move(2, -1) == 1
    assert model.move(0, -1) == 0
    assert [line["item"] for line in model.lines()] == ["a", "c", "b"]
    model.remove([0, 2, 9])
    assert [line["item"] for line in model.lines()] == ["c"]


def read(field: Field, text: str) -> object:
    if field.kind is FieldKind.NUMBER:
        return float(text)
    return text


def test_a_spreadsheets_cells_are_pasted() -> None:
    model = lines({"item": "a", "quantity": 1})
    assert model.paste(0, 0, "油\t2\t35.00\r\n停车\tzwei\t10.00\r\n", read) == (6, 1)
    assert model.lines() == [
        {"item": "油", "quantity": 2.0, "price": "35.00", "amount": "70.00"},
        {"item": "停车", "price": "10.00", "amount": "0.00"},
    ]
    assert model.raws() == {1: {"quantity": "zwei"}}
    assert model.move(1, -1) == 0
    assert model.raws() == {0: {"quantity": "zwei"}}
    model.set_cell(0, "quantity", 2)
    assert model.raws() == {}


def test_pasting_skips_what_is_computed_and_what_is_too_wide() -> None:
    model = lines()
    model.paste(0, 2, "1.00\t2026-10-22\tzu viel\tmehr", read)
    assert model.lines() == [{"price": "1.00", "paidOn": "2026-10-22", "amount": "0.00"}]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a\tb\nc\td\n", [["a", "b"], ["c", "d"]]),
        ('"a\nb"\tc', [["a\nb", "c"]]),
        ('"sagt ""ja"""\tx\r\ny', [['sagt "ja"', "x"], ["y"]]),
        ("", []),
        ("\n", [[""]]),
    ],
)
def test_clipboard_blocks(text: str, cells: list[list[str]]) -> None:
    assert block(text) == cells


def test_bad_cells_are_marked_where_they_stand() -> None:
    model = lines({}, {"item": "a"}, {"item": "b"})
    model.show_bad({(1, "price")})
    price = [column.name for column in model.columns].index("price")
    marked = [row for row in range(model.rowCount()) if model.is_bad(model.index(row, price))]
    assert marked == [2]
