"""The bureau of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modules.documents.document_bench import DocumentBench, open_bureau


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[DocumentBench]:
    """A fresh bureau."""
    with open_bureau(tmp_path) as made:
        yield made
