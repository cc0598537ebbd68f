"""The narrow window of old messengers: who is here, groups, the talks of late, the modules; hides at the edge it was dragged to."""

from contextlib import ExitStack
from typing import Final, Protocol

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import ConversationKind, ModuleDefinition, Presence
from desktop.core.events import ChangeSet, Event
from desktop.models.contacts import Organization
from desktop.models.conversations import ConversationRole
from desktop.models.people import People
from desktop.models.verbs import TalkSession
from desktop.ui import i18n, theme
from desktop.ui.chat.conversation_list import ConversationDelegate, SpokenList
from desktop.ui.chat.group_looks import GroupLooks
from desktop.ui.kit import Button, EmptyState, ListPane, SearchBox, group_faces, rounded_mask, row
from desktop.ui.panel.docking import Edge, EdgeDock
from desktop.ui.panel.head import PanelHead
from desktop.ui.panel.modules_list import ModulesList
from desktop.ui.panel.roster_list import RosterList, SpokenRoster
from desktop.ui.shell.navigator import Navigator
from desktop.ui.shell.placement import bring_into_view
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tasks import TaskOwner

WIDTH, HEIGHT = 280, 620
SMALLEST_HEIGHT = 360
GATHER_MS: Final = 300
TABS: Final = ("contacts", "groups", "recent", "apps")


class ModuleVerbs(Protocol):
    """What of the records the panel lists."""

    async def modules(self) -> list[ModuleDefinition]: ...


class PanelSession(TalkSession, Protocol):
    """The session as the panel sees it."""

    @property
    def records(self) -> ModuleVerbs: ...


