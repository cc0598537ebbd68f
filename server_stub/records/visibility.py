"""Who can see what, and what changed for them since when: exact under changes of rights, in pages.

Visible at change n = some scope holds the object at n and the person is in that scope at n. Both are intervals [since, until) of change
ids. A state is `n0` or, inside a paged answer, `n0.m.t.id`: the client holds everything as of n0, except that all objects whose last event
is <= (m, t, id) are as of later. What is invisible now is reported destroyed if it was visible at any change after n0: a destroy of an
unknown id is harmless, while looking only at n0 or m leaves ghosts behind (seen and hidden again between two pages).

Hot types keep the interval in their own table: they pass their `ScopeSource`s; everything else lies in record_scope.
"""

import heapq
import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, Literal

import sqlalchemy as sa

from server_stub.errors import CannotCalculateChanges
from server_stub.push.events import MembershipChanged, ObjectsChanged
from server_stub.storage.database import Tx

INF: Final = 1 << 60
IN_CHUNK: Final = 500  # parameters of one IN list
LOOKS: Final = 8  # how often a page looks for more when what it found was told elsewhere
FIRST_LOOK: Final = 32  # rows a scope is asked for at first: a page merges many scopes and needs few rows of each

ScopeKind = Literal["everyone", "department", "role", "conversation", "person"]
EVERYONE: Final[tuple[ScopeKind, str]] = ("everyone", "")


@dataclass(frozen=True, slots=True)
class ScopeSource:
    """A table whose rows say "this scope holds this object from since until until, last touched at touched".

    Attributes:
        until: a column, or an SQL expression over the row.
        typed: whether the table has a column `type` to be compared with the type's name.
        lasting: one row for each object, never closed and never moved: what is news of it tells all there is to know.
    """

    table: str
    object_id: str = "object_id"
    scope: str = "scope"
    since: str = "since"
    until: str = "until"
    touched: str = "touched"
    typed: bool = False
    lasting: bool = False


RECORD_SCOPE: Final = ScopeSource("record_scope", typed=True)
RECORD_SOURCES: Final = (RECORD_SCOPE,)


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """One page of /changes. `modseqs`: for created and updated ids, the change id at which the object last changed for this reader."""

    created: list[str]
    updated: list[str]
    destroyed: list[str]
    new_state: str
    has_more: bool
    modseqs: dict[str, int]


# ---------------------------------------------------------------- writing


def scope_id(tx: Tx, kind: ScopeKind, ref: str) -> int:
    """The number of a scope, made on first use."""
    row = tx.raw.execute("SELECT id FROM scope WHERE kind = ? AND ref = ?", (kind, ref)).fetchone()
    if row is None:
        row = tx.raw.execute("INSERT INTO scope(kind, ref) VALUES (?, ?) RETURNING id", (kind, ref)).fetchone()
    return int(row[0])


def do_join(tx: Tx, person_id: str, scope: int) -> bool:
    """The person is in the scope from this change on; False when that was so before."""
    if tx.raw.execute(
        "SELECT 1 FROM membership WHERE person_id = ? AND until = ? AND scope = ?", (person_id, INF, scope)
    ).fetchone():
        return False
    n = tx.change_id()
    tx.raw.execute(
        "INSERT INTO membership(person_id, scope, since, until) VALUES (?, ?, ?, ?)", (person_id, scope, n, INF)
    )
    tx.publish(MembershipChanged(person_id, scope, True, n))
    return True


def do_leave(tx: Tx, person_id: str, scope: int) -> bool:
    """The person is out of the scope from this change on; False when that was so before."""
    key = (person_id, INF, scope)
    row = tx.raw.execute("SELECT since FROM membership WHERE person_id = ? AND until = ? AND scope = ?", key).fetchone()
    if row is None:
        return False
    n = tx.change_id()
    if row[0] == n:  # joined in this very change: it never was
        tx.raw.execute("DELETE FROM membership WHERE person_id = ? AND until = ? AND scope = ?", key)
    else:
        tx.raw.execute("UPDATE membership SET until = ? WHERE person_id = ? AND until = ? AND scope = ?", (n, *key))
    tx.publish(MembershipChanged(person_id, scope, False, n))
    return True


def do_enroll(tx: Tx, person_id: str) -> None:
    """What every new person needs: to be in `everyone` and in the scope of that one person."""
    do_join(tx, person_id, scope_id(tx, *EVERYONE))
    do_join(tx, person_id, scope_id(tx, "person", person_id))


