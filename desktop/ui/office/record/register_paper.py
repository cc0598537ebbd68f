"""A register on paper: the rows of a table of one year, on A4 lying, its head on every page, pages counted. Black on white whatever the theme is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QPagedPaintDevice, QPageLayout, QTextCursor, QTextDocument

from desktop.core.clock import utc_date
from desktop.core.domain.definition import Field, FieldKind, TypeDefinition, View
from desktop.core.domain.records import Record, RecordQuery
from desktop.models.record_lines import NUMERIC
from desktop.models.record_values import local_ms
from desktop.ui.i18n import tr
from desktop.ui.office.record.paper import TEXT_POINTS, TITLE_POINTS, Sheet, load_titles, pdf_of_document, sheet_font
from desktop.ui.office.views.base import ViewContext, all_of, value_of
from desktop.ui.office.views.cells import cell_text

CHUNK: Final = 500
MOST: Final = 20_000
"""Rows of one register; more are no sheet to be read."""
NARROWEST, WIDEST = 2.0, 26.0
"""A column's text, in characters."""
AROUND: Final = 1.0
"""Beside the text of a cell, in characters."""
NAME_WIDTH: Final = 4.0
"""A person's name of up to so many characters stays on one line."""
POINTS_PER_INCH: Final = 72
_UNBROKEN: Final = re.compile(r"[!-~]+")
"""What is not to be cut in two: numbers, dates, words."""
SAMPLE: Final = 400
"""Rows looked at for the width of columns."""


@dataclass(frozen=True, slots=True)
class Register:
    """What is printed: a tab that is a register, of one year or (None) of all."""

    view: View
    year: int | None
    condition: Mapping[str, Any] | None = None

    def wanted(self, definition: TypeDefinition) -> dict[str, Any] | None:
        """The rows of the year."""
        given = dict(self.condition) if self.condition else None
        return all_of((given, year_condition(definition, self.view.register or "", self.year)))

    @property
    def sort(self) -> tuple[str, ...]:
        """A register runs from its first entry to the last, whatever a screen shows first."""
        down = bool(self.view.sort) and self.view.sort[0].startswith("-")
        turned = (one.removeprefix("-") if one.startswith("-") else f"-{one}" for one in self.view.sort)
        return tuple(turned) if down else self.view.sort


def year_condition(definition: TypeDefinition, name: str, year: int | None) -> dict[str, Any] | None:
    """Which records' date lies in a year, as the user's clock counts it."""
    if year is None:
        return None
    field = definition.field(name)
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    if field is not None and field.kind is FieldKind.DATE:
        return {f"{name}After": first.isoformat(), f"{name}Before": after.isoformat()}
    return {f"{name}After": utc_date(local_ms(first)), f"{name}Before": utc_date(local_ms(after))}


async def register_pdf(context: ViewContext, register: Register) -> bytes:
    """The register as a PDF. Raises AppError."""
    definition = context.type_of(register.view.type)
    assert definition is not None
    records = await _rows(context, register, definition)
    sheet = RegisterSheet(context, definition, await load_titles(context, records))
    title = register_title(context, register)

    def draw(device: QPagedPaintDevice) -> QTextDocument:
        return sheet.register(register, title, records, device)

    return pdf_of_document(context, draw, title, orientation=QPageLayout.Orientation.Landscape)


def register_title(context: ViewContext, register: Register) -> str:
    """收文登记簿（2026 年）"""
    name = context.label(register.view.label)
    if register.year is None:
        return tr("office_register.title_all", name=name)
    return tr("office_register.title", name=name, year=str(register.year))


async def _rows(context: ViewContext, register: Register, definition: TypeDefinition) -> list[Record]:
    found: list[Record] = []
    total = 1
    while len(found) < min(total, MOST):
        query = RecordQuery(definition.name, register.wanted(definition), "", register.sort, len(found), CHUNK)
        page = await context.records.page(query)
        if not page.records:
            break
        total = page.total
        found += page.records
    return found


