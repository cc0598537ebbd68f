"""One named thread for work of the screens that would cost frames: decoding pictures, counting a large organization."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _cpu() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="cpu-ui")


async def in_background(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs `work`, which touches no widget, in the thread and gives back its result."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # Qt still steps tasks while the program is coming down
        raise asyncio.CancelledError from None
    return await loop.run_in_executor(_cpu(), lambda: work(*args, **kwargs))
