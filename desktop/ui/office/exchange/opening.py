"""Opens a workbook that nobody vouches for: limits on size, on what it unpacks to and on its cells; no formulas, no entities, no links are followed.

Runs on a worker thread; knows no Qt. What comes out are plain values.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, cast
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from desktop.core.errors import AppError

LARGEST_FILE: Final = 20 << 20
LARGEST_UNPACKED: Final = 200 << 20
HIGHEST_RATIO: Final = 200
"""A real workbook packs to a tenth; only a bomb packs to less than a two-hundredth."""
SMALL_PART: Final = 1 << 20
MOST_PARTS: Final = 2000
MOST_SHEETS: Final = 50
MOST_COLUMNS: Final = 200
MOST_ROWS: Final = 10_000
MOST_LINES: Final = 20_000
BLANK_RUN: Final = 200
"""Blank rows in a row after which a sheet is taken to have ended."""
_CHUNK: Final = 1 << 16
_BROKEN: Final = (
    InvalidFileException, zipfile.BadZipFile, zlib.error, ParseError, OSError, EOFError,
    KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError, AssertionError,
)  # fmt: skip
"""What openpyxl and the packing below it raise on files that are damaged; it has no error of its own for them."""
_MARKS: Final = (b"<!DOCTYPE", b"<!ENTITY")


class BadWorkbook(AppError):
    """A workbook that is not taken. Data: reason (office_module.workbook.<reason>), limit."""

    code = "badWorkbook"

    def __init__(self, reason: str, **data: object) -> None:
        super().__init__(reason=reason, **data)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell that holds an error of the spreadsheet: #REF!, #N/A."""

    text: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet's values. heads: of the first row that has any; rows: (number in the sheet, values) of those that are not blank."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Any, ...]], ...]


def open_workbook(path: Path) -> list[Sheet]:
    """Every sheet with a heading.

    Raises:
        BadWorkbook: no workbook, too large, or made to harm.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise BadWorkbook("too_large", limit=LARGEST_FILE >> 20)
        with path.open("rb") as stream:
            return read_sheets(stream)
    except OSError as error:  # gone, or no right to it
        raise BadWorkbook("unreadable") from error


def read_sheets(stream: IO[bytes]) -> list[Sheet]:
    """Every sheet with a heading, of a workbook in a stream. Raises BadWorkbook."""
    _check(stream)
    stream.seek(0)
    try:
        book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except _BROKEN as error:
        raise BadWorkbook("unreadable") from error
    try:
        sheets = [sheet for one in book.worksheets[:MOST_SHEETS] if (sheet := _read(one)) is not None]
    except _BROKEN as error:
        raise BadWorkbook("unreadable") from error
    finally:
        book.close()
    if not sheets:
        raise BadWorkbook("empty")
    return sheets


def _check(stream: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(stream) as packed:
            _check_parts(packed)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError) as error:
        raise BadWorkbook("not_xlsx") from error
    except (*_BROKEN, RuntimeError) as error:  # RuntimeError: with a password
        raise BadWorkbook("unreadable") from error


def _check_parts(packed: zipfile.ZipFile) -> None:
    parts = packed.infolist()
    if "xl/workbook.xml" not in packed.namelist():
        raise BadWorkbook("not_xlsx")
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise BadWorkbook("too_large", limit=LARGEST_UNPACKED >> 20)
    for part in parts:
        if part.flag_bits & 1:
            raise BadWorkbook("locked")
        if part.file_size > SMALL_PART and part.file_size > HIGHEST_RATIO * max(1, part.compress_size):
            raise BadWorkbook("bomb")
    left = LARGEST_UNPACKED
    for part in parts:
        if part.filename.endswith((".xml", ".rels", ".vml")):
            left -= _look_through(packed, part, left)


def _look_through(packed: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """Reads a part to its end, whatever its head says of its size. Answers how long it is."""
    seen, tail = 0, b""
    with packed.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            seen += len(chunk)
            if seen > left:
                raise BadWorkbook("too_large", limit=LARGEST_UNPACKED >> 20)
            window = tail + chunk.replace(b"\0", b"")  # UTF-16 hides the marks behind zeros
            if any(mark in window for mark in _MARKS):
                raise BadWorkbook("entities")
            tail = window[-16:]
    return seen


def _read(sheet: Any) -> Sheet | None:
    """A sheet's values; None where it has no heading. The size it claims is not believed."""
    if not hasattr(sheet, "reset_dimensions"):  # a sheet of charts
        return None
    sheet.reset_dimensions()
    heads: tuple[str, ...] = ()
    rows: list[tuple[int, tuple[Any, ...]]] = []
    blank = 0
    for number, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), 1):
        values = tuple(_value(cell) for cell in islice(cells, MOST_COLUMNS + 1))
        while values and values[-1] is None:
            values = values[:-1]
        if not values:
            blank += 1
            if blank > BLANK_RUN:
                break
            continue
        blank = 0
        if len(values) > MOST_COLUMNS:
            raise BadWorkbook("too_wide", limit=MOST_COLUMNS)
        if not heads:
            heads = tuple("" if value is None else str(value).strip() for value in values)
            continue
        rows.append((number, values))
        if len(rows) > MOST_LINES:
            raise BadWorkbook("too_long", limit=MOST_LINES)
    return Sheet(str(sheet.title), heads, tuple(rows)) if heads else None


def _value(cell: Any) -> Any:
    value = cell.value
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if getattr(cell, "data_type", "") == "e":
        return CellError(cast(str, value))
    return value
