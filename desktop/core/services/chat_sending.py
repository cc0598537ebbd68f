"""Verbs that send: everything goes through the outbox and shows at once, files after their upload; a shake alone needs the server now."""

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from desktop.core.clock import utc_date
from desktop.core.domain import Attachment, Card, Message, MessageKind, Person, Sticker
from desktop.core.domain.chat_rules import may_forward
from desktop.core.errors import BadFile, Rejected
from desktop.core.services import overlay
from desktop.core.services.chat_own import ChatOwn
from desktop.core.services.chat_reading import conversation_lane
from desktop.core.services.context import Context
from desktop.core.services.transfers import Outgoing, TransferService
from desktop.core.sync.events import EditDropped, EditRetried
from desktop.core.sync.outbox import EditKind

MAX_TEXT: Final = 10_000
MAX_PICTURE: Final = 50 * 1024 * 1024
MAX_VOICE: Final = 4 * 1024 * 1024
MAX_WAVEFORM: Final = 100
MAX_OPTIONS: Final = 20
MAX_TITLE: Final = 200
MAX_MERGED: Final = 100


class ChatSending(ChatOwn):
    """Sending, sending again, taking back what was not sent."""

    def __init__(self, context: Context, transfers: TransferService) -> None:
        super().__init__(context)
        self._transfers = transfers

    # ------------------------------------------------------------ texts
    async def send_text(
        self,
        conversation_id: str,
        text: str,
        mentions: Iterable[str] = (),
        reply_to: str | None = None,
        *,
        must_confirm: bool = False,
        silent: bool = False,
        markdown: bool = False,
        formatted: str | None = None,
    ) -> Message:
        """Queues a text; the message comes back pending. `silent`: no toasts; `formatted`: safe HTML beside the text.

        Raises:
            Rejected: empty, or longer than 10,000 characters.
        """
        more = {"mustConfirm": must_confirm, "silent": silent, "markdown": markdown, "formatted": formatted}
        return await self._send(text_payload(conversation_id, text, mentions, reply_to, more))

    async def send_code(self, conversation_id: str, text: str, language: str | None = None) -> Message:
        """A block of code. Raises Rejected as `send_text`."""
        return await self._send(text_payload(conversation_id, text, (), None, {"code": True, "language": language}))

    async def send_emoji(self, conversation_id: str, emoji: str) -> Message:
        """One large emoji."""
        if not emoji or len(emoji) > 64:
            raise Rejected(type="invalidText", length=len(emoji))
        return await self._send({"conversationId": conversation_id, "kind": "emoji", "text": emoji})

    async def send_card(self, conversation_id: str, card: Card, text: str = "") -> Message:
        """A link to an office record or a person."""
        payload = {"conversationId": conversation_id, "kind": "text", "text": text, "card": msgspec.to_builtins(card)}
        return await self._send(payload)

    # ------------------------------------------------------------ files
    async def send_picture(
        self,
        conversation_id: str,
        source: Path | str | bytes,
        name: str | None = None,
        *,
        must_confirm: bool = False,
    ) -> Message:
        """Queues a picture from a file or from the clipboard. It is kept sealed on this device, so that it shows at once and offline.

        Raises:
            BadFile: no picture we can read, or too large.
        """
        picture = Path(source) if isinstance(source, str) else source
        outgoing = await self._transfers.take_picture(picture, name, MAX_PICTURE)
        more = {"mustConfirm": True} if must_confirm else {}
        return await self._send_outgoing(conversation_id, "picture", outgoing, None, more=more)

    async def send_file(self, conversation_id: str, path: Path | str, *, must_confirm: bool = False) -> Message:
        """Queues a file; it stays where it is until it is sent.

        Raises:
            BadFile: not a readable file.
        """
        more = {"mustConfirm": True} if must_confirm else {}
        outgoing = await self._take(path)
        return await self._send_outgoing(conversation_id, "file", outgoing, str(path), more=more)

    async def send_voice(
        self, conversation_id: str, data: bytes, duration_ms: int, waveform: Sequence[int], type: str = "audio/ogg"
    ) -> Message:
        """Queues what was recorded; `waveform`: loudness 0..100 along the time, at most 100 values.

        Raises:
            BadFile: empty, or too large.
        """
        if not data or len(data) > MAX_VOICE or duration_ms <= 0:
            raise BadFile(reason="tooLarge" if data else "empty")
        name = f"voice.{type.partition(';')[0].rpartition('/')[2]}"
        outgoing = await self._transfers.take_bytes(data, name, type)
        levels = [max(0, min(100, int(level))) for level in waveform[:MAX_WAVEFORM]]
        attachment = {"durationMs": duration_ms, "waveform": levels}
        return await self._send_outgoing(conversation_id, "voice", outgoing, None, attachment=attachment)

    async def send_video(
        self,
        conversation_id: str,
        path: Path | str,
        *,
        duration_ms: int | None = None,
        width: int | None = None,
        height: int | None = None,
    ) -> Message:
        """Queues a video file, with what is known of it. Raises BadFile."""
        outgoing = await self._take(path)
        about = {"durationMs": duration_ms, "width": width, "height": height}
        attachment = {key: value for key, value in about.items() if value}
        return await self._send_outgoing(conversation_id, "video", outgoing, str(path), attachment=attachment)

    async def send_sticker(self, conversation_id: str, sticker_id: str) -> Message:
        """One of this user's stickers. Raises Rejected: there is none of this id, or it has not reached the server yet."""
        found = await self._context.db(self._context.store.load_object, "Sticker", sticker_id)
        if not isinstance(found, Sticker):
            raise Rejected(type="notFound")
        attachment = {"blobId": found.blob_id, "name": found.name or "sticker", "type": found.type}
        return await self._send({"conversationId": conversation_id, "kind": "sticker", "attachment": attachment})

    async def send_built_in(self, conversation_id: str, name: str, text: str) -> Message:
        """A sticker of the built-in set; `text`: what it says, until the server has worded it."""
        return await self._send({"conversationId": conversation_id, "kind": "sticker", "sticker": name, "text": text})

    async def _take(self, path: Path | str) -> Outgoing:
        path = Path(path)
        if path.is_dir():
            return await self._transfers.take_folder(path)
        if not path.is_file():
            raise BadFile(reason="missing")
        return await self._transfers.take_file(path)

    async def _send_outgoing(
        self,
        conversation_id: str,
        kind: str,
        outgoing: Outgoing,
        local_path: str | None,
        *,
        attachment: dict[str, Any] | None = None,
        more: dict[str, Any] | None = None,
    ) -> Message:
        held = {**msgspec.to_builtins(outgoing.attachment), **(attachment or {})}
        payload = {
            "conversationId": conversation_id,
            "kind": kind,
            "attachment": {key: value for key, value in held.items() if value not in (None, "")},
            **(more or {}),
        }
        message = await self._send(payload, upload=outgoing.transfer_id, local_path=local_path)
        talk_of_two = conversation_id if conversation_id.startswith("d-") else None
        await self._transfers.begin_upload(outgoing, message.id, talk_of_two)
        return message

    # ------------------------------------------------------------ polls, chains, shakes
    async def send_poll(
        self,
        conversation_id: str,
        question: str,
        options: Sequence[str],
        *,
        multiple: bool = False,
        anonymous: bool = False,
        closes_at: int | None = None,
    ) -> Message:
        """Asks the conversation; `closes_at` in ms.

        Raises:
            Rejected: no question, fewer than 2 or more than 20 different answers.
        """
        texts = [text.strip() for text in options]
        if not _is_title(question) or not 2 <= len(texts) <= MAX_OPTIONS or not all(texts):
            raise Rejected(type="invalidText", length=len(question))
        poll: dict[str, Any] = {"question": question.strip(), "multiple": multiple, "anonymous": anonymous}
        poll["options"] = [{"id": str(place), "text": text} for place, text in enumerate(texts, 1)]
        if closes_at is not None:
            poll["closesAt"] = utc_date(closes_at)
        return await self._send({"conversationId": conversation_id, "kind": "poll", "poll": poll})

    async def send_chain(self, conversation_id: str, title: str, example: str | None = None) -> Message:
        """Begins a list to which everybody adds a line. Raises Rejected: no title."""
        if not _is_title(title):
            raise Rejected(type="invalidText", length=len(title))
        chain = {"title": title.strip(), **({"example": example.strip()} if example and example.strip() else {})}
        return await self._send({"conversationId": conversation_id, "kind": "chain", "chain": chain})

    async def send_shake(self, conversation_id: str) -> Message:
        """Shakes the other one's window, now or not at all.

        Raises:
            Offline: no connection. Rejected: no direct conversation; `rateLimit` with `retry_after` seconds.
        """
        message_id = self._context.new_id()
        content = {"conversationId": conversation_id, "kind": "shake"}
        await self._context.call_set("Message", create={message_id: content})
        now = self._context.clock.now_ms()
        return Message(message_id, conversation_id, MessageKind.SHAKE, sender_id=self._context.me, sent_at=now)

    # ------------------------------------------------------------ forwarding
    async def forward(self, message_ids: Sequence[str], conversation_ids: Sequence[str]) -> list[Message]:
        """One by one, in the order they were said; what cannot be forwarded is left out.

        Raises:
            Rejected: nothing of it can be forwarded.
        """
        found = [message for message in await self.messages(message_ids) if may_forward(message)]
        if not found:
            raise Rejected(type="notForwardable")
        found.sort(key=lambda message: (message.conversation_id, message.seq))
        return [
            await self._forward_one(message, conversation_id)
            for conversation_id in conversation_ids
            for message in found
        ]

    async def _forward_one(self, message: Message, conversation_id: str) -> Message:
        if message.kind is MessageKind.MERGED:  # a copy of a copy: the server wraps it once more
            return await self._send_merged([message], conversation_id)
        return await self._send(_content(message, conversation_id))

    async def forward_merged(self, message_ids: Sequence[str], conversation_ids: Sequence[str]) -> list[Message]:
        """As one message; the server copies what was said.

        Raises:
            Rejected: nothing of it can be forwarded, they are of several conversations, or too many.
        """
        found = [
            message
            for message in await self.messages(message_ids)
            if message.seq and message.recalled_at is None and message.kind not in _NOT_MERGED
        ]
        if not found or len({message.conversation_id for message in found}) > 1:
            raise Rejected(type="notForwardable")
        if len(found) > MAX_MERGED:
            raise Rejected(type="tooMany", limit=MAX_MERGED)
        found.sort(key=lambda message: message.seq)
        return [await self._send_merged(found, conversation_id) for conversation_id in conversation_ids]

    async def _send_merged(self, messages: Sequence[Message], conversation_id: str) -> Message:
        payload = {
            "conversationId": conversation_id,
            "kind": "merged",
            "mergedIds": [message.id for message in messages],
        }
        source = await self.conversation(messages[0].conversation_id)
        items = [_item(message, await self._name_of(message.sender_id)) for message in messages]
        merged = {"title": source.name if source is not None else "", "items": items}
        return await self._send(payload, shown={"merged": merged})

    async def _name_of(self, person_id: str | None) -> str:
        if person_id is None:
            return ""
        person = await self._context.db(self._context.store.load_object, "Person", person_id)
        return person.name if isinstance(person, Person) else ""

    # ------------------------------------------------------------ the outbox
    async def _send(
        self,
        payload: dict[str, Any],
        *,
        upload: str | None = None,
        local_path: str | None = None,
        shown: dict[str, Any] | None = None,
    ) -> Message:
        message_id = self._context.new_id()
        edit = await self._context.edit(
            EditKind.CREATE,
            "Message",
            message_id,
            payload,
            lane=conversation_lane(str(payload["conversationId"])),
            edit_id=message_id,
            upload=upload,
            local_path=local_path,
            shown=shown,
        )
        return overlay.pending_message(edit, self._context.me)

    async def retry(self, message_id: str) -> None:
        """Sends a refused message again."""
        await self._transfers.retry_of(message_id)
        await self._context.driver.do(EditRetried(self._context.clock.monotonic(), message_id))

    async def discard(self, message_id: str) -> None:
        """Takes a message back that was not sent yet."""
        await self._transfers.cancel_of(message_id)
        await self._context.driver.do(EditDropped(self._context.clock.monotonic(), message_id))


