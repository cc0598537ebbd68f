"""What is in a bundle of the client, told once for three systems. Standard library only: the spec file reads it wherever PyInstaller runs.

A bundle is one folder: the program `tongban` and `_internal/`, where Python, Qt, the libraries, our resources and the
licences lie. `KEPT_PLUGINS` names the Qt plug-ins that are used: a plug-in that nobody named is dropped. `is_kept` judges
every other file that PyInstaller found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
APP_NAME: Final = "tongban"  # the program's file, its folder names, its icon, its desktop entry
APP_ID: Final = "local.tongban.client"  # reverse-domain id: the .app, the LaunchAgent, /opt/apps/<id>
DISPLAY_NAME: Final = "Tongban"
DISPLAY_NAME_ZH: Final = "通办"
PUBLISHER: Final = "Tongban contributors"
LINK_SCHEME: Final = "tongban"
INTERNAL: Final = "_internal"
LICENCES: Final = "licences"  # folder below _internal (Contents/Resources on macOS)
SPEC: Final = Path(__file__).with_name("tongban.spec")
ENTRY: Final = ROOT / "desktop" / "__main__.py"
ICONS: Final = ROOT / "resources" / "icons"

BUDGET_UNPACKED: Final = 230_000_000
BUDGET_DOWNLOAD: Final = 85_000_000

# Folders of resources/ that the client reads (updates: root.json, once there are keys); the rest belongs to the backend and the tests.
RESOURCES: Final = ("calendar", "i18n", "sounds", "emoji", "stickers", "fonts", "icons", "updates")

# Modules of ours that only the workshop runs: pictures of every page, driving a client from a test.
WORKSHOP_ONLY: Final = re.compile(r"desktop\.app\.(tour\w*|drive\w*|screenshots)\Z")

# Loaded by name at run time, so that no analysis sees them.
HIDDEN_IMPORTS: Final[dict[str, tuple[str, ...]]] = {
    "all": ("desktop_notifier.backends.dummy", "ssl", "_ssl", "zoneinfo"),
    "linux": (
        "desktop_notifier.backends.dbus",
        "secretstorage",
        "jeepney.io.blocking",
        "keyring.backends.SecretService",
        "keyring.backends.kwallet",
    ),
    "win32": ("desktop_notifier.backends.winrt", "keyring.backends.Windows", "winreg", "winsound", "msvcrt"),
    "darwin": ("desktop_notifier.backends.macos", "keyring.backends.macOS", "keyring.backends.macOS.api"),
}

# Never wanted, though somebody imports them where they are installed.
EXCLUDES: Final = (
    *(
        "tkinter",
        "_tkinter",
        "turtle",
        "idlelib",
        "lib2to3",
        "test",
        "pydoc_data",
        "ensurepip",
        "venv",
        "curses",
        "readline",
    ),
    *(
        "setuptools",
        "pkg_resources",
        "pip",
        "wheel",
        "_pytest",
        "pytest",
        "hypothesis",
        "mypy",
        "numpy",
        "pandas",
        "IPython",
    ),
    *("httpx._main", "click", "rich", "pygments", "trio", "sniffio._tests", "qtpy", "PyQt5", "PyQt6", "PySide2"),
    *(
        "PIL.ImageTk",
        "PIL.ImageQt",
        "PIL._imagingtk",
        "PIL.ImageShow",
        "PIL.AvifImagePlugin",
        "PIL._avif",
        "lxml.html",
        "lxml.isoschematron",
        "lxml.objectify",
    ),
    *(
        "server_stub",
        "build_scripts",
        "tests",
        "uvicorn",
        "starlette",
        "sqlalchemy",
        "uvloop",
        "SpiffWorkflow",
        "typst",
    ),
    *(
        f"PySide6.Qt{name}"
        for name in (
            *(
                "3DAnimation",
                "3DCore",
                "3DExtras",
                "3DInput",
                "3DLogic",
                "3DRender",
                "Bluetooth",
                "Charts",
                "DataVisualization",
            ),
            *(
                "Designer",
                "Graphs",
                "GraphsWidgets",
                "Help",
                "HttpServer",
                "Location",
                "Nfc",
                "Positioning",
                "Qml",
                "Quick",
            ),
            *(
                "Quick3D",
                "QuickControls2",
                "QuickTest",
                "QuickWidgets",
                "RemoteObjects",
                "Scxml",
                "Sensors",
                "SerialBus",
            ),
            *("SerialPort", "SpatialAudio", "Sql", "StateMachine", "Test", "TextToSpeech", "UiTools", "WebChannel"),
            *(
                "WebEngineCore",
                "WebEngineQuick",
                "WebEngineWidgets",
                "WebSockets",
                "WebView",
                "Xml",
                "OpenGL",
                "OpenGLWidgets",
            ),
            *("MultimediaWidgets", "PdfWidgets", "Svg", "SvgWidgets", "Concurrent"),
        )
    ),
)

# Qt's plug-ins by folder: what is used, by the name without lib, d and suffix. Empty: every one of the folder.
KEPT_PLUGINS: Final[dict[str, frozenset[str]]] = {
    "platforms": frozenset(
        {"qxcb", "qwayland", "qwayland-egl", "qwayland-generic", "qoffscreen", "qminimal", "qwindows", "qcocoa"}
    ),
    "platforminputcontexts": frozenset(
        {"composeplatforminputcontextplugin", "ibusplatforminputcontextplugin", "fcitx5platforminputcontextplugin"}
    ),
    "platformthemes": frozenset({"qxdgdesktopportal"}),
    "styles": frozenset({"qmodernwindowsstyle", "qmacstyle"}),
    "imageformats": frozenset({"qjpeg", "qgif", "qwebp", "qsvg", "qico", "qicns", "qtiff", "qmacheif", "qmacjp2"}),
    "iconengines": frozenset({"qsvgicon"}),
    "multimedia": frozenset({"ffmpegmediaplugin", "windowsmediaplugin", "darwinmediaplugin"}),
    "networkinformation": frozenset(
        {"qnetworkmanager", "qnetworklistmanager", "qapplenetworkinformation", "qscnetworkreachability"}
    ),
    "permissions": frozenset(),  # macOS asks for camera and microphone through these
    "printsupport": frozenset(),
    "tls": frozenset({"qopensslbackend", "qcertonlybackend", "qschannelbackend", "qsecuretransportbackend"}),
    "wayland-decoration-client": frozenset({"bradient", "adwaita"}),
    "wayland-graphics-integration-client": frozenset({"qt-plugin-wayland-egl", "dmabuf-server"}),
    "wayland-shell-integration": frozenset({"xdg-shell", "wl-shell-plugin", "qt-shell"}),
    "xcbglintegrations": frozenset({"qxcb-egl-integration", "qxcb-glx-integration"}),
}

# Qt's own texts (file dialogs, the edit menus): the two languages we speak. English is in the program.
KEPT_TRANSLATIONS: Final = frozenset({"qtbase_zh_CN.qm", "qtbase_en.qm", "qt_zh_CN.qm", "qt_en.qm"})

# Libraries that came along with something dropped; by the name of the file. Qt6Qml and Qt6Quick themselves (16 MB) must stay:
# the plug-in that decodes sound and video is linked against them, though nothing of ours is.
DROPPED_FILES: Final = re.compile(
    r"(?:lib)?Qt6?(?:Qml(?:Compiler|Core|LocalStorage|Network|XmlListModel)|Quick\w+|VirtualKeyboard\w*|ShaderTools|WaylandCompositor|WaylandEglCompositor\w*|EglFS\w*|3D\w*|Designer\w*|Sql|Test|WebEngine\w*|Labs\w*|Positioning\w*)"
    r"(?:\.so[\d.]*|\.dll|\.framework|)\Z"
    r"|libgtk-3|libgdk-3|libgdk_pixbuf|libatk|libcairo|libpango|libharfbuzz|libthai|libdatrie|libfribidi|libepoxy|libgraphite2"
    r"|libXcomposite|libXcursor|libXdamage|libXinerama|libXi\.so|libXtst"
    r"|opengl32sw\.dll|avdevice-|avfilter-|libavdevice|libavfilter|_avif|libavif|libatspi|libpixman-1|libpulsecommon"
    r"|d3dcompiler_47\.dll",
    re.IGNORECASE,
)

# Libraries of the machine that builds: a bundle must use those of the machine it runs on (drivers, sessions, fonts, the C library).
FROM_SYSTEM: Final = re.compile(
    r"(?:lib(?:ssl|crypto)\.so\.1\.1\Z|(?:ld-linux[\w-]*|libc|libm|libdl|librt|libpthread|libresolv|libutil|libnsl|libanl|libstdc\+\+|libgcc_s|libatomic"
    r"|libGL\w*|libEGL|libOpenGL|libgbm|libdrm\w*|libvulkan|libva[\w-]*|libvdpau"
    r"|libX11[\w-]*|libX(?:au|dmcp|ext|fixes|render|randr|ss)|libxcb[\w-]*|libxkbcommon[\w-]*|libwayland-\w+|libICE|libSM"
    r"|libfontconfig|libfreetype|libexpat|libpng16|libbrotli\w+"
    r"|libglib-2\.0|libgobject-2\.0|libgio-2\.0|libgmodule-2\.0|libgthread-2\.0|libpcre2?-?\w*|libmount|libblkid|libselinux"
    r"|libdbus-1|libsystemd|libgcrypt|libgpg-error|libcap|liblz4|liblzma\.so\.X|libzstd"
    r"|libpulse[\w-]*|libpipewire[\w.-]*|libasound|libsndfile|libFLAC|libvorbis\w*|libogg|libopus|libmp3lame|libmpg123|libapparmor|libasyncns"
    r"|libcups|libgnutls|libgssapi_krb5|libkrb5\w*|libk5crypto|libcom_err|libkeyutils|libavahi-\w+|libp11-kit|libtasn1|libnettle|libhogweed|libgmp|libidn2|libunistring"
    r"|libuuid|libbsd|libmd)\.so(?:\.[\d.]+)?\Z)"
)

_PLUGIN = re.compile(r"(?:^|/)plugins/(?P<folder>[\w-]+)/(?:lib)?(?P<name>[\w.-]+?)(?:\.so|\.dll|\.dylib)\Z")
_TRANSLATION = re.compile(r"(?:^|/)translations/(?P<name>[\w-]+\.qm)\Z")


@dataclass(frozen=True)
class DataFile:
    """A file or folder taken along as it is: where it lies, and its folder below _internal."""

    source: Path
    folder: str


def hidden_imports(platform: str) -> list[str]:
    """Modules that no analysis finds: all of ours (screens are imported by name) and those of the libraries. `platform`: sys.platform's."""
    return sorted({*own_modules(), *HIDDEN_IMPORTS["all"], *HIDDEN_IMPORTS.get(platform, ())})


