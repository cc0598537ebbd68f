"""A process as the designer writes it: steps, branches with conditions, parallels. Plain values in the shape of the wire; every change makes a new list.

A place in the list is a path of keys and numbers from the root: ("steps", 2, "choices", 0, "steps", 1). The server checks and lays out.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Path = tuple[str | int, ...]
Item = dict[str, Any]
StepList = dict[str, Any]

ROOT: Final[Path] = ("steps",)
STEP, BRANCH, PARALLEL, END = "step", "branch", "parallel", "end"
PEOPLE: Final = frozenset({STEP})
HOLDERS: Final = frozenset({BRANCH, PARALLEL})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the flattened list: an item, or the head of a way (a choice of a branch, a lane of a parallel).

    Attributes:
        path: of the item or the way. depth: 0 at the top. number: of a person's or automatic step, counted through; 0 for others.
        way: "choice", "otherwise", "lane", or "" for an item. at: its number among the ways of its kind.
    """

    path: Path
    depth: int
    value: Item
    number: int = 0
    way: str = ""
    at: int = 0

    @property
    def kind(self) -> str:
        """step, service, script, call, branch, parallel, end; "way" for a head."""
        return "way" if self.way else str(self.value.get("type", STEP))

    @property
    def id(self) -> str:
        """The item's id; empty for a head."""
        return str(self.value.get("id", ""))


def rows_of(steps: StepList) -> list[Row]:
    """All lines from top to bottom."""
    count = iter(range(1, 100_000))

    def lines(items: Sequence[Item], path: Path, depth: int) -> Iterator[Row]:
        for place, item in enumerate(items):
            here = (*path, place)
            kind = item.get("type", STEP)
            number = next(count) if kind not in (*HOLDERS, END) else 0
            yield Row(here, depth, item, number)
            for way in ways_of(item):
                yield Row((*here, *way.path), depth + 1, way.value, 0, way.kind, way.at)
                yield from lines(way.value.get("steps", ()), (*here, *way.path, "steps"), depth + 2)

    return list(lines(steps.get("steps", ()), ROOT, 0))


@dataclass(frozen=True, slots=True)
class Way:
    """A list inside an item."""

    path: Path
    kind: str
    at: int
    value: Item


def ways_of(item: Mapping[str, Any]) -> list[Way]:
    """The lists inside an item; of a branch what is done otherwise last."""
    if item.get("type") == PARALLEL:
        return [Way(("lanes", n), "lane", n, lane) for n, lane in enumerate(item.get("lanes", ()))]
    if item.get("type") == BRANCH:
        found = [Way(("choices", n), "choice", n, one) for n, one in enumerate(item.get("choices", ()))]
        return [*found, Way(("otherwise",), "otherwise", 0, item.get("otherwise") or {})]
    return []


def at(steps: StepList, path: Path) -> Any:
    """What stands at a place; None where nothing does."""
    walk: Any = steps
    for key in path:
        if isinstance(walk, Mapping):
            walk = walk.get(key)
        elif isinstance(walk, Sequence) and isinstance(key, int) and 0 <= key < len(walk):
            walk = walk[key]
        else:
            return None
    return walk


def path_of(steps: StepList, item_id: str) -> Path | None:
    """Where an item stands."""
    return next((row.path for row in rows_of(steps) if not row.way and row.id == item_id), None)


def ids_of(steps: StepList) -> list[str]:
    """The ids of all items, in their order."""
    return [row.id for row in rows_of(steps) if not row.way]


def new_id(steps: StepList, stem: str) -> str:
    """An id nobody has: step1, step2 …"""
    taken = {*ids_of(steps), str(steps.get("id", ""))}
    stem = re.sub(r"[^A-Za-z0-9_]", "", stem) or STEP
    return next(name for n in range(1, 100_000) if (name := f"{stem}{n}") not in taken)


# ------------------------------------------------------------ changes: each answers a new list
def changed(steps: StepList, path: Path, **values: Any) -> StepList:
    """With other values at a place; None takes a key away."""
    made = copy.deepcopy(steps)
    target = _ways_made(made, path)
    for key, value in values.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = value
    return made


def _ways_made(made: StepList, path: Path) -> dict[str, Any]:
    """The mapping at a place; a branch's "otherwise" is made where it was left out."""
    walk: Any = made
    for key in path:
        walk = walk.setdefault("otherwise", {}) if isinstance(walk, dict) and key == "otherwise" else walk[key]
    assert isinstance(walk, dict)
    return walk


def label_of(value: Mapping[str, Any]) -> dict[str, str]:
    """The words of an item or a way in both languages, {zh, en}; a person's step has them among its options. Empty: only its name."""
    held = (value.get("options") or {}).get("label") if value.get("type") == STEP else value.get("label")
    return dict(held) if isinstance(held, Mapping) else {}


