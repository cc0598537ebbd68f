"""Random small offices for property tests: definitions over the grammar, people, ranks, records, and what the oracle says of them."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from server_stub.accounts.directory import (
    Identity,
    do_create_department,
    do_create_person,
    do_disable_person,
    do_set_identities,
    do_set_roles,
    do_update_department,
    do_update_person,
    load_rights,
)
from server_stub.audit import chain as _chain  # declares its table
from server_stub.chat import tables as _chat  # declares theirs
from server_stub.clock import FixedClock
from server_stub.ids import uuid7
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Access, Choice, Field, FieldKind, Label, State, TypeDefinition
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.modules.engine.history import RecordChangeHandler
from server_stub.modules.engine.keeping import do_drop, do_keep, do_keep_new
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.scopes import do_scope_by_directory
from server_stub.records.actor import Actor
from server_stub.records.store import load_record
from server_stub.records.types import JsonObject, Window
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Database, Tx
from tests.modules.engine.rights_oracle import Somebody, World

MEMORY = Path("/dev/shm")
LABEL = Label(zh="一", en="one")
PEOPLE = 6
PLACES = ("top", "left", "right", "deep")
PARENTS = {"top": None, "left": "top", "right": "top", "deep": "left"}
ROLES = ("keeper", "clerk")
STATES = ("one", "two", "three")
PRINCIPALS = (
    "everyone",
    "author",
    "superior",
    "audience",
    "department",
    "role:keeper",
    "field:ownerId",
    "field:peopleIds",
    "field:placeId",
    "field:baseId.driverId",
    "field:baseId.placeId",
    "head:placeId",
    "head:departmentId",
    "superior:ownerId",
    "head:baseId.placeId",
    "author@one",
    "field:ownerId@two|three",
    "role:clerk@three",
    "head:placeId@one|two",
    "superior@two",
)
SEEN_BY = tuple(one for one in PRINCIPALS if one != "audience")


def text_field(name: str, **more: Any) -> Field:
    """A text field."""
    return Field(name=name, kind=FieldKind.TEXT, label=LABEL, **more)


BASE = TypeDefinition(
    name="Base",
    label=LABEL,
    access=Access(read=("everyone",), create=(), update=(), destroy=()),
    fields=(
        text_field("name"),
        Field(name="driverId", kind=FieldKind.PERSON, label=LABEL),
        Field(name="placeId", kind=FieldKind.DEPARTMENT, label=LABEL),
    ),
)

principals = st.lists(st.sampled_from(PRINCIPALS), max_size=4, unique=True).map(tuple)


@st.composite
def definitions(draw: st.DrawFn) -> TypeDefinition:
    """A type `Thing` with fields of people and places, a field or two that not everybody is shown, and states."""
    see = st.lists(st.sampled_from(SEEN_BY), min_size=1, max_size=3, unique=True).map(tuple)
    states = tuple(State(value=one, label=LABEL) for one in STATES) if draw(st.booleans()) else ()
    plain = (
        ()
        if states
        else (
            Field(
                name="state",
                kind=FieldKind.CHOICE,
                label=LABEL,
                choices=tuple(Choice(value=one, label=LABEL) for one in STATES),
            ),
        )
    )
    return TypeDefinition(
        name="Thing",
        label=LABEL,
        access=Access(
            read=draw(principals), create=draw(principals), update=draw(principals), destroy=draw(principals)
        ),
        states=states,
        fields=(
            *plain,
            text_field("title"),
            text_field("note"),
            text_field("hidden", see=draw(see)),
            Field(name="sum", kind=FieldKind.MONEY, label=LABEL, see=draw(see)),
            Field(name="ownerId", kind=FieldKind.PERSON, label=LABEL),
            Field(name="peopleIds", kind=FieldKind.PERSONS, label=LABEL),
            Field(name="placeId", kind=FieldKind.DEPARTMENT, label=LABEL),
            Field(name="departmentId", kind=FieldKind.DEPARTMENT, label=LABEL),
            Field(name="baseId", kind=FieldKind.REFERENCE, target="Base", label=LABEL),
            Field(name="audience", kind=FieldKind.AUDIENCE, label=LABEL),
        ),
    )


people = st.integers(0, PEOPLE - 1)
places = st.sampled_from(PLACES)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The value or nothing."""
    return st.one_of(st.none(), strategy)


