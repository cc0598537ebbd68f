"""Start and end: the command line, the environment, the crash border, the watchdog."""

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app.crash import CrashBorder
from desktop.app.options import parse_options
from desktop.app.watchdog import Watchdog
from desktop.platform.environment import prepare_environment


def test_password_comes_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("P", "geheim")
    options = parse_options(["--data-dir", str(tmp_path), "--sign-in", "linyuan", "--password-env", "P"])
    assert (options.sign_in, options.password) == ("linyuan", "geheim")
    assert "geheim" not in repr(options)
    assert parse_options([]).password is None


def test_links_and_files_are_taken(tmp_path: Path) -> None:
    options = parse_options(["--data-dir", str(tmp_path), "tongban://notice/n1", "a.pdf"])
    assert options.links == ("tongban://notice/n1", str(Path("a.pdf").absolute()))


def test_wrong_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_options(["--theme", "pink"])
    assert caught.value.code == 2
    assert "--theme" in capsys.readouterr().err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="input method modules are a Linux matter")
def test_input_methods_are_named_unless_the_user_did() -> None:
    environ: dict[str, str] = {}
    prepare_environment(environ)
    assert environ["QT_IM_MODULES"] == "fcitx;ibus"
    environ = {"QT_IM_MODULES": "mine"}
    prepare_environment(environ)
    assert environ["QT_IM_MODULES"] == "mine"


def test_fractional_scales_are_not_rounded() -> None:
    """In a process of its own: the policy is set before the application exists."""
    code = (
        "from PySide6.QtGui import QGuiApplication; from desktop.platform.environment import prepare_application;"
        "prepare_application(); print(QGuiApplication.highDpiScaleFactorRoundingPolicy().name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "PassThrough"


def test_test_only_parts_are_not_even_loaded_in_a_real_start() -> None:
    """The control channel is inert without its variable: its code is not imported, and neither is what only some pages need."""
    unwanted = [
        "PySide6.QtTest",
        "desktop.app.control",
        "desktop.app.probes",
        "PySide6.QtPdf",
        "desktop.ui.office.page",
        "httpx",  # these three come with the first connection, after the first paint
        "websockets",
        "cryptography.x509",
        "PIL",
        "keyring",
        "desktop.ui.chat.pane",
    ]
    code = f"import sys, desktop.app.lifecycle; print([name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_crash_is_logged_once_and_shown_by_its_id(caplog: pytest.LogCaptureFixture) -> None:
    shown: list[str] = []
    border = CrashBorder(shown.append)
    border.install()
    try:
        with caplog.at_level(logging.CRITICAL, "tongban.crash"):
            try:
                raise ValueError("a bug")
            except ValueError as error:
                sys.excepthook(ValueError, error, error.__traceback__)
    finally:
        border.remove()
    assert len(caplog.records) == 1
    assert shown == [border.last_id]
    assert shown[0] in caplog.text
    assert "a bug" in caplog.text


def test_crash_on_another_thread_is_caught_too(caplog: pytest.LogCaptureFixture) -> None:
    shown: list[str] = []
    border = CrashBorder(shown.append)
    border.install()
    try:
        with caplog.at_level(logging.CRITICAL, "tongban.crash"):
            thread = threading.Thread(target=lambda: int("no number"))
            thread.start()
            thread.join()
    finally:
        border.remove()
    assert len(shown) == 1


def test_interrupt_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    border = CrashBorder(lambda _: pytest.fail("shown"))
    border.on_exception(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not caplog.records


def test_watchdog_names_what_blocked_the_screen(
    qapp: QApplication, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    watchdog = Watchdog()
    watchdog.start()
    qtbot.wait(50)
    watchdog.blocks.clear()
    with caplog.at_level(logging.WARNING, "tongban.watchdog"):
        block_the_screen(0.3)
        qtbot.wait(30)
    watchdog.stop()
    assert any("block_the_screen" in stack for _, stack in watchdog.blocks)


def block_the_screen(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        threading.Event().wait(0.01)
