"""The signed-in user's state that many parts of the screen show: connection, own presence, unread total, do-not-disturb."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.domain import ConnectionState, ConnectionStatus, Conversation, Person, Presence
from desktop.core.events import Event, PresenceChanged, SignedOut, StatusChanged
from desktop.models.conversations import unread_of

MINUTE_MS = 60_000


class SessionState(QObject):
    """Follows the session's events; widgets connect to the signals. `now_ms` is the wall clock."""

    status_changed = Signal()
    presence_changed = Signal()
    unread_changed = Signal()
    quiet_changed = Signal()
    ended = Signal(str)  # an error code: the session was ended from outside

    def __init__(
        self, me: Person, status: ConnectionStatus, *, now_ms: Callable[[], int], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.me = me
        self.status = status
        self.chosen = Presence.ONLINE
        self.unread = 0
        self.unread_conversations = 0
        self._now_ms = now_ms
        self._quiet_until = 0
        self._quiet_daily: tuple[str, str] | None = None
        self._was_quiet = False
        self._absent = False
        self._timer = QTimer(self)
        self._timer.setInterval(MINUTE_MS // 4)
        self._timer.timeout.connect(self._check_quiet)

    @property
    def presence(self) -> Presence:
        """What the tray shows: offline without a connection, else as colleagues see it."""
        return self.told if self.status.state is ConnectionState.LIVE else Presence.OFFLINE

    @property
    def told(self) -> Presence:
        """What colleagues are told: do-not-disturb while it lasts, away while nobody is here, else what the user chose."""
        if self.quiet:
            return Presence.DND
        return Presence.AWAY if self._absent and self.chosen is Presence.ONLINE else self.chosen

    @property
    def quiet(self) -> bool:
        """Whether pop-ups are held now: chosen as status, for a while, or by the daily hours."""
        if self.chosen is Presence.DND or self._quiet_until > self._now_ms():
            return True
        return self._quiet_daily is not None and _within(self._now_ms(), *self._quiet_daily)

    def choose(self, presence: Presence) -> None:
        """The user picked a status."""
        self.chosen = presence
        self.presence_changed.emit()
        self._check_quiet()

    def set_absent(self, absent: bool) -> bool:
        """The user left the desk, or came back. True when colleagues see another presence by that."""
        before, self._absent = self.told, absent
        if self.told is before:
            return False
        self.presence_changed.emit()
        return True

    def set_quiet(self, until_ms: int, daily: tuple[str, str] | None) -> None:
        """Do not disturb until a moment, and daily between two HH:MM of local time."""
        self._quiet_until, self._quiet_daily = until_ms, daily
        if until_ms > self._now_ms() or daily:
            self._timer.start()
        self._check_quiet()

    def count_unread(self, conversations: Iterable[Conversation]) -> None:
        """Takes the total over all conversations that are not muted."""
        unread = [count for c in conversations if not c.muted and (count := unread_of(c))]
        if (sum(unread), len(unread)) != (self.unread, self.unread_conversations):
            self.unread, self.unread_conversations = sum(unread), len(unread)
            self.unread_changed.emit()

    def on_event(self, event: Event) -> None:
        """Follows the session's events."""
        match event:
            case StatusChanged(status=status):
                was = self.presence
                self.status = status
                self.status_changed.emit()
                if self.presence is not was:
                    self.presence_changed.emit()
            case PresenceChanged(presence=presence):
                mine = presence.get(self.me.id)
                known = (None, Presence.OFFLINE, self.chosen, self.told)
                if mine is not None and mine not in known and not self.quiet:
                    self.chosen = mine  # another device of mine chose
                    self.presence_changed.emit()
            case SignedOut(reason=reason):
                self.ended.emit(reason)
            case _:
                pass

    def _check_quiet(self) -> None:
        quiet = self.quiet
        if self._quiet_until <= self._now_ms() and self._quiet_daily is None:
            self._timer.stop()
        if quiet is not self._was_quiet:
            self._was_quiet = quiet
            self.quiet_changed.emit()
            self.presence_changed.emit()


def _within(now_ms: int, start: str, end: str) -> bool:
    """Whether local time stands between two HH:MM; a span over midnight counts too."""
    from PySide6.QtCore import QDateTime

    now = QDateTime.fromMSecsSinceEpoch(now_ms).time().toString("HH:mm")
    return start <= now < end if start <= end else now >= start or now < end
