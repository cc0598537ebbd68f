"""What hangs on a record's cases goes with the record. Plain SQL: keeping.py stands below the package that knows cases."""

from typing import Final

from server_stub.records.visibility import companions_of
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

CASE_EVENT: Final = "CaseEvent"


def has_open_case(tx: Tx, record_id: str) -> bool:
    """Whether a case about the record is running or suspended."""
    row = tx.raw.execute(
        "SELECT 1 FROM office_case WHERE record_id = ? AND state IN ('running', 'suspended') LIMIT 1", (record_id,)
    ).fetchone()
    return row is not None


def do_drop_cases(tx: Tx, record_id: str) -> None:
    """The record is gone; its cases, items and events leave their readers with it (they are its companions)."""
    cases = tx.raw.execute("SELECT id FROM office_case WHERE record_id = ?", (record_id,)).fetchall()
    if not cases:
        return
    for object_id, type_name in companions_of(tx.conn, record_id).items():
        if type_name == CASE_EVENT:
            do_unrefer(tx, object_id, CASE_EVENT)
    tx.raw.executemany(
        "DELETE FROM work_item_person WHERE item_id IN (SELECT id FROM work_item WHERE case_id = ?)", cases
    )
    for table in ("work_item", "case_event", "case_state"):
        tx.raw.executemany(f"DELETE FROM {table} WHERE case_id = ?", cases)
    tx.raw.executemany("DELETE FROM office_case WHERE id = ?", cases)
