"""The layers of pyproject.toml hold, and would be noticed when they did not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT

LINT_IMPORTS = [
    sys.executable,
    "-c",
    "from importlinter.cli import lint_imports_command as c; c()",
    "--no-logo",
    "--no-cache",
]

ROOMS = """
desktop/app/main desktop/modules/notices/page desktop/modules/library/page desktop/ui/theme desktop/models/rows
desktop/platform/tray desktop/core/services/client desktop/core/net/socket desktop/core/store/sqlite
desktop/core/sync/engine desktop/core/protocol/frames desktop/core/domain/chat desktop/core/crypto/keys
desktop/core/errors server_stub/api/jmap server_stub/modules/notices/rules server_stub/modules/library/rules
server_stub/chat/messages server_stub/records/engine server_stub/errors
"""


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINT_IMPORTS, cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=120)


def test_contracts_hold() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("importer", "imported", "contract"),
    [
        ("desktop/core/sync/engine.py", "desktop.core.services.client", "core is layered"),
        ("desktop/core/services/client.py", "PySide6.QtCore", "no Qt below models"),
        ("desktop/ui/chat.py", "desktop.core.store.sqlite", "screens see verbs and models"),
        ("desktop/core/domain/chat.py", "asyncio", "the machines are sans-io"),
        ("desktop/ui/shell.py", "desktop.app.main", "desktop is layered"),
        ("desktop/core/services/demo.py", "server_stub.errors", "client and server are strangers"),
        ("server_stub/records/engine.py", "server_stub.chat.messages", "server is layered"),
        (
            "server_stub/modules/notices/rules.py",
            "server_stub.modules.library.rules",
            "modules of the server are independent",
        ),
        ("desktop/core/utilities/text.py", "re", "core is layered"),
    ],
)
def test_a_broken_layer_is_noticed(tmp_path: Path, importer: str, imported: str, contract: str) -> None:
    for room in ROOMS.split():
        write_module(tmp_path, f"{room}.py", "")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    assert lint_imports(tmp_path).returncode == 0
    write_module(tmp_path, importer, f"import {imported}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert contract in done.stdout.partition("Broken contracts")[2] + done.stderr + done.stdout


def write_module(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    for folder in [file.parent, *file.parent.parents]:
        if folder == root:
            break
        (folder / "__init__.py").touch()
    file.write_text(text, encoding="utf-8")
