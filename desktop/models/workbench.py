"""What waits for a user, gathered from notices, alerts and to-dos of all modules into lists of one kind of line. Times in ms, no words of the interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.core.domain import Alert, Notice
from desktop.core.domain.moments import DAY_MS, day_of, day_start, is_today
from desktop.core.domain.records import AgendaItem, DueItem, Light, Record, Todo, TodoKind
from desktop.models.keyed_rows import KeyedRows
from desktop.models.records import is_to_confirm, is_unread

AnyIndex = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
AMBER_DAYS: Final = 3
"""A to-do's date is near from so many days before; what is on the radar says for itself when it is."""
NOTICE: Final = "Notice"
MOST_RECENT: Final = 12
TOLD_ELSEWHERE: Final = frozenset({"todo", "due"})
"""Alerts about what stands in the lists anyway."""
TO_READ_KINDS: Final = frozenset({"comment", "mention", "follow", "notice", "confirm", "advance"})
"""News: nothing is to be done about it."""


class Part(StrEnum):
    """The lists of "my work"."""

    TODO = "todo"
    TO_READ = "toRead"
    DUE_TODAY = "dueToday"
    STARTED = "started"
    DONE = "done"
    RADAR = "radar"


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One line: something of `type_name` and `record_id` that can be opened.

    Attributes:
        rule: the to-do rule or due field that put it here, by which the definition words it.
        due_at: when it is over. at: when it came.
        state: of a record, where the list shows it.
        notice: one to be confirmed from the line itself. alert: one that can be dismissed.
    """

    key: str
    type_name: str
    record_id: str
    title: str
    module: str = ""
    rule: str = ""
    due_at: int | None = None
    light: Light | None = None
    at: int = 0
    urgent: bool = False
    state: str = ""
    text: str = ""
    notice: Notice | None = None
    alert: Alert | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """All lists; agenda is today's. counts: what waits, by module."""

    parts: Mapping[Part, tuple[WorkItem, ...]] = field(default_factory=dict)
    agenda: tuple[AgendaItem, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def part(self, part: Part) -> tuple[WorkItem, ...]:
        """One of the lists."""
        return self.parts.get(part, ())

    def lights(self) -> dict[Light, int]:
        """How many dates are far, near and over."""
        found = dict.fromkeys(Light, 0)
        for item in self.part(Part.RADAR):
            if item.light is not None:
                found[item.light] += 1
        return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the session told, as it came."""

    todos: Sequence[Todo] = ()
    done: Sequence[Todo] = ()
    started: Sequence[Record] = ()
    radar: Sequence[DueItem] = ()
    agenda: Sequence[AgendaItem] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    """Of the started records, by id."""


def gathered(
    waiting: Waiting, notices: Sequence[Notice], alerts: Iterable[Alert], *, me: str, now: int, zone: int
) -> Work:
    """Puts everything into its lists; each thing stands once in a list."""
    told = list(alerts)
    to_confirm = [_of_notice(notice, urgent=True) for notice in notices if is_to_confirm(notice)]
    unread = [_of_notice(n) for n in notices if is_unread(n, me) and not is_to_confirm(n)]
    listed = {item.record_id for item in (*to_confirm, *unread)}
    news = [_of_alert(alert) for alert in told if _is_news(alert, listed)]
    radar = tuple(_of_due(item) for item in waiting.radar)
    todo = [
        *to_confirm,
        *(_of_todo(one, now, zone) for one in waiting.todos if one.kind is TodoKind.TODO),
        *(item for item in news if item.alert is not None and item.alert.kind not in TO_READ_KINDS),
    ]
    to_read = [
        *unread,
        *(_of_todo(one, now, zone) for one in waiting.todos if one.kind is TodoKind.TO_READ),
        *(item for item in news if item.alert is not None and item.alert.kind in TO_READ_KINDS),
    ]
    counts = dict(waiting.counts)
    if to_confirm or unread:
        counts["notices"] = counts.get("notices", 0) + len(to_confirm) + len(unread)
    parts = {
        Part.TODO: tuple(sorted(todo, key=_urgent_first)),
        Part.TO_READ: tuple(sorted(to_read, key=lambda item: (-item.at, item.key))),
        Part.DUE_TODAY: tuple(_due_today(radar, todo, now, zone)),
        Part.STARTED: tuple(_of_record(one, waiting.titles.get(one.id, "")) for one in waiting.started),
        Part.DONE: tuple(_of_todo(one, now, zone) for one in waiting.done),
        Part.RADAR: radar,
    }
    return Work(parts, tuple(waiting.agenda), counts)


def light_at(due_at: int, now: int, zone: int) -> Light:
    """The light of a to-do's date."""
    if due_at <= now:
        return Light.RED
    today = day_start(day_of(now, zone), zone)
    return Light.AMBER if due_at <= today + (AMBER_DAYS + 1) * DAY_MS else Light.GREEN


def _is_news(alert: Alert, listed: set[str]) -> bool:
    return alert.kind not in TOLD_ELSEWHERE and (alert.link is None or alert.link.id not in listed)


def _urgent_first(item: WorkItem) -> tuple[bool, bool, int, int, str]:
    return not item.urgent, item.due_at is None, item.due_at or 0, -item.at, item.key


def _due_today(radar: Iterable[WorkItem], todo: Iterable[WorkItem], now: int, zone: int) -> Iterator[WorkItem]:
    seen: set[str] = set()
    for item in (*radar, *todo):
        if item.due_at is not None and item.record_id not in seen and is_today(item.due_at, now, zone):
            seen.add(item.record_id)
            yield item


def _of_notice(notice: Notice, *, urgent: bool = False) -> WorkItem:
    at = notice.published_at or notice.created_at
    return WorkItem(
        f"notice:{notice.id}", NOTICE, notice.id, notice.title, "notices", at=at, urgent=urgent, notice=notice
    )


def _of_todo(todo: Todo, now: int, zone: int) -> WorkItem:
    over = todo.state == "done"
    return WorkItem(
        f"todo:{todo.id}",
        todo.record_type,
        todo.record_id,
        todo.title,
        todo.module,
        todo.rule,
        due_at=None if over else todo.due_at,
        light=light_at(todo.due_at, now, zone) if todo.due_at is not None and not over else None,
        at=(todo.done_at or todo.created_at) if over else todo.created_at,
    )


def _of_alert(alert: Alert) -> WorkItem:
    link = alert.link
    return WorkItem(
        f"alert:{alert.id}",
        link.type if link else "",
        link.id if link else "",
        alert.title,
        at=alert.created_at,
        urgent=alert.urgent,
        text=alert.text,
        alert=alert,
    )


def _of_due(item: DueItem) -> WorkItem:
    record = item.record
    return WorkItem(
        f"due:{record.id}:{item.due.field}",
        record.type,
        record.id,
        item.title,
        item.module,
        item.due.field,
        due_at=item.at_ms,
        light=item.light,
        at=record.created_at,
    )


def _of_record(record: Record, title: str) -> WorkItem:
    state = record.data.get("state")
    return WorkItem(
        f"record:{record.id}",
        record.type,
        record.id,
        title,
        at=record.created_at,
        state=state if isinstance(state, str) else "",
    )


# ------------------------------------------------------------ the user's own order of modules
@dataclass(frozen=True, slots=True)
class Habits:
    """Modules the user starred, in his order, and those he used last, the last first."""

    favorites: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()

    def with_star(self, module_id: str, on: bool) -> Habits:
        """Starred at the end, or not any more."""
        others = tuple(one for one in self.favorites if one != module_id)
        return Habits((*others, module_id) if on else others, self.recent)

    def with_use(self, module_id: str) -> Habits:
        """Used just now."""
        others = tuple(one for one in self.recent if one != module_id)
        return Habits(self.favorites, (module_id, *others)[:MOST_RECENT])

    def moved(self, module_id: str, place: int) -> Habits:
        """A favourite stands at another place now; what is no favourite moves nothing."""
        if module_id not in self.favorites:
            return self
        others = [one for one in self.favorites if one != module_id]
        others.insert(max(0, min(place, len(others))), module_id)
        return Habits(tuple(others), self.recent)

    def kept(self) -> dict[str, Any]:
        """As it is written."""
        return {"favorites": list(self.favorites), "recent": list(self.recent)}


def habits_of(kept: Mapping[str, Any]) -> Habits:
    """Reads what was written; anything else counts as nothing."""

    def names(key: str) -> tuple[str, ...]:
        value = kept.get(key)
        return tuple(dict.fromkeys(one for one in value if isinstance(one, str))) if isinstance(value, list) else ()

    return Habits(names("favorites"), names("recent")[:MOST_RECENT])


# ------------------------------------------------------------ as a list
class WorkRole(IntEnum):
    """What a row tells."""

    ITEM = int(Qt.ItemDataRole.UserRole) + 1


class WorkListModel(QAbstractListModel):
    """Lines of one list, narrowed by words over the title and what `words` says of a line."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: tuple[WorkItem, ...] = ()
        self._details: dict[str, str] = {}
        self._needles: tuple[str, ...] = ()
        self._rows: KeyedRows[WorkItem] = KeyedRows(self, lambda item: item.key)

    def set_items(self, items: Iterable[WorkItem], details: Mapping[str, str]) -> None:
        """Other lines; `details`: the second line's words, by key."""
        self._all, self._details = tuple(items), dict(details)
        self._show()
        if len(self._rows):
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def set_needle(self, text: str) -> None:
        """Only lines that have all these words."""
        self._needles = tuple(text.casefold().split())
        self._show()

    def item(self, row: int) -> WorkItem:
        """The line at a row."""
        return self._rows.rows[row]

    def detail(self, item: WorkItem) -> str:
        """The words of the second line."""
        return self._details.get(item.key, "")

    def _show(self) -> None:
        self._rows.replace([item for item in self._all if self._has(item)])

    def _has(self, item: WorkItem) -> bool:
        said = f"{item.title}\n{self.detail(item)}".casefold()
        return all(needle in said for needle in self._needles)

    def rowCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        item = self._rows.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return item.title
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{item.title}, {self.detail(item)}"
            case WorkRole.ITEM:
                return item
        return None
