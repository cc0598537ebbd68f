"""Message text for QTextLayout: places are counted in UTF-16 units there, in characters in Python. Pure functions."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

LINE_SEPARATOR = "\u2028"
_LINK = re.compile(r"https?://[^\s<>\"'`，。；：、！？（）()【】《》「」“”‘’]+", re.IGNORECASE)
_TRAILING = ".,;:!?"
EMOJI_LIMIT = 3
# Directional overrides could make a name or a link read backwards; Qt paints other controls as boxes.
_HOSTILE = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F], "\u200b")
_CONTROLS = {code: " " for code in [*range(0x00, 0x20), *range(0x7F, 0xA0)] if code not in (0x09, 0x0A)}


class Span(msgspec.Struct, frozen=True):
    """A stretch of a text, in UTF-16 units: a link (data is its address) or a mention (data is the person's id)."""

    start: int
    length: int
    kind: Literal["link", "mention"]
    data: str


def shown(text: str) -> str:
    """The text as it is laid out: one UTF-16 unit for each of the original's, so that places agree."""
    return text.translate(_CONTROLS).translate(_HOSTILE).replace("\n", LINE_SEPARATOR)


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, start: int, end: int) -> str:
    """A piece of a text by places in UTF-16 units; half characters are left out."""
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "ignore")


def links(text: str) -> Iterator[tuple[int, str]]:
    """Each http or https address in a text with its place in characters."""
    for match in _LINK.finditer(text):
        yield match.start(), match.group().rstrip(_TRAILING)


def spans(text: str, mentions: Iterable[tuple[str, str]]) -> list[Span]:
    """Links and mentions of a text; `mentions` are names as written after the @, and ids."""
    found = [Span(units(text[:start]), units(address), "link", address) for start, address in links(text)]
    for name, person_id in mentions:
        needle = f"@{name}"
        place = text.find(needle)
        while name and place >= 0:
            found.append(Span(units(text[:place]), units(needle), "mention", person_id))
            place = text.find(needle, place + len(needle))
    return sorted(found, key=lambda span: span.start)


def is_emoji(text: str) -> bool:
    """Whether a text is nothing but one to three emoji, which are then shown large."""
    stripped = text.strip()
    if not stripped or len(stripped) > EMOJI_LIMIT * 8:
        return False
    count, joined = 0, False
    for char in stripped:
        if char in "\ufe0f\u200d" or 0x1F3FB <= ord(char) <= 0x1F3FF:
            joined = joined or char == "\u200d"
        elif unicodedata.category(char) == "So" and (ord(char) >= 0x1F000 or 0x2600 <= ord(char) <= 0x27BF):
            count += 0 if joined or (0x1F1E6 <= ord(char) <= 0x1F1FF and count) else 1
            joined = False
        else:
            return False
    return 0 < count <= EMOJI_LIMIT


def one_line(text: str, limit: int = 120) -> str:
    """For lists and quotes: one line, not too long."""
    return " ".join(shown(text[: limit * 2]).replace(LINE_SEPARATOR, " ").split())[:limit]
