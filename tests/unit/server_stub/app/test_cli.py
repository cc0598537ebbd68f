"""The command line in this process: exit codes, options before and after the command, expiry dates, a demo that was cut off."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server_stub.accounts.directory import Identity, do_set_identities, load_people
from server_stub.app import admin, cli, demo
from server_stub.app.lock import DataLock
from server_stub.app.posts import find_department, identities_of
from server_stub.app.roles import known_roles
from server_stub.app.wiring import Backend
from server_stub.clock import SystemClock, parse_utc
from server_stub.modules.engine.overlays import Changes, TypeChange
from server_stub.modules.engine.overlays_store import do_put_in_force, do_save_draft, encode_changes, load_overlay
from server_stub.storage.database import Database
from tests.helpers.server_parts import START_MS, open_parts


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cli, "set_up_logs", logging.getLogger("tongban").setLevel)
    yield
    logging.getLogger("tongban").setLevel(logging.NOTSET)


def run(*arguments: object) -> int:
    return cli.main([str(one) for one in arguments])


def test_init_then_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", tmp_path / "d", "init", "--admin", "root") == 0
    out = capsys.readouterr().out
    assert "password: " in out
    assert str(tmp_path / "d" / "tls" / "ca.pem") in out
    assert run("init", "--data", tmp_path / "d") == 0  # keeps what is there
    assert run("department", "add", "局", "--data", tmp_path / "d") == 0
    assert run("department", "add", "办公室", "--parent", "局", "--data", tmp_path / "d") == 0
    assert run("user", "add", "li", "--name", "李", "--department", "办公室", "--data", tmp_path / "d") == 0
    assert run("user", "roles", "li", "publisher", "--data", tmp_path / "d") == 0
    capsys.readouterr()
    assert run("user", "list", "--data", tmp_path / "d") == 0
    assert "li\t李\tactive\tpublisher\t" in capsys.readouterr().out
    assert run("check", "--data", tmp_path / "d") == 0
    assert "all is well" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("serve",), 1, "init"),
        (("user", "list"), 1, "init"),
        (("check",), 1, "init"),
        (("backup", "x.tar"), 1, "init"),
        (("restore", "nowhere.tar"), 1, "nowhere.tar"),
        (("--port", "1", "init"), 2, "invalid choice"),
        (("serve", "--port", "x"), 2, "invalid int"),
        (("serve", "--port", "70000"), 2, "at most"),
        (("--config", "nowhere.toml", "init"), 2, "nowhere.toml"),
        (("init", "--log-level", "LOUD"), 2, "log_level"),
        ((), 2, "COMMAND"),
        (("init", "--admin", "a", "--password-env", "NOT_THERE"), 1, "NOT_THERE"),
    ],
)
def test_exit_codes_of_mistakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, word: str
) -> None:
    try:
        found = run("--data", tmp_path / "d", *arguments)
    except SystemExit as ended:  # argparse ends the process by itself
        found = int(str(ended.code))
    assert found == code
    assert word in capsys.readouterr().err


def test_a_folder_in_use_whose_server_cannot_be_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--data", tmp_path, "init")
    with DataLock(tmp_path):
        assert run("--data", tmp_path, "init") == 3
        assert run("--data", tmp_path, "serve") == 3
        assert run("--data", tmp_path, "user", "list") == 1
    assert "cannot be asked" in capsys.readouterr().err


def test_an_archive_cannot_write_outside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import io
    import json
    import tarfile

    def archive(name: str) -> Path:
        path = tmp_path / "evil.tar"
        files = [{"path": one, "size": 1, "sha256": "0" * 64} for one in ("tongban.db", name)]
        manifest = json.dumps({"format": 1, "files": files}).encode()
        with tarfile.open(path, "w") as tar:
            for member, data in (("manifest.json", manifest), ("tongban.db", b"x"), (name, b"x")):
                entry = tarfile.TarInfo(member)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        return path

    for name in ("../escaped", "/tmp/escaped", "tls/../../escaped", "blobs/aa/bb/" + "c" * 64, "server.lock"):
        assert run("--data", tmp_path / "d", "restore", archive(name)) == 1
        assert "do not belong" in capsys.readouterr().err
    assert run("--data", tmp_path / "d", "restore", archive("tls/ca.pem")) == 1
    assert "damaged" in capsys.readouterr().err
    assert not (tmp_path / "d").exists()
    assert not (tmp_path.parent / "escaped").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["evil.tar"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", START_MS + 12 * 3_600_000),
        ("30d", START_MS + 30 * 86_400_000),
        ("2w", START_MS + 14 * 86_400_000),
        ("2027-01-31", parse_utc("2027-01-31T00:00:00Z")),
        ("2027-01-31T12:00:00Z", parse_utc("2027-01-31T12:00:00Z")),
    ],
)
def test_expiry(text: str, expected: int) -> None:
    assert admin._expiry(text, START_MS) == expected


@pytest.mark.parametrize("text", ["", "soon", "5", "-1d", "1y", "٣d", "2027-13-01", "9999999d"])
def test_expiry_that_is_none(text: str) -> None:
    with pytest.raises(admin.CommandFailed):
        admin._expiry(text, START_MS)


def test_generated_passwords_differ_and_are_long() -> None:
    made = {admin.generate_password() for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {19}


def test_a_demo_that_was_cut_off_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled: list[int] = []

    async def fill(backend: Backend) -> None:
        filled.append(
            len(await backend.database.read(lambda conn: conn.exec_driver_sql("SELECT 1 FROM blob").fetchall()))
        )
        await backend.blobs.put_bytes(b"picture", type_="a/b", uploader="p")
        if len(filled) == 1:
            raise OSError("cut off")

    def serve(settings: Any, clock: Any, *, port_file: Path | None, prepare: Any) -> None:
        import asyncio

        from server_stub.app.wiring import open_backend

        async def body() -> None:
            backend = open_backend(settings, clock)
            try:
                await prepare(backend)
            finally:
                await backend.close()

        asyncio.run(body())

    monkeypatch.setattr(demo, "fill_demo_office", fill)
    monkeypatch.setattr(cli, "run_server", serve)
    assert run("--data", tmp_path, "demo") == 1
    assert run("--data", tmp_path, "demo") == 0
    assert run("--data", tmp_path, "demo") == 0
    assert filled == [0, 0]  # the second began from nothing, the third had nothing to do
    assert run("--data", tmp_path, "check") == 0


# ---------------------------------------------------------------- identities and roles


def test_several_identities_by_name_path_and_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", tmp_path / "d")

    def said(*arguments: object, code: int = 0) -> str:
        assert run(*arguments, *data) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    said("init")
    said("department", "add", "水务局")
    office = said("department", "add", "办公室", "--parent", "水务局").strip().rpartition(": ")[2]
    said("department", "add", "防汛办", "--parent", "水务局")
    said("department", "add", "办公室", "--parent", "水务局/防汛办")

    assert "2 departments are called '办公室'" in said("user", "add", "li", "--department", "办公室", code=1)
    assert "there is no department '财务科'" in said("user", "add", "li", "--department", "财务科", code=1)
    said(
        "user",
        "add",
        "li",
        "--department",
        "防汛办",
        "--post",
        "科员",
        "--identity",
        f"{office}=秘书",
        "--primary",
        "2",
    )
    said("user", "add", "wang", "--identity", "防汛办/办公室=内勤", "--identity", "水务局")

    shown = said(
        "user", "identities", "li", "水务局/办公室=主任", "水务局/防汛办=副主任", "防汛办/办公室", "--primary", "2"
    )
    assert shown.splitlines() == [
        "li: 3 identities",
        "水务局/办公室\t主任\t-",
        "水务局/防汛办\t副主任\tprimary",
        "水务局/防汛办/办公室\t-\t-",
    ]
    for wrong, word in (
        (("水务局", "--primary", "2"), "from 1 to 1"),
        (("--primary", "1"), "needs an identity"),
        (("水务局=长", "水务局=长"), "twice"),
        (("水务局", "财务科"), "no department"),
        (("水务局=" + "长" * 101,), "at most"),
    ):
        assert word in said("user", "identities", "li", *wrong, code=1)
    assert "no login" in said("user", "identities", "zhao", "水务局", code=1)
    assert people(tmp_path / "d")["li"]["identities"] == [
        {"departmentId": office, "post": "主任", "primary": False, "order": 0},
        {"departmentId": said_id(tmp_path / "d", "水务局/防汛办"), "post": "副主任", "primary": True, "order": 0},
        {"departmentId": said_id(tmp_path / "d", "水务局/防汛办/办公室"), "post": "", "primary": False, "order": 0},
    ]
    wang = people(tmp_path / "d")["wang"]["identities"]
    assert [(one["post"], one["primary"]) for one in wang] == [("内勤", True), ("", False)]
    said("user", "identities", "wang")
    assert people(tmp_path / "d")["wang"]["identities"] == []
    said("check")


def people(data: Path) -> dict[str, dict[str, Any]]:
    """Every person's record, by login."""
    database = Database.open(data / "tongban.db", clock=SystemClock())
    try:
        return {one.data["login"]: one.data for one in database.read_now(load_people)}
    finally:
        database.close_now()


