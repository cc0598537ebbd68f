"""Where the lines of a centered title break: words whole, lines of alike length, as a trapezoid or a rhombus (GB/T 9704-2012, 7.3.1)."""

import re
from functools import cache
from typing import Final

from server_stub.modules.documents.typesetting.folders import templates_folder
from server_stub.modules.documents.typesetting.paragraphs import clean

FULL: Final = 19.0
"""The most one line holds, in characters of 22 pt: 156 mm less half a character on each side."""
COMFORTABLE: Final = 18.0
MAX_LINES: Final = 8
_GLUED: Final = re.compile(r"[0-9A-Za-z.%〔〕（）《》“”\-—]")
_NEVER_FIRST: Final = frozenset("的和与及之、，。；：！？）》〉”’〕】%％号等了")
_NEVER_LAST: Final = frozenset("（《〈“‘〔【第关对为在将由向把")
_GOOD_BEFORE: Final = ("关于", "印发", "转发", "开展", "加强", "进一步", "有关", "工作", "情况", "通知", "实施", "推进")
_GOOD_AFTER: Final = frozenset("》、，的")


def split_title(title: str) -> list[str]:
    """The lines of a title. Line breaks in it are taken as they are; a line that is still too long is broken."""
    given = [line.strip() for line in clean(title).split("\n") if line.strip()]
    if len(given) > 1 and all(_width(line) <= FULL for line in given) and len(given) <= MAX_LINES:
        return given
    return _broken("".join(given))


def _width(text: str) -> float:
    return sum(0.5 if one.isascii() else 1.0 for one in text)


def _broken(text: str) -> list[str]:
    total = _width(text)
    if total <= COMFORTABLE:
        return [text]
    fewest = max(2, int(-(-total // COMFORTABLE)))
    for count in range(fewest, MAX_LINES + 1):
        lines = _best(text, count)
        if lines:
            return lines
    return _hard(text)


def _best(text: str, count: int) -> list[str]:
    """The cheapest way to break the text into `count` lines; empty when none fits."""
    ideal = _width(text) / count
    length = len(text)

    @cache
    def cheapest(start: int, left: int) -> tuple[float, tuple[int, ...]]:
        if left == 1:
            width = _width(text[start:])
            return ((width - ideal) ** 2, ()) if width <= FULL else (float("inf"), ())
        best: tuple[float, tuple[int, ...]] = (float("inf"), ())
        for at in range(start + 1, length - left + 2):
            width = _width(text[start:at])
            if width > FULL:
                break
            penalty = _penalty(text, at)
            rest, places = cheapest(at, left - 1)
            price = (width - ideal) ** 2 + penalty + rest
            if price < best[0]:
                best = (price, (at, *places))
        return best

    price, places = cheapest(0, count)
    if price == float("inf"):
        return []
    ends = (*places, length)
    return [text[start:end].strip() for start, end in zip((0, *places), ends, strict=True)]


def _penalty(text: str, at: int) -> float:
    """How bad it is to break before the character at `at`; good places are below 0."""
    before, after = text[at - 1], text[at]
    if _GLUED.match(before) and _GLUED.match(after):
        return 400.0
    if after in _NEVER_FIRST or before in _NEVER_LAST:
        return 300.0
    inside = text.rfind("《", 0, at) > text.rfind("》", 0, at)
    price = 40.0 if inside else 12.0
    if before in _GOOD_AFTER or before == " ":
        price -= 10.0
    if any(text.startswith(word, at) for word in _GOOD_BEFORE):
        price -= 10.0
    known = _words()
    if any(text[at - back : at - back + size] in known for size in range(2, 7) for back in range(1, size)):
        price += 60.0  # a word would be torn
    return price


@cache
def _words() -> frozenset[str]:
    """Words of official titles that no line break tears."""
    return frozenset((templates_folder() / "words.txt").read_text(encoding="utf-8").split())


def _hard(text: str) -> list[str]:
    size = int(FULL)
    return [text[at : at + size] for at in range(0, len(text), size)]
