"""What this device's user prefers (language, theme, notifications …), kept in one small JSON file, known before sign-in.

A damaged file is set aside and the defaults are used; a newer program's unknown fields are kept when writing back.
"""

import json
import logging
import os
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

log = logging.getLogger("tongban.preferences")


HOTKEYS = {"toggle": "Ctrl+Alt+W", "newest": "Ctrl+Alt+Z", "screenshot": "Ctrl+Alt+A"}
"""Actions and their keys in Qt's portable form, as they are at first."""


class Choices(msgspec.Struct, frozen=True):
    """All preferences with their defaults. Times in ms since 1970; sizes in bytes."""

    language: str = ""  # zh, en; empty: as the system
    theme: str = "system"  # light, dark, system
    text_percent: int = 100  # 100 to 200
    reduce_motion: bool = False  # nothing slides, shakes or fades; else as the system says
    enter_sends: bool = True  # else Ctrl+Enter sends
    toasts: bool = True
    notice_toasts: bool = True
    style: str = "own"  # own pop-ups, or system
    show_content: bool = True
    flash: bool = True
    close_hides: bool = True
    dnd_until: int = 0  # do not disturb until then; DND_FOREVER: until switched off
    quiet_from: str = "12:00"
    quiet_to: str = "14:00"
    quiet_daily: bool = False
    sound: bool = True
    hold_fullscreen: bool = True  # a program in full screen lets urgent pop-ups through alone
    follow_quiet: bool = True  # the system's own do-not-disturb holds ours too
    hover: bool = True
    rules: dict[str, str] = {}  # "conversation:<id>" or "module:<id>" to a rule of models.alert_rules
    away_minutes: int = 10  # without a hand on mouse or keys; 0: never
    hotkeys: dict[str, str] = msgspec.field(default_factory=lambda: dict(HOTKEYS))  # action: keys; empty: none
    cache_limit: int = 5 * 1024**3
    download_folder: str = ""  # empty: the system's
    said_no_tray: bool = False
    proxy: str = "system"  # none, http, socks5; its password is in the keychain
    proxy_host: str = ""
    proxy_port: int = 0
    proxy_login: str = ""
    last_server: str = ""
    account_label: str = ""  # of a further account (app/beside.py): what the first one's menu calls it
    beside_open: bool = False  # of a further account: comes back with the first one
    told_hotkeys: str = ""  # the keys of which it was told at start that another program holds them


DND_FOREVER = 1 << 60


def load_choices(path: Path) -> Choices | None:
    """The choices of another data folder, read and left alone; None: there are none, or they are damaged."""
    try:
        return msgspec.convert(json.loads(path.read_bytes()), Choices)
    except (OSError, ValueError, msgspec.ValidationError):
        return None


class Preferences(QObject):
    """The choices, and a signal for each change. Belongs to the UI thread."""

    changed = Signal(str)  # the field's name

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._raw: dict[str, Any] = {}
        self.now = self._load()

    def set(self, **fields: Any) -> None:
        """Changes fields, writes the file, tells who listens.

        Raises:
            msgspec.ValidationError: a value of the wrong type; nothing is changed.
        """
        before = msgspec.to_builtins(self.now)
        after = msgspec.convert(before | fields, Choices)
        if after == self.now:
            return
        names = [name for name, value in msgspec.to_builtins(after).items() if before[name] != value]
        self.now = after
        self._save()
        for name in names:
            self.changed.emit(name)

    def _load(self) -> Choices:
        try:
            raw = json.loads(self._path.read_bytes())
            choices = msgspec.convert(raw, Choices)
        except FileNotFoundError:
            return Choices()
        except (OSError, ValueError, msgspec.ValidationError) as error:
            log.warning("preferences not readable, defaults used: %s", type(error).__name__)
            self._set_aside()
            return Choices()
        self._raw = raw
        return choices

    def _set_aside(self) -> None:
        try:
            os.replace(self._path, self._path.with_suffix(".damaged"))
        except OSError:
            log.warning("the damaged preferences could not be set aside")

    def _save(self) -> None:
        self._raw |= msgspec.to_builtins(self.now)
        temporary = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._raw, ensure_ascii=False, indent=1), encoding="utf-8")
            os.replace(temporary, self._path)
        except OSError as error:
            log.warning("preferences not written: %s", error.strerror)
