"""Writes records into a workbook, page by page: typed cells, choices and people by their names, lines on sheets of their own.

Nothing a user wrote becomes a formula. The file appears whole or not at all. Runs on a worker thread; knows no Qt.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from desktop.core.clock import parse_utc_date
from desktop.core.domain.definition import Field, FieldKind, Label
from desktop.core.domain.records import Record
from desktop.ui.office.exchange.columns import END, START, Column, columns_of
from desktop.ui.office.exchange.names import Names, Titles
from desktop.ui.office.exchange.rich import written_rich
from desktop.ui.office.views.base import value_of

LONGEST: Final = 32_767
"""Characters that a cell of a spreadsheet can hold."""
EXACT: Final = Decimal(10) ** 13
"""Money above this has more digits than a spreadsheet's number keeps; it is written as text."""
FIRST_YEAR: Final = 1901
"""Spreadsheets count days from 1900 and count one too many in that year."""
DATE_FORMAT, TIME_FORMAT, MONEY_FORMAT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "#,##0.00"


@dataclass(frozen=True, slots=True)
class Glossary:
    """What the words of cells are made with. `titles` by type; `joint` stands between several."""

    language: str
    names: Names
    yes: str
    no: str
    titles: Mapping[str, Titles] = field(default_factory=dict)
    joint: str = "、"

    def label(self, label: Label) -> str:
        """The words of a label."""
        return label.text(self.language)


@dataclass(frozen=True, slots=True)
class CellValue:
    """What is put into a cell, and how it is shown."""

    value: Any
    format: str = ""


def cell_value(one: Field, value: Any, words: Glossary) -> CellValue:
    """The cell of a wire value. Values that are none of their kind are written as their text."""
    if value is None or value in ("", []):
        return CellValue(None)
    try:
        return _cell_value(one, value, words)
    except (TypeError, ValueError, ArithmeticError, AttributeError, KeyError):
        return CellValue(plain(str(value)))


def _cell_value(one: Field, value: Any, words: Glossary) -> CellValue:
    match one.kind:
        case FieldKind.NUMBER:
            places = one.decimals or 0
            return CellValue(value, f"0.{'0' * places}" if places else "General")
        case FieldKind.MONEY:
            amount = Decimal(value)
            return CellValue(amount, MONEY_FORMAT) if abs(amount) < EXACT else CellValue(str(value))
        case FieldKind.DATE:
            day = date.fromisoformat(value)
            return CellValue(day, DATE_FORMAT) if day.year >= FIRST_YEAR else CellValue(value)
        case FieldKind.DATETIME:
            return _moment(value)
        case FieldKind.BOOL:
            return CellValue(words.yes if value else words.no)
        case FieldKind.RICH_TEXT:
            return CellValue(plain(written_rich(str(value))))
    return CellValue(plain(text_value(one, value, words)))


def _moment(value: str) -> CellValue:
    moment = datetime.fromtimestamp(parse_utc_date(value) / 1000).astimezone().replace(tzinfo=None)
    return CellValue(moment, TIME_FORMAT) if moment.year >= FIRST_YEAR else CellValue(moment.isoformat(" "))


def text_value(one: Field, value: Any, words: Glossary) -> str:  # noqa: PLR0911  # one way for each kind
    """The words of a value that is no number and no time."""
    match one.kind:
        case FieldKind.CHOICE:
            return _choice(one, value, words)
        case FieldKind.MULTI_CHOICE:
            return words.joint.join(_choice(one, held, words) for held in value)
        case FieldKind.PERSON:
            return words.names.person(value)
        case FieldKind.PERSONS:
            return words.joint.join(words.names.person(held) for held in value)
        case FieldKind.DEPARTMENT:
            return words.names.department(value)
        case FieldKind.DEPARTMENTS:
            return words.joint.join(words.names.department(held) for held in value)
        case FieldKind.REFERENCE:
            return _title(one, value, words)
        case FieldKind.REFERENCES:
            return words.joint.join(_title(one, held, words) for held in value)
        case FieldKind.FILES:
            return words.joint.join(str(held["name"]) for held in value)
        case FieldKind.AUDIENCE:
            keys = [words.names.department(k) for k in value.get("departmentIds", ())]
            people = [words.names.person(k) for k in value.get("personIds", ())]
            return words.joint.join([*keys, *people, *value.get("roles", ())]) or "*"
    return str(value)


def _choice(one: Field, value: Any, words: Glossary) -> str:
    return next((words.label(choice.label) for choice in one.choices if choice.value == value), str(value))


