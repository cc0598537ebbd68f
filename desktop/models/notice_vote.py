"""The vote on a notice as one reader meets it: what may be chosen, until when, what was cast, what of the count is known. Times in ms; no texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from desktop.core.domain import Audience
from desktop.core.domain.records import Record
from desktop.models.audience import audience_people
from desktop.models.contacts import Organization
from desktop.models.record_values import moment_of

BALLOT: Final = "NoticeBallot"


@dataclass(frozen=True, slots=True)
class Vote:
    """Attributes:
    counts: votes by option; None while this reader may not see them. voters: how many have voted, where told.
    mine: places of the options this user chose; None: no ballot yet; empty: cast, and not kept with the name.
    names: option → who chose it, as far as this reader may know.
    """

    question: str
    options: tuple[str, ...]
    most: int
    secret: bool
    after_close: bool
    closes_at: int | None
    closed: bool
    may_vote: bool
    counts: tuple[int, ...] | None = None
    voters: int | None = None
    mine: tuple[int, ...] | None = None
    names: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def vote_of(
    notice: Record, ballots: Iterable[Record], organization: Organization, *, me: str, now_ms: int
) -> Vote | None:
    """The vote of a notice that is out; None: there is none. `ballots`: those this user may see; refused ones do not count."""
    data = notice.data
    if not data.get("hasVote") or data.get("state") != "published":
        return None
    cast = [one for one in ballots if one.refusal is None]
    own = next((one for one in cast if one.author_id == me), None)
    closes_at = moment_of(data.get("voteClosesAt"))
    closed = bool(data.get("voteClosed")) or (closes_at is not None and closes_at <= now_ms)
    options = tuple(str(line.get("text", "")) for line in lines_of(data.get("voteOptions")))
    secret = bool(data.get("voteSecret"))
    return Vote(
        question=str(data.get("voteQuestion") or ""),
        options=options,
        most=max(1, int(data.get("voteMost") or 1)),
        secret=secret,
        after_close=secret or data.get("voteResults") == "afterClose",
        closes_at=closes_at,
        closed=closed,
        may_vote=own is None and not closed and _is_meant(data.get("audience"), organization, me),
        counts=_counts(data.get("voteTally"), len(options)),
        voters=int(data["voters"]) if isinstance(data.get("voters"), int | float) else None,
        mine=None if own is None else _chosen(own),
        names={} if secret or all(one.author_id == me for one in cast) else _names(cast),
    )


def lines_of(value: Any) -> list[dict[str, Any]]:
    """The lines of a lines field; what is none is left out."""
    return [line for line in value if isinstance(line, dict)] if isinstance(value, list) else []


def _chosen(ballot: Record) -> tuple[int, ...]:
    places = (line.get("option") for line in lines_of(ballot.data.get("choices")))
    return tuple(int(one) for one in places if isinstance(one, int | float))


def _names(ballots: Iterable[Record]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    for ballot in ballots:
        for place in _chosen(ballot) if ballot.author_id else ():
            found.setdefault(place, []).append(ballot.author_id or "")
    return {place: tuple(people) for place, people in found.items()}


def _counts(tally: Any, options: int) -> tuple[int, ...] | None:
    lines = lines_of(tally)
    counts = tuple(int(line.get("count") or 0) for line in lines)
    return counts if lines and len(counts) == options else None


def _is_meant(audience: Any, organization: Organization, me: str) -> bool:
    if not isinstance(audience, dict):
        return False
    meant = Audience(
        bool(audience.get("everyone")),
        tuple(audience.get("departmentIds") or ()),
        tuple(audience.get("roles") or ()),
        tuple(audience.get("personIds") or ()),
    )
    return me in audience_people(meant, organization)
