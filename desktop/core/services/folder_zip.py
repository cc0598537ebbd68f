"""A folder as one ZIP file that is never written: its bytes at any place are made when they are read.

Stored, not compressed, in the order of the names; each file's CRC is taken first, so every byte of the archive is known from the
list and an upload goes on anywhere after a restart. Names in UTF-8, times kept, empty folders too; links are not followed. Sizes
beyond 4 GiB by ZIP64. A file that is not as it was listed is BadFile `changed`. Everything here blocks: `cpu` executor.
"""

import os
import struct
import time
import zlib
from bisect import bisect_right
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import msgspec

from desktop.core.errors import BadFile

MAX_ENTRIES: Final = 20_000
STEP: Final = 8 * 1024 * 1024
_READ: Final = 1024 * 1024
_BIG: Final = 0xFFFFFFFF
_UTF8: Final = 0x800
_VERSION: Final = 45
_MADE_ON_UNIX: Final = (3 << 8) | _VERSION
_FOLDER_MODE: Final = (0o040755 << 16) | 0x10
_FILE_MODE: Final = 0o100644 << 16


class Entry(msgspec.Struct, frozen=True):
    """One file (or, with a name that ends in `/`, one folder) below the folder. `name` with slashes, as in the archive; size in bytes."""

    name: str
    size: int
    modified_ns: int
    crc: int = 0


class FolderList(msgspec.Struct, frozen=True):
    """What a folder held when it was taken for sending. `crcs`: whether every entry's CRC is known."""

    root: str
    entries: tuple[Entry, ...]
    crcs: bool = False

    @property
    def content(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.entries)

    @property
    def files(self) -> int:
        """How many files, folders not counted."""
        return sum(not entry.name.endswith("/") for entry in self.entries)


def list_folder(root: Path) -> FolderList:
    """Everything below `root`, in order. Raises BadFile: unreadable, nothing in it, too many entries."""
    root = Path(os.path.abspath(root))
    if not root.name:
        raise BadFile(reason="badName")
    entries: list[Entry] = []
    try:
        for folder, below, names in os.walk(root, onerror=_raise):
            below.sort()
            below[:] = [one for one in below if not os.path.islink(os.path.join(folder, one))]
            prefix = "/".join((root.name, *Path(folder).relative_to(root).parts))
            entries += _entries(folder, prefix, sorted(names))
            if not below and not names:
                entries.append(Entry(prefix + "/", 0, os.stat(folder).st_mtime_ns))
            if len(entries) > MAX_ENTRIES:
                raise BadFile(reason="tooManyFiles")
    except OSError as error:
        raise BadFile(reason="noRights" if isinstance(error, PermissionError) else "missing") from error
    if not any(not entry.name.endswith("/") for entry in entries):
        raise BadFile(reason="emptyFolder")
    return FolderList(str(root), tuple(entries))


def _entries(folder: str, prefix: str, names: list[str]) -> Iterator[Entry]:
    for name in names:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and not os.path.islink(path):
            stat = os.stat(path)
            yield Entry(_clean(f"{prefix}/{name}"), stat.st_size, stat.st_mtime_ns)


