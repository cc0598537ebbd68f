"""The process that sets one paper: standard input in, PDF out. Run by press.py with `python -I`; imports nothing else of this project.

Reads JSON {root, folders, faces: {role: [official, fallback]}, rest, doc, stamp, files: {key: base64}}; writes one line of JSON {pages, rows, fonts, seals},
then the PDF. Files of annexes are anybody's: their pages are drawn into the rooms the templates keep for them. Exit code 3: one is not taken.
"""

import base64
import io
import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typst

if TYPE_CHECKING:
    from pypdf import PageObject

MEMORY = 1_500_000_000
CPU_SECONDS = 30
WAYS = ((22, "false"), (21, "false"), (20, "false"), (23, "false"), (22, "true"))
"""(lines a page, whether the last paragraph begins a page): the first one, unless the signature would stand alone on its page."""

REFUSED = 3
MAX_PAGES = 300
MAX_PIXELS = 60_000_000
PICTURE_DPI = 96
"""A picture is no larger on paper than at this."""


def _limit() -> None:
    try:
        import resource  # not on Windows: there only the time limit holds
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def choose_faces(faces: dict[str, list[list[str]]], families: set[str]) -> dict[str, dict[str, Any]]:
    """Role → {family, weight, official}: the first official face there is, else the first open one; an open title is bold."""
    chosen: dict[str, dict[str, Any]] = {}
    for role, (official, fallback) in faces.items():
        true = next((one for one in official if one in families), None)
        found = true or next((one for one in fallback if one in families), fallback[0])
        weight = "bold" if role == "title" and true is None else "regular"
        chosen[role] = {"family": found, "weight": weight, "official": true is not None}
    return chosen


def _lonely(compiler: typst.Compiler, inputs: dict[str, str]) -> bool:
    """Whether the signature stands on a page without a line of the body: the standard (7.3.5.5) then changes the distance of lines."""
    compiler.compile(format="pdf", sys_inputs=inputs)
    stands = json.loads(compiler.query("<stands>", field="value"))
    pages = {one["what"]: one["page"] for one in stands}
    return bool(pages.get("signature", 0) > pages.get("body", 0))


def _set(compiler: typst.Compiler, inputs: dict[str, str], stamp: int) -> tuple[Any, dict[str, Any]]:
    pdf = compiler.compile(format="pdf", sys_inputs=inputs, timestamp=stamp, pdf_standards="a-2b")
    pages = json.loads(compiler.query("<paper>", field="value", one=True))["pages"]
    return pdf, {"pages": pages, "seals": json.loads(compiler.query("<seal>", field="value"))}


def _refuse(why: str) -> NoReturn:
    sys.stderr.write(why)
    sys.exit(REFUSED)


def _picture_pages(data: bytes, name: str) -> bytes:
    """A picture, or each page of a scan, as a PDF page."""
    from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "TIFF", "BMP")) as image:
            frames = []
            for frame in ImageSequence.Iterator(image):
                upright = ImageOps.exif_transpose(frame).convert("RGBA")
                ground = Image.new("RGB", upright.size, "white")
                ground.paste(upright, mask=upright.getchannel("A"))
                frames.append(ground)
                if len(frames) > MAX_PAGES:
                    _refuse(f"{name}: 超过 {MAX_PAGES} 页")
            made = io.BytesIO()
            frames[0].save(made, "PDF", save_all=True, append_images=frames[1:], resolution=PICTURE_DPI, quality=92)
            return made.getvalue()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        _refuse(f"{name}: 不是可以排印的图片")


def _pages_of(data: bytes, name: str) -> "list[PageObject]":
    """The pages of a PDF, upright. What can be clicked or filled in is not printed."""
    from pypdf import PdfReader, PdfWriter
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            _refuse(f"{name}: 文件已加密，不能排入")
        pages = list(PdfWriter(clone_from=reader).pages)
        if not 1 <= len(pages) <= MAX_PAGES:
            _refuse(f"{name}: 没有页面，或超过 {MAX_PAGES} 页")
        for page in pages:
            page.pop("/Annots", None)
            page.transfer_rotation_to_content()
        return pages
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError, OSError):
        _refuse(f"{name}: 不是可以排印的 PDF")


