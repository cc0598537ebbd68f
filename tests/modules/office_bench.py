"""A small office over a real database and real handlers, driven synchronously with a clock that moves when told. For module tests."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from server_stub.accounts.directory import (
    Identity,
    do_create_department,
    do_create_person,
    do_set_roles,
    do_update_person,
    load_rights,
)
from server_stub.audit import chain as _chain  # declares its table
from server_stub.chat.messages import do_post_system
from server_stub.clock import FixedClock
from server_stub.errors import SetError
from server_stub.ids import uuid7
from server_stub.modules.engine.duties import do_whats_due
from server_stub.modules.engine.office import Office
from server_stub.modules.engine.reading import MODULES_FOLDER
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.types import Comparator, JsonObject, Window
from server_stub.records.visibility import current_state
from server_stub.storage.blobs import BlobStore, do_register
from server_stub.storage.database import Database, Tx

T = TypeVar("T")
START = 1_763_800_000_000
DAY = 86_400_000

PEOPLE: dict[str, tuple[str, tuple[str, ...]]] = {
    "zhang": ("office", ("publisher",)),
    "lin": ("secretaries", ()),
    "yu": ("flood", ()),
    "chen": ("archive", ("librarian",)),
    "gao": ("flood", ("leader",)),
}
PARENTS = {"bureau": None, "office": "bureau", "secretaries": "office", "flood": "bureau", "archive": "bureau"}


class Bench:
    """The office. Keys of `departments` and `actors` are those of PARENTS and PEOPLE."""

    def __init__(self, folder: Path, modules: Path = MODULES_FOLDER) -> None:
        assert _chain is not None
        self.clock = FixedClock(START)
        self.database = Database.open(folder / "office.db", clock=self.clock)
        self.blobs = BlobStore(folder / "blobs", self.database)
        self.office = Office(self.database, self.clock, self.blobs, do_post_system, folder=modules)
        self.handlers: dict[str, RecordHandler] = {one.name: one for one in self.office.handlers}
        self.blobs.set_visibility(self._sees)
        self.departments: dict[str, str] = {}
        self.actors: dict[str, Actor] = {}
        self.write(self._do_people)

    def _do_people(self, tx: Tx) -> None:
        for key, parent in PARENTS.items():
            above = self.departments[parent] if parent else None
            self.departments[key] = do_create_department(tx, name=key, parent_id=above)
        for name, (department, roles) in PEOPLE.items():
            identity = Identity(self.departments[department], "科员")
            person_id = do_create_person(tx, name=name, identities=[identity], roles=roles)
            rights = load_rights(tx.conn, person_id)
            self.actors[name] = Actor(person_id, rights.roles, rights.department_ids)

    def _sees(self, conn: sa.Connection, actor: Any, type_name: str, ids: Any) -> bool:
        handler = self.handlers.get(type_name)
        return handler is not None and bool(handler.get(conn, actor, list(ids), None).list)

    def write(self, action: Callable[[Tx], T]) -> T:
        """A write of its own, a second later than the one before."""
        self.clock.advance(1000)
        return self.database.write_now(action)

    def person(self, name: str) -> str:
        """A person's id."""
        return self.actors[name].person_id

    def grant(self, name: str, *roles: str) -> None:
        """Give a person more roles."""
        person_id = self.person(name)
        held = tuple(sorted(self.actors[name].roles))
        self.write(lambda tx: do_set_roles(tx, person_id, (*held, *roles)))
        rights = self.database.read_now(lambda conn: load_rights(conn, person_id))
        self.actors[name] = Actor(person_id, rights.roles, rights.department_ids)

    def set_superior(self, name: str, superior: str) -> None:
        """Say who somebody's superior is."""
        self.write(lambda tx: do_update_person(tx, self.person(name), {"superiorId": self.person(superior)}))

    # ------------------------------------------------------------ the five methods

    def create(self, who: str, type_name: str, *, key: str = "k", **properties: Any) -> str:
        """Create an object; its id."""
        handler, actor = self.handlers[type_name], self.actors[who]
        return str(self.write(lambda tx: handler.create(tx, actor, key, properties))["id"])

    def update(self, who: str, type_name: str, id_: str, **patch: Any) -> JsonObject | None:
        """Patch an object."""
        handler, actor = self.handlers[type_name], self.actors[who]
        return self.write(lambda tx: handler.update(tx, actor, id_, patch))

    def destroy(self, who: str, type_name: str, id_: str) -> None:
        """Destroy an object."""
        handler, actor = self.handlers[type_name], self.actors[who]
        self.write(lambda tx: handler.destroy(tx, actor, id_))

    def all(self, who: str, type_name: str) -> list[JsonObject]:
        """Every object of a type this person sees."""
        handler, actor = self.handlers[type_name], self.actors[who]
        return self.database.read_now(lambda conn: handler.get(conn, actor, None, None).list)

    def get(self, who: str, type_name: str, id_: str) -> JsonObject | None:
        """One object as this person sees it, None when hidden."""
        handler, actor = self.handlers[type_name], self.actors[who]
        found = self.database.read_now(lambda conn: handler.get(conn, actor, [id_], None).list)
        return found[0] if found else None

    def query(self, who: str, type_name: str, filter_: JsonObject | None = None, sort: str = "id") -> list[str]:
        """Ids of a query."""
        handler, actor = self.handlers[type_name], self.actors[who]
        comparators = [Comparator(sort)]
        return self.database.read_now(lambda conn: handler.query(conn, actor, filter_, comparators, Window()).ids)

    def state(self) -> str:
        """The state now."""
        return self.database.read_now(current_state)

    def changes(self, who: str, type_name: str, since: str) -> tuple[set[str], set[str], set[str]]:
        """(created, updated, destroyed) since a state."""
        handler, actor = self.handlers[type_name], self.actors[who]
        page = self.database.read_now(lambda conn: handler.changes(conn, actor, since, 1000))
        return set(page.created), set(page.updated), set(page.destroyed)

    # ------------------------------------------------------------ shortcuts

    def notice(self, who: str = "zhang", **properties: Any) -> str:
        """A published notice to everyone, unless told otherwise."""
        given = {
            "title": "通知",
            "body": "<p>正文</p>",
            "audience": {"everyone": True},
            "state": "published",
            **properties,
        }
        return self.create(who, "Notice", key=uuid7(self.clock.now_ms()), **given)

    def read(self, who: str, notice_id: str, *, confirmed: bool = False) -> str:
        """Mark a notice as read; the mark's id."""
        return self.create(who, "ReadMark", recordType="Notice", recordId=notice_id, confirmed=confirmed)

    def blob(self, who: str, data: bytes, type_: str = "application/pdf") -> str:
        """Upload bytes."""
        blob_id = self.blobs.store_bytes(data)
        assert blob_id == hashlib.sha256(data).hexdigest()
        self.write(lambda tx: do_register(tx, blob_id, len(data), type_, self.person(who)))
        return blob_id

    def may_read_blob(self, who: str, blob_id: str) -> bool:
        """Whether a person may download a blob."""
        actor = self.actors[who]
        return self.database.read_now(lambda conn: self.blobs.access_blob(conn, actor, blob_id)) is not None

    def run_due(self) -> int:
        """Do what is due by the clock."""
        return self.write(lambda tx: do_whats_due(tx, self.office.rules_of, self.clock.now_ms()))

    def system_texts(self, who: str, sender: str = "notices") -> list[str]:
        """What the system has said to a person."""
        rows = self.database.read_now(
            lambda conn: conn.exec_driver_sql(
                "SELECT m.text FROM message AS m JOIN conversation AS c ON c.scope = m.scope"
                " JOIN member AS p ON p.conversation_id = c.id WHERE c.kind = 'system' AND c.name = ? AND p.person_id = ?"
                " ORDER BY m.seq",
                (sender, self.person(who)),
            ).fetchall()
        )
        return [row[0] for row in rows]


@contextmanager
def open_bench(folder: Path) -> Iterator[Bench]:
    """A bench that closes its database."""
    bench = Bench(folder)
    try:
        yield bench
    finally:
        bench.database.close_now()


def refusal(action: Callable[[], object]) -> SetError:
    """The SetError an action is refused with; fails when it is not."""
    try:
        action()
    except SetError as error:
        return error
    raise AssertionError("this should have been refused")
