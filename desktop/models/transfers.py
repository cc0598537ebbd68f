"""The files on their way, newest first, as an item model. QtCore only; words and colors are the view's."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.core.domain import Direction, Transfer, TransferState
from desktop.core.events import ChangeSet, Event, TransferProgress

ACTIVE = frozenset({TransferState.WAITING, TransferState.RUNNING, TransferState.HELD, TransferState.PAUSED})
CANCELLED = "userCancelled"

Index = QModelIndex | QPersistentModelIndex


class TransferRole(IntEnum):
    """What a row gives beside its name."""

    TRANSFER = Qt.ItemDataRole.UserRole + 1


class TransfersModel(QAbstractListModel):
    """One row per transfer; keeps its order while they move so that no button runs away from the mouse."""

    totals_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Transfer] = []
        self._place: dict[str, int] = {}

    @property
    def active(self) -> int:
        """How many are not done and not failed."""
        return sum(row.state in ACTIVE for row in self._rows)

    def speed(self, direction: Direction) -> float:
        """Bytes per second of all running transfers of one direction."""
        return sum(row.speed for row in self._rows if row.direction is direction and row.state is TransferState.RUNNING)

    def transfer(self, transfer_id: str) -> Transfer | None:
        """The transfer of an id, None when it is not here."""
        place = self._place.get(transfer_id)
        return None if place is None else self._rows[place]

    def reset(self, transfers: Iterable[Transfer]) -> None:
        """Replaces everything: the first load, and a change whose rows are not told."""
        self.beginResetModel()  # a first load has no old rows worth a diff
        self._rows = list(transfers)
        self._renumber()
        self.endResetModel()
        self.totals_changed.emit()

    def apply(self, transfer: Transfer) -> None:
        """Writes one transfer: its row changes, or a new one comes on top."""
        place = self._place.get(transfer.id)
        if place is None:
            self.beginInsertRows(QModelIndex(), 0, 0)
            self._rows.insert(0, transfer)
            self._renumber()
            self.endInsertRows()
        else:
            self._rows[place] = transfer
            index = self.index(place)
            self.dataChanged.emit(index, index)
        self.totals_changed.emit()

    def remove(self, transfer_id: str) -> None:
        """Takes one row out; unknown ids are nothing."""
        place = self._place.get(transfer_id)
        if place is None:
            return
        self.beginRemoveRows(QModelIndex(), place, place)
        del self._rows[place]
        self._renumber()
        self.endRemoveRows()
        self.totals_changed.emit()

    def on_event(self, event: Event) -> None:
        """Follows the session's events."""
        match event:
            case TransferProgress(transfer=transfer) if transfer.error == CANCELLED:
                self.remove(transfer.id)
            case TransferProgress(transfer=transfer):
                self.apply(transfer)
            case ChangeSet(type_name="Transfer", removed=removed):
                for transfer_id in removed:
                    self.remove(transfer_id)
            case _:
                pass

    def _renumber(self) -> None:
        self._place = {row.id: place for place, row in enumerate(self._rows)}

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == TransferRole.TRANSFER:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.name
        return None
