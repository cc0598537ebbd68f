"""A small patch between two tar archives: what is the same is named by its place in the old one, what changed is a binary difference.

bsdiff over a whole bundle (230 MB) takes minutes and gigabytes. Bundles change in few members, so members are matched first,
by content and by name, and only those of the same name that differ go through bsdiff. Applying reads the old archive from
disk and needs memory for one member. Format: MAGIC, then an LZMA stream of operations (a letter, two numbers, the data).
"""

import hashlib
import io
import lzma
import struct
import tarfile
from collections.abc import Iterator
from typing import BinaryIO, Final

MAGIC: Final = b"TBDELTA1"
MOST_DIFFED: Final = 48 * 1024 * 1024
"""Bytes of a member above which bsdiff would want more than a gigabyte: such a member is sent whole."""
CHUNK: Final = 1 << 20
_HEAD: Final = struct.Struct(">cQQ")
_COPY: Final = b"C"  # offset and length in the old archive
_DATA: Final = b"D"  # 0 and length, then the bytes
_DIFF: Final = (
    b"B"  # offset and length of the old member, then the length of the difference (8 bytes) and the difference
)


class DeltaBroken(Exception):
    """The patch is not one, or does not fit the old archive. Data: none; the caller fetches the whole archive."""


def make_delta(old: bytes, new: bytes) -> bytes:
    """The patch that makes the tar `new` out of the tar `old` (both uncompressed)."""
    packer = lzma.LZMACompressor(preset=4)
    parts = [MAGIC]
    parts.extend(packer.compress(piece) for piece in _operations(old, new))
    parts.append(packer.flush())
    return b"".join(parts)


def apply_delta(old: BinaryIO, delta: BinaryIO, new: BinaryIO, most: int) -> str:
    """Writes the new tar; returns its SHA-256 in hex. `most`: bytes that the signed metadata says it has.

    Raises:
        DeltaBroken: the patch is damaged, reaches outside the old archive, or makes more than `most` bytes.
    """
    if delta.read(len(MAGIC)) != MAGIC:
        raise DeltaBroken
    digest, written = hashlib.sha256(), 0
    try:
        with lzma.open(delta) as stream:
            while head := stream.read(_HEAD.size):
                for piece in _made(old, stream, *_unpacked(head), most - written):
                    written += len(piece)
                    if written > most:
                        raise DeltaBroken
                    digest.update(piece)
                    new.write(piece)
    except (lzma.LZMAError, EOFError, struct.error, ValueError) as error:
        raise DeltaBroken from error
    return digest.hexdigest()


def _made(old: BinaryIO, stream: "lzma.LZMAFile", kind: bytes, first: int, length: int, most: int) -> Iterator[bytes]:
    if length > most and kind != _DIFF:
        raise DeltaBroken
    if kind == _COPY:
        old.seek(first)
        yield from _exactly(old, length)
    elif kind == _DATA:
        yield from _exactly(stream, length)
    elif kind == _DIFF:
        import bsdiff4

        if length > MOST_DIFFED:
            raise DeltaBroken
        (size,) = struct.unpack(">Q", stream.read(8))
        if size > MOST_DIFFED:
            raise DeltaBroken
        old.seek(first)
        member, difference = b"".join(_exactly(old, length)), b"".join(_exactly(stream, size))
        yield bsdiff4.patch(member, difference)
    else:
        raise DeltaBroken


def _unpacked(head: bytes) -> tuple[bytes, int, int]:
    kind, first, length = _HEAD.unpack(head)
    return kind, first, length


def _exactly(file: "BinaryIO | lzma.LZMAFile", length: int) -> Iterator[bytes]:
    while length:
        piece = file.read(min(length, CHUNK))
        if not piece:
            raise DeltaBroken
        length -= len(piece)
        yield piece


def _operations(old: bytes, new: bytes) -> Iterator[bytes]:
    by_content: dict[bytes, int] = {}
    by_name: dict[str, tuple[int, int]] = {}
    for name, start, size in _members(old):
        by_content.setdefault(hashlib.sha256(old[start : start + size]).digest(), start)
        by_name[name] = (start, size)
    at = 0
    for name, start, size in _members(new):
        content = new[start : start + size]
        known = by_content.get(hashlib.sha256(content).digest())
        if known is None and (name not in by_name or max(size, by_name[name][1]) > MOST_DIFFED):
            continue  # goes with the bytes between members
        yield from _literal(new[at:start])
        yield _HEAD.pack(_COPY, known, size) if known is not None else _diffed(old, *by_name[name], content)
        at = start + size
    yield from _literal(new[at:])


def _diffed(old: bytes, start: int, size: int, content: bytes) -> bytes:
    import bsdiff4

    difference: bytes = bsdiff4.diff(old[start : start + size], content)
    if len(difference) >= len(content):
        return _HEAD.pack(_DATA, 0, len(content)) + content
    return _HEAD.pack(_DIFF, start, size) + struct.pack(">Q", len(difference)) + difference


def _literal(data: bytes) -> Iterator[bytes]:
    if data:
        yield _HEAD.pack(_DATA, 0, len(data)) + data


def _members(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, start and size of each file's content, empty ones left out."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if member.isreg() and member.size:
                yield member.name, member.offset_data, member.size
