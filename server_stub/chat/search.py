"""Message/query by words, sender, kind and time over all conversations of the reader: an index in a file of its own, beside the database.

It is made from the database and may be thrown away at any time; sending does not wait for it. Each question first brings the reader's conversations up to
date (a change moves `modseq`), so what was edited or recalled is found as it is now. Rights are asked of the database at every question.
"""

import asyncio
import contextlib
import os
import re
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.chat.search_words import SIGN, holds, index_text, match_expression, words_of
from server_stub.clock import parse_utc
from server_stub.errors import MethodError, MethodErrorType
from server_stub.push.events import ObjectsChanged
from server_stub.records.actor import Actor
from server_stub.records.types import Comparator, JsonObject, QueryResult, Window, cut_window
from server_stub.records.visibility import INF

KEYS: Final = frozenset({"text", "senderId", "is", "sentAfter", "sentBefore"})
"""A filter with one of these is a search."""
KINDS: Final = frozenset({"text", "picture", "file", "link", "card"})
MOST_FOUND: Final = 1000
AT_ONCE: Final = 4000
"""Messages that one question indexes at most: about 0.3 s. The rest comes with the next ones, and with the housekeeping."""
_LINK: Final = re.compile(r"\bhttps?://\S", re.IGNORECASE)
_SHIFT: Final = 20
_LAST: Final = 1 << 62
_CHUNK: Final = 500
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS seen(scope INTEGER PRIMARY KEY, modseq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entry(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text, tokenize='unicode61');
"""
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class MessageSearch:
    """The index. Any thread may ask; one at a time is served."""

    def __init__(self, path: Path | None) -> None:
        """`path` None: in memory."""
        self._path = path
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    # ------------------------------------------------------------ asking
    def query(
        self,
        conn: sa.Connection,
        actor: Actor,
        filter_: JsonObject,
        sort: Sequence[Comparator],
        window: Window,
    ) -> QueryResult:
        """The newest first, at most MOST_FOUND of them.

        Raises:
            MethodError: unsupportedFilter, invalidArguments, unsupportedSort, anchorNotFound.
        """
        wanted = _Wanted.of(filter_)
        if [(one.property, one.is_ascending) for one in sort] not in ([], [("sentAt", False)]):
            raise MethodError(
                MethodErrorType.UNSUPPORTED_SORT, "what is searched for stands by sentAt, the newest first"
            )
        scopes = _scopes(conn, actor.person_id, wanted.conversation_id)
        if not scopes:
            return cut_window([], window)
        with self._lock:
            db = self._open()
            self._catch_up(db, conn, scopes, AT_ONCE)
            found = list(db.execute(*wanted.statement(scopes)))
        return cut_window(_checked(conn, [row[0] for row in found], set(scopes), wanted), window)

    def index_more(self, conn: sa.Connection) -> int:
        """Brings conversations up to date, whoever's they are; how many messages were taken. 0: nothing is missing."""
        with self._lock:
            scopes = [row[0] for row in conn.exec_driver_sql("SELECT scope FROM conversation")]
            return self._catch_up(self._open(), conn, scopes, AT_ONCE)

    def on_commit(self, events: list[object]) -> None:
        """What was edited or recalled leaves the index at once, not with the next question: a listener of the database, on the event loop."""
        gone = [
            (one["id"], scope, event.change_id)
            for event in events
            if isinstance(event, ObjectsChanged) and event.type_name == "Message"
            for one in event.objects or ()
            if one.get("recalledAt") is not None or one.get("editedAt") is not None
            for scope in event.scopes
        ]
        if gone and (self._path is None or self._path.exists()):
            asyncio.get_running_loop().run_in_executor(None, self.forget, gone)

    def forget(self, gone: Sequence[tuple[str, int, int]]) -> None:
        """Takes messages (id, scope, change) out; what they say since that change comes back with the next question."""
        with self._lock:
            db = self._open()
            for id_, scope, change_id in gone:
                _drop(db, id_)
                db.execute("UPDATE seen SET modseq = min(modseq, ?) WHERE scope = ?", (change_id - 1, scope))

    def close(self) -> None:
        """Ends; a later question opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    # ------------------------------------------------------------ keeping
    def _open(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        if self._path is not None:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        try:
            self._db = self._connect()
        except sqlite3.DatabaseError:  # broken: it is made anew
            if self._path is None:
                raise
            for one in (self._path, *(self._path.with_name(self._path.name + end) for end in ("-wal", "-shm"))):
                one.unlink(missing_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = self._connect()
        return self._db

    def _connect(self) -> sqlite3.Connection:
        with contextlib.ExitStack() as stack:
            db = sqlite3.connect(self._path or ":memory:", check_same_thread=False, isolation_level=None)
            stack.callback(db.close)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA secure_delete = ON")  # what was recalled is gone
            db.execute("PRAGMA synchronous = OFF")  # it can always be made again
            db.executescript(_SCHEMA)
            stack.pop_all()
            return db

    def _catch_up(self, db: sqlite3.Connection, conn: sa.Connection, scopes: Iterable[int], most: int) -> int:
        seen: dict[int, int] = dict(db.execute("SELECT scope, modseq FROM seen"))
        taken = 0
        db.execute("BEGIN")
        try:
            for scope in scopes:
                if taken >= most:
                    break
                rows = _changed(conn, scope, seen.get(scope, -1), most - taken)
                if rows:
                    self._take(db, scope, rows)
                    taken += len(rows)
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        return taken

    @staticmethod
    def _take(db: sqlite3.Connection, scope: int, rows: Sequence[Any]) -> None:
        for id_, _, sender_id, kind, text, extra, sent_at in rows:
            _drop(db, id_)
            said = _Said.of(kind, text, extra)
            if said is None:
                continue
            n = _moment(sent_at) | zlib.crc32(id_.encode()) >> (32 - _SHIFT)
            while db.execute("SELECT 1 FROM entry WHERE n = ?", (n,)).fetchone():
                n += 1
            tokens = [f"{SIGN}c{scope}", *(f"{SIGN}k{one}" for one in sorted(said.kinds)), _sender(sender_id)]
            db.execute("INSERT INTO entry(n, id) VALUES (?, ?)", (n, id_))
            db.execute(
                "INSERT INTO words(rowid, text) VALUES (?, ?)", (n, f"{index_text(said.text)} {' '.join(tokens)}")
            )
        sql = "INSERT INTO seen VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET modseq = excluded.modseq"
        db.execute(sql, (scope, rows[-1][1]))


def _drop(db: sqlite3.Connection, id_: str) -> None:
    for (n,) in db.execute("SELECT n FROM entry WHERE id = ?", (id_,)).fetchall():
        db.execute("DELETE FROM words WHERE rowid = ?", (n,))
        db.execute("DELETE FROM entry WHERE n = ?", (n,))


def _changed(conn: sa.Connection, scope: int, since: int, most: int) -> list[Any]:
    """The next messages of a scope that changed after `since`: about `most`, but all of each change."""
    columns = "SELECT id, modseq, sender_id, kind, text, extra, sent_at FROM message WHERE scope = ?"
    sql = f"{columns} AND modseq > ? ORDER BY modseq LIMIT ?"
    rows = list(conn.exec_driver_sql(sql, (scope, since, most)))
    if len(rows) < most:
        return rows
    last = rows[-1][1]
    whole = conn.exec_driver_sql(f"{columns} AND modseq = ?", (scope, last))
    return [*(row for row in rows if row[1] != last), *whole]


class _Said(msgspec.Struct, frozen=True):
    """What of a message is searched, and what it is."""

    text: str
    kinds: frozenset[str]

    @classmethod
    def of(cls, kind: str, text: str, extra: str | None) -> "_Said | None":
        """None: a line of the system, or a message that was taken back."""
        more = _decode(extra) if extra else {}
        if kind == "system" or more.get("recalledAt") is not None:
            return None
        kinds = {"picture" if kind == "video" else kind} & KINDS
        if more.get("card") is not None:
            kinds.add("card")
        if _LINK.search(text):
            kinds.add("link")
        return cls(" ".join(part for part in (text, *_further(more)) if part), frozenset(kinds))


def _further(more: JsonObject) -> Iterator[str]:
    """Texts that a message carries beside its own: names of files, polls, chains, what was forwarded as one."""
    yield (more.get("attachment") or {}).get("name", "")
    poll, chain, merged = more.get("poll") or {}, more.get("chain") or {}, more.get("merged") or {}
    yield poll.get("question", "")
    yield from (one.get("text", "") for one in poll.get("options") or ())
    yield chain.get("title", "")
    yield from (one.get("text", "") for one in more.get("entries") or ())
    yield merged.get("title", "")
    yield from (one.get("text") or "" for one in merged.get("items") or ())


class _Wanted(msgspec.Struct, frozen=True):
    """A filter that was checked. Times in ms."""

    words: list[str]
    conversation_id: str | None
    sender_id: str | None
    kind: str | None
    since: int
    until: int

    @classmethod
    def of(cls, filter_: JsonObject) -> "_Wanted":
        known = KEYS | {"conversationId"}
        if not filter_.keys() <= known or any(not isinstance(value, str) for value in filter_.values()):
            said = "a search is {text?, senderId?, is?, sentAfter?, sentBefore?, conversationId?}, all of them texts"
            raise MethodError(MethodErrorType.UNSUPPORTED_FILTER, said)
        words = words_of(filter_.get("text", ""))
        if not words and ("text" in filter_ or not {"senderId", "is"} & filter_.keys()):
            raise MethodError(MethodErrorType.INVALID_ARGUMENTS, "a search has a word, a sender or a kind")
        if filter_.get("is", "text") not in KINDS:
            raise MethodError(MethodErrorType.INVALID_ARGUMENTS, f"is: {', '.join(sorted(KINDS))}")
        return cls(
            words,
            filter_.get("conversationId"),
            filter_.get("senderId"),
            filter_.get("is"),
            _time(filter_.get("sentAfter"), 0),
            _time(filter_.get("sentBefore"), _LAST),
        )

    def statement(self, scopes: Sequence[int]) -> tuple[str, tuple[Any, ...]]:
        """SQL and values for the ids in the index, the newest first."""
        parts = ["(" + " OR ".join(f'"{SIGN}c{scope}"' for scope in scopes) + ")"]
        if self.words:
            parts.append(match_expression(self.words))
        if self.sender_id is not None:
            parts.append(f'"{_sender(self.sender_id)}"')
        if self.kind is not None:
            parts.append(f'"{SIGN}k{self.kind}"')
        sql = (
            "SELECT e.id FROM words AS w CROSS JOIN entry AS e ON e.n = w.rowid WHERE words MATCH ? AND w.rowid >= ?"
            " AND w.rowid < ? ORDER BY w.rowid DESC LIMIT ?"
        )
        return sql, (" AND ".join(reversed(parts)), _moment(self.since), _moment(self.until), MOST_FOUND)


def _time(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        return parse_utc(text)
    except ValueError:
        raise MethodError(MethodErrorType.INVALID_ARGUMENTS, "sentAfter and sentBefore are UTCDates") from None


def _moment(at: int) -> int:
    return min(max(0, at) << _SHIFT, _LAST)


def _sender(person_id: str | None) -> str:
    return SIGN + "s" + (person_id or "").encode("utf-8", "surrogatepass").hex()


def _scopes(conn: sa.Connection, person_id: str, conversation_id: str | None) -> list[int]:
    """The scopes of the conversations a person is in now."""
    sql = "SELECT scope FROM member WHERE person_id = ? AND until = ?"
    values: tuple[Any, ...] = (person_id, INF)
    if conversation_id is not None:
        sql, values = f"{sql} AND conversation_id = ?", (*values, conversation_id)
    return sorted({row[0] for row in conn.exec_driver_sql(sql, values)})


def _checked(conn: sa.Connection, ids: Sequence[str], scopes: set[int], wanted: _Wanted) -> list[str]:
    """Those that are in the reader's conversations and say so now, whatever the index believes."""
    good: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        chunk = tuple(ids[start : start + _CHUNK])
        marks = ",".join("?" * len(chunk))
        sql = f"SELECT id, scope, sender_id, kind, text, extra FROM message WHERE id IN ({marks})"
        for id_, scope, sender_id, kind, text, extra in conn.exec_driver_sql(sql, chunk):
            said = _Said.of(kind, text, extra)
            if (
                said is not None
                and scope in scopes
                and wanted.sender_id in (None, sender_id)
                and (wanted.kind is None or wanted.kind in said.kinds)
                and holds(said.text, wanted.words)
            ):
                good.add(id_)
    return [one for one in ids if one in good]
