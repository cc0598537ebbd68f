"""People and departments: memberships follow identities, mobile numbers are masked, nobody changes another's entry."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from server_stub.accounts import directory
from server_stub.accounts.directory import (
    Identity,
    ancestors,
    do_create_person,
    do_set_identities,
    do_update_department,
)
from server_stub.accounts.discretion import FIELDS, LEVELS, level_of, mask_mobile
from server_stub.accounts.handlers import (
    DepartmentHandler,
    DeviceHandler,
    LoginEntryHandler,
    PersonHandler,
)
from server_stub.accounts.logins import LoginRefused, do_log_login
from server_stub.accounts.sessions import DeviceInfo, do_register_device
from server_stub.errors import SetError
from server_stub.records.actor import Actor
from server_stub.records.types import Window
from server_stub.records.visibility import EVERYONE, audience, changes, current_state, find_scope
from server_stub.storage.database import Tx
from tests.helpers.server_parts import PASSWORD, Parts, actor_of, open_parts


def members(parts: Parts, kind: str, ref: str) -> set[str]:
    def read(conn: object) -> set[str]:
        scope = find_scope(conn, kind, ref)  # type: ignore[arg-type]
        return audience(conn, [scope]) if scope is not None else set()  # type: ignore[arg-type]

    return parts.database.read_now(read)


def test_a_person_is_in_the_department_and_all_above(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        bureau = parts.add_department("局")
        office = parts.add_department("办公室", bureau)
        fleet = parts.add_department("车队", office)
        finance = parts.add_department("财务科", bureau)
        driver = parts.add_person("driver", fleet)
        clerk = parts.add_person("clerk", office, finance, roles=("publisher",))
        assert members(parts, "department", bureau) == {driver, clerk}
        assert members(parts, "department", office) == {driver, clerk}
        assert members(parts, "department", fleet) == {driver}
        assert members(parts, "department", finance) == {clerk}
        assert members(parts, "role", "publisher") == {clerk}
        assert members(parts, *EVERYONE) == {driver, clerk}
        assert members(parts, "person", clerk) == {clerk}


def test_changed_identities_move_memberships_and_nothing_else(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        bureau = parts.add_department("局")
        office, finance = parts.add_department("办公室", bureau), parts.add_department("财务科", bureau)
        clerk = parts.add_person("clerk", office)
        before = parts.database.read_now(
            lambda conn: [tuple(row) for row in conn.exec_driver_sql("SELECT * FROM membership")]
        )
        parts.database.write_now(lambda tx: do_set_identities(tx, clerk, [Identity(finance, "科长")]))
        assert members(parts, "department", office) == set()
        assert members(parts, "department", finance) == {clerk}
        assert members(parts, "department", bureau) == {clerk}
        after = parts.database.read_now(
            lambda conn: [tuple(row) for row in conn.exec_driver_sql("SELECT * FROM membership")]
        )
        assert len(after) == len(before) + 1  # left one, joined one; the bureau's interval goes on
        rights = parts.database.read_now(lambda conn: directory.load_rights(conn, clerk))
        assert rights.department_ids == (finance,)


def test_a_moved_department_takes_its_people_along(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        one, other = parts.add_department("一"), parts.add_department("二")
        below = parts.add_department("下", one)
        person = parts.add_person("p", below)
        parts.database.write_now(lambda tx: do_update_department(tx, below, {"parentId": other}))
        assert members(parts, "department", one) == set()
        assert members(parts, "department", other) == {person}
        with pytest.raises(SetError, match="below itself"):
            parts.database.write_now(lambda tx: do_update_department(tx, other, {"parentId": below}))
        with pytest.raises(SetError, match="below itself"):
            parts.database.write_now(lambda tx: do_update_department(tx, other, {"parentId": other}))
        assert parts.database.read_now(lambda conn: ancestors(conn, below)) == [below, other]


def test_a_disabled_person_leaves_every_scope_but_the_own_one(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        office = parts.add_department("办公室")
        person = parts.add_person("p", office, roles=("admin",))
        parts.database.write_now(lambda tx: directory.do_disable_person(tx, person))
        assert (
            members(parts, "department", office)
            == members(parts, *EVERYONE)
            == members(parts, "role", "admin")
            == set()
        )
        assert members(parts, "person", person) == {person}
        parts.database.write_now(lambda tx: directory.do_enable_person(tx, person))
        assert members(parts, "department", office) == members(parts, "role", "admin") == {person}


def test_mobile_numbers_are_masked_for_other_departments(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        office, finance = parts.add_department("办公室"), parts.add_department("财务科")
        person = parts.add_person("p", office)
        parts.database.write_now(lambda tx: directory.do_update_person(tx, person, {"mobile": "13812342046"}))

        def seen(**about: tuple[str, ...]) -> str:
            other = parts.add_person(
                f"reader{len(about)}{sum(map(len, about.values()))}{list(about)}".replace(" ", ""), login=False
            )
            actor = actor_of(other, **about)
            return str(
                parts.database.read_now(lambda conn: PersonHandler().get(conn, actor, [person], None)).list[0]["mobile"]
            )

        assert seen(departments=(finance,)) == "138****2046"
        assert seen() == "138****2046"
        assert seen(departments=(finance, office)) == "13812342046"
        assert seen(roles=("admin",)) == "13812342046"
        found = parts.database.read_now(
            lambda conn: PersonHandler().query(conn, actor_of(parts.add_person("q")), {"text": "1234"}, [], Window())
        )
        assert found.ids == []  # a masked number cannot be guessed digit by digit


@pytest.mark.parametrize(("number", "shown"), [("13812342046", "138****2046"), ("12345", "*****"), ("", "")])
def test_mask(number: str, shown: str) -> None:
    assert mask_mobile(number) == shown


def test_moving_into_a_department_tells_readers_to_look_at_its_people_again(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        office, finance = parts.add_department("办公室"), parts.add_department("财务科")
        colleague, mover = parts.add_person("colleague", office), parts.add_person("mover", finance)
        state = parts.database.read_now(current_state)
        parts.database.write_now(lambda tx: do_set_identities(tx, mover, [Identity(office, "科员")]))
        page = parts.database.read_now(lambda conn: changes(conn, mover, "Person", state, 100))
        assert set(page.updated) == {mover, colleague}


def test_only_the_own_signature_can_be_changed(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        me, other = parts.add_person("me", roles=("admin",)), parts.add_person("other")
        handler, actor = PersonHandler(), actor_of(me, roles=("admin",))
        parts.database.write_now(lambda tx: handler.update(tx, actor, me, {"signature": "在岗"}))
        got = parts.database.read_now(lambda conn: handler.get(conn, actor, [me], None)).list[0]
        assert got["signature"] == "在岗"
        assert not {"createdAt", "authorId"} & got.keys()
        for target, patch in [
            (other, {"signature": "x"}),
            (me, {"roles": ["admin", "x"]}),
            (me, {"signature": "x", "name": "y"}),
            (me, {"signature": 5}),
            (me, {"signature": "x" * 201}),
        ]:
            with pytest.raises(SetError):
                parts.database.write_now(lambda tx, t=target, p=patch: handler.update(tx, actor, t, p))  # type: ignore[misc]
        for act in (
            lambda tx: handler.create(tx, actor, "k", {"name": "x"}),
            lambda tx: handler.destroy(tx, actor, other),
            lambda tx: DepartmentHandler().create(tx, actor, "k", {"name": "x"}),
        ):
            with pytest.raises(SetError, match="cannot be"):
                parts.database.write_now(act)


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"sex": "other"},
        {"identities": [Identity("no-such-department", "x")]},
        {"details": {"salary": "1"}},
        {"details": {"room": 5}},
        {"details": {"room": "x" * 501}},
    ],
)
def test_bad_people_leave_nothing_behind(tmp_path: Path, values: dict[str, object]) -> None:
    with open_parts(tmp_path) as parts:
        asked = {"name": "ok", "login": "ok", "password_hash": parts.passwords.hash(PASSWORD)} | values
        with pytest.raises(SetError):
            parts.database.write_now(lambda tx: do_create_person(tx, **asked))  # type: ignore[arg-type]
        assert parts.database.read_now(directory.load_people) == []
        assert parts.add_person("ok")


@pytest.mark.parametrize("login", ["", " ", "a b", "x" * 65, "a\x00b", "LI", "ｌｉ", " li "])
def test_bad_or_taken_logins(tmp_path: Path, login: str) -> None:
    with open_parts(tmp_path) as parts:
        parts.add_person("li")
        with pytest.raises(LoginRefused):
            parts.database.write_now(lambda tx: do_create_person(tx, name="x", login=login, password_hash="h"))


def test_pinyin() -> None:
    assert directory.pinyin_of("林远") == {"pinyin": "linyuan", "initials": "ly"}
    assert directory.pinyin_of("Ann Lee") == {"pinyin": "ann lee", "initials": "ann lee"}


def test_devices_and_logins_are_their_persons_alone(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        me, other = parts.add_person("me"), parts.add_person("other")
        mine = parts.database.write_now(
            lambda tx: do_register_device(tx, me, "jkt", DeviceInfo("desk", "linux"), "10.0.0.1")
        )
        parts.database.write_now(
            lambda tx: do_log_login(tx, login="me", person_id=me, address="10.0.0.1", device_id=mine, result="ok")
        )
        for handler in (DeviceHandler(), LoginEntryHandler()):
            own = parts.database.read_now(lambda conn, h=handler: h.get(conn, actor_of(me), None, None))  # type: ignore[misc]
            assert len(own.list) == 1
            ids = [own.list[0]["id"]]
            foreign = parts.database.read_now(lambda conn, h=handler, i=ids: h.get(conn, actor_of(other), i, None))  # type: ignore[misc]
            assert foreign.list == []
            assert list(foreign.not_found) == ids
        with pytest.raises(SetError, match="notFound"):
            parts.database.write_now(lambda tx: DeviceHandler().destroy(tx, actor_of(other), mine))
        with pytest.raises(SetError, match="cannot be changed"):
            parts.database.write_now(lambda tx: LoginEntryHandler().destroy(tx, actor_of(me), ids[0]))
        parts.database.write_now(lambda tx: DeviceHandler().destroy(tx, actor_of(me), mine))
        assert parts.database.read_now(lambda conn: DeviceHandler().get(conn, actor_of(me), None, None)).list == []


def test_what_is_no_login_is_not_written_down(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        parts.database.write_now(
            lambda tx: do_log_login(tx, login="my-password", person_id=None, address="a", device_id=None, result="x")
        )
        rows = parts.database.read_now(lambda conn: conn.exec_driver_sql("SELECT * FROM login_entry").fetchall())
        assert len(rows) == 1
        assert "my-password" not in str(rows)


# ---------------------------------------------------------------- hidden fields


class Shown:
    """A bureau with office (head: boss) and finance; `p` of the office has all four fields and the superior `chief`."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.bureau = parts.add_department("局")
        self.office, self.finance = (
            parts.add_department("办公室", self.bureau),
            parts.add_department("财务科", self.bureau),
        )
        self.people = {
            name: parts.add_person(name, self.finance, login=False) for name in ("stranger", "boss", "chief")
        }
        self.person = self.people["p"] = parts.add_person("p", self.office, login=False)
        self.people["near"] = parts.add_person("near", self.office, login=False)
        self.people["leader"] = parts.add_person("leader", self.finance, roles=("leader",), login=False)
        self.people["admin"] = parts.add_person("admin", self.finance, roles=("admin",), login=False)
        self.write(lambda tx: do_update_department(tx, self.office, {"headId": self.people["boss"]}))
        details = {"mobile": "13812342046", "officePhone": "0512-12348801", "email": "p@x.example", "room": "305"}
        self.write(
            lambda tx: directory.do_update_person(tx, self.person, {**details, "superiorId": self.people["chief"]})
        )

    def write(self, action: object) -> None:
        self.parts.database.write_now(action)  # type: ignore[arg-type]

    def actor(self, name: str) -> Actor:
        rights = self.parts.database.read_now(lambda conn: directory.load_rights(conn, self.people[name]))
        return actor_of(self.people[name], roles=tuple(rights.roles), departments=rights.department_ids)

    def seen(self, name: str) -> dict[str, Any]:
        actor = self.actor(name)
        return self.parts.database.read_now(lambda conn: PersonHandler().get(conn, actor, [self.person], None)).list[0]

    def change(self, who: str, target: str, **patch: Any) -> None:
        actor = self.actor(who)
        self.write(lambda tx: PersonHandler().update(tx, actor, self.people[target], patch))


