"""Verbs that change what was said: edits, recalls, reactions, pins, confirmations, votes and entries. They show at once; a refused one is put back.

What one may do is decided by the server; domain/chat_rules.py says the same for buttons.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from desktop.core.clock import parse_utc_date
from desktop.core.domain import Alert, ChatPolicy, Delivery, Merged, Message, TextVersion
from desktop.core.errors import AppError, Rejected
from desktop.core.events import ChangeSet
from desktop.core.protocol.answers import GetAnswer, QueryAnswer, SetError
from desktop.core.protocol.capabilities import CHAT, changes_messages
from desktop.core.protocol.chat_objects import merged_of
from desktop.core.services.alerts import asks_for
from desktop.core.services.chat_reading import conversation_lane
from desktop.core.services.chat_sending import MAX_TEXT, ChatSending
from desktop.core.services.message_overlay import reaction_key, with_changes
from desktop.core.sync.outbox import EditKind

MAX_EMOJI: Final = 16
MAX_ENTRY: Final = 200
_SPACE: Final = "chat"
_POLICY: Final = "policy"
_PINS: Final = "pins"


class _Reminded(msgspec.Struct, frozen=True, rename="camel"):
    """Message/remind."""

    person_ids: list[str] = []
    refused: SetError | None = None


class _Opened(msgspec.Struct, frozen=True, rename="camel"):
    """Message/merged."""

    title: str = ""
    items: list[dict[str, Any]] = []
    refused: SetError | None = None


class _Edits(msgspec.Struct, frozen=True, rename="camel"):
    """What a message said before."""

    id: str = ""
    edits: list[dict[str, Any]] | None = None


class ChatActs(ChatSending):
    """Changes of messages."""

    async def policy(self) -> ChatPolicy:
        """The server's limits, as they were told at the last connection."""
        held = self._context.driver.limits
        if changes_messages(held):
            found = _policy(held.get(CHAT, {}))
            known = await self._context.load_local(_SPACE, dict[str, Any])
            if known.get(_POLICY) != msgspec.to_builtins(found):
                await self._context.put_local(_SPACE, _POLICY, found)
            return found
        return _policy((await self._context.load_local(_SPACE, dict[str, Any])).get(_POLICY, {}))

    # ------------------------------------------------------------ text
    async def edit(
        self, message_id: str, text: str, mentions: Iterable[str] = (), *, formatted: str | None = None
    ) -> None:
        """Says it otherwise; what it said before is kept with it. `formatted`: the new text's safe HTML; without it there is none.

        Raises:
            Rejected: empty, too long, no such message, one that was refused.
        """
        if not text.strip() or len(text) > MAX_TEXT:
            raise Rejected(type="invalidText", length=len(text))
        message = await self._needed(message_id)
        if message.delivery is Delivery.REFUSED:
            raise Rejected(type="notSent")
        named = list(mentions)
        if (message.text, list(message.mentions), message.formatted) != (text, named, formatted):
            rich = {"formatted": formatted} if formatted is not None else {}
            await self._change(message, {"text": text, "mentions": named, **rich})

    async def history(self, message_id: str) -> list[TextVersion]:
        """What it said before, oldest first. Raises Offline, Rejected."""
        asked = {"ids": [message_id], "properties": ["id", "edits"]}
        answer = await self._context.call("Message/get", asked, GetAnswer)
        if not answer.objects:
            raise Rejected(type="notFound")
        try:
            found = msgspec.json.decode(answer.objects[0], type=_Edits).edits or []
            return [TextVersion(str(one["text"]), parse_utc_date(one["at"])) for one in found]
        except (msgspec.MsgspecError, KeyError, ValueError, TypeError) as error:
            raise Rejected(type="protocolError") from error

    async def recall(self, message_id: str) -> None:
        """Takes it back for everybody; one that was not sent yet simply goes. Raises Rejected: no such message."""
        message = await self._needed(message_id)
        if not message.seq:
            await self.discard(message_id)
            if (await self.message(message_id)) is None:
                return  # it never left
        if message.recalled_at is None:
            await self._change(message, {"recalled": True})

    # ------------------------------------------------------------ reactions, pins, confirmations
    async def react(self, message_id: str, emoji: str, on: bool = True) -> None:
        """Sets or takes back this user's own reaction. Raises Rejected: no emoji, no such message."""
        if not 0 < len(emoji) <= MAX_EMOJI:
            raise Rejected(type="invalidText", length=len(emoji))
        message = await self._needed(message_id)
        if (self._context.me in message.reactions.get(emoji, ())) != on:
            await self._change(message, {reaction_key(emoji): True if on else None}, alone=False)

    async def pin_message(self, message_id: str, pinned: bool) -> None:
        """At the top of the conversation, for everybody. Raises Rejected: no such message."""
        message = await self._needed(message_id)
        if (message.pinned is not None) != pinned:
            await self._change(message, {"pinned": pinned})

    async def pinned_messages(self, conversation_id: str) -> list[Message]:
        """Pinned messages, the newest pin first; offline, those that were known."""
        ids = await self._pinned_ids(conversation_id)
        store, me = self._context.store, self._context.me
        edits = await self._context.db(store.load_edits, conversation_id)
        ids = list(dict.fromkeys([*(e.object_id for e in edits if e.payload.get("pinned") is True), *ids]))
        here = {message.id: message for message in await self.messages(ids)}
        missing = [key for key in ids if key not in here]
        if missing and self._context.live:
            here |= {message.id: message for message in with_changes(await self._fetch(missing), edits, me)}
        found = [here[key] for key in ids if key in here and here[key].pinned is not None]
        return sorted(found, key=lambda m: -m.pinned.at if m.pinned is not None else 0)

    async def _pinned_ids(self, conversation_id: str) -> list[str]:
        known = (await self._context.load_local(_PINS, list[str])).get(conversation_id, [])
        if not self._context.live or not changes_messages(self._context.driver.limits):
            return known
        try:
            asked = {"filter": {"conversationId": conversation_id, "pinned": True}}
            found = (await self._context.call("Message/query", asked, QueryAnswer)).ids
        except AppError:
            return known
        if found != known:
            await self._context.put_local(_PINS, conversation_id, found or None)
        return found

    async def confirm(self, message_id: str) -> None:
        """This user has taken note of a message that asks for it. Raises Rejected: no such message."""
        message = await self._needed(message_id)
        if message.must_confirm and self._context.me not in message.confirmed_ids:
            await self._change(message, {"confirmed": True})
            await self._end_alerts(message_id)

    async def _end_alerts(self, object_id: str) -> None:
        """What asked for this confirmation is told to be gone; the server takes it away."""
        found = await self._context.db(self._context.store.load_objects, "Alert")
        gone = tuple(one.id for one in found if isinstance(one, Alert) and asks_for(one, (object_id,)))
        if gone:
            self._context.bus.publish(ChangeSet("Alert", removed=gone))

    async def remind(self, message_id: str, person_ids: Sequence[str] | None = None) -> None:
        """Reminds those who have not read it (or not confirmed it), or these people.

        Raises:
            Offline: no connection. Rejected: not this user's message; `rateLimit` with `retry_after` seconds.
        """
        asked: dict[str, Any] = {"id": message_id}
        if person_ids is not None:
            asked["personIds"] = list(person_ids)
        answer = await self._context.call("Message/remind", asked, _Reminded)
        _raise(answer.refused)

    # ------------------------------------------------------------ polls, chains, what was forwarded
    async def choose(self, message_id: str, option_ids: Sequence[str]) -> None:
        """This user's answer to a poll, in place of an earlier one; none: takes it back. Raises Rejected: no such poll or option."""
        message = await self._needed(message_id)
        known = {option.id for option in message.poll.options} if message.poll is not None else set()
        chosen = list(dict.fromkeys(option_ids))
        if message.poll is None or not known.issuperset(chosen) or (len(chosen) > 1 and not message.poll.multiple):
            raise Rejected(type="invalidProperties")
        await self._change(message, {"choice": chosen})

    async def close_poll(self, message_id: str) -> None:
        """No more answers to an own poll. Raises Rejected: no such message."""
        await self._change(await self._needed(message_id), {"close": True})

    async def set_entry(self, message_id: str, text: str | None) -> None:
        """This user's line of a chain; None takes it away. Raises Rejected: too long, no such message."""
        line = (text or "").strip()
        if len(line) > MAX_ENTRY:
            raise Rejected(type="invalidText", length=len(line))
        await self._change(await self._needed(message_id), {"entry": line or None})

    async def open_merged(self, message_id: str, path: Sequence[int] = ()) -> Merged:
        """What was forwarded as one; `path`: the places of nested ones, from the outside in.

        Raises:
            Offline: what is nested lies on the server. Rejected: there is none.
        """
        message = await self._needed(message_id)
        if not path and message.merged is not None:
            return message.merged
        answer = await self._context.call("Message/merged", {"id": message_id, "path": list(path)}, _Opened)
        _raise(answer.refused)
        return merged_of({"title": answer.title, "items": answer.items})

    # ------------------------------------------------------------ the outbox
    async def _needed(self, message_id: str) -> Message:
        message = await self.find_message(message_id)
        if message is None:
            raise Rejected(type="notFound", description=message_id)
        return message

    async def _change(self, message: Message, patch: dict[str, Any], *, alone: bool = True) -> None:
        """Queues a change. Behind the message itself while that is on its way; in a lane of its own else, so that no upload holds it up."""
        lane = f"message:{message.id}" if message.seq else conversation_lane(message.conversation_id)
        room = message.conversation_id
        await self._context.edit(EditKind.UPDATE, "Message", message.id, patch, lane=lane, alone=alone, room=room)


def _policy(told: dict[str, Any]) -> ChatPolicy:
    try:
        return msgspec.convert(told, ChatPolicy)
    except msgspec.ValidationError:
        return ChatPolicy()


def _raise(refused: SetError | None) -> None:
    if refused is not None:
        raise Rejected(type=refused.code, description=refused.description or "", retry_after=refused.retry_after)
