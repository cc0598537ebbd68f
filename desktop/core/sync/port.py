"""The store as the sync needs it: operations that make up one transaction, what is saved between runs, and the reads of the verbs.

Every `apply` is one transaction, cursor and data together, and answers what it changed. Calls block; the driver runs them on the `db` thread.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal, Protocol

import msgspec

from desktop.core.domain import Conversation, GroupSummary, Message, Record
from desktop.core.domain.conditions import ALWAYS, Condition
from desktop.core.domain.records import FigureGroup, Placed
from desktop.core.domain.search import MessagesWanted
from desktop.core.events import ChangeSet
from desktop.core.protocol.objects import DomainObject
from desktop.core.sync.outbox import Edit
from desktop.core.sync.ranges import Runs


class PutObjects(msgspec.Struct, frozen=True):
    """Writes whole objects of one type. `live`: messages newer than their conversation's last one move its preview and counts."""

    type_name: str
    objects: tuple[DomainObject, ...]
    live: bool = False


class RemoveObjects(msgspec.Struct, frozen=True):
    """Removes objects; a conversation takes its messages, members, receipts and coverage along."""

    type_name: str
    ids: tuple[str, ...]


class KeepOnly(msgspec.Struct, frozen=True):
    """After a full snapshot: removes every object of the type that is not named."""

    type_name: str
    ids: frozenset[str]


class DropType(msgspec.Struct, frozen=True):
    """An office type is gone: its records and its cursor go."""

    type_name: str


class CoverMessages(msgspec.Struct, frozen=True):
    """A window as the server sees it: messages in [low, high] become exactly these. Nothing for a conversation that is unknown.

    `newer`: ids that belong into the window too, of which a newer version is here already.
    """

    conversation_id: str
    low: int
    high: int
    messages: tuple[Message, ...]
    newer: tuple[str, ...] = ()


class SetCoverage(msgspec.Struct, frozen=True):
    """Which sequence numbers of a conversation are held."""

    conversation_id: str
    runs: Runs


class SetState(msgspec.Struct, frozen=True):
    """The cursor of one type; None forgets it."""

    type_name: str
    state: str | None


class SetPushState(msgspec.Struct, frozen=True):
    """Where the push stream stands."""

    push_state: str | None


class PutEdit(msgspec.Struct, frozen=True):
    """Adds or replaces an edit of the outbox."""

    edit: Edit


class RemoveEdit(msgspec.Struct, frozen=True):
    """Takes an edit out of the outbox. `type_name`, `object_id` and `conversation_id` tell the change set what looks different now."""

    edit: Edit


class PutLocal(msgspec.Struct, frozen=True):
    """A value of this device alone (drafts, transfers, settings); None removes it. No change set tells of it: its service does, where anybody cares."""

    space: str
    key: str
    value: bytes | None


Operation = (
    PutObjects
    | RemoveObjects
    | KeepOnly
    | DropType
    | CoverMessages
    | SetCoverage
    | SetState
    | SetPushState
    | PutEdit
    | RemoveEdit
    | PutLocal
)


class SortKey(msgspec.Struct, frozen=True):
    """One field of an order; what is empty stands last either way.

    Attributes:
        kind: value: as it is held, texts without regard to ASCII case; time: dates and times; money: by its amount; choice: in the order of `choices`;
            name: by `names`.
    """

    field: str
    descending: bool = False
    kind: Literal["value", "time", "money", "choice", "name"] = "value"
    choices: tuple[str, ...] = ()
    names: dict[str, str] = {}


class RecordsWanted(msgspec.Struct, frozen=True):
    """Which records of a type, in which order (then by id).

    Attributes:
        overlay: records as the outbox makes them, in place of the stored ones or beside them. hidden: ids that count as gone.
        limit: None: all.
    """

    type_name: str
    condition: Condition = ALWAYS
    sort: tuple[SortKey, ...] = ()
    offset: int = 0
    limit: int | None = None
    overlay: tuple[Record, ...] = ()
    hidden: frozenset[str] = frozenset()


class GroupsWanted(msgspec.Struct, frozen=True):
    """Counts and sums of the records that match, by the value of a field (None: all in one). `money`: which of `sums` hold money."""

    records: RecordsWanted
    group: str | None = None
    sums: tuple[str, ...] = ()
    money: frozenset[str] = frozenset()


