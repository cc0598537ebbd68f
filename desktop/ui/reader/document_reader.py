"""The reader: one widget for PDF, OFD, pictures and text, with search, zoom, copy, outline, print and save as the lease allows.

It is handed bytes in memory, or a file on its way, and never asks for them; the page that owns it loads documents and shows failures through it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import Arriving, LocalDocument
from desktop.core.errors import AppError, Offline
from desktop.ui import i18n, theme
from desktop.ui.background import in_background
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Banner, IconButton, Menu, PaneHeader, Snack, finished, on_click
from desktop.ui.reader.find_bar import FindBar
from desktop.ui.reader.formats.format_desk import OPENED, FormatDesk
from desktop.ui.reader.formats.format_view import FormatView
from desktop.ui.reader.kinds import Kind, kind_of
from desktop.ui.reader.marking_desk import MarkingDesk
from desktop.ui.reader.marks import AnnotationVerbs, Marks
from desktop.ui.reader.page_hits import PageHits
from desktop.ui.reader.page_source import DocumentProblem
from desktop.ui.reader.picture_view import PictureView, decode_picture
from desktop.ui.reader.places import ReadingPlaces
from desktop.ui.reader.problem_pane import ProblemPane
from desktop.ui.reader.reader_tools import ReaderTools
from desktop.ui.reader.search_run import SearchRun
from desktop.ui.reader.text_decode import NotText, decode_text
from desktop.ui.reader.text_view import TextView
from desktop.ui.reader.zoom import Fit
from desktop.ui.tasks import TaskOwner, alive

if TYPE_CHECKING:
    from desktop.ui.reader.arrival_run import ArrivalRun
    from desktop.ui.reader.arriving_source import ArrivingSource
    from desktop.ui.reader.full_screen import FullScreen
    from desktop.ui.reader.outline_pane import OutlinePane
    from desktop.ui.reader.page_source import PageSource
    from desktop.ui.reader.pages_view import PagesView

KEEP_PLACE_MS = 800
PAGED = (Kind.PDF, Kind.OFD)
OUTLINE_WIDTH = 220
NOT_WHAT_WAS_SENT = frozenset({"hash", "range"})
"""Reasons for which a file that came is not the one that was sent."""


class DocumentReader(QWidget):
    """Shows one document at a time. `reader_name` and the time of opening stand across it as a watermark."""

    closed = Signal()
    retry = Signal()
    pages_shown = Signal()  # a document's pages are there, or are no more

    def __init__(
        self,
        reader_name: str,
        now_ms: Callable[[], int],
        parent: QWidget | None = None,
        *,
        places: ReadingPlaces | None = None,
        marks: tuple[AnnotationVerbs, str] | None = None,
        name_of: Callable[[str], str] = str,
    ) -> None:
        super().__init__(parent)
        self._places = places
        self._full: FullScreen | None = None
        self._name_of = name_of
        self._marking_desk = MarkingDesk(Marks(*marks, self), name_of, self) if marks is not None else None
        self.setObjectName("documentReader")
        self.tasks = TaskOwner(self)
        self._reader_name, self._now_ms = reader_name, now_ms
        self._document: LocalDocument | None = None
        self._arrival: ArrivalRun | None = None
        self._title, self._lease_note = "", ""
        self._pages_kind, self._password = Kind.PDF, ""
        self._sheets: PagesView | None = None
        self._outline: OutlinePane | None = None
        self._run = SearchRun(self)
        self._hits = PageHits(self._run, lambda: self._sheets if self.kind in PAGED else None, self)
        self._formats = FormatDesk(self)
        self._outer: list[tuple[str, LocalDocument, str]] = []
        self._shown_first = False
        self._build_ui()
        self._bind()

    # ---- build
    def _build_ui(self) -> None:
        self.header = PaneHeader()
        self._back = IconButton("arrow-left", "reader.back")
        self._back.setObjectName("readerBack")
        layout = self.header.layout()
        assert layout is not None
        layout.insertWidget(0, self._back)  # type: ignore[attr-defined]  # PaneHeader's layout is a QHBoxLayout
        self._tools = ReaderTools(self.header)
        self._find = FindBar(self._run)
        self._find.hide()
        self._note = Banner()
        self._problem = ProblemPane()
        self._picture = PictureView()
        self._text = TextView()
        self._stack = QStackedWidget()
        for widget in (self._problem, self._picture, self._text):
            self._stack.addWidget(widget)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.addWidget(self._stack)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._note)
        column.addWidget(self._find)
        if self._marking_desk is not None:
            column.addWidget(self._marking_desk.bar)
        column.addWidget(self._split, 1)
        self._snack = Snack(self)

    def _bind(self) -> None:
        on_click(self._back, self.leave)
        on_click(self._tools.search_button, self.open_find)
        on_click(self._tools.smaller, lambda: self._zoom_step(-1))
        on_click(self._tools.larger, lambda: self._zoom_step(1))
        on_click(self._tools.fit_width, lambda: self._set_fit(Fit.WIDTH))
        on_click(self._tools.fit_page, lambda: self._set_fit(Fit.PAGE))
        on_click(self._tools.turn, self.turn)
        on_click(self._tools.copy, self.copy)
        on_click(self._tools.print, self.print_document)
        on_click(self._tools.save, self.save_as)
        on_click(self._tools.more, self._open_menu)
        if self._marking_desk is not None:
            self._tools.pen.toggled.connect(self._marking_desk.show_bar)
            self._marking_desk.bar.closed.connect(lambda: self._tools.pen.setChecked(False))
            self._marking_desk.marks.failed.connect(lambda error: self._snack.say(error_text(error)))
        self._tools.outline_button.toggled.connect(self._show_outline)
        self._tools.page.returnPressed.connect(self._go_to_typed_page)
        self._find.searched.connect(self._search)
        self._find.moved.connect(self._move)
        self._find.closed.connect(self.close_find)
        self._run.changed.connect(self._on_hits)
        self._picture.zoom_changed.connect(self._refresh_zoom)
        self._text.zoom_changed.connect(self._refresh_zoom)
        self._picture.copy_refused.connect(self._say_no_copy)
        self._text.copy_refused.connect(self._say_no_copy)
        self._formats.made.connect(self._take_view)
        self._formats.ready.connect(self._on_format)
        self._formats.failed.connect(lambda code: self._fail(f"reader.problem.{code}"))
        self._formats.refused.connect(lambda code: self._snack.say(tr(f"reader.problem.{code}")))
        self._formats.entry_read.connect(self._open_entry)
        self._problem.retry.connect(self.retry)
        self._problem.password_given.connect(self._open_with_password)
        self._placing = QTimer(self, interval=KEEP_PLACE_MS, singleShot=True)
        self._placing.timeout.connect(self._keep_place)
        i18n.changed.connect(self._retranslate)
        for keys, action in (
            (QKeySequence(QKeySequence.StandardKey.Find), self.open_find),
            (QKeySequence("Ctrl+="), lambda: self._zoom_step(1)),
            (QKeySequence("Ctrl++"), lambda: self._zoom_step(1)),
            (QKeySequence("Ctrl+-"), lambda: self._zoom_step(-1)),
            (QKeySequence("Ctrl+0"), lambda: self._set_fit(Fit.WIDTH)),
            (QKeySequence("F11"), self.full_screen),
            (QKeySequence("Ctrl+R"), self.turn),
            (QKeySequence("F3"), lambda: self._move(1)),
            (QKeySequence("Shift+F3"), lambda: self._move(-1)),
            (QKeySequence(QKeySequence.StandardKey.Print), self.print_document),
        ):
            shortcut = QShortcut(keys, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    # ---- what is shown
    @property
    def pages(self) -> PagesView | None:
        """The view of the pages, while a document with pages is shown."""
        return self._sheets if self.kind in PAGED and self._sheets is not None and self._sheets.source else None

    @property
    def kind(self) -> Kind | None:
        """What is shown now; None while loading or when it can't be."""
        shown = self._stack.currentWidget()
        if shown is self._problem:
            return None
        other = self._formats.kind_of_view(shown)
        if other is not None:
            return other
        return {id(self._picture): Kind.PICTURE, id(self._text): Kind.TEXT}.get(id(shown), self._pages_kind)

    def show_loading(self, title: str) -> None:
        """Something is on its way."""
        self._reset(title)
        self._problem.show_loading()
        self._show(self._problem)

    def show_failure(self, title: str, error: AppError) -> None:
        """It could not be had; says why and what to do."""
        self._reset(title)
        if error.code == "leaseExpired":
            until = error.data.get("until")
            day = when.date(until) if isinstance(until, int) and until else ""
            self._problem.show_problem("clock", tr("reader.problem.leaseExpired", day=day), retry=True)
        elif isinstance(error, Offline):
            self._problem.show_problem("wifi-slash", tr("reader.problem.notKept"), retry=True)
        elif {error.data.get("reason"), error.data.get("type")} & NOT_WHAT_WAS_SENT:
            self._problem.show_problem("file-x", tr("reader.problem.withdrawn"), retry=True)
        else:
            self._problem.show_problem("warning-circle", error_text(error), retry=True)
        self._show(self._problem)

    def show_document(self, title: str, document: LocalDocument, *, note: str = "") -> None:
        """Shows a document; `note` stands under the header, e.g. the lease. One on its way is shown page by page as it comes."""
        self._reset(title)
        self._outer.clear()
        until = document.lease_until
        self._lease_note = note or (tr("reader.lease_until", time=when.date_time(until)) if until else "")
        self._document = document
        if document.arriving is not None:
            self._follow(document, document.arriving)
            return
        self._show_note()
        self._open(document)

    def _show_note(self) -> None:
        if self._lease_note:
            self._note.show_text(self._lease_note, tone="accent", icon="cloud-check")
        else:
            self._note.hide()

    # ---- on its way
    def _follow(self, document: LocalDocument, arriving: Arriving) -> None:
        from desktop.ui.reader.arrival_run import ArrivalRun

        if self._arrival is None:
            self._arrival = ArrivalRun(self)
            self._arrival.opened.connect(self._on_first_pages)
            self._arrival.moved.connect(self._on_more)
            self._arrival.whole.connect(self._on_whole)
            self._arrival.failed.connect(lambda error: self.show_failure(self._title, error))
        self._show(self._problem)
        self._arrival.follow(kind_of(b"", document.name, document.type), arriving)
        self._on_more()

    def _on_first_pages(self, source: ArrivingSource) -> None:
        document = self._document
        if document is None or document.arriving is None:
            source.close()
            return
        self._pages_kind = kind_of(b"", document.name, document.type)
        view = self._pages_view()
        view.may_copy, view.watermark = document.may_copy, self._watermark()
        source.sizes_found.found.connect(view.resize_page)
        self._show(view)
        view.show_source(source)
        self._refresh_page(0)
        view.setFocus()
        self._on_more()

    def _on_more(self) -> None:
        """Pages that were waited for are asked for again."""
        self._tell_progress()
        if self._sheets is not None:
            self._sheets.viewport().update()

    def _tell_progress(self) -> None:
        """How far it is."""
        run, view = self._arrival, self._sheets
        if run is None or run.arriving is None:
            return
        source = view.source if view is not None else None
        if run.held:
            text = tr("reader.arriving.held" if run.arriving.error else "reader.arriving.paused", percent=run.percent)
        elif view is not None and source is not None:
            page = max(0, view.page)
            key = "reader.arriving.readable" if source.here(page) else "reader.arriving.soon"
            text = tr(key, page=page + 1, percent=run.percent)
        else:
            text = tr("reader.arriving.loading", percent=run.percent)
        if source is not None:
            self._note.show_text(text, tone="accent", icon="cloud-arrow-down")
        else:
            self._problem.show_loading(text)

    def _on_whole(self, data: bytes) -> None:
        document = self._document
        if document is None or document.arriving is None:
            return
        self._document = document = replace(document, data=data, arriving=None)
        self._show_note()
        self._open(document)

    @property
    def _waiting(self) -> bool:
        """Whether the file is still on its way: its text and the file itself cannot be had yet."""
        return self._document is not None and self._document.arriving is not None

    def _open(self, document: LocalDocument, password: str = "") -> None:
        kind = Kind.PDF if document.pages else kind_of(document.data[:2048], document.name, document.type)
        match kind:
            case Kind.PDF | Kind.OFD:
                self._open_pages(kind, document, password)
            case Kind.PICTURE:
                self._problem.show_loading()
                self._show(self._problem)
                self.tasks.start(self._open_picture(document), name="decode", exclusive=True)
            case Kind.TEXT:
                self._open_text(document)
            case _ if kind in OPENED:
                self._problem.show_loading()
                self._show(self._problem)
                self._formats.open(kind, document, self._watermark())
            case _:
                self._fail("reader.problem.unsupportedType")

    def _open_pages(self, kind: Kind, document: LocalDocument, password: str) -> None:
        try:
            source = _open_source(kind, document.pages or document.data, password)
        except DocumentProblem as problem:
            asks = problem.code in ("passwordNeeded", "passwordWrong")
            icon = "lock-key" if asks else "file-x"
            self._problem.show_problem(icon, tr(f"reader.problem.{problem.code}"), password=asks)
            self._show(self._problem)
            return
        self._pages_kind, self._password = kind, password
        view = self._pages_view()
        view.may_copy, view.watermark = document.may_copy, self._watermark()
        self._show(view)
        before = view.page if view.source is not None else 0
        if view.source is not None:  # its first pages were shown while it came
            view.take_over(source)
        else:
            view.show_source(source)
        self._run.set_document(source.page_count, source.find)
        headings = source.outline()
        self._tools.outline_button.setEnabled(bool(headings))
        assert self._outline is not None
        self._outline.show_outline(headings)
        self._outline.setVisible(bool(headings) and self._tools.outline_button.isChecked())
        self._refresh_page(before)
        view.setFocus()
        self.pages_shown.emit()
        if self._marking_desk is not None:
            self._marking_desk.marks.show_target(document.target)
            self._tools.pen.setVisible(document.target is not None)
        if self._places is not None:
            self.tasks.start(self._find_place(document, self._places), name="place", exclusive=True)

    def _pages_view(self) -> PagesView:
        if self._sheets is None:
            from desktop.ui.reader.outline_pane import OutlinePane
            from desktop.ui.reader.pages_view import PagesView

            self._sheets = PagesView()
            self._sheets.setObjectName("readerPages")
            self._sheets.page_changed.connect(self._refresh_page)
            self._sheets.page_changed.connect(self._tell_progress)
            self._sheets.page_changed.connect(self._on_moved)
            self._sheets.zoom_changed.connect(self._on_moved)
            self._sheets.zoom_changed.connect(self._refresh_zoom)
            self._sheets.copy_refused.connect(self._say_no_copy)
            self._sheets.marks_needed.connect(self._hits.start)
            self._sheets.page_drawn.connect(self._tell_progress)
            self._stack.addWidget(self._sheets)
            if self._marking_desk is not None:
                self._marking_desk.lie_over(self._sheets)
            self._outline = OutlinePane()
            self._outline.chosen.connect(self._sheets.go_to)
            self._outline.hide()
            self._split.insertWidget(0, self._outline)
            self._split.setSizes([theme.scaled(OUTLINE_WIDTH), self.width() - theme.scaled(OUTLINE_WIDTH)])
            self._split.setStretchFactor(1, 1)
        return self._sheets

    async def _open_picture(self, document: LocalDocument) -> None:
        image = await in_background(decode_picture, document.data)
        if not alive(self) or self._document is not document:
            return
        if image is None:
            self._fail("reader.problem.brokenPicture")
            return
        self._picture.may_copy, self._picture.watermark = document.may_copy, self._watermark()
        self._show(self._picture)
        self._picture.show_image(image)
        self._picture.setFocus()

    def _open_text(self, document: LocalDocument) -> None:
        try:
            text, _ = decode_text(document.data)
        except NotText:
            self._fail("reader.problem.notText")
            return
        self._text.may_copy, self._text.watermark = document.may_copy, self._watermark()
        self._show(self._text)
        self._text.show_text(text)
        self._run.set_document(self._text.parts, self._text.find_in)
        self._text.setFocus()

    # ---- formats beyond pages, and what lies in archives
    def _take_view(self, view: QWidget) -> None:
        made = cast("FormatView", view)
        made.zoom_changed.connect(self._refresh_zoom)
        made.copy_refused.connect(self._say_no_copy)
        self._stack.addWidget(view)

    def _on_format(self, view: QWidget) -> None:
        self._show(view)
        made = cast("FormatView", view)
        if made.searches:
            self._run.set_document(made.parts, made.find_in)
        view.setFocus()

    def _open_entry(self, name: str, data: bytes) -> None:
        """An entry stands where its archive stood, under the same rights; back leads to the archive."""
        archive = self._document
        if archive is None:
            return
        self._outer.append((self._title, archive, self._lease_note))
        note = self._lease_note
        self._reset(name)
        self._lease_note = note
        self._document = replace(archive, name=name, type="", data=data, target=None, pages=b"")
        self._show_note()
        self._open(self._document)

    def leave(self) -> None:
        """Back to the archive an entry came out of, else out of the reader."""
        if not self._outer:
            self.closed.emit()
            return
        title, document, note = self._outer.pop()
        self._reset(title)
        self._document, self._lease_note = document, note
        self._show_note()
        self._open(document)

    def on_marks_changed(self) -> None:
        """Somebody marked a document."""
        if self._marking_desk is not None:
            self._marking_desk.marks.reload()

    # ---- where reading stopped
    async def _find_place(self, document: LocalDocument, places: ReadingPlaces) -> None:
        place = await places.load(document.data)
        if alive(self) and self._document is document and self._sheets is not None and self._sheets.page <= 0:
            self._sheets.take_place(place)

    def _keep_place(self) -> None:
        shown = self._sheets if self.kind in PAGED else None
        if self._places is None or self._document is None or shown is None or shown.source is None or self._waiting:
            return
        self.tasks.start(self._places.keep(self._document.data, shown.place()), name="keep place", exclusive=True)

    def _open_with_password(self, password: str) -> None:
        if self._document is not None:
            self._open(self._document, password)

    def _fail(self, key: str) -> None:
        self._problem.show_problem("file-x", tr(key))
        self._show(self._problem)

    def clear(self) -> None:
        """Forgets the document: its bytes leave memory."""
        self._reset("")
        self._outer.clear()
        self._show(self._problem)

    def _reset(self, title: str) -> None:
        self.tasks.cancel("decode")
        if self._placing.isActive():
            self._placing.stop()
            self._keep_place()
        if self._arrival is not None:
            self._arrival.stop()
        self._document, self._title, self._lease_note = None, title, ""
        self._tools.pen.setChecked(False)
        if self._marking_desk is not None:
            self._marking_desk.marks.show_target(None)
        self._hits.forget()
        self.header.title.setText(title)
        self._note.hide()
        self._find.hide()
        self._find.box.clear()
        self._run.set_document(0, None)
        if self._sheets is not None:
            self._sheets.clear()
            self.pages_shown.emit()
        if self._outline is not None:
            self._outline.hide()
        self._picture.clear()
        self._text.show_text("")
        self._formats.clear()

    def _watermark(self) -> str:
        return f"{self._reader_name} {when.date_time(self._now_ms())}"

    def _show(self, widget: QWidget) -> None:
        self._stack.setCurrentWidget(widget)
        kind, document = self.kind, self._document
        paged = kind in PAGED
        marked = paged and document is not None and document.target is not None and self._marking_desk is not None
        self._tools.show_for(
            kind, document, paged=paged, other=self._other_view(), marked=marked, waiting=self._waiting
        )
        self._refresh_zoom()

    def _retranslate(self) -> None:
        self._refresh_page(self._sheets.page if self._sheets else 0)
        self._find.refresh()

    # ---- pages and zoom
    def _refresh_page(self, page: int) -> None:
        if self._sheets is None or self._sheets.source is None:
            return
        if not self._tools.page.hasFocus():
            self._tools.page.setText(str(max(0, page) + 1))
        self._tools.pages.setText(f"/ {self._sheets.source.page_count}")
        self._sheets.setAccessibleName(tr("reader.page_of", n=max(0, page) + 1, total=self._sheets.source.page_count))

    def _on_moved(self) -> None:
        """Another page or size: where to go on reading."""
        if self._places is not None:
            self._placing.start()

    def turn(self) -> None:
        """Turns pages or the picture a quarter clockwise."""
        if self.kind is Kind.PICTURE:
            self._picture.rotate()
        elif self.kind in PAGED and self._sheets is not None:
            self._hits.forget()
            self._sheets.turn()

    def _set_two_pages(self, two: bool) -> None:
        if self._sheets is not None:
            self._sheets.set_columns(2 if two else 1)

    def full_screen(self) -> None:
        """Shows the document alone on the whole screen; Esc or F11 comes back to the page one was at."""
        if self.kind not in PAGED or self._document is None or self._sheets is None or self._tell_waiting():
            return
        if self._full is None:
            from desktop.ui.reader.full_screen import FullScreen

            self._full = FullScreen()
            self._full.left.connect(self._on_full_left)
        try:
            source = _open_source(self._pages_kind, self._document.pages or self._document.data, self._password)
        except DocumentProblem:  # it opened before: memory is short
            self._snack.say(tr("reader.no_full_screen"))
            return
        self._full.show_source(source, self._sheets, self.window())

    def _on_full_left(self, page: int) -> None:
        if self._sheets is not None and self._sheets.source is not None:
            self._sheets.go_to(page)
            self._sheets.setFocus()

    def _open_menu(self) -> None:
        menu = Menu(self, leaves=True)
        sheets = self._sheets
        if sheets is None:
            return
        for tool in self._tools.in_menu:
            action_ = menu.addAction(tool.toolTip(), tool.click)
            action_.setEnabled(tool.isEnabled())
        for key, action, keys in (
            ("reader.rotate", self.turn, "Ctrl+R"),
            ("reader.full_screen", self.full_screen, "F11"),
        ):
            menu.addAction(f"{tr(key)}\t{keys}", action)
        two = menu.addAction(tr("reader.two_pages"))
        two.setCheckable(True)
        two.setChecked(sheets.columns == 2)
        two.toggled.connect(self._set_two_pages)
        menu.popup(self._tools.more.mapToGlobal(self._tools.more.rect().bottomLeft()))

    def _go_to_typed_page(self) -> None:
        if self._sheets is None or self._sheets.source is None:
            return
        typed = self._tools.page.text().strip()
        if typed.isdecimal() and 1 <= int(typed) <= self._sheets.source.page_count:
            self._sheets.go_to(int(typed) - 1)
        self._sheets.setFocus()
        self._refresh_page(self._sheets.page)

    def _other_view(self) -> FormatView | None:
        shown = self._stack.currentWidget()
        return cast("FormatView", shown) if self._formats.kind_of_view(shown) is not None else None

    @property
    def _searchable(self) -> bool:
        other = self._other_view()
        return other.searches if other is not None else self.kind in (*PAGED, Kind.TEXT)

    def _view(self) -> PagesView | PictureView | TextView | FormatView | None:
        shown = self._stack.currentWidget()
        other = self._other_view()
        if other is not None:
            return other
        if shown is self._sheets:
            return self._sheets
        if shown is self._picture:
            return self._picture
        return self._text if shown is self._text else None

    def _zoom_step(self, direction: int) -> None:
        view = self._view()
        if view is not None:
            view.zoom_step(direction)

    def _set_fit(self, fit: Fit) -> None:
        view = self._view()
        if isinstance(view, PictureView) or (view is not None and view is self._sheets):
            view.set_fit(fit)
        elif view is not None:
            view.set_factor(1.0)

    def _refresh_zoom(self) -> None:
        view = self._view()
        self._tools.zoom.setText(f"{view.factor * 100:.0f}%" if view else "")

    def _show_outline(self, shown: bool) -> None:
        if self._outline is not None:
            self._outline.setVisible(shown)

    # ---- search
    def open_find(self) -> None:
        """Opens the search strip, with what is selected as its text."""
        if not self._searchable or self._tell_waiting():
            return
        self._find.show()
        self._find.box.setFocus()
        self._find.box.selectAll()

    def close_find(self) -> None:
        """Closes the strip and takes the marks away."""
        self._find.hide()
        self._find.box.clear()
        view = self._view()
        if view is not None:
            cast("QWidget", view).setFocus()

    def _search(self, needle: str) -> None:
        self._shown_first = False
        self._hits.forget()
        at = self._sheets.page if self.kind in PAGED and self._sheets else 0
        self._run.start(needle, max(0, at))

    def _move(self, direction: int) -> None:
        hit = self._run.move(direction)
        if hit is not None and self.kind in PAGED:
            self._hits.reveal(hit)

    def _on_hits(self) -> None:
        marked = self._other_view() or (self._text if self.kind is Kind.TEXT else None)
        if marked is not None:
            if self._run.done or self._run.current_hit:
                marked.set_marks(self._run.hits, self._run.current_hit)
        elif self.kind in PAGED:
            self._hits.start()
            hit = self._run.current_hit
            if hit is not None and not self._shown_first:
                self._shown_first = True  # typing leads to the first hit; more hits coming in move nothing
                self._hits.reveal(hit)

    # ---- copy, print, save
    def copy(self) -> None:
        """Copies the selection, or the picture."""
        view = self._view()
        if view is None:
            return
        if self._document is not None and not self._document.may_copy:
            self._say_no_copy()
            return
        other = self._other_view()
        if other is not None:
            self._snack.say(tr("reader.copied" if other.copy_selected() else "reader.select_first"))
            return
        if isinstance(view, PictureView):
            selected = True
        elif isinstance(view, TextView):
            selected = view.textCursor().hasSelection()
        else:
            selected = bool(cast("PagesView", view).selected_text)
        if selected:
            cast("PagesView | PictureView | TextView", view).copy()
        self._snack.say(tr("reader.copied" if selected else "reader.select_first"))

    def _tell_waiting(self) -> bool:
        """Says that this comes with the whole file, while that is on its way."""
        if self._waiting:
            self._snack.say(tr("reader.arriving.wait"))
        return self._waiting

    def _say_no_copy(self) -> None:
        self._snack.say(tr("reader.no_copy"))

    def print_document(self) -> None:
        """Asks for a printer and prints, where the lease allows it."""
        if self._document is None or self.kind is None or self._tell_waiting():
            return
        if not self._document.may_print:
            self._snack.say(tr("reader.no_print"))
            return
        self.tasks.start(self._print_it(), name="print", exclusive=True)

    async def _print_it(self) -> None:
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter

        from desktop.ui.reader.printing import print_pages

        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setDocName(self._title)
        dialog = QPrintDialog(printer, self)
        if not await finished(dialog) or not alive(self):
            return
        source = self._sheets.source if self._sheets else None
        done = await print_pages(printer, source, self._stack.currentWidget(), self._watermark())
        if alive(self):
            self._snack.say(tr("reader.printed") if done else tr("reader.print_failed"))

    def save_as(self) -> None:
        """Asks for a place and writes the file there; the bytes leave the encrypted store."""
        if self._document is not None and self._document.may_copy and not self._tell_waiting():
            self.tasks.start(self._save_it(self._document), name="save", exclusive=True)

    async def _save_it(self, document: LocalDocument) -> None:
        dialog = QFileDialog(self, tr("reader.save_as"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(Path(document.name).name)
        if not await finished(dialog) or not alive(self):
            return
        try:
            await in_background(Path(dialog.selectedFiles()[0]).write_bytes, document.data)
        except OSError:
            self._snack.say(tr("reader.save_failed"))
            return
        self._snack.say(tr("reader.saved"))

    # ---- Qt events
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self._find.isVisible():
                self.close_find()
            else:
                self.leave()
            return
        super().keyPressEvent(event)


def _open_source(kind: Kind, data: bytes, password: str) -> PageSource:
    """The pages of a document; each format's code is loaded when first needed. Raises DocumentProblem."""
    if kind is Kind.OFD:
        from desktop.ui.reader.ofd_source import OfdSource

        return OfdSource(data)
    from desktop.ui.reader.pdf_source import PdfSource

    return PdfSource(data, password)
