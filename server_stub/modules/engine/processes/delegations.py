"""Delegation: who acts for whom while somebody is away (docs/protocol.md §4). Both names stay on the record.

New work goes to the delegate; what a person had before stays with that person. A chain goes to its end (A away → B away → C), a circle is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.accounts.directory import PERSON, load_rights
from server_stub.audit.chain import do_record
from server_stub.clock import format_utc, parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes.process_tables import delegation
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.handler import RecordHandler
from server_stub.records.patch import apply_patch, changed_properties
from server_stub.records.store import load_record
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import do_bury, do_set_scopes, do_touch, scope_id, visible_ids
from server_stub.storage.database import Tx

DELEGATION: Final = "Delegation"
ADMIN_ROLES: Final = frozenset({"admin", "process-admin"})
"""Who keeps processes, and delegations of people who cannot themselves."""
MAX_REASON: Final = 500
MAX_DAYS: Final = 400
MAX_MODULES: Final = 100
_DAY_MS: Final = 86_400_000
_CHUNK: Final = 500
_COLUMNS: Final = "id, person_id, delegate_id, start, end, modules, reason, revoked_at"
_GIVEN: Final = frozenset({"personId", "delegateId", "from", "to", "modules", "reason"})
_CHANGED: Final = frozenset({"from", "to", "modules", "reason", "state"})


@dataclass(frozen=True, slots=True)
class Absence:
    """A delegation as stored. `modules` empty: all; times in ms, the end not included."""

    id: str
    person_id: str
    delegate_id: str
    start: int
    end: int
    modules: frozenset[str]
    reason: str
    revoked: bool

    def shared(self, other: "Absence") -> "Absence | None":
        """This absence cut down to the time and modules of another, None when they have none in common."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        both = self.modules & other.modules if self.modules and other.modules else self.modules | other.modules
        apart = bool(self.modules and other.modules) and not both
        return None if start >= end or apart else replace(self, start=start, end=end, modules=both)


def stand_in(tx: Tx, person_id: str, module: str) -> str:
    """Who acts for a person now in a module: the end of the chain, as far as it is active people; the person where nobody does."""
    current, seen = person_id, {person_id}
    while True:
        delegate = _delegate_now(tx, current, module)
        if delegate is None or delegate in seen or not load_rights(tx.conn, delegate).active:
            return current
        seen.add(delegate)
        current = delegate


def _delegate_now(tx: Tx, person_id: str, module: str) -> str | None:
    """A delegation that names the module goes before one for all."""
    rows = tx.raw.execute(
        f"SELECT {_COLUMNS} FROM delegation WHERE person_id = ? AND start <= ? AND end > ? AND revoked_at IS NULL",
        (person_id, tx.now, tx.now),
    )
    fitting = [one for one in map(_to_absence, rows) if not one.modules or module in one.modules]
    fitting.sort(key=lambda one: (not one.modules, one.start, one.id))
    return fitting[0].delegate_id if fitting else None


def do_keep_delegation(tx: Tx, id_: str, person_id: str, delegate_id: str, start: int, end: int, reason: str) -> None:
    """A delegation that the server makes, or brings in line with what it was made of; times in ms.

    Raises:
        SetError: invalidProperties: the delegate is not active, is the person, stands in already for the same time, or would stand in in a circle.
    """
    given = {"delegateId": delegate_id, "reason": reason[:MAX_REASON], "from": format_utc(start), "to": format_utc(end)}
    made = _checked(tx, id_, person_id, given, frozenset())
    held = tx.raw.execute(f"SELECT {_COLUMNS} FROM delegation WHERE id = ?", (id_,)).fetchone()
    if held is not None and _to_absence(held) == made:
        return
    if held is None:
        _do_insert(tx, made, person_id)
        return
    tx.raw.execute(
        "UPDATE delegation SET delegate_id = ?, start = ?, end = ?, reason = ?, revoked_at = NULL, updated_at = ? WHERE id = ?",
        (made.delegate_id, made.start, made.end, made.reason, tx.now, id_),
    )
    _do_show(tx, made)
    do_touch(tx, id_)
    do_record(tx, person_id, "delegation.update", id_, {"to": made.delegate_id})


def do_end_delegation(tx: Tx, id_: str, at: int) -> None:
    """From a moment (ms) on it does not hold any more; one that does not begin before that is revoked. Nothing when there is none."""
    row = tx.raw.execute(f"SELECT {_COLUMNS} FROM delegation WHERE id = ?", (id_,)).fetchone()
    held = None if row is None else _to_absence(row)
    if held is None or held.revoked or held.end <= min(at, tx.now):
        return
    end, revoked = (at, None) if held.start < at < held.end and at > tx.now else (held.end, tx.now)
    tx.raw.execute(
        "UPDATE delegation SET end = ?, revoked_at = ?, updated_at = ? WHERE id = ?", (end, revoked, tx.now, id_)
    )
    do_touch(tx, id_)
    do_record(tx, held.person_id, "delegation.update", id_, {"properties": ["state" if revoked else "to"]})


