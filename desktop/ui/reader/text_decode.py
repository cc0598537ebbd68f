"""Bytes of a text file to text: byte order marks, UTF-8, then GB18030, the encoding old Chinese programs write. No Qt."""

from __future__ import annotations

import codecs

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class NotText(ValueError):
    """The bytes are no text in any encoding we read."""


def decode_text(data: bytes) -> tuple[str, str]:
    """The text and the name of its encoding; raises NotText. Line ends become \\n."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _decode(data, encoding), encoding
    if b"\0" in data:
        raise NotText
    for encoding in ("utf-8", "gb18030"):
        try:
            return _decode(data, encoding), encoding
        except NotText:
            continue
    raise NotText


def _decode(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotText from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
