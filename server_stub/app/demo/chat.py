"""Conversations of the demo office: months of scenes and duty lines, the hand-written newest ones, and who has read how far."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server_stub.app.demo.moments import DAY_MS, MINUTE_MS, Moments
from server_stub.app.demo.people import People
from server_stub.app.demo.scenes import Line, Scene, cast_scene, mention_people, play, read_scene, schedule
from server_stub.app.demo.slots import SlotFiller, rain_of, slow_level, weather_of
from server_stub.app.demo.source import DemoSource, Table

MONTHS_BACK_DAYS: Final = 150
QUIET_BEFORE_NOW_MS: Final = 26 * 60 * MINUTE_MS  # generated scenes end here; what is newer was written by hand


@dataclass(frozen=True, slots=True)
class Plan:
    """One conversation with all it will hold. `unread`: how many of its last messages the clerk has not read."""

    key: str
    members: list[str]
    table: Table
    lines: list[Line]
    unread: int

    @property
    def is_group(self) -> bool:
        """A group, not a direct conversation."""
        return "name" in self.table


class ChatPlanner:
    """Decides what is said where and when. Touches no database."""

    def __init__(self, source: DemoSource, people: People, moments: Moments, rng: random.Random) -> None:
        self._source = source
        self._people = people
        self._moments = moments
        self._rng = rng
        self._scenes = [read_scene(table) for table in source.scenes["scenes"]]
        self._today: dict[str, list[Table]] = {}
        for line in source.today["lines"]:
            self._today.setdefault(line["in"], []).append(line)

    def plans(self) -> list[Plan]:
        """Every conversation of the office."""
        made = [self._plan(table["key"], self._members(table), table) for table in self._source.conversations["groups"]]
        made += [
            self._plan("+".join(table["pair"]), list(table["pair"]), table)
            for table in self._source.conversations["directs"]
        ]
        unknown = self._today.keys() - {plan.key for plan in made}
        if unknown:
            raise ValueError(f"today.toml speaks in {sorted(unknown)}, which do not exist")
        return made

    def _members(self, table: Table) -> list[str]:
        members = self._people.expand([table["owner"], *table["members"]])
        if table.get("size", len(members)) != len(members):
            raise ValueError(f"{table['key']} has {len(members)} members, not {table['size']}")
        return members

    def _plan(self, key: str, members: list[str], table: Table) -> Plan:
        lines = self._duty(key, table, members) if "duty" in table else []
        lines += self._scenery(table, members, table["messages"] - len(lines))
        lines.sort(key=lambda line: line.at)
        lines = _without_broken_answers(lines)
        lines += self._newest(key)
        unread = int(self._source.today["clerk_unread"].get(key, 0))
        return Plan(key, members, table, lines, unread)

    # ------------------------------------------------------------ scenes

    def _scenery(self, table: Table, members: list[str], wanted: int) -> list[Line]:
        tags = set(table["scenes"])
        fitting = [scene for scene in self._scenes if scene.tags & tags]
        mean = sum(len(scene.lines) for scene in fitting) / len(fitting)
        days = [day for day in range(2, MONTHS_BACK_DAYS) if self._moments.is_workday(day) or "duty" in table]
        count = max(1, round(wanted / mean))
        starts = [
            self._moments.office_time(
                self._rng, self._rng.choice(days), round_the_clock=table.get("duty") == "water_level"
            )
            for _ in range(count)
        ]
        latest = self._moments.now - QUIET_BEFORE_NOW_MS
        lines: list[Line] = []
        played: dict[int, int] = {}
        for start in schedule(self._rng, starts, [round(mean)] * count, latest):
            scene, cast = self._choose(fitting, played, members, table, start)
            played[id(scene)] = start
            fill = SlotFiller(self._rng, self._source.slots, self._words(start, cast)).fill
            lines += play(scene, cast, start, self._people.names, fill, self._rng)
        return [line for line in lines if line.at < latest]

    def _choose(
        self, fitting: Sequence[Scene], played: Mapping[int, int], members: list[str], table: Table, at: int
    ) -> tuple[Scene, dict[str, str]]:
        """A scene of the season that was not played lately, with its cast."""
        month = self._moments.local(at).month
        order = [scene for scene in fitting if not scene.months or month in scene.months]
        self._rng.shuffle(order)
        # What was played too lately comes last, and of that what was played longest ago first.
        order.sort(key=lambda scene: _too_soon(scene, played.get(id(scene)), at))
        for scene in order:
            cast = self._cast(scene, members, table)
            if cast is not None:
                return scene, cast
        raise ValueError(f"no scene fits {table.get('name') or table['pair']}")

    def _cast(self, scene: Scene, members: list[str], table: Table) -> dict[str, str] | None:
        if "pair" in table:
            return dict(zip("ab", members, strict=True)) if set(scene.parts) <= {"a", "b"} else None
        extras = members if table["key"] == "board" else [one for one in members if one not in self._people.leaders]
        return cast_scene(scene, members, extras, self._rng)

    def _words(self, at: int, cast: Mapping[str, str]) -> dict[str, str]:
        names = {part: self._people.names[login] for part, login in cast.items()}
        return {**self._moments.words(at, self._rng), **names}

    # ------------------------------------------------------------ duty

    def _duty(self, key: str, table: Table, members: list[str]) -> list[Line]:
        duty = self._source.duty[table["duty"]]
        lines: list[Line] = []
        for ago in range(MONTHS_BACK_DAYS, -1, -1):
            month = self._moments.local(self._moments.now - ago * DAY_MS).month
            hours = duty["at"] if month in duty["season"] else duty["at"][:1]
            for hour in hours:
                at = self._moments.day_at(ago, hour, self._rng.randrange(2, 9))
                if at < self._before_newest(key):
                    lines += self._duty_lines(duty, members, at, hour)
        return lines

    def _duty_lines(self, duty: Table, members: list[str], at: int, hour: int) -> list[Line]:
        author = self._rng.choice(duty["by"])
        month = self._moments.local(at).month
        levels = {name: f"{slow_level(name, base, at):.2f}" for name, base in self._source.duty["levels"].items()}
        rain = rain_of(self._rng, month)
        words = {**self._words(at, {"a": author}), "hour": str(hour), "rain": str(rain), "weather": weather_of(rain)}
        text = SlotFiller(self._rng, self._source.slots, words, levels).fill(duty["text"])
        lines = [Line(at, author, "text", text)]
        if self._rng.random() < duty.get("pictured", 0.0):
            lines.append(Line(at + 40_000, author, "picture", "", asset=duty["picture"]))
        if self._rng.random() < duty["answered"]:
            others = [one for one in members if one != author and one not in self._people.leaders]
            lines.append(
                Line(
                    at + self._rng.randint(1, 12) * MINUTE_MS,
                    self._rng.choice(others),
                    "text",
                    self._rng.choice(duty["answers"]),
                )
            )
        return lines

    # ------------------------------------------------------------ the newest, by hand

    def _newest(self, key: str) -> list[Line]:
        tables = sorted(self._today.get(key, ()), key=lambda table: -table["ago"])
        return [self._written(table) for table in tables]

    def _before_newest(self, key: str) -> int:
        """Until when lines may be made up in this conversation (ms)."""
        by_hand = [table["ago"] for table in self._today.get(key, ())]
        return self._moments.now - (max(by_hand, default=0) + 20) * MINUTE_MS

    def _written(self, table: Table) -> Line:
        at = self._moments.now - table["ago"] * MINUTE_MS
        for kind in ("picture", "file", "paper"):
            if kind in table:
                return Line(at, table["by"], kind, "", asset=table[kind])
        for kind in ("poll", "chain", "voice", "merged"):
            if kind in table:
                return Line(at, table["by"], kind, "", table=table)
        if table["text"].startswith("[emoji "):
            return Line(at, table["by"], "emoji", table["text"][7:-1])
        fill = SlotFiller(self._rng, self._source.slots, self._moments.words(at, self._rng)).fill
        parts = {login: login for login in self._people.ids}
        text, mentions = mention_people(fill(table["text"]), parts, self._people.names)
        return Line(at, table["by"], "text", text, mentions, int(table.get("reply", 0)), table=table)


def _too_soon(scene: Scene, last: int | None, at: int) -> float:
    """0 for a scene that may come now, else how much too soon it would be (1: at once)."""
    return 0.0 if last is None else max(0.0, 1 - (at - last) / (scene.apart_days * DAY_MS))


def _without_broken_answers(lines: list[Line]) -> list[Line]:
    """Duty lines may fall between a line and its answer: the answer then is a plain line, not one to something else."""
    result: list[Line] = []
    for line in lines:
        if line.answers and (not result or line.at - result[-1].at > 60 * MINUTE_MS or result[-1].login == line.login):
            line = Line(line.at, line.login, line.kind, line.text, line.mentions, 0, line.asset)  # noqa: PLW2901
        result.append(line)
    return result
