"""The steps as cards (mockup 9, left): chosen with a press, sorted by dragging or with Alt and the arrows, wrong ones marked with what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from desktop.models.step_list import Path, Row
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import ElidedLabel, IconLabel, Label
from desktop.ui.kit.spoken import speak_as
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process.designer.step_words import StepWords
from desktop.ui.theme import values_process as values


class StepCard(QWidget):
    """One line of the list.

    Signals: pressed. dragged, dropped: a drag goes on or ends (the height in the column).
    """

    pressed = Signal()
    dragged = Signal(int)
    dropped = Signal(int)

    def __init__(self, says: StepWords, row: Row, problem: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stepCard")
        self.row, self.problem = row, problem
        self.chosen = False
        self._grip: QPoint | None = None
        self._dragging = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 9, 12, 9)
        column.setSpacing(3)
        line = QHBoxLayout()
        line.setSpacing(6)
        if not row.way:
            line.addWidget(IconLabel("dots-six-vertical", tone="faint", size=14))
        if row.number:
            line.addWidget(Label(str(row.number), tone="ink3"))
        glyph = {
            "branch": "git-branch",
            "parallel": "rows",
            "service": "gear-six",
            "script": "code",
            "call": "flow-arrow",
        }
        if row.kind in glyph:
            line.addWidget(IconLabel(glyph[row.kind], tone="ink3", size=14))
        title = ElidedLabel(says.title(row), role="base" if not row.way else "secondary")
        line.addWidget(title, 1)
        side = says.side(row)
        if side:
            label = ElidedLabel(side, role="secondary", tone="ink3")
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
            line.addWidget(label, 1)
        column.addLayout(line)
        detail = says.detail(row)
        if detail:
            column.addWidget(ElidedLabel(detail, role="secondary", tone="ink3"))
        if problem:
            column.addWidget(Label(problem, role="secondary", tone="red_text", wrap=True))
        parts = [str(row.number) if row.number else "", title.text(), side, detail, problem]
        self.setAccessibleName(", ".join(part for part in parts if part))

    def set_chosen(self, chosen: bool) -> None:
        """Marks it."""
        self.chosen = chosen
        self.update()

    # ---- Qt overrides
    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = colors.red if self.problem else colors.accent if self.chosen else colors.line
        pen = QPen(edge, 1.4 if self.chosen or self.problem else 1)
        if self.row.way:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(colors.accent_soft if self.chosen else colors.surface)
        radius = theme.values.RADIUS_CARD
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.7, 0.7, -0.7, -0.7), radius, radius)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position().toPoint()
            self.pressed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None or self.row.way:
            return
        place = event.position().toPoint()
        if not self._dragging and (place - self._grip).manhattanLength() < QApplication.startDragDistance():
            return
        self._dragging = True
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.dragged.emit(self.mapToParent(place).y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        dragging, self._dragging, self._grip = self._dragging, False, None
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        if dragging:
            self.dropped.emit(self.mapToParent(event.position().toPoint()).y())


class StepColumn(QWidget):
    """The cards.

    Signals:
        chosen: the path of a card. moved: an item goes (path) into a list (path) at a place. stepped: up or down (path, -1 or 1).
        removed: the item or way at a path is not wanted.
    """

    chosen = Signal(tuple)
    moved = Signal(tuple, tuple, int)
    stepped = Signal(tuple, int)
    removed = Signal(tuple)

    def __init__(self, says: StepWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.List)
        self.setObjectName("stepColumn")
        self.setAccessibleName(tr("office_process.steps"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.says = says
        self.cards: list[StepCard] = []
        self.current: Path | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(2, 2, 2, 2)
        self._column.setSpacing(8)
        self._gap: int | None = None
        self._shape: object = None

    def show_rows(self, rows: Sequence[Row], problems: Mapping[str, str], current: Path | None) -> None:
        """Shows these lines; `problems`: what is wrong, by id."""
        self.current = current
        shape = (repr(rows), tuple(problems.items()), self.says.context.language, theme.text_scale())
        if shape != self._shape:
            self._shape = shape
            empty_layout(self._column)
            self.cards = []
            for row in rows:
                card = StepCard(self.says, row, problems.get(row.id, "") if not row.way else "", self)
                card.pressed.connect(lambda path=row.path: self.choose(path))
                card.dragged.connect(self._show_gap)
                card.dropped.connect(lambda y, path=row.path: self.drop_step(path, y))
                holder = QHBoxLayout()
                holder.setContentsMargins(theme.scaled(values.INDENT) * row.depth, 0, 0, 0)
                holder.addWidget(card)
                self._column.addLayout(holder)
                self.cards.append(card)
            self._column.addStretch(1)
        self._mark()

    def _mark(self) -> None:
        for card in self.cards:
            card.set_chosen(card.row.path == self.current)
        now = self.card(self.current)
        self.setAccessibleName(now.accessibleName() if now is not None else tr("office_process.steps"))

    def card(self, path: Path | None) -> StepCard | None:
        """The card of a place."""
        return next((card for card in self.cards if card.row.path == path), None)

    def choose(self, path: Path) -> None:
        """Marks a card and tells."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if path != self.current:
            self.current = path
            self._mark()
            self.chosen.emit(path)

    # ---- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        place = next((n for n, card in enumerate(self.cards) if card.row.path == self.current), -1)
        if step and event.modifiers() & Qt.KeyboardModifier.AltModifier and self.current is not None:
            self.stepped.emit(self.current, step)
        elif step and self.cards:
            self.choose(self.cards[max(0, min(len(self.cards) - 1, place + step))].row.path)
        elif event.key() == Qt.Key.Key_Delete and self.current is not None:
            self.removed.emit(self.current)
        else:
            super().keyPressEvent(event)

    # ---- dragging
    def _show_gap(self, y: int) -> None:
        found = self.gap_at(y)
        self._gap = found[2] if found is not None else None
        self.update()

    def gap_at(self, y: int) -> tuple[Path, int, int] | None:
        """Where something dropped at a height goes: the list, the place in it, and the height of the mark."""
        for card in self.cards:
            top, tall = card.y(), card.height()
            if y > top + tall + self._column.spacing() // 2:
                continue
            upper = y < top + tall // 2
            if card.row.way:
                return (*card.row.path, "steps"), 0, top + tall + self._column.spacing() // 2
            place = int(card.row.path[-1])
            mark = top - self._column.spacing() // 2 if upper else top + tall + self._column.spacing() // 2
            return card.row.path[:-1], place if upper else place + 1, mark
        if not self.cards:
            return None
        top_level = [card for card in self.cards if card.row.depth == 0]
        last = self.cards[-1]
        return ("steps",), len(top_level), last.y() + last.height() + self._column.spacing() // 2

    def drop_step(self, source: Path, y: int) -> None:
        """Drops the item of a place at a height."""
        self._gap = None
        self.update()
        found = self.gap_at(y)
        if found is not None:
            self.moved.emit(source, found[0], found[1])

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        if self._gap is not None:
            painter.setPen(QPen(theme.tokens().accent, 2))
            painter.drawLine(4, self._gap, self.width() - 4, self._gap)
        if self.hasFocus() and self.current is None:
            painter.setPen(QPen(theme.tokens().accent, 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
