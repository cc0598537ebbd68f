"""What an administrator sets for every user of a machine: one table of names, three places where systems keep such things.

Windows: values below Software\\Policies\\Tongban, HKEY_LOCAL_MACHINE before HKEY_CURRENT_USER (group policy writes them).
Linux: /etc/tongban/policy.json, an object, heeded only where nobody but root may write it. macOS: managed preferences of
the program's bundle id. Read once at the start, never written. A value that is not as it should be is left out and logged;
the others hold.
"""

import json
import logging
import re
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

log = logging.getLogger("tongban.policy")

REGISTRY_KEY: Final = r"Software\Policies\Tongban"
LINUX_FILE: Final = Path("/etc/tongban/policy.json")
MAC_FOLDER: Final = Path("/Library/Managed Preferences")
MAC_DOMAIN: Final = "local.tongban.client.plist"
LONGEST_DAYS: Final = 36_500


@dataclass(frozen=True, slots=True)
class Policy:
    """What is set; None: the user decides.

    `server`: https URL of the only backend to sign in to. `update_channel`: whose updates are taken, `off` for none.
    `autostart`: with the session, always or never. `retention_days`: how long files fetched from the server may lie here.
    """

    server: str | None = None
    update_channel: str | None = None
    autostart: bool | None = None
    retention_days: int | None = None


NO_POLICY: Final = Policy()


def _server(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    parts = urlsplit(value.strip())
    if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("not an https address")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("more than an address")
    _ = parts.port  # raises ValueError beyond 65535
    return value.strip().rstrip("/")


def _channel(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", value):
        raise ValueError("not a channel's name")
    return value


def _yes_or_no(value: object) -> bool:
    if value not in (0, 1) or isinstance(value, float):  # a number in the registry, a truth value elsewhere
        raise ValueError("neither 0 nor 1")
    return bool(value)


def _days(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST_DAYS:
        raise ValueError("not a number of days")
    return value


NAMES: Final[Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "Server": ("server", _server),
    "UpdateChannel": ("update_channel", _channel),
    "Autostart": ("autostart", _yes_or_no),
    "RetentionDays": ("retention_days", _days),
}
"""The name in the registry, the file and the property list; the field; the check of its value."""


def load_policy() -> Policy:
    """What this machine's administrator set; nothing where none did. Reads the disk or the registry."""
    if sys.platform == "win32":
        return make_policy(*load_registry())
    if sys.platform == "darwin":
        import getpass

        return make_policy(*load_managed(MAC_FOLDER, getpass.getuser()))
    return make_policy(load_file(LINUX_FILE))


def make_policy(*sources: Mapping[str, object]) -> Policy:
    """Joins what was read; an earlier source wins over a later one, value by value."""
    fields: dict[str, Any] = {}
    for name, (field, checked) in NAMES.items():
        for source in sources:
            if name not in source:
                continue
            try:
                fields[field] = checked(source[name])
                break
            except ValueError as error:
                log.warning("policy %s left out: %s", name, error)
    return Policy(**fields)


def load_registry(winreg: Any = None) -> tuple[dict[str, object], dict[str, object]]:
    """The machine's values and the user's, by name."""
    if winreg is None:
        import winreg as real

        winreg = real
    return (
        _registry_values(winreg, winreg.HKEY_LOCAL_MACHINE),
        _registry_values(winreg, winreg.HKEY_CURRENT_USER),
    )


def _registry_values(winreg: Any, root: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    try:
        with winreg.OpenKey(root, REGISTRY_KEY, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as key:
            for name in NAMES:
                try:
                    found[name] = winreg.QueryValueEx(key, name)[0]
                except OSError:
                    continue
    except OSError:
        return {}
    return found


def load_file(path: Path) -> dict[str, object]:
    """The object of a JSON file; nothing when there is none, or when others than its owner root may write it."""
    try:
        status = path.stat()
        if status.st_uid != 0 or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            log.warning("policy left out: %s is not root's alone to write", path)
            return {}
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("policy not readable: %s", type(error).__name__)
        return {}
    return found if isinstance(found, dict) else {}


def load_managed(folder: Path, user: str) -> tuple[dict[str, object], ...]:
    """The property lists that device management lays down: the machine's, then the user's."""
    return tuple(_property_list(path) for path in (folder / MAC_DOMAIN, folder / user / MAC_DOMAIN))


def _property_list(path: Path) -> dict[str, object]:
    import plistlib  # of macOS alone: it loads an XML parser
    from xml.parsers.expat import ExpatError

    try:
        found = plistlib.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, ExpatError) as error:  # plistlib's own error is a ValueError
        log.warning("policy not readable: %s", type(error).__name__)
        return {}
    return found if isinstance(found, dict) else {}
