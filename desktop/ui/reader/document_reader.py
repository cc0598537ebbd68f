"""The reader: one widget for PDF, OFD, pictures and text, with search, zoom, copy, outline, print and save as the lease allows.

It is handed bytes in memory and never asks for them; the page that owns it loads documents and shows failures through it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QLineEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import LocalDocument
from desktop.core.errors import AppError, Offline
from desktop.ui import i18n, theme
from desktop.ui.background import in_background
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Banner, IconButton, Label, Menu, PaneHeader, Snack, finished, on_click
from desktop.ui.reader.find_bar import FindBar
from desktop.ui.reader.kinds import Kind, kind_of
from desktop.ui.reader.marking_desk import MarkingDesk
from desktop.ui.reader.marks import AnnotationVerbs, Marks
from desktop.ui.reader.page_source import DocumentProblem
from desktop.ui.reader.picture_view import PictureView, decode_picture
from desktop.ui.reader.places import ReadingPlaces
from desktop.ui.reader.problem_pane import ProblemPane
from desktop.ui.reader.search_run import Hit, SearchRun
from desktop.ui.reader.text_decode import NotText, decode_text
from desktop.ui.reader.text_view import TextView
from desktop.ui.reader.zoom import Fit
from desktop.ui.tasks import TaskOwner, alive

if TYPE_CHECKING:
    from desktop.ui.reader.full_screen import FullScreen
    from desktop.ui.reader.outline_pane import OutlinePane
    from desktop.ui.reader.page_source import PageSource
    from desktop.ui.reader.pages_view import PagesView

MARK_STEP_MS = 0
KEEP_PLACE_MS = 800
PAGED = (Kind.PDF, Kind.OFD)
OUTLINE_WIDTH = 220


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
        self._title = ""
        self._pages_kind, self._password = Kind.PDF, ""
        self._sheets: PagesView | None = None
        self._outline: OutlinePane | None = None
        self._page_marks: dict[int, list[tuple[QRectF, ...]]] = {}
        self._run = SearchRun(self)
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
        self._build_actions()
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

    def _build_actions(self) -> None:
        self._page = QLineEdit()
        self._page.setObjectName("readerPageField")
        self._page.setAlignment(Qt.AlignmentFlag.AlignCenter)
        i18n.bind(self._page.setAccessibleName, "reader.page")
        self._pages = Label(role="secondary", tone="ink3")
        self._zoom = Label(role="secondary", tone="ink2")
        self._zoom.setAlignment(Qt.AlignmentFlag.AlignCenter)
        make = IconButton
        self._outline_button = make("list", "reader.outline", checkable=True, active="accent")
        self._search_button = make("magnifying-glass", "reader.search")
        self._smaller = make("minus", "reader.smaller")
        self._larger = make("plus", "reader.larger")
        self._fit_width = make("arrows-out-line-horizontal", "reader.fit_width")
        self._fit_page = make("frame-corners", "reader.fit_page")
        self._turn = make("arrow-clockwise", "reader.rotate")
        self._copy = make("copy", "reader.copy")
        self._print = make("printer", "reader.print")
        self._save = make("download-simple", "reader.save_as")
        self._pen = make("pencil-line", "reader.mark", checkable=True, active="accent")
        self._more = make("dots-three", "reader.more")
        for name in ("outline_button", "search_button", "smaller", "larger", "fit_width", "fit_page"):
            getattr(self, f"_{name}").setObjectName(f"reader_{name}")
        for name in ("turn", "copy", "pen", "print", "save", "more"):
            getattr(self, f"_{name}").setObjectName(f"reader_{name}")
        for widget in (
            self._outline_button,
            self._page,
            self._pages,
            self._search_button,
            self._smaller,
            self._zoom,
            self._larger,
            self._fit_width,
            self._fit_page,
            self._turn,
            self._copy,
            self._pen,
            self._print,
            self._save,
            self._more,
        ):
            self.header.add_action(widget)
        self._fit_sizes()

    def _fit_sizes(self) -> None:
        self._page.setFixedWidth(theme.scaled(44))
        self._zoom.setFixedWidth(theme.scaled(54))

    def _bind(self) -> None:
        on_click(self._back, self.closed.emit)
        on_click(self._search_button, self.open_find)
        on_click(self._smaller, lambda: self._zoom_step(-1))
        on_click(self._larger, lambda: self._zoom_step(1))
        on_click(self._fit_width, lambda: self._set_fit(Fit.WIDTH))
        on_click(self._fit_page, lambda: self._set_fit(Fit.PAGE))
        on_click(self._turn, self.turn)
        on_click(self._copy, self.copy)
        on_click(self._print, self.print_document)
        on_click(self._save, self.save_as)
        on_click(self._more, self._open_menu)
        if self._marking_desk is not None:
            self._pen.toggled.connect(self._marking_desk.show_bar)
            self._marking_desk.bar.closed.connect(lambda: self._pen.setChecked(False))
            self._marking_desk.marks.failed.connect(lambda error: self._snack.say(error_text(error)))
        self._outline_button.toggled.connect(self._show_outline)
        self._page.returnPressed.connect(self._go_to_typed_page)
        self._find.searched.connect(self._search)
        self._find.moved.connect(self._move)
        self._find.closed.connect(self.close_find)
        self._run.changed.connect(self._on_hits)
        self._picture.zoom_changed.connect(self._refresh_zoom)
        self._text.zoom_changed.connect(self._refresh_zoom)
        self._picture.copy_refused.connect(self._say_no_copy)
        self._text.copy_refused.connect(self._say_no_copy)
        self._problem.retry.connect(self.retry)
        self._problem.password_given.connect(self._open_with_password)
        self._placing = QTimer(self, interval=KEEP_PLACE_MS, singleShot=True)
        self._placing.timeout.connect(self._keep_place)
        self._marking = QTimer(self, interval=MARK_STEP_MS, singleShot=True)
        self._marking.timeout.connect(self._mark_visible)
        theme.changed.connect(self._fit_sizes)
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
        else:
            self._problem.show_problem("warning-circle", error_text(error), retry=True)
        self._show(self._problem)

    def show_document(self, title: str, document: LocalDocument, *, note: str = "") -> None:
        """Shows a document; `note` stands under the header, e.g. the lease."""
        self._reset(title)
        self._document = document
        if note:
            self._note.show_text(note, tone="accent", icon="cloud-check")
        self._open(document)

    def _open(self, document: LocalDocument, password: str = "") -> None:
        match kind_of(document.data[:2048], document.name, document.type):
            case (Kind.PDF | Kind.OFD) as kind:
                self._open_pages(kind, document, password)
            case Kind.PICTURE:
                self._problem.show_loading()
                self._show(self._problem)
                self.tasks.start(self._open_picture(document), name="decode", exclusive=True)
            case Kind.TEXT:
                self._open_text(document)
            case Kind.OTHER:
                self._fail("reader.problem.unsupportedType")

    def _open_pages(self, kind: Kind, document: LocalDocument, password: str) -> None:
        try:
            source = _open_source(kind, document.data, password)
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
        view.show_source(source)
        self._run.set_document(source.page_count, source.find)
        headings = source.outline()
        self._outline_button.setEnabled(bool(headings))
        assert self._outline is not None
        self._outline.show_outline(headings)
        self._outline.setVisible(bool(headings) and self._outline_button.isChecked())
        self._refresh_page(0)
        view.setFocus()
        self.pages_shown.emit()
        if self._marking_desk is not None:
            self._marking_desk.marks.show_target(document.target)
            self._pen.setVisible(document.target is not None)
        if self._places is not None:
            self.tasks.start(self._find_place(document, self._places), name="place", exclusive=True)

    def _pages_view(self) -> PagesView:
        if self._sheets is None:
            from desktop.ui.reader.outline_pane import OutlinePane
            from desktop.ui.reader.pages_view import PagesView

            self._sheets = PagesView()
            self._sheets.setObjectName("readerPages")
            self._sheets.page_changed.connect(self._refresh_page)
            self._sheets.page_changed.connect(self._on_moved)
            self._sheets.zoom_changed.connect(self._on_moved)
            self._sheets.zoom_changed.connect(self._refresh_zoom)
            self._sheets.copy_refused.connect(self._say_no_copy)
            self._sheets.marks_needed.connect(self._marking.start)
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
        if self._places is None or self._document is None or shown is None or shown.source is None:
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
        self._show(self._problem)

    def _reset(self, title: str) -> None:
        self.tasks.cancel("decode")
        if self._placing.isActive():
            self._placing.stop()
            self._keep_place()
        self._document, self._title = None, title
        self._pen.setChecked(False)
        if self._marking_desk is not None:
            self._marking_desk.marks.show_target(None)
        self._page_marks = {}
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

    def _watermark(self) -> str:
        return f"{self._reader_name} {when.date_time(self._now_ms())}"

    def _show(self, widget: QWidget) -> None:
        self._stack.setCurrentWidget(widget)
        kind, document = self.kind, self._document
        paged = kind in PAGED
        for part in (self._page, self._pages, self._outline_button):
            part.setVisible(paged)
        self._search_button.setVisible(kind in (*PAGED, Kind.TEXT))
        for part in (self._smaller, self._zoom, self._larger):
            part.setVisible(kind is not None)
        for part in (self._fit_width, self._fit_page):
            part.setVisible(kind in (*PAGED, Kind.PICTURE))
        self._turn.setVisible(kind is Kind.PICTURE)
        self._copy.setVisible(kind is not None)
        self._print.setVisible(kind is not None)
        self._save.setVisible(document is not None)
        self._more.setVisible(paged)
        self._pen.setVisible(
            paged and document is not None and document.target is not None and self._marking_desk is not None
        )
        if document is not None:
            self._allow(self._copy, document.may_copy, "reader.copy", "reader.no_copy")
            self._allow(self._print, document.may_print, "reader.print", "reader.no_print")
            self._allow(self._save, document.may_copy, "reader.save_as", "reader.no_save")
        self._refresh_zoom()

    @staticmethod
    def _allow(button: IconButton, allowed: bool, key: str, refusal: str) -> None:
        """A button that is off says why."""
        button.setEnabled(allowed)
        i18n.bind(button.setToolTip, key if allowed else refusal)
        i18n.bind(button.setAccessibleName, key if allowed else refusal)

    def _retranslate(self) -> None:
        self._refresh_page(self._sheets.page if self._sheets else 0)
        self._find.refresh()

    # ---- pages and zoom
    def _refresh_page(self, page: int) -> None:
        if self._sheets is None or self._sheets.source is None:
            return
        if not self._page.hasFocus():
            self._page.setText(str(max(0, page) + 1))
        self._pages.setText(f"/ {self._sheets.source.page_count}")
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
            self._page_marks = {}
            self._sheets.turn()

    def _set_two_pages(self, two: bool) -> None:
        if self._sheets is not None:
            self._sheets.set_columns(2 if two else 1)

    def full_screen(self) -> None:
        """Shows the document alone on the whole screen; Esc or F11 comes back to the page one was at."""
        if self.kind not in PAGED or self._document is None or self._sheets is None:
            return
        if self._full is None:
            from desktop.ui.reader.full_screen import FullScreen

            self._full = FullScreen()
            self._full.left.connect(self._on_full_left)
        try:
            source = _open_source(self._pages_kind, self._document.data, self._password)
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
        for key, action, keys in (
            ("reader.rotate", self.turn, "Ctrl+R"),
            ("reader.full_screen", self.full_screen, "F11"),
        ):
            menu.addAction(f"{tr(key)}\t{keys}", action)
        two = menu.addAction(tr("reader.two_pages"))
        two.setCheckable(True)
        two.setChecked(sheets.columns == 2)
        two.toggled.connect(self._set_two_pages)
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    def _go_to_typed_page(self) -> None:
        if self._sheets is None or self._sheets.source is None:
            return
        typed = self._page.text().strip()
        if typed.isdecimal() and 1 <= int(typed) <= self._sheets.source.page_count:
            self._sheets.go_to(int(typed) - 1)
        self._sheets.setFocus()
        self._refresh_page(self._sheets.page)

    def _view(self) -> PagesView | PictureView | TextView | None:
        shown = self._stack.currentWidget()
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
        if isinstance(view, TextView):
            view.set_factor(1.0)
        elif view is not None:
            view.set_fit(fit)

    def _refresh_zoom(self) -> None:
        view = self._view()
        self._zoom.setText(f"{view.factor * 100:.0f}%" if view else "")

    def _show_outline(self, shown: bool) -> None:
        if self._outline is not None:
            self._outline.setVisible(shown)

    # ---- search
    def open_find(self) -> None:
        """Opens the search strip, with what is selected as its text."""
        if self.kind not in (*PAGED, Kind.TEXT):
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
            view.setFocus()

    def _search(self, needle: str) -> None:
        self._page_marks, self._shown_first = {}, False
        at = self._sheets.page if self.kind in PAGED and self._sheets else 0
        self._run.start(needle, max(0, at))

    def _move(self, direction: int) -> None:
        hit = self._run.move(direction)
        if hit is not None and self.kind in PAGED:
            self._reveal(hit)

    def _on_hits(self) -> None:
        if self.kind is Kind.TEXT:
            if self._run.done or self._run.current_hit:
                self._text.set_marks(self._run.hits, self._run.current_hit)
        elif self.kind in PAGED:
            self._marking.start()
            hit = self._run.current_hit
            if hit is not None and not self._shown_first:
                self._shown_first = True  # typing leads to the first hit; more hits coming in move nothing
                self._reveal(hit)

    def _reveal(self, hit: Hit) -> None:
        assert self._sheets is not None
        if self._sheets.source is not None:
            rectangles = self._sheets.source.rectangles(hit.part, hit.span)
            if rectangles:
                self._sheets.reveal(hit.part, rectangles[0])

    def _mark_visible(self) -> None:
        """Finds where the hits of the pages in view stand; a page with many is done in several steps."""
        view, source = self._sheets, self._sheets.source if self._sheets else None
        if view is None or source is None or self.kind not in PAGED:
            return
        if not self._run.hits:
            view.set_marks({}, None)
            return
        wanted = view.visible_pages()
        budget = 8
        for page in wanted:
            hits = [hit for hit in self._run.hits if hit.part == page]
            known = self._page_marks.setdefault(page, [])
            while len(known) < len(hits) and budget:
                known.append(source.rectangles(page, hits[len(known)].span))
                budget -= 1
        current = self._run.current_hit
        place = (current.part, source.rectangles(current.part, current.span)) if current else None
        view.set_marks(self._page_marks, place)
        if not budget:
            self._marking.start()

    # ---- copy, print, save
    def copy(self) -> None:
        """Copies the selection, or the picture."""
        view = self._view()
        if view is None:
            return
        if self._document is not None and not self._document.may_copy:
            self._say_no_copy()
            return
        if isinstance(view, PictureView):
            selected = True
        elif isinstance(view, TextView):
            selected = view.textCursor().hasSelection()
        else:
            selected = bool(view.selected_text)
        if selected:
            view.copy()
        self._snack.say(tr("reader.copied" if selected else "reader.select_first"))

    def _say_no_copy(self) -> None:
        self._snack.say(tr("reader.no_copy"))

    def print_document(self) -> None:
        """Asks for a printer and prints, where the lease allows it."""
        if self._document is None or self.kind is None:
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
        done = await print_pages(
            printer, self._sheets.source if self._sheets else None, self._view(), self._watermark()
        )
        if alive(self):
            self._snack.say(tr("reader.printed") if done else tr("reader.print_failed"))

    def save_as(self) -> None:
        """Asks for a place and writes the file there; the bytes leave the encrypted store."""
        if self._document is not None and self._document.may_copy:
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
                self.closed.emit()
            return
        super().keyPressEvent(event)


def _open_source(kind: Kind, data: bytes, password: str) -> PageSource:
    """The pages of a document; each format's code is loaded when first needed. Raises DocumentProblem."""
    if kind is Kind.OFD:
        from desktop.ui.reader.ofd_source import OfdSource

        return OfdSource(data)
    from desktop.ui.reader.pdf_source import PdfSource

    return PdfSource(data, password)
