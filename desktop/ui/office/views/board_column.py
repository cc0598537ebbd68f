"""A column of the board: its name and count, and cards of one height painted as they come on the screen, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop.core.domain.records import Light, Record
from desktop.models.keyed_rows import KeyedRows
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Chip, Label, draw_elided
from desktop.ui.office.views.record_pool import RecordPool
from desktop.ui.theme import icons

Index = QModelIndex | QPersistentModelIndex
WIDTH, LINE, TITLE, PAD, GAP = 236, 18, 21, 10, 8
LIGHTS = {Light.RED: ("warning-circle-fill", "red"), Light.AMBER: ("clock-fill", "amber")}
STEP = 200
"""Cards that a list is told of; more as it is scrolled to its end."""
SPARE = 6
"""Cards below the edge that are read with those on the screen."""
FAR = 400
"""More changed cards than this are shown by a new list: moving them one by one costs more."""


class CardModel(QAbstractListModel):
    """Ids of a column's records; a card keeps its identity while others come and go. The records come from the pool as they are looked at."""

    def __init__(
        self,
        pool: RecordPool,
        spoken: Callable[[Record], str],
        parent: QWidget | None = None,
        *,
        step: int = STEP,
    ) -> None:
        super().__init__(parent)
        self._pool, self._spoken, self._step = pool, spoken, step
        self.ids: list[str] = []
        """All of them; `rows` are those the list was told of."""
        self.rows: KeyedRows[str] = KeyedRows(self, str)
        pool.arrived.connect(self.touch)

    def show_ids(self, ids: Sequence[str]) -> None:
        """Other records."""
        self.ids = list(ids)
        told = self.ids[: max(self._step, len(self.rows))]
        before, after = set(self.rows.rows), set(told)
        if len(before ^ after) > FAR or (len(before) > FAR and self.rows.rows != told):
            self.beginResetModel()
            self.rows.rows = told
            self.endResetModel()
        else:
            self.rows.replace(told)

    def row_of(self, record_id: str) -> int:
        """The row of a record, -1 for none. The list is told of the rows up to it."""
        if record_id not in self.ids:
            return -1
        row = self.ids.index(record_id)
        self._tell(row + 1)
        return row

    def _tell(self, count: int) -> None:
        held = len(self.rows)
        if held < min(count, len(self.ids)):
            fresh = self.ids[held : max(count, held + self._step)]
            self.beginInsertRows(QModelIndex(), held, held + len(fresh) - 1)
            self.rows.rows += fresh
            self.endInsertRows()

    def touch(self) -> None:
        """Records came or changed."""
        if len(self.rows):
            self.dataChanged.emit(self.index(0), self.index(len(self.rows) - 1))

    def key(self, row: int) -> str:
        """The id of a row's record."""
        return self.rows.rows[row]

    def record(self, row: int) -> Record | None:
        """The record of a row; None: it is not here yet."""
        return self._pool.get(self.rows.rows[row])

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and len(self.rows) < len(self.ids)

    def fetchMore(self, parent: Index) -> None:
        self._tell(len(self.rows) + self._step)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if index.isValid() and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            record = self.record(index.row())
            return self._spoken(record) if record is not None else "…"
        return None


