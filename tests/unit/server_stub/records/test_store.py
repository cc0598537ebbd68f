"""Generic records through RecordHandler: create with own id, patch, query, scopes, destroy."""

from pathlib import Path
from typing import Any

import pytest

from server_stub.clock import FixedClock
from server_stub.errors import MethodError, SetError
from server_stub.ids import uuid7
from server_stub.records import visibility
from server_stub.records.actor import Actor
from server_stub.records.creation import recall_creation, remember_creation
from server_stub.records.handler import RecordHandler
from server_stub.records.patch import apply_patch, changed_properties
from server_stub.records.store import Record, load_record
from server_stub.records.types import Comparator, Registry, Window
from server_stub.storage.database import Database, Tx

ANN, BOB = Actor("ann"), Actor("bob")


class Notes(RecordHandler):
    """Notes that their author may do anything with; `to` names who else sees them."""

    def __init__(self) -> None:
        super().__init__("Note", "urn:test:note")

    def _scopes(self, tx: Tx, actor: Actor, data: dict[str, Any]) -> list[int]:
        return [visibility.scope_id(tx, "person", who) for who in (actor.person_id, *data.get("to", []))]

    def on_create(self, tx: Tx, actor: Actor, record_id: str, data: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        return {"state": "new", **data}, self._scopes(tx, actor, data)

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: dict[str, Any], changed: set[str]
    ) -> tuple[dict[str, Any], list[int] | None]:
        if record.author_id != actor.person_id:
            raise SetError("forbidden")
        return data, self._scopes(tx, actor, data) if "to" in changed else None

    def on_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        if record.author_id != actor.person_id:
            raise SetError("forbidden")


@pytest.fixture
def db(tmp_path: Path) -> Any:
    made = Database.open(tmp_path / "a.db", clock=FixedClock(1_700_000_000_000))
    made.write_now(lambda tx: [visibility.do_enroll(tx, who) for who in ("ann", "bob")])
    yield made
    made.close_now()


def test_a_record_lives_through_its_handler(db: Database) -> None:
    notes = Notes()
    key = uuid7(5)
    made = db.write_now(lambda tx: notes.create(tx, ANN, key, {"title": "x", "to": ["bob"], "gone": None}))
    assert made == {
        "id": key,
        "state": "new",
        "createdAt": "2023-11-14T22:13:20.000Z",
        "updatedAt": "2023-11-14T22:13:20.000Z",
        "authorId": "ann",
    }
    start = db.read_now(visibility.current_state)
    other = db.write_now(lambda tx: notes.create(tx, ANN, "k1", {"title": "y"}))["id"]
    assert other != "k1"
    got = db.read_now(lambda conn: notes.get(conn, BOB, [key, other, "none"], None))
    assert [note["title"] for note in got.list] == ["x"]
    assert list(got.not_found) == [other, "none"]
    assert len(db.read_now(lambda conn: notes.get(conn, ANN, None, None)).list) == 2

    assert db.write_now(lambda tx: notes.update(tx, ANN, key, {"title": "z", "id": key})) is None
    page = db.read_now(lambda conn: notes.changes(conn, BOB, start, 10))
    assert (page.created, page.updated, page.destroyed) == ([], [key], [])
    assert page.modseqs[key] == db.read_now(lambda conn: load_record(conn, key)).modseq

    start = page.new_state
    db.write_now(lambda tx: notes.update(tx, ANN, key, {"to": None}))
    assert db.read_now(lambda conn: notes.changes(conn, BOB, start, 10)).destroyed == [key]
    db.write_now(lambda tx: notes.destroy(tx, ANN, key))
    assert db.read_now(lambda conn: notes.changes(conn, ANN, start, 10)).destroyed == [key]
    assert db.read_now(lambda conn: load_record(conn, key)) is None


def test_refusals(db: Database) -> None:
    notes = Notes()
    key = uuid7(5)
    db.write_now(lambda tx: notes.create(tx, ANN, key, {"title": "x", "to": ["bob"]}))
    for refused, error in (
        (lambda tx: notes.create(tx, ANN, key, {"title": "again"}), "invalidProperties"),
        (lambda tx: notes.create(tx, ANN, "k", {"authorId": "bob"}), "invalidProperties"),
        (lambda tx: notes.update(tx, BOB, key, {"title": "mine"}), "forbidden"),
        (lambda tx: notes.update(tx, ANN, key, {"authorId": "bob"}), "invalidProperties"),
        (lambda tx: notes.update(tx, ANN, key, {"title/x": 1}), "invalidPatch"),
        (lambda tx: notes.update(tx, ANN, "none", {}), "notFound"),
        (lambda tx: notes.destroy(tx, BOB, key), "forbidden"),
        (lambda tx: RecordHandler("X", "c").create(tx, ANN, "k", {}), "forbidden"),
    ):
        with pytest.raises(SetError) as caught:
            db.write_now(refused)
        assert caught.value.type == error
    assert db.read_now(lambda conn: load_record(conn, key)).data["title"] == "x"


