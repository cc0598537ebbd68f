"""Which roles there are: those a module's folder names, the administrators' and the leaders' (who see what colleagues hide), and what administrators name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts.discretion import LEADER_ROLE
from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.modules.engine.reading import MODULES_FOLDER, module_folders

_ROLE: Final = re.compile(r"\brole:([a-z][a-z0-9-]{0,39})\b")


def known_roles(root: Path = MODULES_FOLDER) -> frozenset[str]:
    """Every role that means something: `role:x` anywhere in a module.toml or a .bpmn beside it, admin, process-admin and leader.

    The files are read as they are rather than as parsed types, since any part of them may name a role.
    """
    found = {LEADER_ROLE, *ADMIN_ROLES}
    for folder in module_folders(root):
        content = tomllib.loads((folder / "module.toml").read_text("utf-8"))
        found.update(role for text in _texts(content) for role in _ROLE.findall(text))
        for path in folder.glob("*.bpmn"):
            found.update(_ROLE.findall(path.read_text("utf-8", "replace")))
    return frozenset(found)


def roles_administrators_name(conn: sa.Connection) -> frozenset[str]:
    """The roles in what administrators have changed of modules and published as processes."""
    rows = conn.exec_driver_sql(
        "SELECT changes FROM module_overlay WHERE changes IS NOT NULL"
        " UNION ALL SELECT CAST(f.source AS TEXT) FROM process AS p JOIN process_file AS f ON f.sha = p.file WHERE p.state = 'published'"
    )
    return frozenset(role for row in rows for role in _ROLE.findall(row[0]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
