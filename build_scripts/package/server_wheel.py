"""The backend as a wheel of its own: server_stub and the resources it reads, without the client and without Qt.

The project's wheel holds both programs; a server machine needs only this one and the packages of `requirements()`, which
are those of the lock, by hash. Written by hand: a wheel is a zip with three files of metadata (PyPA, binary distribution format).
"""

from __future__ import annotations

import ast
import base64
import hashlib
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions
from importlib.metadata import distribution as installed
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from build_scripts.package import layout
from build_scripts.progress import StepFailed

NAME: Final = "tongban-server"
RESOURCES: Final = ("calendar", "demo", "server", "stickers", "templates")
LOADED_BY_NAME: Final = ("websockets",)  # behind uvicorn's socket, which we build on
PROJECT: Final = layout.ROOT / "pyproject.toml"
LOCK: Final = layout.ROOT / "build_scripts" / "requirements.lock"
_WHEN: Final = (2020, 1, 1, 0, 0, 0)  # the same bytes for the same sources


def make_wheel(out: Path, version: str) -> Path:
    """<out>/tongban_server-<version>-py3-none-any.whl."""
    target = out / f"tongban_server-{version}-py3-none-any.whl"
    info = f"tongban_server-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in direct_requirements())
    written = {
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {NAME}\nVersion: {version}\nSummary: The backend of Tongban\n"
        f"License-Expression: Apache-2.0\nRequires-Python: >=3.11\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tongban\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{NAME} = server_stub.__main__:main\n",
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        records = []
        for name, data in [*_contents(), *((name, text.encode()) for name, text in written.items())]:
            _put(archive, name, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            records.append(f"{name},sha256={digest},{len(data)}\n")
        _put(archive, f"{info}/RECORD", "".join([*records, f"{info}/RECORD,,\n"]).encode())
    return target


def direct_requirements() -> list[str]:
    """What the server asks for by name: the extra `server`, and those of the common dependencies that its code imports."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    wanted = {_plain(name) for name in imported_distributions()}
    common = [one for one in project["dependencies"] if _plain(Requirement(one).name) in wanted]
    return sorted({*project["optional-dependencies"]["server"], *common})


@cache
def imported_distributions(root: Path = layout.ROOT / "server_stub") -> frozenset[str]:
    """Names of the installed distributions whose modules the server's code imports."""
    modules = set(LOADED_BY_NAME)
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                modules |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    known = packages_distributions()
    return frozenset(name for module in modules - sys.stdlib_module_names for name in known.get(module, ()))


def requirements() -> str:
    """A requirements file for pip with every package the server needs here, exactly as the lock has them, by hash.

    Raises:
        StepFailed: a package is not installed or not in the lock.
    """
    blocks = {
        _plain(found.group()): block
        for block in re.split(r"\n(?=\S)", LOCK.read_text(encoding="utf-8"))
        if (found := re.match(r"[\w.-]+", block))
    }
    names = _closure(Requirement(one) for one in direct_requirements())
    missing = sorted(names - blocks.keys())
    if missing:
        raise StepFailed(f"Not in the lock: {', '.join(missing)}. Run dev.py lock.")
    return "\n".join(blocks[name].rstrip() for name in sorted(names)) + "\n"


def _closure(wanted: Iterable[Requirement]) -> set[str]:
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        one = waiting.pop()
        if _plain(one.name) in found or (one.marker is not None and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(_plain(one.name))
        try:
            waiting += [Requirement(need) for need in installed(one.name).requires or ()]
        except PackageNotFoundError as error:
            raise StepFailed(
                f"{one.name} is not installed in this environment: run dev.py package, not this module."
            ) from error
    return found


def _contents() -> Iterator[tuple[str, bytes]]:
    root = layout.ROOT
    places = [root / "server_stub", *(root / "resources" / name for name in RESOURCES)]
    for place in places:
        for path in sorted(place.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(root).as_posix()
                yield re.sub(r"\Aresources/", "tongban_resources/", name), path.read_bytes()


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
