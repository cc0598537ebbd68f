"""What the contacts page asks of a session; the real one and the tests' one both fit."""

from __future__ import annotations

from typing import Protocol

from desktop.core.domain import ConnectionStatus, Conversation, Department, Member, Person, Presence
from desktop.core.events import EventBus


class DirectoryVerbs(Protocol):
    """People and departments."""

    async def departments(self) -> list[Department]: ...
    async def people(self) -> list[Person]: ...
    async def search(self, text: str) -> list[Person]: ...


class ChatVerbs(Protocol):
    """What of talking the contacts need."""

    async def conversations(self) -> list[Conversation]: ...
    async def members(self, conversation_id: str) -> list[Member]: ...
    async def open_direct(self, person_id: str) -> Conversation: ...


class PresenceVerbs(Protocol):
    """Who is there."""

    def everyone(self) -> dict[str, Presence]: ...


class ContactsSession(Protocol):
    """A signed-in session as seen from here; `events` speak on the UI thread."""

    @property
    def me(self) -> Person: ...
    @property
    def events(self) -> EventBus: ...
    @property
    def status(self) -> ConnectionStatus: ...
    @property
    def directory(self) -> DirectoryVerbs: ...
    @property
    def chat(self) -> ChatVerbs: ...
    @property
    def presence(self) -> PresenceVerbs: ...
