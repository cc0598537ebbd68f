"""A record's case beside it: the flow above, what the user may do below, and what the server would not have. Reads the case and follows it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from desktop.core.domain.cases import CaseEvent, ChosenStep, Flow
from desktop.core.domain.processes import StepAction
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, EditRefused, Event, StatusChanged
from desktop.ui import theme
from desktop.ui.i18n import error_text
from desktop.ui.kit import Chip, IconButton, Label, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process.diagram_view import DiagramView
from desktop.ui.office.process.flow_panel import FlowList, FlowPanel, lit_of, show_state
from desktop.ui.office.process.opinion_box import OpinionBox
from desktop.ui.office.process.refused_card import RefusedCard
from desktop.ui.office.record.case_tab import CaseTab, cases_of, first_choices
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import values_process as values

WATCHED: Final = frozenset({"Case", "WorkItem", "CaseEvent", "Process", "Edit"})
GATHER_MS: Final = 40
BAR: Final = 12
"""A scroll bar may come and take that much."""
SUBMIT: Final = StepAction("submit")


class CasePane(CaseTab):
    """The case of one record. `flat`: its rows and its box lie in the column of somebody who scrolls himself; else flow and box share a splitter."""

    def __init__(self, context: ViewContext, *, flat: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("casePane")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.context = context
        self.tasks = TaskOwner(self)
        self.record: Record | None = None
        self.flow: Flow | None = None
        self.may_submit = False
        self.drawing: DiagramView | None = None
        self.panel: FlowPanel | None = None
        self.list = FlowList(context)
        self.box = OpinionBox(context, flat=flat)
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.problem.hide()
        self.refused_box = QWidget()
        self._refused_column = QVBoxLayout(self.refused_box)
        self._refused_column.setContentsMargins(12, 8, 12, 8)
        self._refused_column.setSpacing(8)
        self.refused_box.hide()
        self.cards: list[RefusedCard] = []
        self._refused: tuple[object, ...] = ()
        self._build_flat() if flat else self._build_split()
        self._bind()

    def _build_flat(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._refused_column.setContentsMargins(0, 0, 0, 0)
        self.state = Chip()
        self.state.hide()
        self.diagram_button = IconButton("flow-arrow", "office_process.show_diagram", size=18, box=28, checkable=True)
        self.diagram_button.setObjectName("flowDiagram")
        self.diagram_button.toggled.connect(self._show_drawing)
        for part in (self.problem, self.refused_box, self.box):
            column.addWidget(part)
        title = Label(key="office_process.flow", strong=True)
        column.addLayout(row(title, self.state, None, self.diagram_button, spacing=8))
        column.addWidget(self.list)
        self._flat_column = column

    def _show_drawing(self, on: bool) -> None:
        """The diagram above the rows, or away again."""
        if self.drawing is None and on:
            self.drawing = DiagramView(closable=True)
            self.drawing.setFixedHeight(theme.scaled(values.FLAT_DIAGRAM))
            self.drawing.closed.connect(lambda: self.diagram_button.setChecked(False))
            self._flat_column.insertWidget(self._flat_column.indexOf(self.list), self.drawing)
        if self.drawing is not None:
            self.drawing.setVisible(on)
            if on and self.flow is not None:
                self.drawing.show_diagram(*lit_of(self.flow, self.context))

    def _build_split(self) -> None:
        self.panel = FlowPanel(self.context)
        self.list = self.panel.list
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(1)
        self.below = QWidget()
        self.below.setObjectName("acting")
        lower = QVBoxLayout(self.below)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.setSpacing(0)
        lower.addWidget(self.problem)
        lower.addWidget(self.refused_box)
        lower.addWidget(self.box, 1)
        self.split.addWidget(self.panel)
        self.split.addWidget(self.below)
        self.split.setStretchFactor(0, 1)
        self.split.setStretchFactor(1, 0)
        self._dragged = False
        self.split.splitterMoved.connect(self._on_dragged)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.split)
        self.panel.diagram_asked.connect(self.diagram_asked)

    def _on_dragged(self, _place: int, _index: int) -> None:
        self._dragged = True

    def _bind(self) -> None:
        self.list.file_opened.connect(self.file_opened)
        self.box.file_opened.connect(self.file_opened)
        self.box.file_saved.connect(self.file_saved)
        self.box.acted.connect(self._on_acted)
        self.box.grown.connect(self._on_grown)
        self._gather = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._gather.timeout.connect(self.reload)
        self._share = QTimer(self, interval=0, singleShot=True)
        self._share.timeout.connect(self._share_room)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(self.context.session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    # ---- which record
    def show_record(self, record: Record | None) -> None:
        """Shows a record's case, or again the same one's."""
        other = (record.id if record else "") != (self.record.id if self.record else "")
        self.record = record
        if record is None:
            self._clear()
            return
        if other:
            self.flow = None
            self.box.clear()
            self._show_refused(None)
            if self.panel is None:
                self.list.show_flow(None)
        self.reload()

    def _clear(self) -> None:
        self.flow, self.may_submit = None, False
        self.box.clear()
        self._show_refused(None)
        (self.panel or self.list).show_flow(None)

    def reload(self) -> None:
        """Reads the case again."""
        if self.record is not None:
            self.tasks.start(self._load(self.record), name="load", exclusive=True)

    async def _load(self, record: Record) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        try:
            flow = await cases.flow(record.type, record.id)
            may_submit = flow.case is None and await cases.may_submit(record)
            first = await first_choices(self.context, record.type) if may_submit else ()
        except AppError as error:
            if alive(self):
                self.problem.setText(error_text(error))
                self.problem.show()
            return
        if alive(self) and self.record is not None and self.record.id == record.id:
            self.problem.hide()
            self._show(self.record, flow, may_submit, first)

    def _show(self, record: Record, flow: Flow, may_submit: bool, first: Sequence[ChosenStep] = ()) -> None:
        self.flow, self.may_submit = flow, may_submit
        (self.panel or self.list).show_flow(flow)
        actions = list(flow.actions)
        if may_submit and not flow.pending and not any(one.name == "submit" for one in actions):
            actions.append(SUBMIT)
        self.box.show_flow(record, flow, actions, first if may_submit else ())
        self._show_refused(flow)
        if self.panel is None:
            show_state(self.state, flow.case)
            self.diagram_button.setVisible(flow.process is not None and flow.process.diagram is not None)
            self._show_drawing(self.diagram_button.isChecked())
        self._on_grown()
        self.flow_changed.emit(flow)

    def _share_room(self) -> None:
        """The box gets what it needs, the flow at least a third; where the user drew the line it stays."""
        if self.panel is None or self._dragged or self.below.isHidden() or self.split.height() < 10:
            return
        wanted = 0 if self.box.isHidden() else self.box.wanted_height(self.width() - BAR)
        for part in (self.refused_box, self.problem):
            if not part.isHidden():
                flows = part.hasHeightForWidth()
                wanted += part.heightForWidth(self.width()) if flows else part.sizeHint().height()
        lower = min(wanted + 2, self.split.height() * 2 // 3)
        self.split.setSizes([self.split.height() - lower, lower])

    def _on_grown(self) -> None:
        if self.panel is not None:
            self.below.setVisible(not self.box.isHidden() or not self.refused_box.isHidden())
            self._share.start()

    def _show_refused(self, flow: Flow | None) -> None:
        events = flow.refused if flow is not None else ()
        may_reuse = flow is not None and flow.item is not None and bool(flow.actions)
        shape = (*events, may_reuse)
        if shape == self._refused:
            return
        self._refused = shape
        empty_layout(self._refused_column)
        self.cards = []
        for event in events:
            card = RefusedCard(self.context, event, may_reuse=may_reuse)
            card.reused.connect(self.box.reuse)
            card.dropped.connect(self._drop)
            self._refused_column.addWidget(card)
            self.cards.append(card)
        self.refused_box.setVisible(bool(events))

    def _drop(self, event: CaseEvent) -> None:
        cases = cases_of(self.context)
        if cases is not None:
            self.tasks.start(cases.drop(event.id), name="drop")

    def _on_acted(self, name: str) -> None:
        if self.panel is None and self.window().isActiveWindow():
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)  # the box goes; what became of it stands there
        self.reload()
        self.acted.emit(name)

    @property
    def writing(self) -> bool:
        """Whether something stands in the box that is not sent."""
        return not self.box.isHidden() and self.box.writing

    def _on_event(self, event: Event) -> None:
        if self.record is None or not alive(self):
            return
        match event:
            case ChangeSet(type_name=name) if name in WATCHED or name == self.record.type:
                self._gather.start()
            case EditRefused() | StatusChanged():
                self._gather.start()
            case _:
                return

    # ---- Qt overrides
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share.start()
