"""The .deb's text files and what it depends on, out of what objdump says."""

import configparser
import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from build_scripts.package import debian_files, elf, layout, older_qt, running
from build_scripts.progress import StepFailed
from desktop.platform.start_tasks import TASKS

OBJDUMP = """
libthing.so:     file format elf64-x86-64

Dynamic Section:
  NEEDED               libxcb-cursor.so.0
  NEEDED               libstdc++.so.6
  NEEDED               libc.so.6
  NEEDED               libQt6Core.so.6
  SONAME               libthing.so.1

Version definitions:
1 0x01 0x0ab0 libthing.so.1
2 0x00 0x0ab1 GLIBC_9.99

Version References:
  required from libstdc++.so.6:
    0x0bafd179 0x00 05 GLIBCXX_3.4.29
    0x08922974 0x00 04 GLIBCXX_3.4
  required from libc.so.6:
    0x069691b4 0x00 03 GLIBC_2.34
    0x09691a75 0x00 02 GLIBC_2.2.5
"""
THING, QT = Path("files/libthing.so"), Path("files/libQt6Core.so.6")


def test_needs_are_read_and_versions_compared_as_numbers() -> None:
    needs = elf.parsed(OBJDUMP)
    assert needs.sonames == {"libxcb-cursor.so.0", "libstdc++.so.6", "libc.so.6", "libQt6Core.so.6"}
    assert needs.versions == {"GLIBCXX": (3, 4, 29), "GLIBC": (2, 34)}
    assert needs.provides == "libthing.so.1"
    assert elf.newest([needs, elf.Needs(versions={"GLIBC": (2, 4)})], "GLIBC") == (2, 34)


def test_dependencies_come_from_the_files() -> None:
    printing = Path("files/Qt/plugins/printsupport/libcups.so")
    needs = {
        THING: elf.parsed(OBJDUMP),
        QT: elf.Needs(frozenset({"libglib-2.0.so.0", "libthing.so.1"})),
        printing: elf.Needs(frozenset({"libcups.so.2"})),
    }
    depends, recommends = debian_files.dependencies(needs)
    assert depends == [
        debian_files.HAN_FONTS,
        "libc6 (>= 2.34)",
        "libglib2.0-0 | libglib2.0-0t64",
        "libstdc++6 (>= 11)",
        "libxcb-cursor0",
    ]
    assert "libcups2 | libcups2t64" in recommends


def test_a_library_that_nobody_brings_stops_the_build() -> None:
    with pytest.raises(StepFailed, match=r"libnovel\.so\.9"):
        debian_files.dependencies({THING: elf.Needs(frozenset({"libnovel.so.9"}))})


def test_too_new_for_glibc_2_28() -> None:
    needs = {THING: elf.parsed(OBJDUMP), QT: elf.Needs(versions={"GLIBC": (2, 28)})}
    assert older_qt.too_new(needs) == {"libthing.so": (2, 34)}


def test_the_lock_for_the_older_qt_has_a_hash_for_each_line() -> None:
    text = older_qt.LOCK.read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if "==" in line]
    assert f"pyside6-essentials=={older_qt.QT_VERSION} \\" in pins
    assert text.count("--hash=sha256:") >= len(pins) > 40


def test_control_and_versions() -> None:
    text = debian_files.control(
        version="1.4.0rc1", architecture="amd64", size_kib=9, depends=["a"], recommends=["b | c"]
    )
    fields = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(" "))
    assert fields["Package"] == layout.APP_ID
    assert fields["Version"] == "1.4.0~rc1"
    assert fields["Depends"] == "a"
    assert debian_files.debian_version("1.4.0") == "1.4.0"


def test_desktop_entry_takes_links() -> None:
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(debian_files.desktop_entry())
    entry = parser["Desktop Entry"]
    assert entry["Exec"] == f"/opt/apps/{layout.APP_ID}/files/tongban %U"
    assert "x-scheme-handler/tongban;application/ofd;" in entry["MimeType"]
    actions = entry["Actions"].rstrip(";").split(";")
    assert actions == [task.key for task in TASKS]
    for task in TASKS:
        action = parser[f"Desktop Action {task.key}"]
        assert action["Exec"].endswith(f"/files/tongban {task.link}")
        assert action["Name"]
        assert action["Name[zh_CN]"] != action["Name"]
    assert entry["Name[zh_CN]"] == "通办"
    assert entry["Icon"] == layout.APP_NAME


def test_mime_types_and_store_info_can_be_read() -> None:
    types = [one.get("type") for one in ElementTree.fromstring(debian_files.mime_types())]
    assert types == ["application/ofd", "application/vnd.tongban.exchange+zip"]
    info = json.loads(debian_files.store_info(version="1.0.0", architecture="amd64"))
    assert (info["appid"], info["arch"]) == (layout.APP_ID, ["amd64"])


def test_the_removal_script_is_one(tmp_path: Path) -> None:
    script = tmp_path / "prerm"
    script.write_text(debian_files.before_removal(), encoding="utf-8")
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
    assert subprocess.run(["sh", script, "remove"], check=False).returncode == 0  # nobody runs: nothing to end


def test_a_self_test_is_judged() -> None:
    good = '{"ok": true, "python": "3.11", "checks": [{"name": "pdf", "ok": true, "found": "1"}]}'
    assert running.judged(running.read_self_test("Qt says\n" + good), 0) == "1 parts work, Python 3.11"
    bad = running.read_self_test(good.replace("true", "false"))
    with pytest.raises(StepFailed, match="pdf: 1"):
        running.judged(bad, 1)
    with pytest.raises(StepFailed, match="end"):
        running.read_self_test("", "Segmentation fault")
    with pytest.raises(StepFailed, match="no results"):
        running.read_self_test("{}")
