"""SearchService over what a FakeSession holds: people by the real index, talk and records by plain comparison. What the server has beyond: `beyond`."""

from collections.abc import Sequence
from typing import Any

from desktop.core.domain import Conversation, Message, RecordQuery
from desktop.core.domain.search import (
    ATTACHED,
    Found,
    FoundKind,
    FoundPart,
    SearchQuery,
    excerpt,
    facets_of,
    marked,
    query_words,
    searched_text,
)
from desktop.core.domain.titles import title_of
from desktop.core.errors import Offline
from desktop.core.services.people_search import PeopleIndex
from desktop.core.services.search import _ranks
from tests.helpers.fake_session import DEPARTMENTS, PEOPLE


class FakeSearch:
    """Every verb is noted in `asked`."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.asked: list[tuple[str, SearchQuery]] = []
        self.beyond: list[Message] = []
        self.down = False
        self.texts: list[str] = []

    async def people(self, query: SearchQuery, limit: int = 20) -> FoundPart:
        self.asked.append(("people", query))
        if query.narrowed:
            return FoundPart(FoundKind.PERSON)
        return PeopleIndex(PEOPLE, DEPARTMENTS).find(query.text, limit)

    async def conversations(self, query: SearchQuery, limit: int = 20) -> FoundPart:
        words = query_words(query.text)
        groups = [one for one in self._talks() if one.kind == "group" and all(word in one.name for word in words)]
        items = [
            Found(FoundKind.CONVERSATION, "Conversation", one.id, marked(one.name, words), conversation=one, count=3)
            for one in groups
            if words and not query.narrowed
        ]
        return FoundPart(FoundKind.CONVERSATION, tuple(items[:limit]), len(items))

    async def messages(self, query: SearchQuery, limit: int = 50) -> FoundPart:
        self.asked.append(("messages", query))
        return self._matching(FoundKind.MESSAGE, query, limit)

    async def files(self, query: SearchQuery, limit: int = 50) -> FoundPart:
        return FoundPart(FoundKind.FILE) if query.facet else self._matching(FoundKind.FILE, query, limit)

    async def remote_messages(self, query: SearchQuery, limit: int = 50) -> FoundPart:
        self.asked.append(("remote", query))
        if self.down:
            raise Offline(reason="offline")
        words = query_words(query.text)
        items = tuple(self._shown(FoundKind.MESSAGE, one, words, remote=True) for one in self.beyond[:limit])
        return FoundPart(FoundKind.MESSAGE, items, len(items))

    async def records(self, kind: FoundKind, query: SearchQuery, limit: int = 20, language: str = "zh") -> FoundPart:
        records = getattr(self._session, "records", None)
        if kind is not FoundKind.RECORD or records is None or query.narrowed:
            return FoundPart(kind)
        items = []
        for module in await records.modules():
            for type_ in module.types:
                page = await records.page(RecordQuery(type_.name, text=query.text, limit=limit))
                for one in page.records:
                    title = marked(title_of(type_, one.data, language=language), query_words(query.text))
                    items.append(
                        Found(kind, type_.name, one.id, title, marked(module.label.text(language), ()), one.updated_at)
                    )
        return FoundPart(kind, tuple(items[:limit]), len(items))

    async def rank_names(self, names: Sequence[str], text: str) -> list[int | None]:
        return _ranks(names, text)

    async def recent(self) -> list[str]:
        return list(self.texts)

    async def remember(self, text: str) -> None:
        self.texts = [text, *(one for one in self.texts if one != text)]

    async def forget_recent(self) -> None:
        self.texts = []

    def _talks(self) -> list[Conversation]:
        return list(self._session.chat.list.values())

    def _matching(self, kind: FoundKind, query: SearchQuery, limit: int) -> FoundPart:
        words = query_words(query.text)
        found = []
        for talk in self._session.chat.talks.values():
            for message in talk.messages:
                facets = facets_of(message)
                wanted = {query.facet} if query.facet else ATTACHED if kind is FoundKind.FILE else set()
                if query.conversation_id not in (None, message.conversation_id):
                    continue
                if query.person_id not in (None, message.sender_id) or (wanted and not wanted & facets):
                    continue
                if kind is FoundKind.MESSAGE and not query.facet and facets & ATTACHED:
                    continue
                if all(word in searched_text(message).casefold() for word in words):
                    found.append(message)
        found.sort(key=lambda message: -message.sent_at)
        items = tuple(self._shown(kind, message, words) for message in found[:limit])
        return FoundPart(kind, items, len(found))

    def _shown(self, kind: FoundKind, message: Message, words: tuple[str, ...], *, remote: bool = False) -> Found:
        who = next((one.name for one in PEOPLE if one.id == message.sender_id), "")
        talk = self._session.chat.list.get(message.conversation_id)
        title = excerpt(searched_text(message), words)
        return Found(
            kind, "Message", message.id, title, at=message.sent_at, conversation=talk, message=message, who=who, remote=remote
        )  # fmt: skip
