"""The made-up fleet office for tests of the engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modules.engine.fleet_bench import FleetBench, open_fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FleetBench]:
    """A fresh one."""
    with open_fleet(tmp_path) as made:
        yield made
