"""What changes the content of a message: its sender edits it, its sender or a manager of the group recalls it."""

from typing import Any

from server_stub.chat.contents import clean_formatted
from server_stub.chat.desk import ChatDesk
from server_stub.chat.message_rows import MESSAGE, MessageRow, do_put_row, encode_extra
from server_stub.chat.messages import MAX_TEXT, check_may_speak, do_mention
from server_stub.chat.places import Place
from server_stub.clock import format_utc, parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.push.events import ObjectsChanged
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

TOO_LATE = "tooLate"


def do_keep(tx: Tx, place: Place, row: MessageRow, *, small: bool = False) -> None:
    """Write a message that changed and tell all members.

    Args:
        small: one of many small news (a reaction): gathered in large groups.
    """
    n = do_put_row(tx, row)
    if row.kind == "poll" and not row.is_recalled:  # each reader sees the own choice: to be fetched
        tx.publish(ObjectsChanged(MESSAGE, n, (row.scope,)))
        return
    tx.publish(ObjectsChanged(MESSAGE, n, (row.scope,), objects=(row.to_object(),), gather=small and place.is_crowded))


def do_edit(
    tx: Tx, desk: ChatDesk, place: Place, row: MessageRow, text: Any, mentions: list[str], formatted: Any
) -> None:
    """The sender says it otherwise; what it said before is kept.

    Raises:
        SetError: forbidden: somebody else's, or another kind; tooLate; invalidProperties, tooLarge.
    """
    place.check_alive()
    if row.sender_id != place.mine.person_id or row.kind != "text" or row.is_recalled:
        raise SetError(SetErrorType.FORBIDDEN, "only the sender edits a text")
    check_may_speak(tx.now, None, place.muted_all, place.mine.role, place.mine.muted_until)
    if tx.now - row.sent_at > desk.policy.edit_within * 1000:
        raise SetError(TOO_LATE, "too late to edit")
    if not isinstance(text, str) or (not text.strip() and "card" not in row.extra):
        raise invalid_properties("a message says something", "text")
    if len(text) > MAX_TEXT:
        raise SetError(SetErrorType.TOO_LARGE, f"at most {MAX_TEXT} characters")
    said_since = parse_utc(row.extra["editedAt"]) if "editedAt" in row.extra else row.sent_at
    tx.raw.execute(
        "INSERT INTO message_edit(message_id, number, text, at)"
        " SELECT ?, 1 + count(*), ?, ? FROM message_edit WHERE message_id = ?",
        (row.id, row.text, said_since, row.id),
    )
    row.text = text
    row.extra.pop("formatted", None)
    if formatted is not None:
        if not isinstance(formatted, str):
            raise invalid_properties("HTML", "formatted")
        row.extra["formatted"] = clean_formatted(formatted)
    _do_mention_anew(tx, row, mentions)
    row.extra["editedAt"] = format_utc(tx.now)
    do_keep(tx, place, row)
    _do_show_last(tx, place, row)


def do_recall(tx: Tx, desk: ChatDesk, place: Place, row: MessageRow) -> None:
    """Take a message's content back: text, history, references to blobs, mentions, votes and alerts are gone; who spoke when stays.

    Raises:
        SetError: forbidden: neither the sender nor a manager of the group; tooLate for the sender.
    """
    place.check_alive()
    manages = place.is_group and place.mine.manages
    if row.kind == "system" or (row.sender_id != place.mine.person_id and not manages):
        raise SetError(SetErrorType.FORBIDDEN, "only the sender, or owner and admins of the group")
    if not manages and tx.now - row.sent_at > desk.policy.recall_within * 1000:
        raise SetError(TOO_LATE, "too late to recall")
    for table in ("message_edit", "poll_vote", "merged_content", "message_remind", "message_pin", "must_confirm"):
        tx.raw.execute(f"DELETE FROM {table} WHERE message_id = ?", (row.id,))
    tx.raw.execute("DELETE FROM mention WHERE scope = ? AND seq = ?", (row.scope, row.seq))
    tx.raw.execute(
        "INSERT INTO recalled_message(scope, seq, sender_id) VALUES (?, ?, ?)", (row.scope, row.seq, row.sender_id)
    )
    do_unrefer(tx, row.id, MESSAGE)
    desk.alerts.do_drop(tx, MESSAGE, row.id, None, None)
    row.text = ""
    row.extra = {"recalledAt": format_utc(tx.now), "recalledById": place.mine.person_id}
    do_keep(tx, place, row)
    _do_show_last(tx, place, row)


def _do_mention_anew(tx: Tx, row: MessageRow, mentions: list[str]) -> None:
    if mentions == row.extra.get("mentions", []):
        return
    tx.raw.execute("DELETE FROM mention WHERE scope = ? AND seq = ?", (row.scope, row.seq))
    row.extra.pop("mentions", None)
    if mentions:
        row.extra["mentions"] = mentions
        do_mention(tx, row.scope, row.seq, row.sender_id, mentions)


def _do_show_last(tx: Tx, place: Place, row: MessageRow) -> None:
    """Lists show the message as it is now; unread counts are counted again by whoever looks."""
    n = tx.change_id()
    if row.seq == place.last_seq:
        tx.raw.execute(
            "UPDATE conversation SET last_message = ?, touched = ? WHERE id = ?",
            (encode_extra(row.last_message()).decode(), n, place.id),
        )
    else:
        tx.raw.execute("UPDATE conversation SET touched = ? WHERE id = ?", (n, place.id))
    tx.publish(ObjectsChanged("Conversation", n, (place.scope,)))
