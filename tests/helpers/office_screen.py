"""The office platform on a real screen: the real server from a copy of its package, and colleagues' clients at work in its modules."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from build_scripts import local_server
from build_scripts.desktop_session import DesktopSession, SessionFailed
from build_scripts.environment import ROOT
from tests.helpers.remote_client import Refused, RemoteClient

TOOLS = ("Xvfb", "dbus-daemon", "openbox", "import", "gnome-keyring-daemon")
MARKS = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or any(shutil.which(tool) is None for tool in TOOLS),
        reason="needs Xvfb, D-Bus, openbox and gnome-keyring",
    ),
]

PASSWORD = "tongban-demo"
LIVE_S = 40.0
DAYS_AHEAD = 9
DAY = (date.today() + timedelta(days=DAYS_AHEAD)).isoformat()  # noqa: DTZ011 (the day the clients see)


class Server:
    """The demo office, served from a copy of the server's package, so that its module folders may be written to."""

    def __init__(self, folder: Path, modules: tuple[str, ...] = ()) -> None:
        self._folder, self._port = folder, 0
        self.tree = folder / "tree"
        shutil.copytree(ROOT / "server_stub", self.tree / "server_stub", ignore=shutil.ignore_patterns("__pycache__"))
        for definition in (self.tree / "server_stub" / "modules").glob("*/module.toml"):
            if modules and definition.parent.name not in modules:
                shutil.rmtree(definition.parent)
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

    def go(self, module_id: str, tab: str, shows: str = "recordGrid") -> None:
        """The tab of a module, from wherever the client is; `shows`: what is on it."""
        self.click("工作台")
        with contextlib.suppress(Refused):
            self.do("click", name="moduleBack")
        self.click(f"module_{module_id}")
        self.click(f"tab_{tab}")
        self.sees(shows)

    def open(self, text: str) -> None:
        """The record whose row says so."""
        self.until(lambda: self.do("click_row", name="recordGrid", text=text) is None, f"row {text}")
        self.sees("recordTitle")

    def write(self, field: str, text: str) -> None:
        """Types over what stands in a field."""
        self.sees(f"field_{field}")
        self.press_in(field, "Ctrl+A")
        self.do("type", name=f"field_{field}", inside=f"row_{field}", text=text)

    def press_in(self, field: str, keys: str) -> None:
        """Presses keys in a field."""
        self.do("press", name=f"field_{field}", inside=f"row_{field}", keys=keys)

    def pick(self, field: str, text: str) -> None:
        """Looks a record or a colleague up and takes the first hit."""
        self.write(field, text)

        def hanging() -> bool:
            if self.shows("pickHits"):
                return True
            self.press_in(field, "Down")  # the window may have come to the front only now
            return self.shows("pickHits")

        self.until(hanging, f"hits for {text}")
        self.press_in(field, "Return")
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

    def close_pane(self) -> None:
        """Closes the record beside the view."""
        self.do("press", name="recordDetail", keys="Escape")
        self.lacks("recordDetail")

    def part(self, steps: int) -> None:
        """Another part of the record that is open: 0 its facts, 1 what was said of it, 2 its history."""
        self.do("press", name="记录的各部分", keys="Home")
        for _ in range(steps):
            self.do("press", name="记录的各部分", keys="Right")

    def menu(self, button: str, entry: str) -> None:
        """Opens a button's menu and takes an entry."""
        self.click(button)
        self.until(lambda: self.do("choose", text=entry) is None, f"{entry} in the menu")

    def name_file(self, path: Path) -> None:
        """Answers the dialog that asks for a file."""
        self.sees("fileNameEdit")

        def answered() -> bool:
            """Once more where the list that completes names took the Enter, or led into a folder."""
            with contextlib.suppress(Refused):
                self.do("press", name="fileNameEdit", keys="Ctrl+A")
                self.do("type", name="fileNameEdit", text=str(path), at_once=True)
                self.do("press", name="fileNameEdit", keys="Return")
            return not self.shows("fileNameEdit")

        self.until(answered, "the dialog gone")

    def says(self, name: str) -> str:
        """What a widget says."""
        return str(self.do("state", name=name)["text"])

    def table(self, name: str = "recordGrid") -> list[list[str]]:
        """A table's headings and rows as they stand."""
        return [list(row) for row in self.do("cells", name=name)]

    def column(self, head: str, name: str = "recordGrid") -> list[str]:
        """What stands under a heading, from the top."""
        heads, *rows = self.table(name)
        return [row[heads.index(head)] for row in rows]

    def click_in(self, name: str, inside: str) -> None:
        """Clicks the one that lies within another widget."""
        self.until(lambda: self.do("click", name=name, inside=inside) is None, f"{name} in {inside}")

    def color(self, name: str, place: tuple[int, int]) -> str:
        """The color painted at a place of a widget's face."""
        return str(self.do("color", name=name, x=place[0], y=place[1]))

    def at_moment(self, row: str, at: datetime) -> tuple[int, int]:
        """Where a moment stands in a timeline's row."""
        x, y = self.do("moment", name="timelineCanvas", row=row, at=round(at.timestamp() * 1000))
        return int(x), int(y)

    def drag(self, name: str, *path: tuple[int, int]) -> None:
        """Presses, goes through the places, and lets go at the last."""
        self.hold(name, *path)
        self.let_go(name, path[-1])

    def hold(self, name: str, *path: tuple[int, int]) -> None:
        """Presses and goes through the places; the button stays down."""
        for number, (x, y) in enumerate(path):
            self.do("mouse", name=name, deed="move" if number else "press", x=x, y=y)

    def let_go(self, name: str, place: tuple[int, int]) -> None:
        """Lets the button go."""
        self.do("mouse", name=name, deed="release", x=place[0], y=place[1])

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

    def __init__(self, session: DesktopSession, folder: Path, modules: tuple[str, ...] = ()) -> None:
        self.session, self.folder = session, folder
        self.server = Server(folder, modules)
        self.lin = Desk(RemoteClient(session, "linyuan", folder / "linyuan"), self.server)
        self.zhao = Desk(RemoteClient(session, "zhaolei", folder / "zhaolei"), self.server)

    @contextlib.contextmanager
    def watched(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """One scene: where it fails, the screen and the logs are kept."""
        failed = request.session.testsfailed
        yield
        if request.session.testsfailed > failed:
            self.keep_evidence(request.node.name)

    def keep_evidence(self, name: str) -> None:
        out = ROOT / "out" / "e2e"
        out.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(SessionFailed):
            self.session.screenshot(out / f"{name}.png")
        for desk in (self.lin, self.zhao):
            with contextlib.suppress(Refused, OSError, AssertionError):
                desk.do("grab", name="mainWindow", path=str(out / f"{name}-{desk.client.name}.png"))
            log = self.session.log(desk.client.log_name, 200)
            (out / f"{name}-{desk.client.name}.log").write_text(log, encoding="utf-8")


@contextlib.contextmanager
def office_stage(folder: Path, *, modules: tuple[str, ...] = ()) -> Iterator[Stage]:
    """Screen, server and two desks that are live; at the end both clients quit as told to. modules: those this office has, all where none are named."""
    with DesktopSession(tray="sni", notifications="recorder", keyring=True) as session:
        stage = Stage(session, folder, modules)
        desks = (stage.lin, stage.zhao)
        try:
            for desk in desks:
                desk.start()
            for desk in desks:
                desk.live()
            yield stage
            for desk in desks:
                assert desk.client.quit() == 0
        finally:
            for desk in desks:
                desk.client.drop()
            stage.server.stop()
