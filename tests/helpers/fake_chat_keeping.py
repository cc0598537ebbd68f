"""What one keeps, in memory: scheduled messages, favorites, stickers. A base of FakeChat."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from desktop.core.domain import (
    Favorite,
    ScheduledMessage,
    Sticker,
)
from desktop.core.errors import Rejected
from desktop.core.events import ChangeSet

if TYPE_CHECKING:
    pass


from tests.helpers.fake_chat_base import FakeChatBase


class FakeChatKeeping(FakeChatBase):
    """KeepingVerbs of ChatService."""

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
        await self._act("schedule", conversation_id, text, send_at)
        content: dict[str, Any] = {"kind": "text", "text": text, "mentions": list(mentions)}
        content |= {"replyToId": reply_to, "mustConfirm": must_confirm, "silent": silent}
        made = ScheduledMessage(self._next("sm"), conversation_id, content, send_at, self._now)
        self.scheduled_list[made.id] = made
        self._tell("ScheduledMessage", made.id)
        return made

    async def scheduled(self, conversation_id: str | None = None) -> list[ScheduledMessage]:
        await self._act("scheduled", conversation_id)
        found = [s for s in self.scheduled_list.values() if conversation_id in (None, s.conversation_id)]
        return sorted(found, key=lambda s: s.send_at)

    async def reschedule(self, scheduled_id: str, *, send_at: int | None = None, text: str | None = None) -> None:
        await self._act("reschedule", scheduled_id, send_at, text)
        old = self.scheduled_list[scheduled_id]
        content = old.message if text is None else {**old.message, "text": text}
        self.scheduled_list[scheduled_id] = msgspec.structs.replace(
            old, message=content, send_at=old.send_at if send_at is None else send_at
        )
        self._tell("ScheduledMessage", scheduled_id)

    async def unschedule(self, scheduled_id: str) -> None:
        await self._act("unschedule", scheduled_id)
        del self.scheduled_list[scheduled_id]
        self._session.events.publish(ChangeSet("ScheduledMessage", removed=(scheduled_id,)))

    async def favorites(self, text: str = "", *, tag: str | None = None) -> list[Favorite]:
        await self._act("favorites", text, tag)
        found = [f for f in self.favorite_list.values() if text in f.text and (tag is None or tag in f.tags)]
        return sorted(found, key=lambda f: (-f.created_at, f.id))

    async def add_favorite(self, message_id: str, *, note: str = "", tags: Iterable[str] = ()) -> Favorite:
        await self._act("add_favorite", message_id)
        m = self.find(message_id)
        made = Favorite(
            self._next("fav"),
            m.kind,
            m.text,
            m.id,
            m.conversation_id,
            m.sender_id,
            m.attachment,
            m.merged,
            m.card,
            m.sent_at,
            note=note or None,
            tags=tuple(tags),
            created_at=self._now,
        )
        self.favorite_list[made.id] = made
        self._tell("Favorite", made.id)
        return made

    async def change_favorite(self, favorite_id: str, *, note: str, tags: Iterable[str]) -> None:
        await self._act("change_favorite", favorite_id)
        old = self.favorite_list[favorite_id]
        self.favorite_list[favorite_id] = msgspec.structs.replace(old, note=note or None, tags=tuple(tags))
        self._tell("Favorite", favorite_id)

    async def remove_favorite(self, favorite_id: str) -> None:
        await self._act("remove_favorite", favorite_id)
        del self.favorite_list[favorite_id]
        self._session.events.publish(ChangeSet("Favorite", removed=(favorite_id,)))

    async def stickers(self) -> list[Sticker]:
        await self._act("stickers")
        return sorted(self.sticker_list.values(), key=lambda s: (s.order, s.id))

    async def add_sticker(self, source: Any, name: str | None = None) -> Sticker:
        await self._act("add_sticker", name)
        return self._new_sticker(
            self._session.files.keep(source.read_bytes() if isinstance(source, Path) else source), name
        )

    async def add_sticker_of(self, message_id: str) -> Sticker:
        await self._act("add_sticker_of", message_id)
        attachment = self.find(message_id).attachment
        if attachment is None:
            raise Rejected(type="notFound")
        return self._new_sticker(attachment.blob_id, attachment.name)

    def _new_sticker(self, blob_id: str, name: str | None) -> Sticker:
        made = Sticker(self._next("st"), blob_id, name=name, order=len(self.sticker_list), created_at=self._now)
        self.sticker_list[made.id] = made
        self._tell("Sticker", made.id)
        return made

    async def order_stickers(self, sticker_ids: Sequence[str]) -> None:
        await self._act("order_stickers", tuple(sticker_ids))
        for place, key in enumerate(sticker_ids):
            self.sticker_list[key] = msgspec.structs.replace(self.sticker_list[key], order=place)
        self._tell("Sticker", *sticker_ids)

    async def remove_sticker(self, sticker_id: str) -> None:
        await self._act("remove_sticker", sticker_id)
        del self.sticker_list[sticker_id]
        self._session.events.publish(ChangeSet("Sticker", removed=(sticker_id,)))
