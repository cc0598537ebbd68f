"""package macos, as far as no Mac is needed: plists, texts, icons, the spec file run as on a Mac, structure of an .app, every tool's command line."""

import json
import plistlib
import runpy
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication

from build_scripts.package import layout, load_kind, macos
from build_scripts.package.macos import app_files, disk_image, signing
from build_scripts.progress import StepFailed

MACH_O = bytes.fromhex("cffaedfe") + bytes(28)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A stand-in with the structure that PyInstaller makes: folders, links, code, an Info.plist of its own."""
    app = tmp_path / "Tongban.app"
    inside = app / "Contents"
    (inside / "MacOS").mkdir(parents=True)
    (inside / "MacOS" / layout.APP_NAME).write_bytes(MACH_O)
    framework = inside / "Frameworks" / "PySide6" / "Qt" / "lib" / "QtCore.framework" / "Versions" / "A"
    framework.mkdir(parents=True)
    (framework / "QtCore").write_bytes(bytes.fromhex("cafebabe") + bytes(28))
    (framework.parent / "Current").symlink_to("A")
    (inside / "Frameworks" / "_ssl.so").write_bytes(MACH_O)
    (inside / "Resources").mkdir()
    (inside / "Resources" / "tongban.icns").write_bytes((layout.ICONS / "tongban.icns").read_bytes())
    (inside / "Resources" / "_ssl.so").symlink_to("../Frameworks/_ssl.so")
    (inside / "Resources" / "notes.txt").write_text("no code")
    own = {"CFBundleExecutable": layout.APP_NAME, "CFBundleIconFile": "tongban.icns", "CFBundlePackageType": "APPL"}
    (inside / "Info.plist").write_bytes(plistlib.dumps(own))
    return app


def test_elsewhere_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    kind = load_kind("macos")
    for verb in (lambda: kind.make(tmp_path, version="1.0.0"), lambda: kind.check(tmp_path / "x.dmg")):
        with pytest.raises(StepFailed, match="on a Mac") as told:
            verb()
        assert str(told.value).count(". ") == 0, "one sentence"


def test_the_plist_says_what_macos_must_know() -> None:
    info = plistlib.loads(plistlib.dumps(app_files.info_plist()))
    assert info == app_files.info_plist()
    assert info["CFBundleURLTypes"][0]["CFBundleURLSchemes"] == ["tongban"]
    assert "LSUIElement" not in info
    documents = {kind["LSItemContentTypes"][0]: kind["LSHandlerRank"] for kind in info["CFBundleDocumentTypes"]}
    assert documents == {app_files.OFD_TYPE: "Default", "com.adobe.pdf": "Alternate"}
    assert info["UTImportedTypeDeclarations"][0]["UTTypeIdentifier"] == app_files.OFD_TYPE
    for key in ("NSCameraUsageDescription", "NSMicrophoneUsageDescription", "NSScreenCaptureUsageDescription"):
        assert info[key] == app_files.USAGE[key]["en"]
        for language in app_files.LANGUAGES:
            assert f'"{key}" = "{app_files.USAGE[key][language]}";\n' in app_files.info_strings(language)
    assert '"CFBundleDisplayName" = "通办";' in app_files.info_strings("zh")


@pytest.mark.parametrize(
    ("version", "told"),
    [("1.4.0", ("1.4.0", "1.4.0")), ("1.4.0rc2", ("1.4.0", "1.4.0fc2")), ("1.4.0a1", ("1.4.0", "1.4.0a1"))],
)
def test_versions_are_apples(version: str, told: tuple[str, str]) -> None:
    assert app_files.bundle_version(version) == told
    with pytest.raises(StepFailed):
        app_files.bundle_version("1.4")


def test_rights_are_those_that_are_used() -> None:
    signed, ad_hoc = (plistlib.loads(app_files.entitlements(ad_hoc=one)) for one in (False, True))
    prefix = "com.apple.security."
    assert {f"{prefix}device.camera", f"{prefix}device.audio-input", f"{prefix}network.client"} < set(signed)
    assert set(ad_hoc) - set(signed) == {f"{prefix}cs.disable-library-validation"}
    assert f"{prefix}app-sandbox" not in ad_hoc


def test_icons_are_whole() -> None:
    with Image.open(layout.ICONS / "tongban.icns") as icon:
        assert {(16, 16, 1), (128, 128, 2), (512, 512, 2)} <= set(icon.info["sizes"])
        assert icon.size == (1024, 1024)
    data = (layout.ICONS / "tongban.icns").read_bytes()
    assert (data[:4], struct.unpack(">I", data[4:8])[0]) == (b"icns", len(data))
    for name, side in (("tongbanTemplate.png", 18), ("tongbanTemplate@2x.png", 36)):
        with Image.open(layout.ICONS / name) as picture:
            assert (picture.size, picture.mode) == ((side, side), "RGBA")
            colors = picture.getcolors() or []
            assert {color[:3] for _, color in colors if isinstance(color, tuple) and color[3]} == {(0, 0, 0)}, (
                "black and alpha alone"
            )
            assert picture.getchannel("A").getextrema() == (0, 255)


def test_the_spec_makes_an_app_on_a_mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs tongban.spec with PyInstaller's names played by notes, on a system that calls itself darwin."""
    made: dict[str, Any] = {}

    def noted(name: str) -> Any:
        return lambda *args, **kwargs: made.setdefault(name, SimpleNamespace(
            args=args, binaries=[], datas=[("a", "b", "DATA")], pure=[], scripts=[], **kwargs))  # fmt: skip

    hooks = SimpleNamespace(copy_metadata=lambda _name: [])  # the real ones ask the Mac for its version
    for name in ("PyInstaller", "PyInstaller.utils", "PyInstaller.utils.hooks"):
        monkeypatch.setitem(sys.modules, name, hooks)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.chdir(layout.ROOT)
    told = {"version": "1.2.0", **{key: str(value) if isinstance(value, Path) else value
                                   for key, value in macos.bundle_settings(tmp_path).items()}}  # fmt: skip
    monkeypatch.setenv("TONGBAN_BUNDLE", json.dumps(told))
    names = {name: noted(name) for name in ("EXE", "PYZ", "COLLECT", "BUNDLE")}
    analysis = SimpleNamespace(binaries=[], datas=[], pure=[], scripts=[])
    runpy.run_path(str(layout.SPEC), {**names, "Analysis": lambda *_, **wanted: made.update(wanted) or analysis,
                                      "workpath": str(tmp_path)})  # fmt: skip
    bundle = made["BUNDLE"]
    assert (bundle.name, bundle.bundle_identifier) == ("Tongban.app", layout.APP_ID)
    assert bundle.info_plist["NSCameraUsageDescription"]
    assert Path(bundle.icon).name == "tongban.icns"
    assert plistlib.loads(Path(made["EXE"].entitlements_file).read_bytes())["com.apple.security.device.camera"]
    assert made["EXE"].console is False
    assert "keyring.backends.macOS" in made["hiddenimports"]


