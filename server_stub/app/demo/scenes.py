"""Scenes: little dialogues with parts, cast with people of a conversation and spread over minutes."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from server_stub.app.demo.moments import MINUTE_MS

PARTS: Final = "abcdef"
_LINE: Final = re.compile(r"([a-f])([:>]) (.+)\Z")
_MARK: Final = re.compile(r"\[(picture|file|emoji) ([^\]]+)\]\Z")
_MENTION: Final = re.compile(r"@(all|[a-z]+)(?![A-Za-z0-9.])")


class BadScene(ValueError):
    """A scene that cannot be read."""


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One line of a scene: `mark` is (picture|file|emoji, name) for lines that are no text."""

    part: str
    is_answer: bool
    text: str
    mark: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Scene:
    """One dialogue. `cast`: part → logins that may speak it; parts that are not named are anybody."""

    tags: frozenset[str]
    cast: Mapping[str, tuple[str, ...]]
    lines: tuple[ScriptLine, ...]
    months: frozenset[int]
    apart_days: int = 5

    @property
    def parts(self) -> list[str]:
        """The parts that speak or are spoken to, in order of appearance."""
        return list(dict.fromkeys(line.part for line in self.lines))


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it will be sent. `answers`: how many lines back the line lies that this one answers (0: none)."""

    at: int
    login: str
    kind: str
    text: str
    mentions: tuple[str, ...] = ()
    answers: int = 0
    asset: str | None = None
    table: Mapping[str, Any] | None = None  # of a line written by hand: what today.toml says of it


def read_scene(table: Mapping[str, Any]) -> Scene:
    """A scene of scenes.toml. Raises BadScene."""
    lines = tuple(_read_line(raw) for raw in str(table["text"]).strip().splitlines())
    cast = {part: tuple(str(table[part]).split()) for part in PARTS if part in table}
    months = frozenset(table.get("months", ()))
    return Scene(frozenset(str(table["to"]).split()), cast, lines, months, table.get("apart", 5))


def _read_line(raw: str) -> ScriptLine:
    match = _LINE.match(raw)
    if match is None:
        raise BadScene(f"cannot read the line {raw!r}")
    mark = _MARK.match(match[3])
    return ScriptLine(match[1], match[2] == ">", match[3], (mark[1], mark[2]) if mark else None)


def cast_scene(
    scene: Scene, members: Sequence[str], extras: Sequence[str], rng: random.Random
) -> dict[str, str] | None:
    """Part → login. `extras`: the members who speak parts nobody is named for. None when the conversation lacks somebody."""
    chosen: dict[str, str] = {}
    named = [part for part in scene.parts if part in scene.cast]
    for part in sorted(named, key=lambda part: len(scene.cast[part])):  # who has the least choice goes first
        options = [login for login in scene.cast[part] if login in members and login not in chosen.values()]
        if not options:
            return None
        chosen[part] = rng.choice(options)
    for part in scene.parts:
        if part not in chosen:
            options = [login for login in extras if login not in chosen.values()]
            if not options:
                return None
            chosen[part] = rng.choice(options)
    return chosen


def play(
    scene: Scene,
    cast: Mapping[str, str],
    start: int,
    names: Mapping[str, str],
    fill: Callable[[str], str],
    rng: random.Random,
) -> list[Line]:
    """The lines of a scene as messages, from `start` (ms) on."""
    at = start
    played: list[Line] = []
    for index, line in enumerate(scene.lines):
        if index:
            at += rng.choice((20, 35, 50, 75, 110, 180, 320, 640)) * 1000 + rng.randrange(20_000)
        login = cast[line.part]
        if line.mark is not None:
            played.append(_marked(line.mark, at, login))
            continue
        text, mentions = mention_people(fill(line.text), {**cast, **{one: one for one in cast.values()}}, names)
        played.append(Line(at, login, "text", text, mentions, 1 if line.is_answer else 0))
    return played


def _marked(mark: tuple[str, str], at: int, login: str) -> Line:
    kind, name = mark
    return Line(at, login, "emoji", name) if kind == "emoji" else Line(at, login, kind, "", asset=name)


def mention_people(text: str, parts: Mapping[str, str], names: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text with @a or @login turned to @姓名, and the logins (or "all") that it mentions."""
    found: list[str] = []

    def replace(match: re.Match[str]) -> str:
        login = "all" if match[1] == "all" else parts.get(match[1])
        if login is None:
            return match[0]
        found.append(login)
        return "@" + ("所有人" if login == "all" else names[login])

    return _MENTION.sub(replace, text), tuple(dict.fromkeys(found))


def schedule(rng: random.Random, starts: Sequence[int], lengths: Sequence[int], latest: int) -> list[int]:
    """Starts in order, moved so that a scene begins after the one before has ended; those that would end after `latest` are dropped."""
    result: list[int] = []
    free = 0
    for start, length in zip(sorted(starts), lengths, strict=True):
        begin = max(start, free + rng.randint(2, 20) * MINUTE_MS)
        free = begin + length * 3 * MINUTE_MS
        if free > latest:
            break
        result.append(begin)
    return result
