"""The zip an OFD document is: its entries within bounds, its XML read without entities, network or endless nesting. No Qt."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Final, Protocol, cast

from lxml import etree

MAX_ENTRIES: Final = 20_000
MAX_UNPACKED: Final = 256 << 20
MAX_XML: Final = 24 << 20
MAX_MEDIA: Final = 64 << 20
"""Bytes of all entries together, of one XML file, of one picture or font: what an office sends stays far below."""


class OfdProblem(Exception):
    """The document cannot be shown. `code`: brokenOfd, lockedOfd, tooLargeOfd."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Element(Protocol):
    """As much of an lxml element as we read."""

    tag: object
    text: str | None

    def get(self, name: str) -> str | None:
        """An attribute."""
        ...

    def iter(self) -> Iterator[Element]:
        """Itself and all below, in the order of the file."""
        ...

    def __iter__(self) -> Iterator[Element]: ...


class OfdPackage:
    """The entries by name, whatever their case; a part that is missing or too large reads as None."""

    def __init__(self, data: bytes | IO[bytes]) -> None:
        """Raises OfdProblem: no zip, encrypted, or more than a document can be. What a file's `read` raises beyond OSError passes through everywhere."""
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError):
            raise OfdProblem("brokenOfd") from None
        entries = self._zip.infolist()
        if len(entries) > MAX_ENTRIES or sum(one.file_size for one in entries) > MAX_UNPACKED:
            raise OfdProblem("tooLargeOfd")
        if any(one.flag_bits & 0x1 for one in entries):
            raise OfdProblem("lockedOfd")
        self._names = {one.filename.lower().lstrip("/"): one for one in entries}

    def has(self, name: str) -> bool:
        """Whether there is an entry of this name."""
        return name.lower() in self._names

    def read(self, name: str, most: int = MAX_MEDIA) -> bytes | None:
        """An entry's bytes; None when it is missing, damaged or larger than `most`."""
        entry = self._names.get(name.lower())
        if entry is None or entry.file_size > most:
            return None
        try:
            with self._zip.open(entry) as stream:
                found = stream.read(most + 1)  # the size a zip tells of itself may be a lie
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, ValueError):
            return None
        return found if len(found) <= most else None

    def xml(self, name: str) -> Element | None:
        """The root of an XML entry; None when there is none that can be read, even in part."""
        data = self.read(name, MAX_XML)
        if not data:
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False)
        try:
            root = etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError):
            return None
        return cast("Element", root) if root is not None and isinstance(root.tag, str) else None


def locate(base: str, path: str | None) -> str:
    """A path inside the package as a name: absolute ones begin at the root, others beside `base` (a folder)."""
    given = (path or "").strip().replace("\\", "/")
    if given.startswith("/"):
        return posixpath.normpath(given).lstrip("/")
    return posixpath.normpath(posixpath.join(base, given)).lstrip("/")


# ---- XML: writers use several namespaces or none, so elements are known by their local names


def local(element: Element) -> str:
    """The name of an element without its namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def child(element: Element | None, *path: str) -> Element | None:
    """The first child of these names, level by level."""
    for name in path:
        element = None if element is None else next((one for one in element if local(one) == name), None)
    return element


def children(element: Element | None, name: str) -> list[Element]:
    """The children of a name."""
    return [] if element is None else [one for one in element if local(one) == name]


def below(element: Element | None, name: str) -> list[Element]:
    """All descendants of a name."""
    return [] if element is None else [one for one in element.iter() if local(one) == name]


def text(element: Element | None, *path: str) -> str:
    """The text of the first child of these names, stripped; empty when there is none."""
    found = child(element, *path)
    return "" if found is None else (found.text or "").strip()


def numbers(value: str | None, most: int = 100_000) -> list[float]:
    """The numbers of a list parted by blanks; it ends where something else begins. What is beyond reason becomes 0."""
    found: list[float] = []
    for one in (value or "").split(None, most)[:most]:
        try:
            number = float(one)
        except ValueError:
            break
        found.append(number if -1e7 < number < 1e7 else 0.0)
    return found


def number(value: str | None, default: float) -> float:
    """One number, or the default."""
    found = numbers(value, 1)
    return found[0] if found else default
