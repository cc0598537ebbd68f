"""Records of one type by id, read as they come on the screen. A view knows the order of all ids; the pool has the records near what is looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.domain.records import Record
from desktop.models.records_verbs import RecordsVerbs
from desktop.ui.tasks import TaskOwner, alive

MOST: Final = 4000
"""Records that stay in memory."""
AT_ONCE: Final = 400
"""Records that are read with one question; the last wanted first: what was scrolled past can wait."""


class RecordPool(QObject):
    """Records by id.

    Signals:
        arrived: records came or changed: paint again.
    """

    arrived = Signal()

    def __init__(self, records: RecordsVerbs, type_name: str, parent: QObject) -> None:
        super().__init__(parent)
        self._records, self._type = records, type_name
        self._held: dict[str, Record] = {}
        self._stale: set[str] = set()
        self._gone: set[str] = set()
        self._wanted: dict[str, None] = {}
        self.tasks = TaskOwner(self)
        self._timer = QTimer(self, interval=0, singleShot=True)
        self._timer.timeout.connect(self._on_wanted)

    def get(self, record_id: str) -> Record | None:
        """The record; None: it is not here yet, `arrived` follows. A record that may have changed since is answered, and read again."""
        held = self._held.get(record_id)
        if (held is None and record_id not in self._gone) or record_id in self._stale:
            self._wanted.pop(record_id, None)
            self._wanted[record_id] = None
            if not self._timer.isActive():
                self._timer.start()
        return held

    def peek(self, record_id: str) -> Record | None:
        """The record, if it is here; nothing is read for it."""
        return self._held.get(record_id)

    def known(self) -> list[str]:
        """Ids of the records that are here, the last ones read at the end."""
        return list(self._held)

    async def renew(self, ids: Collection[str]) -> None:
        """Reads these now; what else is here counts as changed until it is looked at again. Raises AppError."""
        self._stale, self._gone = set(self._held), set()
        await self._read(ids)

    async def load(self, ids: Iterable[str]) -> None:
        """Reads those of these that are not here. Raises AppError."""
        missing = [one for one in ids if one not in self._held or one in self._stale]
        if missing:
            await self._read(missing)

    async def _read(self, ids: Collection[str]) -> None:
        found = await self._records.several(self._type, list(ids)) if ids else {}
        for record_id in ids:
            self._stale.discard(record_id)
            self._wanted.pop(record_id, None)
            self._held.pop(record_id, None)
        self._held |= found
        self._gone.update(record_id for record_id in ids if record_id not in found)
        while len(self._held) > MOST:
            del self._held[next(iter(self._held))]

    def _on_wanted(self) -> None:
        if self._wanted and not self.tasks.running("pool"):
            self.tasks.start(self._read_wanted(), name="pool")

    async def _read_wanted(self) -> None:
        while self._wanted:
            ids = list(self._wanted)[-AT_ONCE:]
            for record_id in ids:
                del self._wanted[record_id]
            await self._read(ids)
            if not alive(self):
                return
            self.arrived.emit()
