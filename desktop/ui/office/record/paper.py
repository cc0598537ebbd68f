"""The printed sheet of a record: a fixed form with its rows, its lines and its note, as the type lays it out; on paper or as PDF.

Drawn black on white whatever the theme is. A type without a layout is printed field by field.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QBrush,
    QFont,
    QPagedPaintDevice,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QPen,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableFormat,
)

from desktop.core.domain.definition import Field, FieldKind, TypeDefinition
from desktop.core.domain.records import Record
from desktop.models.record_form import parts_of
from desktop.models.record_lines import NUMERIC
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.office.record.page_ends import tables_of
from desktop.ui.office.record.pdf_words import readable, same_glyphs
from desktop.ui.office.safe_html import safe_html
from desktop.ui.office.views.base import ViewContext, field_of, value_of
from desktop.ui.office.views.cells import Words, cell_text

DOTS_PER_INCH: Final = 300
MARGIN_MM: Final = 16.0
TITLE_POINTS, TEXT_POINTS, FOOT_POINTS = 18.0, 10.5, 8.0
FOOT_SHARE: Final = 0.04
SCREEN_DOTS: Final = 96
"""Per inch: what lengths of text tables are given in."""
FEATURES_OFF: Final = ("locl",)
"""Qt's PDF forgets what a glyph stands for that only the local forms of a font lead to: digits beside letters could not be copied or searched."""
LABEL_SHARE: Final = 0.42
"""Width of a name against the value beside it."""


