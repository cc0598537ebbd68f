"""The menu of a message: everything that can be done with it, for the mouse and for the keyboard."""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from PySide6.QtWidgets import QMenu, QWidget

from desktop.core.domain import Delivery, Message, MessageKind
from desktop.core.domain.chat_rules import may_edit, may_forward, may_pin, may_recall
from desktop.ui.chat import text as words
from desktop.ui.chat.forwarding import Forwarder
from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.chat.picking import pickable
from desktop.ui.i18n import has, tr, when
from desktop.ui.kit import Menu, clipboard_text
from desktop.ui.shell.navigator import FileOpener, Navigator
from desktop.ui.theme import icons

Add = Callable[[str, str, Callable[[], object]], None]


CONTENT: Final = {
    "confirm": "check-circle",
    "confirmations": "list-dashes",
    "remind": "bell-ringing",
    "vote": "check-square",
    "voters": "users",
    "close_poll": "lock",
    "chain": "list-numbers",
    "chain_entry": "pencil-line",
    "merged": "chat-centered-text",
    "copy_code": "code",
    "react": "smiley",
    "reedit": "pencil-simple",
}


class MessageActs(Protocol):
    """What the entries do; see MessageActions."""

    host: QWidget
    talk: OpenTalk
    navigator: Navigator
    files: FileOpener
    forwarder: Forwarder

    def act(self, action: str, message_id: str, data: str) -> None: ...
    def reply_to(self, message: Message) -> None: ...
    def open_reactions(self, message_id: str) -> None: ...
    def keep(self, messages: list[Message]) -> None: ...
    def view_picture(self, message: Message) -> None: ...
    def add_sticker(self, message: Message) -> None: ...
    def start_edit(self, message: Message) -> None: ...
    def recall(self, message: Message) -> None: ...
    def pin(self, message: Message) -> None: ...
    def make(self, type_name: str, message: Message) -> None: ...


def message_menu(acts: MessageActs, message: Message) -> QMenu:
    """What this user can do with a message now."""
    menu = Menu(acts.host, leaves=True)

    def add(key: str, icon: str, run: Callable[[], object]) -> None:
        action = menu.addAction(icons.icon(icon, "ink2", 16), tr(key) if has(key) else key)
        action.triggered.connect(lambda _checked=False: run())

    _add_content(add, acts, message)
    _add_copying(add, acts, message)
    if message.recalled_at is None:
        _add_answering(add, acts, message)
        _add_files(add, acts, message)
        _add_changing(add, acts, message)
        if message.seq and message.card is None and message.kind is not MessageKind.SYSTEM:
            _add_offers(add, acts, message)
    if message.sender_id and message.sender_id != acts.talk.context.me_id:
        sender = message.sender_id
        add("chat.menu.person", "identification-card", lambda: acts.navigator.open_person(sender))
    menu.addSeparator()
    if pickable(message):
        add("chat_talk.act.pick", "checks", lambda: acts.talk.view.picking.start(message.id))
    add("chat.menu.select_all", "selection-all", acts.talk.view.select_all)
    return menu


def _add_content(add: Add, acts: MessageActs, message: Message) -> None:
    """What can be pressed inside the message: voting, confirming, a line of a chain, the versions…"""
    offered: set[tuple[str, str]] = set()
    for zone in acts.talk.view.zones_of(message.id):
        icon = CONTENT.get(zone.action)
        if icon is not None and zone.name and (zone.action, zone.data) not in offered:
            offered.add((zone.action, zone.data))
            add(zone.name, icon, partial(acts.act, zone.action, message.id, zone.data))


def _add_copying(add: Add, acts: MessageActs, message: Message) -> None:
    view = acts.talk.view
    if view.selected_text():
        add("chat.menu.copy_selection", "copy", view.copy_selection)
    elif message.text:
        add("chat.menu.copy", "copy", partial(view.copy_messages, [message]))
    for _, address in list(words.links(message.text))[:1]:
        add("chat.menu.copy_link", "link", partial(clipboard_text, address))


def _add_answering(add: Add, acts: MessageActs, message: Message) -> None:
    writable = acts.talk.composer.isVisible()
    there = bool(message.seq) and message.kind is not MessageKind.SYSTEM
    if there and writable:
        add("chat.menu.reply", "arrow-bend-up-left", lambda: acts.reply_to(message))
        add("chat_talk.act.react", "smiley", lambda: acts.open_reactions(message.id))
    if there and may_forward(message):
        add("chat_talk.act.forward", "share", lambda: acts.forwarder.start([message]))
        add("chat_talk.act.favorite", "star", lambda: acts.keep([message]))


def _add_files(add: Add, acts: MessageActs, message: Message) -> None:
    if message.attachment is None:
        return
    attachment = message.attachment
    if message.kind in (MessageKind.PICTURE, MessageKind.STICKER):
        add("chat.menu.view", "magnifying-glass-plus", lambda: acts.view_picture(message))
        if message.seq:
            add("chat_talk.act.sticker", "sticker", lambda: acts.add_sticker(message))
    add("chat.menu.save_as", "download-simple", lambda: acts.files.save_file(attachment))


def _add_changing(add: Add, acts: MessageActs, message: Message) -> None:
    talk, me, now = acts.talk, acts.talk.context.me_id, when.now()
    if may_edit(message, me, now, talk.policy) and not (message.code or message.markdown):
        add("chat_talk.act.edit", "pencil-simple", lambda: acts.start_edit(message))
    if message.delivery is Delivery.SENT and may_recall(message, me, talk.role, now, talk.policy):
        add("chat_talk.act.recall", "arrow-counter-clockwise", lambda: acts.recall(message))
    if message.edited_at is not None:
        add("chat_talk.act.history", "clock-counter-clockwise", lambda: acts.act("history", message.id, ""))
    conversation = talk.conversation
    sayable = bool(message.seq) and message.kind not in (MessageKind.SYSTEM, MessageKind.SHAKE)
    if conversation is not None and sayable and may_pin(conversation, talk.role):
        key, icon = ("unpin", "push-pin-slash") if message.pinned else ("pin", "push-pin")
        add(f"chat_talk.act.{key}", icon, lambda: acts.pin(message))
    if message.sender_id == me and message.seq and talk.context.is_group:
        add("chat_talk.readers", "checks", lambda: acts.act("readers", message.id, ""))


def _add_offers(add: Add, acts: MessageActs, message: Message) -> None:
    """Records this message can be made into: the form opens filled in, with the message as its origin."""
    cards = acts.talk.context.cards
    for offer in cards.offers() if cards is not None else ():
        label = tr("office_workbench.make", type=offer.label)
        add(label, offer.icon, partial(acts.make, offer.type_name, message))
