"""The account and directory types on the wire: Person, Department, Device, LoginEntry (docs/protocol.md §4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts.directory import DEPARTMENT, KEPT_BY_OFFICE, PERSON, check_kept, do_keep_department
from server_stub.accounts.discretion import HIDES, VISIBILITY, Discretion, check_hides
from server_stub.accounts.logins import LOGIN_ENTRY_TYPE
from server_stub.accounts.sessions import DEVICE_TYPE, do_revoke_devices
from server_stub.accounts.tables import device, login_entry
from server_stub.audit.chain import do_record
from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import visible_ids
from server_stub.storage.database import Tx

DIRECTORY: Final = "urn:tongban:directory"
ACCOUNT: Final = "urn:tongban:account"
MAX_SIGNATURE: Final = 200
_CHUNK: Final = 500
_OWN: Final = frozenset({"signature", HIDES})
_HIDDEN: Final = frozenset({"createdAt", "updatedAt", "authorId"})


class PersonHandler(RecordHandler):
    """People: everyone sees everyone, but of some fields only what discretion.py allows. Administrators keep the entries."""

    # What is shown depends on the reader's departments, so a filter may look at other records.
    can_calculate_query_changes = False

    def __init__(self) -> None:
        super().__init__(PERSON, DIRECTORY)

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record]) -> list[JsonObject]:
        if not records:
            return []
        discretion = Discretion(conn, actor)
        return [discretion.show(record, _without_envelope(record)) for record in records]

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]
    ) -> tuple[JsonObject, list[int] | None]:
        own = _OWN if record.id == actor.person_id else frozenset[str]()
        kept = KEPT_BY_OFFICE if actor.is_admin else frozenset[str]()
        if not changed <= own | kept:
            raise SetError(SetErrorType.FORBIDDEN, "only your own signature and what you hide can be changed")
        signature = data.get("signature")
        if signature is not None and (not isinstance(signature, str) or len(signature) > MAX_SIGNATURE):
            raise invalid_properties(f"a text of at most {MAX_SIGNATURE} characters", "signature")
        if HIDES in changed:
            data = {**data, HIDES: check_hides(data.get(HIDES))}
        if changed & kept:
            data = check_kept(tx, record, data, changed & kept)
            do_record(tx, actor.person_id, "user.update", record.id, {"properties": sorted(changed & kept)})
        return {key: value for key, value in data.items() if value is not None or key == "sex"}, None


class DepartmentHandler(RecordHandler):
    """Departments: everyone sees them; administrators set their order and rules, the command line all else."""

    def __init__(self) -> None:
        super().__init__(DEPARTMENT, DIRECTORY)

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record]) -> list[JsonObject]:
        return [_present_department(record, actor) for record in records]

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]
    ) -> tuple[JsonObject, list[int] | None]:
        if not actor.is_admin or not changed <= {"order", VISIBILITY}:
            raise SetError(SetErrorType.FORBIDDEN, "administrators change the order and the visibility")
        if actor.scopes is not None:
            raise SetError(SetErrorType.FORBIDDEN, "a program cannot change departments")
        return do_keep_department(tx, record, {key: data.get(key) for key in changed}, actor.person_id), None


class DeviceHandler(RecordHandler):
    """The devices a person is signed in on; destroying one signs it out."""

    can_calculate_query_changes = False

    def __init__(self) -> None:
        super().__init__(DEVICE_TYPE, ACCOUNT)

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        rows = _own_rows(conn, actor, self.name, ids, device)
        return _result(ids, [_present_device(row, actor) for row in rows])

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        raise SetError(SetErrorType.FORBIDDEN, "a device cannot be changed")

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        if not visible_ids(tx.conn, actor.person_id, self.name, [id_]):
            raise SetError(SetErrorType.NOT_FOUND)
        if actor.scopes is not None:
            raise SetError(SetErrorType.FORBIDDEN, "a program cannot sign devices out")
        do_revoke_devices(tx, [id_])
        do_record(tx, actor.person_id, "device.revoke", actor.person_id, {"devices": [id_]})


class LoginEntryHandler(RecordHandler):
    """A person's own login log: when, from where, with what result. Read-only."""

    def __init__(self) -> None:
        super().__init__(LOGIN_ENTRY_TYPE, ACCOUNT)

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        rows = _own_rows(conn, actor, self.name, ids, login_entry)
        return _result(ids, [_present_login(row) for row in rows])

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        raise SetError(SetErrorType.FORBIDDEN, "the login log cannot be changed")

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        raise SetError(SetErrorType.FORBIDDEN, "the login log cannot be changed")


def account_handlers() -> list[RecordHandler]:
    """Every type of this package, for the registry."""
    return [PersonHandler(), DepartmentHandler(), DeviceHandler(), LoginEntryHandler()]


def _present_department(record: Record, actor: Actor) -> JsonObject:
    shown = _without_envelope(record)
    if not actor.is_admin:
        shown.pop(VISIBILITY, None)
    return shown


def _without_envelope(record: Record) -> JsonObject:
    return {key: value for key, value in record.to_object().items() if key not in _HIDDEN}


def _present_device(row: Any, actor: Actor) -> JsonObject:
    return {
        "id": row.id,
        "name": row.name,
        "platform": row.platform,
        "createdAt": format_utc(row.created_at),
        "lastSeenAt": format_utc(row.last_seen_at),
        "lastAddress": row.last_address,
        "current": row.id == actor.device_id,
    }


def _present_login(row: Any) -> JsonObject:
    return {
        "id": row.id,
        "at": format_utc(row.at),
        "address": row.address,
        "deviceId": row.device_id,
        "login": row.login,
        "result": row.result,
    }


def _own_rows(
    conn: sa.Connection, actor: Actor, type_name: str, ids: Sequence[str] | None, table: sa.Table
) -> list[sa.Row[Any]]:
    wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, type_name, ids)))
    found: dict[str, sa.Row[Any]] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        found.update((row.id, row) for row in conn.execute(sa.select(table).where(table.c.id.in_(chunk))))
    return [found[one] for one in wanted if one in found]


def _result(ids: Iterable[str] | None, objects: list[JsonObject]) -> GetResult:
    held = {obj["id"] for obj in objects}
    return GetResult(objects, [] if ids is None else [one for one in dict.fromkeys(ids) if one not in held])
