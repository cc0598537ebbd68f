"""The shared table metadata and the numbered migrations.

Each package declares its tables in its own `tables.py` on `metadata`. A new file is made from the metadata; an older one is taken
forward by MIGRATIONS first, then gets the tables that are missing. A migration never uses the metadata, which moves on.
"""

from collections.abc import Callable, Mapping
from typing import Final

import sqlalchemy as sa

metadata: Final = sa.MetaData()

counter: Final = sa.Table(
    "counter",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
"""`change`: the last change id given out. `log_start`: no /changes from states before it."""

schema_version: Final = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

Migration = Callable[[sa.Connection], None]


def _types_by_uploader(conn: sa.Connection) -> None:
    """Version 2: a blob's media type belongs to who uploaded or attached it; what a person stores is found by the person."""
    conn.exec_driver_sql("ALTER TABLE blob_uploader ADD COLUMN type TEXT")
    conn.exec_driver_sql("ALTER TABLE blob_ref ADD COLUMN type TEXT")
    conn.exec_driver_sql("CREATE INDEX blob_uploader_person ON blob_uploader (person_id)")


def _columns(conn: sa.Connection, table: str, missing: str) -> set[str]:
    """The columns of a table; of one that is not there yet (it will be made new, with all of them) just the one asked for."""
    return {row[1] for row in conn.exec_driver_sql(f"PRAGMA table_info({table})")} or {missing}


def _record_versions(conn: sa.Connection) -> None:
    """Version 3: records count their versions; a person may have several alerts about one object, of different kinds."""
    if "version" not in _columns(conn, "record", "version"):
        conn.exec_driver_sql("ALTER TABLE record ADD COLUMN version BIGINT NOT NULL DEFAULT 1")
    if "label" in _columns(conn, "alert", "label"):
        return
    conn.exec_driver_sql("ALTER TABLE alert RENAME TO old_alert")
    conn.exec_driver_sql(
        "CREATE TABLE alert (id TEXT NOT NULL PRIMARY KEY, person_id TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,"
        " text TEXT NOT NULL, urgent BOOLEAN NOT NULL, link_type TEXT NOT NULL, link_id TEXT NOT NULL,"
        " created_at BIGINT NOT NULL, label TEXT, UNIQUE (link_type, link_id, person_id, kind))"
    )
    conn.exec_driver_sql(
        "INSERT INTO alert(id, person_id, kind, title, text, urgent, link_type, link_id, created_at)"
        " SELECT id, person_id, kind, title, text, urgent, link_type, link_id, created_at FROM old_alert"
    )
    conn.exec_driver_sql("DROP TABLE old_alert")


def _chat_that_changes(conn: sa.Connection) -> None:
    """Version 4: messages change in place, so they know apart when they were made and when they last changed; groups have settings."""
    if "since" not in _columns(conn, "message", "since"):
        conn.exec_driver_sql("ALTER TABLE message ADD COLUMN since BIGINT NOT NULL DEFAULT 0")
        conn.exec_driver_sql("UPDATE message SET since = modseq")
    for table, name, kind in (
        ("conversation", "settings", "TEXT"),
        ("conversation", "muted_all", "BOOLEAN NOT NULL DEFAULT 0"),
        ("conversation", "dissolved_at", "BIGINT"),
        ("conversation", "department_id", "TEXT"),
        ("member", "own", "TEXT"),
        ("member", "muted_until", "BIGINT"),
        ("member", "nickname", "TEXT"),
        ("member", "invited_by", "TEXT"),
    ):
        if name not in _columns(conn, table, name):
            conn.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


def _alerts_apart(conn: sa.Connection) -> None:
    """Version 5: alerts of one kind about one object may stand side by side when they say different things."""
    columns = "id, person_id, kind, title, text, urgent, link_type, link_id, created_at, label"
    if "id" not in _columns(conn, "alert", ""):
        return  # not there yet: it will be made new
    conn.exec_driver_sql("ALTER TABLE alert RENAME TO old_alert")
    conn.exec_driver_sql(
        "CREATE TABLE alert (id TEXT NOT NULL PRIMARY KEY, person_id TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,"
        " text TEXT NOT NULL, urgent BOOLEAN NOT NULL, link_type TEXT NOT NULL, link_id TEXT NOT NULL,"
        " created_at BIGINT NOT NULL, label TEXT, UNIQUE (link_type, link_id, person_id, kind, text))"
    )
    conn.exec_driver_sql(f"INSERT INTO alert({columns}) SELECT {columns} FROM old_alert")
    conn.exec_driver_sql("DROP TABLE old_alert")


def _lost_answers(conn: sa.Connection) -> None:
    """Version 6: a used refresh token knows its successor. The very first databases never had the column: it came without a number."""
    if "successor" not in _columns(conn, "refresh_token", "successor"):
        conn.exec_driver_sql("ALTER TABLE refresh_token ADD COLUMN successor TEXT")


MIGRATIONS: Final[Mapping[int, Migration]] = {
    2: _types_by_uploader,
    3: _record_versions,
    4: _chat_that_changes,
    5: _alerts_apart,
    6: _lost_answers,
}
"""Version → what takes a database of the version before to it. Version 1 is the first that was ever written."""

LATEST: Final = max(MIGRATIONS, default=1)
