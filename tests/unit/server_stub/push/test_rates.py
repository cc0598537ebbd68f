"""Token buckets: a burst, a rate, a clock that jumps, and no memory for those who are long gone."""

from hypothesis import given
from hypothesis import strategies as st

from server_stub.clock import FixedClock
from server_stub.push import rates
from server_stub.push.rates import RateLimiter


def test_a_burst_then_the_rate() -> None:
    clock = FixedClock(1_000)
    limiter = RateLimiter(clock, per_second=2, burst=5)
    assert limiter.take("li", 3) == 3
    assert limiter.take("li", 3) == 2
    assert limiter.take("li") == 0
    assert limiter.take("wang", 5) == 5
    assert limiter.wait_s("li") == 1
    clock.advance(499)
    assert limiter.take("li") == 0
    clock.advance(1)
    assert limiter.take("li", 9) == 1
    clock.advance(3_600_000)
    assert limiter.take("li", 9) == 5


def test_a_clock_set_back_neither_gives_nor_takes() -> None:
    clock = FixedClock(1_000_000)
    limiter = RateLimiter(clock, per_second=1, burst=3)
    assert limiter.take("li", 2) == 2
    clock.advance(-500_000)
    assert limiter.take("li", 9) == 1
    clock.advance(2_000)
    assert limiter.take("li", 9) == 2


def test_only_those_who_wait_are_remembered() -> None:
    clock = FixedClock(0)
    limiter = RateLimiter(clock, per_second=1000, burst=10)
    for number in range(rates.MAX_BUCKETS):
        limiter.take(f"p{number}")
    clock.advance(1_000)
    limiter.take("busy", 10)
    limiter.take("p0", 10)
    limiter.take("q")
    assert len(limiter._buckets) == 3
    assert limiter.take("busy") == limiter.take("p0") == 0
    for number in range(3 * rates.MAX_BUCKETS):  # all of them in use: still every one counts
        assert limiter.take(f"r{number}", 10) == 10
    assert limiter.take("r0") == limiter.take("busy") == 0


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 50)), max_size=40))
def test_never_more_than_burst_and_rate_allow(steps: list[tuple[int, int]]) -> None:
    clock = FixedClock(0)
    limiter = RateLimiter(clock, per_second=7, burst=20)
    granted = 0
    for wait, wanted in steps:
        clock.advance(wait)
        granted += limiter.take("p", wanted)
    assert granted <= 20 + 7 * clock.now / 1000 + 1e-6
