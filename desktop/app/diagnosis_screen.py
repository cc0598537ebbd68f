"""Help → Diagnose, the part around the screen: tray, notifications, camera, microphone, display, version. Each a short question to the system."""

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCameraPermission, QCoreApplication, QMicrophonePermission, Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon

from desktop.core.domain.diagnosis import Finding, FindingState
from desktop.platform.bus import call_session

SCREEN_CHECKS = ("tray", "notifications", "camera", "microphone", "display", "version")
OK, ATTENTION, FAILED, UNCHECKED = FindingState.OK, FindingState.ATTENTION, FindingState.FAILED, FindingState.UNCHECKED
NOTIFICATIONS = "org.freedesktop.Notifications"
BLIND = frozenset({"offscreen", "minimal", "vnc"})


def notification_server() -> str | None:
    """Who shows notifications; empty where the system itself does, None where nobody would."""
    if sys.platform in ("win32", "darwin"):
        return ""
    told = call_session(NOTIFICATIONS, "/org/freedesktop/Notifications", NOTIFICATIONS, "GetServerInformation")
    if told:
        return str(told[0])[:60]
    bus = "org.freedesktop.DBus"
    known = call_session(bus, "/org/freedesktop/DBus", bus, "ListActivatableNames")
    return "D-Bus" if known and NOTIFICATIONS in known[0] else None


def devices(kind: str) -> int:
    """How many cameras or microphones there are."""
    from PySide6.QtMultimedia import QMediaDevices

    return len(QMediaDevices.videoInputs() if kind == "camera" else QMediaDevices.audioInputs())


def is_denied(kind: str) -> bool:
    """Whether the system keeps the program from using it. "Not asked yet" is no denial."""
    asked = QCameraPermission() if kind == "camera" else QMicrophonePermission()
    return QCoreApplication.instance().checkPermission(asked) is Qt.PermissionStatus.Denied  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True)
class ScreenSenses:
    """How this system is asked; tests bring their own. `updates`: the channel the administrator set, the state of updates in a word."""

    has_tray: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable
    notifier: Callable[[], str | None] = notification_server
    devices: Callable[[str], int] = devices
    denied: Callable[[str], bool] = is_denied
    version: Callable[[], str] = lambda: "0"
    channel: Callable[[], str] = lambda: ""


class ScreenChecks:
    """On the UI thread; none waits for long."""

    def __init__(self, senses: ScreenSenses | None = None) -> None:
        self._senses = senses or ScreenSenses()

    def check(self, name: str) -> Finding:
        """Looks at one part of SCREEN_CHECKS."""
        look: Callable[[], Finding] = getattr(self, f"_check_{name}")
        return look()

    def _check_tray(self) -> Finding:
        there = self._senses.has_tray()
        return Finding("tray", OK if there else ATTENTION, "ok" if there else "none")

    def _check_notifications(self) -> Finding:
        server = self._senses.notifier()
        if server is None:
            return Finding("notifications", ATTENTION, "none", {}, "toast")
        if not server:
            return Finding("notifications", OK, "system", {}, "toast")
        return Finding("notifications", OK, "ok", {"server": server}, "toast")

    def _check_camera(self) -> Finding:
        return self._device("camera", missing=UNCHECKED)

    def _check_microphone(self) -> Finding:
        return self._device("microphone", missing=ATTENTION)

    def _device(self, kind: str, *, missing: FindingState) -> Finding:
        """Most desks have no camera and need none; voice messages want a microphone."""
        if self._senses.denied(kind):
            return Finding(kind, FAILED, "denied")
        count = self._senses.devices(kind)
        return Finding(kind, OK, "ok", {"n": count}) if count else Finding(kind, missing, "none")

    def _check_display(self) -> Finding:
        screens = QGuiApplication.screens()
        sizes = ", ".join(f"{one.size().width()}×{one.size().height()}" for one in screens)
        scales = ", ".join(f"{round(one.devicePixelRatio() * 100)}%" for one in screens)
        data: dict[str, str | int | float] = {
            "n": len(screens), "sizes": sizes, "scales": scales, "plugin": QGuiApplication.platformName(),
        }  # fmt: skip
        blind = not screens or QGuiApplication.platformName() in BLIND
        return Finding("display", ATTENTION if blind else OK, "blind" if blind else "ok", data)

    def _check_version(self) -> Finding:
        channel = self._senses.channel()
        data: dict[str, str | int | float] = {"version": self._senses.version(), "qt": qVersion(), "channel": channel}
        if channel == "off":
            return Finding("version", OK, "no_updates", data)
        return Finding("version", OK, "channel" if channel else "ok", data)


def system_figures(version: str) -> dict[str, str | int | float]:
    """This machine in the report: kinds and versions, no names."""
    return {
        "tongban": version,
        "system": f"{platform.system()} {platform.release()}"[:80],
        "machine": platform.machine(),
        "python": platform.python_version(),
        "qt": qVersion(),
        "plugin": QGuiApplication.platformName(),
        "bundled": int(bool(getattr(sys, "frozen", False))),
    }
