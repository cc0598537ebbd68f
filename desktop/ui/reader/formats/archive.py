"""What an archive holds, read from memory: nothing is unpacked to disk, and an entry is read alone and within limits. No widgets.

zip, tar (plain, gz, bz2, xz) and single packed files (gz, bz2, xz). A bomb is refused by what it gives, not by what it says of itself.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Final, Protocol, cast

import msgspec

from desktop.ui.reader.page_source import DocumentProblem

MAX_ENTRIES: Final = 20_000
"""Entries listed; an archive with more is shown cut, and says so."""
MAX_ENTRY: Final = 256 << 20
"""Bytes of one entry opened."""
MAX_WALKED: Final = 1 << 30
"""Bytes unpacked, and let go at once, to list a packed tar."""
MAX_RATIO: Final = 400
RATIO_FROM: Final = 16 << 20
"""Beyond this size an entry that grows more than MAX_RATIO times is a bomb: deflate gives at most 1032, real papers less than 100."""
_PIECE: Final = 1 << 18
_BROKEN: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)
_PACKED: Final = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"))


class Entry(msgspec.Struct, frozen=True):
    """One file or folder. `size` in bytes, -1 while it is not known; `changed` in UTC ms, None when it is not told; `locked`: encrypted."""

    path: str
    size: int
    folder: bool = False
    changed: int | None = None
    locked: bool = False


class Listing(msgspec.Struct, frozen=True):
    """The entries in the archive's order; `cut`: there are more than are listed."""

    entries: tuple[Entry, ...]
    cut: bool = False


class Archive(Protocol):
    """An open archive; every method may take a while and is for the background."""

    def listing(self) -> Listing:
        """What is in it. Raises DocumentProblem."""
        ...

    def read(self, path: str) -> bytes:
        """One entry's bytes. Raises DocumentProblem: gone, locked, damaged or too large."""
        ...


