"""Settings: three sources in order, errors that name their place, and a document that lists them all."""

from pathlib import Path

import pytest

from server_stub.app.settings import Settings, SettingsError, describe_settings, load_settings, unknown_variables

ROOT = Path(__file__).resolve().parents[4]


def test_later_sources_win(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('port = 1000\nhost = "10.0.0.1"\nnames = ["office.example"]\nlog_level = "debug"\n')
    assert load_settings(file, {}).port == 1000
    assert load_settings(file, {"TONGBAN_PORT": "2000"}).port == 2000
    found = load_settings(
        file, {"TONGBAN_PORT": "2000", "TONGBAN_NAMES": "a.example, b.example"}, {"port": 3000, "host": None}
    )
    assert (found.port, found.host, found.names, found.log_level) == (
        3000,
        "10.0.0.1",
        ("a.example", "b.example"),
        "DEBUG",
    )


def test_a_relative_data_folder_is_meant_from_where_the_file_lies(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('data = "store"\n')
    assert load_settings(file, {}).data == tmp_path / "store"


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ('host = "a"\n\nprot = 1\n', "line 3", "prot"),
        ("# port\nport = 'x'\n", "line 2", "whole number"),
        ("port = true\n", "line 1", "whole number"),
        ("port = 70000\n", "line 1", "at most 65535"),
        ("port = -1\n", "line 1", "at least 0"),
        ('host = "a"\nport\n', "line 2", "Expected"),
        ("[tls]\nport = 1\n", "line 1", "tls"),
        ('names = "a"\n', "line 1", "list"),
        ('names = ["bad name"]\n', "line 1", "host name"),
        ('log_level = "LOUD"\n', "line 1", "DEBUG"),
        ("data = 5\n", "line 1", "folder"),
        ("max_upload = 0\n", "line 1", "at least 1"),
    ],
)
def test_mistakes_name_their_line(tmp_path: Path, text: str, place: str, word: str) -> None:
    file = tmp_path / "server.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=word) as caught:
        load_settings(file, {})
    assert place in str(caught.value)
    assert str(file) in str(caught.value)


def test_settings_that_only_fit_together(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text("lock_max_seconds = 20\nlock_base_seconds = 10\n")  # 20 alone would be below the default base
    assert load_settings(file, {}).lock_max_seconds == 20
    file.write_text("lock_base_seconds = 3000\nlock_max_seconds = 10\n")
    with pytest.raises(SettingsError, match="lock_base_seconds"):
        load_settings(file, {})


def test_a_missing_or_binary_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load_settings(tmp_path / "nowhere.toml", {})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError):
        load_settings(tmp_path / "binary.toml", {})


def test_mistakes_in_the_environment_name_their_variable() -> None:
    with pytest.raises(SettingsError, match="TONGBAN_PORT"):
        load_settings(None, {"TONGBAN_PORT": "x"})
    assert unknown_variables({"TONGBAN_PROT": "1", "TONGBAN_PORT": "1", "HOME": "x"}) == ["TONGBAN_PROT"]


def test_the_document_lists_every_setting_with_its_default() -> None:
    text = (ROOT / "docs" / "server.md").read_text("utf-8")
    for name, default, about in describe_settings():
        assert f"| `{name}` | `{default}` | {about} |" in text
    assert text.count("\n| `") >= len(describe_settings())
    assert Settings().port == 8460


def test_folders_of_fonts_lie_where_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('font_folders = ["fonts", "/opt/fonts"]\n')
    assert load_settings(file, {}).font_folders == (str((tmp_path / "fonts").resolve()), "/opt/fonts")
    file.write_text('font_folders = [" "]\n')
    with pytest.raises(SettingsError, match="font_folders"):
        load_settings(file, {})
