"""Two real clients, one real backend, a real screen: message, pop-up, reply in place, badge, tray; and with the cable out.

Every client has a data folder of its own and is driven through its control channel with real widget events. On failure the
screen and the clients' logs are kept under out/e2e.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from build_scripts import local_server
from build_scripts.desktop_session import DesktopSession, SessionFailed
from build_scripts.environment import ROOT
from tests.helpers.pinyin import Pinyin, has_pinyin
from tests.helpers.remote_client import RemoteClient

TOOLS = ("Xvfb", "dbus-daemon", "openbox", "trayer", "import", "gnome-keyring-daemon")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or any(shutil.which(tool) is None for tool in TOOLS),
        reason="needs Xvfb, D-Bus, openbox, trayer and gnome-keyring",
    ),
]

PASSWORD = "tongban-demo"
LIST, COMPOSER = "会话列表", "输入消息"
STATUS_S = 40.0


class Office:
    """The backend with the demo office; can be stopped and come back on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.address = self.start()

    def start(self) -> local_server.Address:
        port_file, data, log = self._folder / "port", self._folder / "data", self._folder / "server.log"
        port_file.unlink(missing_ok=True)
        self._process = local_server.start(Path(sys.executable), data, port=self._port, port_file=port_file, log=log)
        address = local_server.wait_until_healthy(self._process, port_file, data, log=log)
        self._port = address.port
        return address

    def stop(self) -> None:
        if self._process is not None:
            local_server.stop(self._process)
            self._process = None


class Stage:
    """Screen, backend and clients of one scene."""

    def __init__(self, session: DesktopSession, office: Office, folder: Path) -> None:
        self.session, self.office, self.folder = session, office, folder
        self.clients: list[RemoteClient] = []
        self.done = False  # set as a scene's last act: a failed one leaves its evidence

    def client(self, login: str) -> RemoteClient:
        """A client of a colleague, signed in and live."""
        made = RemoteClient(self.session, login, self.folder / login)
        self.clients.append(made)
        self.start(made)
        made.until(lambda: made.probe("status") == "live", "live", STATUS_S)
        made.until(lambda: made.probe("conversations") and not made.probe("syncing"), "conversations", STATUS_S)
        return made

    def start(self, client: RemoteClient) -> None:
        address = self.office.address
        client.start("--server", address.url, "--ca", address.ca_file, "--sign-in", client.name, password=PASSWORD)
        client.until(lambda: client.probe("screen") == "main", "main window", STATUS_S)

    def keep_evidence(self, name: str) -> None:
        """What the screen shows and the clients logged, for who looks at the failure."""
        out = ROOT / "out" / "e2e"
        with contextlib.suppress(SessionFailed):
            self.session.screenshot(out / f"{name}.png")
        for client in self.clients:
            (out / f"{name}-{client.name}.log").write_text(self.session.log(client.log_name, 200), encoding="utf-8")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(tmp_path_factory.mktemp("office"))
    yield office
    office.stop()


@pytest.fixture
def stage(request: pytest.FixtureRequest, office: Office, tmp_path: Path) -> Iterator[Stage]:
    with DesktopSession(tray="sni", notifications="recorder", keyring=True) as session:
        stage = Stage(session, office, tmp_path)
        yield stage
        if not stage.done:
            stage.keep_evidence(request.node.name)
        for client in stage.clients:
            client.drop()


def open_conversation(client: RemoteClient, name: str) -> None:
    client.until(lambda: client.do("click_row", name=LIST, text=name) is None, f"row {name}")
    client.until(lambda: client.probe("conversation"), f"conversation {name}")


def send(client: RemoteClient, text: str) -> None:
    client.do("type", name=COMPOSER, text=text)
    client.do("press", name=COMPOSER, keys="Return")


def shown(client: RemoteClient) -> list[str]:
    return [message["text"] for message in client.probe("messages")]


def unread(client: RemoteClient) -> int:
    return int(client.probe("tray")["unread"])


