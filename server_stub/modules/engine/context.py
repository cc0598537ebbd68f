"""What rules and handlers are given besides the transaction: blobs, the clock, and a way to speak to people in their conversations."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from server_stub.clock import Clock
from server_stub.records.actor import Actor
from server_stub.storage.blobs import Blob
from server_stub.storage.database import Tx


class Blobs(Protocol):
    """As much of the blob store as records need."""

    def do_refer(self, tx: Tx, blob_id: str, object_id: str, type_name: str, actor: Actor) -> Blob:
        """Note a reference; SetError blobNotFound when the actor may not see the blob."""
        ...


class SystemVoice(Protocol):
    """Writes into the read-only conversation of a system sender, one for each person."""

    def __call__(
        self, tx: Tx, sender: str, person_ids: Collection[str], text: str, card: dict[str, Any] | None
    ) -> None:
        """Send one message to each of these people."""
        ...


@dataclass(frozen=True, slots=True)
class OfficeContext:
    """Handed to every rules object."""

    blobs: Blobs
    clock: Clock
    say: SystemVoice
