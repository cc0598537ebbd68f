"""转办: who is responsible for a record once its work was passed on."""

import msgspec

from server_stub.modules.engine.definition import HANDLERS
from server_stub.modules.engine.processes.rows import open_case
from server_stub.records.store import Record
from server_stub.storage.database import Tx

MAX_PEOPLE = 10


def responsible_after(tx: Tx, record: Record) -> tuple[str | None, list[str]] | None:
    """(who gave it away, who is responsible now) after the last act, when that passed it on to others than before; else None."""
    passed = last_transfer(tx, record.id)
    if passed is None:
        return None
    giver, takers = passed
    held = [str(one) for one in record.data.get("responsibleIds", ())]
    now = [*takers, *(one for one in held if one != giver)] if giver in held else list(record.data.get(HANDLERS, ()))
    people = list(dict.fromkeys(now))[:MAX_PEOPLE]
    return None if not people or people == held else (giver, people)


def last_transfer(tx: Tx, record_id: str) -> tuple[str | None, list[str]] | None:
    """(who gave it away, in whose place where it was done for somebody; who has it) when passing it on was the last act; else None."""
    case = open_case(tx.conn, record_id)
    if case is None:
        return None
    row = tx.raw.execute(
        "SELECT action, person_id, on_behalf_of, extra FROM case_event WHERE case_id = ? AND action <> 'delegate' ORDER BY seq DESC LIMIT 1",
        (case.id,),
    ).fetchone()
    if row is None or row[0] != "transfer":
        return None
    takers = msgspec.json.decode(row[3]).get("to") or []
    return row[2] or row[1], [str(one) for one in takers]
