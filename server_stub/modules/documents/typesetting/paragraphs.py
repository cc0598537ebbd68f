"""Plain text into paragraphs with heading levels, and made harmless for a page: no control characters, nothing too long to break."""

import re
import unicodedata
from typing import Any, Final

MAX_CHARACTERS: Final = 100_000
"""Of all the bodies of one paper: some 160 pages."""
_NUMERALS: Final = "一二三四五六七八九十百"
_LEVELS: Final = (
    re.compile(rf"[{_NUMERALS}]{{1,5}}、"),
    re.compile(rf"[（(][{_NUMERALS}]{{1,5}}[）)]"),
    re.compile(r"\d{1,2}[.．](?!\d)"),
    re.compile(r"[（(]\d{1,2}[）)]"),
)
_FORBIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_RUN: Final = re.compile(r"[^\s\u2e80-\uffef]{24,}")
ZERO_WIDTH_SPACE: Final = "\u200b"


def clean(text: str) -> str:
    """Without control, format (such as writing direction), private and surrogate characters; line breaks stay, tabs are spaces."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(one for one in plain if one == "\n" or unicodedata.category(one) not in _FORBIDDEN)


def clean_line(text: str) -> str:
    """The same in one line."""
    return _breakable(" ".join(clean(text).split("\n")).strip())


def split_paragraphs(text: str) -> list[dict[str, Any]]:
    """Each non-empty line as {level, head, rest}: level 1 to 4 for 一、（一）1.（1）, 0 for others; of a heading with text after it, `head` is its sentence."""
    lines = (line.strip(" \u3000") for line in clean(text).split("\n"))
    return [_paragraph(_breakable(line)) for line in lines if line]


def _paragraph(line: str) -> dict[str, Any]:
    level = next((number for number, start in enumerate(_LEVELS, 1) if start.match(line)), 0)
    if level == 0:
        return {"level": 0, "head": "", "rest": line}
    stop = line.find("。") + 1
    if stop == 0 or stop > 60:
        short = len(line) <= 60
        return {"level": level, "head": line if short else "", "rest": "" if short else line}
    # A heading alone in its line has no full stop (its text follows in the same line otherwise).
    return {"level": level, "head": line[:stop], "rest": line[stop:]}


def _breakable(line: str) -> str:
    """Long runs without a place to break (addresses, digests) get one every 20 characters."""
    return _RUN.sub(lambda run: ZERO_WIDTH_SPACE.join(run[0][at : at + 20] for at in range(0, len(run[0]), 20)), line)
