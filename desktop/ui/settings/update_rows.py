"""The card about updates: what goes on, what is new, and when the new version takes its place."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtWidgets import QProgressBar, QWidget

from desktop.core.services.updating import Doing, UpdateStatus
from desktop.ui import i18n
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, on_click, row
from desktop.ui.settings.controls import SettingGroup, SettingRow
from desktop.ui.updates import UpdateVerbs, When, notes_of, state_text

CHOICES: Final[tuple[When, ...]] = ("now", "tonight", "quit")


class UpdateGroup(SettingGroup):
    """The card on the settings' page. It follows the service while it lives."""

    def __init__(self, verbs: UpdateVerbs) -> None:
        self._verbs = verbs
        self._check = Button(key="updates.check", small=True)
        self._check.setObjectName("updateCheck")
        self.state = SettingRow("updates.state", self._check)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        i18n.bind(self.bar.setAccessibleName, "updates.progress")
        self.progress = SettingRow("updates.progress", self.bar)
        self.news = SettingRow("updates.notes", None)
        self.buttons = {choice: Button(key=f"updates.when.{choice}", small=True) for choice in CHOICES}
        box = QWidget()
        box.setLayout(row(*self.buttons.values(), spacing=8))
        self.when = SettingRow("updates.when", box)
        self._understood = Button(key="updates.understood", small=True)
        self.outcome = SettingRow("updates.outcome", self._understood)
        super().__init__("updates.group", [self.state, self.progress, self.news, self.when, self.outcome])
        on_click(self._check, verbs.check)
        on_click(self._understood, verbs.read)
        for choice, button in self.buttons.items():
            button.setObjectName(f"update:{choice}")
            on_click(button, partial(self._choose, choice))
        verbs.changed.connect(self.show_status)
        i18n.changed.connect(self._again)
        self._again()

    def _choose(self, choice: When) -> None:
        self._verbs.choose(choice)
        self._again()

    def _again(self) -> None:
        self.show_status(self._verbs.status)

    def show_status(self, status: UpdateStatus) -> None:
        """Shows a state."""
        self.state.set_hint(state_text(status))
        self._check.setEnabled(status.doing in (Doing.IDLE, Doing.READY))
        self._check.setVisible(status.doing is not Doing.OFF)
        fetching = status.doing is Doing.FETCHING and status.size > 0
        if fetching:
            self.bar.setValue(min(1000, status.done * 1000 // status.size))
            self.progress.set_hint(f"{when.size(status.done)} / {when.size(status.size)}")
        text = notes_of(status)
        self.news.set_hint(text)
        ready = status.doing is Doing.READY
        if ready:
            hint = "updates.when.required" if status.required else f"updates.when.{self._verbs.when}.hint"
            self.when.set_hint(tr(hint))
        if status.outcome:
            said = tr(f"updates.outcome.{status.outcome}", version=status.outcome_version, current=status.current)
            self.outcome.set_hint(said)
        self._wanted = (True, fetching, bool(text), ready, bool(status.outcome))
        self._show_wanted()

    def filter(self, wanted: str) -> bool:
        """As every card, but rows that have nothing to say stay hidden."""
        found = super().filter(wanted)
        self._show_wanted(found=[not part.isHidden() for part in self.rows])
        return found

    def _show_wanted(self, found: Sequence[bool] | None = None) -> None:
        hits = found or [True] * len(self.rows)
        for part, hit, has_words in zip(self.rows, hits, self._wanted, strict=True):
            part.setVisible(hit and has_words)
        for line, part in zip(self._lines, self.rows[1:], strict=True):
            line.setVisible(not part.isHidden())
