"""`package server`: the backend's wheel, its requirements by hash, and a .deb that needs nothing from the network but Debian's Python 3.11.

The .deb holds a virtual environment in /opt/tongban-server (made by hand, so that it is not bound to this machine), a hardened
systemd unit, the command tongban-server, and examples of a proxy and a container. Its scripts are in server_data/.
"""

from __future__ import annotations

import gzip
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from build_scripts.package import bundle, debian_files, layout, server_check, server_wheel
from build_scripts.package.deb import ARCHITECTURES
from build_scripts.progress import Step, StepFailed, run_step

NAME: Final = server_wheel.NAME
HOME: Final = "opt/tongban-server"
DATA: Final = Path(__file__).with_name("server_data")
PYTHON: Final = (3, 11)  # Debian 12's; the wheels of the lock are chosen for it
DEPENDS: Final = ("python3 (>= 3.11)", "python3.11", "adduser", "libc6 (>= 2.34)", "libgcc-s1", "util-linux")
RECOMMENDS: Final = ("fonts-noto-cjk",)
SUGGESTS: Final = ("nginx", "libreoffice-writer-nogui", "libreoffice-calc-nogui", "libreoffice-impress-nogui")
REQUIREMENTS: Final = "tongban-server-requirements.txt"


def make(out: Path, *, version: str) -> Path:
    """<out>/tongban-server_<version>_<architecture>.deb; beside it the wheel, the requirements, nginx.conf and Containerfile. See package.Kind."""
    if sys.platform != "linux" or shutil.which("dpkg-deb") is None:
        raise StepFailed("A .deb is built on a Debian or Ubuntu machine (dpkg-deb is missing here).")
    if sys.version_info[:2] != PYTHON:
        raise StepFailed("The server's package is built with Python 3.11, Debian 12's: its wheels are for no other.")
    with Step("wheel of the server") as step:
        wheel = server_wheel.make_wheel(out, version)
        (out / REQUIREMENTS).write_text(server_wheel.requirements(), encoding="utf-8")
        step.note(f"{wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB")
    site = _site(out)
    for name in ("nginx.conf", "Containerfile"):
        shutil.copyfile(DATA / name, out / name)
    return build(site, wheel, out, version=version)


def build(site: Path, wheel: Path, out: Path, *, version: str, packed: bool = True) -> Path:
    """The .deb of installed libraries (`site`) and the server's wheel; `packed` False: quickly, for a try."""
    architecture = ARCHITECTURES.get(platform.machine(), platform.machine())
    target = out / f"{NAME}_{debian_files.debian_version(version)}_{architecture}.deb"
    work = out / bundle.WORK
    work.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work, prefix="server-") as place:
        root = Path(place) / "root"
        with Step("lay out the package"):
            _lay_out(root, site, wheel)
        _control(root, version=version, architecture=architecture)
        packing = ("-Zxz", f"-z{bundle.XZ_LEVEL}") if packed else ("-Znone",)
        run_step(
            f"dpkg-deb {target.name}", ["dpkg-deb", "--root-owner-group", *packing, "--build", root, target], cwd=out
        )
    return target


def check(result: Path) -> None:
    """Installs on a bare Debian 12, sets up, serves, signs in, upgrades with data, removes, purges. See package.Kind."""
    server_check.check(result)


def _site(out: Path) -> Path:
    """The libraries, installed by pip from the lock; kept until the lock or the list changes."""
    work = out / bundle.WORK / "server"
    wanted = (out / REQUIREMENTS).read_bytes()
    stamp, site = work / "requirements.txt", work / "site"
    if stamp.exists() and stamp.read_bytes() == wanted:
        return site
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    argv += ["--no-deps", "--no-compile", "--no-warn-script-location", "--target", site, "-r", out / REQUIREMENTS]
    run_step("libraries of the server, by hash", argv, cwd=layout.ROOT)
    shutil.rmtree(site / "bin", ignore_errors=True)
    stamp.write_bytes(wanted)
    return site


def _lay_out(root: Path, site: Path, wheel: Path) -> None:
    home = root / HOME
    packages = home / "lib" / f"python{PYTHON[0]}.{PYTHON[1]}" / "site-packages"
    packages.parent.mkdir(parents=True)
    shutil.copytree(site, packages, copy_function=os.link, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.unpack_archive(wheel, packages, "zip")
    _compile(packages, packages.relative_to(root))
    (home / "bin").mkdir()
    (home / "bin" / "python3").symlink_to(f"/usr/bin/python{PYTHON[0]}.{PYTHON[1]}")
    _write(
        home / "pyvenv.cfg",
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {PYTHON[0]}.{PYTHON[1]}\n",
    )
    _write(root / "lib" / "systemd" / "system" / f"{NAME}.service", _data(f"{NAME}.service"))
    _write(root / "etc" / "default" / NAME, _data(f"{NAME}.default"))
    _write(root / "usr" / "bin" / NAME, _data(NAME), mode=0o755)
    documents = root / "usr" / "share" / "doc" / NAME
    for name in ("nginx.conf", "Containerfile"):
        _write(documents / "examples" / name, _data(name))
    _write(documents / "server.md", (layout.ROOT / "docs" / "server.md").read_text(encoding="utf-8"))
    _write(documents / "copyright", _copyright())
    with gzip.GzipFile(documents / "changelog.gz", "wb", mtime=0) as file:
        file.write((layout.ROOT / "CHANGELOG.md").read_bytes())
    for path in root.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


def _compile(packages: Path, inside: Path) -> None:
    """Byte code in the package: nobody may write it there later. Checked by nothing at run time, so it does not depend on dates."""
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "compileall",
        "-q",
        "-j",
        "2",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    run_step("byte code", [*argv, "-s", packages, "-p", f"/{inside}", packages], cwd=packages)


def _control(root: Path, *, version: str, architecture: str) -> None:
    size = sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())
    lines = [
        f"Package: {NAME}",
        f"Version: {debian_files.debian_version(version)}",
        f"Architecture: {architecture}",
        f"Maintainer: {layout.PUBLISHER} <tongban@localhost>",
        f"Installed-Size: {size // 1024}",
        "Section: net",
        "Priority: optional",
        f"Depends: {', '.join(DEPENDS)}",
        f"Recommends: {', '.join(RECOMMENDS)}",
        f"Suggests: {', '.join(SUGGESTS)}",
        f"Description: {layout.DISPLAY_NAME} {layout.DISPLAY_NAME_ZH}, the office's server",
        " Messages, notices, documents and processes of one office, in one process with its own database.",
        " 一个单位的消息、公告、公文、流程的服务器，一个进程，自带数据库。",
    ]
    control = root / "DEBIAN"
    _write(control / "control", "\n".join(lines) + "\n")
    _write(control / "conffiles", f"/etc/default/{NAME}\n")
    for name in ("postinst", "prerm", "postrm"):
        _write(control / name, _data(name), mode=0o755)
    sums = subprocess.run(
        "find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\\0' | sort -z | xargs -0 md5sum",
        shell=True, cwd=root, capture_output=True, check=True,
    ).stdout  # fmt: skip
    (control / "md5sums").write_bytes(sums)


def _copyright() -> str:
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: {layout.DISPLAY_NAME}\n\n"
        f"Files: *\nCopyright: {layout.PUBLISHER}\nLicense: Apache-2.0\n"
        " On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.\n"
        f" The libraries in /{HOME} carry their licences in their *.dist-info folders.\n"
    )


def _data(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    path.chmod(mode)
