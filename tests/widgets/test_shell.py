"""The frame: each failure of signing in says its own sentence; the main window makes pages late, hides on close, tells about the cable."""

import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.core.domain import ConnectionState, KnownAccount, Presence
from desktop.core.errors import (
    AccountDisabled,
    AppError,
    DeviceRevoked,
    InvalidCredentials,
    Locked,
    StorageUnavailable,
    StoreDamaged,
    StoreTooNew,
    Unreachable,
    UntrustedServer,
    WrongStoreKey,
)
from desktop.platform.autostart import AutostartFailed, SetAutostart
from desktop.platform.policy import Policy
from desktop.ui.i18n import tr
from desktop.ui.shell.login import BadAddress, LoginWindow, server_address
from desktop.ui.shell.main_window import MainWindow
from desktop.ui.shell.rail import RailButton
from desktop.ui.shell.trust_pane import grouped
from desktop.ui.shell.ui_state import UiState
from tests.helpers.fake_session import FakeClock, FakeSession
from tests.helpers.stage import play, press, settle, until

SERVER = "https://oa.example.gov:8460"
LIN = KnownAccount("linyuan", SERVER, "linyuan", "林远", 2, True)
ZHANG = KnownAccount("zhangmin", SERVER, "zhangmin", "张敏", 1, False)


class Gate:
    """The core's front door in memory."""

    def __init__(self, *accounts: KnownAccount) -> None:
        self.known = list(accounts)
        self.failures: list[Exception] = []
        self.asked: list[tuple[object, ...]] = []

    def accounts(self) -> list[KnownAccount]:
        return self.known

    async def sign_in(self, server: str, login: str, password: str, *, remember: bool) -> Any:
        self.asked.append(("sign_in", server, login, password, remember))
        return self._answer()

    async def resume(self, account: KnownAccount, password: str | None = None) -> Any:
        self.asked.append(("resume", account.id, password))
        return self._answer()

    def _answer(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "session"

    async def forget(self, account_id: str) -> None:
        self.asked.append(("forget", account_id))
        self.known = [a for a in self.known if a.id != account_id]

    def approve(self, server: str, fingerprint: str) -> None:
        self.asked.append(("approve", server, fingerprint))


def opened(gate: Gate, **more: str) -> tuple[LoginWindow, list[object]]:
    """The window on a gate, and where sessions arrive."""
    sessions: list[object] = []
    window = LoginWindow(gate, **more)
    window.signed_in.connect(sessions.append)
    window.show()
    return window, sessions


def test_signs_in_with_what_was_entered() -> None:
    async def scene() -> None:
        gate = Gate()
        window, sessions = opened(gate)
        assert window.server.isVisible()
        window._account_edit().setText("linyuan")
        window.server.setText("oa.example.gov")
        window.server.textEdited.emit("oa.example.gov")
        window.password.setText("secret")
        press(window.password, Qt.Key.Key_Return)
        await until(lambda: sessions == ["session"])
        assert gate.asked == [("sign_in", SERVER, "linyuan", "secret", True)]
        assert window.password.text() == ""

    play(scene())


class Entry:
    """Autostart of a system that takes it once and then refuses."""

    def __init__(self) -> None:
        self.on = False

    def is_on(self) -> bool:
        return self.on

    def set_on(self, on: bool) -> None:
        if self.on:
            raise AutostartFailed("read-only")
        self.on = on


def test_what_the_administrator_set_cannot_be_typed_over() -> None:
    async def scene() -> None:
        gate = Gate()
        policy = Policy(server=SERVER, autostart=True)
        window = LoginWindow(gate, server=SERVER, autostart=SetAutostart(Entry(), True), policy=policy)
        window.show()
        window.gear.setChecked(True)
        assert window.server.isVisible()
        assert window.server.isReadOnly()
        assert tr("policy.by_admin") in window.address.text()
        assert (window.autostart.isChecked(), window.autostart.isEnabled()) == (True, False)
        gate.known = [
            KnownAccount("a1", server, "linyuan", "", last_used=0)
            for server in ("https://elsewhere.example.gov:8460", SERVER)
        ]
        window._load(SERVER, "")
        assert [account.server for account in window._accounts] == [SERVER]

    play(scene())


def test_starting_with_the_computer_is_asked_of_the_system() -> None:
    async def scene() -> None:
        window = LoginWindow(Gate(), autostart=Entry())
        window.show()
        box = window.autostart
        box.click()
        assert (box.isVisible(), box.isChecked(), window.problem.isVisible()) == (True, True, False)
        box.click()
        assert (box.isChecked(), "read-only" in window.problem_text.text()) == (True, True)
        assert not opened(Gate())[0].autostart.isVisible()

    play(scene())


def test_a_remembered_account_needs_no_password() -> None:
    async def scene() -> None:
        gate = Gate(LIN, ZHANG)
        window, sessions = opened(gate)
        assert window.login == "linyuan"
        assert window.device.text() == "此设备已绑定"
        window.submit.click()
        await until(lambda: bool(sessions))
        assert gate.asked == [("resume", "linyuan", None)]

    play(scene())


def test_choosing_another_account_shows_its_face_and_server() -> None:
    async def scene() -> None:
        window, _ = opened(Gate(LIN, ZHANG))
        window.account.activated.emit(1)
        assert window.login == "zhangmin"
        assert window.avatar.accessibleName() == "张敏"
        assert window.address.text() == "oa.example.gov ・ TLS 加密"

    play(scene())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidCredentials(), "用户名或密码不正确"),
        (InvalidCredentials(type="passwordNeeded"), "请输入密码，打开本机"),
        (Locked(retry_after=299), "4:59"),
        (AccountDisabled(), "已停用"),
        (DeviceRevoked(), "已被注销"),
        (Unreachable(server=SERVER), "可以先离线打开"),
        (WrongStoreKey(), "密码与保存时不一致"),
        (StoreDamaged(), "已损坏"),
        (StoreTooNew(), "升级程序"),
        (StorageUnavailable(reason="disk"), "磁盘已满"),
        (AppError(), "没有完成"),
    ],
)
def test_each_failure_says_its_own_sentence_and_leaves_the_form_ready(error: AppError, words: str) -> None:
    async def scene() -> None:
        gate = Gate(LIN)
        gate.failures = [error]
        window, sessions = opened(gate)
        window.password.setText("x")
        window.start()
        await until(window.problem.isVisible)
        assert words in window.problem_text.text()
        assert window.account.isEnabled()
        assert window.submit.isEnabled() is not isinstance(error, Locked)
        assert window.offline.isVisible() is isinstance(error, Unreachable)
        assert window.forget.isVisible() is isinstance(error, WrongStoreKey | StoreDamaged)
        assert not sessions
        window.close()

    play(scene())


