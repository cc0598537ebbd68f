"""Tells at start, once for each set of keys, which global keys another program holds; the way to other ones stands beside it."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QKeySequence

from desktop.app.surroundings import Surroundings
from desktop.platform.hotkeys.port import Outcome
from desktop.platform.preferences import Preferences
from desktop.ui import i18n
from desktop.ui.i18n import tr
from desktop.ui.kit import Banner, on_click


class KeyNews(QObject):
    """Keeps a strip of the main window as true as the system's answers are."""

    def __init__(
        self,
        banner: Banner,
        surroundings: Surroundings,
        preferences: Preferences,
        change: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._banner, self._surroundings, self._preferences, self._change = banner, surroundings, preferences, change
        on_click(banner.action, self._on_change)
        surroundings.hotkeys_changed.connect(self.look)
        i18n.changed.connect(self._retranslate)

    @property
    def taken(self) -> dict[str, str]:
        """Action → keys that are another program's."""
        keys = self._preferences.now.hotkeys
        outcomes = self._surroundings.outcomes
        return {action: keys.get(action, "") for action, one in sorted(outcomes.items()) if one is Outcome.TAKEN}

    def look(self) -> None:
        """Shows what is new, takes away what is settled."""
        taken = self.taken
        state = ",".join(f"{action}={keys}" for action, keys in taken.items())
        told = self._preferences.now.told_hotkeys
        if state == told:
            return
        if taken:
            self._show(taken)
        else:
            self._banner.hide()
        if not taken or self._banner.isVisible():  # in the tray nobody sees it: then it is told at the next start again
            self._preferences.set(told_hotkeys=state)

    def _show(self, taken: dict[str, str]) -> None:
        shown = [
            tr("shell.keys_taken.one", keys=_words(keys), what=tr(f"settings.hotkey.{action}"))
            for action, keys in taken.items()
        ]
        text = tr("shell.keys_taken", list=tr("shell.keys_taken.and").join(shown))
        self._banner.show_text(text, tone="amber", icon="keyboard", dismissible=True)
        self._banner.action.setText(tr("shell.keys_taken.change"))
        self._banner.action.show()

    def _retranslate(self) -> None:
        if self._banner.isVisible() and self.taken:
            self._show(self.taken)

    def _on_change(self) -> None:
        self._banner.hide()
        self._change()


def _words(keys: str) -> str:
    """Keys as this system writes them."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
