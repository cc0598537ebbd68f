"""Groups in memory: members and roles, rules, announcements, requests to join. A base of FakeChat."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from desktop.core.domain import (
    Announcement,
    Conversation,
    ConversationKind,
    GroupCard,
    JoinRequest,
    JoinRule,
    JoinState,
    Member,
)
from desktop.core.errors import Rejected
from desktop.core.events import ChangeSet
from desktop.core.ids import member_id

if TYPE_CHECKING:
    pass


from tests.helpers.fake_chat_base import FakeChatBase


class FakeChatGroups(FakeChatBase):
    """GroupVerbs of ChatService."""

    def member_of(self, conversation_id: str, person_id: str) -> Member:
        """One member as it is now; the first of a group is its owner."""
        first = self._talk(conversation_id).members[0]
        known: dict[str, Any] = {"role": "owner" if person_id == first else "member"}
        known |= self.roles.get((conversation_id, person_id), {})
        return Member(member_id(conversation_id, person_id), conversation_id, person_id, **known)

    def set_member(self, conversation_id: str, person_id: str, **fields: Any) -> None:
        """Changes one member and tells so."""
        self.roles.setdefault((conversation_id, person_id), {}).update(fields)
        self._tell("Member", member_id(conversation_id, person_id))

    async def members(self, conversation_id: str) -> list[Member]:
        await self._act("members", conversation_id)
        rank = {"owner": 0, "admin": 1}
        found = [self.member_of(conversation_id, p) for p in self._talk(conversation_id).members]
        return sorted(found, key=lambda m: rank.get(m.role, 2))

    async def create_department_group(self, department_id: str) -> str:
        await self._act("create_department_group", department_id)
        self._online()
        key = self._next("c-dept")
        people = [p for p in self._session.people if any(i.department_id == department_id for i in p.identities)]
        members = tuple(dict.fromkeys([self._session.me.id, *(p.id for p in people)]))
        group = Conversation(key, ConversationKind.GROUP, department_id, member_count=len(members))
        self.add(msgspec.structs.replace(group, department_id=department_id), [], members=members)
        self._tell("Conversation", key)
        return key

    async def rename(self, conversation_id: str, name: str) -> None:
        await self._act("rename", conversation_id, name)
        self.change(conversation_id, name=name)

    async def add_members(self, conversation_id: str, person_ids: Sequence[str]) -> None:
        await self._act("add_members", conversation_id, tuple(person_ids))
        self._set_members(conversation_id, (*self._talk(conversation_id).members, *person_ids))

    async def remove_member(self, conversation_id: str, person_id: str) -> None:
        await self._act("remove_member", conversation_id, person_id)
        self._set_members(conversation_id, tuple(p for p in self._talk(conversation_id).members if p != person_id))

    def _set_members(self, conversation_id: str, people: tuple[str, ...]) -> None:
        self._talk(conversation_id).members = people
        self._tell("Member", *(member_id(conversation_id, p) for p in people))
        self.change(conversation_id, member_count=len(people))

    async def set_role(self, conversation_id: str, person_id: str, role: str) -> None:
        await self._act("set_role", conversation_id, person_id, role)
        if not self._refused("set_role", "Member", member_id(conversation_id, person_id)):
            self.set_member(conversation_id, person_id, role=role)

    async def transfer(self, conversation_id: str, person_id: str) -> None:
        await self._act("transfer", conversation_id, person_id)
        self.set_member(conversation_id, self._session.me.id, role="member")
        self.set_member(conversation_id, person_id, role="owner")

    async def mute_member(self, conversation_id: str, person_id: str, until: int | None) -> None:
        await self._act("mute_member", conversation_id, person_id, until)
        self.set_member(conversation_id, person_id, muted_until=until)

    async def set_nickname(self, conversation_id: str, nickname: str | None) -> None:
        await self._act("set_nickname", conversation_id, nickname)
        self.set_member(conversation_id, self._session.me.id, nickname=nickname)

    async def mute_all(self, conversation_id: str, muted: bool) -> None:
        await self._act("mute_all", conversation_id, muted)
        self.change(conversation_id, muted_all=muted)

    async def set_join_rule(self, conversation_id: str, rule: JoinRule) -> None:
        await self._act("set_join_rule", conversation_id, rule)
        self.change(conversation_id, join_rule=rule)

    async def set_anyone_pins(self, conversation_id: str, anyone: bool) -> None:
        await self._act("set_anyone_pins", conversation_id, anyone)
        self.change(conversation_id, anyone_pins=anyone)

    async def set_anyone_invites(self, conversation_id: str, anyone: bool) -> None:
        await self._act("set_anyone_invites", conversation_id, anyone)
        self.change(conversation_id, anyone_invites=anyone)

    async def set_avatar(self, conversation_id: str, source: Any) -> None:
        await self._act("set_avatar", conversation_id)
        self.change(conversation_id, avatar_blob_id=self._session.files.keep(source))

    async def reset_avatar(self, conversation_id: str) -> None:
        await self._act("reset_avatar", conversation_id)
        self.change(conversation_id, avatar_blob_id=None)

    async def dissolve(self, conversation_id: str) -> None:
        await self._act("dissolve", conversation_id)
        self.change(conversation_id, dissolved_at=self._now)

    async def announcements(self, conversation_id: str) -> list[Announcement]:
        await self._act("announcements", conversation_id)
        found = [a for a in self.announcement_list.values() if a.conversation_id == conversation_id]
        return sorted(found, key=lambda a: -a.at)

    async def announce(
        self, conversation_id: str, text: str, *, title: str | None = None, must_confirm: bool = False
    ) -> Announcement:
        await self._act("announce", conversation_id, text, title, must_confirm)
        made = Announcement(
            self._next("an"), conversation_id, text, title, self._session.me.id, self._now, must_confirm
        )
        self.announcement_list[made.id] = made
        self._tell("Announcement", made.id)
        self.change(conversation_id, announcement=text)
        return made

    async def remove_announcement(self, announcement_id: str) -> None:
        await self._act("remove_announcement", announcement_id)
        gone = self.announcement_list.pop(announcement_id)
        self._session.events.publish(ChangeSet("Announcement", removed=(announcement_id,)))
        left = await self.announcements(gone.conversation_id)
        self.change(gone.conversation_id, announcement=left[0].text if left else None)

    async def read_announcement(self, announcement_id: str) -> None:
        await self._act("read_announcement", announcement_id)
        self._mark_announcement(announcement_id, "read_ids")

    async def confirm_announcement(self, announcement_id: str) -> None:
        await self._act("confirm_announcement", announcement_id)
        self._mark_announcement(announcement_id, "read_ids", "confirmed_ids")

    def _mark_announcement(self, announcement_id: str, *fields: str) -> None:
        old, me = self.announcement_list[announcement_id], self._session.me.id
        marks = {field: tuple(dict.fromkeys((*getattr(old, field), me))) for field in fields}
        self.announcement_list[announcement_id] = msgspec.structs.replace(old, **marks)
        self._tell("Announcement", announcement_id)

    async def join_requests(self, conversation_id: str | None = None) -> list[JoinRequest]:
        await self._act("join_requests", conversation_id)
        return [
            r
            for r in self.request_list.values()
            if r.state is JoinState.WAITING and conversation_id in (None, r.conversation_id)
        ]

    async def group_card(self, conversation_id: str) -> GroupCard:
        await self._act("group_card", conversation_id)
        if conversation_id in self._rooms:
            return GroupCard(conversation_id, self._rooms[conversation_id].name, is_member=True)
        if conversation_id not in self.open_groups:
            raise Rejected(type="notFound")
        me = self._session.me.id
        asked = any(r.person_id == me and r.conversation_id == conversation_id for r in self.request_list.values())
        return msgspec.structs.replace(self.open_groups[conversation_id], asked=asked)

    async def ask_to_join(self, conversation_id: str, text: str = "") -> None:
        await self._act("ask_to_join", conversation_id, text)
        me = self._session.me.id
        made = JoinRequest(self._next("jr"), conversation_id, me, me, text, created_at=self._now)
        self.request_list[made.id] = made
        self._tell("JoinRequest", made.id)

    async def decide_join(self, request_id: str, accepted: bool) -> None:
        await self._act("decide_join", request_id, accepted)
        state = JoinState.ACCEPTED if accepted else JoinState.REFUSED
        request = self.request_list[request_id]
        self.request_list[request_id] = msgspec.structs.replace(request, state=state)
        self._tell("JoinRequest", request_id)
        if accepted:
            talk = self._talk(request.conversation_id)
            self._set_members(request.conversation_id, (*talk.members, request.person_id))
