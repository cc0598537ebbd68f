"""A session as the screens see it: the core's services through the bridge, in the shape of the ports that desktop.ui declares.

Where a port and a core service name the same thing differently, the difference is bridged here and nowhere else.
"""

from typing import TYPE_CHECKING, cast

from desktop.app.bridge import Bridge
from desktop.core.domain import ConnectionStatus, Document, Notice, Person, Presence
from desktop.core.services.alerts import AlertService
from desktop.core.services.directory import DirectoryService
from desktop.core.services.session import Session
from desktop.core.services.transfers import TransferService
from desktop.models.verbs import ChatVerbs

if TYPE_CHECKING:  # importing a port runs its package's __init__, and with it the pages
    from desktop.ui.office.ports import OfficeVerbs, SettingsVerbs


class ScreenPresence:
    """Who is there. Reading is from memory."""

    def __init__(self, bridge: Bridge, session: Session) -> None:
        self._bridge, self._presence = bridge, session.presence

    def everyone(self) -> dict[str, Presence]:
        """All who are not offline."""
        return self._presence.everyone()

    all = everyone

    def of(self, person_id: str) -> Presence:
        """One colleague's presence."""
        return self._presence.get(person_id)

    async def set_presence(self, presence: Presence) -> None:
        """How this user is seen."""
        await self._bridge.finish(self._presence.set_presence(presence))


class ScreenSession:
    """One signed-in account on the UI thread. `events` speak there, gathered once a frame."""

    def __init__(self, bridge: Bridge, session: Session, me: Person) -> None:
        self._session = session
        self.me = me
        self.events = bridge.feed(session.events)
        self.chat = cast(ChatVerbs, bridge.wrap(session.chat))  # the port takes any iterable of mentions
        self.directory: DirectoryService = bridge.wrap(session.directory)
        self.files: TransferService = bridge.wrap(session.files)
        self.alerts: AlertService = bridge.wrap(session.alerts)
        self.presence = ScreenPresence(bridge, session)
        office = session.office

        async def mark_read(record: Notice | Document | str) -> None:
            record_id = record if isinstance(record, str) else record.id
            await bridge.finish(office.mark_read(record_id, "Document" if isinstance(record, Document) else "Notice"))

        async def get(key: str, default: object = None) -> object:
            value = await bridge.finish(session.settings.get(key))
            return default if value is None else value

        self.office = cast("OfficeVerbs", bridge.wrap(office, mark_read=mark_read))
        self.settings = cast("SettingsVerbs", bridge.wrap(session.settings, get=get))

    @property
    def status(self) -> ConnectionStatus:
        """The connection as it is now."""
        return self._session.status


async def on_screen(bridge: Bridge, session: Session) -> ScreenSession:
    """Wraps a session; `me` is read once, here."""
    return ScreenSession(bridge, session, await bridge.call(session.me()))
