"""`/changes` from any older state equals the difference of two brute-force visible sets, under random writes and changes of rights,
in pages of any size, with writes between the pages; and past the kept log it says so."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.errors import CannotCalculateChanges
from server_stub.records import tables as _tables
from server_stub.records import visibility as vis
from server_stub.records.visibility import INF, RECORD_SCOPE, ScopeSource
from server_stub.storage.database import Tx
from server_stub.storage.schema import metadata

PEOPLE = ("p1", "p2", "p3")
SCOPES = (1, 2, 3, 4)
TYPE = "Thing"
HOT_TABLE = sa.Table(
    "hot",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("scope", sa.Integer),
    sa.Column("modseq", sa.BigInteger),
    sa.Column("since", sa.BigInteger),
    sa.Index("hot_scope", "scope", "modseq", "id"),
)
HOT = ScopeSource("hot", "id", "scope", "since", str(INF), "modseq")
"""Like messages: one scope, never hidden once written, changed in place."""

assert _tables.record_scope is not None


@dataclass
class Office:
    """A database in memory beside a model that remembers everybody's visible set after every change."""

    conn: sa.Connection
    raw: sqlite3.Connection
    latest: int = 0
    shared: set[tuple[str, int]] = field(default_factory=set)
    hot: dict[str, int] = field(default_factory=dict)
    members: set[tuple[str, int]] = field(default_factory=set)
    version: dict[str, int] = field(default_factory=dict)
    made: int = 0
    seen: list[dict[str, dict[str, int]]] = field(default_factory=list)

    def act(self, *steps: Callable[[Tx], object]) -> None:
        tx = Tx(self.conn, self.raw, 0, self.latest)
        tx.change_id()
        for step in steps:
            step(tx)
        self.latest = tx.latest
        self.seen.append({person: self.visible(person) for person in PEOPLE})

    def visible(self, person: str) -> dict[str, int]:
        """Brute force over the model: id → the change at which it last changed."""
        mine = {scope for who, scope in self.members if who == person}
        ids = {thing for thing, scope in self.shared if scope in mine} | {i for i, s in self.hot.items() if s in mine}
        return {thing: self.version[thing] for thing in ids}

    def step(self, rnd: random.Random) -> Callable[[Tx], object] | None:
        alive = sorted({thing for thing, _ in self.shared})
        match rnd.randrange(13):
            case 0 | 1:
                return self._create(f"t{self._next():04}", rnd.sample(SCOPES, rnd.randint(1, 2)))
            case 2 | 3 if alive:
                return self._touch(rnd.choice(alive))
            case 4 if alive:
                return self._bury(rnd.choice(alive))
            case 5 if alive:
                return self._share(rnd.choice(alive), rnd.choice(SCOPES))
            case 6 if self.shared:
                return self._unshare(*rnd.choice(sorted(self.shared)))
            case 7 | 8:
                return self._join(rnd.choice(PEOPLE), rnd.choice(SCOPES))
            case 9 if self.members:
                return self._leave(*rnd.choice(sorted(self.members)))
            case 10:
                return self._post(f"h{self._next():04}", rnd.choice(SCOPES))
            case 11 | 12 if self.hot:
                return self._edit(rnd.choice(sorted(self.hot)))
        return None

    def random_act(self, rnd: random.Random) -> None:
        steps = []
        for _ in range(rnd.choice((1, 1, 1, 2, 3))):
            step = self.step(rnd)
            if step is not None:
                steps.append(step)
        self.act(*steps)

    def _next(self) -> int:
        self.made += 1
        return self.made

    def _create(self, thing: str, scopes: list[int]) -> Callable[[Tx], object]:
        self.shared.update((thing, scope) for scope in scopes)

        def run(tx: Tx) -> None:
            self.version[thing] = tx.change_id()
            for scope in scopes:
                vis.do_share(tx, thing, TYPE, scope)

        return run

    def _post(self, thing: str, scope: int) -> Callable[[Tx], object]:
        self.hot[thing] = scope

        def run(tx: Tx) -> None:
            self.version[thing] = tx.change_id()
            n = tx.change_id()
            tx.raw.execute("INSERT INTO hot VALUES (?, ?, ?, ?)", (thing, scope, n, n))

        return run

    def _edit(self, thing: str) -> Callable[[Tx], object]:
        def run(tx: Tx) -> None:
            self.version[thing] = tx.change_id()
            tx.raw.execute("UPDATE hot SET modseq = ? WHERE id = ?", (tx.change_id(), thing))

        return run

    def _touch(self, thing: str) -> Callable[[Tx], object]:
        def run(tx: Tx) -> None:
            self.version[thing] = tx.change_id()
            vis.do_touch(tx, thing)

        return run

    def _bury(self, thing: str) -> Callable[[Tx], object]:
        self.shared = {(t, s) for t, s in self.shared if t != thing}
        return lambda tx: vis.do_bury(tx, thing)

    def _share(self, thing: str, scope: int) -> Callable[[Tx], object]:
        self.shared.add((thing, scope))
        return lambda tx: vis.do_share(tx, thing, TYPE, scope)

    def _unshare(self, thing: str, scope: int) -> Callable[[Tx], object]:
        self.shared.discard((thing, scope))
        return lambda tx: vis.do_unshare(tx, thing, scope)

    def _join(self, person: str, scope: int) -> Callable[[Tx], object]:
        self.members.add((person, scope))
        return lambda tx: vis.do_join(tx, person, scope)

    def _leave(self, person: str, scope: int) -> Callable[[Tx], object]:
        self.members.discard((person, scope))
        return lambda tx: vis.do_leave(tx, person, scope)

    def changes(self, person: str, state: str, limit: int) -> vis.ChangesPage:
        return vis.changes(self.conn, person, TYPE, state, limit, sources=(RECORD_SCOPE, HOT))


