"""What a click in the messages does: turns zones, menu entries and the hover bar into verbs."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMenu, QWidget

from desktop.core.domain import Card, Merged, Message, MessageKind
from desktop.core.domain.chat_rules import may_edit
from desktop.models.verbs import TalkSession
from desktop.ui.chat import text as words
from desktop.ui.chat.forwarding import Forwarder
from desktop.ui.chat.message_menu import message_menu
from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.chat.poll_cards import is_closed, my_choice
from desktop.ui.chat.reader_lists import ReaderLists
from desktop.ui.chat.summaries import summary
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Dialog, clipboard_text, confirm
from desktop.ui.shell.navigator import FileOpener, Navigator
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tasks import alive

if TYPE_CHECKING:
    from desktop.ui.chat.reaction_picker import ReactionPicker

SHOWN_ADDRESS = 300  # characters of a link that the question shows
ENTRY_LIMIT = 200


class MessageActions(QObject):
    """Acts for one open talk; menus and questions stand over `host`."""

    def __init__(
        self,
        host: QWidget,
        talk: OpenTalk,
        session: TalkSession,
        navigator: Navigator,
        files: FileOpener,
        state: UiState,
    ) -> None:
        super().__init__(host)
        self.host, self.talk = host, talk
        self.navigator, self.files = navigator, files
        self._session, self._state = session, state
        self.forwarder = Forwarder(host, talk, session)
        self.lists = ReaderLists(host, talk, session, navigator)
        self._reactions: ReactionPicker | None = None
        talk.view.acted.connect(self.act)
        talk.view.menu_wanted.connect(self._on_menu)
        talk.view.hover_bar.wanted.connect(self._on_hover)
        talk.composer.edited.connect(self._on_edited)
        talk.composer.edit_last_wanted.connect(self._edit_last)

    def act(self, action: str, message_id: str, data: str) -> None:
        """Does what a zone of a message stands for; what is not held any more does nothing."""
        message = self.talk.held(message_id)
        if message is None:
            return
        if action in ("pause", "resume", "cancel", "retry", "discard"):
            self._move_on(action, message_id, data)
            return
        match action:
            case "link":
                self.talk.tasks.start(self._open_link(data), name="link", exclusive=True)
            case "person":
                self.navigator.open_person(data)
            case "jump":
                self.talk.jump_to_message(data)
            case "card" if message.card is not None:
                self._open_card(message.card.type, message.card.id)
            case "copy_code":
                clipboard_text(message.text)
                self.talk.snack.say(tr("chat_talk.code.copied"))
            case "reedit":
                self.talk.composer.write_again(self.talk.context.recalled_texts.get(message_id, ""))
            case "voice" | "voice_speed" if self.talk.context.voice is not None:
                voice = self.talk.context.voice
                (voice.toggle if action == "voice" else voice.next_rate)(message)
            case "picture" | "open" | "save_as" | "download" | "voice":
                self._act_on_file(action, message)
            case _:
                self._act_on_content(action, message, data)

    def _move_on(self, action: str, message_id: str, data: str) -> None:
        """What stands still on its way: a transfer, a message that was refused."""
        start, files, chat = self.talk.tasks.start, self._session.files, self._session.chat
        match action:
            case "pause":
                start(files.pause(data), name="file")
            case "resume":
                start(files.resume(data), name="file")
            case "cancel":
                start(files.cancel(data), name="file")
            case "retry":
                start(chat.retry(message_id), name="retry")
            case _:
                start(chat.discard(message_id), name="discard")

    def _act_on_file(self, action: str, message: Message) -> None:
        if message.attachment is None:
            return
        match action:
            case "picture":
                self.view_picture(message)
            case "open" | "voice":
                self.files.open_file(message.attachment)
            case "save_as":
                self.files.save_file(message.attachment)
            case _:
                self.talk.tasks.start(self._session.files.download(message.attachment), name="file")

    def _act_on_content(self, action: str, message: Message, data: str) -> None:
        start, chat, me = self.talk.tasks.start, self._session.chat, self.talk.context.me_id
        match action:
            case "react":
                on = me not in message.reactions.get(data, ())
                start(chat.react(message.id, data, on), name="react")
            case "confirm":
                start(chat.confirm(message.id), name="confirm")
            case "confirmations" | "readers" | "voters":
                start(self.lists.show(action, message), name="readers", exclusive=True)
            case "remind":
                start(self.lists.remind(message), name="remind")
            case "history":
                start(self._show_history(message), name="history", exclusive=True)
            case "vote":
                self._vote(message, data)
            case "close_poll":
                start(self._close_poll(message), name="close-poll")
            case "chain":
                self._show_chain(message)
            case "chain_entry":
                start(self._enter_chain(message), name="chain", exclusive=True)
            case "group":
                self.navigator.open_conversation(data)
            case "merged" if message.merged is not None:
                self._show_merged(message.id, message.merged)
            case _:
                pass

    def _show_chain(self, message: Message) -> None:
        from desktop.ui.chat.poll_dialogs import ChainList

        self._open(ChainList(self.host, self.talk.context.people, message))

    def _show_merged(self, message_id: str, merged: Merged) -> None:
        from desktop.ui.chat.merged_window import MergedWindow

        load = partial(self._session.chat.open_merged, message_id)
        MergedWindow(merged, self.files, self.talk.context.thumbnails, load, parent=self.host).show()

    def _open_card(self, type_name: str, record_id: str) -> None:
        """What this user may not see stays shut."""
        face = self.talk.context.face(Card(type_name, record_id))
        if face is not None and face.closed:
            self.talk.snack.say(tr("office_workbench.no_record"))
            return
        match type_name:
            case "Notice":
                self.navigator.open_notice(record_id)
            case "Document":
                self.navigator.open_document(record_id)
            case _:
                self.navigator.open_record(type_name, record_id)

    async def _open_link(self, address: str) -> None:
        url = QUrl(address)
        if url.scheme().lower() not in ("http", "https") or not url.host():
            return
        shown = url.toDisplayString()[:SHOWN_ADDRESS]
        if await confirm(
            self.host, "chat.link.title", tr("chat.link.text", address=shown), accept_key="chat.link.open"
        ):
            QDesktopServices.openUrl(url)

    def _open(self, dialog: Dialog) -> None:
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # ---- answering
    def reply_to(self, message: Message) -> None:
        """The next message quotes this one."""
        self.talk.composer.set_reply(message.id, self.reply_words(message))

    def reply_words(self, message: Message) -> str:
        """What stands over the field while a message is answered."""
        people = self.talk.context.people
        text = words.one_line(summary(message, people))
        return tr("chat.replying", name=people.name(message.sender_id), text=text)

    def open_reactions(self, message_id: str, place: QPoint | None = None) -> None:
        """Offers emoji to answer a message with."""
        if self._reactions is None:
            from desktop.ui.chat.reaction_picker import ReactionPicker

            self._reactions = ReactionPicker(self._state, self.host)
            self._reactions.picked.connect(self._on_reaction)
        if place is None:
            place = self.talk.view.global_rect(message_id).topRight()
        self._reactions.open_at(message_id, place)

    def _on_reaction(self, message_id: str, emoji: str) -> None:
        self.talk.tasks.start(self._session.chat.react(message_id, emoji), name="react")

    def _on_hover(self, action: str, message_id: str) -> None:
        message = self.talk.held(message_id)
        bar = self.talk.view.hover_bar
        if message is None:
            return
        match action:
            case "react":
                self.open_reactions(message_id, bar.mapToGlobal(QPoint(bar.width() // 2, 0)))
            case "reply":
                self.reply_to(message)
            case "forward":
                self.forwarder.start([message])
            case _:
                self._on_menu(message_id, bar.mapToGlobal(QPoint(0, bar.height())))

    # ---- keeping
    def keep(self, messages: list[Message]) -> None:
        """Puts own copies into the favorites."""
        self.talk.tasks.start(self._keep(messages), name="favorite")

    async def _keep(self, messages: list[Message]) -> None:
        for message in messages:
            await self._session.chat.add_favorite(message.id)
        if alive(self.host):
            self.talk.view.picking.stop()
            self.talk.snack.say(tr("chat_talk.favorite.kept"))

    def add_sticker(self, message: Message) -> None:
        """A picture becomes one of this user's stickers."""
        self.talk.tasks.start(self._add_sticker(message), name="sticker")

    async def _add_sticker(self, message: Message) -> None:
        await self._session.chat.add_sticker_of(message.id)
        if alive(self.host):
            self.talk.snack.say(tr("chat_talk.sticker.added"))

    def view_picture(self, message: Message) -> None:
        """Shows a picture large, with the others of this talk beside it."""
        if message.attachment is None:
            return
        window = self.talk.view.window_model
        held = [window.at(row) for row in range(len(window))]
        pictures = [m.attachment for m in held if m.kind is MessageKind.PICTURE and m.attachment is not None]
        self.files.view_picture(message.attachment, pictures)

    # ---- changing what was sent
    def start_edit(self, message: Message) -> None:
        """The text comes into the composer."""
        people = self.talk.context.people
        mentioned = {people.name(who) if who != "all" else tr("chat.everyone"): who for who in message.mentions}
        self.talk.composer.start_edit(message.id, message.text, mentioned)

    def _edit_last(self) -> None:
        window, me = self.talk.view.window_model, self.talk.context.me_id
        for row in range(len(window) - 1, -1, -1):
            message = window.at(row)
            if may_edit(message, me, when.now(), self.talk.policy) and not (message.code or message.markdown):
                self.start_edit(message)
                return

    def _on_edited(self, message_id: str, text: str, mentions: tuple[str, ...]) -> None:
        message = self.talk.held(message_id)
        if message is None or message.text != text:
            self.talk.tasks.start(self._session.chat.edit(message_id, text, mentions), name="edit")

    def recall(self, message: Message) -> None:
        """Takes a message back; an own text can be written again."""
        if message.sender_id == self.talk.context.me_id and message.kind is MessageKind.TEXT and not message.code:
            self.talk.context.recalled_texts[message.id] = message.text
        self.talk.tasks.start(self._session.chat.recall(message.id), name="recall")

    def pin(self, message: Message) -> None:
        """Pins a message in its conversation, or takes the pin away."""
        self.talk.tasks.start(self._session.chat.pin_message(message.id, message.pinned is None), name="pin")

    async def _show_history(self, message: Message) -> None:
        from desktop.ui.chat.history_dialog import HistoryDialog

        versions = await self._session.chat.history(message.id)
        if alive(self.host):
            self._open(HistoryDialog(self.host, message, versions))

    # ---- polls and chains
    def _vote(self, message: Message, option_id: str) -> None:
        poll = message.poll
        if poll is None or is_closed(poll, when.now()):
            return
        mine = my_choice(message, self.talk.context.me_id)
        chosen: tuple[str, ...] = (*mine, option_id) if poll.multiple else (option_id,)
        if option_id in mine:
            chosen = tuple(one for one in mine if one != option_id)
        self.talk.tasks.start(self._session.chat.choose(message.id, chosen), name="vote")

    async def _close_poll(self, message: Message) -> None:
        if await confirm(self.host, "chat_talk.poll.close", tr("chat_talk.poll.close_text")):
            await self._session.chat.close_poll(message.id)

    async def _enter_chain(self, message: Message) -> None:
        from desktop.ui.chat.ask_text import ask_text

        me = self.talk.context.me_id
        mine = next((entry.text for entry in message.entries if entry.person_id == me), "")
        example = message.chain.example if message.chain is not None else None
        hint = tr("chat_talk.chain.example", text=example) if example else ""
        if mine:
            hint = f"{hint} {tr('chat_talk.chain.entry_hint')}".strip()
        text = await ask_text(
            self.host, "chat_talk.chain.entry", text=mine, hint=hint, limit=ENTRY_LIMIT, empty=bool(mine)
        )
        if text is not None and text != mine:
            await self._session.chat.set_entry(message.id, text or None)

    # ---- the menu
    def _on_menu(self, message_id: str, place: QPoint) -> None:
        message = self.talk.held(message_id)
        if message is not None:
            self.menu(message).popup(place)

    def menu(self, message: Message) -> QMenu:
        """What can be done with a message."""
        return message_menu(self, message)

    def make(self, type_name: str, message: Message) -> None:
        """Opens the form of a new record that begins with this message."""
        cards = self.talk.context.cards
        if cards is not None:
            self.navigator.new_record(type_name, cards.prefill(type_name, message))
