"""Short sounds for what arrives, played by the system: Qt's multimedia would cost more memory than the rest of the tray."""

import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QProcess

log = logging.getLogger("tongban.sounds")

NAMES: Final = ("message", "alert", "urgent")
LINUX_PLAYERS: Final = (("pw-play",), ("paplay",), ("aplay", "-q"), ("canberra-gtk-play", "-f"))
QUIET_MS: Final = 1500  # a burst of messages sounds once


def find_player() -> tuple[str, ...]:
    """The system's command that plays a file; empty without one."""
    if sys.platform == "darwin":
        return ("/usr/bin/afplay",)
    return next((player for player in LINUX_PLAYERS if shutil.which(player[0])), ())


class Sounds:
    """Plays by name, at most one at a time and not again within QUIET_MS."""

    def __init__(
        self,
        *,
        now_ms: Callable[[], int],
        player: Sequence[str] | None = None,
        run: Callable[[str, list[str]], object] | None = None,
    ) -> None:
        self._now_ms = now_ms
        self._player = player
        self._run = run or QProcess.startDetached
        self._last = 0

    def play(self, name: str) -> bool:
        """Plays one of NAMES. False: not now, or this system has no way."""
        now = self._now_ms()
        path = sound_file(name)
        if 0 <= now - self._last < QUIET_MS or not path.exists():
            return False
        self._last = now
        if sys.platform == "win32":
            import winsound

            winsound.PlaySound(str(path), winsound.SND_FILENAME | winsound.SND_ASYNC | winsound.SND_NODEFAULT)
            return True
        if self._player is None:
            self._player = find_player()
        if not self._player:
            return False
        program, *arguments = self._player
        return bool(self._run(program, [*arguments, str(path)]))


def sound_file(name: str) -> Path:
    """Where a sound lies: in resources of a checkout, in tongban_resources of an installed wheel."""
    root = Path(__file__).resolve().parents[2]
    folders = (root / "resources" / "sounds", root / "tongban_resources" / "sounds")
    return next((folder for folder in folders if folder.is_dir()), folders[0]) / f"{name}.wav"
