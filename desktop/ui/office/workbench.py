"""The workbench: figures, the modules there are, what waits for this user, what is new. Every number is counted from synced records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain import Alert, Document, ModuleDefinition
from desktop.core.errors import AppError
from desktop.models.records import Figures, Todo, figures, todos
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Banner, Button, Card, Chip, Divider, ElidedLabel, Label, Scroll, on_click, paint_badge, row
from desktop.ui.kit.basics import IconButton
from desktop.ui.layouts import empty_layout
from desktop.ui.office.office_records import OfficeData
from desktop.ui.tasks import TaskOwner
from desktop.ui.theme import icons

GROUPS = {"official": "accent", "personal": "green", "extended": "amber"}
TILE = 42
TILE_WIDTH, TILE_HEIGHT = 104, 76
TODOS_SHOWN = 8
DOCUMENTS_SHOWN = 5
SIDE_WIDTH = 290


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
    """One module: its icon on a soft square, its name, a count of what is new."""

    def __init__(self, module: ModuleDefinition, tone: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._module, self._tone, self._count = module, tone, 0
        self.setObjectName(f"module_{module.id}")
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
        self.setText(module_name(self._module))
        self.setAccessibleName(f"{self.text()} {count}" if count else self.text())
        self.update()

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
        glyph = glyph_name(self._module.icon)
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
        super().keyPressEvent(event)


def module_name(module: ModuleDefinition) -> str:
    """The module's name in the interface's language."""
    return module.label.get(i18n.language()) or module.label.get("zh") or module.id


def glyph_name(icon: str) -> str:
    """The glyph of a module's icon; a prefix of the family is dropped, an unknown name gets a plain square."""
    name = icon.rpartition(".")[2]
    return name if icons.exists(name) else "squares-four"


