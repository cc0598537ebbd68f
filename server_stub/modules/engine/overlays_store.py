"""Changes of administrators in the database: what is in force for a module, and the draft beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.modules.engine.definition import DefinitionError, ModuleDefinition
from server_stub.modules.engine.overlays import Changes, merged
from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.records.visibility import do_bury, do_set_scopes, do_touch, scope_id
from server_stub.storage.database import Tx
from server_stub.storage.schema import metadata

OVERLAY: Final = "ModuleOverlay"

module_overlay: Final = sa.Table(
    "module_overlay",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # the module's
    sa.Column("changes", sa.Text, nullable=True),  # JSON; in force
    sa.Column("draft", sa.Text, nullable=True),  # JSON
    sa.Column("published_at", sa.BigInteger, nullable=True),
    sa.Column("published_by", sa.Text, nullable=True),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)
"""At most one row of a module."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """The row of a module. `changes`, `draft`: JSON texts."""

    id: str
    changes: str | None
    draft: str | None
    published_at: int | None
    published_by: str | None
    updated_at: int


class Overlays:
    """The changes in force, by module, as a function on definitions. `fresh`: the module whose changes are new: every name in them must be there."""

    def __init__(self, held: Mapping[str, Changes], fresh: str | None = None) -> None:
        self.held = dict(held)
        self._fresh = fresh

    def with_changes(self, module_id: str, changes: Changes | None) -> "Overlays":
        """The same with other changes of one module; None: without any."""
        rest = {key: one for key, one in self.held.items() if key != module_id}
        return Overlays(rest if changes is None else {**rest, module_id: changes}, module_id)

    def change(self, module: ModuleDefinition) -> ModuleDefinition:
        """The module as administrators have made it. Raises DefinitionError."""
        changes = self.held.get(module.id)
        if changes is None:
            return module
        try:
            return merged(module, changes, strict=module.id == self._fresh)
        except DefinitionError as error:
            raise DefinitionError(f"{module.id} (changes of an administrator)", error.problems) from None

    def processes(self) -> frozenset[str]:
        """The processes that types name because of these changes: they may be published later."""
        changed = [one.process for changes in self.held.values() for one in changes.types]
        made = [one.process for changes in self.held.values() for one in changes.new_types]
        return frozenset(one for one in (*changed, *made) if one is not None)


def load_overlays(conn: sa.Connection) -> Overlays:
    """The changes in force."""
    rows = conn.exec_driver_sql("SELECT id, changes FROM module_overlay WHERE changes IS NOT NULL ORDER BY id")
    return Overlays({row[0]: decode_changes(row[1]) for row in rows})


def load_overlay(conn: sa.Connection, module_id: str) -> Overlay | None:
    """The row of a module."""
    row = conn.exec_driver_sql(
        "SELECT id, changes, draft, published_at, published_by, updated_at FROM module_overlay WHERE id = ?",
        (module_id,),
    ).fetchone()
    return None if row is None else Overlay(*row)


def decode_changes(text: str) -> Changes:
    """Stored changes; they were checked when they came."""
    return msgspec.json.decode(text, type=Changes)


def find_overlay_problems(conn: sa.Connection) -> Iterator[str]:
    """Changes and drafts that cannot be read, as lines of `tongban-server check`."""
    for module, *texts in conn.exec_driver_sql("SELECT id, changes, draft FROM module_overlay ORDER BY id"):
        for name, text in zip(("changes", "draft"), texts, strict=True):
            if text is not None and not _is_readable(name, text):
                yield f"the {name} of the module {module} cannot be read"


def _is_readable(name: str, text: str) -> bool:
    try:
        decode_changes(text) if name == "changes" else msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError):
        return False
    return True


def encode_changes(changes: Changes) -> str:
    """For the database and the wire."""
    return msgspec.json.encode(changes).decode()


def shown_changes(text: str | None) -> Any:
    """Stored changes as a value of the wire."""
    return None if text is None else msgspec.json.decode(text)


def do_save_draft(tx: Tx, module_id: str, draft: Changes | None) -> None:
    """Keep a draft; administrators see it."""
    text = None if draft is None else encode_changes(draft)
    made = tx.raw.execute(
        "INSERT INTO module_overlay(id, draft, updated_at) VALUES (?, ?, ?) ON CONFLICT (id)"
        " DO UPDATE SET draft = excluded.draft, updated_at = excluded.updated_at",
        (module_id, text, tx.now),
    )
    assert made.rowcount == 1
    _do_show(tx, module_id)


def do_put_in_force(tx: Tx, module_id: str, changes: Changes | None, by: str) -> None:
    """The draft is what is in force now; without changes the module is the folder's again."""
    text = None if changes is None else encode_changes(changes)
    tx.raw.execute(
        "UPDATE module_overlay SET changes = ?, draft = NULL, published_at = ?, published_by = ?, updated_at = ? WHERE id = ?",
        (text, tx.now, by, tx.now, module_id),
    )
    _do_show(tx, module_id)


def do_withdraw(tx: Tx, module_id: str) -> bool:
    """What is in force becomes the draft, unless there is one, with the server stopped: the way out when it does not fit the folder any more."""
    held = load_overlay(tx.conn, module_id)
    if held is None or held.changes is None:
        return False
    tx.raw.execute(
        "UPDATE module_overlay SET changes = NULL, draft = coalesce(draft, changes), updated_at = ? WHERE id = ?",
        (tx.now, module_id),
    )
    _do_show(tx, module_id)
    return True


def do_drop_overlay(tx: Tx, module_id: str) -> None:
    """Forget a draft that was never published."""
    do_bury(tx, overlay_object_id(module_id))
    tx.raw.execute("DELETE FROM module_overlay WHERE id = ?", (module_id,))


def overlay_object_id(module_id: str) -> str:
    """The id of the ModuleOverlay object; ModuleDefinition has the module's own."""
    return f"overlay_{module_id}"


def _do_show(tx: Tx, module_id: str) -> None:
    object_id = overlay_object_id(module_id)
    do_set_scopes(tx, object_id, OVERLAY, [scope_id(tx, "role", one) for one in sorted(ADMIN_ROLES)])
    do_touch(tx, object_id)
