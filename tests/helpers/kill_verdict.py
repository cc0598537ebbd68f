"""Judges what a server holds after the kills, against what its clients were promised. Pure; tested with spoiled evidence itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.helpers.kill_journal import Ledger


class Row(NamedTuple):
    """One message where it stands."""

    id: str
    seq: int
    sender_id: str | None
    text: str


@dataclass(frozen=True)
class Verdict:
    """Counts. Only `messages` and `uncertain` may be more than zero."""

    messages: int = 0
    uncertain: int = 0
    """On the server, though the sender was killed before it could note that its outbox had taken it."""
    lost: int = 0
    """The outbox took it, or even let it go as acknowledged, and the server does not have it."""
    doubled: int = 0
    """More than once: by id, or under another id with the same text."""
    disordered: int = 0
    """Places where an author's message stands before one he sent earlier into the same conversation."""
    strange: int = 0
    """Nobody ever sent it, or it stands in another conversation than the one it was sent to."""
    gaps: int = 0
    """Conversations whose seq are not 1, 2, 3…"""

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return not (self.lost or self.doubled or self.disordered or self.strange or self.gaps)


def judge(held: Mapping[str, Sequence[Row]], ledgers: Mapping[str, Ledger]) -> Verdict:
    """Compares.

    Args:
        held: conversation id to its messages as they stand; system messages (no sender) only count for seq.
        ledgers: login to its journal; the texts are "login number".
    """
    rows = [(room, row) for room, found in held.items() for row in found if row.sender_id is not None]
    accepted = {message_id: (who, *at) for who, book in ledgers.items() for message_id, at in book.accepted.items()}
    known = {row.id for _, row in rows}
    promised = accepted.keys() | {message_id for book in ledgers.values() for message_id in book.acknowledged}
    strange = sum(_is_strange(room, row, ledgers, accepted.get(row.id)) for room, row in rows)
    copies = Counter(row.id for _, row in rows).values(), Counter((room, row.text) for room, row in rows).values()
    return Verdict(
        messages=len(rows),
        uncertain=len(known - accepted.keys()),
        lost=len(promised - known),
        doubled=max(sum(count - 1 for count in counts) for counts in copies),
        disordered=sum(_count_disorder(found) for found in held.values()),
        strange=strange,
        gaps=sum([row.seq for row in found] != list(range(1, len(found) + 1)) for found in held.values()),
    )


def _is_strange(room: str, row: Row, ledgers: Mapping[str, Ledger], promise: tuple[str, str, int] | None) -> bool:
    who, _, number = row.text.partition(" ")
    if promise is not None:
        return promise != (who, room, int(number))
    return who not in ledgers or int(number) > ledgers[who].intended.get(room, 0)


def _count_disorder(found: Sequence[Row]) -> int:
    last: dict[str, int] = {}
    wrong = 0
    for row in found:
        if row.sender_id is not None:
            number = int(row.text.partition(" ")[2])
            wrong += number <= last.get(row.sender_id, 0)
            last[row.sender_id] = number
    return wrong
