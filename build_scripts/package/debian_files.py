"""The text files of the .deb: control, desktop entry, MIME types, the store's info file, maintainer scripts. Pure: values in, text out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from build_scripts.package import elf, layout
from build_scripts.progress import StepFailed
from desktop.platform.start_tasks import TASKS

HOME: Final = f"/opt/apps/{layout.APP_ID}"
DESKTOP_FILE: Final = f"{layout.APP_NAME}.desktop"  # setDesktopFileName: windows find their entry by it
GIVE_UP_S: Final = 20  # for a running client to end before its files are exchanged

# soname: the Debian package that has it; alternatives for names that changed (the 64-bit time_t transition of 2024).
LIBRARIES: Final[dict[str, str]] = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libOpenGL.so.0": "libopengl0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrandr.so.2": "libxrandr2",
    "libatomic.so.1": "libatomic1",
    "libbrotlicommon.so.1": "libbrotli1",
    "libbrotlidec.so.1": "libbrotli1",
    "libcrypto.so.1.1": "libssl1.1",
    "libcups.so.2": "libcups2 | libcups2t64",
    "libdbus-1.so.3": "libdbus-1-3",
    "libdrm.so.2": "libdrm2",
    "libexpat.so.1": "libexpat1",
    "libffi.so.6": "libffi6",
    "libffi.so.7": "libffi7",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libgcc_s.so.1": "libgcc-s1 | libgcc1",
    "libglib-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "libgobject-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "libgio-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "libgthread-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "liblzma.so.5": "liblzma5",
    "libpulse.so.0": "libpulse0",
    "libpulse-mainloop-glib.so.0": "libpulse-mainloop-glib0",
    "libssl.so.1.1": "libssl1.1",
    "libstdc++.so.6": "libstdc++6",
    "libuuid.so.1": "libuuid1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
C_LIBRARY: Final = re.compile(r"(?:ld-linux[\w-]*|libc|libm|libdl|librt|libpthread|libresolv|libutil)\.so\.\d+\Z")
# Plug-ins without which the program works: what only they need is recommended.
OPTIONAL_PLUGINS: Final = ("plugins/printsupport/", "plugins/networkinformation/")
# GLIBCXX: the release of GCC whose libstdc++6 has it.
CXX_RELEASES: Final = {
    (3, 4, 25): "8",
    (3, 4, 26): "9",
    (3, 4, 28): "9.3",
    (3, 4, 29): "11",
    (3, 4, 30): "12",
    (3, 4, 32): "13",
}
HAN_FONTS: Final = "fonts-noto-cjk | fonts-wqy-microhei | fonts-wqy-zenhei | fonts-arphic-uming | fonts-droid-fallback"
RECOMMENDED: Final = ("ca-certificates", "fonts-noto-color-emoji", "gnome-keyring | kwalletmanager", "xdg-utils")


def debian_version(version: str) -> str:
    """1.4.0~rc1 of 1.4.0rc1: before 1.4.0, as Debian orders versions."""
    return re.sub(r"(?<=\d)(a|b|rc)(?=\d)", r"~\1", version)


def dependencies(needs: Mapping[Path, elf.Needs]) -> tuple[list[str], list[str]]:
    """Depends and Recommends out of what the files need from the system.

    Raises:
        StepFailed: a library is needed that is neither in the bundle nor in the table.
    """
    depends = {_c_library(needs), HAN_FONTS}
    recommends = set(RECOMMENDED)
    unknown: list[str] = []
    for soname, users in elf.from_system(needs).items():
        package = LIBRARIES.get(soname)
        if C_LIBRARY.match(soname):
            continue
        if package is None:
            unknown.append(f"{soname} (wanted by {users[0].name})")
        elif all(any(part in user.as_posix() for part in OPTIONAL_PLUGINS) for user in users):
            recommends.add(package)
        elif soname == "libstdc++.so.6":
            depends.add(f"{package} (>= {_cxx_release(needs)})")
        else:
            depends.add(package)
    if unknown:
        raise StepFailed(f"In no bundle and in no table (debian_files.LIBRARIES): {', '.join(sorted(unknown))}")
    return sorted(depends), sorted(recommends - depends)


def _c_library(needs: Mapping[Path, elf.Needs]) -> str:
    found = elf.newest(needs.values(), "GLIBC")
    return f"libc6 (>= {'.'.join(map(str, found))})" if found else "libc6"


def _cxx_release(needs: Mapping[Path, elf.Needs]) -> str:
    found = elf.newest(needs.values(), "GLIBCXX")
    return next((release for wanted, release in sorted(CXX_RELEASES.items()) if wanted >= found), "14")


def control(
    *, version: str, architecture: str, size_kib: int, depends: Iterable[str], recommends: Iterable[str]
) -> str:
    """DEBIAN/control."""
    lines = [
        f"Package: {layout.APP_ID}",
        f"Version: {debian_version(version)}",
        f"Architecture: {architecture}",
        f"Maintainer: {layout.PUBLISHER} <tongban@localhost>",
        f"Installed-Size: {size_kib}",
        "Section: net",
        "Priority: optional",
        f"Provides: {layout.APP_NAME}",
        f"Depends: {', '.join(depends)}",
        f"Recommends: {', '.join(recommends)}",
        f"Description: {layout.DISPLAY_NAME} {layout.DISPLAY_NAME_ZH}, the office on the desktop",
        " One sign-in for messages, notices, documents and processes, readable offline.",
        " 一次登录，消息、公告、公文、流程都在桌面上，断网也能看。",
    ]
    return "\n".join(lines) + "\n"


def desktop_entry() -> str:
    """The menu entry and handler of tongban:// links (Desktop Entry Specification 1.5)."""
    lines = [
        "[Desktop Entry]",
        "Type=Application",
        "Version=1.5",
        f"Name={layout.DISPLAY_NAME}",
        f"Name[zh_CN]={layout.DISPLAY_NAME_ZH}",
        "GenericName=Office Messages and Documents",
        "GenericName[zh_CN]=办公通信",
        "Comment=Messages, notices, documents and processes of the office",
        "Comment[zh_CN]=单位的消息、公告、公文与流程",
        f"Exec={HOME}/files/{layout.APP_NAME} %U",
        f"TryExec={HOME}/files/{layout.APP_NAME}",
        f"Icon={layout.APP_NAME}",
        "Terminal=false",
        "Categories=Office;InstantMessaging;Network;",
        "Keywords=office;chat;OA;通办;办公;消息;公文;",
        f"MimeType=x-scheme-handler/{layout.LINK_SCHEME};application/ofd;application/pdf;",
        f"StartupWMClass={layout.APP_NAME}",
        "StartupNotify=true",
        "SingleMainWindow=true",
        f"Actions={''.join(f'{task.key};' for task in TASKS)}",
    ]
    words = json.loads((layout.ROOT / "resources" / "i18n" / "start_task.json").read_text(encoding="utf-8"))
    for task in TASKS:
        label = words[f"start_task.{task.key}"]
        lines += ["", f"[Desktop Action {task.key}]", f"Name={label['en']}", f"Name[zh_CN]={label['zh']}"]
        lines.append(f"Exec={HOME}/files/{layout.APP_NAME} {task.link}")
    return "\n".join(lines) + "\n"


