"""A bureau with two seals."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modules.process_bench import ProcessBench, open_bureau


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[ProcessBench]:
    """A fresh bureau."""
    with open_bureau(tmp_path, "seals") as made:
        yield made
