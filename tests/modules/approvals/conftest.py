"""The bureau with the approvals, and the few people they need beside the usual ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modules.approvals.approvals_bench import ApprovalsBench


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[ApprovalsBench]:
    """A fresh bureau."""
    made = ApprovalsBench(tmp_path)
    yield made
    made.database.close_now()