def test_message_pop_up_reply_badge_and_tray(stage: Stage) -> None:
    zhang, lin = stage.client("zhangmin"), stage.client("linyuan")  # the session looks at the newest tray icon
    lin.until(lambda: lin.probe("tray")["available"], "tray")
    before = lin.until(lambda: unread(lin), "unread messages of the demo office")
    lin.do("close_window", name="mainWindow")  # into the tray; the program goes on
    open_conversation(zhang, "林远")

    send(zhang, "材料改好了吗")
    toast = lin.until(lambda: [t for t in lin.probe("toasts") if "材料改好了吗" in t["says"]], "pop-up")[0]
    assert "张敏" in toast["says"]
    lin.until(lambda: unread(lin) == before + 1, "badge")
    icon = stage.session.wait_for_tray_icon(lambda icon: str(before + 1) in icon.tool_tip)
    assert "林远" in icon.tool_tip
    assert not lin.probe("active")

    lin.do("type", name="toastReply", text="好了，马上发您")
    lin.click("toastSend")
    zhang.until(lambda: shown(zhang)[-1:] == ["好了，马上发您"], "reply on the other side")
    lin.until(lambda: not any(t["key"] == toast["key"] for t in lin.probe("toasts")), "pop-up gone")
    after = lin.until(lambda: unread(lin) if unread(lin) <= before else 0, "badge back: a reply counts as having read")

    send(zhang, "收到")
    lin.until(lambda: toast["key"] in lin.probe("tray")["flashing"], "flashing")
    stage.session.click_tray_icon()
    lin.until(lambda: lin.probe("conversation") == toast["key"], "the conversation that flashed")
    lin.until(lambda: lin.probe("active"), "window in front")
    lin.until(lambda: shown(lin)[-1:] == ["收到"], "message shown")
    lin.until(lambda: unread(lin) == after and not lin.probe("tray")["flashing"], "calm again")

    labels = {entry.label: entry for entry in stage.session.tray_menu()}
    stage.session.choose_from_tray_menu(labels["忙碌"])
    lin.until(lambda: lin.probe("tray")["presence"] == "busy", "busy")
    assert {"打开通办", "设置", "退出登录", "退出通办"} <= set(labels)
    stage.session.choose_from_tray_menu(labels["退出通办"])
    assert lin.wait_for_end() == 0
    assert zhang.quit() == 0
    stage.done = True


def test_offline_reading_and_what_was_written_arrives_once_in_order(stage: Stage) -> None:
    zhang, lin = stage.client("zhangmin"), stage.client("linyuan")  # the session looks at the newest tray icon
    open_conversation(lin, "张敏")
    lin.until(lambda: len(shown(lin)) > 3, "history")
    held = shown(lin)
    open_conversation(zhang, "林远")
    assert lin.quit() == 0
    stage.office.stop()
    try:
        stage.start(lin)
        lin.until(lambda: lin.probe("status") in ("offline", "connecting"), "offline")
        lin.until(lambda: lin.probe("conversations"), "conversations from the store")
        open_conversation(lin, "张敏")
        lin.until(lambda: shown(lin)[-3:] == held[-3:], "messages from the store")
        texts = [f"离线写的第{number}条" for number in range(1, 5)]
        for text in texts:
            send(lin, text)
        lin.until(lambda: shown(lin)[-4:] == texts, "pending messages")
        assert {message["delivery"] for message in lin.probe("messages")[-4:]} == {"pending"}
        lin.kill()  # a power cut: what was written is safe
        stage.start(lin)
        open_conversation(lin, "张敏")
        lin.until(lambda: shown(lin)[-4:] == texts, "pending messages after the power cut")
    finally:
        stage.office.start()
    lin.until(lambda: lin.probe("status") == "live", "live again", STATUS_S)
    zhang.until(lambda: zhang.probe("status") == "live", "live again", STATUS_S)
    zhang.until(lambda: shown(zhang)[-4:] == texts, "all of it on the other side", STATUS_S)
    lin.until(lambda: {m["delivery"] for m in lin.probe("messages")[-4:]} == {"sent"}, "marks gone", STATUS_S)
    for client in (lin, zhang):
        assert [text for text in shown(client) if text in texts] == texts
    assert lin.quit() == 0
    assert zhang.quit() == 0
    stage.done = True


