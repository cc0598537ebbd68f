"""The few choices a view keeps for this user besides its filters: scale, zoom, period, what is open. Read once, written a moment after the last change."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QObject, QTimer

from desktop.core.errors import AppError
from desktop.models.records_verbs import RecordsVerbs
from desktop.ui.tasks import TaskOwner, alive

WRITE_MS: Final = 300


class KeptChoices(QObject):
    """Small values by name. Nothing is written before `load()` was tried."""

    def __init__(self, records: RecordsVerbs, key: str, parent: QObject) -> None:
        super().__init__(parent)
        self._records, self._key = records, key
        self._held: dict[str, Any] = {}
        self.loaded = False
        self.tasks = TaskOwner(self)
        self._timer = QTimer(self, interval=WRITE_MS, singleShot=True)
        self._timer.timeout.connect(self._flush)

    async def load(self) -> None:
        """Reads them, once; what can't be read starts afresh."""
        if self.loaded:
            return
        try:
            raw = await self._records.view_state(self._key)
        except AppError:
            raw = {}
        if alive(self) and not self.loaded:
            self.loaded = True
            self._held = {**raw, **self._held}

    def text(self, name: str, default: str = "") -> str:
        """A text; the default where something else is kept."""
        value = self._held.get(name)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: float) -> float:
        """A number; the default where something else is kept."""
        value = self._held.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self._held.get(name)
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

    def numbers(self, name: str) -> dict[str, float]:
        """Numbers by name."""
        value = self._held.get(name)
        held = value.items() if isinstance(value, dict) else ()
        return {key: float(n) for key, n in held if isinstance(n, int | float) and not isinstance(n, bool)}

    def keep(self, **values: Any) -> None:
        """Other values for some names."""
        merged = {**self._held, **values}
        if merged != self._held:
            self._held = merged
            self._timer.start()

    def _flush(self) -> None:
        self.tasks.start(self._write(), name="write")

    async def _write(self) -> None:
        await self._records.set_view_state(self._key, dict(self._held))
