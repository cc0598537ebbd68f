"""What a new day alone changes: to-dos whose rules look at the date, reminders of what is settled by it, and what was done long ago."""

from typing import Any

from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.modules.engine.reminders import do_reminders
from server_stub.modules.engine.todos import do_forget_done, do_todos
from server_stub.records.store import load_records_of_type
from server_stub.storage.database import Tx


def do_new_day(tx: Tx, context: OfficeContext) -> int:
    """Look again at every record whose to-dos or reminders depend on the date. Returns how many were looked at."""
    do_forget_done(tx)
    looked_at = 0
    for definition in list(context.types.values()):
        if not looks_at_the_date(definition):
            continue
        for record in load_records_of_type(tx.conn, definition.name):
            do_todos(tx, context, record)
            do_reminders(tx, context, record)
            looked_at += 1
    return looked_at


def looks_at_the_date(definition: TypeDefinition) -> bool:
    """Whether a rule's filter has a date in it that moves."""
    filters: list[Any] = [one.when for one in definition.todos]
    filters += [one.unless for one in definition.due]
    return any("@today" in str(one) or "@now" in str(one) for one in filters)
