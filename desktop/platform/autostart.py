"""Starting with the system's session, hidden in the tray: a file of XDG autostart, a value of Windows' Run key, a LaunchAgent on macOS."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from desktop.platform.folders import APP_NAME, default_data_dir

RUN_KEY: Final = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED_KEY: Final = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
SWITCHED_OFF: Final = b"\x03" + bytes(11)  # Task Manager writes this, and the moment behind it
AGENT: Final = f"local.{APP_NAME}.client"
HIDDEN: Final = "--hidden"


class AutostartFailed(OSError):
    """The system did not take the entry, or would not let go of it."""


class Autostart(Protocol):
    """One system's way. Both verbs may be called again without harm."""

    def is_on(self) -> bool: ...
    def set_on(self, on: bool) -> None: ...


class SetAutostart:
    """What an administrator's policy decided: it is carried out through the system's own way, and nobody switches it here."""

    def __init__(self, inner: Autostart, on: bool) -> None:
        self._inner, self._on = inner, on

    def is_on(self) -> bool:
        """As the policy says."""
        return self._on

    def set_on(self, on: bool) -> None:
        """Does nothing: the switches that would call it are off duty."""

    def apply(self) -> None:
        """Writes or takes away the entry where it is not as the policy says. Raises AutostartFailed."""
        if self._inner.is_on() != self._on:
            self._inner.set_on(self._on)


def start_command(data_dir: Path) -> list[str]:
    """What starts this very client again, hidden, with its data folder where that is not the usual one."""
    program = Path(sys.argv[0])
    if getattr(sys, "frozen", False):
        command = [sys.executable]
    elif program.name.removesuffix(".exe") == APP_NAME and program.is_absolute():
        command = [str(program)]
    else:
        command = [sys.executable, "-m", "desktop"]
    usual = default_data_dir().expanduser().resolve() == data_dir
    return [*command, *([] if usual else ["--data-dir", str(data_dir)]), HIDDEN]


def make_autostart(data_dir: Path) -> Autostart:
    """The way of this system."""
    command = start_command(data_dir)
    if sys.platform == "win32":
        return WindowsAutostart(command)
    if sys.platform == "darwin":
        return MacAutostart(command, Path.home() / "Library" / "LaunchAgents")
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return XdgAutostart(command, Path(config) / "autostart")


def quoted_exec(command: Sequence[str]) -> str:
    """A command as the key Exec wants it (Desktop Entry Specification, "The Exec key"): quoted, with %, $, ` and \\ told apart."""
    return " ".join(_quoted(word) for word in command)


def _quoted(word: str) -> str:
    word = word.replace("%", "%%")
    if word and all(character.isalnum() or character in "/._-+=:@%" for character in word):
        return word
    for sign in ("\\", '"', "`", "$"):
        word = word.replace(sign, f"\\{sign}")
    return '"' + word.replace("\\", "\\\\") + '"'  # the file's own layer escapes backslashes once more


class XdgAutostart:
    """Desktop Application Autostart Specification."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = list(command)
        self.path = folder / f"{APP_NAME}.desktop"

    def is_on(self) -> bool:
        """Whether the file is there and not switched off in it."""
        try:
            text = self.path.read_text("utf-8")
        except OSError:
            return False
        lines = [line.strip() for line in text.splitlines()]
        return "Hidden=true" not in lines and "X-GNOME-Autostart-enabled=false" not in lines

    def set_on(self, on: bool) -> None:
        """Writes or takes away the file. Raises AutostartFailed."""
        try:
            if not on:
                self.path.unlink(missing_ok=True)
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self._entry(), "utf-8")
        except OSError as error:
            raise AutostartFailed(error.strerror or "") from error

    def _entry(self) -> str:
        lines = ["[Desktop Entry]", "Type=Application", "Name=Tongban", "Name[zh_CN]=通办", f"Icon={APP_NAME}"]
        if "-m" in self._command:  # a checkout: Python finds the package from its folder
            lines.append(f"Path={Path(__file__).resolve().parents[2]}")
        lines += [f"Exec={quoted_exec(self._command)}", "Terminal=false", "X-GNOME-Autostart-enabled=true"]
        return "\n".join(lines) + "\n"


class WindowsAutostart:
    """A value of the Run key: the user's, written by us or by the installer, or the machine's, which an installer for all users writes.

    Task Manager switches entries off beside the key, in StartupApproved; so do we where the entry is not the user's to delete.
    """

    def __init__(self, command: Sequence[str], *, winreg: Any = None) -> None:
        self._command = list(command)
        if winreg is None:
            import winreg as real

            winreg = real
        self._winreg = winreg

    def is_on(self) -> bool:
        """Whether the user or the machine has the value, and nobody switched it off."""
        user, machine = self._winreg.HKEY_CURRENT_USER, self._winreg.HKEY_LOCAL_MACHINE
        return bool(self._value(user, RUN_KEY) or self._value(machine, RUN_KEY)) and not self._switched_off()

    def set_on(self, on: bool) -> None:
        """Writes or deletes the user's value, or switches the machine's off and on for this user. Raises AutostartFailed."""
        machine = bool(self._value(self._winreg.HKEY_LOCAL_MACHINE, RUN_KEY))
        try:
            if on or not machine:
                self._delete(APPROVED_KEY)
            if on and not machine:
                with self._winreg.CreateKey(self._winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
                    line = subprocess.list2cmdline(self._command)
                    self._winreg.SetValueEx(key, APP_NAME, 0, self._winreg.REG_SZ, line)
            elif not on:
                self._delete(RUN_KEY)
                if machine:
                    with self._winreg.CreateKey(self._winreg.HKEY_CURRENT_USER, APPROVED_KEY) as key:
                        self._winreg.SetValueEx(key, APP_NAME, 0, self._winreg.REG_BINARY, SWITCHED_OFF)
        except OSError as error:
            raise AutostartFailed(error.strerror or "") from error

    def _switched_off(self) -> bool:
        mark = self._value(self._winreg.HKEY_CURRENT_USER, APPROVED_KEY)
        return isinstance(mark, bytes) and mark[:1] == SWITCHED_OFF[:1]

    def _value(self, root: Any, path: str) -> object:
        try:
            with self._winreg.OpenKey(root, path) as key:
                return self._winreg.QueryValueEx(key, APP_NAME)[0]
        except OSError:
            return None

    def _delete(self, path: str) -> None:
        if self._value(self._winreg.HKEY_CURRENT_USER, path) is not None:
            with self._winreg.CreateKey(self._winreg.HKEY_CURRENT_USER, path) as key:
                self._winreg.DeleteValue(key, APP_NAME)


class MacAutostart:
    """A LaunchAgent of the user; launchd reads it at the next login."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = list(command)
        self.path = folder / f"{AGENT}.plist"

    def is_on(self) -> bool:
        """Whether the agent's file is there."""
        return self.path.exists()

    def set_on(self, on: bool) -> None:
        """Writes or takes away the file. Raises AutostartFailed."""
        import plistlib  # loads an XML parser

        agent = {"Label": AGENT, "ProgramArguments": self._command, "RunAtLoad": True, "ProcessType": "Interactive"}
        try:
            if not on:
                self.path.unlink(missing_ok=True)
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_bytes(plistlib.dumps(agent))
        except OSError as error:
            raise AutostartFailed(error.strerror or "") from error
