"""The server's own package: what its wheel holds and needs, its scripts, the unit's hardening. Building and installing: `dev.py package server --check`."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from build_scripts.package import server, server_check, server_wheel

SCRIPTS = ("tongban-server", "postinst", "prerm", "postrm")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return server_wheel.make_wheel(tmp_path_factory.mktemp("wheel"), "1.2.3")


def test_the_wheel_is_the_server_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        record = archive.read("tongban_server-1.2.3.dist-info/RECORD").decode().splitlines()
        metadata = archive.read("tongban_server-1.2.3.dist-info/METADATA").decode()
    assert {name.split("/")[0] for name in names} == {
        "server_stub",
        "tongban_resources",
        "tongban_server-1.2.3.dist-info",
    }
    assert {line.split(",")[0] for line in record} == set(names)
    assert {f"tongban_resources/{name}" for name in ("server/wizard.json", "stickers/stickers.json")} <= set(names)
    assert not re.search("pyside|qasync|keyring|desktop", metadata, re.IGNORECASE)
    again = server_wheel.make_wheel(tmp_path, "1.2.3")
    assert again.read_bytes() == wheel.read_bytes()


def test_its_requirements_are_those_of_the_lock_and_none_is_missing() -> None:
    text = server_wheel.requirements()
    named = set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE))
    assert {server_wheel._plain(name) for name in server_wheel.imported_distributions()} <= named
    assert not {"pyside6-essentials", "pyside6-addons", "qasync", "pytest"} & named
    assert text.count("==") == len(named)
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=\S)", text.strip()))


def test_the_scripts_are_shell_and_the_unit_runs_what_is_installed() -> None:
    unit = server_check.UNIT.read_text("utf-8")
    assert f"ExecStart=/{server.HOME}/bin/python3 -I -m server_stub serve" in unit
    for name in SCRIPTS:
        done = subprocess.run(["sh", "-n", server.DATA / name], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_the_unit_may_do_little() -> None:
    assert server_check.exposure() <= server_check.WORST_EXPOSURE
