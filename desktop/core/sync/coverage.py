"""What is still missing of each conversation's history, in the order in which it should be fetched. Pure book-keeping of the puller."""

from typing import Final

from desktop.core.sync import ranges
from desktop.core.sync.jobs import Window
from desktop.core.sync.ranges import Runs

FIRST_SCREENS: Final = 20
"""Conversations whose newest screenful is fetched before any other history."""
SCREENFUL: Final = 30
HISTORY_PAGE: Final = 200


class Coverage:
    """Runs held and the newest sequence number known, by conversation."""

    def __init__(self) -> None:
        self.runs: dict[str, Runs] = {}
        self.tops: dict[str, int] = {}
        self._skipped: set[str] = set()
        self._incomplete: set[str] = set()

    def load(self, runs: dict[str, Runs], tops: dict[str, int]) -> None:
        """Starts from what the store saved; `tops` newest conversation first."""
        self.runs, self.tops = dict(runs), dict(tops)
        self._skipped.clear()
        self._incomplete = set(tops)

    def retry_skipped(self) -> None:
        """A new connection: what the server refused before may be there now."""
        self._skipped.clear()

    def skip(self, conversation_id: str) -> None:
        """The server will not give this conversation's messages now."""
        self._skipped.add(conversation_id)

    def seen(self, conversation_id: str, top: int) -> None:
        """The conversation is known to reach `top`."""
        if top > self.tops.get(conversation_id, -1):
            self.tops[conversation_id] = top
            self._incomplete.add(conversation_id)

    def hold(self, conversation_id: str, low: int, high: int) -> Runs:
        """[low, high] is held now."""
        runs = ranges.add(self.runs.get(conversation_id, ranges.NOTHING), low, high)
        self.runs[conversation_id] = runs
        self._incomplete.add(conversation_id)
        return runs

    def forget(self, conversation_id: str) -> None:
        """The conversation is gone."""
        self.runs.pop(conversation_id, None)
        self.tops.pop(conversation_id, None)
        self._incomplete.discard(conversation_id)

    def newest(self, conversation_id: str) -> int:
        """The newest sequence number held; 0: none."""
        runs = self.runs.get(conversation_id)
        return runs[-1][1] if runs else 0

    def holds(self, conversation_id: str, seq: int) -> bool:
        """Whether this message is held."""
        return any(low <= seq <= high for low, high in self.runs.get(conversation_id, ranges.NOTHING))

    def missing_in(self, conversation_id: str, low: int, high: int) -> Runs:
        """What of [low, high] is not held."""
        inside: Runs = ((low, high),) if low <= high else ()
        for a, b in self.runs.get(conversation_id, ranges.NOTHING):
            inside = ranges.remove(inside, a, b)
        return inside

    def complete(self, busy: frozenset[str]) -> bool:
        """Whether nothing is left to fetch."""
        return not busy and self.next_window(busy) is None

    def first_screens(self, busy: frozenset[str], count: int, *, behind: bool = False) -> list[Window]:
        """What a user may look at first: messages missed above what is held, and the newest screenful of the newest conversations.

        `behind`: /changes is bringing what was missed, from the oldest on: only the newest screenful is worth asking for beside it.
        """
        found: list[Window] = []
        for place, conversation_id in enumerate(self.tops):
            if len(found) >= count:
                break
            if conversation_id not in self._incomplete or conversation_id in busy or conversation_id in self._skipped:
                continue
            runs, top = self.runs.get(conversation_id, ranges.NOTHING), self.tops.get(conversation_id, 0)
            gaps = ranges.holes(runs, top)
            if runs and gaps and behind:
                if runs[-1][1] < top:
                    found.append(Window(conversation_id, *gaps[-1], SCREENFUL))
            elif runs and gaps and gaps[-1][1] > runs[0][0]:  # above what is held: messages missed
                found.append(Window(conversation_id, *gaps[-1], HISTORY_PAGE))
            elif not runs and gaps and place < FIRST_SCREENS:
                found.append(Window(conversation_id, *gaps[-1], SCREENFUL))
        return found

    def next_window(self, busy: frozenset[str]) -> Window | None:
        """The next piece of old history, any conversation; forgets those that turn out complete."""
        done: list[str] = []
        window: Window | None = None
        for conversation_id in self.tops:
            if conversation_id not in self._incomplete or conversation_id in busy or conversation_id in self._skipped:
                continue
            gaps = ranges.holes(self.runs.get(conversation_id, ranges.NOTHING), self.tops[conversation_id])
            if gaps:
                window = Window(conversation_id, *gaps[-1], HISTORY_PAGE)
                break
            done.append(conversation_id)
        self._incomplete.difference_update(done)
        return window
