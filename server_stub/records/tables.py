"""Tables of visibility, of generic records, and of what was created under which id."""

from typing import Final

import sqlalchemy as sa

from server_stub.storage.schema import metadata

scope: Final = sa.Table(
    "scope",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.UniqueConstraint("kind", "ref"),
)
"""A set of people: everyone, a department, a role, a conversation, one person."""

membership: Final = sa.Table(
    "membership",
    metadata,
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("scope", sa.Integer, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Index("membership_person", "person_id", "scope", "until", "since"),
    sa.Index("membership_scope", "scope", "until", "person_id"),
)
"""Person in scope during [since, until) in change ids; INF = still."""

record_scope: Final = sa.Table(
    "record_scope",
    metadata,
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("scope", sa.Integer, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("touched", sa.BigInteger, nullable=False),
    sa.Index("record_scope_touched", "scope", "type", "touched", "object_id"),
    sa.Index("record_scope_object", "object_id", "until"),
)
"""Object shown to a scope during [since, until); touched = the last change of the object, of since or of until."""

record: Final = sa.Table(
    "record",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),  # JSON object
    sa.Column("author_id", sa.Text, nullable=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("modseq", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Index("record_type", "type", "created_at", "id"),
)
"""Everything driven by a schema; destroyed records leave (their record_scope rows stay and tell)."""

record_change: Final = sa.Table(
    "record_change",
    metadata,
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("person_id", sa.Text, nullable=True),
    sa.Column("changes", sa.Text, nullable=False),  # JSON list of [property, old, new]
)
"""What made each version of a record out of the one before: who changed which property when. Leaves with its record."""

companion: Final = sa.Table(
    "companion",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("of_id", sa.Text, nullable=False),
    sa.Index("companion_of", "of_id"),
)
"""An object that is seen by whoever sees another one, such as a comment on a record; it goes with it."""

creation: Final = sa.Table(
    "creation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),  # JSON object: the `created` entry
)
"""Client-made ids that were used, with the answer to repeat; outlives the object, so that a late resend does not make it again."""
