"""Keeps what is typed into a form on this device: at the first change at once, then as fast as the store takes it. Nothing waits for a pause in typing."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer

from desktop.ui.office.views.base import ViewContext

GATHER_MS = 120
"""Between two writes of one form; a text that is typed fast is one write eight times a second."""


class DraftKeeper(QObject):
    """One form's draft. The writes belong to the context, which outlives the form."""

    def __init__(self, context: ViewContext, key: str, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self.key = context, key
        self._waiting: dict[str, Any] | None = None
        self._dirty = False
        self._pause = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._pause.timeout.connect(self.flush)

    async def load(self) -> dict[str, Any] | None:
        """What was kept, None for nothing."""
        kept = await self._context.records.draft(self.key)
        return kept if isinstance(kept, dict) else None

    def keep(self, draft: dict[str, Any] | None) -> None:
        """Keeps this, None forgets it."""
        self._waiting, self._dirty = draft, True
        if not self._pause.isActive():
            self.flush()

    def flush(self) -> None:
        """Writes what is not written yet, now."""
        if not self._dirty:
            return
        self._dirty = False
        self._pause.start()
        work = self._context.records.set_draft(self.key, self._waiting)
        self._context.tasks.start(work, name=f"draft {self.key}")

    async def drop(self) -> None:
        """Forgets it: it was sent, or thrown away."""
        self._pause.stop()
        self._waiting, self._dirty = None, False
        await self._context.records.set_draft(self.key, None)
