"""What the chat types share: visibility by their own tables."""

from collections.abc import Sequence
from typing import ClassVar, Final

import sqlalchemy as sa

from server_stub.chat.desk import CHAT, ChatDesk
from server_stub.errors import MethodError, MethodErrorType, SetError, SetErrorType, invalid_properties
from server_stub.records import visibility
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import ChangesPage, ScopeSource
from server_stub.storage.database import Tx

MAX_LISTED: Final = 1000  # objects a /get without ids may give (RFC 8620: requestTooLarge beyond)
CHUNK: Final = 500


class ChatHandler(RecordHandler):
    """A type that lies in tables of its own, seen through `SOURCES`."""

    SOURCES: ClassVar[tuple[ScopeSource, ...]]

    def __init__(self, name: str, desk: ChatDesk) -> None:
        super().__init__(name, CHAT)
        self.desk = desk

    def changes(self, conn: sa.Connection, actor: Actor, since: str, limit: int) -> ChangesPage:
        """RFC 8620 §5.2."""
        return visibility.changes(conn, actor.person_id, self.name, since, limit, sources=self.SOURCES)

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        """RFC 8620 §5.1."""
        wanted = visibility.visible_ids(conn, actor.person_id, self.name, ids, sources=self.SOURCES)
        if ids is None and len(wanted) > MAX_LISTED:
            raise MethodError(MethodErrorType.REQUEST_TOO_LARGE, "too many: use /query")
        found = self.load(conn, actor, wanted, properties)
        missing = [] if ids is None else [id_ for id_ in dict.fromkeys(ids) if id_ not in found]
        return GetResult([found[id_] for id_ in dict.fromkeys(wanted) if id_ in found], missing)

    def load(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str], properties: Sequence[str] | None
    ) -> dict[str, JsonObject]:
        """Objects by id, as this reader sees them; visibility was checked."""
        raise NotImplementedError

    def sees(self, conn: sa.Connection, actor: Actor, id_: str) -> bool:
        """Whether the actor sees this object."""
        return visibility.is_visible(conn, actor.person_id, self.name, id_, sources=self.SOURCES)

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """Nothing may be changed unless a type says so."""
        raise SetError(SetErrorType.FORBIDDEN if self.sees(tx.conn, actor, id_) else SetErrorType.NOT_FOUND)

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """Nothing may be made unless a type says so."""
        raise SetError(SetErrorType.FORBIDDEN)

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        """Nothing may be destroyed unless a type says so."""
        raise SetError(SetErrorType.FORBIDDEN if self.sees(tx.conn, actor, id_) else SetErrorType.NOT_FOUND)


def server_set(before: JsonObject, after: JsonObject, patch: JsonObject) -> JsonObject | None:
    """What /set answers about an update: what changed beyond the patch, null for what is gone."""
    asked = {**before, **patch}
    found = {key: value for key, value in after.items() if asked.get(key) != value}
    found.update({key: None for key in before.keys() - after.keys() if patch.get(key, ...) is not None})
    return found or None


def check_people(tx: Tx, person_ids: Sequence[str], name: str) -> None:
    """They are people of this office, whom everyone sees. Raises SetError invalidProperties."""
    for person_id in person_ids:
        scope = visibility.find_scope(tx.conn, "person", person_id)
        if scope is None or not visibility.audience(tx.conn, [scope]):
            raise invalid_properties("no such person", name)
