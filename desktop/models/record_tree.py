"""Records below each other by a reference to their own type: order of siblings, paths, what may go where. No Qt, no words.

A record whose parent is not here stands at the top; where records would be each other's parents, the first of them in order does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from desktop.core.domain.records import Record


@dataclass(slots=True)
class Tree:
    """`children` by id of the parent, "" for the top; `parents` the other way round."""

    records: dict[str, Record] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    matching: frozenset[str] | None = None

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


def tree_of(records: Iterable[Record], parent_field: str, matching: frozenset[str] | None = None) -> Tree:
    """Siblings in the order given. `matching`: only these and the way to them."""
    held = {record.id: record for record in records}
    parents = {key: _parent(record, parent_field, held) for key, record in held.items()}
    _break_rings(parents)
    shown = held
    if matching is not None:
        wanted: set[str] = set()
        for key in matching & held.keys():
            while key and key not in wanted:
                wanted.add(key)
                key = parents[key]  # noqa: PLW2901  # up the path
        shown = {key: record for key, record in held.items() if key in wanted}
    children: dict[str, list[str]] = {}
    for key in shown:
        children.setdefault(parents[key], []).append(key)
    return Tree(shown, {key: parents[key] for key in shown}, children, matching)


def _parent(record: Record, name: str, held: dict[str, Record]) -> str:
    value = record.data.get(name)
    return value if isinstance(value, str) and value in held and value != record.id else ""


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
