"""The outbox's edits as both stores keep them in memory: in order, and by the conversation they touch. Nothing here writes to disk."""

from collections.abc import Iterable

from desktop.core.sync.outbox import Edit, conversation_of


class EditTable:
    """A mirror of the edit table. Reads cost what they answer, however long the queue is."""

    def __init__(self, edits: Iterable[Edit] = ()) -> None:
        self._edits: dict[str, Edit] = {}
        self._rooms: dict[str, dict[str, Edit]] = {}
        self._last = 0
        self._sorted = True
        for edit in edits:
            self.put(edit)

    def put(self, edit: Edit) -> None:
        """Adds or replaces."""
        before = self._edits.get(edit.id)
        if before is not None:
            self._leave_room(before)
        if before is None or before.order != edit.order:
            self._sorted = self._sorted and before is None and edit.order >= self._last
            self._last = max(self._last, edit.order)
        self._edits[edit.id] = edit
        self._rooms.setdefault(conversation_of(edit), {})[edit.id] = edit

    def remove(self, edit_id: str) -> None:
        """Takes one out; unknown ids are nothing."""
        edit = self._edits.pop(edit_id, None)
        if edit is not None:
            self._leave_room(edit)

    def _leave_room(self, edit: Edit) -> None:
        key = conversation_of(edit)
        room = self._rooms[key]
        del room[edit.id]
        if not room:
            del self._rooms[key]

    def all(self) -> list[Edit]:
        """Everything in order."""
        if not self._sorted:
            self._edits = dict(sorted(self._edits.items(), key=_place))
            self._sorted = True
        return list(self._edits.values())

    def touching(self, conversation_id: str) -> list[Edit]:
        """What touches one conversation, in order."""
        return [edit for _, edit in sorted(self._rooms.get(conversation_id, {}).items(), key=_place)]


def _place(item: tuple[str, Edit]) -> tuple[int, str]:
    return item[1].order, item[0]
