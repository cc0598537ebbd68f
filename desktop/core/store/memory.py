"""The store in memory: for tests, simulations and sessions that keep nothing. Passes the same contract as the encrypted one."""

from collections.abc import Collection, Sequence
from typing import assert_never

from desktop.core.domain import Conversation, GroupSummary, Message, ModuleDefinition, Record
from desktop.core.domain.conditions import ALWAYS, Is, Literal
from desktop.core.domain.records import FigureGroup, Placed
from desktop.core.domain.search import MessagesWanted, facets_of, is_searched, searched_text
from desktop.core.events import ChangeSet
from desktop.core.protocol.objects import TYPES, DomainObject, as_record, is_record, value_of, wire_name
from desktop.core.store.changes import ChangeRecorder
from desktop.core.store.edits import EditTable
from desktop.core.store.record_memory import RecordMemory
from desktop.core.store.search_text import holds, words_of
from desktop.core.sync.effects import with_changed, with_message
from desktop.core.sync.outbox import Edit
from desktop.core.sync.port import (
    LOOSE,
    OF_A_CONVERSATION,
    CoverMessages,
    DropType,
    FiguresWanted,
    GroupsWanted,
    KeepOnly,
    Operation,
    PutEdit,
    PutLocal,
    PutObjects,
    RecordsWanted,
    RemoveEdit,
    RemoveObjects,
    Saved,
    SetCoverage,
    SetPushState,
    SetState,
    SortKey,
    loose_of,
)
from desktop.core.sync.ranges import Runs