def _do_insert(tx: Tx, made: Absence, by: str) -> None:
    tx.raw.execute(
        "INSERT INTO delegation(id, person_id, delegate_id, start, end, modules, reason, created_by, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*_values(made), by, tx.now, tx.now),
    )
    _do_show(tx, made)
    do_record(tx, by, "delegation.create", made.id, {"to": made.delegate_id})


def _do_show(tx: Tx, made: Absence) -> None:
    """Both people and administrators see it."""
    scopes = [scope_id(tx, "person", one) for one in (made.person_id, made.delegate_id)]
    roles = [scope_id(tx, "role", one) for one in sorted(ADMIN_ROLES)]
    do_set_scopes(tx, made.id, DELEGATION, [*scopes, *roles])


class DelegationHandler(RecordHandler):
    """The Delegation type: one's own to give and revoke; the delegate and administrators see it, administrators may give it for others."""

    properties = frozenset("id personId delegateId from to modules reason state createdAt updatedAt".split())

    def __init__(self, context: OfficeContext) -> None:
        super().__init__(DELEGATION, OFFICE)
        self._context = context

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        found = _load_shown(conn, wanted)
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

    # ------------------------------------------------------------ writing

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        given = {key: value for key, value in obj.items() if value is not None}
        _refuse_unknown(given, _GIVEN)
        person_id = given.get("personId", actor.person_id)
        if person_id != actor.person_id and not actor.roles & ADMIN_ROLES:
            raise SetError(SetErrorType.FORBIDDEN, "everybody delegates their own work", ["personId"])
        new_id = object_id(tx, creation_id)
        made = _checked(tx, new_id, person_id, given, self._modules(given))
        if load_record(tx.conn, str(person_id), type_name=PERSON) is None:
            raise invalid_properties("there is no such person", "personId")
        _refuse_taken(tx, new_id)
        _do_insert(tx, made, actor.person_id)
        shown = _load_shown(tx.conn, [new_id])[new_id]
        return {"id": new_id, **{key: value for key, value in shown.items() if obj.get(key, ...) != value}}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        before = self._access_own(tx, actor, id_)
        shown = _load_shown(tx.conn, [id_])[id_]
        wanted = apply_patch(shown, patch)
        changed = changed_properties(shown, wanted)
        if not changed:
            return None
        _refuse_unknown(changed, _CHANGED)
        if before.revoked:
            raise SetError(SetErrorType.FORBIDDEN, "it is revoked; make another one")
        if wanted.get("state") not in ("active", "revoked"):
            raise invalid_properties("is active or revoked", "state")
        revoked_at = tx.now if wanted["state"] == "revoked" else None
        given = {**wanted, "delegateId": before.delegate_id}
        after = (
            before
            if revoked_at and changed == {"state"}
            else _checked(tx, id_, before.person_id, given, self._modules(given))
        )
        tx.raw.execute(
            "UPDATE delegation SET start = ?, end = ?, modules = ?, reason = ?, revoked_at = ?, updated_at = ? WHERE id = ?",
            (*_values(after)[3:], revoked_at, tx.now, id_),
        )
        do_touch(tx, id_)
        do_record(tx, actor.person_id, "delegation.update", id_, {"properties": sorted(changed)})
        stored = _load_shown(tx.conn, [id_])[id_]
        return {key: value for key, value in stored.items() if wanted.get(key) != value} or None

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        held = self._access_own(tx, actor, id_)
        if held.start <= tx.now:
            raise SetError(SetErrorType.FORBIDDEN, "it has begun: revoke it, so that it stays known who acted for whom")
        do_bury(tx, id_)
        tx.raw.execute("DELETE FROM delegation WHERE id = ?", (id_,))

    def _access_own(self, tx: Tx, actor: Actor, id_: str) -> Absence:
        row = tx.raw.execute(f"SELECT {_COLUMNS} FROM delegation WHERE id = ?", (id_,)).fetchone()
        if row is None or not visible_ids(tx.conn, actor.person_id, self.name, [id_]):
            raise SetError(SetErrorType.NOT_FOUND)
        held = _to_absence(row)
        if held.person_id != actor.person_id and not actor.roles & ADMIN_ROLES:
            raise SetError(SetErrorType.FORBIDDEN, "only who gave it changes it")
        return held

    # ------------------------------------------------------------ checking

    def _modules(self, given: Mapping[str, Any]) -> frozenset[str]:
        modules = given.get("modules", [])
        if not isinstance(modules, list) or len(modules) > MAX_MODULES:
            raise invalid_properties("a list of modules", "modules")
        unknown = [one for one in modules if one not in self._context.modules.values()]
        if unknown:
            raise invalid_properties(f"there is no module {str(unknown[0])[:60]}", "modules")
        return frozenset(modules)