class RegisterSheet(Sheet):
    """Lays out a register as one long table."""

    def register(
        self, register: Register, title: str, records: Sequence[Record], device: QPagedPaintDevice
    ) -> QTextDocument:
        """The table as a text document, as wide as the device's page."""
        document = QTextDocument()
        document.documentLayout().setPaintDevice(device)
        document.setDefaultFont(sheet_font(TEXT_POINTS))
        document.setDocumentMargin(0)
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        self._line(cursor, title, sheet_font(TITLE_POINTS, bold=True), Qt.AlignmentFlag.AlignHCenter, after=6)
        counted = tr("office_register.entries", n=len(records))
        self._line(cursor, counted, sheet_font(TEXT_POINTS), Qt.AlignmentFlag.AlignRight, after=2)
        if records:
            room = device.width() / device.logicalDpiX() * POINTS_PER_INCH / TEXT_POINTS
            self._entries(cursor, self._columns(register.view), records, register.view.totals, room)
        cursor.endEditBlock()
        return document

    def _columns(self, view: View) -> list[Field]:
        found = (self._context.field_of(view.type, name) for name in view.columns)
        return [
            msgspec.structs.replace(one, label=view.labels.get(one.name, one.label)) for one in found if one is not None
        ]

    def _text(self, one: Field, record: Record) -> str:
        return cell_text(one, value_of(record, one.name), self._words) if self._context.belongs(one, record) else ""

    def _entries(
        self,
        cursor: QTextCursor,
        columns: Sequence[Field],
        records: Sequence[Record],
        totals: Sequence[str],
        room: float,
    ) -> None:
        """`room`: the width of the sheet in characters."""
        rows = [[self._text(one, record) for one in columns] for record in records]
        heads = [self._context.label(one.label) for one in columns]
        sums = [str(_sum(records, one)) if one.name in totals else "" for one in columns]
        found = [
            _need(one, head, [row[at] for row in rows])
            for at, (one, head) in enumerate(zip(columns, heads, strict=True))
        ]
        counter = _Need(NARROWEST + AROUND, NARROWEST + AROUND)
        table = self._table(cursor, 1 + len(rows) + any(sums), shares_of([counter, *found], room))
        look = table.format()
        look.setHeaderRowCount(1)  # stands on every page
        look.setCellPadding(4)
        table.setFormat(look)
        for place, head in enumerate([tr("office_record.paper.number"), *heads]):
            self._cell(table, 0, place, head, bold=True, middle=True)
        for number, row in enumerate(rows, 1):
            self._cell(table, number, 0, str(number), bold=False, middle=True)
            for place, (one, text) in enumerate(zip(columns, row, strict=True), 1):
                self._cell(table, number, place, text, bold=False, right=one.kind in NUMERIC)
        if any(sums):
            self._cell(table, len(rows) + 1, 0, tr("office_record.paper.total"), bold=True, middle=True)
            for place, text in enumerate(sums, 1):
                self._cell(table, len(rows) + 1, place, text, bold=True, right=True)


def _sum(records: Sequence[Record], one: Field) -> int | float:
    held = (record.data.get(one.name) for record in records)
    total = sum(float(value) for value in held if isinstance(value, int | float | str) and value != "")
    return int(total) if total == int(total) else round(total, one.decimals or 2)


@dataclass(frozen=True, slots=True)
class _Need:
    """What a column needs, in characters: so that no word, date or name breaks, and so that nearly all entries stand on one line."""

    least: float
    whole: float


def _need(one: Field, head: str, texts: Sequence[str]) -> _Need:
    texts = texts[:SAMPLE]
    widths = sorted(_width(text) for text in texts)
    whole = min(max(widths[int(len(widths) * 0.9)] if widths else 0.0, _width(head), NARROWEST), WIDEST)
    words = [_width(word) for text in (head, *texts) for word in _UNBROKEN.findall(text)]
    if one.kind in (FieldKind.PERSON, FieldKind.PERSONS):
        words += [min(_width(name), NAME_WIDTH) for text in texts for name in text.split("、")]  # not a text
    least = min(max([NARROWEST, *words]), WIDEST / 2)
    return _Need(least + AROUND, max(whole, least) + AROUND)


def shares_of(needs: Sequence[_Need], room: float) -> list[float]:
    """The widths of columns: each what it cannot do without; what is left goes to those whose entries would break into lines."""
    least = [one.least for one in needs]
    more = [one.whole - one.least for one in needs]
    left = room - sum(least)
    if left <= 0 or not any(more):
        return least
    part = left / sum(more)
    if part <= 1:
        return [low + part * rest for low, rest in zip(least, more, strict=True)]
    return [one.whole for one in needs]  # all there is room for; the sheet's width is shared alike


def _width(text: str) -> float:
    return sum(0.56 if sign < "\u2e80" else 1.0 for sign in text)
