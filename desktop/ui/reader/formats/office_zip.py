"""The zip every Office Open XML file is, looked at before a library reads it: it stays within limits, or is refused. No widgets."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from desktop.ui.reader.page_source import DocumentProblem

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What a file with a password begins with (ECMA-376 part 2 puts the encrypted package into a compound file); old formats too."""
MAX_PARTS: Final = 5000
MAX_UNPACKED: Final = 256 << 20
MAX_XML: Final = 48 << 20


def check_office_zip(data: bytes, broken: str, *, most_xml: int = MAX_XML) -> zipfile.ZipFile:
    """The open zip; raises DocumentProblem: lockedOffice, tooLargeOffice, or `broken`.

    Sizes are those the zip tells; zipfile gives no more than that of any entry, so they hold for whoever reads through it.
    """
    if data.startswith(OLE):
        raise DocumentProblem("lockedOffice")
    try:
        opened = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError):
        raise DocumentProblem(broken) from None
    parts = opened.infolist()
    xml = max((one.file_size for one in parts if one.filename.lower().endswith((".xml", ".rels"))), default=0)
    if len(parts) > MAX_PARTS or sum(one.file_size for one in parts) > MAX_UNPACKED or xml > most_xml:
        raise DocumentProblem("tooLargeOffice")
    return opened
