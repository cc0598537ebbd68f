"""Office records in memory: the same questions as the tables answer, asked of the objects themselves."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any, Final

from desktop.core.domain import GroupSummary, Record
from desktop.core.domain.conditions import as_decimal, is_empty, matches
from desktop.core.domain.formulas import format_money
from desktop.core.domain.records import wire_of
from desktop.core.store.record_cells import OBJECT, cell
from desktop.core.store.record_tables import number_text, value_of_cell
from desktop.core.sync.port import GroupsWanted, RecordsWanted, SortKey

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
            GroupSummary(value_of_cell(held), len(wires), {name: _sum(wires, name, wanted) for name in wanted.sums})
            for held, wires in ordered
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
