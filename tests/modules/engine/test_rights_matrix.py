"""Every method of every type of every module, asked as every kind of user, against a brute-force reading of the definition.

A type with rules of its own may refuse more than its definition, never less; one whose rules say who sees it is held to showing the same
through every method.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server_stub.accounts.directory import (
    Identity,
    do_create_department,
    do_create_person,
    do_disable_person,
    do_update_department,
    do_update_person,
    load_rights,
)
from server_stub.api.methods import check_import, check_set, get_objects, import_objects, query_changes, set_objects
from server_stub.api.wire import Limits
from server_stub.errors import MethodError, SetError
from server_stub.ids import uuid7
from server_stub.modules.engine.blobrefs import do_refer_blobs
from server_stub.modules.engine.conditions import Standpoint, matches
from server_stub.modules.engine.definition import Action, Field, FieldKind, TypeDefinition
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.modules.engine.keeping import do_keep, do_keep_new
from server_stub.modules.engine.reading import MODULES_FOLDER, load_definitions
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record
from server_stub.storage.blobs import do_register
from server_stub.storage.database import Tx
from tests.modules.engine.fleet_bench import FLEET, hours
from tests.modules.engine.rights_oracle import Somebody, World
from tests.modules.office_bench import Bench

LIMITS = Limits()
DENIED = frozenset({"forbidden", "notFound"})


class _Undone(Exception):
    """Takes a probe back."""


class Matrix(Bench):
    """An office with one person of each kind and records of every type in every state, written past all rights."""

    def __init__(self, folder: Path, modules: Path) -> None:
        super().__init__(folder, modules)
        self.of_modules = [one for one in self.office.handlers if isinstance(one, OfficeHandler)]
        self.world = World(self.office.context.types)
        self.serial = itertools.count(1)
        self.records: list[Record] = []
        self.blob_of: dict[str, str] = {}
        self.write(self._do_cast)
        self.write(self._do_records)

    def _do_cast(self, tx: Tx) -> None:
        top = self.departments["bureau"]
        self.departments["deep"] = do_create_department(tx, name="deep", parent_id=self.departments["flood"])
        roles = sorted({role for one in self.of_modules for role in _roles_in(one.definition)} | {"admin"})
        cast: dict[str, tuple[str, tuple[str, ...]]] = {
            "author": ("flood", ()),
            "head": ("flood", ()),
            "boss": ("bureau", ()),
            "named": ("archive", ()),
            "colleague": ("flood", ()),
            "below": ("deep", ()),
            "other": ("secretaries", ()),
            "disabled": ("flood", tuple(roles)),
            **{f"role {role}": ("archive", (role,)) for role in roles},
        }
        self.actors.clear()
        for name, (place, held) in cast.items():
            identity = Identity(self.departments[place], "科员")
            person_id = do_create_person(tx, name=name, identities=[identity], roles=held)
            rights = load_rights(tx.conn, person_id)
            self.actors[name] = Actor(person_id, rights.roles, rights.department_ids)
            above = {"deep": ["deep", "flood"], "bureau": []}.get(place, [place])
            places = frozenset(self.departments[one] for one in above) | {top}
            self.world.people[person_id] = Somebody(person_id, rights.roles, places)
        do_update_person(tx, self.person("author"), {"superiorId": self.person("boss")})
        do_update_person(tx, self.person("named"), {"superiorId": self.person("boss")})
        do_update_department(tx, self.departments["flood"], {"headId": self.person("head")})
        do_disable_person(tx, self.person("disabled"))
        for name in ("author", "named"):
            self.world.people[self.person(name)].superior = self.person("boss")
        self.world.heads[self.departments["flood"]] = self.person("head")
        self.world.people[self.person("disabled")].active = False

    def _do_records(self, tx: Tx) -> None:
        targets: dict[str, str] = {}
        waiting = [one.definition for one in self.of_modules]
        while waiting:  # a type comes after those it refers to, circles and itself aside
            definition = next((one for one in waiting if _targets(one) <= targets.keys() | {one.name}), waiting[0])
            waiting.remove(definition)
            for state in (*(one.value for one in definition.states),) or (None,):
                for author in ("author", "other"):
                    try:
                        with tx.savepoint():
                            record = self._do_record(tx, definition, author, state, targets)
                    except SetError:  # two of them cannot be: a unique set of references, a thing that is booked
                        assert definition.name in targets
                    else:
                        self.records.append(record)
                        self.world.records[record.id] = (definition.name, dict(record.data))
                        targets.setdefault(definition.name, record.id)

    def _do_record(
        self, tx: Tx, definition: TypeDefinition, author: str, state: str | None, targets: dict[str, str]
    ) -> Record:
        data = {one.name: self.value(one, targets) for one in definition.fields if not (one.computed or one.formula)}
        data = {name: value for name, value in data.items() if value is not None}
        if state is not None:
            data["state"] = state
        actor, record_id = self.actors[author], uuid7(tx.now)
        for blob_id in (one["blobId"] for one in _files_in(definition, data)):
            do_register(tx, blob_id, 1, "image/png", actor.person_id)
        do_refer_blobs(tx, self.office.context, definition, actor, record_id, data)
        made = do_keep_new(tx, self.office.context, definition.name, record_id, data, actor.person_id)
        again = {
            name: self.value(one, targets) for one in definition.fields if (name := one.name) in data and _is_words(one)
        }
        return do_keep(tx, self.office.context, made, {**made.data, **again}, actor.person_id)

    def value(self, field: Field, targets: dict[str, str]) -> Any:
        """Some value of a field's kind; every call another text, number and time."""
        n = next(self.serial)
        named, flood = self.person("named"), self.departments["flood"]
        audience = {"everyone": False, "departmentIds": [flood], "roles": ["librarian"], "personIds": [named]}
        target = targets.get(field.target or "")
        values: dict[FieldKind, Any] = {
            FieldKind.NUMBER: n,
            FieldKind.MONEY: f"{n}.00",
            FieldKind.DATE: f"{2030 + n % 60}-01-01",
            FieldKind.DATETIME: hours(n, n + 1)["start"],
            FieldKind.SPAN: hours(n * 2, n * 2 + 1),
            FieldKind.BOOL: bool(n % 2),
            FieldKind.CHOICE: field.choices[n % len(field.choices)].value if field.choices else None,
            FieldKind.MULTI_CHOICE: [one.value for one in field.choices[:1]],
            FieldKind.PERSON: named,
            FieldKind.PERSONS: [named],
            FieldKind.DEPARTMENT: flood,
            FieldKind.DEPARTMENTS: [flood],
            FieldKind.AUDIENCE: audience,
            FieldKind.REFERENCE: target,
            FieldKind.REFERENCES: None if target is None else [target],
            FieldKind.FILES: [{"blobId": f"{n:064x}", "name": "a.png", "type": "image/png", "size": 1}],
            FieldKind.LINES: [],
            FieldKind.BLOB: None,
            FieldKind.OBJECT: None,
        }
        return values.get(field.kind, f"word{n}")

    # ------------------------------------------------------------ what is so

    def reads(self, handler: OfficeHandler, who: str, record: Record) -> bool:
        """Whether a person sees a record, as /get says; for plain types that is what the definition says."""
        return self.get(who, handler.name, record.id) is not None

    def means(self, who: str, principals: tuple[str, ...], record: Record) -> bool:
        """The oracle's word."""
        somebody = self.world.people[self.person(who)]
        return self.world.is_meant(somebody, principals, record.type, record.author_id, record.data)

    def probe(self, handler: RecordHandler, who: str, **what: Any) -> dict[str, Any]:
        """A /set that is taken back: the error types of what was refused, by key."""
        return self.probes(handler, who, [what])[0]

    def probes(self, handler: RecordHandler, who: str, sets: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Several, each taken back before the next; in one turn of the writer, for there are 200,000 of them."""
        actor = self.actors[who]
        refused: list[dict[str, Any]] = []

        def act(tx: Tx) -> None:
            for what in sets:
                tx.conn.exec_driver_sql("SAVEPOINT probe")
                args = check_set({"accountId": actor.person_id, **what}, actor, LIMITS)
                answer = set_objects(tx, handler, actor, args, {})
                tx.conn.exec_driver_sql("ROLLBACK TO probe")
                kinds = ("notCreated", "notUpdated", "notDestroyed")
                refused.append({key: problem for kind in kinds for key, problem in (answer[kind] or {}).items()})
            raise _Undone

        with pytest.raises(_Undone):
            self.database.write_now(act)
        return refused


def _roles_in(definition: TypeDefinition) -> Iterator[str]:
    lists = [definition.access.read, definition.access.create, definition.access.update, definition.access.destroy]
    lists += [one.who for one in definition.actions]
    lists += [principals for one in definition.fields for principals in (one.see, one.edit)]
    for principal in itertools.chain(*lists):
        if principal.startswith("role:"):
            yield principal.partition("@")[0].removeprefix("role:")


def _targets(definition: TypeDefinition) -> set[str]:
    return {one.target for one in definition.fields if one.target is not None}


def _files_in(definition: TypeDefinition, data: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for one in definition.fields if one.kind is FieldKind.FILES for entry in data.get(one.name, ())]


def _is_words(field: Field) -> bool:
    return field.kind in (FieldKind.TEXT, FieldKind.LONG_TEXT) and not field.read_only


def _plain(handler: OfficeHandler) -> bool:
    return type(handler.rules) is Rules


def _own_scopes(handler: OfficeHandler) -> bool:
    return type(handler.rules).scopes is not Rules.scopes


@pytest.fixture(scope="module", params=["product", "fleet"])
def matrix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    folder = tmp_path_factory.mktemp(request.param)
    modules = MODULES_FOLDER
    if request.param == "fleet":
        modules = folder / "modules"
        (modules / "fleet").mkdir(parents=True)
        (modules / "fleet" / "module.toml").write_text(FLEET, encoding="utf-8")
    made = Matrix(folder, modules)
    try:
        yield made
    finally:
        made.database.close_now()


def each(matrix: Matrix) -> Iterator[tuple[OfficeHandler, str, Record]]:
    by_name = {one.name: one for one in matrix.of_modules}
    for record in matrix.records:
        for who in matrix.actors:
            yield by_name[record.type], who, record


def test_the_cast_and_the_records_are_there(matrix: Matrix) -> None:
    assert {one.type for one in matrix.records} == {one.name for one in matrix.of_modules}
    assert len(matrix.of_modules) == sum(len(one.types) for one in matrix.office.definitions)
    assert any(matrix.reads(*one) for one in each(matrix))
    assert not all(matrix.reads(*one) for one in each(matrix))


def test_get_shows_what_the_definition_says(matrix: Matrix) -> None:
    for handler, who, record in each(matrix):
        if not _own_scopes(handler):
            expected = matrix.means(who, handler.definition.access.read, record)
            assert matrix.reads(handler, who, record) is expected, (handler.name, who, record.data.get("state"))


def test_every_reading_method_shows_the_same(matrix: Matrix) -> None:
    for handler in matrix.of_modules:
        for who, actor in matrix.actors.items():
            flags = handler.rules.hidden_unless_filtered
            everything = {"operator": "OR", "conditions": [{flag: value} for flag in flags for value in (True, False)]}
            seen = {one["id"] for one in matrix.all(who, handler.name)}
            assert set(matrix.query(who, handler.name, everything if flags else None)) == seen
            assert matrix.changes(who, handler.name, "0")[0] == seen
            arguments = {"accountId": actor.person_id, "sinceQueryState": "0"}
            found = matrix.database.read_now(
                partial(query_changes, handler=handler, actor=actor, arguments=arguments, limits=LIMITS)
            )
            added = {one["id"] for one in found["added"]}
            assert added == (set(matrix.query(who, handler.name)) if flags else seen)
            unseen = [one.id for one in matrix.records if one.type == handler.name and one.id not in seen]
            for other in matrix.of_modules:  # an id of another type, or one that is hidden, is simply not there
                asked = {"accountId": actor.person_id, "ids": unseen if other is handler else sorted(seen)}
                got = matrix.database.read_now(
                    partial(get_objects, handler=other, actor=actor, arguments=asked, limits=LIMITS)
                )
                assert got["list"] == []


def test_fields_history_and_blobs_are_shown_to_whom_the_definition_says(matrix: Matrix) -> None:
    changes = matrix.handlers["RecordChange"]
    for handler, who, record in each(matrix):
        shown = matrix.get(who, handler.name, record.id)
        ids = matrix.query(who, "RecordChange", {"recordId": record.id}, "at")
        entries = matrix.database.read_now(partial(changes.get, actor=matrix.actors[who], ids=ids, properties=None))
        told = {one["field"] for entry in entries.list for one in entry["changes"]}
        hidden = {one.name for one in handler.definition.fields if one.see and not matrix.means(who, one.see, record)}
        if shown is None:
            assert told == set()
        else:
            assert not hidden & (shown.keys() | told), (handler.name, who)
            stored = {name for name in record.data if name not in hidden}
            if _plain(handler):
                assert stored <= shown.keys()
                assert told == {one.name for one in handler.definition.fields if _is_words(one) and one.name in stored}
        for field in (one for one in handler.definition.fields if one.kind is FieldKind.FILES):
            for entry in record.data.get(field.name, ()):
                mine = record.author_id == matrix.person(who)  # an uploader keeps his blob
                expected = mine or (shown is not None and field.name not in hidden)
                assert matrix.may_read_blob(who, entry["blobId"]) is expected, (handler.name, who, field.name)


def _kept(definition: TypeDefinition, field: Field) -> bool:
    """Whether clients may never write a field by an ordinary edit."""
    numbered = definition.numbering is not None and definition.numbering.field == field.name
    return field.read_only or field.computed or bool(field.formula) or field.immutable or numbered


def _updates(matrix: Matrix, handler: OfficeHandler, who: str, record: Record, fields: Iterable[Field]) -> list[Any]:
    """Each field written by itself: (field, its value, why the update was refused or {})."""
    written = [(field, matrix.value(field, {}) or "x") for field in fields]
    refused = matrix.probes(handler, who, [{"update": {record.id: {field.name: value}}} for field, value in written])
    return [(field, value, one.get(record.id, {})) for (field, value), one in zip(written, refused, strict=True)]


def test_updates_are_for_whom_the_definition_says(matrix: Matrix) -> None:
    for handler, who, record in each(matrix):
        if who == "disabled":
            continue
        definition, reads = handler.definition, matrix.reads(handler, who, record)
        may_update = matrix.means(who, definition.access.update, record)
        ordinary = [field for field in definition.fields if not _kept(definition, field)]
        for field, value, refused in _updates(matrix, handler, who, record, ordinary):
            if value == record.data.get(field.name):
                continue
            hidden = bool(field.see) and not matrix.means(who, field.see, record)
            allowed = matrix.means(who, field.edit, record) if field.edit else may_update
            covered = any(
                record.data.get("state") in one.from_
                and one.to is None
                and field.name in (*one.asks, *one.requires)
                and matrix.means(who, one.who, record)
                for one in definition.actions
            )
            if not reads:
                assert refused["type"] == "notFound", (handler.name, who, field.name)
            elif hidden or not (allowed or covered):
                assert refused["type"] == "forbidden", (handler.name, who, field.name, record.data.get("state"))
            elif _plain(handler):
                assert refused.get("type") != "forbidden", (handler.name, who, field.name, record.data.get("state"))


def test_fields_of_the_server_are_written_by_nobody(matrix: Matrix) -> None:
    for handler, who, record in each(matrix):
        if who == "disabled":
            continue
        asked = {name for one in handler.definition.actions for name in (*one.asks, *one.requires)}
        kept = [one for one in handler.definition.fields if _kept(handler.definition, one) and one.name not in asked]
        for field, value, refused in _updates(matrix, handler, who, record, kept):
            if value != record.data.get(field.name):
                assert refused, (handler.name, who, field.name)


def test_actions_are_for_whom_the_definition_says(matrix: Matrix) -> None:
    for handler, who, record in each(matrix):
        if who == "disabled":
            continue
        actor = matrix.actors[who]
        standpoint = Standpoint(actor.person_id, actor.department_ids, matrix.clock.now_ms(), 0)
        for action in handler.definition.actions:
            refused = matrix.probe(handler, who, update={record.id: _patch_of(matrix, handler, action)}).get(record.id)
            fits = record.data.get("state") in action.from_
            if record.data.get("state") == action.to:  # sent again: nothing is to be done, nothing is told
                continue
            if not matrix.reads(handler, who, record):
                assert refused is not None
                assert refused["type"] == "notFound"
                continue
            when = action.when is None or matches(action.when, record.to_object(), standpoint)
            if fits and matrix.means(who, action.who, record) and when:
                if _plain(handler):
                    assert refused is None or refused["type"] not in DENIED, (handler.name, who, action.name, refused)
            else:
                assert refused is not None, (handler.name, who, action.name, record.data.get("state"))
                assert refused["type"] in {*DENIED, "invalidProperties"}


def _patch_of(matrix: Matrix, handler: OfficeHandler, action: Action) -> dict[str, Any]:
    fields = [one for name in action.requires if (one := handler.definition.field(name)) is not None]
    return {"action": action.name, **{one.name: matrix.value(one, {}) for one in fields}}


def test_destroying_is_for_whom_the_definition_says(matrix: Matrix) -> None:
    for handler, who, record in each(matrix):
        if who == "disabled":
            continue
        refused = matrix.probe(handler, who, destroy=[record.id]).get(record.id, {})
        if not matrix.reads(handler, who, record):
            assert refused["type"] == "notFound"
        elif not matrix.means(who, handler.definition.access.destroy, record):
            assert refused["type"] == "forbidden", (handler.name, who)
        elif _plain(handler):
            assert refused.get("type") not in DENIED, (handler.name, who)


def test_creating_and_importing_are_for_whom_the_definition_says(matrix: Matrix) -> None:
    for handler in matrix.of_modules:
        definition = handler.definition
        for who, actor in matrix.actors.items():
            if who == "disabled":
                continue
            given = {
                one.name: matrix.value(one, {})
                for one in definition.fields
                if not (_kept(definition, one) and not one.immutable)
                and one.kind is not FieldKind.FILES
                and not one.edit
                and one.when is None
            }
            given = {name: value for name, value in given.items() if value is not None}
            somebody = matrix.world.people[actor.person_id]
            allowed = matrix.world.is_meant(somebody, definition.access.create, handler.name, actor.person_id, given)
            for refused in (
                matrix.probe(handler, who, create={"k": given}).get("k", {}),
                _import_probe(matrix, handler, actor, given),
            ):
                if not allowed:
                    assert refused["type"] == "forbidden", (handler.name, who)
                elif _plain(handler):
                    assert refused.get("type") not in DENIED, (handler.name, who, refused)


def _import_probe(matrix: Matrix, handler: OfficeHandler, actor: Actor, given: dict[str, Any]) -> dict[str, Any]:
    args = check_import({"accountId": actor.person_id, "create": {"k": given}, "dryRun": True}, actor)
    answer = matrix.database.write_now(lambda tx: import_objects(tx, handler, actor, args, {}))
    found: dict[str, Any] = answer["notCreated"].get("k", {})
    return found


def test_comments_and_follows_are_for_readers(matrix: Matrix) -> None:
    for handler, who, record in each(matrix):
        reads = matrix.reads(handler, who, record)
        about = {"recordType": handler.name, "recordId": record.id}
        said = matrix.probe(matrix.handlers["Comment"], who, create={"k": {**about, "text": "x"}})
        followed = matrix.probe(matrix.handlers["Follow"], who, create={"k": about})
        assert bool(said) is not (reads and handler.definition.comments), (handler.name, who)
        assert bool(followed) is not reads
    by_name = {one.name: one for one in matrix.of_modules}
    for record in matrix.records[::3]:
        handler = by_name[record.type]
        readers = {who for who in matrix.actors if matrix.reads(handler, who, record) and who != "disabled"}
        if not readers or not handler.definition.comments:
            continue
        about = {"recordType": handler.name, "recordId": record.id, "text": "说"}
        comment = matrix.create(min(readers), "Comment", key=uuid7(0), **about)
        seeing = {who for who in matrix.actors if matrix.get(who, "Comment", comment) is not None}
        assert seeing - {"disabled"} == readers


@pytest.mark.parametrize("name", ["RecordChange", "Todo", "Alert", "ModuleDefinition"])
def test_what_the_server_writes_nobody_else_does(matrix: Matrix, name: str) -> None:
    handler = matrix.handlers[name]
    for who in matrix.actors:
        assert matrix.probe(handler, who, create={"k": {"title": "x"}})["k"]["type"] == "forbidden"
        for one in matrix.all(who, name)[:3] if name != "RecordChange" else []:
            assert matrix.probe(handler, who, update={one["id"]: {"title": "x"}})[one["id"]]["type"] == "forbidden"


@pytest.mark.parametrize("scopes", [frozenset({"read"}), frozenset({"write"}), frozenset[str]()])
def test_an_integration_token_does_what_its_scopes_say(matrix: Matrix, scopes: frozenset[str]) -> None:
    person = matrix.actors["author"]
    token = Actor(person.person_id, person.roles, person.department_ids, scopes=scopes)
    arguments = {"accountId": token.person_id, "create": {}}
    checks: list[Callable[[], object]] = [
        lambda: check_set(arguments, token, LIMITS),
        lambda: check_import(arguments, token),
    ]
    for check in checks:
        if "write" in scopes:
            check()
        else:
            with pytest.raises(MethodError) as caught:
                check()
            assert caught.value.type == "accountReadOnly"


def test_product_modules_are_all_asked(matrix: Matrix) -> None:
    names = {one.id for one in matrix.office.definitions}
    assert names in ({"fleet"}, {one.id for one in load_definitions()})