def test_the_lock_counts_down_and_ends() -> None:
    async def scene() -> None:
        gate = Gate(LIN)
        gate.failures = [Locked(retry_after=2)]
        window, _ = opened(gate)
        window.password.setText("x")
        window.start()
        await until(window.problem.isVisible)
        assert window.submit.text() == "请等待 0:02"
        window._on_second()
        assert window.submit.text() == "请等待 0:01"
        window._on_second()
        assert window.submit.isEnabled()
        assert "现在可以" in window.problem_text.text()
        window.close()

    play(scene())


def test_a_known_account_opens_offline_with_its_password() -> None:
    async def scene() -> None:
        gate = Gate(ZHANG)
        gate.failures = [Unreachable(server=SERVER)]
        window, sessions = opened(gate)
        window.password.setText("secret")
        window.start()
        await until(window.offline.isVisible)
        window.offline.click()
        await until(lambda: bool(sessions))
        assert gate.asked[-1] == ("resume", "zhangmin", "secret")

    play(scene())


def test_a_changed_certificate_shows_both_prints_and_takes_two_steps_to_trust() -> None:
    async def scene() -> None:
        gate = Gate(ZHANG)
        gate.failures = [UntrustedServer(server=SERVER, fingerprint="ab" * 32, known="cd" * 32)]
        window, sessions = opened(gate)
        window.password.setText("secret")
        window.start()
        await until(lambda: window.stack.currentWidget() is window.trust)
        assert window.trust.shown.text() == grouped("ab" * 32)
        assert window.trust.known.text() == grouped("cd" * 32)
        window.trust.accept.click()
        await settle()
        assert not sessions
        window.trust.checked.setChecked(True)
        window.trust.accept.click()
        await until(lambda: bool(sessions))
        assert ("approve", SERVER, "ab" * 32) in gate.asked
        assert [a[0] for a in gate.asked] == ["sign_in", "approve", "sign_in"]

    play(scene())


