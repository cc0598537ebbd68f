"""Updates of the running client: the service on the core's thread, when a swap may be (never in the middle of something), the trial's end."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from desktop.app.options import Options
from desktop.app.updating_start import find_installed, hand_over, install_folder
from desktop.core.clock import Clock, local_minutes
from desktop.core.errors import AppError
from desktop.core.services.updating import Doing, Installed, UpdateService, UpdateStatus
from desktop.core.services.updating_swap import confirm
from desktop.ui.tasks import TaskOwner
from desktop.ui.updates import When

if TYPE_CHECKING:
    from desktop.app.bridge import Bridge
    from desktop.core.services.session import Session

log = logging.getLogger("tongban.updates")

TONIGHT: Final = (20 * 60, 6 * 60)  # minutes of the day: from eight in the evening to six in the morning
LOOK_MS: Final = 60_000
Busy = Callable[[], Sequence[str]]
"""What must not be interrupted just now: transfers, capture, voice, accounts."""


class Updating(QObject):
    """One per program. `changed` carries an UpdateStatus on the UI thread; `end_asked`: the program is to end and come back new.

    Args:
        device: anything that stays the same on this device; it decides about the turn in a staged roll-out.
        version: asked in a bundle alone: reading it takes time.
        channel: of the machine's policy.
    """

    changed = Signal(object)
    blocked = Signal(object)  # the user wanted it now; what stands in the way, as Busy names it
    end_asked = Signal()
    _told = Signal(object)

    def __init__(
        self,
        options: Options,
        bridge: "Bridge",
        clock: Clock,
        *,
        version: Callable[[], str],
        device: str,
        channel: str | None,
        busy: Busy,
        installed: Installed | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._options, self._bridge, self._clock, self._busy = options, bridge, clock, busy
        self.installed = installed or (find_installed(version(), device, channel) if install_folder() else None)
        self.status = UpdateStatus(Doing.OFF, off="sources")
        self.when: When = "quit"
        self._service: UpdateService | None = None
        self._restart = self._hidden = self._stands_back = False
        self._tasks = TaskOwner(self)
        self._told.connect(self._on_told, Qt.ConnectionType.QueuedConnection)  # it comes from the core's thread
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._on_minute)

    # ------------------------------------------------------------ life
    def on_first_window(self) -> None:
        """A window of this version was shown: it works."""
        if self.installed is None:
            return
        try:
            if confirm(self.installed.place, self.installed.current):
                log.info("version %s confirmed", self.installed.current)
        except AppError:
            log.warning("the new version could not be confirmed", exc_info=True)

    def on_session(self, session: "Session") -> None:
        """Signed in: from now on there is a server to ask."""
        source = session.update_source
        if self.installed is None or source is None:
            return
        self._service = UpdateService(
            self.installed,
            source,
            self._clock,
            changed=self._told.emit,
            down_limit=lambda: session.files.rules().down_limit,
        )
        self._on_told(self._service.status)
        self._tasks.start(self._bridge.call(self._service.run()), name="updates", exclusive=True)

    def on_session_end(self) -> None:
        """Signed out."""
        self._tasks.cancel("updates")
        self._service = None

    def stand_back(self) -> None:
        """Somebody else replaces the program's files: nothing is put in place at this end."""
        self._stands_back = True

    def finish(self) -> bool:
        """The program ends now: what is ready is put in place behind it. Whether there was something."""
        if self.installed is None or self.status.doing is not Doing.READY or self._stands_back or self._busy():
            return False
        return hand_over(self.installed.place, self._options, restart=self._restart, hidden=self._hidden)

    # ------------------------------------------------------------ verbs of the screen
    def check(self) -> None:
        """Check now."""
        service = self._service
        if service is None:
            return

        async def ask() -> None:
            service.ask()

        self._tasks.start(self._bridge.call(ask()), name="ask")

    def choose(self, when: When) -> None:
        """When the version that is ready takes its place."""
        self.when = when
        if when == "now":
            self._go(hidden=False)
        self._watch()

    def read(self) -> None:
        """The user has read how the last update went."""
        service = self._service
        if service is None:
            return

        async def read() -> None:
            service.read_outcome()

        self._tasks.start(self._bridge.call(read()), name="read")

    # ------------------------------------------------------------ when
    def _go(self, *, hidden: bool) -> bool:
        if self.status.doing is not Doing.READY:
            return False
        standing = list(self._busy())
        if standing:
            self.blocked.emit(standing)
            return False
        self._restart, self._hidden = True, hidden
        self.end_asked.emit()
        return True

    def _on_minute(self) -> None:
        if self.when == "now":  # it was not possible at once
            self._go(hidden=False)
        elif self.when == "tonight" and is_night(self._clock.now_ms()) and not self._busy():
            self._go(hidden=True)

    def _on_told(self, status: UpdateStatus) -> None:
        self.status = status
        self._watch()
        self.changed.emit(status)

    def _watch(self) -> None:
        wanted = self.status.doing is Doing.READY and self.when != "quit"
        if wanted and not self._timer.isActive():
            self._timer.start()
        elif not wanted:
            self._timer.stop()


def is_night(now_ms: int) -> bool:
    """Whether the office sleeps, by this machine's local time."""
    minutes = (now_ms // 60_000 + local_minutes(now_ms)) % 1440
    return minutes >= TONIGHT[0] or minutes < TONIGHT[1]
