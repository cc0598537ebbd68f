"""A group's settings: its name, what one is called there, what pops up, who may come in and pin, muting all, leaving, dissolving."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain import Conversation, JoinRule, Member, Notify
from desktop.core.domain.chat_rules import LEADING
from desktop.models.people import People
from desktop.models.verbs import ChatVerbs
from desktop.ui.chat.ask_text import ask_text
from desktop.ui.chat.crop_dialog import ask_file, ask_square, read_for_crop
from desktop.ui.i18n import changed, tr
from desktop.ui.kit import Avatar, Button, CheckBox, ComboBox, Label, Scroll, clipboard_text, confirm, on_click, row
from desktop.ui.tasks import TaskOwner

NAME_LIMIT = 60
NICKNAME_LIMIT = 30
LINK = "tongban://conversation/"


class GroupSettings(Scroll):
    """Shows what this user may see and changes what they may change. `share_wanted`: asks for people who get the group's card."""

    share_wanted = Signal()
    said = Signal(str)  # a short word about what was done, or could not be

    def __init__(self, chat: ChatVerbs, people: People, tasks: TaskOwner, parent: QWidget | None = None) -> None:
        super().__init__(surface="surface", parent=parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is inside takes the keyboard and comes into sight
        self._chat, self._people, self._tasks = chat, people, tasks
        self._group: Conversation | None = None
        self._mine: Member | None = None
        self._showing = False
        self.inner.setContentsMargins(16, 14, 16, 14)
        self.inner.setSpacing(10)
        self.face = Avatar(56)
        self.change_face = Button(key="chat_face.change", kind="link", small=True)
        self.reset_face = Button(key="chat_face.reset", kind="link", small=True)
        self.name = Label(wrap=True, strong=True)
        self.rename = Button(key="chat_group.rename", kind="link", small=True)
        self.nickname = Label(tone="ink2")
        self.renickname = Button(key="chat_group.nickname.change", kind="link", small=True)
        self.notify = ComboBox()
        self.rule = ComboBox()
        self.pins = CheckBox(key="chat_group.anyone_pins")
        self.invites = CheckBox(key="chat_group.anyone_invites")
        self.mute_all = CheckBox(key="chat_group.mute_all")
        self.department = Label(key="chat_group.department", role="secondary", tone="ink3", wrap=True)
        self.leave = Button(key="chat_group.leave", kind="danger", small=True)
        self.dissolve = Button(key="chat_group.dissolve", kind="danger", small=True)
        self.share = Button(key="chat_join.share", icon="share", kind="link", small=True)
        self.link = Button(key="chat_join.link", icon="link", kind="link", small=True)
        self._sharing = QWidget()
        self._leading = QWidget()
        self._build()
        self._bind()

    def _build(self) -> None:
        add = self.inner.addWidget
        self.inner.addLayout(row(self.face, self.change_face, self.reset_face, None))
        add(Label(key="chat_group.name", role="secondary", tone="ink3"))
        self.inner.addLayout(row(self.name, None, self.rename))
        add(self.department)
        add(Label(key="chat_group.nickname", role="secondary", tone="ink3"))
        self.inner.addLayout(row(self.nickname, None, self.renickname))
        add(Label(key="chat_group.notify", role="secondary", tone="ink3"))
        add(self.notify)
        column = QVBoxLayout(self._leading)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(10)
        column.addWidget(Label(key="chat_group.rule", role="secondary", tone="ink3"))
        for part in (self.rule, self.invites, self.pins, self.mute_all):
            column.addWidget(part)
        add(self._leading)
        sharing = QVBoxLayout(self._sharing)
        sharing.setContentsMargins(0, 6, 0, 0)
        sharing.setSpacing(2)
        sharing.addLayout(row(self.share, self.link, None))
        sharing.addWidget(Label(key="chat_join.share_hint", role="secondary", tone="ink3", wrap=True))
        add(self._sharing)
        self.inner.addStretch(1)
        self.inner.addLayout(row(self.leave, self.dissolve, None))
        self._fill()

    def _fill(self) -> None:
        self._showing = True
        for combo, group, values in ((self.notify, "notify", Notify), (self.rule, "rule", JoinRule)):
            now = combo.currentIndex()
            combo.clear()
            for value in values:
                combo.addItem(tr(f"chat_group.{group}.{value.value}"), value)
            combo.setCurrentIndex(max(0, now))
            combo.setAccessibleName(tr(f"chat_group.{group}"))
        self._showing = False

    def _bind(self) -> None:
        changed.connect(self._fill)
        self.notify.activated.connect(lambda _row: self._act(self._set_notify))
        self.rule.activated.connect(lambda _row: self._act(self._set_rule))
        self.pins.clicked.connect(lambda on: self._act(lambda g: self._chat.set_anyone_pins(g.id, on)))
        self.invites.clicked.connect(lambda on: self._act(lambda g: self._chat.set_anyone_invites(g.id, on)))
        self.mute_all.clicked.connect(lambda on: self._act(lambda g: self._chat.mute_all(g.id, on)))
        on_click(self.change_face, lambda: ask_file(self, self._on_face_file))
        on_click(self.reset_face, lambda: self._act(lambda g: self._chat.reset_avatar(g.id)))
        on_click(self.rename, lambda: self._act(self._rename))
        on_click(self.renickname, lambda: self._act(self._renickname))
        on_click(self.share, self.share_wanted.emit)
        on_click(self.link, self._copy_link)
        on_click(self.leave, lambda: self._act(self._leave))
        on_click(self.dissolve, lambda: self._act(self._dissolve))

    def show_group(self, conversation: Conversation, mine: Member | None) -> None:
        """The group as it is now."""
        self._group, self._mine = conversation, mine
        role = mine.role if mine is not None else ""
        live = conversation.dissolved_at is None
        own = conversation.department_id is None  # a department's group follows the organisation
        leading = role in LEADING and live
        self.face.set_subject(conversation.name, conversation.id)
        self.change_face.setVisible(leading)
        self.reset_face.setVisible(leading and conversation.avatar_blob_id is not None)
        self.name.setText(conversation.name)
        self.rename.setVisible(leading and own)
        self.department.setVisible(not own)
        self.nickname.setText((mine.nickname if mine is not None else "") or self._people.name(self._people.me.id))
        self.renickname.setVisible(mine is not None and live)
        notify = Notify.NONE if conversation.muted else conversation.notify
        self.notify.setCurrentIndex(list(Notify).index(notify))
        self.rule.setCurrentIndex(list(JoinRule).index(conversation.join_rule))
        self.pins.setChecked(conversation.anyone_pins)
        self.invites.setChecked(conversation.anyone_invites)
        self.mute_all.setChecked(conversation.muted_all)
        self._leading.setVisible(leading)
        self._sharing.setVisible(live and own and mine is not None and conversation.join_rule is JoinRule.APPROVE)
        self.rule.setEnabled(own)
        self.invites.setEnabled(own)
        self.leave.setVisible(mine is not None and own and live and role != "owner")
        self.dissolve.setVisible(role == "owner" and own and live)

    def _copy_link(self) -> None:
        if self._group is not None:
            clipboard_text(f"{LINK}{self._group.id}")
            self.said.emit(tr("chat_join.link_done"))

    def _act(self, make: Any) -> None:
        if self._group is not None:
            work: Coroutine[Any, Any, Any] = make(self._group)
            self._tasks.start(work, name="group")

    def _on_face_file(self, path: str) -> None:
        self._act(lambda group: self.set_face(group, Path(path)))

    async def set_face(self, group: Conversation, path: Path) -> None:
        """Cuts a square out of a picture and makes it the group's."""
        picture = read_for_crop(path)
        if picture is None:
            self.said.emit(tr("chat_face.unreadable"))
            return
        data = await ask_square(self, picture)
        if data is not None:
            await self._chat.set_avatar(group.id, data)

    async def _set_notify(self, group: Conversation) -> None:
        await self._chat.set_notify(group.id, Notify(self.notify.currentData()))

    async def _set_rule(self, group: Conversation) -> None:
        await self._chat.set_join_rule(group.id, JoinRule(self.rule.currentData()))

    async def _rename(self, group: Conversation) -> None:
        name = await ask_text(self, "chat_group.rename", text=group.name, limit=NAME_LIMIT, lines=1)
        if name and name != group.name:
            await self._chat.rename(group.id, " ".join(name.split()))

    async def _renickname(self, group: Conversation) -> None:
        now = (self._mine.nickname if self._mine is not None else "") or ""
        name = await ask_text(self, "chat_group.nickname", text=now, limit=NICKNAME_LIMIT, lines=1, empty=True)
        if name is not None and name != now:
            await self._chat.set_nickname(group.id, " ".join(name.split()) or None)

    async def _leave(self, group: Conversation) -> None:
        if await confirm(self, "chat_group.leave", tr("chat_group.leave_text", name=group.name), kind="danger"):
            await self._chat.remove_member(group.id, self._people.me.id)

    async def _dissolve(self, group: Conversation) -> None:
        if await confirm(self, "chat_group.dissolve", tr("chat_group.dissolve_text", name=group.name), kind="danger"):
            await self._chat.dissolve(group.id)
