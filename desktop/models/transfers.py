"""The files on their way, newest first, as an item model that can show a part of them. QtCore only; words and colors are the view's."""

from bisect import bisect_left
from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.core.domain import Direction, Transfer, TransferState
from desktop.core.events import ChangeSet, Event, TransferProgress

ACTIVE = frozenset({TransferState.WAITING, TransferState.RUNNING, TransferState.HELD, TransferState.PAUSED})
CANCELLED = "userCancelled"
ONE_BY_ONE: Final = 20
"""Beyond so many removals at once the list is built anew: each one alone would renumber all."""

Index = QModelIndex | QPersistentModelIndex


class TransferRole(IntEnum):
    """What a row gives beside its name."""

    TRANSFER = Qt.ItemDataRole.UserRole + 1


class TransferFilter(StrEnum):
    """Which transfers are shown; the value is the last part of its text's key."""

    ALL = "all"
    ACTIVE = "active"
    SENT = "sent"
    RECEIVED = "received"
    DONE = "done"
    FAILED = "failed"

    def takes(self, transfer: Transfer) -> bool:
        """Whether a transfer is among them."""
        match self:
            case TransferFilter.ACTIVE:
                return transfer.state in ACTIVE
            case TransferFilter.SENT:
                return transfer.direction is Direction.UP
            case TransferFilter.RECEIVED:
                return transfer.direction is Direction.DOWN
            case TransferFilter.DONE:
                return transfer.state is TransferState.DONE
            case TransferFilter.FAILED:
                return transfer.state is TransferState.FAILED
            case _:
                return True


class TransfersModel(QAbstractListModel):
    """One row per transfer; keeps its order while they move so that no button runs away from the mouse.

    Held oldest first, shown newest first: a new one is an append, whatever the length of the list.
    """

    totals_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: dict[str, Transfer] = {}
        self._order: dict[str, int] = {}
        self._next = 0
        self._shown: list[str] = []
        self._filter = TransferFilter.ALL
        self._words = ""
        self._counts = dict.fromkeys(TransferState, 0)
        self._running: dict[str, Transfer] = {}

    # ------------------------------------------------------------ totals
    @property
    def active(self) -> int:
        """How many are not done and not failed."""
        return sum(self._counts[state] for state in ACTIVE)

    def count(self, state: TransferState) -> int:
        """How many are in this state, shown or not."""
        return self._counts[state]

    def speed(self, direction: Direction) -> float:
        """Bytes per second of all running transfers of one direction."""
        return sum(one.speed for one in self._running.values() if one.direction is direction)

    def transfer(self, transfer_id: str) -> Transfer | None:
        """The transfer of an id, None when it is not here."""
        return self._all.get(transfer_id)

    @property
    def total(self) -> int:
        """How many there are, shown or not."""
        return len(self._all)

    # ------------------------------------------------------------ what is shown
    def show_only(self, chosen: TransferFilter, words: str = "") -> None:
        """Shows those of one kind whose names hold all `words`."""
        if (chosen, words) == (self._filter, self._words):
            return
        self.beginResetModel()
        self._filter, self._words = chosen, words
        self._shown = [one.id for one in self._all.values() if self._fits(one)]
        self.endResetModel()

    def _fits(self, transfer: Transfer) -> bool:
        if not self._filter.takes(transfer):
            return False
        name = transfer.name.casefold()
        return not self._words or all(word in name for word in self._words.casefold().split())

    def _place(self, transfer_id: str) -> int | None:
        """Where it stands in what is shown, oldest first."""
        order = self._order.get(transfer_id)
        if order is None:
            return None
        place = bisect_left(self._shown, order, key=self._order.__getitem__)
        return place if place < len(self._shown) and self._shown[place] == transfer_id else None

    def _row(self, place: int) -> int:
        return len(self._shown) - 1 - place

    # ------------------------------------------------------------ changes
    def reset(self, transfers: Iterable[Transfer]) -> None:
        """Replaces everything, newest first: the first load, and a change whose rows are not told."""
        self.beginResetModel()  # a first load has no old rows worth a diff
        self._all = {one.id: one for one in reversed(list(transfers))}
        self._order = {key: place for place, key in enumerate(self._all)}
        self._next = len(self._all)
        self._counts = dict.fromkeys(TransferState, 0)
        for one in self._all.values():
            self._counts[one.state] += 1
        self._running = {key: one for key, one in self._all.items() if one.state is TransferState.RUNNING}
        self._shown = [key for key, one in self._all.items() if self._fits(one)]
        self.endResetModel()
        self.totals_changed.emit()

    def apply(self, transfer: Transfer) -> None:
        """Writes one transfer: its row changes, or a new one comes on top."""
        self._note(transfer)
        place = self._place(transfer.id)
        fits = self._fits(transfer)
        if place is not None and fits:
            index = self.index(self._row(place))
            self.dataChanged.emit(index, index)
        elif place is not None:
            self._hide(place)
        elif fits:
            place = bisect_left(self._shown, self._order[transfer.id], key=self._order.__getitem__)
            row = len(self._shown) - place
            self.beginInsertRows(QModelIndex(), row, row)
            self._shown.insert(place, transfer.id)
            self.endInsertRows()
        self.totals_changed.emit()

    def _note(self, transfer: Transfer) -> None:
        known = self._all.get(transfer.id)
        if known is not None:
            self._counts[known.state] -= 1
        else:
            self._order[transfer.id] = self._next
            self._next += 1
        self._counts[transfer.state] += 1
        self._all[transfer.id] = transfer
        if transfer.state is TransferState.RUNNING:
            self._running[transfer.id] = transfer
        else:
            self._running.pop(transfer.id, None)

    def _hide(self, place: int) -> None:
        row = self._row(place)
        self.beginRemoveRows(QModelIndex(), row, row)
        del self._shown[place]
        self.endRemoveRows()

    def remove(self, *transfer_ids: str) -> None:
        """Takes rows out; unknown ids are nothing."""
        known = [one for one in transfer_ids if one in self._all]
        if len(known) > ONE_BY_ONE:
            gone = set(known)
            self.reset([one for key, one in reversed(self._all.items()) if key not in gone])
            return
        for transfer_id in known:
            place = self._place(transfer_id)
            if place is not None:
                self._hide(place)
            self._counts[self._all.pop(transfer_id).state] -= 1
            del self._order[transfer_id]
            self._running.pop(transfer_id, None)
        if known:
            self.totals_changed.emit()

    def on_event(self, event: Event) -> None:
        """Follows the session's events."""
        match event:
            case TransferProgress(transfer=transfer) if transfer.error == CANCELLED:
                self.remove(transfer.id)
            case TransferProgress(transfer=transfer):
                self.apply(transfer)
            case ChangeSet(type_name="Transfer", removed=removed):
                self.remove(*removed)
            case _:
                pass

    # ------------------------------------------------------------ the item model
    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self._shown):
            return None
        transfer = self._all[self._shown[self._row(index.row())]]
        if role == TransferRole.TRANSFER:
            return transfer
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return transfer.name
        return None
