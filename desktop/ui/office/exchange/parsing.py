"""A cell as a wire value of a field: typed ones as they are, texts in the forms people write. What can't be read is refused, never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from openpyxl.utils.datetime import from_excel

from desktop.core.clock import utc_date
from desktop.core.domain.definition import Field, FieldKind
from desktop.models.record_values import (
    Unreadable,
    local_ms,
    normal,
    parse_date,
    parse_moment,
    parse_money,
    parse_number,
    parse_span,
    span_value,
)
from desktop.ui.office.exchange.names import Names, NotOne, Titles
from desktop.ui.office.exchange.opening import CellError
from desktop.ui.office.exchange.rich import read_rich

_SEVERAL: Final = re.compile(r"[、;；\n|]|[,，]")
YES: Final = frozenset({"是", "yes", "y", "true", "1", "√", "✓", "对", "有", "on"})  # not a text
NO: Final = frozenset({"否", "no", "n", "false", "0", "×", "✗", "x", "无", "off"})  # not a text
SERIALS: Final = range(366, 110_000)
"""Numbers that stand for days of 1901 to 2200 where a date was asked for and the cell lost its format."""


class BadCell(ValueError):
    """A cell that is no value of its field. code: office_module.cell.<code>; figures: what its sentence names."""

    def __init__(self, code: str, **figures: object) -> None:
        super().__init__(code)
        self.code, self.figures = code, figures


@dataclass(frozen=True, slots=True)
class Readings:
    """What words of cells are read with: the directory, titles by type, and the day of today."""

    names: Names
    today: date
    titles: Mapping[str, Titles] = field(default_factory=dict)


def parse_cell(one: Field, raw: Any, readings: Readings) -> Any:
    """The wire value of a cell that is not blank.

    Raises:
        BadCell: it is none of the field's kind.
    """
    if isinstance(raw, CellError):
        raise BadCell("error", text=raw.text)
    try:
        read: Callable[[Field, Any, Readings], Any] = _READERS.get(one.kind, _text)
        return read(one, raw, readings)
    except (Unreadable, ArithmeticError, OverflowError) as error:
        raise BadCell("unreadable", text=_shown(raw)) from error


def _shown(raw: Any) -> str:
    return str(raw)[:60]


# ------------------------------------------------------------ texts
def _text(_one: Field, raw: Any, _readings: Readings) -> str:
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        return str(int(raw))
    if isinstance(raw, datetime):
        return raw.date().isoformat() if raw.time() == time(0) else raw.isoformat(" ", "minutes")
    return str(raw)


def _rich(one: Field, raw: Any, readings: Readings) -> str:
    return read_rich(_text(one, raw, readings))


# ------------------------------------------------------------ numbers
def _number(one: Field, raw: Any, _readings: Readings) -> int | float:
    if isinstance(raw, bool):
        raise BadCell("unreadable", text=_shown(raw))
    if isinstance(raw, int | float):
        places = 6 if one.decimals is None else one.decimals
        value = round(Decimal(repr(raw)), 9)
        if value != round(value, places):
            raise BadCell("decimals", n=places)
        return int(value) if value == value.to_integral_value() else float(raw)
    return parse_number(_without_unit(one, _need_text(raw)), one.decimals)


def _money(one: Field, raw: Any, _readings: Readings) -> str:
    if isinstance(raw, bool):
        raise BadCell("unreadable", text=_shown(raw))
    if isinstance(raw, int | float):
        value = round(Decimal(repr(raw)), 9)  # a sum of cents in a spreadsheet ends in 0.30000000000000004
        if value != round(value, 2):
            raise BadCell("decimals", n=2)
        return parse_money(f"{value:.2f}")
    return parse_money(_without_unit(one, _need_text(raw)).removesuffix("元"))  # not a text


def _without_unit(one: Field, text: str) -> str:
    plain = normal(text)
    for unit in (one.unit.zh, one.unit.en) if one.unit else ():
        plain = plain.removesuffix(unit) if unit else plain
    return plain.strip()


def _need_text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise BadCell("unreadable", text=_shown(raw))
    return raw


# ------------------------------------------------------------ times
def _as_moment(raw: Any) -> datetime | None:
    if isinstance(raw, datetime):
        return raw
    if isinstance(raw, date):
        return datetime.combine(raw, time(0))
    if isinstance(raw, int | float) and not isinstance(raw, bool) and int(raw) in SERIALS:
        made = from_excel(raw)
        return made if isinstance(made, datetime) else None
    return None


def _date(_one: Field, raw: Any, readings: Readings) -> str:
    moment = _as_moment(raw)
    return moment.date().isoformat() if moment else parse_date(_need_text(raw), readings.today).isoformat()


def _datetime(_one: Field, raw: Any, readings: Readings) -> str:
    moment = _as_moment(raw)
    if moment is not None:
        return utc_date(round(moment.astimezone().timestamp() * 1000))
    text = _need_text(raw)
    try:
        return utc_date(round(datetime.fromisoformat(text.strip()).astimezone().timestamp() * 1000))
    except (ValueError, OverflowError):
        return utc_date(parse_moment(text, readings.today))


def _span(_one: Field, raw: Any, readings: Readings) -> dict[str, str]:
    moment = _as_moment(raw)
    if moment is not None:
        day = local_ms(moment.date())
        return span_value(day, day + 86_400_000)
    return span_value(*parse_span(_need_text(raw), readings.today))


# ------------------------------------------------------------ choices
def _bool(_one: Field, raw: Any, _readings: Readings) -> bool:
    if isinstance(raw, bool):
        return raw
    word = normal(_text(_one, raw, _readings)).casefold()
    if word in YES or word in NO:
        return word in YES
    raise BadCell("no_bool", text=_shown(raw))


def _choice(one: Field, raw: Any, readings: Readings) -> str:
    return _choice_of(one, _text(one, raw, readings))


def _choice_of(one: Field, text: str) -> str:
    word = normal(text).casefold()
    for choice in one.choices:
        if word in (choice.value.casefold(), normal(choice.label.zh).casefold(), normal(choice.label.en).casefold()):
            return choice.value
    raise BadCell("no_choice", text=_shown(text.strip()))


def _choices(one: Field, raw: Any, readings: Readings) -> list[str]:
    return _several(_text(one, raw, readings), lambda text: _choice_of(one, text))


def _several(text: str, read: Callable[[str], str]) -> list[str]:
    """Values with signs between them. A name may hold such a sign itself: the longest piece that reads as one is taken."""
    cuts = [0, *(found.end() for found in _SEVERAL.finditer(text)), len(text) + 1]
    found: list[str] = []
    first = 0
    while first < len(cuts) - 1:
        for last in range(len(cuts) - 1, first, -1):
            piece = text[cuts[first] : cuts[last] - 1].strip()
            if not piece:
                first = last
                break
            try:
                value = read(piece)
            except BadCell:
                if last == first + 1:
                    raise
                continue
            if value not in found:
                found.append(value)
            first = last
            break
    return found


# ------------------------------------------------------------ names
def _named(find: Callable[[str], str], text: str) -> str:
    try:
        return find(text.strip())
    except NotOne as error:
        raise BadCell("several" if error.ids else "unknown", text=_shown(text.strip()), n=len(error.ids)) from None


def _person(one: Field, raw: Any, readings: Readings) -> str:
    return _named(readings.names.person_id, _text(one, raw, readings))


def _persons(one: Field, raw: Any, readings: Readings) -> list[str]:
    return _several(_text(one, raw, readings), lambda text: _named(readings.names.person_id, text))


def _department(one: Field, raw: Any, readings: Readings) -> str:
    return _named(readings.names.department_id, _text(one, raw, readings))


def _departments(one: Field, raw: Any, readings: Readings) -> list[str]:
    return _several(_text(one, raw, readings), lambda text: _named(readings.names.department_id, text))


def _titles(one: Field, readings: Readings) -> Titles:
    return readings.titles.get(one.target or "") or Titles({})


def _reference(one: Field, raw: Any, readings: Readings) -> str:
    return _named(_titles(one, readings).id, _text(one, raw, readings))


def _references(one: Field, raw: Any, readings: Readings) -> list[str]:
    return _several(_text(one, raw, readings), lambda text: _named(_titles(one, readings).id, text))


_READERS: Final[dict[FieldKind, Callable[[Field, Any, Readings], Any]]] = {
    FieldKind.RICH_TEXT: _rich,
    FieldKind.NUMBER: _number,
    FieldKind.MONEY: _money,
    FieldKind.DATE: _date,
    FieldKind.DATETIME: _datetime,
    FieldKind.SPAN: _span,
    FieldKind.BOOL: _bool,
    FieldKind.CHOICE: _choice,
    FieldKind.MULTI_CHOICE: _choices,
    FieldKind.PERSON: _person,
    FieldKind.PERSONS: _persons,
    FieldKind.DEPARTMENT: _department,
    FieldKind.DEPARTMENTS: _departments,
    FieldKind.REFERENCE: _reference,
    FieldKind.REFERENCES: _references,
}
