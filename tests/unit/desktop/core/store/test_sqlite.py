"""The encrypted file: its own errors for each kind of trouble, nothing in clear on disk, a transaction all or nothing, quick first screens."""

import time
from pathlib import Path

import apsw
import pytest

from desktop.core.domain import Conversation, ConversationKind, Message, MessageKind
from desktop.core.errors import StorageUnavailable, StoreDamaged, StoreTooNew, WrongStoreKey
from desktop.core.store.schema import VERSION
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.outbox import Edit, EditKind
from desktop.core.sync.port import PutEdit, PutLocal, PutObjects, RemoveEdit, SetState

KEY = bytes(range(32))
NEEDLE = "独一无二的秘密"


def filled(path: Path) -> None:
    store = SqliteStore.open(path, KEY, "me")
    message = Message("m1", "room", MessageKind.TEXT, NEEDLE, 1, "ben", 1)
    store.apply([PutObjects("Message", (message,)), SetState("Message", "5")])
    store.apply([PutLocal("x", str(n), bytes(4000)) for n in range(50)])
    store.close()


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    filled(tmp_path / "s.db")
    store = SqliteStore.open(tmp_path / "s.db", KEY, "me")
    assert store.load_messages("room")[0].text == NEEDLE
    assert store.load_saved().states == {"Message": "5"}
    store.close()


def test_nothing_is_in_clear_on_disk(tmp_path: Path) -> None:
    filled(tmp_path / "s.db")
    assert not any(NEEDLE.encode() in path.read_bytes() for path in tmp_path.iterdir())
    assert not (tmp_path / "s.db").read_bytes().startswith(b"SQLite format")


def test_another_key_is_a_wrong_key_and_leaves_the_file_alone(tmp_path: Path) -> None:
    filled(tmp_path / "s.db")
    before = (tmp_path / "s.db").read_bytes()
    with pytest.raises(WrongStoreKey):
        SqliteStore.open(tmp_path / "s.db", bytes(32), "me")
    assert (tmp_path / "s.db").read_bytes() == before


def test_a_damaged_page_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    filled(path)
    data = bytearray(path.read_bytes())
    for place in range(8192, len(data), 1024):
        data[place] ^= 0xFF
    path.write_bytes(data)

    def use() -> None:
        store = SqliteStore.open(path, KEY, "me")
        try:
            store.load_messages("room")
            store.load_local("x")
        finally:
            store.close()

    with pytest.raises(StoreDamaged):
        use()
    assert path.read_bytes() == bytes(data)


def test_a_newer_schema_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    filled(path)
    db = apsw.Connection(str(path))
    db.pragma("cipher", "chacha20")
    db.pragma("key", "raw:" + KEY.hex())
    db.pragma("user_version", VERSION + 1)
    db.close()
    with pytest.raises(StoreTooNew) as caught:
        SqliteStore.open(path, KEY, "me")
    assert caught.value.data == {"found": VERSION + 1, "known": VERSION}


def test_one_process_at_a_time(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "s.db", KEY, "me")
    store.apply([SetState("Message", "1")])
    with pytest.raises(StorageUnavailable) as caught:
        SqliteStore.open(tmp_path / "s.db", KEY, "me")
    assert caught.value.data["reason"] == "inUse"
    store.close()


def test_a_folder_in_the_way_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "s.db").mkdir()
    with pytest.raises(StorageUnavailable):
        SqliteStore.open(tmp_path / "s.db", KEY, "me")


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "s.db", KEY, "me")
    store.apply([SetState("Message", "1")])
    impossible = Message("m", "room", MessageKind.TEXT, "x", 1 << 70, "ben", 1)
    with pytest.raises(OverflowError):
        store.apply([SetState("Message", "2"), PutObjects("Message", (impossible,))])
    assert store.load_saved().states == {"Message": "1"}
    store.apply([SetState("Message", "3")])
    assert store.load_saved().states == {"Message": "3"}
    store.close()


def _edit(number: int) -> Edit:
    payload = {"conversationId": "room", "kind": "text", "text": "x"}
    return Edit(f"e{number}", "lane", EditKind.CREATE, "Message", f"e{number}", payload, order=number)


def test_the_outbox_in_memory_follows_the_file_through_a_failed_transaction(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "s.db", KEY, "me")
    store.apply([PutEdit(_edit(1))])
    assert [e.id for e in store.load_edits()] == ["e1"]
    impossible = Message("m", "room", MessageKind.TEXT, "x", 1 << 70, "ben", 1)
    with pytest.raises(OverflowError):
        store.apply([RemoveEdit(_edit(1)), PutEdit(_edit(2)), PutObjects("Message", (impossible,))])
    assert [e.id for e in store.load_edits("room")] == ["e1"]
    store.apply([PutEdit(_edit(3))])
    assert [e.id for e in store.load_edits()] == ["e1", "e3"]
    store.close()
    again = SqliteStore.open(tmp_path / "s.db", KEY, "me")
    assert [e.id for e in again.load_edits()] == ["e1", "e3"]
    again.close()


def test_the_outbox_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore.open(tmp_path / "s.db", KEY, "me")
    store.apply([PutEdit(_edit(n)) for n in range(100)])
    assert len(store.load_edits()) == 100
    monkeypatch.setattr("desktop.core.store.sqlite._edit", None)
    store.apply([RemoveEdit(_edit(7)), PutEdit(_edit(100))])
    assert [e.order for e in store.load_edits()] == [*range(7), *range(8, 101)]
    assert len(store.load_edits("room")) == 100
    store.close()


def test_first_screen_out_of_many_messages(tmp_path: Path) -> None:
    """A small version of the million-message figure in docs/core.md; generous, to catch a lost index and not a slow machine."""
    store = SqliteStore.open(tmp_path / "s.db", KEY, "me")
    rooms = tuple(
        Conversation(f"c{n}", ConversationKind.GROUP, f"c{n}", last_seq=100, updated_at=n) for n in range(500)
    )
    store.apply([PutObjects("Conversation", rooms)])
    for start in range(0, 500, 50):
        batch = tuple(
            Message(f"c{n}-{s}", f"c{n}", MessageKind.TEXT, f"text {s}", s, "ben", s)
            for n in range(start, start + 50)
            for s in range(1, 101)
        )
        store.apply([PutObjects("Message", batch)])
    begin = time.perf_counter()
    assert len(store.load_conversations()) == 500
    assert len(store.load_messages("c250", limit=60)) == 60
    assert time.perf_counter() - begin < 0.1
    store.close()
