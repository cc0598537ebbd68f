"""The encrypted store: one SQLite file (SQLite3 Multiple Ciphers, chacha20, a raw 32-byte key), WAL, one connection, one thread.

A wrong key, a damaged file and a newer schema each have an error of their own. Nothing here ever deletes a file.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar, assert_never

import apsw
import msgspec

from desktop.core.clock import SystemClock
from desktop.core.domain import Conversation, GroupSummary, Message, ModuleDefinition, Record
from desktop.core.domain.conditions import ALWAYS, Is, Literal
from desktop.core.domain.records import FigureGroup, Placed
from desktop.core.domain.search import MessagesWanted, found_by
from desktop.core.errors import StorageUnavailable, StoreDamaged, StoreTooNew, WrongStoreKey
from desktop.core.events import ChangeSet
from desktop.core.protocol.objects import TYPES, DomainObject, as_record, is_record, value_of, wire_name
from desktop.core.protocol.problems import ProtocolError
from desktop.core.store.changes import ChangeRecorder
from desktop.core.store.edits import EditTable
from desktop.core.store.message_heaps import LEAST, put_heap
from desktop.core.store.message_search import FRESH, MessageSearch
from desktop.core.store.moments import moment_of
from desktop.core.store.rebuild import rebuild
from desktop.core.store.record_tables import RecordTables
from desktop.core.store.schema import MIGRATIONS, VERSION
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

_KEY_BYTES: Final = 32
_CACHE_KIB: Final = 16384
_MAX_ROWID: Final = 1 << 62

_PROGRESS_STEPS: Final = 20_000
"""Steps of SQLite's machine between two looks at the clock."""

_RECORDS_COME: Final = 1
"""The migration after which notices, folders and documents are records."""

Value = TypeVar("Value")
_encode = msgspec.json.encode
_message = msgspec.json.Decoder(Message)
_conversation = msgspec.json.Decoder(Conversation)
_edit = msgspec.json.Decoder(Edit)
_runs = msgspec.json.Decoder(tuple[tuple[int, int], ...])
_objects: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(info.struct) for name, info in TYPES.items()
}


