"""Messages pinned in their conversation, for all members."""

import sqlalchemy as sa

from server_stub.chat.lines import do_line
from server_stub.chat.message_changes import do_keep
from server_stub.chat.message_rows import MessageRow
from server_stub.chat.places import Place
from server_stub.chat.policy import MAX_PINNED
from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.visibility import fetch_rows
from server_stub.storage.database import Tx


def do_pin(tx: Tx, place: Place, row: MessageRow, on: object) -> bool:
    """Pin a message or let it go: in groups by owner and admins, or by everyone where the group says so. False when nothing changes.

    Raises:
        SetError: forbidden, invalidProperties (too many).
    """
    place.check_alive()
    if not isinstance(on, bool):
        raise invalid_properties("true or false", "pinned")
    if place.is_group and not place.mine.manages and not place.settings.get("anyonePins"):
        raise SetError(SetErrorType.FORBIDDEN, "only owner and admins pin here")
    if on == ("pinned" in row.extra):
        return False
    if on:
        if row.is_recalled or row.kind == "system":
            raise SetError(SetErrorType.FORBIDDEN, "this message cannot be pinned")
        held = tx.raw.execute("SELECT count(*) FROM message_pin WHERE scope = ?", (row.scope,)).fetchone()[0]
        if held >= MAX_PINNED:
            raise invalid_properties(f"at most {MAX_PINNED} pinned messages", "pinned")
        tx.raw.execute("INSERT INTO message_pin(scope, message_id, at) VALUES (?, ?, ?)", (row.scope, row.id, tx.now))
        row.extra["pinned"] = {"byId": place.mine.person_id, "at": format_utc(tx.now)}
    else:
        tx.raw.execute("DELETE FROM message_pin WHERE scope = ? AND message_id = ?", (row.scope, row.id))
        del row.extra["pinned"]
    do_keep(tx, place, row)
    if place.is_group:
        do_line(tx, place.id, "pinned" if on else "unpinned", by=place.mine.person_id, value=row.id)
    return True


def pinned_ids(conn: sa.Connection, scope: int) -> list[str]:
    """The pinned messages of a conversation, the newest pin first."""
    rows = fetch_rows(conn, "SELECT message_id FROM message_pin WHERE scope = ? ORDER BY at DESC, message_id", (scope,))
    return [row[0] for row in rows]
