"""Editors of choices: yes or no, one of several, some of several. Few ones stand as chips, many in a list."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from desktop.core.domain.definition import Field
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, CheckBox, on_click
from desktop.ui.office.record.editor import CalmComboBox, FieldEditor
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext

CHIPS = 6
"""More choices than these stand in a list."""


class BoolEditor(FieldEditor):
    """A check box that carries the field's name itself."""

    captioned = False

    def __init__(
        self, context: ViewContext, field: Field, *, compact: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, field, compact=compact, parent=parent)
        self.captioned = False
        self.box = CheckBox("" if compact else context.label(field.label))
        self.setFocusProxy(self.box)
        self.column.addWidget(self.box)
        self.box.toggled.connect(lambda _on: self.told())

    def value(self) -> Any:
        return self.box.isChecked()

    def show_value(self, value: Any) -> None:
        self.box.setChecked(value is True)


class ChoiceList(FieldEditor):
    """One of several in a list."""

    def __init__(
        self, context: ViewContext, field: Field, *, compact: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, field, compact=compact, parent=parent)
        self.box = CalmComboBox()
        self.setFocusProxy(self.box)
        self.box.addItem("" if compact else tr("office_record.choose"), None)
        for choice in field.choices:
            self.box.addItem(context.label(choice.label), choice.value)
        self.box.setMinimumWidth(theme.scaled(80))
        self.column.addWidget(self.box)
        self.box.currentIndexChanged.connect(lambda _index: self.told())

    def value(self) -> Any:
        return self.box.currentData()

    def show_value(self, value: Any) -> None:
        index = self.box.findData(value)
        if index < 0:  # a choice that is gone from the definition: shown as it is, and kept until another is made
            self.box.addItem(str(value), value)
            index = self.box.count() - 1
        self.box.setCurrentIndex(index)


class _ChoiceChip(Button):
    """A chip that is pressed in or not; arrows go to the next one."""

    def __init__(self, text: str) -> None:
        super().__init__(text, small=True)
        self.setCheckable(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        forward = event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Down)
        if forward or event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Up):
            host = self.parentWidget()
            chips = host.findChildren(_ChoiceChip) if host is not None else [self]
            chips[(chips.index(self) + (1 if forward else -1)) % len(chips)].setFocus(Qt.FocusReason.TabFocusReason)
            return
        super().keyPressEvent(event)


class ChipsEditor(FieldEditor):
    """Chips: one of them is pressed, or several."""

    def __init__(self, context: ViewContext, field: Field, *, parent: QWidget | None = None) -> None:
        super().__init__(context, field, parent=parent)
        self._many = str(field.kind) == "multiChoice"
        self._flow = Flow()
        self.chips: dict[str, _ChoiceChip] = {}
        self._unknown: list[Any] = []
        for choice in field.choices:
            chip = _ChoiceChip(context.label(choice.label))
            chip.setObjectName(f"choice_{choice.value}")
            on_click(chip, partial(self._on_press, choice.value))
            self.chips[choice.value] = chip
            self._flow.add(chip)
        self.column.addWidget(self._flow)

    def focus_target(self) -> QWidget:
        pressed = (chip for chip in self.chips.values() if chip.isChecked())
        return next(pressed, None) or next(iter(self.chips.values()), self)

    def set_name(self, name: str) -> None:
        self.setAccessibleName(name)
        for chip in self.chips.values():
            chip.setAccessibleName(f"{name}: {chip.text()}")

    def set_invalid(self, invalid: bool) -> None:
        """Chips have no edge of their own to redden; the reason below says it."""

    def _on_press(self, value: str) -> None:
        if not self._many:
            if self.field.required:
                self.chips[value].setChecked(True)
            for other, chip in self.chips.items():
                if other != value:
                    chip.setChecked(False)
            self._unknown = []
        self.told()

    def value(self) -> Any:
        chosen = [value for value, chip in self.chips.items() if chip.isChecked()]
        if self._many:
            return [*self._unknown, *chosen] or None
        return chosen[0] if chosen else next(iter(self._unknown), None)

    def show_value(self, value: Any) -> None:
        held = value if isinstance(value, list) else [] if value is None else [value]
        for name, chip in self.chips.items():
            chip.setChecked(name in held)
        known = list(self.chips)
        self._unknown = [one for one in held if one not in known]