def with_name(steps: StepList, path: Path, name: str) -> StepList:
    """With another name of the item or way there, which is its Chinese; the English stays."""
    english = label_of(at(steps, path) or {}).get("en", "")
    made = changed(steps, path, name=name)
    return with_english(made, path, english if name else "")


def with_english(steps: StepList, path: Path, english: str) -> StepList:
    """With another English name; empty: the name alone is shown in both languages."""
    value = at(steps, path) or {}
    label = {"zh": str(value.get("name") or english), "en": english} if english else None
    if value.get("type") == STEP:
        return with_option(steps, path, "label", label)
    return changed(steps, path, label=label)


def with_option(steps: StepList, path: Path, name: str, value: Any) -> StepList:
    """With another option of a person's step; None leaves it as it usually is."""
    item = at(steps, path) or {}
    options = dict(item.get("options") or {})
    if value is None or value in ([], ""):
        options.pop(name, None)
    else:
        options[name] = value
    return changed(steps, path, options=options or None)


def inserted(steps: StepList, path: Path, place: int, item: Item) -> StepList:
    """With an item more in the list at `path`."""
    made = copy.deepcopy(steps)
    _list_at(made, path).insert(place, item)
    return made


def _list_at(made: StepList, path: Path) -> list[Item]:
    walk: Any = made
    for key in path[:-1]:
        walk = walk.setdefault("otherwise", {}) if isinstance(walk, dict) and key == "otherwise" else walk[key]
    found = walk.setdefault(path[-1], []) if isinstance(walk, dict) else walk[path[-1]]
    assert isinstance(found, list)
    return found


def removed(steps: StepList, path: Path) -> StepList:
    """Without the item, choice or lane at a place."""
    made = copy.deepcopy(steps)
    _list_at(made, path[:-1]).pop(int(path[-1]))
    return made


def moved(steps: StepList, source: Path, target: Path, place: int) -> StepList:
    """With an item somewhere else: before the one that stands at `place` of the list at `target` now. Into itself it does not go."""
    if target[: len(source)] == source:
        return steps
    made = copy.deepcopy(steps)
    here = _list_at(made, source[:-1])
    goal = _list_at(made, target)
    item = here[int(source[-1])]
    marker: Item = {}
    goal.insert(min(place, len(goal)), marker)
    here.pop(next(n for n, one in enumerate(here) if one is item))
    goal[next(n for n, one in enumerate(goal) if one is marker)] = item
    return made


def step_by(steps: StepList, path: Path, count: int) -> tuple[StepList, Path]:
    """With an item one place up or down in its own list, and where it stands then."""
    place, siblings = int(path[-1]), at(steps, path[:-1]) or []
    wanted = place + count
    if not 0 <= wanted < len(siblings):
        return steps, path
    made = moved(steps, path, path[:-1], wanted + (1 if count > 0 else 0))
    return made, (*path[:-1], wanted)


# ------------------------------------------------------------ new items
def new_step(steps: StepList, name: str) -> Item:
    """A step for the head of the starter's department, to be changed."""
    return {"type": STEP, "id": new_id(steps, "step"), "name": name, "options": {"performers": ["departmentHead"]}}


def new_branch(steps: StepList, name: str, step_name: str) -> Item:
    """A branch with one condition to be written, and nothing otherwise."""
    key = new_id(steps, "branch")
    inner = {**new_step(steps, step_name)}
    return {
        "type": BRANCH,
        "id": key,
        "name": name,
        "choices": [{"name": "", "condition": "False", "steps": [inner]}],
        "otherwise": {"steps": []},
    }


def new_parallel(steps: StepList, name: str, step_name: str) -> Item:
    """Two ways at the same time, with a step each."""
    first = new_step(steps, step_name)
    number = int(re.sub(r"\D", "", first["id"]) or 1)
    taken = set(ids_of(steps)) | {first["id"]}
    other = next(f"step{n}" for n in range(number + 1, 100_000) if f"step{n}" not in taken)
    lanes = [{"name": "", "steps": [first]}, {"name": "", "steps": [{**first, "id": other}]}]
    return {"type": PARALLEL, "id": new_id(steps, "parallel"), "name": name, "lanes": lanes}


def place_after(steps: StepList, path: Path | None) -> tuple[Path, int]:
    """Where something new goes: after what is chosen, into a chosen way, else before the end."""
    if path is not None and at(steps, path) is not None:
        if isinstance(path[-1], int) and path[-2] not in ("choices", "lanes"):
            here = at(steps, path)
            if not (isinstance(here, Mapping) and here.get("type") == END):
                return path[:-1], path[-1] + 1
            return path[:-1], path[-1]
        return (*path, "steps"), len((at(steps, path) or {}).get("steps", ()))
    items = steps.get("steps", [])
    last = len(items) - 1 if items and items[-1].get("type") == END else len(items)
    return ROOT, last