class FiguresWanted(msgspec.Struct, frozen=True):
    """Figures of the records that match, by the values of some fields together.

    Attributes:
        groups: (unit, field); the unit of time is year, month or day, "" for the value itself.
        fields: whose numbers are wanted. money: which of them hold money.
    """

    records: RecordsWanted
    groups: tuple[tuple[str, str], ...] = ()
    fields: tuple[str, ...] = ()
    money: frozenset[str] = frozenset()


OF_A_CONVERSATION: Final = ("Member", "Receipt", "Announcement", "JoinRequest", "ScheduledMessage")
"""Types whose objects go with their conversation."""

LOOSE: Final = "loose"
"""Local space of the objects that a push or an own write brought and no /changes has named yet: keys `<Type>/<id>`."""


def loose_of(local: Mapping[str, bytes]) -> dict[str, frozenset[str]]:
    """The space LOOSE by type."""
    found: dict[str, set[str]] = {}
    for key in local:
        type_name, _, object_id = key.partition("/")
        found.setdefault(type_name, set()).add(object_id)
    return {type_name: frozenset(ids) for type_name, ids in found.items()}


class Saved(msgspec.Struct, frozen=True):
    """What the engine starts from: cursors, the outbox in order, coverage and the last sequence number of each conversation (newest first), the types of each
    office module, objects held beyond their type's cursor (`LOOSE`)."""

    states: dict[str, str] = msgspec.field(default_factory=dict)
    push_state: str | None = None
    edits: tuple[Edit, ...] = ()
    coverage: dict[str, Runs] = msgspec.field(default_factory=dict)
    tops: dict[str, int] = msgspec.field(default_factory=dict)
    modules: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    loose: dict[str, frozenset[str]] = msgspec.field(default_factory=dict)


class Store(Protocol):
    """One account's data on this device. Raises StorageUnavailable and its kinds."""

    def load_saved(self) -> Saved:
        """What `SyncEngine` starts from."""
        ...

    def apply(self, operations: Sequence[Operation], *, durable: bool = False) -> list[ChangeSet]:
        """One transaction; `durable` waits for the disk (what the user typed must survive a power cut)."""
        ...

    def load_conversations(self) -> list[Conversation]:
        """All, pinned first, then newest first; as the server said, without pending edits."""
        ...

    def load_objects(self, type_name: str, *, parent: str | None = None) -> list[DomainObject]:
        """All objects of a type (not Message), or those of one parent, by id. Notices, folders and documents come as their structs."""
        ...

    def load_object(self, type_name: str, object_id: str) -> DomainObject | None:
        """One object of any type."""
        ...

    def load_records(self, type_name: str, ids: Collection[str]) -> dict[str, Record]:
        """Those of the records that are here."""
        ...

    def load_page(self, wanted: RecordsWanted) -> tuple[list[Record], int]:
        """A part of the records that match, and how many match in all."""
        ...

    def load_ids(self, wanted: RecordsWanted) -> list[str]:
        """Ids of the records that match, in their order; without the records this is cheap for many."""
        ...

    def prepare_order(self, type_name: str, key: SortKey) -> None:
        """Makes pages of many records in this order fast from now on; takes its time once."""
        ...

    def load_groups(self, wanted: GroupsWanted) -> list[GroupSummary]:
        """Counts and sums, the largest group first, then by value; nothing for no records."""
        ...

    def load_outline(self, wanted: RecordsWanted, field: str) -> list[Placed]:
        """All that match, in order, with what a field holds; long texts are cut."""
        ...

    def load_figures(self, wanted: FiguresWanted) -> list[FigureGroup] | None:
        """Figures by group, in no order. None: what is indexed does not tell them exactly (long texts, objects, huge numbers)."""
        ...

    def load_messages(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int = 60
    ) -> list[Message]:
        """Messages ascending by seq: the newest `limit` below `before`, or the oldest `limit` above `after`."""
        ...

    def load_coverage(self, conversation_id: str) -> Runs:
        """Which sequence numbers of a conversation are held."""
        ...

    def load_edits(self, conversation_id: str | None = None) -> list[Edit]:
        """The outbox in order, or what of it touches one conversation. From memory: cheap at any length."""
        ...

    def load_local(self, space: str) -> dict[str, bytes]:
        """All values of a space."""
        ...

    def search_messages(self, wanted: MessagesWanted) -> tuple[list[Message], int]:
        """The newest messages that match, as far as the index is built (what has just come is in it), and how many match: counted up to the greater of
        `limit` and `counted`."""
        ...

    def index_some(self, limit: int = 2000) -> int:
        """Indexes up to `limit` messages for search; how many there were. 0: up to date."""
        ...

    def close(self) -> None:
        """Ends; further calls fail."""
        ...