def mime_types() -> str:
    """Names and patterns of the formats that systems do not know yet (Shared MIME-info Specification)."""
    return """<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="application/ofd">
    <comment>OFD document</comment>
    <comment xml:lang="zh_CN">OFD 版式文档</comment>
    <sub-class-of type="application/zip"/>
    <generic-icon name="x-office-document"/>
    <alias type="application/vnd.ofd"/>
    <glob pattern="*.ofd"/>
  </mime-type>
  <mime-type type="application/vnd.tongban.exchange+zip">
    <comment>Document exchange package</comment>
    <comment xml:lang="zh_CN">公文交换包</comment>
    <sub-class-of type="application/zip"/>
    <generic-icon name="package-x-generic"/>
    <magic priority="60">
      <match type="string" value="PK\\003\\004" offset="0">
        <match type="string" value="mimetypeapplication/vnd.tongban.exchange+zip" offset="30"/>
      </match>
    </magic>
    <glob pattern="*.gwx"/>
  </mime-type>
</mime-info>
"""


def store_info(*, version: str, architecture: str) -> str:
    """/opt/apps/<id>/info, as the application stores of UOS and Kylin read it. Only autostart is asked for: the user switches it on."""
    permissions = {
        name: False
        for name in (
            "notification",
            "trayicon",
            "clipboard",
            "account",
            "bluetooth",
            "camera",
            "audio_record",
            "installed_apps",
        )
    }
    asked = {
        **permissions,
        "autostart": True,
        "notification": True,
        "trayicon": True,
        "clipboard": True,
        "camera": True,
        "audio_record": True,
    }
    return json.dumps(
        {
            "appid": layout.APP_ID,
            "name": layout.DISPLAY_NAME_ZH,
            "version": debian_version(version),
            "arch": [architecture],
            "permissions": asked,
        },
        ensure_ascii=False,
        indent=2,
    )


def before_removal() -> str:
    """prerm: a client that runs loads parts of itself as it needs them, so it ends before they are exchanged; politely, drafts are kept."""
    return f"""#!/bin/sh
set -e
program={HOME}/files/{layout.APP_NAME}
running() {{
    for link in /proc/[0-9]*/exe; do
        [ "$(readlink "$link" 2>/dev/null)" = "$program" ] || continue
        number=${{link#/proc/}}
        echo "${{number%/exe}}"
    done
}}
case "$1" in
    upgrade|remove|deconfigure)
        waited=0
        for number in $(running); do kill -TERM "$number" 2>/dev/null || true; done
        while [ -n "$(running)" ] && [ "$waited" -lt {GIVE_UP_S} ]; do sleep 1; waited=$((waited + 1)); done
        for number in $(running); do kill -KILL "$number" 2>/dev/null || true; done
        ;;
esac
exit 0
"""


def copyright_text() -> str:
    """/usr/share/doc/<package>/copyright."""
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: {layout.DISPLAY_NAME}\n\n"
        f"Files: *\nCopyright: {layout.PUBLISHER}\nLicense: Apache-2.0\n"
        " On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.\n"
        f" What the bundle contains of others, with their licences: {HOME}/files/{layout.INTERNAL}/{layout.LICENCES}/\n"
    )
