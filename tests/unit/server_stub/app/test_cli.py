"""The command line in this process: exit codes, options before and after the command, expiry dates, a demo that was cut off."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server_stub.app import admin, cli, demo
from server_stub.app.lock import DataLock
from server_stub.app.wiring import Backend
from server_stub.clock import parse_utc
from tests.helpers.server_parts import START_MS


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
