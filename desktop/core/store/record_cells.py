"""Field values as cells of the record tables, and conditions over them as SQL. What SQL answers here is what `conditions.matches` says of the object.

A cell is NULL where nothing is held, a number, or a text. Texts that begin with a control character of ours are no plain texts: true and false, objects,
lists (their items stand between separators). Of a long text only the beginning and a digest are kept: it is equal to itself, and found by its words.
A span is its start, a mark and its end, so that it orders like an instant and equals none.
"""

import hashlib
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, assert_never

from desktop.core.domain.conditions import (
    Compare,
    Condition,
    Every,
    Is,
    Literal,
    Never,
    Overlaps,
    Some,
    Words,
    is_empty,
)
from desktop.core.domain.moments import instant, is_instant

Cell = str | int | float | None

LONG: Final = "\x1b"
OBJECT: Final = "\x1c"
FLAG: Final = "\x1d"
SPAN: Final = "\x1e"
LIST: Final = "\x1f"
_LONG: Final = 80
_KEPT: Final = 32
_MARKED: Final = re.compile(f"[{OBJECT}-{LIST}]")
_TRANSLATE: Final = {ord(mark): " " for mark in (OBJECT, FLAG, SPAN, LIST)}
_LARGEST: Final = (1 << 63) - 1
IS_INSTANT: Final = "GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z*'"
IS_DATE: Final = "GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'"
_IS_MONEY: Final = "GLOB '*[0-9].[0-9][0-9]'"
_NO_MONEY: Final = "GLOB '*[^-0-9.]*'"
_IS_OURS: Final = f"GLOB '[{OBJECT}-{LIST}]*'"


def cell(value: Any) -> Cell:
    """What the tables hold for a wire value."""
    if is_empty(value):
        return None
    match value:
        case str():
            return _plain(value)
        case bool():
            return flag(value)
        case int():
            return value if -_LARGEST <= value <= _LARGEST else float(value)
        case float():
            return value
        case list():
            plain = [
                str(_plain(one) if isinstance(one, str) else one) for one in value if not isinstance(one, dict | list)
            ]
            return LIST + LIST.join(plain) + LIST if plain else OBJECT
        case dict():
            start = value.get("start")
            return instant(start) + SPAN + _end(value) if isinstance(start, str) and is_instant(start) else OBJECT
        case _:
            return OBJECT


def _end(span: dict[str, Any]) -> str:
    end = span.get("end")
    return instant(end) if isinstance(end, str) and is_instant(end) else ""


def value_of_cell(held: Cell) -> str | int | float | bool | tuple[str, ...] | None:
    """What a cell tells of its value: a list's texts, true or false, else the cell itself."""
    if not isinstance(held, str):
        return held
    if held.startswith(FLAG):
        return held == FLAG + "1"
    return tuple(held.strip(LIST).split(LIST)) if held.startswith(LIST) else held


def is_whole(held: Cell) -> bool:
    """Whether the cell tells all of its value: no long text, no object."""
    return not isinstance(held, str) or not (LONG in held or OBJECT in held)


def flag(value: bool) -> str:
    """The cell of true or false."""
    return FLAG + ("1" if value else "0")


def _plain(text: str) -> str:
    if len(text) > _LONG:  # equal texts stay equal, and rows stay narrow: scanning them is what a page costs
        text = text[:_KEPT] + LONG + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return text.translate(_TRANSLATE) if _MARKED.search(text) else instant(text)


