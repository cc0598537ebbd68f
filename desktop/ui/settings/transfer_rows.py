"""The card about transfers: where files go, how fast, which come by themselves, and whether they may go from device to device."""

from typing import Any, Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from desktop.core.domain import TransferRules
from desktop.platform.folders import choose_downloads_dir, downloads_dir
from desktop.platform.preferences import Preferences
from desktop.ui import i18n
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, on_click
from desktop.ui.settings.controls import Choice, SettingGroup, SettingRow, Switch
from desktop.ui.settings.rows import Rows
from desktop.ui.settings.sources import TransferRuleVerbs
from desktop.ui.tasks import TaskOwner, alive

MIB: Final = 1024 * 1024
SPEEDS: Final = (0, 100 * 1024, 500 * 1024, MIB, 2 * MIB, 5 * MIB, 10 * MIB)
SIZES: Final = (MIB, 5 * MIB, 20 * MIB, 100 * MIB, 1024 * MIB)
KINDS: Final = ("picture", "file", "voice", "video")


class TransferGroup(SettingGroup):
    """The card. What is chosen counts at once, for what runs too."""

    def __init__(self, rows: Rows, verbs: TransferRuleVerbs) -> None:
        self._preferences: Preferences = rows.preferences
        self._verbs = verbs
        self._limit: int | None = None
        self._change = Button(key="transfers.set.folder.change", small=True)
        self._folder = SettingRow("transfers.set.folder", self._change)
        self._up = self._speed("up", "up_limit")
        self._down = self._speed("down", "down_limit")
        self._up_to = Choice("transfers.set.up_to", [(str(size), f"transfers.set.size.{size}") for size in SIZES])
        self._up_to.on_chosen(lambda value: self._put(receive_up_to=int(value)))
        self._kinds = {kind: Switch(f"transfers.set.receive.{kind}") for kind in KINDS}
        for kind, switch in self._kinds.items():
            switch.clicked.connect(lambda on=False, kind=kind: self._receive(kind, on))
        self._direct = Switch("transfers.set.direct")
        self._direct.clicked.connect(lambda on=False: self._put(direct=on))
        self._direct_row = SettingRow("transfers.set.direct", self._direct)
        super().__init__(
            "transfers.set.group",
            [
                self._folder,
                SettingRow("transfers.set.up", self._up),
                SettingRow("transfers.set.down", self._down),
                *(
                    SettingRow(f"transfers.set.receive.{kind}", self._kinds[kind], hint=kind == "file")
                    for kind in KINDS
                ),
                SettingRow("transfers.set.up_to", self._up_to),
                self._direct_row,
            ],
        )
        self.tasks = TaskOwner(self)
        on_click(self._change, self._pick)
        rows.syncs.append(self.show_kept)
        i18n.changed.connect(self.show_kept)

    def _speed(self, key: str, field: str) -> Choice:
        choice = Choice(f"transfers.set.{key}", [(str(speed), f"transfers.set.speed.{speed}") for speed in SPEEDS])
        choice.on_chosen(lambda value: self._put(**{field: int(value)}))
        return choice

    async def load(self) -> None:
        """Asks what the policy allows."""
        limit = await self._verbs.direct_limit()
        if alive(self):
            self._limit = limit
            self.show_kept()

    def show_kept(self) -> None:
        """What is kept now."""
        rules = self._verbs.rules()
        self._folder.set_hint(str(downloads_dir()))
        self._up.choose(str(_nearest(SPEEDS, rules.up_limit)))
        self._down.choose(str(_nearest(SPEEDS, rules.down_limit)))
        self._up_to.choose(str(_nearest(SIZES, rules.receive_up_to)))
        for kind, switch in self._kinds.items():
            switch.setChecked(kind in rules.receive)
        allowed = bool(self._limit)
        self._direct.setEnabled(allowed)
        self._direct.setChecked(allowed and rules.direct)
        told = "" if self._limit is None else tr("transfers.set.direct.off")
        self._direct_row.set_hint(tr("transfers.set.direct.on", size=when.size(self._limit or 0)) if allowed else told)

    def _put(self, **changes: Any) -> None:
        self._keep(msgspec.structs.replace(self._verbs.rules(), **changes))

    def _receive(self, kind: str, on: bool) -> None:
        now = self._verbs.rules().receive
        self._put(receive=tuple(one for one in KINDS if (on if one == kind else one in now)))

    def _keep(self, rules: TransferRules) -> None:
        self.tasks.start(self._verbs.set_rules(rules), name="transfer-rules")

    def _pick(self) -> None:
        dialog = QFileDialog(self.window(), tr("transfers.set.folder.pick"), str(downloads_dir()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.use_folder)
        dialog.open()

    def use_folder(self, folder: str) -> None:
        """Files go there from now on."""
        choose_downloads_dir(folder)
        self._preferences.set(download_folder=folder)


def _nearest(known: tuple[int, ...], value: int) -> int:
    return min(known, key=lambda one: abs(one - value))
