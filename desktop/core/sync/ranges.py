"""Which sequence numbers of a conversation this device holds: sorted, disjoint, inclusive runs. What lies between is fetched."""

from collections.abc import Iterable
from typing import Final

Runs = tuple[tuple[int, int], ...]
"""Inclusive (low, high) pairs, ascending, neither touching nor overlapping."""

NOTHING: Final[Runs] = ()


def add(runs: Runs, low: int, high: int) -> Runs:
    """`runs` with [low, high] covered too; an empty interval (low > high) changes nothing."""
    if low > high:
        return runs
    if runs and runs[-1][0] <= low and low <= runs[-1][1] + 1:  # the usual case: the next message
        return runs if high <= runs[-1][1] else (*runs[:-1], (runs[-1][0], high))
    before = [run for run in runs if run[1] + 1 < low]
    after = [run for run in runs if run[0] > high + 1]
    touched = runs[len(before) : len(runs) - len(after)]
    if touched:
        low, high = min(low, touched[0][0]), max(high, touched[-1][1])
    return (*before, (low, high), *after)


def runs_of(numbers: Iterable[int]) -> Runs:
    """The runs that ascending numbers make; the same number may come twice."""
    found: list[tuple[int, int]] = []
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = number
        elif number > last + 1:
            found.append((first, last))
            first = number
        last = number
    return tuple(found) if first is None or last is None else (*found, (first, last))


def remove(runs: Runs, low: int, high: int) -> Runs:
    """`runs` without [low, high]; an empty interval changes nothing."""
    if low > high:
        return runs
    kept: list[tuple[int, int]] = []
    for a, b in runs:
        if a < low:
            kept.append((a, min(b, low - 1)))
        if b > high:
            kept.append((max(a, high + 1), b))
    return tuple(kept)


def holes(runs: Runs, top: int) -> Runs:
    """What is missing of [1, top], ascending."""
    missing: list[tuple[int, int]] = []
    expected = 1
    for low, high in runs:
        if low > top:
            break
        if low > expected:
            missing.append((expected, low - 1))
        expected = max(expected, high + 1)
    if expected <= top:
        missing.append((expected, top))
    return tuple(missing)


def run_of(runs: Runs, seq: int) -> tuple[int, int] | None:
    """The run that holds `seq`."""
    return next((run for run in runs if run[0] <= seq <= run[1]), None)
