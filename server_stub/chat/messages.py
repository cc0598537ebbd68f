"""Messages: the hot path of sending. Raw SQL on purpose: a message costs five short statements.

Nothing here is done per recipient: who gets a message is who is in the conversation's scope.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server_stub.chat.conversations import do_open_system
from server_stub.chat.message_rows import COLUMNS, encode_extra, message_object, preview_of, to_row
from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.ids import uuid7
from server_stub.push.events import ObjectsChanged
from server_stub.records.visibility import INF
from server_stub.storage.database import Tx

MAX_TEXT: Final = 10_000
MAX_MENTIONS: Final = 200


@dataclass(slots=True)
class Draft:
    """A message that was checked and has no seq yet. `more`: further members of the object, as the wire shows them."""

    kind: str
    text: str
    mentions: Sequence[str] = ()
    reply_to_id: str | None = None
    attachment: dict[str, Any] | None = None
    card: dict[str, Any] | None = None
    more: Mapping[str, Any] | None = None
    extra: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        extra: dict[str, Any] = {}
        if self.mentions:
            extra["mentions"] = list(self.mentions)
        if self.reply_to_id is not None:
            extra["replyToId"] = self.reply_to_id
        if self.attachment is not None:
            extra["attachment"] = self.attachment
        if self.card is not None:
            extra["card"] = self.card
        if self.more:
            extra.update(self.more)
        self.extra = extra

    @property
    def preview(self) -> str:
        """The beginning of the text, or what else names it where there is none: for lists."""
        return preview_of(self.text, self.extra)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message: as /get gives it; `is_new` is False when the same id was sent before."""

    message: dict[str, Any]
    is_new: bool


def do_send(
    tx: Tx, sender_id: str, conversation_id: str, creation_id: str, draft: Draft, *, at: int | None = None
) -> Sent:
    """Write a message of a member; seq is contiguous per conversation and grows in commit order.

    Args:
        creation_id: a UUIDv7 that becomes the message's id, and sending it again changes nothing; "": a fresh one.
        at: its time when that is not now (imports).

    Raises:
        SetError: invalidProperties: not a member, a system conversation, somebody else's id, an answer to nothing;
            forbidden: the group is dissolved, or the sender may not speak in it now.
    """
    row = tx.raw.execute(
        "SELECT c.scope, c.kind, c.last_seq, c.dissolved_at, c.muted_all, m.role, m.muted_until"
        " FROM conversation AS c JOIN member AS m ON m.conversation_id = c.id"
        " WHERE c.id = ? AND m.person_id = ? AND m.until = ?",
        (conversation_id, sender_id, INF),
    ).fetchone()
    if row is None or row[1] == "system":
        known = find_sent(tx, sender_id, creation_id)
        if known is not None and known["conversationId"] == conversation_id:  # sent while still a member
            return Sent(known, False)
        raise invalid_properties("no conversation of yours to write in", "conversationId")
    if row[3] is not None or row[4] or row[6] is not None:
        known = find_sent(tx, sender_id, creation_id)  # sent while it was still allowed, the answer was lost
        if known is not None and known["conversationId"] == conversation_id:
            return Sent(known, False)
        check_may_speak(tx.now, row[3], row[4], row[5], row[6])
    return do_write(
        tx, row[0], conversation_id, row[2] + 1, sender_id, creation_id, draft, tx.now if at is None else at
    )


def check_may_speak(now: int, dissolved_at: int | None, muted_all: bool, role: str, muted_until: int | None) -> None:
    """Whether a member may write now. Raises SetError forbidden with `reason`: dissolved, mutedAll or muted."""
    if dissolved_at is not None:
        raise SetError(SetErrorType.FORBIDDEN, "the group is dissolved", reason="dissolved")
    if muted_all and role == "member":
        raise SetError(SetErrorType.FORBIDDEN, "only owner and admins speak now", reason="mutedAll")
    if muted_until is not None and muted_until > now:
        raise SetError(SetErrorType.FORBIDDEN, "you may not speak now", reason="muted", until=format_utc(muted_until))