def _checked(tx: Tx, id_: str, person_id: object, given: Mapping[str, Any], modules: frozenset[str]) -> Absence:
    delegate_id, reason = given.get("delegateId"), given.get("reason", "")
    if not isinstance(person_id, str):
        raise invalid_properties("must be a person", "personId")
    if not isinstance(delegate_id, str) or not load_rights(tx.conn, delegate_id).active:
        raise invalid_properties("must be an active person", "delegateId")
    if delegate_id == person_id:
        raise invalid_properties("nobody stands in for themselves", "delegateId")
    if not isinstance(reason, str) or len(reason) > MAX_REASON:
        raise invalid_properties(f"a text of at most {MAX_REASON} characters", "reason")
    start, end = _moment(given, "from"), _moment(given, "to")
    if start >= end or end <= tx.now:
        raise invalid_properties("ends before it begins, or has ended", "to")
    if end - start > MAX_DAYS * _DAY_MS:
        raise invalid_properties(f"at most {MAX_DAYS} days", "to")
    made = Absence(id_, person_id, delegate_id, start, end, modules, reason, False)
    _refuse_overlap(tx, made)
    _refuse_circle(tx, made)
    return made


def _refuse_overlap(tx: Tx, made: Absence) -> None:
    """Two delegates for the same time and module are one too many; one for some modules beside one for all is fine."""
    for other in _running(tx, made.person_id, made):
        if bool(other.modules) == bool(made.modules) and made.shared(other) is not None:
            raise invalid_properties("somebody stands in already at that time", "from", "to")


def _refuse_circle(tx: Tx, made: Absence) -> None:
    """Whoever stands in must not be away for the same time in favor of the one who is absent, by way of others either."""
    pending = [made]
    while pending:
        link = pending.pop()
        for other in _running(tx, link.delegate_id, made):
            onward = other.shared(link)
            if onward is None:
                continue
            if onward.delegate_id == made.person_id:
                raise invalid_properties("they would stand in for each other", "delegateId")
            pending.append(onward)  # ends: what is stored has no circle


def _running(tx: Tx, person_id: str, beside: Absence) -> Iterator[Absence]:
    """The delegations of a person that are not over, others than this one."""
    rows = tx.raw.execute(
        f"SELECT {_COLUMNS} FROM delegation WHERE person_id = ? AND end > ? AND revoked_at IS NULL AND id <> ?",
        (person_id, tx.now, beside.id),
    ).fetchall()
    return map(_to_absence, rows)


def _refuse_taken(tx: Tx, new_id: str) -> None:
    if tx.raw.execute("SELECT 1 FROM record_scope WHERE object_id = ? LIMIT 1", (new_id,)).fetchone() is not None:
        raise invalid_properties("this id is taken", "id")


def _refuse_unknown(given: Iterable[str], known: frozenset[str]) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise invalid_properties("cannot be set", *unknown)


def _moment(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    try:
        if isinstance(value, str):
            return parse_utc(value)
    except ValueError:
        pass
    raise invalid_properties("a UTC time", name)


def _values(made: Absence) -> tuple[Any, ...]:
    modules = msgspec.json.encode(sorted(made.modules)).decode()
    return (made.id, made.person_id, made.delegate_id, made.start, made.end, modules, made.reason)


def _to_absence(row: Any) -> Absence:
    id_, person_id, delegate_id, start, end, modules, reason, revoked_at = row
    return Absence(
        id_, person_id, delegate_id, start, end, frozenset(msgspec.json.decode(modules)), reason, revoked_at is not None
    )


def _load_shown(conn: sa.Connection, ids: Sequence[str]) -> dict[str, JsonObject]:
    found: dict[str, JsonObject] = {}
    for start in range(0, len(ids), _CHUNK):
        for row in conn.execute(sa.select(delegation).where(delegation.c.id.in_(ids[start : start + _CHUNK]))):
            found[row.id] = {
                "id": row.id,
                "personId": row.person_id,
                "delegateId": row.delegate_id,
                "from": format_utc(row.start),
                "to": format_utc(row.end),
                "modules": msgspec.json.decode(row.modules),
                "reason": row.reason,
                "state": "active" if row.revoked_at is None else "revoked",
                "createdAt": format_utc(row.created_at),
                "updatedAt": format_utc(row.updated_at),
            }
    return found