@contextmanager
def office() -> Iterator[Office]:
    engine = sa.create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        metadata.create_all(conn)
        HOT_TABLE.create(conn)
        raw: Any = conn.connection.driver_connection
        raw.executemany("INSERT INTO counter VALUES (?, 0)", [("change",), ("log_start",)])
        made = Office(conn, raw)
        made.seen.append({person: {} for person in PEOPLE})
        yield made
    engine.dispose()


def check_any_older_state(world: Office, rnd: random.Random) -> None:
    """One whole answer from each older state: created, updated, destroyed are the exact difference."""
    person = rnd.choice(PEOPLE)
    now = world.visible(person)
    for n0, snapshot in enumerate(world.seen):
        then = snapshot[person]
        page = world.changes(person, str(n0), 10_000)
        assert (page.has_more, page.new_state) == (False, str(world.latest))
        assert set(page.created) | set(page.updated) >= {i for i, n in now.items() if then.get(i) != n}
        assert set(page.created) <= now.keys() - then.keys()
        assert set(page.updated) <= now.keys()
        assert set(page.destroyed) >= then.keys() - now.keys()
        assert not set(page.destroyed) & now.keys()
        assert page.modseqs.keys() == set(page.created) | set(page.updated)
        assert all(page.modseqs[i] >= now[i] for i in page.modseqs)
        # nothing that was never visible after n0 is spoken of
        ever = set().union(*(later[person].keys() for later in world.seen[n0:]))
        assert set(page.destroyed) <= ever


def check_paged_client(world: Office, rnd: random.Random, clients: dict[str, tuple[dict[str, int], str]]) -> None:
    """A client that pages with writes in between ends up with exactly what it can see."""
    person = rnd.choice(PEOPLE)
    have, state = clients[person]
    while True:
        page = world.changes(person, state, rnd.randint(1, 3))
        assert len(page.created) + len(page.updated) + len(page.destroyed) <= 3
        have.update({i: world.version[i] for i in (*page.created, *page.updated)})
        for gone in page.destroyed:
            have.pop(gone, None)
        state = page.new_state
        if not page.has_more:
            break
        if rnd.random() < 0.5:
            world.random_act(rnd)
    assert have == world.visible(person)
    assert set(vis.visible_ids(world.conn, person, TYPE, None, sources=(RECORD_SCOPE, HOT))) == have.keys()
    everything = [*world.version, "nothing"]
    assert vis.visible_ids(world.conn, person, TYPE, everything, sources=(RECORD_SCOPE, HOT)) == [
        thing for thing in everything if thing in have
    ]
    clients[person] = (have, state)


