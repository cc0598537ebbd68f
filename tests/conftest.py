"""For every test: no real screen, no real keychain, no runaway, and property tests that do not depend on the machine's speed."""

import gc
import os
import sys

import pytest
from hypothesis import settings

# Bytes of data: a test that grows without end fails, instead of taking the machine along. Not of address space, of which PDFium reserves 32 GB.
MEMORY_LIMIT = 12 << 30
MUCH_GARBAGE = 10_000  # new objects since the last look

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # a test that wants a keychain brings its own

if sys.platform == "linux":
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, resource.getrlimit(resource.RLIMIT_DATA)[1]))

settings.register_profile("tongban", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("tongban")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Once screens are loaded, cyclic garbage is collected here alone, on the main thread, as the client does (desktop/app/garbage.py):
    the automatic collector runs on whichever thread allocates, and a server's thread of a test would destroy widgets of the test before.
    """
    if "PySide6.QtWidgets" in sys.modules:
        gc.disable()
        if gc.get_count()[0] > MUCH_GARBAGE:
            gc.collect(1)
