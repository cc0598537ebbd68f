"""A moment of the day, HH:MM: typed in any short form (9, 930, 9:30), or stepped by the arrow keys."""

import re
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QWidget

from desktop.ui import i18n, theme
from desktop.ui.kit.basics import TextField

STEP: Final = 15  # minutes
DAY: Final = 24 * 60
WIDTH: Final = 64
_FORMS: Final = re.compile(r"\s*(\d{1,2})\s*(?:[:：.]?\s*(\d{2}))?\s*")


def parse_time(text: str) -> int | None:
    """Minutes since midnight; None for what is no time of the day."""
    found = _FORMS.fullmatch(text)
    if found is None:
        return None
    hours, minutes = int(found[1]), int(found[2] or 0)
    return hours * 60 + minutes if hours < 24 and minutes < 60 else None


def format_time(minutes: int) -> str:
    """HH:MM."""
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


class TimeField(TextField):
    """`chosen` carries HH:MM when the user is done; what is no time is put back as it was."""

    chosen = Signal(str)

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._kept = "00:00"
        self.setObjectName(key)
        i18n.bind(self.setAccessibleName, key)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.textEdited.connect(lambda text: self.set_invalid(parse_time(text) is None))
        self.returnPressed.connect(self._done)
        theme.changed.connect(self._fit)
        self._fit()

    @property
    def time(self) -> str:
        """What is typed where that is a time, else what was kept."""
        minutes = parse_time(self.text())
        return self._kept if minutes is None else format_time(minutes)

    def set_time(self, time: str) -> None:
        """Shows a time; what the user types just now stays."""
        self._kept = time
        if not self.isModified():
            self._show()

    def _show(self) -> None:
        self.setText(self._kept)
        self.set_invalid(False)

    def _fit(self) -> None:
        self.setFixedWidth(theme.scaled(WIDTH))

    def _done(self) -> None:
        before, self._kept = self._kept, self.time
        self._show()
        if self._kept != before:
            self.chosen.emit(self._kept)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: STEP, Qt.Key.Key_Down: -STEP}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        minutes = parse_time(self.time) or 0
        self.setText(format_time((minutes // STEP * STEP + step) % DAY))
        self._done()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._done()
