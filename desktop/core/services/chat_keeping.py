"""Verbs of what one keeps for oneself: messages to be sent later, favorites, stickers. Pending ones show at once."""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from desktop.core.clock import parse_utc_date, utc_date
from desktop.core.domain import (
    Favorite,
    Message,
    MessageKind,
    ScheduledMessage,
    ScheduledState,
    Sticker,
)
from desktop.core.errors import Rejected
from desktop.core.services.chat_groups import ChatGroups
from desktop.core.services.chat_sending import MAX_TEXT, text_payload
from desktop.core.sync.events import EditDropped
from desktop.core.sync.outbox import Edit, EditKind, EditState

MAX_STICKER: Final = 2 * 1024 * 1024
_IS_STICKER: Final = frozenset({MessageKind.PICTURE, MessageKind.STICKER})


class ChatKeeping(ChatGroups):
    """Scheduled messages, favorites, stickers."""

    # ------------------------------------------------------------ to be sent later
    async def schedule(
        self,
        conversation_id: str,
        text: str,
        send_at: int,
        mentions: Iterable[str] = (),
        reply_to: str | None = None,
        *,
        must_confirm: bool = False,
        silent: bool = False,
    ) -> ScheduledMessage:
        """Has the server send a text at `send_at` (ms), whether this program runs or not.

        Raises:
            Rejected: empty, too long, or in the past.
        """
        if send_at <= self._context.clock.now_ms():
            raise Rejected(type="inThePast")
        more = {"mustConfirm": must_confirm, "silent": silent}
        content = text_payload(conversation_id, text, mentions, reply_to, more)
        del content["conversationId"]
        payload = {"conversationId": conversation_id, "message": content, "sendAt": utc_date(send_at)}
        edit = await self._context.edit(EditKind.CREATE, "ScheduledMessage", self._context.new_id(), payload)
        return _scheduled(edit)

    async def scheduled(self, conversation_id: str | None = None) -> list[ScheduledMessage]:
        """What waits to be sent, and what could not be, the next one first."""
        store = self._context.store

        def load() -> list[ScheduledMessage]:
            found = store.load_objects("ScheduledMessage", parent=conversation_id)
            held = {value.id: value for value in found if isinstance(value, ScheduledMessage)}
            for edit in store.load_edits():
                if edit.type_name == "ScheduledMessage":
                    _lay_scheduled(held, edit, conversation_id)
            return [one for one in held.values() if one.state is not ScheduledState.SENT]

        return sorted(await self._context.db(load), key=lambda one: (one.send_at, one.id))

    async def reschedule(self, scheduled_id: str, *, send_at: int | None = None, text: str | None = None) -> None:
        """Another time, another text. Raises Rejected: nothing of this id waits, empty, too long, in the past."""
        known = next((one for one in await self.scheduled() if one.id == scheduled_id), None)
        if known is None or known.state is not ScheduledState.WAITING:
            raise Rejected(type="notFound")
        patch: dict[str, Any] = {}
        if text is not None:
            if not text.strip() or len(text) > MAX_TEXT:
                raise Rejected(type="invalidText", length=len(text))
            patch["message"] = {**known.message, "text": text}
        if send_at is not None:
            if send_at <= self._context.clock.now_ms():
                raise Rejected(type="inThePast")
            patch["sendAt"] = utc_date(send_at)
        if patch:
            room = known.conversation_id
            await self._context.edit(EditKind.UPDATE, "ScheduledMessage", scheduled_id, patch, room=room)

    async def unschedule(self, scheduled_id: str) -> None:
        """Not to be sent; what failed is taken off the list."""
        await self._remove("ScheduledMessage", scheduled_id)

    # ------------------------------------------------------------ favorites
    async def favorites(self, text: str = "", *, tag: str | None = None) -> list[Favorite]:
        """This user's, the newest first; `text` is looked for in what was said, file names, notes and tags."""
        store, me = self._context.store, self._context.me

        def load() -> list[Favorite]:
            held = {value.id: value for value in store.load_objects("Favorite") if isinstance(value, Favorite)}
            for edit in store.load_edits():
                if edit.type_name == "Favorite":
                    _lay_favorite(held, edit, store.load_object("Message", str(edit.payload.get("messageId", ""))), me)
            return list(held.values())

        words = _fold(text).split()
        found = [one for one in await self._context.db(load) if tag is None or tag in one.tags]
        found = [one for one in found if all(word in _fold(_said(one)) for word in words)]
        return sorted(found, key=lambda one: (-one.created_at, one.id))

    async def add_favorite(self, message_id: str, *, note: str = "", tags: Iterable[str] = ()) -> Favorite:
        """Keeps a copy of a message, whatever becomes of it. Raises Rejected: no such message, not sent yet, recalled."""
        message = await self._needed(message_id)
        if not message.seq or message.recalled_at is not None:
            raise Rejected(type="notFound")
        payload: dict[str, Any] = {"messageId": message_id, **_about(note, tags)}
        edit = await self._context.edit(EditKind.CREATE, "Favorite", self._context.new_id(), payload)
        return _favorite(edit, message, self._context.me)

    async def change_favorite(self, favorite_id: str, *, note: str, tags: Iterable[str]) -> None:
        """Another note, other tags."""
        named = [tag.strip() for tag in tags if tag.strip()]
        await self._context.edit(
            EditKind.UPDATE, "Favorite", favorite_id, {"note": note.strip() or None, "tags": named}
        )

    async def remove_favorite(self, favorite_id: str) -> None:
        """Keeps it no longer."""
        await self._remove("Favorite", favorite_id)

    # ------------------------------------------------------------ stickers
    async def stickers(self) -> list[Sticker]:
        """This user's own, in their order."""
        store = self._context.store

        def load() -> list[Sticker]:
            held = {value.id: value for value in store.load_objects("Sticker") if isinstance(value, Sticker)}
            for edit in store.load_edits():
                if edit.type_name == "Sticker":
                    _lay_sticker(held, edit)
            return list(held.values())

        return sorted(await self._context.db(load), key=lambda one: (one.order, one.created_at, one.id))

    async def add_sticker(self, source: Path | str | bytes, name: str | None = None) -> Sticker:
        """A picture of this device. Raises BadFile: none, or over 2 MB."""
        picture = Path(source) if isinstance(source, str) else source
        outgoing = await self._transfers.take_picture(picture, name, MAX_STICKER, hidden=True)
        sealed = outgoing.attachment
        shown = {"blobId": sealed.blob_id, "type": sealed.type}
        edit = await self._new_sticker({}, sealed.name, shown, upload=outgoing.transfer_id)
        await self._transfers.begin_upload(outgoing, edit.id)
        return _sticker(edit)

    async def add_sticker_of(self, message_id: str) -> Sticker:
        """The picture or sticker of a message. Raises Rejected: it has none."""
        message = await self._needed(message_id)
        attachment = message.attachment
        if attachment is None or message.kind not in _IS_STICKER or not message.seq:
            raise Rejected(type="notFound")
        if attachment.size > MAX_STICKER:
            raise Rejected(type="tooLarge")
        return _sticker(
            await self._new_sticker({"blobId": attachment.blob_id}, attachment.name, {"type": attachment.type})
        )

    async def _new_sticker(
        self, payload: dict[str, Any], name: str, shown: dict[str, Any], *, upload: str | None = None
    ) -> Edit:
        order = max((one.order for one in await self.stickers()), default=-1) + 1
        payload |= {"name": name[:MAX_STICKER_NAME], "order": order}
        sticker_id = self._context.new_id()
        return await self._context.edit(
            EditKind.CREATE,
            "Sticker",
            sticker_id,
            payload,
            lane="stickers",
            edit_id=sticker_id,
            upload=upload,
            shown=shown,
        )

    async def order_stickers(self, sticker_ids: Sequence[str]) -> None:
        """Puts them into this order; those that are not named follow."""
        held = {one.id: one for one in await self.stickers()}
        known = [key for key in sticker_ids if key in held]
        wanted = [*known, *(key for key in held if key not in known)]
        for place, key in enumerate(wanted):
            if held[key].order != place:
                await self._context.edit(EditKind.UPDATE, "Sticker", key, {"order": place}, lane="stickers")

    async def remove_sticker(self, sticker_id: str) -> None:
        """Away with it."""
        await self._transfers.cancel_of(sticker_id)
        await self._remove("Sticker", sticker_id)

    # ------------------------------------------------------------ the outbox
    async def _remove(self, type_name: str, object_id: str) -> None:
        """What did not reach the server is taken back; what may be there is destroyed."""
        edits = await self._context.db(self._context.store.load_edits)
        for edit in edits:
            if edit.type_name == type_name and edit.object_id == object_id:
                await self._context.driver.do(EditDropped(self._context.clock.monotonic(), edit.id))
        left = await self._context.db(self._context.store.load_edits)
        here = await self._context.db(self._context.store.load_object, type_name, object_id)
        if here is not None or any(e.type_name == type_name and e.object_id == object_id for e in left):
            lane = "stickers" if type_name == "Sticker" else None
            await self._context.edit(EditKind.DESTROY, type_name, object_id, {}, lane=lane)


