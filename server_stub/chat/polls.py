"""Polls and chains (接龙): what members enter into a message that was made for it."""

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.chat.message_changes import do_keep
from server_stub.chat.message_rows import MessageRow
from server_stub.chat.places import Place
from server_stub.clock import format_utc, parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.visibility import fetch_rows
from server_stub.storage.database import Tx

MAX_ENTRY: Final = 200
CLOSED: Final = "closed"


def do_choose(tx: Tx, place: Place, row: MessageRow, choice: object) -> bool:
    """Set the actor's own choice (empty: none) until the poll is closed. False when it is the same.

    Raises:
        SetError: forbidden, `closed`, invalidProperties: no such option, several where one is asked for.
    """
    poll = _open_poll(tx, place, row)
    known = {option["id"] for option in poll["options"]}
    if (
        not isinstance(choice, list)
        or not all(isinstance(one, str) and one in known for one in choice)
        or len(set(choice)) < len(choice)
        or (len(choice) > 1 and not poll["multiple"])
    ):
        raise invalid_properties("ids of options, one unless several may be chosen", "choice")
    me = place.mine.person_id
    before = choices_of(tx.conn, [row.id], me).get(row.id, [])
    if sorted(before) == sorted(choice):
        return False
    tx.raw.execute("DELETE FROM poll_vote WHERE message_id = ? AND person_id = ?", (row.id, me))
    if choice:
        tx.raw.execute(
            "INSERT INTO poll_vote(message_id, person_id, choice) VALUES (?, ?, ?)",
            (row.id, me, msgspec.json.encode(choice).decode()),
        )
    results: dict[str, Any] = {}
    for option, held in row.extra["results"].items():
        counted = {"count": held["count"] - (option in before) + (option in choice)}
        if not poll["anonymous"]:
            people = [one for one in held["personIds"] if one != me] + ([me] if option in choice else [])
            counted["personIds"] = people
        results[option] = counted
    row.extra["results"] = results
    do_keep(tx, place, row, small=True)
    return True


def do_close_poll(tx: Tx, place: Place, row: MessageRow) -> None:
    """Its sender ends a poll. Raises SetError forbidden, `closed`."""
    poll = _open_poll(tx, place, row)
    if row.sender_id != place.mine.person_id:
        raise SetError(SetErrorType.FORBIDDEN, "only its sender ends a poll")
    row.extra["poll"] = {**poll, "closedAt": format_utc(tx.now)}
    do_keep(tx, place, row)


def do_enter_chain(tx: Tx, place: Place, row: MessageRow, entry: object) -> bool:
    """Set or take away (None) the actor's own line; it keeps its place. False when nothing changes. Raises SetError."""
    place.check_alive()
    if row.kind != "chain" or row.is_recalled:
        raise SetError(SetErrorType.FORBIDDEN, "this is no chain")
    if entry is not None and (not isinstance(entry, str) or not 0 < len(entry.strip()) <= MAX_ENTRY):
        raise invalid_properties(f"an entry has 1 to {MAX_ENTRY} characters", "entry")
    me = place.mine.person_id
    entries: list[dict[str, Any]] = list(row.extra["entries"])
    position = next((n for n, one in enumerate(entries) if one["personId"] == me), None)
    if entry is None:
        if position is None:
            return False
        del entries[position]
    else:
        mine = {"personId": me, "text": entry.strip(), "at": format_utc(tx.now)}
        if position is None:
            entries.append(mine)
        elif entries[position]["text"] == mine["text"]:
            return False
        else:
            entries[position] = mine
    row.extra["entries"] = entries
    do_keep(tx, place, row, small=True)
    return True


def choices_of(conn: sa.Connection, message_ids: list[str], person_id: str) -> dict[str, list[str]]:
    """What a person chose, by message."""
    marks = ",".join("?" * len(message_ids))
    rows = fetch_rows(
        conn,
        f"SELECT message_id, choice FROM poll_vote WHERE person_id = ? AND message_id IN ({marks})",
        (person_id, *message_ids),
    )
    return {row[0]: msgspec.json.decode(row[1]) for row in rows}


def _open_poll(tx: Tx, place: Place, row: MessageRow) -> dict[str, Any]:
    place.check_alive()
    if row.kind != "poll" or row.is_recalled:
        raise SetError(SetErrorType.FORBIDDEN, "this is no poll")
    poll: dict[str, Any] = row.extra["poll"]
    if "closedAt" in poll or ("closesAt" in poll and parse_utc(poll["closesAt"]) <= tx.now):
        raise SetError(CLOSED, "the poll is closed")
    return poll
