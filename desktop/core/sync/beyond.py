"""What came beyond a type's cursor: by pushes and own writes, as of which change; and what of it no /changes has named yet."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from desktop.core.protocol.objects import DomainObject, state_number
from desktop.core.sync.port import LOOSE, Operation, PutLocal

NEVER_LOOSE: Final = frozenset({"Message", "Receipt", "Conversation", "Member"})
"""Types whose objects go with their conversation, if at all."""


class Beyond:
    """`ahead`: by type, id → as of which change a push or an own write brought it. `states`: the cursors, as the puller keeps them."""

    def __init__(self, states: Mapping[str, str]) -> None:
        self._states = states
        self.ahead: dict[str, dict[str, int]] = {}
        self._loose: dict[str, set[str]] = {}  # should it vanish before /changes names it, nobody would say so
        self._named: dict[str, set[str]] = {}

    def load(self, loose: Mapping[str, Iterable[str]]) -> None:
        """What was loose when the program ended."""
        self._loose = {name: set(ids) for name, ids in loose.items()}

    def loose_of(self, name: str) -> set[str]:
        """What no /changes has named yet."""
        return set(self._loose.get(name, ()))

    def note(self, name: str, ids: Iterable[str], number: int) -> None:
        """These are here as of this change."""
        self.ahead.setdefault(name, {}).update((object_id, number) for object_id in ids)

    def loosen(self, name: str, ids: Iterable[str]) -> list[Operation]:
        """These came beyond the cursor; remembered on disk too, for a crash forgets all else."""
        if name in NEVER_LOOSE or name not in self._states:
            return []
        held = self._loose.setdefault(name, set())
        fresh = [object_id for object_id in ids if object_id not in held]
        held.update(fresh)
        return [PutLocal(LOOSE, f"{name}/{object_id}", b"1") for object_id in fresh]

    def note_named(self, name: str, ids: Iterable[str]) -> None:
        """/changes named these: once the cursor has moved, it will tell of them by itself."""
        self._named.setdefault(name, set()).update(self._loose.get(name, set()).intersection(ids))

    def tie_named(self, name: str) -> list[Operation]:
        """The cursor has moved over what was named."""
        return self.tie(name, self._named.pop(name, set()))

    def tie(self, name: str, ids: set[str]) -> list[Operation]:
        """These are loose no more."""
        self._loose.get(name, set()).difference_update(ids)
        return [PutLocal(LOOSE, f"{name}/{object_id}", None) for object_id in sorted(ids)]

    def not_older(self, name: str, objects: Sequence[DomainObject], number: int) -> list[DomainObject]:
        """Those of `objects`, read at change `number`, that are no older than what is here: up to the cursor everything is."""
        reached = state_number(self._states.get(name, ""))
        if reached is not None and number < reached:
            return []
        ahead = self.ahead.get(name, {})
        return [value for value in objects if ahead.get(value.id, -1) <= number]

    def is_newer(self, name: str, object_id: str, number: int) -> bool:
        """Whether a version of this object later than change `number` is here, beyond the cursor."""
        return self.ahead.get(name, {}).get(object_id, -1) > number

    def drop_reached(self, name: str, state: str) -> None:
        """The cursor is there: what it passed is ahead of it no more."""
        number = state_number(state)
        if number is None:
            self.ahead.pop(name, None)
            return
        ahead = self.ahead.get(name, {})
        for object_id in [object_id for object_id, at in ahead.items() if at <= number]:
            del ahead[object_id]
