"""`package deb`: the client for Debian, Ubuntu, UOS and Kylin. Built by dpkg-deb from the bundle, laid out as UOS wants it.

Everything lies in /opt/apps/<id>: `files` (the bundle), `entries` (menu, icons, MIME types), `info`. Links in /usr put the
same entries where systems without such a store look. `--glibc-2.28` takes the older Qt for UOS 20 and Kylin V10 (older_qt.py).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from build_scripts.package import bundle, deb_check, debian_files, elf, layout, older_qt
from build_scripts.progress import Step, StepFailed, run_step

ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "loongarch64": "loong64"}
ICON_SIZES: Final = (16, 22, 24, 32, 48, 64, 128, 256, 512)
OLD_SUFFIX: Final = "_glibc-2.28"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What only this kind of package takes."""
    parser.add_argument(
        "--glibc-2.28", action="store_true", dest="older", help="with the older Qt, for UOS 20 and Kylin V10"
    )


def make(out: Path, *, version: str, older: bool = False) -> Path:
    """<out>/<id>_<version>_<architecture>.deb. See package.Kind."""
    if sys.platform != "linux" or shutil.which("dpkg-deb") is None:
        raise StepFailed("A .deb is built on a Debian or Ubuntu machine (dpkg-deb is missing here).")
    python = older_qt.environment(out) if older else None
    settings = older_qt.SETTINGS if older else None
    folder = bundle.bundle_folder(out, version=version, settings=settings, python=python)
    return build(folder, out, version=version, suffix=OLD_SUFFIX if older else "")


def build(folder: Path, out: Path, *, version: str, suffix: str = "", packed: bool = True) -> Path:
    """The .deb of an unpacked bundle; `packed` False: quickly, for a try."""
    architecture = ARCHITECTURES.get(platform.machine(), platform.machine())
    target = out / f"{layout.APP_ID}_{debian_files.debian_version(version)}_{architecture}{suffix}.deb"
    with tempfile.TemporaryDirectory(dir=out / bundle.WORK, prefix="deb-") as place:
        root = Path(place) / "root"
        with Step("lay out the package") as step:
            _lay_out(root, folder, version=version, architecture=architecture)
            needs = {path: elf.needs_of(path) for path in elf.elf_files(folder)}
            depends, recommends = debian_files.dependencies(needs)
            step.note(f"{len(needs)} programs and libraries need {len(depends)} packages")
        _control(root, version=version, architecture=architecture, depends=depends, recommends=recommends)
        packing = ("-Zxz", f"-z{bundle.XZ_LEVEL}") if packed else ("-Znone",)
        argv = ["dpkg-deb", "--root-owner-group", *packing, "--build", root, target]
        run_step(f"dpkg-deb {target.name}", argv, cwd=out)
    return target


def check(result: Path) -> None:
    """Installs on a bare Debian 12, self-test, window, upgrade, removal. See package.Kind."""
    if OLD_SUFFIX in result.name:
        older_qt.check_symbols(result)
    deb_check.check(result, older=OLD_SUFFIX in result.name)


def _lay_out(root: Path, folder: Path, *, version: str, architecture: str) -> None:
    home = root / debian_files.HOME.lstrip("/")
    home.mkdir(parents=True)
    shutil.copytree(folder, home / "files", symlinks=True, copy_function=os.link)
    entries = home / "entries"
    _write(entries / "applications" / debian_files.DESKTOP_FILE, debian_files.desktop_entry())
    _write(entries / "mime" / "packages" / f"{layout.APP_ID}.xml", debian_files.mime_types())
    _write(home / "info", debian_files.store_info(version=version, architecture=architecture))
    icons: dict[str, Path] = {
        **{f"{size}x{size}": layout.ICONS / f"{layout.APP_NAME}-{size}.png" for size in ICON_SIZES},
        "scalable": layout.ICONS / f"{layout.APP_NAME}.svg",
    }
    for size, source in icons.items():
        target = entries / "icons" / "hicolor" / size / "apps" / f"{layout.APP_NAME}{source.suffix}"
        target.parent.mkdir(parents=True)
        shutil.copyfile(source, target)
        _link(root, f"usr/share/icons/hicolor/{size}/apps/{target.name}", target)
    _link(
        root,
        f"usr/share/applications/{debian_files.DESKTOP_FILE}",
        entries / "applications" / debian_files.DESKTOP_FILE,
    )
    _link(root, f"usr/share/mime/packages/{layout.APP_ID}.xml", entries / "mime" / "packages" / f"{layout.APP_ID}.xml")
    _link(root, f"usr/bin/{layout.APP_NAME}", home / "files" / layout.APP_NAME)
    documents = root / "usr" / "share" / "doc" / layout.APP_ID
    _write(documents / "copyright", debian_files.copyright_text())
    with gzip.GzipFile(documents / "changelog.gz", "wb", mtime=0) as file:
        file.write((layout.ROOT / "CHANGELOG.md").read_bytes())
    for path in root.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


def _control(root: Path, *, version: str, architecture: str, depends: list[str], recommends: list[str]) -> None:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files) // 1024
    sums = "".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
        for path in files
    )
    control = debian_files.control(
        version=version, architecture=architecture, size_kib=size, depends=depends, recommends=recommends
    )
    _write(root / "DEBIAN" / "control", control)
    _write(root / "DEBIAN" / "md5sums", sums)
    _write(root / "DEBIAN" / "prerm", debian_files.before_removal(), mode=0o755)


def _write(path: Path, text: str, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    path.chmod(mode)


def _link(root: Path, place: str, target: Path) -> None:
    link = root / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(Path("/") / target.relative_to(root))


def contents(result: Path) -> list[str]:
    """Absolute paths of what a .deb installs, folders with a slash at the end."""
    done = subprocess.run(["dpkg-deb", "--fsys-tarfile", result], capture_output=True, check=True)
    listed = subprocess.run(["tar", "-t"], input=done.stdout, capture_output=True, check=True).stdout.decode()
    return [line.removeprefix(".") for line in listed.splitlines() if line not in ("./", ".")]
