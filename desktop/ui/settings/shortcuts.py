"""The section about keys: those that work in every program, recorded here, and the list of those inside this one."""

from typing import Final

from PySide6.QtWidgets import QWidget

from desktop.platform.hotkeys.port import Outcome
from desktop.platform.preferences import HOTKEYS, Preferences
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Label, on_click, row
from desktop.ui.settings.controls import SettingGroup, SettingRow
from desktop.ui.settings.key_recorder import KeyRecorder, shown_keys
from desktop.ui.settings.rows import Rows
from desktop.ui.settings.sources import SettingsSources
from desktop.ui.tasks import alive

FIXED: Final = (
    ("search", "Ctrl+K"),
    ("page", "Alt+1"),
    ("next", "Ctrl+PgDown"),
    ("previous", "Ctrl+PgUp"),
    ("close", "Ctrl+W"),
)


class HotkeyRow(SettingRow):
    """One action: its keys, and what became of them."""

    def __init__(self, action: str, preferences: Preferences, sources: SettingsSources) -> None:
        self.recorder = KeyRecorder(action, f"settings.hotkey.{action}")
        super().__init__(f"settings.hotkey.{action}", self.recorder)
        self._action, self._preferences, self._sources = action, preferences, sources
        self._problem = ""
        self.hint.setWordWrap(True)
        self.recorder.recorded.connect(self._on_recorded)
        self.recorder.refused.connect(self._on_refused)

    def show_state(self) -> None:
        """The keys as kept, and a clear word where they do not work."""
        keys = self._preferences.now.hotkeys.get(self._action, "")
        self.recorder.set_keys(keys)
        outcome = self._sources.hotkey_outcomes().get(self._action)
        word = ""
        if self._problem:
            word = tr(self._problem)
        elif keys and outcome is not None and outcome is not Outcome.LISTENING:
            word = tr(f"settings.keys.{outcome.value}", keys=shown_keys(keys))
        self.set_hint(word)
        self.hint.set_tone("red_text" if word else "ink3")

    def _on_recorded(self, keys: str) -> None:
        others = [name for name, one in self._preferences.now.hotkeys.items() if one == keys and name != self._action]
        self._problem = "settings.keys.used_here" if keys and others else ""
        if not self._problem:
            self._preferences.set(hotkeys=self._preferences.now.hotkeys | {self._action: keys})
        self.show_state()

    def _on_refused(self, key: str) -> None:
        self._problem = key
        self.show_state()


def shortcut_groups(rows: Rows, sources: SettingsSources) -> list[SettingGroup]:
    """Global keys first, then what works inside."""
    preferences = rows.preferences
    hotkeys = [HotkeyRow(action, preferences, sources) for action in HOTKEYS]

    def show() -> None:
        for one in hotkeys:
            if alive(one):
                one.show_state()

    rows.syncs.append(show)
    if sources.hotkeys_changed is not None:
        sources.hotkeys_changed.connect(show)
    usual = Button(key="settings.hotkeys_reset.button", small=True)
    usual.setObjectName("hotkeysReset")
    on_click(usual, lambda: preferences.set(hotkeys=dict(HOTKEYS)))
    reset = SettingRow("settings.hotkeys_reset", usual, hint=True)
    fixed = [_fixed(name, keys) for name, keys in FIXED]
    return [
        SettingGroup("settings.group.hotkeys", [*hotkeys, reset]),
        SettingGroup("settings.group.keys_inside", fixed),
    ]


def _fixed(name: str, keys: str) -> SettingRow:
    said = QWidget()
    said.setLayout(row(Label(shown_keys(keys), role="secondary", tone="ink2")))
    return SettingRow(f"settings.key.{name}", said)
