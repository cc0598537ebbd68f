"""`package windows`, the parts that need neither Wine nor Windows: resources, sign commands, what is read from tools, the installer's script."""

import re
import shutil
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from build_scripts.package import layout
from build_scripts.package.windows import checking, resources, screen, setup_file, signing, wine, wine_python
from build_scripts.progress import StepFailed
from desktop.app import lifecycle
from desktop.platform import autostart, folders, policy

SCRIPT = setup_file.SCRIPT.read_text(encoding="utf-8")
TEXTS = setup_file.SCRIPT.with_name("texts.nsh").read_text(encoding="utf-8")


def test_a_release_counts_behind_its_candidates() -> None:
    versions = ["1.4.0a1", "1.4.0b1", "1.4.0rc1", "1.4.0rc2", "1.4.0", "1.4.1a1", "1.10.0"]
    numbers = [resources.four_numbers(version) for version in versions]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(numbers)
    with pytest.raises(ValueError, match="not a version"):
        resources.four_numbers("1.4")


def test_the_manifest_says_what_windows_must_know() -> None:
    told = {
        element.tag.rsplit("}")[-1]: (element.text or "").strip()
        for element in ET.fromstring(resources.MANIFEST).iter()
    }
    assert told["dpiAwareness"] == "PerMonitorV2"
    assert told["activeCodePage"] == "UTF-8"
    assert told["longPathAware"] == "true"


def test_the_version_resource_speaks_both_languages() -> None:
    """PyInstaller evaluates it with names of its own; they are played here."""

    class Part(tuple[object, ...]):
        def __new__(cls, *args: object, **named: object) -> "Part":
            return super().__new__(cls, (*args, *named.values()))

    names = (
        "VSVersionInfo",
        "FixedFileInfo",
        "StringFileInfo",
        "StringTable",
        "StringStruct",
        "VarFileInfo",
        "VarStruct",
    )
    text = resources.version_resource("1.4.0")
    made = repr(eval(text, {name: Part for name in names}))  # noqa: S307 - our own text, as PyInstaller reads it
    for word in ("080404b0", "040904b0", layout.DISPLAY_NAME_ZH, layout.DISPLAY_NAME, layout.PUBLISHER, "1.4.0"):
        assert word in made
    assert "(1, 4, 0, 65535)" in text


def test_names_are_those_of_the_program() -> None:
    """The installer, the check and the client speak of the same keys, values, codes and words of the command line."""
    defined = dict(re.findall(r'^!define (\w+) "?([^"\n;]+?)"?(?:\s*;.*)?$', SCRIPT, re.MULTILINE))
    assert defined["APP"] == folders.APP_NAME == layout.APP_NAME
    assert defined["POLICY"] == policy.REGISTRY_KEY == checking.POLICY_KEY
    assert defined["RUN"] == autostart.RUN_KEY == checking.RUN_KEY
    assert int(defined["QUIT_NOBODY"]) == lifecycle.NOBODY == checking.NOBODY
    assert '"Autostart"' in SCRIPT
    assert "Autostart" in policy.NAMES
    assert autostart.APPROVED_KEY in SCRIPT
    assert f"{autostart.HIDDEN}'" in SCRIPT


def test_policies_are_never_written() -> None:
    lines = [line.split(";")[0] for line in SCRIPT.splitlines()]
    touching = [line.split()[0] for line in lines if "POLICY}" in line]
    assert set(touching) == {"ReadRegDWORD"}


def test_every_text_is_said_in_both_languages_and_used() -> None:
    said = re.findall(r'^!insertmacro Say (\w+) "([^"]*)" "([^"]*)"$', TEXTS, re.MULTILINE)
    assert len(said) > 15
    for name, zh, en in said:
        assert re.search(r"[\u4e00-\u9fff]", zh) or name == "OtherName", name
        assert not re.search(r"[\u4e00-\u9fff]", en) or name == "OtherName", name
        assert f"$({name})" in SCRIPT, name
    assert set(re.findall(r"\$\((\w+)\)", SCRIPT)) == {name for name, _zh, _en in said}


@pytest.mark.skipif(shutil.which("makensis") is None, reason="NSIS is not on this machine")
def test_the_installer_compiles_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / layout.APP_NAME
    (bundle / "_internal").mkdir(parents=True)
    for name in (f"{layout.APP_NAME}.exe", "_internal/文件.txt"):
        (bundle / name).write_bytes(b"MZ")
    for name in (signing.COMMAND, signing.PKCS12, signing.CERT):
        monkeypatch.delenv(name, raising=False)
    made = setup_file.make_setup(bundle, tmp_path, version="1.4.0", fast=True)
    assert made.name == "tongban-1.4.0-windows-x64-setup.exe"
    data = made.read_bytes()
    header = struct.unpack_from("<I", data, 0x3C)[0]
    assert struct.unpack_from("<H", data, header + 4)[0] == 0x8664, "a 64-bit program"


