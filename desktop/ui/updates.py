"""The words about updates (state, notes, why not now), shared by the settings' card, the tray and the window; and what the card may ask."""

from typing import Literal, Protocol

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QApplication

from desktop.core.services.updating import Doing, UpdateStatus
from desktop.ui import i18n
from desktop.ui.i18n import tr, when

When = Literal["now", "tonight", "quit"]
PROBLEMS = frozenset(
    {"offline", "disk", "busy", "expired", "rolledBack", "signature", "metadata", "damaged", "unsafe", "selfTest"}
)


class UpdateVerbs(Protocol):
    """What a screen may ask of the updates; `changed` carries an UpdateStatus."""

    status: UpdateStatus
    when: When

    @property
    def changed(self) -> SignalInstance: ...
    def check(self) -> None: ...
    def choose(self, when: When) -> None: ...
    def read(self) -> None: ...


def state_text(status: UpdateStatus) -> str:
    """One sentence about what goes on: what happened, what it means, what to do."""
    if status.doing is Doing.OFF:
        return tr(f"updates.off.{status.off}")
    if status.doing is Doing.READY:
        return tr("updates.ready", version=status.version)
    if status.doing in (Doing.FETCHING, Doing.TESTING):
        return tr(f"updates.{status.doing}", version=status.version)
    if status.doing is Doing.CHECKING:
        return tr("updates.checking")
    if status.problem:
        return tr(f"updates.problem.{status.problem if status.problem in PROBLEMS else 'other'}")
    if not status.checked_at:
        return tr("updates.idle")
    return tr("updates.current", at=when.date_time(status.checked_at))


def notes_of(status: UpdateStatus) -> str:
    """What is new, in the language of the screen; another one is better than nothing."""
    notes = dict(status.notes)
    return notes.get(i18n.language()) or next(iter(notes.values()), "")


def update_note(status: UpdateStatus) -> str:
    """The tray's line."""
    if status.outcome == "rolledBack":
        return tr("updates.outcome.rolledBack", version=status.outcome_version, current=status.current)
    return tr("updates.ready", version=status.version) if status.doing is Doing.READY else ""


def blocked_text(standing: list[str]) -> str:
    """Why it is not done at once."""
    return tr("updates.blocked", what=tr("updates.and").join(tr(f"updates.busy.{one}") for one in standing))


def voice_is_unsent() -> bool:
    """Whether some window holds a voice message that was neither sent nor given up."""
    from desktop.ui.voice.recorder import RecorderBar

    windows = QApplication.topLevelWidgets()
    return any(bar.recording for window in windows for bar in window.findChildren(RecorderBar))
