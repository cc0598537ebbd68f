"""What the handlers of chat share: blobs, titles of cards, alerts, the policy."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from server_stub.accounts.directory import PERSON
from server_stub.chat.alerting import Alerting, NoAlerts
from server_stub.chat.names import person_name
from server_stub.chat.places import load_place
from server_stub.chat.policy import DEFAULT_POLICY, ChatPolicy
from server_stub.errors import SetError, SetErrorType
from server_stub.records.actor import Actor
from server_stub.storage.blobs import Blob, BlobStore
from server_stub.storage.database import Database, Tx

CHAT: Final = "urn:tongban:chat"
CONVERSATION: Final = "Conversation"

CardTitle = Callable[[sa.Connection, Actor, str, str], str | None]
"""(conn, sender, type, id) → what an office record is called; None: the sender does not see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDesk:
    """Handed to every handler. Without blobs nothing can be attached; without a database there are no methods of our own."""

    blobs: BlobStore | None = None
    card_title: CardTitle | None = None
    alerts: Alerting = field(default_factory=NoAlerts)
    policy: ChatPolicy = DEFAULT_POLICY
    database: Database | None = None

    def do_refer(self, tx: Tx, actor: Actor, blob_id: str, object_id: str, type_name: str) -> Blob:
        """Note that an object refers to a blob. Raises SetError blobNotFound."""
        if self.blobs is None:
            raise SetError(SetErrorType.BLOB_NOT_FOUND, notFound=[blob_id])
        return self.blobs.do_refer(tx, blob_id, object_id, type_name, actor)

    def title_of(self, conn: sa.Connection, actor: Actor, type_name: str, id_: str) -> str | None:
        """What a record or a person on a card is called, None when the actor does not see it."""
        if type_name == PERSON:  # everybody sees the directory
            return person_name(conn, id_)
        if type_name == CONVERSATION:
            place = load_place(conn, id_, actor.person_id)
            return place.name if place is not None and place.is_group else None
        return None if self.card_title is None else self.card_title(conn, actor, type_name, id_)
