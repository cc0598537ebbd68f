"""The shared table metadata and the numbered migrations.

Each package declares its tables in its own `tables.py` on `metadata`. A new file is made from the metadata; an older one is taken
forward by MIGRATIONS first, then gets the tables that are missing. A migration never uses the metadata, which moves on.
"""

from collections.abc import Callable, Mapping
from typing import Final

import sqlalchemy as sa

metadata: Final = sa.MetaData()

counter: Final = sa.Table(
    "counter",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
"""`change`: the last change id given out. `log_start`: no /changes from states before it."""

schema_version: Final = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

Migration = Callable[[sa.Connection], None]

MIGRATIONS: Final[Mapping[int, Migration]] = {}
"""Version → what takes a database of the version before to it. Version 1 is the first that was ever written."""

LATEST: Final = max(MIGRATIONS, default=1)
