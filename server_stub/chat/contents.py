"""What polls, chains and formatted texts may hold when they are sent."""

from typing import Any, Final

import msgspec
import nh3

from server_stub.clock import format_utc, parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties

MAX_TITLE: Final = 200
MAX_OPTIONS: Final = 20
MAX_OPTION: Final = 100
MAX_FORMATTED: Final = 40_000  # characters; ten per character of the longest text would be tags alone
_TAGS: Final = frozenset({"b", "strong", "i", "em", "ul", "ol", "li", "a", "br", "p"})
_MAX_DEPTH_TAGS: Final = 2000  # opened in all: bounds what a parser nests


class Option(msgspec.Struct, rename="camel"):
    """One answer of a poll."""

    id: str
    text: str


class Poll(msgspec.Struct, rename="camel"):
    """A question to the conversation."""

    question: str
    options: list[Option]
    multiple: bool = False
    anonymous: bool = False
    closes_at: str | None = None


class Chain(msgspec.Struct, rename="camel"):
    """A list into which everybody enters a line (接龙)."""

    title: str
    example: str | None = None


def check_poll(given: Poll) -> tuple[dict[str, Any], dict[str, Any]]:
    """`poll` and its empty `results`. Raises SetError invalidProperties."""
    options = [(one.id, one.text.strip()) for one in given.options]
    sound = 2 <= len(options) <= MAX_OPTIONS and all(
        0 < len(id_) <= 40 and id_.isprintable() and "/" not in id_ and 0 < len(text) <= MAX_OPTION
        for id_, text in options
    )
    if not sound or len({id_ for id_, _ in options}) < len(options):
        raise invalid_properties(f"a poll has 2 to {MAX_OPTIONS} options with ids and short texts", "poll")
    poll: dict[str, Any] = {
        "question": _title(given.question, "poll"),
        "options": [{"id": id_, "text": text} for id_, text in options],
        "multiple": given.multiple,
        "anonymous": given.anonymous,
    }
    if given.closes_at is not None:
        poll["closesAt"] = utc_of(given.closes_at, "poll")
    empty: dict[str, Any] = {"count": 0} if given.anonymous else {"count": 0, "personIds": []}
    return poll, {id_: dict(empty) for id_, _ in options}


def check_chain(given: Chain) -> dict[str, Any]:
    """`chain`. Raises SetError invalidProperties."""
    chain = {"title": _title(given.title, "chain")}
    if given.example is not None:
        chain["example"] = _title(given.example, "chain")
    return chain


def clean_formatted(text: str) -> str:
    """HTML with bold, italic, lists and links, and nothing else in it. Raises SetError tooLarge."""
    if len(text) > MAX_FORMATTED or text.count("<") > _MAX_DEPTH_TAGS:
        raise SetError(SetErrorType.TOO_LARGE, f"at most {MAX_FORMATTED} characters of HTML")
    return nh3.clean(
        text,
        tags=set(_TAGS),
        attributes={"a": {"href"}},
        attribute_filter=lambda tag, name, value: value if _is_absolute(value) or name == "rel" else None,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


def utc_of(text: str, name: str) -> str:
    """A moment in the wire's own form. Raises SetError invalidProperties."""
    try:
        return format_utc(parse_utc(text))
    except ValueError as problem:
        raise invalid_properties("a UTCDate", name) from problem


def _title(text: str, name: str) -> str:
    if not 0 < len(text.strip()) <= MAX_TITLE:
        raise invalid_properties(f"a title has 1 to {MAX_TITLE} characters", name)
    return text.strip()


def _is_absolute(value: str) -> bool:
    return value.strip().lower().startswith(("http://", "https://", "mailto:"))
