"""What an action asks before it is done, in place: which earlier step, which people, before or after, or only "really?"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QVBoxLayout, QWidget

from desktop.core.domain.cases import ReturnStep, WorkItem
from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.definition import Label as Words
from desktop.core.domain.processes import StepAction
from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Label, Scroll, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.notice_vote import RoundMark
from desktop.ui.office.process import words
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.record.pick_editors import PickMany, PickOne
from desktop.ui.office.views.base import ViewContext

SIGNERS: Final = ("addSignerBefore", "addSignerAfter")
PEOPLE: Final = frozenset({*SIGNERS, "transfer", "countersign", "circulate"})
"""Actions that name people."""
QUESTIONS: Final = frozenset({"terminate", "refuse", "withdraw", "suspend"})
"""Actions that are asked once more."""
ASKS: Final = PEOPLE | QUESTIONS | {"return"}
DANGER: Final = frozenset({"terminate", "refuse"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: the action (before or after was chosen), people, an earlier step."""

    action: StepAction
    to: tuple[str, ...] = ()
    to_step: str | None = None


def people_field(name: str, words_: Words, *, many: bool = True) -> Field:
    """A field that picks people, for the editors of forms."""
    return Field(name=name, kind=FieldKind.PERSONS if many else FieldKind.PERSON, label=words_)


class AskBox(QFrame):
    """One question.

    Signals:
        answered: an Answer. dismissed: it is not wanted after all.
    """

    answered = Signal(object)
    dismissed = Signal()

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("askBox")
        self.setProperty("surface", "card")
        self.context = context
        self.offered: tuple[StepAction, ...] = ()
        self.people: PickMany | PickOne | None = None
        self.steps: list[tuple[RoundMark, ReturnStep]] = []
        self.sides: list[tuple[Button, StepAction]] = []
        self._group: QButtonGroup | None = None
        self.title = Label(role="base", strong=True, wrap=True)
        self.hint = Label(role="secondary", tone="ink3", wrap=True)
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self._body = QVBoxLayout()
        self._body.setSpacing(6)
        self.yes = Button(kind="primary", small=True)
        self.yes.setObjectName("askYes")
        self.no = Button(key="common.cancel", kind="ghost", small=True)
        line = Flow(spacing=8)
        line.add(self.yes)
        line.add(self.no)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(6)
        column.addWidget(self.title)
        column.addLayout(self._body)
        column.addWidget(self.hint)
        column.addWidget(self.problem)
        column.addWidget(line)
        on_click(self.yes, self.answer)
        on_click(self.no, self.dismiss)
        i18n.changed.connect(self._relabel)
        self.hide()

    # ---- asking
    def ask(self, actions: Sequence[StepAction], item: WorkItem | None, *, needs_opinion: bool) -> None:
        """Asks for what these need: one action, or adding signers before and after as one question."""
        self.clear()
        self.offered = tuple(actions)
        self._needs_opinion = needs_opinion
        name = actions[0].name
        if name == "return":
            self._ask_step(item)
        elif name in PEOPLE:
            self._ask_people(name, len(actions) > 1)
        self._relabel()
        self.show()
        self.take_focus()

    _needs_opinion = False

    def clear(self) -> None:
        """Takes the last question away."""
        empty_layout(self._body)
        self.people, self.steps, self.sides, self._group = None, [], [], None
        self.problem.hide()
        self.hide()

    def _relabel(self) -> None:
        if not self.offered:
            return
        action = self.offered[0]
        name = action.name
        word = (
            tr("office_process.action.addSigner") if len(self.offered) > 1 else words.action_word(self.context, action)
        )
        key = (
            f"office_process.ask.{name}"
            if name in QUESTIONS
            else f"office_process.ask.{'signers' if name in SIGNERS else name}"
        )
        self.title.setText(tr(key, action=word))
        self.yes.setText(word)
        kind = "danger" if name in DANGER or name == "return" else "primary"
        self.yes.setProperty("kind", kind)
        self.yes.style().unpolish(self.yes)
        self.yes.style().polish(self.yes)
        self.hint.setText(tr("office_process.ask.words_needed") if self._needs_opinion else "")
        self.hint.setVisible(self._needs_opinion)

    def _ask_step(self, item: WorkItem | None) -> None:
        group = self._group = QButtonGroup(self)
        area = Scroll(surface="surface")  # many steps or large letters: they are scrolled, not squeezed
        area.inner.setContentsMargins(0, 0, 0, 0)
        area.inner.setSpacing(6)
        for number, step in enumerate(item.return_to if item is not None else ()):
            who = words.person_word(self.context, step.person_id) if step.person_id else ""
            mark = RoundMark(" · ".join(part for part in (self.context.label(step.words) or step.step_id, who) if part))
            mark.setObjectName(f"returnTo_{step.step_id}")
            mark.setChecked(number == 0)
            group.addButton(mark)
            self.steps.append((mark, step))
            area.inner.addWidget(mark)
        tall = [mark.sizeHint().height() + area.inner.spacing() for mark, _ in self.steps]
        area.setMinimumHeight(sum(tall[:2]))
        area.setMaximumHeight(sum(tall))
        self._body.addWidget(area)

    def _ask_people(self, name: str, both: bool) -> None:
        if both:
            flow = Flow(spacing=6)
            group = self._group = QButtonGroup(self)
            for number, action in enumerate(self.offered):
                side = "before" if action.name == "addSignerBefore" else "after"
                button = Button(tr(f"office_process.ask.{side}"), kind="tab", small=True)
                button.setCheckable(True)
                button.setChecked(number == 0)
                button.setObjectName(f"signer_{side}")
                group.addButton(button)
                self.sides.append((button, action))
                flow.add(button)
            self._body.addWidget(flow)
        label = Words(zh=tr("office_process.ask.people"), en=tr("office_process.ask.people"))
        many = name != "transfer"
        field = people_field("people", label, many=many)
        self.people = PickMany(self.context, field) if many else PickOne(self.context, field)
        self.people.set_name(tr("office_process.ask.people"))
        self.people.changed.connect(self.problem.hide)
        self._body.addWidget(self.people)

    def take_focus(self) -> None:
        """The keyboard goes where the answer begins."""
        if self.people is not None:
            self.people.take_focus()
        elif self.steps:
            self.steps[0][0].setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.no.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- answering
    def answer(self) -> None:
        """Takes the answer, or says what is missing."""
        if not self.offered or self.isHidden():
            return
        action = self.offered[0]
        to: tuple[str, ...] = ()
        to_step: str | None = None
        if self.sides:
            action = next(one for button, one in self.sides if button.isChecked())
        if self.people is not None:
            self.people.finish()
            value = self.people.value()
            to = tuple(value) if isinstance(value, list) else (value,) if value else ()
            if not to:
                self.say(tr("office_process.ask.nobody"))
                self.people.take_focus()
                return
        if self.steps:
            to_step = next((step.step_id for mark, step in self.steps if mark.isChecked()), None)
        self.answered.emit(Answer(action, to, to_step))

    def say(self, text: str) -> None:
        """What is missing or went wrong."""
        self.problem.setText(text)
        self.problem.show()

    def dismiss(self) -> None:
        """Nothing happens."""
        self.clear()
        self.offered = ()
        self.dismissed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return
        super().keyPressEvent(event)
