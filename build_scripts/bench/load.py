"""Two shapes of load over any chat system: paced (latency at a rate) and closed loop (the most a second).

A system under load is a list of lines: `send(token)` posts a message whose text is the token; whoever receives it calls `Deliveries.note(token)`.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from build_scripts.bench.figures import percentile

Send = Callable[[bytes], None]


class Deliveries:
    """Counts deliveries and knows when each token was sent; `waiting` lines are told when theirs arrives."""

    def __init__(self) -> None:
        self.count = 0
        self.times_ms: list[float] = []
        self._sent: dict[bytes, float] = {}
        self._then: dict[bytes, Callable[[], None]] = {}

    def sent(self, token: bytes, then: Callable[[], None] | None = None) -> None:
        """Remembers that a token leaves now."""
        self._sent[token] = time.perf_counter()
        if then is not None:
            self._then[token] = then

    def note(self, token: bytes) -> None:
        """A token arrived; the first arrival of each is timed."""
        self.count += 1
        start = self._sent.pop(token, None)
        if start is not None:
            self.times_ms.append((time.perf_counter() - start) * 1e3)
        then = self._then.pop(token, None)
        if then is not None:
            then()


async def paced(
    lines: Sequence[Send], deliveries: Deliveries, *, per_second: float, seconds: float
) -> dict[str, float]:
    """Sends at a steady rate, line after line; latency in ms from send to delivery.

    Raises:
        TimeoutError: something sent did not arrive within ten seconds.
    """
    deliveries.times_ms.clear()
    total, start = int(per_second * seconds), time.perf_counter()
    for number in range(total):
        delay = start + number / per_second - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        token = b"p%d" % number
        deliveries.sent(token)
        lines[number % len(lines)](token)
    async with asyncio.timeout(10):
        while len(deliveries.times_ms) < total:
            await asyncio.sleep(0.01)
    return {"p50_ms": percentile(deliveries.times_ms, 0.5), "p99_ms": percentile(deliveries.times_ms, 0.99)}


async def closed_loop(lines: Sequence[Send], deliveries: Deliveries, *, window: int, seconds: float) -> float:
    """Keeps `window` messages in flight on each line; returns deliveries a second over the time asked for."""
    number, open_until = 0, time.perf_counter() + seconds

    def send(line: Send) -> None:
        nonlocal number
        if time.perf_counter() >= open_until:
            return
        number += 1
        token = b"c%d" % number
        deliveries.sent(token, lambda: send(line))
        line(token)

    before, start = deliveries.count, time.perf_counter()
    for line in lines:
        for _ in range(window):
            send(line)
    await asyncio.sleep(seconds)
    return (deliveries.count - before) / (time.perf_counter() - start)
