"""The reader and a file that is still on its way: pages appear from the first bytes, nothing waits, what is wrong is withdrawn, the whole takes over."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage

from desktop.core.clock import SystemClock
from desktop.core.domain import ArrivalState, LocalDocument
from desktop.core.errors import AppError, BadFile, Offline
from desktop.core.net.transport import Piece
from desktop.core.services import arriving
from desktop.core.services.arriving import ArrivingBlob, NoPieces
from desktop.core.services.blobs import BlobCache
from desktop.ui.kit import Banner, IconButton
from desktop.ui.reader.arriving_source import ArrivingSource
from desktop.ui.reader.document_reader import DocumentReader
from desktop.ui.reader.kinds import Kind
from desktop.ui.reader.ofd_source import OfdSource
from desktop.ui.reader.pdf_source import PdfSource
from desktop.ui.reader.problem_pane import ProblemPane
from tests.helpers.arriving_files import PERSON, ofd_of_ballast, pdf_of_pictures, transport_over
from tests.helpers.asgi_call import call
from tests.helpers.fake_session import NOW
from tests.helpers.file_server import open_files
from tests.helpers.stage import play, settle, shown, until

LARGE = 30_000_000


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files come in as many requests as large ones."""
    monkeypatch.setattr(arriving, "MOST", 3)


class Line:
    """A file's way to this device, piece by piece: none goes through once `allowed` bytes have. `rate`: bytes a second, 0 as fast as can be."""

    def __init__(self, fetch: Any, size: int) -> None:
        self._fetch = fetch
        self.size = size
        self.moved = 0
        self.allowed = 0
        self.rate = 0
        self._freed = asyncio.Event()

    def allow(self, count: int) -> None:
        """So many bytes may go through in all."""
        self.allowed = count
        self._freed.set()

    async def fetch(self, offset: int, length: int) -> Piece | None:
        """The client asks for a piece."""
        while self.moved >= self.allowed < self.size:
            self._freed.clear()
            await self._freed.wait()
        if self.rate:
            await asyncio.sleep(length / self.rate)
        piece: Piece | None = await self._fetch(offset, length)
        self.moved += len(piece.data) if piece is not None else 0
        return piece


