"""Tables of credentials, devices, sessions, tokens and their logs. Secrets are kept as hashes only; times are ms."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from server_stub.storage.schema import metadata

credential: Final = sa.Table(
    "credential",
    metadata,
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("login_key", sa.Text, nullable=False, unique=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("disabled_at", sa.BigInteger),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
"""How a person signs in. `login_key` is the login folded for comparison."""

device: Final = sa.Table(
    "device",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("jkt", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_seen_at", sa.BigInteger, nullable=False),
    sa.Column("last_address", sa.Text, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
    sa.UniqueConstraint("person_id", "jkt"),
)
"""A device key of a person. Revoked ones stay, so that their next token can be answered with deviceRevoked."""

session: Final = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("device_id", sa.Text, sa.ForeignKey("device.id"), nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("end_reason", sa.Text),
    sa.Index("session_device", "device_id", "ended_at"),
)

refresh_token: Final = sa.Table(
    "refresh_token",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("session_id", sa.Text, sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
    sa.Column("successor", sa.Text),
    sa.Index("refresh_token_session", "session_id"),
)

access_token: Final = sa.Table(
    "access_token",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("session_id", sa.Text, sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Index("access_token_session", "session_id"),
)

login_entry: Final = sa.Table(
    "login_entry",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("person_id", sa.Text),
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("device_id", sa.Text),
    sa.Column("result", sa.Text, nullable=False),
    sa.Index("login_entry_person", "person_id", "at"),
    sa.Index("login_entry_at", "at"),
)

login_guard: Final = sa.Table(
    "login_guard",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("locked_until", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("noted_at", sa.BigInteger, nullable=False),
)
"""Failed attempts by login and by address (keys are hashes). `noted_at`: when a locked attempt last went to the log."""

integration_token: Final = sa.Table(
    "integration_token",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # words joined by one blank
    sa.Column("addresses", sa.Text, nullable=False),  # CIDR ranges joined by one blank; empty: from anywhere
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
)

integration_use: Final = sa.Table(
    "integration_use",
    metadata,
    sa.Column("token_id", sa.Text, sa.ForeignKey("integration_token.id"), primary_key=True),
    sa.Column("minute", sa.BigInteger, primary_key=True),
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("result", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
)
"""Uses of a token, counted by minute, address, kind of request and result. Every use counts."""

person_scope: Final = sa.Table(
    "person_scope",
    metadata,
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("scope", sa.Integer, primary_key=True),
)
"""The scopes a person was put into for departments and roles: what the next change of identities is compared with."""
