"""Runs of sequence numbers against plain sets."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from desktop.core.sync import ranges

intervals = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30), st.booleans()), max_size=20)


def as_set(runs: ranges.Runs) -> set[int]:
    return {n for low, high in runs for n in range(low, high + 1)}


@given(intervals, st.integers(0, 35))
def test_runs_are_the_set_and_stay_tidy(steps: list[tuple[int, int, bool]], top: int) -> None:
    runs, truth = ranges.NOTHING, set[int]()
    for low, high, adding in steps:
        span = set(range(low, high + 1))
        runs = ranges.add(runs, low, high) if adding else ranges.remove(runs, low, high)
        truth = truth | span if adding else truth - span
        assert as_set(runs) == truth
        assert all(a[1] + 1 < b[0] for a, b in pairwise(runs))
    assert as_set(ranges.holes(runs, top)) == set(range(1, top + 1)) - truth
    for n in range(1, 31):
        run = ranges.run_of(runs, n)
        assert (run is not None) == (n in truth)


@given(st.lists(st.integers(1, 30)))
def test_ascending_numbers_make_the_runs_that_adding_each_makes(numbers: list[int]) -> None:
    one_by_one = ranges.NOTHING
    for number in numbers:
        one_by_one = ranges.add(one_by_one, number, number)
    assert ranges.runs_of(sorted(numbers)) == one_by_one
