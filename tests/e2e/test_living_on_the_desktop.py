"""One real client on a real screen: global keys, lock, mini panel at the edge, windows of their own, the screen saver, autostart."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from build_scripts.desktop_session import DesktopSession
from tests.e2e.test_two_clients import LIST, PASSWORD, TOOLS, Office, Stage
from tests.helpers.remote_client import Refused, RemoteClient

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or any(shutil.which(tool) is None for tool in (*TOOLS, "xdotool")),
        reason="needs Xvfb, D-Bus, openbox, xdotool and gnome-keyring",
    ),
]
WIDTH, HEIGHT = 1440, 900


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One desktop, one backend, one client: the scenes below follow each other on it."""
    folder = tmp_path_factory.mktemp("living")
    office = Office(folder)
    with DesktopSession(tray="sni", notifications="recorder", keyring=True, size=(WIDTH, HEIGHT)) as session:
        stage = Stage(session, office, folder)
        stage.client("linyuan")
        yield stage
        if not stage.done:
            stage.keep_evidence("living_on_the_desktop")
        for client in stage.clients:
            client.drop()
    office.stop()


@pytest.fixture
def lin(stage: Stage) -> RemoteClient:
    return stage.clients[0]


def shown(client: RemoteClient, name: str) -> bool:
    try:
        client.do("state", name=name)
    except Refused:
        return False
    return True


def rect(client: RemoteClient, name: str) -> list[int]:
    found: dict[str, Any] = client.do("state", name=name)
    return list(found["rect"])


def choose(stage: Stage, label: str) -> None:
    entry = next(entry for entry in stage.session.tray_menu() if entry.label == label)
    stage.session.choose_from_tray_menu(entry)


def press(stage: Stage, keys: str) -> None:
    stage.session.run_tool("xdotool", "key", keys)


def say_on_bus(stage: Stage, interface: str, signal: str, value: str) -> None:
    path = "/" + interface.replace(".", "/")
    stage.session.run_tool("dbus-send", "--session", path, f"{interface}.{signal}", value)


def test_a_key_pressed_anywhere_hides_and_shows_the_window(stage: Stage, lin: RemoteClient) -> None:
    lin.until(lambda: lin.probe("hotkeys").get("toggle") == "listening", "keys are held")
    lin.until(lambda: lin.probe("active"), "window in front")
    press(stage, "ctrl+alt+w")
    lin.until(lambda: not shown(lin, "mainWindow"), "window away")
    lin.until(lambda: press_until_shown(stage, lin), "window back in front")


def press_until_shown(stage: Stage, lin: RemoteClient) -> bool:
    """Presses again where a press came too soon after the last: those count as one."""
    if not shown(lin, "mainWindow"):
        press(stage, "ctrl+alt+w")
    return bool(lin.probe("active"))


def test_a_locked_screen_makes_away_and_unlocking_brings_back(stage: Stage, lin: RemoteClient) -> None:
    say_on_bus(stage, "org.freedesktop.ScreenSaver", "ActiveChanged", "boolean:true")
    lin.until(lambda: lin.probe("tray")["presence"] == "away", "away")
    say_on_bus(stage, "org.freedesktop.ScreenSaver", "ActiveChanged", "boolean:false")
    lin.until(lambda: lin.probe("tray")["presence"] == "online", "back")


def test_locked_it_shows_nothing_until_the_password_is_right(stage: Stage, lin: RemoteClient) -> None:
    choose(stage, "锁定")
    lin.until(lambda: shown(lin, "lockWindow") and not shown(lin, "mainWindow"), "locked")
    assert {"设置", "打开面板", "锁定"}.isdisjoint(entry.label for entry in stage.session.tray_menu())
    press(stage, "ctrl+alt+z")  # asks for the newest unread: the lock answers
    lin.do("type", name="lockPassword", text="wrong")
    lin.click("lockOpen")
    lin.until(lambda: shown(lin, "密码不对，请再试一次。"), "refused")
    assert not shown(lin, "mainWindow")
    lin.until(lambda: lin.do("state", name="lockOpen")["enabled"], "to be tried again")
    lin.do("type", name="lockPassword", text=PASSWORD)
    lin.click("lockOpen")
    lin.until(lambda: shown(lin, "mainWindow") and not shown(lin, "lockWindow"), "open again")


