"""A session as the screens see it: the core's services through the bridge, which satisfy the ports that desktop.ui declares as they are.

tests/widgets/test_ports.py compares every port with what stands here, name by name.
"""

from typing import TYPE_CHECKING

from desktop.app.bridge import Bridge
from desktop.core.domain import AbsenceReply, ConnectionStatus, Person, Presence

if TYPE_CHECKING:  # for their names: the session that comes has loaded them, the start need not
    from desktop.core.services.alerts import AlertService
    from desktop.core.services.annotations import AnnotationsService
    from desktop.core.services.cache import CacheService
    from desktop.core.services.cases import CasesService
    from desktop.core.services.chat import ChatService
    from desktop.core.services.directory import DirectoryService
    from desktop.core.services.office import OfficeService
    from desktop.core.services.records import RecordsService
    from desktop.core.services.search import SearchService
    from desktop.core.services.session import Session
    from desktop.core.services.settings import SettingsService
    from desktop.core.services.transfers import TransferService


class ScreenPresence:
    """Who is there. Reading is from memory."""

    def __init__(self, bridge: Bridge, session: "Session") -> None:
        self._bridge, self._presence = bridge, session.presence

    def everyone(self) -> dict[str, Presence]:
        """All who are not offline."""
        return self._presence.everyone()

    def texts(self) -> dict[str, str]:
        """What colleagues say beside their presence."""
        return self._presence.texts()

    async def set_text(self, text: str) -> None:
        """What this user says beside the presence. Raises Rejected."""
        await self._bridge.finish(self._presence.set_text(text))

    async def fetch_absence(self) -> AbsenceReply | None:
        """The absence reply. Raises Offline."""
        return await self._bridge.finish(self._presence.fetch_absence())

    async def do_set_absence(self, absence: AbsenceReply) -> None:
        """Sets the absence reply. Raises Offline, Rejected."""
        await self._bridge.finish(self._presence.do_set_absence(absence))

    async def set_presence(self, presence: Presence) -> None:
        """How this user is seen."""
        await self._bridge.finish(self._presence.set_presence(presence))


class ScreenSession:
    """One signed-in account on the UI thread. `events` speak there, gathered once a frame."""

    def __init__(self, bridge: Bridge, session: "Session", me: Person) -> None:
        self._session, self._bridge = session, bridge
        self.me = me
        self.events = bridge.feed(session.events)
        self.chat: ChatService = bridge.wrap(session.chat)
        self.directory: DirectoryService = bridge.wrap(session.directory)
        self.files: TransferService = bridge.wrap(session.files)
        self.office: OfficeService = bridge.wrap(session.office)
        self.records: RecordsService = bridge.wrap(session.records)
        self.cases: CasesService = bridge.wrap(session.cases)
        self.search: SearchService = bridge.wrap(session.search, cancellable=True)
        self.annotations: AnnotationsService = bridge.wrap(session.annotations)
        self.alerts: AlertService = bridge.wrap(session.alerts)
        self.settings: SettingsService = bridge.wrap(session.settings)
        self.cache: CacheService = bridge.wrap(session.cache)
        self.presence = ScreenPresence(bridge, session)

    @property
    def status(self) -> ConnectionStatus:
        """The connection as it is now."""
        return self._session.status

    async def check_password(self, password: str) -> bool:
        """See Session.check_password."""
        return await self._bridge.finish(self._session.check_password(password))


async def on_screen(bridge: Bridge, session: "Session") -> ScreenSession:
    """Wraps a session; `me` is read once, here."""
    return ScreenSession(bridge, session, await bridge.call(session.me()))
