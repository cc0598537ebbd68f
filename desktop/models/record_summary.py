"""Groups of a table: runs of records with the same value, with their counts and sums. Sums are exact: money never passes through a float."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import groupby
from operator import attrgetter
from typing import Any

from desktop.core.domain.records import GroupSummary, Placed, Record


@dataclass(slots=True)
class Run:
    """Records that follow each other with the same value of the group's field. start: place of the first one among all records."""

    value: Any
    start: int
    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for the same value, whatever kind it is."""
        return repr(self.value)


def group_value(record: Record, name: str) -> Any:
    """What a record is grouped by; nothing, an empty text and an empty list are one group."""
    value = record.author_id if name == "authorId" else record.data.get(name)
    return None if value in ("", []) else value


def run_of(summary: GroupSummary, start: int) -> Run:
    """A group whose first record stands at a place."""
    sums = {name: number for name, text in summary.sums.items() if (number := decimal_of(text)) is not None}
    return Run(summary.value, start, summary.count, sums)


def runs_of(placed: Iterable[Placed], summaries: Sequence[GroupSummary]) -> list[Run]:
    """Groups in the order of the records; none where the records of one do not follow each other, or something was written between the two questions."""
    known = {repr(one.value): one for one in summaries}
    runs: list[Run] = []
    start = 0
    for value, records in groupby(placed, attrgetter("value")):
        summary, count = known.pop(repr(value), None), sum(1 for _ in records)
        if summary is None or summary.count != count:
            return []
        runs.append(run_of(summary, start))
        start += count
    return [] if known else runs


def decimal_of(value: Any) -> Decimal | None:
    """A number or money value as an exact number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