def do_share(tx: Tx, object_id: str, type_name: str, scope: int) -> bool:
    """Show the object to the scope from this change on; False when that was so before."""
    if tx.raw.execute(
        "SELECT 1 FROM record_scope WHERE object_id = ? AND until = ? AND scope = ?", (object_id, INF, scope)
    ).fetchone():
        return False
    n = tx.change_id()
    tx.raw.execute(
        "INSERT INTO record_scope(object_id, type, scope, since, until, touched) VALUES (?, ?, ?, ?, ?, ?)",
        (object_id, type_name, scope, n, INF, n),
    )
    tx.publish(ObjectsChanged(type_name, n, (scope,)))
    return True


def do_unshare(tx: Tx, object_id: str, scope: int) -> bool:
    """Hide the object from the scope from this change on; False when it was not shown to it."""
    rows = tx.raw.execute(
        "SELECT type, since FROM record_scope WHERE object_id = ? AND until = ? AND scope = ?", (object_id, INF, scope)
    ).fetchall()
    for type_name, since in rows:
        _close(tx, object_id, scope, since)
        tx.publish(ObjectsChanged(type_name, tx.change_id(), (scope,)))
    return bool(rows)


def do_touch(tx: Tx, object_id: str) -> list[int]:
    """The object changed: whoever sees it will hear of it. Returns the scopes that hold it."""
    n = tx.change_id()
    rows = tx.raw.execute(
        "UPDATE record_scope SET touched = ? WHERE object_id = ? AND until = ? RETURNING type, scope",
        (n, object_id, INF),
    ).fetchall()
    if rows:
        tx.publish(ObjectsChanged(rows[0][0], n, tuple(row[1] for row in rows)))
    return [row[1] for row in rows]


def do_bury(tx: Tx, object_id: str) -> list[int]:
    """The object is gone for everyone from this change on, and its companions with it. Returns the scopes that held it."""
    for companion_id in companions_of(tx.conn, object_id):
        do_bury(tx, companion_id)
    rows = tx.raw.execute(
        "SELECT type, scope, since FROM record_scope WHERE object_id = ? AND until = ?", (object_id, INF)
    ).fetchall()
    for _, scope, since in rows:
        _close(tx, object_id, scope, since)
    tx.raw.execute("DELETE FROM companion WHERE object_id = ?", (object_id,))
    if rows:
        tx.publish(ObjectsChanged(rows[0][0], tx.change_id(), tuple(row[1] for row in rows)))
    return [row[1] for row in rows]


def do_accompany(tx: Tx, object_id: str, type_name: str, of_id: str) -> None:
    """From now on the object is seen by exactly those who see `of_id`, whatever its scopes become (through do_set_scopes)."""
    tx.raw.execute(
        "INSERT INTO companion(object_id, type, of_id) VALUES (?, ?, ?)"
        " ON CONFLICT (object_id) DO UPDATE SET type = excluded.type, of_id = excluded.of_id",
        (object_id, type_name, of_id),
    )
    do_set_scopes(tx, object_id, type_name, scopes_of(tx.conn, of_id))


def companions_of(conn: sa.Connection, object_id: str) -> dict[str, str]:
    """The objects that accompany this one: id → type."""
    rows = fetch_rows(conn, "SELECT object_id, type FROM companion WHERE of_id = ?", (object_id,))
    return {row[0]: row[1] for row in rows}


def _close(tx: Tx, object_id: str, scope: int, since: int) -> None:
    n = tx.change_id()
    key = (object_id, INF, scope)
    if since == n:  # shown in this very change: nobody ever saw it
        tx.raw.execute("DELETE FROM record_scope WHERE object_id = ? AND until = ? AND scope = ?", key)
    else:
        tx.raw.execute(
            "UPDATE record_scope SET until = ?, touched = ? WHERE object_id = ? AND until = ? AND scope = ?",
            (n, n, *key),
        )


def do_set_scopes(tx: Tx, object_id: str, type_name: str, scopes: Iterable[int]) -> None:
    """Show the object and its companions to exactly these scopes: shares the missing, unshares the others."""
    wanted = set(scopes)
    held = set(scopes_of(tx.conn, object_id))
    if wanted == held:
        return
    for scope in sorted(wanted - held):
        do_share(tx, object_id, type_name, scope)
    for scope in sorted(held - wanted):
        do_unshare(tx, object_id, scope)
    for companion_id, companion_type in companions_of(tx.conn, object_id).items():
        do_set_scopes(tx, companion_id, companion_type, wanted)


