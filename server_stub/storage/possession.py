"""Proof that somebody holds the bytes of a blob, not only its name: an HMAC over places of the file that the server chooses anew each time.

A hash is no secret: it stands in logs, manifests and other people's lists. Whoever would be given a file for naming it could
read what he never had. A challenge names a random key and random ranges; the answer needs the bytes of all of them. A file up
to WHOLE_UP_TO is asked for whole; of a larger one, who lacks a tenth of it passes once in about a thousand tries.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WHOLE_UP_TO: Final = 4 * 1024 * 1024
RANGES: Final = 64
RANGE_BYTES: Final = 16 * 1024
KEY_BYTES: Final = 32
LIVES_MS: Final = 10 * 60_000
MAX_OPEN: Final = 16
_READ: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Challenge:
    """What one person has to prove about one blob. `ranges` are (offset, length) in bytes, in order, apart from each other."""

    id: str
    person_id: str
    blob_id: str
    size: int
    type: str
    key: bytes
    ranges: tuple[tuple[int, int], ...]
    expires_at: int


class TooManyChallenges(Exception):
    """This person has MAX_OPEN of them open."""


class Challenges:
    """Those that wait for an answer; each is good for one answer. Belongs to the event loop."""

    def __init__(self) -> None:
        self._open: dict[str, Challenge] = {}

    def begin(self, person_id: str, blob_id: str, size: int, type_: str, now_ms: int) -> Challenge:
        """A fresh challenge, whether or not there is such a blob: asking tells nothing. Raises TooManyChallenges."""
        self._open = {key: one for key, one in self._open.items() if one.expires_at > now_ms}
        if sum(one.person_id == person_id for one in self._open.values()) >= MAX_OPEN:
            raise TooManyChallenges
        made = Challenge(
            secrets.token_urlsafe(18),
            person_id,
            blob_id,
            size,
            type_,
            secrets.token_bytes(KEY_BYTES),
            choose_ranges(size),
            now_ms + LIVES_MS,
        )
        self._open[made.id] = made
        return made

    def take(self, challenge_id: str, person_id: str, now_ms: int) -> Challenge | None:
        """The challenge of an answer, which uses it up; None when it is another's, expired, answered, or never was."""
        found = self._open.get(challenge_id)
        if found is None or found.person_id != person_id:
            return None
        del self._open[challenge_id]
        return found if found.expires_at > now_ms else None


def choose_ranges(size: int) -> tuple[tuple[int, int], ...]:
    """Random ranges spread over a file of `size` bytes: one in each of RANGES equal stretches, so that no large part goes unasked."""
    if size <= WHOLE_UP_TO:
        return ((0, size),) if size else ()
    stretch = size // RANGES
    return tuple(
        (number * stretch + secrets.randbelow(stretch - RANGE_BYTES + 1), RANGE_BYTES) for number in range(RANGES)
    )


def prove(path: Path, challenge: Challenge) -> str | None:
    """Blocking: the right answer, HMAC-SHA256 (hex) over the blob's id and the ranges' bytes; None when the file is not of that size."""
    digest = hmac.new(challenge.key, challenge.blob_id.encode(), hashlib.sha256)
    try:
        with path.open("rb") as file:
            right_size = file.seek(0, 2) == challenge.size
            for offset, length in challenge.ranges:
                file.seek(offset)
                for start in range(0, length, _READ):
                    digest.update(file.read(min(_READ, length - start)))
    except FileNotFoundError:
        for _, length in challenge.ranges:  # about as long as if it were here: the time tells nothing either
            digest.update(bytes(length))
        return None
    return digest.hexdigest() if right_size else None
