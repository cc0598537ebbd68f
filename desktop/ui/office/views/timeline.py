"""The timeline view: a row for each resource, blocks of every type that books it, made, moved and sized by hand; what someone else holds is not given away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain.definition import Field, FieldKind, TypeDefinition, View
from desktop.core.domain.records import During, Record, RecordQuery
from desktop.core.domain.titles import title_fields
from desktop.core.errors import AppError
from desktop.models.record_values import local_date
from desktop.models.timeline_layout import (
    HOUR_MS,
    Block,
    Row,
    Scale,
    Window,
    blocks_of,
    conflicts,
    rows_of,
    step_day,
    time_value,
    window_of,
)
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import Banner
from desktop.ui.office.views.base import STATE, RecordView, ViewContext, all_of, register
from desktop.ui.office.views.date_bar import DateBar, day_words
from desktop.ui.office.views.kept_choices import KeptChoices
from desktop.ui.office.views.state_stack import StateStack
from desktop.ui.office.views.timeline_canvas import ZOOMS, TimelineCanvas
from desktop.ui.office.views.timeline_drag import Drag, Mode
from desktop.ui.office.views.timeline_paint import TimelinePainter, spoken_block, time_words
from desktop.ui.tasks import alive

MOST_RESOURCES: Final = 2000


class TimelineBar(DateBar):
    """Day, week, month, and zoom."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__([str(one) for one in Scale], zoom=True, parent=parent)


