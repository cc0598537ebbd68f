"""The members of a group with their roles, and what owner and admins do with them: invite, approve, name admins, mute, remove, hand over."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import QModelIndex, QPoint, QRect, QRectF, QStringListModel, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QFrame, QMenu, QStyleOptionViewItem, QVBoxLayout, QWidget

from desktop.core.domain import Conversation, JoinRequest, Member
from desktop.core.domain.chat_rules import LEADING, may_invite
from desktop.models.people import People
from desktop.models.verbs import ChatVerbs
from desktop.ui import theme
from desktop.ui.chat.target_picker import fits
from desktop.ui.i18n import tr, when
from desktop.ui.kit import (
    Button,
    Label,
    ListPane,
    Menu,
    RowDelegate,
    SearchBox,
    confirm,
    draw_elided,
    on_click,
    paint_avatar,
    paint_chip,
    person_tip,
    row,
)
from desktop.ui.kit.panes import Index
from desktop.ui.layouts import empty_layout
from desktop.ui.tasks import TaskOwner
from desktop.ui.theme import icons

ORDER = {"owner": 0, "admin": 1, "member": 2}
MUTES = (("10m", 600_000), ("1h", 3_600_000), ("12h", 43_200_000), ("7d", 604_800_000))


class GroupMembers(QWidget):
    """`picked` names a person to show, `invite_wanted` asks for people to bring in."""

    picked = Signal(str)
    invite_wanted = Signal()

    def __init__(self, chat: ChatVerbs, people: People, tasks: TaskOwner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chat, self._people, self._tasks = chat, people, tasks
        self._conversation: Conversation | None = None
        self._members: list[Member] = []
        self.shown: list[Member] = []
        self.role = ""
        self.search = SearchBox("chat_group.members.search")
        self.invite = Button(key="chat_group.invite", icon="user-plus", small=True)
        self.requests = QVBoxLayout()
        self.requests.setSpacing(6)
        self.list = ListPane("chat.header.members_action")
        self.list.setProperty("look", "")
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._model = QStringListModel(self)
        self.list.setItemDelegate(_Delegate(self, people))
        self.list.setModel(self._model)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 8)
        column.setSpacing(8)
        column.addLayout(row(self.search, self.invite))
        column.addLayout(self.requests)
        column.addWidget(self.list, 1)
        on_click(self.invite, self.invite_wanted.emit)
        self.search.searched.connect(lambda _text: self._narrow())
        self.list.chosen.connect(self._on_chosen)
        self.list.customContextMenuRequested.connect(self._on_menu)

    def show_group(self, conversation: Conversation, members: list[Member], requests: list[JoinRequest]) -> None:
        """The group as it is now."""
        self._conversation = conversation
        self._members = sorted(members, key=lambda m: (ORDER.get(m.role, 2), self._people.name(m.person_id)))
        mine = next((m for m in members if m.person_id == self._people.me.id), None)
        self.role = mine.role if mine is not None else ""
        self.invite.setVisible(may_invite(conversation, self.role))
        self._show_requests(requests if self.role in LEADING else [])
        self._narrow()

    def _narrow(self) -> None:
        needle = self.search.text().strip().lower()
        self.shown = [member for member in self._members if self._fits(member, needle)]
        self._model.setStringList([self.said(member) for member in self.shown])

    def _fits(self, member: Member, needle: str) -> bool:
        person = self._people.person(member.person_id)
        nickname = (member.nickname or "").lower()
        return not needle or needle in nickname or (person is not None and fits(person, needle))

    def said(self, member: Member) -> str:
        """A member in words, for a screen reader."""
        name = self._people.name(member.person_id) or tr("common.unknown_person")
        role = tr(f"chat_group.role.{member.role}") if member.role in LEADING else ""
        return ", ".join(part for part in (name, member.nickname or "", role) if part)

    # ---- requests to join
    def _show_requests(self, requests: list[JoinRequest]) -> None:
        empty_layout(self.requests)
        for request in requests:
            self.requests.addWidget(self._request_card(request))

    def _request_card(self, request: JoinRequest) -> QWidget:
        card = QFrame()
        card.setProperty("surface", "card")
        name = self._people.name(request.person_id) or tr("common.unknown_person")
        by = request.by_id if request.by_id != request.person_id else None
        key = "chat_group.request.invited" if by else "chat_group.request"
        head = Label(tr(key, who=name, by=self._people.name(by)), wrap=True)
        accept = Button(key="chat_group.request.accept", kind="primary", small=True)
        refuse = Button(key="chat_group.request.refuse", small=True)
        on_click(accept, lambda: self._do(self._chat.decide_join(request.id, True)))
        on_click(refuse, lambda: self._do(self._chat.decide_join(request.id, False)))
        column = QVBoxLayout(card)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(6)
        column.addWidget(head)
        if request.text:
            column.addWidget(Label(request.text, role="secondary", tone="ink2", wrap=True))
        column.addLayout(row(accept, refuse, None))
        return card

    # ---- what can be done with a member
    def _on_chosen(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self.shown):
            self.picked.emit(self.shown[index.row()].person_id)

    def _on_menu(self, place: QPoint) -> None:
        index = self.list.indexAt(place)
        if 0 <= index.row() < len(self.shown):
            self.menu(self.shown[index.row()]).popup(self.list.viewport().mapToGlobal(place))

    def menu(self, member: Member) -> QMenu:
        """What this user may do with a member."""
        menu = Menu(self, leaves=True)
        who = member.person_id
        add = partial(self._add, menu)
        add("chat.menu.person", "identification-card", lambda: self.picked.emit(who))
        group = self._conversation
        if group is None or group.dissolved_at is not None or who == self._people.me.id:
            return menu
        if self.role == "owner":
            admin = member.role == "admin"
            key = "chat_group.member.unadmin" if admin else "chat_group.member.admin"
            role = "member" if admin else "admin"
            add(key, "shield-check", lambda: self._do(self._chat.set_role(group.id, who, role)))
            add("chat_group.member.transfer", "crown", lambda: self._do(self._transfer(group.id, who)))
        if self._outranks(member):
            self._add_mutes(menu, group.id, member)
            if group.department_id is None:
                add("chat_group.member.remove", "user-minus", lambda: self._do(self._remove(group.id, who)))
        return menu

    def _outranks(self, member: Member) -> bool:
        return self.role in LEADING and ORDER.get(self.role, 2) < ORDER.get(member.role, 2)

    def _add_mutes(self, menu: QMenu, group_id: str, member: Member) -> None:
        who = member.person_id
        if member.muted_until is not None and member.muted_until > when.now():
            lift = partial(self._chat.mute_member, group_id, who, None)
            self._add(menu, "chat_group.member.unmute", "speaker-high", lambda: self._do(lift()))
            return
        inner = Menu(menu)
        inner.setTitle(tr("chat_group.member.mute"))
        inner.setIcon(icons.icon("prohibit", "ink2", 16))
        for name, length in MUTES:
            action = inner.addAction(tr(f"chat_group.mute.{name}"))
            action.triggered.connect(partial(self._mute, group_id, who, length))
        menu.addMenu(inner)

    def _mute(self, group_id: str, who: str, length: int, _checked: bool = False) -> None:
        self._do(self._chat.mute_member(group_id, who, when.now() + length))

    @staticmethod
    def _add(menu: QMenu, key: str, icon: str, run: Callable[[], object]) -> None:
        action = menu.addAction(icons.icon(icon, "ink2", 16), tr(key))
        action.triggered.connect(lambda _checked=False: run())

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.start(work, name="group")

    async def _transfer(self, group_id: str, who: str) -> None:
        text = tr("chat_group.member.transfer_text", who=self._people.name(who))
        if await confirm(self, "chat_group.member.transfer", text):
            await self._chat.transfer(group_id, who)

    async def _remove(self, group_id: str, who: str) -> None:
        text = tr("chat_group.member.remove_text", who=self._people.name(who))
        if await confirm(self, "chat_group.member.remove", text, kind="danger"):
            await self._chat.remove_member(group_id, who)


class _Delegate(RowDelegate):
    """Face, name, what they call themselves, post; role and mute at the right."""

    height = 44
    padding = 6

    def __init__(self, pane: GroupMembers, people: People) -> None:
        super().__init__(pane.list)
        self._pane, self._people = pane, people

    def tip(self, index: Index) -> str:
        if index.row() >= len(self._pane.shown):
            return ""
        who = self._pane.shown[index.row()].person_id
        return person_tip(self._people.name(who), self._people.presence(who), self._people.presence_text(who))

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        if index.row() >= len(self._pane.shown):
            return
        member, colors = self._pane.shown[index.row()], theme.tokens()
        who = member.person_id
        name = self._people.name(who) or tr("common.unknown_person")
        side = theme.scaled(30)
        face = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        paint_avatar(painter, face, name, who, presence=self._people.presence(who))
        right = rect.right()
        if member.role in LEADING:
            label = tr(f"chat_group.role.{member.role}")
            width = QFontMetrics(theme.font("small")).horizontalAdvance(label) + 12
            paint_chip(
                painter, right - width, rect.center().y() + 0.5, label, "amber" if member.role == "owner" else "accent"
            )
            right -= width + 6
        if member.muted_until is not None and member.muted_until > when.now():
            mark = theme.scaled(14)
            place = QRectF(right - mark, rect.center().y() - mark / 2, mark, mark)
            icons.paint(painter, place, "speaker-slash", colors.red)
            right -= mark + 6
        text = QRect(rect.left() + side + 10, rect.top(), max(0, right - rect.left() - side - 12), rect.height())
        shown = f"{name}（{member.nickname}）" if member.nickname else name
        used = draw_elided(painter, text, shown, theme.font("base"), colors.ink)
        rest = text.adjusted(used + 8, 0, 0, 0)
        draw_elided(painter, rest, self._people.post(who), theme.font("secondary"), colors.ink3)
