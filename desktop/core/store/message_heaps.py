"""Messages that come by the hundred (history, a long absence): rows and words for the search in one pass, what is in the way left to the caller.

Nothing of a heap waits in `to_index`; FTS5 wants the rows of one batch in ascending order, or it writes a segment for each that is not.
"""

from collections.abc import Callable, Sequence
from typing import Final

import apsw

from desktop.core.domain import Message
from desktop.core.store.message_search import MessageSearch
from desktop.core.store.moments import moment_of

LEAST: Final = 64
"""Fewer come on the first screens, where somebody waits: they are written at once, and their words behind them."""

Pack = Callable[[Message], bytes]


def put_heap(
    db: apsw.Connection, search: MessageSearch, room: int, messages: Sequence[Message], pack: Pack
) -> list[Message]:
    """Inserts messages of one conversation, inside a transaction.

    Returns those that could not be inserted as they are: they are here already, or something else has their place or their moment.
    """
    (before,) = next(iter(db.execute("SELECT coalesce(max(n), 0) FROM message")))
    found = [(moment_of(message), message) for message in messages]
    rows = [(room, message.seq, moment, message.id, pack(message)) for moment, message in found]
    changed = db.total_changes()
    db.executemany("INSERT OR IGNORE INTO message(conversation, seq, moment, id, data) VALUES(?, ?, ?, ?, ?)", rows)
    left: list[Message] = []
    if db.total_changes() - changed < len(rows):
        fresh = {row[0] for row in db.execute("SELECT id FROM message WHERE n > ?", (before,))}
        seen: set[str] = set()
        inserted: list[tuple[int, Message]] = []
        for moment, message in found:
            if message.id in fresh and message.id not in seen:
                inserted.append((moment, message))
                seen.add(message.id)
            else:
                left.append(message)
        found = inserted
    search.add(room, found)
    return left
