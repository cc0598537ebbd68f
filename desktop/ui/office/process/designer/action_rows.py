"""The buttons of a step one by one: their words in both languages, what they lead on to, whether words are needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.i18n import has, tr
from desktop.ui.kit import IconButton, Label, TextField, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process.designer.small_editors import ChoiceBox

LEADING: Final = frozenset({"submit", "approve", "refuse", "read"})
"""Acts after which the process goes on, and may ask with which outcome."""
USUAL: Final = {"submit": "submitted", "approve": "approved", "refuse": "refused", "read": "read"}
NEEDS: Final = ("optional", "required", "none")
WIDTH_OF_OUTCOME: Final = 72


class ActionRows(QWidget):
    """One line for each button of a step. `changed` when the user changed one; value() is as the list has them.

    A button without words of its own has the usual ones of its act. Of an act that leads on there may be several, each with its outcome.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._held: list[dict[str, Any]] = []
        self._shape: object = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.fields: dict[tuple[int, str], TextField] = {}
        self.opinions: dict[int, ChoiceBox] = {}

    def set_value(self, actions: Sequence[Mapping[str, Any]], language: str) -> None:
        """Shows these; the same buttons with other words keep their editors and the keyboard."""
        self._held = [dict(one) for one in actions]
        shape = (tuple(one.get("name") for one in self._held), language, theme.text_scale())
        if shape != self._shape:
            self._shape = shape
            self._build()
        self._fill()

    def value(self) -> list[dict[str, Any]]:
        """The buttons as they are written."""
        return [dict(one) for one in self._held]

    def _build(self) -> None:
        empty_layout(self._column)
        self.fields, self.opinions = {}, {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        heads = ("", "zh", "en", "outcome", "opinion") if self._held else ()
        for column, key in enumerate(heads):
            if key:
                head = Label(key=f"office_process.design.buttons.{key}", role="secondary", tone="ink3")
                grid.addWidget(head, 0, column)
        for number, action in enumerate(self._held):
            self._add_line(grid, number, str(action.get("name", "")))
        grid.setColumnStretch(1, 2)
        grid.setColumnStretch(2, 2)
        grid.setColumnStretch(3, 1)
        self._column.addLayout(grid)

    def _add_line(self, grid: QGridLayout, number: int, name: str) -> None:
        usual = _usual_word(name)
        grid.addWidget(Label(usual, role="secondary", tone="ink2"), number + 1, 0)
        for column, key in enumerate(("zh", "en", "outcome"), 1):
            if key == "outcome" and name not in LEADING:
                continue
            field = TextField()
            field.setMaxLength(60 if key == "outcome" else 200)
            field.setPlaceholderText(USUAL.get(name, "") if key == "outcome" else "–")
            field.setAccessibleName(f"{usual}: {tr(f'office_process.design.buttons.{key}')}")
            field.setMinimumWidth(theme.scaled(WIDTH_OF_OUTCOME))
            field.editingFinished.connect(partial(self._on_text, number, key, field))
            grid.addWidget(field, number + 1, column)
            self.fields[number, key] = field
        needs: list[tuple[Any, str]] = [(None, tr("office_process.design.buttons.as_step"))]
        needs += [(one, tr(f"office_process.design.opinions.{one}")) for one in NEEDS]
        box = self.opinions[number] = ChoiceBox(needs)
        box.setAccessibleName(f"{usual}: {tr('office_process.design.buttons.opinion')}")
        box.changed.connect(lambda: self._on_opinion(number, box))
        grid.addWidget(box, number + 1, 4)
        if name in LEADING:
            again = IconButton("plus", "office_process.design.buttons.again", size=16, box=26)
            again.setObjectName(f"again_{number}")
            on_click(again, partial(self._again, number))
            grid.addWidget(again, number + 1, 5)

    def _fill(self) -> None:
        for number, action in enumerate(self._held):
            label = action.get("label") or {}
            for key, text in (("zh", label.get("zh")), ("en", label.get("en")), ("outcome", action.get("outcome"))):
                field = self.fields.get((number, key))
                if field is not None and not field.hasFocus():
                    field.setText(str(text or ""))
            self.opinions[number].set_value(action.get("opinion"))

    def _on_text(self, number: int, key: str, field: TextField) -> None:
        action, text = self._held[number], " ".join(field.text().split())
        if key == "outcome":
            text = re.sub(r"\s", "", text)
            made = {**action, "outcome": text} if text else {one: v for one, v in action.items() if one != "outcome"}
        else:
            label = {**(action.get("label") or {}), key: text}
            words = {one: label.get(one) or label.get("en" if one == "zh" else "zh") for one in ("zh", "en")}
            made = {one: v for one, v in action.items() if one != "label"}
            made |= {"label": words} if all(words.values()) and text else {}
        if made != action:
            self._held[number] = made
            self.changed.emit()

    def _on_opinion(self, number: int, box: ChoiceBox) -> None:
        rest = {one: v for one, v in self._held[number].items() if one != "opinion"}
        self._held[number] = rest if box.value() is None else {**rest, "opinion": box.value()}
        self.changed.emit()

    def _again(self, number: int) -> None:
        """Another button of the same act, with an outcome of its own."""
        name = str(self._held[number]["name"])
        taken = {one.get("outcome") or USUAL.get(str(one.get("name"))) for one in self._held}
        outcome = next(one for n in range(2, 100_000) if (one := f"{USUAL[name]}{n}") not in taken)
        self._held.insert(number + 1, {"name": name, "outcome": outcome})
        self.changed.emit()


def _usual_word(name: str) -> str:
    key = f"office_process.action.{name}"
    return tr(key) if has(key) else name
