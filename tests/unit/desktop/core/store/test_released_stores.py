"""Stores that the code of each released schema wrote open in this one: what was typed and what waits to be sent is all there.

`released/store-<version>-<commit>.db.xz` are plain SQLite files, made by that commit and then decrypted, so that they stay small.
"""

import lzma
from pathlib import Path

import apsw
import pytest

from desktop.core.store.schema import VERSION
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.outbox import EditState

RELEASED = sorted((Path(__file__).parent / "released").glob("*.db.xz"))
KEY = bytes(range(32))
FIRST = "87bd4ec"


def encrypted(source: Path, path: Path) -> None:
    """The store as it lay on a disk."""
    path.write_bytes(lzma.decompress(source.read_bytes()))
    db = apsw.Connection(str(path))
    db.pragma("cipher", "chacha20")
    db.pragma("rekey", "raw:" + KEY.hex())
    db.close()
    assert not path.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("source", RELEASED, ids=lambda path: path.name.split(".")[0])
def test_nothing_that_was_typed_is_lost(source: Path, tmp_path: Path) -> None:
    encrypted(source, tmp_path / "s.db")
    for _ in range(2):
        store = SqliteStore.open(tmp_path / "s.db", KEY, "me")
        assert store.load_local("drafts") == {"room": "写到一半".encode()}
        waiting, refused = store.load_edits()
        assert (waiting.id, waiting.state, refused.id, refused.state) == (
            "e1",
            EditState.PENDING,
            "e2",
            EditState.REFUSED,
        )
        assert (waiting.lane, waiting.payload) == (
            "conversation:room",
            {"conversationId": "room", "kind": "text", "text": "等着发送 1", "mentions": []},
        )
        assert store.load_saved().edits == (waiting, refused)
        # The very first shape had no number of its own: that store is made anew, and the server is asked for everything.
        anew = FIRST in source.name
        assert [one.id for one in store.load_conversations()] == ([] if anew else ["room"])
        assert sorted(one.text for one in store.load_messages("room")) == ([] if anew else sorted(["今晚值班", "好的"]))
        assert bool(store.load_saved().states) != anew
        store.close()


def test_there_is_a_store_of_every_version() -> None:
    assert {int(path.name.split("-")[1]) for path in RELEASED} == set(range(1, VERSION + 1))
