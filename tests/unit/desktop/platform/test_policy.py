"""What an administrator sets: one table, three places; and Windows' Run key, which knows a user's and a machine's entry."""

import json
import logging
import os
import plistlib
from pathlib import Path
from typing import Any

import pytest

from desktop.platform import policy
from desktop.platform.autostart import APPROVED_KEY, RUN_KEY, WindowsAutostart
from desktop.platform.policy import Policy, load_file, load_managed, load_registry, make_policy

Names = dict[str, object]


class Key:
    """An open key."""

    def __init__(self, values: Names) -> None:
        self.values = values

    def __enter__(self) -> "Key":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Registry:
    """winreg, as far as we use it; `keys` by root and path."""

    HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE = "user", "machine"
    KEY_READ, KEY_WOW64_64KEY = 1, 256
    REG_SZ, REG_BINARY = 1, 3

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], Names] = {}

    def OpenKey(self, root: str, path: str, *_: int) -> Key:  # noqa: N802 - Windows' name
        if (root, path) not in self.keys:
            raise FileNotFoundError(path)
        return Key(self.keys[root, path])

    def CreateKey(self, root: str, path: str) -> Key:  # noqa: N802 - Windows' name
        if root == self.HKEY_LOCAL_MACHINE:
            raise PermissionError(5, "Access is denied")
        return Key(self.keys.setdefault((root, path), {}))

    def QueryValueEx(self, key: Key, name: str) -> tuple[object, int]:  # noqa: N802 - Windows' name
        if name not in key.values:
            raise FileNotFoundError(name)
        return key.values[name], self.REG_SZ

    def SetValueEx(self, key: Key, name: str, _zero: int, _kind: int, value: object) -> None:  # noqa: N802
        key.values[name] = value

    def DeleteValue(self, key: Key, name: str) -> None:  # noqa: N802 - Windows' name
        del key.values[name]


def test_the_machine_comes_before_the_user_value_by_value() -> None:
    registry = Registry()
    registry.keys["machine", policy.REGISTRY_KEY] = {
        "Server": "https://oa.example.gov:8460/",
        "Autostart": 0,
        "Else": 1,
    }
    registry.keys["user", policy.REGISTRY_KEY] = {"Server": "https://other.example.gov", "RetentionDays": 90}
    found = make_policy(*load_registry(registry))
    assert found == Policy("https://oa.example.gov:8460", None, autostart=False, retention_days=90)
    assert make_policy(*load_registry(Registry())) == Policy()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Server", "http://oa.example.gov"),
        ("Server", "https://oa.example.gov/path"),
        ("Server", "https://oa.example.gov:99999"),
        ("Server", "https://user@oa.example.gov"),
        ("Server", 5),
        ("UpdateChannel", "../stable"),
        ("UpdateChannel", ["stable"]),
        ("Autostart", "yes"),
        ("Autostart", 2),
        ("RetentionDays", 0),
        ("RetentionDays", True),
        ("RetentionDays", "90"),
    ],
)
def test_a_wrong_value_is_left_out_and_the_others_hold(
    name: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    right: Names = {"Server": "https://oa.example.gov", "UpdateChannel": "beta", "Autostart": 1, "RetentionDays": 30}
    with caplog.at_level(logging.WARNING):
        found = make_policy(right | {name: value})
    field = policy.NAMES[name][0]
    wanted: dict[str, Any] = {"server": "https://oa.example.gov", "update_channel": "beta"}
    wanted |= {"autostart": True, "retention_days": 30}
    assert found == Policy(**(wanted | {field: None}))
    assert name in caplog.text


def test_on_linux_only_roots_own_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "policy.json"
    assert load_file(file) == {}
    file.write_text(json.dumps({"Server": "https://oa.example.gov", "Autostart": False}))
    real = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = list(real(path, follow_symlinks=follow_symlinks))
        found[4] = owner
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", stat)
    owner = 1000
    assert load_file(file) == {}
    owner = 0
    file.chmod(0o644)
    assert make_policy(load_file(file)) == Policy("https://oa.example.gov", autostart=False)
    file.chmod(0o664)
    assert load_file(file) == {}, "the group could have written it"
    file.chmod(0o644)
    file.write_text("[1")
    assert load_file(file) == {}
    file.write_text("[1]")
    assert load_file(file) == {}


def test_on_macos_the_machines_list_comes_before_the_users(tmp_path: Path) -> None:
    (tmp_path / "li").mkdir()
    (tmp_path / policy.MAC_DOMAIN).write_bytes(plistlib.dumps({"UpdateChannel": "stable"}))
    (tmp_path / "li" / policy.MAC_DOMAIN).write_bytes(plistlib.dumps({"UpdateChannel": "beta", "Autostart": True}))
    assert make_policy(*load_managed(tmp_path, "li")) == Policy(update_channel="stable", autostart=True)
    (tmp_path / policy.MAC_DOMAIN).write_bytes(b"<plist>")
    assert make_policy(*load_managed(tmp_path, "li")) == Policy(update_channel="beta", autostart=True)


def test_windows_run_key_of_the_user() -> None:
    registry = Registry()
    entry = WindowsAutostart([r"C:\Program Files\Tongban\tongban.exe", "--hidden"], winreg=registry)
    assert not entry.is_on()
    entry.set_on(True)
    assert entry.is_on()
    assert registry.keys["user", RUN_KEY] == {"tongban": r'"C:\Program Files\Tongban\tongban.exe" --hidden'}
    registry.keys["user", APPROVED_KEY] = {"tongban": b"\x03" + bytes(11)}
    assert not entry.is_on(), "switched off in Task Manager"
    entry.set_on(True)
    assert entry.is_on()
    entry.set_on(False)
    entry.set_on(False)
    assert not entry.is_on()
    assert registry.keys["user", RUN_KEY] == {}


def test_windows_run_key_of_the_machine_is_switched_off_for_this_user_alone() -> None:
    registry = Registry()
    registry.keys["machine", RUN_KEY] = {"tongban": '"C:\\Program Files\\Tongban\\tongban.exe" --hidden'}
    entry = WindowsAutostart(["tongban.exe"], winreg=registry)
    assert entry.is_on()
    entry.set_on(False)
    assert not entry.is_on()
    assert registry.keys["machine", RUN_KEY], "it is not the user's"
    entry.set_on(True)
    assert entry.is_on()
    assert not registry.keys.get(("user", RUN_KEY)), "the program would start twice"
