"""Help → Diagnose on the screen: the window, the checks of the desktop, a report that holds no secret, the word after a crash."""

import ast
import asyncio
import json
import logging
import subprocess
import sys
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from desktop.app.bridge import Bridge
from desktop.app.crash import CrashBorder
from desktop.app.crash_log import Crash, CrashLog
from desktop.app.diagnosis import DiagnosisDesk
from desktop.app.diagnosis_screen import SCREEN_CHECKS, ScreenChecks, ScreenSenses
from desktop.app.logs import start_logging
from desktop.core.clock import SystemClock
from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain.diagnosis import Finding, FindingState
from desktop.core.errors import StorageUnavailable
from desktop.core.net.proxy import Proxy, ProxyKind
from desktop.core.services.client import Client
from desktop.core.services.diagnosis import CORE_CHECKS
from desktop.core.services.log_excerpt import plain
from desktop.ui import i18n
from desktop.ui.crash_report import CrashReportWindow
from desktop.ui.diagnosis import words
from desktop.ui.diagnosis.window import DiagnosisWindow
from tests.helpers.core_server import ROOT
from tests.helpers.stage import application, play, until

MAKERS = (
    "desktop/core/services/diagnosis.py",
    "desktop/core/services/session_checks.py",
    "desktop/app/diagnosis_screen.py",
)
SECRETS = {
    "password": "Gartenzaun-7!",
    "proxy password": "pr0xy:Geheim/9",
    "token": "eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl",
    "key": "9f" * 32,
    "message": "明早九点在老地方见",
    "file": "干部任免名单.docx",
    "quoted": "the budget is 4711 million",
    "login": "zhang.san@office",
}


class FakeVerbs:
    """Answers what it is told; a check that is named in `stuck` never ends."""

    def __init__(self, findings: Sequence[Finding], stuck: str = "") -> None:
        self._findings = {one.check: one for one in findings}
        self._stuck = stuck
        self.names = tuple(self._findings)
        self.asked: list[str] = []
        self.acted: list[str] = []
        self.sent: list[int] = []
        self.acts: dict[str, Callable[[], Awaitable[str] | None]] = {"proxy": lambda: self.acted.append("proxy")}

    async def check(self, name: str) -> Finding:
        self.asked.append(name)
        if name == self._stuck:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return self._findings[name]

    @property
    def send(self) -> Callable[[Sequence[Finding]], Awaitable[bool]]:
        async def send(findings: Sequence[Finding]) -> bool:
            self.sent.append(len(findings))
            return True

        return send

    def text(self, findings: Sequence[Finding]) -> str:
        return words.as_text("2026-11-22", {"system": "x"}, findings)

    async def save(self, findings: Sequence[Finding], path: Path) -> None:
        raise StorageUnavailable(reason="disk")

    def file_name(self) -> str:
        return "report.zip"


GOOD = Finding("network", FindingState.OK, "ok", {"host": "oa.example", "address": "10.0.0.1"})
BLOCKED = Finding("socket", FindingState.FAILED, "blocked", {"status": "http426"}, "proxy")
CLOCK = Finding("clock", FindingState.OK, "ok", {"seconds": 1})


def test_it_looks_at_one_thing_after_the_other_and_says_what_to_do() -> None:
    async def scene() -> None:
        verbs = FakeVerbs([GOOD, BLOCKED, CLOCK])
        window = DiagnosisWindow(verbs)
        window.show()
        window.start()
        assert not window.save.isEnabled()
        await until(lambda: not window.tasks.running("run"))
        assert verbs.asked == ["network", "socket", "clock"]
        assert window.summary.text() == i18n.tr("diagnosis.summary.failed", n=1)
        row = window.rows["socket"]
        assert "Upgrade" in row.cure.text()
        assert row.cure.isVisible()
        assert row.accessibleName().startswith("实时连接 有问题")
        row.act.click()
        assert verbs.acted == ["proxy"]
        assert not window.rows["clock"].act.isVisible()
        assert window.save.isEnabled()
        window.copy.click()
        assert "oa.example" in application().clipboard().text()
        window.send.click()
        await until(lambda: verbs.sent == [3])
        i18n.set_language("en")
        assert row.name.text() == "Live connection"
        assert "1 s apart" in window.rows["clock"].told.text()

    play(scene())


def test_a_check_that_hangs_ends_and_the_rest_can_be_stopped() -> None:
    async def scene() -> None:
        window = DiagnosisWindow(FakeVerbs([GOOD, BLOCKED, CLOCK], stuck="socket"), limits={"socket": 0.05})
        window.start()
        await until(lambda: not window.tasks.running("run"))
        assert [one.reason for one in window.findings] == ["ok", "timeout", "ok"]
        waits = DiagnosisWindow(FakeVerbs([GOOD, BLOCKED, CLOCK], stuck="socket"), limits={})
        waits.start()
        await until(lambda: bool(waits.findings))
        waits.again.click()
        await until(lambda: not waits.tasks.running("run"))
        assert waits.findings == [waits.rows["network"].finding]
        assert waits.summary.text() == i18n.tr("diagnosis.stopped", done=1)
        assert waits.rows["socket"].state.text() == i18n.tr("diagnosis.state.waiting")

    play(scene())