def check_the_short_way(world: Office, rnd: random.Random) -> None:
    """What is told of rows that never close is what the long way tells of them, page by page."""
    person = rnd.choice(PEOPLE)
    for n0 in range(0, len(world.seen), 3):
        state, more = str(n0), True
        while more:
            limit = rnd.randint(1, 4)
            page = vis.changes(world.conn, person, TYPE, state, limit, sources=(HOT,))
            assert vis.changes(world.conn, person, TYPE, state, limit, sources=(replace(HOT, lasting=True),)) == page
            state, more = page.new_state, page.has_more


def run_history(rnd: random.Random, rounds: int) -> None:
    with office() as world:
        clients: dict[str, tuple[dict[str, int], str]] = {person: ({}, "0") for person in PEOPLE}
        for _ in range(rounds):
            for _ in range(rnd.randint(0, 4)):
                world.random_act(rnd)
            check_paged_client(world, rnd, clients)
        check_any_older_state(world, rnd)
        check_the_short_way(world, rnd)
        world.raw.execute("SELECT 1")
        for scope in SCOPES:
            expected = {person for person, s in world.members if s == scope}
            assert vis.audience(world.conn, [scope]) == expected


@pytest.mark.parametrize("seed", range(60))
def test_seeded_histories(seed: int) -> None:
    run_history(random.Random(seed), 30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_random_histories(rnd: random.Random, rounds: int) -> None:
    run_history(rnd, rounds)


def test_a_rights_change_over_many_objects_comes_in_pages() -> None:
    with office() as world:
        world.act(*(world._create(f"t{i:05}", [1]) for i in range(2500)))
        before = str(world.latest)
        world.act(world._join("p1", 1))
        got: list[str] = []
        state, pages = before, 0
        while True:
            page = world.changes("p1", state, 256)
            got += page.created
            state, pages = page.new_state, pages + 1
            if not page.has_more:
                break
        assert (len(got), len(set(got)), pages) == (2500, 2500, 10)


def test_past_the_kept_log_it_cannot_be_calculated() -> None:
    rnd = random.Random(5)
    with office() as world:
        for _ in range(60):
            world.random_act(rnd)
        kept = world.latest // 2
        tx = Tx(world.conn, world.raw, 0, world.latest)
        vis.do_forget_before(tx, kept)
        for state in (str(kept - 1), "0", f"{kept - 1}.{kept}.{kept}.t0001"):
            with pytest.raises(CannotCalculateChanges):
                world.changes("p1", state, 10)
        for person in PEOPLE:
            for n0 in range(kept, world.latest + 1):
                page = world.changes(person, str(n0), 10_000)
                then, now = world.seen[n0][person], world.visible(person)
                assert set(page.created) | set(page.updated) >= {i for i, n in now.items() if then.get(i) != n}
                assert set(page.destroyed) >= then.keys() - now.keys()


@given(st.text())
def test_any_text_as_state_is_a_plain_no_or_a_page(text: str) -> None:
    with office() as world:
        world.act(world._join("p1", 1), world._create("t1", [1]))
        try:
            page = world.changes("p1", text, 5)
        except CannotCalculateChanges:
            return
        assert page.new_state == "1"


@pytest.mark.parametrize(
    "state",
    [
        "",
        "2",
        "-1",
        "1.",
        "1.1",
        "0.2.x",
        "1.0.0.9",
        "٣",
        "1" * 40,
        "01.x.y",
        " 1",
        "1.0.",
        "0.2.2.x",
        "0.1.2.x",
        "0.0.0.",
    ],
)
def test_states_that_never_were(state: str) -> None:
    with office() as world:
        world.act(world._create("t1", [1]))
        with pytest.raises(CannotCalculateChanges):
            world.changes("p1", state, 5)
        assert world.changes("p1", "0.1.1.t0", 5).new_state == "1"
