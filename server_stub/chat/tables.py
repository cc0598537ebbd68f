"""Tables of chat. Their rows carry the intervals that visibility works on (see SOURCES in sources.py)."""

from typing import Final

import sqlalchemy as sa

from server_stub.storage.schema import metadata

conversation: Final = sa.Table(
    "conversation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("scope", sa.Integer, nullable=False, unique=True),  # the scope its members are in
    sa.Column("kind", sa.Text, nullable=False),  # direct, group, system
    sa.Column("name", sa.Text, nullable=True),
    sa.Column("announcement", sa.Text, nullable=True),  # JSON
    sa.Column("member_count", sa.Integer, nullable=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("last_message", sa.Text, nullable=True),  # JSON, as the wire shows it
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("touched", sa.BigInteger, nullable=False),
    sa.Column("props_touched", sa.BigInteger, nullable=False),  # more than counts and the last message changed
    sa.Column("settings", sa.Text, nullable=True),  # JSON of what a group has set: joinRule, anyonePins, …
    sa.Column("muted_all", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("dissolved_at", sa.BigInteger, nullable=True),
    sa.Column("department_id", sa.Text, nullable=True),  # its members are those of this department
)

member: Final = sa.Table(
    "member",
    metadata,
    sa.Column("row", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("conversation_id", sa.Text, nullable=False),
    sa.Column("scope", sa.Integer, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("person_scope", sa.Integer, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("joined_at", sa.BigInteger, nullable=False),
    sa.Column("muted", sa.Boolean, nullable=False),
    sa.Column("pinned", sa.Boolean, nullable=False),
    sa.Column("read_seq", sa.BigInteger, nullable=False),
    sa.Column("read_at", sa.BigInteger, nullable=True),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("touched", sa.BigInteger, nullable=False),  # as a Member
    sa.Column("read_touched", sa.BigInteger, nullable=False),  # as a Receipt
    sa.Column("own_touched", sa.BigInteger, nullable=False),  # as this person's view of the Conversation
    sa.Column("props_touched", sa.BigInteger, nullable=False),  # muted, pinned and what is in own
    sa.Column("own", sa.Text, nullable=True),  # JSON: folder, hiddenAt, markedUnread, draft, notify
    sa.Column("muted_until", sa.BigInteger, nullable=True),  # ms
    sa.Column("nickname", sa.Text, nullable=True),
    sa.Column("invited_by", sa.Text, nullable=True),
    sa.Index("member_conversation", "conversation_id", "person_id", "until"),
    sa.Index("member_person", "person_id", "until"),
    sa.Index("member_id", "id"),
    sa.Index("member_touched", "scope", "touched"),
    sa.Index("member_read_touched", "scope", "read_touched"),
    sa.Index("member_own_touched", "person_scope", "own_touched"),
)
"""One row for each stay of a person in a conversation; who leaves and comes back has two."""

message: Final = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("scope", sa.Integer, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("modseq", sa.BigInteger, nullable=False),
    sa.Column("sender_id", sa.Text, nullable=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("extra", sa.Text, nullable=True),  # JSON: every other member of the object on the wire
    sa.Column("sent_at", sa.BigInteger, nullable=False),
    sa.Column(
        "since", sa.BigInteger, nullable=False, server_default="0"
    ),  # the change that made it; modseq: that last changed it
    sa.Index("message_seq", "scope", "seq", "sender_id", "kind"),  # covers the count of unread: no row is looked at
    sa.Index("message_modseq", "scope", "modseq"),
)
"""Changes in place, is never taken away: who sees it is who is in the scope."""

mention: Final = sa.Table(
    "mention",
    metadata,
    sa.Column("scope", sa.Integer, primary_key=True),
    sa.Column("person_id", sa.Text, primary_key=True),  # or "all"
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("sender_id", sa.Text, nullable=True),
)

message_edit: Final = sa.Table(
    "message_edit",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # from 1
    sa.Column("text", sa.Text, nullable=False),  # what it said until then
    sa.Column("at", sa.BigInteger, nullable=False),  # since when it had said so, ms
)
"""What a message said before it was edited. Leaves when the message is recalled."""

recalled_message: Final = sa.Table(
    "recalled_message",
    metadata,
    sa.Column("scope", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("sender_id", sa.Text, nullable=True),
)
"""Recalled messages: they count as unread no more."""

message_pin: Final = sa.Table(
    "message_pin",
    metadata,
    sa.Column("scope", sa.Integer, primary_key=True),
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)

must_confirm: Final = sa.Table(
    "must_confirm",
    metadata,
    sa.Column("scope", sa.Integer, primary_key=True),
    sa.Column("message_id", sa.Text, primary_key=True),
)
"""Messages that wait for somebody to confirm them."""

message_remind: Final = sa.Table(
    "message_remind",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),  # ms
)
"""When its sender last reminded people of a message."""

poll_vote: Final = sa.Table(
    "poll_vote",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("choice", sa.Text, nullable=False),  # JSON: ids of options
)

merged_content: Final = sa.Table(
    "merged_content",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),  # JSON: {title, items}, what is nested included
)
"""All of a forwarded talk; the message itself carries the first level."""

scheduled_due: Final = sa.Table(
    "scheduled_due",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # of the ScheduledMessage
    sa.Column("at", sa.BigInteger, nullable=False),  # ms
    sa.Index("scheduled_due_at", "at"),
)
"""Messages that wait to be sent; a row leaves in the transaction that sends its message."""

absence_sent: Final = sa.Table(
    "absence_sent",
    metadata,
    sa.Column("person_id", sa.Text, primary_key=True),  # who is away
    sa.Column("to_id", sa.Text, primary_key=True),  # who was answered
    sa.Column("at", sa.BigInteger, nullable=False),  # ms
)
"""When whom an absence reply was last sent to: one a day."""
