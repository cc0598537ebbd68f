"""The system's keychain on Linux, against a real GNOME Keyring: kept, replaced, forgotten, and the same items as keyring's."""

import shutil
import subprocess
import sys

import pytest

from build_scripts.desktop_session import DesktopSession

TOOLS = ("Xvfb", "dbus-daemon", "openbox", "gnome-keyring-daemon")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        sys.platform != "linux" or not all(shutil.which(tool) for tool in TOOLS), reason="needs Xvfb and gnome-keyring"
    ),
]

KEEP = """
import sys
from desktop.core.crypto.keychain import system_keychain
keychain = system_keychain("probe")
assert type(keychain).__name__ == "SecretServiceKeychain", keychain
assert "keyring" not in sys.modules
assert keychain.load("a") is None
keychain.delete("a")
keychain.save("a", bytes(range(256)))
keychain.save("a", b"second")
assert keychain.load("a") == b"second"
import base64, keyring
assert keyring.get_password("probe", "a") == base64.b64encode(b"second").decode()
keyring.set_password("probe", "b", base64.b64encode(b"theirs").decode())
assert keychain.load("b") == b"theirs"
keyring.set_password("probe", "c", "not base64!")
from desktop.core.errors import StorageUnavailable
try:
    keychain.load("c")
except StorageUnavailable:
    pass
else:
    raise AssertionError("a secret of another program was taken for ours")
keychain.delete("a")
assert keychain.load("a") is None and keyring.get_password("probe", "a") is None
"""
NOBODY = """
import os
from desktop.core.crypto.keychain import system_keychain
from desktop.core.crypto.secret_service import is_there
assert not is_there()
assert system_keychain("probe") is None
os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere/at/all"
assert not is_there()
del os.environ["DBUS_SESSION_BUS_ADDRESS"]
assert not is_there()
"""


@pytest.mark.parametrize(("keyring", "code"), [(True, KEEP), (False, NOBODY)], ids=["kept", "nobody there"])
def test_secrets_on_the_session_bus(keyring: bool, code: str) -> None:
    with DesktopSession(tray="none", notifications="none", keyring=keyring) as session:
        env = {key: value for key, value in session.env.items() if key != "PYTHON_KEYRING_BACKEND"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, timeout=60, check=False, encoding="utf-8"
        )
    assert done.returncode == 0, done.stderr
