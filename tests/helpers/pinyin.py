"""A real pinyin input method on a virtual desktop: fcitx5, to which Qt's IBus plug-in speaks (PySide6's wheel has none for fcitx5)."""

import shutil
from pathlib import Path
from typing import Final

from build_scripts.desktop_session import DesktopSession

TOOLS: Final = ("xdotool", "fcitx5", "fcitx5-remote")
ACTIVE: Final = "2"  # what fcitx5-remote says of a method that is on
ADDON: Final = Path("/usr/share/fcitx5/inputmethod/pinyin.conf")
PROFILE: Final = """[Groups/0]
Name=Default
Default Layout=us
DefaultIM=pinyin

[Groups/0/Items/0]
Name=keyboard-us
Layout=

[Groups/0/Items/1]
Name=pinyin
Layout=

[GroupOrder]
0=Default
"""


def has_pinyin() -> bool:
    """Whether this machine has all of it."""
    return ADDON.exists() and all(shutil.which(tool) for tool in TOOLS)


class Pinyin:
    """fcitx5 on a session's bus; to be started before the client, as a desktop does."""

    def __init__(self, session: DesktopSession) -> None:
        self._session = session
        config = Path(session.env["XDG_CONFIG_HOME"]) / "fcitx5"
        config.mkdir()
        (config / "profile").write_text(PROFILE, encoding="utf-8")
        for name in ("QT_IM_MODULE", "QT_IM_MODULES", "XMODIFIERS", "IBUS_ADDRESS"):
            session.env.pop(name, None)
        session.popen("fcitx5", ["fcitx5", "--disable=notifications,wayland,waylandim"])
        session.wait_until(lambda: session.bus_name_has_owner("org.freedesktop.IBus"), "fcitx5 answers as IBus")

    def turn_on(self) -> bool:
        """Chinese for who has the keyboard; whether it is so."""
        self._session.run_tool("fcitx5-remote", "-o")
        return self._session.run_tool("fcitx5-remote").strip() == ACTIVE

    def type(self, letters: str) -> None:
        """Keys at the X server, ended by the space that takes the first candidate."""
        self._session.run_tool("xdotool", "type", "--delay", "30", letters)
        self._session.run_tool("xdotool", "key", "space")