def test_queries_filter_sort_and_cut(db: Database) -> None:
    notes = Notes()

    def fill(tx: Tx) -> list[str]:
        return [
            notes.create(tx, ANN, f"k{n}", {"title": f"t{n}", "rank": n % 3, "tags": ["a"] * (n % 2)})["id"]
            for n in range(9)
        ]

    ids = db.write_now(fill)

    def ask(filter_: Any, *sort: Comparator, **window: Any) -> list[int]:
        found = db.read_now(lambda conn: notes.query(conn, ANN, filter_, sort, Window(**window)))
        return [ids.index(id_) for id_ in found.ids]

    by_title = Comparator("title")
    assert ask({"rank": 1}, by_title) == [1, 4, 7]
    assert ask({"operator": "OR", "conditions": [{"rank": 1}, {"tags": "a"}]}, by_title) == [1, 3, 4, 5, 7]
    assert ask({"operator": "NOT", "conditions": [{"rank": 1}, {"tags": "a"}]}, by_title) == [0, 2, 6, 8]
    assert ask({"text": "T3"}) == [3]
    assert ask({"createdAtAfter": "2024-01-01T00:00:00Z"}) == []
    assert ask(None, Comparator("rank", False), by_title) == [2, 5, 8, 1, 4, 7, 0, 3, 6]
    assert ask(None, by_title, position=-2) == [7, 8]
    assert ask(None, by_title, anchor=ids[4], anchor_offset=-1, limit=2) == [3, 4]
    for call in (
        lambda: ask(None, Comparator("tags")),
        lambda: ask({"operator": "XOR", "conditions": []}),
        lambda: ask({"operator": "AND"}),
        lambda: ask(None, anchor="none"),
    ):
        with pytest.raises(MethodError):
            call()


def test_creations_are_remembered_for_their_maker_only(db: Database) -> None:
    key = uuid7(1)
    db.write_now(lambda tx: remember_creation(tx, ANN, "Note", key, {"id": key}))
    db.write_now(lambda tx: remember_creation(tx, ANN, "Note", "k1", {"id": "x"}))
    assert db.write_now(lambda tx: recall_creation(tx, ANN, "Note", key)) == {"id": key}
    assert db.write_now(lambda tx: recall_creation(tx, ANN, "Note", "k1")) is None
    for actor, type_name in ((BOB, "Note"), (ANN, "Other")):
        with pytest.raises(SetError, match="taken"):
            db.write_now(lambda tx, a=actor, t=type_name: recall_creation(tx, a, t, key))


def test_patches() -> None:
    original = {"a": {"b": {"c": 1}, "d": 2}, "e": [1]}
    assert apply_patch(original, {"a/b/c": 5, "e": [2], "f": 1}) == {"a": {"b": {"c": 5}, "d": 2}, "e": [2], "f": 1}
    assert apply_patch(original, {"a/b": None}) == {"a": {"d": 2}, "e": [1]}
    assert apply_patch({"x/y": 1, "t~": 1}, {"x~1y": 2, "t~0": 3}) == {"x/y": 2, "t~": 3}
    assert original == {"a": {"b": {"c": 1}, "d": 2}, "e": [1]}
    for bad in ({"a/b": 1, "a/b/c": 2}, {"e/0": 1}, {"n/x": 1}):
        with pytest.raises(SetError) as caught:
            apply_patch(original, bad)
        assert caught.value.type == "invalidPatch"
    assert changed_properties({"a": 1, "b": 2}, {"b": 2, "c": 3}) == {"a", "c"}


def test_a_registry_knows_each_name_once() -> None:
    registry = Registry([Notes()])
    assert registry.get("Note") is not None
    assert registry.get("Other") is None
    assert registry.by_capability() == {"urn:test:note": ["Note"]}
    with pytest.raises(ValueError, match="two types"):
        registry.add(Notes())
