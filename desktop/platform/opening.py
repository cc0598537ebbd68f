"""Opens files and links with the system's own programs, or shows them in its file manager. Never runs what it opens."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

# What a double click would start instead of show. Shown in their folder, never opened.
RUNNABLE = frozenset(
    (
        ".exe .com .bat .cmd .msi .msp .scr .pif .cpl .ps1 .vbs .vbe .js .jse .wsf .wsh .hta .reg .lnk .url "
        ".jar .app .command .sh .bash .run .desktop .appimage .py .pyw .pl .rb .dmg .pkg .deb .rpm .scf .inf .chm .gadget"
    ).split()
)


def is_runnable(path: Path) -> bool:
    """Whether opening the file could run a program."""
    return path.suffix.lower() in RUNNABLE


def open_file(path: Path) -> bool:
    """Opens a file with its program; a runnable one is only shown in its folder. False when the system has no way."""
    if is_runnable(path):
        return show_in_folder(path)
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def show_in_folder(path: Path) -> bool:
    """Shows the file in the file manager, selected where that can be."""
    if sys.platform == "win32":
        subprocess.Popen(["explorer", "/select,", str(path)])
        return True
    if sys.platform == "darwin":
        subprocess.Popen(["open", "-R", str(path)])
        return True
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


def open_web_link(url: str) -> bool:
    """Opens an http or https address in the browser; any other scheme is refused."""
    target = QUrl(url)
    if target.scheme().lower() not in {"http", "https"} or not target.host():
        return False
    return QDesktopServices.openUrl(target)
