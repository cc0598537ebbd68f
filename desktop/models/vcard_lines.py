"""vCard files as lines: bytes that nobody vouches for into properties, and properties into bytes. Knows 2.1, 3.0 and 4.0 (RFC 2426, RFC 6350).

Folding is undone in bytes, because old phones fold in the middle of a character. Encodings: UTF-8, UTF-16 with its mark, GB18030, and what a
CHARSET says; quoted-printable as vCard 2.1 has it. Every step is linear in the size of the file.
"""

from __future__ import annotations

import codecs
import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from desktop.core.errors import AppError

LARGEST_FILE: Final = 20 << 20
MOST_CARDS: Final = 2000
MOST_LINES: Final = 400_000
LONGEST_HEAD: Final = 2000
"""Bytes before the colon of a property: name and parameters."""
LONGEST_VALUE: Final = 100_000
"""Bytes of a value that is taken; longer ones are pictures and keys, which are left out."""
DEEPEST: Final = 8
FOLD: Final = 75
_PARAMETERS: Final = re.compile(r';((?:[^";]|"[^"]*")*)')
_CHARSETS: Final = {"gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "utf8": "utf-8", "utf-8": "utf-8"}
_BINARY: Final = frozenset({"PHOTO", "LOGO", "SOUND", "KEY", "X-PHOTO"})


class BadCards(AppError):
    """A file of cards that is not taken. Data: reason (contacts.cards.<reason>), limit, line."""

    code = "badCards"

    def __init__(self, reason: str, **data: object) -> None:
        super().__init__(reason=reason, **data)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Property:
    """One property. name and types in upper case, `group` before its dot; `raw` is the value with its escapes still in."""

    name: str
    raw: str
    types: frozenset[str] = frozenset()
    group: str = ""
    uri: bool = False


@dataclass(slots=True)
class RawCard:
    """The properties of one card. line: where it begins; version: 2.1, 3.0, 4.0; left_out: names of what was not read."""

    line: int
    version: str = "3.0"
    properties: list[Property] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


# ------------------------------------------------------------ reading
def read_cards(data: bytes) -> list[RawCard]:
    """Every card of a file.

    Raises:
        BadCards: too large, no card in it, cut off, nested too deep, or a line that is none.
    """
    if len(data) > LARGEST_FILE:
        raise BadCards("too_large", limit=LARGEST_FILE >> 20)
    default = _default_charset(data)
    if default.startswith("utf-16"):
        data, default = _reencoded(data, default), "utf-8"
    cards = list(_cards(_logical_lines(data.removeprefix(codecs.BOM_UTF8)), default))
    if not cards:
        raise BadCards("none")
    return cards


def _default_charset(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:64]
    if head.startswith(b"B\0E\0"):
        return "utf-16-le"
    return "utf-16-be" if head.startswith(b"\0B\0E") else ""


def _reencoded(data: bytes, charset: str) -> bytes:
    try:
        return data.decode(charset).encode("utf-8")
    except UnicodeError as error:
        raise BadCards("encoding", line=1) from error


def _logical_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, line) with folds undone: a line that begins with a blank belongs to the one before, and one after a soft line break."""
    number, parts, soft = 0, list[bytes](), False
    start = 1
    for number, line in enumerate(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"), 1):
        if number > MOST_LINES:
            raise BadCards("too_large", limit=LARGEST_FILE >> 20)
        folded = bool(parts) and line[:1] in (b" ", b"\t")
        if folded and not soft:
            parts.append(line[1:])
        elif soft:
            parts.append(line)
        else:
            if parts:
                yield start, b"".join(parts)
            parts, start = [line], number
        soft = line.endswith(b"=") and _is_quoted(parts[0])
        if soft:
            parts[-1] = parts[-1][:-1]
    if parts:
        yield start, b"".join(parts)


def _is_quoted(line: bytes) -> bool:
    return b"QUOTED-PRINTABLE" in line[:LONGEST_HEAD].partition(b":")[0].upper()


def _cards(lines: Iterable[tuple[int, bytes]], default: str) -> Iterator[RawCard]:
    card: RawCard | None = None
    depth = count = 0
    for number, line in lines:
        if not line.strip():
            continue
        mark = line[:40].strip().upper().replace(b" ", b"")
        if mark.startswith(b"BEGIN:"):
            depth += 1
            if depth > DEEPEST:
                raise BadCards("deep", line=number)
            if depth == 1 and mark == b"BEGIN:VCARD":
                card = RawCard(number)
        elif mark.startswith(b"END:"):
            depth = max(0, depth - 1)
            if depth == 0 and card is not None:
                count += 1
                if count > MOST_CARDS:
                    raise BadCards("too_many", limit=MOST_CARDS)
                yield card
                card = None
        elif depth == 1 and card is not None:
            _take(card, number, line, default)
    if card is not None:
        raise BadCards("cut", line=card.line)


def _take(card: RawCard, number: int, line: bytes, default: str) -> None:
    """Puts the property of a line into the card."""
    head, value = _divided(line, number)
    first, *rest = _PARAMETERS.findall(";" + head)
    group, _, name = first.strip().upper().rpartition(".")
    types, settings = _parameters(rest)
    if name == "VERSION":
        card.version = value[:10].decode("ascii", "replace").strip()
        return
    if name in _BINARY or len(value) > LONGEST_VALUE or types & {"BASE64", "B"}:
        card.left_out.append(name[:40])
        return
    if "QUOTED-PRINTABLE" in types:
        value = quopri.decodestring(value)
    text = _decoded(value, settings.get("CHARSET", ""), default, number)
    kinds = types - {"QUOTED-PRINTABLE", "8BIT", "7BIT"}
    card.properties.append(Property(name, text, frozenset(kinds), group, settings.get("VALUE", "").upper() == "URI"))


def _divided(line: bytes, number: int) -> tuple[str, bytes]:
    """Head and value: the first colon outside of quotes divides."""
    quoted = False
    for place, sign in enumerate(line[: LONGEST_HEAD + 1]):
        if sign == 0x22:
            quoted = not quoted
        elif sign == 0x3A and not quoted:
            return line[:place].decode("utf-8", "replace"), line[place + 1 :]
    raise BadCards("line", line=number)


def _parameters(parts: Iterable[str]) -> tuple[set[str], dict[str, str]]:
    """Types (bare words of vCard 2.1 among them, and the encoding) and all other parameters."""
    types: set[str] = set()
    settings: dict[str, str] = {}
    for part in parts:
        key, found, value = part.partition("=")
        key, value = key.strip().upper(), value.strip().strip('"')
        if not found:
            types.add(key)
        elif key in ("TYPE", "ENCODING"):
            types.update(one.strip().upper() for one in value.split(","))
        elif key == "PREF":
            types.add("PREF")
        else:
            settings[key] = value
    return types, settings


def _decoded(value: bytes, charset: str, default: str, number: int) -> str:
    named = _CHARSETS.get(charset.strip().lower(), "")
    for one in (named, default, "utf-8", "gb18030"):
        if not one:
            continue
        try:
            return value.decode(one)
        except UnicodeError:
            continue
    raise BadCards("encoding", line=number)


# ------------------------------------------------------------ values
def unescaped(text: str, version: str = "3.0") -> str:
    """A value without its escapes. In 2.1 a backslash only protects what divides."""
    made: list[str] = []
    signs = iter(text)
    for sign in signs:
        if sign != "\\":
            made.append(sign)
            continue
        after = next(signs, "")
        if after in ("n", "N") and version != "2.1":
            made.append("\n")
        else:
            made.append(after if after in ("\\", ";", ",", ":") else "\\" + after)
    return "".join(made)


def divided(text: str, sign: str) -> list[str]:
    """The parts of a value between unescaped signs, with their escapes still in."""
    parts, current, guarded = list[str](), list[str](), False
    for one in text:
        if guarded:
            guarded = False
        elif one == "\\":
            guarded = True
        elif one == sign:
            parts.append("".join(current))
            current = []
            continue
        current.append(one)
    return [*parts, "".join(current)]


def escaped(text: str) -> str:
    """A text as part of a value."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\", "\\\\")
    return plain.replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> bytes:
    """A property as it stands in a file: at most 75 bytes in a line, no character cut."""
    made, room = list[bytes](), FOLD
    current = b""
    for sign in line:
        data = sign.encode("utf-8")
        if len(current) + len(data) > room:
            made.append(current)
            current, room = b"", FOLD - 1
        current += data
    return b"\r\n ".join([*made, current]) + b"\r\n"
