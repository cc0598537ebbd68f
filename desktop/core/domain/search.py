"""What a search asks and finds: one question over people, talk, office records and files; hits with the words marked and the place they lead to. Pure."""

import re
import unicodedata
from enum import StrEnum
from functools import cache
from typing import Final

import msgspec

from desktop.core.domain.chat import Conversation, Message
from desktop.core.domain.chat_parts import MessageKind

CONTEXT: Final = 18
"""Characters of a text that stand before the first hit in its excerpt."""
EXCERPT: Final = 120
_WORD: Final = (
    r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[^\W\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Runs of Chinese, and words of anything else: as the index tells them apart. Compiled when first asked: 5 ms."""
_LINK: Final = re.compile(r"\bhttps?://\S", re.IGNORECASE)


@cache
def _words() -> re.Pattern[str]:
    return re.compile(_WORD)


class Facet(StrEnum):
    """What a message is, to those who look for one. A text with a link or a card is a text too; a video counts as a picture."""

    TEXT = "text"
    PICTURE = "picture"
    FILE = "file"
    LINK = "link"
    CARD = "card"


class MessagesWanted(msgspec.Struct, frozen=True):
    """Which messages are looked for, the newest first. Without text, conversation, sender and facets: none.

    Attributes:
        text: every word of it stands in the text or the file's name.
        facets: one of them; without: none of them. since, until: when it was sent, ms, [since, until).
        counted: how far matches are counted beyond `limit`.
    """

    text: str = ""
    conversation_id: str | None = None
    sender_id: str | None = None
    facets: frozenset[Facet] = frozenset()
    without: frozenset[Facet] = frozenset()
    since: int | None = None
    until: int | None = None
    limit: int = 50
    counted: int = 0


_FACETS: Final = {
    MessageKind.TEXT: Facet.TEXT,
    MessageKind.PICTURE: Facet.PICTURE,
    MessageKind.VIDEO: Facet.PICTURE,
    MessageKind.FILE: Facet.FILE,
}
_NOTHING: Final[frozenset[Facet]] = frozenset()
_PLAIN: Final = {kind: frozenset({facet}) for kind, facet in _FACETS.items()}
ATTACHED: Final = frozenset({Facet.PICTURE, Facet.FILE})


class SearchQuery(msgspec.Struct, frozen=True):
    """What somebody looks for. Filters narrow to what has such a property: with a conversation or a facet only messages and files are left.

    Attributes:
        person_id: who sent or wrote it. since, until: when, ms, [since, until).
    """

    text: str = ""
    person_id: str | None = None
    conversation_id: str | None = None
    facet: Facet | None = None
    since: int | None = None
    until: int | None = None

    @property
    def empty(self) -> bool:
        """Nothing is asked."""
        return not self.text.strip() and self.person_id is None and self.conversation_id is None and self.facet is None

    @property
    def narrowed(self) -> bool:
        """A filter is set."""
        return (self.person_id, self.conversation_id, self.facet, self.since, self.until) != (None,) * 5


class FoundKind(StrEnum):
    """The sections of what was found, in the order in which they stand."""

    PERSON = "person"
    CONVERSATION = "conversation"
    NOTICE = "notice"
    DOCUMENT = "document"
    MESSAGE = "message"
    FILE = "file"
    RECORD = "record"


class Excerpt(msgspec.Struct, frozen=True):
    """A line of text with the places [start, end) that hit."""

    text: str = ""
    marks: tuple[tuple[int, int], ...] = ()


class Found(msgspec.Struct, frozen=True):
    """One hit.

    Attributes:
        type, id: the object it leads to ("Person", "Department", "Conversation", "Message", or a type of the office).
        at: when it was sent or changed, ms; 0: not known. icon: of its module, "" where it has a face.
        conversation: of a message, or the hit itself; message: the hit; who: its sender's name. remote: only the server has it.
        kept: readable on this device with the cable out. count: people of a department or group.
    """

    kind: FoundKind
    type: str
    id: str
    title: Excerpt
    detail: Excerpt = Excerpt()
    at: int = 0
    icon: str = ""
    conversation: Conversation | None = None
    message: Message | None = None
    who: str = ""
    remote: bool = False
    kept: bool = False
    count: int = 0


class FoundPart(msgspec.Struct, frozen=True):
    """What one kind found: the best first, how many there are in all (`more`: at least so many)."""

    kind: FoundKind
    items: tuple[Found, ...] = ()
    total: int = 0
    more: bool = False


def is_searched(message: Message) -> bool:
    """Whether anybody looks for it: lines of the system and what was taken back are not found."""
    return message.kind is not MessageKind.SYSTEM and message.recalled_at is None


def facets_of(message: Message) -> frozenset[Facet]:
    """What a message is."""
    plain = _PLAIN.get(message.kind, _NOTHING)
    if message.card is None and "://" not in message.text:
        return plain
    found = set(plain)
    if message.card is not None:
        found.add(Facet.CARD)
    if _LINK.search(message.text):
        found.add(Facet.LINK)
    return frozenset(found)


def searched_text(message: Message) -> str:
    """What of a message is searched: its text, the file's name, a poll, a chain, what was forwarded as one."""
    if message.attachment is None and message.poll is None and message.chain is None and message.merged is None:
        return message.text
    parts = [message.text]
    if message.attachment is not None:
        parts.append(message.attachment.name)
    if message.poll is not None:
        parts += [message.poll.question, *(option.text for option in message.poll.options)]
    if message.chain is not None:
        parts += [message.chain.title, *(entry.text for entry in message.entries)]
    if message.merged is not None:
        parts += [message.merged.title, *(item.text for item in message.merged.items)]
    return " ".join(part for part in parts if part)


def found_by(message: Message) -> tuple[bool, str, frozenset[Facet]]:
    """All that decides whether a search finds it, but sender, place and time, which never change."""
    return is_searched(message), searched_text(message), facets_of(message)


def query_words(text: str) -> tuple[str, ...]:
    """The words of a question, folded, in which hits are marked."""
    return tuple(dict.fromkeys(_words().findall(fold(text))))


def fold(text: str) -> str:
    """As texts are compared: width and case do not matter. Keeps the length wherever the result is to be marked (`_folded`)."""
    return unicodedata.normalize("NFKC", text).casefold()


def _folded(text: str) -> str:
    """The same, letter by letter, so that places stay what they are."""
    whole = fold(text)
    if len(whole) == len(text):
        return whole
    return "".join(one if len(one) == 1 else char for char in text for one in (fold(char),))


def marked(text: str, words: tuple[str, ...]) -> Excerpt:
    """The whole of a line with its hits."""
    return Excerpt(text, _marks(_folded(text), words))


def excerpt(text: str, words: tuple[str, ...], *, length: int = EXCERPT) -> Excerpt:
    """One line about the first hit, cut with `…` where the text goes on."""
    line = " ".join(text.split())
    folded = _folded(line)
    places = [at for word in words if (at := folded.find(word)) >= 0]
    start = max(0, min(places, default=0) - CONTEXT)
    end = min(len(line), start + length)
    head, tail = "…" if start else "", "…" if end < len(line) else ""
    cut = f"{head}{line[start:end]}{tail}"
    return Excerpt(cut, _marks(f"{head}{folded[start:end]}{tail}", words))


def _marks(folded: str, words: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for word in words:
        at = folded.find(word)
        while at >= 0:
            spans.append((at, at + len(word)))
            at = folded.find(word, at + len(word))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
