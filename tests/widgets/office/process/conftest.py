"""Screens of processes tell working time: their tests stand in an office in China, whatever the machine's zone is."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _office_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()
