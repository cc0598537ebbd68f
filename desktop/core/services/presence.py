"""Verbs of presence: who is there, and how this user wants to be seen. Never stored on disk; offline nobody is known to be there."""

from typing import Any, Final

import msgspec

from desktop.core.clock import parse_utc_date, utc_date
from desktop.core.domain import AbsenceReply, ConnectionState, Presence
from desktop.core.errors import Rejected
from desktop.core.events import PresenceChanged, StatusChanged
from desktop.core.services.context import Context

MAX_STATUS_TEXT: Final = 60


class _Absence(msgspec.Struct, frozen=True, rename="camel"):
    """An AbsenceReply on the wire."""

    id: str
    text: str
    enabled: bool = False
    while_away: bool = False
    begins: str | None = msgspec.field(default=None, name="from")
    ends: str | None = msgspec.field(default=None, name="to")


class AbsenceAnswer(msgspec.Struct, frozen=True):
    """AbsenceReply/get."""

    list: tuple[_Absence, ...] = ()


class PresenceService:
    """Presence as the server last told."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, Presence] = {}
        self._mine = Presence.ONLINE
        self._texts: dict[str, str] = {}
        self._my_text = ""

    @property
    def mine(self) -> Presence:
        """What this user chose."""
        return self._mine

    def get(self, person_id: str) -> Presence:
        """One colleague's presence."""
        return self._known.get(person_id, Presence.OFFLINE)

    def everyone(self) -> dict[str, Presence]:
        """All who are not offline."""
        return dict(self._known)

    def texts(self) -> dict[str, str]:
        """What colleagues say beside their presence."""
        return dict(self._texts)

    async def set_presence(self, presence: Presence) -> None:
        """How this user is seen; told again after every reconnection."""
        self._mine = presence
        self._context.driver.send_signal("presence", status=presence.value)

    async def set_text(self, text: str) -> None:
        """What this user says beside the presence, "" for nothing; told again after every reconnection.

        Raises:
            Rejected: longer than 60 characters, or not one line.
        """
        if len(text) > MAX_STATUS_TEXT or not text.isprintable():
            raise Rejected(type="invalidText", length=len(text))
        self._my_text = text
        self._context.driver.send_signal("presence", status=self._mine.value, text=text)

    async def fetch_absence(self) -> AbsenceReply | None:
        """The absence reply as the server has it; None: never set. Raises Offline."""
        answer = await self._context.call("AbsenceReply/get", {"ids": None}, AbsenceAnswer)
        if not answer.list:
            return None
        held = answer.list[0]
        begins, ends = (None if at is None else parse_utc_date(at) for at in (held.begins, held.ends))
        return AbsenceReply(held.text, held.enabled, held.while_away, begins, ends, held.id)

    async def do_set_absence(self, absence: AbsenceReply) -> None:
        """Sets the absence reply; the server answers, also while no client is open.

        Raises:
            Offline: now or not at all. Rejected: no text, too long, or it ends before it begins.
        """
        said: dict[str, Any] = {"enabled": absence.enabled, "text": absence.text, "whileAway": absence.while_away}
        times = (("from", absence.begins), ("to", absence.ends))
        said |= {name: None if at is None else utc_date(at) for name, at in times}
        held = await self.fetch_absence()
        if held is not None:
            await self._context.call_set("AbsenceReply", update={held.id: said})
        else:
            given = {key: value for key, value in said.items() if value is not None}
            await self._context.call_set("AbsenceReply", create={self._context.new_id(): given})

    def on_presence(self, event: PresenceChanged) -> None:
        """The server told."""
        if event.snapshot:
            self._known.clear()
            self._texts.clear()
        self._known |= event.presence
        self._texts |= event.texts
        for person in [person for person, status in self._known.items() if status is Presence.OFFLINE]:
            del self._known[person]
            self._texts.pop(person, None)
        for person in [person for person, text in self._texts.items() if not text]:
            del self._texts[person]

    def on_status(self, event: StatusChanged) -> None:
        """Offline nobody is known; back again, the server is told what this user chose."""
        if event.status.state is ConnectionState.LIVE:
            said = {"text": self._my_text} if self._my_text else {}
            if said or self._mine is not Presence.ONLINE:
                self._context.driver.send_signal("presence", status=self._mine.value, **said)
        elif self._known:
            self._known.clear()
            self._texts.clear()
            self._context.bus.publish(PresenceChanged({}, snapshot=True))
