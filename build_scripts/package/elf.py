"""What the ELF files of a folder need from the system they run on: shared libraries, and versions of the C and C++ libraries.

Read from `objdump -p`; a library that the folder itself has is not needed from the system.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from build_scripts.progress import StepFailed

_NEEDED: Final = re.compile(r"^\s+NEEDED\s+(\S+)", re.MULTILINE)
_SONAME: Final = re.compile(r"^\s+SONAME\s+(\S+)", re.MULTILINE)
_VERSION: Final = re.compile(r"\b(GLIBC|GLIBCXX|CXXABI)_(\d+(?:\.\d+)+)\b")
_MAGIC: Final = b"\x7fELF"

Version = tuple[int, ...]


@dataclass(frozen=True)
class Needs:
    """Of one file: libraries by their soname, and the newest version of GLIBC, GLIBCXX and CXXABI it refers to."""

    sonames: frozenset[str] = frozenset()
    versions: Mapping[str, Version] = field(default_factory=dict)
    provides: str = ""


def elf_files(folder: Path) -> list[Path]:
    """Programs and libraries below a folder, links left out."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and _is_elf(path)]


def needs_of(path: Path) -> Needs:
    """What one file needs. Raises StepFailed when it can't be read."""
    try:
        done = subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=False)
    except OSError as error:
        raise StepFailed(f"objdump is missing (package binutils): {error}") from error
    if done.returncode:
        raise StepFailed(f"objdump cannot read {path}: {done.stderr[-500:]}")
    return parsed(done.stdout)


def parsed(output: str) -> Needs:
    """The needs in what `objdump -p` printed."""
    references = output.partition("Version References:")[2]
    versions: dict[str, Version] = {}
    for name, text in _VERSION.findall(references):
        versions[name] = max(versions.get(name, ()), version(text))
    own = _SONAME.search(output)
    return Needs(frozenset(_NEEDED.findall(output)), versions, own.group(1) if own else "")


def version(text: str) -> Version:
    """(2, 34) of 2.34."""
    return tuple(int(part) for part in text.split("."))


def from_system(needs: Mapping[Path, Needs]) -> dict[str, list[Path]]:
    """Sonames that no file of the folder has, with the files that want them."""
    inside = {path.name for path in needs} | {one.provides for one in needs.values()}
    wanted: dict[str, list[Path]] = {}
    for path, one in needs.items():
        for soname in one.sonames - inside:
            wanted.setdefault(soname, []).append(path)
    return wanted


def newest(needs: Iterable[Needs], name: str) -> Version:
    """The newest version of GLIBC or another that any of them refers to; () for none."""
    return max((one.versions.get(name, ()) for one in needs), default=())


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == _MAGIC
