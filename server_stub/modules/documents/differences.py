"""What changed between two texts, as runs to show: characters for Chinese, words for other scripts. Bounded work; HTML safe."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from html import escape
from typing import Final, Literal

from msgspec import Struct

RunKind = Literal["same", "insert", "delete"]

MAX_PRODUCT: Final = 4_000_000
"""Tokens of one side times those of the other: beyond it a paragraph is shown as wholly replaced."""
MAX_PARAGRAPHS: Final = 3_000
_TOKEN: Final = re.compile(r"[A-Za-z0-9_]+|\s+|.", re.DOTALL)


class Run(Struct, frozen=True):
    """A piece of text that stayed, came or went."""

    kind: RunKind
    text: str


def find_differences(before: str, after: str) -> list[Run]:
    """The runs that lead from one text to the other: `same` and `delete` give `before`, `same` and `insert` give `after`."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return _joined(_of_paragraphs(old, new))


def count_changes(runs: Sequence[Run]) -> tuple[int, int]:
    """(characters that came, characters that went)."""
    came = sum(len(one.text) for one in runs if one.kind == "insert")
    return came, sum(len(one.text) for one in runs if one.kind == "delete")


def to_html(runs: Sequence[Run], *, insert: str = "ins", delete: str = "del") -> str:
    """Paragraphs with <ins> and <del> (or other tags); the texts escaped."""
    tags: dict[RunKind, str] = {"same": "", "insert": insert, "delete": delete}
    made = "".join(_marked(one, tags[one.kind]) for one in runs)
    return "".join(f"<p>{line}</p>" for line in made.split("\n") if line)


def _marked(run: Run, tag: str) -> str:
    start, end = (f"<{tag}>", f"</{tag}>") if tag else ("", "")
    # A mark never reaches over the end of a paragraph.
    return "\n".join(f"{start}{escape(line)}{end}" if line else "" for line in run.text.split("\n"))


def _of_paragraphs(old: list[str], new: list[str]) -> Iterator[Run]:
    if len(old) > MAX_PARAGRAPHS or len(new) > MAX_PARAGRAPHS:
        yield from _of_tokens(["".join(old)], ["".join(new)])
        return
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Run("same", "".join(old[i1:i2]))
        else:
            yield from _of_tokens(_TOKEN.findall("".join(old[i1:i2])), _TOKEN.findall("".join(new[j1:j2])))


def _of_tokens(old: list[str], new: list[str]) -> Iterator[Run]:
    if len(old) * len(new) > MAX_PRODUCT:
        yield Run("delete", "".join(old))
        yield Run("insert", "".join(new))
        return
    for _, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if old[i1:i2] == new[j1:j2]:
            yield Run("same", "".join(old[i1:i2]))
        else:
            yield Run("delete", "".join(old[i1:i2]))
            yield Run("insert", "".join(new[j1:j2]))


def _joined(runs: Iterator[Run]) -> list[Run]:
    """Without empty runs; neighbors of one kind are one."""
    found: list[Run] = []
    for run in runs:
        if not run.text:
            continue
        if found and found[-1].kind == run.kind:
            found[-1] = Run(run.kind, found[-1].text + run.text)
        else:
            found.append(run)
    return found
