"""`package sbom`: what a bundle holds, as a CycloneDX 1.6 document: <out>/tongban-<version>-<system>-<machine>.cdx.json.

The bundle itself is read, not a list of wishes: the modules in PyInstaller's archive and every file on the disk. Each goes to
the installed distribution it came from, to Qt, FFmpeg, Python or OpenSSL, or to us; each file has its SHA-256. So a library
that is installed but was not taken along is not listed, and a file that nobody knows stops the step.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import re
import ssl
import sys
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from build_scripts.package import bundle, layout, licences
from build_scripts.progress import Step, StepFailed

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component

OURS: Final = layout.APP_NAME
PYTHON, OPENSSL, FFMPEG, QT = "CPython", "OpenSSL", "FFmpeg", "Qt"
PYSIDE: Final = "pyside6-essentials"

# Files of a bundle that belong to no distribution, or to one that only carries them; by their path below _internal.
CARRIED: Final = (
    (QT, re.compile(r"PySide6/(?:Qt/(?:lib|plugins|translations|libexec)|plugins|translations|Qt6)")),
    (FFMPEG, re.compile(r"(?:PySide6/(?:Qt/lib/)?)?(?:lib)?(?:avcodec|avformat|avutil|swresample|swscale)[.-]")),
    (OPENSSL, re.compile(r"(?:lib)?(?:ssl|crypto)[.-](?:so|\d|dll|dylib)")),
    (PYTHON, re.compile(r"(?:lib)?python3|(?:python3\.\d+/)?lib-dynload/|base_library\.zip|vcruntime|Python(?:\.framework)?(?:/|\Z)")),
    (OURS, re.compile(rf"(?:resources|{layout.LICENCES}|{OURS}-[\w.]+\.dist-info)/")),
)  # fmt: skip
SPDX: Final = {  # what the classifiers of older packages say, where it is one licence
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
FOREIGN: Final = "libraries of the building system"


@dataclass(frozen=True)
class Origin:
    """What is known of a part that is no Python distribution."""

    licence: str
    version: str = ""
    purl: str = ""


def origins() -> dict[str, Origin]:
    """Parts that are no distributions, as they are on this machine."""
    qt, python = metadata.version(PYSIDE), platform.python_version()
    found = re.match(r"OpenSSL (\S+)", ssl.OPENSSL_VERSION)
    openssl = found[1] if found else ""
    return {
        QT: Origin("LGPL-3.0-only", qt, f"pkg:generic/qt@{qt}"),
        FFMPEG: Origin("LGPL-2.1-or-later", "", "pkg:generic/ffmpeg"),
        PYTHON: Origin("PSF-2.0", python, f"pkg:generic/python@{python}"),
        "pyinstaller": Origin(
            "GPL-2.0-or-later WITH Bootloader-exception", metadata.version("pyinstaller"), "pkg:pypi/pyinstaller"
        ),
        OPENSSL: Origin("Apache-2.0", openssl, f"pkg:generic/openssl@{openssl}"),
        FOREIGN: Origin("see the system's own packages"),
    }


@dataclass
class Part:
    """What one origin gave to the bundle."""

    modules: set[str] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--bundle`: an unpacked bundle that is there already."""
    parser.add_argument("--bundle", type=Path, default=None, metavar="DIR", help="read this unpacked bundle")


def make(out: Path, *, version: str, bundle: Path | None = None) -> Path:
    """Writes the document of a bundle and holds it against CycloneDX's own schema. See package.Kind."""
    folder = bundle or _built(out, version)
    with Step("what is in the bundle") as step:
        parts = sort_contents(folder, archived_modules(program_of(folder)))
        document = write_document(folder, parts, version)
        step.note(f"{len(parts)} parts, {sum(len(part.files) for part in parts.values())} files")
    target = out / f"{OURS}-{version}-{sys.platform}-{platform.machine().lower()}.cdx.json"
    target.write_text(document, encoding="utf-8")
    return target


def check(result: Path) -> None:
    """Holds a document against CycloneDX's own schema. Raises StepFailed."""
    validate(result.read_text(encoding="utf-8"))


def _built(out: Path, version: str) -> Path:
    return bundle.bundle_folder(out, version=version)


def program_of(folder: Path) -> Path:
    """The program's file in an unpacked bundle."""
    inside = folder / "Contents" / "MacOS" if folder.suffix == ".app" else folder
    for name in (OURS, f"{OURS}.exe"):
        if (inside / name).is_file():
            return inside / name
    raise StepFailed(f"{folder} is no unpacked bundle: the program is not in it.")


def archived_modules(program: Path) -> set[str]:
    """Names of the modules that PyInstaller packed into a program."""
    from PyInstaller.archive.readers import CArchiveReader

    archive = CArchiveReader(str(program))
    found: set[str] = set()
    for name in archive.toc:
        if name.endswith(".pyz"):
            found |= set(archive.open_embedded_archive(name).toc)
    return found


# ------------------------------------------------------------ what belongs to whom
def sort_contents(folder: Path, modules: Iterable[str]) -> dict[str, Part]:
    """Gives each module and file of a bundle to its origin; distributions by their normal names.

    Raises:
        StepFailed: a module that nobody brought.
    """
    parts: defaultdict[str, Part] = defaultdict(Part)
    by_file, by_top = _installed()
    for module in modules:
        parts[_owner_of_module(module, by_file, by_top)].modules.add(module)
    inside = bundle.internal_folder(folder)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            place = path.relative_to(inside).as_posix() if path.is_relative_to(inside) else ""
            parts[_owner_of_file(place, by_file, by_top) if place else OURS].files.append(path)
    return dict(sorted(parts.items()))


