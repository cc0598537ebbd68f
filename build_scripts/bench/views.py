"""Views of a module in the window: from the click on a tab to the last paint it leads to, over 10,000 records of a real encrypted store.

  dev.py bench views; main takes [--rows N] [--rounds N] [--window] [--only KIND…]

Each kind runs in a process of its own, as in the client: the core on its thread, the page on the UI's, the workbench's code loaded. "first": the first
time in the process, half a second after the page stood. "again": the tab made anew, p50 and worst. "records": the first paint that has any. "block": the
longest time the UI thread did not come back to its loop. "processor": of the whole process, for busy machines. "page": a module's page from nothing, its
first tab a table of 60. With --window on a virtual screen (Xvfb), else offscreen. Reference: a bare QTableView over the same rows.
"""

import argparse
import asyncio
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from build_scripts.bench.figures import percentile
from build_scripts.bench.modules import KEY, ME, Office, field, label, trip_type
from build_scripts.environment import ROOT
from desktop.core.clock import SystemClock
from desktop.core.domain import Record
from desktop.core.protocol.objects import object_of
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.port import PutObjects

if TYPE_CHECKING:  # a child's: where the time begins, nothing of them is loaded
    from PySide6.QtWidgets import QApplication

    from desktop.ui.office.module_page import ModulePage

MODULE = "vehicles"
FIRST = "cars"
QUIET_S = 0.15
"""Nothing was painted for so long and nothing is under way: it was the last paint."""
LIMIT_S = 20.0
LOOKED_AT_S = 0.7
"""Nobody presses a tab of a page at once that has only just appeared."""
CHILD_S = 120.0
SIZE = (1096, 748)
COLUMNS = ["number", "purpose", "destination", "driverId", "vehicleId", "span", "cost", "state"]
VIEWS: dict[str, dict[str, Any]] = {
    "table": {"kind": "table", "columns": COLUMNS},
    "grouped": {"kind": "table", "columns": COLUMNS, "group": "state", "totals": ["cost", "people"]},
    "calendar": {"kind": "calendar", "time": "span"},
    "timeline": {"kind": "timeline", "time": "span", "resource": "vehicleId"},
    "board": {"kind": "board", "group": "state", "columns": ["purpose", "driverId", "dueDate"]},
    "tree": {"kind": "tree", "parent": "parentId", "columns": ["purpose", "driverId", "state", "dueDate"]},
    "feed": {"kind": "feed", "columns": ["purpose", "vehicleId", "note"]},
    "reader": {"kind": "reader", "columns": ["destination", "driverId"]},
    "chart": {"kind": "chart", "reports": ["costs"]},
    "form": {"kind": "form"},
}
SPREAD = 12
"""Trips below one another in the tree."""


def definition() -> dict[str, Any]:
    """A module with a tab of each kind; its first one is a short table."""
    trip = trip_type("Trip")
    trip["fields"] = [*trip["fields"], field("parentId", "reference", target="Trip")]
    car = {
        "name": "Vehicle", "label": label("vehicle"), "title": ["plate"], "fields": [field("plate", "text")],
        "access": {"read": ["everyone"], "create": [], "update": [], "destroy": []},
    }  # fmt: skip
    tabs = [{"id": key, "type": "Trip", "label": label(key), **view} for key, view in VIEWS.items()]
    first = {"id": FIRST, "type": "Vehicle", "label": label(FIRST), "kind": "table", "columns": ["plate"]}
    measures = [
        {"label": label("trips"), "op": "count"},
        {"label": label("cost"), "op": "sum", "field": "cost"},
        {"label": label("a head"), "op": "sum", "field": "cost", "per": "people"},
    ]
    costs = {
        "id": "costs",
        "type": "Trip",
        "label": label("costs"),
        "group": ["month:span", "state"],
        "measures": measures,
    }
    return {
        "id": MODULE, "group": "official", "label": label(MODULE), "icon": "ph.car", "order": 1,
        "types": [car, trip], "views": [first, *tabs], "reports": [costs],
    }  # fmt: skip


