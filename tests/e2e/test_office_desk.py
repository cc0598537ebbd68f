"""The office platform seen whole: two real clients, the real server, the real modules, on a real screen.

A vehicle is asked for and lent, a second booking is told who holds it, work goes on with the server stopped, two versions are
settled field by field, and a field added to a module appears on running clients. The server runs from a copy of its package.
"""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from build_scripts import local_server
from build_scripts.desktop_session import DesktopSession, SessionFailed
from build_scripts.environment import ROOT
from tests.helpers.remote_client import Refused, RemoteClient

TOOLS = ("Xvfb", "dbus-daemon", "openbox", "import", "gnome-keyring-daemon")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or any(shutil.which(tool) is None for tool in TOOLS),
        reason="needs Xvfb, D-Bus, openbox and gnome-keyring",
    ),
]

PASSWORD = "tongban-demo"
LIVE_S = 40.0
DAY = (date.today() + timedelta(days=9)).isoformat()  # noqa: DTZ011 (the day the clients see)
REASON = '[[types.fields]]\nname = "reason"\n'
CHILD_SEAT = """[[types.fields]]
name = "childSeat"
kind = "bool"
label = { zh = "需要儿童座椅", en = "Child seat needed" }

"""

UNSENT = "已保存到发件箱，联网后自动提交。"


class Server:
    """The demo office, served from a copy of the server's package, so that its module folders may be written to."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, 0
        self.tree = folder / "tree"
        shutil.copytree(ROOT / "server_stub", self.tree / "server_stub", ignore=shutil.ignore_patterns("__pycache__"))
        (self.tree / "resources").symlink_to(ROOT / "resources")
        self._process: subprocess.Popen[bytes] | None = None
        self.address = self.start()

    def _argv(self, *words: str | Path) -> list[str | Path]:
        return [sys.executable, "-m", "server_stub", *words, "--data", self._folder / "data"]

    def start(self) -> local_server.Address:
        port_file, log = self._folder / "port", self._folder / "server.log"
        port_file.unlink(missing_ok=True)
        argv = [*self._argv("demo"), "--port", str(self._port), "--port-file", port_file]
        with log.open("ab") as output:
            self._process = subprocess.Popen(argv, cwd=self.tree, stdout=output, stderr=output)
        address = local_server.wait_until_healthy(self._process, port_file, self._folder / "data", log=log)
        self._port = address.port
        return address

    def stop(self) -> None:
        if self._process is not None:
            local_server.stop(self._process)
            self._process = None

    def reload_modules(self) -> str:
        argv = self._argv("modules", "reload")
        done = subprocess.run(argv, cwd=self.tree, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def change_module(self, module_id: str, old: str, new: str) -> None:
        path = self.tree / "server_stub" / "modules" / module_id / "module.toml"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name} of {module_id}"
        path.write_text(text.replace(old, new), encoding="utf-8")


class Desk:
    """One colleague's client at work in the modules."""

    def __init__(self, client: RemoteClient, server: Server) -> None:
        self.client, self._server = client, server
        self.until, self.click, self.do, self.probe = client.until, client.click, client.do, client.probe

    def start(self) -> None:
        address = self._server.address
        self.client.start(
            "--server", address.url, "--ca", address.ca_file, "--sign-in", self.client.name, password=PASSWORD
        )
        self.until(lambda: self.probe("screen") == "main", "main window", LIVE_S)

    def live(self) -> None:
        self.until(lambda: self.probe("status") == "live" and not self.probe("syncing"), "live", LIVE_S)

    def offline(self) -> None:
        self.until(lambda: self.probe("status") in ("offline", "connecting"), "offline", LIVE_S)

    def shows(self, name: str) -> bool:
        return bool(self.do("find", name=name))

    def sees(self, name: str) -> None:
        self.until(lambda: self.shows(name), f"{name} on the screen")

    def lacks(self, name: str) -> None:
        self.until(lambda: not self.shows(name), f"{name} gone")

    def go(self, module_id: str, tab: str) -> None:
        """The tab of a module, from wherever the client is."""
        self.click("工作台")
        with contextlib.suppress(Refused):
            self.do("click", name="moduleBack")
        self.click(f"module_{module_id}")
        self.click(f"tab_{tab}")
        self.sees("recordGrid")

    def open(self, text: str) -> None:
        """The record whose row says so."""
        self.until(lambda: self.do("click_row", name="recordGrid", text=text) is None, f"row {text}")
        self.sees("recordTitle")

    def write(self, field: str, text: str) -> None:
        """Types over what stands in a field."""
        self.sees(f"field_{field}")
        self.do("press", name=f"field_{field}", keys="Ctrl+A")
        self.do("type", name=f"field_{field}", text=text)

    def pick(self, field: str, text: str) -> None:
        """Looks a record or a colleague up and takes the first hit."""
        self.write(field, text)

        def hanging() -> bool:
            if self.shows("pickHits"):
                return True
            self.do("press", name=f"field_{field}", keys="Down")  # the window may have come to the front only now
            return self.shows("pickHits")

        self.until(hanging, f"hits for {text}")
        self.do("press", name=f"field_{field}", keys="Return")
        self.lacks("pickHits")

    def change(self, field: str, text: str) -> None:
        """Edits one field of the record that is open."""
        self.click("recordEdit")
        self.write(field, text)
        self.click("formSubmit")
        self.lacks("recordForm")

    def new_form_has(self, row: str) -> bool:
        """Opens the form of a new record, and leaves it where the row is not in it."""
        self.click("moduleNew")
        self.sees("recordForm")
        if self.shows(row):
            return True
        self.click("formCancel")
        self.lacks("recordForm")
        return False

    def ask_for_vehicle(self, hours: str, destination: str, vehicle: str = "") -> None:
        self.click("moduleNew")
        self.write("span", f"{DAY} {hours}")
        self.write("destination", destination)
        self.write("reason", "送审图纸")
        if vehicle:
            self.pick("vehicleId", vehicle)
        self.click("formSubmit")