def _installed() -> tuple[dict[str, str], dict[str, str]]:
    """Path of each installed file, and each top name, to the distribution that brought it."""
    by_file: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = licences.normal(distribution.metadata["Name"])
        for file in distribution.files or []:
            by_file[PurePosixPath(file).as_posix()] = name
    tops = {top: licences.normal(names[0]) for top, names in metadata.packages_distributions().items()}
    return by_file, tops


def _owner_of_module(module: str, by_file: Mapping[str, str], by_top: Mapping[str, str]) -> str:
    top = module.partition(".")[0]
    if top in {"desktop", "resources"}:
        return OURS
    path = module.replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py"):
        if candidate in by_file:
            return by_file[candidate]
    if top in sys.stdlib_module_names or top.startswith(("_sysconfigdata", "pyi", "_pyi")):
        return PYTHON if not top.startswith(("pyi", "_pyi")) else "pyinstaller"
    if top in by_top:
        return by_top[top]
    raise StepFailed(f"The module {module} is in the bundle, but no installed package brought it.")


def _owner_of_file(place: str, by_file: Mapping[str, str], by_top: Mapping[str, str]) -> str:
    for name in (FFMPEG, QT, OPENSSL, PYTHON, OURS):
        pattern = next(pattern for carried, pattern in CARRIED if carried == name)
        if pattern.match(place):
            return name
    if place in by_file:
        return by_file[place]
    top = place.partition("/")[0]
    info = re.fullmatch(r"(?P<name>[\w.]+?)-[\w.+]+\.dist-info", top)
    if info is not None:
        return licences.normal(info["name"])
    libs = re.fullmatch(r"(?P<name>[\w.]+)\.libs", top)  # auditwheel's folder for what a wheel brings along
    found = by_top.get(libs["name"] if libs else top.partition(".")[0])
    return found or (licences.normal(libs["name"]) if libs else FOREIGN)


# ------------------------------------------------------------ the document
def write_document(folder: Path, parts: Mapping[str, Part], version: str) -> str:
    """The document as JSON, valid by CycloneDX's schema. Raises StepFailed otherwise."""
    from cyclonedx.output.json import JsonV1Dot6

    text = JsonV1Dot6(make_bom(folder, parts, version)).output_as_string(indent=1)
    validate(text)
    return text


def validate(document: str) -> None:
    """Holds a document against CycloneDX's own schema, unknown fields forbidden. Raises StepFailed."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(document)
    if problem is not None:
        raise StepFailed(
            f"The bill of materials is not valid: {getattr(problem.data, 'message', '')[:500]}"
        )  # its own text repeats the schema


def make_bom(folder: Path, parts: Mapping[str, Part], version: str) -> Bom:
    """CycloneDX's model of a bundle."""
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import ComponentType

    known = origins()
    root = _component(OURS, Origin("Apache-2.0", version), parts.get(OURS, Part()), folder, ComponentType.APPLICATION)
    components = []
    for name, part in parts.items():
        if name == OURS:
            continue
        kind = ComponentType.PLATFORM if name == PYTHON else ComponentType.LIBRARY
        components.append(_component(name, known.get(name) or _of_distribution(name), part, folder, kind))
    bom = Bom(components=components, serial_number=_serial(components, root))
    bom.metadata.component = root
    bom.metadata.timestamp = datetime.fromtimestamp(
        program_of(folder).stat().st_mtime, UTC
    )  # the same bundle, the same text
    bom.register_dependency(root, components)
    return bom


def _of_distribution(name: str) -> Origin:
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise StepFailed(
            f"{name} is in the bundle, but not installed here: make the list where the bundle was made."
        ) from error
    info = distribution.metadata
    first = licences.first_line
    declared = first(info.get_all("License-Expression")), first(info.get_all("License"))
    classified = licences.of_classifiers(info.get_all("Classifier"))
    licence = next(filter(_is_spdx, declared), "") or SPDX.get(classified, classified) or declared[1]
    return Origin(licence, distribution.version, f"pkg:pypi/{name}@{distribution.version}")


def _is_spdx(licence: str) -> bool:
    from cyclonedx import spdx

    return bool(licence) and (spdx.is_supported_id(licence) or spdx.is_expression(licence))


def _component(name: str, origin: Origin, part: Part, folder: Path, kind: object) -> Component:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    def of_file(path: Path) -> Component:
        place = path.relative_to(folder).as_posix()
        sum_ = HashType(alg=HashAlgorithm.SHA_256, content=_digest(path))
        return Component(name=place, type=ComponentType.FILE, bom_ref=f"file:{place}", hashes=[sum_])

    assert isinstance(kind, ComponentType)
    return Component(
        name=name,
        type=kind,
        version=origin.version or None,
        bom_ref=name,
        purl=PackageURL.from_string(origin.purl) if origin.purl else None,
        licenses=[LicenseFactory().make_from_string(origin.licence)] if origin.licence else None,
        components=[of_file(path) for path in part.files],
        properties=[Property(name="tongban:modules", value=str(len(part.modules)))] if part.modules else None,
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _serial(components: Iterable[Component], root: Component) -> uuid.UUID:
    """The same for the same contents."""
    everything = [root, *components]
    told = sorted(f"{one.name} {one.version} {file.name} {next(iter(file.hashes)).content}" for one in everything for file in one.components)  # fmt: skip
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()
    return uuid.uuid5(uuid.NAMESPACE_URL, f"tongban:{digest}")