class Trips(Office):
    """The records of the bench `modules`, each below another one."""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self._ids: list[str] = []
        """Every twelfth: those that others stand below."""

    def trip(self, type_name: str, number: int) -> Record:
        made = super().trip(type_name, number)
        if number % SPREAD == 0:
            self._ids.append(made.id)
        below = number // SPREAD
        if below:
            made.data["parentId"] = self._ids[below // SPREAD]
        return made


def fill(path: Path, rows: int) -> None:
    """The store: people, cars, trips, the module."""
    store = SqliteStore.open(path, KEY, ME)
    Trips(SystemClock().now_ms()).fill(store, {"Trip": rows})
    store.apply([PutObjects("ModuleDefinition", (object_of("ModuleDefinition", definition(), ME),))])
    store.close()


# ---------------------------------------------------------------- in the child
class Pulse:
    """A timer of a millisecond on the UI thread: when something was last painted, and the longest time it did not come."""

    def __init__(self) -> None:
        from PySide6.QtCore import QEvent, QObject, Qt, QTimer

        pulse = self

        class Paints(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.UpdateRequest:
                    pulse.painted = True
                return False

        self.painted = False
        self.last_paint = self._beat = time.perf_counter()
        self.longest = self.used = 0.0
        self._began = time.process_time()
        self.full_at = 0.0
        self.full: Callable[[], bool] = lambda: True
        self._paints = Paints()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_beat)
        self._timer.start(1)

    def watch(self, window: "ModulePage") -> None:
        """Paints of this window count: one request to its window for all that is painted at a time."""
        window.installEventFilter(self._paints)

    def begin(self, full: Callable[[], bool]) -> None:
        """The click comes now; `full` says whether the view holds what it is to show."""
        self.full, self.full_at, self.longest, self.painted = full, 0.0, 0.0, False
        self._beat = self.last_paint = time.perf_counter()
        self._began = time.process_time()

    def figures(self, begin: float) -> dict[str, float]:
        """Milliseconds since `begin`: to the first paint with records, to the last one, processor time till then, and the longest block on the way."""
        found = {
            "records": self.full_at - begin,
            "complete": self.last_paint - begin,
            "used": self.used,
            "block": self.longest,
        }
        return {name: seconds * 1000 for name, seconds in found.items()}

    def _on_beat(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._beat - 0.001)
        if self.painted:
            self.painted, self.last_paint, self.used = False, now, time.process_time() - self._began
            if not self.full_at and self.full():
                self.full_at = now
        self._beat = time.perf_counter()


async def at_rest(pulse: Pulse, busy: Callable[[], bool]) -> None:
    """Until the view holds what it is to show, nothing is under way and nothing is painted any more."""
    async with asyncio.timeout(LIMIT_S):
        while not pulse.full_at or busy() or time.perf_counter() - pulse.last_paint < QUIET_S:
            await asyncio.sleep(0.01)


def is_full(page: "ModulePage", key: str) -> bool:
    """Whether a tab shows records."""
    frame = page.frames.get(key)
    if frame is None or not page.isVisible() or page.tabs.current != key:
        return False
    view: Any = frame.view
    if frame.table is not None:
        return frame.table.ready and frame.table.model.rowCount() > 0
    return bool(view.stack.showing) if hasattr(view, "stack") else view.isVisible()


def is_busy(page: "ModulePage") -> bool:
    """Whether the page or its tab still reads."""
    frame = page.frame
    owners = [page.tasks, page.context.tasks]
    if frame is not None:
        owners += [frame.tasks, frame.view.tasks, frame.memory.tasks]
    return any(one.busy for one in owners)


async def click(page: "ModulePage", pulse: Pulse, key: str) -> dict[str, float]:
    """Presses a tab and waits until it stands."""
    button = page.tabs.buttons[key]
    pulse.begin(lambda: is_full(page, key))
    begin = time.perf_counter()
    button.click()
    await at_rest(pulse, lambda: is_busy(page))
    return pulse.figures(begin)


async def opened(make: Callable[[], "ModulePage"], pulse: Pulse) -> tuple["ModulePage", dict[str, float]]:
    """A page, and how long it took from nothing to its last paint."""
    held: list[ModulePage] = []
    pulse.begin(lambda: bool(held) and is_full(held[0], FIRST))
    begin = time.perf_counter()
    page = make()
    held.append(page)
    pulse.watch(page)
    page.resize(*SIZE)
    page.show()
    await at_rest(pulse, lambda: is_busy(page))
    return page, pulse.figures(begin)


async def scene(folder: Path, kind: str, rounds: int) -> dict[str, Any]:
    """One kind of view: the page, the first click, the following ones."""
    from desktop.app.bridge import Bridge
    from desktop.app.ui_session import on_screen
    from desktop.core.services.session import Session
    from tests.helpers.record_desk import record_desk
    from tests.helpers.record_model import RecordModel
    from tests.helpers.stage import RecordingNavigator

    importlib.import_module("desktop.ui.office.page")  # the workbench was there before any module
    bridge = Bridge()
    bridge.start()
    ready: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
    ui = asyncio.get_running_loop()
    stop = asyncio.Event()
    inner: list[asyncio.AbstractEventLoop] = []

    async def core() -> None:
        store = SqliteStore.open(folder / "store.db", KEY, ME)
        inner.append(asyncio.get_running_loop())
        async with record_desk(RecordModel(ME), ME, folder, store) as desk:
            desk.network.cut()
            await desk.records.modules()
            ui.call_soon_threadsafe(ready.set_result, desk.session)
            await stop.wait()

    running = asyncio.wrap_future(bridge.submit(core()))
    both: set[asyncio.Future[Any]] = {ready, running}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if running.done():  # it failed before there was a session
        await running
    session: Any = await on_screen(bridge, await ready)
    pulse = Pulse()

    def make() -> "ModulePage":
        from desktop.ui.office.module_page import create_module_page

        return create_module_page(session, RecordingNavigator(), MODULE)

    page, first_page = await opened(make, pulse)
    found: dict[str, Any] = {"page": first_page}
    if kind == FIRST:
        found |= {"first": first_page, "again": []}
        for _ in range(rounds):
            page.hide()
            page.close()
            page.deleteLater()
            page, figures = await opened(make, pulse)
            found["again"].append(figures)
    else:
        await asyncio.sleep(LOOKED_AT_S)
        found["first"] = await click(page, pulse, kind)
        if shot := os.environ.get("BENCH_SHOT"):
            page.grab().save(f"{shot}/{kind}.png")
        found["again"] = []
        for _ in range(rounds):
            page.show_view(FIRST)
            page._drop_frame(kind)
            await at_rest(pulse, lambda: is_busy(page))
            found["again"].append(await click(page, pulse, kind))
    page.hide()
    inner[0].call_soon_threadsafe(stop.set)
    await running
    await bridge.close()
    return found


def bare_table(app: "QApplication", folder: Path, rows: int) -> dict[str, float]:
    """The reference: a QTableView over the same rows, read and decoded on the UI thread, painted once: 200 of them, and all."""
    import apsw
    import msgspec
    from PySide6.QtCore import QAbstractTableModel, Qt
    from PySide6.QtWidgets import QTableView

    class Rows(QAbstractTableModel):
        def __init__(self, held: list[Record]) -> None:
            super().__init__()
            self.held = held

        def rowCount(self, parent: Any = None) -> int:
            return len(self.held)

        def columnCount(self, parent: Any = None) -> int:
            return len(COLUMNS)

        def data(self, index: Any, role: int = 0) -> Any:
            return (
                str(self.held[index.row()].data.get(COLUMNS[index.column()], ""))
                if role == Qt.ItemDataRole.DisplayRole
                else None
            )

    db = apsw.Connection(str(folder / "store.db"))
    db.pragma("cipher", "chacha20")
    db.pragma("key", "raw:" + KEY.hex())
    number = next(iter(db.execute("SELECT n FROM record_type WHERE name = 'Trip'")))[0]
    decoder = msgspec.json.Decoder(Record)

    def once(count: int) -> float:
        begin = time.perf_counter()
        sql = f"SELECT data FROM record_{number}_data ORDER BY n DESC LIMIT ?"
        model = Rows([decoder.decode(data) for (data,) in db.execute(sql, (count,))])
        table = QTableView()
        table.setModel(model)
        table.resize(*SIZE)
        table.show()
        app.processEvents()
        table.viewport().repaint()
        spent = (time.perf_counter() - begin) * 1000
        table.hide()
        return spent

    found = {"200 rows, first": once(200), "all rows, first": once(rows)}
    found |= {"200 rows": percentile([once(200) for _ in range(10)], 0.5)}
    return found | {"all rows": percentile([once(rows) for _ in range(10)], 0.5)}


def child(folder: Path, kind: str, rows: int, rounds: int) -> None:
    """One kind in a process of its own; prints its figures."""
    import qasync
    from PySide6.QtWidgets import QApplication

    from desktop.ui import i18n, tasks, theme

    app = QApplication(sys.argv[:1])
    theme.apply(app, chosen="light")
    i18n.set_language("zh")
    failures: list[BaseException] = []
    tasks.set_presenter(lambda error, _widget: failures.append(error))
    if kind == "reference":
        figures: dict[str, Any] = bare_table(app, folder, rows)
    else:
        loop = qasync.QEventLoop(app)
        asyncio.set_event_loop(loop)
        with loop:
            figures = loop.run_until_complete(scene(folder, kind, rounds))
    if failures:
        raise AssertionError(f"a view failed: {failures}")
    print("FIGURES " + json.dumps(figures), flush=True)
    sys.stdout.flush()
    os._exit(0)  # the figures are out: widgets are not taken apart one by one


# ---------------------------------------------------------------- the runner
def compiled(folder: str, env: dict[str, str]) -> dict[str, str]:
    """The environment with this tree's byte code in a folder, as an installed client has it beside its modules."""
    made = {**env, "PYTHONPYCACHEPREFIX": folder}
    made.pop("PYTHONDONTWRITEBYTECODE", None)
    argv = [sys.executable, "-m", "compileall", "-q", "desktop", "build_scripts", "tests/helpers"]
    subprocess.run(argv, cwd=ROOT, env=made, check=True)
    for package in ("PySide6", "qasync"):
        subprocess.run([sys.executable, "-c", f"import {package}"], env=made, check=True)
    return made


def run_child(store: Path, kind: str, rows: int, rounds: int, env: dict[str, str]) -> dict[str, Any]:
    """Figures of one kind, over a copy of the store."""
    with tempfile.TemporaryDirectory(prefix="tongban-view-") as name:
        for part in store.parent.glob("store.db*"):
            shutil.copy(part, name)
        argv = [sys.executable, "-m", "build_scripts.bench.views", "--child", name, kind, str(rows), str(rounds)]
        done = subprocess.run(argv, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True, timeout=CHILD_S)
        line = next(one for one in done.stdout.splitlines() if one.startswith("FIGURES "))
        found: dict[str, Any] = json.loads(line.removeprefix("FIGURES "))
        return found


def summed_up(found: dict[str, Any]) -> dict[str, float]:
    """The figures of a kind that are told."""
    again, first = found["again"], found["first"]
    complete = [one["complete"] for one in again]
    told = {
        "first": first["complete"],
        "first, records": first["records"],
        "first, processor": first["used"],
        "first, block": first["block"],
        "again": percentile(complete, 0.5),
        "again, worst": max(complete),
        "again, records": percentile([one["records"] for one in again], 0.5),
        "again, processor": percentile([one["used"] for one in again], 0.5),
        "again, block": percentile([one["block"] for one in again], 0.5),
    }
    return {name: round(value, 1) for name, value in told.items()}


def measure(rows: int, rounds: int, only: list[str], env: dict[str, str]) -> dict[str, Any]:
    """All kinds, one after the other."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tongban-views-") as name:
        store = Path(name) / "store.db"
        fill(store, rows)
        env = compiled(str(Path(name) / "code"), env)
        for kind in only or [FIRST, *VIEWS]:
            found = run_child(store, kind, rows, rounds, env)
            figures["page" if kind == FIRST else kind] = summed_up(found)
        bare = run_child(store, "reference", rows, rounds, env)
        figures["reference: bare QTableView"] = {key: round(value, 1) for key, value in bare.items()}
    return figures


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """The figures, in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--window", action="store_true", help="on a virtual screen instead of offscreen")
    parser.add_argument("--only", nargs="*", default=[], choices=[FIRST, *VIEWS])
    options = parser.parse_args(argv)
    env = dict(os.environ)
    if not options.window:
        return measure(options.rows, options.rounds, options.only, env | {"QT_QPA_PLATFORM": "offscreen"})
    from build_scripts.desktop_session import DesktopSession

    with DesktopSession() as session:
        env |= dict(session.env)
        env.pop("QT_QPA_PLATFORM", None)
        return measure(options.rows, options.rounds, options.only, env)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        print(json.dumps(main(), indent=2))
