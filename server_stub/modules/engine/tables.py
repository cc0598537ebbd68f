"""Tables of what hangs on office records: read marks, alerts, due dates."""

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
    sa.UniqueConstraint("link_type", "link_id", "person_id"),
)
"""What wants a person's eye: at most one for each person and object. Dismissed ones leave."""

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