_NOT_MERGED: Final = frozenset({MessageKind.SYSTEM, MessageKind.SHAKE})
_COPIED: Final = ("text", "code", "language", "markdown", "formatted", "sticker")


def text_payload(
    conversation_id: str, text: str, mentions: Iterable[str], reply_to: str | None, more: dict[str, Any]
) -> dict[str, Any]:
    """A text as a create. Raises Rejected: empty, or too long."""
    if not text.strip() or len(text) > MAX_TEXT:
        raise Rejected(type="invalidText", length=len(text))
    payload: dict[str, Any] = {"conversationId": conversation_id, "kind": "text", "text": text}
    if named := list(mentions):
        payload["mentions"] = named
    if reply_to is not None:
        payload["replyToId"] = reply_to
    return payload | {key: value for key, value in more.items() if value}


def _is_title(text: str) -> bool:
    return 0 < len(text.strip()) <= MAX_TITLE


def _content(message: Message, conversation_id: str) -> dict[str, Any]:
    """The content of a message as a create elsewhere."""
    payload: dict[str, Any] = {"conversationId": conversation_id, "kind": message.kind.value, "forwardedFrom": True}
    payload |= {name: value for name in _COPIED if (value := getattr(message, name))}
    if message.attachment is not None:
        payload["attachment"] = _attachment(message.attachment)
    if message.card is not None:
        payload["card"] = msgspec.to_builtins(message.card)
    return payload


def _attachment(attachment: Attachment) -> dict[str, Any]:
    held = msgspec.to_builtins(attachment)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in held.items() if value is not None}


def _item(message: Message, name: str) -> dict[str, Any]:
    """One message inside a forwarded talk, until the server has copied it."""
    item: dict[str, Any] = {"senderId": message.sender_id, "name": name, "sentAt": utc_date(message.sent_at)}
    item |= {"kind": message.kind.value, "text": message.text}
    if message.attachment is not None:
        item["attachment"] = _attachment(message.attachment)
    if message.sticker is not None:
        item["sticker"] = message.sticker
    if message.card is not None:
        item["card"] = msgspec.to_builtins(message.card)
    if message.merged is not None:
        item["merged"] = {"title": message.merged.title, "count": len(message.merged.items)}
    return copy.deepcopy(item)