MAX_STICKER_NAME: Final = 40


def _scheduled(edit: Edit) -> ScheduledMessage:
    payload, refused = edit.payload, edit.state is EditState.REFUSED
    return ScheduledMessage(
        edit.object_id,
        str(payload["conversationId"]),
        payload["message"],
        parse_utc_date(payload["sendAt"]),
        edit.created_at,
        ScheduledState.FAILED if refused else ScheduledState.WAITING,
        edit.code,
        pending=True,
    )


def _lay_scheduled(held: dict[str, ScheduledMessage], edit: Edit, conversation_id: str | None) -> None:
    if edit.kind is EditKind.DESTROY:
        held.pop(edit.object_id, None)
    elif edit.kind is EditKind.CREATE:
        if conversation_id in (None, edit.payload["conversationId"]):
            held.setdefault(edit.object_id, _scheduled(edit))
    elif edit.object_id in held and edit.state is EditState.PENDING:
        changed: dict[str, Any] = {"pending": True}
        if "message" in edit.payload:
            changed["message"] = edit.payload["message"]
        if "sendAt" in edit.payload:
            changed["send_at"] = parse_utc_date(edit.payload["sendAt"])
        held[edit.object_id] = msgspec.structs.replace(held[edit.object_id], **changed)


def _about(note: str, tags: Iterable[str]) -> dict[str, Any]:
    named = [tag.strip() for tag in tags if tag.strip()]
    return {**({"note": note.strip()} if note.strip() else {}), **({"tags": named} if named else {})}


