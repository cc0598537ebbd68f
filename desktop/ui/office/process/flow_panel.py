"""The flow of a record (mockup 3, right): what was done, who has it, what comes next. Follows the case live and leaves the reader's place alone."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain.cases import Case, CaseState, Flow
from desktop.core.domain.processes import Diagram
from desktop.core.domain.records import Light
from desktop.models.case_flow import FlowRow, Look, rows_of
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Chip, IconButton, Label, Scroll, on_click, row
from desktop.ui.kit.spoken import speak_as
from desktop.ui.layouts import discard
from desktop.ui.office.process import words
from desktop.ui.office.process.diagram_paint import Lit
from desktop.ui.office.process.flow_row import FlowRowView
from desktop.ui.office.views.base import ViewContext

TICK_MS = 30_000


class FlowList(QWidget):
    """The rows alone, as tall as they are.

    Signals: file_opened (an Attachment). touched: the reader opened or closed a list of names.
    """

    file_opened = Signal(object)
    touched = Signal()

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.List)
        self.setObjectName("flowList")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.context = context
        self.rows: list[FlowRow] = []
        self.views: dict[str, FlowRowView] = {}
        self.empty = Label(key="office_process.no_flow", role="secondary", tone="ink3", wrap=True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.empty)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        self._tick.start()
        context.names_changed.connect(self.redraw)
        i18n.changed.connect(self.redraw)
        theme.changed.connect(self.redraw)

    def show_flow(self, flow: Flow | None) -> None:
        """Shows a flow; rows that stay the same keep their widgets."""
        found = rows_of(flow, self.context.me.id) if flow is not None else []
        self.rows = _unique([one for one in found if one.look is not Look.REFUSED])
        process = flow.process if flow is not None else None
        wanted = {one.key for one in self.rows}
        for key in [key for key in self.views if key not in wanted]:
            view = self.views.pop(key)
            self._column.removeWidget(view)
            discard(view)
        for place, one in enumerate(self.rows):
            view = self.views.get(one.key) or self._make(one, flow)
            view.show_row(one, process)
            if self._column.indexOf(view) != place + 1:
                self._column.removeWidget(view)
                self._column.insertWidget(place + 1, view)
            view.last = place == len(self.rows) - 1
        self.empty.setVisible(not self.rows)
        self.setAccessibleName(tr("office_process.flow"))

    def _make(self, one: FlowRow, flow: Flow | None) -> FlowRowView:
        view = FlowRowView(self.context, one, flow.process if flow is not None else None, self)
        view.file_opened.connect(self.file_opened)
        view.toggled.connect(self.touched)
        self.views[one.key] = view
        return view

    def redraw(self) -> None:
        """Names, language or theme changed."""
        for view in self.views.values():
            view.redraw()

    def _on_tick(self) -> None:
        if self.isVisible():
            for view in self.views.values():
                view.tick()


class FlowPanel(QWidget):
    """The rows under a head, in an area that scrolls.

    Signals: file_opened (an Attachment), diagram_asked.
    """

    file_opened = Signal(object)
    diagram_asked = Signal()

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("flowPanel")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.context = context
        self.flow: Flow | None = None
        self.title = Label(key="office_process.flow", strong=True)
        self.state = Chip()
        self.state.hide()
        self.diagram = IconButton("flow-arrow", "office_process.show_diagram", size=18, box=28)
        self.diagram.setObjectName("flowDiagram")
        self.list = FlowList(context)
        self.area = Scroll(surface="surface")
        self.area.setObjectName("flowArea")
        self.area.inner.setContentsMargins(16, 4, 12, 8)
        self.area.inner.addWidget(self.list)
        self.area.inner.addStretch(1)
        i18n.bind(self.area.setAccessibleName, "office_process.flow")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row(self.title, self.state, None, self.diagram, margins=(16, 8, 8, 4)))
        column.addWidget(self.area, 1)
        on_click(self.diagram, self.diagram_asked.emit)
        self.list.file_opened.connect(self.file_opened)
        self._record_id = self._now = ""
        self._aim: list[tuple[str, int]] = []
        self._offset = 0
        self.list.installEventFilter(self)
        self.area.verticalScrollBar().actionTriggered.connect(lambda _action: self._let_go())
        self.list.touched.connect(self._let_go)

    def show_flow(self, flow: Flow | None) -> None:
        """Shows a flow; what the reader looks at stays where it is. Of another record, and when the case comes back to the user or goes on from what
        the reader was looking at, the current step comes into sight."""
        other = (flow.record_id if flow is not None else "") != self._record_id
        before, in_sight = self._now, self._is_in_sight(self._now)
        self._offset = self.area.verticalScrollBar().value()
        places = [] if other else self._places()
        self.flow, self._record_id = flow, flow.record_id if flow is not None else ""
        self.list.show_flow(flow)
        show_state(self.state, flow.case if flow is not None else None)
        self.diagram.setVisible(flow is not None and flow.process is not None and flow.process.diagram is not None)
        current = [one for one in self.list.rows if one.look is Look.CURRENT]
        mine = next((one for one in current if one.mine), None)
        self._now = (mine or current[0]).key if current else ""
        moved = self._now != before and (in_sight or mine is not None)
        self._aim = [(self._now, -1)] if other or moved else places
        self._apply_aim()

    def _is_in_sight(self, key: str) -> bool:
        view, area = self.list.views.get(key), self.area.viewport()
        return view is not None and view.visibleRegion().boundingRect().height() > 0 and area.isVisible()

    def _apply_aim(self) -> None:
        """Puts what is aimed at where it belongs; again as the rows get their heights, until the reader moves himself."""
        view_of = self.list.views
        found = next(((view_of[key], y) for key, y in self._aim if key in view_of), None)
        bar = self.area.verticalScrollBar()
        if found is None:
            if self._aim:
                bar.setValue(0)
            return
        view, y = found
        if y < 0:  # another record: where it is now comes into sight
            bar.setValue(0)
            self.area.ensureWidgetVisible(view, 0, theme.scaled(40))
        else:
            bar.setValue(self._offset + view.y() - y)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.list and event.type() == QEvent.Type.Resize:
            self._apply_aim()
        return False

    def _let_go(self) -> None:
        """The reader moved himself: nothing is put anywhere any more."""
        self._aim = []

    def _places(self) -> list[tuple[str, int]]:
        """The rows in sight and below it, and where they stand; none while the list stands at its beginning."""
        top = self.area.verticalScrollBar().value()
        views = self.list.views.items()
        return [(key, view.y()) for key, view in views if view.y() + view.height() > top] if top else []


def show_state(chip: Chip, case: Case | None) -> None:
    """A chip for a case that does not run: it is over, stopped, or suspended."""
    state = case.state if case is not None else CaseState.RUNNING
    chip.setVisible(state is not CaseState.RUNNING)
    if state is not CaseState.RUNNING:
        chip.setText(tr(f"office_process.case.{state}"))
        chip.set_tone({CaseState.COMPLETED: "green", CaseState.SUSPENDED: "amber"}.get(state, "red"))


def lit_of(flow: Flow, context: ViewContext) -> tuple[Diagram | None, Lit, str]:
    """The diagram of a flow, how far the case is in it, and its title."""
    process, case, now = flow.process, flow.case, context.now_ms()
    if process is None or process.diagram is None:
        return None, Lit(), ""
    title = tr("office_process.diagram.of", name=context.label(process.words), version=process.version)
    if case is None:
        return process.diagram, Lit(), title
    current: dict[str, str] = {}
    for step in case.now:
        names = words.short_names(context, step.person_ids)
        left = words.left(now, step.due_at, short=True) if step.due_at else words.worked(step.since, now)
        current[step.step_id] = " · ".join(part for part in (names, left) if part)
    late = frozenset(s.step_id for s in case.now if s.due_at is not None and now >= s.due_at)
    done = frozenset((*case.done, *case.way)) | ({_start(process.diagram)} - {""})
    if case.state is CaseState.COMPLETED:
        ends = {key for key, shape in process.diagram.shapes.items() if shape.kind == "endEvent"}
        done |= ends if len(ends) == 1 else frozenset()  # of several the case says itself which one it reached
    spent = {key: words.spent(minutes) for key, minutes in case.durations.items() if key in done}
    return process.diagram, Lit(done - current.keys(), current, late, spent), title


def _start(diagram: Diagram) -> str:
    return next((key for key, shape in diagram.shapes.items() if shape.kind == "startEvent"), "")


def _unique(rows: list[FlowRow]) -> list[FlowRow]:
    """Keys once: a process may lead over the same step twice."""
    return list({one.key: one for one in rows}.values())


def worst(case: Case, now_ms: int) -> Light:
    """The light of what the case waits for."""
    lights = [
        Light.RED
        if s.due_at and now_ms >= s.due_at
        else Light.AMBER
        if s.amber_at and now_ms >= s.amber_at
        else Light.GREEN
        for s in case.now
    ]
    return Light.RED if Light.RED in lights else Light.AMBER if Light.AMBER in lights else Light.GREEN
