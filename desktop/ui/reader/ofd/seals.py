"""The picture of a seal out of the DER of a SES structure (GB/T 38540) or a signature that holds one. No Qt, no verification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"PK\x03\x04", b"<?xml", b"<svg")
_MAX_DEPTH: Final = 24
_MAX_NODES: Final = 20_000
_OCTETS: Final = 0x04


def seal_picture(der: bytes) -> bytes | None:
    """The first OCTET STRING that begins like a picture (PNG, JPEG, GIF, BMP, OFD), None when there is none."""
    for content in _octet_strings(der):
        if content.startswith(PICTURES):
            return content
    return None


def _octet_strings(der: bytes) -> Iterator[bytes]:
    """Contents of the OCTET STRINGs, outer ones first, in bounded work; stops where the DER is none."""
    left = _MAX_NODES
    waiting = [(0, len(der), 0)]
    while waiting and left > 0:
        at, end, depth = waiting.pop()
        while at < end and left > 0:
            left -= 1
            found = _header(der, at, end)
            if found is None:
                break
            tag, start, stop = found
            if tag == _OCTETS:
                yield der[start:stop]
            if (tag & 0x20 or tag in (_OCTETS, 0x03)) and depth < _MAX_DEPTH:
                inner = start + 1 if tag == 0x03 else start  # a BIT STRING begins with its unused bits
                waiting.append((inner, stop, depth + 1))
            at = stop


def _header(der: bytes, at: int, end: int) -> tuple[int, int, int] | None:
    """(tag, start, stop) of the value that begins here; None when it does not fit."""
    if at + 2 > end:
        return None
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or start + octets > end:
            return None
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    return (tag, start, start + length) if start + length <= end else None
