"""Verbs of conversations as such: opening and making them, people and their roles, rules, announcements, requests to join."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from desktop.core.clock import utc_date
from desktop.core.domain import (
    Announcement,
    Conversation,
    ConversationKind,
    GroupCard,
    JoinRequest,
    JoinRule,
    JoinState,
)
from desktop.core.errors import Rejected
from desktop.core.ids import direct_conversation_id, member_id
from desktop.core.protocol.answers import SetError
from desktop.core.services.chat_acts import ChatActs
from desktop.core.services.chat_reading import conversation_lane, is_hidden
from desktop.core.sync.outbox import Edit, EditKind, EditState

MAX_ANNOUNCEMENT: Final = 10_000
MAX_AVATAR: Final = 5 * 1024 * 1024
ROLES: Final = frozenset({"owner", "admin", "member"})


class _Card(msgspec.Struct, frozen=True, rename="camel"):
    """Conversation/card."""

    name: str = ""
    member_count: int = 0
    is_member: bool = False
    asked: bool = False
    refused: SetError | None = None


class ChatGroups(ChatActs):
    """Groups and their people."""

    # ------------------------------------------------------------ making
    async def open_direct(self, person_id: str) -> Conversation:
        """The direct conversation with a colleague; made when there is none, offline too."""
        conversation_id = direct_conversation_id(self._context.me, person_id)
        known = await self.conversation(conversation_id)
        if known is None:
            payload = {"kind": "direct", "memberIds": [person_id]}
            lane = conversation_lane(conversation_id)
            await self._context.edit(EditKind.CREATE, "Conversation", conversation_id, payload, lane=lane)
            known = await self.conversation(conversation_id)
        elif is_hidden(known):  # whoever opens it wants it in the list
            await self.set_hidden(conversation_id, False)
        return known or Conversation(conversation_id, ConversationKind.DIRECT, peer_id=person_id)

    async def create_group(self, name: str, person_ids: Sequence[str]) -> Conversation:
        """A new group with this user as its owner."""
        conversation_id = self._context.new_id()
        payload = {"kind": "group", "name": name, "memberIds": list(person_ids)}
        lane = conversation_lane(conversation_id)
        await self._context.edit(EditKind.CREATE, "Conversation", conversation_id, payload, lane=lane)
        found = await self.conversation(conversation_id)
        return found or Conversation(conversation_id, ConversationKind.GROUP, name)

    async def create_department_group(self, department_id: str) -> str:
        """A group whose members are a department's, now and later (its head, or administrators). Its id; the maker may be no member.

        Raises:
            Offline: no connection. Rejected: not allowed, or there is one.
        """
        made = self._context.new_id()
        await self._context.call_set("Conversation", create={made: {"kind": "group", "departmentId": department_id}})
        return made

    async def dissolve(self, conversation_id: str) -> None:
        """Ends a group for good: all of it stays readable (owner)."""
        await self._context.call_set("Conversation", destroy=[conversation_id])

    # ------------------------------------------------------------ rules
    async def rename(self, conversation_id: str, name: str) -> None:
        """A group's name (owner, admin)."""
        await self._set_rule(conversation_id, {"name": name})

    async def set_announcement(self, conversation_id: str, text: str) -> None:
        """A group's announcement (owner, admin)."""
        await self._set_rule(conversation_id, {"announcement": {"text": text}})

    async def mute_all(self, conversation_id: str, muted: bool) -> None:
        """Only owner and admins may write (owner, admin)."""
        await self._set_rule(conversation_id, {"mutedAll": muted})

    async def set_join_rule(self, conversation_id: str, rule: JoinRule) -> None:
        """How people come in (owner, admin)."""
        await self._set_rule(conversation_id, {"joinRule": rule.value})

    async def set_anyone_pins(self, conversation_id: str, anyone: bool) -> None:
        """Whether every member may pin messages (owner, admin)."""
        await self._set_rule(conversation_id, {"anyonePins": anyone})

    async def set_anyone_invites(self, conversation_id: str, anyone: bool) -> None:
        """Whether every member may ask people in (owner, admin)."""
        await self._set_rule(conversation_id, {"anyoneInvites": anyone})

    async def set_avatar(self, conversation_id: str, source: Path | str | bytes) -> None:
        """A group's picture (owner, admin). Raises BadFile."""
        picture = Path(source) if isinstance(source, str) else source
        outgoing = await self._transfers.take_picture(picture, None, MAX_AVATAR, hidden=True)
        edit = await self._context.edit(
            EditKind.UPDATE,
            "Conversation",
            conversation_id,
            {"avatarBlobId": outgoing.attachment.blob_id},
            lane=await self._lane("avatar", conversation_id),
            uploads=((outgoing.transfer_id, "avatarBlobId"),),
        )
        await self._transfers.begin_upload(outgoing, edit.id)

    async def reset_avatar(self, conversation_id: str) -> None:
        """The group has no picture of its own any more (owner, admin)."""
        lane = await self._lane("avatar", conversation_id)
        await self._context.edit(EditKind.UPDATE, "Conversation", conversation_id, {"avatarBlobId": None}, lane=lane)

    async def _set_rule(self, conversation_id: str, patch: dict[str, Any]) -> None:
        # Alone: a refused rule must not take a read marker along.
        lane = await self._lane("rules", conversation_id)
        await self._context.edit(EditKind.UPDATE, "Conversation", conversation_id, patch, lane=lane)

    # ------------------------------------------------------------ people
    async def add_members(self, conversation_id: str, person_ids: Sequence[str]) -> None:
        """Asks people in."""
        for person_id in person_ids:
            payload = {"conversationId": conversation_id, "personId": person_id}
            key = member_id(conversation_id, person_id)
            lane = conversation_lane(conversation_id)
            await self._context.edit(EditKind.CREATE, "Member", key, payload, lane=lane)

    async def remove_member(self, conversation_id: str, person_id: str) -> None:
        """Removes somebody, or leaves (this user's own id)."""
        await self._change_member(conversation_id, person_id, None)

    async def set_role(self, conversation_id: str, person_id: str, role: str) -> None:
        """Owner, admin or member (owner). Raises Rejected: none of these."""
        if role not in ROLES:
            raise Rejected(type="invalidProperties", properties=["role"])
        await self._change_member(conversation_id, person_id, {"role": role})

    async def transfer(self, conversation_id: str, person_id: str) -> None:
        """Makes a member the owner; this user is a member from then on (owner)."""
        await self.set_role(conversation_id, person_id, "owner")

    async def mute_member(self, conversation_id: str, person_id: str, until: int | None) -> None:
        """A member may not write before `until` (ms); None: at once again (owner, admin)."""
        patch = {"mutedUntil": None if until is None else utc_date(until)}
        await self._change_member(conversation_id, person_id, patch)

    async def set_nickname(self, conversation_id: str, nickname: str | None) -> None:
        """What this user is called here; None: by the name."""
        patch = {"nickname": (nickname or "").strip() or None}
        await self._change_member(conversation_id, self._context.me, patch)

    async def _change_member(self, conversation_id: str, person_id: str, patch: dict[str, Any] | None) -> None:
        key = member_id(conversation_id, person_id)
        kind = EditKind.DESTROY if patch is None else EditKind.UPDATE
        lane = conversation_lane(conversation_id)
        await self._context.edit(kind, "Member", key, patch or {}, lane=lane, room=conversation_id)

    # ------------------------------------------------------------ announcements
    async def announcements(self, conversation_id: str) -> list[Announcement]:
        """All of a group, the newest first, with who has read and confirmed them."""
        store, me = self._context.store, self._context.me

        def load() -> list[Announcement]:
            found = store.load_objects("Announcement", parent=conversation_id)
            held = {value.id: value for value in found if isinstance(value, Announcement)}
            for edit in store.load_edits(conversation_id):
                if edit.type_name == "Announcement" and edit.state is EditState.PENDING:
                    _lay_announcement(held, edit, me)
            return sorted(held.values(), key=lambda one: (-one.at, one.id))

        return await self._context.db(load)

    async def announce(
        self, conversation_id: str, text: str, *, title: str | None = None, must_confirm: bool = False
    ) -> Announcement:
        """Tells the group (owner, admin); with `must_confirm` everybody has to confirm it. Raises Rejected: empty, or too long."""
        if not text.strip() or len(text) > MAX_ANNOUNCEMENT:
            raise Rejected(type="invalidText", length=len(text))
        payload: dict[str, Any] = {"conversationId": conversation_id, "text": text, "mustConfirm": must_confirm}
        if title is not None and title.strip():
            payload["title"] = title.strip()
        edit = await self._context.edit(
            EditKind.CREATE, "Announcement", self._context.new_id(), payload, lane=conversation_lane(conversation_id)
        )
        return _announced(edit, self._context.me)

    async def remove_announcement(self, announcement_id: str) -> None:
        """Takes it away; the one before it stands in the conversation again (owner, admin)."""
        found = await self._context.db(self._context.store.load_object, "Announcement", announcement_id)
        room = found.conversation_id if isinstance(found, Announcement) else None
        await self._context.edit(EditKind.DESTROY, "Announcement", announcement_id, {}, room=room)

    async def read_announcement(self, announcement_id: str) -> None:
        """This user has read it."""
        await self._mark(announcement_id, {"read": True})

    async def confirm_announcement(self, announcement_id: str) -> None:
        """This user has read it and takes note."""
        await self._mark(announcement_id, {"confirmed": True})

    async def _mark(self, announcement_id: str, patch: dict[str, Any]) -> None:
        found = await self._context.db(self._context.store.load_object, "Announcement", announcement_id)
        if not isinstance(found, Announcement):
            return
        done = found.confirmed_ids if "confirmed" in patch else found.read_ids
        if self._context.me not in done:
            room = found.conversation_id
            await self._context.edit(EditKind.UPDATE, "Announcement", announcement_id, patch, room=room)
            if "confirmed" in patch:
                await self._end_alerts(announcement_id)

    # ------------------------------------------------------------ asking to join
    async def join_requests(self, conversation_id: str | None = None) -> list[JoinRequest]:
        """Those that wait for an answer, the oldest first; without those this user has just answered."""
        store = self._context.store

        def load() -> list[JoinRequest]:
            answered = {e.object_id for e in store.load_edits() if e.type_name == "JoinRequest"}
            found = store.load_objects("JoinRequest", parent=conversation_id)
            return [v for v in found if isinstance(v, JoinRequest) and v.id not in answered]

        waiting = [one for one in await self._context.db(load) if one.state is JoinState.WAITING]
        return sorted(waiting, key=lambda one: (one.created_at, one.id))

    async def group_card(self, conversation_id: str) -> GroupCard:
        """What a group is called and whether this user is in it, for a card or a link that leads there.

        Raises:
            Offline: no connection. Rejected: notFound: no such group; forbidden: it takes no requests.
        """
        answer = await self._context.call("Conversation/card", {"id": conversation_id}, _Card)
        if answer.refused is not None:
            raise Rejected(type=answer.refused.code, description=answer.refused.description or "")
        return GroupCard(conversation_id, answer.name, answer.member_count, answer.is_member, answer.asked)

    async def ask_to_join(self, conversation_id: str, text: str = "") -> None:
        """Asks a group's owner and admins. Raises Offline, Rejected."""
        content: dict[str, Any] = {"conversationId": conversation_id, "personId": self._context.me}
        if text.strip():
            content["text"] = text.strip()
        await self._context.call_set("JoinRequest", create={self._context.new_id(): content})

    async def decide_join(self, request_id: str, accepted: bool) -> None:
        """Lets somebody in, or not (owner, admin)."""
        state = JoinState.ACCEPTED if accepted else JoinState.REFUSED
        await self._context.edit(EditKind.UPDATE, "JoinRequest", request_id, {"state": state.value})


def _announced(edit: Edit, me: str) -> Announcement:
    payload = edit.payload
    return Announcement(
        edit.object_id,
        str(payload["conversationId"]),
        str(payload["text"]),
        payload.get("title"),
        me,
        edit.created_at,
        bool(payload.get("mustConfirm")),
        (me,),
    )


def _lay_announcement(held: dict[str, Announcement], edit: Edit, me: str) -> None:
    if edit.kind is EditKind.DESTROY:
        held.pop(edit.object_id, None)
        return
    if edit.kind is EditKind.CREATE:
        held.setdefault(edit.object_id, _announced(edit, me))
        return
    known = held.get(edit.object_id)
    if known is not None:
        marks: dict[str, Any] = {"read_ids": _with(known.read_ids, me)}
        if edit.payload.get("confirmed"):
            marks["confirmed_ids"] = _with(known.confirmed_ids, me)
        held[edit.object_id] = msgspec.structs.replace(known, **marks)


def _with(people: tuple[str, ...], person_id: str) -> tuple[str, ...]:
    return people if person_id in people else (*people, person_id)
