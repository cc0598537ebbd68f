"""Records below each other by a reference to their own type: order of siblings, paths, what may go where. No Qt, no words.

A record whose parent is not here stands at the top; where records would be each other's parents, the first of them in order does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from desktop.core.domain.records import Placed


@dataclass(slots=True)
class Tree:
    """Ids of records: `children` by id of the parent, "" for the top; `parents` the other way round, in order."""

    parents: dict[str, str] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    matching: frozenset[str] | None = None

    def __contains__(self, record_id: str) -> bool:
        return record_id in self.parents

    def below(self, parent: str) -> Sequence[str]:
        """Ids below a record, in order."""
        return self.children.get(parent, ())

    def path(self, record_id: str) -> list[str]:
        """Ids from the top down to the record's parent."""
        found: list[str] = []
        at = self.parents.get(record_id, "")
        while at:
            found.append(at)
            at = self.parents.get(at, "")
        return found[::-1]

    def is_below(self, record_id: str, other: str) -> bool:
        """Whether a record is another one, or stands somewhere below it."""
        at = record_id
        while at and at != other:
            at = self.parents.get(at, "")
        return at == other

    def before(self, record_id: str) -> str:
        """The sibling before a record; "" for none."""
        line = self.below(self.parents.get(record_id, ""))
        place = line.index(record_id) if record_id in line else 0
        return line[place - 1] if place else ""

    def walk(self, opened: Collection[str]) -> Iterator[str]:
        """Ids from the top down as they stand on the screen while these are open."""
        ahead = list(reversed(self.below("")))
        while ahead:
            yield (key := ahead.pop())
            if key in opened:
                ahead += reversed(self.below(key))


def tree_of(records: Iterable[Placed], matching: frozenset[str] | None = None) -> Tree:
    """Siblings in the order given; the value of each is its parent. `matching`: only these and the way to them."""
    held = {placed.id: placed.value for placed in records}
    parents = {key: _parent(key, value, held) for key, value in held.items()}
    _break_rings(parents)
    if matching is not None:
        wanted: set[str] = set()
        for key in matching & parents.keys():
            while key and key not in wanted:
                wanted.add(key)
                key = parents[key]  # noqa: PLW2901  # up the path
        parents = {key: parent for key, parent in parents.items() if key in wanted}
    children: dict[str, list[str]] = {}
    for key, parent in parents.items():
        children.setdefault(parent, []).append(key)
    return Tree(parents, children, matching)


def _parent(key: str, value: object, held: Collection[str]) -> str:
    return value if isinstance(value, str) and value in held and value != key else ""


def _break_rings(parents: dict[str, str]) -> None:
    """Puts one record of each ring at the top."""
    sound: set[str] = set()
    for key in parents:
        path: list[str] = []
        on_path: set[str] = set()
        at = key
        while at and at not in sound and at not in on_path:
            path.append(at)
            on_path.add(at)
            at = parents[at]
        if at in on_path:
            ring = path[path.index(at) :]
            parents[min(ring, key=list(parents).index) if len(ring) > 1 else at] = ""
        sound.update(path)
