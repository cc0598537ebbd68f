"""What every editor of a field is: a value of the wire in, a value of the wire out, and a text that is no value yet kept apart.

An editor knows its field and nothing of its record; what is required, too large or refused is said by the form around it.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from desktop.core.domain.definition import Field
from desktop.ui.kit import ComboBox, restyle
from desktop.ui.office.views.base import ViewContext


class FieldEditor(QWidget):
    """Base of the editors. `compact` ones stand in a cell of lines and have no room for more than a line.

    Signals:
        changed: the user changed what it holds.
    """

    changed = Signal()
    captioned = True
    """Whether the form writes the field's name above it."""
    wide = False
    """Whether it wants the whole width of the form."""

    def __init__(
        self, context: ViewContext, field: Field, *, compact: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.context, self.field, self.compact = context, field, compact
        self.setObjectName(f"field_{field.name}")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0 if compact else 4)
        self._setting = False

    # ---- the value
    def value(self) -> Any:
        """The wire value; None for nothing. While `raw` holds a text that can't be read, the last value that could."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Shows a value; `changed` stays silent."""
        self._setting = True
        try:
            self.show_value(value)
        finally:
            self._setting = False

    def show_value(self, value: Any) -> None:
        """Puts a value, also a broken one, into the controls."""
        raise NotImplementedError

    def raw(self) -> str | None:
        """What was typed and is no value; None when there is nothing like that."""
        return None

    def set_raw(self, text: str) -> None:
        """Puts a text back that was no value: of a draft."""

    def finish(self) -> None:
        """The user is done with it: a text that can only mean one thing becomes a value."""

    async def settle(self) -> None:
        """Finishes what must be done before the value may be sent: uploads. Raises AppError."""

    def told(self) -> None:
        """Says that the user changed it, unless the value was set by the form."""
        if not self._setting:
            self.changed.emit()

    # ---- looks
    def set_invalid(self, invalid: bool) -> None:
        """A red edge; the reason stands below."""
        target = self.focus_target()
        target.setProperty("invalid", "true" if invalid else "false")
        restyle(target)

    def focus_target(self) -> QWidget:
        """What takes the keyboard."""
        return self.focusProxy() or self

    def set_name(self, name: str) -> None:
        """The field's name for screen readers."""
        self.setAccessibleName(name)
        self.focus_target().setAccessibleName(name)

    def take_focus(self) -> None:
        """Puts the keyboard here."""
        self.focus_target().setFocus(Qt.FocusReason.OtherFocusReason)


class CalmComboBox(ComboBox):
    """A choice list that the wheel only turns while it has the keyboard: scrolling a form must not change it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
