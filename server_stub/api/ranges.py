"""Ranged downloads as RFC 9110 §14 says, and safe headers for files people named. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from server_stub.storage.blobs import UNKNOWN_TYPE, clean_type

MAX_FILE_NAME: Final = 200
_ONE_RANGE: Final = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*\Z", re.ASCII | re.IGNORECASE)
# What a browser would run or render as a page of this origin goes out as a plain file.
_ACTIVE: Final = frozenset(
    {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml", "application/javascript",
     "text/javascript", "application/x-shockwave-flash", "multipart/x-mixed-replace", "text/xsl", "message/rfc822"}
)  # fmt: skip
_BAD_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `stop` (not included) of a file."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start


class Unsatisfiable(Exception):
    """416: the range lies outside the file."""


def choose_span(range_header: str | None, if_range: str | None, etag: str, size: int) -> Span | None:
    """The part to send, None for the whole (no range, several, a malformed one, or an If-Range that does not fit).

    Raises:
        Unsatisfiable: a well-formed single range that lies outside.
    """
    if range_header is None or (if_range is not None and if_range.strip() != etag):
        return None
    found = _ONE_RANGE.match(range_header)
    if found is None:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return Span(size - length, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, min(int(last) + 1, size) if last else size)


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the client holds this very content (weak comparison, RFC 9110 §13.1.2)."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


def safe_type(asked: str | None, stored: str) -> str:
    """The media type to answer with: the one asked for, never one that runs."""
    wanted = clean_type(asked) if asked else clean_type(stored)
    return UNKNOWN_TYPE if wanted in _ACTIVE or wanted.endswith("+xml") else wanted


def content_disposition(name: str) -> str:
    """`attachment` with the name as RFC 6266 wants it; controls, separators and direction marks are replaced."""
    cleaned = _BAD_IN_NAMES.sub("_", name).strip(" .")[:MAX_FILE_NAME] or "file"
    plain = "".join(char if char.isascii() else "_" for char in cleaned)
    encoded = quote(cleaned, safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
