"""A sheet as records to be made: which column is which field, each row's values and everything that is wrong with it. Knows no Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from desktop.core.domain.conditions import Facts
from desktop.core.domain.definition import Field, FieldKind, TypeDefinition
from desktop.models.record_form import FormState, Problem
from desktop.ui.office.exchange.columns import (
    END,
    ROW_KEY,
    START,
    Column,
    columns_of,
    folded,
    line_fields,
    targets_of,
)
from desktop.ui.office.exchange.opening import Sheet
from desktop.ui.office.exchange.parsing import BadCell, Readings, parse_cell

LINE_SEPARATOR: Final = "."


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a field of a row: a BadCell of reading, a Problem of the field's rules, or a code with its figures."""

    label: str
    what: BadCell | Problem
    field: Field | None = None


@dataclass(slots=True)
class SheetRow:
    """One record to be made. number: its row in the sheet."""

    number: int
    data: dict[str, Any] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    key: str = ""


def guess(definition: TypeDefinition, heads: Sequence[str], remembered: Mapping[str, str] | None = None) -> list[str]:
    """The field of each column: as it was the last time, else by its heading in either language; "" for none, no field twice."""
    targets = targets_of(definition)
    known = {target.key for target in targets}
    taken: set[str] = set()
    found: list[str] = []
    for head in heads:
        wanted = (remembered or {}).get(folded(head))
        if wanted is None:
            wanted = next((t.key for t in targets if folded(head) in t.heads() and t.key not in taken), "")
        key = wanted if wanted in known and wanted not in taken else ""
        taken.add(key)
        found.append(key)
    return found


def is_row_key(head: str, row_heads: Sequence[str]) -> bool:
    """Whether a column numbers the rows."""
    return folded(head) in {folded(ROW_KEY), *(folded(one) for one in row_heads)}


class SheetReader:
    """Reads the rows of a sheet. `row_heads`: headings under which rows are numbered; `text_label` names fields in problems."""

    def __init__(
        self,
        definition: TypeDefinition,
        readings: Readings,
        facts: Facts,
        *,
        label: Callable[[Field], str],
        row_heads: Sequence[str] = (),
    ) -> None:
        self._definition, self._readings, self._facts = definition, readings, facts
        self._label, self._row_heads = label, row_heads
        self._targets = {target.key: target for target in targets_of(definition)}

    def read(self, sheet: Sheet, mapping: Sequence[str], others: Sequence[Sheet] = ()) -> list[SheetRow]:
        """Every row with its values and problems; lines come from the other sheets by the number of their row."""
        key_column = next((n for n, head in enumerate(sheet.heads) if is_row_key(head, self._row_heads)), -1)
        rows = [self._read_row(number, values, mapping) for number, values in sheet.rows]
        for row, (_, values) in zip(rows, sheet.rows, strict=True):
            row.key = _key(values[key_column]) if 0 <= key_column < len(values) else ""
        for one in line_fields(self._definition):
            other = self._sheet_of(one, others)
            if other is not None:
                self._read_lines(one, other, rows)
        self._check(rows)
        return rows

    # ---- a row
    def _read_row(self, number: int, values: Sequence[Any], mapping: Sequence[str]) -> SheetRow:
        row = SheetRow(number)
        parts: dict[str, dict[str, Any]] = {}
        for key, raw in zip(mapping, values, strict=False):
            column = self._targets.get(key)
            if column is None or raw is None:
                continue
            value = self._cell(row, column, raw)
            if value is None:
                continue
            if column.part:
                parts.setdefault(column.name, {})[column.part] = value
            else:
                row.data[column.name] = value
        for name, held in parts.items():
            self._join(row, name, held)
        return row

    def _cell(self, row: SheetRow, column: Column, raw: Any) -> Any:
        try:
            return parse_cell(column.field, raw, self._readings)
        except BadCell as error:
            row.problems.append(RowProblem(self._name(column), error))
            return None

    def _name(self, column: Column) -> str:
        whole = self._definition.field(column.name)
        return self._label(whole if whole is not None else column.field)

    def _join(self, row: SheetRow, name: str, held: dict[str, Any]) -> None:
        one = self._definition.field(name)
        if one is None or one.kind is not FieldKind.SPAN:
            row.data[name] = held
        elif START in held and END in held:
            if held[END] > held[START]:
                row.data[name] = held
            else:
                row.problems.append(RowProblem(self._label(one), BadCell("span")))
        elif not any(problem.label == self._label(one) for problem in row.problems):
            row.problems.append(RowProblem(self._label(one), BadCell("half_span")))

    # ---- lines
    def _sheet_of(self, one: Field, others: Sequence[Sheet]) -> Sheet | None:
        heads = {folded(one.label.zh), folded(one.label.en), folded(one.name)}
        return next((other for other in others if folded(other.title) in heads), None)

    def _read_lines(self, one: Field, sheet: Sheet, rows: Sequence[SheetRow]) -> None:
        key_column = next((n for n, head in enumerate(sheet.heads) if is_row_key(head, self._row_heads)), -1)
        if key_column < 0:
            return
        inner = {c.key: c for c in columns_of(f for f in one.fields if not (f.formula or f.computed))}
        columns = [next((c for c in inner.values() if folded(head) in c.heads()), None) for head in sheet.heads]
        by_key = {row.key: row for row in rows if row.key}
        for number, values in sheet.rows:
            row = by_key.get(_key(values[key_column]) if key_column < len(values) else "")
            if row is None:
                if rows:
                    rows[0].problems.append(RowProblem(self._label(one), BadCell("no_row", n=number)))
                continue
            line: dict[str, Any] = {}
            for column, raw in zip(columns, values, strict=False):
                if column is None or raw is None:
                    continue
                try:
                    line[column.name] = parse_cell(column.field, raw, self._readings)
                except BadCell as error:
                    row.problems.append(RowProblem(f"{self._label(one)} · {self._label(column.field)}", error))
            row.data.setdefault(one.name, []).append(line)

    # ---- rules
    def _check(self, rows: Sequence[SheetRow]) -> None:
        seen: dict[str, dict[Any, int]] = {}
        for row in rows:
            state = FormState(self._definition, self._facts, prefill=row.data)
            unread = {problem.label for problem in row.problems}
            for name, problem in state.problems().items():
                one = self._definition.field(name)
                if one is not None and self._label(one) not in unread:
                    row.problems.append(RowProblem(self._label(one), problem, one))
            for one in (f for f in self._definition.fields if f.unique and f.name in row.data):
                held = seen.setdefault(one.name, {})
                first = held.setdefault(str(row.data[one.name]), row.number)
                if first != row.number:
                    row.problems.append(RowProblem(self._label(one), BadCell("twice", n=first)))
            row.data = state.data()


def _key(raw: Any) -> str:
    return str(int(raw)) if isinstance(raw, float) and raw.is_integer() else "" if raw is None else str(raw).strip()


__all__ = ["RowProblem", "SheetReader", "SheetRow", "guess"]
