"""The search index over messages (FTS5): words as search_text.py makes them; kind, sender and conversation stand beside them as words nobody can type.

Every filter is so a part of one question to the index, which gives the newest hits first however common each part is. The row number is `moment` (schema.py).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

import apsw

from desktop.core.domain import Message
from desktop.core.domain.search import Facet, MessagesWanted, facets_of, is_searched, searched_text
from desktop.core.store.moments import first_moment
from desktop.core.store.search_text import index_text, match_expression

_SIGN: Final = "\ue000"
"""Begins the words of facets: a letter to the index, of no script, and no part of a word that is typed (search_text.py)."""
_NO_MOMENT: Final = 1 << 62
_INSERT: Final = "INSERT INTO message_text(rowid, text) VALUES(?, ?)"
_by_moment: Final = itemgetter(0)
FRESH: Final = 400
"""Messages that are indexed before a question is asked: what has just come is found."""


class MessageSearch:
    """Asks and builds the index of one store's connection."""

    def __init__(self, db: apsw.Connection, decode: Callable[[bytes], Message]) -> None:
        self._db, self._decode = db, decode

    @property
    def behind(self) -> bool:
        """Whether messages wait to be indexed."""
        return any(True for _ in self._db.execute("SELECT 1 FROM to_index LIMIT 1"))

    def find(self, wanted: MessagesWanted) -> tuple[list[Message], int]:
        """The newest messages that match, and how many do, as far as they are counted."""
        question = self._question(wanted)
        if question is None:
            return [], 0
        sql = (
            "SELECT rowid FROM message_text WHERE message_text MATCH ? AND rowid >= ? AND rowid < ?"
            " ORDER BY rowid DESC LIMIT ?"
        )
        moments = [n for (n,) in self._db.execute(sql, (*question, max(wanted.limit, wanted.counted)))]
        row = "SELECT data FROM message WHERE moment = ?"
        found = (data for moment in moments[: wanted.limit] for (data,) in self._db.execute(row, (moment,)))
        return [self._decode(data) for data in found], len(moments)

    def index_some(self, limit: int) -> int:
        """Indexes the newest `limit` messages that wait, inside a transaction; how many there were."""
        # Newest first, since that is what people look for; FTS5 wants ascending rows inside one batch.
        sql = (
            "SELECT t.moment, m.conversation, m.data FROM to_index t JOIN message m ON m.moment = t.moment"
            " ORDER BY 1 DESC LIMIT ?"
        )
        rows = list(self._db.execute(sql, (limit,)))[::-1]
        texts = [(moment, indexed(self._decode(data), room)) for moment, room, data in rows]
        self._db.executemany(_INSERT, texts)
        self._db.executemany("DELETE FROM to_index WHERE moment = ?", [(moment,) for moment, _ in texts])
        return len(rows)

    def add(self, room: int, found: Sequence[tuple[int, Message]]) -> None:
        """Indexes messages of one conversation that have just been written and wait nowhere: (moment, message) in any order."""
        ordered = sorted(found, key=_by_moment)
        self._db.executemany(_INSERT, [(moment, indexed(message, room)) for moment, message in ordered])

    def again(self, message_id: str) -> None:
        """A message says something else now: its words are indexed anew."""
        for (moment,) in list(self._db.execute("SELECT moment FROM message WHERE id = ?", (message_id,))):
            self._db.execute("INSERT OR IGNORE INTO to_index VALUES(?)", (moment,))
            if self._db.changes():
                self._db.execute("DELETE FROM message_text WHERE rowid = ?", (moment,))

    def _question(self, wanted: MessagesWanted) -> tuple[str, int, int] | None:
        parts = list(self._parts(wanted))
        if not parts or None in parts:
            return None
        expression = " AND ".join(str(part) for part in parts)
        if wanted.without:
            expression = f"({expression}) NOT ({_any_of(f'k{one}' for one in sorted(wanted.without))})"
        low = 0 if wanted.since is None else first_moment(wanted.since)
        return expression, low, _NO_MOMENT if wanted.until is None else first_moment(wanted.until)

    def _parts(self, wanted: MessagesWanted) -> Iterator[str | None]:
        """What must all hold; None: that cannot be."""
        if wanted.text.strip():
            yield match_expression(wanted.text)
        if wanted.conversation_id is not None:
            sql = "SELECT n FROM conversation_key WHERE id = ?"
            room = next((n for (n,) in self._db.execute(sql, (wanted.conversation_id,))), None)
            yield None if room is None else _any_of((f"c{room}",))
        if wanted.sender_id is not None:
            yield _any_of((_sender(wanted.sender_id),))
        if wanted.facets:
            yield f"({_any_of(f'k{one}' for one in sorted(wanted.facets))})"


def _any_of(words: Iterator[str] | tuple[str, ...]) -> str:
    return " OR ".join(f'"{_SIGN}{word}"' for word in words)


def _sender(person_id: str) -> str:
    return "s" + hashlib.blake2b(person_id.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def indexed(message: Message, room: int) -> str:
    """All the words a message is found by; `room` is the number of its conversation."""
    if not is_searched(message):
        return ""
    text, sender = searched_text(message), message.sender_id
    words = index_text(text.replace(_SIGN, " ") if _SIGN in text else text)
    facets = _facet_words(facets_of(message))
    return f"{words} {_SIGN}c{room}{facets}{'' if sender is None else _sender_word(sender)}"


@lru_cache(maxsize=64)
def _facet_words(facets: frozenset[Facet]) -> str:
    return "".join(f" {_SIGN}k{one}" for one in sorted(facets))


@lru_cache(maxsize=1024)
def _sender_word(person_id: str) -> str:
    return f" {_SIGN}{_sender(person_id)}"
