"""What rules and handlers are given besides the transaction: blobs, the clock, every type there is, and a way to speak to people."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from server_stub.clock import Clock, utc_offset
from server_stub.modules.engine.conditions import Standpoint
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.records.actor import Actor
from server_stub.storage.blobs import Blob
from server_stub.storage.database import Tx


class Blobs(Protocol):
    """As much of the blob store as records need."""

    def do_refer(self, tx: Tx, blob_id: str, object_id: str, type_name: str, actor: Actor) -> Blob:
        """Note a reference; SetError blobNotFound when the actor may not see the blob."""
        ...

    def store_bytes(self, data: bytes) -> str:
        """Keep bytes that the server itself made; their id. Blocks."""
        ...

    def path(self, blob_id: str) -> Path:
        """Where a blob's content lies."""
        ...


class SystemVoice(Protocol):
    """Writes into the read-only conversation of a system sender, one for each person."""

    def __call__(
        self, tx: Tx, sender: str, person_ids: Collection[str], text: str, card: dict[str, Any] | None
    ) -> None:
        """Send one message to each of these people."""
        ...


Scoper = Callable[[Tx, str | None, Mapping[str, Any]], list[int]]
"""(tx, author, data) → the scopes that see a record of one type."""


@dataclass(frozen=True, slots=True)
class OfficeContext:
    """Handed to every rules object.

    Attributes:
        types: every type of every module by its name; handlers enter theirs when they are made.
        modules: type → the module it belongs to.
        scopers: type → who sees its records.
        font_folders: more fonts for what modules typeset.
    """

    blobs: Blobs
    clock: Clock
    say: SystemVoice
    types: dict[str, TypeDefinition] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    scopers: dict[str, Scoper] = field(default_factory=dict)
    font_folders: tuple[Path, ...] = ()

    def standpoint(self, now: int, actor: Actor | None = None) -> Standpoint:
        """What placeholders mean for this actor (None: for nobody) at a moment in ms."""
        person_id, departments = ("", ()) if actor is None else (actor.person_id, actor.department_ids)
        return Standpoint(person_id, departments, now, utc_offset(now))
