"""Small office files made without an office: .xlsx and .docx as the plainest valid packages (ECMA-376), and text files."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TYPES: Final = {
    "xlsx": XLSX,
    "docx": DOCX,
    "txt": "text/plain",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
}
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_WORD: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_EPOCH: Final = (2020, 1, 1, 0, 0, 0)  # the same bytes, and so the same blob, at every start


def type_of(name: str) -> str:
    """The media type of a file name of the demo."""
    return TYPES[name.rpartition(".")[2]]


def make_file(table: Mapping[str, Any], name: str, fill: Any) -> bytes:
    """The content of a file of assets.toml; `fill` puts in the slots."""
    if "rows" in table:
        return make_xlsx([[fill(cell) if isinstance(cell, str) else cell for cell in row] for row in table["rows"]])
    if "paragraphs" in table:
        return make_docx([fill(one) for one in table["paragraphs"]])
    return bytes(fill(table["text"]), "utf-8")


def make_xlsx(rows: Sequence[Sequence[str | float]]) -> bytes:
    """One sheet with a bold first row and columns as wide as their texts."""
    widths = [
        max(len(str(row[index])) * 2 + 2 if index < len(row) else 0 for row in rows) for index in range(len(rows[0]))
    ]
    columns = "".join(
        f'<col min="{i}" max="{i}" width="{min(width, 60)}" customWidth="1"/>' for i, width in enumerate(widths, 1)
    )
    body = "".join(f'<row r="{number}">{_cells(number, row)}</row>' for number, row in enumerate(rows, 1))
    fonts = '<fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/></font></fonts>'
    styles = (
        f'<styleSheet xmlns="{_SHEET}">{fonts}<fills count="1"><fill/></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf fontId="0"/><xf fontId="1" applyFont="1"/></cellXfs></styleSheet>'
    )
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return _package(
        {
            "/xl/workbook.xml": f"{main}.sheet.main+xml",
            "/xl/worksheets/sheet1.xml": f"{main}.worksheet+xml",
            "/xl/styles.xml": f"{main}.styles+xml",
        },
        "xl/workbook.xml",
        {
            "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _relations(
                {"r1": ("worksheet", "worksheets/sheet1.xml"), "r2": ("styles", "styles.xml")}
            ),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEET}"><cols>{columns}</cols><sheetData>{body}</sheetData></worksheet>',
            "xl/styles.xml": styles,
        },
    )


def make_docx(paragraphs: Sequence[str]) -> bytes:
    """A title and paragraphs."""
    title = (
        '<w:p><w:pPr><w:jc w:val="center"/></w:pPr><w:r><w:rPr><w:b/><w:sz w:val="44"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(paragraphs[0])}</w:t></w:r></w:p>'
    )
    rest = "".join(
        '<w:p><w:pPr><w:spacing w:line="560" w:lineRule="exact"/><w:ind w:firstLineChars="200" w:firstLine="640"/></w:pPr>'
        f'<w:r><w:rPr><w:sz w:val="32"/></w:rPr><w:t xml:space="preserve">{escape(one)}</w:t></w:r></w:p>'
        for one in paragraphs[1:]
    )
    page = '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="2098" w:right="1474" w:bottom="1984" w:left="1588"/></w:sectPr>'
    return _package(
        {"/word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"},
        "word/document.xml",
        {"word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{title}{rest}{page}</w:body></w:document>'},
    )


def _cells(number: int, row: Sequence[str | float]) -> str:
    style = ' s="1"' if number == 1 else ""
    cells = []
    for index, value in enumerate(row):
        reference = f"{chr(65 + index)}{number}"
        if isinstance(value, str):
            cells.append(
                f'<c r="{reference}"{style} t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
            )
        else:
            cells.append(f'<c r="{reference}"{style}><v>{value}</v></c>')
    return "".join(cells)


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _package(types: Mapping[str, str], main: str, parts: Mapping[str, str]) -> bytes:
    overrides = "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in types.items())
    defaults = (
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
    )
    content = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{defaults}{overrides}</Types>',
        "_rels/.rels": _relations({"r1": ("officeDocument", main)}),
        **parts,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), _HEAD + text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
