"""Finding text as people mean it: case, full width and line breaks inside Chinese words make no difference. No Qt."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A hit: where it starts in the original text and how many characters it covers there."""

    start: int
    length: int


class FoldedText:
    """A text folded for searching, with the way back to the original's positions."""

    def __init__(self, text: str) -> None:
        self._length = len(text)
        characters: list[str] = []
        origin: list[int] = []
        gap = -1
        for position, character in enumerate(text):
            if character.isspace() or character in "\u00ad\ufffe\x02":
                gap = position if gap < 0 else gap
                continue
            if gap >= 0 and characters and not (is_han(characters[-1]) or is_han(character)):
                characters.append(" ")
                origin.append(gap)
            gap = -1
            for folded in unicodedata.normalize("NFKC", character).casefold():
                characters.append(folded)
                origin.append(position)
        self.text = "".join(characters)
        self._origin = origin

    def find_all(self, needle: str) -> list[Span]:
        """Every hit from the beginning on, none overlapping another; none for an empty needle."""
        wanted = FoldedText(needle).text
        hits: list[Span] = []
        at = self.text.find(wanted) if wanted else -1
        while at >= 0:
            start, last = self._origin[at], self._origin[at + len(wanted) - 1]
            hits.append(Span(start, last - start + 1))
            at = self.text.find(wanted, at + len(wanted))
        return hits


def is_han(character: str) -> bool:
    """Whether spaces beside this character carry no meaning: Chinese characters and their punctuation."""
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or "\uff00" <= character <= "\uffef"