class Stage:
    """Screen, server and two desks, for all scenes: they come after each other in one office."""

    def __init__(self, session: DesktopSession, folder: Path) -> None:
        self.session = session
        self.server = Server(folder)
        self.lin = Desk(RemoteClient(session, "linyuan", folder / "linyuan"), self.server)
        self.zhao = Desk(RemoteClient(session, "zhaolei", folder / "zhaolei"), self.server)

    def keep_evidence(self, name: str) -> None:
        out = ROOT / "out" / "e2e"
        out.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(SessionFailed):
            self.session.screenshot(out / f"{name}.png")
        for desk in (self.lin, self.zhao):
            log = self.session.log(desk.client.log_name, 200)
            (out / f"{name}-{desk.client.name}.log").write_text(log, encoding="utf-8")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("office")
    with DesktopSession(tray="sni", notifications="recorder", keyring=True) as session:
        stage = Stage(session, folder)
        try:
            for desk in (stage.lin, stage.zhao):
                desk.start()
            for desk in (stage.lin, stage.zhao):
                desk.live()
            yield stage
            for desk in (stage.lin, stage.zhao):
                assert desk.client.quit() == 0
        finally:
            for desk in (stage.lin, stage.zhao):
                desk.client.drop()
            stage.server.stop()


@pytest.fixture
def stage(request: pytest.FixtureRequest, office: Stage) -> Iterator[Stage]:
    failed = request.session.testsfailed
    yield office
    if request.session.testsfailed > failed:
        office.keep_evidence(request.node.name)


