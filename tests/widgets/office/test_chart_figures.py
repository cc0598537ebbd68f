"""Reports without Qt: periods, groups of time without gaps, exact money, quotients, several values, which field a period narrows by."""

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.domain.definition import Field, FieldKind, Label, Measure, ModuleDefinition, Report, View, ViewKind
from desktop.core.domain.records import Record
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.port import FiguresWanted, PutObjects, RecordsWanted
from desktop.models.report_table import (
    Period,
    axis_marks,
    figure_names,
    figure_places,
    figure_text,
    group_of,
    key_day,
    keys_of,
    line_of,
    may_add_up,
    period_filter,
    period_of,
    picture_of,
    table_of,
    table_of_groups,
    time_key,
    time_name,
)
from tests.helpers.sample_module import sample_module

TODAY = date(2026, 11, 22)
WORDS = Label("字", "Word")


@pytest.fixture(autouse=True)
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def report(group: tuple[str, ...], *measures: Measure) -> Report:
    return Report(id="r", type="T", label=WORDS, group=group, measures=measures)


def measure(op: str, field: str | None = None, per: str | None = None) -> Measure:
    return Measure(label=WORDS, op=op, field=field, per=per)


def figures(*values: object) -> tuple[Decimal | None, ...]:
    """Figures as a table holds them."""
    return tuple(None if value is None else Decimal(str(value)) for value in values)


def rec(number: int, **data: Any) -> Record:
    return Record(f"r{number}", "T", data, "linyuan")


def test_periods_are_whole_months_quarters_and_years() -> None:
    assert period_of("month", TODAY) == Period(date(2026, 11, 1), date(2026, 12, 1))
    assert period_of("month", date(2026, 12, 31)) == Period(date(2026, 12, 1), date(2027, 1, 1))
    assert period_of("quarter", TODAY) == Period(date(2026, 10, 1), date(2027, 1, 1))
    assert period_of("year", TODAY) == Period(date(2026, 1, 1), date(2027, 1, 1))
    assert period_of("last_year", TODAY) == Period(date(2025, 1, 1), date(2026, 1, 1))
    assert period_of("all", TODAY) == period_of("nonsense", TODAY) == Period()
    assert period_of("custom", TODAY, date(2026, 3, 1), date(2026, 3, 1)) == Period(date(2026, 3, 1), date(2026, 3, 2))


def test_a_period_narrows_dates_and_moments() -> None:
    period = Period(date(2026, 10, 1), date(2026, 11, 1))
    day = Field(name="on", kind=FieldKind.DATE, label=WORDS)
    span = Field(name="at", kind=FieldKind.SPAN, label=WORDS)
    assert period_filter(day, period) == {"onAfter": "2026-10-01", "onBefore": "2026-11-01"}
    assert period_filter(span, period) == {
        "atAfter": "2026-09-30T16:00:00.000Z",
        "atBefore": "2026-10-31T16:00:00.000Z",
    }
    assert period_filter(None, period) is None
    assert period_filter(day, Period()) is None


def test_money_is_exact_and_months_have_no_gaps() -> None:
    records = [
        rec(1, on="2026-08-31", amount="0.10"),
        rec(2, on="2026-08-01", amount="0.20"),
        rec(3, on="2026-10-05", amount="99999999999999.99"),
        rec(4, amount="1.00"),
    ]
    table = table_of(report(("month:on",), measure("sum", "amount"), measure("count")), records)
    assert [(row.keys[0], row.figures) for row in table.rows] == [
        ("2026-08", figures("0.30", 2)),
        ("2026-09", figures(0, 0)),
        ("2026-10", figures("99999999999999.99", 1)),
        (None, figures("1.00", 1)),
    ]
    assert table.totals == figures("100000000000001.29", 4)
    assert figure_text(table.totals[0], 2) == "100,000,000,000,001.29"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.decimals(-1000, 1000, places=2)), max_size=40))
def test_groups_add_up_to_the_whole(pairs: list[tuple[str, Decimal]]) -> None:
    records = [rec(n, kind=kind, amount=str(amount)) for n, (kind, amount) in enumerate(pairs)]
    table = table_of(
        report(("kind",), measure("sum", "amount"), measure("min", "amount"), measure("max", "amount")), records
    )
    assert sum((row.figures[0] or Decimal(0) for row in table.rows), Decimal(0)) == sum(
        (a for _, a in pairs), Decimal(0)
    )
    for row in table.rows:
        held = [amount for kind, amount in pairs if kind == row.keys[0]]
        assert row.figures[1:] == (min(held), max(held))


