"""A received folder becomes a folder again: all of it, under harmless names, never outside its place, and nothing when it ends early."""

import hashlib
import io
import os
import random
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.errors import BadFile, StorageUnavailable
from desktop.core.services import folder_unzip
from desktop.core.services.blobs import BlobCache
from desktop.core.services.folder_zip import FolderZip, list_folder, take_crcs

KEY = bytes(32)
NAME = "航拍视频.zip"


def opened(folder: Path, data: bytes, name: str = NAME) -> folder_unzip.FolderArchive:
    cache = BlobCache(folder / "blobs", KEY)
    return cache.folder(cache.put(data), name)


def unpacked(folder: Path, data: bytes, name: str = NAME) -> Path:
    with opened(folder, data, name) as archive:
        steps = archive.unpack(folder / "to")
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return Path(end.value)


def archive_of(*names: str, content: bytes = b"x", change: Callable[[zipfile.ZipInfo], None] = lambda _: None) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for name in names:
            info = zipfile.ZipInfo(name)
            change(info)
            out.writestr(info, b"" if name.endswith("/") else content)
    return made.getvalue()


def test_a_folder_comes_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_unzip, "STEP", 100_000)
    monkeypatch.setattr(folder_unzip, "_READ", 50_000)
    root = tmp_path / "航拍视频"
    (root / "一月" / "空").mkdir(parents=True)
    film = random.Random(1).randbytes(300_000)
    (root / "一月" / "a b.mp4").write_bytes(film)
    (root / "说明.txt").write_bytes("防汛".encode())
    os.utime(root / "说明.txt", (1_700_000_000, 1_700_000_000))
    steps = take_crcs(list_folder(root))
    try:
        while True:
            next(steps)
    except StopIteration as end:
        archive = FolderZip(end.value)
    data = archive.read(0, archive.size)
    with opened(tmp_path, data) as here:
        told = []
        unpacking = here.unpack(tmp_path / "to")
        try:
            while True:
                told.append(next(unpacking))
        except StopIteration as end:
            made = Path(end.value)
    assert (told, here.content) == ([100_006, 200_006, 300_006], 300_006)
    assert made == tmp_path / "to" / "航拍视频"
    assert (made / "一月" / "a b.mp4").read_bytes() == film
    assert (made / "一月" / "空").is_dir()
    assert (made / "说明.txt").stat().st_mtime == 1_700_000_000
    assert unpacked(tmp_path, data).name == "航拍视频 (2)"  # what is there is never touched
    assert sorted(one.name for one in (tmp_path / "to").iterdir()) == ["航拍视频", "航拍视频 (2)"]


def test_ended_early_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_unzip, "STEP", 1)
    data = archive_of("航拍视频/a", "航拍视频/b", content=b"x" * 10)
    with opened(tmp_path, data) as here:
        steps = here.unpack(tmp_path / "to")
        next(steps)
        assert list((tmp_path / "to").iterdir())
        steps.close()
    assert list((tmp_path / "to").iterdir()) == []
    spoiled = bytearray(data)
    spoiled[spoiled.index(b"x" * 10)] = ord("y")
    with pytest.raises(BadFile, match="damaged"):
        unpacked(tmp_path, bytes(spoiled))
    assert list((tmp_path / "to").iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1}))
    with pytest.raises(StorageUnavailable, match="diskFull"):
        unpacked(tmp_path, data)


def test_names_are_made_harmless(tmp_path: Path) -> None:
    """What Windows cannot have, what leaves the folder, what differs by capitals only, a name given twice."""
    made = unpacked(
        tmp_path,
        archive_of(
            "航拍视频/CON.txt", "航拍视频/a:b?.txt", "航拍视频/A.txt", "航拍视频/a.txt", "航拍视频/end. ",
            "航拍视频/../../../evil", "航拍视频/./dot", "航拍视频/D/one", "航拍视频/d/two", "航拍视频/..\\..\\back",
        ),
    )  # fmt: skip
    found = sorted(one.relative_to(made).as_posix() for one in made.rglob("*") if one.is_file())
    assert found == [
        "A.txt", "D/one", "_CON.txt", "a (2).txt", "a_b_.txt", "back", "d (2)/two", "end", "file (2)/dot", "file/file/file/evil",
    ]  # fmt: skip
    assert sorted(one.name for one in tmp_path.iterdir()) == ["blobs", "to"]
    assert [one.name for one in (tmp_path / "to").iterdir()] == ["航拍视频"]


def _linked(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def _packed(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_DEFLATED


@pytest.mark.parametrize(
    "data",
    [
        archive_of("航拍视频/a", change=_linked),
        archive_of("航拍视频/a", content=bytes(100_000), change=_packed),
        archive_of("航拍视频/a", "elsewhere/b"),
        archive_of("a"),
        archive_of("航拍视频"),
        archive_of("/航拍视频/a"),
        archive_of("航拍视频/" + "d/" * 80 + "a"),
        archive_of(),
        b"PK\5\6" + bytes(18),
        b"no archive at all",
        b"",
    ],
    ids=lambda data: hashlib.sha256(data).hexdigest()[:6],
)
def test_what_is_no_folder_of_ours_is_none(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadFile, match="archive"):
        opened(tmp_path, data or b"\0")


def test_a_list_that_lies_is_believed_nowhere(tmp_path: Path) -> None:
    """Files that lie over each other, sizes that are not, a list larger than any real one."""
    data = bytearray(archive_of("航拍视频/a", "航拍视频/b", content=b"x" * 4000))
    place = data.rindex(b"PK\1\2")
    first = data.index(b"PK\1\2")
    lying = bytearray(data)
    lying[place + 20 : place + 28] = struct.pack("<LL", 1 << 30, 1 << 30)
    with pytest.raises(BadFile, match="archive"):
        opened(tmp_path, bytes(lying))
    over = bytearray(data)
    for at in (first, place):  # both say they are nearly the whole archive
        over[at + 20 : at + 28] = struct.pack("<LL", len(data) - 100, len(data) - 100)
    with pytest.raises(BadFile, match="archive"):
        opened(tmp_path, bytes(over))
    huge = bytearray(data)
    huge[-10:-6] = struct.pack("<L", 1 << 30)
    with pytest.raises(BadFile, match="archive"):
        opened(tmp_path, bytes(huge))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_broken_archives_never_do_harm(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any bytes changed: a folder in its place, or a clear refusal and nothing left."""
    whole = bytearray(archive_of("航拍视频/a", "航拍视频/下/b", content=b"hello"))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("one")
    try:
        made = unpacked(folder, bytes(whole))
        assert made.parent == folder / "to"
    except (BadFile, StorageUnavailable):
        assert not (folder / "to").exists() or list((folder / "to").iterdir()) == []
    assert {one.name for one in folder.iterdir()} <= {"blobs", "to"}