@register("timeline")
class TimelineView(RecordView):
    """Resources × time of one type, and what else holds the same resources."""

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.kept = KeptChoices(context.records, f"{context.module_id}/{view.id}/timeline", self)
        self.day: date = local_date(context.now_ms())
        self.blocks: list[Block] = []
        self.resources: dict[str, Record] = {}
        self._waiting = False
        painter = TimelinePainter(self.block_title, self._tone, self._state_words, self._head)
        self.canvas = TimelineCanvas(painter, context.now_ms)
        self.canvas.setObjectName("timelineCanvas")
        self.canvas.judge, self.canvas.spoken = self._judge, self._spoken
        self.bar = TimelineBar()
        self.notice = Banner()
        self.stack = StateStack(self.canvas)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.bar, self.stack, self.notice):
            column.addWidget(part, 1 if part is self.stack else 0)
        self.setFocusProxy(self.canvas)
        self._bind()

    def _bind(self) -> None:
        self.bar.stepped.connect(self.step)
        self.bar.today_asked.connect(lambda: self.go(local_date(self.context.now_ms())))
        self.bar.scale_chosen.connect(self.set_scale)
        self.bar.zoomed.connect(self._on_zoom)
        self.canvas.stepped.connect(self.step)
        self.canvas.zoomed.connect(self._on_zoom)
        self.canvas.opened.connect(self._on_opened)
        self.canvas.created.connect(self._on_created)
        self.canvas.changed.connect(self._on_changed)
        self.canvas.refused.connect(self._say)
        self.canvas.selected.connect(self._on_selected)
        self.canvas.released.connect(self._on_released)
        self.stack.retry.connect(self.reload)
        self.context.definition_changed.connect(self.reload)

    # ---- definition
    @property
    def definition(self) -> TypeDefinition | None:
        """The type of the blocks that are moved here."""
        return self.context.type_of(self.view.type)

    def _own_field(self, name: str | None) -> Field | None:
        return self.context.field_of(self.view.type, name) if name else None

    @property
    def time(self) -> Field | None:
        """The field that places a record in time: the view's, else the booking's."""
        booking = self.definition.booking if self.definition else None
        return self._own_field(self.view.time or (booking.span if booking else None))

    @property
    def resource(self) -> Field | None:
        """The field that places a record on a row."""
        booking = self.definition.booking if self.definition else None
        return self._own_field(self.view.resource or (booking.resource if booking else None))

    def _others(self) -> list[TypeDefinition]:
        """Other types that book the same resources, of any module."""
        target = self.resource.target if self.resource else None
        found = []
        for module in self.context.modules:
            for one in module.types:
                field = one.field(one.booking.resource) if one.booking else None
                if field is not None and field.target == target is not None and one.name != self.view.type:
                    found.append(one)
        return found

    def watched_types(self) -> frozenset[str]:
        target = self.resource.target if self.resource else None
        return frozenset({self.view.type, *(one.name for one in self._others()), *([target] if target else [])})

    # ---- the window
    @property
    def scale(self) -> Scale:
        """Day, week or month, as the user left it."""
        held = self.kept.text("scale", Scale.DAY)
        return Scale(held) if held in set(Scale) else Scale.DAY

    @property
    def window_(self) -> Window:
        """What is shown."""
        return window_of(self.scale, self.day)

    def step(self, count: int) -> None:
        """So many windows further."""
        self.go(step_day(self.scale, self.day, count))

    def go(self, day: date) -> None:
        """Shows the window with this day."""
        self.day = day
        self._show_window()
        self.reload()

    def set_scale(self, scale: str) -> None:
        """Day, week or month."""
        self.kept.keep(scale=scale)
        self._show_window()
        self.reload()

    def _on_zoom(self, step: int) -> None:
        near = min(range(len(ZOOMS)), key=lambda n: abs(ZOOMS[n] - self.canvas.zoom))
        zoom = ZOOMS[min(max(0, near + step), len(ZOOMS) - 1)]
        self.kept.keep(zoom=zoom)
        self.canvas.set_zoom(zoom)

    def _show_window(self) -> None:
        window = self.window_
        if self.scale is Scale.DAY:
            title = day_words("office_views.day_title", window.first)
        elif self.scale is Scale.MONTH:
            title = day_words("office_views.month_title", window.first)
        else:
            last = date.fromordinal(window.after.toordinal() - 1)
            title = tr(
                "office_views.week_title",
                first=day_words("office_views.week_day", window.first),
                last=day_words("office_views.week_day", last),
                week=window.first.isocalendar().week,
                y=window.first.year,
            )
        self.bar.show_window(title, str(self.scale))

    # ---- reading
    def reload(self) -> None:
        self.tasks.start(self._reload(), name="reload", exclusive=True)

    async def _reload(self) -> None:
        await self.kept.load()
        if not alive(self):
            return
        self.canvas.zoom = self.kept.number("zoom", 1.0)
        self._show_window()
        window = self.window_
        try:
            resources, blocks = await self._read(window)
        except AppError as error:
            if alive(self) and not self.stack.showing:
                self.stack.show_failed(error)
                return
            raise
        rows = await in_background(rows_of, list(resources), blocks, window)
        if alive(self) and window == self.window_:
            self.resources, self.blocks = resources, blocks
            self._show(rows)

    def _show(self, rows: Sequence[Row]) -> None:
        if self.canvas.drag is not None:
            self._waiting = True  # the ground does not move under a gesture; what came is read again after it
            return
        if not rows:
            self.stack.show_empty(narrowed=False, key="office_views.no_resources", icon="tray")
            return
        self.canvas.show_rows(self.window_, rows)
        self.stack.show_content()
        if self.canvas.current and self.canvas.placed(self.canvas.current) is None:
            self.canvas.choose("", tell=False)

    def _on_released(self) -> None:
        if self._waiting:
            self._waiting = False
            self.reload()

    async def _read(self, window: Window) -> tuple[dict[str, Record], list[Block]]:
        definition, time, resource = self.definition, self.time, self.resource
        if definition is None or time is None:
            return {}, []
        page = self.context.records.page
        shown = await page(self._query(definition, time, window, self.wanted(), self.needle))
        booking = definition.booking
        held = None if booking is None else (*booking.states,)
        blocks = blocks_of(shown.records, time, resource, holding=held)
        if held is not None and (
            self.needle or self.wanted() is not None
        ):  # else all that hold something are among them
            only = {"state": list(held)} if held else None
            holders = await page(self._query(definition, time, window, only))
            known = {record.id for record in shown.records}
            rest = (record for record in holders.records if record.id not in known)
            blocks += blocks_of(rest, time, resource, holding=held, shown=False)
        for other in self._others():
            blocks += await self._read_other(other, window)
        return await self._read_resources(resource, blocks), blocks

    async def _read_other(self, other: TypeDefinition, window: Window) -> list[Block]:
        booking = other.booking
        time = other.field(booking.span) if booking else None
        if booking is None or time is None:
            return []
        only = {"state": list(booking.states)} if booking.states else None
        found = await self.context.records.page(self._query(other, time, window, only))
        return blocks_of(found.records, time, other.field(booking.resource), holding=booking.states, own=False)

    async def _read_resources(self, resource: Field | None, blocks: Sequence[Block]) -> dict[str, Record]:
        """The rows: records of the target that are still in use, or stand on the screen."""
        target = self.context.type_of(resource.target) if resource is not None and resource.target else None
        if target is None:
            return {}
        sort = title_fields(target)[:1]
        found = await self.context.records.page(RecordQuery(target.name, sort=sort, limit=MOST_RESOURCES))
        window = self.window_
        used = {b.resource for b in blocks if b.shown and b.start < window.end and window.start < b.end}
        gone = target.final_states
        return {r.id: r for r in found.records if r.data.get(STATE) not in gone or r.id in used}

    @staticmethod
    def _query(
        definition: TypeDefinition, time: Field, window: Window, condition: dict[str, Any] | None, text: str = ""
    ) -> RecordQuery:
        """Records that reach into the window."""
        if time.kind is FieldKind.DATE:
            dates = {f"{time.name}After": window.first.isoformat(), f"{time.name}Before": window.after.isoformat()}
            return RecordQuery(definition.name, all_of((condition, dates)), text, (time.name,), 0, None)
        early = 0 if time.kind is FieldKind.SPAN else HOUR_MS  # a moment is shown as an hour
        during = During(time.name, window.start - early, window.end)
        return RecordQuery(definition.name, condition, text, (time.name,), 0, None, during)

    # ---- words
    def block_title(self, block: Block) -> str:
        """What a block is called."""
        return self.context.title(block.record)

    def _tone(self, block: Block) -> str:
        definition = self.context.type_of(block.record.type)
        state = definition.state(block.record.data.get(STATE)) if definition is not None else None
        return state.color if state is not None and block.own else "neutral"

    def _state_words(self, block: Block) -> str:
        words = self.context.text(block.record, STATE)
        definition = self.context.type_of(block.record.type)
        return words or ("" if definition is None or block.own else self.context.label(definition.label))

    def _head(self, key: str) -> tuple[str, str]:
        record = self.resources.get(key)
        target = self.context.type_of(record.type) if record is not None else None
        if record is None or target is None:
            return tr("office_views.unassigned"), tr("office_views.unassigned_hint")
        names = list(title_fields(target))
        first = self.context.text(record, names[0]) if names else self.context.title(record)
        rest = [self.context.text(record, name) for name in names[1:]]
        size = next((f for f in target.fields if f.kind is FieldKind.NUMBER and not f.read_only), None)
        if size is not None and (amount := self.context.text(record, size.name)):
            rest.append(amount if size.unit else f"{amount} {self.context.label(size.label)}")
        return first, " · ".join(part for part in rest if part)

    def _resource_words(self, key: str) -> str:
        return self._head(key)[0]

    def _spoken(self, block: Block) -> str:
        return spoken_block(
            self.block_title(block), self._resource_words(block.resource), self._state_words(block), block
        )

    # ---- gestures
    def _judge(self, drag: Drag) -> None:
        """Who is in the way, and whether this user may at all."""
        booked = self.definition is not None and self.definition.booking is not None
        row = next((one for one in self.canvas.rows if one.key == drag.resource), None)
        holds = drag.block is None or drag.block.holds or not drag.block.resource
        without = drag.block.record.id if drag.block is not None else ""
        found = conflicts(row.holding, drag.start, drag.end, without=without) if row and booked and holds else []
        drag.clash = tuple(found) if drag.resource else ()
        drag.refusal = self._right(drag) or self._clash_words(drag)

    def _right(self, drag: Drag) -> str:
        may = self.context.records.may_edit
        block, time, resource = drag.block, self.time, self.resource
        if block is None:
            allowed = self.context.records.may(None, self.view.type, "create")
            return "" if allowed else tr("office_views.may_not_create")
        if not block.own:
            return tr("office_views.not_here")
        if time is None or (not may(block.record, time.name) and (drag.start, drag.end) != (block.start, block.end)):
            return tr("office_views.may_not_move")
        if drag.resource != block.resource and (resource is None or not may(block.record, resource.name)):
            return tr("office_views.may_not_assign")
        if time.kind is not FieldKind.SPAN and drag.mode in (Mode.START, Mode.END):
            return tr("office_views.no_length")
        return ""

    def _clash_words(self, drag: Drag) -> str:
        if not drag.clash:
            return ""
        block = drag.clash[0]
        who = self.context.name_of(block.record.author_id) or tr("office_record.the_office")
        return tr(
            "office_views.held",
            resource=self._resource_words(block.resource),
            time=time_words(block.start, block.end),
            who=who,
            title=self.block_title(block),
        )

    def _on_created(self, resource: str, start: int, end: int) -> None:
        time, field = self.time, self.resource
        if time is None:
            return
        self.notice.hide()
        values: dict[str, Any] = {time.name: time_value(time, start, end)}
        if field is not None and resource:
            values[field.name] = [resource] if field.kind is FieldKind.REFERENCES else resource
        self.new_asked.emit(values)

    def _on_changed(self, block: Block, resource: str, start: int, end: int) -> None:
        time, field = self.time, self.resource
        if time is None:
            return
        self.notice.hide()
        patch: dict[str, Any] = {}
        if (start, end) != (block.start, block.end):
            patch[time.name] = time_value(time, start, end)
        if resource != block.resource and field is not None:
            patch[field.name] = self._assigned(field, block, resource)
        record = block.record
        data = {**record.data, **patch}
        moved = replace(
            block,
            record=msgspec.structs.replace(record, data=data),
            start=start,
            end=end,
            resource=resource,
            holds=self._would_hold(data),
        )
        self.blocks = [moved if one.key == block.key else one for one in self.blocks]
        self.canvas.current = moved.key
        self.canvas.show_rows(self.window_, rows_of(list(self.resources), self.blocks, self.window_))
        self.canvas.choose(moved.key)
        self.patch_asked.emit(record, patch)

    @staticmethod
    def _assigned(field: Field, block: Block, resource: str) -> Any:
        if field.kind is not FieldKind.REFERENCES:
            return resource or None
        held = block.record.data.get(field.name)
        kept = [one for one in held if one not in (block.resource, resource)] if isinstance(held, list) else []
        return [*kept, resource] if resource else kept

    def _would_hold(self, data: dict[str, Any]) -> bool:
        booking = self.definition.booking if self.definition else None
        if booking is None or not data.get(booking.resource):
            return False
        return not booking.states or data.get(STATE) in booking.states

    def _say(self, text: str) -> None:
        self.notice.show_text(text, tone="red", icon="warning-circle", dismissible=True)

    def _on_opened(self, block: Block) -> None:
        if block.own:
            self.opened.emit(block.record.id)
        else:
            self._say(self._spoken(block).replace("\n", " · "))

    def _on_selected(self, block: Block | None) -> None:
        self.selection_changed.emit([block.record.id] if block is not None and block.own else [])

    # ---- for the page
    def show_record(self, record_id: str) -> None:
        self.canvas.marked = record_id
        if record_id and self.canvas.placed(record_id) is not None and not self.canvas.hasFocus():
            self.canvas.choose(record_id, tell=False)
        self.canvas.viewport().update()

    def on_names(self) -> None:
        self._show_window()
        self.canvas.viewport().update()

    def focus_canvas(self) -> None:
        """Puts the keyboard on the blocks."""
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)
