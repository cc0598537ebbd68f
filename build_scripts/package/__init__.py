"""`dev.py package WHAT`: the installable forms of the program, each by one command, results and SHA256SUMS under dist/.

Every kind is one module with the same two verbs (see `Kind`). The modules run with the project's interpreter, where
PyInstaller and the libraries are; this one only finds them. `python -m build_scripts.package WHAT [--out DIR] …`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, cast

from build_scripts.progress import StepFailed

ROOT = Path(__file__).resolve().parents[2]
SUMS_NAME = "SHA256SUMS"
CHUNK = 1 << 20
VERSION_PATTERN = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?\Z")  # what Debian, Windows and PEP 440 all can say

# WHAT: the module that makes it.
KINDS: dict[str, str] = {
    "bundle": "build_scripts.package.bundle",
    "deb": "build_scripts.package.deb",
    "windows": "build_scripts.package.windows",
    "macos": "build_scripts.package.macos",
    "server": "build_scripts.package.server",
    "update-repo": "build_scripts.package.update_repo",
    "sbom": "build_scripts.package.sbom",
    "release": "build_scripts.package.release",
}


class Kind(Protocol):
    """What the module of a kind offers. Long steps report through build_scripts.progress.

    A module may also have `add_arguments(parser)` and take what those add as keyword arguments of `make`.
    """

    def make(self, out: Path, *, version: str) -> Path:
        """Makes the package below `out` (which exists) and returns it: one file, or a folder of files.

        Raises:
            StepFailed: it could not be made; the text says why and what to do.
        """
        ...

    def check(self, result: Path) -> None:
        """Runs on what `make` returned everything that issue 6 wants run on it (install, start, self-test, upgrade, remove).

        Raises:
            StepFailed: the package is not as it should be.
        """
        ...


def project_version() -> str:
    """The one version: pyproject.toml's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def load_kind(what: str) -> Kind:
    """The module of a kind. Raises StepFailed for one that this checkout does not have."""
    name = KINDS[what]
    try:
        return cast(Kind, importlib.import_module(name))
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise StepFailed(f"package {what}: {name} is not in this checkout.") from error


def write_sums(out: Path) -> Path:
    """Writes `out`/SHA256SUMS anew over every file directly in `out`, in the form that `sha256sum -c` reads."""
    lines = [f"{_digest(path)}  {path.name}\n" for path in _results(out.iterdir())]
    target = out / SUMS_NAME
    target.write_text("".join(lines), encoding="utf-8", newline="\n")
    return target


def _results(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.is_file() and not path.name.startswith((SUMS_NAME, ".")))


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def main(argv: list[str] | None = None) -> int:
    """Makes one kind of package, or checks it as well; exit code 0 good, 2 not."""
    words = sys.argv[1:] if argv is None else argv
    what = next((word for word in words if word in KINDS), "")
    try:
        kind = load_kind(what) if what else None
        options = _parser(kind).parse_args(words)
        if kind is None:
            return 0
        out = Path(options.out).resolve()
        out.mkdir(parents=True, exist_ok=True)
        version = _checked_version(options.version or project_version())
        own = {key: value for key, value in vars(options).items() if key not in {"what", "out", "version", "check"}}
        result = kind.make(out, version=version, **own)
        write_sums(out)
        print(f"  {result}", flush=True)
        if options.check:
            kind.check(result)
            print(f"  {result.name}: checked", flush=True)
    except StepFailed as failure:
        print(failure, file=sys.stderr)
        return 2
    return 0


def _parser(kind: Kind | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py package", description="Makes an installable package below dist/.")
    parser.add_argument("what", choices=sorted(KINDS))
    parser.add_argument("--out", default=str(ROOT / "dist"), metavar="DIR")
    parser.add_argument("--version", default="", metavar="V", help="instead of pyproject.toml's")
    parser.add_argument("--check", action="store_true", help="also install, start, upgrade and remove what was made")
    add_arguments = getattr(kind, "add_arguments", None)
    if add_arguments is not None:
        add_arguments(parser)
    return parser


def _checked_version(version: str) -> str:
    if not VERSION_PATTERN.match(version):
        raise StepFailed(f"“{version}” is no version: three numbers such as 1.4.0, or 1.4.0rc1.")
    return version
