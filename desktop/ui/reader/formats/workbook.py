"""An Excel workbook as grids of texts: read only, values as they were last computed, within limits. No widgets."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import msgspec

from desktop.ui.reader.formats.office_zip import check_office_zip
from desktop.ui.reader.page_source import DocumentProblem

MAX_SHEETS: Final = 60
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 256
MAX_CELLS: Final = 400_000
"""Cells of the whole workbook; what is beyond is left out, and the sheet says so."""
MAX_TEXT: Final = 4000


class Cell(msgspec.Struct, frozen=True):
    """One cell's text; numbers stand on the right."""

    text: str
    number: bool = False


class Sheet(msgspec.Struct, frozen=True):
    """One sheet; rows may be of different lengths. `cut`: there is more than is shown."""

    name: str
    rows: tuple[tuple[Cell | None, ...], ...]
    cut: bool = False

    @property
    def columns(self) -> int:
        """How many columns the longest row has."""
        return max((len(row) for row in self.rows), default=0)


def load_workbook(data: bytes) -> tuple[Sheet, ...]:
    """The sheets people can see. Raises DocumentProblem brokenWorkbook, lockedOffice, tooLargeOffice."""
    check_office_zip(data, "brokenWorkbook")
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        left = MAX_CELLS
        found: list[Sheet] = []
        for sheet in book.worksheets[:MAX_SHEETS]:
            if sheet.sheet_state == "visible":
                made, used = _load_sheet(sheet, left)
                left -= used
                found.append(made)
        book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, SyntaxError):
        raise DocumentProblem("brokenWorkbook") from None  # SyntaxError: what XML parsers raise
    if not found:
        raise DocumentProblem("brokenWorkbook")
    return tuple(found)


def _load_sheet(sheet: Any, left: int) -> tuple[Sheet, int]:
    """A sheet, and how many cells it took. The size a sheet tells of itself is not believed."""
    sheet.reset_dimensions()
    rows: list[tuple[Cell | None, ...]] = []
    used, cut = 0, False
    for row in sheet.iter_rows():
        cells = [_cell(one) for one in row[:MAX_COLUMNS]]
        cut = cut or any(one.value is not None for one in row[MAX_COLUMNS:])
        while cells and cells[-1] is None:
            cells.pop()
        used += len(cells) + 1
        if len(rows) >= MAX_ROWS or used > left:
            cut = True
            break
        rows.append(tuple(cells))
    while rows and not rows[-1]:
        rows.pop()
    return Sheet(sheet.title, tuple(rows), cut), used


def _cell(cell: Any) -> Cell | None:
    value = cell.value
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE")
    if isinstance(value, int | float):
        return Cell(_number(value, str(cell.number_format or "")), number=True)
    if isinstance(value, datetime):
        return Cell(f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}")
    if isinstance(value, date):
        return Cell(value.isoformat())
    if isinstance(value, time):
        return Cell(f"{value:%H:%M}")
    if isinstance(value, timedelta):
        return Cell(str(value))
    return Cell(str(value)[:MAX_TEXT])


def _number(value: float, form: str) -> str:
    """A number in the commonest of Excel's number formats: percent, thousands, fixed places; else as short as it can be."""
    first = form.split(";", maxsplit=1)[0]
    places = len(first.partition(".")[2].rstrip('_) "%').rstrip()) if "." in first else 0
    places = min(places, 10)
    if "%" in first:
        return f"{value * 100:.{places}f}%"
    if first in ("General", "", "@"):
        return f"{value:.15g}"
    comma = "," if "#,##" in first else ""
    if "0" in first:
        return f"{value:{comma}.{places}f}"
    return f"{value:.15g}"