def test_which_certificate_signs(tmp_path: Path) -> None:
    file, result = tmp_path / "a b.exe", tmp_path / "signed"
    with pytest.raises(StepFailed, match=signing.CERT):
        signing.sign_command(file, result, {signing.CERT: "only.crt"})
    own = signing.sign_command(file, result, {signing.COMMAND: "token-sign --in {file} -v", signing.PKCS12: "x"})
    assert own == ["token-sign", "--in", str(file), "-v"]
    words = signing.sign_command(
        file,
        result,
        {signing.CERT: "c.crt", signing.KEY: "c.key", signing.PASSWORD_FILE: "p", signing.TIMESTAMP: "http://t"},
    )
    assert words[-4:] == ["-in", str(file), "-out", str(result)]
    assert words[words.index("-readpass") + 1] == "p"
    assert not any("PASSWORD" in word for word in words), "a password never stands on a command line"
    assert not signing.is_configured({})


def test_a_failed_signature_leaves_the_file_whole(tmp_path: Path) -> None:
    file = tmp_path / "x.exe"
    file.write_bytes(b"MZ")
    with pytest.raises(StepFailed, match=r"x\.exe"):
        signing.sign(file, {signing.COMMAND: "false {file}"})
    with pytest.raises(StepFailed, match="no-such-program"):
        signing.sign(file, {signing.COMMAND: "no-such-program {file}"})
    assert file.read_bytes() == b"MZ"
    assert [path.name for path in tmp_path.iterdir()] == ["x.exe"]


IMPORTS = """
\tDLL Name: KERNEL32.dll
\tvma:  Hint/Ord Member-Name Bound-To
\t9980e8	  12  CreateFileW

\tDLL Name: icuuc.dll
\tvma:  Hint/Ord Member-Name Bound-To
\t9989e8	  263  ucnv_open
\t9989f4	  225  ucnv_close

[Ordinal/Name Pointer] Table
	[   0] PyAIter_Check
	[   1] PyArg_Parse
"""


def test_tables_of_a_library_are_read() -> None:
    assert wine_python.parse_imports(IMPORTS, "icuuc.dll") == ["ucnv_close", "ucnv_open"]
    assert wine_python.parse_exports(IMPORTS) == ["PyAIter_Check", "PyArg_Parse"]


def test_an_exported_registry_file_is_read() -> None:
    text = (
        'Windows Registry Editor Version 5.00\n\n[HKEY_CURRENT_USER\\A]\n@="通办"\n'
        '"Run"="\\"C:\\\\a b\\\\tongban.exe\\" -- \\"%1\\""\n"Size"=dword:0000ffff\n"Bytes"=hex:03,00\n\n'
        '[HKEY_CURRENT_USER\\A\\B]\n@="another key"\n'
    )
    found = wine.parse_exported(text)
    assert found == {"": "通办", "Run": '"C:\\a b\\tongban.exe" -- "%1"', "Size": 0xFFFF}


def test_traces_in_the_registry_are_found() -> None:
    text = (
        '[Software\\\\Tongban] 1\n"Version"="1"\n[Software\\\\Policies\\\\Tongban] 1\n[Software\\\\Run] 1\n'
        '"x"="C:\\\\\\x901a\\x529e"\n[Software\\\\Other] 1\n"y"="z"\n'
    )
    assert checking.registry_traces(text) == {"Software\\\\Tongban", 'Software\\\\Run: "x"="C:\\\\通办"'}


def test_a_screen_that_does_not_show_is_said() -> None:
    with pytest.raises(StepFailed, match="in vain: nothing"):
        screen.wait_until("nothing", lambda: False, limit_s=0.0)


def test_group_policy_offers_what_the_client_reads() -> None:
    """The template of administrators: the same key and names, every text and field in both languages."""
    folder = setup_file.SCRIPT.parents[1] / "group_policy"
    text = (folder / "tongban.admx").read_text(encoding="utf-8")
    tree = ET.fromstring(text)
    named = {element.get("valueName") for element in tree.iter()} - {None}
    assert named == set(policy.NAMES)
    assert {element.get("key") for element in tree.iter()} - {None} == {policy.REGISTRY_KEY}
    for language in ("zh-CN", "en-US"):
        words = ET.parse(folder / language / "tongban.adml")
        known = {
            f"$({element.tag.rsplit('}')[-1]}.{element.get('id')})" for element in words.iter() if element.get("id")
        }
        assert known == set(re.findall(r"\$\([\w.]+\)", text)), language
        fields = {element.get("refId") for element in words.iter()} - {None}
        assert fields == {element.get("id") for element in tree.iter() if element.get("id")}
