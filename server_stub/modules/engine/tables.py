"""Tables of what hangs on office records: read marks, alerts, due dates, to-dos, comments, follows, numbers, unique values, bookings."""

from typing import Final

import sqlalchemy as sa

from server_stub.storage.schema import metadata

read_mark: Final = sa.Table(
    "read_mark",
    metadata,
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("read_at", sa.BigInteger, nullable=False),
    sa.Column("confirmed_at", sa.BigInteger, nullable=True),
    sa.Index("read_mark_person", "person_id", "record_type"),
)
"""Who has read, and perhaps confirmed, which record."""

alert: Final = sa.Table(
    "alert",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("link_type", sa.Text, nullable=False),
    sa.Column("link_id", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column(
        "label", sa.Text, nullable=True
    ),  # JSON: the definition's words that `text` was made of, in every language
    sa.UniqueConstraint("link_type", "link_id", "person_id", "kind", "text"),
)
"""What wants a person's eye: of one kind about one object as many as say different things. Dismissed ones leave."""

due: Final = sa.Table(
    "due",
    metadata,
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("due_at", "at"),
)
"""When a record's rules want to be called again, such as at the end of a notice's validity."""

todo: Final = sa.Table(
    "todo",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("module", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("due_at", sa.Text, nullable=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("done_at", sa.BigInteger, nullable=True),
    sa.Index("todo_record", "record_id", "rule", "person_id"),
)
"""What waits for a person, and what did; one row for each time it began to wait."""

comment: Final = sa.Table(
    "comment",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("author_id", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("extra", sa.Text, nullable=False),  # JSON: mentions, attachments
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index("comment_record", "record_id", "created_at"),
)
"""What people say about a record; a companion of it."""

annotation: Final = sa.Table(
    "annotation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("blob_id", sa.Text, nullable=False),
    sa.Column("page", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),  # JSON: where and what
    sa.Column("shared", sa.Integer, nullable=False),
    sa.Column("author_id", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Index("annotation_record", "record_id"),
)
"""Marks on the pages of a record's documents; a shared one is a companion of the record."""

follow: Final = sa.Table(
    "follow",
    metadata,
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
"""Who wants to hear of a record."""

number_counter: Final = sa.Table(
    "number_counter",
    metadata,
    sa.Column("type", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("last", sa.BigInteger, nullable=False),
)
"""The last number given out in a period ("2026", "202611", "20261122", "")."""

number_gap: Final = sa.Table(
    "number_gap",
    metadata,
    sa.Column("type", sa.Text, primary_key=True),
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("person_id", sa.Text, nullable=True),
)
"""Numbers that belong to no valid record any more, and why."""

unique_value: Final = sa.Table(
    "unique_value",
    metadata,
    sa.Column("type", sa.Text, primary_key=True),
    sa.Column("fields", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Index("unique_value_record", "record_id"),
)
"""Values that no two records of a type share, in the form in which they are compared."""

booking: Final = sa.Table(
    "booking",
    metadata,
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("resource_id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    sa.Index("booking_resource", "resource_id", "start", "end"),
)
"""Resources held for a time [start, end), in ms."""

scope_basis: Final = sa.Table(
    "scope_basis",
    metadata,
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("ref", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Index("scope_basis_ref", "kind", "ref"),
)
"""What a record's scopes were computed from besides itself: another record, somebody's superior, a department's head (with who that was)."""
