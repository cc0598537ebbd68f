"""Rules of contacts: a group's name once for each author, contacts that outlive their group, exports of the directory within limits and logged."""

from typing import Any, Final

import sqlalchemy as sa

from server_stub.audit.chain import do_record
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_records
from server_stub.records.tables import record as record_table
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

CONTACT: Final = "Contact"
GROUP: Final = "ContactGroup"
MOST_ROWS: Final = 200
"""People that one export may hold unless an administrator asks."""
MOST_ROWS_A_DAY: Final = 500
"""People that all exports of one person within a day may hold: small exports do not add up to the whole directory."""
DAY_MS: Final = 86_400_000
MOST_CONTACTS: Final = 10_000
MOST_GROUPS: Final = 200


class GroupRules(Rules):
    """A group of personal contacts and colleagues."""

    def check_create(self, tx: Tx, actor: Actor, data: JsonObject) -> None:
        held = load_own(tx.conn, GROUP, actor.person_id)
        if len(held) >= MOST_GROUPS:
            raise SetError(SetErrorType.FORBIDDEN, f"at most {MOST_GROUPS} groups")
        _check_name(held, data.get("name"))

    def check_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> None:
        if "name" in changed:
            others = [one for one in load_own(tx.conn, GROUP, actor.person_id) if one.id != record.id]
            _check_name(others, data.get("name"))

    def after_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        for contact in load_own(tx.conn, CONTACT, record.author_id or actor.person_id):
            held: list[Any] = contact.data.get("groupIds") or []
            if record.id in held:
                left = [one for one in held if one != record.id]
                self.change(tx, CONTACT, contact.id, {"groupIds": left or None}, actor.person_id)


class ContactRules(Rules):
    """A personal contact."""

    def check_create(self, tx: Tx, actor: Actor, data: JsonObject) -> None:
        if count_own(tx.conn, CONTACT, actor.person_id) >= MOST_CONTACTS:
            raise SetError(SetErrorType.FORBIDDEN, f"at most {MOST_CONTACTS} personal contacts")


class ExportRules(Rules):
    """What a client writes before it exports colleagues: refused above the limit, kept for the administrators and in the audit log."""

    def check_create(self, tx: Tx, actor: Actor, data: JsonObject) -> None:
        people = data.get("people")
        if actor.is_admin or not isinstance(people, list):
            return
        if len(people) > MOST_ROWS:
            raise invalid_properties(f"at most {MOST_ROWS} people in one export", "people")
        today = [one for one in load_own(tx.conn, self.definition.name, actor.person_id) if _is_fresh(tx, one)]
        if sum(int(one.data.get("rows", 0)) for one in today) + len(people) > MOST_ROWS_A_DAY:
            raise invalid_properties(f"at most {MOST_ROWS_A_DAY} people in a day", "people")

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        return {**data, "rows": len(data["people"])}

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        told = {"rows": record.data["rows"], "format": record.data["format"]}
        do_record(tx, actor.person_id, "directory.export", record.id, told)


def load_own(conn: sa.Connection, type_name: str, author_id: str) -> list[Record]:
    """The records of a type that a person has made, oldest first."""
    rows = conn.execute(
        sa.select(record_table.c.id)
        .where(record_table.c.type == type_name, record_table.c.author_id == author_id)
        .order_by(record_table.c.created_at, record_table.c.id)
    )
    ids = [row[0] for row in rows]
    found = load_records(conn, ids, type_name=type_name)
    return [found[one] for one in ids if one in found]


def count_own(conn: sa.Connection, type_name: str, author_id: str) -> int:
    """How many records of a type a person has made."""
    wanted = sa.select(sa.func.count()).where(record_table.c.type == type_name, record_table.c.author_id == author_id)
    return int(conn.execute(wanted).scalar_one())


def _check_name(others: list[Record], name: object) -> None:
    if isinstance(name, str) and any(_folded(one.data["name"]) == _folded(name) for one in others):
        raise invalid_properties("you have a group of this name", "name")


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _is_fresh(tx: Tx, record: Record) -> bool:
    return record.created_at > tx.now - DAY_MS
