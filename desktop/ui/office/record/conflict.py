"""Two versions of a record side by side: what the user wrote, and what somebody faster wrote. The user chooses per field."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QFrame, QGridLayout, QRadioButton, QVBoxLayout, QWidget

from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.definition import Label as Words
from desktop.core.domain.records import Conflict
from desktop.core.errors import AppError
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import Banner, Button, Card, IconButton, Label, PaneHeader, Scroll, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.record.value_view import ValueView
from desktop.ui.office.views.base import ViewContext, field_of, value_of
from desktop.ui.tasks import TaskOwner, alive

MINE, THEIRS = "mine", "theirs"


class _Mark(QRadioButton):
    """A radio button whose mark is painted from the tokens."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        side = theme.scaled(16)
        return QSize(side + theme.scaled(7) + self.fontMetrics().horizontalAdvance(self.text()) + 4, side + 6)

    def hitButton(self, pos: QPoint) -> bool:  # noqa: N802  # Qt's name
        return self.rect().contains(pos)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.scaled(16)
        ring = QRectF(1.5, (self.height() - side) / 2 + 0.5, side - 1, side - 1)
        on = self.isChecked()
        painter.setPen(
            QPen(colors.accent if on or self.hasFocus() else colors.line_strong, 2 if self.hasFocus() else 1)
        )
        painter.setBrush(colors.surface)
        painter.drawEllipse(ring)
        if on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.accent)
            painter.drawEllipse(ring.adjusted(side * 0.25, side * 0.25, -side * 0.25, -side * 0.25))
        painter.setPen(colors.ink)
        painter.setFont(self.font())
        text = QRectF(ring.right() + theme.scaled(7), 0, self.width(), self.height())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())