@contextmanager
def _translated() -> Iterator[None]:
    """SQLite's failures as ours."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreDamaged(reason=type(error).__name__) from error
    except apsw.BusyError as error:
        raise StorageUnavailable(reason="inUse") from error
    except apsw.FullError as error:
        raise StorageUnavailable(reason="diskFull") from error
    except (apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError, apsw.AuthError) as error:
        raise StorageUnavailable(reason="disk") from error


class SqliteStore:
    """One account's data in one encrypted file."""

    def __init__(self, db: apsw.Connection, me: str) -> None:
        self._db = db
        self._me = me
        self._keys: dict[str, int] = {}
        self._records = RecordTables(db, self._decode)
        self._search = MessageSearch(db, lambda data: self._decode(_message, data))
        self._edits: EditTable | None = None  # read with the first look at the outbox

    @classmethod
    def open(cls, path: Path, key: bytes, me: str) -> "SqliteStore":
        """Opens or makes the file of account `me`.

        Raises:
            WrongStoreKey: the key does not open it.
            StoreDamaged: it opens, but its pages or rows are broken.
            StoreTooNew: a newer program wrote it.
            StorageUnavailable: disk full, no rights, in use by another process.
        """
        if len(key) != _KEY_BYTES:
            raise ValueError("a store key has 32 bytes")
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists() or path.stat().st_size == 0
        with _translated():
            db = apsw.Connection(str(path))
        try:
            with _translated():
                _unlock(db, key, fresh=fresh)
                _set_up(db)
                _migrate(db)
                return cls(db, me)
        except BaseException:
            db.close()
            raise

    def close(self) -> None:
        with _translated():
            self._db.close()

    def check(self, limit_s: float) -> bool:
        """Whether the pages of the file are sound (SQLite's quick_check). Blocks the store's thread until then; False too when the limit came first.

        Raises:
            StoreDamaged: they are not.
        """
        clock = SystemClock()
        end = clock.monotonic() + limit_s
        self._db.set_progress_handler(lambda: clock.monotonic() > end, _PROGRESS_STEPS)
        try:
            with _translated():
                found = str(self._db.pragma("quick_check", 1))
        except apsw.InterruptError:
            return False
        finally:
            self._db.set_progress_handler(None)
        if found != "ok":
            raise StoreDamaged(reason="pages")
        return True

    # ------------------------------------------------------------ writing
    def apply(self, operations: Sequence[Operation], *, durable: bool = False) -> list[ChangeSet]:
        changes = ChangeRecorder()
        with _translated(), self._transaction(durable=durable):
            for operation in operations:
                self._do(operation, changes)
        return changes.change_sets()

    @contextmanager
    def _transaction(self, *, durable: bool = False) -> Iterator[None]:
        if durable:
            self._db.execute("PRAGMA synchronous = FULL")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._keys.clear()
                self._records.forget()
                self._edits = None
                if not self._db.get_autocommit():
                    self._db.execute("ROLLBACK")
                raise
        finally:
            if durable:
                self._db.execute("PRAGMA synchronous = NORMAL")

    def _do(self, operation: Operation, changes: ChangeRecorder) -> None:
        match operation:
            case PutObjects():
                self._put(operation, changes)
            case RemoveObjects(type_name=name, ids=ids):
                self._remove_all(name, ids, changes)
            case KeepOnly(type_name=name, ids=keep):
                self._remove_all(name, [one for one in self._ids(name) if one not in keep], changes)
            case DropType(type_name=name):
                self._drop_type(name, changes)
            case CoverMessages():
                self._cover(operation, changes)
            case SetCoverage(conversation_id=conversation_id, runs=runs):
                self._run("INSERT OR REPLACE INTO coverage VALUES(?, ?)", conversation_id, _encode(runs))
            case SetState(type_name=name, state=None):
                self._run("DELETE FROM state WHERE type = ?", name)
            case SetState(type_name=name, state=state):
                self._run("INSERT OR REPLACE INTO state VALUES(?, ?)", name, state)
            case SetPushState(push_state=push_state):
                self._run("INSERT OR REPLACE INTO meta VALUES('push_state', ?)", push_state)
            case PutEdit(edit=edit):
                self._run("INSERT OR REPLACE INTO edit VALUES(?, ?, ?)", edit.id, edit.order, _encode(edit))
                if self._edits is not None:
                    self._edits.put(edit)
                changes.edit(edit, gone=False)
            case RemoveEdit(edit=edit):
                self._run("DELETE FROM edit WHERE id = ?", edit.id)
                if self._edits is not None:
                    self._edits.remove(edit.id)
                changes.edit(edit, gone=True)
            case PutLocal(space=space, key=key, value=None):
                self._run("DELETE FROM local WHERE space = ? AND key = ?", space, key)
            case PutLocal(space=space, key=key, value=value):
                self._run("INSERT OR REPLACE INTO local VALUES(?, ?, ?)", space, key, value)
            case _:
                assert_never(operation)

    def _put(self, operation: PutObjects, changes: ChangeRecorder) -> None:
        if is_record(operation.type_name):
            records = [as_record(operation.type_name, value) for value in operation.objects]
            self._records.put(operation.type_name, records)
            for record in records:
                changes.upsert(operation.type_name, record.id)
            return
        if operation.type_name == "Message":
            self._put_messages([value for value in operation.objects if isinstance(value, Message)], changes)
            if operation.live:
                self._bump_all(operation.objects, changes)
            return
        for value in operation.objects:
            match value:
                case Conversation():
                    self._put_conversation(value)
                    changes.upsert("Conversation", value.id)
                case _:
                    parent_field = TYPES[operation.type_name].parent
                    parent = getattr(value, parent_field) if parent_field is not None else None
                    self._run(
                        "INSERT OR REPLACE INTO object VALUES(?, ?, ?, ?)",
                        operation.type_name,
                        value.id,
                        parent,
                        _encode(value),
                    )
                    changes.upsert(operation.type_name, value.id)

    def _put_conversation(self, value: Conversation) -> None:
        self._run(
            "INSERT OR REPLACE INTO conversation VALUES(?, ?, ?, ?)",
            value.id,
            value.last_seq,
            value.updated_at,
            _encode(value),
        )

    def _put_messages(self, messages: Sequence[Message], changes: ChangeRecorder) -> None:
        """Any number, of any conversations; in the order given where one takes another's place."""
        if len(messages) < LEAST:
            for message in messages:
                self._put_message(message, changes)
            return
        by_room: dict[str, list[Message]] = {}
        for message in messages:
            by_room.setdefault(message.conversation_id, []).append(message)
        for conversation_id, heap in by_room.items():
            changes.messages(conversation_id, [message.id for message in heap])
            for message in put_heap(self._db, self._search, self._key(conversation_id), heap, _encode):
                self._put_message(message, changes)

    def _put_message(self, message: Message, changes: ChangeRecorder) -> None:
        changes.message(message.conversation_id, message.id)
        room, data = self._key(message.conversation_id), _encode(message)
        fresh = "INSERT OR IGNORE INTO message(conversation, seq, moment, id, data) VALUES(?, ?, ?, ?, ?)"
        moment = moment_of(message)
        self._run(fresh, room, message.seq, moment, message.id, data)
        if not self._db.changes():  # it is here, or something else has its place or its moment
            if self._run(
                "SELECT 1 FROM message WHERE id = ? AND conversation = ? AND seq = ?", message.id, room, message.seq
            ):
                self._change_message(message, data, changes)
                return
            self._make_room(message, room, changes)
            moment = self._free_moment(moment)
            self._run(fresh, room, message.seq, moment, message.id, data)
        self._run("INSERT INTO to_index VALUES(?)", moment)

    def _change_message(self, message: Message, data: bytes, changes: ChangeRecorder) -> None:
        """A message changed in place: its words in the index and its conversation's last line follow."""
        raw = self._one("SELECT data FROM message WHERE id = ?", message.id)
        if raw == data:
            return
        held = self._decode(_message, raw)
        self._run("UPDATE message SET data = ? WHERE id = ?", data, message.id)
        if found_by(held) != found_by(message):
            self._search.again(message.id)
        newest = "SELECT data FROM conversation WHERE id = ? AND last_seq <= ?"
        raw = self._one(newest, message.conversation_id, message.seq)
        if raw is not None:
            conversation = self._decode(_conversation, raw)
            followed = with_changed(conversation, message)
            if followed is not conversation:
                self._put_conversation(followed)
                changes.upsert("Conversation", message.conversation_id)

    def _make_room(self, message: Message, room: int, changes: ChangeRecorder) -> None:
        """Takes away the same message at another place, and another message at this place."""
        self._delete_messages("id = ?", message.id)
        for (other,) in self._run("SELECT id FROM message WHERE conversation = ? AND seq = ?", room, message.seq):
            changes.message(message.conversation_id, other, present=False)
            self._delete_messages("id = ?", other)

    def _free_moment(self, moment: int) -> int:
        while self._one("SELECT 1 FROM message WHERE moment = ?", moment) is not None:
            moment += 1
        return moment

    def _bump_all(self, messages: Sequence[DomainObject], changes: ChangeRecorder) -> None:
        """The last lines and counts of the conversations they belong to."""
        by_room: dict[str, dict[str, Message]] = {}
        for message in messages:
            if isinstance(message, Message):
                by_room.setdefault(message.conversation_id, {})[message.id] = message
        for conversation_id, live in by_room.items():
            top = self._one("SELECT last_seq FROM conversation WHERE id = ?", conversation_id)
            if top is None or all(message.seq <= top for message in live.values()):
                continue
            raw = self._one("SELECT data FROM conversation WHERE id = ?", conversation_id)
            conversation = self._decode(_conversation, raw)
            for message in live.values():
                conversation = with_message(conversation, message, self._me)
            self._put_conversation(conversation)
            changes.upsert("Conversation", conversation_id)

    def _drop_type(self, name: str, changes: ChangeRecorder) -> None:
        for object_id in self._records.drop(name):
            changes.remove(name, object_id)
        self._run("DELETE FROM state WHERE type = ?", name)

    def _remove_all(self, name: str, ids: Sequence[str], changes: ChangeRecorder) -> None:
        for object_id in ids:
            self._remove(name, object_id, changes)

    def _remove(self, name: str, object_id: str, changes: ChangeRecorder) -> None:
        if name == "Message":
            place = "SELECT k.id FROM message m JOIN conversation_key k ON k.n = m.conversation WHERE m.id = ?"
            room = self._one(place, object_id)
            if room is not None:
                self._delete_messages("id = ?", object_id)
                changes.message(room, object_id, present=False)
            return
        if is_record(name):
            if self._records.remove(name, object_id):
                changes.remove(name, object_id)
            return
        if name != "Conversation":
            self._run("DELETE FROM object WHERE type = ? AND id = ?", name, object_id)
            if self._db.changes():
                changes.remove(name, object_id)
            return
        self._run("DELETE FROM conversation WHERE id = ?", object_id)
        if self._db.changes():
            changes.remove(name, object_id)
        self._forget_conversation(object_id, changes)

    def _forget_conversation(self, conversation_id: str, changes: ChangeRecorder) -> None:
        room = self._key(conversation_id)
        for (message_id,) in self._run("SELECT id FROM message WHERE conversation = ?", room):
            changes.message(conversation_id, message_id, present=False)
        self._delete_messages("conversation = ?", room)
        self._run("DELETE FROM coverage WHERE conversation = ?", conversation_id)
        for name in OF_A_CONVERSATION:
            rows = self._run("SELECT id FROM object WHERE type = ? AND parent = ?", name, conversation_id)
            for (object_id,) in rows:
                changes.remove(name, object_id)
            self._run("DELETE FROM object WHERE type = ? AND parent = ?", name, conversation_id)

    def _cover(self, operation: CoverMessages, changes: ChangeRecorder) -> None:
        if self._one("SELECT 1 FROM conversation WHERE id = ?", operation.conversation_id) is None:
            return
        room = self._key(operation.conversation_id)
        stay = {message.id for message in operation.messages}.union(operation.newer)
        held = self._run(
            "SELECT id FROM message WHERE conversation = ? AND seq BETWEEN ? AND ?", room, operation.low, operation.high
        )
        for (message_id,) in held:
            if message_id not in stay:
                self._delete_messages("id = ?", message_id)
                changes.message(operation.conversation_id, message_id, present=False)
        self._put_messages(operation.messages, changes)

    def _delete_messages(self, condition: str, *values: object) -> None:
        rows = self._run(f"SELECT n, moment FROM message WHERE {condition}", *values)  # noqa: S608 - our own constant texts
        for number, moment in rows:
            self._run("DELETE FROM to_index WHERE moment = ?", moment)
            if not self._db.changes():
                self._run("DELETE FROM message_text WHERE rowid = ?", moment)
            self._run("DELETE FROM message WHERE n = ?", number)

    def _key(self, conversation_id: str) -> int:
        """The small number of a conversation, given on first sight; a rolled-back transaction takes it back."""
        known = self._keys.get(conversation_id)
        if known is None:
            known = self._one("SELECT n FROM conversation_key WHERE id = ?", conversation_id)
            if known is None:
                self._run("INSERT INTO conversation_key(id) VALUES(?)", conversation_id)
                known = self._db.last_insert_rowid()
            self._keys[conversation_id] = int(known)
        return int(known)

    # ------------------------------------------------------------ reading
    def load_saved(self) -> Saved:
        with _translated():
            states = {name: state for name, state in self._run("SELECT type, state FROM state")}
            coverage: dict[str, Runs] = {
                room: self._decode(_runs, data) for room, data in self._run("SELECT conversation, runs FROM coverage")
            }
            tops = dict(self._run("SELECT id, last_seq FROM conversation ORDER BY updated_at DESC"))
            push_state = self._one("SELECT value FROM meta WHERE key = 'push_state'")
            modules = {
                module.id: tuple(one.name for one in module.types)
                for module in self.load_objects("ModuleDefinition")
                if isinstance(module, ModuleDefinition)
            }
            loose = loose_of(self.load_local(LOOSE))
            return Saved(states, push_state, tuple(self.load_edits()), coverage, tops, modules, loose)

    def load_conversations(self) -> list[Conversation]:
        with _translated():
            found = [self._decode(_conversation, data) for (data,) in self._run("SELECT data FROM conversation")]
        return sorted(found, key=lambda c: (not c.pinned, -c.updated_at, c.id))

    def load_objects(self, type_name: str, *, parent: str | None = None) -> list[DomainObject]:
        if type_name == "Conversation":
            return sorted(self.load_conversations(), key=lambda value: value.id)
        if is_record(type_name):
            return self._load_values(type_name, parent)
        sql, values = "SELECT data FROM object WHERE type = ?", [type_name]
        if parent is not None:
            sql, values = sql + " AND parent = ?", [type_name, parent]
        with _translated():
            return [self._decode(_objects[type_name], data) for (data,) in self._run(sql + " ORDER BY id", *values)]

    def _load_values(self, type_name: str, parent: str | None) -> list[DomainObject]:
        """Records as the structs of their type."""
        field = TYPES[type_name].parent if type_name in TYPES else None
        condition = ALWAYS if parent is None else Is(wire_name(field or ""), (Literal(parent),))
        found, _ = self.load_page(RecordsWanted(type_name, condition))
        return [self._value(record) for record in found]

    def _value(self, record: Record) -> DomainObject:
        try:
            return value_of(record, self._me)
        except ProtocolError as error:
            raise StoreDamaged(reason="row") from error

    def load_records(self, type_name: str, ids: Collection[str]) -> dict[str, Record]:
        with _translated():
            return self._records.load(type_name, ids)

    def load_page(self, wanted: RecordsWanted) -> tuple[list[Record], int]:
        with _translated():
            return self._records.page(wanted)

    def load_ids(self, wanted: RecordsWanted) -> list[str]:
        with _translated():
            return self._records.matching_ids(wanted)

    def prepare_order(self, type_name: str, key: SortKey) -> None:
        with _translated():
            self._records.prepare_order(type_name, key)

    def load_groups(self, wanted: GroupsWanted) -> list[GroupSummary]:
        with _translated():
            return self._records.groups(wanted)

    def load_outline(self, wanted: RecordsWanted, field: str) -> list[Placed]:
        with _translated():
            return self._records.outline(wanted, field)

    def load_figures(self, wanted: FiguresWanted) -> list[FigureGroup] | None:
        with _translated():
            return self._records.figures(wanted)

    def load_object(self, type_name: str, object_id: str) -> DomainObject | None:
        if is_record(type_name):
            record = self.load_records(type_name, (object_id,)).get(object_id)
            return None if record is None else self._value(record)
        with _translated():
            match type_name:
                case "Message":
                    data = self._one("SELECT data FROM message WHERE id = ?", object_id)
                case "Conversation":
                    data = self._one("SELECT data FROM conversation WHERE id = ?", object_id)
                case _:
                    data = self._one("SELECT data FROM object WHERE type = ? AND id = ?", type_name, object_id)
            return None if data is None else self._decode(_objects[type_name], data)

    def load_messages(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int = 60
    ) -> list[Message]:
        with _translated():
            room = self._one("SELECT n FROM conversation_key WHERE id = ?", conversation_id)
            upward = after is not None and before is None
            rows = self._run(
                "SELECT data FROM message WHERE conversation = ? AND seq > ? AND seq < ? "
                f"ORDER BY seq {'ASC' if upward else 'DESC'} LIMIT ?",
                room,
                -1 if after is None else after,
                _MAX_ROWID if before is None else before,
                limit,
            )
            found = [self._decode(_message, data) for (data,) in rows]
        return found if upward else found[::-1]

    def load_coverage(self, conversation_id: str) -> Runs:
        with _translated():
            data = self._one("SELECT runs FROM coverage WHERE conversation = ?", conversation_id)
            return () if data is None else self._decode(_runs, data)

    def load_edits(self, conversation_id: str | None = None) -> list[Edit]:
        if self._edits is None:
            with _translated():
                rows = self._run("SELECT data FROM edit ORDER BY place, id")
                self._edits = EditTable(self._decode(_edit, data) for (data,) in rows)
        return self._edits.all() if conversation_id is None else self._edits.touching(conversation_id)

    def load_local(self, space: str) -> dict[str, bytes]:
        with _translated():
            return dict(self._run("SELECT key, value FROM local WHERE space = ?", space))

    # ------------------------------------------------------------ search
    def search_messages(self, wanted: MessagesWanted) -> tuple[list[Message], int]:
        self.index_some(FRESH)  # what has just come is found at once
        with _translated():
            return self._search.find(wanted)

    def index_some(self, limit: int = 2000) -> int:
        with _translated():
            if not self._search.behind:
                return 0
            with self._transaction():
                return self._search.index_some(limit)

    # ------------------------------------------------------------ small change
    def _ids(self, name: str) -> list[str]:
        if name == "Conversation":
            return [row[0] for row in self._run("SELECT id FROM conversation")]
        if is_record(name):
            return self._records.ids(name)
        return [row[0] for row in self._run("SELECT id FROM object WHERE type = ?", name)]

    def _run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self._db.execute(sql, values))

    def _one(self, sql: str, *values: Any) -> Any:
        return next((row[0] for row in self._db.execute(sql, values)), None)

    def _decode(self, decoder: "msgspec.json.Decoder[Value]", data: bytes) -> Value:
        try:
            return decoder.decode(data)
        except msgspec.MsgspecError as error:
            raise StoreDamaged(reason="row") from error


