"""Office records in memory: the same questions as the tables answer, asked of the objects themselves."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any, Final

from desktop.core.clock import local_minutes, parse_utc_date
from desktop.core.domain import GroupSummary, Record
from desktop.core.domain.conditions import as_decimal, is_empty, matches
from desktop.core.domain.formulas import format_money
from desktop.core.domain.moments import day_of, is_date, is_instant
from desktop.core.domain.records import Figure, FigureGroup, Placed, wire_of
from desktop.core.store.record_cells import OBJECT, SPAN, Cell, cell, is_whole, value_of_cell
from desktop.core.store.record_tables import group_value, number_text
from desktop.core.sync.port import FiguresWanted, GroupsWanted, RecordsWanted, SortKey

_UNITS: Final = {"year": 4, "month": 7, "day": 10}
_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class RecordMemory:
    """Records by type and id."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Record]] = {}

    def put(self, type_name: str, records: Iterable[Record]) -> None:
        """Writes whole records."""
        self._records.setdefault(type_name, {}).update((record.id, record) for record in records)

    def remove(self, type_name: str, record_id: str) -> bool:
        """Whether it was there."""
        return self._records.get(type_name, {}).pop(record_id, None) is not None

    def drop(self, type_name: str) -> list[str]:
        """Takes all of a type away; the ids it had."""
        return list(self._records.pop(type_name, {}))

    def ids(self, type_name: str) -> list[str]:
        """All ids of a type."""
        return list(self._records.get(type_name, {}))

    def load(self, type_name: str, ids: Collection[str]) -> dict[str, Record]:
        """Those that are here."""
        held = self._records.get(type_name, {})
        return {record_id: held[record_id] for record_id in ids if record_id in held}

    def all(self, type_name: str) -> list[Record]:
        """All of a type, by id."""
        return self.page(RecordsWanted(type_name))[0]

    def page(self, wanted: RecordsWanted) -> tuple[list[Record], int]:
        """A part of those that match, and how many match."""
        found = self._matching(wanted)
        end = None if wanted.limit is None else wanted.offset + wanted.limit
        return found[wanted.offset : end], len(found)

    def groups(self, wanted: GroupsWanted) -> list[GroupSummary]:
        """Counts and sums by group."""
        groups: dict[Any, list[dict[str, Any]]] = {}
        for record in self._matching(wanted.records):
            wire = wire_of(record)
            held = None if wanted.group is None else cell(wire.get(wanted.group))
            groups.setdefault(held, []).append(wire)
        ordered = sorted(
            groups.items(), key=lambda item: (-len(item[1]), item[0] is None, _ordered(item[0]), str(item[0]))
        )
        return [
            GroupSummary(group_value(held), len(wires), {name: _sum(wires, name, wanted) for name in wanted.sums})
            for held, wires in ordered
        ]

    def outline(self, wanted: RecordsWanted, field: str) -> list[Placed]:
        """All that match, in order, with what a field holds."""
        return [Placed(one.id, value_of_cell(cell(wire_of(one).get(field)))) for one in self._matching(wanted)]

    def figures(self, wanted: FiguresWanted) -> list[FigureGroup] | None:
        """Counts, sums and bounds by group."""
        groups: dict[tuple[Cell, ...], list[dict[str, Any]]] = {}
        for record in self._matching(wanted.records):
            wire = wire_of(record)
            keys = tuple(_key(wire.get(name), unit) for unit, name in wanted.groups)
            if not all(is_whole(key) for key in keys):
                return None
            groups.setdefault(keys, []).append(wire)
        return [
            FigureGroup(
                tuple(map(value_of_cell, keys)), len(wires), {name: _figure(wires, name) for name in wanted.fields}
            )
            for keys, wires in groups.items()
        ]

    def _matching(self, wanted: RecordsWanted) -> list[Record]:
        held = {**self._records.get(wanted.type_name, {}), **{record.id: record for record in wanted.overlay}}
        for record_id in wanted.hidden - {record.id for record in wanted.overlay}:
            held.pop(record_id, None)
        found = [(wire_of(record), record) for record in held.values()]
        found = [pair for pair in found if matches(wanted.condition, pair[0])]
        found.sort(key=lambda pair: pair[1].id)
        for key in reversed(wanted.sort):  # a stable sort by each, the first one last; empties stay behind either way
            full = [pair for pair in found if not is_empty(pair[0].get(key.field))]
            empty = [pair for pair in found if is_empty(pair[0].get(key.field))]
            full.sort(key=lambda pair: _place(key, pair[0].get(key.field)), reverse=key.descending)
            found = full + empty
        return [record for _, record in found]


def _key(value: Any, unit: str) -> Cell:
    held = cell(value)
    if not unit or held is None:
        return held
    text = str(held)
    if is_date(text):
        return text[: _UNITS[unit]]
    begins = text.split(SPAN, maxsplit=1)[0]
    if not is_instant(begins):
        return None
    at = parse_utc_date(begins)
    return day_of(at, local_minutes(at))[: _UNITS[unit]]


def _figure(wires: list[dict[str, Any]], name: str) -> Figure:
    numbers = [number for wire in wires if (number := as_decimal(wire.get(name))) is not None]
    return Figure(len(numbers), sum(numbers, Decimal(0)), min(numbers, default=None), max(numbers, default=None))


def _place(key: SortKey, value: Any) -> tuple[int, Any]:
    held = cell(value)
    match key.kind:
        case "money":
            return 0, as_decimal(value) or Decimal(0)
        case "choice" if held in key.choices:
            return 0, key.choices.index(held)
        case "name":
            return _ordered(key.names.get(str(held), held))
        case _:
            return _ordered(held)


def _ordered(held: Any) -> tuple[int, Any]:
    """Numbers before texts, texts without regard to ASCII case."""
    if held is None:
        return 0, 0
    return (0, held) if isinstance(held, int | float) else (1, str(held or OBJECT).translate(_LOWER))


def _sum(wires: list[dict[str, Any]], name: str, wanted: GroupsWanted) -> str:
    if name in wanted.money:
        return format_money(sum((as_decimal(wire.get(name)) or Decimal(0) for wire in wires), Decimal(0)))
    numbers = [wire.get(name) for wire in wires]
    return number_text(sum(one for one in numbers if isinstance(one, int | float) and not isinstance(one, bool)))
