"""Everybody can use every page: the client is led through the demo office, large text, nobody to look at the screen and no mouse."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.demo_office import copy_demo_office
from tests.helpers.live_server import ROOT, LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform == "win32", reason="the tour hears POSIX signals")]

LEAST_PAGES = 75
LIMIT_S = 140  # on a loaded machine; some 20 s where little else runs


def test_everybody_can_use_every_page(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """English at 200 %, which needs the most room: names, roles, the Tab key, the first focus, nothing cut off or out of sight (see desktop.app.reach)."""
    copy_demo_office(tmp_path_factory, tmp_path / "server")
    with LiveServer(tmp_path / "server", command="demo") as server:
        argv: list[str | Path] = [sys.executable, "-m", "desktop.app.tour", "--reach", "--lang", "en", "--text", "200"]
        argv += ["--server", f"https://127.0.0.1:{server.port}", "--ca", server.data / "tls" / "ca.pem"]
        done = subprocess.run(
            [*argv, "--out", tmp_path / "out"],
            cwd=ROOT,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "TONGBAN_KEYCHAIN_PASSPHRASE": "of the test"},
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )
    *flaws, summary = done.stdout.splitlines() or [""]
    assert not flaws, "\n".join(flaws)
    assert done.returncode == 0, done.stderr[-4000:]
    assert int(summary.split()[0]) >= LEAST_PAGES, summary
