"""Which column of a sheet is which field: a line for each column with what stands in it and a list of fields to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.core.domain.definition import TypeDefinition
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import ElidedLabel, Label
from desktop.ui.layouts import empty_layout
from desktop.ui.office.exchange.columns import Column, folded, targets_of
from desktop.ui.office.exchange.opening import CellError, Sheet
from desktop.ui.office.record.editor import CalmComboBox
from desktop.ui.office.views.base import ViewContext

SAMPLES: Final = 3


class MappingTable(QWidget):
    """`changed` after each choice; a field that is chosen twice leaves its first column."""

    changed = Signal()

    def __init__(self, context: ViewContext, definition: TypeDefinition, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._targets: list[Column] = targets_of(definition)
        self._required = {field.name for field in definition.fields if field.required}
        self.boxes: list[CalmComboBox] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(3, 1)  # far apart, the eye loses the way from a column to its field
        self._heads: tuple[str, ...] = ()

    def show_sheet(self, sheet: Sheet, mapping: Sequence[str]) -> None:
        """Shows the columns of a sheet with the fields they were taken for."""
        empty_layout(self._grid)
        self.boxes, self._heads = [], sheet.heads
        for place, key in enumerate(("sheet_column", "sheet_samples", "sheet_field")):
            self._grid.addWidget(Label(tr(f"office_module.{key}"), role="secondary", tone="ink3"), 0, place)
        for number, head in enumerate(sheet.heads):
            box = CalmComboBox()
            box.setObjectName(f"mapping_{number}")
            box.setAccessibleName(tr("office_module.field_of_column", head=head))
            box.setMinimumWidth(theme.scaled(180))
            box.addItem(tr("office_module.not_taken"), "")
            for target in self._targets:
                star = " *" if target.name in self._required else ""
                box.addItem(f"{self._context.label(target.label)}{star}", target.key)
            box.setCurrentIndex(max(0, box.findData(mapping[number])))
            box.currentIndexChanged.connect(partial(self._on_choice, number))
            self.boxes.append(box)
            self._grid.addWidget(Label(head or "—", strong=True), number + 1, 0)
            self._grid.addWidget(ElidedLabel(_samples(sheet, number), role="secondary", tone="ink2"), number + 1, 1)
            self._grid.addWidget(box, number + 1, 2)
        self._grid.setRowStretch(len(sheet.heads) + 1, 1)

    def _on_choice(self, number: int, _index: int) -> None:
        chosen = self.boxes[number].currentData()
        for other, box in enumerate(self.boxes):
            if chosen and other != number and box.currentData() == chosen:
                box.setCurrentIndex(0)
        self.changed.emit()

    def mapping(self) -> list[str]:
        """The field of each column; "" for none."""
        return [str(box.currentData() or "") for box in self.boxes]

    def remembered(self) -> dict[str, str]:
        """What to choose the next time, by heading."""
        return {folded(head): key for head, key in zip(self._heads, self.mapping(), strict=True) if head}

    def lacking(self) -> list[str]:
        """Names of required fields that no column stands for."""
        taken = {target.name for target in self._targets if target.key in self.mapping()}
        lacking = {t.name: t for t in self._targets if t.name in self._required - taken and t.key == t.name}
        return [self._context.label(target.label) for target in lacking.values()]


def _samples(sheet: Sheet, number: int) -> str:
    found = (values[number] for _, values in sheet.rows[:20] if number < len(values) and values[number] is not None)
    texts = [value.text if isinstance(value, CellError) else str(value) for value in found]
    return "  ·  ".join(text.replace("\n", " ")[:40] for text in dict.fromkeys(texts[:SAMPLES]))
