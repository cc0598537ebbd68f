"""`tongban-server check`: is everything there and unharmed? Reads only; may run beside the server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from server_stub.app.layout import DataLayout
from server_stub.audit import chain
from server_stub.modules.engine.overlays_store import find_overlay_problems
from server_stub.modules.engine.processes.case_check import find_case_problems

_BLOB_NAME: Final = re.compile(r"[0-9a-f]{64}\Z")
_INF: Final = 1 << 60
_REFERENCES: Final = (
    ("a credential belongs to nobody", "SELECT person_id FROM credential WHERE person_id NOT IN (SELECT id FROM record WHERE type = 'Person')"),
    ("a device belongs to nobody", "SELECT id FROM device WHERE person_id NOT IN (SELECT id FROM record WHERE type = 'Person')"),
    ("an integration token belongs to nobody", "SELECT id FROM integration_token WHERE person_id NOT IN (SELECT id FROM record WHERE type = 'Person')"),
    ("a person is in a department that is not there",
     "SELECT r.id FROM record r, json_each(r.data, '$.identities') i WHERE r.type = 'Person'"
     " AND json_extract(i.value, '$.departmentId') NOT IN (SELECT id FROM record WHERE type = 'Department')"),
    ("an object refers to a blob that is not there", "SELECT object_id FROM blob_ref WHERE blob_id NOT IN (SELECT id FROM blob)"),
    ("a record is shown that is not there",
     f"SELECT DISTINCT s.object_id FROM record_scope s WHERE s.until = {_INF} AND s.type IN (SELECT DISTINCT type FROM record)"
     " AND s.object_id NOT IN (SELECT id FROM record)"),
    ("somebody is in a scope that is not there", "SELECT person_id FROM membership WHERE scope NOT IN (SELECT id FROM scope)"),
)  # fmt: skip


def find_problems(layout: DataLayout) -> Iterator[str]:
    """Every problem as one line; nothing when all is well. The audit chain's head comes from `audit_head`."""
    engine = _engine(layout)
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql("BEGIN")
            yield from _database_problems(conn)
            yield from find_case_problems(conn)
            yield from find_overlay_problems(conn)
            yield from _blob_problems(conn, layout)
            report = chain.verify(conn)
            if report.broken_at is not None:
                yield f"the audit chain is broken at entry {report.broken_at}"
    except sa.exc.DatabaseError as error:
        yield f"the database cannot be read: {error.orig}"
    finally:
        engine.dispose()


def audit_head(layout: DataLayout) -> chain.ChainReport:
    """Length and head of the audit chain: noted elsewhere, they show later whether the newest entries were cut off."""
    engine = _engine(layout)
    try:
        with engine.connect() as conn:
            return chain.verify(conn)
    finally:
        engine.dispose()


def _engine(layout: DataLayout) -> sa.Engine:
    return sa.create_engine(f"sqlite:///{layout.database}", poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")


def _database_problems(conn: sa.Connection) -> Iterator[str]:
    for (text,) in conn.exec_driver_sql("PRAGMA integrity_check(100)"):
        if text != "ok":
            yield f"database: {text}"
    for row in conn.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"database: a row of {row[0]} refers to nothing"
    for text, query in _REFERENCES:
        for (found,) in conn.exec_driver_sql(query):
            yield f"{text}: {found}"


def _blob_problems(conn: sa.Connection, layout: DataLayout) -> Iterator[str]:
    known: dict[str, int] = {row[0]: row[1] for row in conn.exec_driver_sql("SELECT id, size FROM blob")}
    for blob_id, size in known.items():
        path = layout.blobs / blob_id[:2] / blob_id[2:4] / blob_id
        if not path.exists():
            yield f"blob {blob_id}: the file is missing"
        elif path.stat().st_size != size:
            yield f"blob {blob_id}: the file has {path.stat().st_size} bytes, not {size}"
        else:
            with path.open("rb") as source:
                if hashlib.file_digest(source, "sha256").hexdigest() != blob_id:
                    yield f"blob {blob_id}: the file's content was changed"
    for path in layout.blobs.glob("??/??/*"):
        if not _BLOB_NAME.match(path.name):
            yield f"blobs: a file that does not belong there: {path.name[:80]}"