class Sql:
    """Builds one WHERE clause. `column` names the column of a field, None where no record has ever held it; `texts` is the table of search texts."""

    def __init__(self, column: Callable[[str], str | None], cells: str, texts: str) -> None:
        self._column = column
        self._cells, self._texts, self._searched = cells, texts, False
        self.values: list[Any] = []

    @property
    def source(self) -> str:
        """What the clause is asked of, once it was made: the cells, with their texts where words are looked for. Both are read in one order."""
        if not self._searched:
            return self._cells
        return f"{self._cells} CROSS JOIN {self._texts} ON {self._texts}.n = {self._cells}.n"

    def where(self, condition: Condition) -> str:
        """The clause; its values are appended to `values` in order."""
        match condition:
            case Every(parts=()):
                return "1"
            case Some(parts=()):
                return "0"
            case Every(parts=parts):
                return "(" + " AND ".join(self.where(part) for part in parts) + ")"
            case Some(parts=parts):
                return "(" + " OR ".join(self._some(part) for part in parts) + ")"
            case Never(part=part):
                return f"NOT {self.where(part)}"
            case Words(words=words):
                return self._words(words)
            case Is(field=field, values=values, many=many):
                return self._is(self._column(field) or "NULL", values, many)
            case Overlaps(field=field, start=start, end=end):
                return self._overlaps(self._column(field), start, end)
            case Compare(field=field, before=before, value=value):
                return self._compare(self._column(field), before, value)
            case _:
                assert_never(condition)

    def _some(self, part: Condition) -> str:
        """One of several: texts are looked into only where nothing else was so."""
        if not isinstance(part, Words) or not part.words:
            return self.where(part)
        self.values += part.words
        found = " AND ".join("instr(text, ?)" for _ in part.words)
        return f"ifnull((SELECT {found} FROM {self._texts} WHERE {self._texts}.n = {self._cells}.n), 0)"

    def _words(self, words: tuple[str, ...]) -> str:
        if not words:
            return "1"
        self.values += words
        found = " AND ".join("instr(text, ?)" for _ in words)
        self._searched = True
        return f"({found})"

    def _is(self, column: str, values: tuple[Literal, ...], many: bool) -> str:
        clauses: list[str] = []
        plain = [_plain(value.text) for value in values if value.text is not None and _only_text(value)]
        if plain:
            clauses.append(f"{column} IN ({', '.join('?' * len(plain))})")
            self.values += plain
        for text in plain if many else ():
            clauses.append(f"instr({column}, ?)")
            self.values.append(f"{LIST}{text}{LIST}")
        clauses += [self._is_one(column, value) for value in values if not _only_text(value)]
        return "(" + " OR ".join(f"ifnull({clause}, 0)" for clause in clauses) + ")" if clauses else "0"

    def _is_one(self, column: str, value: Literal) -> str:
        if value.empty:
            return f"{column} IS NULL"
        if value.flag is not None:
            self.values.append(flag(value.flag))
            return f"{column} IS ?" if value.flag else f"({column} IS NULL OR {column} IS ?)"
        if value.moment is not None:
            moment = value.moment
            self.values += [moment.start, moment.end] if moment.instant is None else [moment.instant]
            self.values += [moment.day, f"{LIST}{moment.day}{LIST}"]
            on = (
                f"{column} IS ?"
                if moment.instant is not None
                else f"({column} {IS_INSTANT} AND {column} >= ? AND {column} < ?)"
            )
            return f"({on} OR {column} IS ? OR instr({column}, ?))"
        number = value.number if value.number is not None else Decimal(0)
        self.values += [_number(number), float(number)]
        return f"({column} IS ? OR ({is_money_cell(column)} AND CAST({column} AS REAL) = ?))"

    def _overlaps(self, column: str | None, start: str, end: str) -> str:
        if column is None:
            return "0"
        self.values += [end, start, start, f"*{SPAN}"]  # cells written before ends were kept have none: they may reach
        until = f"substr({column}, instr({column}, '{SPAN}') + 1)"
        touches = f"({column} >= ? OR {until} > ? OR {column} GLOB ?)"
        return f"ifnull({column} {IS_INSTANT} AND {column} < ? AND {touches}, 0)"

    def _compare(self, column: str | None, before: bool, value: Literal) -> str:
        sign = "<" if before else ">="
        if column is None or value.empty or value.flag is not None:
            return "0"
        if value.moment is not None:
            moment = value.moment
            self.values += [moment.instant or moment.start, moment.day, value.text]
            text = (
                f"CASE WHEN {column} {IS_INSTANT} THEN {column} {sign} ? WHEN {column} {IS_DATE} THEN {column} {sign} ?"
                f" WHEN {column} {_IS_OURS} THEN 0 ELSE {column} {sign} ? END"
            )
            return f"ifnull(typeof({column}) = 'text' AND {text}, 0)"
        if value.number is not None:
            number = _number(value.number)
            self.values += [number, number]
            numbers = f"typeof({column}) IN ('integer', 'real') AND {column} {sign} ?"
            return f"ifnull(({numbers}) OR ({is_money_cell(column)} AND CAST({column} AS REAL) {sign} ?), 0)"
        self.values.append(value.text)
        return f"ifnull(typeof({column}) = 'text' AND NOT {column} {_IS_OURS} AND {column} {sign} ?, 0)"


def _only_text(value: Literal) -> bool:
    return value.text is not None and value.moment is None and value.number is None


def is_money_cell(column: str) -> str:
    """Whether a column holds an amount of money, as SQL."""
    return f"typeof({column}) = 'text' AND {column} {_IS_MONEY} AND NOT {column} {_NO_MONEY}"


def _number(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() and abs(number) <= _LARGEST else float(number)