class MiniPanel(QWidget):
    """`presence_chosen` as the rail's; `shown_changed` when it comes or goes by the user's hand; `module_asked` names a module."""

    presence_chosen = Signal(object)
    shown_changed = Signal(bool)
    main_asked = Signal()
    module_asked = Signal(str)

    def __init__(self, session: PanelSession, people: People, navigator: Navigator, state: UiState) -> None:
        super().__init__(
            None, Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        )
        self._session, self._people, self._navigator, self._state = session, people, navigator, state
        self._presence = Presence.ONLINE
        self._loaded = False
        self.tasks = TaskOwner(self)
        self._looks = GroupLooks(session, people, self)
        self.setObjectName("miniPanel")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)  # it comes out for the mouse, the keyboard stays
        i18n.bind(self.setWindowTitle, "panel.title")
        self.roster = SpokenRoster(people, self)
        self._build_ui()
        self.dock = EdgeDock(self)
        self._soon = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._soon.timeout.connect(self._reload_talks)
        self._subscription = ExitStack()
        self._subscription.enter_context(session.events.subscribe(self._on_event))
        self._bind()
        self._restore()

    # ---- build
    def _build_ui(self) -> None:
        self.head = PanelHead(self._move_by_system)
        self.search = SearchBox("common.search")
        self.search.setObjectName("panelSearch")
        self.contacts = RosterList(self.roster)
        self.groups, self.group_model = self._talk_list("panel.groups")
        self.recent, self.recent_model = self._talk_list("panel.recent")
        self.apps = ModulesList()
        self.stack = QStackedWidget()
        for page in (self.contacts, self.groups, self.recent, self.apps):
            self.stack.addWidget(page)
        self.nobody = EmptyState("users", "panel.nobody")
        self.stack.addWidget(self.nobody)
        self._tabs = QButtonGroup(self)
        bar = row(spacing=0, margins=(0, 0, 0, 0))
        for number, name in enumerate(TABS):
            button = Button(key=f"panel.{name}", kind="tab", small=True)
            button.setObjectName(f"panelTab_{name}")
            button.setCheckable(True)
            self._tabs.addButton(button, number)
            bar.addWidget(button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addLayout(row(self.search, margins=(10, 10, 10, 8)))
        column.addLayout(bar)
        column.addWidget(self.stack, 1)
        self._fit()

    def _talk_list(self, key: str) -> tuple[ListPane, SpokenList]:
        pane = ListPane(key)
        pane.setObjectName(key.replace(".", "_"))
        delegate = ConversationDelegate(self._people, pane)
        model = SpokenList(self._people, delegate, pane)
        delegate.looks = self._looks.want
        pane.setItemDelegate(delegate)
        pane.setModel(model)
        pane.chosen.connect(self._on_talk)
        return pane, model

    def _bind(self) -> None:
        self.head.dragged.connect(self._on_dragged)
        self.head.dropped.connect(self._on_dropped)
        self.head.close_asked.connect(self.close)
        self.head.main_asked.connect(self.main_asked)
        self.head.presence_chosen.connect(self.presence_chosen)
        self.search.searched.connect(self._on_search)
        self.contacts.talk_asked.connect(self._open_direct)
        self.apps.asked.connect(self.module_asked)
        self._tabs.idClicked.connect(self._show_tab)
        self._people.changed.connect(self._on_people)
        group_faces.changed.connect(self._on_face)
        self.dock.changed.connect(self._remember)
        theme.changed.connect(self._fit)

    def _on_face(self, _key: str) -> None:
        for pane in (self.groups, self.recent):
            pane.viewport().update()

    def _fit(self) -> None:
        self.setFixedWidth(theme.scaled(WIDTH))
        self.setMinimumHeight(theme.scaled(SMALLEST_HEIGHT))
        self.update()

    # ---- life
    def come_forward(self) -> None:
        """Shows it, in full sight."""
        self.dock.come_out()
        self.show()
        self.raise_()
        self.activateWindow()
        (self.stack.currentWidget() or self).setFocus()
        self.shown_changed.emit(True)

    def toggle(self) -> None:
        """In sight, or away."""
        if self.isVisible() and not self.dock.hidden:
            self.close()
        else:
            self.come_forward()

    def set_presence(self, presence: Presence) -> None:
        """How colleagues see the user."""
        self._presence = presence
        self._show_me()

    def close_for_good(self) -> None:
        """Ends it: sign-out or quit."""
        self._remember()
        self._subscription.close()
        self._soon.stop()
        self.tasks.cancel_all()
        self._looks.tasks.cancel_all()
        self.dock.pause()
        self.hide()

    # ---- what it shows
    def _on_event(self, event: Event) -> None:
        match event:
            case ChangeSet(type_name="Conversation" | "Message") if self.isVisible():
                self._soon.start()
            case _:
                pass

    def _on_people(self, ids: frozenset[str]) -> None:
        self._show_me()
        if not self.isVisible():
            self._loaded = self._loaded and bool(ids)
            return
        if ids:
            self.roster.refresh()
        else:
            self._reload_people()

    def _show_me(self) -> None:
        me = self._people.me
        self.head.set_me(me, self._presence, self._people.post(me.id))

    def _reload_people(self) -> None:
        self.tasks.start(self._load_people(), name="people", exclusive=True)

    async def _load_people(self) -> None:
        directory = self._session.directory
        departments = await directory.departments()
        self.roster.set_organization(Organization(departments, await directory.people()))
        if not self._loaded:
            self._loaded = True
            self._unfold_first()
        self.apps.set_modules(await self._session.records.modules())

    def _unfold_first(self) -> None:
        kept = self._state.get("panel.opened")
        if isinstance(kept, list):
            self.roster.set_opened(frozenset(str(one) for one in kept))
            return
        mine = self._people.me.primary
        if mine is not None:
            self.roster.set_opened(frozenset({mine.department_id}))

    def _reload_talks(self) -> None:
        self.tasks.start(self._load_talks(), name="talks", exclusive=True)

    async def _load_talks(self) -> None:
        conversations = await self._session.chat.conversations()
        self.recent_model.set_conversations(conversations)
        self.group_model.set_conversations(one for one in conversations if one.kind is ConversationKind.GROUP)

    # ---- what the user does
    def _show_tab(self, number: int) -> None:
        self.stack.setCurrentIndex(number)
        self._state.set("panel.tab", TABS[number])

    def _on_search(self, text: str) -> None:
        self.roster.set_filter(text)
        self.group_model.set_filter(text)
        self.recent_model.set_filter(text)
        number = self._tabs.checkedId()
        if text and TABS[number] == "apps":
            number = 0
            self._tabs.button(0).setChecked(True)
        nobody = bool(text) and TABS[number] == "contacts" and not self.roster.rowCount()
        self.stack.setCurrentIndex(len(TABS) if nobody else number)

    def _on_talk(self, index: QModelIndex) -> None:
        self._navigator.open_conversation(index.data(ConversationRole.ID))

    def _open_direct(self, person_id: str) -> None:
        self.tasks.start(self._start_talk(person_id), name="talk", exclusive=True)

    async def _start_talk(self, person_id: str) -> None:
        self._navigator.open_conversation((await self._session.chat.open_direct(person_id)).id)

    # ---- place
    def _move_by_system(self) -> bool:
        handle = self.windowHandle()
        return not EdgeDock.possible() and handle is not None and handle.startSystemMove()

    def _on_dragged(self, by: QPoint) -> None:
        self.dock.pause()
        self.move(self.pos() + by)

    def _on_dropped(self) -> None:
        self.dock.dropped()
        self._remember()

    def _remember(self) -> None:
        self._state.set("panel.place", [self.x(), self.y(), self.height()])
        self._state.set("panel.edge", self.dock.edge.value)
        self._state.set("panel.opened", sorted(self.roster.opened) if self._loaded else self._state.get("panel.opened"))

    def _restore(self) -> None:
        area = self.dock.area()
        place = self._state.get("panel.place")
        known = isinstance(place, list) and len(place) == 3 and all(isinstance(one, int) for one in place)
        left, top, height = place if known else (area.right() - theme.scaled(WIDTH) - 24, area.top() + 48, HEIGHT)
        self.setGeometry(
            QRect(left, top, theme.scaled(WIDTH), min(theme.scaled(height) if not known else height, area.height()))
        )
        edge = self._state.get("panel.edge")
        if EdgeDock.possible() and edge in tuple(Edge):
            self.dock.edge = Edge(edge)
        if self.dock.edge is Edge.NONE:
            bring_into_view(self)
        tab = self._state.get("panel.tab")
        number = TABS.index(tab) if tab in TABS else 0
        self._tabs.button(number).setChecked(True)
        self.stack.setCurrentIndex(number)

    # ---- Qt
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_me()
        self.roster.refresh()
        if not self._loaded:
            self._reload_people()
        self._reload_talks()
        if self.dock.edge is not Edge.NONE and not self.dock.hidden:
            self.dock.come_out()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not self.dock.hidden:
            self.dock.pause()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._remember()
        event.ignore()
        self.hide()
        self.shown_changed.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setMask(rounded_mask(self))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors, radius = theme.tokens(), theme.values.RADIUS_CARD
        painter.setBrush(colors.surface)
        painter.setPen(QPen(colors.line_strong, 1))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), radius, radius)
