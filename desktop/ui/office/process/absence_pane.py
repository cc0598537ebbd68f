"""Absences: who acts for the user and until when, for whom the user acts; a new one in a few lines, an early return with a press."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.clock import parse_utc_date, utc_date
from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.definition import Label as Words
from desktop.core.domain.processes import Delegation
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, Event
from desktop.ui import i18n
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Button, Chip, IconButton, Label, Scroll, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.record.case_tab import cases_of
from desktop.ui.office.record.field_row import FieldRow
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

DAY_MS: Final = 86_400_000
FIELDS: Final = (
    ("delegate", FieldKind.PERSON, True),
    ("from", FieldKind.DATETIME, True),
    ("to", FieldKind.DATETIME, True),
    ("reason", FieldKind.TEXT, False),
)


class AbsencePane(QWidget):
    """Signals: closed."""

    closed = Signal()

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("absences")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.context = context
        self.tasks = TaskOwner(self)
        self.held: list[Delegation] = []
        self.lines: dict[str, FieldRow] = {}
        self.close_button = IconButton("x", "common.close", size=16, box=28)
        self.close_button.setObjectName("absenceClose")
        self.send = Button(key="office_process.absence.send", kind="primary")
        self.send.setObjectName("absenceSend")
        self.back = Button(key="office_process.absence.take_back", small=True, icon="arrow-u-up-left")
        self.back.setObjectName("absenceTakeBack")
        self.came = Label(role="secondary", tone="green", wrap=True)
        self.came.hide()
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.problem.hide()
        self.area = Scroll(surface="surface")
        self.area.inner.setContentsMargins(18, 6, 18, 16)
        self.area.inner.setSpacing(10)
        self._form, self._list = QVBoxLayout(), QVBoxLayout()
        self._form.setSpacing(8)
        self._list.setSpacing(6)
        inner = self.area.inner
        inner.addWidget(Label(key="office_process.absence.hint", role="secondary", tone="ink3", wrap=True))
        inner.addLayout(self._form)
        inner.addWidget(self.problem)
        inner.addLayout(row(self.send, None, self.back))
        inner.addWidget(self.came)
        inner.addLayout(self._list)
        inner.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        title = Label(key="office_process.absence.title", strong=True)
        column.addLayout(row(title, None, self.close_button, margins=(18, 8, 8, 2)))
        column.addWidget(self.area, 1)
        on_click(self.close_button, self.closed.emit)
        on_click(self.send, self.delegate)
        on_click(self.back, self.take_back)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(context.session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)
        i18n.changed.connect(self._rebuild)
        context.names_changed.connect(self._show)
        self._build_form()

    # ---- back again
    def take_back(self) -> None:
        """What others still do for this user comes back."""
        self.tasks.start(self._take_back(), name="back", exclusive=True)

    async def _take_back(self) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        try:
            count = await cases.take_back()
        except AppError as error:
            if alive(self):
                self.came.hide()
                self.problem.setText(error_text(error))
                self.problem.show()
            return
        if alive(self):
            self.problem.hide()
            self.came.setText(
                tr("office_process.absence.came_back" if count else "office_process.absence.none_back", n=count)
            )
            self.came.show()

    # ---- what there is
    def load(self) -> None:
        """Reads the absences."""
        self.tasks.start(self._load(), name="load", exclusive=True)

    async def _load(self) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        found = await cases.delegations()
        if alive(self):
            self.held = found
            self._show()

    def _on_event(self, event: Event) -> None:
        if alive(self) and isinstance(event, ChangeSet) and event.type_name == "Delegation":
            self.load()

    def _show(self) -> None:
        empty_layout(self._list)
        for one in self.held:
            self._list.addWidget(self._card(one))

    def _card(self, one: Delegation) -> QFrame:
        mine, now = one.person_id == self.context.me.id, self.context.now_ms()
        key = "mine" if mine else "theirs"
        other = self.context.name_of(one.delegate_id if mine else one.person_id)
        state = "ended" if one.state != "active" or one.to_at <= now else "planned" if one.from_at > now else "active"
        card = QFrame()
        card.setProperty("surface", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(3)
        chip = Chip(
            tr(f"office_process.absence.{state}"), {"active": "green", "planned": "accent"}.get(state, "neutral")
        )
        title = Label(tr(f"office_process.absence.{key}", name=other), strong=True, wrap=True)
        column.addLayout(row(title, chip, None))
        span = f"{when.date_time(one.from_at)} – {when.date_time(one.to_at)}"
        detail = " · ".join(part for part in (span, one.reason) if part)
        column.addWidget(Label(detail, role="secondary", tone="ink3", wrap=True))
        if mine and state != "ended":
            end = Button(key="office_process.absence.end", kind="link", small=True)
            end.setObjectName(f"absenceEnd_{one.id}")
            on_click(end, partial(self.end, one.id))
            line = Flow()
            line.add(end)
            column.addWidget(line)
        card.setAccessibleName(f"{title.text()}, {chip.text()}, {detail}")
        return card

    # ---- a new one
    def _rebuild(self) -> None:
        kept = {name: line.editor.value() for name, line in self.lines.items() if line.editor is not None}
        self._build_form()
        for name, value in kept.items():
            self.lines[name].set_value(value)
        self._show()

    def _build_form(self) -> None:
        empty_layout(self._form)
        self.lines = {}
        for name, kind, required in FIELDS:
            words = i18n.catalog()[f"office_process.absence.field.{name}"]
            field = Field(name=name, kind=kind, label=Words(zh=words["zh"], en=words["en"]), required=required)
            line = self.lines[name] = FieldRow(self.context, field, writable=True, required=required)
            if line.editor is not None:
                line.editor.changed.connect(partial(line.show_error, ""))
            self._form.addWidget(line)
        now = self.context.now_ms()
        self.lines["from"].set_value(utc_date(now))
        self.lines["to"].set_value(utc_date(now + DAY_MS))

    def _value(self, name: str) -> str:
        editor = self.lines[name].editor
        if editor is None:
            return ""
        editor.finish()
        return str(editor.value() or "")

    def delegate(self) -> None:
        """Lets somebody act for the user; says what is missing."""
        values = {name: self._value(name) for name, _, _ in FIELDS}
        wrong = {name for name, _, required in FIELDS if required and not values[name]}
        if values["delegate"] == self.context.me.id:
            wrong.add("delegate")
        if not wrong & {"from", "to"} and values["from"] >= values["to"]:
            wrong.add("to")
        for name, line in self.lines.items():
            line.show_error(tr(f"office_process.absence.wrong.{name}") if name in wrong else "")
        if not wrong:
            self.tasks.start(self._delegate(values), name="delegate", exclusive=True)

    async def _delegate(self, values: dict[str, str]) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        self.send.setEnabled(False)
        self.problem.hide()
        start, end = parse_utc_date(values["from"]), parse_utc_date(values["to"])
        try:
            await cases.delegate(values["delegate"], start, end, reason=values["reason"])
        except AppError as error:
            if alive(self):
                self.problem.setText(error_text(error))
                self.problem.show()
            return
        finally:
            if alive(self):
                self.send.setEnabled(True)
        if alive(self):
            self._build_form()
            self.load()

    def end(self, delegation_id: str) -> None:
        """The user is back, or stays after all."""
        self.tasks.start(self._end(delegation_id), name="end", exclusive=True)

    async def _end(self, delegation_id: str) -> None:
        cases = cases_of(self.context)
        if cases is None:
            return
        try:
            await cases.end_delegation(delegation_id)
        except AppError as error:
            if alive(self):
                self.problem.setText(error_text(error))
                self.problem.show()
            return
        if alive(self):
            self.load()
