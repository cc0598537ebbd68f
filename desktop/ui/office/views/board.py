"""The board view: a column for each state or choice, cards carried from one to the next; what the record does not allow is refused with the reason."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop.core.domain.conditions import Facts
from desktop.core.domain.definition import Field, FieldKind, TypeDefinition, View
from desktop.core.domain.records import Light, Record, RecordQuery
from desktop.core.domain.titles import title_fields
from desktop.core.errors import AppError
from desktop.models.board_columns import EMPTY, Column, Step, Way, columns_of, key_of, step_to
from desktop.models.record_form import zone_minutes
from desktop.models.record_lights import light_of
from desktop.ui import theme
from desktop.ui.background import in_background
from desktop.ui.i18n import tr
from desktop.ui.kit import Banner
from desktop.ui.layouts import discard
from desktop.ui.office.views.base import STATE, RecordView, ViewContext, register
from desktop.ui.office.views.board_column import WIDTH, BoardColumn, CardPainter
from desktop.ui.office.views.record_pool import RecordPool
from desktop.ui.office.views.state_stack import StateStack
from desktop.ui.tasks import alive

MOST_LINES = 4
SCROLL_MS = 30
FIRST_CARDS = 16
"""Cards of a column that are read before it stands."""


class Ghost(QWidget):
    """The card under the pointer."""

    def __init__(self, painter: CardPainter, parent: QWidget) -> None:
        super().__init__(parent)
        self._painter = painter
        self.record: Record | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.record is not None:
            painter = QPainter(self)
            painter.setOpacity(0.85)
            self._painter.paint_card(painter, self.rect(), self.record, True)


@register("board")
class BoardView(RecordView):
    """Records of one type in columns."""

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(context, view, parent)
        self.columns: dict[str, BoardColumn] = {}
        self.pool = RecordPool(context.records, view.type, self)
        self._carrying = False
        self._waiting = False
        self.painter = CardPainter(context.title, self._lines, self._tone, lambda: len(self._shown_columns()), self)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is inside takes the keyboard, and scrolls along
        holder = QWidget()
        holder.setProperty("surface", "surface")
        self.row = QHBoxLayout(holder)
        self.row.setContentsMargins(10, 10, 10, 10)
        self.row.setSpacing(8)
        self.row.addStretch(1)
        self.area.setWidget(holder)
        self.stack = StateStack(self.area)
        self.notice = Banner()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.stack, 1)
        column.addWidget(self.notice)
        self.ghost = Ghost(self.painter, self)
        self._edge = 0
        self._scroller = QTimer(self, interval=SCROLL_MS)
        self._scroller.timeout.connect(self._scroll)
        self.stack.retry.connect(self.reload)
        context.definition_changed.connect(self.reload)

    # ---- definition
    @property
    def definition(self) -> TypeDefinition | None:
        """The type of the cards."""
        return self.context.type_of(self.view.type)

    @property
    def group(self) -> Field | None:
        """The field of the columns: the view's, else the state, else the first choice."""
        definition = self.definition
        if definition is None:
            return None
        name = self.view.group or (STATE if definition.states else "")
        found = self.context.field_of(definition.name, name) if name else None
        return found or next((field for field in definition.fields if field.kind is FieldKind.CHOICE), None)

    def _shown_columns(self) -> list[str]:
        """Fields on a card: the view's, without those that name it and the one of the columns."""
        definition, group = self.definition, self.group
        if definition is None:
            return []
        skipped = {*title_fields(definition), group.name if group is not None else ""}
        return [name for name in self.view.columns if name not in skipped][:MOST_LINES]

    # ---- words
    def _lines(self, record: Record) -> list[tuple[str, Light | None]]:
        return [(self._line(record, name), self._light(record, name)) for name in self._shown_columns()]

    def _line(self, record: Record, name: str) -> str:
        field = self.context.field_of(record.type, name)
        words = self.context.text(record, name)
        if field is not None and words and field.kind in (FieldKind.NUMBER, FieldKind.MONEY):
            return f"{self.label_of(field)} {words}"
        return words

    def _light(self, record: Record, name: str) -> Light | None:
        definition = self.definition
        due = next((one for one in definition.due if one.field == name), None) if definition is not None else None
        if due is None or definition is None:
            return None
        now = self.context.now_ms()
        return light_of(definition, due, record, Facts(self.context.me.id, (), now, zone_minutes(now)))

    def _tone(self, record: Record) -> str:
        group = self.group
        return self.context.choice_color(group, key_of(record, group)) if group is not None else "neutral"

    def column_name(self, key: str) -> str:
        """What a column is called."""
        group = self.group
        if group is None or key == EMPTY:
            return tr("office_views.without")
        value: Any = key == "true" if group.kind is FieldKind.BOOL else key
        many = group.kind in (FieldKind.MULTI_CHOICE, FieldKind.PERSONS, FieldKind.DEPARTMENTS, FieldKind.REFERENCES)
        return self.context.cell_text(group, [value] if many else value) or "…"

    def _spoken(self, record: Record) -> str:
        group = self.group
        words = [self.context.title(record), *(line for line, _ in self._lines(record) if line)]
        place = self.column_name(key_of(record, group)) if group is not None else ""
        return tr("office_views.card_place", card=", ".join(words), column=place)

    # ---- reading
    def reload(self) -> None:
        self.tasks.start(self._reload(), name="reload", exclusive=True)

    async def _reload(self) -> None:
        definition, group = self.definition, self.group
        if definition is None or group is None:
            self.stack.show_empty(narrowed=False)
            return
        query = RecordQuery(self.view.type, self.wanted(), self.needle, self.view.sort)
        try:
            placed = await self.context.records.outline(query, group.name)
            columns = await in_background(columns_of, definition, group, placed)
            if alive(self):
                await self.pool.renew([key for column in columns for key in self._near(column)])
        except AppError as error:
            if alive(self) and not self.stack.showing:
                self.stack.show_failed(error)
                return
            raise
        if not alive(self):
            return
        if self._carrying:
            self._waiting = True  # columns do not move under a card that is carried
            return
        self._show(columns)

    def _near(self, column: Column) -> list[str]:
        """Cards of a column that are on the screen, or will be."""
        held = self.columns.get(column.key)
        rows = held.list.shown_rows(len(column.ids)) if held is not None else range(min(len(column.ids), FIRST_CARDS))
        return [column.ids[row] for row in rows]

    def _show(self, columns: list[Column]) -> None:
        keys = [column.key for column in columns]
        for key in [key for key in self.columns if key not in keys]:
            gone = self.columns.pop(key)
            self.row.removeWidget(gone)
            discard(gone)
        group = self.group
        for place, column in enumerate(columns):
            if column.key not in self.columns:
                self._add_column(column.key)
            widget = self.columns[column.key]
            if self.row.indexOf(widget) != place:
                self.row.removeWidget(widget)
                self.row.insertWidget(place, widget)
            tone = self.context.choice_color(group, column.key) if group is not None else "neutral"
            widget.show_ids(self.column_name(column.key), tone, column.ids)
            widget.model.touch()
        self.stack.show_content() if columns else self.stack.show_empty(narrowed=bool(self.needle or self.narrowed))
        if self.focusProxy() is None and columns:
            self.setFocusProxy(self.columns[keys[0]].list)

    def _add_column(self, key: str) -> None:
        made = BoardColumn(key, self.painter, self.pool, self._spoken)
        made.list.opened.connect(lambda record: self.opened.emit(record.id))
        made.list.dragged.connect(self._on_dragged)
        made.list.dropped.connect(self._on_dropped)
        made.list.given_up.connect(self._end_carrying)
        made.list.key_step.connect(lambda step, carry: self._on_key(key, step, carry))
        made.list.chosen_changed.connect(lambda: self._on_chosen(key))
        made.list.installEventFilter(self)
        self.columns[key] = made
        self.row.insertWidget(self.row.count() - 1, made)

    # ---- choosing
    def _on_chosen(self, key: str) -> None:
        column = self.columns.get(key)
        record = column.list.current_record() if column is not None else None
        if record is not None and column is not None and column.list.hasFocus():
            self._only(key)
            self.selection_changed.emit([record.id])

    def _only(self, key: str) -> None:
        """One card is chosen on the whole board."""
        for other, column in self.columns.items():
            if other != key:
                column.list.clearSelection()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            for key, column in self.columns.items():
                if column.list is watched:
                    self._on_chosen(key)
                    self.area.ensureWidgetVisible(column, 10, 0)
        return False

    def place_of(self, record_id: str) -> tuple[str, int] | None:
        """Column and row of a card."""
        for key, column in self.columns.items():
            row = column.model.row_of(record_id)
            if row >= 0:
                return key, row
        return None

    def choose(self, record_id: str) -> None:
        """Makes a card the chosen one and puts the keyboard there."""
        place = self.place_of(record_id)
        if place is not None:
            column = self.columns[place[0]]
            column.list.setCurrentIndex(column.model.index(place[1], 0))
            column.list.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- carrying
    def column_at(self, place: QPoint) -> BoardColumn | None:
        """The column at a place of the screen."""
        for column in self.columns.values():
            here = column.mapFromGlobal(place)
            if column.rect().adjusted(-4, -2000, 4, 2000).contains(here):
                return column
        return None

    def _on_dragged(self, record: Record, place: QPoint) -> None:
        self._carrying = True
        size = self.painter.sizeHint(None, None)  # type: ignore[arg-type]  # every card is of one size
        self.ghost.record = record
        self.ghost.resize(theme.scaled(WIDTH) - 12, size.height())
        here = self.mapFromGlobal(place)
        self.ghost.move(here - QPoint(theme.scaled(30), theme.scaled(18)))
        self.ghost.show()
        self.ghost.raise_()
        over = self.column_at(place)
        for column in self.columns.values():
            refused = column is over and self._refusal(record, self.step(record, column.key), column.key) != ""
            column.mark_target(column is over, refused)
        rim = theme.scaled(40)
        self._edge = -1 if here.x() < rim else 1 if here.x() > self.width() - rim else 0
        self._scroller.start() if self._edge else self._scroller.stop()

    def _scroll(self) -> None:
        bar = self.area.horizontalScrollBar()
        bar.setValue(bar.value() + self._edge * theme.scaled(16))

    def _on_dropped(self, record: Record, place: QPoint) -> None:
        over = self.column_at(place)
        self._end_carrying()
        if over is not None:
            self.move_card(record, over.key)

    def _end_carrying(self) -> None:
        self._carrying = False
        self._scroller.stop()
        self.ghost.hide()
        self.ghost.record = None
        for column in self.columns.values():
            column.mark_target(False)
        if self._waiting:
            self._waiting = False
            self.reload()

    def _on_key(self, key: str, step: int, carry: bool) -> None:
        keys = list(self.columns)
        record = self.columns[key].list.current_record()
        target = keys.index(key) + step
        if carry and record is not None:
            if 0 <= target < len(keys):
                self.move_card(record, keys[target])
            return
        while 0 <= target < len(keys):
            cards = self.columns[keys[target]]
            if cards.model.rowCount():
                row = min(self.columns[key].list.currentIndex().row(), cards.model.rowCount() - 1)
                self.choose(cards.model.key(max(0, row)))
                return
            target += step

    # ---- what a move means
    def step(self, record: Record, key: str) -> Step:
        """What putting a card into a column takes."""
        definition, group = self.definition, self.group
        if definition is None or group is None:
            return Step(Way.NOTHING)
        records = self.context.records
        allowed = records.allowed_actions(record)
        return step_to(definition, group, record, key, allowed, records.may_edit(record, group.name))

    def _refusal(self, record: Record, step: Step, key: str) -> str:
        group = self.group
        if group is None:
            return ""
        match step.way:
            case Way.NO_ACTION:
                from_ = self.column_name(key_of(record, group))
                return tr("office_views.no_action", from_=from_, to=self.column_name(key))
            case Way.NOT_YOURS if step.action is not None:
                return tr("office_views.not_yours", action=self.context.label(step.action.label))
            case Way.NO_EDIT:
                return tr("office_views.may_not_change", field=self.context.label(group.label))
        return ""

    def move_card(self, record: Record, key: str) -> None:
        """Puts a card into a column, as far as the record allows it."""
        self.notice.hide()
        step = self.step(record, key)
        refusal = self._refusal(record, step, key)
        if refusal:
            self.notice.show_text(refusal, tone="red", icon="warning-circle", dismissible=True)
        elif step.way is Way.PATCH:
            self.patch_asked.emit(record, step.patch)
        elif step.way is Way.ASK and step.action is not None:
            self.action_asked.emit(record, step.action.name)
        elif step.way is Way.ACT and step.action is not None:
            self.tasks.start(self._act(record, step.action.name, key), name=f"act-{record.id}")

    async def _act(self, record: Record, action: str, key: str) -> None:
        await self.context.records.act(record, action)
        if alive(self):
            self.tasks.start(self._follow(record.id), name="follow", exclusive=True)

    async def _follow(self, record_id: str) -> None:
        """The card that was moved by keys keeps the keyboard in its new column."""
        had = any(column.list.hasFocus() for column in self.columns.values())
        await self._reload()
        if alive(self) and had:
            self.choose(record_id)

    # ---- for the page
    def show_record(self, record_id: str) -> None:
        self.painter.marked = record_id
        for column in self.columns.values():
            column.list.viewport().update()

    def on_names(self) -> None:
        for key, column in self.columns.items():
            column.name.setText(self.column_name(key))
            column.list.setAccessibleName(tr("office_views.column", name=column.name.text(), n=len(column.model.ids)))
            column.list.viewport().update()
