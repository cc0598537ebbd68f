"""What somebody who is not in a group is told of it: its name, how many, whether asking is of use. The id is all it takes: it comes by a card or a link."""

from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from server_stub.chat.conversations import load_membership
from server_stub.chat.group_settings import JOIN_RULE
from server_stub.chat.join_requests import is_waiting
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject
from server_stub.records.visibility import fetch_rows
from server_stub.storage.database import Database


def make_group_card(database: Database) -> Callable[[Actor, JsonObject], Awaitable[JsonObject]]:
    """The method Conversation/card `{id}` → `{id, name, memberCount, joinRule, isMember, asked}`."""

    async def group_card(actor: Actor, arguments: JsonObject) -> JsonObject:
        return await database.read(lambda conn: load_group_card(conn, actor, arguments))

    return group_card


def load_group_card(conn: sa.Connection, actor: Actor, arguments: JsonObject) -> JsonObject:
    """Of a living group of which the actor is a member or may ask to become one.

    Raises:
        SetError: notFound; forbidden: nobody can ask to join this group, so nothing of it is told.
    """
    id_ = arguments.get("id")
    if not isinstance(id_, str):
        raise invalid_properties("an id", "id")
    rows = fetch_rows(
        conn,
        "SELECT name, member_count, coalesce(json_extract(settings, '$.joinRule'), ?), department_id IS NULL"
        " FROM conversation WHERE id = ? AND kind = 'group' AND dissolved_at IS NULL",
        (JOIN_RULE, id_),
    )
    if not rows:
        raise SetError(SetErrorType.NOT_FOUND)
    name, count, rule, is_own = rows[0]
    is_member = load_membership(conn, id_, actor.person_id) is not None
    if not is_member and (rule != "approve" or not is_own):
        raise SetError(SetErrorType.FORBIDDEN, "nobody can ask to join this")
    asked = not is_member and is_waiting(conn, id_, actor.person_id)
    return {
        "id": id_, "name": name, "memberCount": count, "joinRule": rule, "isMember": is_member, "asked": asked,
    }  # fmt: skip
