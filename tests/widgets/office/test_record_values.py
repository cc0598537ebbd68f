"""What people type into fields becomes wire values, and what they read comes back from them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.models import record_values as values
from desktop.models.record_values import Unreadable

TODAY = date(2026, 10, 22)
WORDS = {"明天": 1, "tomorrow": 1, "昨天": -1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("1,250.5", 1250.5),
        ("1 250", 1250),
        ("-3", -3),
        ("\u22123", -3),
        ("１２．５", 12.5),
        (".5", 0.5),
        ("7.", 7),
        ("12,345,678", 12345678),
    ],
)
def test_numbers_are_read(text: str, value: float) -> None:
    assert values.parse_number(text) == value


@pytest.mark.parametrize(
    "text", ["", "-", ".", "1,25", "12,3456", "1.2.3", "12a", "1.250,00", "9" * 16, "1e5", "0.1234567"]
)
def test_what_is_no_number_is_refused_not_guessed(text: str) -> None:
    with pytest.raises(Unreadable):
        values.parse_number(text)


def test_decimals_are_the_fields() -> None:
    assert values.parse_number("3.50", 1) == 3.5
    with pytest.raises(Unreadable):
        values.parse_number("3.55", 1)
    with pytest.raises(Unreadable):
        values.parse_number("3.5", 0)


@given(st.decimals(-(10**12), 10**12, places=2, allow_nan=False))
def test_money_goes_there_and_back(amount: Decimal) -> None:
    wire = values.parse_money(str(amount))
    assert values.parse_money(values.format_money(wire)) == wire
    assert Decimal(wire) == amount
    assert wire != "-0.00"


@given(st.text(max_size=30))
def test_any_text_is_a_value_or_refused(text: str) -> None:
    for parse in (
        values.parse_number,
        values.parse_money,
        lambda one: values.parse_date(one, TODAY, WORDS),
        lambda one: values.parse_moment(one, TODAY, WORDS),
        lambda one: values.parse_span(one, TODAY, WORDS),
    ):
        try:
            parse(text)
        except Unreadable:
            continue


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-22", date(2026, 11, 22)),
        ("2026/11/2", date(2026, 11, 2)),
        ("2026.11.22", date(2026, 11, 22)),
        ("20261122", date(2026, 11, 22)),
        ("2026年11月22日", date(2026, 11, 22)),
        ("11-22", date(2026, 11, 22)),
        ("11月22日", date(2026, 11, 22)),
        ("5", date(2026, 10, 5)),
        ("22号", date(2026, 10, 22)),
        ("明天", date(2026, 10, 23)),
        ("Tomorrow", date(2026, 10, 23)),
        ("+3", date(2026, 10, 25)),
        ("-1w", date(2026, 10, 15)),
        ("+1月", date(2026, 11, 22)),
    ],
)
def test_days_are_read_in_many_forms(text: str, day: date) -> None:
    assert values.parse_date(text, TODAY, WORDS) == day


@pytest.mark.parametrize("text", ["", "2026-02-30", "13-01", "40", "soon", "+99999d", "2026-11"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        values.parse_date(text, TODAY, WORDS)


def test_months_end_where_they_end() -> None:
    assert values.step_date(date(2026, 1, 31), 1, "m") == date(2026, 2, 28)
    assert values.step_date(date(2024, 2, 29), 1, "y") == date(2025, 2, 28)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("9", (9, 0)),
        ("9:30", (9, 30)),
        ("0930", (9, 30)),
        ("9点半", (9, 30)),
        ("14时05分", (14, 5)),
        ("9：05", (9, 5)),
        ("9点", (9, 0)),
    ],
)
def test_times_are_read(text: str, clock: tuple[int, int]) -> None:
    assert values.parse_clock(text) == clock


@pytest.mark.parametrize("text", ["24:00", "9:60", "x", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        values.parse_clock(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10-22 10:00 — 12:00", "2026-10-22 10:00 — 12:00"),
        ("9:00-11:30", "2026-10-22 09:00 — 11:30"),
        ("明天 9点至11点", "2026-10-23 09:00 — 11:00"),
        ("2026-10-22 10:00 ~ 2026-10-23 12:00", "2026-10-22 10:00 — 2026-10-23 12:00"),
        ("10-22 – 10-24", "2026-10-22 — 2026-10-24"),
        ("10-22 10:00 to 12:00", "2026-10-22 10:00 — 12:00"),
    ],
)
def test_spans_are_read_and_shown(text: str, shown: str) -> None:
    span = values.parse_span(text, TODAY, WORDS)
    assert values.format_span(*span) == shown
    assert values.parse_span(shown, TODAY) == span
    assert values.span_of(values.span_value(*span)) == span


@pytest.mark.parametrize("text", ["10:00", "12:00-10:00", "10:00-10:00", "10:00 — ", "a — b", "1 — 2 — 3"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        values.parse_span(text, TODAY, WORDS)


@given(st.datetimes(timezones=st.none()))
def test_a_local_day_is_that_day(moment: object) -> None:
    assert isinstance(moment, date)
    day = date(max(moment.year, 1971) % 8000 + 1, moment.month, min(moment.day, 28))
    if day.year >= 1971:
        assert values.local_date(values.local_ms(day)) == day
        assert values.local_date(values.local_ms(day) + 1000) == day


def test_broken_wire_values_are_nothing() -> None:
    wrong: list[object] = [None, 5, "", "x", "2026-13-01", [], {"start": "x", "end": 4}]
    for broken in wrong:
        assert values.moment_of(broken) is None
        assert values.span_of(broken) is None
    assert values.format_money([]) == ""
    assert values.format_number(True) == ""
    assert values.moment_of((TODAY + timedelta(days=1)).isoformat()) == values.local_ms(TODAY + timedelta(days=1))