def made_findings() -> set[tuple[str, str]]:
    """Every check and reason that stands in the code as `Finding("check", state, "reason"`; names in a choice count, too."""
    found: set[tuple[str, str]] = set()
    for path in MAKERS:
        for call in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "Finding":
                continue
            check, given = call.args[0], call.args[2]
            sides = (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,)
            if isinstance(check, ast.Constant):
                found |= {(str(check.value), str(one.value)) for one in sides if isinstance(one, ast.Constant)}
    return found


def test_everything_it_can_find_has_its_sentence() -> None:
    computed = {("tls", one) for one in ("expired", "not_yet", "wrong_name", "changed", "unknown")}
    computed |= {("store", one) for one in ("damaged", "wrong_key", "too_new", "in_use", "unreadable")}
    computed |= {("clock", one) for one in ("ok", "little_fast", "little_behind")}
    computed |= {("proxy", one) for one in ("unreachable", "auth", "refused", "target", "protocol", "address")}
    computed |= {("sign_in", one) for one in ("authExpired", "deviceRevoked", "accountDisabled")}
    computed |= {(kind, one) for kind in ("camera", "microphone") for one in ("ok", "none", "denied")}
    made = made_findings() | computed
    assert len(made) > 60
    missing = {
        (check, reason)
        for check, reason in made
        if not i18n.has(f"diagnosis.{check}.{reason}") and not i18n.has(f"diagnosis.any.{reason}")
    }
    assert missing == set()
    assert all(i18n.has(f"diagnosis.{check}") for check in (*CORE_CHECKS, *SCREEN_CHECKS))


def test_what_the_desktop_lacks() -> None:
    application()
    bare = ScreenChecks(
        ScreenSenses(
            has_tray=lambda: False, notifier=lambda: None, devices=lambda _kind: 0,
            denied=lambda kind: kind == "camera", channel=lambda: "off",
        )
    )  # fmt: skip
    found = {name: bare.check(name) for name in SCREEN_CHECKS}
    assert {name: (one.state.value, one.reason) for name, one in found.items()} == {
        "tray": ("attention", "none"),
        "notifications": ("attention", "none"),
        "camera": ("failed", "denied"),
        "microphone": ("attention", "none"),
        "display": ("attention", "blind"),  # the tests' own platform
        "version": ("ok", "no_updates"),
    }
    rich = ScreenSenses(
        has_tray=lambda: True, notifier=lambda: "Plasma", devices=lambda _kind: 2, denied=lambda _kind: False
    )
    full = ScreenChecks(rich)
    assert {full.check(name).reason for name in SCREEN_CHECKS if name != "display"} == {"ok"}
    assert words.told(full.check("notifications")) == i18n.tr("diagnosis.notifications.ok", server="Plasma")
    for one in found.values():
        assert "{" not in words.told(one) + words.cure(one)


def test_the_report_holds_no_secret(tmp_path: Path) -> None:
    """Secrets are put wherever the program has them: keychain, proxy, store, log, stacks; the whole report is searched."""
    root = logging.getLogger()
    before = list(root.handlers)
    start_logging(tmp_path, debug=False)
    log = logging.getLogger("tongban.test")
    try:
        for name, secret in SECRETS.items():
            log.warning("could not use %s '%s'", name, secret)
            log.warning("%s: %r", name, secret)
            try:
                raise KeyError(secret)
            except KeyError:
                log.exception("a bug with %s", Path("/home/zhang.san") / secret)
        log.warning("no answer from %s", SECRETS["token"])
        log.warning("file=%s key=%s", SECRETS["file"], SECRETS["key"])
        logging.getLogger("other.library").warning("GET %s", SECRETS["quoted"])
    finally:
        for handler in set(root.handlers) - set(before):
            root.removeHandler(handler)
            handler.close()

    async def scene() -> None:
        bridge = Bridge()
        bridge.start()
        keychain = MemoryKeychain()
        secret = Proxy(ProxyKind.HTTP, "127.0.0.1", 9, SECRETS["login"], SECRETS["proxy password"])
        client = await bridge.call(Client.open(tmp_path, keychain=keychain, proxy=secret))
        keychain.save("account/x", SECRETS["key"].encode())
        (tmp_path / SECRETS["file"]).write_text(SECRETS["message"])
        desk = DiagnosisDesk(
            bridge, tmp_path, SystemClock(), lambda: client.diagnosis("https://127.0.0.1:9"), ScreenSenses()
        )
        assert desk.send is None
        findings = [await desk.check(name) for name in desk.names if name not in ("camera", "microphone")]
        assert {one.check: one.reason for one in findings}["proxy"] == "unreachable"
        path = tmp_path / desk.file_name()
        await desk.save(findings, path)
        with zipfile.ZipFile(path) as archive:
            assert sorted(archive.namelist()) == ["diagnosis.json", "diagnosis.txt", "log.txt"]
            texts = {name: archive.read(name).decode() for name in archive.namelist()}
        assert json.loads(texts["diagnosis.json"])["findings"][1]["reason"] == "unreachable"
        assert "tongban.test" in texts["log.txt"]
        assert "KeyError" in texts["log.txt"]
        assert "tests" not in texts["log.txt"] or "test_diagnosis.py" in texts["log.txt"]
        whole = "\n".join([*texts.values(), desk.text(findings)])
        told = {name: secret for name, secret in SECRETS.items() if secret in whole}
        assert told == {}
        for fragment in ("Gartenzaun", "Geheim", "老地方", "任免", "budget", "4711", "zhang"):
            assert fragment not in whole
        with pytest.raises(StorageUnavailable):
            await desk.save(findings, tmp_path / "nowhere" / "x.zip")
        await bridge.call(client.close())
        assert await bridge.close()

    play(scene())


