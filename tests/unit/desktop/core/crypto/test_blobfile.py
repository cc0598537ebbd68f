"""Encrypted blob files: any place can be read, and no change of the file goes unseen."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.core.crypto.blobfile import CHUNK, HEADER_BYTES, SEALED_CHUNK, BlobReader, BlobWriter
from desktop.core.errors import BadFile

KEY = bytes(range(32))
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 777]


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def write(path: Path, data: bytes, step: int = 50_000) -> None:
    writer = BlobWriter(path, KEY)
    for start in range(0, len(data), step):
        writer.write(data[start : start + step])
    writer.finish()


def read(path: Path) -> bytes:
    with BlobReader(path, KEY) as reader:
        return b"".join(reader.chunks())


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out(tmp_path: Path, size: int) -> None:
    write(tmp_path / "b", content(size))
    with BlobReader(tmp_path / "b", KEY) as reader:
        assert reader.size == size
        assert reader.read() == content(size)
        assert b"".join(reader.chunks()) == content(size)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(offset=st.integers(0, 3 * CHUNK + 1000), length=st.integers(0, 2 * CHUNK))
def test_any_piece_can_be_read(tmp_path: Path, offset: int, length: int) -> None:
    data = content(3 * CHUNK + 777)
    path = tmp_path / "b"
    if not path.exists():
        write(path, data)
    with BlobReader(path, KEY) as reader:
        assert reader.read(offset, length) == data[offset : offset + length]


@pytest.mark.parametrize("size", SIZES)
def test_a_cut_anywhere_is_seen(tmp_path: Path, size: int) -> None:
    write(tmp_path / "b", content(size))
    whole = (tmp_path / "b").read_bytes()
    for cut in {
        0,
        3,
        HEADER_BYTES,
        HEADER_BYTES + 5,
        HEADER_BYTES + SEALED_CHUNK,
        len(whole) - SEALED_CHUNK,
        len(whole) - 1,
    }:
        if 0 <= cut < len(whole):
            (tmp_path / "b").write_bytes(whole[:cut])
            with pytest.raises(BadFile):
                read(tmp_path / "b")


def test_exchanged_changed_and_foreign_chunks_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "b"
    write(path, content(3 * CHUNK))
    whole = path.read_bytes()
    first, second = (whole[HEADER_BYTES + n * SEALED_CHUNK : HEADER_BYTES + (n + 1) * SEALED_CHUNK] for n in (0, 1))
    tampered = [
        whole.replace(first, second),
        whole[:HEADER_BYTES] + second + first + whole[HEADER_BYTES + 2 * SEALED_CHUNK :],
        whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        b"XXXX" + whole[4:],
        whole + b"more",
        whole + whole[-SEALED_CHUNK:],
    ]
    for data in tampered:
        path.write_bytes(data)
        with pytest.raises(BadFile):
            read(path)
    path.write_bytes(whole)
    with pytest.raises(BadFile), BlobReader(path, bytes(32)) as reader:
        reader.read()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_any_file_is_bad_at_worst(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "b").write_bytes(data)
    with pytest.raises(BadFile):
        read(tmp_path / "b")


def test_a_torn_part_goes_on_from_its_last_whole_chunk(tmp_path: Path) -> None:
    data, path = content(4 * CHUNK + 5), tmp_path / "b"
    writer = BlobWriter(path, KEY)
    writer.write(data[: 3 * CHUNK + 100])
    writer.close()
    with open(path, "r+b") as file:  # the last write was torn
        file.truncate(HEADER_BYTES + 2 * SEALED_CHUNK + 17)
    with pytest.raises(BadFile):
        read(path)
    again = BlobWriter(path, KEY)
    assert again.size == 2 * CHUNK
    assert b"".join(again.parts()) == data[: 2 * CHUNK]
    again.write(data[2 * CHUNK :])
    again.finish()
    assert read(path) == data


def test_a_missing_file_is_bad(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        BlobReader(tmp_path / "none", KEY)
