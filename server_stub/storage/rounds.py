"""The life of a task that does what is due: a round of work, a nap until the next moment or until something changes, for ever."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from server_stub.errors import StorageFailed

LONGEST_NAP_S: Final = 30.0  # so that a changed system clock is noticed
SHORTEST_NAP_S: Final = 0.01
RETRY_S: Final = 5.0


async def run_rounds(
    changed: asyncio.Event,
    work: Callable[[], Awaitable[float]],
    log: logging.Logger,
    what: str,
    *,
    retry_s: float = RETRY_S,
) -> None:
    """Never returns; its owner cancels it.

    Args:
        changed: set by whoever makes something due; what happens during a round leads to one more.
        work: a round; answers how long to nap (s).
        what: for the log, when the database cannot be used: the round is tried again after `retry_s`.
    """
    while True:
        changed.clear()
        try:
            nap = await work()
        except StorageFailed as problem:
            log.warning("%s: %s", what, problem)
            nap = retry_s
        try:
            async with asyncio.timeout(nap):
                await changed.wait()
        except TimeoutError:
            continue


def nap_until(due_at: int | None, now: int) -> float:
    """How long to nap (s) until a moment (ms); None: nothing is due."""
    if due_at is None:
        return LONGEST_NAP_S
    return min(max((due_at - now) / 1000, SHORTEST_NAP_S), LONGEST_NAP_S)