def test_quotients_averages_and_nothing_to_divide_by() -> None:
    records = [
        rec(1, plate="A", cost="100.00", km=30),
        rec(2, plate="A", cost="50.00", km=20),
        rec(3, plate="B", cost="7.00"),
    ]
    per, average = measure("sum", "cost", "km"), measure("average", "km")
    table = table_of(report(("plate",), per, average), records)
    found = {row.keys[0]: row.figures for row in table.rows}
    assert found["A"] == (Decimal(3), Decimal(25))
    assert found["B"] == (None, None)
    assert figure_text(None, 2) == ""
    assert figure_text(Decimal("2.345"), figure_places(per, None)) == "2.35"


def test_people_count_each_and_once_in_the_total() -> None:
    records = [rec(1, who=["a", "b"], points=3), rec(2, who=["b"], points=4), rec(3, points=1)]
    table = table_of(report(("who",), measure("count"), measure("sum", "points")), records)
    assert {row.keys[0]: row.figures for row in table.rows} == {
        "a": figures(1, 3),
        "b": figures(2, 7),
        None: figures(1, 1),
    }
    assert table.totals == figures(3, 8)
    assert [row.keys[0] for row in table.rows] == ["b", "a", None], "the largest first, the empty one last"


def test_choices_keep_their_own_order_and_two_fields_make_series() -> None:
    definition = next(one for one in sample_module().types if one.name == "SampleTrip")
    records = [
        rec(1, kind="guest", on="2026-10-01"),
        rec(2, kind="duty", on="2026-10-02"),
        rec(3, kind="duty", on="2026-11-02"),
    ]
    table = table_of(report(("kind",), measure("count")), records, definition.field)
    assert [row.keys[0] for row in table.rows] == ["duty", "guest"]
    two = table_of(report(("month:on", "kind"), measure("count")), records, definition.field)
    picture = picture_of(two, 0)
    assert picture.keys == ("2026-10", "2026-11")
    assert {one.key: one.values for one in picture.series} == {"duty": figures(1, 1), "guest": figures(1, None)}


def test_a_chart_leaves_what_is_too_much_to_the_table() -> None:
    records = [rec(n, name=f"n{n:03d}") for n in range(50)]
    table = table_of(report(("name",), measure("count")), records)
    picture = picture_of(table, 0, most=20)
    assert (len(table.rows), len(picture.keys), picture.others) == (50, 20, 30)
    assert picture_of(table_of(report(("name",), measure("count")), []), 0).keys == ()


def test_lines_are_summed_by_their_own_fields() -> None:
    records = [rec(1, items=[{"amount": "1.50"}, {"amount": "2.25"}, {}]), rec(2)]
    table = table_of(report((), measure("sum", "items.amount")), records)
    assert table.totals == (Decimal("3.75"),)
    assert [row.keys for row in table.rows] == [()]


def test_spans_belong_to_the_local_day_they_start_on() -> None:
    late = rec(1, at={"start": "2026-09-30T16:30:00.000Z", "end": "2026-10-01T02:00:00.000Z"})
    assert keys_of(late, group_of("month:at")) == ["2026-10"]
    assert keys_of(late, group_of("day:at")) == ["2026-10-01"]
    assert keys_of(late, group_of("week:at")) == ["2026-W40"]
    assert keys_of(late, group_of("year:at")) == ["2026"]
    assert keys_of(late, group_of("month:nothing")) == [None]
    assert keys_of(rec(2, flag=False), group_of("flag")) == [False]
    assert keys_of(rec(2), group_of("authorId")) == ["linyuan"]


@given(
    st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 300), st.sampled_from(["year", "month", "week", "day"])
)
def test_a_line_of_time_goes_from_first_to_last_without_gaps(first: date, days: int, unit: str) -> None:
    last = date.fromordinal(first.toordinal() + days)
    line = line_of({time_key(first, unit), time_key(last, unit)}, unit)
    assert (line[0], line[-1]) == (time_key(first, unit), time_key(last, unit))
    assert line == sorted(set(line))
    assert {time_key(date.fromordinal(first.toordinal() + n), unit) for n in range(days + 1)} == set(line)
    assert time_key(key_day(line[0], unit), unit) == line[0]