class Sheet:
    """Lays out the sheets of one type. `titles`: (type, id) → what referenced records are called."""

    def __init__(self, context: ViewContext, definition: TypeDefinition, titles: Mapping[tuple[str, str], str]) -> None:
        self._context, self._definition = context, definition
        self._words = Words(context.language, context.name_of, lambda name, key: titles.get((name, key), ""))

    # ---- what stands where
    def rows(self, record: Record) -> list[list[Field]]:
        """The fields side by side, row by row."""
        paper = self._definition.paper
        if paper is not None:
            found = [[field_of(self._definition, name) for name in names] for names in paper.rows]
            return [[one for one in line if one is not None] for line in found]
        listed = [one for part in parts_of(self._definition) for one in part.fields]
        return [
            [one] for one in listed if one.kind is not FieldKind.LINES and value_of(record, one.name) not in (None, "")
        ]

    def lines_field(self) -> Field | None:
        """The field whose lines are printed below the rows."""
        paper = self._definition.paper
        if paper is not None:
            return self._definition.field(paper.lines) if paper.lines else None
        return next((one for one in self._definition.fields if one.kind is FieldKind.LINES), None)

    @property
    def orientation(self) -> QPageLayout.Orientation:
        """Upright or lying."""
        paper = self._definition.paper
        lying = paper is not None and paper.orientation == "landscape"
        return QPageLayout.Orientation.Landscape if lying else QPageLayout.Orientation.Portrait

    # ---- drawing
    def document(self, record: Record, device: QPagedPaintDevice) -> QTextDocument:
        """The sheet as a text document, as wide as the device's page."""
        document = QTextDocument()
        document.documentLayout().setPaintDevice(device)
        document.setDefaultFont(sheet_font(TEXT_POINTS))
        document.setDocumentMargin(0)
        cursor = QTextCursor(document)
        cursor.beginEditBlock()  # laid out once, not after each cell
        paper = self._definition.paper
        title = self._context.label(paper.title if paper is not None else self._definition.label)
        self._line(cursor, title, sheet_font(TITLE_POINTS, bold=True), Qt.AlignmentFlag.AlignHCenter, after=10)
        rows = [row for row in self.rows(record) if row]
        if rows:
            self._form(cursor, rows, record)
        lines = self.lines_field()
        held = value_of(record, lines.name) if lines is not None else None
        if lines is not None and isinstance(held, list) and held:
            self._lines(cursor, lines, held)
        if paper is not None and paper.note is not None:
            note = self._context.label(paper.note)
            self._line(cursor, note, sheet_font(TEXT_POINTS), Qt.AlignmentFlag.AlignLeft, before=8)
        cursor.endEditBlock()
        return document

    def _line(
        self,
        cursor: QTextCursor,
        text: str,
        font: QFont,
        side: Qt.AlignmentFlag,
        *,
        before: float = 0,
        after: float = 0,
    ) -> None:
        block = QTextBlockFormat()
        block.setAlignment(side)
        block.setTopMargin(before)
        block.setBottomMargin(after)
        letters = _letters(font)
        if cursor.document().isEmpty():
            cursor.setBlockFormat(block)
        else:
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertBlock(block)
        cursor.insertText(text, letters)

    def _table(self, cursor: QTextCursor, rows: int, shares: Sequence[float], *, before: float = 0) -> QTextTable:
        look = QTextTableFormat()
        look.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        look.setBorderBrush(QBrush(Qt.GlobalColor.black))
        look.setBorder(1)
        look.setBorderCollapse(True)
        look.setCellPadding(6)
        look.setCellSpacing(0)
        look.setTopMargin(before)
        look.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        total = sum(shares)
        look.setColumnWidthConstraints(
            [QTextLength(QTextLength.Type.PercentageLength, 100 * share / total) for share in shares]
        )
        cursor.movePosition(QTextCursor.MoveOperation.End)
        plain = QTextBlockFormat()
        cursor.insertBlock(plain)
        return cursor.insertTable(rows, len(shares), look)

    def _form(self, cursor: QTextCursor, rows: Sequence[Sequence[Field]], record: Record) -> None:
        most = max(len(row) for row in rows)
        table = self._table(cursor, len(rows), [LABEL_SHARE, 1.0] * most)
        for number, row in enumerate(rows):
            place = 0
            for index, one in enumerate(row):
                last = index == len(row) - 1
                width = 2 * most - place if last else 2 * (most // len(row))
                name, value = place, place + 1
                if width > 2:
                    table.mergeCells(number, value, 1, width - 1)
                self._cell(table, number, name, self._context.label(one.label), bold=False, middle=True)
                asked = self._context.belongs(one, record)  # what is not asked of this record has no value, not even 0
                self._value(table, number, value, one, value_of(record, one.name) if asked else None)
                place += width

    def _cell(
        self,
        table: QTextTable,
        row: int,
        column: int,
        text: str,
        *,
        bold: bool,
        middle: bool = False,
        right: bool = False,
    ) -> None:
        cursor = table.cellAt(row, column).firstCursorPosition()
        block = QTextBlockFormat()
        side = (
            Qt.AlignmentFlag.AlignRight
            if right
            else Qt.AlignmentFlag.AlignHCenter
            if middle
            else Qt.AlignmentFlag.AlignLeft
        )
        block.setAlignment(side)
        cursor.setBlockFormat(block)
        cursor.insertText(text, _letters(sheet_font(TEXT_POINTS, bold=bold)))

    def _value(self, table: QTextTable, row: int, column: int, one: Field, value: Any) -> None:
        if one.kind is FieldKind.RICH_TEXT and isinstance(value, str):
            table.cellAt(row, column).firstCursorPosition().insertHtml(safe_html(value))
            return
        text = str(value or "") if one.kind is FieldKind.LONG_TEXT else cell_text(one, value, self._words)
        self._cell(table, row, column, text, bold=False)

    def _lines(self, cursor: QTextCursor, field: Field, lines: Sequence[Any]) -> None:
        columns = field.fields
        sums = [one for one in columns if one.kind in NUMERIC and one.formula]
        shares = [0.5, *(0.8 if one.kind in NUMERIC else 1.3 for one in columns)]
        table = self._table(cursor, 1 + len(lines) + bool(sums), shares, before=10)
        look = table.format()
        look.setHeaderRowCount(1)  # stands on every page
        table.setFormat(look)
        for number, one in enumerate(columns, 1):
            unit = f" ({self._context.label(one.unit)})" if one.unit else ""
            self._cell(table, 0, number, self._context.label(one.label) + unit, bold=True, middle=True)
        self._cell(table, 0, 0, tr("office_record.paper.number"), bold=True, middle=True)
        for row, line in enumerate(lines, 1):
            self._cell(table, row, 0, str(row), bold=False, middle=True)
            for number, one in enumerate(columns, 1):
                held = line.get(one.name) if isinstance(line, dict) else None
                self._cell(table, row, number, cell_text(one, held, self._words), bold=False, right=one.kind in NUMERIC)
        if sums:
            self._sums(table, len(lines) + 1, columns, lines)

    def _sums(self, table: QTextTable, row: int, columns: Sequence[Field], lines: Sequence[Any]) -> None:
        self._cell(table, row, 0, tr("office_record.paper.total"), bold=True, middle=True)
        for number, one in enumerate(columns, 1):
            if one.kind in NUMERIC and one.formula:
                held = (line.get(one.name) for line in lines if isinstance(line, dict))
                total = sum((Decimal(str(value)) for value in held if value is not None), Decimal(0))
                value = f"{total:.2f}" if one.kind is FieldKind.MONEY else float(total)
                self._cell(table, row, number, cell_text(one, value, self._words), bold=True, right=True)


def sheet_font(points: float, *, bold: bool = False) -> QFont:
    """The font of sheets, in points whatever the screen's scale is."""
    made = theme.font("base", bold=bold)
    made.setPointSizeF(points)  # takes the place of the pixels of the screen
    for feature in FEATURES_OFF:
        made.setFeature(QFont.Tag(feature), 0)
    return made


def _letters(font: QFont) -> QTextCharFormat:
    look = QTextCharFormat()
    look.setFont(font)
    look.setForeground(QBrush(Qt.GlobalColor.black))
    return look


# ------------------------------------------------------------ onto a device
async def load_titles(context: ViewContext, records: Sequence[Record]) -> dict[tuple[str, str], str]:
    """What the records referred to are called. Raises AppError."""
    wanted: dict[str, set[str]] = {}
    for record in records:
        definition = context.type_of(record.type)
        for one in definition.fields if definition is not None else ():
            _collect(one, record.data.get(one.name), wanted)
    found: dict[tuple[str, str], str] = {}
    for type_name, ids in wanted.items():
        titles = await context.records.titles(type_name, sorted(ids))
        found |= {(type_name, key): title for key, title in titles.items()}
    return found


def _collect(one: Field, value: Any, wanted: dict[str, set[str]]) -> None:
    if one.kind in (FieldKind.REFERENCE, FieldKind.REFERENCES) and one.target:
        keys = value if isinstance(value, list) else [value]
        wanted.setdefault(one.target, set()).update(key for key in keys if isinstance(key, str))
    elif one.kind in (FieldKind.LINES, FieldKind.OBJECT):
        for line in value if isinstance(value, list) else [value]:
            for inner in one.fields if isinstance(line, dict) else ():
                _collect(inner, line.get(inner.name), wanted)


def set_page(device: QPagedPaintDevice, orientation: QPageLayout.Orientation) -> None:
    """A4 with our margins."""
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    layout = QPageLayout(QPageSize(QPageSize.PageSizeId.A4), orientation, margins, QPageLayout.Unit.Millimeter)
    device.setPageLayout(layout)


async def paint_records(device: QPagedPaintDevice, context: ViewContext, records: Sequence[Record]) -> bool:
    """Paints a sheet for each record, each from a new page on; False when the device would not begin. Raises AppError."""
    titles = await load_titles(context, records)
    sheets = {
        name: Sheet(context, definition, titles)
        for name in {record.type for record in records}
        if (definition := context.type_of(name)) is not None
    }
    known = [record for record in records if record.type in sheets]
    if not known:
        return False
    set_page(device, sheets[known[0].type].orientation)
    painter = QPainter()
    if not painter.begin(device):
        return False
    try:
        for number, record in enumerate(known):
            sheet = sheets[record.type]
            if number > 0:
                set_page(device, sheet.orientation)
                device.newPage()
            _paint(painter, device, sheet.document(record, device), context)
            await asyncio.sleep(0)  # a hundred sheets must not hold the screen
    finally:
        painter.end()
    return True


def _paint(painter: QPainter, device: QPagedPaintDevice, document: QTextDocument, context: ViewContext) -> None:
    room = QSizeF(device.width(), device.height())
    foot = room.height() * FOOT_SHARE
    page = QSizeF(room.width(), room.height() - foot)
    document.setPageSize(page)
    count = document.pageCount()
    tables = tables_of(document) if count > 1 else []
    for number in range(count):
        if number > 0:
            device.newPage()
        painter.save()
        painter.translate(0, -number * page.height())
        top = number * page.height()
        ends = [(one, end) for one in tables if (end := one.end_on(top, top + page.height())) is not None]
        lowest = max((end for _, end in ends), default=top + page.height())
        document.drawContents(painter, QRectF(0, top, page.width(), lowest - top))
        line = 1.4 * device.logicalDpiX() / SCREEN_DOTS  # as thick as the other lines of a table, which lie on its edge
        painter.setPen(QPen(Qt.GlobalColor.black, line, c=Qt.PenCapStyle.FlatCap))
        for one, end in ends:
            painter.drawLine(
                QPointF(one.left - one.inset - line / 2, end), QPointF(one.right + one.inset + line / 2, end)
            )
        painter.restore()
        painter.setFont(sheet_font(FOOT_POINTS))
        painter.setPen(Qt.GlobalColor.black)
        place = QRectF(0, page.height(), page.width(), foot)
        by = tr("office_record.paper.printed", name=context.me.name, time=when.date_time(context.now_ms()))
        painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom), by)
        pages = tr("office_record.paper.page", page=number + 1, pages=count)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom), pages)


