"""What is typed into the search beside words (from:张敏 in:办公室 type:file after:2026-10-01 before:2026-11), and what the filters hold. No widgets."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from desktop.core.clock import local_minutes
from desktop.core.domain import Conversation, Person
from desktop.core.domain.directory import match_rank, wanted_text
from desktop.core.domain.moments import DAY_MS, day_of, day_start, moved
from desktop.core.domain.search import Facet, SearchQuery

_NAMES: Final = {"来自": "from", "会话": "in", "类型": "type", "之后": "after", "之前": "before"}  # not a text
_OPERATOR: Final = re.compile(
    rf"(?:^|(?<=\s))({'|'.join(('from', 'in', 'type', 'after', 'before', *_NAMES))})[:\uff1a](\S+)(?=\s)", re.IGNORECASE
)
_TYPES: Final = {"文字": "text", "图片": "picture", "文件": "file", "链接": "link", "卡片": "card"}  # not a text
_DATE: Final = re.compile(r"(\d{4})(?:[-/.](\d{1,2}))?(?:[-/.](\d{1,2}))?")
SPANS: Final = ("any", "today", "week", "month", "year")
_DAYS: Final = {"today": 0, "week": 6, "month": 29, "year": 364}


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a search. `span`: a name of SPANS, or "" with days of their own: [since, until) in ms."""

    person: Person | None = None
    conversation: Conversation | None = None
    facet: Facet | None = None
    span: str = "any"
    since: int | None = None
    until: int | None = None

    @property
    def empty(self) -> bool:
        """Nothing is narrowed."""
        return self == Filters()

    def query(self, text: str, now_ms: int) -> SearchQuery:
        """The whole question."""
        since = span_start(self.span, now_ms) if self.span in _DAYS else self.since
        return SearchQuery(
            " ".join(text.split()),
            None if self.person is None else self.person.id,
            None if self.conversation is None else self.conversation.id,
            self.facet,
            since,
            self.until,
        )


def span_start(span: str, now_ms: int) -> int:
    """The local midnight from which a span of days counts, ms."""
    zone = local_minutes(now_ms)
    return day_start(moved(day_of(now_ms, zone), -_DAYS[span], "d"), zone)


def _midnight(day: date) -> int:
    noon = day_start(day.isoformat(), 0) + DAY_MS // 2
    return day_start(day.isoformat(), local_minutes(noon))


def take_operators(
    text: str,
    held: Filters,
    people: Callable[[], Iterable[Person]],
    conversations: Callable[[], Iterable[Conversation]],
) -> tuple[str, Filters]:
    """Takes operators that a blank follows out of the text. What names nobody and nothing stays in it."""
    filters = held

    def take(match: re.Match[str]) -> str:
        nonlocal filters
        name = match.group(1).lower()
        taken = _with(filters, _NAMES.get(name, name), match.group(2), people, conversations)
        if taken is None:
            return match.group()
        filters = taken
        return ""

    left = _OPERATOR.sub(take, text)
    return (text, held) if filters == held else (left.lstrip(), filters)


def _with(
    filters: Filters,
    name: str,
    value: str,
    people: Callable[[], Iterable[Person]],
    conversations: Callable[[], Iterable[Conversation]],
) -> Filters | None:
    match name:
        case "from":
            person = best_person(value, people())
            return None if person is None else replace(filters, person=person)
        case "in":
            conversation = best_conversation(value, conversations())
            return None if conversation is None else replace(filters, conversation=conversation)
        case "type":
            named = _TYPES.get(value, value.lower())
            return replace(filters, facet=Facet(named)) if named in {one.value for one in Facet} else None
        case _:
            days = day_span(value)
            if days is None:
                return None
            start, _ = days
            if name == "after":
                return replace(filters, span="", since=start)
            return replace(filters, span="" if filters.span == "any" else filters.span, until=start)


def day_span(value: str) -> tuple[int, int] | None:
    """[beginning, end) of a year, month or day that is written down, ms; None: it is none."""
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    year, month, day = int(match.group(1)), match.group(2), match.group(3)
    try:
        first = date(year, int(month or 1), int(day or 1))
        if day:
            last = first + timedelta(days=1)
        elif month:
            last = date(year + first.month // 12, first.month % 12 + 1, 1)
        else:
            last = date(year + 1, 1, 1)
        return _midnight(first), _midnight(last)
    except (ValueError, OverflowError, OSError):
        return None


def best_person(text: str, people: Iterable[Person]) -> Person | None:
    """Whom a name, its spelling or initials mean."""
    wanted = wanted_text(text)
    ranked = [(rank, one.pinyin, one.id, one) for one in people if (rank := match_rank(one, wanted)) is not None]
    return min(ranked, key=lambda one: one[:3])[3] if ranked and wanted else None


def best_conversation(text: str, conversations: Iterable[Conversation]) -> Conversation | None:
    """Which conversation a name means: the whole name, its beginning, a part of it."""
    wanted = wanted_text(text)
    for fits in (str.__eq__, str.startswith, str.__contains__):
        for one in conversations if wanted else ():
            if fits(wanted_text(one.name), wanted):
                return one
    return None
