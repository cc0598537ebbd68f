"""What the workbench and "my work" show, read from this device once and again when it changes or a day or hour passes. One for each office page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.clock import local_minutes
from desktop.core.domain.definition import ModuleDefinition, TypeDefinition
from desktop.core.domain.moments import DAY_MS, day_of, day_start
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, Event
from desktop.models.workbench import Habits, Waiting, Work, gathered, habits_of
from desktop.ui import i18n
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.views.base import RecordsSession
from desktop.ui.tasks import TaskOwner, alive

GATHER_MS: Final = 150
"""Changes come in runs; the questions go over all modules, so they are asked once for a run."""
TICK_MS: Final = 60_000
"""Times left change by themselves."""
AGAIN_MS: Final = 15 * 60_000
"""So do lights and days: the questions over all modules are asked again this often."""
KEY: Final = "workbench"
QUIET: Final = frozenset({"Message", "Receipt", "Member", "Conversation", "Comment", "Follow", "Folder", "ReadMark"})
"""Types nothing here is made of."""


class WorkData(QObject):
    """`changed` when `work` or `habits` are new."""

    changed = Signal()
    habits_changed = Signal()

    def __init__(self, session: RecordsSession, data: OfficeData, now_ms: Callable[[], int], parent: QObject) -> None:
        super().__init__(parent)
        self.session, self.now_ms = session, now_ms
        self.data = data
        self.work = Work()
        self.habits = Habits()
        self.ready = False
        self.tasks = TaskOwner(self)
        self._waiting = Waiting()
        self._modules: tuple[ModuleDefinition, ...] = ()
        self._types: dict[str, tuple[ModuleDefinition, TypeDefinition]] = {}
        self._stale = self._begun = False
        self._timer = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._timer.timeout.connect(self._reload)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        self._read_at = 0
        data.changed.connect(self._on_office)
        i18n.changed.connect(self.load)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    # ---- definitions
    def home(self, type_name: str) -> tuple[ModuleDefinition, TypeDefinition] | None:
        """The module and definition of a type."""
        return self._types.get(type_name)

    def module(self, module_id: str) -> ModuleDefinition | None:
        """A module by its id."""
        return next((one for one in (*self.data.modules, *self._modules) if one.id == module_id), None)

    # ---- reading
    def load(self) -> None:
        """Reads everything again."""
        self._begun = self._stale = True
        if not self._tick.isActive():
            self._tick.start()
        self._reload()

    def _on_tick(self) -> None:
        now = self.now_ms()
        zone = local_minutes(now)
        if now - self._read_at >= AGAIN_MS or day_of(now, zone) != day_of(self._read_at, zone):
            self.load()
        else:
            self._gather()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ChangeSet) and event.type_name not in QUIET and self._begun and alive(self):
            self._stale = True
            self._timer.start()

    def _on_office(self, name: str) -> None:
        if name in ("notices", "alerts"):
            self._gather()

    def _reload(self) -> None:
        if self._stale and not self.tasks.running("reload"):
            self.tasks.start(self._read(), name="reload")

    async def _read(self) -> None:
        try:
            while self._stale:
                self._stale = False
                await self._ask()
                if not alive(self):
                    return
        except AppError:
            return  # what is shown stays; the next change or minute asks again
        self._gather()

    async def _ask(self) -> None:
        records, now = self.session.records, self.now_ms()
        self._read_at = now
        modules = tuple(await records.modules())
        self._modules = modules
        self._types = {one.name: (module, one) for module in modules for one in module.types}
        if not self.ready:
            self.habits = habits_of(await records.view_state(KEY))
        zone = local_minutes(now)
        begin = day_start(day_of(now, zone), zone)
        started = await records.started()
        self._waiting = Waiting(
            todos=await records.todos(),
            done=await records.done(),
            started=started,
            radar=await records.radar(),
            agenda=await records.agenda(begin, begin + DAY_MS),
            counts=await records.counts(),
            titles=await self._titles(started),
        )
        self.ready = True

    async def _titles(self, started: list[Record]) -> dict[str, str]:
        found: dict[str, str] = {}
        for type_name in dict.fromkeys(record.type for record in started):
            ids = [record.id for record in started if record.type == type_name]
            found |= await self.session.records.titles(type_name, ids, i18n.language())
        return found

    def _gather(self) -> None:
        now = self.now_ms()
        me, data = self.session.me.id, self.data
        self.work = gathered(self._waiting, data.notices, data.alerts, me=me, now=now, zone=local_minutes(now))
        self.changed.emit()

    # ---- habits
    def star(self, module_id: str, on: bool) -> None:
        """Puts a module among the favourites, or takes it away."""
        self._keep(self.habits.with_star(module_id, on))

    def move(self, module_id: str, place: int) -> None:
        """Puts a favourite at another place."""
        self._keep(self.habits.moved(module_id, place))

    def use(self, module_id: str) -> None:
        """A module was opened."""
        self._keep(self.habits.with_use(module_id))

    def _keep(self, habits: Habits) -> None:
        if habits == self.habits:
            return
        self.habits = replace(habits)
        self.habits_changed.emit()
        self.tasks.start(self._write(), name="habits", exclusive=True)

    async def _write(self) -> None:
        await self.session.records.set_view_state(KEY, self.habits.kept())
