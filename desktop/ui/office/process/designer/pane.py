"""The designer (mockup 9): the steps at the left, the diagram and what is chosen at the right; import, export, trying out, publishing.

What is written is a draft on the server at once, so that the diagram and what is wrong follow; without a connection it waits here. Ctrl+Z takes back.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path as FilePath
from typing import Any, Final

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFileDialog, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain.definition import Label as Words
from desktop.core.domain.processes import Draft, Process, ProcessForm, ProcessNote, ProcessState
from desktop.core.errors import AppError, BadFile
from desktop.core.events import ChangeSet, Event
from desktop.models import step_list as lists
from desktop.models.step_list import Path, StepList
from desktop.ui import i18n, theme
from desktop.ui.background import in_background
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import (
    Banner,
    Button,
    Chip,
    ElidedLabel,
    EmptyState,
    HeaderBar,
    IconButton,
    Label,
    Menu,
    Scroll,
    Snack,
    finished,
    on_click,
    row,
)
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process.designer.property_card import PropertyCard
from desktop.ui.office.process.designer.small_editors import ChoiceBox, ask_calmly
from desktop.ui.office.process.designer.step_column import StepColumn
from desktop.ui.office.process.designer.step_words import StepWords
from desktop.ui.office.process.designer.try_out import TryOutPane
from desktop.ui.office.process.diagram_paint import Lit
from desktop.ui.office.process.diagram_view import DiagramView
from desktop.ui.office.record.actions_bar import ConfirmBar
from desktop.ui.office.record.case_tab import cases_of
from desktop.ui.office.record.draft import DraftKeeper
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import icons
from desktop.ui.theme import values_process as values

SAVE_MS: Final = 400
HISTORY: Final = 100
LARGEST: Final = 5_000_000
_NAMES: Final = {"name": lists.with_name, "name_en": lists.with_english}
"""Bytes of a .bpmn file that is sent at all; the server refuses earlier."""


class DesignerPane(QWidget):
    """Processes of one module.

    Signals: closed.
    """

    closed = Signal()

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("designer")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.context = context
        self.tasks = TaskOwner(self)
        self.says = StepWords(context)
        self.processes: list[Process] = []
        self.form: ProcessForm | None = None
        self.steps: StepList | None = None
        self.draft_id: str | None = None
        self.path: Path | None = None
        self.problems: tuple[ProcessNote, ...] = ()
        self.notes: tuple[ProcessNote, ...] = ()
        self._past: list[StepList] = []
        self._future: list[StepList] = []
        self._keeper: DraftKeeper | None = None
        self._saving = False
        self._changed_since = False
        self._build_ui()
        self._bind()

    # ---- build
    def _build_ui(self) -> None:
        self._build_header()
        self.banner = Banner()
        self.confirm = ConfirmBar()
        self.report = QWidget()
        self._report_column = QVBoxLayout(self.report)
        self._report_column.setContentsMargins(18, 8, 18, 8)
        self._report_column.setSpacing(2)
        self.report_area = Scroll(surface="surface")
        self.report_area.inner.setContentsMargins(0, 0, 0, 0)
        self.report_area.inner.addWidget(self.report)
        self.report_area.hide()
        left = self._build_list()
        self.diagram = DiagramView()
        self.card = PropertyCard(self.says)
        self.trial = TryOutPane(self.context, self.says)
        self.below = QStackedWidget()
        holder = QWidget()
        holder.setProperty("surface", "bg")
        holder.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(18, 10, 18, 14)
        inner.addWidget(self.card)
        self.below.addWidget(holder)
        self.below.addWidget(self.trial)
        self.right = QSplitter(Qt.Orientation.Vertical)
        self.right.setChildrenCollapsible(False)
        self.right.setHandleWidth(1)
        self.right.addWidget(self.diagram)
        self.right.addWidget(self.below)
        self.right.setSizes([theme.scaled(300), theme.scaled(320)])
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(1)
        self.split.addWidget(left)
        self.split.addWidget(self.right)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([theme.scaled(values.DESIGN_LIST), theme.scaled(640)])
        self.split.splitterMoved.connect(lambda *_place: setattr(self, "_split_by_hand", True))
        self.state = EmptyState("hourglass-medium", "common.loading")
        self.rooms = QStackedWidget()
        self.rooms.addWidget(self.state)
        self.rooms.addWidget(self.split)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for whole in (self.header, self.banner, self.confirm, self.report_area):
            column.addWidget(whole)
        column.addWidget(self.rooms, 1)
        self.snack = Snack(self)

    def _build_list(self) -> QWidget:
        """The left side: the steps and what adds more."""
        self.column = StepColumn(self.says)
        self.list_area = Scroll(surface="surface")
        self.list_area.inner.setContentsMargins(14, 6, 14, 12)
        self.list_area.inner.addWidget(self.column)
        self.no_list = EmptyState("flow-arrow", "office_process.design.no_list")
        self.no_list.hide()
        self.add_row = Flow(spacing=4)
        self.add_buttons: dict[str, Button] = {}
        for kind, add in (("step", self.add_step), ("branch", self.add_branch), ("parallel", self.add_parallel)):
            button = Button(key=f"office_process.design.add_{kind}", icon="plus", small=True)
            button.setObjectName(f"add_{kind}")
            on_click(button, add)
            self.add_buttons[kind] = button
            self.add_row.add(button)
        self.add_more = IconButton("dots-three", "office_process.more", size=16, box=28)
        on_click(self.add_more, lambda: self.more_menu().popup(self.add_more.mapToGlobal(QPoint(0, 28))))
        self.add_row.add(self.add_more)
        foot = QWidget()
        foot_column = QVBoxLayout(foot)
        foot_column.setContentsMargins(16, 6, 16, 12)
        foot_column.addWidget(self.add_row)
        left = QWidget()
        left_column = QVBoxLayout(left)
        left_column.setContentsMargins(0, 0, 0, 0)
        left_column.setSpacing(0)
        head = Label(key="office_process.design.steps", role="secondary", tone="ink3")
        left_column.addLayout(row(head, None, margins=(18, 10, 18, 2)))
        for part, stretch in ((self.list_area, 1), (self.no_list, 1), (foot, 0)):
            left_column.addWidget(part, stretch)
        self.foot = foot
        return left

    def _build_header(self) -> None:
        self.header = HeaderBar(margins=(10, 14), spacing=8)
        self.close_button = IconButton("arrow-left", "office_process.design.back", size=18, box=30)
        self.close_button.setObjectName("designBack")
        self.title = ElidedLabel(role="header", strong=True, whole=True)
        self.rename = IconButton("pencil-simple", "office_process.design.rename", size=16, box=28)
        self.rename.setObjectName("designRename")
        self.chip = Chip(tone="amber")
        self.chip.hide()
        self.which = ChoiceBox([])
        self.which.setObjectName("designProcess")
        self.which.setMinimumContentsLength(13)
        self.import_button = Button(key="office_process.design.import", folded_icon="upload-simple")
        self.import_button.setObjectName("designImport")
        self.export_button = Button(key="office_process.design.export", folded_icon="download-simple")
        self.try_button = Button(key="office_process.design.try", folded_icon="play")
        self.try_button.setObjectName("designTry")
        self.publish_button = Button(key="office_process.design.publish", kind="primary")
        self.publish_button.setObjectName("designPublish")
        self.more = IconButton("dots-three-vertical", "office_process.more", size=18, box=30)
        line = self.header.line
        for part in (self.close_button, self.title, self.rename, self.which, self.chip):
            line.addWidget(part)
        line.addStretch(1)
        for tool in (self.import_button, self.export_button, self.try_button, self.publish_button, self.more):
            line.addWidget(tool)
        self.header.fold(
            self.import_button.set_compact,
            self.export_button.set_compact,
            self.try_button.set_compact,
            lambda cut: self.title.set_whole(not cut),
            lambda cut: self.which.setMinimumContentsLength(5 if cut else 13),
            self._cut_chip,
        )

    def _cut_chip(self, cut: bool) -> None:
        """The state in one word less: the whole of it in the tooltip."""
        self.chip.set_room(theme.scaled(70) if cut else 0)

    def _bind(self) -> None:
        on_click(self.close_button, self.leave)
        on_click(self.rename, self.show_process)
        on_click(self.import_button, self.ask_file)
        on_click(self.export_button, self.export)
        on_click(self.try_button, self.open_trial)
        on_click(self.publish_button, self.ask_publish)
        on_click(self.more, lambda: self.versions_menu().popup(self.more.mapToGlobal(QPoint(0, self.more.height()))))
        on_click(self.state.action, self.load)
        self.which.changed.connect(lambda: self.open_version(str(self.which.value())))
        self.confirm.confirmed.connect(self._confirmed)
        self.column.chosen.connect(self.choose)
        self.column.moved.connect(self._on_moved)
        self.column.stepped.connect(self._on_stepped)
        self.column.removed.connect(self.remove)
        self.diagram.chosen.connect(self._on_element)
        self.card.option_set.connect(self._on_option)
        self.card.value_set.connect(self._on_value)
        self.card.way_set.connect(self._on_way)
        self.card.way_added.connect(self.add_way)
        self.card.way_removed.connect(self.remove)
        self.card.removed.connect(lambda: self.remove(self.path) if self.path is not None else None)
        self.trial.closed.connect(self._close_trial)
        self.trial.traced.connect(lambda _found: self._show_diagram())
        self._later = QTimer(self, interval=SAVE_MS, singleShot=True)
        self._later.timeout.connect(self.save)
        for keys, act in (
            (QKeySequence(QKeySequence.StandardKey.Undo), self.undo),
            (QKeySequence(QKeySequence.StandardKey.Redo), self.redo),
        ):
            shortcut = QShortcut(keys, self.column)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)
        self._pending: Callable[[], None] | None = None
        i18n.changed.connect(self._show)
        self.context.names_changed.connect(self._show)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(self.context.session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    _split_by_hand = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._split_by_hand:  # large letters in a small window: what is chosen needs room as well
            left = min(theme.scaled(values.DESIGN_LIST), self.width() * 2 // 5)
            self.split.setSizes([left, max(1, self.width() - left)])

    # ---- reading
    def load(self) -> None:
        """Reads the module's processes and opens the draft, else what is published."""
        self.tasks.start(self._load(), name="load", exclusive=True)

    async def _load(self) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        try:
            found = await cases.processes()
        except AppError as error:
            if alive(self):
                self._show_state("warning-circle", error_text(error), retry=True)
            return
        if not alive(self):
            return
        self._take_processes(found)
        first = next(iter(self.processes), None)
        if first is None:
            self._show_state("flow-arrow", tr("office_process.design.none_yet"))
        elif self.form is None:
            await self._open(first.id)

    def _take_processes(self, found: list[Process]) -> None:
        module = self.context.module_id
        order = {ProcessState.DRAFT: 0, ProcessState.PUBLISHED: 1, ProcessState.RETIRED: 2}
        mine = [one for one in found if one.module == module]
        self.processes = sorted(mine, key=lambda one: (one.process_id, order[one.state], -one.version))
        self.which.blockSignals(True)  # Qt's signature
        self.which.clear()
        for one in self.processes:
            self.which.addItem(self.version_word(one), one.id)
        self.which.blockSignals(False)
        if self.form is not None:
            self.which.set_value(self.form.process.id)
        self.which.setVisible(len(self.processes) > 1)

    def version_word(self, one: Process) -> str:
        """A version in the choice above the list."""
        state = tr(f"office_process.design.states.{one.state}")
        number = tr("office_process.design.version", n=one.version) if one.version else ""
        return " · ".join(part for part in (self.context.label(one.words), number, state) if part)

    def open_version(self, version_id: str) -> None:
        """Shows a version or a draft."""
        if version_id and (self.form is None or self.form.process.id != version_id):
            self.tasks.start(self._open(version_id), name="open", exclusive=True)

    async def _open(self, version_id: str) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        try:
            form = await cases.process_form(version_id)
        except AppError as error:
            if alive(self):
                self._show_state("warning-circle", error_text(error), retry=True)
            return
        if not alive(self):
            return
        self.path, self._past, self._future, self._changed_since = None, [], [], False
        self._take_form(form)
        self.steps = form.step_list
        self.which.set_value(version_id)
        self._keeper = DraftKeeper(self.context, f"process/{form.process.process_id}", self)
        kept = await self._keeper.load()
        if alive(self) and kept and isinstance(kept.get("steps"), dict) and form.step_list is not None:
            self.steps = kept["steps"]
            self.banner.action.hide()
            self.banner.show_text(tr("office_process.design.kept"), tone="accent", icon="note-pencil", dismissible=True)
            self._touched()
        self.rooms.setCurrentWidget(self.split)
        self._show()

    def _take_form(self, form: ProcessForm) -> None:
        self.form = form
        process = form.process
        self.draft_id = process.id if process.state is ProcessState.DRAFT else None
        self.notes, self.problems = process.notes, process.problems
        self.says.definition = self.context.type_of(process.record_type)

    def _show_state(self, icon: str, text: str, *, retry: bool = False) -> None:
        self.state.show_text(icon, "office_process.design.title")
        i18n.unbind(self.state.text.setText)
        self.state.text.setText(text)
        i18n.bind(self.state.action.setText, "common.retry")
        self.state.action.setVisible(retry)
        self.rooms.setCurrentWidget(self.state)

    def _on_event(self, event: Event) -> None:
        if alive(self) and isinstance(event, ChangeSet) and event.type_name == "Process" and not self._saving:
            self.tasks.start(self._reload(), name="reload", exclusive=True)

    async def _reload(self) -> None:
        """Somebody published, or a case moved on: the versions and their counts."""
        cases = cases_of(self.context)
        if cases is None:
            return
        found = await cases.processes()
        if not alive(self):
            return
        self._take_processes(found)
        if self.form is not None:
            fresh = next((one for one in self.processes if one.id == self.form.process.id), None)
            if fresh is not None:
                self.form = ProcessForm(fresh, self.form.bpmn, self.form.step_list, self.form.reason)
            self._show_head()

    # ---- showing
    def _show(self) -> None:
        if self.form is None:
            return
        self._show_head()
        listed = self.steps is not None
        for part in (self.list_area, self.foot):
            part.setVisible(listed)
        self.no_list.setVisible(not listed)
        self.below.setVisible(listed or self.below.currentWidget() is self.trial)
        if self.steps is not None:
            self.says.steps = self.steps
            if self.path is not None and lists.at(self.steps, self.path) is None and "otherwise" not in self.path:
                self.path = None
            wrong = {one.element: one.text(self.context.language) for one in self.problems}
            self.column.show_rows(lists.rows_of(self.steps), wrong, self.path)
            held = lists.at(self.steps, self.path) if self.path is not None else None
            self.card.show_item(self.path, held, self.steps)
        else:
            reason = self.context.label(self.form.reason) if self.form.reason is not None else ""
            self.no_list.hint.setText(tr("office_process.design.no_list_hint", reason=reason))
            self.no_list.hint.show()
            self.card.show_item(None, None, {})
        self._show_diagram()
        self._show_report()

    def _show_head(self) -> None:
        if self.form is None:
            return
        process = self.form.process
        name = process.words
        if self.steps is not None:  # as it is being written
            label = lists.label_of(self.steps)
            name = Words(label["zh"], label["en"]) if label else Words(str(self.steps.get("name", "")))
        self.title.setText(tr("office_process.design.of", name=self.context.label(name)))
        self.rename.setVisible(self.steps is not None)
        running = self._running()
        draft = self.draft_id is not None or self._changed_since
        number = self._next_version() if draft else process.version
        key = "draft_of" if draft else f"states.{process.state}"
        word = (
            tr(f"office_process.design.{key}", n=number) if draft else f"v{number} {tr(f'office_process.design.{key}')}"
        )
        parts = [word, running]
        self.chip.setText(" ".join(part for part in parts if part))
        self.chip.set_tone("amber" if draft else "green" if process.state is ProcessState.PUBLISHED else "neutral")
        self.chip.show()
        self.publish_button.setText(
            tr("office_process.design.publish_as", n=number) if draft else tr("office_process.design.publish")
        )
        self.publish_button.setEnabled(draft or process.state is ProcessState.RETIRED)

    def _running(self) -> str:
        """How many cases run, by version."""
        assert self.form is not None
        own = [one for one in self.processes if one.process_id == self.form.process.process_id and one.running_cases]
        words_ = ", ".join(tr("office_process.design.running", v=one.version, n=one.running_cases) for one in own)
        return f"({words_})" if words_ else ""

    def _next_version(self) -> int:
        assert self.form is not None
        own = [one.version for one in self.processes if one.process_id == self.form.process.process_id]
        published = [v for v, one in zip(own, self._same_process(), strict=True) if one.state is not ProcessState.DRAFT]
        return max(published, default=0) + 1

    def _same_process(self) -> list[Process]:
        assert self.form is not None
        return [one for one in self.processes if one.process_id == self.form.process.process_id]

    def _show_diagram(self) -> None:
        assert self.form is not None
        process = self.form.process
        item = lists.at(self.steps, self.path) if self.steps is not None and self.path is not None else None
        picked = str(item.get("id", "")) if isinstance(item, dict) else ""
        trace = self.trial.result if self.below.currentWidget() is self.trial else None
        lit = Lit(frozenset(one.step_id for one in trace.trace)) if trace is not None else Lit()
        self.diagram.show_diagram(
            process.diagram, lit, tr("office_process.design.outdated") if self._changed_since else ""
        )
        self.diagram.sheet.pick(picked)

    def _show_report(self) -> None:
        """What was normalised when the file was read, and what keeps it from running; a press leads to the element."""
        empty_layout(self._report_column)
        said = [(one, True) for one in self.problems] + [(one, False) for one in self.notes]
        for one, bad in said:
            text = one.text(self.context.language)
            button = Button(f"{one.element}: {text}" if one.element else text, kind="link", small=True)
            button.setIcon(icons.icon("warning-circle" if bad else "info", "red_text" if bad else "amber", 14))
            on_click(button, partial(self._on_element, one.element))
            line = Flow()
            line.add(button)
            self._report_column.addWidget(line)
        self.report_area.setVisible(bool(said))
        tall = self._report_column.sizeHint().height()
        self.report_area.setFixedHeight(min(theme.scaled(150), max(theme.scaled(40), tall)))

    # ---- choosing
    def choose(self, path: Path) -> None:
        """Shows the properties of a line."""
        self.path = tuple(path)
        self.below.setCurrentIndex(0)
        self._show()

    def show_process(self) -> None:
        """Shows what is the process's own: its name."""
        self.path = None
        self.below.setCurrentIndex(0)
        self._show()
        name = self.card.editors.get("name")
        if name is not None:
            name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_element(self, element: str) -> None:
        if self.steps is None or not element:
            self.diagram.sheet.show_element(element)
            self.diagram.sheet.pick(element)
            return
        path = lists.path_of(self.steps, element)
        if path is not None:
            self.column.choose(path)
            card = self.column.card(path)
            if card is not None:
                self.list_area.ensureWidgetVisible(card)

    # ---- changing
    def change(self, made: StepList, path: Path | None) -> None:
        """Another list; the one before can be had back."""
        if self.steps is None or made == self.steps:
            self._show()
            return
        self._past = [*self._past[-HISTORY:], self.steps]
        self._future = []
        self.steps, self.path = made, path
        self._touched()
        self._show()

    def _touched(self) -> None:
        self._changed_since = True
        if self._keeper is not None:
            self._keeper.keep({"steps": self.steps})
        self._later.start()

    def undo(self) -> None:
        """Takes the last change back."""
        if self._past and self.steps is not None:
            self._future.append(self.steps)
            self.steps = self._past.pop()
            self._touched()
            self._show()

    def redo(self) -> None:
        """Makes what was taken back again."""
        if self._future and self.steps is not None:
            self._past.append(self.steps)
            self.steps = self._future.pop()
            self._touched()
            self._show()

    def _change_here(self, **values_: Any) -> None:
        if self.steps is not None and self.path is not None:
            self.change(lists.changed(self.steps, self.path, **values_), self.path)

    def _on_value(self, key: str, value: Any) -> None:
        if self.path is None and key == "name" and not value:
            self._show()  # a process has a name
        elif key in _NAMES and self.steps is not None:
            self.change(_NAMES[key](self.steps, self.path or (), value), self.path)
        else:
            self._change_here(**{key: value})

    def _on_option(self, name: str, value: Any) -> None:
        if self.steps is not None and self.path is not None:
            usual = {"count": "one", "order": "parallel", "kind": "handle", "opinion": "optional", "signature": "never"}
            wanted = None if usual.get(name) == value else value
            self.change(lists.with_option(self.steps, self.path, name, wanted), self.path)

    def _on_way(self, path: Path, key: str, value: Any) -> None:
        if self.steps is None:
            return
        if key in _NAMES:
            made = _NAMES[key](self.steps, tuple(path), value)
            made = lists.changed(made, tuple(path), name=(lists.at(made, tuple(path)) or {}).get("name") or None)
        else:
            made = lists.changed(self.steps, tuple(path), **{key: value})
        self.change(made, self.path)

    def _on_moved(self, source: Path, target: Path, place: int) -> None:
        if self.steps is not None:
            held = lists.at(self.steps, tuple(source))
            made = lists.moved(self.steps, tuple(source), tuple(target), place)
            self.change(made, lists.path_of(made, str(held.get("id", ""))) if isinstance(held, dict) else None)

    def _on_stepped(self, path: Path, count: int) -> None:
        if self.steps is not None:
            made, there = lists.step_by(self.steps, tuple(path), count)
            self.change(made, there)

    def remove(self, path: Path) -> None:
        """Takes an item or a way out of the list; it can be had back with Ctrl+Z."""
        if self.steps is None or not isinstance(path[-1], int):
            return
        self.change(lists.removed(self.steps, tuple(path)), None)

    def _add(self, make: Callable[[StepList], dict[str, Any]]) -> None:
        if self.steps is None:
            return
        item = make(self.steps)
        where, place = lists.place_after(self.steps, self.path)
        self.change(lists.inserted(self.steps, where, place, item), (*where, place))

    def add_step(self) -> None:
        """A step after what is chosen."""
        self._add(lambda steps: lists.new_step(steps, tr("office_process.design.new_step")))

    def add_branch(self) -> None:
        """A branch after what is chosen."""
        self._add(lambda steps: lists.new_branch(steps, "", tr("office_process.design.new_step")))

    def add_parallel(self) -> None:
        """Two ways at the same time after what is chosen."""
        self._add(lambda steps: lists.new_parallel(steps, "", tr("office_process.design.new_step")))

    def add_way(self) -> None:
        """One more choice of the branch, or lane of the parallel, that is chosen."""
        if self.steps is None or self.path is None:
            return
        item = lists.at(self.steps, self.path)
        key = "choices" if item.get("type") == lists.BRANCH else "lanes"
        step = lists.new_step(self.steps, tr("office_process.design.new_step"))
        way = {"name": "", "steps": [step]} | ({"condition": "False"} if key == "choices" else {})
        self.change(lists.changed(self.steps, self.path, **{key: [*item.get(key, []), way]}), self.path)

    def more_menu(self) -> Menu:
        """What is added seldom."""
        menu = Menu(self, leaves=True)
        for kind, extra in (
            ("service", {"service": "notify"}),
            ("script", {"script": ""}),
            ("call", {"process": ""}),
            ("end", {}),
        ):
            menu.addAction(tr(f"office_process.design.add_{kind}"), partial(self._add_other, kind, extra))
        return menu

    def _add_other(self, kind: str, extra: dict[str, Any]) -> None:
        name = tr(f"office_process.design.kind.{kind}")
        self._add(lambda steps: {"type": kind, "id": lists.new_id(steps, kind), "name": name, **extra})

    # ---- saving
    def save(self) -> None:
        """Keeps what is written as a draft on the server."""
        if self.steps is not None and self.form is not None and self._changed_since:
            self.tasks.start(self._save(self.steps, self.form.process), name="save", exclusive=True)

    async def _save(self, steps: StepList, process: Process) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        self._saving = True
        try:
            draft = await cases.save_draft(steps, draft_id=self.draft_id, record_type=process.record_type)
            form = await cases.process_form(draft.id) if draft.id is not None else None
        except AppError as error:
            if alive(self):
                self.banner.action.hide()
                self.banner.show_text(tr("office_process.design.unsaved", why=error_text(error)), icon="cloud-slash")
            return
        finally:
            if alive(self):
                self._saving = False
        if alive(self):
            await self._after_save(draft, form, steps)

    async def _after_save(self, draft: Draft, form: ProcessForm | None, steps: StepList) -> None:
        self.banner.hide()
        if form is None:
            self.problems = draft.problems
        else:
            if steps is self.steps:
                self._changed_since = False
                if self._keeper is not None:
                    await self._keeper.drop()
            self._take_form(form)
            self.problems = self.problems or draft.problems
            await self._reload()
        if alive(self):
            self._show()

    # ---- files
    def ask_file(self) -> None:
        """Asks for a .bpmn file and reads it as a draft."""
        self.tasks.start(self._ask_file(), name="file", exclusive=True)

    async def _ask_file(self) -> None:
        dialog = QFileDialog(self, tr("office_process.design.import"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["BPMN (*.bpmn *.bpmn20.xml *.xml)", "* (*)"])
        if await finished(dialog) and alive(self):
            await self.import_file(FilePath(dialog.selectedFiles()[0]))

    async def import_file(self, path: FilePath) -> None:
        """Reads a file as a draft of the process that is shown; what was changed in it, or why it can't run, is told by element."""
        try:
            data = await in_background(_read_file, path)
        except OSError as error:
            raise BadFile(reason=str(error.strerror)) from error
        await self.import_bytes(data)

    async def import_bytes(self, data: bytes) -> None:
        """Likewise from bytes."""
        cases = cases_of(self.context)
        if cases is None or self.form is None:
            return
        if len(data) > LARGEST:
            raise BadFile(reason=tr("office_process.design.too_large"))
        self._saving = True
        try:
            draft = await cases.save_draft(data, draft_id=self.draft_id, record_type=self.form.process.record_type)
            form = await cases.process_form(draft.id) if draft.id is not None else None
        finally:
            if alive(self):
                self._saving = False
        if not alive(self):
            return
        if form is None:
            self.problems, self.notes = draft.problems, draft.notes
            self.banner.action.hide()
            self.banner.show_text(
                tr("office_process.design.refused", n=len(draft.problems)),
                tone="red",
                icon="warning-circle",
                dismissible=True,
            )
            self._show_report()
            return
        self.path, self._past, self._future, self._changed_since = None, [], [], False
        self._take_form(form)
        self.steps = form.step_list
        self.notes = draft.notes or self.notes
        tone, icon = ("amber", "info") if self.notes else ("green", "check-circle")
        self.banner.action.hide()
        self.banner.show_text(
            tr("office_process.design.imported", n=len(self.notes)), tone=tone, icon=icon, dismissible=True
        )
        await self._reload()
        if alive(self):
            self._show()

    def export(self) -> None:
        """Asks for a place and writes the .bpmn file there."""
        if self.form is not None:
            self.tasks.start(self._export(self.form), name="export", exclusive=True)

    async def _export(self, form: ProcessForm) -> None:
        dialog = QFileDialog(self, tr("office_process.design.export"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(f"{form.process.name or form.process.process_id}.bpmn")
        if await finished(dialog) and alive(self):
            await self.export_to(FilePath(dialog.selectedFiles()[0]))

    async def export_to(self, path: FilePath) -> None:
        """Writes the file of what is shown."""
        cases = cases_of(self.context)
        if cases is None or self.form is None:
            return
        data = await cases.export_bpmn(self.form.process.id)
        try:
            await in_background(path.write_bytes, data)
        except OSError as error:
            raise BadFile(reason=str(error.strerror)) from error
        if alive(self):
            self.snack.say(tr("office_process.design.exported"))

    # ---- trying, publishing
    def open_trial(self) -> None:
        """Opens the pane that tries it on a sample case."""
        if self.form is None:
            return
        content = self.steps if self._changed_since and self.steps is not None else self.form.process.id
        self.trial.show_process(self.form.process, content, self.says.definition)
        self.below.setCurrentWidget(self.trial)
        self.below.show()
        self._show_diagram()

    def _close_trial(self) -> None:
        self.below.setCurrentIndex(0)
        self._show()

    def ask_publish(self) -> None:
        """Asks in place; says what changes for whom."""
        if self.form is None:
            return
        number = self._next_version() if self.draft_id is not None or self._changed_since else self.form.process.version
        running = self._running()
        key = "publish_running" if running else "publish_question"
        self._pending = self.publish
        ask_calmly(
            self.confirm,
            tr(f"office_process.design.{key}", n=number, running=running.strip("()")),
            tr("office_process.design.publish_as", n=number),
        )

    def _confirmed(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending()

    def publish(self) -> None:
        """New cases take this from now on."""
        self.tasks.start(self._publish(), name="publish", exclusive=True)

    async def _publish(self) -> None:
        cases = cases_of(self.context)
        if cases is None or self.form is None:
            return
        if self._changed_since and self.steps is not None:
            self._later.stop()
            await self._save(self.steps, self.form.process)
        if not alive(self) or self._changed_since or self.form is None:
            return  # what is wrong stands there
        problems = await cases.publish(self.form.process.id)
        if not alive(self):
            return
        if problems:
            self.problems = problems
            self.banner.action.hide()
            self.banner.show_text(
                tr("office_process.design.not_published"), tone="red", icon="warning-circle", dismissible=True
            )
            self._show()
            return
        self.snack.say(tr("office_process.design.published"))
        form = await cases.process_form(self.form.process.id)
        if alive(self):
            self._take_form(form)
            await self._reload()
            self._show()

    def versions_menu(self) -> Menu:
        """What is done with versions seldom: throwing a draft away, taking a version out of use."""
        menu = Menu(self, leaves=True)
        process = self.form.process if self.form is not None else None
        drop = menu.addAction(tr("office_process.design.drop_draft"), self.ask_drop)
        drop.setEnabled(self.draft_id is not None)
        retire = menu.addAction(tr("office_process.design.retire"), self.ask_retire)
        retire.setEnabled(process is not None and process.state is ProcessState.PUBLISHED)
        return menu

    def ask_drop(self) -> None:
        """Asks whether the draft is to be thrown away."""
        self._pending = lambda: self._run_verb("drop_draft")
        ask_calmly(
            self.confirm,
            tr("office_process.design.drop_question"),
            tr("office_process.design.drop_draft"),
            destroys=True,
        )

    def ask_retire(self) -> None:
        """Asks whether no new case is to take this version."""
        self._pending = lambda: self._run_verb("retire")
        ask_calmly(
            self.confirm,
            tr("office_process.design.retire_question"),
            tr("office_process.design.retire"),
            destroys=True,
        )

    def _run_verb(self, name: str) -> None:
        self.tasks.start(self._verb(name), name=name, exclusive=True)

    async def _verb(self, name: str) -> None:
        cases = cases_of(self.context)
        if cases is None or self.form is None:
            return
        key = self.form.process.id
        await (cases.drop_draft(key) if name == "drop_draft" else cases.retire(key))
        if self._keeper is not None:
            await self._keeper.drop()
        if alive(self):
            self.form = None
            await self._load()

    def leave(self) -> None:
        """Back to the views; what is written is kept."""
        if self._keeper is not None:
            self._keeper.flush()
        self.save()
        self.closed.emit()


def _read_file(path: FilePath) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)