class Line(QFrame):
    """A row of a card that can be pressed: two lines of text, a chip, a button."""

    pressed = Signal()

    def __init__(self, title: str, detail: str, parts: list[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"{title}, {detail}")
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(ElidedLabel(title))
        words.addWidget(ElidedLabel(detail, role="secondary", tone="ink3"))
        line = QHBoxLayout(self)
        line.setContentsMargins(14, 8, 12, 8)
        line.setSpacing(6)
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


class Workbench(Scroll):
    """The page. `module_asked` names a module and what of it to show."""

    module_asked = Signal(str, str)
    notice_asked = Signal(str)
    document_asked = Signal(str)
    link_asked = Signal(str, str)
    confirm_asked = Signal(str)

    def __init__(self, data: OfficeData, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setObjectName("workbench")
        self.tasks = TaskOwner(self)
        self._data, self._now_ms = data, now_ms
        self._tiles: dict[str, ModuleTile] = {}
        self._columns = 0
        self._build_ui()
        data.changed.connect(lambda _name: self._refresh())
        data.loaded.connect(self._refresh)
        data.failed.connect(self._on_failed)
        i18n.changed.connect(self._rebuild)
        theme.changed.connect(self._rebuild)
        self._refresh()

    def _build_ui(self) -> None:
        self.problem = Banner()
        on_click(self.problem.action, self._data.load)
        self.to_confirm = Figure("office.figure.to_confirm", "red")
        self.unread = Figure("office.figure.unread", "accent")
        self.fresh = Figure("office.figure.new_documents", "amber")
        self.kept = Figure("office.figure.kept", "ink")
        on_click(self.to_confirm, partial(self.module_asked.emit, "notices", "toConfirm"))
        on_click(self.unread, partial(self.module_asked.emit, "notices", "unread"))
        on_click(self.fresh, partial(self.module_asked.emit, "library", "new"))
        on_click(self.kept, partial(self.module_asked.emit, "library", "kept"))
        top = row(self.to_confirm, self.unread, self.fresh, self.kept, spacing=14)
        self._modules = QVBoxLayout()
        self._modules.setSpacing(10)
        side = QVBoxLayout()
        side.setSpacing(10)
        self._todo_card, self._document_card = Card(padding=0), Card(padding=0)
        for key, card in (("office.my_todos", self._todo_card), ("office.new_documents", self._document_card)):
            card.body.setSpacing(0)
            side.addWidget(Label(key=key, strong=True))
            side.addWidget(card)
            side.addSpacing(8)
        side.addStretch(1)
        self._side = QWidget()
        self._side.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        left = QVBoxLayout()
        left.addLayout(self._modules)
        left.addStretch(1)
        bottom = QHBoxLayout()
        bottom.setSpacing(16)
        bottom.addLayout(left, 1)
        bottom.addWidget(self._side)
        self.inner.setContentsMargins(26, 22, 26, 26)
        self.inner.setSpacing(20)
        self.inner.addWidget(self.problem)
        self.inner.addLayout(top)
        self.inner.addLayout(bottom, 1)
        self._side.setFixedWidth(theme.scaled(SIDE_WIDTH))

    # ---- content
    @property
    def figures(self) -> Figures:
        """The numbers as they stand."""
        data = self._data
        return figures(data.notices, data.documents, me=data.session.me.id, now=self._now_ms())

    def _on_failed(self, error: AppError) -> None:
        self.problem.show_text(error_text(error), tone="red", icon="warning-circle")
        i18n.bind(self.problem.action.setText, "common.retry")
        self.problem.action.show()

    def _rebuild(self) -> None:
        self._side.setFixedWidth(theme.scaled(SIDE_WIDTH))
        self._tiles = {}
        self._refresh()

    def _refresh(self) -> None:
        if self._data.ready:
            self.problem.hide()
        numbers = self.figures
        self.to_confirm.set_number(numbers.to_confirm)
        self.unread.set_number(numbers.unread)
        self.fresh.set_number(numbers.new_documents)
        self.kept.set_number(numbers.kept_documents)
        self._refresh_modules()
        counts = {"notices": max(numbers.to_confirm, numbers.unread), "library": 0}
        for key, tile in self._tiles.items():
            tile.set_count(counts.get(key, 0))
        self._refresh_todos()
        self._refresh_documents()

    def _refresh_modules(self) -> None:
        modules = sorted(self._data.modules, key=lambda m: (m.order, m.id))
        columns = max(3, (self.viewport().width() - theme.scaled(SIDE_WIDTH) - 100) // theme.scaled(TILE_WIDTH))
        if [m.id for m in modules] == list(self._tiles) and columns == self._columns:
            return
        self._tiles, self._columns = {}, columns
        empty_layout(self._modules)
        known = [g for g in GROUPS if any(m.group == g for m in modules)]
        for group in known:
            members = [m for m in modules if m.group == group]
            self._modules.addWidget(GroupTitle(f"office.group.{group}", GROUPS[group]))
            card = Card(padding=10)
            grid = QGridLayout()
            grid.setSpacing(0)
            for number, module in enumerate(members):
                tile = ModuleTile(module, GROUPS[group])
                on_click(tile, partial(self.module_asked.emit, module.id, ""))
                grid.addWidget(tile, number // columns, number % columns)
                self._tiles[module.id] = tile
            grid.setColumnStretch(columns, 1)
            card.body.addLayout(grid)
            self._modules.addWidget(card)
            self._modules.addSpacing(8)
        if not modules:
            key = "office.no_modules" if self._data.ready else "common.loading"
            self._modules.addWidget(Label(key=key, tone="ink3", wrap=True))

    def _refresh_todos(self) -> None:
        waiting = todos(self._data.notices, self._data.alerts)
        empty_layout(self._todo_card.body)
        for number, todo in enumerate(waiting[:TODOS_SHOWN]):
            if number:
                self._todo_card.body.addWidget(Divider())
            self._todo_card.body.addWidget(self._todo_line(todo))
        if not waiting:
            key = "office.no_todos" if self._data.ready else "common.loading"
            self._todo_card.body.addWidget(_quiet(key))
        elif len(waiting) > TODOS_SHOWN:
            more = Button(tr("office.more_todos", n=len(waiting) - TODOS_SHOWN), kind="link", small=True)
            on_click(more, partial(self.module_asked.emit, "notices", "toConfirm"))
            self._todo_card.body.addLayout(row(None, more, None, margins=(0, 4, 0, 6)))

    def _todo_line(self, todo: Todo) -> Line:
        stamp = when.short(todo.at, self._now_ms())
        parts: list[QWidget] = []
        if todo.notice is not None:
            confirm = Button(key="office.confirm_short", small=True)
            confirm.setObjectName(f"confirm_{todo.notice.id}")
            on_click(confirm, partial(self.confirm_asked.emit, todo.notice.id))
            parts.append(confirm)
            author = self._data.name(todo.notice.department_id) or self._data.name(todo.notice.author_id)
            line = Line(todo.title, " · ".join(filter(None, (author, stamp))), parts)
            line.pressed.connect(partial(self.notice_asked.emit, todo.notice.id))
            line.setObjectName(f"todo_{todo.notice.id}")
            return line
        assert todo.alert is not None
        if todo.urgent:
            parts.append(Chip(key="office.urgent", tone="red"))
        dismiss = IconButton("check", "common.dismiss", size=15, box=26)
        on_click(dismiss, partial(self._dismiss, todo.alert.id))
        parts.append(dismiss)
        line = Line(todo.title, " · ".join(filter(None, (todo.alert.text, stamp))), parts)
        line.setObjectName(f"todo_{todo.alert.id}")
        line.pressed.connect(partial(self._open_alert, todo.alert))
        return line

    def _refresh_documents(self) -> None:
        newest = sorted(self._data.documents, key=lambda d: (-d.updated_at, d.id))[:DOCUMENTS_SHOWN]
        empty_layout(self._document_card.body)
        for number, document in enumerate(newest):
            if number:
                self._document_card.body.addWidget(Divider())
            self._document_card.body.addWidget(self._document_line(document))
        if not newest:
            key = "office.no_documents" if self._data.ready else "common.loading"
            self._document_card.body.addWidget(_quiet(key))

    def _document_line(self, document: Document) -> Line:
        stamp = when.short(document.updated_at, self._now_ms())
        parts: list[QWidget] = [Chip(key="office.kept_here", tone="green")] if document.kept else []
        line = Line(document.title, " · ".join(filter(None, (document.number, stamp))), parts)
        line.pressed.connect(partial(self.document_asked.emit, document.id))
        line.setObjectName(f"new_{document.id}")
        return line

    # ---- what the user does
    def _dismiss(self, alert_id: str) -> None:
        self.tasks.start(self._data.session.alerts.dismiss(alert_id), name=f"dismiss-{alert_id}", exclusive=True)

    def _open_alert(self, alert: Alert) -> None:
        if alert.link is None:
            self._dismiss(alert.id)
            return
        self.link_asked.emit(alert.link.type, alert.link.id)

    # ---- Qt events
    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]  # a QResizeEvent
        self._refresh_modules()


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


def _quiet(key: str) -> Label:
    label = Label(key=key, role="secondary", tone="ink3", wrap=True)
    label.setContentsMargins(14, 14, 14, 14)
    return label