async def pdf_of(context: ViewContext, records: Sequence[Record], title: str = "") -> bytes:
    """The sheets as a PDF. Raises AppError."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(DOTS_PER_INCH)
    writer.setTitle(title)
    writer.setCreator(tr("app.name"))
    await paint_records(writer, context, records)
    del writer  # the file ends with its writer
    data = bytes(buffer.data().data())
    buffer.close()
    return readable(data, same_glyphs(sheet_font(TEXT_POINTS)))


def pdf_of_document(
    context: ViewContext,
    draw: Callable[[QPagedPaintDevice], QTextDocument],
    title: str = "",
    *,
    orientation: QPageLayout.Orientation = QPageLayout.Orientation.Portrait,
) -> bytes:
    """One document as a PDF: for sheets that are not one record's. `draw` lays it out for the device's page."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(DOTS_PER_INCH)
    writer.setTitle(title)
    writer.setCreator(tr("app.name"))
    set_page(writer, orientation)
    painter = QPainter()
    if painter.begin(writer):
        try:
            _paint(painter, writer, draw(writer), context)
        finally:
            painter.end()
    del writer  # the file ends with its writer
    data = bytes(buffer.data().data())
    buffer.close()
    return readable(data, same_glyphs(sheet_font(TEXT_POINTS)))


def file_name(title: str) -> str:
    """A PDF's name that every system takes."""
    plain = "".join("_" if sign in '<>:"/\\|?*' or ord(sign) < 32 else sign for sign in title).strip(" .")
    return f"{plain[:80] or 'tongban'}.pdf"


def write_file(target: Path, data: bytes) -> None:
    """Writes beside the target first: a full disk leaves no half file under its name. Raises OSError."""
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(data)
    part.replace(target)
