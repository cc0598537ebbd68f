"""A conversation seen from one of its members: what it is and what this member may do in it."""

from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from server_stub.chat.conversations import GATHER_FROM, Membership, load_membership
from server_stub.errors import SetError, SetErrorType
from server_stub.records.visibility import fetch_rows


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation with the actor's membership in it. `settings`: what the group has set (joinRule, anyonePins, …)."""

    id: str
    scope: int
    kind: str
    name: str | None
    last_seq: int
    member_count: int
    settings: dict[str, Any]
    muted_all: bool
    dissolved_at: int | None
    department_id: str | None
    mine: Membership

    @property
    def is_group(self) -> bool:
        """Whether it has roles, a name and lines."""
        return self.kind == "group"

    @property
    def is_crowded(self) -> bool:
        """Whether many small news are gathered before they are pushed."""
        return self.member_count > GATHER_FROM

    def check_alive(self) -> None:
        """Raises SetError forbidden where nothing may change: with a system sender, in a dissolved group."""
        if self.kind == "system":
            raise SetError(SetErrorType.FORBIDDEN, "a conversation with the system is only read")
        if self.dissolved_at is not None:
            raise SetError(SetErrorType.FORBIDDEN, "the group is dissolved", reason="dissolved")

    def check_managed(self) -> None:
        """Raises SetError forbidden to whoever does not manage this living group."""
        self.check_alive()
        if not self.is_group or not self.mine.manages:
            raise SetError(SetErrorType.FORBIDDEN, "only owner and admins of a group")


def load_place(conn: sa.Connection, conversation_id: str, person_id: str) -> Place | None:
    """A conversation of a person, None when not a member."""
    mine = load_membership(conn, conversation_id, person_id)
    if mine is None:
        return None
    ((scope, kind, name, last_seq, count, settings, muted_all, dissolved_at, department_id),) = fetch_rows(
        conn,
        "SELECT scope, kind, name, last_seq, member_count, settings, muted_all, dissolved_at, department_id"
        " FROM conversation WHERE id = ?",
        (conversation_id,),
    )
    return Place(
        conversation_id,
        scope,
        kind,
        name,
        last_seq,
        count,
        msgspec.json.decode(settings) if settings else {},
        bool(muted_all),
        dissolved_at,
        department_id,
        mine,
    )