def test_a_vehicle_is_asked_for_lent_and_not_lent_twice(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    lin.go("vehicles", "trips")
    lin.ask_for_vehicle("09:00 - 11:00", "云溪河闸")
    lin.sees("云溪河闸 · 送审图纸")
    lin.sees("待派车")

    toast = zhao.until(lambda: [t for t in zhao.probe("toasts") if "云溪河闸" in t["says"]], "pop-up")[0]
    assert "待您办理" in toast["says"]
    zhao.go("vehicles", "trips")
    zhao.open("云溪河闸")
    zhao.click("action_approve")
    zhao.pick("vehicleId", "22318")
    zhao.pick("driverId", "孙强")
    zhao.until(lambda: zhao.do("click", name="formSubmit") is None, "submit")
    zhao.sees("已派车")

    lin.sees("已派车")  # nobody pressed anything there
    lin.sees("苏A·22318 · 大众帕萨特")

    lin.ask_for_vehicle("10:00 - 12:00", "市档案馆", vehicle="22318")
    lin.sees("freeBox")
    free = lin.until(lambda: lin.do("find", name="苏A·12345 · 别克 GL8"), "a free car")
    assert free[0]["class"] == "Button"
    assert not lin.shows("市档案馆 · 送审图纸")
    lin.click("苏A·12345 · 别克 GL8")
    lin.click("formSubmit")
    lin.sees("市档案馆 · 送审图纸")
    lin.lacks("recordForm")


def test_work_goes_on_without_the_server_and_two_versions_are_settled(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    lin.go("vehicles", "trips")
    lin.ask_for_vehicle("15:00 - 16:00", "县档案馆")
    lin.sees("县档案馆 · 送审图纸")
    zhao.go("vehicles", "trips")
    zhao.open("县档案馆")
    stage.server.stop()
    try:
        lin.offline()
        zhao.offline()
        zhao.change("destination", "县城建档案馆")
        zhao.sees(UNSENT)
        assert zhao.client.quit() == 0
        lin.change("destination", "县档案馆新馆")
        lin.sees(UNSENT)
        lin.go("tasks", "mine")
        lin.open("复核汇报材料初稿")
        lin.click("action_report")
        lin.write("progress", "85")
        lin.click("formSubmit")
        lin.sees("85 %")
        lin.sees(UNSENT)
    finally:
        stage.server.start()
    lin.live()
    lin.lacks(UNSENT)
    lin.do("press", name="记录的各部分", keys="Right")
    lin.do("press", name="记录的各部分", keys="Right")
    lin.sees("70 % → 85 %")
    assert len(lin.do("find", name="70 % → 85 %")) == 1  # sent once

    zhao.start()  # what it wrote waited in the store, and is too late now
    zhao.live()
    zhao.go("vehicles", "trips")
    zhao.open(f"{DAY} 15:00")
    zhao.click("对比")
    zhao.sees("conflictPane")
    zhao.sees("县档案馆新馆")
    zhao.click("我的")
    zhao.click("conflictTake")
    zhao.sees("县城建档案馆 · 送审图纸")
    zhao.lacks("conflictPane")
    lin.go("vehicles", "trips")
    lin.open("县城建档案馆")
    lin.lacks(UNSENT)


def test_a_new_field_appears_without_a_restart(stage: Stage) -> None:
    lin, zhao = stage.lin, stage.zhao
    lin.go("vehicles", "trips")
    zhao.go("vehicles", "trips")
    lin.click("moduleNew")
    lin.sees("row_reason")
    assert not lin.shows("row_childSeat")
    lin.click("formCancel")
    stage.server.change_module("vehicles", REASON, CHILD_SEAT + REASON)
    said = stage.server.reload_modules()
    assert "vehicles: the definition changed" in said
    lin.until(lambda: lin.new_form_has("row_childSeat"), "the new field")
    lin.write("span", f"{DAY} 18:00 - 19:00")
    lin.write("destination", "幼儿园")
    lin.write("reason", "送教材")
    lin.do("press", name="field_childSeat", keys="Space")
    lin.click("formSubmit")
    lin.sees("幼儿园 · 送教材")
    lin.sees("value_childSeat")
    zhao.open("幼儿园")
    zhao.sees("value_childSeat")
