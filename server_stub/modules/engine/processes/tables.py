"""Tables of cases: the case, its saved machine, what waits for whom, and the history that only grows (docs/processes.md, Cases)."""

from typing import Final

import sqlalchemy as sa

from server_stub.storage.schema import metadata

office_case: Final = sa.Table(
    "office_case",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("module", sa.Text, nullable=False),
    sa.Column("process_id", sa.Text, nullable=False),
    sa.Column("sha", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # running suspended completed terminated
    sa.Column("started_by", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("department_id", sa.Text, nullable=True),
    sa.Column("ended_at", sa.BigInteger, nullable=True),
    sa.Column("end_state", sa.Text, nullable=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("shown", sa.Text, nullable=False),  # JSON: now, next, done, durations as on the wire
    sa.Index("office_case_record", "record_id", "started_at"),
    sa.Index("office_case_version", "sha", "state"),
)
"""One running, or finished, instance of a process about one record. `seq`: of its newest event."""

case_state: Final = sa.Table(
    "case_state",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("sha", sa.Text, nullable=False),
    sa.Column("machine", sa.LargeBinary, nullable=False),
    sa.Column("book", sa.LargeBinary, nullable=False),  # JSON: book.py
)
"""What a running case continues from; finished ones have none."""

work_item: Final = sa.Table(
    "work_item",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("case_id", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("step_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # handle read
    sa.Column("part", sa.Text, nullable=False),  # step before after read
    sa.Column("state", sa.Text, nullable=False),  # open done withdrawn
    sa.Column("person_id", sa.Text, nullable=True),  # None: shared until somebody acts
    sa.Column("on_behalf_of", sa.Text, nullable=True),
    sa.Column("added_by", sa.Text, nullable=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("read_at", sa.BigInteger, nullable=True),
    sa.Column("done_at", sa.BigInteger, nullable=True),
    sa.Column("amber_at", sa.BigInteger, nullable=True),
    sa.Column("due_at", sa.BigInteger, nullable=True),
    sa.Column("urged_at", sa.BigInteger, nullable=True),
    sa.Column("closed_by", sa.Text, nullable=True),  # the event after which it was not open any more
    sa.Column("offer", sa.Text, nullable=False),  # JSON: what may be done with it
    sa.Column("passed", sa.Text, nullable=False),  # JSON list: time limits that have been acted on
    sa.Index("work_item_case", "case_id", "state"),
)
"""What waits, or waited, at a step for one person, or for several of whom one acts."""

work_item_person: Final = sa.Table(
    "work_item_person",
    metadata,
    sa.Column("item_id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("on_behalf_of", sa.Text, nullable=True),
    sa.Column("todo_id", sa.Text, nullable=True),  # while it is open
    sa.Index("work_item_person_open", "person_id", "todo_id"),
)
"""Who may act on an item, and the to-do that tells them."""

case_event: Final = sa.Table(
    "case_event",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("case_id", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("work_item_id", sa.Text, nullable=True),
    sa.Column("step_id", sa.Text, nullable=False),
    sa.Column("step_name", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, nullable=True),  # None: the server
    sa.Column("on_behalf_of", sa.Text, nullable=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column(
        "extra", sa.Text, nullable=False
    ),  # JSON: outcome opinion attachments signature values to toStepId chosen
    sa.UniqueConstraint("case_id", "seq"),
)
"""What was done with a case by whom, for whom, and why. Never changed, never taken away but with its record."""
