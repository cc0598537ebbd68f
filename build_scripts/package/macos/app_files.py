"""The files of the .app that are ours: Info.plist, its texts in Chinese and English, entitlements; and whether an .app has all of them.

The program has a place in the Dock like other messengers (no LSUIElement): its badge is there, and the menu bar may be full. It is not
sandboxed: an office's own CA, policy files and drag-out of any file want none. Standard library only.
"""

from __future__ import annotations

import plistlib
import re
from pathlib import Path
from typing import Any, Final

from build_scripts.package import layout
from build_scripts.progress import StepFailed

MINIMUM_SYSTEM: Final = "13.0"  # that of Qt's wheels
OFD_TYPE: Final = "local.tongban.ofd"
LANGUAGES: Final = {"en": "en", "zh": "zh-Hans"}  # ours: Apple's folder name

# Asked by macOS when the program first wants it; shown below the system's own question.
USAGE: Final[dict[str, dict[str, str]]] = {
    "NSCameraUsageDescription": {
        "zh": "拍照发送、扫码和视频通话时使用摄像头。",
        "en": "The camera is used for photos you send, codes you scan and video calls.",
    },
    "NSMicrophoneUsageDescription": {
        "zh": "录制语音消息和通话时使用麦克风。",
        "en": "The microphone is used for voice messages and calls.",
    },
    "NSScreenCaptureUsageDescription": {
        "zh": "截图和共享屏幕时读取屏幕内容。",
        "en": "The screen is read for screenshots and for sharing it.",
    },
    "NSLocalNetworkUsageDescription": {
        "zh": "连接单位的服务器，并与同事的电脑直接传送文件。",
        "en": "Your office's server is on the local network, and files go directly between colleagues' computers.",
    },
    "NSDownloadsFolderUsageDescription": {
        "zh": "把您下载的文件保存到“下载”文件夹。",
        "en": "Files you download are saved in Downloads.",
    },
}

STAGES: Final = {"a": "a", "b": "b", "rc": "fc"}  # PEP 440's name: Apple's
PARTS: Final = ("Contents/Info.plist", f"Contents/MacOS/{layout.APP_NAME}", "Contents/Frameworks", "Contents/Resources")


def bundle_version(version: str) -> tuple[str, str]:
    """CFBundleShortVersionString and CFBundleVersion: 1.4.0rc2 is 1.4.0 and 1.4.0fc2, Apple's form of a stage."""
    found = re.fullmatch(r"(?P<numbers>\d+\.\d+\.\d+)(?:(?P<stage>a|b|rc)(?P<number>\d+))?", version)
    if found is None:
        raise StepFailed(f"“{version}” is no version.")
    stage = f"{STAGES[found['stage']]}{found['number']}" if found["stage"] else ""
    return found["numbers"], found["numbers"] + stage


def info_plist() -> dict[str, Any]:
    """What Info.plist has beside what PyInstaller writes, without the version."""
    return {
        "CFBundleName": layout.DISPLAY_NAME,
        "CFBundleDisplayName": layout.DISPLAY_NAME,
        "CFBundleIdentifier": layout.APP_ID,
        "CFBundleDevelopmentRegion": "en",
        "CFBundleLocalizations": list(LANGUAGES.values()),
        "CFBundleAllowMixedLocalizations": True,
        "LSApplicationCategoryType": "public.app-category.business",
        "LSMinimumSystemVersion": MINIMUM_SYSTEM,
        "LSMultipleInstancesProhibited": False,  # a second account is a second process
        "NSHighResolutionCapable": True,
        "NSRequiresAquaSystemAppearance": False,  # dark mode
        "NSSupportsAutomaticGraphicsSwitching": True,
        "NSPrincipalClass": "NSApplication",
        "NSHumanReadableCopyright": f"© {layout.PUBLISHER}. Apache-2.0",
        "CFBundleURLTypes": [
            {"CFBundleURLName": layout.APP_ID, "CFBundleURLSchemes": [layout.LINK_SCHEME], "CFBundleTypeRole": "Viewer"}
        ],
        "CFBundleDocumentTypes": [
            _document("OFD", [OFD_TYPE], rank="Default"),
            _document("PDF", ["com.adobe.pdf"], rank="Alternate"),  # offered, never taken from another program
        ],
        "UTImportedTypeDeclarations": [
            {
                "UTTypeIdentifier": OFD_TYPE,
                "UTTypeDescription": "OFD",
                "UTTypeConformsTo": ["public.data", "public.composite-content"],
                "UTTypeTagSpecification": {
                    "public.filename-extension": ["ofd"],
                    "public.mime-type": ["application/ofd"],
                },
            }
        ],
        **{key: texts["en"] for key, texts in USAGE.items()},
    }


