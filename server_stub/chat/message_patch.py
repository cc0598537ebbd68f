"""Which change of a message a patch means; each has rights of its own."""

from typing import Final

from server_stub.chat.confirms import URGE, do_ask_to_confirm, do_confirm
from server_stub.chat.desk import ChatDesk
from server_stub.chat.drafts import check_mentions
from server_stub.chat.message_changes import do_edit, do_recall
from server_stub.chat.message_rows import MESSAGE, MessageRow
from server_stub.chat.pins import do_pin
from server_stub.chat.places import Place
from server_stub.chat.polls import do_choose, do_close_poll, do_enter_chain
from server_stub.chat.reactions import PREFIX, do_react
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

_EDIT: Final = frozenset({"text", "mentions", "formatted"})
_OWN: Final = frozenset({"pinned", "confirmed", "choice", "close", "entry"})


def do_patch(tx: Tx, desk: ChatDesk, place: Place, row: MessageRow, shown: JsonObject, patch: JsonObject) -> None:
    """Apply a patch of a message. `shown`: the message as the actor sees it now.

    Raises:
        SetError: forbidden, tooLate, closed, invalidProperties, tooLarge.
    """
    reactions = {key: value for key, value in patch.items() if key.startswith(PREFIX)}
    known = _EDIT | _OWN | {"recalled"} | reactions.keys()
    wrong = [key for key in sorted(patch.keys() - known) if shown.get(key) != patch[key]]
    if wrong:
        raise _refusal(place, row, wrong)
    if patch.get("recalled") not in (None, True) or patch.get("confirmed") not in (None, True):
        raise invalid_properties("only true", "recalled", "confirmed")
    if "recalled" in patch:
        if not row.is_recalled:
            do_recall(tx, desk, place, row)
        return
    if any(key in patch and shown.get(key) != patch[key] for key in _EDIT):
        _do_edit(tx, desk, place, row, shown, patch)
    if reactions:
        if any(value not in (True, None) for value in reactions.values()):
            raise invalid_properties("true sets a reaction, null takes it back", *sorted(reactions))
        do_react(tx, place, row, {_unescape(key): value is True for key, value in reactions.items()})
    _do_own(tx, desk, place, row, patch)


def _do_edit(tx: Tx, desk: ChatDesk, place: Place, row: MessageRow, shown: JsonObject, patch: JsonObject) -> None:
    mentions = patch.get("mentions", shown["mentions"])
    if not isinstance(mentions, list) or not all(isinstance(one, str) for one in mentions):
        raise invalid_properties("ids of people", "mentions")
    text = patch.get("text", row.text)
    do_edit(tx, desk, place, row, text, check_mentions(mentions), patch.get("formatted"))
    if row.extra.get("mustConfirm"):  # its words pop up again, the old ones are gone
        desk.alerts.do_drop(tx, MESSAGE, row.id, None, (URGE,))
        do_ask_to_confirm(tx, desk, row)


def _do_own(tx: Tx, desk: ChatDesk, place: Place, row: MessageRow, patch: JsonObject) -> None:
    """What each member does to a message."""
    if "pinned" in patch:
        do_pin(tx, place, row, patch["pinned"])
    if patch.get("confirmed"):
        do_confirm(tx, desk, place, row)
    if "choice" in patch:
        do_choose(tx, place, row, patch["choice"] or [])
    if "close" in patch:
        if patch["close"] is not True:
            raise invalid_properties("only true", "close")
        do_close_poll(tx, place, row)
    if "entry" in patch:
        do_enter_chain(tx, place, row, patch["entry"])


def _unescape(key: str) -> str:
    return key.removeprefix(PREFIX).replace("~1", "/").replace("~0", "~")


def _refusal(place: Place, row: MessageRow, wrong: list[str]) -> SetError:
    if row.sender_id != place.mine.person_id:
        return SetError(SetErrorType.FORBIDDEN, "somebody else's message")
    return invalid_properties("set by the server, or when it was sent", *wrong)