def test_an_app_is_dressed_and_looked_at(app: Path) -> None:
    with pytest.raises(StepFailed, match=r"NSCameraUsageDescription"):
        app_files.check_app(app, "1.2.0rc1")
    app_files.dress(app, "1.2.0rc1")
    app_files.check_app(app, "1.2.0rc1")
    assert app_files.version_of(app) == "1.2.0rc1"
    with pytest.raises(StepFailed, match="CFBundleVersion"):
        app_files.check_app(app, "1.2.0")
    (app / "Contents" / "Resources" / "out").symlink_to("/etc")
    (app / "Contents" / "Resources" / "tongban.icns").unlink()
    with pytest.raises(StepFailed, match=r"icon is missing.*leads out"):
        app_files.check_app(app, "1.2.0rc1")


def test_code_is_signed_from_the_inside_out(app: Path, tmp_path: Path) -> None:
    calls: list[list[str]] = []
    inner = [str(path.relative_to(app)) for path in signing.inner_code(app)]
    library = "Contents/Frameworks/PySide6/Qt/lib/QtCore.framework"
    assert inner == [f"{library}/Versions/A/QtCore", library, "Contents/Frameworks/_ssl.so"]
    signing.Signer(run=calls.append).sign_app(app, tmp_path / "rights.plist")
    start = ["codesign", "--force", "--options", "runtime", "--timestamp=none", "--sign", "-"]
    rights = ["--entitlements", str(tmp_path / "rights.plist"), str(app)]
    assert calls == [[*start, *(str(app / part) for part in inner)], [*start, *rights]]
    assert plistlib.loads((tmp_path / "rights.plist").read_bytes())["com.apple.security.cs.disable-library-validation"]


