"""Text for the FTS5 index and queries over it: Chinese runs become bigrams and single characters, since most Chinese words have two
characters and a trigram index finds none of them; everything else is folded (NFKC, case) and left to unicode61."""

import re
import sys
import unicodedata
from array import array
from typing import Final

_RUN: Final = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_WORD: Final = re.compile(r"\w+", re.UNICODE)
_UTF32: Final = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
_SPACE: Final = array("I", [ord(" ")])
MAX_WORDS: Final = 16


def index_text(text: str) -> str:
    """What the index sees: `档案管理` becomes `档案 案管 管理 理` (a single character is found as the start of a bigram)."""
    return _RUN.sub(_grams, unicodedata.normalize("NFKC", text).casefold())


def _grams(match: re.Match[str]) -> str:
    # Laid out by strides, character beside its follower: several times faster than a string for each pair.
    first = array("I", match.group().encode(_UTF32))
    pairs = _SPACE * (3 * len(first))
    pairs[1::3] = first
    pairs[2::3] = first[1:] + _SPACE
    return pairs.tobytes().decode(_UTF32)


def match_expression(text: str) -> str | None:
    """An FTS5 expression that finds every word of `text`; None when there is nothing to search for."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    terms: list[str] = []
    for word in _WORD.findall(folded):
        position = 0
        for match in _RUN.finditer(word):
            if match.start() > position:
                terms.append(f'"{word[position : match.start()]}"*')
            terms.append(_chinese(match.group()))
            position = match.end()
        if position < len(word):
            terms.append(f'"{word[position:]}"*')
    return " AND ".join(terms[:MAX_WORDS]) or None


def _chinese(run: str) -> str:
    if len(run) == 1:
        return f'"{run}"*'
    return '"' + " ".join(run[i : i + 2] for i in range(len(run) - 1)) + '"'


def words_of(text: str) -> list[str]:
    """The folded words of a query, Chinese runs apart from the rest."""
    found: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        position = 0
        for match in _RUN.finditer(word):
            found += [word[position : match.start()], match.group()]
            position = match.end()
        found.append(word[position:])
    return [word for word in found if word]


def holds(text: str, query_words: list[str]) -> bool:
    """Whether `text` holds every word as the index would find it: Chinese anywhere, others from the start of a word."""
    words = words_of(text)
    return all(
        any(word in have if _RUN.match(word) else have.startswith(word) for have in words) for word in query_words
    )
