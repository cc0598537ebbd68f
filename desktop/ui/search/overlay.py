"""The search over everything (Ctrl+K): a box over the page, hits as one types, sections and tabs, filters; the whole of it by keyboard.

Local hits come first, each kind when it is ready; what the server has beyond comes below them. The row that is chosen never moves under the hand.
"""

from typing import Final, Protocol

from PySide6.QtCore import QEvent, QModelIndex, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop.core.domain import ConnectionState
from desktop.core.domain.search import Found, SearchQuery
from desktop.models.search import ALL, RECENT, Row
from desktop.models.search_filters import Filters, take_operators
from desktop.models.search_verbs import SearchSession
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import (
    Button,
    ElidedLabel,
    EmptyState,
    IconButton,
    IconLabel,
    Label,
    ListPane,
    on_click,
)
from desktop.ui.search.asking import Asking
from desktop.ui.search.filter_chips import FilterChips
from desktop.ui.search.filter_row import FilterRow
from desktop.ui.search.kind_tabs import KindTabs
from desktop.ui.search.result_rows import ResultDelegate, SpokenResults, spoken
from desktop.ui.tasks import TaskOwner, alive

SIZE: Final = (700, 560)
TOP, MARGIN, TABS = 48, 24, 42
TYPING_MS: Final = 25


class SearchPlaces(Protocol):
    """Where hits and commands lead."""

    def open_found(self, found: Found) -> None:
        """Shows what was found, in its place."""
        ...

    def run_command(self, key: str) -> None:
        """Does what a command says: page:…, settings:…, module:…, new:…"""
        ...


