"""Messages that every other member must confirm, and reminding those who have not read or confirmed."""

from collections.abc import Awaitable, Callable
from typing import Final

from server_stub.chat.alerting import Notification
from server_stub.chat.conversations import load_memberships
from server_stub.chat.desk import ChatDesk
from server_stub.chat.message_changes import do_keep
from server_stub.chat.message_rows import MESSAGE, MessageRow, load_row, preview_of
from server_stub.chat.names import conversation_name, names_of
from server_stub.chat.places import Place, load_place
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject
from server_stub.storage.database import Database, Tx

CONFIRM: Final = "confirm"
URGE: Final = "urge"


def do_ask_to_confirm(tx: Tx, desk: ChatDesk, row: MessageRow) -> None:
    """Alert everybody who has to confirm a message and has not. Called again when its words change."""
    waiting = _who_is_left(tx, row)
    tx.raw.execute(
        "INSERT INTO must_confirm(scope, message_id) VALUES (?, ?) ON CONFLICT DO NOTHING", (row.scope, row.id)
    )
    if waiting and row.sender_id is not None:
        title, text = _heading(tx, row), preview_of(row.text, row.extra)
        desk.alerts.do_alert(tx, waiting, Notification(CONFIRM, title, text, MESSAGE, row.id, urgent=True))


def do_confirm(tx: Tx, desk: ChatDesk, place: Place, row: MessageRow) -> bool:
    """A member confirms; False when that was done before.

    Raises:
        SetError: forbidden: the message asks for no confirmation of this person.
    """
    me = place.mine.person_id
    if not row.extra.get("mustConfirm") or row.sender_id == me:
        raise SetError(SetErrorType.FORBIDDEN, "there is nothing to confirm")
    done: list[str] = list(row.extra.get("confirmedIds", ()))
    if me in done:
        return False
    row.extra["confirmedIds"] = [*done, me]
    do_keep(tx, place, row, small=True)
    desk.alerts.do_drop(tx, MESSAGE, row.id, [me], (CONFIRM, URGE))
    return True


def do_forget_confirms(tx: Tx, desk: ChatDesk, scope: int, person_id: str) -> None:
    """A person who left does not have to confirm any more."""
    for (message_id,) in tx.raw.execute("SELECT message_id FROM must_confirm WHERE scope = ?", (scope,)).fetchall():
        desk.alerts.do_drop(tx, MESSAGE, message_id, [person_id], (CONFIRM, URGE))


def make_remind(desk: ChatDesk, database: Database) -> Callable[[Actor, JsonObject], Awaitable[JsonObject]]:
    """The method Message/remind `{id, personIds?}` → `{id, personIds}`: whom the sender has reminded."""

    async def remind(actor: Actor, arguments: JsonObject) -> JsonObject:
        return await database.write(lambda tx: do_remind(tx, desk, actor, arguments))

    return remind


def do_remind(tx: Tx, desk: ChatDesk, actor: Actor, arguments: JsonObject) -> JsonObject:
    """Alert those who have not read a message (of one to be confirmed: not confirmed). Raises SetError."""
    id_, wanted = arguments.get("id"), arguments.get("personIds")
    if not isinstance(id_, str) or not (wanted is None or isinstance(wanted, list)):
        raise invalid_properties("an id, and a list of people", "id", "personIds")
    row = load_row(tx.conn, id_)
    place = None if row is None else load_place(tx.conn, row.conversation_id, actor.person_id)
    if row is None or place is None:
        raise SetError(SetErrorType.NOT_FOUND)
    place.check_alive()
    if row.sender_id != actor.person_id or row.is_recalled:
        raise SetError(SetErrorType.FORBIDDEN, "only the sender reminds")
    left = [one for one in _who_is_left(tx, row) if wanted is None or one in wanted]
    if left:
        _do_note(tx, desk, row)
        title = f"{_heading(tx, row)}提醒您查看消息"
        urgent = bool(row.extra.get("mustConfirm"))
        text = conversation_name(tx.conn, row.conversation_id) or ""
        desk.alerts.do_alert(tx, left, Notification(URGE, title, text, MESSAGE, row.id, urgent=urgent))
    return {"id": id_, "personIds": left}


def _who_is_left(tx: Tx, row: MessageRow) -> list[str]:
    """The other members who have not confirmed or, where nothing is to be confirmed, not read the message."""
    others = [one for one in load_memberships(tx.conn, row.conversation_id) if one.person_id != row.sender_id]
    if row.extra.get("mustConfirm"):
        done = set(row.extra.get("confirmedIds", ()))
        return [one.person_id for one in others if one.person_id not in done]
    return [one.person_id for one in others if one.read_seq < row.seq]


def _do_note(tx: Tx, desk: ChatDesk, row: MessageRow) -> None:
    """Remember when it was reminded of. Raises SetError rateLimit when that was only just."""
    every = desk.policy.remind_every * 1000
    last = tx.raw.execute("SELECT at FROM message_remind WHERE message_id = ?", (row.id,)).fetchone()
    if last is not None and 0 <= tx.now - last[0] < every:
        wait = -(-(last[0] + every - tx.now) // 1000)
        raise SetError(SetErrorType.RATE_LIMIT, "they were reminded only just now", retryAfter=wait)
    tx.raw.execute(
        "INSERT INTO message_remind(message_id, at) VALUES (?, ?) ON CONFLICT (message_id) DO UPDATE SET at = excluded.at",
        (row.id, tx.now),
    )


def _heading(tx: Tx, row: MessageRow) -> str:
    """Who says it where: `林远（值班群）`."""
    sender = row.sender_id or ""
    name, where = names_of(tx.conn, [sender])[sender], conversation_name(tx.conn, row.conversation_id)
    return name if where is None else f"{name}（{where}）"
