"""Open files: as many as the connections need, as far as the system lets us, and a warning when it does not."""

import logging
import sys

import pytest

from server_stub.app.serve import SPARE_FILES, raise_file_limit

if sys.platform == "win32":
    pytest.skip("there is no such limit", allow_module_level=True)

import resource


@pytest.mark.parametrize(
    ("limits", "connections", "expected", "warned"),
    [
        ((1024, 1_048_576), 10_000, (10_000 + SPARE_FILES, 1_048_576), False),
        ((1024, resource.RLIM_INFINITY), 10_000, (10_000 + SPARE_FILES, resource.RLIM_INFINITY), False),
        ((1024, 4096), 10_000, (4096, 4096), True),
        ((65_536, 65_536), 10_000, None, False),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 10_000, None, False),
    ],
)
def test_the_limit_is_raised_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    limits: tuple[int, int],
    connections: int,
    expected: tuple[int, int] | None,
    warned: bool,
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda which, wanted: asked.append(wanted))
    with caplog.at_level(logging.WARNING, "tongban.app"):
        raise_file_limit(connections)
    assert asked == ([] if expected is None else [expected])
    assert bool(caplog.records) == warned
