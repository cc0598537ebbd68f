"""The workbench (mockup 2): figures, the modules in their groups with the user's own on top, what waits, today, what falls due.

Every number is counted from synced records; nothing here asks the server.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain import ModuleDefinition
from desktop.core.errors import AppError
from desktop.models.workbench import Part
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text
from desktop.ui.kit import Banner, Card, Label, Scroll, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.workbench_side import Side
from desktop.ui.office.workbench_tiles import TILE_WIDTH, Figure, GroupTitle, ModuleTile
from desktop.ui.office.workbench_work import WorkData
from desktop.ui.tasks import TaskOwner

GROUPS: Final = {"official": "accent", "personal": "green", "extended": "amber"}
SIDE_WIDTH: Final = 290
NARROW_ROOM: Final = 250
"""What the modules need beside it."""
QWIDGETSIZE_MAX: Final = (1 << 24) - 1
RECENT_SHOWN: Final = 4
FEW: Final = 6


class Workbench(Scroll):
    """Signals:
    module_asked: a module and what of it to show. part_asked: a list of "my work".
    link_asked: a record or whatever else an alert points to. confirm_asked: a notice from the line itself.
    """

    module_asked = Signal(str, str)
    part_asked = Signal(str)
    link_asked = Signal(str, str)
    confirm_asked = Signal(str)

    def __init__(self, data: OfficeData, work: WorkData, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setObjectName("workbench")
        self.tasks = TaskOwner(self)
        self._data, self.work = data, work
        self._tiles: list[ModuleTile] = []
        self._shown: tuple[object, ...] = ()
        self._build_ui()
        data.changed.connect(self._on_data)
        data.loaded.connect(self._refresh)
        data.failed.connect(self._on_failed)
        work.changed.connect(self._refresh)
        work.habits_changed.connect(self._refresh)
        i18n.changed.connect(self._rebuild)
        theme.changed.connect(self._rebuild)
        self._refresh()

    def _build_ui(self) -> None:
        self.problem = Banner()
        on_click(self.problem.action, self._data.load)
        self.figures = {
            Part.TODO: Figure("office_workbench.figure.todo", "red"),
            Part.TO_READ: Figure("office_workbench.figure.to_read", "accent"),
            Part.DUE_TODAY: Figure("office_workbench.figure.due_today", "amber"),
            Part.STARTED: Figure("office_workbench.figure.started", "ink"),
        }
        for part, figure in self.figures.items():
            on_click(figure, partial(self.part_asked.emit, str(part)))
        self.setFocusProxy(self.figures[Part.TODO])
        self._modules = QVBoxLayout()
        self._modules.setSpacing(10)
        self.side = Side(self.work)
        self.side.opened.connect(self.link_asked)
        self.side.part_asked.connect(self.part_asked)
        self.side.confirm_asked.connect(self.confirm_asked)
        self.side.dismiss_asked.connect(self._dismiss)
        left = QVBoxLayout()
        left.addLayout(self._modules)
        left.addStretch(1)
        bottom = self._bottom = QHBoxLayout()
        bottom.setSpacing(16)
        bottom.addLayout(left, 1)
        bottom.addWidget(self.side)
        self.inner.setContentsMargins(26, 22, 26, 26)
        self.inner.setSpacing(20)
        self.inner.addWidget(self.problem)
        self._figures = QGridLayout()
        self._figures.setSpacing(14)
        self._across = 0
        self.inner.addLayout(self._figures)
        self.inner.addLayout(bottom, 1)
        self._arrange()

    def _arrange(self) -> None:
        """What waits stands beside the modules, or below them where there is no room; the figures in one line or two."""
        room = self.viewport().width()
        narrow = room < theme.scaled(SIDE_WIDTH + NARROW_ROOM)
        down, across = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._bottom.setDirection(down if narrow else across)
        self.side.setMinimumWidth(0 if narrow else theme.scaled(SIDE_WIDTH))
        self.side.setMaximumWidth(QWIDGETSIZE_MAX if narrow else theme.scaled(SIDE_WIDTH))
        columns = (
            2
            if room
            < sum(max(figure.sizeHint().width(), figure.minimumWidth()) + 14 for figure in self.figures.values()) + 52
            else 4
        )
        if columns != self._across:
            self._across = columns
            for number, figure in enumerate(self.figures.values()):
                self._figures.addWidget(figure, number // columns, number % columns)

    # ---- content
    def _on_data(self, name: str) -> None:
        if name in ("modules", "organization"):
            self._refresh()

    def _on_failed(self, error: AppError) -> None:
        self.problem.show_text(error_text(error), tone="red", icon="warning-circle")
        i18n.bind(self.problem.action.setText, "common.retry")
        self.problem.action.show()

    def _rebuild(self) -> None:
        self._arrange()
        self._shown = ()
        self._refresh()

    def _refresh(self) -> None:
        if self._data.ready:
            self.problem.hide()
        work = self.work.work
        for part, figure in self.figures.items():
            figure.set_number(len(work.part(part)))
        self._refresh_modules()
        for tile in self._tiles:
            tile.set_count(work.counts.get(tile.module.id, 0))
            tile.set_starred(tile.module.id in self.work.habits.favorites)
        self.side.show_work()

    # ---- modules
    def _refresh_modules(self) -> None:
        modules = sorted(self._data.modules, key=lambda m: (m.order, m.id))
        columns = max(3, (self.viewport().width() - theme.scaled(SIDE_WIDTH) - 100) // theme.scaled(TILE_WIDTH))
        habits = self.work.habits
        wanted = (tuple(modules), columns, habits.favorites, self._recent(modules), self._data.ready)
        if wanted == self._shown:
            return
        self._shown = wanted
        self._tiles = []
        empty_layout(self._modules)
        self._add_own(modules, columns)
        for group, tone in GROUPS.items():
            members = [module for module in modules if module.group == group]
            if members:
                tiles = [self._tile(module, tone) for module in members]
                self._add_group(f"office.group.{group}", tone, tiles, columns)
        if not modules:
            key = "office.no_modules" if self._data.ready else "common.loading"
            self._modules.addWidget(Label(key=key, tone="ink3", wrap=True))

    def _recent(self, modules: list[ModuleDefinition]) -> tuple[str, ...]:
        """Used lately and no favourite; nothing while all there is fits one glance."""
        if len(modules) <= FEW:
            return ()
        habits, known = self.work.habits, {module.id for module in modules}
        found = [one for one in habits.recent if one in known and one not in habits.favorites]
        return tuple(found[:RECENT_SHOWN])

    def _add_own(self, modules: list[ModuleDefinition], columns: int) -> None:
        """Favourites in the user's order, then what was used last."""
        by_id = {module.id: module for module in modules}
        stars = [one for one in self.work.habits.favorites if one in by_id]
        recent = self._recent(modules)
        tiles = [self._tile(by_id[one], self._tone(by_id[one]), "favorite") for one in stars]
        tiles += [self._tile(by_id[one], self._tone(by_id[one]), "recent") for one in recent]
        if tiles:
            key = "office_workbench.favorites" if stars else "office_workbench.recent"
            self._add_group("office_workbench.own" if stars and recent else key, "ink3", tiles, columns)

    @staticmethod
    def _tone(module: ModuleDefinition) -> str:
        return GROUPS.get(module.group, "accent")

    def _tile(self, module: ModuleDefinition, tone: str, place: str = "module") -> ModuleTile:
        tile = ModuleTile(module, tone, place=place)
        on_click(tile, partial(self.module_asked.emit, module.id, ""))
        tile.star_asked.connect(partial(self.work.star, module.id))
        tile.dropped.connect(partial(self._on_dropped, module.id))
        tile.moved.connect(partial(self._on_moved, module.id))
        self._tiles.append(tile)
        return tile

    def _add_group(self, key: str, tone: str, tiles: list[ModuleTile], columns: int) -> None:
        self._modules.addWidget(GroupTitle(key, tone))
        card = Card(padding=10)
        grid = QGridLayout()
        grid.setSpacing(0)
        for number, tile in enumerate(tiles):
            grid.addWidget(tile, number // columns, number % columns)
        grid.setColumnStretch(columns, 1)
        card.body.addLayout(grid)
        self._modules.addWidget(card)
        self._modules.addSpacing(8)

    def _on_moved(self, module_id: str, step: int) -> None:
        favorites = self.work.habits.favorites
        if module_id in favorites:
            self.work.move(module_id, favorites.index(module_id) + step)

    def _on_dropped(self, module_id: str, place: QPoint) -> None:
        """A favourite was dragged: before the first one whose middle it was let go left of, in the row it was let go in."""
        before = 0
        for tile in self._tiles:
            if tile.objectName().startswith("favorite_") and tile.module.id != module_id:
                at = tile.mapFromGlobal(place)
                if at.y() > tile.height() or (at.y() >= 0 and at.x() > tile.width() // 2):
                    before += 1
        self._shown = ()  # the tile goes back into the grid, also where nothing changed
        self.work.move(module_id, before)
        self._refresh()

    # ---- what the user does
    def _dismiss(self, alert_id: str) -> None:
        self.tasks.start(self._data.session.alerts.dismiss(alert_id), name=f"dismiss-{alert_id}", exclusive=True)

    # ---- Qt events
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refresh()
