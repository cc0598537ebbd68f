"""What a restored backup may not do: bring in forged blobs, or give change ids out again that clients have seen."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from server_stub.app.backup import BackupFailed, make_backup, restore_backup
from server_stub.app.layout import DataLayout
from server_stub.clock import FixedClock
from server_stub.errors import CannotCalculateChanges
from server_stub.records import visibility
from server_stub.records.store import do_create_record
from server_stub.storage.database import Database, Tx
from tests.helpers.server_parts import START_MS

CLOCK = FixedClock(START_MS)


def fill(path: Path, count: int, prefix: str) -> str:
    """Some records a person sees; the state after them."""
    database = Database.open(path, clock=CLOCK)

    def one(tx: Tx, number: int) -> None:
        visibility.do_enroll(tx, "p")
        do_create_record(tx, "Notice", f"{prefix}{number}", {}, scopes=[visibility.scope_id(tx, *visibility.EVERYONE)])

    for number in range(count):
        database.write_now(lambda tx, number=number: one(tx, number))  # type: ignore[misc]
    state = database.read_now(visibility.current_state)
    database.close_now()
    return state


def backup_of(folder: Path) -> Path:
    """A data folder with three records, and its backup beside it."""
    layout = DataLayout(folder / "data")
    layout.root.mkdir()
    fill(layout.database, 3, "a")
    make_backup(layout, folder / "backup.tar", CLOCK)
    return folder / "backup.tar"


def test_states_from_after_the_backup_are_never_taken_for_later_ones(tmp_path: Path) -> None:
    archive = backup_of(tmp_path)
    seen_by_a_client = fill(tmp_path / "data" / "tongban.db", 4, "lost")
    restored = tmp_path / "restored"
    restore_backup(archive, restored)
    fill(restored / "tongban.db", 9, "b")

    database = Database.open(restored / "tongban.db", clock=CLOCK)
    try:
        with pytest.raises(CannotCalculateChanges):
            database.read_now(lambda conn: visibility.changes(conn, "p", "Notice", seen_by_a_client, 100))
        state = database.read_now(visibility.current_state)
        page = database.read_now(lambda conn: visibility.changes(conn, "p", "Notice", state, 100))
        assert (page.created, page.has_more) == ([], False)
        assert len(database.read_now(lambda conn: visibility.visible_ids(conn, "p", "Notice", None))) == 12
    finally:
        database.close_now()


def test_a_blob_is_what_its_name_says(tmp_path: Path) -> None:
    source = backup_of(tmp_path)
    name = hashlib.sha256(b"the contract").hexdigest()
    path = f"blobs/{name[:2]}/{name[2:4]}/{name}"
    forged = tmp_path / "forged.tar"
    with tarfile.open(source) as old, tarfile.open(forged, "w") as new:
        kept = {member.name: old.extractfile(member).read() for member in old}  # type: ignore[union-attr]
        manifest = json.loads(kept.pop("manifest.json"))
        kept[path] = b"another contract"
        manifest["files"].append({"path": path, "size": 16, "sha256": hashlib.sha256(kept[path]).hexdigest()})
        for entry, data in {"manifest.json": json.dumps(manifest).encode(), **kept}.items():
            member = tarfile.TarInfo(entry)
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    with pytest.raises(BackupFailed, match="do not belong"):
        restore_backup(forged, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()
