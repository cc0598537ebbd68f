"""The buttons a work item offers: the one it is there for first, then the others; what finds no room in two lines waits in a menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain.processes import StepAction
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Menu, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process import words
from desktop.ui.office.process.ask_box import DANGER, SIGNERS
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext

LINES: Final = 2
GAP: Final = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: an action, or adding signers before and after as one."""

    key: str
    label: str
    actions: tuple[StepAction, ...]


def choices_of(context: ViewContext, actions: Sequence[StepAction]) -> list[Choice]:
    """The buttons of these actions, what the step is there for first, what ends it badly last."""
    signers = tuple(one for one in actions if one.name in SIGNERS)
    found: list[Choice] = []
    for action in actions:
        if action.name in SIGNERS:
            if action is signers[0]:
                word = tr("office_process.action.addSigner") if len(signers) > 1 else words.action_word(context, action)
                found.append(Choice("addSigner", word, signers))
            continue
        key = action.name if action.outcome is None else f"{action.name}:{action.outcome}"
        found.append(Choice(key, words.action_word(context, action), (action,)))
    order = {name: number for number, name in enumerate(words.FORWARD)}
    found.sort(key=lambda one: (one.actions[0].name in DANGER, order.get(one.actions[0].name, len(order))))
    return found


class ActionRow(QWidget):
    """Signals: chosen (a Choice)."""

    chosen = Signal(object)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("actionRow")
        self.context = context
        self.choices: list[Choice] = []
        self.buttons: dict[str, Button] = {}
        self._actions: tuple[StepAction, ...] = ()
        self.flow = Flow(spacing=GAP)
        self.more = Button(key="office_process.more", icon="dots-three")
        self.more.setObjectName("actionsMore")
        self.more.hide()
        on_click(self.more, lambda: self.more_menu().popup(self.more.mapToGlobal(QPoint(0, self.more.height()))))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.flow)
        self._later = QTimer(self, interval=0, singleShot=True)
        self._later.timeout.connect(self._fit)
        i18n.changed.connect(self._rebuild)
        theme.changed.connect(self._later.start)

    @property
    def primary(self) -> Choice | None:
        """What Ctrl+Enter does."""
        first = next(iter(self.choices), None)
        return first if first is not None and first.actions[0].name in words.FORWARD else None

    def show_actions(self, actions: Sequence[StepAction]) -> None:
        """These may be done now; the same ones again keep buttons and keyboard where they are."""
        if tuple(actions) != self._actions:
            self._actions = tuple(actions)
            self._rebuild()
        self.setVisible(bool(self._actions))

    def _rebuild(self) -> None:
        self.choices = choices_of(self.context, self._actions)
        self.more.setParent(self)
        empty_layout(self.flow.flow)
        self.buttons = {}
        primary = self.primary
        for choice in self.choices:
            kind = "primary" if choice is primary else "danger" if choice.actions[0].name in DANGER else "secondary"
            button = Button(choice.label, kind=kind)
            button.setObjectName(f"act_{choice.key}")
            if choice is primary:
                button.setToolTip(tr("office_process.ctrl_enter"))
            on_click(button, partial(self.chosen.emit, choice))
            self.buttons[choice.key] = button
            self.flow.add(button)
        self.flow.add(self.more)
        self._fit()

    def _fit(self) -> None:
        """Two lines at most; the first button always."""
        room, x, line = max(1, self.width()), 0, 1
        widths = {key: button.sizeHint().width() for key, button in self.buttons.items()}
        more = self.more.sizeHint().width() + GAP
        shown: list[str] = []
        for number, (key, width) in enumerate(widths.items()):
            last = number == len(widths) - 1
            if x and x + width > room:
                line, x = line + 1, 0
            spare = 0 if last or line < LINES else more
            if shown and (line > LINES or x + width + spare > room):
                break
            shown.append(key)
            x += width + GAP
        for key, button in self.buttons.items():
            button.setVisible(key in shown)
        self.more.setVisible(len(shown) < len(widths))
        self.flow.flow.invalidate()
        self.flow.updateGeometry()

    def hidden_choices(self) -> list[Choice]:
        """What waits in the menu."""
        return [one for one in self.choices if self.buttons[one.key].isHidden()]

    def more_menu(self) -> Menu:
        """The menu of what found no room."""
        menu = Menu(self, leaves=True)
        for choice in self.hidden_choices():
            menu.addAction(choice.label, partial(self.chosen.emit, choice))
        return menu

    def set_busy(self, busy: bool) -> None:
        """While one is being sent none can be pressed."""
        for button in (*self.buttons.values(), self.more):
            button.setEnabled(not busy)

    # ---- Qt overrides
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._later.start()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._later.start()
