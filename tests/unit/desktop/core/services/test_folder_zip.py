"""A folder as a ZIP made while it is read: what other programs unpack is the folder, and any piece is a piece of the same archive."""

import io
import os
import random
import zipfile
from pathlib import Path

import pytest

from desktop.core.errors import BadFile
from desktop.core.services import folder_zip
from desktop.core.services.folder_zip import Entry, FolderList, FolderZip, list_folder, take_crcs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "航拍视频"
    (root / "一月" / "空").mkdir(parents=True)
    (root / "一月" / "a b.mp4").write_bytes(random.Random(1).randbytes(70_000))
    (root / "说明.txt").write_bytes("防汛".encode())
    (root / "empty").write_bytes(b"")
    (root / "link").symlink_to(tmp_path)
    os.utime(root / "说明.txt", (1_700_000_000, 1_700_000_000))
    return root


def known(found: FolderList) -> tuple[list[int], FolderList]:
    """What is told on the way, and the list in the end."""
    steps, told = take_crcs(found), []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return told, end.value


def test_what_is_unpacked_is_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_zip, "STEP", 50_000)
    monkeypatch.setattr(folder_zip, "_READ", 30_000)
    steps, found = known(list_folder(folder))
    archive = FolderZip(found)
    assert archive.size == FolderZip(list_folder(folder)).size  # told before anything is read
    assert (steps, found.files, found.content) == ([60_006], 3, 70_006)
    whole = archive.read(0, archive.size + 10)
    assert len(whole) == archive.size
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        names = {"航拍视频/empty", "航拍视频/说明.txt", "航拍视频/一月/a b.mp4", "航拍视频/一月/空/"}
        assert set(opened.namelist()) == names
        assert opened.read("航拍视频/说明.txt").decode() == "防汛"
        assert opened.read("航拍视频/一月/a b.mp4") == (folder / "一月" / "a b.mp4").read_bytes()
    chance = random.Random(2)
    for _ in range(60):
        offset, length = chance.randrange(archive.size), chance.randrange(1, 5000)
        assert archive.read(offset, length) == whole[offset : offset + length]


def test_large_files_and_far_places_are_told_in_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = 5 * 1024**3
    found = FolderList("/r/f", (Entry("f/a", huge, 0), Entry("f/b", 3, 0, 7), Entry("f/c", 0, 0)), crcs=True)
    monkeypatch.setattr(folder_zip, "read_entry", lambda found, entry, offset, length: bytes(length))
    archive = FolderZip(found)

    class Seen(io.RawIOBase):
        """The archive as a file, never made whole."""

        at = 0

        def seekable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = offset + (0, self.at, archive.size)[whence]
            return self.at

        def tell(self) -> int:
            return self.at

        def read(self, length: int = -1) -> bytes:
            data = archive.read(self.at, archive.size if length < 0 else length)
            self.at += len(data)
            return data

    with zipfile.ZipFile(Seen()) as opened:
        sizes = {one.filename: (one.file_size, one.CRC) for one in opened.infolist()}
        with opened.open("f/a") as inside:
            assert inside.read(10) == bytes(10)
        assert opened.getinfo("f/b").header_offset > huge
    assert sizes == {"f/a": (huge, 0), "f/b": (3, 7), "f/c": (0, 0)}


def test_a_folder_that_changes_or_cannot_be_read_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = known(list_folder(folder))
    (folder / "说明.txt").write_bytes(b"other!")
    with pytest.raises(BadFile) as changed:
        FolderZip(found).read(0, 1 << 20)
    assert changed.value.data == {"reason": "changed", "name": "航拍视频/说明.txt"}
    (folder / "说明.txt").unlink()
    with pytest.raises(BadFile, match="missing"):
        known(found)
    with pytest.raises(BadFile, match="emptyFolder"):
        list_folder(folder / "一月" / "空")
    with pytest.raises(BadFile, match="missing"):
        list_folder(folder / "none")
    monkeypatch.setattr(folder_zip, "MAX_ENTRIES", 1)
    with pytest.raises(BadFile, match="tooManyFiles"):
        list_folder(folder)