def _unlock(db: apsw.Connection, key: bytes, *, fresh: bool) -> None:
    db.pragma("cipher", "chacha20")
    db.pragma("key", "raw:" + key.hex())
    try:
        list(db.execute("SELECT count(*) FROM sqlite_schema"))  # decrypts the first page
    except apsw.NotADBError as error:
        raise (StoreDamaged(reason="header") if fresh else WrongStoreKey()) from error


def _set_up(db: apsw.Connection) -> None:
    # One process at a time: the engine's memory and the file belong together.
    db.pragma("locking_mode", "exclusive")
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "normal")
    db.pragma("cache_size", -_CACHE_KIB)
    db.pragma("temp_store", "memory")  # nothing in clear in a temporary file


def _migrate(db: apsw.Connection) -> None:
    found = db.pragma("user_version")
    if not isinstance(found, int) or found > VERSION:
        raise StoreTooNew(found=found, known=VERSION)
    try:
        for number in range(found, VERSION):
            with db:
                db.execute(MIGRATIONS[number])
                if number == _RECORDS_COME:
                    _make_records(db)
                db.execute(f"PRAGMA user_version = {number + 1}")
    except apsw.SQLError:
        if not found:
            raise
        rebuild(db)  # of a shape that had no number of its own


def _make_records(db: apsw.Connection) -> None:
    """Moves what the first schema kept as structs, so that an update without a network loses nothing from the screen."""
    tables = RecordTables(db, lambda decoder, data: decoder.decode(data))
    for name in ("Notice", "Folder", "Document"):
        rows = list(db.execute("SELECT data FROM object WHERE type = ?", (name,)))
        with suppress(msgspec.MsgspecError, ProtocolError):  # the server is asked again anyway
            tables.put(name, [as_record(name, _objects[name].decode(data)) for (data,) in rows])
        db.execute("DELETE FROM object WHERE type = ?", (name,))
    for object_id, data in list(db.execute("SELECT id, data FROM object WHERE type = 'ModuleDefinition'")):
        try:
            _objects["ModuleDefinition"].decode(data)
        except msgspec.MsgspecError:
            db.execute("DELETE FROM object WHERE type = 'ModuleDefinition' AND id = ?", (object_id,))
