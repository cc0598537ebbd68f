"""A message in one line: for quotes, lists, copies and what a screen reader says."""

from desktop.core.domain import Message, MessageKind
from desktop.models.people import People
from desktop.ui.chat import sticker_set
from desktop.ui.chat.system_words import event_words, recalled_words
from desktop.ui.i18n import tr


def summary(message: Message, people: People | None = None) -> str:
    """What it says, or what it is. `people` word what names somebody."""
    if message.recalled_at is not None:
        return recalled_words(message.sender_id, message.recalled_by_id, people)
    if message.event is not None and people is not None:
        return event_words(message.event, people) or message.text
    return kind_words(message.kind, message.text, _name(message)) or (
        message.card.title if message.card is not None and not message.text else message.text
    )


def _name(message: Message) -> str:
    if message.attachment is not None:
        return message.attachment.name
    if message.merged is not None:
        return message.merged.title
    if message.poll is not None:
        return message.poll.question
    return message.chain.title if message.chain is not None else ""


def kind_words(kind: MessageKind, text: str, name: str = "") -> str:
    """The line of a kind that is more than text; empty for text. `name`: of the file, the title, the question."""
    match kind:
        case MessageKind.PICTURE:
            return tr("chat.kind.picture")
        case MessageKind.STICKER:
            return sticker_words(text)
        case MessageKind.SHAKE:
            return tr("chat_talk.kind.shake")
        case MessageKind.FILE:
            return f"{tr('chat.kind.file')} {name or text}".strip()
        case MessageKind.VOICE | MessageKind.VIDEO:
            return tr(f"chat_talk.kind.{kind.value}")
        case MessageKind.MERGED | MessageKind.POLL | MessageKind.CHAIN:
            return f"{tr(f'chat_talk.kind.{kind.value}')} {name or text}".strip()
        case _:
            return ""


def sticker_words(text: str) -> str:
    """A sticker in words: its caption in brackets where it is of the built-in set; what an own one is called is its sender's affair."""
    known = sticker_set.caption_of(text)
    return f"[{known}]" if known else f"{tr('chat_talk.kind.sticker')} {text}".strip()