def _document(name: str, types: list[str], *, rank: str) -> dict[str, Any]:
    return {
        "CFBundleTypeName": name,
        "CFBundleTypeRole": "Viewer",
        "LSHandlerRank": rank,
        "LSItemContentTypes": types,
    }


def entitlements(*, ad_hoc: bool) -> bytes:
    """The plist of what the hardened runtime must let through. `ad_hoc`: signed without an identity, so that no two libraries share a team."""
    wanted = {
        "com.apple.security.device.camera": True,
        "com.apple.security.device.audio-input": True,
        "com.apple.security.network.client": True,  # heeded in a sandbox alone; said for who reads it
        "com.apple.security.network.server": True,  # files straight from a colleague's computer
        "com.apple.security.cs.allow-unsigned-executable-memory": True,  # ctypes and cffi make functions at run time
    }
    if ad_hoc:
        wanted["com.apple.security.cs.disable-library-validation"] = True
    return plistlib.dumps(wanted)


def info_strings(language: str) -> str:
    """InfoPlist.strings of a language: the program's name and why it asks for things."""
    name = layout.DISPLAY_NAME_ZH if language == "zh" else layout.DISPLAY_NAME
    texts = {"CFBundleDisplayName": name, "CFBundleName": name}
    texts |= {key: both[language] for key, both in USAGE.items()}
    return "".join(f'"{key}" = "{_escaped(text)}";\n' for key, text in texts.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def dress(app: Path, version: str) -> None:
    """Writes the version and the texts of both languages into an unsigned .app."""
    short, build = bundle_version(version)
    target = app / "Contents" / "Info.plist"
    info = plistlib.loads(target.read_bytes())
    info |= {**info_plist(), "CFBundleShortVersionString": short, "CFBundleVersion": build}
    target.write_bytes(plistlib.dumps(info))
    for language, folder in LANGUAGES.items():
        place = app / "Contents" / "Resources" / f"{folder}.lproj"
        place.mkdir(parents=True, exist_ok=True)
        (place / "InfoPlist.strings").write_text(info_strings(language), encoding="utf-8")


def version_of(app: Path) -> str:
    """The version an .app says it is, as PEP 440 writes it."""
    build = str(plistlib.loads((app / "Contents" / "Info.plist").read_bytes())["CFBundleVersion"])
    return build.replace("fc", "rc")


def check_app(app: Path, version: str) -> None:
    """Looks whether an .app is whole.

    Raises:
        StepFailed: names everything that is missing or wrong.
    """
    wrong = [f"{part} is missing" for part in PARTS if not (app / part).exists()]
    if not wrong:
        info = plistlib.loads((app / "Contents" / "Info.plist").read_bytes())
        wrong += _wrong_info(info, version)
        icon = str(info.get("CFBundleIconFile", ""))
        if not icon or not (app / "Contents" / "Resources" / icon).with_suffix(".icns").is_file():
            wrong.append("the icon is missing")
    for folder in LANGUAGES.values():
        texts = app / "Contents" / "Resources" / f"{folder}.lproj" / "InfoPlist.strings"
        found = texts.read_text(encoding="utf-8") if texts.is_file() else ""
        wrong += [f"{folder}: no text for {key}" for key in USAGE if f'"{key}" = "' not in found]
    wrong += [f"{link.relative_to(app)} leads out of the program" for link in _links_out(app)]
    if wrong:
        raise StepFailed(f"{app.name} is not whole: " + "; ".join(wrong))


def _wrong_info(info: dict[str, Any], version: str) -> list[str]:
    short, build = bundle_version(version)
    expected = {
        **info_plist(),
        "CFBundleShortVersionString": short,
        "CFBundleVersion": build,
        "CFBundleExecutable": layout.APP_NAME,
    }
    return [f"Info.plist: {key} is {info.get(key)!r}" for key, value in expected.items() if info.get(key) != value]


def _links_out(app: Path) -> list[Path]:
    whole = app.resolve()
    return [path for path in app.rglob("*") if path.is_symlink() and not path.resolve().is_relative_to(whole)]
