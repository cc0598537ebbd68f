"""Which roles there are: those a module's folder names, the administrator's and the leaders' (who see what colleagues hide)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from server_stub.accounts.discretion import LEADER_ROLE
from server_stub.modules.engine.reading import MODULES_FOLDER, module_folders
from server_stub.records.actor import ADMIN_ROLE

_ROLE: Final = re.compile(r"\brole:([a-z][a-z0-9-]{0,39})\b")


def known_roles(root: Path = MODULES_FOLDER) -> frozenset[str]:
    """Every role that means something: `role:x` anywhere in a module.toml, admin and leader.

    The files are read as they are rather than as parsed types, since any part of them may name a role.
    """
    found = {ADMIN_ROLE, LEADER_ROLE}
    for folder in module_folders(root):
        content = tomllib.loads((folder / "module.toml").read_text("utf-8"))
        found.update(role for text in _texts(content) for role in _ROLE.findall(text))
    return frozenset(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
