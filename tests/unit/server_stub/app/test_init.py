"""`tongban-server init`: asked at a terminal, from a file, again over what is there, and with answers that cannot be."""

import io
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from server_stub.app import cli
from server_stub.app.init_answers import language_of
from server_stub.app.settings import load_settings

ANSWERS = 'office = "水务局"\naddresses = ["oa.example.test", "10.1.2.3"]\nport = 8470\nadmin = "zhang"\nadmin_name = "张敏"\n'


def run(*arguments: object) -> int:
    return cli.main([str(one) for one in arguments])


def type_in(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))


def logins(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / "tongban.db")) as database:
        return [str(row[0]) for row in database.execute("SELECT login FROM credential")]


def test_answers_from_a_file_and_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers, data, settings = tmp_path / "answers.toml", tmp_path / "data", tmp_path / "etc" / "server.toml"
    answers.write_text(ANSWERS + f'data = "{data}"\nbackups = "{tmp_path / "bak"}"\n', "utf-8")
    assert run("init", "--answers", answers, "--settings", settings, "--language", "zh") == 0
    out = capsys.readouterr().out
    fingerprint = out.partition("SHA-256")[2].split()[0]
    for word in (
        "服务器地址：https://oa.example.test:8470",
        "密码（只显示这一次）",
        str(data / "tls" / "ca.pem"),
        str(tmp_path / "bak"),
    ):
        assert word in out
    assert tomllib.loads(settings.read_text("utf-8"))["port"] == 8470
    before = settings.read_bytes(), (data / "tls" / "ca.pem").read_bytes()
    # again, with other wishes: it says what is there and changes nothing
    assert run("init", "--answers", answers, "--settings", settings, "--port", "9999", "--language", "en") == 0
    again = capsys.readouterr().out
    assert fingerprint.lstrip("）：") in again.replace(" ", "")
    assert "stays as it is" in again
    assert "login zhang is there already" in again
    assert (settings.read_bytes(), (data / "tls" / "ca.pem").read_bytes(), logins(data)) == (*before, ["zhang"])
    assert run("--config", settings, "check") == 0
    assert run("--config", settings, "backup") == 0
    assert [path.suffix for path in (tmp_path / "bak").iterdir()] == [".tar"]


def test_questions_until_the_answers_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "office"
    lines = ["市局", str(data), "maybe", "proxy", "bad host!", "", "0", "8471", "here", "127.0.0.1", "http://oa", "https://oa.example.test",
             "", "root", "", "short", "long enough", "other words", "long enough", "long enough"]  # fmt: skip
    type_in(monkeypatch, *lines, "n")
    assert run("init", "--ask", "--language", "zh") == 1
    assert "没有写下任何东西" in capsys.readouterr().out
    assert not data.exists()
    type_in(monkeypatch, *lines, "y")
    assert run("init", "--ask", "--language", "zh") == 0
    out = capsys.readouterr().out
    assert "服务器地址：https://oa.example.test\n" in out
    assert out.count("这样不行") == 7
    made = load_settings(data / "server.toml", {})
    assert (made.host, made.port, made.proxies, made.data) == ("127.0.0.1", 8471, ("127.0.0.1",), data)
    assert logins(data) == ["root"]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ('colour = "red"\n', "colour"),
        ("data = 5\n", "data"),
        ("office = \n", "answers.toml"),
        ('tls = "files"\ncertificate = "nowhere.pem"\nkey = "nowhere.key"\n', "nowhere.pem"),
        ('tls = "proxy"\npublic = "http://oa"\n', "https://"),
    ],
)
def test_answers_that_cannot_be_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, word: str
) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text(("" if more.startswith("office") else ANSWERS) + more, "utf-8")
    assert run("--data", tmp_path / "data", "init", "--answers", answers, "--language", "en") == 2
    assert word in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_the_language_is_that_of_the_locale() -> None:
    assert language_of({"LANG": "zh_CN.UTF-8"}) == "zh"
    assert language_of({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}) == "en"
    assert language_of({}) == "en"
