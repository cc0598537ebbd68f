"""Notices as a list: filters, order, who has read one. Times in ms, no texts."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.core.domain import Notice, NoticeLevel
from desktop.models.keyed_rows import KeyedRows

AnyIndex = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()


class NoticeRole(IntEnum):
    """What a row of the notice list tells."""

    NOTICE = int(Qt.ItemDataRole.UserRole) + 1
    UNREAD = int(Qt.ItemDataRole.UserRole) + 2
    TO_CONFIRM = int(Qt.ItemDataRole.UserRole) + 3
    AUTHOR = int(Qt.ItemDataRole.UserRole) + 4


class NoticeFilter(StrEnum):
    """The tabs over the notice list."""

    ALL = "all"
    UNREAD = "unread"
    TO_CONFIRM = "toConfirm"
    MINE = "mine"


def is_unread(notice: Notice, me: str) -> bool:
    """Published and not read by me; what I wrote myself is no news to me."""
    return notice.state == "published" and notice.my_read_at is None and notice.author_id != me


def is_to_confirm(notice: Notice) -> bool:
    """Published, wants a confirmation, and has none of mine."""
    return notice.state == "published" and notice.level is NoticeLevel.MUST_CONFIRM and notice.my_confirmed_at is None


def notice_order(notice: Notice) -> tuple[bool, int, str]:
    """Pinned on top, newest first (sort ascending by this)."""
    return (not notice.pinned, -(notice.published_at or notice.created_at), notice.id)


def passes(notice: Notice, kind: NoticeFilter, me: str) -> bool:
    """Whether the notice stands under this tab."""
    match kind:
        case NoticeFilter.UNREAD:
            return is_unread(notice, me)
        case NoticeFilter.TO_CONFIRM:
            return is_to_confirm(notice)
        case NoticeFilter.MINE:
            return notice.author_id == me
        case NoticeFilter.ALL:
            return notice.state in ("published", "withdrawn") or notice.author_id == me


class NoticeListModel(QAbstractListModel):
    """The notices under one tab, narrowed by a search text over title, author and unit."""

    def __init__(self, me: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._me = me
        self._all: tuple[Notice, ...] = ()
        self._names: dict[str, str] = {}
        self._kind = NoticeFilter.ALL
        self._needle = ""
        self._held = ""
        self._rows: KeyedRows[Notice] = KeyedRows(self, lambda notice: notice.id)

    def set_names(self, names: dict[str, str]) -> None:
        """Names of people and departments by id."""
        self._names = names
        self._show()
        if len(self._rows):
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def set_notices(self, notices: Iterable[Notice]) -> None:
        """The notices this user can see now."""
        self._all = tuple(sorted(notices, key=notice_order))
        self._show()

    def set_filter(self, kind: NoticeFilter, needle: str = "") -> None:
        """Another tab or search text."""
        self._kind, self._needle, self._held = kind, needle.strip().casefold(), ""
        self._show()

    def hold(self, notice_id: str) -> None:
        """Keeps the notice being read in its place, though reading it takes it out of "unread"."""
        self._held = notice_id

    def notice(self, notice_id: str) -> Notice | None:
        """The notice of this id, shown or not."""
        return next((n for n in self._all if n.id == notice_id), None)

    def count(self, kind: NoticeFilter) -> int:
        """How many stand under a tab, whatever is searched."""
        return sum(passes(n, kind, self._me) for n in self._all)

    def position(self, notice_id: str) -> int:
        """The row of this notice, -1 when not shown."""
        return self._rows.position(notice_id)

    def author(self, notice: Notice) -> str:
        """The unit and the author, as far as known."""
        names = (self._names.get(key or "") for key in (notice.department_id, notice.author_id))
        return " ".join(name for name in names if name)

    def _show(self) -> None:
        self._rows.replace([n for n in self._all if self._wanted(n)])

    def _wanted(self, notice: Notice) -> bool:
        if not (passes(notice, self._kind, self._me) or notice.id == self._held):
            return False
        return not self._needle or self._needle in f"{notice.title}\n{self.author(notice)}".casefold()

    def rowCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        notice = self._rows.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return notice.title
            case NoticeRole.NOTICE:
                return notice
            case NoticeRole.UNREAD:
                return is_unread(notice, self._me)
            case NoticeRole.TO_CONFIRM:
                return is_to_confirm(notice)
            case NoticeRole.AUTHOR:
                return self.author(notice)
        return None


class ReceiptTally:
    """Who of an audience has read and confirmed a notice, from its read marks."""

    def __init__(self, read: Iterable[str], confirmed: Iterable[str], audience: Iterable[str]) -> None:
        self.confirmed = sorted(set(confirmed))
        self.read = sorted(set(read) - set(self.confirmed))
        self.unread = sorted(set(audience) - set(self.read) - set(self.confirmed))
