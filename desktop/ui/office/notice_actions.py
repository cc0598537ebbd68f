"""What may be done with a notice now: the buttons, in place the form of what an action asks for, and what the server said to it."""

from __future__ import annotations

from typing import Any, Final, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain.definition import Action
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.ui import i18n
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import Banner
from desktop.ui.layouts import discard
from desktop.ui.office.record.actions_bar import ActionsBar
from desktop.ui.office.record.form import RecordForm
from desktop.ui.office.record.outcome import Outcome
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

REMIND: Final = "remind"
OUT: Final = ("publish", "schedule")
"""What makes a notice go out: with approval switched on, its author leaves that to somebody else."""


class NoticeVerbs(Protocol):
    """What goes to the server at once, or not at all: reminding, and the count of a vote as it is now."""

    async def remind(self, notice_id: str) -> None: ...
    async def fetch_notice(self, notice_id: str) -> Record | None: ...


def offered(actions: list[Action], *, own: bool, approval: bool) -> list[Action]:
    """The actions with a button of their own; reminding stands with the report."""
    barred = OUT if own and approval else ()
    return [one for one in actions if one.name != REMIND and one.name not in barred]


def refusal_text(code: str) -> str:
    """What a refusal means for a notice."""
    for key in (f"office_notice.refused.{code}", f"office_record.refused.{code}"):
        if i18n.has(key):
            return tr(key)
    return tr("office_record.refused.other", code=code)


class NoticeActions(QWidget):
    """`done` carries the name of an action the server took, or that waits for a connection."""

    done = Signal(str)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("noticeActions")
        self.context = context
        self.tasks = TaskOwner(self)
        self.record: Record | None = None
        self.form: RecordForm | None = None
        self._acting: Action | None = None
        self.bar = ActionsBar(context)
        self.problem = Banner()
        self.problem.setObjectName("actionProblem")
        self._box = QFrame()
        self._box.setProperty("surface", "card")
        self._box_column = QVBoxLayout(self._box)
        self._box_column.setContentsMargins(1, 6, 1, 1)
        self._box.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for part in (self.problem, self.bar, self._box):
            column.addWidget(part)
        self.bar.chosen.connect(self.act)

    # ---- content
    def show_record(self, record: Record | None, *, approval: bool = False) -> None:
        """Shows what may be done with it; another one closes the form of the last."""
        if record is None or self.record is None or record.id != self.record.id:
            self.close_form()
            self.problem.hide()
        self.record = record
        actions: list[Action] = []
        if record is not None and self.context.type_of(record.type) is not None:
            own = record.author_id == self.context.me.id
            actions = offered(self.context.records.allowed_actions(record), own=own, approval=approval)
        if self._acting is not None and self._acting not in actions:
            self.close_form()
        self.bar.show_actions(actions)
        self.setVisible(bool(actions) or not self.problem.isHidden())

    # ---- acting
    def act(self, action: Action) -> None:
        """Does what a button says; first asks in place for what it needs."""
        if self.record is None:
            return
        if action.requires or action.asks:
            self._open_form(action)
        else:
            self.tasks.start(self._act(self.record, action, {}), name="act")

    def _open_form(self, action: Action) -> None:
        record = self.record
        definition = self.context.type_of(record.type) if record is not None else None
        if definition is None or record is None:
            return
        self.close_form()
        form = RecordForm(self.context, definition)
        form.setObjectName("actionForm")
        form.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        form.set_record(record, action=action)
        form.submitted.connect(self._on_form)
        form.closed.connect(self.close_form)
        self._acting, self.form = action, form
        self._box_column.addWidget(form)
        form.fit_content()
        self._box.show()
        form.focus_first()

    def close_form(self) -> None:
        """Takes the form away; what is written in it stays as its draft."""
        if self.form is not None:
            self._box_column.removeWidget(self.form)
            discard(self.form)
        self.form, self._acting = None, None
        self._box.hide()

    def _on_form(self, values: dict[str, Any]) -> None:
        if self.record is not None and self._acting is not None:
            self.tasks.start(self._act(self.record, self._acting, values), name="act")

    async def _act(self, record: Record, action: Action, values: dict[str, Any]) -> None:
        self.bar.set_busy(True)
        self.problem.hide()
        form, outcome = self.form, Outcome(self.context, record.type)
        try:
            await self.context.records.act(record, action.name, values)
            found = await outcome.wait(record.id)
            code = _refused(record, found, outcome)
            if form is not None and alive(form) and not code:
                await form.done()
        except AppError as error:
            if alive(self):
                self._say(form, error_text(error), error.data.get("properties"))
            return
        finally:
            if alive(self):
                self.bar.set_busy(False)
        if not alive(self):
            return
        if code:
            self._say(form, refusal_text(code))
            return
        self.close_form()
        self.done.emit(action.name)

    def _say(self, form: RecordForm | None, text: str, properties: object = None) -> None:
        if form is not None and alive(form) and form is self.form:
            names = [str(one) for one in properties] if isinstance(properties, list | tuple) else []
            form.show_errors(dict.fromkeys(names or [""], text))
            return
        self.problem.show_text(text, tone="red", icon="warning-circle", dismissible=True)
        self.show()


def _refused(before: Record, after: Record | None, outcome: Outcome) -> str:
    """The code of what the server said to it; empty: nothing."""
    if outcome.refused is not None:
        return outcome.refused.code
    return (after.refusal or "") if after is not None and before.refusal is None else ""