def do_forget_before(tx: Tx, n: int) -> None:
    """Drop closed intervals up to change n: states older than n answer cannotCalculateChanges from now on."""
    n = min(n, tx.latest)
    tx.raw.execute("UPDATE counter SET value = max(value, ?) WHERE name = 'log_start'", (n,))
    tx.raw.execute("DELETE FROM membership WHERE until <= ?", (n,))
    tx.raw.execute("DELETE FROM record_scope WHERE until <= ?", (n,))


# ---------------------------------------------------------------- reading


def fetch_rows(conn: sa.Connection, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Rows by the driver itself: for the small look-ups of which a write makes dozens, where building result objects costs most."""
    raw = conn.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw.execute(statement, values).fetchall()


def find_scope(conn: sa.Connection, kind: ScopeKind, ref: str) -> int | None:
    """The number of a scope, None when nothing ever used it."""
    rows = fetch_rows(conn, "SELECT id FROM scope WHERE kind = ? AND ref = ?", (kind, ref))
    return int(rows[0][0]) if rows else None


def scopes_of(conn: sa.Connection, object_id: str) -> list[int]:
    """The scopes that hold an object now."""
    rows = fetch_rows(conn, "SELECT scope FROM record_scope WHERE object_id = ? AND until = ?", (object_id, INF))
    return [row[0] for row in rows]


def person_scopes(conn: sa.Connection, person_id: str) -> set[int]:
    """The scopes a person is in now."""
    rows = fetch_rows(conn, "SELECT scope FROM membership WHERE person_id = ? AND until = ?", (person_id, INF))
    return {row[0] for row in rows}


def audience(conn: sa.Connection, scopes: Iterable[int]) -> set[str]:
    """The people who are in at least one of these scopes now."""
    people: set[str] = set()
    for scope in set(scopes):
        rows = conn.exec_driver_sql("SELECT person_id FROM membership WHERE scope = ? AND until = ?", (scope, INF))
        people.update(row[0] for row in rows)
    return people


def current_change(conn: sa.Connection) -> int:
    """The newest change id of this snapshot."""
    return int(conn.exec_driver_sql("SELECT value FROM counter WHERE name = 'change'").scalar_one())


def current_state(conn: sa.Connection) -> str:
    """The state of every type, for everyone, in this snapshot."""
    return str(current_change(conn))


def visible_ids(
    conn: sa.Connection,
    person_id: str,
    type_name: str,
    ids: Sequence[str] | None,
    *,
    sources: Sequence[ScopeSource] = RECORD_SOURCES,
) -> list[str]:
    """Those of `ids` (None: of all of the type) that the person sees now, in the order given (None: in order of id)."""
    if ids is None:
        parts = [
            f"SELECT s.{src.object_id} FROM membership AS m CROSS JOIN {src.table} AS s ON s.{src.scope} = m.scope"
            f" AND {_col(src.until)} = {INF}{' AND s.type = :type' if src.typed else ''}"
            " WHERE m.person_id = :person AND m.until = :inf"
            for src in sources
        ]
        statement = sa.text(f"SELECT * FROM ({' UNION '.join(parts)}) ORDER BY 1")
        rows = conn.execute(statement, {"person": person_id, "inf": INF, "type": type_name})
        return [row[0] for row in rows]
    mine = person_scopes(conn, person_id)
    seen = {
        row[0]
        for src in sources
        for row in _load_rows(conn, type_name, list(dict.fromkeys(ids)), INF - 1, src)
        if row[1] in mine
    }
    return [object_id for object_id in ids if object_id in seen]


def is_visible(
    conn: sa.Connection,
    person_id: str,
    type_name: str,
    object_id: str,
    *,
    sources: Sequence[ScopeSource] = RECORD_SOURCES,
) -> bool:
    """Whether the person sees this one object now."""
    return bool(visible_ids(conn, person_id, type_name, [object_id], sources=sources))


def changes(
    conn: sa.Connection,
    person_id: str,
    type_name: str,
    since_state: str,
    limit: int,
    *,
    sources: Sequence[ScopeSource] = RECORD_SOURCES,
) -> ChangesPage:
    """The difference between what the person could see of a type at `since_state` and can see now; at most `limit` ids.

    A page costs what it holds, however many objects a change of rights uncovers.

    Raises:
        CannotCalculateChanges: the state is older than the kept log, or was never given out.
    """
    now = current_change(conn)
    n0, position = _parse_state(since_state, now)
    start = conn.exec_driver_sql("SELECT value FROM counter WHERE name = 'log_start'").scalar_one()
    if n0 < start:
        raise CannotCalculateChanges("the state is older than the kept log")
    held = fetch_rows(
        conn, "SELECT scope, since, until FROM membership WHERE person_id = ? AND until > ?", (person_id, n0)
    )
    stays = [_Stay(scope, since, until, n0, now) for scope, since, until in held]
    news = _news_after(conn, type_name, stays, n0, position, sources)
    lasting = len(sources) == 1 and sources[0].lasting
    created: list[str] = []
    updated: list[str] = []
    destroyed: list[str] = []
    modseqs: dict[str, int] = {}
    last: Key | None = None
    more = True
    for _ in range(LOOKS):  # a page may hold less than it could; the next one goes on
        room = limit - len(modseqs) - len(destroyed)
        taken = list(itertools.islice(news, room))
        if lasting:
            rows: Iterable[Row] = ((key[2], scope, since, INF, key[1]) for key, scope, since in taken)
        else:
            rows = _load_all_rows(conn, type_name, {key[2] for key, _, _ in taken}, n0, sources)
        facts = _facts(rows, stays, n0)
        for key, _, _ in taken:
            last = key
            fact = facts[key[2]]
            if fact.key != key:
                continue  # another scope tells of it later: once is enough
            if fact.visible:
                (updated if fact.before else created).append(key[2])
                modseqs[key[2]] = fact.touched
            elif fact.ever:
                destroyed.append(key[2])
        more = len(taken) == room
        if not more or len(modseqs) + len(destroyed) == limit:
            break
    more = more and next(news, None) is not None
    new_state = _format_state(n0, last) if more and last is not None else str(now)
    return ChangesPage(created, updated, destroyed, new_state, more, modseqs)


Key = tuple[int, int, str]
"""Where an object stands in the order of news: (the change of its last event, the change that last touched it, its id)."""

News = tuple[Key, int, int]
"""An object's place, the scope that tells of it, since when it holds it."""

Row = tuple[str, int, int, int, int]
"""(id, scope, since, until, touched)"""


def _parse_state(state: str, now: int) -> tuple[int, Key]:
    parts = state.split(".", 3)
    numbers = parts[:3]
    if len(parts) not in {1, 4} or not all(one.isascii() and one.isdigit() and len(one) < 19 for one in numbers):
        raise CannotCalculateChanges("there never was such a state")
    n0 = int(parts[0])
    key = (int(parts[1]), int(parts[2]), parts[3]) if len(parts) == 4 else (0, 0, "")
    if max(n0, key[0], key[1]) > now or (len(parts) == 4 and key[0] <= n0):
        raise CannotCalculateChanges("there never was such a state")
    return n0, key


def _format_state(n0: int, key: Key) -> str:
    return f"{n0}.{key[0]}.{key[1]}.{key[2]}"


class _Stay:
    """A membership that was in force at some change after n0. `event`: the change at which it began or ended after n0, else 0."""

    __slots__ = ("event", "open", "scope", "since", "until")

    def __init__(self, scope: int, since: int, until: int, n0: int, now: int) -> None:
        self.scope = scope
        self.since = since
        self.until = until
        self.open = until > now
        self.event = until if until <= now else since if since > n0 else 0

    def key(self, touched: int, object_id: str, n0: int) -> Key | None:
        """The place of an object's row in this scope; None when it is no news."""
        if self.event == 0 and touched <= n0:
            return None
        return (max(touched, self.event), touched, object_id)


def _news_after(
    conn: sa.Connection, type_name: str, stays: Sequence[_Stay], n0: int, position: Key, sources: Sequence[ScopeSource]
) -> Iterator[News]:
    """All news after a position, in order, each place once; read as they are asked for."""
    newest: dict[int, _Stay] = {}  # of several stays in a scope the one that changed last says it all
    for stay in stays:
        if stay.scope not in newest or newest[stay.scope].event < stay.event:
            newest[stay.scope] = stay
    stays = list(newest.values())
    streams: list[Iterator[News]] = []
    for src in sources:
        fresh = _scopes_with_news(conn, type_name, stays, max(n0 + 1, position[0]), src)
        streams += [
            _stream(conn, type_name, stay, n0, position, src) for stay in stays if stay.event > 0 or stay.scope in fresh
        ]
    if len(streams) == 1 and sources[0].lasting:
        return streams[0]
    return (next(same) for _, same in itertools.groupby(heapq.merge(*streams), key=itemgetter(0)))


def _scopes_with_news(
    conn: sa.Connection, type_name: str, stays: Sequence[_Stay], touched: int, src: ScopeSource
) -> set[int]:
    """Those of the scopes that hold anything touched since: nearly always few, so that the rest costs one look at the index each."""
    lasting = sorted({stay.scope for stay in stays if stay.event == 0})
    typed = " AND s.type = ?" if src.typed else ""
    found: set[int] = set()
    for start in range(0, len(lasting), IN_CHUNK):
        chunk = lasting[start : start + IN_CHUNK]
        statement = (
            f"WITH lasting(id) AS (VALUES {','.join(['(?)'] * len(chunk))}) SELECT id FROM lasting WHERE EXISTS"
            f" (SELECT 1 FROM {src.table} AS s WHERE s.{src.scope} = lasting.id{typed} AND s.{src.touched} >= ?)"
        )
        values = (*chunk, *((type_name,) if src.typed else ()), touched)
        found.update(row[0] for row in conn.exec_driver_sql(statement, values))
    return found


def _stream(
    conn: sa.Connection, type_name: str, stay: _Stay, n0: int, position: Key, src: ScopeSource
) -> Iterator[News]:
    """The news of one scope after a position, in order of their keys, which is the order of (touched, id)."""
    m, t, last_id = position
    if m < stay.event:
        touched, object_id = -1, ""
    elif m == stay.event:
        touched, object_id = t, last_id
    else:
        touched, object_id = m, last_id if t == m else ""
    if stay.event == 0 and touched <= n0:
        touched, object_id = n0 + 1, ""
    typed = " AND s.type = ?" if src.typed else ""
    statement = (
        f"SELECT s.{src.touched}, s.{src.object_id}, s.{src.since} FROM {src.table} AS s WHERE s.{src.scope} = ?{typed}"
        f" AND s.{src.touched} >= ? AND (s.{src.touched} > ? OR s.{src.object_id} > ?) AND {_col(src.until)} > ?"
        " ORDER BY 1, 2 LIMIT ?"
    )
    head = (stay.scope, *((type_name,) if src.typed else ()))
    size = FIRST_LOOK
    while True:
        rows = fetch_rows(conn, statement, (*head, touched, touched, object_id, n0, size))
        scope, event = stay.scope, stay.event
        for touched, object_id, since in rows:  # the last ones are where the next look begins
            yield (touched if touched > event else event, touched, object_id), scope, since
        if len(rows) < size:
            return
        size = min(size * 4, IN_CHUNK)


@dataclass(slots=True)
class _Fact:
    """What is known of one object for one person."""

    key: Key
    visible: bool = False
    before: bool = False
    ever: bool = False
    touched: int = 0


def _facts(rows: Iterable[Row], stays: Sequence[_Stay], n0: int) -> dict[str, _Fact]:
    """For each object: its last place among the news, and whether the person sees it, saw it at n0, or at any change since."""
    by_scope: dict[int, list[_Stay]] = {}
    for stay in stays:
        by_scope.setdefault(stay.scope, []).append(stay)
    facts: dict[str, _Fact] = {}
    for object_id, scope, since, until, touched in rows:
        for stay in by_scope.get(scope, ()):
            key = stay.key(touched, object_id, n0)
            fact = facts.get(object_id)
            if fact is None:
                fact = facts[object_id] = _Fact((0, 0, object_id))
            if key is not None and key > fact.key:
                fact.key = key
            if since < stay.until and stay.since < until:
                fact.ever = True
                fact.before = fact.before or (since <= n0 and stay.since <= n0)
                if stay.open and until == INF:
                    fact.visible = True
                    fact.touched = max(fact.touched, touched)
    return facts


def _load_all_rows(
    conn: sa.Connection, type_name: str, ids: Iterable[str], n0: int, sources: Sequence[ScopeSource]
) -> Iterator[Row]:
    wanted = sorted(ids)
    for src in sources:
        yield from _load_rows(conn, type_name, wanted, n0, src)


def _load_rows(conn: sa.Connection, type_name: str, ids: Sequence[str], n0: int, src: ScopeSource) -> Iterator[Row]:
    """(id, scope, since, until, touched) of every interval of these objects that reaches beyond n0."""
    until = _col(src.until)
    typed = " AND s.type = ?" if src.typed else ""
    for start in range(0, len(ids), IN_CHUNK):
        chunk = ids[start : start + IN_CHUNK]
        statement = (
            f"SELECT s.{src.object_id}, s.{src.scope}, s.{src.since}, {until}, s.{src.touched} FROM {src.table} AS s"
            f" WHERE s.{src.object_id} IN ({','.join('?' * len(chunk))}) AND {until} > ?{typed}"
        )
        yield from fetch_rows(conn, statement, (*chunk, n0, *((type_name,) if src.typed else ())))


def _col(expression: str) -> str:
    return f"s.{expression}" if expression.isidentifier() else expression
