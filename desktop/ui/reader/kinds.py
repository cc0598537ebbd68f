"""What a file is, by its first bytes before its name: names lie. No Qt."""

from __future__ import annotations

from enum import StrEnum

TEXT_SUFFIXES = frozenset(
    {"txt", "md", "csv", "log", "json", "xml", "toml", "yaml", "yml", "ini", "conf", "tsv", "srt"}
)
PICTURE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")
OFD_TYPES = frozenset({"application/ofd", "application/vnd.ofd", "application/x-ofd"})
PDF_WITHIN = 1024
"""PDF 1.7 Annex H: readers accept the header anywhere in the first 1,024 bytes."""


class Kind(StrEnum):
    """How a file is shown."""

    PDF = "pdf"
    OFD = "ofd"
    PICTURE = "picture"
    TEXT = "text"
    OTHER = "other"


def kind_of(data: bytes, name: str, media_type: str = "") -> Kind:
    """The kind of a file from its bytes, its name and the type it was given."""
    if b"%PDF-" in data[:PDF_WITHIN] or name.lower().endswith(".pdf") or media_type == "application/pdf":
        return Kind.PDF
    if name.lower().endswith(".ofd") or media_type in OFD_TYPES:
        return Kind.OFD
    if data.startswith(PICTURE_STARTS) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return Kind.PICTURE
    if media_type.startswith("image/") and media_type != "image/svg+xml":
        return Kind.PICTURE
    suffix = name.rpartition(".")[2].lower()
    if suffix in TEXT_SUFFIXES or media_type.startswith("text/"):
        return Kind.TEXT
    return Kind.OTHER


def readable(name: str, media_type: str = "") -> bool:
    """Whether the reader will show it, judged before its bytes are here."""
    return kind_of(b"", name, media_type) is not Kind.OTHER or name.lower().endswith(
        (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
    )