def _title(one: Field, value: str, words: Glossary) -> str:
    titles = words.titles.get(one.target or "")
    return titles.words(value) if titles is not None else value


def plain(text: str) -> str:
    """A text as a spreadsheet can hold it: no control characters, one kind of line end, not too long."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    return ILLEGAL_CHARACTERS_RE.sub("", whole)[:LONGEST]


class WorkbookWriter:
    """One workbook. `add` records, then `save`; `discard` where it is given up."""

    def __init__(self, title: str, fields: Sequence[Field], words: Glossary, row_label: str) -> None:
        self.words = words
        self.columns = columns_of(fields)
        self._lines = [one for one in fields if one.kind is FieldKind.LINES]
        self._book = Workbook(write_only=True)
        self._row = 0
        taken: set[str] = set()
        heads = [words.label(column.label) for column in self.columns]
        if self._lines:
            heads.insert(0, row_label)
        self._sheet = self._make_sheet(title, heads, taken)
        self._line_sheets = {
            one.name: self._make_sheet(
                words.label(one.label), [row_label, *(words.label(c.label) for c in columns_of(one.fields))], taken
            )
            for one in self._lines
        }

    def _make_sheet(self, title: str, heads: Sequence[str], taken: set[str]) -> Any:
        sheet = self._book.create_sheet(sheet_title(title, taken))
        sheet.freeze_panes = "A2"
        for number, head in enumerate(heads, 1):
            sheet.column_dimensions[get_column_letter(number)].width = min(40, max(12, 2 * len(head) + 4))
        cells = [self._text_cell(sheet, head) for head in heads]
        for cell in cells:
            cell.font = Font(bold=True)
            cell.fill = PatternFill("solid", start_color="FFE8F0FE")  # not a color of the screen
        sheet.append(cells)
        return sheet

    @staticmethod
    def _text_cell(sheet: Any, text: str) -> Any:
        cell = WriteOnlyCell(sheet, plain(text))
        cell.data_type = "s"
        return cell

    def _cell(self, sheet: Any, one: Field, value: Any) -> Any:
        made = cell_value(one, value, self.words)
        if made.value is None:
            return None
        if isinstance(made.value, str):
            return self._text_cell(sheet, made.value)
        cell = WriteOnlyCell(sheet, made.value)
        if made.format:
            cell.number_format = made.format
        return cell

    def add(self, records: Iterable[Record]) -> None:
        """The next rows."""
        for record in records:
            self._row += 1
            cells = [self._cell(self._sheet, column.field, part_of(record, column)) for column in self.columns]
            if self._lines:
                cells.insert(0, self._row)
            self._sheet.append(cells)
            for one in self._lines:
                self._add_lines(one, record.data.get(one.name))

    def _add_lines(self, one: Field, lines: Any) -> None:
        sheet = self._line_sheets[one.name]
        for line in lines if isinstance(lines, list) else ():
            held = line if isinstance(line, dict) else {}
            cells = [self._cell(sheet, c.field, _part(held.get(c.name), c.part)) for c in columns_of(one.fields)]
            sheet.append([self._row, *cells])

    def save_into(self, target: IO[bytes]) -> None:
        """Writes the workbook into a stream; nothing more can be added."""
        self._book.save(target)

    def save(self, path: Path) -> None:
        """Puts the file in place.

        Raises:
            OSError: it can't be written there.
        """
        draft = path.with_name(f".{path.name}.part")
        try:
            self._book.save(draft)
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    def discard(self) -> None:
        """Gives it up: what was gathered on disk goes."""
        self.save_into(
            io.BytesIO()
        )  # openpyxl keeps rows in files of its own until it saves; there is no other way to be rid of them


def part_of(record: Record, column: Column) -> Any:
    """The value of a column in a record."""
    return _part(value_of(record, column.name), column.part)


def _part(value: Any, part: str) -> Any:
    if not part:
        return value
    return value.get(part) if isinstance(value, dict) else None


def sheet_title(title: str, taken: set[str]) -> str:
    """A title that a spreadsheet takes: no signs of paths, 31 characters, not twice."""
    clean = "".join(" " if sign in "[]:*?/\\'" else sign for sign in plain(title)).strip()[:28] or "Sheet"
    made, number = clean, 1
    while made.casefold() in taken:
        number += 1
        made = f"{clean} {number}"
    taken.add(made.casefold())
    return made


__all__ = ["END", "START", "CellValue", "Glossary", "WorkbookWriter", "cell_value", "part_of", "sheet_title"]