class MemoryStore:
    """One account's data in dictionaries."""

    def __init__(self, me: str) -> None:
        self._me = me
        self._states: dict[str, str] = {}
        self._push_state: str | None = None
        self._objects: dict[str, dict[str, DomainObject]] = {
            name: {} for name in TYPES if name != "Message" and not is_record(name)
        }
        self._records = RecordMemory()
        self._messages: dict[str, dict[int, Message]] = {}
        self._places: dict[str, tuple[str, int]] = {}
        self._coverage: dict[str, Runs] = {}
        self._edits = EditTable()
        self._local: dict[str, dict[str, bytes]] = {}

    def load_saved(self) -> Saved:
        newest = sorted(self.load_conversations(), key=lambda c: -c.updated_at)
        return Saved(
            dict(self._states),
            self._push_state,
            tuple(self.load_edits()),
            dict(self._coverage),
            {conversation.id: conversation.last_seq for conversation in newest},
            {
                module.id: tuple(one.name for one in module.types)
                for module in self._objects["ModuleDefinition"].values()
                if isinstance(module, ModuleDefinition)
            },
            loose_of(self._local.get(LOOSE, {})),
        )

    def apply(self, operations: Sequence[Operation], *, durable: bool = False) -> list[ChangeSet]:
        del durable
        changes = ChangeRecorder()
        for operation in operations:
            self._do(operation, changes)
        return changes.change_sets()

    def _do(self, operation: Operation, changes: ChangeRecorder) -> None:
        match operation:
            case PutObjects():
                self._put(operation, changes)
            case RemoveObjects(type_name=name, ids=ids):
                for object_id in ids:
                    self._remove(name, object_id, changes)
            case KeepOnly(type_name=name, ids=keep):
                held = self._records.ids(name) if is_record(name) else list(self._objects[name])
                for object_id in held:
                    if object_id not in keep:
                        self._remove(name, object_id, changes)
            case DropType(type_name=name):
                for object_id in self._records.drop(name):
                    changes.remove(name, object_id)
                self._states.pop(name, None)
            case CoverMessages():
                self._cover(operation, changes)
            case SetCoverage(conversation_id=conversation_id, runs=runs):
                self._coverage[conversation_id] = runs
            case SetState(type_name=name, state=state):
                if state is None:
                    self._states.pop(name, None)
                else:
                    self._states[name] = state
            case SetPushState(push_state=push_state):
                self._push_state = push_state
            case PutEdit(edit=edit):
                self._edits.put(edit)
                changes.edit(edit, gone=False)
            case RemoveEdit(edit=edit):
                self._edits.remove(edit.id)
                changes.edit(edit, gone=True)
            case PutLocal(space=space, key=key, value=value):
                values = self._local.setdefault(space, {})
                if value is None:
                    values.pop(key, None)
                else:
                    values[key] = value
            case _:
                assert_never(operation)

    def _put(self, operation: PutObjects, changes: ChangeRecorder) -> None:
        if is_record(operation.type_name):
            records = [as_record(operation.type_name, value) for value in operation.objects]
            self._records.put(operation.type_name, records)
            for record in records:
                changes.upsert(operation.type_name, record.id)
            return
        for value in operation.objects:
            if isinstance(value, Message):
                self._put_message(value, changes)
                conversation = self._objects["Conversation"].get(value.conversation_id)
                if operation.live and isinstance(conversation, Conversation) and value.seq > conversation.last_seq:
                    self._objects["Conversation"][conversation.id] = with_message(conversation, value, self._me)
                    changes.upsert("Conversation", conversation.id)
            else:
                self._objects[operation.type_name][value.id] = value
                changes.upsert(operation.type_name, value.id)

    def _put_message(self, message: Message, changes: ChangeRecorder) -> None:
        place = self._places.get(message.id)
        if place == (message.conversation_id, message.seq):
            self._follow(message, changes)
        self._drop_message(message.id)
        room = self._messages.setdefault(message.conversation_id, {})
        if message.seq in room:
            other = room[message.seq]
            self._drop_message(other.id)
            changes.message(other.conversation_id, other.id, present=False)
        self._messages.setdefault(message.conversation_id, {})[message.seq] = message
        self._places[message.id] = (message.conversation_id, message.seq)
        changes.message(message.conversation_id, message.id)

    def _follow(self, message: Message, changes: ChangeRecorder) -> None:
        """A message changed in place: its conversation follows."""
        conversation = self._objects["Conversation"].get(message.conversation_id)
        if isinstance(conversation, Conversation):
            followed = with_changed(conversation, message)
            if followed is not conversation:
                self._objects["Conversation"][conversation.id] = followed
                changes.upsert("Conversation", conversation.id)

    def _drop_message(self, message_id: str) -> None:
        place = self._places.pop(message_id, None)
        if place is not None:
            del self._messages[place[0]][place[1]]

    def _remove(self, name: str, object_id: str, changes: ChangeRecorder) -> None:
        if name == "Message":
            place = self._places.get(object_id)
            if place is not None:
                self._drop_message(object_id)
                changes.message(place[0], object_id, present=False)
            return
        if is_record(name):
            if self._records.remove(name, object_id):
                changes.remove(name, object_id)
            return
        if self._objects[name].pop(object_id, None) is not None:
            changes.remove(name, object_id)
        if name == "Conversation":
            self._forget_conversation(object_id, changes)

    def _forget_conversation(self, conversation_id: str, changes: ChangeRecorder) -> None:
        for message in list(self._messages.get(conversation_id, {}).values()):
            self._drop_message(message.id)
            changes.message(conversation_id, message.id, present=False)
        self._coverage.pop(conversation_id, None)
        for name in OF_A_CONVERSATION:
            for value in self.load_objects(name, parent=conversation_id):
                del self._objects[name][value.id]
                changes.remove(name, value.id)

    def _cover(self, operation: CoverMessages, changes: ChangeRecorder) -> None:
        if operation.conversation_id not in self._objects["Conversation"]:
            return
        stay = {message.id for message in operation.messages}.union(operation.newer)
        room = self._messages.get(operation.conversation_id, {})
        for message in [m for s, m in room.items() if operation.low <= s <= operation.high and m.id not in stay]:
            self._drop_message(message.id)
            changes.message(operation.conversation_id, message.id, present=False)
        for message in operation.messages:
            self._put_message(message, changes)

    def load_conversations(self) -> list[Conversation]:
        found = [value for value in self._objects["Conversation"].values() if isinstance(value, Conversation)]
        return sorted(found, key=lambda c: (not c.pinned, -c.updated_at, c.id))

    def load_objects(self, type_name: str, *, parent: str | None = None) -> list[DomainObject]:
        if is_record(type_name):
            wire = wire_name(TYPES[type_name].parent or "") if type_name in TYPES else ""
            condition = ALWAYS if parent is None else Is(wire, (Literal(parent),))
            return [value_of(one, self._me) for one in self.load_page(RecordsWanted(type_name, condition))[0]]
        values = list(self._objects[type_name].values())
        field = TYPES[type_name].parent
        if parent is not None:
            values = [value for value in values if field is not None and getattr(value, field) == parent]
        return sorted(values, key=lambda value: value.id)

    def load_object(self, type_name: str, object_id: str) -> DomainObject | None:
        if type_name == "Message":
            place = self._places.get(object_id)
            return None if place is None else self._messages[place[0]][place[1]]
        if is_record(type_name):
            record = self.load_records(type_name, (object_id,)).get(object_id)
            return None if record is None else value_of(record, self._me)
        return self._objects[type_name].get(object_id)

    def load_records(self, type_name: str, ids: Collection[str]) -> dict[str, Record]:
        return self._records.load(type_name, ids)

    def load_page(self, wanted: RecordsWanted) -> tuple[list[Record], int]:
        return self._records.page(wanted)

    def load_ids(self, wanted: RecordsWanted) -> list[str]:
        return [record.id for record in self._records.page(wanted)[0]]

    def prepare_order(self, type_name: str, key: SortKey) -> None:
        """Nothing to prepare."""

    def load_groups(self, wanted: GroupsWanted) -> list[GroupSummary]:
        return self._records.groups(wanted)

    def load_outline(self, wanted: RecordsWanted, field: str) -> list[Placed]:
        return self._records.outline(wanted, field)

    def load_figures(self, wanted: FiguresWanted) -> list[FigureGroup] | None:
        return self._records.figures(wanted)

    def load_messages(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int = 60
    ) -> list[Message]:
        room = self._messages.get(conversation_id, {})
        seqs = sorted(s for s in room if (before is None or s < before) and (after is None or s > after))
        chosen = seqs[:limit] if after is not None and before is None else seqs[-limit:] if limit else []
        return [room[s] for s in chosen]

    def load_coverage(self, conversation_id: str) -> Runs:
        return self._coverage.get(conversation_id, ())

    def load_edits(self, conversation_id: str | None = None) -> list[Edit]:
        return self._edits.all() if conversation_id is None else self._edits.touching(conversation_id)

    def load_local(self, space: str) -> dict[str, bytes]:
        return dict(self._local.get(space, {}))

    def search_messages(self, wanted: MessagesWanted) -> tuple[list[Message], int]:
        found = self._matching(wanted)
        return found[: wanted.limit], min(len(found), max(wanted.limit, wanted.counted))

    def _matching(self, wanted: MessagesWanted) -> list[Message]:
        words = words_of(wanted.text)
        if bool(wanted.text.strip()) > bool(words):
            return []
        if not (words or wanted.conversation_id or wanted.sender_id or wanted.facets):
            return []
        everything = (message for room in self._messages.values() for message in room.values())
        found = [message for message in everything if _fits(message, wanted, words)]
        return sorted(found, key=lambda message: (-message.sent_at, -message.seq))

    def index_some(self, limit: int = 2000) -> int:
        del limit
        return 0

    def close(self) -> None:
        """Nothing to end."""


def _fits(message: Message, wanted: MessagesWanted, words: list[str]) -> bool:
    facets = facets_of(message)
    return is_searched(message) and (
        wanted.conversation_id in (None, message.conversation_id)
        and wanted.sender_id in (None, message.sender_id)
        and (not wanted.facets or bool(wanted.facets & facets))
        and not wanted.without & facets
        and (wanted.since is None or message.sent_at >= wanted.since)
        and (wanted.until is None or message.sent_at < wanted.until)
        and holds(searched_text(message), words)
    )
