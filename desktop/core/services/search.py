"""Verbs of search: one question, asked of each kind by itself, so that a screen shows each as it comes and drops what nobody waits for any more.

Everything but `remote_messages` is from this device and works offline. What one may find is what was synced here: the server checks rights again.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from desktop.core.clock import utc_date
from desktop.core.domain import Conversation, ConversationKind, Message, Person
from desktop.core.domain.search import (
    ATTACHED,
    Facet,
    Found,
    FoundKind,
    FoundPart,
    MessagesWanted,
    SearchQuery,
    excerpt,
    fold,
    marked,
    query_words,
    searched_text,
)
from desktop.core.errors import Offline, Rejected
from desktop.core.ids import member_id
from desktop.core.protocol.answers import GetAnswer, QueryAnswer
from desktop.core.protocol.objects import object_of
from desktop.core.protocol.problems import ProtocolError
from desktop.core.services.chat import ChatService
from desktop.core.services.context import Context
from desktop.core.services.people_search import NO_MATCH, PeopleIndex, name_rank, spelled
from desktop.core.services.record_scene import RecordScene, Scene
from desktop.core.services.record_search import RecordSearch
from desktop.core.sync.port import Store

MOST_COUNTED: Final = 100
FEW: Final = 20
NEWEST: Final = 50
MAX_RECENT: Final = 12
_LOCAL: Final = "search"
_RECENT: Final = "recent"
_KEPT: Final = "kept"
_NAMED: Final = 4
"""People of the text whose groups are looked for."""
_INDEX_BATCH: Final = 500
_BY_MEMBER: Final = 50
_NOBODY: Final = PeopleIndex((), ())


class SearchService:
    """What somebody types, over everything this device holds."""

    def __init__(self, context: Context, scene: RecordScene, chat: ChatService) -> None:
        self._context, self._scene, self._chat = context, scene, chat
        self._records = RecordSearch(context, scene)
        self._people = _NOBODY
        self._people_of: Scene | None = None
        self._indexing = False

    # ------------------------------------------------------------ people and groups
    async def people(self, query: SearchQuery, limit: int = FEW) -> FoundPart:
        """Colleagues and departments, the best first."""
        if query.narrowed or not query.text.strip():
            return FoundPart(FoundKind.PERSON)
        index = await self._index()
        return await self._context.workers.cpu(index.find, query.text, limit)

    async def _index(self) -> PeopleIndex:
        scene = await self._scene.ready()
        known = self._people_of
        if known is None or known.people is not scene.people or known.organization is not scene.organization:
            departments = await self._context.db(self._context.store.load_objects, "Department")
            people = tuple(scene.people.values())
            self._people = await self._context.workers.cpu(PeopleIndex, people, departments)
            self._people_of = scene
        return self._people

    async def conversations(self, query: SearchQuery, limit: int = FEW) -> FoundPart:
        """Groups by their name, its spelling, or who is in them."""
        if query.narrowed or not query.text.strip():
            return FoundPart(FoundKind.CONVERSATION)
        index = await self._index()
        groups = [one for one in await self._chat.conversations() if one.kind is ConversationKind.GROUP]
        named = await self._context.workers.cpu(index.named, query.text, _NAMED)
        members = await self._context.db(_members_among, self._context.store, groups, named)
        return await self._context.workers.cpu(_found_groups, groups, members, query.text, limit)

    async def rank_names(self, names: Sequence[str], text: str) -> list[int | None]:
        """How well each of the names (of pages, modules, commands) fits, by its words, spelling and initials: 0 is best, None: not at all."""
        return await self._context.workers.cpu(_ranks, names, text)

    # ------------------------------------------------------------ messages
    async def messages(self, query: SearchQuery, limit: int = NEWEST) -> FoundPart:
        """The newest messages; files and pictures are told by `files`, unless a kind of message is asked for."""
        without = frozenset() if query.facet is not None else ATTACHED
        return await self._messages(FoundKind.MESSAGE, query, _wanted(query, limit, without=without))

    async def files(self, query: SearchQuery, limit: int = NEWEST) -> FoundPart:
        """The newest files and pictures of conversations, by their names."""
        if query.facet is not None:
            return FoundPart(FoundKind.FILE)
        return await self._messages(FoundKind.FILE, query, _wanted(query, limit, facets=ATTACHED))

    async def _messages(self, kind: FoundKind, query: SearchQuery, wanted: MessagesWanted) -> FoundPart:
        scene, store = await self._scene.ready(), self._context.store
        words = query_words(query.text)

        def load() -> tuple[FoundPart, bool]:
            behind = store.index_some(_INDEX_BATCH) >= _INDEX_BATCH
            found, total = store.search_messages(wanted)
            items = _found_messages(kind, store, scene, found, words)
            return FoundPart(kind, items, total, total >= wanted.counted), behind

        part, behind = await self._context.db(load)
        if behind and not self._indexing:
            self._indexing = True
            self._context.start(self._finish_index(), "search.index")
        return part

    async def _finish_index(self) -> None:
        """What came in a heap since the last quiet moment; a few were indexed by the question itself."""
        try:
            while await self._context.db(self._context.store.index_some, _INDEX_BATCH) >= _INDEX_BATCH:
                pass
        finally:
            self._indexing = False

    async def remote_messages(self, query: SearchQuery, limit: int = NEWEST) -> FoundPart:
        """Messages that the server has and this device does not, the newest first; `total` counts all the server found, those held here too.

        Raises:
            Offline: nobody can be asked. Rejected: the server said no.
        """
        if query.empty:
            return FoundPart(FoundKind.MESSAGE)
        asked = {"filter": _wire_filter(query), "limit": limit, "calculateTotal": True}
        answer = await self._context.call("Message/query", asked, QueryAnswer)
        missing = await self._context.db(_not_here, self._context.store, answer.ids)
        total = answer.total or len(answer.ids)
        if not missing:
            return FoundPart(FoundKind.MESSAGE, (), total)
        got = await self._context.call("Message/get", {"ids": missing}, GetAnswer)
        found = {one.id: one for one in (self._decoded(raw) for raw in got.objects)}
        messages = [found[key] for key in missing if key in found]
        scene, store, words = await self._scene.ready(), self._context.store, query_words(query.text)
        items = await self._context.db(_found_messages, FoundKind.MESSAGE, store, scene, messages, words, True)
        return FoundPart(FoundKind.MESSAGE, items, total)

    def _decoded(self, raw: msgspec.Raw) -> Message:
        try:
            message = object_of("Message", msgspec.json.decode(raw, type=dict[str, Any]), self._context.me)
        except (ProtocolError, msgspec.MsgspecError) as error:
            raise Offline(reason="protocolError") from error
        if not isinstance(message, Message):
            raise Offline(reason="protocolError")
        return message

    # ------------------------------------------------------------ the office
    async def records(self, kind: FoundKind, query: SearchQuery, limit: int = FEW, language: str = "zh") -> FoundPart:
        """Notices, documents or records of the other modules, the newest first, those whose title hits before others."""
        if query.conversation_id is not None or query.facet is not None or not query.text.strip():
            return FoundPart(kind)
        try:
            part = await self._records.find(kind, query, limit, language)
        except Rejected:  # a type came or went under the question
            return FoundPart(kind)
        if kind is not FoundKind.DOCUMENT:
            return part
        kept = await self._context.db(self._context.store.load_local, _KEPT)
        items = tuple(msgspec.structs.replace(one, kept=one.id in kept) for one in part.items)
        return msgspec.structs.replace(part, items=items)

    # ------------------------------------------------------------ what was looked for
    async def recent(self) -> list[str]:
        """What was looked for last, the newest first; of this device alone."""
        return (await self._context.load_local(_LOCAL, list[str])).get(_RECENT, [])

    async def remember(self, text: str) -> None:
        """Something was found by this text."""
        said = " ".join(text.split())
        if said:
            known = [one for one in await self.recent() if one != said]
            await self._context.put_local(_LOCAL, _RECENT, [said, *known][:MAX_RECENT])

    async def forget_recent(self) -> None:
        """Nobody is to see what was looked for."""
        await self._context.put_local(_LOCAL, _RECENT, None)


def _wanted(
    query: SearchQuery, limit: int, *, facets: frozenset[Facet] = frozenset(), without: frozenset[Facet] = frozenset()
) -> MessagesWanted:
    return MessagesWanted(
        query.text,
        query.conversation_id,
        query.person_id,
        frozenset({query.facet}) if query.facet is not None else facets,
        without,
        query.since,
        query.until,
        limit,
        max(limit, MOST_COUNTED),
    )


def _wire_filter(query: SearchQuery) -> dict[str, Any]:
    found = {
        "text": query.text.strip() or None,
        "conversationId": query.conversation_id,
        "senderId": query.person_id,
        "is": None if query.facet is None else query.facet.value,
        "sentAfter": None if query.since is None else utc_date(query.since),
        "sentBefore": None if query.until is None else utc_date(query.until),
    }
    return {key: value for key, value in found.items() if value is not None}


def _not_here(store: Store, ids: Sequence[str]) -> list[str]:
    return [one for one in ids if store.load_object("Message", one) is None]


def _found_messages(
    kind: FoundKind,
    store: Store,
    scene: Scene,
    messages: Sequence[Message],
    words: tuple[str, ...],
    remote: bool = False,
) -> tuple[Found, ...]:
    rooms: dict[str, Conversation | None] = {}
    found = []
    for message in messages:
        key = message.conversation_id
        if key not in rooms:
            held = store.load_object("Conversation", key)
            rooms[key] = _named(held, scene) if isinstance(held, Conversation) else None
        title = excerpt(searched_text(message), words)
        who = scene.names.get(message.sender_id or "", "")
        found.append(
            Found(
                kind, "Message", message.id, title, at=message.sent_at, conversation=rooms[key], message=message, who=who,
                remote=remote,
            )
        )  # fmt: skip
    return tuple(found)


def _named(conversation: Conversation, scene: Scene) -> Conversation:
    if conversation.name or conversation.peer_id is None:
        return conversation
    return msgspec.structs.replace(conversation, name=scene.names.get(conversation.peer_id, ""))


def _members_among(store: Store, groups: Sequence[Conversation], people: Iterable[Person]) -> dict[str, list[str]]:
    """Group → which of the people are in it."""
    found: dict[str, list[str]] = {}
    for person in people:
        for group in groups:
            if store.load_object("Member", member_id(group.id, person.id)) is not None:
                found.setdefault(group.id, []).append(person.name)
    return found


def _ranks(names: Sequence[str], text: str) -> list[int | None]:
    word = "".join(fold(text).split())
    latin = any("a" <= char <= "z" for char in word)
    found: list[int | None] = []
    for name in names:
        plain = "".join(fold(name).split())
        rank = name_rank(plain, *(spelled(name) if latin else ("", "")), word) if word else NO_MATCH
        found.append(rank if rank < NO_MATCH else None)
    return found


def _found_groups(groups: Sequence[Conversation], members: dict[str, list[str]], text: str, limit: int) -> FoundPart:
    word, words = "".join(fold(text).split()), query_words(text)
    latin = any("a" <= char <= "z" for char in word)
    ranked = []
    for group in groups:
        name = "".join(fold(group.name).split())
        pinyin, initials = spelled(name) if latin else ("", "")
        rank = min(name_rank(name, pinyin, initials, word), _BY_MEMBER if group.id in members else NO_MATCH)
        if rank < NO_MATCH:
            ranked.append((rank, -group.updated_at, group.id, group))
    ranked.sort(key=lambda one: one[:3])
    items = [
        Found(
            FoundKind.CONVERSATION, "Conversation", group.id, marked(group.name, words),
            marked("、".join(members.get(group.id, ())), words), conversation=group, count=group.member_count,
        )
        for _, _, _, group in ranked[:limit]
    ]  # fmt: skip
    return FoundPart(FoundKind.CONVERSATION, tuple(items), len(ranked))
