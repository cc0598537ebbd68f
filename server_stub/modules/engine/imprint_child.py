"""The process that lays seals onto one PDF: standard input in, PDF out. Run by imprint.py with `python -I`; imports nothing else of this project.

Reads a line of JSON {marks: [{page, x, y, side, png}]}, then the PDF; what is refused is said in one line on standard error, exit code 1.
"""

import base64
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import typst
from PIL import Image, UnidentifiedImageError
from pypdf import PdfReader, PdfWriter, Transformation
from pypdf.errors import PyPdfError

MEMORY = 2_000_000_000
CPU_SECONDS = 50
MAX_SIDE = 4_000


def _limit() -> None:
    try:
        import resource  # not on Windows: there only the time limit holds
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def _picture(data: bytes) -> bytes:
    """The picture written anew: what typst reads is our own PNG."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if max(image.size) > MAX_SIDE:
                _refuse("the picture of a seal is too large")
            made = io.BytesIO()
            image.convert("RGBA").save(made, "PNG")
            return made.getvalue()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        _refuse("the picture of a seal is no PNG")


def _overlay(folder: Path, width: float, height: float, marks: list[dict[str, Any]]) -> Any:
    """A transparent page with the seals of one page."""
    lines = [f"#set page(width: {width}pt, height: {height}pt, margin: 0pt, fill: none)"]
    for number, mark in enumerate(marks):
        (folder / f"{number}.png").write_bytes(_picture(base64.b64decode(mark["png"])))
        x, y, side = float(mark["x"]), float(mark["y"]), float(mark["side"])
        lines.append(f'#place(top + left, dx: {x}pt, dy: {y}pt, image("{number}.png", width: {side}pt))')
    (folder / "overlay.typ").write_text("\n".join(lines), encoding="utf-8")
    made = typst.compile(str(folder / "overlay.typ"), root=str(folder), timestamp=0)
    assert isinstance(made, bytes)
    return PdfReader(io.BytesIO(made)).pages[0]


def _lay(writer: PdfWriter, marks: list[dict[str, Any]]) -> None:
    for number in sorted({int(mark["page"]) for mark in marks}):
        if not 1 <= number <= len(writer.pages):
            _refuse(f"there is no page {number}")
        page = writer.pages[number - 1]
        page.transfer_rotation_to_content()
        box = page.cropbox
        of_page = [mark for mark in marks if mark["page"] == number]
        with tempfile.TemporaryDirectory() as folder:
            overlay = _overlay(Path(folder), float(box.width), float(box.height), of_page)
        move = Transformation().translate(float(box.left), float(box.bottom))
        page.merge_transformed_page(overlay, move, over=True)


def _refuse(why: str) -> NoReturn:
    sys.stderr.write(why)
    sys.exit(1)


def main() -> None:
    """Lay the seals."""
    _limit()
    line, _, pdf = sys.stdin.buffer.read().partition(b"\n")
    marks = json.loads(line)["marks"]
    try:
        reader = PdfReader(io.BytesIO(pdf), strict=False)
        if reader.is_encrypted:
            _refuse("the file is encrypted")
        writer = PdfWriter(clone_from=reader)
        _lay(writer, marks)
        made = io.BytesIO()
        writer.write(made)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError, OSError):
        _refuse("the file is no PDF that can be sealed")
    sys.stdout.buffer.write(made.getvalue())


if __name__ == "__main__":
    main()
