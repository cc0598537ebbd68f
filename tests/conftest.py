"""For every test: no real screen, no real keychain, no runaway, and property tests that do not depend on the machine's speed."""

import os
import sys

import pytest
from hypothesis import settings

# Bytes of data: a test that grows without end fails, instead of taking the machine along. Not of address space, of which PDFium reserves 32 GB.
MEMORY_LIMIT = 12 << 30

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # a test that wants a keychain brings its own

if sys.platform == "linux":
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, resource.getrlimit(resource.RLIMIT_DATA)[1]))

settings.register_profile("tongban", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("tongban")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """A scene that closes its last window goes on, as the client does."""
    if "PySide6.QtGui" in sys.modules:
        from PySide6.QtGui import QGuiApplication

        QGuiApplication.setQuitOnLastWindowClosed(False)
