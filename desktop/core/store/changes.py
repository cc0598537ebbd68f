"""Collects what one transaction touched and turns it into change sets, one for each type; the last word on an id counts."""

from collections.abc import Iterable

from desktop.core.events import ChangeSet
from desktop.core.sync.outbox import Edit, EditKind, conversation_of


class ChangeRecorder:
    """What one transaction did so far."""

    def __init__(self) -> None:
        self._present: dict[str, dict[str, bool]] = {}
        self._conversations: set[str] = set()

    def upsert(self, type_name: str, object_id: str) -> None:
        """The object was written."""
        self._present.setdefault(type_name, {})[object_id] = True

    def remove(self, type_name: str, object_id: str) -> None:
        """The object is gone."""
        self._present.setdefault(type_name, {})[object_id] = False

    def message(self, conversation_id: str, message_id: str, *, present: bool = True) -> None:
        """A message of this conversation was written or is gone."""
        self._conversations.add(conversation_id)
        self._present.setdefault("Message", {})[message_id] = present

    def messages(self, conversation_id: str, ids: Iterable[str]) -> None:
        """Messages of this conversation were written."""
        self._conversations.add(conversation_id)
        self._present.setdefault("Message", {}).update(dict.fromkeys(ids, True))

    def edit(self, edit: Edit, *, gone: bool) -> None:
        """An edit came, changed or went: what it touches looks different."""
        self.upsert("Edit", edit.id) if not gone else self.remove("Edit", edit.id)
        conversation_id = conversation_of(edit)
        if edit.type_name == "Message" and conversation_id:
            self._conversations.add(conversation_id)
            self.upsert("Conversation", conversation_id)  # its last line may be this one
            known = self._present.setdefault("Message", {})
            known[edit.object_id] = known.get(edit.object_id, not gone or edit.kind is not EditKind.CREATE)
        else:
            self._present.setdefault(edit.type_name, {}).setdefault(edit.object_id, True)

    def change_sets(self) -> list[ChangeSet]:
        """One for each type touched."""
        found: list[ChangeSet] = []
        for type_name, ids in self._present.items():
            found.append(
                ChangeSet(
                    type_name,
                    tuple(object_id for object_id, present in ids.items() if present),
                    tuple(object_id for object_id, present in ids.items() if not present),
                    frozenset(self._conversations) if type_name == "Message" else frozenset(),
                )
            )
        return found
