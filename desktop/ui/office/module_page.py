"""A module's page (mockup 5): its views as tabs, search, export, one primary button, the view at the left and a record or form beside it.

Opened for every module that has no page of its own; everything on it comes from the definition. Remembers tab and pane for the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.clock import SystemClock
from desktop.core.domain import Attachment, LocalDocument
from desktop.core.domain.definition import Field, View
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.core.events import EditRefused, Event
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Card, EmptyState, Menu, Snack, on_click
from desktop.ui.layouts import discard
from desktop.ui.office.frame.view_frame import ViewFrame
from desktop.ui.office.module_header import ModuleHeader
from desktop.ui.office.views.base import ENVELOPE, STATE, RecordsSession, ViewContext, load_kind, view_label
from desktop.ui.shell.navigator import Navigator
from desktop.ui.tasks import TaskOwner, alive, present

if TYPE_CHECKING:  # workbooks and the pane of a record take a while to load
    from desktop.ui.office.exchange.export_bar import ExportBar
    from desktop.ui.office.record.detail import RecordDetail

PANE_WIDTH: Final = 340
PANE_NARROWEST: Final = 280
VIEW_NARROWEST: Final = 190
GAP: Final = 14
WARM_MS: Final = 60
REGISTER_YEARS: Final = 5
FOLLOW_MS: Final = 180
"""Arrows run through rows faster than a pane can be read."""


class ModulePage(QWidget):
    """Signals:
    back_asked: to the workbench.
    link_asked: a record of another module, or a colleague (type, id).
    title_changed: the module's name in the language in use.
    document_loading, document_opened, document_failed: a file for the reader: title; title and LocalDocument; title and AppError.
    """

    back_asked = Signal()
    link_asked = Signal(str, str)
    title_changed = Signal(str)
    document_loading = Signal(str)
    document_opened = Signal(str, object)
    document_failed = Signal(str, object)

    def __init__(
        self,
        session: RecordsSession,
        navigator: Navigator,
        module_id: str,
        now_ms: Callable[[], int],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("modulePage")
        self.setProperty("surface", "bg")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.module_id = module_id
        self._session, self._navigator = session, navigator
        self.tasks = TaskOwner(self)
        self.context = ViewContext(session, module_id, now_ms, self)
        self.frames: dict[str, ViewFrame] = {}
        self._key = f"{module_id}/page"
        self._kept: dict[str, Any] = {}
        self._ready = False
        self._waiting: Callable[[], None] | None = None
        self._export: ExportBar | None = None
        self._detail: RecordDetail | None = None
        self._build_ui()
        self._bind()
        self.load()

    # ---- build
    def _build_ui(self) -> None:
        self.header = header = ModuleHeader(self)
        self.back, self.title, self.tabs, self.search = header.back, header.title, header.tabs, header.search
        self.export, self.new, self.more = header.export, header.new, header.more
        self._rooms = QStackedWidget(self)
        self.state = EmptyState("hourglass-medium", "common.loading", parent=self._rooms)
        self.state.setObjectName("moduleState")
        self._body = QWidget(self._rooms)
        inner = QVBoxLayout(self._body)
        inner.setContentsMargins(18, 16, 18, 16)
        self.split = QSplitter(Qt.Orientation.Horizontal, self._body)
        self.split.setProperty("look", "open")
        self.split.setHandleWidth(GAP)
        self.split.setChildrenCollapsible(False)
        inner.addWidget(self.split)
        left = self._left_card = Card(padding=0)
        left.body.setContentsMargins(1, 1, 1, 1)
        self.split.addWidget(left)
        self.left = QStackedWidget()
        left.body.addWidget(self.left)
        self.stack = QStackedWidget()
        self.left.addWidget(self.stack)
        self.detail_card = Card(padding=0)
        self.detail_card.setObjectName("detailCard")
        self.detail_card.hide()
        self.split.addWidget(self.detail_card)
        self.split.setStretchFactor(0, 1)
        self.split.setStretchFactor(1, 0)
        self._rooms.addWidget(self.state)
        self._rooms.addWidget(self._body)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.header)
        self._column.addWidget(self._rooms, 1)
        self._snack = Snack(left)  # over the view: beside it stand the buttons of what it speaks of
        self._fit()

    def _fit(self) -> None:
        self.detail_card.setMinimumWidth(theme.scaled(PANE_NARROWEST))
        self._left_card.setMinimumWidth(theme.scaled(VIEW_NARROWEST))  # else what the widest of all its tabs would like

    def _bind(self) -> None:
        self._warm = QTimer(self, interval=WARM_MS, singleShot=True)
        self._warm.timeout.connect(self._load_next_kind)
        self._follow = QTimer(self, interval=FOLLOW_MS, singleShot=True)
        self._follow.timeout.connect(self._follow_selection)
        self._selected: list[str] = []
        self.tabs.chosen.connect(self.show_view)
        self.search.searched.connect(self._on_searched)
        self.context.definition_changed.connect(self._on_definition)
        self.split.splitterMoved.connect(lambda _place, _index: self._remember_width())
        self.state.action.clicked.connect(self.load)
        i18n.changed.connect(self._relabel)
        theme.changed.connect(self._fit)
        on_click(self.back, self.back_asked.emit)
        on_click(self.new, self.new_record)
        on_click(self.export, lambda: self.export_menu().popup(_below(self.export)))
        on_click(self.more, lambda: self.more_menu().popup(_below(self.more)))
        for keys, action in (
            (QKeySequence(QKeySequence.StandardKey.Find), self.focus_search),
            (QKeySequence(QKeySequence.StandardKey.New), self.new_record),
            (QKeySequence(QKeySequence.StandardKey.Refresh), self.reload),
            (QKeySequence("Ctrl+PgDown"), lambda: self.step_view(1)),
            (QKeySequence("Ctrl+PgUp"), lambda: self.step_view(-1)),
        ):
            shortcut = QShortcut(keys, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(self._session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    @property
    def detail(self) -> RecordDetail:
        """The pane of a record, made when first wanted: a page is opened to look at its view."""
        if self._detail is None:
            from desktop.ui.office.record.detail import RecordDetail

            made = self._detail = RecordDetail(self.context, self.detail_card)
            made.closed.connect(self.close_pane)
            made.opened_record.connect(self.open_record)
            made.make_asked.connect(self._navigator.new_record)
            made.saved.connect(self._on_saved)
            made.document_loading.connect(self.document_loading)
            made.document_opened.connect(self.document_opened)
            made.document_failed.connect(self.document_failed)
            self.detail_card.body.addWidget(made)
        return self._detail

    # ---- reading
    def load(self) -> None:
        """Reads definition and names, then shows the last tab; again after a failure."""
        self.state.show_text("hourglass-medium", "common.loading")
        self.state.action.hide()
        self._rooms.setCurrentWidget(self.state)
        self.tasks.start(self._load(), name="load", exclusive=True)

    async def _load(self) -> None:
        try:
            await self.context.load()
            self._kept = await self.context.records.view_state(self._key)
        except AppError as error:
            if alive(self):
                self._show_failure(error)
            return
        if alive(self):
            self._ready = True
            self._show_definition()
            self._warm.start()
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                waiting()

    def _show_failure(self, error: AppError) -> None:
        self.state.show_text("warning-circle", "office_module.failed")
        self.state.hint.setText(error_text(error))
        self.state.hint.show()
        i18n.bind(self.state.action.setText, "common.retry")
        self.state.action.show()

    def _on_definition(self) -> None:
        if self._ready:
            self._show_definition()

    def views(self) -> list[View]:
        """The tabs of this user."""
        module = self.context.module
        return list(module.views_for(frozenset(self.context.me.roles))) if module is not None else []

    def _show_definition(self) -> None:
        """Tabs as the definition has them now; views that changed are made anew, the others stay as they are."""
        views = {view.id: view for view in self.views()}
        if not views:
            self.state.show_text("prohibit", "office_module.gone", hint_key="office_module.gone_hint")
            self._rooms.setCurrentWidget(self.state)
            for key in tuple(self.frames):
                self._drop_frame(key)
            return
        for key in tuple(self.frames):
            if views.get(key) != self.frames[key].definition:
                self._drop_frame(key)
        self._rooms.setCurrentWidget(self._body)
        self._relabel()
        wanted = self.tabs.current or str(self._kept.get("tab", ""))
        self.show_view(wanted if wanted in views else next(iter(views)))

    def _load_next_kind(self) -> None:
        """While nobody does anything the code of the other tabs is loaded, one at a time."""
        if self.isVisible() and any(load_kind(str(view.kind)) for view in self.views()):
            self._warm.start()

    def _drop_frame(self, key: str) -> None:
        frame = self.frames.pop(key)
        self.stack.removeWidget(frame)
        discard(frame)

    def _relabel(self) -> None:
        module = self.context.module
        if module is None:
            return
        self.title.setText(self.context.label(module.label))
        self.setAccessibleName(self.title.text())
        self.title_changed.emit(self.title.text())
        self.tabs.set_tabs([(view.id, view_label(self.context, view)) for view in self.views()])
        self._show_new()

    def _on_event(self, event: Event) -> None:
        if not alive(self):
            return
        if isinstance(event, EditRefused) and self.context.type_of(event.type_name) is not None:
            self._say_refused(event)

    def _say_refused(self, event: EditRefused) -> None:
        module = self.context.module
        frame = self.frame
        told = frame is not None and frame.bulk is not None and frame.bulk.isVisible()  # it names the rows itself
        told = told or (self._detail is not None and self._detail.sending)  # its form does
        if module is not None and module.type(event.type_name) is not None and not told:
            self._snack.say(tr("office_module.refused"))

    # ---- tabs
    @property
    def frame(self) -> ViewFrame | None:
        """The tab that is shown."""
        return self.frames.get(self.tabs.current)

    def show_view(self, view_id: str) -> None:
        """Shows a tab; one that is not there is ignored."""
        view = next((one for one in self.views() if one.id == view_id), None)
        if view is None:
            if not self._ready:
                self._waiting = lambda: self.show_view(view_id)
            return
        if self.frame is not None and self.tabs.current != view_id:
            self.frame.leave()
        if view_id not in self.frames:
            self._add_frame(view)
        self.tabs.choose(view_id)
        frame = self.frames[view_id]
        self.stack.setCurrentWidget(frame)
        self.left.setCurrentWidget(self.stack)
        frame.set_text(self.search.text().strip())
        if self.isVisible() and not self.search.hasFocus():
            frame.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show_new()
        self._remember(tab=view_id)

    def step_view(self, step: int) -> None:
        """The next tab, or the one before."""
        keys = [view.id for view in self.views()]
        if self.tabs.current in keys:
            self.show_view(keys[(keys.index(self.tabs.current) + step) % len(keys)])

    def _add_frame(self, view: View) -> None:
        frame = ViewFrame(self.context, view, self.stack)
        self.frames[view.id] = frame
        frame.view.opened.connect(lambda record_id: self.open_record(view.type, record_id))
        frame.view.new_asked.connect(lambda prefill: self.new_record(prefill, view.type))
        frame.view.patch_asked.connect(self._on_patch)
        frame.view.action_asked.connect(self._on_action)
        frame.view.file_asked.connect(self._open_file)
        frame.view.selection_changed.connect(self._on_selection)
        frame.view.link_asked.connect(self.open_record)
        frame.view.make_asked.connect(self._navigator.new_record)
        frame.text_wanted.connect(self.search.setText)
        frame.new_asked.connect(self.new_record)
        frame.export_asked.connect(lambda: self.export_rows(chosen=True))
        self.stack.addWidget(frame)

    def _open_file(self, attachment: Attachment) -> None:
        self.detail.files.open_file(attachment)

    def _show_new(self) -> None:
        view = next((one for one in self.views() if one.id == self.tabs.current), None)
        definition = self.context.type_of(view.type) if view is not None else None
        if view is None or definition is None:
            self.new.hide()
            return
        self.new.setText(self.context.label(definition.label))
        self.new.setAccessibleName(tr("office_module.new", type=self.new.text()))
        self.new.setToolTip(f"{self.new.accessibleName()} (Ctrl+N)")
        self.new.setVisible(view.kind != "form" and self.context.records.may(None, view.type, "create"))
        self.header.offer_export(view.kind not in ("form", "chart", "desk"))
        self.search.setVisible(view.kind != "form")

    # ---- the record beside the view
    def open_link(self, type_name: str, record_id: str) -> None:
        """Shows what a link from outside points to: on the desk where its type has one, else in the pane."""
        if not self._ready:
            self._waiting = lambda: self.open_link(type_name, record_id)
            return
        desk = next((v for v in self.views() if v.kind == "desk" and type_name in (v.types or (v.type,))), None)
        if desk is not None:
            self.show_view(desk.id)
        frame = self.frame
        if desk is None or frame is None or not frame.view.open_here(type_name, record_id):
            self.open_record(type_name, record_id)

    def _on_saved(self, type_name: str, record_id: str) -> None:
        """A record was written in the pane: views mark it, a desk takes it over."""
        self._mark(type_name, record_id)
        if self.frame is not None and self.frame.definition.kind == "desk":
            self.close_pane()

    def open_record(self, type_name: str, record_id: str) -> None:
        """Shows a record in the pane. One of another module goes to whoever opens those."""
        if not self._ready:
            self._waiting = lambda: self.open_record(type_name, record_id)
            return
        module = self.context.module
        if module is None or module.type(type_name) is None:
            self.link_asked.emit(type_name, record_id)
            return
        self._show_pane()
        self.detail.show_record(type_name, record_id)
        self._mark(type_name, record_id)

    def new_record(self, prefill: Mapping[str, Any] | None = None, type_name: str = "") -> None:
        """Opens a form for a new record beside the view."""
        if not self._ready:
            self._waiting = lambda: self.new_record(prefill, type_name)
            return
        view = next((one for one in self.views() if one.id == self.tabs.current), None)
        wanted = type_name or (view.type if view is not None else "")
        if not wanted or not self.context.records.may(None, wanted, "create"):
            return
        if view is not None and view.kind == "form":
            return
        self._show_pane()
        self._mark(wanted, "")
        self.detail.new(wanted, dict(prefill or {}))

    def _show_pane(self) -> None:
        if self.detail_card.isHidden():
            self.detail_card.show()
            width = theme.scaled(int(self._kept.get("pane", PANE_WIDTH)))
            room = self.split.width() or self.width()
            width = max(theme.scaled(PANE_NARROWEST), min(width, room * 2 // 3))
            self.split.setSizes([max(1, room - width - GAP), width])

    def close_pane(self) -> None:
        """Closes the pane; the view takes the room, and the keyboard."""
        self.detail_card.hide()
        self._mark("", "")
        if self.frame is not None:
            self.frame.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _mark(self, type_name: str, record_id: str) -> None:
        for frame in self.frames.values():
            frame.view.show_record(record_id if frame.definition.type == type_name else "")

    def _on_selection(self, ids: list[str]) -> None:
        self._selected = ids
        if not self.detail_card.isHidden() and len(ids) == 1:
            self._follow.start()

    def _follow_selection(self) -> None:
        """With the pane open the arrows lead through the records."""
        frame = self.frame
        busy = self.detail.form is not None or self.detail.writing  # a form stays, also one nobody wrote into yet
        if self.detail_card.isHidden() or frame is None or len(self._selected) != 1 or busy:
            return
        if self.detail.record_id != self._selected[0]:
            self.detail.show_record(frame.definition.type, self._selected[0])
            self._mark(frame.definition.type, self._selected[0])

    def _on_patch(self, record: Record, patch: dict[str, Any]) -> None:
        self.tasks.start(self._patch(record, patch), name=f"patch-{record.id}")

    def _on_action(self, record: Record, action_name: str) -> None:
        """A gesture meant an action that asks for more: the pane asks for it."""
        self.open_record(record.type, record.id)
        self.detail.act_when_shown(action_name)

    async def _patch(self, record: Record, patch: dict[str, Any]) -> None:
        try:
            await self.context.records.update(record, patch)
        except AppError as error:
            if alive(self):
                present(error, self)
                if self.frame is not None:
                    self.frame.view.reload()  # the gesture's picture goes back to what holds

    def retry_open(self) -> None:
        """Opens the last file again, after it could not be had."""
        self.detail.retry_open()

    # ---- search, reload
    def _on_searched(self, text: str) -> None:
        if self.frame is not None:
            self.frame.set_text(text)

    def focus_search(self) -> None:
        """Puts the cursor into the search box."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def reload(self) -> None:
        """Reads again what is shown."""
        if self.frame is not None:
            self.frame.view.reload()

    # ---- export and import
    def export_menu(self) -> Menu:
        """What of the tab goes into a workbook."""
        menu = Menu(self, leaves=True)
        menu.addAction(tr("office_module.export_visible"), self.export_rows)
        menu.addAction(tr("office_module.export_all"), lambda: self.export_rows(every_field=True))
        frame = self.frame
        count = len(frame.table.grid.selected_places()) if frame is not None and frame.table is not None else 0
        if count:
            menu.addAction(tr("office_module.export_rows", n=count), lambda: self.export_rows(chosen=True))
        if frame is not None and frame.definition.register is not None:
            menu.addSeparator()
            for year in self.register_years():
                words = tr("office_register.year", year=str(year)) if year else tr("office_register.all_years")
                menu.addAction(f"{tr('office_register.print')} · {words}", partial(self.print_register, year))
        return menu

    def register_years(self) -> list[int | None]:
        """The years offered for printing: this one and those before it, at last all of them."""
        this = int(when.date(self.context.now_ms())[:4])
        return [*range(this, this - REGISTER_YEARS, -1), None]

    def print_register(self, year: int | None) -> None:
        """Shows the tab's register of a year, as it is filtered, in the reader, from which it is printed or saved."""
        frame = self.frame
        if frame is not None:
            self.tasks.start(self._print_register(frame, year), name="register", exclusive=True)

    async def _print_register(self, frame: ViewFrame, year: int | None) -> None:
        from desktop.ui.office.record.paper import file_name
        from desktop.ui.office.record.register_paper import Register, register_pdf, register_title

        register = Register(frame.definition, year, frame.view.wanted())
        title = register_title(self.context, register)
        self.document_loading.emit(title)
        try:
            data = await register_pdf(self.context, register)
        except AppError as error:
            if alive(self):
                self.document_failed.emit(title, error)
            return
        if alive(self):
            self.document_opened.emit(title, LocalDocument(file_name(title), "application/pdf", data))

    def more_menu(self) -> Menu:
        """What is needed seldom."""
        menu = Menu(self, leaves=True)
        frame = self.frame
        if self.header.export_folded:
            rows = self.export_menu()
            rows.setTitle(self.export.text())
            menu.addMenu(rows)
        may = frame is not None and self.context.records.may(None, frame.definition.type, "create")
        menu.addAction(tr("office_module.import_excel"), self.open_import).setEnabled(may)
        menu.addAction(tr("office_module.reload"), self.reload)
        if self.may_change():
            menu.addSeparator()
            menu.addAction(tr("office_process.changes.title"), self.open_changes)
        if self.may_design():
            menu.addAction(tr("office_process.design.title"), self.open_designer)
        return menu

    def may_change(self) -> bool:
        """Whether this user may change the module's fields and views."""
        return hasattr(self._session, "cases") and bool({"admin", "process-admin"} & set(self.context.me.roles))

    def may_design(self) -> bool:
        """Whether this user may change the module's processes, and it has any."""
        module = self.context.module
        return self.may_change() and module is not None and any(one.process is not None for one in module.types)

    def open_changes(self) -> None:
        """Opens what changes the module's fields and views in place of the view."""
        from desktop.ui.office.process.designer.changes_pane import ChangesPane

        pane = ChangesPane(self.context, self.left)
        pane.closed.connect(lambda: self._close_exchange(pane))
        self._open_exchange(pane)
        pane.load()

    def open_designer(self) -> None:
        """Opens the designer of the module's processes in place of the view."""
        from desktop.ui.office.process.designer.pane import DesignerPane

        pane = DesignerPane(self.context, self.left)
        pane.closed.connect(lambda: self._close_exchange(pane))
        self._open_exchange(pane)
        pane.load()

    def export_rows(self, *, every_field: bool = False, chosen: bool = False) -> None:
        """Asks for a file and writes a workbook: the rows of the tab as filtered, or the chosen ones."""
        frame = self.frame
        if frame is not None:
            self.export_bar().ask(frame, self.export_fields(frame, every_field=every_field), chosen=chosen)

    def export_fields(self, frame: ViewFrame, *, every_field: bool) -> list[Field]:
        """The fields that go into the workbook."""
        definition = self.context.type_of(frame.definition.type)
        if definition is None:
            return []
        names: Iterable[str] = frame.definition.columns or [field.name for field in definition.fields]
        if frame.table is not None:
            names = frame.table.shown_columns()
        if every_field:
            names = [*(field.name for field in definition.fields), STATE, *ENVELOPE]
        found = (self.context.field_of(definition.name, name) for name in dict.fromkeys(names))
        labels = frame.definition.labels
        return [
            msgspec.structs.replace(field, label=labels.get(field.name, field.label))
            for field in found
            if field is not None
        ]

    def export_bar(self) -> ExportBar:
        """The strip of an export, made when first wanted: workbooks take a while to load."""
        if self._export is None:
            from desktop.ui.office.exchange.export_bar import ExportBar

            self._export = ExportBar(self.context)
            self._column.insertWidget(1, self._export)
        return self._export

    def open_import(self) -> None:
        """Opens the way from a workbook to records in place of the view."""
        from desktop.ui.office.exchange.import_pane import ImportPane

        frame = self.frame
        if frame is None:
            return
        pane = ImportPane(self.context, frame.definition.type)
        pane.closed.connect(lambda: self._close_exchange(pane))
        self._open_exchange(pane)

    def _open_exchange(self, pane: QWidget) -> None:
        self.left.addWidget(pane)
        self.left.setCurrentWidget(pane)
        pane.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_exchange(self, pane: QWidget) -> None:
        self.left.removeWidget(pane)
        discard(pane)
        self.left.setCurrentWidget(self.stack)
        self.reload()
        if self.frame is not None:
            self.frame.view.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- what is remembered
    def _remember_width(self) -> None:
        if not self.detail_card.isHidden():
            self._remember(pane=round(self.detail_card.width() / theme.text_scale()))

    def _remember(self, **parts: object) -> None:
        kept = self._kept | parts
        if kept != self._kept:
            self._kept = kept
            self.tasks.start(self._write(), name="remember", exclusive=True)

    async def _write(self) -> None:
        await self.context.records.set_view_state(self._key, dict(self._kept))

    # ---- Qt events
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        for frame in self.frames.values():
            frame.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.detail_card.isHidden():
            self.detail.ask_close()
            return
        super().keyPressEvent(event)


def _below(button: QWidget) -> Any:
    return button.mapToGlobal(button.rect().bottomLeft())


def create_module_page(
    session: RecordsSession, navigator: Navigator, module_id: str, now_ms: Callable[[], int] | None = None
) -> ModulePage:
    """The page of a module as the office page adds it."""
    return ModulePage(session, navigator, module_id, now_ms or SystemClock().now_ms)