def _clean(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as error:  # a name on disk that is no text: it could not be found again under another
        raise BadFile(reason="badName") from error
    return name


def take_crcs(found: FolderList) -> Generator[int, None, FolderList]:
    """Reads every file once, stopping after each STEP bytes or so to tell how many it has read; the list with CRCs in the end. Raises BadFile."""
    made: list[Entry] = []
    done, told = 0, 0
    for entry in found.entries:
        crc = 0
        for data in _contents(found, entry):
            crc = zlib.crc32(data, crc)
            done += len(data)
            if done - told >= STEP:
                told = done
                yield done
        made.append(msgspec.structs.replace(entry, crc=crc))
    return FolderList(found.root, tuple(made), crcs=True)


def _contents(found: FolderList, entry: Entry) -> Iterator[bytes]:
    for offset in range(0, entry.size, _READ):
        yield read_entry(found, entry, offset, min(_READ, entry.size - offset))


def read_entry(found: FolderList, entry: Entry, offset: int, length: int) -> bytes:
    """A piece of a file of the folder. Raises BadFile when it is not as it was listed."""
    path = Path(found.root).parent / entry.name
    try:
        with open(path, "rb") as file:
            stat = os.fstat(file.fileno())
            if stat.st_size != entry.size or stat.st_mtime_ns != entry.modified_ns:
                raise BadFile(reason="changed", name=entry.name)
            file.seek(offset)
            return file.read(length)
    except PermissionError as error:
        raise BadFile(reason="noRights", name=entry.name) from error
    except OSError as error:
        raise BadFile(reason="missing", name=entry.name) from error


class FolderZip:
    """The archive of a list. Its size is known before any CRC is; its bytes only with them."""

    def __init__(self, found: FolderList) -> None:
        self._found = found
        self._starts: list[int] = []  # of each local header
        at = 0
        for entry in found.entries:
            self._starts.append(at)
            at += len(_local(entry)) + entry.size
        self._directory_at = at
        self._end = _directory(found.entries, self._starts, at)
        self.size = at + len(self._end)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the archive, fewer only at its end. Raises BadFile when a file changed."""
        parts = bytearray()
        while len(parts) < length and offset + len(parts) < self.size:
            parts += self._piece(offset + len(parts), length - len(parts))
        return bytes(parts)

    def _piece(self, at: int, length: int) -> bytes:
        if at >= self._directory_at:
            start = at - self._directory_at
            return self._end[start : start + length]
        place = bisect_right(self._starts, at) - 1
        entry = self._found.entries[place]
        header, into = _local(entry), at - self._starts[place]
        if into < len(header):
            return header[into : into + length]
        into -= len(header)
        wanted = min(length, entry.size - into)
        data = read_entry(self._found, entry, into, wanted)
        if len(data) != wanted:
            raise BadFile(reason="changed", name=entry.name)
        return data


def _moment(entry: Entry) -> tuple[int, int]:
    """Date and time as MS-DOS wrote them, local."""
    year, month, day, hour, minute, second = time.localtime(entry.modified_ns // 1_000_000_000)[:6]
    if not 1980 <= year <= 2107:
        return (1 << 5) | 1, 0
    return ((year - 1980) << 9) | (month << 5) | day, (hour << 11) | (minute << 5) | (second // 2)


def _local(entry: Entry) -> bytes:
    name = entry.name.encode()
    date, clock = _moment(entry)
    big = entry.size >= _BIG
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.size) if big else b""
    size = _BIG if big else entry.size
    head = struct.pack(
        "<4sHHHHHLLLHH", b"PK\3\4", _VERSION, _UTF8, 0, clock, date, entry.crc, size, size, len(name), len(extra)
    )
    return head + name + extra


def _central(entry: Entry, start: int) -> bytes:
    name = entry.name.encode()
    date, clock = _moment(entry)
    big = entry.size >= _BIG
    numbers = ([entry.size, entry.size] if big else []) + ([start] if start >= _BIG else [])
    extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
    size = _BIG if big else entry.size
    mode = _FOLDER_MODE if entry.name.endswith("/") else _FILE_MODE
    sizes = (entry.crc, size, size, len(name), len(extra))
    head = struct.pack("<4sHHHHHH", b"PK\1\2", _MADE_ON_UNIX, _VERSION, _UTF8, 0, clock, date)
    return head + struct.pack("<LLLHHHHHLL", *sizes, 0, 0, 0, mode, min(start, _BIG)) + name + extra


def _directory(entries: tuple[Entry, ...], starts: list[int], at: int) -> bytes:
    body = b"".join(_central(entry, start) for entry, start in zip(entries, starts, strict=True))
    count = len(entries)
    large = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, _VERSION, _VERSION, 0, 0, count, count, len(body), at)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at + len(body), 1)
    shown = min(count, 0xFFFF)
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, shown, shown, min(len(body), _BIG), min(at, _BIG), 0)
    return body + (large + locator if at >= _BIG or len(body) >= _BIG or count >= 0xFFFF else b"") + end


def _raise(error: OSError) -> None:
    raise error
