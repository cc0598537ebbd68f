"""What a committed write tells the listeners of the database (above all push)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ObjectsChanged:
    """Objects of one type changed for everyone in `scopes` and for `person_ids`.

    Attributes:
        change_id: the state everyone concerned should reach.
        objects: the objects as /get would give them *to anybody concerned*, to be pushed whole; None where they differ by reader.
        gather: collect whole objects for about a second before they are pushed (many small news in a large group).
    """

    type_name: str
    change_id: int
    scopes: Sequence[int] = ()
    person_ids: Sequence[str] = ()
    objects: Sequence[Mapping[str, Any]] | None = None
    gather: bool = False


@dataclass(frozen=True, slots=True)
class MembershipChanged:
    """A person entered or left a scope: objects of any type may have come or gone for that person."""

    person_id: str
    scope: int
    joined: bool
    change_id: int
