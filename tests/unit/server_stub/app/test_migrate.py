"""Databases of every released schema come forward with a copy made first; a migration that fails leaves everything as it was."""

import hashlib
import lzma
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from server_stub.app import cli
from server_stub.app.check import find_problems
from server_stub.app.layout import DataLayout
from server_stub.app.migrate import KEPT_COPIES, MigrationFailed, bring_forward, schema_of
from server_stub.clock import SystemClock
from server_stub.errors import DatabaseDamaged, DatabaseTooNew
from server_stub.storage.database import Database
from server_stub.storage.schema import LATEST, MIGRATIONS

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql.xz"))
FILE = b"flood plan"
CLOCK = SystemClock()


def office(source: Path, root: Path) -> DataLayout:
    """A data folder with the database of a release and the one file its messages refer to."""
    layout = DataLayout(root)
    digest = hashlib.sha256(FILE).hexdigest()
    blob = layout.blobs / digest[:2] / digest[2:4] / digest
    blob.parent.mkdir(parents=True)
    blob.write_bytes(FILE)
    with closing(sqlite3.connect(layout.database, isolation_level=None)) as database:
        database.executescript(lzma.decompress(source.read_bytes()).decode())
    return layout


def columns(path: Path) -> dict[str, set[str]]:
    with closing(sqlite3.connect(path)) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: {row[1] for row in database.execute(f"PRAGMA table_info({name})")} for name in names}


def told(path: Path) -> tuple[list[str], list[str]]:
    """What people said and who may sign in."""
    with closing(sqlite3.connect(path)) as database:
        texts = [str(row[0]) for row in database.execute("SELECT text FROM message ORDER BY seq, text")]
        return texts, [str(row[0]) for row in database.execute("SELECT login FROM credential ORDER BY login")]


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Tables and columns of a database made today."""
    path = tmp_path_factory.mktemp("newest") / "tongban.db"
    Database.open(path, clock=CLOCK).close_now()
    return columns(path)


@pytest.mark.parametrize("source", RELEASED, ids=lambda path: path.name.split(".")[0])
def test_every_released_schema_comes_forward(source: Path, tmp_path: Path, newest: dict[str, set[str]]) -> None:
    layout = office(source, tmp_path)
    found, before = schema_of(layout.database), told(layout.database)
    assert found == int(source.name.split("-")[1])
    assert {"今晚值班", "好的 👍"} <= set(before[0])
    moved = bring_forward(layout, CLOCK)
    Database.open(layout.database, clock=CLOCK).close_now()  # tables that came without a migration
    assert (moved is None) == (found == LATEST)
    if moved is not None:
        assert (moved.found, moved.now, schema_of(moved.copy)) == (found, LATEST, found)
        assert told(moved.copy) == before
    assert (schema_of(layout.database), told(layout.database)) == (LATEST, before)
    now = columns(layout.database)
    assert {name: sorted(wanted - now[name]) for name, wanted in newest.items() if wanted - now[name]} == {}
    assert list(find_problems(layout)) == []
    assert bring_forward(layout, CLOCK) is None


def test_there_is_a_database_of_every_version_that_was_committed() -> None:
    assert {1, 3, 5} <= {int(path.name.split("-")[1]) for path in RELEASED}


def test_a_failing_migration_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = office(RELEASED[0], tmp_path)
    before = told(layout.database), columns(layout.database)

    def breaks(conn: sa.Connection) -> None:
        conn.exec_driver_sql("DELETE FROM message")
        conn.exec_driver_sql("ALTER TABLE nowhere ADD COLUMN x TEXT")

    with pytest.raises(MigrationFailed, match="is as it was") as failed:
        bring_forward(layout, CLOCK, migrations={**MIGRATIONS, LATEST: breaks})
    copy = next(layout.backups.iterdir())
    assert str(copy) in str(failed.value)
    assert schema_of(copy) == schema_of(layout.database) == 1
    assert (told(layout.database), columns(layout.database)) == before == (told(copy), columns(copy))
    assert copy.stat().st_mode & 0o077 == 0
    # no room for a copy: then nothing is tried
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1})())
    with pytest.raises(MigrationFailed, match="no room"):
        bring_forward(layout, CLOCK)
    assert schema_of(layout.database) == 1


def test_what_a_newer_program_wrote_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = office(RELEASED[0], tmp_path)
    with closing(sqlite3.connect(layout.database)) as database, database:
        database.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(DatabaseTooNew):
        bring_forward(layout, CLOCK)
    assert cli.main(["--data", str(tmp_path), "migrate"]) == 1
    assert "schema version 99" in capsys.readouterr().err
    assert not layout.backups.exists()
    layout.database.write_bytes(b"no database at all" * 1000)
    with pytest.raises(DatabaseDamaged):
        bring_forward(layout, CLOCK)


def test_the_newest_copies_are_kept_and_others_files_are_left_alone(tmp_path: Path) -> None:
    layout = office(RELEASED[0], tmp_path / "office")
    folder = tmp_path / "copies"
    folder.mkdir()
    old = [folder / f"before-schema-3-from-1-20200101T0000{n:02d}000Z.db" for n in range(KEPT_COPIES + 3)]
    for path in (*old, folder / "mine.db"):
        path.write_bytes(b"x")
    moved = bring_forward(layout, CLOCK, copies=folder)
    assert moved is not None
    assert sorted(folder.iterdir()) == sorted([*old[4:], moved.copy, folder / "mine.db"])
