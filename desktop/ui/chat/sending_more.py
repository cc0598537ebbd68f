"""What the composer's menus send: polls, chains, code, contact cards, favorites, shakes, and texts for later."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from desktop.core.domain import Favorite, ScheduledMessage
from desktop.core.errors import AppError, Rejected
from desktop.models.verbs import TalkSession
from desktop.ui.chat import sticker_set
from desktop.ui.chat.composer import MAX_TEXT
from desktop.ui.chat.forwarding import Forwarder
from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Dialog, finished
from desktop.ui.shell.navigator import Navigator
from desktop.ui.tasks import alive

if TYPE_CHECKING:
    from desktop.ui.chat.schedule_dialogs import ScheduledList
    from desktop.ui.chat.sticker_panel import StickerPanel


class MoreToSend(QObject):
    """Acts for one open talk's composer; its dialogs stand over `host`."""

    def __init__(
        self, host: QWidget, talk: OpenTalk, session: TalkSession, forwarder: Forwarder, navigator: Navigator
    ) -> None:
        super().__init__(host)
        self._host, self._talk, self._session = host, talk, session
        self._forwarder, self._navigator = forwarder, navigator
        self.waiting: ScheduledList | None = None
        talk.composer.extra_wanted.connect(self._on_extra)
        talk.composer.later_wanted.connect(self._on_later)
        talk.composer.sticker_wanted.connect(self._on_sticker)
        talk.composer.built_in_wanted.connect(self._on_built_in)
        talk.composer.make_stickers = self._make_stickers

    def _make_stickers(self) -> "StickerPanel":
        from desktop.ui.chat.sticker_panel import StickerPanel

        return StickerPanel(self._session.chat, self._talk.context.thumbnails)

    def _on_sticker(self, sticker_id: str) -> None:
        if self._here:
            self._talk.tasks.start(self._session.chat.send_sticker(self._here, sticker_id), name="sticker")

    def _on_built_in(self, name: str) -> None:
        if self._here:
            sent = self._session.chat.send_built_in(self._here, name, sticker_set.wire_text(name))
            self._talk.tasks.start(sent, name="sticker")

    @property
    def _here(self) -> str:
        return self._talk.conversation.id if self._talk.conversation is not None else ""

    def _on_extra(self, name: str) -> None:
        ways = {
            "poll": self._poll,
            "chain": self._chain,
            "code": self._code,
            "card": self._forwarder.send_card,
            "favorites": self.open_favorites,
            "shake": self._shake,
        }
        if self._here:
            self._talk.tasks.start(ways[name](self._here), name="extra", exclusive=True)

    async def _ask(self, dialog: Dialog) -> bool:
        """Waits for a dialog's end; the caller reads it and lets it go."""
        return await finished(dialog)

    async def _poll(self, conversation_id: str) -> None:
        from desktop.ui.chat.poll_dialogs import PollDialog

        dialog = PollDialog(self._host)
        try:
            if not await self._ask(dialog):
                return
            plan = dialog.plan
        finally:
            dialog.deleteLater()
        await self._session.chat.send_poll(
            conversation_id,
            plan.question,
            plan.options,
            multiple=plan.multiple,
            anonymous=plan.anonymous,
            closes_at=plan.closes_at,
        )

    async def _chain(self, conversation_id: str) -> None:
        from desktop.ui.chat.poll_dialogs import ChainDialog

        dialog = ChainDialog(self._host)
        try:
            if not await self._ask(dialog):
                return
            title, example = dialog.title.text().strip(), dialog.example.text().strip()
        finally:
            dialog.deleteLater()
        await self._session.chat.send_chain(conversation_id, title, example or None)

    async def _code(self, conversation_id: str) -> None:
        written = self._talk.composer.text
        from desktop.ui.chat.poll_dialogs import CodeDialog

        dialog = CodeDialog(self._host, written)
        try:
            if not await self._ask(dialog):
                return
            text, language = dialog.code.toPlainText(), dialog.language.text().strip().lower()
        finally:
            dialog.deleteLater()
        await self._session.chat.send_code(conversation_id, text, language or None)
        if written and self._here == conversation_id and self._talk.composer.text == written:
            self._talk.composer.clear()

    async def _shake(self, conversation_id: str) -> None:
        try:
            await self._session.chat.send_shake(conversation_id)
        except Rejected as error:
            if error.data.get("type") != "rateLimit":
                raise
            if alive(self._host):
                self._talk.snack.say(tr("chat_talk.shake.too_soon"))

    # ---- favorites
    async def open_favorites(self, conversation_id: str) -> None:
        """The list of what was kept; with a conversation, to send from it."""
        writable = bool(conversation_id) and self._talk.composer.isVisible()
        people = self._talk.context.people
        from desktop.ui.chat.favorites import FavoritesDialog

        dialog = FavoritesDialog(self._host, self._session.chat, people, sendable=writable)
        dialog.send_wanted.connect(lambda one: self._start(self._send_favorite(conversation_id, one)))
        dialog.jump_wanted.connect(self._on_jump)
        dialog.finished.connect(dialog.deleteLater)
        dialog.reload()
        dialog.open()

    def _start(self, work: object) -> None:
        self._talk.tasks.start(work, name="send-favorite")  # type: ignore[arg-type]  # a coroutine of ours

    async def _send_favorite(self, conversation_id: str, favorite: Favorite) -> None:
        if favorite.sticker is not None and sticker_set.knows(favorite.sticker):
            await self._session.chat.send_built_in(
                conversation_id, favorite.sticker, sticker_set.wire_text(favorite.sticker)
            )
        elif favorite.text and favorite.attachment is None and favorite.merged is None:
            await self._session.chat.send_text(conversation_id, favorite.text)
        elif favorite.message_id is not None:
            try:
                await self._session.chat.forward([favorite.message_id], [conversation_id])
            except AppError:
                self._talk.snack.say(tr("chat_talk.favorite.gone"))

    def _on_jump(self, favorite: Favorite) -> None:
        if favorite.conversation_id and favorite.message_id:
            if favorite.conversation_id == self._here:
                self._talk.jump_to_message(favorite.message_id)
            else:
                self._start(self._show_elsewhere(favorite.conversation_id, favorite.message_id))

    async def _show_elsewhere(self, conversation_id: str, message_id: str) -> None:
        message = await self._session.chat.message(message_id)
        if message is not None:
            self._navigator.open_message(conversation_id, message_id, message.seq)
        else:
            self._navigator.open_conversation(conversation_id)

    # ---- later
    def _on_later(self) -> None:
        if not self._here:
            return
        text = self._talk.composer.text.strip()
        run: Callable[[str], object] = self._schedule if text else self.show_waiting
        self._talk.tasks.start(run(self._here), name="later", exclusive=True)  # type: ignore[arg-type]  # one of two coroutines

    async def _schedule(self, conversation_id: str) -> None:
        composer = self._talk.composer
        text = composer.text.strip()
        if len(text) > MAX_TEXT:
            self._talk.snack.say(tr("chat.compose.too_long", n=len(text)))
            return
        mentions, reply, options = composer.mentions_in(text), composer.reply_to, composer.options
        at = await self._ask_time(text)
        if at is None:
            return
        await self._session.chat.schedule(
            conversation_id, text, at, mentions, reply, must_confirm=options.must_confirm, silent=options.silent
        )
        if alive(self._host):
            if self._here == conversation_id and composer.text.strip() == text:
                composer.clear()
            self._talk.snack.say(tr("chat_talk.later.done", time=when.date_time(at)))

    async def _ask_time(self, text: str, at: int = 0) -> int | None:
        from desktop.ui.chat.schedule_dialogs import LaterDialog

        dialog = LaterDialog(self._host, text, at=at)
        try:
            return dialog.at if await self._ask(dialog) else None
        finally:
            dialog.deleteLater()

    async def show_waiting(self, conversation_id: str) -> None:
        """What waits to be sent in a conversation."""
        items = await self._session.chat.scheduled(conversation_id)
        if not alive(self._host):
            return
        from desktop.ui.chat.schedule_dialogs import ScheduledList

        dialog = ScheduledList(self._host)
        dialog.show_items(items)
        dialog.moved.connect(lambda one: self._talk.tasks.start(self._move(one), name="move-later"))
        dialog.edited.connect(lambda one: self._talk.tasks.start(self._take_back(one), name="edit-later"))
        dialog.dropped.connect(
            lambda one: self._talk.tasks.start(self._session.chat.unschedule(one), name="drop-later")
        )
        dialog.finished.connect(self._on_closed)
        self.waiting = dialog
        dialog.open()

    def _on_closed(self) -> None:
        if self.waiting is not None:
            self.waiting.deleteLater()
            self.waiting = None

    def _waiting(self, scheduled_id: str) -> ScheduledMessage | None:
        items = self.waiting.items if self.waiting is not None else []
        return next((one for one in items if one.id == scheduled_id), None)

    async def _move(self, scheduled_id: str) -> None:
        item = self._waiting(scheduled_id)
        if item is None:
            return
        at = await self._ask_time(item.text, item.send_at)
        if at is not None:
            await self._session.chat.reschedule(scheduled_id, send_at=at)

    async def _take_back(self, scheduled_id: str) -> None:
        item = self._waiting(scheduled_id)
        if item is None:
            return
        await self._session.chat.unschedule(scheduled_id)
        if alive(self._host):
            if self.waiting is not None:
                self.waiting.accept()
            self._talk.composer.write_again(item.text)

    async def follow(self) -> None:
        """What waits changed: the open list follows."""
        if self.waiting is not None:
            items = await self._session.chat.scheduled(self._here)
            if self.waiting is not None and alive(self.waiting):
                self.waiting.show_items(items)
