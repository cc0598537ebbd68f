"""A received folder out of its ZIP: only archives as `folder_zip` makes them, every name made harmless, all or nothing. Everything blocks: `cpu` executor.

An archive is a folder when all that is in it is stored (not compressed) below one folder that is called like the file. What it says of
itself is believed nowhere: names cannot leave the target, nothing can be larger than the archive, links and devices are no files.
"""

import io
import os
import shutil
import stat
import struct
import time
import zipfile
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from desktop.core.crypto.blobfile import BlobReader
from desktop.core.errors import BadFile, StorageUnavailable
from desktop.core.services.file_names import MAX_SAME_NAME, safe_name
from desktop.core.services.folder_zip import MAX_ENTRIES, STEP
from desktop.core.services.transfer_records import disk_reason

MAX_DIRECTORY: Final = 16 * 1024 * 1024
"""Bytes that may be read at once: more than the list of MAX_ENTRIES reasonable names takes."""
MAX_DEPTH: Final = 64
_READ: Final = 1024 * 1024
_UTF8: Final = 0x800
_BROKEN: Final = (
    zipfile.BadZipFile,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    LookupError,
    ValueError,
    OverflowError,
)
"""What zipfile says of an archive that is none, or not whole."""
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{number}" for number in range(10)), *(f"lpt{number}" for number in range(10))}
)


class _Sealed(io.RawIOBase):
    """A sealed blob as a file that can be read and sought."""

    def __init__(self, reader: BlobReader) -> None:
        super().__init__()
        self._reader = reader
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._reader.size}[whence]
        if start + offset < 0:
            raise OSError("before the beginning")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        wanted = max(0, self._reader.size - self._at) if size is None or size < 0 else size
        if wanted > MAX_DIRECTORY:
            raise BadFile(reason="archive")
        data = self._reader.read(self._at, wanted)
        self._at += len(data)
        return data


class FolderArchive:
    """An open archive that is a folder. `content`: bytes of all its files."""

    def __init__(self, path: Path, key: bytes, name: str) -> None:
        """Raises BadFile: `archive` when it is no folder of ours, else as BlobReader."""
        self._reader = BlobReader(path, key)
        try:
            self._zip = zipfile.ZipFile(_Sealed(self._reader))
            self._check(name.removesuffix(".zip"))
        except (*_BROKEN, OSError) as error:
            self._reader.close()
            raise BadFile(reason="archive") from error
        except BadFile:
            self._reader.close()
            raise
        self.content = sum(one.file_size for one in self._zip.infolist())

    def _check(self, root: str) -> None:
        entries = self._zip.infolist()
        size = 0
        for entry in entries:
            kind = stat.S_IFMT(entry.external_attr >> 16)
            plain = entry.compress_type == zipfile.ZIP_STORED and entry.file_size == entry.compress_size
            below = entry.filename.split("/")
            size += entry.file_size
            if not plain or kind not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.flag_bits & ~_UTF8:
                raise BadFile(reason="archive")
            if below[0] != root or not 2 <= len(below) <= MAX_DEPTH:
                raise BadFile(reason="archive")
        if not entries or len(entries) > MAX_ENTRIES or size > self._reader.size:  # parts that lie over each other
            raise BadFile(reason="archive")

    def unpack(self, folder: Path) -> Generator[int, None, Path]:
        """Makes the folder below `folder`, under its name or the next one that is free; stops after each STEP bytes to tell how many are there.

        Nothing is left when it ends early (closed, or an error). Raises StorageUnavailable, BadFile: damaged.
        """
        name = _harmless(self._zip.infolist()[0].filename.split("/")[0])
        part = folder / f".{name[:80]}.{os.getpid()}.tongban-part"
        whole = False
        try:
            if shutil.disk_usage(_existing(folder)).free < self.content:
                raise StorageUnavailable(reason="diskFull")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            yield from self._write_all(part)
            made = _put(part, folder, name)
            whole = True
            return made
        except OSError as error:
            raise StorageUnavailable(reason=disk_reason(error)) from error
        except _BROKEN as error:
            raise BadFile(reason="damaged") from error
        finally:
            if not whole:
                shutil.rmtree(part, ignore_errors=True)

    def _write_all(self, part: Path) -> Generator[int, None, None]:
        folders: dict[tuple[str, ...], Path] = {(): part}
        taken: dict[Path, set[str]] = {}
        done = told = 0
        for entry in self._zip.infolist():
            *above, last = entry.filename.split("/")[1:]
            place = _folder(tuple(above), folders, taken)
            if not last:  # a folder with nothing in it
                continue
            target = place / _free(last, taken.setdefault(place, set()))
            with self._zip.open(entry) as source, open(target, "xb") as file:
                while data := source.read(_READ):
                    file.write(data)
                    done += len(data)
                    if done - told >= STEP:
                        told = done
                        yield done
            with suppress(OSError, ValueError, OverflowError):  # a time that is none
                moment = time.mktime((*entry.date_time, 0, 0, -1))
                os.utime(target, (moment, moment))

    def close(self) -> None:
        """Lets the blob go."""
        self._zip.close()
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _folder(above: tuple[str, ...], folders: dict[tuple[str, ...], Path], taken: dict[Path, set[str]]) -> Path:
    """The folder that stands for a path of the archive; the same path is always the same folder."""
    found = folders.get(above)
    if found is None:
        parent = _folder(above[:-1], folders, taken)
        found = parent / _free(above[-1], taken.setdefault(parent, set()))
        found.mkdir()
        folders[above] = found
    return found


def _free(name: str, taken: set[str]) -> str:
    """A harmless name that nothing beside it has, on a disk that knows no capitals either."""
    plain = _harmless(name)
    stem, suffix = os.path.splitext(plain)
    number, made = 1, plain
    while made.casefold() in taken:
        number += 1
        made = f"{stem} ({number}){suffix}"
    taken.add(made.casefold())
    return made


def _harmless(name: str) -> str:
    safe = safe_name(name)
    return f"_{safe}" if safe.partition(".")[0].strip().casefold() in _RESERVED else safe


def _existing(folder: Path) -> Path:
    return next((one for one in (folder, *folder.parents) if one.exists()), Path.cwd())


def _put(part: Path, folder: Path, name: str) -> Path:
    """Gives the finished folder its name; one that is there already is never touched."""
    for number in range(1, MAX_SAME_NAME):
        target = folder / (name if number == 1 else f"{name} ({number})")
        with suppress(FileExistsError):
            target.mkdir()  # ours from now on, whoever else unpacks the same
            try:
                part.rename(target) if os.name != "nt" else _over(part, target)
            except OSError:
                target.rmdir()
                raise
            return target
    raise StorageUnavailable(reason="disk")


def _over(part: Path, target: Path) -> None:
    """Windows renames over nothing that is there, an empty folder included."""
    target.rmdir()
    part.rename(target)
