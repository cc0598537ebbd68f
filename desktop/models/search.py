"""Hits as a list in sections: each section comes when it is ready and takes its place; what is shown already stays where it is. No texts, no widgets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.core.domain.search import Excerpt, Found, FoundKind, FoundPart
from desktop.models.keyed_rows import KeyedRows

AnyIndex = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
COMMAND: Final = "command"
RECENT: Final = "recent"
ALL: Final = "all"
SECTIONS: Final = (*(kind.value for kind in FoundKind), COMMAND, RECENT)
SHOWN: Final = 3
"""Hits of a section while all sections are shown."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be done from the search: a page, a module, a new record, a search made before."""

    key: str
    title: Excerpt
    detail: str = ""
    icon: str = "arrow-right"


@dataclass(frozen=True, slots=True)
class Row:
    """A heading (neither hit nor command) or what stands under it."""

    section: str
    found: Found | None = None
    command: Command | None = None

    @property
    def heading(self) -> bool:
        """Whether it only names its section."""
        return self.found is None and self.command is None

    @property
    def key(self) -> str:
        """Tells rows apart."""
        if self.found is not None:
            return f"{self.section}/{self.found.type}/{self.found.id}"
        return f"{self.section}/{'' if self.command is None else self.command.key}"


class SearchRole(IntEnum):
    """What a row tells."""

    ROW = int(Qt.ItemDataRole.UserRole) + 1


class SearchModel(QAbstractListModel):
    """Sections of hits. `about_to_change` and `changed` stand around everything that moves rows."""

    about_to_change = Signal()
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: KeyedRows[Row] = KeyedRows(self, lambda row: row.key)
        self._held: dict[str, tuple[Row, ...]] = {}
        self._totals: dict[str, tuple[int, bool]] = {}
        self._stale: set[str] = set()
        self._extra: dict[str, tuple[Row, ...]] = {}
        self._tab = ALL

    # ---- what is found
    def begin(self) -> None:
        """Another question: what is shown stays until its section is answered, or `settle`."""
        self._stale = set(self._held)

    def put(self, part: FoundPart) -> None:
        """The answer of one kind."""
        kind = part.kind.value
        self._put(kind, tuple(Row(kind, found) for found in part.items), part.total, part.more)

    def put_commands(self, commands: Iterable[Command], section: str = COMMAND) -> None:
        """What can be done, or what was looked for last."""
        rows = tuple(Row(section, command=command) for command in commands)
        self._put(section, rows, len(rows), False)

    def _put(self, section: str, rows: tuple[Row, ...], total: int, more: bool) -> None:
        self._stale.discard(section)
        self._extra.pop(section, None)
        self._held[section], self._totals[section] = rows, (total, more)
        self._show()

    def append(self, part: FoundPart) -> None:
        """What the server has beyond: below what stands there, whatever its time."""
        kind = part.kind.value
        known = {row.key for row in self._held.get(kind, ())}
        fresh = tuple(row for row in (Row(kind, found) for found in part.items) if row.key not in known)
        total, more = self._totals.get(kind, (0, False))
        self._extra[kind] = fresh
        self._totals[kind] = (max(total + len(fresh), part.total), more)
        self._show()

    def settle(self) -> None:
        """Every section has answered: what is left of the question before goes."""
        for section in self._stale:
            self._held.pop(section, None)
            self._extra.pop(section, None)
            self._totals.pop(section, None)
        self._stale = set()
        self._show()

    def clear(self) -> None:
        """Nothing is asked."""
        self._held, self._totals, self._extra, self._stale = {}, {}, {}, set()
        self._show()

    # ---- what is shown
    @property
    def tab(self) -> str:
        """The section that is shown alone, or ALL."""
        return self._tab

    def set_tab(self, tab: str) -> None:
        """Shows one section, or the best of each."""
        self._tab = tab
        self._show()

    @property
    def totals(self) -> Mapping[str, tuple[int, bool]]:
        """Section → how many (`more`: at least so many), in the order of the sections; empty ones are missing."""
        return {one: self._totals[one] for one in SECTIONS if one != RECENT and self._totals.get(one, (0, False))[0]}

    def _show(self) -> None:
        self.about_to_change.emit()
        wanted: list[Row] = []
        for section in SECTIONS:
            rows = self._section(section)
            if rows and (self._tab in (ALL, section) or section == RECENT):
                wanted += [Row(section), *rows]
        self._rows.replace(wanted)
        self.changed.emit()

    def _section(self, section: str) -> Sequence[Row]:
        held, extra = self._held.get(section, ()), self._extra.get(section, ())
        if self._tab != ALL or section == RECENT:
            return (*held, *extra)
        return (*held[:SHOWN], *(extra[: max(0, SHOWN - len(held))]))

    def row(self, number: int) -> Row | None:
        """What stands in a row."""
        return self._rows.rows[number] if 0 <= number < len(self._rows) else None

    def position(self, key: str) -> int:
        """The row of a key, -1 when it is not shown."""
        return self._rows.position(key)

    def step(self, number: int, by: int) -> int:
        """The next row that can be chosen from `number` (-1: before the first) on; `number` itself at the end."""
        at = number + by
        while 0 <= at < len(self._rows):
            if not self._rows.rows[at].heading:
                return at
            at += 1 if by > 0 else -1
        return number

    # ---- Qt
    def rowCount(self, parent: AnyIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index.row()) if index.isValid() else None
        if row is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                title = row.found.title if row.found is not None else row.command.title if row.command else Excerpt()
                return title.text
            case SearchRole.ROW:
                return row
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        row = self.row(index.row()) if index.isValid() else None
        if row is None or row.heading:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
