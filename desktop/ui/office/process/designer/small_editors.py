"""Small editors of the property card: a choice, a length of working time, several of a list as chips with check marks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, Menu, TextField, on_click, restyle
from desktop.ui.office.process.designer.step_words import MOMENT
from desktop.ui.office.record.actions_bar import ConfirmBar
from desktop.ui.office.record.editor import CalmComboBox

UNITS = ("m", "h", "d")


def ask_calmly(bar: ConfirmBar, question: str, answer: str, *, destroys: bool = False) -> None:
    """Asks in a bar; red only where something is destroyed."""
    for widget, name, value in (
        (bar, "banner", "red" if destroys else "accent"),
        (bar.yes, "kind", "danger" if destroys else "primary"),
    ):
        widget.setProperty(name, value)
        restyle(widget)
    bar.ask(question, answer)


class ChoiceBox(CalmComboBox):
    """One of several; `changed` when the user took another one."""

    changed = Signal()

    def __init__(self, choices: Sequence[tuple[Any, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for value, text in choices:
            self.addItem(text, value)
        self.setMinimumContentsLength(6)
        self._setting = False
        self.currentIndexChanged.connect(lambda _index: None if self._setting else self.changed.emit())

    def value(self) -> Any:
        """What is chosen."""
        return self.currentData()

    def set_value(self, value: Any) -> None:
        """Chooses; tells nobody. What is not among them is kept as it is."""
        self._setting = True
        index = next((n for n in range(self.count()) if self.itemData(n) == value), -1)
        if index < 0:
            self.addItem(str(value), value)
            index = self.count() - 1
        self.setCurrentIndex(index)
        self._setting = False


class MomentEdit(QWidget):
    """A length of working time: a number and its unit; empty for none.

    Signals: changed.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = TextField()
        self.number.setValidator(QIntValidator(0, 9999, self.number))
        self.number.setFixedWidth(theme.scaled(54))
        self.number.setPlaceholderText("–")
        self.unit = ChoiceBox([(one, tr(f"office_process.design.unit.{one}")) for one in UNITS])
        self._kept: str | None = None
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.number)
        line.addWidget(self.unit, 1)
        self.number.editingFinished.connect(self._told)
        self.unit.changed.connect(self._told)
        self._last: str | None = None
        self.setFocusProxy(self.number)

    def value(self) -> str | None:
        """As the list has it: 4h, 1d; None for none."""
        text = self.number.text().strip()
        return f"{int(text)}{self.unit.value()}" if text else self._kept

    def set_value(self, value: str | None) -> None:
        """Shows one; what is no length ("field:deadline") is kept until a number is written."""
        found = MOMENT.match(value or "")
        self._kept = None if found is not None or not value else value
        self.number.setText(found.group(1) if found is not None else "")
        self.number.setPlaceholderText(self._kept or "–")
        self.unit.set_value(found.group(2) if found is not None else "d")
        self._last = self.value()

    def _told(self) -> None:
        if self.value() != self._last:
            self._last = self.value()
            self.changed.emit()

    def set_name(self, name: str) -> None:
        """The name for screen readers."""
        self.number.setAccessibleName(name)
        self.unit.setAccessibleName(name)


class ManyBox(QWidget):
    """Several of a list: their names in a row, a menu with check marks to change them.

    Signals: changed.
    """

    changed = Signal()

    def __init__(self, none_key: str = "office_process.design.none", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._none_key = none_key
        self._choices: list[tuple[str, str]] = []
        self._held: list[str] = []
        self.button = Button(small=True, icon="caret-down")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.button)
        on_click(self.button, lambda: self.menu().popup(self.button.mapToGlobal(QPoint(0, self.button.height()))))
        self.setFocusProxy(self.button)
        self._name = ""

    def set_name(self, name: str) -> None:
        """The name for screen readers."""
        self._name = name
        self._show()

    def show_choices(self, choices: Sequence[tuple[str, str]], held: Sequence[str]) -> None:
        """Offers these, and has those."""
        self._choices, self._held = list(choices), list(held)
        self._show()

    def value(self) -> list[str]:
        """What is chosen, in the order of the choices; what is not among them stays at the end."""
        known = [key for key, _ in self._choices]
        return [key for key in known if key in self._held] + [key for key in self._held if key not in known]

    def _show(self) -> None:
        names = dict(self._choices)
        words = [names.get(key, key) for key in self.value()]
        text = when.list_join(words[:4]) + (" …" if len(words) > 4 else "")
        self.button.setText(text or tr(self._none_key))
        self.button.setToolTip(when.list_join(words))
        self.button.setAccessibleName(f"{self._name}: {self.button.toolTip() or self.button.text()}")

    def menu(self) -> Menu:
        """All of them, the chosen ones marked."""
        menu = Menu(self, leaves=True)
        for key, words in self._choices:
            action = menu.addAction(words, partial(self.toggle, key))
            action.setCheckable(True)
            action.setChecked(key in self._held)
        return menu

    def toggle(self, key: str) -> None:
        """Takes one in or out."""
        self._held.remove(key) if key in self._held else self._held.append(key)
        self._show()
        self.changed.emit()
