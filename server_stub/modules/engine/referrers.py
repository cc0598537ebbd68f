"""Records that refer to a record: what a rule asks for when totals, readings or children belong to the thing referred to."""

import sqlalchemy as sa

from server_stub.records.store import Record, load_records
from server_stub.records.tables import record


def load_referrers(conn: sa.Connection, type_name: str, field: str, record_id: str) -> list[Record]:
    """The records of a type whose reference `field` is `record_id`, oldest first. `field` is a name of a definition, never a client's word."""
    held = sa.func.json_extract(record.c.data, f"$.{field}")
    rows = conn.execute(
        sa.select(record.c.id)
        .where(record.c.type == type_name, held == record_id)
        .order_by(record.c.created_at, record.c.id)
    )
    ids = [row[0] for row in rows]
    found = load_records(conn, ids, type_name=type_name)
    return [found[one] for one in ids if one in found]