def test_the_panel_hides_at_the_edge_and_slides_out(stage: Stage, lin: RemoteClient) -> None:
    choose(stage, "打开面板")
    lin.until(lambda: shown(lin, "miniPanel"), "panel")
    left, top, width, _ = rect(lin, "miniPanel")
    move = ["xdotool", "mousemove", str(left + 60), str(top + 66), "mousedown", "1"]
    stage.session.run_tool(
        *move, "mousemove", str(left + 120), str(top + 90), "mousemove", str(WIDTH - width + 70), str(top + 120)
    )
    stage.session.run_tool("xdotool", "mouseup", "1")
    lin.until(lambda: lin.probe("panel_edge") == "right", "docked")
    stage.session.run_tool("xdotool", "mousemove", "200", "500", "click", "1")
    lin.until(lambda: rect(lin, "panelStrip"), "hidden but for a strip")
    lin.until(
        lambda: sum(rect(lin, "panelStrip")[::2]) == WIDTH, "the strip at the edge"
    )  # the window manager puts it there
    left, top, _, height = rect(lin, "panelStrip")
    assert not shown(lin, "miniPanel")
    stage.session.run_tool("xdotool", "mousemove", str(left + 1), str(top + height // 2))
    lin.until(lambda: rect(lin, "miniPanel")[0] + width == WIDTH, "out again")
    assert not shown(lin, "panelStrip")


def test_windows_of_their_own_and_the_panel_stand_again_after_a_restart(stage: Stage, lin: RemoteClient) -> None:
    lin.do("click", name="rail.messages")
    lin.until(lambda: lin.do("click_row", name=LIST, text="张敏") is None, "first click")
    lin.do("click_row", name=LIST, text="张敏", double=True)
    talk = lin.until(lambda: lin.probe("talk_windows"), "a window of its own")
    assert lin.quit() == 0
    stage.start(lin)
    lin.until(lambda: lin.probe("talk_windows") == talk, "the window stands again")
    lin.until(lambda: shown(lin, "miniPanel"), "the panel too")


def test_two_accounts_each_with_its_own_store(stage: Stage, lin: RemoteClient) -> None:
    choose(stage, "登录其他账号…")
    lin.until(lambda: lin.probe("screen") == "login", "login window")
    lin.do("press", name="login.account", keys="Ctrl+A")
    lin.do("type", name="login.account", text="zhangmin", at_once=True)
    lin.do("type", name="login.password", text=PASSWORD)
    lin.click("login.submit")
    lin.until(lambda: lin.probe("screen") == "main" and lin.probe("status") == "live", "the other account", 40)
    other = lin.probe("me")
    mine = lin.until(
        lambda: [e.label for e in stage.session.tray_menu() if e.label.startswith("林远 · linyuan@")], "entry"
    )
    folders = list((stage.folder / "linyuan" / "data" / "accounts").iterdir())
    assert len(folders) == 2
    assert all((folder / "store.db").exists() for folder in folders)
    choose(stage, mine[0])
    lin.until(lambda: lin.probe("screen") == "main" and lin.probe("me") != other, "back without a password", 40)


def test_autostart_is_the_systems_own_entry(stage: Stage, lin: RemoteClient) -> None:
    entry = Path(stage.session.env["XDG_CONFIG_HOME"]) / "autostart" / "tongban.desktop"
    lin.do("click", name="rail.settings")
    lin.click("settings.autostart")
    lin.until(entry.exists, "entry")
    assert "--hidden" in entry.read_text("utf-8")
    lin.click("settings.autostart")
    lin.until(lambda: not entry.exists(), "entry gone")
    assert lin.quit() == 0
    stage.done = True
