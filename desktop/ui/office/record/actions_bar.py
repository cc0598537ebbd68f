"""The buttons of what this user may do with a record now: the primary one first; what destroys is red and asks in place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain.definition import Action
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Label, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext
from desktop.ui.theme import icons


def icon_name(icon: str | None) -> str:
    """The glyph of "ph.name"; empty where the family has none of that name."""
    name = (icon or "").removeprefix("ph.")
    return name if name and icons.exists(name) else ""


class ConfirmBar(QFrame):
    """One question in place, with the answer that does it in red."""

    confirmed = Signal()
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("confirmBar")
        self.setProperty("banner", "red")
        self.text = Label(wrap=True)
        self.yes = Button(kind="danger", small=True)
        self.yes.setObjectName("confirmYes")
        self.no = Button(key="common.cancel", small=True)
        on_click(self.yes, self._confirm)
        on_click(self.no, self.dismiss)
        flow = Flow(spacing=8)
        flow.add(self.yes)
        flow.add(self.no)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 10, 18, 10)
        column.addWidget(self.text)
        column.addWidget(flow)
        self.hide()

    def ask(self, question: str, answer: str) -> None:
        """Asks; the keyboard stands on "cancel"."""
        self.text.setText(question)
        self.yes.setText(answer)
        self.show()
        self.no.setFocus(Qt.FocusReason.OtherFocusReason)

    def _confirm(self) -> None:
        self.hide()
        self.confirmed.emit()

    def dismiss(self) -> None:
        """Nothing happens."""
        self.hide()
        self.dismissed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return
        super().keyPressEvent(event)


class ActionsBar(QWidget):
    """The buttons. `chosen` carries an Action; one that destroys and asks nothing was confirmed before."""

    chosen = Signal(object)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._actions: tuple[Action, ...] = ()
        self._asked: Action | None = None
        self.buttons: dict[str, Button] = {}
        self._flow = Flow(spacing=8)
        self.confirm = ConfirmBar()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._flow)
        column.addWidget(self.confirm)
        self.confirm.confirmed.connect(self._on_confirmed)

    def show_actions(self, actions: Sequence[Action]) -> None:
        """These may be done now; the same ones again keep buttons and keyboard where they are."""
        ordered = tuple(sorted(actions, key=lambda one: (one.destructive, not one.primary)))
        names = [self._context.label(one.label) for one in ordered]
        if ordered == self._actions and names == [button.text() for button in self.buttons.values()]:
            return
        self._actions = ordered
        self.confirm.hide()
        empty_layout(self._flow.flow)
        self.buttons = {}
        leading = next((one.name for one in ordered if one.primary and not one.destructive), "")
        for one, name in zip(ordered, names, strict=True):
            kind = "danger" if one.destructive else "primary" if one.name == leading else "secondary"
            button = Button(name, kind=kind, icon=icon_name(one.icon))
            button.setObjectName(f"action_{one.name}")
            on_click(button, partial(self.choose, one))
            self.buttons[one.name] = button
            self._flow.add(button)
        self._flow.setVisible(bool(ordered))

    def choose(self, action: Action) -> None:
        """The user wants it."""
        if action.destructive and not (action.requires or action.asks):
            name = self._context.label(action.label)
            self._asked = action
            self.confirm.ask(tr("office_record.confirm_action", name=name), name)
        else:
            self.chosen.emit(action)

    def _on_confirmed(self) -> None:
        if self._asked is not None:
            self.chosen.emit(self._asked)
            self._asked = None

    def set_busy(self, busy: bool) -> None:
        """While one is being done none can be pressed."""
        for button in self.buttons.values():
            button.setEnabled(not busy)
