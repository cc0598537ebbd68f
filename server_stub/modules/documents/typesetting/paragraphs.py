"""Plain text into paragraphs with heading levels, tables and emphasis, and made harmless for a page: no control characters, nothing too long to break.

The markup is what can be typed anywhere: 一、（一）1.（1） at the beginning of a line make headings, **words** stand out, lines between bars are a table.
"""

import re
import unicodedata
from itertools import groupby
from typing import Any, Final

from server_stub.modules.documents.typesetting.tables import is_row, read_table

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
_STRONG: Final = re.compile(r"\*\*(?=\S)(.{1,2000}?)(?<=\S)\*\*")
ZERO_WIDTH_SPACE: Final = "\u200b"


def clean(text: str) -> str:
    """Without control, format (such as writing direction), private and surrogate characters; line breaks stay, tabs are spaces."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(one for one in plain if one == "\n" or unicodedata.category(one) not in _FORBIDDEN)


def clean_line(text: str) -> str:
    """The same in one line."""
    return _breakable(" ".join(clean(text).split("\n")).strip())


def split_blocks(text: str) -> list[dict[str, Any]]:
    """Each non-empty line as {kind: text, level, head, rest: runs}, lines between bars together as a table (tables.py).

    Level 1 to 4 for 一、（一）1.（1）, 0 for others; of a heading with text after it, `head` is its sentence. A run is {text, strong}.
    """
    lines = (line.strip(" \u3000") for line in clean(text).split("\n"))
    made: list[dict[str, Any]] = []
    for of_table, group in groupby((line for line in lines if line), is_row):
        if of_table:
            made.append(_with_runs(read_table([_breakable(line) for line in group])))
        else:
            made += [_paragraph(_breakable(line)) for line in group]
    return made


def plain_words(text: str) -> str:
    """The text without the marks of emphasis, as a reader sees it."""
    return _STRONG.sub(r"\1", text)


def _runs(text: str) -> list[dict[str, Any]]:
    """**…** apart from the rest."""
    parts = _STRONG.split(text)
    return [{"text": one, "strong": at % 2 == 1} for at, one in enumerate(parts) if one]


def _with_runs(table: dict[str, Any]) -> dict[str, Any]:
    return {**table, "head": [_runs(one) for one in table["head"]], "rows": [[_runs(one) for one in row] for row in table["rows"]]}  # fmt: skip


def _paragraph(line: str) -> dict[str, Any]:
    head, rest, level = _parted(line)
    return {"kind": "text", "level": level, "head": plain_words(head), "rest": _runs(rest)}


def _parted(line: str) -> tuple[str, str, int]:
    level = next((number for number, start in enumerate(_LEVELS, 1) if start.match(plain_words(line))), 0)
    if level == 0:
        return "", line, 0
    stop = line.find("。") + 1
    if line.startswith("**", stop) and line[:stop].count("**") % 2:
        stop += 2  # the sentence's own mark closes after its full stop
    if stop == 0 or stop > 60:
        short = len(line) <= 60
        return line if short else "", "" if short else line, level
    # A heading alone in its line has no full stop (its text follows in the same line otherwise).
    return line[:stop], line[stop:], level


def _breakable(line: str) -> str:
    """Long runs without a place to break (addresses, digests) get one every 20 characters."""
    return _RUN.sub(lambda run: ZERO_WIDTH_SPACE.join(run[0][at : at + 20] for at in range(0, len(run[0]), 20)), line)