class _Side(Card):
    """One version of a field, with its mark to choose it by; a press anywhere on it chooses it."""

    def __init__(self, context: ViewContext, field: Field, value: object, key: str) -> None:
        super().__init__(padding=8)
        self.mark = _Mark(tr(key))
        self.mark.setAccessibleName(f"{context.label(field.label)}: {tr(key)} {context.cell_text(field, value)}")
        view = ValueView(context, field)
        view.show_value(value)
        self.body.addWidget(self.mark)
        self.body.addWidget(view)
        self.body.addStretch(1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.mark.setChecked(True)


class ConflictPane(QWidget):
    """Settles one conflict. `settled` when the choice was taken or the user's version dropped; `closed` to decide later."""

    settled = Signal()
    closed = Signal()

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("conflictPane")
        self.context = context
        self.tasks = TaskOwner(self)
        self._conflict: Conflict | None = None
        self._sides: dict[str, tuple[_Side, _Side]] = {}
        self._groups: list[QButtonGroup] = []
        header = PaneHeader(key="office_record.conflict.title")
        close = IconButton("x", "common.dismiss")
        on_click(close, self.closed.emit)
        header.add_action(close)
        self.banner = Banner()
        self.text = Label(tone="ink2", wrap=True)
        self.area = Scroll(surface="surface")
        self._column = QVBoxLayout()
        self._column.setSpacing(14)
        self.area.inner.setContentsMargins(18, 14, 18, 14)
        self.area.inner.addWidget(self.text)
        self.area.inner.addLayout(self._column)
        self.area.inner.addStretch(1)
        self.all_mine = Button(key="office_record.conflict.all_mine")
        self.all_theirs = Button(key="office_record.conflict.all_theirs")
        self.take = Button(key="office_record.conflict.take", kind="primary")
        self.take.setObjectName("conflictTake")
        self.drop = Button(key="office_record.conflict.drop", kind="danger")
        self.drop.setObjectName("conflictDrop")
        on_click(self.all_mine, partial(self.choose_all, MINE))
        on_click(self.all_theirs, partial(self.choose_all, THEIRS))
        on_click(self.take, self.resolve)
        on_click(self.drop, self.drop_mine)
        flow = Flow(spacing=8)
        for button in (self.take, self.all_mine, self.all_theirs, self.drop):
            flow.add(button)
        foot = QFrame()
        foot.setProperty("surface", "footer")
        line = QVBoxLayout(foot)
        line.setContentsMargins(18, 10, 18, 10)
        line.addWidget(flow)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (header, self.banner):
            column.addWidget(widget)
        column.addWidget(self.area, 1)
        column.addWidget(foot)
        i18n.changed.connect(self._draw)

    # ---- what is chosen
    def show_conflict(self, conflict: Conflict) -> None:
        """Shows one; nothing is chosen yet, so that nothing is lost by a press too fast."""
        self._conflict = conflict
        self.banner.hide()
        self._draw()

    def _draw(self) -> None:
        conflict = self._conflict
        definition = self.context.type_of(conflict.type) if conflict is not None else None
        empty_layout(self._column)
        self._sides, self._groups = {}, []
        if conflict is None or definition is None:
            return
        gone = conflict.theirs is None
        key = "gone" if gone else "question"
        self.text.setText(tr(f"office_record.conflict.{key}"))
        for name in conflict.fields if not gone else ():
            found = field_of(definition, name)
            self._column.addWidget(self._compare(conflict, name, found or _unknown(name)))
        rest = [name for name in conflict.mine if gone or name not in conflict.fields]
        if rest:
            head = Label(
                key="office_record.conflict.lost" if gone else "office_record.conflict.rest", tone="ink2", wrap=True
            )
            self._column.addWidget(head)
        for name in rest:
            found = field_of(definition, name) or _unknown(name)
            text = self.context.cell_text(found, conflict.mine[name]) or tr("office_record.nothing")
            self._column.addWidget(Label(f"{self.context.label(found.label)}  {text}", wrap=True))
        for button in (self.take, self.all_mine, self.all_theirs):
            button.setVisible(not gone)
        self._refresh()

    def _compare(self, conflict: Conflict, name: str, field: Field) -> QWidget:
        theirs = value_of(conflict.theirs, name) if conflict.theirs is not None else None
        sides = (
            _Side(self.context, field, conflict.mine.get(name), "office_record.conflict.mine"),
            _Side(self.context, field, theirs, "office_record.conflict.theirs"),
        )
        group = QButtonGroup(self)
        for side in sides:
            group.addButton(side.mark)
            side.mark.toggled.connect(self._refresh)
        self._groups.append(group)
        self._sides[name] = sides
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(8)
        grid.addWidget(Label(self.context.label(field.label), strong=True), 0, 0, 1, 2)
        for column, side in enumerate(sides):
            grid.addWidget(side, 1, column)
            grid.setColumnStretch(column, 1)
        return holder

    def choice(self) -> dict[str, str]:
        """Field → "mine" or "theirs", for those chosen."""
        found: dict[str, str] = {}
        for name, (mine, theirs) in self._sides.items():
            if mine.mark.isChecked() or theirs.mark.isChecked():
                found[name] = MINE if mine.mark.isChecked() else THEIRS
        return found

    def choose_all(self, side: str) -> None:
        """Chooses one side everywhere."""
        for mine, theirs in self._sides.values():
            (mine if side == MINE else theirs).mark.setChecked(True)

    def _refresh(self) -> None:
        self.take.setEnabled(len(self.choice()) == len(self._sides))

    # ---- settling
    def resolve(self) -> None:
        """Takes the choice."""
        if self._conflict is not None and self.take.isEnabled():
            work = self.context.records.resolve(self._conflict.edit_id, self.choice())
            self.tasks.start(self._settle(work), name="resolve", exclusive=True)

    def drop_mine(self) -> None:
        """Gives up what the user wrote."""
        if self._conflict is not None:
            work = self.context.records.drop(self._conflict.edit_id)
            self.tasks.start(self._settle(work), name="resolve", exclusive=True)

    async def _settle(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except AppError as error:
            if alive(self):
                self.banner.show_text(error_text(error), tone="red", icon="warning-circle", dismissible=True)
            return
        if alive(self):
            self.settled.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
            return
        super().keyPressEvent(event)


def _unknown(name: str) -> Field:
    """A field that the definition does not have any more."""
    return Field(name=name, kind=FieldKind.TEXT, label=Words(zh=name, en=name))
