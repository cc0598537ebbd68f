"""What a click in the messages does, and the menu of a message. Turns zones and menu entries into verbs."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMenu, QWidget

from desktop.core.domain import Card, Message, MessageKind
from desktop.models.verbs import TalkSession
from desktop.ui.chat import text as words
from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.chat.rows import summary
from desktop.ui.i18n import has, tr
from desktop.ui.kit import Menu, clipboard_text, confirm
from desktop.ui.shell.navigator import FileOpener, Navigator
from desktop.ui.theme import icons

SHOWN_ADDRESS = 300  # characters of a link that the question shows


class MessageActions(QObject):
    """Acts for one open talk; menus and questions stand over `host`."""

    def __init__(
        self, host: QWidget, talk: OpenTalk, session: TalkSession, navigator: Navigator, files: FileOpener
    ) -> None:
        super().__init__(host)
        self._host, self._talk = host, talk
        self._session, self._navigator, self._files = session, navigator, files
        talk.view.acted.connect(self.act)
        talk.view.menu_wanted.connect(self._on_menu)

    def act(self, action: str, message_id: str, data: str) -> None:
        """Does what a zone of a message stands for; what is not held any more does nothing."""
        message = self._talk.held(message_id)
        if message is None:
            return
        start, files = self._talk.tasks.start, self._session.files
        match action:
            case "link":
                start(self._open_link(data), name="link", exclusive=True)
            case "person":
                self._navigator.open_person(data)
            case "jump":
                self._talk.jump_to_message(data)
            case "card" if message.card is not None:
                self._open_card(message.card.type, message.card.id)
            case "pause":
                start(files.pause(data), name="file")
            case "resume":
                start(files.resume(data), name="file")
            case "cancel":
                start(files.cancel(data), name="file")
            case "retry":
                start(self._session.chat.retry(message_id), name="retry")
            case "discard":
                start(self._session.chat.discard(message_id), name="discard")
            case _:
                self._act_on_file(action, message)

    def _act_on_file(self, action: str, message: Message) -> None:
        if message.attachment is None:
            return
        match action:
            case "picture":
                self._files.view_picture(message.attachment)
            case "open":
                self._files.open_file(message.attachment)
            case "save_as":
                self._files.save_file(message.attachment)
            case "download":
                self._talk.tasks.start(self._session.files.download(message.attachment), name="file")
            case _:
                pass

    def _open_card(self, type_name: str, record_id: str) -> None:
        """What this user may not see stays shut."""
        face = self._talk.context.face(Card(type_name, record_id))
        if face is not None and face.closed:
            self._talk.snack.say(tr("office_workbench.no_record"))
            return
        match type_name:
            case "Notice":
                self._navigator.open_notice(record_id)
            case "Document":
                self._navigator.open_document(record_id)
            case _:
                self._navigator.open_record(type_name, record_id)

    async def _open_link(self, address: str) -> None:
        url = QUrl(address)
        if url.scheme().lower() not in ("http", "https") or not url.host():
            return
        shown = url.toDisplayString()[:SHOWN_ADDRESS]
        if await confirm(
            self._host, "chat.link.title", tr("chat.link.text", address=shown), accept_key="chat.link.open"
        ):
            QDesktopServices.openUrl(url)

    # ---- the menu
    def _on_menu(self, message_id: str, place: QPoint) -> None:
        message = self._talk.held(message_id)
        if message is not None:
            self.menu(message).popup(place)

    def menu(self, message: Message) -> QMenu:
        """What can be done with a message."""
        talk = self._talk
        menu = Menu(self._host, leaves=True)

        def add(key: str, icon: str, run: Callable[[], object]) -> None:
            action = menu.addAction(icons.icon(icon, "ink2", 16), tr(key) if has(key) else key)
            action.triggered.connect(lambda _checked=False: run())

        selected = talk.view.selected_text()
        if selected:
            add("chat.menu.copy_selection", "copy", lambda: clipboard_text(selected))
        elif message.text:
            add("chat.menu.copy", "copy", lambda: clipboard_text(message.text))
        for _, address in list(words.links(message.text))[:1]:
            add("chat.menu.copy_link", "link", partial(clipboard_text, address))
        if message.seq and message.kind is not MessageKind.SYSTEM and talk.composer.isVisible():
            add("chat.menu.reply", "arrow-bend-up-left", lambda: self._reply_to(message))
        if message.attachment is not None:
            attachment = message.attachment
            if message.kind is MessageKind.PICTURE:
                add("chat.menu.view", "magnifying-glass-plus", lambda: self._files.view_picture(attachment))
            add("chat.menu.save_as", "download-simple", lambda: self._files.save_file(attachment))
        if message.seq and message.card is None and message.kind is not MessageKind.SYSTEM:
            self._add_offers(add, message)
        if message.sender_id and message.sender_id != talk.context.me_id:
            sender = message.sender_id
            add("chat.menu.person", "identification-card", lambda: self._navigator.open_person(sender))
        menu.addSeparator()
        add("chat.menu.select_all", "selection-all", talk.view.select_all)
        return menu

    def _add_offers(self, add: Callable[[str, str, Callable[[], object]], None], message: Message) -> None:
        """Records this message can be made into: the form opens filled in, with the message as its origin."""
        cards = self._talk.context.cards
        for offer in cards.offers() if cards is not None else ():
            words = tr("office_workbench.make", type=offer.label)
            add(words, offer.icon, partial(self._make, offer.type_name, message))

    def _make(self, type_name: str, message: Message) -> None:
        cards = self._talk.context.cards
        if cards is not None:
            self._navigator.new_record(type_name, cards.prefill(type_name, message))

    def _reply_to(self, message: Message) -> None:
        name = self._talk.context.people.name(message.sender_id)
        text = tr("chat.replying", name=name, text=words.one_line(summary(message)))
        self._talk.composer.set_reply(message.id, text)
