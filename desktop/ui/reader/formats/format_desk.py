"""Opens what is neither pages, picture nor plain text: reads it in the background, makes its view when first needed, shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from desktop.core.domain import LocalDocument
from desktop.ui.background import in_background
from desktop.ui.reader.formats.archive import Archive, Entry, Listing
from desktop.ui.reader.formats.format_view import FormatView
from desktop.ui.reader.formats.rich_text import RichText
from desktop.ui.reader.kinds import Kind
from desktop.ui.reader.page_source import DocumentProblem
from desktop.ui.reader.text_decode import NotText, decode_text
from desktop.ui.tasks import TaskOwner, alive

RICH = (Kind.MARKDOWN, Kind.WRITING, Kind.SLIDES)
OPENED = (*RICH, Kind.WORKBOOK, Kind.ARCHIVE, Kind.MEDIA)
V = TypeVar("V", bound=QWidget)
MOST_MARKDOWN = 2_000_000
"""Characters; Qt lays them out at once, and more would stop the window for seconds."""


class FormatDesk(QObject):
    """The views of these kinds; `made` gives a new one to whoever holds the stack."""

    made = Signal(object)
    ready = Signal(object)  # a view that now shows the document
    failed = Signal(str)  # a key below reader.problem
    refused = Signal(str)  # an entry of the archive that cannot be opened: a key below reader.problem
    entry_read = Signal(str, bytes)  # an entry of the archive that is shown: its name, its bytes

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.tasks = TaskOwner(self)
        self._views: dict[str, FormatView] = {}
        self._kinds: dict[int, Kind] = {}
        self._archive: Archive | None = None

    def kind_of_view(self, widget: QWidget | None) -> Kind | None:
        """The kind a view shows now, None for a widget that is not one of these."""
        return self._kinds.get(id(widget))

    def open(self, kind: Kind, document: LocalDocument, watermark: str) -> None:
        """Reads a document; `ready` or `failed` follow."""
        self.tasks.start(self._open(kind, document, watermark), name="format", exclusive=True)

    def clear(self) -> None:
        """Lets go of everything that is shown."""
        self.tasks.cancel("format")
        self.tasks.cancel("entry")
        self._archive = None
        for view in self._views.values():
            view.clear()

    async def _open(self, kind: Kind, document: LocalDocument, watermark: str) -> None:
        try:
            show = await self._load(kind, document)
        except DocumentProblem as problem:
            if alive(self):
                self.failed.emit(problem.code)
            return
        if not alive(self):
            return
        view = show()
        view.may_copy, view.watermark = document.may_copy, watermark
        self._kinds[id(view)] = kind
        self.ready.emit(view)

    async def _load(self, kind: Kind, document: LocalDocument) -> Callable[[], FormatView]:
        """What shows the document once it is read. Raises DocumentProblem."""
        if kind in RICH:
            rich, pictures = await in_background(_load_rich, kind, document.data)
            return lambda: self._show_rich(rich, pictures)
        if kind is Kind.WORKBOOK:
            from desktop.ui.reader.formats.workbook import load_workbook

            sheets = await in_background(load_workbook, document.data)
            return lambda: self._show_sheets(sheets)
        if kind is Kind.ARCHIVE:
            archive, listing = await in_background(_load_archive, document.data, document.name)
            return lambda: self._show_archive(document.name, archive, listing)
        from desktop.ui.reader.formats.media_view import is_media

        if not is_media(document.data):
            raise DocumentProblem("notMedia")
        return lambda: self._show_media(document.data)

    # ---- views
    def _show_rich(self, rich: RichText, pictures: dict[str, Any]) -> FormatView:
        from desktop.ui.reader.formats.rich_view import RichView

        view = self._view("rich", RichView)
        view.show_rich(rich, pictures)
        return cast("FormatView", view)

    def _show_sheets(self, sheets: Any) -> FormatView:
        from desktop.ui.reader.formats.sheets_view import SheetsView

        view = self._view("sheets", SheetsView)
        view.show_workbook(sheets)
        return cast("FormatView", view)

    def _show_archive(self, name: str, archive: Archive, listing: Listing) -> FormatView:
        from desktop.ui.reader.formats.archive_view import ArchiveView

        first = "archive" not in self._views
        view = self._view("archive", ArchiveView)
        if first:
            view.opened.connect(self._read_entry)
        self._archive = archive
        view.show_listing(name, listing)
        return cast("FormatView", view)

    def _show_media(self, data: bytes) -> FormatView:
        from desktop.ui.reader.formats.media_view import MediaView

        first = "media" not in self._views
        view = self._view("media", MediaView)
        if first:
            view.broken.connect(self.failed)
        view.show_media(data)
        return cast("FormatView", view)

    def _view(self, name: str, make: type[V]) -> V:
        if name not in self._views:
            view = make()
            self._views[name] = cast("FormatView", view)
            self.made.emit(view)
        return cast("V", self._views[name])

    # ---- archives
    def _read_entry(self, entry: Entry) -> None:
        if self._archive is not None:
            self.tasks.start(self._fetch_entry(self._archive, entry), name="entry", exclusive=True)

    async def _fetch_entry(self, archive: Archive, entry: Entry) -> None:
        try:
            data = await in_background(archive.read, entry.path)
        except DocumentProblem as problem:
            if alive(self) and self._archive is archive:
                self.refused.emit(problem.code)
            return
        if alive(self) and self._archive is archive:
            self.entry_read.emit(entry.path.rpartition("/")[2], data)


def _load_rich(kind: Kind, data: bytes) -> tuple[RichText, dict[str, Any]]:
    from desktop.ui.reader.formats.rich_view import decode_pictures

    if kind is Kind.MARKDOWN:
        try:
            text, _ = decode_text(data)
        except NotText:
            raise DocumentProblem("notText") from None
        if len(text) > MOST_MARKDOWN:
            raise DocumentProblem("tooLargeOffice")
        return RichText(text, markdown=True), {}
    if kind is Kind.WRITING:
        from desktop.ui.reader.formats.word import load_word

        rich = load_word(data)
    else:
        from desktop.ui.reader.formats.slides import load_slides

        rich = load_slides(data)
    return rich, decode_pictures(rich)


def _load_archive(data: bytes, name: str) -> tuple[Archive, Listing]:
    from desktop.ui.reader.formats.archive import open_archive

    archive = open_archive(data, name)
    return archive, archive.listing()
