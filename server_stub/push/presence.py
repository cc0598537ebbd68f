"""Who is there: the status of each person over all their sockets. Pure; the hub tells the others."""

from collections.abc import Iterable
from typing import Final

OFFLINE: Final = "offline"
STATUSES: Final = ("dnd", "busy", "online", "away")
"""What a client may say, the one that counts over several sockets first."""
MAX_STATUS_TEXT: Final = 60  # characters


def best_status(statuses: Iterable[str | None]) -> str:
    """The status of a person with sockets of these statuses."""
    held = set(statuses)
    return next((status for status in STATUSES if status in held), OFFLINE)


def is_status_text(text: str) -> bool:
    """Whether a client may say this beside its status: one line of at most MAX_STATUS_TEXT characters, or nothing."""
    return len(text) <= MAX_STATUS_TEXT and text.isprintable()


class Presence:
    """Everybody who is not offline, and what changed since it was last told."""

    def __init__(self) -> None:
        self.current: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._changed: set[str] = set()
        self.texts: dict[str, str] = {}
        self._texts_changed: set[str] = set()

    def set_text(self, person_id: str, text: str) -> bool:
        """What a person says of being there, "" for nothing; True when it is a change. It leaves with the person."""
        if self.texts.get(person_id, "") == text or (text and person_id not in self.current):
            return False
        if text:
            self.texts[person_id] = text
        else:
            self.texts.pop(person_id, None)
        self._texts_changed.add(person_id)
        return True

    def take_texts(self) -> dict[str, str]:
        """The texts that changed since they were last told."""
        changed, self._texts_changed = self._texts_changed, set()
        return {person: self.texts.get(person, "") for person in changed}

    def update(self, person_id: str, status: str) -> bool:
        """Note a status; True when it is a change that has to be told."""
        if self.current.get(person_id, OFFLINE) == status:
            return False
        if status == OFFLINE:
            self.current.pop(person_id, None)
            self.texts.pop(person_id, None)  # who hears "offline" knows
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
