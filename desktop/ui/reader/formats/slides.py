"""A presentation (pptx) as its slides' texts and pictures, one after the other: what is said, not how it is arranged. No widgets."""

from __future__ import annotations

import posixpath
import zipfile
from html import escape
from typing import Any, Final

from lxml import etree

from desktop.ui.reader.formats.office_zip import check_office_zip
from desktop.ui.reader.formats.rich_text import RichText
from desktop.ui.reader.page_source import DocumentProblem

MAX_SLIDES: Final = 500
MAX_PICTURE: Final = 24 << 20
MAX_PICTURES_BYTES: Final = 128 << 20
_A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P: Final = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def load_slides(data: bytes) -> RichText:
    """The slides in their order, hidden ones left out. Raises DocumentProblem brokenSlides, lockedOffice, tooLargeOffice."""
    package = check_office_zip(data, "brokenSlides")
    root = _xml(package, "ppt/presentation.xml")
    targets = _targets(package, "ppt/presentation.xml")
    if root is None:
        raise DocumentProblem("brokenSlides")
    pictures: dict[str, bytes] = {}
    pieces: list[str] = []
    for one in list(root.iter(f"{_P}sldId"))[:MAX_SLIDES]:
        path = targets.get(one.get(f"{_R}id", ""), "")
        slide = _xml(package, path)
        if slide is not None and slide.get("show") not in ("0", "false"):
            pieces.append(_slide(package, path, slide, len(pieces) + 1, pictures))
    if not pieces:
        raise DocumentProblem("brokenSlides")
    return RichText("<hr>".join(pieces), pictures)


def _slide(package: zipfile.ZipFile, path: str, slide: Any, number: int, pictures: dict[str, bytes]) -> str:
    targets = _targets(package, path)
    title, body = "", []
    for shape in slide.iter(f"{_P}sp", f"{_P}pic", f"{_A}tbl"):
        if shape.tag == f"{_P}pic":
            body.append(_picture(package, targets, shape, pictures))
        elif shape.tag == f"{_A}tbl":
            body.append(_table(shape))
        else:
            holder = next(shape.iter(f"{_P}ph"), None)
            lines = _lines(shape)
            if holder is not None and holder.get("type") in ("title", "ctrTitle") and not title:
                title = " ".join(lines)
            elif holder is None or holder.get("type") not in ("sldNum", "dt", "ftr"):
                body.extend(f"<p>{escape(line)}</p>" for line in lines)
    return f"<h2>{number}. {escape(title)}</h2>{''.join(body)}"


def _lines(shape: Any) -> list[str]:
    texts = ("".join(one.text or "" for one in line.iter(f"{_A}t")) for line in shape.iter(f"{_A}p"))
    return [text for text in texts if text.strip()]


def _table(table: Any) -> str:
    rows = (
        "".join(f"<td>{'<br>'.join(escape(line) for line in _lines(cell))}</td>" for cell in row.iter(f"{_A}tc"))
        for row in table.iter(f"{_A}tr")
    )
    return f'<table border="1" cellspacing="0" cellpadding="4">{"".join(f"<tr>{row}</tr>" for row in rows)}</table>'


def _picture(package: zipfile.ZipFile, targets: dict[str, str], shape: Any, pictures: dict[str, bytes]) -> str:
    blip = next(shape.iter(f"{_A}blip"), None)
    path = targets.get(blip.get(f"{_R}embed", ""), "") if blip is not None else ""
    name = f"part:{path}"
    if name not in pictures:
        found = _read(package, path, MAX_PICTURE)
        if found is None or sum(map(len, pictures.values())) + len(found) > MAX_PICTURES_BYTES:
            return ""
        pictures[name] = found
    return f'<p><img src="{escape(name)}"></p>'


def _targets(package: zipfile.ZipFile, path: str) -> dict[str, str]:
    """The parts a part refers to, by the id of the relation; what lies outside the file is left out."""
    folder, name = posixpath.split(path)
    root = _xml(package, f"{folder}/_rels/{name}.rels")
    if root is None:
        return {}
    return {
        one.get("Id", ""): posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/")
        for one in root
        if isinstance(one.tag, str) and one.get("TargetMode") != "External"
    }


def _xml(package: zipfile.ZipFile, path: str) -> Any:
    data = _read(package, path, MAX_PICTURE)
    if not data:
        return None
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (etree.XMLSyntaxError, ValueError):
        return None


def _read(package: zipfile.ZipFile, path: str, most: int) -> bytes | None:
    try:
        info = package.getinfo(path)
        if info.file_size > most:
            return None
        with package.open(info) as stream:
            return stream.read(most)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError):
        return None
