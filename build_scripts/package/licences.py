"""The licences folder of a bundle: the texts of every package in it, Qt's note, the fonts', Python's and our own, and a list of all.

Which packages: what the project itself depends on, and what those depend on, as installed here. Texts come from the
packages' own metadata; one that brings none is named in packages.txt with the licence it declares. Standard library only.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Final

from build_scripts.package import layout
from build_scripts.progress import StepFailed

TEXTS: Final = Path(__file__).with_name("licences")
TEXT_NAMES: Final = ("licen", "copying", "notice", "authors", "copyright")
LIST_NAME: Final = "packages.txt"
# Packages whose metadata carries no text, but whose licence obliges us to bring it: it lies in TEXTS.
OURS: Final = {"pyside6-essentials": "LGPL-3.0.txt", "pyside6-addons": "LGPL-3.0.txt", "shiboken6": "LGPL-3.0.txt"}
DEBIAN_COPYRIGHT: Final = Path("/usr/share/doc")


def gather(folder: Path) -> list[str]:
    """Fills `folder` (made anew) and returns one line for each package, as in packages.txt.

    Raises:
        StepFailed: a package that the bundle needs is not installed here.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for text in TEXTS.iterdir():
        shutil.copy(text, folder)
    shutil.copy(layout.ROOT / "LICENSE", folder / "Tongban-LICENSE.txt")
    emoji = layout.ROOT / "resources" / "emoji" / "NOTICE.txt"
    if emoji.exists():
        shutil.copy(emoji, folder / "emoji-NOTICE.txt")
    _copy_python(folder)
    lines = [_copy_package(name, folder) for name in runtime_packages()]
    (folder / LIST_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lines


def runtime_packages() -> list[str]:
    """Names of what the client needs at run time: the project's dependencies and theirs, on this system."""
    from packaging.requirements import Requirement  # PyInstaller needs it, so it is where we are

    project = tomllib.loads((layout.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(text) for text in project["dependencies"]]
    found: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = normal(wanted.name)
        extras = wanted.extras or {""}
        if wanted.marker is not None and not any(wanted.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        if name in found:
            continue
        found.add(name)
        try:
            needs = metadata.distribution(name).requires or []
        except metadata.PackageNotFoundError as error:
            raise StepFailed(
                f"{name} is not installed here, but the program needs it: run dev.py check once."
            ) from error
        waiting += [need for text in needs if _applies(need := Requirement(text), extras)]
    return sorted(found)


def _applies(need: object, extras: set[str]) -> bool:
    marker = getattr(need, "marker", None)
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


def _copy_package(name: str, folder: Path) -> str:
    distribution = metadata.distribution(name)
    info = distribution.metadata
    target = folder / name
    texts = [file for file in distribution.files or [] if _is_text(str(file))]
    for file in texts:
        source = Path(str(distribution.locate_file(file)))
        if source.is_file():
            target.mkdir(exist_ok=True)
            shutil.copy(source, _free(target / source.name))
    declared = (
        first_line(info.get_all("License-Expression"))
        or first_line(info.get_all("License"))
        or of_classifiers(info.get_all("Classifier"))
    )
    where = OURS.get(name) or (f"{name}/" if texts else "no text of its own")
    return f"{name} {distribution.version}: {declared or 'see its text'} ({where})"


def _is_text(path: str) -> bool:
    name = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
    inside = ".dist-info/" in path.replace("\\", "/")
    return (
        inside and (name.startswith(TEXT_NAMES) or "/licenses/" in path.replace("\\", "/")) and not name.endswith(".py")
    )


def _free(path: Path) -> Path:
    number, wanted = 1, path
    while wanted.exists():
        number += 1
        wanted = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return wanted


def first_line(texts: list[str] | None) -> str:
    lines = "\n".join(texts or []).strip().splitlines()
    return lines[0][:80] if lines else ""


def of_classifiers(classifiers: list[str] | None) -> str:
    return ", ".join(one.rsplit(" :: ", 1)[-1] for one in classifiers or [] if one.startswith("License ::"))


def _copy_python(folder: Path) -> None:
    library = Path(sysconfig.get_paths()["stdlib"])
    places = (
        library / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",
        DEBIAN_COPYRIGHT / "python3" / "copyright",
    )
    source = next((place for place in places if place.is_file()), None)
    if source is None:
        raise StepFailed("The licence of this Python was not found beside its library.")
    shutil.copy(source, folder / "Python-LICENSE.txt")


def normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