READERS = ("stranger", "near", "boss", "chief", "leader", "admin", "p")
SEEN_BY = {
    "everyone": set(READERS),
    "masked": set(READERS) - {"stranger"},
    "department": set(READERS) - {"stranger"},
    "leaders": {"boss", "chief", "leader", "admin", "p"},
    "office": {"admin", "p"},
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("field", FIELDS)
def test_each_level_shows_a_field_to_those_it_names(tmp_path: Path, level: str, field: str) -> None:
    with open_parts(tmp_path) as parts:
        office = Shown(parts)
        office.change("admin", "p", visibility={field: level})
        whole = office.seen("admin")[field]
        assert {name for name in READERS if office.seen(name).get(field) == whole} == SEEN_BY[level]
        for name in set(READERS) - SEEN_BY[level]:
            assert office.seen(name)["hidden"][field] == level
            assert office.seen(name).get(field) == (mask_mobile(whole) if level == "masked" else None)
        assert "hidden" not in office.seen("p")
        assert "visibility" not in office.seen("near")


def test_the_nearest_rule_counts_and_the_strictest_of_several_identities(tmp_path: Path) -> None:
    departments: dict[str, dict[str, Any]] = {
        "bureau": {"parentId": None, "visibility": {"room": "office"}},
        "office": {"parentId": "bureau", "visibility": {"room": "everyone", "email": "department"}},
        "below": {"parentId": "office"},
        "secret": {"parentId": "bureau", "visibility": {"email": "leaders"}},
    }

    def level(field: str, *places: str, **data: Any) -> str:
        return level_of({"identities": [{"departmentId": one} for one in places], **data}, field, departments)

    assert level("room", "below") == "everyone"
    assert level("room", "secret") == "office"
    assert level("email", "below", "secret") == "leaders"
    assert level("email", "below", "secret", visibility={"email": "everyone"}) == "everyone"
    assert level("email", "below", visibility={"email": "everyone"}, hides=["email"]) == "department"
    assert level("mobile", "below") == level("mobile") == "masked"
    assert level("mobile", "below", hides=["mobile"]) == "department"


def test_people_hide_fields_of_their_own_and_cannot_open_them(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        office = Shown(parts)
        office.change("p", "p", hides=["email", "room", "email"])
        assert office.seen("p")["hides"] == ["email", "room"]
        assert office.seen("stranger")["hidden"] == {"mobile": "masked", "email": "department", "room": "department"}
        assert "hides" not in office.seen("near")
        for patch in ({"visibility": {"mobile": "everyone"}}, {"mobile": "1"}, {"hides": ["name"]}, {"hides": "room"}):
            with pytest.raises(SetError):
                office.change("p", "p", **patch)
        with pytest.raises(SetError, match="only your own"):
            office.change("near", "p", hides=[])


def _ids(actor: Actor, filter_: dict[str, Any], conn: Connection) -> Sequence[str]:
    return PersonHandler().query(conn, actor, filter_, [], Window()).ids


def test_hidden_fields_cannot_be_found_by_asking(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        office = Shown(parts)
        office.change("admin", "p", visibility={"room": "leaders"})
        for filter_ in ({"room": "305"}, {"text": "305"}, {"roomAfter": "3"}):
            actor = office.actor("near")
            assert office.person not in parts.database.read_now(partial(_ids, actor, filter_))
        for guess in ("305", "306"):
            with pytest.raises(SetError, match=r"only your own|may not"):
                office.change("near", "p", room=guess)


def test_readers_hear_of_a_rule_that_changed(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        office = Shown(parts)

        def updated(action: object) -> set[str]:
            state = parts.database.read_now(current_state)
            office.write(action)
            return set(
                parts.database.read_now(
                    lambda conn: changes(conn, office.people["stranger"], "Person", state, 100)
                ).updated
            )

        rule = {"visibility": {"room": "department"}}
        staff = {office.people["p"], office.people["near"]}
        assert updated(lambda tx: do_update_department(tx, office.office, rule)) == staff
        assert updated(lambda tx: do_update_department(tx, office.office, {"order": 3})) == set()
        assert updated(lambda tx: do_update_department(tx, office.office, {"headId": None})) == staff
        everyone = set(office.people.values())
        assert updated(lambda tx: directory.do_set_roles(tx, office.people["near"], ["leader"])) == everyone
        assert updated(lambda tx: directory.do_set_roles(tx, office.people["near"], ["leader", "x"])) == {
            office.people["near"]
        }


def test_the_office_sets_the_order_and_the_entries(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        office = Shown(parts)
        identities = office.seen("admin")["identities"]
        office.change("admin", "p", identities=[{**identities[0], "order": 7}], room="306")
        assert (office.seen("p")["identities"][0]["order"], office.seen("p")["room"]) == (7, "306")
        refused: list[dict[str, Any]] = [
            {"identities": [{**identities[0], "post": "局长"}]},
            {"identities": []},
            {"identities": [{**identities[0], "order": -1}]},
            {"identities": [{**identities[0], "order": True}]},
            {"identities": "x"},
            {"superiorId": office.person},
            {"superiorId": office.office},
            {"visibility": {"name": "office"}},
            {"visibility": {"room": "nobody"}},
            {"visibility": {"nothing": None}},
            {"room": 5},
            {"name": "x"},
            {"hides": ["room"]},
        ]
        for patch in refused:
            with pytest.raises(SetError):
                office.change("admin", "p", **patch)
        with pytest.raises(SetError):
            office.change("near", "p", room="307")
        admin, near = office.actor("admin"), office.actor("near")
        handler = DepartmentHandler()
        office.write(
            lambda tx: handler.update(tx, admin, office.office, {"order": 9, "visibility": {"room": "leaders"}})
        )
        assert office.seen("near")["hidden"] == {"room": "leaders"}

        def department(actor: Actor) -> dict[str, Any]:
            return parts.database.read_now(lambda conn: handler.get(conn, actor, [office.office], None)).list[0]

        shown = [department(admin), department(near)]
        assert [(one["order"], one.get("visibility")) for one in shown] == [(9, {"room": "leaders"}), (9, None)]
        for actor, patch in ((near, {"order": 1}), (admin, {"name": "x"}), (admin, {"order": "1"})):
            with pytest.raises(SetError):
                office.write(partial(_do_change, handler, actor, office.office, patch))


def _do_change(handler: DepartmentHandler, actor: Actor, id_: str, patch: dict[str, Any], tx: Tx) -> None:
    handler.update(tx, actor, id_, patch)
