"""Code in colors: keywords, strings, comments and numbers of the languages of the house, found by one pattern for each. Anything else stays as it is.
No parser: what is wrong in the code is colored wrongly. One pass, no going back over the whole text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument, QTextLayout

from desktop.ui import theme
from desktop.ui.chat.text_layout import format_range

TONES = {"comment": "ink3", "string": "green", "number": "amber", "keyword": "link"}


@dataclass(frozen=True, slots=True)
class _Language:
    """What makes a language: its words, how comments begin, which quotes there are (longest first), whether case counts."""

    words: str
    comments: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ('"', "'")
    ignore_case: bool = False


_C_COMMENTS = (r"//[^\n]*", r"/\*[\s\S]*?(?:\*/|\Z)")
_TABLE = {
    "python": _Language(
        "False None True and as assert async await break case class continue def del elif else except finally for from"
        " global if import in is lambda match nonlocal not or pass raise return self try type while with yield",
        (r"\#[^\n]*",),
        ('"""', "'''", '"', "'"),
    ),
    "sql": _Language(
        "add all alter and as asc begin between by case commit create cross default delete desc distinct drop else end"
        " exists foreign from full group having if in index inner insert into is join key left like limit not null on or"
        " order outer primary references right rollback select set table then truncate union unique update using values"
        " view when where with",
        (r"--[^\n]*", r"/\*[\s\S]*?(?:\*/|\Z)"),
        ("'", '"'),
        True,
    ),
    "json": _Language("true false null", (), ('"',)),
    "js": _Language(
        "async await break case catch class const continue default delete do else export extends false finally for from"
        " function if import in instanceof interface let new null of return static super switch this throw true try type"
        " typeof undefined var void while yield",
        _C_COMMENTS,
        ('"', "'", "`"),
    ),
    "shell": _Language(
        "case do done echo elif else esac exit export fi for function if in local return set then until while",
        (r"(?<![^\s;])\#[^\n]*",),
    ),
    "java": _Language(
        "abstract boolean break byte case catch char class const continue default do double else enum extends false final"
        " finally float for if implements import instanceof int interface long new null package private protected public"
        " record return short static super switch synchronized this throw throws true try var void volatile while",
        _C_COMMENTS,
    ),
    "c": _Language(
        "auto bool break case char class const constexpr continue default delete do double else enum extern false float for"
        " goto if inline int long namespace new nullptr private public register return short signed sizeof static struct"
        " switch template this true typedef typename union unsigned using virtual void volatile while NULL"
        " define elif endif ifdef ifndef include pragma",
        _C_COMMENTS,
    ),
}
_ALIASES = {
    **dict.fromkeys(("py", "python3"), "python"),
    **dict.fromkeys(("mysql", "postgresql", "sqlite", "plsql", "tsql"), "sql"),
    **dict.fromkeys(("javascript", "ts", "typescript", "jsx", "tsx", "node"), "js"),
    **dict.fromkeys(("sh", "bash", "zsh"), "shell"),
    **dict.fromkeys(("c++", "cpp", "h", "hpp", "c#"), "c"),
}


@cache
def _pattern(name: str) -> re.Pattern[str]:
    language = _TABLE[name]
    strings = []
    for quote in language.quotes:
        over_lines = len(quote) == 3 or quote == "`"
        inside = r"(?:\\[\s\S]|(?!%s)[\s\S])*" if over_lines else r"(?:\\[^\n]|(?!%s)[^\\\n])*"
        ending = rf"(?:{quote}|\Z)" if over_lines else f"{quote}?"
        strings.append(quote + inside % quote + ending)
    words = "|".join(language.words.split())
    parts = [("comment", "|".join(language.comments)), ("string", "|".join(strings))]
    parts += [("number", r"(?<![\w.])(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)[fFlLuU]?\b")]
    parts += [("keyword", rf"\b(?:{words})\b")]
    whole = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in parts if pattern)
    return re.compile(whole, re.IGNORECASE if language.ignore_case else 0)


def known(language: str | None) -> str:
    """Our name of a language, whatever people call it; empty: none that we color."""
    name = (language or "").strip().lower()
    name = _ALIASES.get(name, name)
    return name if name in _TABLE else ""


def pieces(text: str, language: str | None) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of what has a color; places in code points, kinds are those of TONES."""
    name = known(language)
    for found in _pattern(name).finditer(text) if name else ():
        yield found.start(), found.end(), found.lastgroup or ""


def formats(text: str, language: str | None) -> list[QTextLayout.FormatRange]:
    """The colors of a block, for its layout: places in UTF-16 units."""
    kinds = {kind: QTextCharFormat() for kind in TONES}
    for kind, tone in TONES.items():
        kinds[kind].setForeground(theme.tokens().named(tone))
    wide = [place for place, char in enumerate(text) if ord(char) > 0xFFFF]
    made: list[QTextLayout.FormatRange] = []
    passed = 0
    for start, end, kind in pieces(text, language):
        while passed < len(wide) and wide[passed] < start:
            passed += 1
        inside = sum(start <= place < end for place in wide[passed:]) if passed < len(wide) else 0
        made.append(format_range(start + passed, end - start + inside, kinds[kind]))
    return made


class CodeHighlighter(QSyntaxHighlighter):
    """Colors code while it is written. A line's state is the kind that runs over its end, so that the next line follows."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._language, self._version = "", (-1, 0)
        self._ranges: list[QTextLayout.FormatRange] = []
        self._ends: list[int] = []

    def set_language(self, name: str) -> None:
        """Another language; one that is not known takes the colors away."""
        if known(name) != self._language:
            self._language, self._version = known(name), (-1, 0)
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        document, begin = self.document(), self.currentBlock().position()
        version = (document.revision(), document.characterCount())  # a text set whole passes through an empty one
        if version != self._version:
            self._version, self._ranges = version, formats(document.toPlainText(), self._language)
            self._ends = [one.start + one.length for one in self._ranges]
        end, state = begin + self.currentBlock().length(), 0
        for one in self._ranges[bisect_right(self._ends, begin) :]:
            if one.start >= end:
                break
            first = max(one.start, begin) - begin
            self.setFormat(first, min(one.start + one.length, end) - begin - first, one.format)
            state = 1 if one.start + one.length >= end else 0
        self.setCurrentBlockState(state)
