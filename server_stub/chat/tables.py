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
    sa.Column("props_touched", sa.BigInteger, nullable=False),  # muted, pinned
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
    sa.Column("extra", sa.Text, nullable=True),  # JSON: mentions, replyToId, attachment, card
    sa.Column("sent_at", sa.BigInteger, nullable=False),
    sa.Index("message_seq", "scope", "seq", "sender_id", "kind"),  # covers the count of unread: no row is looked at
    sa.Index("message_modseq", "scope", "modseq"),
)
"""Written once, never changed, never taken away: who sees it is who is in the scope."""

mention: Final = sa.Table(
    "mention",
    metadata,
    sa.Column("scope", sa.Integer, primary_key=True),
    sa.Column("person_id", sa.Text, primary_key=True),  # or "all"
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("sender_id", sa.Text, nullable=True),
)