class SearchOverlay(QWidget):
    """Lies over its window while it is open."""

    closed = Signal()

    def __init__(self, session: SearchSession, places: SearchPlaces, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._session, self._places = session, places
        self.tasks = TaskOwner(self)
        self._query = SearchQuery()
        self._touched = ""
        self._spot = 0
        self._said = ""
        self._before: QWidget | None = None
        self.setObjectName("search")
        self._build_ui()
        self.asking = Asking(session, self.model, self._show_state)
        self._bind()
        self.hide()

    # ---- build
    def _build_ui(self) -> None:
        self.panel = QFrame(self)
        self.panel.setProperty("surface", "popup")
        i18n.bind(self.panel.setAccessibleName, "search.name")
        self.input = QLineEdit(self.panel)
        self.input.setObjectName("search.input")
        self.input.setProperty("look", "bare")
        i18n.bind(self.input.setPlaceholderText, "search.placeholder")
        i18n.bind(self.input.setAccessibleName, "search.name")
        self.filter_button = IconButton("funnel", "search.filters", size=18, box=30, checkable=True, parent=self.panel)
        self.close_button = IconButton("x", "search.close", size=16, box=30, parent=self.panel)
        self._chips = FilterChips()
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 10, 8)
        head.setSpacing(6)
        head.addWidget(IconLabel("magnifying-glass", tone="ink2", size=18))
        head.addWidget(self.input, 1)
        head.addWidget(self._chips)
        head.addWidget(self.filter_button)
        head.addWidget(self.close_button)
        self.filters = FilterRow(conversations=True, parent=self.panel)
        self.filters.setContentsMargins(16, 0, 16, 8)
        self.filters.hide()
        self._tab_strip = KindTabs(self.panel)
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.filters)
        column.addWidget(self._rule())
        column.addWidget(self._tab_strip)
        column.addLayout(self._build_results(), 1)
        column.addWidget(self._rule())
        column.addLayout(self._build_foot())

    def _rule(self) -> QFrame:
        line = QFrame(self.panel)
        line.setProperty("surface", "rule")
        return line

    def _build_results(self) -> QStackedLayout:
        self.model = SpokenResults(self)
        self.list = ListPane("search.results", parent=self.panel)
        self.list.setObjectName("search.results")
        self.list.setProperty("look", "plain")
        self.list.setUniformItemSizes(False)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keyboard stays in the box
        self.list.setItemDelegate(ResultDelegate(self.list))
        self.list.setModel(self.model)
        self.empty = EmptyState("magnifying-glass", "search.nothing", hint_key="search.nothing_hint", parent=self.panel)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        return self._stack

    def _build_foot(self) -> QHBoxLayout:
        self.hint = ElidedLabel(key="search.keys", role="secondary", tone="ink3")
        self.status = Label(role="secondary", tone="ink3")
        self.status.setObjectName("search.status")
        self.forget = Button(key="search.forget", kind="link", small=True)
        self.forget.hide()
        foot = QHBoxLayout()
        foot.setContentsMargins(16, 6, 12, 6)
        foot.setSpacing(10)
        foot.addWidget(self.hint, 1)
        foot.addWidget(self.status)
        foot.addWidget(self.forget)
        return foot

    def _bind(self) -> None:
        self.input.installEventFilter(self)
        self.filters.installEventFilter(self)
        self.list.viewport().installEventFilter(self)
        self._window.installEventFilter(self)
        self.input.textChanged.connect(self._on_text)
        self.filters.changed.connect(self._on_filters)
        self.filter_button.toggled.connect(self._show_filters)
        on_click(self.close_button, self.close_search)
        on_click(self.forget, self._forget_recent)
        self.list.clicked.connect(self._on_clicked)
        self._tab_strip.chosen.connect(self.choose_tab)
        self._chips.taken_off.connect(self._on_taken_off)
        self.model.about_to_change.connect(self._remember_spot)
        self.model.changed.connect(self._keep_spot)
        i18n.changed.connect(self._ask)
        theme.changed.connect(self._place)
        self._typing = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typing.timeout.connect(self._ask)

    # ---- opening and closing
    def open_search(self, text: str | None = None) -> None:
        """Shows the box with the keyboard in it."""
        if not self.isVisible():
            self._before = self._window.focusWidget()
        if text is not None:
            self.input.setText(text)
        self._place()
        self.show()
        self.raise_()
        self.input.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.input.selectAll()
        self.tasks.start(self._load_names(), name="names", exclusive=True)
        self._ask()

    def close_search(self) -> None:
        """Gives the page its keyboard back."""
        self._typing.stop()
        self.tasks.cancel_all()
        self.hide()
        before, self._before = self._before, None
        if before is not None and alive(before) and before.isVisible():
            before.setFocus()
        self.closed.emit()

    @property
    def answered(self) -> bool:
        """Nothing is under way: what is shown is what was found."""
        return not (self._typing.isActive() or self.tasks.running("search"))

    async def _load_names(self) -> None:
        people = await self._session.directory.people()
        self.filters.set_names(people, await self._session.chat.conversations())
        await self._session.search.rank_names(
            [tr("search.name")], "ss"
        )  # spelling is ready before the first letters are typed
        if ":" in self.input.text() or "\uff1a" in self.input.text():
            self._on_text(self.input.text())

    def _place(self) -> None:
        room = self._window.rect()
        self.setGeometry(room)
        width = min(theme.scaled(SIZE[0]), room.width() - 2 * MARGIN)
        top = min(TOP, max(8, room.height() // 12))
        height = min(theme.scaled(SIZE[1]), room.height() - top - MARGIN)
        self._tab_strip.setFixedHeight(theme.scaled(TABS))
        self.panel.setGeometry(QRect((room.width() - width) // 2, top, width, height))

    # ---- asking
    def _on_text(self, text: str) -> None:
        left, filters = self._operators(text)
        if filters != self.filters.filters:
            self.filters.set_filters(filters)
            self._show_chips()
            self.input.setText(left)
            return
        self._touched = ""
        self._typing.start()

    def _operators(self, text: str) -> tuple[str, Filters]:
        """What is left of the text, and the filters with what it says of them."""
        row = self.filters
        return take_operators(text, row.filters, lambda: row.people, lambda: row.conversations)

    def _on_filters(self) -> None:
        self._show_chips()
        self._touched = ""
        self._ask()

    def _ask(self) -> None:
        if not self.isVisible():
            return
        self._typing.stop()
        text, filters = self._operators(f"{self.input.text()} ")  # the last one counts, though it may go on
        self._query = filters.query(text, when.now())
        self.model.begin()
        self.tasks.start(self.asking.run(self._query), name="search", exclusive=True)

    def _forget_recent(self) -> None:
        async def run() -> None:
            await self._session.search.forget_recent()
            await self.asking.show_recent()

        self.tasks.start(run(), name="forget", exclusive=True)
        self.input.setFocus()

    # ---- what is shown
    def _show_state(self) -> None:
        found, asked = self.model.rowCount() > 0, not self._query.empty
        live = self._session.status.state is ConnectionState.LIVE
        if asked:
            hint = "search.nothing_hint" if live else "search.nothing_offline"
            self.empty.show_text("magnifying-glass", "search.nothing", hint_key=hint)
        else:
            self.empty.show_text("magnifying-glass", "search.begin", hint_key="search.begin_hint")
        self._stack.setCurrentWidget(self.list if found else self.empty)
        self.forget.setVisible(found and not asked)
        self.status.setText(self.asking.status_text() if asked else "")
        count = sum(total for total, _ in self.model.totals.values())
        self.input.setAccessibleDescription(tr("search.found", n=count) if asked else "")
        self._show_tabs()

    def _show_tabs(self) -> None:
        totals = self.model.totals
        if self.model.tab != ALL and self.model.tab not in totals and not self._query.empty:
            self.model.set_tab(ALL)
        self._tab_strip.show_totals(totals, self.model.tab)

    def choose_tab(self, tab: str) -> None:
        """Shows one section alone, or the best of all."""
        self._touched = ""
        self.model.set_tab(tab)
        self._show_tabs()
        self.list.scrollToTop()

    def _step_tab(self, by: int) -> None:
        tabs = [ALL, *self.model.totals]
        at = tabs.index(self.model.tab) if self.model.tab in tabs else 0
        self.choose_tab(tabs[(at + by) % len(tabs)])

    def _show_filters(self, shown: bool) -> None:
        self.filters.setVisible(shown)
        (self.filters.person if shown else self.input).setFocus()

    def _show_chips(self) -> None:
        self._chips.show_filters(self.filters.filters)

    def _on_taken_off(self, left: Filters) -> None:
        self.filters.set_filters(left)
        self._on_filters()
        self.input.setFocus()

    # ---- the row that is chosen
    def _remember_spot(self) -> None:
        index = self.list.currentIndex()
        self._spot = self.list.visualRect(index).top() if index.isValid() else 0

    def _keep_spot(self) -> None:
        """Rows came or went: the chosen one stays chosen, and where it is."""
        held = self.model.position(self._touched) if self._touched else -1
        number = held if held >= 0 else self.model.step(-1, 1)
        index = self.model.index(number, 0) if number >= 0 else QModelIndex()
        self.list.setCurrentIndex(index)
        self.list.doItemsLayout()
        if held >= 0:
            bar = self.list.verticalScrollBar()
            bar.setValue(bar.value() + self.list.visualRect(index).top() - self._spot)
        elif not self._touched:
            self.list.scrollToTop()
        if self.isVisible():
            self._show_state()

    def _choose(self, number: int) -> None:
        row = self.model.row(number)
        if row is None or row.heading:
            return
        self._touched = row.key
        self.list.setCurrentIndex(self.model.index(number, 0))
        if QAccessible.isActive():  # the keyboard is in the box: a screen reader does not follow the list by itself
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.input, spoken(row)))

    def _step(self, by: int) -> None:
        self._choose(self.model.step(self.list.currentIndex().row(), by))
        index = self.list.currentIndex()
        above = self.model.index(index.row() - 1, 0)
        first = self.model.row(index.row() - 1)
        if above.isValid() and first is not None and first.heading:
            self.list.scrollTo(above)  # with its heading
        self.list.scrollTo(index)

    def _on_clicked(self, index: QModelIndex) -> None:
        self._choose(index.row())
        self.open_chosen()

    def open_chosen(self) -> None:
        """Goes where the chosen row leads."""
        row: Row | None = self.model.row(self.list.currentIndex().row())
        if row is None or row.heading:
            return
        if row.section == RECENT and row.command is not None:
            self.input.setText(row.command.key)
            return
        text = self._query.text
        self.close_search()
        if text:
            self.tasks.start(self._session.search.remember(text), name="remember")
        if row.found is not None:
            self._places.open_found(row.found)
        elif row.command is not None:
            self._places.run_command(row.command.key)

    # ---- Qt
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        elif watched is self.input and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._on_key(event)
        elif (
            watched is self.list.viewport() and event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent)
        ):
            self._choose(self.list.indexAt(event.position().toPoint()).row())
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        match event.key():
            case Qt.Key.Key_Down if alt:
                self.filter_button.setChecked(True)
                self.filters.person.setFocus()
            case Qt.Key.Key_Down | Qt.Key.Key_Up:
                self._step(1 if event.key() == Qt.Key.Key_Down else -1)
            case Qt.Key.Key_PageDown | Qt.Key.Key_PageUp:
                for _ in range(6):
                    self._step(1 if event.key() == Qt.Key.Key_PageDown else -1)
            case Qt.Key.Key_Tab | Qt.Key.Key_Backtab:
                self._step_tab(1 if event.key() == Qt.Key.Key_Tab else -1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.open_chosen()
            case Qt.Key.Key_Backspace if not self.input.text() and not self.filters.filters.empty:
                self._chips.take_off_last()
            case _:
                return False
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.input.hasFocus():
            self.close_search()
        else:
            self.input.setFocus()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """The keyboard stays inside: nothing behind the box is reached."""
        ring = [one for one in self.panel.findChildren(QWidget) if self._takes_tab(one)]
        now = QApplication.focusWidget()
        at = ring.index(now) if now in ring else -1
        if ring:
            ring[(at + (1 if forward else -1)) % len(ring)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    @staticmethod
    def _takes_tab(widget: QWidget) -> bool:
        return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.isVisible() and widget.isEnabled()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.panel.geometry().contains(event.position().toPoint()):
            self.close_search()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.input.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), theme.tokens().mask)
