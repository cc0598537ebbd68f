"""The bundle for Windows: PyInstaller with the shared spec, on Windows itself or under Wine with the kit's Python.

The sources are copied first: Wine looks files up slowly in a large tree, and what others edit meanwhile does not get in.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from build_scripts import environment
from build_scripts.package import layout
from build_scripts.package.windows import kit, resources
from build_scripts.package.windows.wine import Wine, windows_path
from build_scripts.progress import StepFailed, run_step

TAKEN = ("desktop", "resources")
TAKEN_FILES = ("pyproject.toml", "LICENSE")
GATHER = "import pathlib, sys; from build_scripts.package import licences; licences.gather(pathlib.Path(sys.argv[1]))"
SETTINGS_VARIABLE = "TONGBAN_BUNDLE"


def freeze(work: Path, *, version: str) -> Path:
    """Builds the bundle below `work` and returns its folder, with tongban.exe in it.

    Raises:
        StepFailed: PyInstaller failed, or the kit could not be made.
    """
    shutil.rmtree(work, ignore_errors=True)
    source = work / "source"
    _copy_sources(source)
    run = _native if sys.platform == "win32" else _under_wine
    place = str if sys.platform == "win32" else windows_path
    gather = ["-c", GATHER, place(work / "licences")]
    run("Windows: licences of what is in it", gather, source, {})
    files = {"icon": layout.ICONS / "tongban.ico", "licences": work / "licences", **_write_resources(work, version)}
    settings = {"version": version, **{name: place(path) for name, path in files.items()}}
    words = ["-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "--distpath", place(work / "dist")]
    words += ["--workpath", place(work / "build"), place(source / layout.SPEC.relative_to(layout.ROOT))]
    run("Windows: PyInstaller (under Wine some minutes)", words, source, {SETTINGS_VARIABLE: json.dumps(settings)})
    bundle = work / "dist" / layout.APP_NAME
    if not (bundle / f"{layout.APP_NAME}.exe").exists():
        raise StepFailed(f"PyInstaller ended well, but there is no {layout.APP_NAME}.exe in {bundle}.")
    return bundle


def _copy_sources(source: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "demo")
    for name in TAKEN:
        shutil.copytree(layout.ROOT / name, source / name, ignore=ignored)
    for name in TAKEN_FILES:
        shutil.copy(layout.ROOT / name, source / name)
    package = Path("build_scripts", "package")
    (source / package).mkdir(parents=True)
    for name in ("__init__.py", "progress.py"):
        shutil.copy(layout.ROOT / "build_scripts" / name, source / "build_scripts" / name)
    for found in (layout.ROOT / package).glob("*"):
        if found.suffix in {".py", ".spec"}:
            shutil.copy(found, source / package / found.name)
    shutil.copytree(layout.ROOT / package / "licences", source / package / "licences")


def _write_resources(work: Path, version: str) -> dict[str, Path]:
    version_file, manifest = work / "version.txt", work / "tongban.manifest"
    version_file.write_text(resources.version_resource(version), encoding="utf-8")
    manifest.write_text(resources.MANIFEST, encoding="utf-8")
    return {"version_file": version_file, "manifest": manifest}


def _native(title: str, words: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
    run_step(title, [environment.ensure_environment(), *words], cwd=cwd, env={**os.environ, **env})


def _under_wine(title: str, words: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
    tools = kit.ensure_kit()
    wine = Wine(tools.prefix)
    argv = wine.argv([tools.program, *words])
    run_step(title, argv, cwd=cwd, env=wine.environment({"PYTHONDONTWRITEBYTECODE": "1", **env}))
