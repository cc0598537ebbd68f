"""The emoji picker: a search, categories and what was used last, painted with the system's color emoji font; mouse and keyboard."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from desktop.ui import i18n, theme
from desktop.ui.chat.emoji_words import categories, emoji_name, find_emoji
from desktop.ui.chat.sticker_panel import StickerPanel, StickerSet
from desktop.ui.i18n import tr
from desktop.ui.kit import Divider, IconButton, SearchBox, round_corners
from desktop.ui.shell.ui_state import UiState
from desktop.ui.theme.values_chat import EMOJI_CELL

COLUMNS = 8
RECENT = 24
_ICONS = {
    "recent": "clock",
    "smileys": "smiley",
    "gestures": "hand",
    "nature": "leaf",
    "food": "coffee",
    "activity": "trophy",
    "objects": "lightbulb",
    "symbols": "heart",
}


class _Grid(QWidget):
    """Cells of emoji, painted; not a widget each."""

    picked = Signal(str)
    moved = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.emoji: tuple[str, ...] = ()
        self._current = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_emoji(self, emoji: tuple[str, ...]) -> None:
        """Shows these."""
        self.emoji, self._current = emoji, 0
        rows = max(1, -(-len(emoji) // COLUMNS))
        self.setFixedSize(theme.scaled(EMOJI_CELL) * COLUMNS, theme.scaled(EMOJI_CELL) * rows)
        self._describe()
        self.update()

    def _cell(self, number: int) -> QRect:
        side = theme.scaled(EMOJI_CELL)
        return QRect(number % COLUMNS * side, number // COLUMNS * side, side, side)

    def _at(self, place: QPoint) -> int:
        side = theme.scaled(EMOJI_CELL)
        number = place.y() // side * COLUMNS + place.x() // side
        return number if 0 <= place.x() < side * COLUMNS and 0 <= number < len(self.emoji) else -1

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = theme.font("title")
        painter.setFont(font)
        if not self.emoji:
            painter.setFont(theme.font("secondary"))
            painter.setPen(theme.tokens().ink3)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("chat.emoji.none"))
        for number, emoji in enumerate(self.emoji):
            cell = self._cell(number)
            if not cell.intersects(event.rect()):
                continue
            if number == self._current:
                painter.setPen(QPen(theme.tokens().accent, 1) if self.hasFocus() else Qt.PenStyle.NoPen)
                painter.setBrush(theme.tokens().selected)
                painter.drawRoundedRect(cell.adjusted(2, 2, -2, -2), 6, 6)
            painter.setPen(theme.tokens().ink)
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, emoji)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        number = self._at(event.position().toPoint())
        if number >= 0 and number != self._current:
            self._current = number
            self._describe()
            QToolTip.showText(event.globalPosition().toPoint(), self.accessibleName(), self)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        number = self._at(event.position().toPoint())
        if number >= 0:
            self.picked.emit(self.emoji[number])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -COLUMNS, Qt.Key.Key_Down: COLUMNS}
        step = steps.get(Qt.Key(event.key()))
        if step is not None:
            self._current = min(max(self._current + step, 0), max(0, len(self.emoji) - 1))
            self._describe()
            self.moved.emit(self._cell(self._current).center())
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pick_current()
        else:
            super().keyPressEvent(event)

    def pick_current(self) -> None:
        """Takes the emoji that has the mark."""
        if self.emoji:
            self.picked.emit(self.emoji[self._current])

    def _describe(self) -> None:
        emoji = self.emoji[self._current] if self.emoji else ""
        self.setAccessibleName(f"{emoji} {emoji_name(emoji)}".strip())


class EmojiPicker(QFrame):
    """A pop-up that emits the emoji picked and stays open while Shift is held."""

    picked = Signal(str)
    sticker_picked = Signal(str)
    built_in_picked = Signal(str)  # the name of a built-in sticker

    def __init__(self, state: UiState, parent: QWidget | None = None, stickers: StickerPanel | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._state, self.stickers = state, stickers
        self.setProperty("surface", "popup")
        round_corners(self)
        i18n.bind(self.setAccessibleName, "chat.compose.emoji")
        self.search = SearchBox("chat.emoji.search")
        self.search.searched.connect(self._on_search)
        self._grid = _Grid()
        self.search.returnPressed.connect(self._grid.pick_current)
        self._grid.picked.connect(self._on_picked)
        self._grid.moved.connect(self._reveal)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self._grid)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.viewport().setAutoFillBackground(False)
        self._grid.setAutoFillBackground(False)  # the scroll area turned it on
        self._tabs = QButtonGroup(self)
        self._tabs.setExclusive(True)
        tabs = QHBoxLayout()
        tabs.setSpacing(0)
        self._names = ["recent", *categories()]
        for number, name in enumerate(self._names):
            tab = IconButton(_ICONS[name], f"chat.emoji.{name}", checkable=True, active="link", size=18, box=30)
            self._tabs.addButton(tab, number)
            tabs.addWidget(tab)
        self.sticker_set = StickerSet() if stickers is not None else None
        more = [("sticker", "chat_talk.stickers"), ("briefcase", "chat_talk.sticker_set")] if stickers else []
        for number, (icon, key) in enumerate(more, len(self._names)):
            tab = IconButton(icon, key, checkable=True, active="link", size=18, box=30)
            self._tabs.addButton(tab, number)
            tabs.addWidget(tab)
        tabs.addStretch(1)
        self._tabs.idClicked.connect(self._show)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self.search)
        layout.addWidget(self._scroll)
        if stickers is not None:
            layout.addWidget(stickers)
            stickers.hide()
            stickers.picked.connect(self._on_sticker)
        if self.sticker_set is not None:
            layout.addWidget(self.sticker_set)
            self.sticker_set.hide()
            self.sticker_set.picked.connect(self._on_built_in)
        layout.addWidget(Divider())
        layout.addLayout(tabs)

    def open_above(self, button: QWidget) -> None:
        """Opens over a button, inside the screen."""
        size = QSize(theme.scaled(EMOJI_CELL) * COLUMNS + 14, theme.scaled(EMOJI_CELL) * 6)
        self._scroll.setFixedSize(size)
        if self.stickers is not None:
            self.stickers.setFixedSize(size)
        if self.sticker_set is not None:
            self.sticker_set.setFixedSize(size)
        first = 0 if self._recent() else 1
        self.search.clear()
        self._tabs.button(first).setChecked(True)
        self._show(first)
        self.adjustSize()
        place = button.mapToGlobal(QPoint(0, 0))
        screen = button.screen().availableGeometry()
        x = min(max(place.x() - 8, screen.left()), screen.right() - self.width())
        y = max(place.y() - self.height() - 6, screen.top())
        self.move(x, y)
        self.show()
        self._grid.setFocus()

    def _reveal(self, place: QPoint) -> None:
        self._scroll.ensureVisible(place.x(), place.y(), 0, theme.scaled(EMOJI_CELL))

    def _recent(self) -> tuple[str, ...]:
        kept = self._state.get("emoji.recent", [])
        return tuple(e for e in kept if isinstance(e, str))[:RECENT] if isinstance(kept, list) else ()

    def _show(self, number: int) -> None:
        own, drawn = number == len(self._names), number > len(self._names)
        for part, shown in ((self._scroll, not own and not drawn), (self.stickers, own), (self.sticker_set, drawn)):
            if part is not None:
                part.setVisible(shown)
        if own and self.stickers is not None:
            self.stickers.recent = self._recent_stickers()
            self.stickers.reload()
        if own or drawn:
            return
        name = self._names[number]
        self._grid.show_emoji(self._recent() if name == "recent" else categories()[name])
        self._scroll.verticalScrollBar().setValue(0)

    @property
    def offered(self) -> tuple[str, ...]:
        """The emoji shown now."""
        return self._grid.emoji

    def _on_search(self, text: str) -> None:
        if text:
            self._scroll.show()
            for part in (self.stickers, self.sticker_set):
                if part is not None:
                    part.hide()
            self._grid.show_emoji(find_emoji(text))
            self._scroll.verticalScrollBar().setValue(0)
        else:
            self._show(max(self._tabs.checkedId(), 0))

    def _recent_stickers(self) -> tuple[str, ...]:
        kept = self._state.get("stickers.recent", [])
        return tuple(one for one in kept if isinstance(one, str)) if isinstance(kept, list) else ()

    def _on_sticker(self, sticker_id: str) -> None:
        recent = [sticker_id, *(one for one in self._recent_stickers() if one != sticker_id)]
        self._state.set("stickers.recent", recent[:RECENT])
        self.hide()
        self.sticker_picked.emit(sticker_id)

    def _on_built_in(self, name: str) -> None:
        self.hide()
        self.built_in_picked.emit(name)

    def _on_picked(self, emoji: str) -> None:
        recent = [emoji, *(e for e in self._recent() if e != emoji)]
        self._state.set("emoji.recent", recent[:RECENT])
        self.picked.emit(emoji)
        self.hide()