def open_archive(data: bytes, name: str) -> Archive:
    """The archive these bytes are. Raises DocumentProblem brokenArchive, or unknownArchive for 7z and rar."""
    if data.startswith((b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")):
        raise DocumentProblem("unknownArchive")
    if data[:2] == b"PK" or (name.lower().endswith(".zip") and zipfile.is_zipfile(io.BytesIO(data))):
        return ZipArchive(data)
    packing = next((kind for start, kind in _PACKED if data.startswith(start)), "")
    if packing and not _holds_tar(data, packing):
        return PackedFile(data, packing, name)
    return TarArchive(data, packing)


class ZipArchive:
    """A zip, listed by its directory."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN:
            raise DocumentProblem("brokenArchive") from None

    def listing(self) -> Listing:
        infos = self._zip.infolist()
        return Listing(tuple(_zip_entry(info) for info in infos[:MAX_ENTRIES]), len(infos) > MAX_ENTRIES)

    def read(self, path: str) -> bytes:
        info = next((one for one in self._zip.infolist() if _zip_name(one) == path), None)
        if info is None or info.is_dir():
            raise DocumentProblem("brokenEntry")
        if info.flag_bits & 0x1:
            raise DocumentProblem("lockedEntry")
        if info.file_size > MAX_ENTRY:
            raise DocumentProblem("tooLargeEntry")
        try:
            with self._zip.open(info) as stream:
                return _read_within(stream, info.compress_size)
        except _BROKEN:
            raise DocumentProblem("brokenEntry") from None


class TarArchive:
    """A tar, packed or not: it has no directory, so it is walked through."""

    def __init__(self, data: bytes, packing: str) -> None:
        self._data, self._packing = data, packing

    def listing(self) -> Listing:
        found: list[Entry] = []
        try:
            for info, _ in self._walk():
                if len(found) >= MAX_ENTRIES:
                    return Listing(tuple(found), cut=True)
                if info.isfile() or info.isdir():
                    found.append(Entry(_clean(info.name), info.size, info.isdir(), _from_seconds(info.mtime)))
        except _TooMuch:
            if not found:
                raise DocumentProblem("tooLargeArchive") from None
            return Listing(tuple(found), cut=True)
        except _BROKEN:
            raise DocumentProblem("brokenArchive") from None
        return Listing(tuple(found))

    def read(self, path: str) -> bytes:
        try:
            for info, tar in self._walk():
                if info.isfile() and _clean(info.name) == path:
                    if info.size > MAX_ENTRY:
                        raise DocumentProblem("tooLargeEntry")
                    stream = tar.extractfile(info)
                    if stream is not None:
                        return _read_within(stream, 0)
        except _TooMuch:
            raise DocumentProblem("tooLargeArchive") from None
        except _BROKEN:
            raise DocumentProblem("brokenEntry") from None
        raise DocumentProblem("brokenEntry")

    def _walk(self) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
        source = cast("IO[bytes]", _Bounded(_unpacked(self._data, self._packing)))
        with tarfile.open(fileobj=source, mode="r|", encoding="utf-8", errors="surrogateescape") as tar:
            for info in tar:
                yield info, tar
                tar.members.clear()  # type: ignore[attr-defined]  # a stream is never gone back in: what was seen needs no memory


class PackedFile:
    """One file, packed by gzip, bzip2 or xz: listed as one entry whose size is not known before it is read."""

    def __init__(self, data: bytes, packing: str, name: str) -> None:
        self._data, self._packing = data, packing
        last = name.replace("\\", "/").rpartition("/")[2]
        self._name = last[: -len(packing) - 1] if last.lower().endswith(f".{packing}") else last

    def listing(self) -> Listing:
        return Listing((Entry(self._name or "1", -1),))

    def read(self, path: str) -> bytes:
        try:
            with _unpacked(self._data, self._packing) as stream:
                return _read_within(stream, len(self._data))
        except _BROKEN:
            raise DocumentProblem("brokenEntry") from None


class _TooMuch(Exception):
    """More was unpacked than is done for a listing."""


class _Bounded:
    """A stream that ends with an error where it has given too much."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._left = stream, MAX_WALKED

    def read(self, size: int = -1) -> bytes:
        """The next bytes; raises _TooMuch."""
        found = self._stream.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise _TooMuch
        return found


def _unpacked(data: bytes, packing: str) -> IO[bytes]:
    raw = io.BytesIO(data)
    match packing:
        case "gz":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
        case "bz2":
            return cast("IO[bytes]", bz2.BZ2File(raw))
        case "xz":
            return cast("IO[bytes]", lzma.LZMAFile(raw))
        case _:
            return raw


def _holds_tar(data: bytes, packing: str) -> bool:
    try:
        with _unpacked(data, packing) as stream:
            head = stream.read(512)
    except _BROKEN:
        return False
    return head[257:262] == b"ustar" or (len(head) == 512 and _is_old_tar(head))


def _is_old_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _read_within(stream: IO[bytes], packed: int) -> bytes:
    """All of a stream; raises DocumentProblem where it grows beyond reason."""
    found = io.BytesIO()
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > MAX_ENTRY or (packed and size > RATIO_FROM and size > packed * MAX_RATIO):
            raise DocumentProblem("tooLargeEntry")
        found.write(piece)
    return found.getvalue()


def _zip_entry(info: zipfile.ZipInfo) -> Entry:
    try:
        changed = round(datetime(*info.date_time).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        changed = None
    return Entry(_zip_name(info), info.file_size, info.is_dir(), changed, bool(info.flag_bits & 0x1))


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name; without the flag for UTF-8 Chinese programs write GB18030, which zipfile reads as cp437."""
    name = info.orig_filename
    if info.flag_bits & 0x800:
        return _clean(name)
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return _clean(name)
    found = [text for text in (_decoded(raw, "utf-8"), _decoded(raw, "gb18030")) if text is not None]
    if len(found) == 2 and not raw.isascii() and all(ord(one) < 0x800 for one in found[0]):
        found.reverse()  # 通知 in GBK is valid UTF-8 too, of letters nobody writes here; real Chinese in UTF-8 has three bytes
    return _clean(found[0] if found else name)


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _clean(name: str) -> str:
    """A path to be read by people: no control characters, nothing that turns the direction of writing, one kind of slash."""
    shown = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(one if one.isprintable() else "�" for one in shown.replace("\\", "/")).strip("/")


def _from_seconds(seconds: float) -> int | None:
    return round(seconds * 1000) if 0 < seconds < 253_402_300_800 else None
