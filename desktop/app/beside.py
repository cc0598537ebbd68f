"""More accounts at the same time: each in a process of its own, in a data folder of its own under this one's `beside/` (ADR 0014).

This process only starts them and reads what they are called; from there on each has its window, tray icon, lock and settings.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment

from desktop.platform.autostart import HIDDEN, start_command
from desktop.platform.folder_lock import FolderLock
from desktop.platform.preferences import Choices, Preferences, load_choices

log = logging.getLogger("tongban.beside")

FOLDER: Final = "beside"
MOST: Final = 4
PREFERENCES: Final = "preferences.json"
NOT_INHERITED: Final = ("TONGBAN_TEST_CONTROL",)  # one socket has one owner
OWN: Final = (
    "rules",
    "last_server",
    "beside_open",
    "account_label",
    "said_no_tray",
)  # not taken over from the first account

Start = Callable[[Sequence[str]], bool]
"""Starts a program and lets it go its way. False: it could not be started."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A further account: its data folder, what it is called (empty: nobody has signed in there yet), whether its user left it open."""

    folder: Path
    label: str
    was_open: bool

    @property
    def id(self) -> str:
        """Its name in menus and signals."""
        return self.folder.name


def is_beside(data_dir: Path) -> bool:
    """Whether this folder is one of those: from there no further ones are started."""
    return data_dir.parent.name == FOLDER


def beside_folders(data_dir: Path) -> list[Path]:
    """The data folders of further accounts, in order."""
    root = data_dir / FOLDER
    return sorted((one for one in root.iterdir() if one.is_dir()), key=lambda one: one.name) if root.is_dir() else []


def start_detached(command: Sequence[str]) -> bool:
    """As a process of its own, which outlives this one."""
    process = QProcess()
    process.setProgram(command[0])
    process.setArguments(list(command[1:]))
    environment = QProcessEnvironment.systemEnvironment()
    for name in NOT_INHERITED:
        environment.remove(name)
    process.setProcessEnvironment(environment)
    started = process.startDetached()
    return bool(started[0] if isinstance(started, tuple) else started)


def is_running(data_dir: Path) -> bool:
    """Whether a client has this folder now."""
    lock = FolderLock(data_dir)
    try:
        return not lock.acquire()
    except OSError:
        return False
    finally:
        lock.release()


class BesideAccounts(QObject):
    """Knows them and starts them. `more`: what of our own command line they get too (server, certificate)."""

    def __init__(
        self,
        data_dir: Path,
        preferences: Preferences,
        more: Sequence[str] = (),
        *,
        start: Start = start_detached,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._data_dir, self._preferences, self._more, self._start = data_dir, preferences, tuple(more), start

    def known(self) -> list[Beside]:
        """Those there are."""
        if is_beside(self._data_dir):
            return []
        found = []
        for folder in beside_folders(self._data_dir):
            choices = load_choices(folder / PREFERENCES) or Choices()
            found.append(Beside(folder, choices.account_label, choices.beside_open))
        return found

    @property
    def may_add(self) -> bool:
        """Whether one more may be signed in."""
        known = self.known()
        return not is_beside(self._data_dir) and (len(known) < MOST or any(not one.label for one in known))

    def open(self, beside_id: str) -> bool:
        """Opens one of them, or (empty) a new one's login window; one that runs comes forward. False: it could not be started."""
        known = self.known()
        found = next((one for one in known if one.id == beside_id), None)
        if found is None and not beside_id:
            found = next((one for one in known if not one.label), None) or (self._make() if self.may_add else None)
        return found is not None and self._run(found.folder)

    def open_again(self) -> int:
        """Those that their users left open come back, in the tray. How many."""
        wanted = [one for one in self.known() if one.was_open and not is_running(one.folder)]
        return sum(self._run(one.folder, HIDDEN) for one in wanted)

    def _run(self, folder: Path, *more: str) -> bool:
        command = [word for word in start_command(folder) if word != HIDDEN]
        if self._start([*command, *self._more, *more]):
            return True
        log.error("a further account could not be started")
        return False

    def _make(self) -> Beside:
        """A new folder, with this account's looks; its global keys are taken, so it begins without any."""
        taken = {one.id for one in self.known()}
        name = next(str(number) for number in range(2, MOST + 2) if str(number) not in taken)
        folder = self._data_dir / FOLDER / name
        folder.mkdir(parents=True, mode=0o700)
        usual = {key: value for key, value in msgspec.to_builtins(Choices()).items() if key in OWN}
        choices = msgspec.to_builtins(self._preferences.now) | usual
        choices["hotkeys"] = dict.fromkeys(self._preferences.now.hotkeys, "")
        temporary = folder / "preferences.new"
        temporary.write_bytes(msgspec.json.encode(choices))
        os.replace(temporary, folder / PREFERENCES)
        return Beside(folder, "", False)
