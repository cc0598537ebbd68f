"""Who is there: the status of each person over all their sockets. Pure; the hub tells the others."""

from collections.abc import Iterable
from typing import Final

OFFLINE: Final = "offline"
STATUSES: Final = ("dnd", "busy", "online", "away")
"""What a client may say, the one that counts over several sockets first."""


def best_status(statuses: Iterable[str | None]) -> str:
    """The status of a person with sockets of these statuses."""
    held = set(statuses)
    return next((status for status in STATUSES if status in held), OFFLINE)


class Presence:
    """Everybody who is not offline, and what changed since it was last told."""

    def __init__(self) -> None:
        self.current: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._changed: set[str] = set()

    def update(self, person_id: str, status: str) -> bool:
        """Note a status; True when it is a change that has to be told."""
        if self.current.get(person_id, OFFLINE) == status:
            return False
        if status == OFFLINE:
            self.current.pop(person_id, None)
        else:
            self.current[person_id] = status
        self._changed.add(person_id)
        return True

    def take_changes(self) -> dict[str, str]:
        """What differs from what was told last; somebody who left and came back in between is no change."""
        changes = {
            person: self.current.get(person, OFFLINE)
            for person in self._changed
            if self.current.get(person, OFFLINE) != self._told.get(person, OFFLINE)
        }
        self._changed.clear()
        for person, status in changes.items():
            if status == OFFLINE:
                self._told.pop(person, None)
            else:
                self._told[person] = status
        return changes
