"""The hash chain: every administrative act is a row whose hash covers the row before it.

Rows are only ever appended, inside the transaction of the act itself. Details hold ids and counts, never texts or secrets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from server_stub.storage.database import Tx
from server_stub.storage.schema import metadata

GENESIS: Final = "0" * 64
SYSTEM: Final = "system"  # the actor of command-line acts and of the server itself

audit_entry: Final = sa.Table(
    "audit_entry",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a verification found. `broken_at` is the first row that does not fit, None when all do; `head` the last hash."""

    entries: int
    head: str
    broken_at: int | None


def do_record(tx: Tx, actor: str, act: str, subject: str, details: Mapping[str, Any] | None = None) -> None:
    """Append one act to the chain. `details` must be JSON; no texts people wrote, no secrets."""
    row = tx.raw.execute("SELECT seq, hash FROM audit_entry ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (row[0] + 1, row[1]) if row else (1, GENESIS)
    shown = _canonical(dict(details or {}))
    digest = _hash(previous, seq, tx.now, actor, act, subject, shown)
    tx.raw.execute(
        "INSERT INTO audit_entry(seq, at, actor, act, subject, details, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (seq, tx.now, actor, act, subject, shown, digest),
    )


def verify(conn: sa.Connection) -> ChainReport:
    """Recompute every hash from the first row on. Cutting off the newest rows shows only against a head noted before."""
    previous, count = GENESIS, 0
    for row in conn.execute(sa.select(audit_entry).order_by(audit_entry.c.seq)):
        count += 1
        expected = _hash(previous, count, row.at, row.actor, row.act, row.subject, row.details)
        if row.seq != count or row.hash != expected:
            return ChainReport(count - 1, previous, int(row.seq))
        previous = expected
    return ChainReport(count, previous, None)


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _hash(previous: str, seq: int, at: int, actor: str, act: str, subject: str, details: str) -> str:
    entry = {"seq": seq, "at": at, "actor": actor, "act": act, "subject": subject, "details": details}
    return hashlib.sha256((_canonical(entry) + previous).encode("ascii")).hexdigest()
