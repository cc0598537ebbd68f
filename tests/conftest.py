"""For every test: no real screen, no real keychain, and property tests that do not depend on the machine's speed."""

import os

from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # a test that wants a keychain brings its own

settings.register_profile("tongban", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("tongban")
