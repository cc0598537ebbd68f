"""What goes into a bundle and what does not; one version; sums."""

import importlib.util
import re
from pathlib import Path

import pytest

from build_scripts import package
from build_scripts.package import bundle, layout, licences
from build_scripts.progress import StepFailed


@pytest.mark.parametrize(
    "path",
    [
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/plugins/platforms/libqwayland.so",
        "PySide6/Qt/plugins/platforminputcontexts/libibusplatforminputcontextplugin.so",
        "PySide6/Qt/plugins/imageformats/libqsvg.so",
        "PySide6\\plugins\\platforms\\qwindows.dll",
        "PySide6\\plugins\\tls\\qschannelbackend.dll",
        "PySide6/Qt/plugins/platforms/libqcocoa.dylib",
        "PySide6/Qt/plugins/multimedia/libffmpegmediaplugin.so",
        "PySide6/Qt/translations/qtbase_zh_CN.qm",
        "PySide6/Qt/lib/libQt6Qml.so.6",  # the plug-in for media is linked against it
        "pillow.libs/libxcb-9065bb12.so.1.1.0",
        "libssl.so.3",
        "resources/i18n/app.json",
    ],
)
def test_what_is_used_is_kept(path: str) -> None:
    assert layout.is_kept(path)


@pytest.mark.parametrize(
    "path",
    [
        "PySide6/Qt/plugins/platforms/libqeglfs.so",
        "PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboardplugin.so",
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "PySide6/Qt/plugins/sqldrivers/libqsqlite.so",
        "PySide6\\plugins\\generic\\qtuiotouchplugin.dll",
        "PySide6/Qt/translations/qtbase_de.qm",
        "PySide6/Qt/qml/QtQuick/libqtquick2plugin.so",
        "PySide6/Qt/lib/libQt6QuickControls2.so.6",
        "PySide6/Qt/lib/libQt6VirtualKeyboard.so.6",
        "opengl32sw.dll",
        "libgtk-3.so.0",
        "libGL.so.1",
        "libstdc++.so.6",
        "libxcb.so.1",
        "libssl.so.1.1",
        "libc.so.6",
    ],
)
def test_what_is_not_is_dropped(path: str) -> None:
    assert not layout.is_kept(path)


def test_every_screen_is_found_though_it_is_imported_by_name() -> None:
    names = layout.own_modules()
    assert {"desktop.app.lifecycle", "desktop.ui.office.views.base", "desktop.app.self_test.core_checks"} <= set(names)
    assert not [name for name in names if name.startswith(("desktop.app.tour", "desktop.app.drive"))]
    for name in ("desktop", "desktop.app.self_test", names[-1]):
        assert importlib.util.find_spec(name) is not None


def test_nothing_that_is_imported_at_run_time_is_excluded() -> None:
    excluded = set(layout.EXCLUDES)
    wanted = set(layout.hidden_imports("linux"))
    assert not [name for name in wanted if any(name == one or name.startswith(f"{one}.") for one in excluded)]


def test_resources_of_the_client_go_along_and_no_other() -> None:
    folders = {data.folder for data in layout.data_files()}
    assert {"resources/i18n", "resources/sounds", "resources/icons"} <= folders
    assert "resources/demo" not in folders


def test_a_bundle_calls_itself_what_it_was_asked_to(tmp_path: Path) -> None:
    inside = tmp_path / "tongban" / layout.INTERNAL
    for name, text in layout.distribution_info("1.2.3").items():
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).write_text(text, encoding="utf-8")
    later = bundle.with_version(tmp_path / "tongban", tmp_path / "later", "1.2.4")
    names = [path.name for path in (later / layout.INTERNAL).iterdir()]
    assert names == ["tongban-1.2.4.dist-info"]
    assert "Version: 1.2.4\n" in (later / layout.INTERNAL / names[0] / "METADATA").read_text(encoding="utf-8")


def test_the_version_is_pyprojects_and_a_wrong_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert package.VERSION_PATTERN.match(package.project_version())
    assert package.main(["bundle", "--out", str(tmp_path), "--version", "v1"]) == 2
    assert "v1" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_sums_are_of_the_results_only(tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"abc")
    (tmp_path / ".work").mkdir()
    sums = package.write_sums(tmp_path).read_text(encoding="utf-8")
    assert sums == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.deb\n"
    assert package.write_sums(tmp_path).read_text(encoding="utf-8") == sums


def test_licences_name_every_package_and_bring_the_lgpl(tmp_path: Path) -> None:
    lines = licences.gather(tmp_path / "licences")
    told = (tmp_path / "licences" / licences.LIST_NAME).read_text(encoding="utf-8")
    assert {"pyside6-essentials", "cryptography", "lxml"} <= {line.split()[0] for line in lines}
    assert "LGPL-3.0.txt" in told
    assert "sqlalchemy" not in told
    for name in ("LGPL-3.0.txt", "GPL-3.0.txt", "Qt-and-PySide6.txt", "Python-LICENSE.txt", "Tongban-LICENSE.txt"):
        assert (tmp_path / "licences" / name).stat().st_size > 400


def test_a_kind_that_is_not_here_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(package.KINDS, "bundle", "build_scripts.package.nowhere")
    with pytest.raises(StepFailed, match="nowhere"):
        package.load_kind("bundle")


def test_every_resource_the_client_reads_is_taken_along() -> None:
    """Screens find their data beside the texts: `i18n.folder().parent / "stickers"`."""
    code = "".join(path.read_text("utf-8") for path in (layout.ROOT / "desktop").rglob("*.py"))
    named = set(re.findall(r'folder\(\)\.parent / "(\w+)"', code))
    assert named
    assert named <= set(layout.RESOURCES)