def do_post_system(
    tx: Tx,
    sender: str,
    person_ids: Iterable[str],
    text: str,
    card: dict[str, Any] | None = None,
    *,
    at: int | None = None,
) -> None:
    """A message of the system to each of these people, in their conversation with that sender (`notices`, `alerts`)."""
    draft = Draft("text", text, card=card)
    when = tx.now if at is None else at
    for person_id in person_ids:
        conversation_id = do_open_system(tx, sender, person_id, at=when)
        scope, last_seq = tx.raw.execute(
            "SELECT scope, last_seq FROM conversation WHERE id = ?", (conversation_id,)
        ).fetchone()
        do_write(tx, scope, conversation_id, last_seq + 1, None, "", draft, when)


def do_write(
    tx: Tx, scope: int, conversation_id: str, seq: int, sender_id: str | None, creation_id: str, draft: Draft, when: int
) -> Sent:
    """Write the next message of a conversation; asks nobody whether it may be written. Raises SetError invalidProperties."""
    message_id = creation_id or uuid7(when)
    raw = tx.raw
    if (
        draft.reply_to_id is not None
        and not raw.execute("SELECT 1 FROM message WHERE id = ? AND scope = ?", (draft.reply_to_id, scope)).fetchone()
    ):
        raise invalid_properties("there is no such message in this conversation", "replyToId")
    extra = draft.extra
    n = tx.change_id()
    written = raw.execute(
        "INSERT INTO message(id, scope, seq, modseq, sender_id, kind, text, extra, sent_at, since)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (
            message_id,
            scope,
            seq,
            n,
            sender_id,
            draft.kind,
            draft.text,
            encode_extra(extra).decode() if extra else None,
            when,
            n,
        ),
    )
    if written.rowcount != 1:
        known = find_sent(tx, sender_id, message_id)
        if known is None or known["conversationId"] != conversation_id:
            raise invalid_properties("this id is taken", "id")
        return Sent(known, False)
    sent_at = format_utc(when)
    last = {
        "id": message_id,
        "seq": seq,
        "senderId": sender_id,
        "kind": draft.kind,
        "text": draft.preview,
        "sentAt": sent_at,
    }
    if "event" in extra:
        last["event"] = extra["event"]
    raw.execute(
        "UPDATE conversation SET last_seq = ?, last_message = ?, updated_at = ?, touched = ? WHERE id = ?",
        (seq, encode_extra(last).decode(), when, n, conversation_id),
    )
    if draft.mentions:
        do_mention(tx, scope, seq, sender_id, draft.mentions)
    message = message_object(message_id, conversation_id, seq, sender_id, draft.kind, draft.text, extra, sent_at)
    scopes = (scope,)
    tx.publish(ObjectsChanged("Message", n, scopes, objects=(message,)))
    tx.publish(ObjectsChanged("Conversation", n, scopes))
    return Sent(message, True)


def do_mention(tx: Tx, scope: int, seq: int, sender_id: str | None, person_ids: Iterable[str]) -> None:
    """Note whom a message mentions: for their counts."""
    tx.raw.executemany(
        "INSERT INTO mention(scope, person_id, seq, sender_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(scope, person_id, seq, sender_id) for person_id in person_ids],
    )


def find_sent(tx: Tx, sender_id: str | None, message_id: str) -> dict[str, Any] | None:
    """The message that this person wrote under this id before, as it is now; None when there is none."""
    row = tx.raw.execute(
        f"SELECT {COLUMNS}, (SELECT id FROM conversation WHERE scope = message.scope) FROM message WHERE id = ?",
        (message_id,),
    ).fetchone()
    return None if row is None or row[3] != sender_id else to_row(row[:8], row[8]).to_object()
