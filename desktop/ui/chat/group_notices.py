"""A group's announcements, newest first: who has read each, confirming, and writing a new one."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain import Announcement, Conversation
from desktop.core.domain.chat_rules import LEADING
from desktop.models.people import People
from desktop.models.verbs import ChatVerbs
from desktop.ui.chat.ask_text import TextDialog
from desktop.ui.chat.people_tabs import PeopleTab, PeopleTabs
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, Label, Scroll, finished, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.tasks import TaskOwner

LIMIT = 2000


class GroupNotices(QWidget):
    """`picked` names a person out of a list of readers."""

    picked = Signal(str)

    def __init__(self, chat: ChatVerbs, people: People, tasks: TaskOwner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chat, self._people, self._tasks = chat, people, tasks
        self._group = ""
        self._member_ids: list[str] = []
        self.items: list[Announcement] = []
        self.new = Button(key="chat_group.notice.new", icon="megaphone-simple", small=True)
        self._scroll = Scroll(surface="surface")
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the buttons inside take the keyboard and come into sight
        self._scroll.inner.setContentsMargins(0, 0, 0, 0)
        self._scroll.inner.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 8)
        column.setSpacing(8)
        column.addLayout(row(self.new, None))
        column.addWidget(self._scroll, 1)
        on_click(self.new, lambda: self._do(self._write()))

    def show_group(
        self, conversation: Conversation, role: str, member_ids: list[str], items: list[Announcement]
    ) -> None:
        """The announcements as they are now."""
        self._group, self._member_ids = conversation.id, member_ids
        self.new.setVisible(role in LEADING and conversation.dissolved_at is None)
        self.items = sorted(items, key=lambda one: one.at, reverse=True)
        empty_layout(self._scroll.inner)
        if not self.items:
            nothing = Label(key="chat_group.notice.none", tone="ink3", wrap=True)
            nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._scroll.inner.addWidget(nothing)
        for item in self.items:
            self._scroll.inner.addWidget(self._card(item))
        self._scroll.inner.addStretch(1)

    def mark_read(self) -> None:
        """The list is in sight: what was not read is now."""
        me = self._people.me.id
        for item in self.items:
            if me not in item.read_ids and item.by_id != me:
                self._do(self._chat.read_announcement(item.id))

    def _card(self, item: Announcement) -> QWidget:
        card = QFrame()
        card.setProperty("surface", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(12, 10, 12, 8)
        column.setSpacing(6)
        if item.title:
            column.addWidget(Label(item.title, strong=True, wrap=True))
        text = Label(item.text, wrap=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(text)
        by = self._people.name(item.by_id) or tr("common.unknown_person")
        column.addWidget(Label(f"{by} ・ {when.date_time(item.at)}", role="secondary", tone="ink3"))
        column.addLayout(row(*self._buttons(item), None, spacing=4))
        return card

    def _buttons(self, item: Announcement) -> list[QWidget]:
        me, others = self._people.me.id, max(0, len(self._member_ids) - 1)
        done = item.confirmed_ids if item.must_confirm else item.read_ids
        key = "chat_group.notice.confirmed" if item.must_confirm else "chat.read_count"
        count = len([one for one in done if one != item.by_id])
        label = tr(key, n=count, total=others) if item.must_confirm else tr(key, read=count, total=others)
        readers = Button(label, kind="link", small=True)
        on_click(readers, lambda: self._show_readers(item))
        buttons: list[QWidget] = [readers]
        if item.must_confirm and item.by_id != me and me not in item.confirmed_ids:
            yes = Button(key="chat_talk.confirm", kind="primary", small=True)
            on_click(yes, lambda: self._do(self._chat.confirm_announcement(item.id)))
            buttons.insert(0, yes)
        return buttons

    def _show_readers(self, item: Announcement) -> None:
        done = item.confirmed_ids if item.must_confirm else item.read_ids
        kind = "confirmations" if item.must_confirm else "readers"
        yes = tuple(one for one in done if one != item.by_id)
        no = tuple(one for one in self._member_ids if one not in done and one != item.by_id)
        tabs = [
            PeopleTab(tr(f"chat_talk.{kind}.done", n=len(yes)), yes),
            PeopleTab(tr(f"chat_talk.{kind}.open", n=len(no)), no),
        ]
        dialog = PeopleTabs(self, self._people, f"chat_talk.{kind}_title", tabs)
        dialog.picked.connect(self.picked)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    async def _write(self) -> None:
        group = self._group
        dialog = TextDialog(
            self,
            "chat_group.notice.new",
            limit=LIMIT,
            lines=8,
            check_key="chat_group.notice.must_confirm",
            accept_key="chat_group.notice.post",
        )
        try:
            if not await finished(dialog):
                return
            text, must_confirm = dialog.text, dialog.check.isChecked()
        finally:
            dialog.deleteLater()
        await self._chat.announce(group, text, must_confirm=must_confirm)

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.start(work, name="group")
