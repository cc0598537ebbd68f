"""What a file is, by its first bytes before its name: names lie. No Qt."""

from __future__ import annotations

from enum import StrEnum

TEXT_SUFFIXES = frozenset({"txt", "csv", "log", "json", "xml", "toml", "yaml", "yml", "ini", "conf", "tsv", "srt"})
MARKDOWN_SUFFIXES = frozenset({"md", "markdown", "mdown"})
ARCHIVE_SUFFIXES = frozenset({"zip", "tar", "tgz", "tbz", "tbz2", "txz", "gz", "bz2", "xz", "7z", "rar"})
ARCHIVE_STARTS = (b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
MEDIA_SUFFIXES = frozenset(
    {"mp3", "wav", "ogg", "oga", "opus", "flac", "m4a", "aac", "wma", "amr"}
    | {"mp4", "m4v", "mov", "avi", "mkv", "webm", "ogv", "wmv", "mpg", "mpeg"}
)
OFFICE_SUFFIXES = {"xlsx": "workbook", "xlsm": "workbook", "docx": "writing", "pptx": "slides"}
OLD_OFFICE_SUFFIXES = frozenset({"doc", "xls", "ppt", "wps", "et", "dps", "odt", "ods", "odp", "rtf"})
"""Read only where the server makes pages of them."""
OFFICE_TYPE = "application/vnd.openxmlformats-officedocument."
OFFICE_TYPES = {
    f"{OFFICE_TYPE}spreadsheetml.sheet": "workbook",
    f"{OFFICE_TYPE}wordprocessingml.document": "writing",
    f"{OFFICE_TYPE}presentationml.presentation": "slides",
}
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
    MARKDOWN = "markdown"
    WRITING = "writing"
    WORKBOOK = "workbook"
    SLIDES = "slides"
    ARCHIVE = "archive"
    MEDIA = "media"
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
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    office = OFFICE_SUFFIXES.get(suffix) or OFFICE_TYPES.get(media_type)
    if office:
        return Kind(office)
    if suffix in MEDIA_SUFFIXES or media_type.startswith(("audio/", "video/")):
        return Kind.MEDIA
    if suffix in ARCHIVE_SUFFIXES or (suffix not in OLD_OFFICE_SUFFIXES and data.startswith(ARCHIVE_STARTS)):
        return Kind.ARCHIVE
    if suffix in MARKDOWN_SUFFIXES or media_type == "text/markdown":
        return Kind.MARKDOWN
    if suffix in TEXT_SUFFIXES or media_type.startswith("text/"):
        return Kind.TEXT
    return Kind.OTHER


def readable(name: str, media_type: str = "") -> bool:
    """Whether the reader will show it, judged before its bytes are here."""
    return kind_of(b"", name, media_type) is not Kind.OTHER or name.lower().endswith(
        (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
    )