def _favorite(edit: Edit, message: object, me: str) -> Favorite:
    payload = edit.payload
    made = Favorite(
        edit.object_id,
        message_id=str(payload["messageId"]),
        note=payload.get("note"),
        tags=tuple(payload.get("tags", ())),
        created_at=edit.created_at,
        pending=True,
    )
    if not isinstance(message, Message):
        return made
    return msgspec.structs.replace(
        made,
        kind=message.kind,
        text=message.text,
        conversation_id=message.conversation_id,
        sender_id=message.sender_id or me,
        attachment=message.attachment,
        merged=message.merged,
        card=message.card,
        sent_at=message.sent_at,
        code=message.code,
        language=message.language,
        markdown=message.markdown,
        formatted=message.formatted,
        sticker=message.sticker,
    )


def _lay_favorite(held: dict[str, Favorite], edit: Edit, message: object, me: str) -> None:
    if edit.kind is EditKind.DESTROY:
        held.pop(edit.object_id, None)
    elif edit.kind is EditKind.CREATE:
        held.setdefault(edit.object_id, _favorite(edit, message, me))
    elif edit.object_id in held:
        about = {"note": edit.payload.get("note"), "tags": tuple(edit.payload.get("tags", ())), "pending": True}
        held[edit.object_id] = msgspec.structs.replace(held[edit.object_id], **about)


def _sticker(edit: Edit) -> Sticker:
    about = {**(edit.shown or {}), **edit.payload}
    return Sticker(
        edit.object_id,
        str(about.get("blobId", "")),
        str(about.get("type", "image/png")),
        about.get("name"),
        int(about.get("order", 0)),
        edit.created_at,
        pending=True,
    )


def _lay_sticker(held: dict[str, Sticker], edit: Edit) -> None:
    if edit.kind is EditKind.DESTROY:
        held.pop(edit.object_id, None)
    elif edit.kind is EditKind.CREATE:
        held.setdefault(edit.object_id, _sticker(edit))
    elif edit.object_id in held:
        order = int(edit.payload.get("order", held[edit.object_id].order))
        held[edit.object_id] = msgspec.structs.replace(held[edit.object_id], order=order, pending=True)


def _said(favorite: Favorite) -> str:
    name = favorite.attachment.name if favorite.attachment is not None else ""
    inside = " ".join(item.text for item in favorite.merged.items) if favorite.merged is not None else ""
    return " ".join((favorite.text, name, inside, favorite.note or "", *favorite.tags))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