def test_a_period_narrows_by_the_field_that_dates_the_record() -> None:
    module = sample_module()
    trip = next(one for one in module.types if one.name == "SampleTrip")
    vehicle = next(one for one in module.types if one.name == "SampleVehicle")
    assert time_name(report(("month:wanted",), measure("count")), trip, module) == "wanted"
    assert time_name(report(("kind",), measure("count")), trip, module) == "span", "what it books"
    assert time_name(report(("plate",), measure("count")), vehicle, module) == "", (
        "an inspection that is due dates no vehicle"
    )
    sorted_view = View(id="x", type="SampleVehicle", kind=ViewKind.TABLE, label=WORDS, sort=("-inspectionDate",))
    more: ModuleDefinition = msgspec.structs.replace(module, views=(*module.views, sorted_view))
    assert time_name(report(("plate",), measure("count")), vehicle, more) == "inspectionDate"


@given(st.decimals(-(10**9), 10**9, places=2), st.decimals(-(10**9), 10**9, places=2))
def test_an_axis_holds_all_figures_and_zero(a: Decimal, b: Decimal) -> None:
    marks = axis_marks(min(a, b), max(a, b))
    assert marks[0] <= min(a, b, Decimal(0))
    assert marks[-1] >= max(a, b, Decimal(0))
    assert 0 in marks
    assert 2 <= len(marks) <= 12


def test_figures_have_the_decimals_of_their_field() -> None:
    money = Field(name="m", kind=FieldKind.MONEY, label=WORDS)
    number = Field(name="n", kind=FieldKind.NUMBER, label=WORDS, decimals=1)
    assert figure_places(measure("sum", "m"), money) == 2
    assert figure_places(measure("sum", "n"), number) == 1
    assert figure_places(measure("count"), None) == 0
    assert figure_text(Decimal("1234.5"), None) == "1,234.5"
    assert figure_text(Decimal(1200), None) == "1,200"


MONEY = st.decimals(-10_000, 10_000, places=2).map(lambda value: f"{value:.2f}")
ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "at": st.sampled_from(["2026-10-31T16:30:00.000Z", "2026-10-31T15:30:00.000Z", "2025-01-01T00:00:00.000Z"]),
            "who": st.lists(st.sampled_from(["p1", "p2", "p3"]), max_size=3),
            "kind": st.sampled_from(["a", "b"]),
            "flag": st.booleans(),
            "cost": MONEY,
            "km": st.integers(-1000, 1000) | st.integers(0, 4000).map(lambda quarters: quarters / 4),
        },
    ),
    max_size=12,
)


@given(
    rows=ROWS,
    group=st.lists(
        st.sampled_from(["month:at", "week:at", "day:at", "year:at", "who", "kind", "flag"]), max_size=2, unique=True
    ),
)
def test_what_the_store_adds_up_is_what_the_records_say(rows: list[dict[str, Any]], group: list[str]) -> None:
    wanted = report(
        tuple(group), measure("count"), measure("sum", "cost"), measure("average", "km"), measure("min", "cost"),
        measure("max", "km"), measure("sum", "cost", "km"),
    )  # fmt: skip
    records = [rec(number, **row) for number, row in enumerate(rows)]
    with TemporaryDirectory() as folder:
        store = SqliteStore.open(Path(folder) / "store.db", bytes(32), "me")
        try:
            store.apply([PutObjects("T", tuple(records))])
            units = tuple(
                ("day" if unit == "week" else unit, name) for unit, _, name in (g.rpartition(":") for g in group)
            )
            asked = FiguresWanted(RecordsWanted("T"), units, tuple(figure_names(wanted)), frozenset({"cost"}))
            found = store.load_figures(asked)
        finally:
            store.close()
    assert found is not None
    assert table_of_groups(wanted, found) == table_of(wanted, records)


def test_what_stands_in_lines_and_bare_moments_are_not_added_up_by_the_store() -> None:
    kinds = {"at": FieldKind.DATETIME, "day": FieldKind.DATE}
    fields = {name: Field(name=name, kind=kind, label=WORDS) for name, kind in kinds.items()}
    assert may_add_up(report(("month:at", "day"), measure("sum", "cost")), fields.get)
    assert not may_add_up(report(("at",), measure("count")), fields.get)
    assert not may_add_up(report(("day",), measure("sum", "lines.amount")), fields.get)
    assert not may_add_up(report(("day",), measure("sum", "cost", "lines.count")), fields.get)
