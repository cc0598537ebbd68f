"""The office of module tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modules.office_bench import Bench, open_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh small office."""
    with open_bench(tmp_path) as made:
        yield made
