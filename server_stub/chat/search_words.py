"""Words of the search index: Chinese runs become bigrams and single characters, since most Chinese words have two; the rest is folded (NFKC, case).

The client cuts words in the same way (desktop/core/store/search_text.py), so that both find the same.
"""

import re
import unicodedata
from typing import Final

_CHINESE: Final = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN: Final = re.compile(f"[{_CHINESE}]+")
_WORD: Final = re.compile(f"[{_CHINESE}]+|[^\\W{_CHINESE}]+")
MAX_WORDS: Final = 16
SIGN: Final = "\ue000"
"""Begins words that nobody can type: a letter to the index, of no script."""


def fold(text: str) -> str:
    """As texts are compared: width and case do not matter."""
    return unicodedata.normalize("NFKC", text).casefold()


def index_text(text: str) -> str:
    """What the index sees: `档案管理` becomes `档案 案管 管理 理`."""
    return _RUN.sub(_grams, fold(text).replace(SIGN, " "))


def _grams(match: re.Match[str]) -> str:
    run = match.group()
    return " " + " ".join(run[at : at + 2] for at in range(len(run))) + " "


def words_of(text: str) -> list[str]:
    """The folded words of a question, Chinese runs apart from the rest."""
    return _WORD.findall(fold(text))[:MAX_WORDS]


def match_expression(words: list[str]) -> str:
    """An FTS5 expression that finds every word."""
    return " AND ".join(_term(word) for word in words)


def _term(word: str) -> str:
    if not _RUN.match(word) or len(word) == 1:
        return f'"{word}"*'
    return '"' + " ".join(word[at : at + 2] for at in range(len(word) - 1)) + '"'


def holds(text: str, words: list[str]) -> bool:
    """Whether `text` holds every word as the index would find it: Chinese anywhere, others from the start of a word."""
    have = _WORD.findall(fold(text))
    return all(any(word in one if _RUN.match(word) else one.startswith(word) for one in have) for word in words)
