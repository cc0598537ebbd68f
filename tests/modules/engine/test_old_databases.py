"""A database as version 2 left it is taken forward: records count from version 1, alerts stay and may be of several kinds."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.modules.office_bench import open_bench


def test_records_and_alerts_of_version_2_are_taken_forward(tmp_path: Path) -> None:
    with open_bench(tmp_path) as bench:
        notice = bench.notice(level="important")
        (alert,) = bench.all("lin", "Alert")
        held = bench.get("lin", "Notice", notice)
        lin = bench.actors["lin"]
    with closing(sqlite3.connect(tmp_path / "office.db")) as old:
        old.execute("ALTER TABLE record DROP COLUMN version")
        old.execute("ALTER TABLE alert RENAME TO newer")
        old.execute(
            "CREATE TABLE alert (id TEXT NOT NULL PRIMARY KEY, person_id TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,"
            " text TEXT NOT NULL, urgent BOOLEAN NOT NULL, link_type TEXT NOT NULL, link_id TEXT NOT NULL,"
            " created_at BIGINT NOT NULL, UNIQUE (link_type, link_id, person_id))"
        )
        columns = "id, person_id, kind, title, text, urgent, link_type, link_id, created_at"
        old.execute(f"INSERT INTO alert({columns}) SELECT {columns} FROM newer")
        for table in ("newer", "record_change", "companion", "todo", "comment", "follow", "booking", "unique_value"):
            old.execute(f"DROP TABLE {table}")
        old.execute("UPDATE schema_version SET version = 2")
        old.commit()
    with open_bench(tmp_path) as bench:
        handler = bench.handlers["Notice"]
        assert bench.database.read_now(lambda conn: handler.get(conn, lin, [notice], None).list) == [held]
        alerts = bench.handlers["Alert"]
        assert bench.database.read_now(lambda conn: alerts.get(conn, lin, None, None).list) == [alert]