def test_an_identity_signs_with_time_and_a_profile_notarises() -> None:
    calls: list[list[str]] = []
    image = Path("x.dmg")
    environ = {"TONGBAN_MAC_IDENTITY": "Developer ID Application: X", "TONGBAN_NOTARY_PROFILE": "p"}
    signer = signing.Signer.of_environment(environ)
    assert signer == signing.Signer("Developer ID Application: X", "p")
    signing.Signer(signer.identity, "p", calls.append).finish_image(image)
    assert calls == [
        ["codesign", "--force", "--timestamp", "--sign", "Developer ID Application: X", "x.dmg"],
        ["xcrun", "notarytool", "submit", "x.dmg", "--keychain-profile", "p", "--wait"],
        ["xcrun", "stapler", "staple", "x.dmg"],
    ]
    calls.clear()
    signing.Signer(run=calls.append).finish_image(image)
    assert calls == []
    with pytest.raises(StepFailed, match="TONGBAN_MAC_IDENTITY"):
        signing.Signer(notary_profile="p").finish_image(image)


def test_the_image_holds_the_program_and_the_way_to_applications(app: Path, tmp_path: Path, qapp: QApplication) -> None:
    calls: list[list[str]] = []
    scripts: list[str] = []
    work, target = tmp_path / "work", tmp_path / "t.dmg"

    def refuse(script: str) -> bool:
        scripts.append(script)
        return False

    disk_image.pack(app, target, work=work, run=calls.append, arrange=refuse)
    assert [argv[:2] for argv in calls] == [["hdiutil", verb] for verb in ("create", "attach", "detach", "convert")]
    assert calls[0][calls[0].index("-srcfolder") + 1] == str(work / "stage")
    assert calls[-1][-1] == str(target)
    assert 'item "Tongban.app"' in scripts[0]
    assert str(work / "volume") in scripts[0]
    with Image.open(work / "stage" / ".background" / "background.png") as picture:
        assert picture.size == (disk_image.WIDTH * 2, disk_image.HEIGHT * 2)
        assert round(picture.info["dpi"][0]) == 144
    (tmp_path / "out").mkdir()
    copied = disk_image.copied_app(work / "stage", tmp_path / "out")
    assert (copied / "Contents" / "Resources" / "_ssl.so").is_symlink()
    (work / "stage" / "Applications").unlink()
    with pytest.raises(StepFailed, match="Applications"):
        disk_image.copied_app(work / "stage", tmp_path / "again")


def test_a_volume_is_let_go_when_something_fails(tmp_path: Path) -> None:
    calls: list[list[str]] = []

    @contextmanager
    def tried() -> Iterator[None]:
        with disk_image.mounted(tmp_path / "x.dmg", tmp_path / "volume", run=calls.append):
            yield

    with pytest.raises(KeyError), tried():
        raise KeyError
    assert [argv[1] for argv in calls] == ["attach", "detach"]
    assert "-readonly" in calls[0]
