"""The menu of the program's own icon: Windows' jump list, macOS' Dock menu. On Linux the desktop entry has it (build_scripts/package)."""

import sys
from collections.abc import Callable

from PySide6.QtWidgets import QMenu

from desktop.platform.folders import APP_NAME
from desktop.platform.jump_list import Entry, set_jump_list
from desktop.platform.start_tasks import TASKS
from desktop.ui.i18n import tr


def entries() -> list[Entry]:
    """The lines of the jump list in the language of now."""
    return [Entry(tr(f"start_task.{task.key}"), task.link) for task in TASKS]


def fill_menu(menu: QMenu, follow: Callable[[str], object]) -> QMenu:
    """The same as a menu; `follow` gets the link of what was chosen."""
    menu.clear()
    for task in TASKS:
        menu.addAction(tr(f"start_task.{task.key}")).triggered.connect(
            lambda _checked=False, link=task.link: follow(link)
        )
    return menu


class IconMenu:
    """Made once somebody is signed in, renewed with the language. Nothing on Linux."""

    def __init__(self, follow: Callable[[str], object]) -> None:
        self._follow = follow
        self._menu: QMenu | None = None

    def show(self) -> None:
        """Tells the system the lines."""
        if sys.platform == "win32" and getattr(sys, "frozen", False):  # a checkout has no program of its own to start
            set_jump_list(entries(), sys.executable, APP_NAME)
        elif sys.platform == "darwin":
            first, self._menu = self._menu is None, self._menu or QMenu()
            fill_menu(self._menu, self._follow)
            if first:
                self._menu.setAsDockMenu()
