"""Parts of the workbench that paint themselves: figures, module tiles, pressable lines, titles of groups."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QApplication, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain import ModuleDefinition
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import ElidedLabel, Label, Menu, paint_badge, row
from desktop.ui.theme import icons

TILE: Final = 42
TILE_WIDTH, TILE_HEIGHT = 104, 76


class Figure(QAbstractButton):
    """One number with its name; a press goes to what was counted."""

    def __init__(self, key: str, tone: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key, self._tone, self._number = key, tone, 0
        self.setObjectName(f"figure_{key.rpartition('.')[2]}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._fit()
        theme.changed.connect(self._fit)
        i18n.changed.connect(self._name)
        self._name()

    @property
    def number(self) -> int:
        """What it shows."""
        return self._number

    def set_number(self, number: int) -> None:
        """Another number."""
        self._number = number
        self._name()

    def _name(self) -> None:
        self.setAccessibleName(f"{tr(self._key)}: {self._number}")
        self.update()

    def _fit(self) -> None:
        self.setMinimumSize(QSize(theme.scaled(120), theme.scaled(80)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme.tokens(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focus = self.hasFocus()
        painter.setPen(QPen(colors.accent if focus or self.underMouse() else colors.line, 2 if focus else 1))
        painter.setBrush(colors.surface)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        left = theme.scaled(17)
        number = theme.font("hero", bold=True)
        number.setPixelSize(theme.scaled(28))
        painter.setFont(number)
        painter.setPen(colors.named(self._tone) if self._number else colors.ink3)
        room = QRectF(left, theme.scaled(10), self.width() - 2 * left, theme.scaled(38))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, str(self._number))
        painter.setFont(theme.font("secondary"))
        painter.setPen(colors.ink3)
        room.translate(0, theme.scaled(36))
        room.setHeight(theme.scaled(22))
        text = painter.fontMetrics().elidedText(tr(self._key), Qt.TextElideMode.ElideRight, round(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


class ModuleTile(QAbstractButton):
    """One module: its icon on a soft square, its name, a count of what waits. The menu stars it; a starred one on top is dragged to its place.

    Signals:
        star_asked: put it among the favourites, or take it away.
        dropped: it was dragged to this place on the screen. moved: the keyboard moves it by so many places.
    """

    star_asked = Signal(bool)
    dropped = Signal(QPoint)
    moved = Signal(int)

    def __init__(
        self, module: ModuleDefinition, tone: str, *, place: str = "module", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.module, self._tone, self._count = module, tone, 0
        self._movable = place == "favorite"
        self._starred = self._dragging = False
        self._pressed_at = QPoint()
        self.setObjectName(f"{place}_{module.id}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(theme.scaled(TILE_WIDTH), theme.scaled(TILE_HEIGHT))
        self.set_count(0)

    @property
    def count(self) -> int:
        """What the badge shows."""
        return self._count

    def set_count(self, count: int) -> None:
        """Another count."""
        self._count = count
        self.setText(module_name(self.module))
        self.setAccessibleName(f"{self.text()} {count}" if count else self.text())
        self.setToolTip(self.module.help.text(i18n.language()) if self.module.help is not None else "")
        self.update()

    def set_starred(self, starred: bool) -> None:
        """Whether it is among the favourites."""
        self._starred = starred
        self.update()

    def menu(self) -> Menu:
        """What can be done with the tile."""
        menu = Menu(self, leaves=True)
        key = "office_workbench.unstar" if self._starred else "office_workbench.star"
        menu.addAction(tr(key), lambda: self.star_asked.emit(not self._starred))
        if self._movable:
            menu.addAction(tr("office_workbench.move_left"), lambda: self.moved.emit(-1))
            menu.addAction(tr("office_workbench.move_right"), lambda: self.moved.emit(1))
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu().popup(event.globalPos())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_at, self._dragging = event.position().toPoint(), False
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        away = (event.position().toPoint() - self._pressed_at).manhattanLength()
        held = bool(event.buttons() & Qt.MouseButton.LeftButton)
        if self._movable and held and not self._dragging and away >= QApplication.startDragDistance():
            self._dragging = True
            self.raise_()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        if self._dragging:
            self.move(self.mapToParent(event.position().toPoint() - self._pressed_at))
            return
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self._dragging = False
            self.setDown(False)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.dropped.emit(event.globalPosition().toPoint())
            return
        super().mouseReleaseEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme.tokens(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.hasFocus():
            painter.setPen(QPen(colors.accent, 1) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(colors.hover)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 0.5, -1, -0.5), 8, 8)
        side = theme.scaled(TILE)
        square = QRectF((self.width() - side) / 2, theme.scaled(6), side, side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.named(f"{self._tone}_soft"))
        painter.drawRoundedRect(square, 10, 10)
        glyph = glyph_name(self.module.icon)
        inset = side * 0.24
        icons.paint(painter, square.adjusted(inset, inset, -inset, -inset), glyph, colors.named(self._tone))
        if self._count:
            paint_badge(painter, square.right() + theme.scaled(8), square.top() + theme.scaled(3), self._count)
        painter.setFont(theme.font("secondary"))
        painter.setPen(colors.ink)
        room = QRectF(2, square.bottom(), self.width() - 4, self.height() - square.bottom())
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, round(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and self._movable and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.moved.emit(step)
            return
        super().keyPressEvent(event)


def module_name(module: ModuleDefinition) -> str:
    """The module's name in the interface's language."""
    return module.label.text(i18n.language()) or module.id


def glyph_name(icon: str) -> str:
    """The glyph of a module's icon; a prefix of the family is dropped, an unknown name gets a plain square."""
    name = icon.rpartition(".")[2]
    return name if icons.exists(name) else "squares-four"


class Line(QFrame):
    """A row of a card that can be pressed: a time in front, two lines of text, a chip, a button."""

    pressed = Signal()

    def __init__(
        self, title: str, detail: str, parts: list[QWidget], *, lead: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(", ".join(part for part in (lead, title, detail) if part))
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(ElidedLabel(title))
        if detail:
            words.addWidget(ElidedLabel(detail, role="secondary", tone="ink3"))
        line = QHBoxLayout(self)
        line.setContentsMargins(14, 8, 12, 8)
        line.setSpacing(6)
        if lead:
            at = Label(lead, tone="link")
            at.setMinimumWidth(theme.scaled(44))
            line.addWidget(at, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        for part in parts:
            line.addWidget(part)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hasFocus() or self.underMouse():
            painter = QPainter(self)
            painter.fillRect(self.rect().adjusted(1, 0, -1, 0), theme.tokens().hover)
            if self.hasFocus():
                painter.setPen(theme.tokens().accent)
                painter.drawRect(self.rect().adjusted(1, 0, -2, -1))

    def enterEvent(self, event: object) -> None:
        self.update()

    def leaveEvent(self, event: object) -> None:
        self.update()


class GroupTitle(QWidget):
    """A group's name behind a short bar of its color."""

    def __init__(self, key: str, tone: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self.setLayout(row(Label(key=key, strong=True), None, margins=(11, 0, 0, 0)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        height = theme.scaled(13)
        painter.fillRect(QRectF(0, (self.height() - height) / 2, 3, height), theme.tokens().named(self._tone))
