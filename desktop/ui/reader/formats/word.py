"""A Word document (docx) as HTML: headings, lists, tables, pictures, by mammoth. No widgets."""

from __future__ import annotations

import io
import zipfile
from typing import Any, Final

from desktop.ui.reader.formats.office_zip import check_office_zip
from desktop.ui.reader.formats.rich_text import RichText, clean_html
from desktop.ui.reader.page_source import DocumentProblem

MAX_PICTURES: Final = 400
MAX_PICTURE: Final = 24 << 20
MAX_XML: Final = 12 << 20
"""A text of a million characters takes about 6 MiB; mammoth needs some seconds for it."""
MAX_DEPTH: Final = 200
"""Levels of elements; mammoth goes down by recursion."""
STYLES: Final = """
p[style-name='Title'] => h1:fresh
p[style-name='标题'] => h1:fresh
p[style-name='Subtitle'] => h2:fresh
u => u
"""


def load_word(data: bytes) -> RichText:
    """The document. Raises DocumentProblem brokenWord, lockedOffice, tooLargeOffice."""
    package = check_office_zip(data, "brokenWord", most_xml=MAX_XML)
    _check_parts(package)
    import mammoth

    pictures: dict[str, bytes] = {}

    def keep(image: Any) -> dict[str, str]:
        if len(pictures) >= MAX_PICTURES:
            return {}
        try:
            with image.open() as stream:
                found: bytes = stream.read(MAX_PICTURE + 1)
        except (KeyError, OSError, ValueError, zipfile.BadZipFile):  # a picture that lies elsewhere is not gone after
            return {}
        if len(found) > MAX_PICTURE:
            return {}
        name = f"part:{len(pictures)}"
        pictures[name] = found
        return {"src": name}

    try:
        made = mammoth.convert_to_html(
            io.BytesIO(data),
            convert_image=mammoth.images.img_element(keep),
            style_map=STYLES,
            external_file_access=False,
        )
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, zipfile.BadZipFile, RecursionError):
        raise DocumentProblem("brokenWord") from None
    return RichText(clean_html(made.value), pictures)


def _check_parts(package: zipfile.ZipFile) -> None:
    """mammoth reads XML by minidom, which knows entities: documents have none, so a part that declares any is refused, as is one nested without end."""
    from lxml import etree

    for info in package.infolist():
        if not info.filename.lower().endswith((".xml", ".rels")):
            continue
        depth = 0
        try:
            with package.open(info) as stream:
                for event, element in etree.iterparse(
                    stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False
                ):
                    depth += 1 if event == "start" else -1
                    if depth > MAX_DEPTH or element.getroottree().docinfo.doctype:
                        raise DocumentProblem("brokenWord")
                    if event == "end":
                        element.clear()
        except (etree.XMLSyntaxError, zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError):
            raise DocumentProblem("brokenWord") from None
