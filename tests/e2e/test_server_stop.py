"""`tongban-server stop`: the one way to end a server in order that every system has."""

from pathlib import Path

import pytest

from tests.helpers.live_server import make_server, run_cli

pytestmark = pytest.mark.e2e


def test_it_ends_in_order_and_once(tmp_path: Path) -> None:
    with make_server(tmp_path / "server", "root") as server:
        assert "the server stops" in run_cli(server.data, "stop")
        assert server.process.wait(20) == 0, "as after SIGTERM"
        assert '"text": "stopped"' in server.log()
        assert "no server runs" in run_cli(server.data, "stop", code=1)


def test_there_must_be_a_server_at_all(tmp_path: Path) -> None:
    assert "init" in run_cli(tmp_path / "nothing", "stop", code=1)