def test_second_start_shows_the_running_window(stage: Stage) -> None:
    lin = stage.client("linyuan")
    lin.do("close_window", name="mainWindow")
    folder = stage.folder / "linyuan" / "data"
    argv = [sys.executable, "-m", "desktop", "--data-dir", str(folder), "tongban://page/contacts"]
    done = subprocess.run(argv, env=stage.session.env, cwd=ROOT, timeout=30, check=False)
    assert done.returncode == 0
    lin.until(lambda: lin.probe("page") == "contacts", "page of the link")
    lin.until(lambda: lin.probe("active"), "window in front")
    assert lin.quit() == 0
    stage.done = True


def test_system_notification_when_chosen(stage: Stage) -> None:
    zhang, lin = stage.client("zhangmin"), stage.client("linyuan")  # the session looks at the newest tray icon
    lin.do("preference", name="style", value="system")
    lin.do("close_window", name="mainWindow")
    open_conversation(zhang, "林远")
    send(zhang, "请看一下新的排班表")
    notification = stage.session.wait_for_notification(lambda n: "排班表" in n.body)
    assert "张敏" in notification.summary
    lin.until(lambda: lin.probe("notifications"), "answer of the notification service")  # before it no click is known
    stage.session.invoke(notification)
    lin.until(lambda: shown(lin)[-1:] == ["请看一下新的排班表"], "opened from the notification")
    assert lin.quit() == 0
    assert zhang.quit() == 0
    stage.done = True


def test_tray_icon_survives_a_restart_of_its_host(office: Office, tmp_path: Path) -> None:
    with DesktopSession(tray="xembed", notifications="none", keyring=True) as session:
        stage = Stage(session, office, tmp_path)
        lin = stage.client("linyuan")
        lin.until(lambda: lin.probe("tray")["geometry"][2] > 0, "icon in the tray")
        session.stop_tray()
        lin.until(lambda: not lin.probe("tray")["available"], "tray gone", 20)
        lin.do("close_window", name="mainWindow")
        lin.until(lambda: lin.do("state", name="mainWindow")["minimized"], "in the task bar instead")
        session.start_tray()
        lin.until(lambda: lin.probe("tray")["available"], "tray back", 20)
        lin.until(lambda: lin.probe("tray")["geometry"][2] > 0, "icon again")
        assert lin.quit() == 0
        session.stop_tray()  # as at the start of the computer: the tray comes after the client
        lin.start("--hidden", "--ca", office.address.ca_file, "--server", office.address.url)
        lin.until(lambda: lin.probe("screen") == "main", "signed in", STATUS_S)
        assert lin.do("find", name="mainWindow") == []
        session.start_tray()
        lin.until(lambda: lin.probe("tray")["geometry"][2] > 0, "icon in the late tray", 20)
        assert lin.do("find", name="mainWindow") == []
        assert lin.quit() == 0


def test_quitting_by_signal_ends_in_order(stage: Stage) -> None:
    lin = stage.client("linyuan")
    assert lin.process is not None
    started = time.monotonic()
    os.kill(lin.process.pid, signal.SIGTERM)
    assert lin.wait_for_end() == 0
    assert time.monotonic() - started < 8
    stage.done = True


@pytest.mark.skipif(not has_pinyin(), reason="needs fcitx5 with pinyin, and xdotool")
def test_a_sentence_is_typed_in_pinyin_and_sent(stage: Stage) -> None:
    """Keys go to the X server, fcitx5 makes words of them, the message arrives as they are."""
    pinyin = Pinyin(stage.session)
    lin = stage.client("linyuan")
    open_conversation(lin, "张敏")
    lin.click(COMPOSER)
    lin.until(pinyin.turn_on, "pinyin")
    said = ""
    for letters, words in (("nihao", "你好"), ("women", "我们"), ("kaihui", "开会")):
        pinyin.type(letters)
        said += words
        lin.until(lambda wanted=said: lin.do("state", name=COMPOSER)["text"] == wanted, f"{said} in the box")
    stage.session.run_tool("xdotool", "key", "Return")
    lin.until(lambda: shown(lin)[-1:] == [said], "the message")
    stage.done = True
