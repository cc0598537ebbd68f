"""What the contacts page asks of a session; the real one and the tests' one both fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from desktop.core.domain import ConnectionStatus, Conversation, Department, Member, Person, Presence
from desktop.core.events import EventBus

if TYPE_CHECKING:
    from desktop.ui.office.views.base import RecordsSession


class DirectoryVerbs(Protocol):
    """People and departments."""

    async def departments(self) -> list[Department]: ...
    async def people(self) -> list[Person]: ...
    async def search(self, text: str) -> list[Person]: ...
    async def set_hides(self, fields: Iterable[str]) -> None: ...
    async def set_visibility(self, type_name: str, id: str, rules: Mapping[str, str]) -> None: ...
    async def set_people_order(self, department_id: str, person_ids: Sequence[str]) -> None: ...
    async def set_departments_order(self, department_ids: Sequence[str]) -> None: ...
    async def ask_export(self, person_ids: Sequence[str], format: str) -> None: ...


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


def records_session(session: ContactsSession) -> RecordsSession | None:
    """The session as records see it; None for a core without records, which has no personal contacts."""
    return cast("RecordsSession", session) if hasattr(session, "records") else None
