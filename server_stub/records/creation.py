"""The memory of client-made ids (docs/protocol.md §1): the same create sent twice makes one object and gets the same answer."""

from typing import Any

import msgspec

from server_stub.errors import invalid_properties
from server_stub.ids import is_uuid7, uuid7
from server_stub.records.actor import Actor
from server_stub.storage.database import Tx


def object_id(tx: Tx, creation_id: str) -> str:
    """The id of a new object: the creation id when it is a UUIDv7, else a fresh one."""
    return creation_id if is_uuid7(creation_id) else uuid7(tx.now)


def recall_creation(tx: Tx, actor: Actor, type_name: str, creation_id: str) -> dict[str, Any] | None:
    """The answer given when this id was used before, None when it is new (or not idempotent).

    Raises:
        SetError: invalidProperties: the id is somebody else's, or names an object of another type.
    """
    if not is_uuid7(creation_id):
        return None
    row = tx.raw.execute("SELECT person_id, type, answer FROM creation WHERE id = ?", (creation_id,)).fetchone()
    if row is None:
        return None
    if row[0] != actor.person_id or row[1] != type_name:
        raise invalid_properties("this id is taken", "id")
    answer: dict[str, Any] = msgspec.json.decode(row[2])
    return answer


def remember_creation(tx: Tx, actor: Actor, type_name: str, creation_id: str, answer: dict[str, Any]) -> None:
    """Keep the answer for a resend; does nothing for ids that are not idempotent."""
    if is_uuid7(creation_id):
        tx.raw.execute(
            "INSERT INTO creation(id, person_id, type, answer) VALUES (?, ?, ?, ?)",
            (creation_id, actor.person_id, type_name, msgspec.json.encode(answer).decode()),
        )