async def cpu(work: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


class Reading:
    """A reader that shows a file while it comes."""

    def __init__(self, folder: Path, name: str, line: Line, blob_id: str) -> None:
        self.line = line
        self.blob = ArrivingBlob(BlobCache(folder / "cache", bytes(32)), blob_id, line.size)
        self.reader = DocumentReader("林源", lambda: NOW)
        shown(self.reader, 900, 700)
        self.reader.show_document(name, LocalDocument(name, "", b"", arriving=self.blob))

    @property
    def pages(self) -> Any:
        return self.reader._sheets

    @property
    def source(self) -> Any:
        return None if self.pages is None else self.pages.source

    def here(self, page: int = 0) -> bool:
        """Whether the page is on the screen: drawn, and not one color."""
        if self.source is None or not self.source.here(page):
            return False
        return any(_has_ink(image) for strip, image in self.pages.images._kept.items() if strip.page == page)

    async def drip(self, condition: Callable[[], object], what: str) -> None:
        """A slow line: a piece at a time, until the condition holds; then it stands still."""
        async with asyncio.timeout(10):
            while not condition():
                assert self.line.moved < self.line.size, f"not before the whole file: {what}"
                self.line.allow(self.line.moved + 1)
                await asyncio.sleep(0.03)

    @property
    def note(self) -> str:
        return next(one.text.text() for one in self.reader.findChildren(Banner) if one.isVisible())

    async def arrive(self) -> None:
        """The transfer, as TransferService drives it."""
        try:
            await self.blob.fetch(self.line.fetch, cpu, SystemClock(), lambda count: None)
            self.blob.tell(ArrivalState.WHOLE)
        except AppError as error:
            self.blob.release()
            self.blob.tell(ArrivalState.HELD if isinstance(error, Offline) else ArrivalState.FAILED, error)
        except NoPieces:
            self.blob.streamed(1)


@asynccontextmanager
async def reading(folder: Path, name: str, line: Line, blob_id: str) -> AsyncIterator[Reading]:
    found = Reading(folder, name, line, blob_id)
    transfer = asyncio.ensure_future(found.arrive())
    try:
        yield found
    finally:
        line.allow(line.size)
        transfer.cancel()
        await asyncio.wait({transfer})
        found.reader.clear()
        found.blob.release()


def _has_ink(image: QImage) -> bool:
    small = image.scaled(24, 24)
    return len({small.pixel(x, y) for x in range(24) for y in range(24)}) > 1


def memory_line(data: bytes) -> tuple[Line, str]:
    """A line to bytes in memory."""

    async def fetch(offset: int, length: int) -> Piece:
        return Piece(data[offset : offset + length], len(data))

    return Line(fetch, len(data)), hashlib.sha256(data).hexdigest()


def test_the_first_page_is_there_before_a_fifth_of_thirty_megabytes(tmp_path: Path) -> None:
    """Over the server's own routes and the client's own transport; a scan whose contents stand at its end."""
    data = pdf_of_pictures(100, LARGE // 100)
    assert len(data) > 0.99 * LARGE

    async def scene() -> None:
        (tmp_path / "server").mkdir()
        with open_files(tmp_path / "server", max_upload=40_000_000) as server:
            answer = await call(server.app, "POST", f"/jmap/upload/{PERSON}/", {"x-person": PERSON}, data)
            assert answer.status == 201
            blob_id = hashlib.sha256(data).hexdigest()
            transport = transport_over(server.app, tmp_path)

            async def fetch(offset: int, length: int) -> Piece | None:
                return await transport.fetch_piece(blob_id, "扫描件.pdf", offset, length)

            line = Line(fetch, len(data))
            async with reading(tmp_path, "扫描件.pdf", line, blob_id) as desk:
                line.rate = 2_000_000
                line.allow(len(data))
                await until(lambda: desk.here(0), "the first page")
                print(f"first page after {line.moved} bytes of {len(data)}")
                assert line.moved < len(data) / 5
                line.allow(line.moved)
                assert desk.source.page_count == 100
                assert "第 1 页已可阅读，正在下载" in desk.note
                desk.pages.go_to(99)  # a page whose bytes are far from here is not there, and nothing waits for it
                await settle()
                assert not desk.source.here(99)
                line.rate = 0
                line.allow(len(data))
                await until(lambda: desk.here(99), "the last page")
                place = desk.pages.place()
                await until(lambda: isinstance(desk.source, PdfSource), "QtPdf takes over")
                assert desk.pages.place() == place
                assert desk.source.page_text(99).startswith("Page 100")
                assert line.moved <= 1.02 * len(data)
            await transport.close()

    play(scene())


def test_pages_of_an_ofd_come_before_the_rest(small_pieces: None, tmp_path: Path) -> None:
    data = ofd_of_ballast(8, 500_000)
    line, blob_id = memory_line(data)

    async def scene() -> None:
        async with reading(tmp_path, "来文.ofd", line, blob_id) as desk:
            await desk.drip(lambda: desk.here(0), "the first page")
            assert line.moved < len(data) / 2
            assert desk.source.page_count == 8
            line.allow(len(data))
            await until(lambda: isinstance(desk.source, OfdSource), "the whole takes over")
            assert "第8页" in desk.source.page_text(7)

    play(scene())


def test_what_needs_the_whole_file_says_so_until_it_is_here(small_pieces: None, tmp_path: Path) -> None:
    data = pdf_of_pictures(30, 150_000, sizes=((595, 842), (842, 595), (420, 595)))
    line, blob_id = memory_line(data)

    async def scene() -> None:
        async with reading(tmp_path, "a.pdf", line, blob_id) as desk:
            await desk.drip(lambda: desk.here(0), "the first page")
            reader = desk.reader
            tools = reader._tools
            off = {"copy": tools.copy, "print": tools.print, "save": tools.save, "search": tools.search_button}
            assert not any(button.isEnabled() for button in off.values())
            reader.open_find()
            reader.save_as()
            reader.full_screen()
            assert not reader.tasks.busy
            desk.pages.go_to(1)
            await desk.drip(lambda: desk.here(1), "a page of another size")
            assert (desk.source.sizes[1].width(), desk.source.sizes[1].height()) == (842, 595)
            desk.pages.turn()
            await until(lambda: desk.here(1), "the turned page")
            line.allow(len(data))
            await until(lambda: not reader._waiting, "the whole file")
            assert all(isinstance(button, IconButton) and button.isEnabled() for button in off.values())
            assert desk.pages.place()["degrees"] == 90
            assert desk.pages.page == 1

    play(scene())


def test_a_changed_file_is_taken_off_the_screen_and_said(small_pieces: None, tmp_path: Path) -> None:
    data = pdf_of_pictures(30, 150_000)
    line, _ = memory_line(data)

    async def scene() -> None:
        async with reading(tmp_path, "a.pdf", line, "0" * 64) as desk:
            await desk.drip(lambda: desk.here(0), "the first page")
            line.allow(len(data))
            await until(lambda: desk.source is None, "the pages are withdrawn")
            problem = desk.reader.findChild(ProblemPane)
            assert isinstance(problem, ProblemPane)
            assert "与发送人登记的文件不一致" in problem.text.text()
            assert isinstance(desk.blob.error, BadFile)

    play(scene())


def test_a_cut_leaves_what_is_there_and_says_so(small_pieces: None, tmp_path: Path) -> None:
    data = pdf_of_pictures(30, 150_000)
    inner, blob_id = memory_line(data)

    async def fetch(offset: int, length: int) -> Piece | None:
        if broken:
            raise Offline(reason="cut")
        return await inner._fetch(offset, length)  # type: ignore[no-any-return]

    line, broken = Line(fetch, len(data)), list[bool]()

    async def scene() -> None:
        async with reading(tmp_path, "a.pdf", line, blob_id) as desk:
            await desk.drip(lambda: desk.here(0), "the first page")
            broken.append(True)
            line.allow(len(data))
            await until(lambda: "网络已断开" in desk.note, "the word")
            assert desk.here(0)

    play(scene())


@pytest.mark.parametrize("name", ["a.pdf", "a.ofd"])
def test_hostile_files_ask_for_little_and_end_with_their_sentence(tmp_path: Path, name: str) -> None:
    """No table of contents where it should be: whoever rebuilds one reads all of the file; we wait for the whole instead."""
    data = (b"%PDF-1.7\n" if name == "a.pdf" else b"PK\x03\x04") + bytes(64 * 65536) + b"startxref\n99\n%%EOF"
    line, blob_id = memory_line(data)

    async def scene() -> None:
        async with reading(tmp_path, name, line, blob_id) as desk:
            line.allow(len(data))
            await until(lambda: not desk.reader._waiting, "the whole file")
            problem = desk.reader.findChild(ProblemPane)
            assert isinstance(problem, ProblemPane)
            assert "已损坏" in problem.text.text()
            assert desk.source is None

    play(scene())


def test_pages_never_have_the_drawing_thread_wait(small_pieces: None, tmp_path: Path) -> None:
    """A page that is not here is a null image at once, however often it is asked for; memory stays bounded by blocks."""
    from desktop.ui.reader.arriving_source import partial_document

    data = pdf_of_pictures(40, 100_000)
    line, blob_id = memory_line(data)

    async def scene() -> None:
        async with reading(tmp_path, "a.pdf", line, blob_id) as desk:
            await desk.drip(lambda: desk.here(0), "the first page")
            document = partial_document(Kind.PDF, desk.blob)
            source = ArrivingSource(document, document.page_sizes())
            asked = [source.render(39, desk.pages.size(), desk.pages.rect()) for _ in range(50)]
            assert all(image.isNull() for image in asked)
            assert sum(source._tries.values()) == 1
            source.close()

    play(scene())
