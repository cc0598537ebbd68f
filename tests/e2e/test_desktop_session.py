"""The virtual desktop: a real Qt program's window, tray icon and notification are seen, used, and gone at the end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from build_scripts.desktop_session import DesktopSession, SessionFailed

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform != "linux", reason="a virtual screen needs Linux")]

PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QSystemTrayIcon
app = QApplication(sys.argv)
app.setQuitOnLastWindowClosed(False)
picture = QPixmap(32, 32)
picture.fill(QColor(200, 30, 30))
window = QLabel("hello")
window.setWindowTitle("probe window")
window.setStyleSheet("background: rgb(30, 30, 200)")
icon = QSystemTrayIcon(QIcon(picture))
menu = QMenu()
menu.addAction("Open", window.show)
menu.addSeparator()
menu.addAction("Quit", app.quit)
icon.setContextMenu(menu)
icon.setToolTip("3 unread")
icon.activated.connect(lambda reason: print("activated", reason, flush=True))
icon.messageClicked.connect(lambda: print("message clicked", flush=True))
icon.show()
if "--notify" in sys.argv:
    icon.showMessage("News", "Li Hua: hello", QIcon(picture), 8000)
if "--window" in sys.argv:
    window.showFullScreen()
sys.exit(app.exec())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "probe.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


def count_pixels(picture: Path, color: tuple[int, int, int]) -> int:
    with Image.open(picture) as image:
        return sum(count for count, pixel in image.convert("RGB").getcolors(1 << 24) or [] if pixel == color)


def test_tray_icon_and_notification_are_read_and_used(program: Path) -> None:
    with DesktopSession(tray="sni", notifications="recorder") as session:
        process = session.popen("probe", [sys.executable, program, "--notify"])
        assert session.wait_for_tray_icon(lambda icon: bool(icon.pixmaps)).pixmaps[0][:2] == (32, 32)
        news = session.wait_for_notification(lambda notification: notification.summary == "News")
        assert news.body == "Li Hua: hello"

        session.invoke(news)
        session.wait_until(lambda: "message clicked" in session.log("probe"), "the click on the notification arrived")
        session.dismiss(news)
        session.wait_until(lambda: news.number in session.closed_notifications(), "it is closed")
        session.click_tray_icon()
        session.wait_until(lambda: "activated" in session.log("probe"), "the click on the icon arrived")
        opening, leaving = session.tray_menu()
        assert (opening.label, leaving.label) == ("Open", "Quit")
        session.choose_from_tray_menu(leaving)
        assert process.wait(10) == 0
        session.wait_until(lambda: "no tray icon" in why_no_icon(session), "the icon has gone with its program")


def why_no_icon(session: DesktopSession) -> str:
    with pytest.raises(SessionFailed) as failure:
        session.tray_icon()
    return str(failure.value)


def test_a_picture_shows_the_window_and_the_tray_icon_survives_a_restart_of_the_tray(
    program: Path, tmp_path: Path
) -> None:
    red, blue = (200, 30, 30), (30, 30, 200)
    with DesktopSession(size=(800, 600), tray="xembed", notifications="dunst") as session:
        session.popen("probe", [sys.executable, program])
        icon_shown = tmp_path / "icon.png"
        session.wait_until(lambda: count_pixels(session.screenshot(icon_shown), red) > 200, "the icon is in the tray")
        session.stop_tray()
        session.wait_until(lambda: count_pixels(session.screenshot(icon_shown), red) == 0, "the tray is gone")
        session.start_tray()
        session.wait_until(lambda: count_pixels(session.screenshot(icon_shown), red) > 200, "the icon is back")
        session.popen("window", [sys.executable, program, "--window"])
        session.wait_until(
            lambda: count_pixels(session.screenshot(tmp_path / "window.png"), blue) > 300_000,
            "the window fills the screen",
        )
        assert "probe window" in session.run_tool(
            "xdotool", "search", "--onlyvisible", "--name", "probe window", "getwindowname"
        )


def test_a_secret_service_keeps_a_password() -> None:
    code = (
        "from keyring import get_password as g, set_password as s; s('p', 'me', '口令'); print(g('p', 'me') == '口令')"
    )
    with DesktopSession(tray="none", notifications="none", keyring=True) as session:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=session.env,
            capture_output=True,
            timeout=60,
            check=False,
            encoding="utf-8",
        )
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr


def test_a_desktop_without_tray_or_daemon_has_neither() -> None:
    code = "from PySide6.QtWidgets import *; app = QApplication([]); print(QSystemTrayIcon.isSystemTrayAvailable())"
    with DesktopSession(tray="none", notifications="none") as session:
        assert not session.bus_name_has_owner("org.freedesktop.Notifications")
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=session.env,
            capture_output=True,
            timeout=60,
            check=False,
            encoding="utf-8",
        )
    assert done.stdout.strip() == "False", done.stderr


def test_nothing_is_left_behind(program: Path) -> None:
    with DesktopSession(tray="sni") as session:
        folder = session.folder
        pids = [
            session.popen("probe", [sys.executable, program]).pid,
            *(process.pid for process in session._processes.values()),
        ]
        session.wait_for_tray_icon()
    assert not folder.exists()
    assert [pid for pid in pids if is_alive(pid)] == []


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_two_desktops_stand_beside_each_other() -> None:
    with DesktopSession(tray="none") as first, DesktopSession(tray="none") as second:
        assert first.env["DISPLAY"] != second.env["DISPLAY"]
        assert first.env["DBUS_SESSION_BUS_ADDRESS"] != second.env["DBUS_SESSION_BUS_ADDRESS"]


def test_a_program_that_cannot_start_says_so() -> None:
    with DesktopSession(tray="none", notifications="none") as session:
        with pytest.raises(SessionFailed, match="no-such-program"):
            session.run_tool("no-such-program")
        with pytest.raises(SessionFailed, match="no recording services"):
            session.tray_icon()
