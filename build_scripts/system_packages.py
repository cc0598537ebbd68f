"""What the program needs from the operating system: Qt's libraries, fonts, and a virtual screen for tests and pictures.

Windows and macOS bring all of it. On Debian and Ubuntu what is missing is installed when we are root; otherwise the
one command is printed. It looks for the thing itself (a library that loads, a program on PATH, a font file), never for
a package name, so that renamed packages and other distributions are no trouble. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from build_scripts.progress import run_step

OWN_FONTS = Path(os.path.expanduser("~/.local/share/fonts"))  # Path.home() raises where nobody has a home
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), OWN_FONTS)


@dataclass(frozen=True)
class Need:
    """One thing and the Debian package that brings it. Without an optional thing the program still starts."""

    package: str
    kind: Literal["library", "program", "font"]
    name: str
    optional: bool = False

    def is_met(self) -> bool:
        """True when the thing is on this machine."""
        if self.kind == "program":
            return shutil.which(self.name) is not None
        if self.kind == "font":
            return any(True for folder in FONT_FOLDERS for _ in folder.rglob(self.name))
        try:
            ctypes.CDLL(self.name)
        except OSError:
            return False
        return True


def _libraries(**packages: str) -> tuple[Need, ...]:
    return tuple(Need(package.replace("_", "-"), "library", library) for package, library in packages.items())


# What the Qt wheels do not carry: the NEEDED entries of the libraries and plugins that we use.
WINDOW: tuple[Need, ...] = (
    *_libraries(
        libgl1="libGL.so.1",
        libegl1="libEGL.so.1",
        libopengl0="libOpenGL.so.0",
        libfontconfig1="libfontconfig.so.1",
        libfreetype6="libfreetype.so.6",
        libxkbcommon0="libxkbcommon.so.0",
        libxkbcommon_x11_0="libxkbcommon-x11.so.0",
        libx11_xcb1="libX11-xcb.so.1",
        libxext6="libXext.so.6",
        libxrandr2="libXrandr.so.2",
        libxcb_cursor0="libxcb-cursor.so.0",
        libxcb_glx0="libxcb-glx.so.0",
        libxcb_icccm4="libxcb-icccm.so.4",
        libxcb_image0="libxcb-image.so.0",
        libxcb_keysyms1="libxcb-keysyms.so.1",
        libxcb_randr0="libxcb-randr.so.0",
        libxcb_render_util0="libxcb-render-util.so.0",
        libxcb_shape0="libxcb-shape.so.0",
        libxcb_shm0="libxcb-shm.so.0",
        libxcb_sync1="libxcb-sync.so.1",
        libxcb_util1="libxcb-util.so.1",
        libxcb_xfixes0="libxcb-xfixes.so.0",
        libxcb_xkb1="libxcb-xkb.so.1",
        libdrm2="libdrm.so.2",
        libwayland_client0="libwayland-client.so.0",
        libwayland_cursor0="libwayland-cursor.so.0",
        libpulse0="libpulse.so.0",
        libgssapi_krb5_2="libgssapi_krb5.so.2",
    ),
    Need("libglib2.0-0", "library", "libglib-2.0.so.0"),
    Need("libdbus-1-3", "library", "libdbus-1.so.3"),
    Need("fonts-noto-cjk", "font", "NotoSansCJK*", optional=True),
    Need("fonts-noto-color-emoji", "font", "NotoColorEmoji*", optional=True),
)

# A whole desktop without a monitor, for tests and pictures: build_scripts/desktop_session.py.
SCREEN: tuple[Need, ...] = (
    Need("xvfb", "program", "Xvfb"),
    Need("openbox", "program", "openbox"),
    Need("trayer", "program", "trayer"),
    Need("dunst", "program", "dunst"),
    Need("dbus", "program", "dbus-daemon"),
    Need("dbus", "program", "dbus-send"),
    Need("xdotool", "program", "xdotool"),
    Need("fcitx5", "program", "fcitx5", optional=True),
    Need("fcitx5-pinyin", "library", "libIMEPinyin.so.0", optional=True),
    Need("imagemagick", "program", "import"),
    Need("gnome-keyring", "program", "gnome-keyring-daemon"),
)


def missing_needs(needs: tuple[Need, ...]) -> list[Need]:
    """Those of the needs that this machine does not meet; none outside Linux, where Qt brings everything."""
    return [need for need in needs if not need.is_met()] if sys.platform == "linux" else []


def provide(needs: tuple[Need, ...]) -> list[Need]:
    """Installs what is missing where it may (root, apt), else prints the command; returns what is still missing."""
    missing = missing_needs(needs)
    if not missing:
        return []
    packages = sorted({need.package for need in missing})
    if not install_packages(packages):
        names = ", ".join(sorted({need.name for need in missing}))
        print(f"  Missing on this machine: {names}. Install them with:\n    {install_command(packages)}", flush=True)
        return missing
    return missing_needs(needs)


def install_packages(packages: list[str]) -> bool:
    """Installs Debian packages; False when that is not ours to do (no apt-get, or not root).

    Raises:
        StepFailed: apt-get ended with an error.
    """
    if sys.platform == "win32" or shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    here = Path.cwd()
    run_step("system packages: refresh the list", ["apt-get", "update", "-q"], cwd=here, env=env)
    argv = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    run_step(f"system packages: install {len(packages)}", argv, cwd=here, env=env)
    return True


def install_command(packages: list[str]) -> str:
    """The one command a person types to get the packages."""
    return f"sudo apt-get install -y --no-install-recommends {' '.join(packages)}"
