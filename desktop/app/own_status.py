"""What this user says of being there or away: the text beside the presence, kept over restarts, and the absence reply."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.app.ui_session import ScreenSession
from desktop.core.errors import Rejected
from desktop.ui.i18n import tr
from desktop.ui.shell.main_window import MainWindow
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tasks import TaskOwner, alive

MAX_TEXT = 60
KEPT = "presence.text"


class OwnStatus(QObject):
    """One for the session; its dialogs stand over the main window."""

    def __init__(self, session: ScreenSession, window: MainWindow, state: UiState, now_ms: Callable[[], int]) -> None:
        super().__init__(window)
        self._session, self._window, self._state, self._now_ms = session, window, state, now_ms
        self.tasks = TaskOwner(self)
        window.rail.status_text_asked.connect(self.ask_text)
        window.rail.absence_asked.connect(self.ask_absence)

    @property
    def text(self) -> str:
        """What is said beside the presence."""
        kept = self._state.get(KEPT, "")
        return kept if isinstance(kept, str) else ""

    def start(self) -> None:
        """Says again what was said before the program ended."""
        if self.text:
            self.tasks.start(self._session.presence.set_text(self.text), name="status-text")

    def ask_text(self) -> None:
        """Asks for the text beside the presence."""
        self.tasks.start(self._ask_text(), name="ask-status-text", exclusive=True)

    async def _ask_text(self) -> None:
        from desktop.ui.chat.ask_text import ask_text

        said = await ask_text(
            self._window,
            "presence_text.title",
            text=self.text,
            hint=tr("presence_text.hint"),
            limit=MAX_TEXT,
            lines=1,
            empty=True,
        )
        if said is not None:
            said = " ".join(said.split())
            await self._session.presence.set_text(said)
            self._state.set(KEPT, said)

    def ask_absence(self) -> None:
        """Asks for the absence reply."""
        self.tasks.start(self._ask_absence(), name="ask-absence", exclusive=True)

    async def _ask_absence(self) -> None:
        from desktop.ui.chat.absence_dialog import AbsenceDialog
        from desktop.ui.kit import finished

        held = await self._session.presence.fetch_absence()
        dialog = AbsenceDialog(self._window, held, self._now_ms())
        dialog.open()
        try:
            if not await finished(dialog):
                return
            reply = dialog.reply
        finally:
            dialog.deleteLater()
        try:
            await self._session.presence.do_set_absence(reply)
        except Rejected:
            self._window.snack.say(tr("presence_text.absence.refused"))
            return
        if alive(self._window):
            self._window.snack.say(tr("presence_text.absence.saved" if reply.enabled else "presence_text.absence.off"))
