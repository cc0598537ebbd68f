"""Opens exchange packages from outside: everything is checked before anything is believed, in bounded time and memory. Blocking: on a worker thread."""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from server_stub.modules.documents.exchange.manifest import (
    MANIFEST_NAME,
    MIMETYPE,
    MIMETYPE_NAME,
    Manifest,
    PackedFile,
)
from server_stub.modules.documents.typesetting.paper import OPEN_MARKS

MAX_PACKAGE: Final = 200_000_000
MAX_TOTAL: Final = 400_000_000
MAX_FILE: Final = 100_000_000
MAX_ENTRIES: Final = 120
MAX_DIRECTORY: Final = 64_000
MAX_MANIFEST: Final = 1_000_000
MAX_RATIO: Final = 200
_END: Final = struct.Struct("<4s4H2LH")
_END_MARK: Final = b"PK\x05\x06"
_ENCRYPTED: Final = 0x1
_CHUNK: Final = 256 * 1024
_STARTS: Final = {"body.pdf": b"%PDF-", "body.ofd": b"PK\x03\x04"}


class PackageRefused(Exception):
    """A package that is not taken. `code`: a word for the reason, of REASONS."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OpenedPackage:
    """A package whose directory and manifest were checked; its files are checked as they are read."""

    manifest: Manifest
    _package: zipfile.ZipFile

    def read(self, entry: PackedFile) -> bytes:
        """A file of the manifest. Raises PackageRefused: it is not what the manifest says."""
        data = _read(self._package, entry.path, min(entry.size, MAX_FILE))
        if len(data) != entry.size or hashlib.sha256(data).hexdigest() != entry.sha256:
            raise PackageRefused("digest", f"{entry.path} is not what the manifest says")
        start = _STARTS.get(entry.path)
        if start is not None and not data.startswith(start):
            raise PackageRefused("body", f"{entry.path} is no such file")
        return data


@contextmanager
def open_package(path: Path) -> Iterator[OpenedPackage]:
    """A package from a file.

    Raises:
        PackageRefused: whatever is wrong with it.
    """
    try:
        with path.open("rb") as file:
            _check_end(file, path.stat().st_size)
            with zipfile.ZipFile(file) as package:
                _check_directory(package, path.stat().st_size)
                manifest = _load_manifest(package)
                _check_names(package, manifest)
                if manifest.document.secrecy not in OPEN_MARKS:
                    raise PackageRefused("secrecy", "secret documents never enter a network that is not approved")
                yield OpenedPackage(manifest, package)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        struct.error,
        NotImplementedError,
        OSError,
        RuntimeError,
    ) as problem:
        # zipfile says RuntimeError of encryption and NotImplementedError of methods it does not know.
        raise PackageRefused("zip", f"it is no whole package: {type(problem).__name__}") from problem


def _check_end(file: BinaryIO, size: int) -> None:
    """The directory's size, before anything reads it: a small file can claim millions of entries."""
    if size > MAX_PACKAGE:
        raise PackageRefused("size", f"larger than {MAX_PACKAGE // 1_000_000} MB")
    if size < _END.size:
        raise PackageRefused("zip", "it is no package")
    file.seek(size - _END.size)
    mark, disk, first_disk, here, entries, length, offset, comment = _END.unpack(file.read(_END.size))
    if mark != _END_MARK or comment or disk or first_disk or here != entries:
        raise PackageRefused("zip", "it is no plain package")
    if entries > MAX_ENTRIES or length > MAX_DIRECTORY:
        raise PackageRefused("entries", f"more than {MAX_ENTRIES} files")
    if offset + length != size - _END.size:
        raise PackageRefused("zip", "something lies beside the package's directory")
    file.seek(0)


def _check_directory(package: zipfile.ZipFile, size: int) -> None:
    entries = package.infolist()
    names = [one.filename for one in entries]
    if len(set(names)) != len(names):
        raise PackageRefused("entries", "a name is there twice")
    if names[:1] != [MIMETYPE_NAME] or MANIFEST_NAME not in names:
        raise PackageRefused("kind", "it is no exchange package")
    total = 0
    for one in entries:
        if one.flag_bits & _ENCRYPTED or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PackageRefused("zip", f"{one.filename[:60]!r} is encrypted or packed in an unknown way")
        if one.file_size > MAX_FILE or one.file_size > max(one.compress_size, 1) * MAX_RATIO + 4096:
            raise PackageRefused("size", f"{one.filename[:60]!r} is too large")
        total += one.file_size
    if total > MAX_TOTAL or sum(one.compress_size for one in entries) > size:
        raise PackageRefused("size", "its files are too large together")
    _check_overlaps(entries)


def _check_overlaps(entries: list[zipfile.ZipInfo]) -> None:
    """Files that share bytes are how a small package becomes a large one."""
    end = 0
    for one in sorted(entries, key=lambda entry: entry.header_offset):
        if one.header_offset < end:
            raise PackageRefused("zip", "its files overlap")
        end = one.header_offset + 30 + one.compress_size


def _load_manifest(package: zipfile.ZipFile) -> Manifest:
    if _read(package, MIMETYPE_NAME, 200) != MIMETYPE.encode():
        raise PackageRefused("kind", "it is no exchange package")
    try:
        return msgspec.json.decode(_read(package, MANIFEST_NAME, MAX_MANIFEST), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise PackageRefused("manifest", f"its manifest is wrong: {str(problem)[:200]}") from problem


def _check_names(package: zipfile.ZipFile, manifest: Manifest) -> None:
    """Exactly the files of the manifest are there, each once."""
    paths = [one.path for one in manifest.files]
    held = set(package.namelist()) - {MIMETYPE_NAME, MANIFEST_NAME}
    if not manifest.body.path.startswith("body.") or any(one.path.startswith("body.") for one in manifest.attachments):
        raise PackageRefused("manifest", "the body is body.pdf or body.ofd, attachments lie in attachments/")
    if len(set(paths)) != len(paths) or held != set(paths):
        raise PackageRefused("entries", "its files are not those of its manifest")


def _read(package: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Never more than `most` bytes, whatever the directory says."""
    found = bytearray()
    with package.open(name) as entry:
        while chunk := entry.read(_CHUNK):
            found += chunk
            if len(found) > most:
                raise PackageRefused("size", f"{name[:60]!r} is larger than it says")
    return bytes(found)