def test_what_stays_of_a_sentence_of_the_log() -> None:
    assert plain("internal error deadbeef") == "internal error deadbeef"
    assert plain("main thread blocked for 120 ms and counting:") == "main thread blocked for 120 ms and counting:"
    assert plain("opened /home/a/b.txt as https://x/y?t=1 by a.b@c") == "opened […]"


# ------------------------------------------------------------ after a crash
def run_and_die(folder: Path, how: str) -> None:
    """A process that keeps the watch as the client does, and ends badly."""
    code = (
        "import os, signal, sys; from pathlib import Path; from desktop.app.crash_log import CrashLog\n"
        f"log = CrashLog(Path({str(folder)!r}), '1.2'); log.start()\n"
        f"def place():\n    {how}\n"
        "place()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode != 0


def look_back(folder: Path) -> Crash | None:
    """Another start, which is then gone without a good-bye."""
    crash_log = CrashLog(folder)
    try:
        return crash_log.start()
    finally:
        crash_log.stop()


def test_a_native_crash_is_told_once_with_its_place(tmp_path: Path) -> None:
    run_and_die(tmp_path, "os.abort()")
    crash_log = CrashLog(tmp_path)
    crash = crash_log.start()
    assert crash is not None
    assert (crash.kind, crash.what, crash.version) == ("native", "Fatal Python error: Aborted", "1.2")
    assert crash.places[0].endswith("place")
    crash_log.end()
    assert look_back(tmp_path) is None  # never more than once
    again = look_back(tmp_path)
    assert again is not None
    assert again.kind == "killed"
    crash_log.silence(crash)
    run_and_die(tmp_path, "os.abort()")
    assert look_back(tmp_path) is None  # the same place again: nobody wants to know


def test_an_error_nobody_expected_and_then_no_good_bye(tmp_path: Path) -> None:
    crash_log = CrashLog(tmp_path)
    assert crash_log.start() is None
    border = CrashBorder(lambda _id: None, crash_log.note_error)
    try:
        raise LookupError(SECRETS["message"])
    except LookupError as error:
        border.on_exception(type(error), error, error.__traceback__)
    crash_log.stop()
    crash = look_back(tmp_path)
    assert crash is not None
    assert (crash.kind, crash.what) == ("error", "LookupError")
    assert "test_an_error" in crash.places[0]
    assert SECRETS["message"] not in "".join(path.read_text() for path in (tmp_path / "logs").glob("*"))


def test_the_machine_went_off_and_a_broken_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boots = iter(["one"])
    monkeypatch.setattr("desktop.app.crash_log._boot", lambda: next(boots, "two"))
    assert look_back(tmp_path) is None
    crash = look_back(tmp_path)
    assert crash is not None
    assert crash.kind == "power"
    (tmp_path / "logs" / "running.json").write_text("[broken")
    broken = look_back(tmp_path)
    assert broken is not None
    assert broken.kind == "killed"
    leaving = CrashLog(tmp_path)
    leaving.start()
    leaving.note_leaving()
    leaving.stop()
    assert look_back(tmp_path) is None  # the user logged out of the machine: no crash
    blocked = tmp_path / "file"
    blocked.write_text("")
    nowhere = CrashLog(blocked)
    assert nowhere.start() is None  # a folder nobody can write to is no reason not to start
    nowhere.end()


def test_the_word_after_a_crash(tmp_path: Path) -> None:
    async def scene() -> None:
        said: list[str] = []
        window = CrashReportWindow("native", lambda: "the report", write=lambda path, text: path.write_text(text))
        window.silenced.connect(lambda: said.append("never"))
        window.show()
        window.tell_safe(2)
        assert "2" in window.safe.text()
        assert window.safe.isVisible()
        assert window.safe.height() >= window.safe.heightForWidth(window.safe.width())
        window.copy.click()
        assert application().clipboard().text() == "the report"
        window.save_to(tmp_path / "r.txt")
        assert (tmp_path / "r.txt").read_text() == "the report"
        window.save_to(tmp_path / "nowhere" / "r.txt")
        assert window.snack.text.text() == i18n.tr("diagnosis.save_failed")
        window.never.setChecked(True)
        window.accept()
        assert said == ["never"]

    play(scene())
