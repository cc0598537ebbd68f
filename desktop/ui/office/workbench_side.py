"""The right side of the workbench: my to-dos, today, and the radar of dates. Each is a card that is filled anew from the work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain.records import AgendaItem, Light
from desktop.models.workbench import Part, WorkItem
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, Card, Chip, Divider, IconButton, Label, draw_elided, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.workbench_tiles import Line
from desktop.ui.office.workbench_words import TONES, chip_of, detail_of
from desktop.ui.office.workbench_work import WorkData

TODOS_SHOWN: Final = 6
DUES_SHOWN: Final = 5
AGENDA_SHOWN: Final = 8
TITLE_HEIGHT: Final = 20
LIGHTS: Final = ((Light.RED, "overdue"), (Light.AMBER, "soon"), (Light.GREEN, "later"))


class Side(QWidget):
    """Signals: opened(type, id); part_asked(list of "my work"); confirm_asked(notice id); dismiss_asked(alert id)."""

    opened = Signal(str, str)
    part_asked = Signal(str)
    confirm_asked = Signal(str)
    dismiss_asked = Signal(str)

    def __init__(self, data: WorkData, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = data
        self._told: tuple[object, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        self.todo_card, self.today_card, self.radar_card = Card(padding=0), Card(padding=0), Card(padding=0)
        for key, name, card, part in (
            ("office.my_todos", "allTodos", self.todo_card, Part.TODO),
            ("office_workbench.today", "", self.today_card, None),
            ("office_workbench.radar", "allDues", self.radar_card, Part.RADAR),
        ):
            card.body.setSpacing(0)
            title: list[QWidget | int | None] = [Label(key=key, strong=True), None]
            if part is not None:
                every = Button(key="office_workbench.all", kind="link", small=True)
                every.setObjectName(name)
                every.setMaximumHeight(theme.scaled(TITLE_HEIGHT))
                on_click(every, partial(self.part_asked.emit, str(part)))
                title.append(every)
            column.addLayout(row(*title))
            column.addWidget(card)
            column.addSpacing(6)
        column.addStretch(1)

    def show_work(self) -> None:
        """Fills the cards. What looks as before is left alone, so that a press or the keyboard does not lose its line."""
        work = self._data.work
        ready = self._data.ready and self._data.data.ready
        told = (work, ready, self._data.now_ms() // 60_000, theme.text_scale(), tr("office_workbench.today"))
        if told == self._told:
            return
        self._told = told
        self._fill(self.todo_card, work.part(Part.TODO), TODOS_SHOWN, self._todo_line, "office.no_todos", ready)
        self._fill_more(len(work.part(Part.TODO)) - TODOS_SHOWN)
        self._fill_today(work.agenda, ready)
        self._fill_radar(work.part(Part.RADAR), ready)

    def _fill(
        self,
        card: Card,
        items: tuple[WorkItem, ...],
        most: int,
        make: Callable[[WorkItem], QWidget],
        none: str,
        ready: bool,
    ) -> None:
        empty_layout(card.body)
        for number, item in enumerate(items[:most]):
            if number:
                card.body.addWidget(Divider())
            card.body.addWidget(make(item))
        if not items:
            card.body.addWidget(quiet(none if ready else "common.loading"))

    def _fill_more(self, count: int) -> None:
        if count > 0:
            more = Button(tr("office.more_todos", n=count), kind="link", small=True)
            on_click(more, partial(self.part_asked.emit, str(Part.TODO)))
            self.todo_card.body.addLayout(row(None, more, None, margins=(0, 4, 0, 6)))

    def _todo_line(self, item: WorkItem) -> Line:
        parts: list[QWidget] = []
        chip = chip_of(item, self._data)
        if chip is not None:
            parts.append(Chip(*chip))
        name = item.record_id
        if item.notice is not None:
            confirm = Button(key="office.confirm_short", small=True)
            confirm.setObjectName(f"confirm_{item.notice.id}")
            on_click(confirm, partial(self.confirm_asked.emit, item.notice.id))
            parts.append(confirm)
        elif item.alert is not None:
            name = item.alert.id
            dismiss = IconButton("check", "common.dismiss", size=15, box=26)
            on_click(dismiss, partial(self.dismiss_asked.emit, item.alert.id))
            parts.append(dismiss)
        line = Line(item.title, detail_of(item, self._data), parts)
        line.setObjectName(f"todo_{name}")
        line.pressed.connect(partial(self._open, item))
        return line

    def _open(self, item: WorkItem) -> None:
        if item.record_id:
            self.opened.emit(item.type_name, item.record_id)
        elif item.alert is not None:
            self.dismiss_asked.emit(item.alert.id)

    # ---- today
    def _fill_today(self, agenda: tuple[AgendaItem, ...], ready: bool) -> None:
        empty_layout(self.today_card.body)
        for item in agenda[:AGENDA_SHOWN]:
            self.today_card.body.addWidget(self._agenda_line(item))
        if len(agenda) > AGENDA_SHOWN:
            self.today_card.body.addWidget(quiet_text(tr("office.more_todos", n=len(agenda) - AGENDA_SHOWN)))
        if not agenda:
            self.today_card.body.addWidget(quiet("office_workbench.no_agenda" if ready else "common.loading"))

    def _agenda_line(self, item: AgendaItem) -> Line:
        begin = tr("office_workbench.all_day") if item.all_day else when.clock(item.start)
        end = "" if item.all_day or item.end <= item.start + 1 else when.clock(item.end)
        home = self._data.home(item.record.type)
        where = home[1].label.text(i18n.language()) if home is not None else ""
        now = not item.all_day and item.start <= self._data.now_ms() < item.end
        until = tr("office_workbench.until", time=end) if end else ""
        chips: list[QWidget] = [Chip(key="office_workbench.now", tone="accent")] if now else []
        line = Line(item.title, " · ".join(filter(None, (where, until))), chips, lead=begin)
        line.setObjectName(f"agenda_{item.record.id}")
        line.pressed.connect(partial(self.opened.emit, item.record.type, item.record.id))
        return line

    # ---- radar
    def _fill_radar(self, items: tuple[WorkItem, ...], ready: bool) -> None:
        empty_layout(self.radar_card.body)
        counts = self._data.work.lights()
        heads = QHBoxLayout()
        heads.setContentsMargins(14, 10, 14, 6)
        for light, name in LIGHTS:
            heads.addWidget(LightCount(TONES[light], f"office_workbench.light.{name}", counts[light]), 1)
        if items:
            self.radar_card.body.addLayout(heads)
        for item in items[:DUES_SHOWN]:
            self.radar_card.body.addWidget(Divider())
            self.radar_card.body.addWidget(self._due_line(item))
        if not items:
            self.radar_card.body.addWidget(quiet("office_workbench.no_dues" if ready else "common.loading"))

    def _due_line(self, item: WorkItem) -> Line:
        chip = chip_of(item, self._data)
        line = Line(item.title, detail_of(item, self._data), [Chip(*chip)] if chip is not None else [])
        line.setObjectName(f"due_{item.record_id}")
        line.pressed.connect(partial(self.opened.emit, item.type_name, item.record_id))
        return line


class LightCount(QWidget):
    """A number in the color of its light over its name."""

    def __init__(self, tone: str, key: str, count: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone, self._text, self.count = tone, tr(key), count
        self.setAccessibleName(f"{self._text}: {count}")
        self.setFixedHeight(theme.scaled(46))

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme.tokens(), QPainter(self)
        number = theme.font("base", bold=True)
        number.setPixelSize(theme.scaled(20))
        half = theme.scaled(26)
        painter.setFont(number)
        painter.setPen(colors.named(self._tone) if self.count else colors.ink3)
        painter.drawText(QRect(0, 0, self.width(), half), Qt.AlignmentFlag.AlignVCenter, str(self.count))
        rest = QRect(0, half, self.width() - theme.scaled(4), self.height() - half)
        draw_elided(painter, rest, self._text, theme.font("secondary"), colors.ink3)


def quiet(key: str) -> Label:
    """A line that says there is nothing."""
    return quiet_text(tr(key))


def quiet_text(text: str) -> Label:
    """A line of its own at the end of a card."""
    label = Label(text, role="secondary", tone="ink3", wrap=True)
    label.setContentsMargins(14, 14, 14, 14)
    return label
