"""My work as lists: to do, to read, due today, the radar of dates, started by me, done by me. A line opens its record where it lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import QStackedWidget, QStyleOptionViewItem, QVBoxLayout, QWidget

from desktop.models.workbench import Part, WorkItem, WorkListModel, WorkRole
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import (
    Card,
    ElidedLabel,
    EmptyState,
    HeaderBar,
    IconButton,
    ListPane,
    RowDelegate,
    SearchBox,
    TabStrip,
    draw_elided,
    on_click,
    paint_chip,
)
from desktop.ui.office.workbench_tiles import glyph_name
from desktop.ui.office.workbench_words import chip_of, detail_of
from desktop.ui.office.workbench_work import WorkData
from desktop.ui.theme import icons

Index = QModelIndex | QPersistentModelIndex
TABS: Final = (Part.TODO, Part.TO_READ, Part.DUE_TODAY, Part.RADAR, Part.STARTED, Part.DONE)
ICON: Final = 34
CHIP_PADDING: Final = 12


class WorkDelegate(RowDelegate):
    """The module's icon, the title, what is to be done, the chip at the end."""

    height = 60
    padding = 16

    def __init__(self, data: WorkData, parent: QWidget) -> None:
        super().__init__(parent)
        self._data = data

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        colors = theme.tokens()
        item: WorkItem = index.data(WorkRole.ITEM)
        painter.fillRect(QRect(rect.left() - theme.scaled(self.padding), rect.bottom(), 10_000, 1), colors.line)
        side = theme.scaled(ICON)
        square = QRectF(rect.left(), rect.center().y() - side / 2, side, side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.accent_soft)
        painter.drawRoundedRect(square, 8, 8)
        inset = side * 0.25
        icons.paint(painter, square.adjusted(inset, inset, -inset, -inset), self._glyph(item), colors.accent)
        right = rect.right()
        chip = chip_of(item, self._data)
        if chip is not None:
            width = QFontMetricsF(theme.font("small")).horizontalAdvance(chip[0]) + CHIP_PADDING
            pill = paint_chip(painter, right - width, rect.center().y(), *chip)
            right = round(pill.left()) - theme.scaled(10)
        left, line = rect.left() + side + theme.scaled(12), theme.scaled(20)
        top = rect.center().y() - line
        draw_elided(painter, QRect(left, top, right - left, line), item.title, theme.font("base"), colors.ink)
        said = detail_of(item, self._data)
        below = QRect(left, top + line, right - left, line)
        draw_elided(painter, below, said, theme.font("secondary"), colors.ink3)

    def _glyph(self, item: WorkItem) -> str:
        home = self._data.home(item.type_name)
        module = home[0] if home is not None else self._data.module(item.module)
        return glyph_name(module.icon) if module is not None else "bell"


class MyWork(QWidget):
    """Signals: back_asked: to the workbench. opened: a record, or whatever else an alert points to (type, id)."""

    back_asked = Signal()
    opened = Signal(str, str)

    def __init__(self, data: WorkData, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("myWork")
        self.setProperty("surface", "bg")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._data = data
        self.model = WorkListModel(self)
        self._build_ui()
        data.changed.connect(self._refresh)
        i18n.changed.connect(self._refresh)
        self.show_part(Part.TODO)

    def _build_ui(self) -> None:
        header = HeaderBar()
        self.back = IconButton("arrow-left", "office.back")
        self.back.setObjectName("myWorkBack")
        self.tabs = TabStrip()
        self.search = SearchBox("office_workbench.search", shortcut="Ctrl+F")
        self.search.setObjectName("myWorkSearch")
        title = ElidedLabel(key="office_workbench.my_work", role="header", strong=True, whole=True)
        header.line.addWidget(self.back)
        header.line.addWidget(title)
        header.line.addWidget(self.tabs, 1)
        header.line.addWidget(self.search)
        header.fold(self._narrow_search, lambda cut: title.set_whole(not cut))
        self.list = ListPane("office_workbench.my_work")
        self.list.setObjectName("myWorkList")
        self.list.setModel(self.model)
        self.setFocusProxy(self.list)
        self.list.setItemDelegate(WorkDelegate(self._data, self.list))
        self.empty = EmptyState("check-circle", "office_workbench.none.todo")
        self._rooms = QStackedWidget()
        self._rooms.addWidget(self.list)
        self._rooms.addWidget(self.empty)
        card = Card(padding=1)
        card.body.addWidget(self._rooms)
        body = QVBoxLayout()
        body.setContentsMargins(18, 16, 18, 16)
        body.addWidget(card)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        column.addLayout(body, 1)
        on_click(self.back, self.back_asked.emit)
        self.tabs.chosen.connect(self.show_part)
        self.search.searched.connect(self._on_searched)
        self.list.chosen.connect(self._on_chosen)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.focus_search)

    def _narrow_search(self, narrow: bool) -> None:
        self.search.setFixedWidth(theme.scaled(96 if narrow else 190))

    # ---- content
    @property
    def part(self) -> Part:
        """The list that is shown."""
        return Part(self.tabs.current)

    def show_part(self, part: str) -> None:
        """Shows a list."""
        self._label_tabs()
        self.tabs.choose(str(Part(part)))
        self._refresh()
        self.list.scrollToTop()

    def _label_tabs(self) -> None:
        work = self._data.work
        tabs = []
        for part in TABS:
            count, words = len(work.part(part)), tr(f"office_workbench.part.{part}")
            tabs.append((str(part), f"{words} {count}" if count else words))
        self.tabs.set_tabs(tabs)

    def _refresh(self) -> None:
        self._label_tabs()
        items = self._data.work.part(self.part)
        self.model.set_items(items, {item.key: detail_of(item, self._data) for item in items})
        self._show_room()

    def _show_room(self) -> None:
        if self.model.rowCount():
            self._rooms.setCurrentWidget(self.list)
            return
        searched = bool(self.search.text().strip())
        key = "office.none_found" if searched else f"office_workbench.none.{self.part}"
        self.empty.show_text("magnifying-glass" if searched else "check-circle", key)
        self._rooms.setCurrentWidget(self.empty)

    def _on_searched(self, text: str) -> None:
        self.model.set_needle(text)
        self._show_room()

    def focus_search(self) -> None:
        """Puts the cursor into the search box."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _on_chosen(self, index: QModelIndex) -> None:
        item: WorkItem = index.data(WorkRole.ITEM)
        if item.record_id:
            self.opened.emit(item.type_name, item.record_id)


def create_my_work(data: WorkData, show: Callable[[str, str], None], back: Callable[[], None]) -> MyWork:
    """The page, wired to whoever opens records."""
    page = MyWork(data)
    page.opened.connect(show)
    page.back_asked.connect(back)
    return page