def _open_files(doc: dict[str, Any], files: dict[str, str]) -> "dict[str, list[PageObject]]":
    """Pages of each annex that is a file; the document is told how many."""
    found: dict[str, list[PageObject]] = {}
    for number, annex in enumerate(doc["annexes"], 1):
        annex["pages"] = 0
        if not annex["file"]:
            continue
        data, name = base64.b64decode(files.get(annex["file"], "")), f"{annex['mark']}（第 {number} 件）"
        pages = _pages_of(_picture_pages(data, name) if annex["media"] == "picture" else data, name)
        found[str(number - 1)] = pages
        annex["pages"] = len(pages)
    if sum(len(one) for one in found.values()) > MAX_PAGES:
        _refuse(f"附件合计超过 {MAX_PAGES} 页，请改为另附")
    return found


def _bind(pdf: bytes, rooms: list[dict[str, Any]], pages: "dict[str, list[PageObject]]") -> bytes:
    """Draw the pages of the files into their rooms: whole, in the middle, never larger than they are."""
    from pypdf import PdfReader, PdfWriter, Transformation
    from pypdf.errors import PyPdfError
    from pypdf.generic import NameObject

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    for room in rooms:
        page, target = pages[str(room["annex"])][room["sheet"]], writer.pages[room["page"] - 1]
        box, high = page.cropbox, float(target.mediabox.height)
        width, height = max(float(box.width), 1.0), max(float(box.height), 1.0)
        scale = min(room["width"] / width, room["height"] / height, 1.0)
        left = room["x"] + (room["width"] - width * scale) / 2
        bottom = high - room["y"] - height * scale
        move = Transformation().translate(-float(box.left), -float(box.bottom)).scale(scale).translate(left, bottom)
        try:
            target.merge_transformed_page(page, move, over=True)
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError):
            _refuse(f"附件第 {room['sheet'] + 1} 页不能排入")
    for name in (
        "/Metadata",
        "/StructTreeRoot",
        "/MarkInfo",
    ):  # it says PDF/A and has a tree of tags, which hold no more
        writer.root_object.pop(NameObject(name), None)
    writer.compress_identical_objects()  # what is not referred to goes
    writer.pdf_header = "%PDF-1.7"
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def main() -> None:
    """Set the paper on standard input; exit code 1 with the compiler's words on standard error when it cannot be."""
    _limit()
    job = json.load(sys.stdin.buffer)
    pages = _open_files(job["doc"], job["files"])
    fonts = typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=job["folders"])
    families = set(fonts.families())
    chosen = choose_faces(job["faces"], families)
    rest = [one for one in job["rest"] if one in families]
    inputs = {
        "doc": json.dumps(job["doc"], ensure_ascii=False),
        "fonts": json.dumps({**chosen, "rest": rest}, ensure_ascii=False),
    }
    compiler = typst.Compiler(f"{job['root']}/main.typ", root=job["root"], font_paths=fonts)
    try:
        ways = ({**inputs, "rows": str(rows), "keep": keep} for rows, keep in WAYS)
        way = next((one for one in ways if not _lonely(compiler, one)), None)
        if way is None:
            way = {**inputs, "rows": "22", "keep": "false"}
            _lonely(compiler, way)
        if job["doc"]["duplex"] and any(page % 2 for page in json.loads(compiler.query("<record>", field="value"))):
            way = {**way, "back": "true"}
        pdf, facts = _set(compiler, way, job["stamp"])
        rooms = json.loads(compiler.query("<room>", field="value")) if pages else []
    except typst.TypstError as problem:
        sys.stderr.write(str(problem)[:2000])
        sys.exit(1)
    assert isinstance(pdf, bytes)
    made = _bind(pdf, rooms, pages) if pages else pdf
    head = {**facts, "rows": int(way["rows"]), "fonts": chosen}
    sys.stdout.buffer.write(json.dumps(head, ensure_ascii=False).encode() + b"\n" + made)


if __name__ == "__main__":
    main()
