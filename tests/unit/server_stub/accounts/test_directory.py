"""People and departments: memberships follow identities, mobile numbers are masked, nobody changes another's entry."""

from pathlib import Path

import pytest

from server_stub.accounts import directory
from server_stub.accounts.directory import (
    Identity,
    ancestors,
    do_create_person,
    do_set_identities,
    do_update_department,
)
from server_stub.accounts.handlers import (
    DepartmentHandler,
    DeviceHandler,
    LoginEntryHandler,
    PersonHandler,
    mask_mobile,
)
from server_stub.accounts.logins import LoginRefused, do_log_login
from server_stub.accounts.sessions import DeviceInfo, do_register_device
from server_stub.errors import SetError
from server_stub.records.types import Window
from server_stub.records.visibility import EVERYONE, audience, changes, current_state, find_scope
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