def test_distrust_leads_back_and_asks_nothing() -> None:
    async def scene() -> None:
        gate = Gate(ZHANG)
        gate.failures = [UntrustedServer(server=SERVER, fingerprint="ab" * 32)]
        window, _ = opened(gate)
        window.password.setText("secret")
        window.start()
        await until(lambda: window.stack.currentWidget() is window.trust)
        assert window.trust.known.text() == "没有记录"
        window.trust.back.click()
        assert window.stack.currentIndex() == 0
        assert len(gate.asked) == 1
        window.close()

    play(scene())


def test_what_is_missing_is_said_before_anyone_is_asked() -> None:
    async def scene() -> None:
        gate = Gate()
        window, _ = opened(gate)
        for setup, words in (
            (lambda: None, "请输入用户名"),
            (lambda: window._account_edit().setText("a"), "服务器地址"),
            (lambda: window.server.setText("ftp://x"), "服务器地址不对"),
            (lambda: (window.server.setText("x.gov"), window.server.textEdited.emit("x.gov")), "请输入密码"),
        ):
            setup()
            window.start()
            assert words in window.problem_text.text()
        assert gate.asked == []
        window.close()

    play(scene())


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("oa.example.gov", "https://oa.example.gov:8460"),
        (" https://oa.example.gov:9000/ ", "https://oa.example.gov:9000"),
        ("127.0.0.1:8460", "https://127.0.0.1:8460"),
        ("[::1]:9", "https://[::1]:9"),
    ],
)
def test_addresses_as_people_type_them(typed: str, address: str) -> None:
    assert server_address(typed) == address


