"""A bureau whose deputy head of the office is 督察科."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modules.supervision.supervision_bench import SupervisionBench


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[SupervisionBench]:
    """A fresh bureau."""
    made = SupervisionBench(tmp_path)
    yield made
    made.database.close_now()
