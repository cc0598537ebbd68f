"""What people and conversations are called, for lines, titles and alerts that the server itself words."""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from server_stub.accounts.directory import PERSON
from server_stub.records.store import load_records
from server_stub.records.visibility import fetch_rows

NOBODY: Final = "成员"
_LISTED: Final = 10


def names_of(conn: sa.Connection, person_ids: Iterable[str]) -> dict[str, str]:
    """Person id → name; who is not in the directory is called `成员`."""
    ids = list(dict.fromkeys(person_ids))
    found = load_records(conn, ids, type_name=PERSON)
    return {id_: str(found[id_].data.get("name") or NOBODY) if id_ in found else NOBODY for id_ in ids}


def person_name(conn: sa.Connection, person_id: str) -> str | None:
    """The name of somebody in the directory; None: nobody there."""
    found = load_records(conn, [person_id], type_name=PERSON)
    return str(found[person_id].data.get("name") or NOBODY) if person_id in found else None


def listed(conn: sa.Connection, person_ids: Iterable[str]) -> str:
    """Names in a row: `林远、张敏`; of many only the first and how many."""
    ids = list(dict.fromkeys(person_ids))
    text = "、".join(names_of(conn, ids[:_LISTED]).values())
    return text if len(ids) <= _LISTED else f"{text}等 {len(ids)} 人"


def conversation_name(conn: sa.Connection, conversation_id: str) -> str | None:
    """The name of a group; None for a direct conversation."""
    rows = fetch_rows(conn, "SELECT name FROM conversation WHERE id = ? AND kind = 'group'", (conversation_id,))
    return None if not rows else rows[0][0]
