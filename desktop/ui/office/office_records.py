"""What the office pages show, read from the local store once and again when it changes. One for all three pages of a session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.domain import Alert, Document, Folder, ModuleDefinition, Notice
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, Event, StatusChanged
from desktop.models.contacts import Organization
from desktop.ui.background import in_background
from desktop.ui.office.ports import OfficeSession
from desktop.ui.tasks import TaskOwner, alive

GATHER_MS = 40
"""Changes come in runs; each list is read once for a run."""
LISTS_OF = {
    "Notice": ("notices",),
    "ReadMark": ("notices",),
    "Alert": ("alerts",),
    "Folder": ("folders",),
    "Document": ("documents",),
    "ModuleDefinition": ("modules",),
    "Person": ("organization",),
    "Department": ("organization",),
}


class OfficeData(QObject):
    """The lists; `changed` names the one that is new. `loaded` once all were read."""

    changed = Signal(str)
    loaded = Signal()
    failed = Signal(object)  # AppError, while nothing could be shown yet
    status_changed = Signal()

    def __init__(self, session: OfficeSession, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.notices: list[Notice] = []
        self.documents: list[Document] = []
        self.folders: list[Folder] = []
        self.alerts: list[Alert] = []
        self.modules: list[ModuleDefinition] = []
        self.organization = Organization()
        self.names: dict[str, str] = {}
        self.ready = False
        self.tasks = TaskOwner(self)
        self._stale: set[str] = set()
        self._timer = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._timer.timeout.connect(self._reload_stale)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    def load(self) -> None:
        """Reads everything, or again after a failure."""
        self._stale = {name for lists in LISTS_OF.values() for name in lists}
        self._reload_stale()

    def _on_event(self, event: Event) -> None:
        match event:
            case ChangeSet(type_name=name) if name in LISTS_OF:
                self._stale.update(LISTS_OF[name])
                self._timer.start()
            case StatusChanged():
                self.status_changed.emit()

    def _reload_stale(self) -> None:
        if not self.tasks.running("reload"):
            self.tasks.start(self._reload(), name="reload")

    async def _reload(self) -> None:
        try:
            while self._stale:
                await self._read(self._stale.pop())
                if not alive(self):
                    return
        except AppError as error:
            if alive(self) and not self.ready:
                self.failed.emit(error)
            return
        if not self.ready:
            self.ready = True
            self.loaded.emit()

    async def _read(self, name: str) -> None:
        office = self.session.office
        readers: dict[str, Callable[[], Awaitable[object]]] = {
            "notices": office.notices,
            "documents": office.documents,
            "folders": office.folders,
            "modules": office.modules,
            "alerts": self.session.alerts.alerts,
        }
        if name == "organization":
            departments, people = await self.session.directory.departments(), await self.session.directory.people()
            self.organization = await in_background(Organization, departments, people)
            self.names = {d.id: d.name for d in departments} | {p.id: p.name for p in people}
        else:
            setattr(self, name, await readers[name]())
        if alive(self):
            self.changed.emit(name)

    def name(self, key: str | None) -> str:
        """The name of a person or department; empty when unknown."""
        return self.names.get(key or "", "")
