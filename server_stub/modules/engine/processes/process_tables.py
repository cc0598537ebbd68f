"""Tables of processes, their versions, and of who stands in for whom."""

from typing import Final

import sqlalchemy as sa

from server_stub.storage.schema import metadata

process_file: Final = sa.Table(
    "process_file",
    metadata,
    sa.Column("sha", sa.Text, primary_key=True),
    sa.Column("process_id", sa.Text, nullable=False),
    sa.Column("source", sa.LargeBinary, nullable=False),  # the .bpmn as it came, for export and the designer
    sa.Column(
        "file", sa.LargeBinary, nullable=False
    ),  # MessagePack of the ProcessFile: what runs, whatever later readers make of the source
)
"""Files that were read, by the sha256 of what was made of them."""

process: Final = sa.Table(
    "process",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("process_id", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=True),  # a draft has none
    sa.Column("state", sa.Text, nullable=False),  # draft published retired
    sa.Column("origin", sa.Text, nullable=False),  # folder office
    sa.Column("module", sa.Text, nullable=False),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("sha", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("called", sa.Text, nullable=False),  # JSON: process id → sha of the file
    sa.Column("author_id", sa.Text, nullable=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("published_at", sa.BigInteger, nullable=True),
    sa.Column("published_by", sa.Text, nullable=True),
    sa.Column("retired_by", sa.Text, nullable=True),  # None: by the server
    sa.UniqueConstraint("process_id", "version"),
    sa.Index("process_sha", "sha"),
)
"""Versions and drafts of processes; at most one of a process is published. `sha`: of the file and all it calls."""

delegation: Final = sa.Table(
    "delegation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, nullable=False),
    sa.Column("delegate_id", sa.Text, nullable=False),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    sa.Column("modules", sa.Text, nullable=False),  # JSON list; empty: every module
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("revoked_at", sa.BigInteger, nullable=True),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Index("delegation_person", "person_id", "end"),
)
"""Who acts for whom in [start, end), in ms."""
