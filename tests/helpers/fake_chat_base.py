"""What the parts of the talk in memory share: its state, calls that are noted, refusals, news. No Qt in here."""

from typing import TYPE_CHECKING, Any

from desktop.core.domain import (
    Announcement,
    ChatPolicy,
    ConnectionState,
    Conversation,
    Favorite,
    GroupCard,
    JoinRequest,
    Merged,
    Message,
    MessageKind,
    ScheduledMessage,
    Sticker,
    TextVersion,
)
from desktop.core.errors import Offline, Rejected
from desktop.core.events import ChangeSet, EditRefused

if TYPE_CHECKING:
    from tests.helpers.fake_session import FakeSession


class FakeChatBase:
    """What all of its parts share. `refusals`: verb → code: the next call of it is put back with that refusal."""

    if TYPE_CHECKING:
        _session: FakeSession
        talks: dict[str, Any]
        _rooms: dict[str, Conversation]
        drafts: dict[str, str]

        async def _begin(self, name: str, *arguments: object) -> None: ...
        def add(self, conversation: Conversation, messages: Any, *, members: tuple[str, ...] = ()) -> None: ...
        def _talk(self, conversation_id: str) -> Any: ...
        def _queue(self, conversation_id: str, kind: MessageKind, text: str, **more: Any) -> Message: ...
        def change(self, conversation_id: str, **fields: Any) -> None: ...
        async def discard(self, message_id: str) -> None: ...

    def __init__(self) -> None:
        self.versions: dict[str, list[TextVersion]] = {}
        self.roles: dict[tuple[str, str], dict[str, Any]] = {}
        self.announcement_list: dict[str, Announcement] = {}
        self.request_list: dict[str, JoinRequest] = {}
        self.scheduled_list: dict[str, ScheduledMessage] = {}
        self.favorite_list: dict[str, Favorite] = {}
        self.open_groups: dict[str, GroupCard] = {}  # groups this user is not in and may ask
        self.sticker_list: dict[str, Sticker] = {}
        self.nested: dict[tuple[str | int, ...], Merged] = {}
        self.refusals: dict[str, str] = {}
        self.limits = ChatPolicy()
        self._kept = 0

    async def _act(self, name: str, *arguments: object) -> None:
        await self._begin(f"chat.{name}", *arguments)

    def _refused(self, name: str, type_name: str, object_id: str, written: str = "") -> bool:
        code = self.refusals.pop(name, None)
        if code is not None:
            self._session.events.publish(EditRefused(type_name, object_id, code, written=written))
        return code is not None

    def _tell(self, type_name: str, *ids: str) -> None:
        self._session.events.publish(ChangeSet(type_name, ids))

    def _next(self, prefix: str) -> str:
        self._kept += 1
        return f"{prefix}-own-{self._kept}"

    @property
    def _now(self) -> int:
        return self._session.clock.now_ms()

    def find(self, message_id: str) -> Message:
        """A message by id. Raises Rejected."""
        for talk in self.talks.values():
            for message in talk.held:
                if message.id == message_id:
                    return message  # type: ignore[no-any-return]
        raise Rejected(type="notFound", description=message_id)

    def _online(self) -> None:
        if self._session.status.state is not ConnectionState.LIVE:
            raise Offline(reason="offline")