class CardPainter(QStyledItemDelegate):
    """A card: title, the board's columns with their lights, marks of what waits or was refused."""

    def __init__(
        self,
        title: Callable[[Record], str],
        lines: Callable[[Record], list[tuple[str, Light | None]]],
        tone: Callable[[Record], str],
        count: Callable[[], int],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._title, self._lines, self._tone, self._count = title, lines, tone, count
        self.marked = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(160), theme.scaled(TITLE + LINE * self._count() + 2 * PAD + GAP))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        record = cast(CardModel, index.model()).record(index.row())
        if record is not None:
            chosen = bool(option.state & QStyle.StateFlag.State_Selected)
            self.paint_card(painter, option.rect, record, chosen, option)

    def paint_card(
        self, painter: QPainter, rect: QRect, record: Record, chosen: bool, option: QStyleOptionViewItem | None = None
    ) -> None:
        """Paints a card into a place, on a board or under the pointer."""
        colors = theme.tokens()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gap = theme.scaled(GAP) // 2
        card = QRectF(rect).adjusted(gap, gap, -gap, -gap)
        focused = option is not None and bool(option.state & QStyle.StateFlag.State_HasFocus)
        edge = colors.accent if chosen or record.id == self.marked else colors.line
        painter.setPen(QPen(edge, 2 if focused and chosen else 1))
        painter.setBrush(colors.selected if chosen else colors.surface)
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        pad = theme.scaled(PAD)
        room = card.toRect().adjusted(pad, pad - 2, -pad, -pad)
        title = QRect(room.left(), room.top(), room.width(), theme.scaled(TITLE))
        glyph, token = (
            ("warning-circle-fill", "red") if record.refusal else ("clock", "ink3") if record.pending else ("", "")
        )
        if glyph:
            self._paint_icon(painter, title, glyph, colors.named(token))
            title.setLeft(title.left() + theme.scaled(19))
        draw_elided(painter, title, self._title(record), theme.font("base"), colors.ink)
        for number, (words, light) in enumerate(self._lines(record)):
            line = QRect(
                room.left(), title.bottom() + 1 + number * theme.scaled(LINE), room.width(), theme.scaled(LINE)
            )
            color = colors.ink3
            if light is not None and light in LIGHTS:
                glyph, token = LIGHTS[light]
                color = colors.red_text if light is Light.RED else colors.amber
                self._paint_icon(painter, line, glyph, colors.named(token))
                line.setLeft(line.left() + theme.scaled(19))
            elif light is Light.GREEN:
                self._paint_dot(painter, line, colors.green)
                line.setLeft(line.left() + theme.scaled(13))
            draw_elided(painter, line, words, theme.font("secondary"), color)
        painter.restore()

    @staticmethod
    def _paint_icon(painter: QPainter, line: QRect, glyph: str, color: QColor) -> None:
        side = theme.scaled(14)
        icons.paint(painter, QRectF(line.left(), line.center().y() - side / 2 + 0.5, side, side), glyph, color)

    @staticmethod
    def _paint_dot(painter: QPainter, line: QRect, color: QColor) -> None:
        side = theme.scaled(7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(QRectF(line.left(), line.center().y() - side / 2 + 0.5, side, side))


class CardList(QListView):
    """Cards. A press that moves away carries the card: `dragged`, `dropped` (global places); keys that leave the column are told."""

    opened = Signal(object)
    dragged = Signal(object, QPoint)
    dropped = Signal(object, QPoint)
    given_up = Signal()
    key_step = Signal(int, bool)
    chosen_changed = Signal()

    def __init__(self, model: CardModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards = model
        self._press: tuple[QPoint, Record] | None = None
        self.carrying = False
        self.setModel(model)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("look", "pane")
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().setSingleStep(24)
        self.activated.connect(self._open)
        self.selectionModel().currentChanged.connect(lambda _now, _before: self.chosen_changed.emit())
        theme.changed.connect(self.scheduleDelayedItemsLayout)

    def _open(self, index: QModelIndex) -> None:
        record = self.cards.record(index.row()) if index.isValid() else None
        if record is not None:
            self.opened.emit(record)

    def shown_rows(self, count: int) -> range:
        """Rows on the screen and a few below, of `count` ones."""
        first = max(0, self.indexAt(QPoint(self.viewport().width() // 2, 1)).row())
        height = max(1, self.sizeHintForRow(0) if self.cards.rowCount() else theme.scaled(TITLE + LINE))
        return range(min(first, max(0, count - 1)), min(count, first + self.viewport().height() // height + SPARE))

    def current_record(self) -> Record | None:
        """The chosen card's record."""
        index = self.currentIndex()
        return self.cards.record(index.row()) if index.isValid() else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        index = self.indexAt(event.position().toPoint())
        left = event.button() is Qt.MouseButton.LeftButton
        record = self.cards.record(index.row()) if left and index.isValid() else None
        self._press = None if record is None else (event.position().toPoint(), record)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        far = (event.position().toPoint() - self._press[0]).manhattanLength() >= QApplication.startDragDistance()
        self.carrying = self.carrying or far
        if self.carrying:
            self.dragged.emit(self._press[1], event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press, self._press = self._press, None
        carried, self.carrying = self.carrying, False
        super().mouseReleaseEvent(event)
        if press is None:
            return
        if carried:
            self.dropped.emit(press[1], event.globalPosition().toPoint())
        elif event.button() is Qt.MouseButton.LeftButton:
            self.opened.emit(press[1])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step:
            self.key_step.emit(step, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        elif event.key() == Qt.Key.Key_Escape and self.carrying:
            self._press, self.carrying = None, False
            self.given_up.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)


class BoardColumn(QFrame):
    """`list` holds the cards; `key` is the value all of them have."""

    def __init__(
        self,
        key: str,
        painter: CardPainter,
        pool: RecordPool,
        spoken: Callable[[Record], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.key = key
        self.setProperty("surface", "bg")
        self.setObjectName(f"column_{key}")
        self.name = Chip()
        self.count = Label(role="secondary", tone="ink3")
        self.model = CardModel(pool, spoken, self)
        self.list = CardList(self.model)
        self.list.setItemDelegate(painter)
        self.list.setObjectName(f"cards_{key}")
        head = QHBoxLayout()
        head.setContentsMargins(10, 8, 10, 4)
        head.addWidget(self.name)
        head.addWidget(self.count)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 4, 4)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        self._target = False
        self._refused = False
        self._fit()
        theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self.setFixedWidth(theme.scaled(WIDTH))

    def show_ids(self, name: str, tone: str, ids: Sequence[str]) -> None:
        """Its name and its cards; what is read stays where it is."""
        place = self.list.verticalScrollBar().value()
        self.name.setText(name)
        self.name.set_tone(tone)
        self.model.show_ids(ids)
        self.count.setText(str(len(ids)))
        self.list.setAccessibleName(tr("office_views.column", name=name, n=len(ids)))
        self.list.verticalScrollBar().setValue(place)

    def mark_target(self, target: bool, refused: bool = False) -> None:
        """A card is held over it."""
        if (target, refused) != (self._target, self._refused):
            self._target, self._refused = target, refused
            self.update()

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)  # type: ignore[arg-type]  # Qt hands a QPaintEvent
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = colors.red if self._refused else colors.accent
        painter.setPen(QPen(edge, 2) if self._target else Qt.PenStyle.NoPen)
        painter.setBrush(colors.bg)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