data_plans = st.fixed_dictionaries(
    {
        "state": st.sampled_from(STATES),
        "title": st.sampled_from(("alpha", "beta gamma", "delta")),
        "hidden": maybe(st.sampled_from(("alpha", "omega", "psi"))),
        "sum": maybe(st.sampled_from(("1.00", "25.50"))),
        "ownerId": maybe(people),
        "peopleIds": maybe(st.lists(people, max_size=2, unique=True)),
        "placeId": maybe(places),
        "departmentId": maybe(places),
        "baseId": maybe(st.integers(0, 1)),
        "audience": maybe(
            st.fixed_dictionaries(
                {
                    "everyone": st.booleans(),
                    "departmentIds": st.lists(places, max_size=1),
                    "roles": st.lists(st.sampled_from(ROLES), max_size=1),
                    "personIds": st.lists(people, max_size=1),
                }
            )
        ),
    }
)
"""What a record shall hold, with numbers for people and bases."""


class OfficeWorld:
    """A database with one generated type, and the oracle beside it."""

    def __init__(self, folder: Path, definition: TypeDefinition) -> None:
        assert _chain is not None
        assert _chat is not None
        self.clock = FixedClock(1_763_800_000_000)
        self.database = Database.open(folder / "office.db", clock=self.clock)
        self.blobs = BlobStore(folder / "blobs", self.database)
        self.context = OfficeContext(blobs=self.blobs, clock=self.clock, say=lambda *_: None)
        self.definition = definition
        self.things = OfficeHandler(self.context, definition, Rules(self.context, definition), "m")
        self.bases = OfficeHandler(self.context, BASE, Rules(self.context, BASE), "m")
        self.history = RecordChangeHandler({"Thing": self.things, "Base": self.bases})
        self.world = World(self.context.types)
        self.places: dict[str, str] = {}
        self.people: list[str] = []
        self.base_ids: list[str] = []
        self.authors: dict[str, str] = {}
        self.states: list[str] = ["0"]
        self.serial = itertools.count()
        self.write(self._do_office)

    def write(self, action: Any) -> Any:
        """One transaction."""
        self.clock.advance(1000)
        return self.database.write_now(action)

    def _do_office(self, tx: Tx) -> None:
        for key, parent in PARENTS.items():
            self.places[key] = do_create_department(tx, name=key, parent_id=self.places.get(parent or ""))
        for number in range(PEOPLE):
            place = PLACES[number % len(PLACES)]
            roles = (ROLES[number % 3],) if number % 3 < 2 else ()
            identity = Identity(self.places[place], "x")
            person_id = do_create_person(tx, name=f"p{number}", identities=[identity], roles=roles)
            self.people.append(person_id)
            self.world.people[person_id] = Somebody(person_id, frozenset(roles), self.above(place))
        for number in range(2):
            data = {"name": f"base{number}", "driverId": self.people[number], "placeId": self.places["right"]}
            record = do_keep_new(tx, self.context, "Base", uuid7(tx.now), data, None)
            self.base_ids.append(record.id)
            self.world.records[record.id] = ("Base", data)

    def above(self, place: str) -> frozenset[str]:
        """A department with all above it."""
        chain: list[str] = []
        current: str | None = place
        while current is not None:
            chain.append(self.places[current])
            current = PARENTS[current]
        return frozenset(chain)

    def data(self, plan: JsonObject) -> JsonObject:
        """The data of a plan."""
        made: JsonObject = {}
        for key, value in plan.items():
            if value is not None:
                made[key] = self._real(key, value)
        return made

    def _real(self, key: str, value: Any) -> Any:
        match key:
            case "ownerId":
                return self.people[value]
            case "peopleIds":
                return [self.people[one] for one in value]
            case "placeId" | "departmentId":
                return self.places[value]
            case "baseId":
                return self.base_ids[value]
            case "audience":
                return {
                    **value,
                    "departmentIds": [self.places[one] for one in value["departmentIds"]],
                    "personIds": [self.people[one] for one in value["personIds"]],
                }
        return value

    # ------------------------------------------------------------ what happens

    def make(self, author: int, plan: JsonObject) -> str:
        """A new record, past all rights."""
        data = self.data(plan)

        def act(tx: Tx) -> str:
            return do_keep_new(tx, self.context, "Thing", uuid7(tx.now), data, self.people[author]).id

        record_id: str = self.write(act)
        self.world.records[record_id] = ("Thing", data)
        self.authors[record_id] = self.people[author]
        return record_id

    def change(self, record_id: str, values: JsonObject, by: str | None = None) -> None:
        """Replace some of a record's data, past all rights."""
        type_name, data = self.world.records[record_id]
        now = {key: value for key, value in {**data, **values}.items() if value is not None}

        def act(tx: Tx) -> None:
            record = load_record(tx.conn, record_id)
            assert record is not None
            do_keep(tx, self.context, record, now, by)

        self.write(act)
        self.world.records[record_id] = (type_name, now)

    def drop(self, record_id: str) -> None:
        """Destroy a record."""

        def act(tx: Tx) -> None:
            record = load_record(tx.conn, record_id)
            assert record is not None
            do_drop(tx, self.context, record, None)

        self.write(act)
        del self.world.records[record_id]
        self.authors.pop(record_id, None)

    def promote(self, person: int, superior: int | None) -> None:
        """Another superior."""
        above = None if superior is None else self.people[superior]
        self.write(lambda tx: do_update_person(tx, self.people[person], {"superiorId": above}))
        self.world.people[self.people[person]].superior = above
        self.write(lambda tx: do_scope_by_directory(tx, self.context))

    def head(self, place: str, person: int | None) -> None:
        """Another head of a department."""
        head_id = None if person is None else self.people[person]
        self.write(lambda tx: do_update_department(tx, self.places[place], {"headId": head_id}))
        self.world.heads.pop(self.places[place], None)
        if head_id is not None:
            self.world.heads[self.places[place]] = head_id
        self.write(lambda tx: do_scope_by_directory(tx, self.context))

    def move(self, person: int, place: str) -> None:
        """Another department."""
        self.write(lambda tx: do_set_identities(tx, self.people[person], [Identity(self.places[place], "x")]))
        self.world.people[self.people[person]].departments = self.above(place)

    def appoint(self, person: int, roles: list[str]) -> None:
        """Other roles."""
        self.write(lambda tx: do_set_roles(tx, self.people[person], roles))
        self.world.people[self.people[person]].roles = frozenset(roles)

    def dismiss(self, person: int) -> None:
        """The person comes no more."""
        self.write(lambda tx: do_disable_person(tx, self.people[person]))
        self.world.people[self.people[person]].active = False

    # ------------------------------------------------------------ what is so

    def actor(self, person_id: str) -> Actor:
        """As authentication makes it."""
        rights = self.database.read_now(lambda conn: load_rights(conn, person_id))
        return Actor(person_id, rights.roles, rights.department_ids)

    def seen(self, person_id: str) -> set[str]:
        """What /get shows."""
        actor = self.actor(person_id)
        found = self.database.read_now(lambda conn: self.things.get(conn, actor, None, None).list)
        return {one["id"] for one in found}

    def expected(self, person_id: str) -> set[str]:
        """What the definition says."""
        who = self.world.people[person_id]
        return {
            record_id
            for record_id, (name, data) in self.world.records.items()
            if name == "Thing"
            and self.world.is_meant(who, self.definition.access.read, "Thing", self.authors[record_id], data)
        }

    def shows(self, person_id: str, record_id: str, field: str) -> bool:
        """Whether the definition shows this person this field."""
        found = self.definition.field(field)
        assert found is not None
        data = self.world.records[record_id][1]
        who = self.world.people[person_id]
        return not found.see or self.world.is_meant(who, found.see, "Thing", self.authors[record_id], data)

    def state(self) -> str:
        """The state now."""
        return str(
            self.database.read_now(
                lambda conn: conn.exec_driver_sql("SELECT value FROM counter WHERE name = 'change'").scalar_one()
            )
        )

    def query(self, actor: Actor, filter_: JsonObject | None, sort: list[Any]) -> list[str]:
        """Ids of a query."""
        return self.database.read_now(lambda conn: self.things.query(conn, actor, filter_, sort, Window()).ids)


@contextmanager
def open_world(definition: TypeDefinition) -> Iterator[OfficeWorld]:
    """A world in a folder of its own; in memory where the system has such a place, since durability is not what is tested."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        made = OfficeWorld(Path(folder), definition)
        try:
            yield made
        finally:
            made.database.close_now()
