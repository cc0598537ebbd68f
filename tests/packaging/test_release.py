"""The bill of materials, the release as a whole, and the workflow files that only call `dev.py package`."""

import hashlib
import json
import re
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from build_scripts import dev, package
from build_scripts.package import layout, release, sbom
from build_scripts.progress import StepFailed

WORKFLOWS = layout.ROOT / ".github" / "workflows"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A stand-in: files under the names that a bundle has, those of libraries under the names of their own packages."""
    folder = tmp_path / "tongban"
    places = [
        "tongban",
        "_internal/PySide6/Qt/lib/libQt6Core.so.6",
        "_internal/PySide6/Qt/lib/libavcodec.so.61",
        "_internal/libcrypto.so.3",
        "_internal/python3.11/lib-dynload/_ssl.so",
        "_internal/resources/i18n/app.json",
        "_internal/libz.so.1",
        "_internal/pillow.libs/libjpeg-1.so",
    ]
    places += [f"_internal/{file}" for file in metadata.files("msgspec") or [] if file.suffix in (".so", ".pyd")]
    for place in places:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(place.encode())
    return folder


def test_the_bill_lists_what_is_in_the_bundle_and_no_more(bundle: Path) -> None:
    modules = {"desktop.app.lifecycle", "httpx", "httpx._client", "json", "pyimod01_archive", "msgspec"}
    parts = sbom.sort_contents(bundle, modules)
    text = sbom.write_document(bundle, parts, "1.2.0")  # valid by CycloneDX's own schema, or it raises
    assert text == sbom.write_document(bundle, sbom.sort_contents(bundle, modules), "1.2.0"), "the same for the same"
    document = json.loads(text)
    found = {one["name"]: one for one in document["components"]}
    assert set(found) == {
        "CPython",
        "FFmpeg",
        "OpenSSL",
        "Qt",
        "httpx",
        "msgspec",
        "pillow",
        "pyinstaller",
        sbom.FOREIGN,
    }
    assert found["httpx"]["version"] == metadata.version("httpx")
    assert found["httpx"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert found["Qt"]["version"] == metadata.version("pyside6-essentials")
    root = document["metadata"]["component"]
    assert (root["name"], root["version"], root["type"]) == ("tongban", "1.2.0", "application")
    files = {
        file["name"]: file["hashes"] for one in (root, *document["components"]) for file in one.get("components", [])
    }
    everything = {path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*") if path.is_file()}
    assert set(files) == set(everything)
    for name, path in everything.items():
        assert files[name] == [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]
    depends = next(one for one in document["dependencies"] if one["ref"] == "tongban")
    assert set(depends["dependsOn"]) == set(found)


def test_what_nobody_brought_stops_it(bundle: Path) -> None:
    with pytest.raises(StepFailed, match="nowhere_at_all"):
        sbom.sort_contents(bundle, {"nowhere_at_all"})
    with pytest.raises(StepFailed, match="no unpacked bundle"):
        sbom.program_of(bundle / "_internal")
    with pytest.raises(StepFailed, match="not valid"):
        sbom.validate('{"bomFormat": "CycloneDX", "specVersion": "1.6", "invented": 1}')


def test_a_release_is_all_of_a_system_with_sums_and_a_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def kind(what: str) -> SimpleNamespace:
        def make(out: Path, *, version: str) -> Path:
            (out / f"{what}-{version}").write_text(what)
            return out / f"{what}-{version}"

        return SimpleNamespace(make=make, check=lambda path: checked.append(path.name))

    monkeypatch.setattr(package, "load_kind", kind)
    monkeypatch.setattr(release, "told_in_changelog", lambda _version: None)
    monkeypatch.delenv("GITHUB_REF_TYPE", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    script = tmp_path / "sign.py"
    script.write_text("import sys; open(sys.argv[2], 'w').write('signed ' + open(sys.argv[1]).read()[:64])")
    out = tmp_path / "dist"
    out.mkdir()
    monkeypatch.setenv(release.SIGN_VARIABLE, f'"{sys.executable}" "{script}" {{file}} {{signature}}')
    sums = release.make(out, version=package.project_version())
    version = package.project_version()
    names = [line.split("  ")[1] for line in sums.read_text().splitlines()]
    assert names == [f"{what}-{version}" for what in sorted(release.MADE_ON["linux"])]
    before = sums.read_text()
    assert (out / "SHA256SUMS.sig").read_text() == f"signed {before[:64]}"
    package.write_sums(out)  # as dev.py does behind every kind
    assert sums.read_text() == before
    release.check(sums)
    assert checked == [f"{what}-{version}" for what in release.MADE_ON["linux"]]
    monkeypatch.setenv(release.SIGN_VARIABLE, f'"{sys.executable}" -c "raise SystemExit(3)"')
    with pytest.raises(StepFailed, match="could not be signed"):
        release.sign(sums)
    assert not (out / "SHA256SUMS.sig").exists()
    assert release.sign(sums, {}) is None


def test_a_version_without_news_is_not_released(tmp_path: Path) -> None:
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text("# Changes\n\n## 1.4.0 (2026-11-22)\n- one\n", encoding="utf-8")
    release.told_in_changelog("1.4.0", changelog)
    release.told_in_changelog("1.4.0rc1", changelog)
    with pytest.raises(StepFailed, match=r"says nothing about 1\.4\.1"):
        release.told_in_changelog("1.4.1", changelog)
    with pytest.raises(StepFailed):
        release.told_in_changelog("1.5.0rc1", changelog)
    changelog.write_text("## [Unreleased]\n", encoding="utf-8")
    release.told_in_changelog("1.5.0rc1", changelog)
    with pytest.raises(StepFailed):
        release.told_in_changelog("1.5.0", changelog)


def test_a_tag_names_the_version_it_releases() -> None:
    release.is_tagged("1.4.0", {})
    release.is_tagged("1.4.0", {"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"})
    release.is_tagged("1.4.0", {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.4.0"})
    with pytest.raises(StepFailed, match=r"v1\.4\.1"):
        release.is_tagged("1.4.0", {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.4.1"})


# ------------------------------------------------------------ workflow files
def _steps(text: str) -> list[str]:
    """The commands of a workflow: `run:` on one line, which is all that ours use."""
    assert "\t" not in text
    assert not re.search(r"run: *[|>]", text), "one command a step: what it does stands in dev.py"
    return re.findall(r"^\s+(?:- )?run: (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_workflows_only_call_dev_py(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    steps = _steps(text)
    assert steps
    commands = {"check", "test", "package"}
    for step in steps:
        words = step.split()
        if words[:2] == ["sudo", "apt-get"]:
            continue
        assert words[:2] == ["python", "build_scripts/dev.py"], step
        options, _ = dev._parser().parse_known_args(words[2:])
        assert options.command in commands
        if options.command == "package":
            what = words[3]
            assert what in package.KINDS or what.startswith("${{ matrix."), step
    for values in re.findall(r"^\s+(?:- )?what: (.+)$", text, re.MULTILINE):
        assert values in package.KINDS
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        assert indent % 2 == 0, line
    assert not re.search(r"https?://", text), "no host is named"
    for use in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"actions/[\w-]+@v\d+", use), use


def test_every_system_has_its_release_job() -> None:
    text = (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
    for runner in ("ubuntu-22.04", "windows-2022", "macos-14"):
        assert f"os: {runner}" in text
