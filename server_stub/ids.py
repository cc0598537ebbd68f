"""Ids of the wire: UUIDv7 (RFC 9562) and the deterministic ones of docs/protocol.md §1."""

import hashlib
import os
import re
from typing import Final

_UUID7: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)


def uuid7(now_ms: int) -> str:
    """A fresh UUIDv7 for a moment in milliseconds since the epoch; 74 bits of it are random."""
    number = int.from_bytes(os.urandom(10)) | ((now_ms & 0xFFFF_FFFF_FFFF) << 80)
    number = number & ~(0xF << 76) | (0x7 << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_uuid7(text: str) -> bool:
    """Whether `text` is a UUIDv7 in its canonical lower-case form (and so an idempotent creation id)."""
    return _UUID7.fullmatch(text) is not None


def is_id(text: str) -> bool:
    """Whether `text` has the form of a JMAP Id (RFC 8620 §1.2): 1 to 255 of `A-Z a-z 0-9 _ -`."""
    return _ID.fullmatch(text) is not None


def direct_conversation_id(one: str, other: str) -> str:
    """The id of the conversation of two people, the same from both sides."""
    return "d-" + hashlib.sha256("\n".join(sorted((one, other))).encode()).hexdigest()[:32]


def pair_id(left: str, right: str) -> str:
    """The id of a Member, Receipt or ReadMark: what belongs to a thing and a person."""
    return f"{left}_{right}"
