"""Verbs of presence: who is there, and how this user wants to be seen. Never stored on disk; offline nobody is known to be there."""

from desktop.core.domain import ConnectionState, Presence
from desktop.core.events import PresenceChanged, StatusChanged
from desktop.core.services.context import Context


class PresenceService:
    """Presence as the server last told."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, Presence] = {}
        self._mine = Presence.ONLINE

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

    async def set_presence(self, presence: Presence) -> None:
        """How this user is seen; told again after every reconnection."""
        self._mine = presence
        self._context.driver.send_signal("presence", status=presence.value)

    def on_presence(self, event: PresenceChanged) -> None:
        """The server told."""
        if event.snapshot:
            self._known.clear()
        self._known |= event.presence
        for person in [person for person, status in self._known.items() if status is Presence.OFFLINE]:
            del self._known[person]

    def on_status(self, event: StatusChanged) -> None:
        """Offline nobody is known; back again, the server is told what this user chose."""
        if event.status.state is ConnectionState.LIVE:
            if self._mine is not Presence.ONLINE:
                self._context.driver.send_signal("presence", status=self._mine.value)
        elif self._known:
            self._known.clear()
            self._context.bus.publish(PresenceChanged({}, snapshot=True))
