"""What a tab remembers for this user: columns, order, grouping, filters, saved ones. Read once, written a moment after the last change."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.errors import AppError
from desktop.models.record_filters import TableState, read_state, write_state
from desktop.models.records_verbs import RecordsVerbs
from desktop.ui.tasks import TaskOwner, alive

WRITE_MS: Final = 300
"""Dragging a column's edge changes its width many times a second."""


class ViewMemory(QObject):
    """One tab's state. `changed` names the parts that are new."""

    changed = Signal(frozenset)

    def __init__(self, records: RecordsVerbs, key: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records, self._key = records, key
        self.state = TableState()
        self.loaded = False
        self.tasks = TaskOwner(self)
        self._timer = QTimer(self, interval=WRITE_MS, singleShot=True)
        self._timer.timeout.connect(self.flush)

    async def load(self) -> None:
        """Reads it, once; what can't be read starts afresh."""
        if self.loaded:
            return
        try:
            raw = await self._records.view_state(self._key)
        except AppError:
            raw = {}
        if alive(self) and not self.loaded:
            self.loaded = True
            self.set(read_state(raw), write=False)

    def change(self, **parts: Any) -> None:
        """Other values for some parts."""
        self.set(msgspec.structs.replace(self.state, **parts))

    def set(self, state: TableState, *, write: bool = True) -> None:
        """Another state."""
        before, self.state = self.state, state
        parts = frozenset(n for n in TableState.__struct_fields__ if getattr(before, n) != getattr(state, n))
        if not parts:
            return
        if write:
            self._timer.start()
        self.changed.emit(parts)

    def flush(self) -> None:
        """Writes now what waits to be written."""
        self._timer.stop()
        self.tasks.start(self._write(), name="write")

    def flush_waiting(self) -> None:
        """Writes now if something waits: the tab is left."""
        if self._timer.isActive():
            self.flush()

    async def _write(self) -> None:
        await self._records.set_view_state(self._key, write_state(self.state))