def own_modules(root: Path = ROOT) -> list[str]:
    """Every module below desktop/ but those of the workshop."""
    found: set[str] = set()
    for path in (root / "desktop").rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not WORKSHOP_ONLY.match(name) and parts[-1] != "__main__":
            found.add(name)
    return sorted(found)


def data_files(root: Path = ROOT) -> list[DataFile]:
    """Our own resources; those of the libraries come from `library_data`."""
    return [DataFile(path, f"resources/{name}") for name in RESOURCES if (path := root / "resources" / name).is_dir()]


# Files of libraries that are read without importing the library, or that no hook knows: package → (pattern below it, …).
LIBRARY_DATA: Final[dict[str, tuple[str, ...]]] = {
    "qtawesome": ("fonts/phosphor-1.3.0.ttf", "fonts/phosphor-charmap-1.3.0.json"),
    "certifi": ("cacert.pem",),
    "desktop_notifier": ("resources/*",),
    "pypinyin": ("*.json", "seg/*.json"),
}

# Distributions whose metadata is read at run time (entry points, versions).
METADATA: Final = ("keyring",)


def is_kept(destination: str) -> bool:
    """Whether a file that PyInstaller found belongs into the bundle; `destination`: its path below _internal, either slash."""
    path = destination.replace("\\", "/")
    name = path.rsplit("/", 1)[-1]
    plugin = _PLUGIN.search(path)
    if plugin is not None:
        kept = KEPT_PLUGINS.get(plugin["folder"])
        return kept is not None and (not kept or plugin["name"] in kept)
    translation = _TRANSLATION.search(path)
    if translation is not None:
        return translation["name"] in KEPT_TRANSLATIONS
    if "/qml/" in path or path.endswith((".pyi", ".prl")):
        return False
    if DROPPED_FILES.match(name) is not None:
        return False
    return (
        "/" in path or FROM_SYSTEM.match(name) is None
    )  # deeper ones a wheel brought for itself, under names of its own


def distribution_info(version: str) -> dict[str, str]:
    """Files of the bundle's own tongban-<version>.dist-info: where the running program reads its version."""
    folder = f"{APP_NAME}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: {APP_NAME}\nVersion: {version}\nLicense-Expression: Apache-2.0\n"
    return {f"{folder}/METADATA": metadata, f"{folder}/INSTALLER": "tongban\n"}
