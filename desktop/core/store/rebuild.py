"""A store whose shape no migration understands is made anew. What only this device knows is kept: what waits to be sent, and local notes (drafts)."""

import logging

import apsw

from desktop.core.store.schema import MIGRATIONS, VERSION

log = logging.getLogger(__name__)


def rebuild(db: apsw.Connection) -> None:
    """Make every table anew in one transaction; without states, all else is asked from the server again.

    Raises:
        apsw.Error: it cannot be done; the file is as it was.
    """
    with db:  # a savepoint: all of it or nothing
        edits = list(db.execute("SELECT id, place, data FROM edit"))
        notes = list(db.execute("SELECT space, key, value FROM local"))
        for name in _tables(db):
            quoted = name.replace('"', '""')
            db.execute(f'DROP TABLE IF EXISTS "{quoted}"')
        for script in MIGRATIONS:
            db.execute(script)
        db.executemany("INSERT INTO edit VALUES(?, ?, ?)", edits)
        db.executemany("INSERT INTO local VALUES(?, ?, ?)", notes)
        db.execute(f"PRAGMA user_version = {VERSION}")
    log.warning("the store was made anew", extra={"edits": len(edits), "notes": len(notes)})


def _tables(db: apsw.Connection) -> list[str]:
    """Virtual tables first: they take their own with them."""
    rows = db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC"
    )
    return [str(name) for (name,) in rows]
