"""Packing a bundle into an update's archive, and unpacking one that came over the network: only files, folders and links inside it.

What an archive holds is signed; it is still read as if it were hostile: nothing is written outside the folder, nothing but
what was announced, and a disk that becomes full leaves nothing half behind that looks whole.
"""

import gzip
import hashlib
import shutil
import tarfile
from pathlib import Path
from typing import Final

from desktop.core.errors import BadFile, StorageUnavailable

MOST_UNPACKED: Final = 2 * 1024**3
MOST_FILES: Final = 50_000
EPOCH: Final = 315_532_800  # 1980: two builds of the same sources make the same archive
LEVEL: Final = 6
CHUNK: Final = 1 << 20
_RESERVED: Final = frozenset('<>:"|?*\\')  # what Windows reads as something else than a name


def pack_folder(folder: Path, target: Path) -> None:
    """Writes `folder` as .tar.gz; owners, dates and order say nothing about who packed it."""
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(folder.rglob("*"), key=lambda one: one.relative_to(folder).as_posix()):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_anonymous)


def unpack(archive: Path, target: Path) -> None:
    """Unpacks a .tar.gz into `target`, which is made anew; it is there only when all of it is.

    Raises:
        BadFile: something in it may not be (reason `unsafe`), or it is no archive (reason `damaged`).
        StorageUnavailable: the disk is full or may not be written.
    """
    part = target.with_name(target.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        with tarfile.open(archive, "r:gz") as opened:
            _unpack_members(opened, part)
        shutil.rmtree(target, ignore_errors=True)
        part.replace(target)
    except tarfile.FilterError as error:
        raise BadFile(reason="unsafe") from error
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise BadFile(reason="damaged") from error
    except OSError as error:
        raise StorageUnavailable(reason="disk") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def unpacked_size(archive: Path) -> int:
    """Bytes the archive's files take. Raises BadFile."""
    try:
        with tarfile.open(archive, "r:gz") as opened:
            return sum(member.size for member in opened)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BadFile(reason="damaged") from error


def gunzip(source: Path, target: Path) -> None:
    """The plain tar of a .tar.gz."""
    with gzip.open(source, "rb") as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain, CHUNK)


def gzip_file(source: Path, target: Path) -> None:
    """A .tar.gz of a plain tar."""
    with source.open("rb") as plain, gzip.open(target, "wb", LEVEL) as packed:
        shutil.copyfileobj(plain, packed, CHUNK)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack_members(archive: tarfile.TarFile, folder: Path) -> None:
    size = count = 0
    links: list[tarfile.TarInfo] = []
    for member in archive:
        size, count = size + member.size, count + 1
        if size > MOST_UNPACKED or count > MOST_FILES or not _fits(member):
            raise BadFile(reason="unsafe")
        if member.issym():
            links.append(member)  # last: nothing is then written through a link
            continue
        archive.extract(member, folder, filter="data")
    for member in links:
        archive.extract(member, folder, filter="data")


def _fits(member: tarfile.TarInfo) -> bool:
    name = member.name
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or any(sign in _RESERVED or ord(sign) < 32 for sign in name):
        return False
    return member.isreg() or member.isdir() or member.issym()


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = EPOCH
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member
