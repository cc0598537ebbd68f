"""An act the server would not have: who was faster, or why not; all that was typed is still here to be used again, copied or let go."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain.cases import CaseEvent, Refusal
from desktop.ui import i18n
from desktop.ui.i18n import has, tr, when
from desktop.ui.kit import Button, IconLabel, Label, clipboard_text, on_click, row
from desktop.ui.office.process import words
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext


class RefusedCard(QFrame):
    """One act.

    Signals:
        reused: the CaseEvent goes back into the box. dropped: it is not wanted any more.
    """

    reused = Signal(object)
    dropped = Signal(object)

    def __init__(
        self, context: ViewContext, event: CaseEvent, *, may_reuse: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("refusedCard")
        self.setProperty("surface", "card")
        self.context, self.event_ = context, event
        self.title = Label(role="base", strong=True, wrap=True)
        self.why = Label(role="secondary", tone="red_text", wrap=True)
        self.typed = Label(wrap=True)
        self.reuse = Button(key="office_process.refused.reuse", kind="primary", small=True)
        self.reuse.setObjectName("refusedReuse")
        self.copy = Button(key="office_process.refused.copy", small=True)
        self.drop = Button(key="office_process.refused.drop", kind="ghost", small=True)
        self.drop.setObjectName("refusedDrop")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(4)
        column.addLayout(row(IconLabel("warning-circle", tone="red_text", size=16), self.title, spacing=6))
        column.addWidget(self.why)
        column.addWidget(self.typed)
        flow = Flow(spacing=8)
        for button in (self.reuse, self.copy, self.drop):
            flow.add(button)
        column.addWidget(flow)
        self.reuse.setVisible(may_reuse)
        self.copy.setVisible(bool(event.opinion))
        on_click(self.reuse, lambda: self.reused.emit(event))
        on_click(self.copy, lambda: clipboard_text(event.opinion))
        on_click(self.drop, lambda: self.dropped.emit(event))
        i18n.changed.connect(self._fill)
        context.names_changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        event = self.event_
        action = (
            tr(f"office_process.action.{event.action}")
            if has(f"office_process.action.{event.action}")
            else event.action
        )
        self.title.setText(tr("office_process.refused.title", step=self.context.label(event.step_words), action=action))
        self.why.setText(
            refusal_text(self.context, event.refusal or Refusal("other"), self.context.label(event.step_words))
        )
        files = "  ".join(one.name for one in event.attachments)
        quoted = tr("office_process.quoted", text=event.opinion) if event.opinion else ""
        self.typed.setText("\n".join(part for part in (quoted, files) if part))
        self.typed.setVisible(bool(self.typed.text()))
        self.setAccessibleName(f"{self.title.text()} {self.why.text()}")


def refusal_text(context: ViewContext, refusal: Refusal, step_name: str = "") -> str:
    """What a refusal means for the work."""
    match refusal.code:
        case "overtaken":
            who = words.person_word(context, refusal.by)
            did = (
                tr(f"office_process.did.{refusal.action}") if has(f"office_process.did.{refusal.action or ''}") else ""
            )
            text = tr(
                "office_process.refused.overtaken",
                who=who,
                time=words.moment(refusal.at),
                did=did or tr("office_process.refused.handled"),
            )
            if refusal.step_names:
                text += tr(
                    "office_process.refused.now_at",
                    step=when.list_join([context.label(one) for one in refusal.step_names]),
                )
            return text
        case "invalidProperties":
            reasons = [_property_text(one, refusal.reasons.get(one, "")) for one in refusal.properties]
            return tr("office_process.refused.invalid", what="; ".join(reasons) or step_name)
    key = f"office_process.refused.{refusal.code}"
    return tr(key) if has(key) else tr("office_process.refused.other", code=refusal.description or refusal.code)


def _property_text(name: str, reason: str) -> str:
    key = f"office_process.property.{name}"
    word = tr(key) if has(key) else name
    return f"{word} ({reason})" if reason else word