@pytest.mark.parametrize(
    "typed", ["", "http://oa", "https://", "a b", "https://u@h", "https://h/path", "h:99999", "://", "[::1"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(BadAddress):
        server_address(typed)


def window_of(session: FakeSession, state: UiState | None = None) -> tuple[MainWindow, list[str]]:
    """A main window with three pages, and which of them were made."""
    made: list[str] = []

    class Page(QWidget):
        def __init__(self, key: str) -> None:
            super().__init__()
            made.append(key)
            self.opened: list[str] = []

        def open_notice(self, notice_id: str) -> None:
            self.opened.append(notice_id)

    window = MainWindow(session, state or UiState())
    for key, icon in (("messages", "chat-circle-dots"), ("contacts", "users"), ("workbench", "squares-four")):
        window.add_page(
            key, icon, f"shell.{key}", lambda key=key: Page(key), opens=("notice",) if key == "workbench" else ()
        )
    return window, made


def test_pages_are_made_when_first_shown_and_the_last_one_is_remembered(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "ui.json"
        window, made = window_of(FakeSession(), UiState(path))
        window.start()
        assert made == ["messages"]
        window.rail.findChild(RailButton, "rail.contacts").click()
        assert made == ["messages", "contacts"]
        window.open_page("nowhere")
        assert window.current_page == "contacts"
        window.close_for_good()
        again, made = window_of(FakeSession(), UiState(path))
        again.start()
        assert made == ["contacts"]
        again.close_for_good()

    play(scene())


def test_what_a_page_needs_is_loaded_when_the_mouse_comes_near_and_the_page_only_with_the_click(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needed_by_a_page.py").write_text("loaded = 1", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    async def scene() -> None:
        window, made = window_of(FakeSession())
        window.add_page("calendar", "calendar", "shell.workbench", QWidget, module="needed_by_a_page")
        window.start()
        assert "needed_by_a_page" not in sys.modules
        button = window.rail.findChild(RailButton, "rail.calendar")
        QApplication.sendEvent(button, QEnterEvent(QPointF(1, 1), QPointF(1, 1), QPointF(1, 1)))
        await until(lambda: "needed_by_a_page" in sys.modules, "the module")
        assert window.page("calendar") is None
        assert made == ["messages"]
        window.close_for_good()

    try:
        play(scene())
    finally:
        sys.modules.pop("needed_by_a_page", None)


def test_geometry_is_remembered_and_a_damaged_memory_is_no_harm(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "ui.json"
        window, _ = window_of(FakeSession(), UiState(path))
        window.show()
        window.resize(780, 520)
        window.close_for_good()
        again, _ = window_of(FakeSession(), UiState(path))
        assert (again.width(), again.height()) == (780, 520)
        again.close_for_good()
        path.write_text("{broken", "utf-8")
        fresh, _ = window_of(FakeSession(), UiState(path))
        assert (fresh.width(), fresh.height()) == (1160, 748)
        fresh.close_for_good()

    play(scene())


def test_closing_hides_and_tells_so() -> None:
    async def scene() -> None:
        window, _ = window_of(FakeSession())
        hidden: list[int] = []
        window.hidden.connect(lambda: hidden.append(1))
        window.show()
        window.close()
        assert hidden == [1]
        assert not window.isVisible()
        window.come_forward()
        assert window.isVisible()
        window.close_for_good()

    play(scene())


def test_the_navigator_makes_the_page_it_needs() -> None:
    async def scene() -> None:
        window, made = window_of(FakeSession())
        window.start()
        window.open_notice("n1")
        assert made == ["messages", "workbench"]
        assert window.page("workbench").opened == ["n1"]  # type: ignore[union-attr]
        window.open_document("d1")
        assert window.current_page == "workbench"
        window.close_for_good()

    play(scene())


def test_badges_and_keys_of_the_rail() -> None:
    async def scene() -> None:
        window, _ = window_of(FakeSession())
        window.start()
        window.show()
        window.set_badge("messages", 120)
        assert window.rail.badge("messages") == "99+"
        assert window.rail.findChild(RailButton, "rail.messages").accessibleName() == "消息，120 条未读"
        window.activateWindow()
        await settle()
        press(window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
        assert window.current_page == "contacts"
        window.close_for_good()

    play(scene())


def test_the_strip_tells_about_the_cable_and_what_happens_to_the_work() -> None:
    clock = FakeClock()

    async def scene() -> None:
        session = FakeSession(clock=clock)
        window, _ = window_of(session)
        retried: list[int] = []
        again: list[int] = []
        window.retry_asked.connect(lambda: retried.append(1))
        window.sign_in_asked.connect(lambda: again.append(1))
        window.show()
        assert not window.banner.isVisible()
        session.go(ConnectionState.OFFLINE, retry_at=clock.now + 12_000)
        assert "已保存到发件箱" in window.banner.text.text()
        assert "12 秒后重试" in window.banner.text.text()
        assert "离线" in window.rail.avatar.accessibleName()
        window.banner.action.click()
        session.go(ConnectionState.CONNECTING)
        assert "正在连接" in window.banner.text.text()
        session.go(ConnectionState.LIVE)
        assert not window.banner.isVisible()
        session.go(ConnectionState.CONNECTING)
        assert not window.banner.isVisible()
        session.go(ConnectionState.FAILED, detail="accountDisabled")
        assert "已停用" in window.banner.text.text()
        window.banner.action.click()
        assert (retried, again) == ([1], [1])
        window.close_for_good()

    play(scene(), clock=clock)


def test_the_face_offers_status_and_sign_out() -> None:
    async def scene() -> None:
        session = FakeSession()
        window, _ = window_of(session)
        chosen: list[Presence] = []
        window.presence_chosen.connect(chosen.append)
        left: list[int] = []
        window.sign_out_asked.connect(lambda: left.append(1))
        actions = {action.text(): action for action in window.rail.menu().actions() if action.text()}
        actions[tr("presence.dnd")].trigger()
        actions["退出登录"].trigger()
        assert chosen == [Presence.DND]
        assert left == [1]
        session.presence.tell({"linyuan": Presence.BUSY})
        assert "忙碌" in window.rail.avatar.accessibleName()
        window.close_for_good()

    play(scene())