def said_id(data: Path, path: str) -> str:
    """The id of the department with this path."""
    database = Database.open(data / "tongban.db", clock=SystemClock())
    try:
        return database.read_now(lambda conn: find_department(conn, path))
    finally:
        database.close_now()


def test_a_place_among_the_colleagues_survives_new_identities(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        first, second = parts.add_department("一科"), parts.add_department("二科")
        li = parts.add_person("li", first)
        parts.database.write_now(lambda tx: do_set_identities(tx, li, [Identity(first, "科员", True, 7)]))
        found = parts.database.read_now(lambda conn: identities_of(conn, ["二科=科长", "一科=副科长"], 2, li))
        assert found == [Identity(second, "科长", False, 0), Identity(first, "副科长", True, 7)]


def test_words_that_are_no_role_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {"admin", "publisher", "librarian"} <= known_roles()
    run("init", "--data", tmp_path)
    assert run("user", "add", "li", "--role", "publisher", "--role", "admin", "--data", tmp_path) == 0
    capsys.readouterr()
    for arguments in (("user", "roles", "li", "publisher", "Admin"), ("user", "add", "wang", "--role", "publish")):
        assert run(*arguments, "--data", tmp_path) == 1
        assert "there is no role" in capsys.readouterr().err
    assert set(people(tmp_path)) == {"li"}
    assert people(tmp_path)["li"]["roles"] == ["admin", "publisher"]
    assert run("user", "roles", "li", "--data", tmp_path) == 0
    assert people(tmp_path)["li"]["roles"] == []


def test_a_module_makes_its_roles_known(tmp_path: Path) -> None:
    for name, text in (
        ("one", 'access = ["role:clerk"]'),
        ("two", '[[steps]]\nby = [{ who = "role:chief-of-staff" }]'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.toml").write_text(text, "utf-8")
    (tmp_path / "two" / "two.bpmn").write_text('<step performers="starter,role:cashier"/>', "utf-8")
    assert known_roles(tmp_path) == {"admin", "process-admin", "leader", "clerk", "chief-of-staff", "cashier"}


def test_changes_of_an_administrator_are_taken_back_with_the_server_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("init", "--data", tmp_path)
    assert run("modules", "withdraw", "tasks", "--data", tmp_path) == 1
    assert "nothing of 'tasks' is changed" in capsys.readouterr().err
    database = Database.open(tmp_path / "tongban.db", clock=SystemClock())
    changes = Changes(types=(TypeChange(name="Task", fields=()),), order=7)
    database.write_now(lambda tx: do_save_draft(tx, "tasks", changes))
    database.write_now(lambda tx: do_put_in_force(tx, "tasks", changes, "somebody"))
    database.close_now()
    assert run("modules", "withdraw", "tasks", "--data", tmp_path) == 0
    database = Database.open(tmp_path / "tongban.db", clock=SystemClock())
    held = database.read_now(lambda conn: load_overlay(conn, "tasks"))
    database.close_now()
    assert held is not None
    assert (held.changes, held.draft) == (None, encode_changes(changes))


def test_restore_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("init", "--admin", "root", "--data", tmp_path / "d")
    run("token", "add", "job", "--person", "root", "--data", tmp_path / "d")
    run("backup", tmp_path / "b.tar", "--data", tmp_path / "d")
    capsys.readouterr()
    assert run("restore", tmp_path / "b.tar", "--data", tmp_path / "e", "--live", tmp_path / "nowhere") == 1
    assert "no database" in capsys.readouterr().err
    assert run("restore", tmp_path / "b.tar", "--data", tmp_path / "e", "--live", tmp_path / "d") == 0
    assert "0 integration tokens revoked" in capsys.readouterr().out
    assert run("restore", tmp_path / "b.tar", "--data", tmp_path / "f") == 0
    assert "1 integration tokens revoked" in capsys.readouterr().out
    assert run("check", "--data", tmp_path / "e") == run("check", "--data", tmp_path / "f") == 0
