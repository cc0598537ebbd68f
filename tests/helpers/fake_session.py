"""A signed-in session in memory: the verbs of a real one, with the talk and the people of the first mockup.

Every verb awaits once, so that callers see a real suspension, and is recorded in `session.calls`. Changes go out as events, as
the core's do. `session.go(ConnectionState.OFFLINE)` pulls the cable: what is sent stays pending until it is LIVE again.
The people act through `session.receive(…)`, `session.typing(…)`, `session.read_by(…)`. No Qt in here.
"""

import asyncio
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from desktop.core.clock import parse_utc_date
from desktop.core.domain import (
    AbsenceReply,
    Alert,
    AnnotationTarget,
    Attachment,
    Audience,
    Card,
    ConnectionState,
    ConnectionStatus,
    Conversation,
    ConversationKind,
    Delivery,
    Department,
    Direction,
    Document,
    Folder,
    Identity,
    Label,
    LastMessage,
    Link,
    LocalDocument,
    Message,
    MessageKind,
    MessagePage,
    ModuleDefinition,
    Notice,
    NoticeLevel,
    Person,
    Presence,
    ReadMark,
    Receipt,
    Transfer,
    TransferState,
)
from desktop.core.errors import Offline, Rejected
from desktop.core.events import (
    AlertArrived,
    ChangeSet,
    EditRefused,
    EventBus,
    MessageArrived,
    PresenceChanged,
    StatusChanged,
    TransferProgress,
    TypingSeen,
)
from desktop.core.ids import direct_conversation_id, member_id, read_mark_id
from tests.helpers.fake_chat_acts import FakeChatActs

NOW = parse_utc_date("2026-10-22T10:45:00+08:00")
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now_ms: int = NOW) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return self.now / 1000


def make_png(width: int, height: int, color: tuple[int, int, int]) -> bytes:
    """A PNG picture shaded from dark to `color`."""
    rows = bytearray()
    for y in range(height):
        shade = 0.6 + 0.4 * y / height
        pixel = bytes(min(255, round(part * shade + 40 * (1 - shade))) for part in color)
        rows += b"\0" + pixel * width

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(rows), 1))
        + chunk(b"IEND", b"")
    )


DEPARTMENTS = (
    Department("d0", "××县水利局", None, 0),
    Department("d1", "局领导", "d0", 1),
    Department("d2", "办公室", "d0", 2, "zhangmin"),
    Department("d3", "秘书组", "d2", 1),
    Department("d4", "车队", "d2", 2),
    Department("d5", "财务科", "d0", 3, "wangjianguo"),
    Department("d6", "信息中心", "d0", 4, "liuyang"),
    Department("d7", "档案室", "d0", 5, "chenjing"),
    Department("d8", "防汛办", "d0", 6),
)


def _person(key: str, name: str, department: str, post: str, pinyin: str, **more: Any) -> Person:
    extra: tuple[Identity, ...] = more.pop("also", ())
    initials = "".join(word[0] for word in pinyin.split())
    number = zlib.crc32(key.encode()) % 10_000
    return Person(
        id=key,
        name=name,
        login=key,
        pinyin=pinyin.replace(" ", ""),
        initials=initials,
        identities=(Identity(department, post, primary=True, order=number % 7), *extra),
        office_phone=f"0512-5550{number:04d}",
        mobile=f"138****{number:04d}",
        hidden={"mobile": "masked"},
        email=f"{key}@oa.example.gov",
        room=f"主楼 {number % 9 + 1}0{number % 7 + 1}",
        superior_id=more.pop("superior", "zhangmin"),
        **more,
    )


PEOPLE = (
    _person("linyuan", "林远", "d2", "科员", "lin yuan", signature="防汛期间 24 小时在岗"),
    _person(
        "zhangmin",
        "张敏",
        "d2",
        "办公室主任",
        "zhang min",
        superior="zhouhai",
        also=(Identity("d8", "副主任", order=2),),
    ),
    _person("wufang", "吴芳", "d2", "副主任", "wu fang"),
    _person("wangjianguo", "王建国", "d5", "科长", "wang jian guo", superior="zhouhai"),
    _person("liuyang", "刘洋", "d6", "主任", "liu yang", superior="sunli"),
    _person("chenjing", "陈静", "d7", "管理员", "chen jing", roles=("librarian",)),
    _person("zhaolei", "赵磊", "d4", "队长", "zhao lei"),
    _person("hejing", "何静", "d3", "秘书", "he jing"),
    _person("sunqiang", "孙强", "d4", "驾驶员", "sun qiang", superior="zhaolei"),
    _person("zhouhai", "周海", "d1", "副局长", "zhou hai", superior=None),
    _person("sunli", "孙丽", "d1", "副局长", "sun li", superior=None),
    _person("lixiaoming", "李晓明", "d8", "值班员", "li xiao ming"),
    _person("ouyangxue", "欧阳雪", "d5", "会计", "ou yang xue", superior="wangjianguo"),
)
PRESENCE = {
    "linyuan": Presence.ONLINE,
    "zhangmin": Presence.ONLINE,
    "wufang": Presence.BUSY,
    "wangjianguo": Presence.ONLINE,
    "liuyang": Presence.AWAY,
    "hejing": Presence.DND,
    "zhouhai": Presence.ONLINE,
    "ouyangxue": Presence.ONLINE,
}
GROUP = "c-office"
ZHANG = direct_conversation_id("linyuan", "zhangmin")
WANG = direct_conversation_id("linyuan", "wangjianguo")
HISTORY = "c-history"
_FILLER = (
    "收到，马上办。",
    "请各科室把三季度的用印登记表发我，今天下班前。",
    "明天上午九点三楼会议室开协调会，议题：防汛物资盘点、值班表调整、车辆维修计划，请准时参加。",
    "OK, see https://intranet.example.gov/doc/2026/118 for the template.",
    "水位 12.4 米，较昨日上涨 0.3 米，暂未超警戒。各站点每两小时报一次数据，夜间值班人员注意手机畅通。",
    "👍",
    "预算口径按省厅 2025 版执行，第三部分的“其他支出”要单列，附件里有样表，填完先给王建国过一遍再报。",
    "好的",
)


class LazyHistory(Sequence[Message]):
    """Messages made when asked for, as a store with a long history would answer."""

    def __init__(self, conversation_id: str, count: int) -> None:
        self._conversation, self._count = conversation_id, count
        self._more: list[Message] = []
        self._people = [p.id for p in PEOPLE]

    def __len__(self) -> int:
        return self._count + len(self._more)

    def append(self, message: Message) -> None:
        """A new message after the made ones."""
        self._more.append(message)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._make(index % len(self))

    def _make(self, index: int) -> Message:
        if index >= self._count:
            return self._more[index - self._count]
        text = _FILLER[index * 7 % len(_FILLER)] + (f" #{index + 1}" if index % 3 else "")
        return Message(
            id=f"h{index}",
            conversation_id=self._conversation,
            kind=MessageKind.TEXT,
            text=text * (1 + index * 31 % 4 // 3 * 3),
            seq=index + 1,
            sender_id=self._people[index // 2 % len(self._people)],
            sent_at=NOW - (self._count - index) * 7 * MINUTE,
        )


@dataclass
class _Talk:
    """One conversation's content."""

    messages: Any
    members: tuple[str, ...]
    receipts: dict[str, int] = field(default_factory=dict)
    pending: list[Message] = field(default_factory=list)

    @property
    def held(self) -> Sequence[Message]:
        """The messages that lie in memory; none of a history made when asked for."""
        return () if isinstance(self.messages, LazyHistory) else tuple(self.messages)


class _Service:
    """A verb's frame: it is recorded and suspends once."""

    def __init__(self, session: "FakeSession") -> None:
        self._session = session

    async def _begin(self, name: str, *arguments: object) -> None:
        self._session.calls.append((name, *arguments))
        failure = self._session.failures.pop(name, None)
        await asyncio.sleep(0)
        if failure is not None:
            raise failure


class FakeChat(_Service, FakeChatActs):
    """ChatService in memory; what changes messages and groups is in fake_chat_acts.py."""

    def __init__(self, session: "FakeSession") -> None:
        _Service.__init__(self, session)
        FakeChatActs.__init__(self)
        self.talks: dict[str, _Talk] = {}
        self.list: dict[str, Conversation] = {}
        self._rooms = self.list
        self.drafts: dict[str, str] = {}
        self._serial = 0

    # ---- reading
    async def conversations(self) -> list[Conversation]:
        await self._begin("chat.conversations")
        return sorted(self.list.values(), key=lambda c: (not c.pinned, -c.updated_at))

    async def window(self, conversation_id: str, *, around: str | int = "newest", limit: int = 60) -> MessagePage:
        await self._begin("chat.window", conversation_id, around)
        total = len(self._talk(conversation_id).messages)
        if around == "newest":
            return self._page(conversation_id, total - limit, total)
        unread_from = self.list[conversation_id].read_seq
        middle = unread_from if around == "firstUnread" else int(around)
        start = max(0, min(middle - limit // 2, total - limit))
        return self._page(conversation_id, start, start + limit)

    async def older(self, conversation_id: str, before_seq: int, limit: int = 60) -> MessagePage:
        await self._begin("chat.older", conversation_id, before_seq)
        return self._page(conversation_id, before_seq - 1 - limit, before_seq - 1)

    async def newer(self, conversation_id: str, after_seq: int, limit: int = 60) -> MessagePage:
        await self._begin("chat.newer", conversation_id, after_seq)
        return self._page(conversation_id, after_seq, after_seq + limit)

    def _page(self, conversation_id: str, start: int, end: int) -> MessagePage:
        talk = self._talk(conversation_id)
        start, end = max(0, start), min(max(0, end), len(talk.messages))
        messages = list(talk.messages[start:end])
        at_end = end >= len(talk.messages)
        return MessagePage(tuple(messages + talk.pending if at_end else messages), start > 0, not at_end)

    async def message(self, message_id: str) -> Message | None:
        await self._begin("chat.message", message_id)
        for talk in self.talks.values():
            held = () if isinstance(talk.messages, LazyHistory) else talk.messages
            found: Message | None = next((m for m in (*held, *talk.pending) if m.id == message_id), None)
            if found is not None:
                return found
        return None

    async def receipts(self, conversation_id: str) -> list[Receipt]:
        await self._begin("chat.receipts", conversation_id)
        talk = self._talk(conversation_id)
        return [Receipt(member_id(conversation_id, p), conversation_id, p, seq) for p, seq in talk.receipts.items()]

    async def draft(self, conversation_id: str) -> str:
        await self._begin("chat.draft", conversation_id)
        return self.drafts.get(conversation_id, "")

    # ---- writing
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
        await self._begin("chat.send_text", conversation_id, text, tuple(mentions), reply_to)
        more: dict[str, Any] = {"must_confirm": must_confirm, "silent": silent, "markdown": markdown}
        more |= {"formatted": formatted, "mentions": tuple(mentions), "reply_to_id": reply_to}
        return self._queue(conversation_id, MessageKind.TEXT, text, **more)

    async def send_picture(
        self, conversation_id: str, source: str | bytes, name: str | None = None, *, must_confirm: bool = False
    ) -> Message:
        await self._begin("chat.send_picture", conversation_id, name)
        size = len(source) if isinstance(source, bytes) else 240_000
        blob = self._session.files.keep(source if isinstance(source, bytes) else make_png(320, 200, (80, 130, 210)))
        attachment = Attachment(blob, name or "picture.png", "image/png", size, 320, 200)
        more = {"attachment": attachment, "must_confirm": must_confirm}
        return self._queue(conversation_id, MessageKind.PICTURE, "", **more)

    async def send_file(self, conversation_id: str, path: str, *, must_confirm: bool = False) -> Message:
        await self._begin("chat.send_file", conversation_id, path)
        attachment = Attachment("", str(path).replace("\\", "/").rpartition("/")[2], size=1_234_567)
        more = {"attachment": attachment, "local_path": str(path), "must_confirm": must_confirm}
        return self._queue(conversation_id, MessageKind.FILE, "", **more)

    def _queue(self, conversation_id: str, kind: MessageKind, text: str, **more: Any) -> Message:
        self._serial += 1
        session = self._session
        message = Message(
            id=f"m-own-{self._serial}",
            conversation_id=conversation_id,
            kind=kind,
            text=text,
            sender_id=session.me.id,
            sent_at=session.clock.now_ms(),
            delivery=Delivery.PENDING,
            **more,
        )
        self._talk(conversation_id).pending.append(message)
        self._set_last(message)
        session.publish_messages(conversation_id, message.id)
        if session.status.state is ConnectionState.LIVE and not session.hold:
            self.acknowledge(conversation_id)
        return message

    def acknowledge(self, conversation_id: str) -> None:
        """The server takes all that is pending there, in order."""
        talk = self._talk(conversation_id)
        waiting = [m for m in talk.pending if m.delivery is not Delivery.REFUSED]
        talk.pending = [m for m in talk.pending if m.delivery is Delivery.REFUSED]
        for message in waiting:
            sent = msgspec.structs.replace(message, seq=len(talk.messages) + 1, delivery=Delivery.SENT)
            talk.messages.append(sent)
            self._set_last(sent, read=True)
            self._session.publish_messages(conversation_id, sent.id)

    def refuse(self, conversation_id: str, message_id: str, code: str = "forbidden") -> None:
        """The server refuses a pending message."""
        talk = self._talk(conversation_id)
        talk.pending = [
            msgspec.structs.replace(m, delivery=Delivery.REFUSED, refusal=code) if m.id == message_id else m
            for m in talk.pending
        ]
        self._session.publish_messages(conversation_id, message_id)
        self._session.events.publish(EditRefused("Message", message_id, code))

    async def retry(self, message_id: str) -> None:
        await self._begin("chat.retry", message_id)
        for conversation_id, talk in self.talks.items():
            if any(m.id == message_id for m in talk.pending):
                talk.pending = [
                    msgspec.structs.replace(m, delivery=Delivery.PENDING, refusal=None) if m.id == message_id else m
                    for m in talk.pending
                ]
                self._session.publish_messages(conversation_id, message_id)
                if self._session.status.state is ConnectionState.LIVE:
                    self.acknowledge(conversation_id)
                return

    async def discard(self, message_id: str) -> None:
        await self._begin("chat.discard", message_id)
        for conversation_id, talk in self.talks.items():
            if any(m.id == message_id for m in talk.pending):
                talk.pending = [m for m in talk.pending if m.id != message_id]
                self._session.events.publish(
                    ChangeSet("Message", removed=(message_id,), conversations=frozenset({conversation_id}))
                )

    async def mark_read(self, conversation_id: str, seq: int) -> None:
        await self._begin("chat.mark_read", conversation_id, seq)
        self.change(conversation_id, read_seq=seq, unread_count=0, mention_count=0, marked_unread=False)

    async def set_draft(self, conversation_id: str, text: str, reply_to: str | None = None) -> None:
        await self._begin("chat.set_draft", conversation_id, text)
        self.drafts[conversation_id] = text
        self.change(conversation_id, draft=text, draft_reply_to_id=reply_to)

    async def set_muted(self, conversation_id: str, muted: bool) -> None:
        await self._begin("chat.set_muted", conversation_id, muted)
        self.change(conversation_id, muted=muted)

    async def set_pinned(self, conversation_id: str, pinned: bool) -> None:
        await self._begin("chat.set_pinned", conversation_id, pinned)
        self.change(conversation_id, pinned=pinned)

    async def typing(self, conversation_id: str) -> None:
        await self._begin("chat.typing", conversation_id)

    async def open_direct(self, person_id: str) -> Conversation:
        await self._begin("chat.open_direct", person_id)
        conversation_id = direct_conversation_id(self._session.me.id, person_id)
        if conversation_id not in self.list:
            name = next(p.name for p in PEOPLE if p.id == person_id)
            self.add(Conversation(conversation_id, ConversationKind.DIRECT, name, person_id, 2, updated_at=NOW), [])
            self._session.events.publish(ChangeSet("Conversation", (conversation_id,)))
        return self.list[conversation_id]

    async def create_group(self, name: str, person_ids: Sequence[str]) -> Conversation:
        await self._begin("chat.create_group", name, tuple(person_ids))
        self._serial += 1
        conversation = Conversation(
            f"c-new-{self._serial}", ConversationKind.GROUP, name, member_count=len(person_ids) + 1, updated_at=NOW
        )
        self.add(conversation, [], members=(self._session.me.id, *person_ids))
        self._session.events.publish(ChangeSet("Conversation", (conversation.id,)))
        return conversation

    # ---- what tests and the stage need
    def add(self, conversation: Conversation, messages: Any, *, members: tuple[str, ...] = ()) -> None:
        """Puts a conversation and its messages in place."""
        if not members and conversation.peer_id:
            members = (self._session.me.id, conversation.peer_id)
        receipts = {p: len(messages) for p in members if p != self._session.me.id}
        self.talks[conversation.id] = _Talk(messages, members, receipts)
        last = messages[len(messages) - 1] if len(messages) else None
        read = conversation.read_seq or len(messages) - conversation.unread_count
        self.list[conversation.id] = msgspec.structs.replace(
            conversation,
            last_seq=len(messages),
            read_seq=read,
            last_message=_last_of(last) if last else None,
            updated_at=last.sent_at if last else conversation.updated_at,
        )
        if conversation.draft:
            self.drafts[conversation.id] = conversation.draft

    def change(self, conversation_id: str, **fields: Any) -> None:
        """Changes a conversation and tells so."""
        self.list[conversation_id] = msgspec.structs.replace(self.list[conversation_id], **fields)
        self._session.events.publish(ChangeSet("Conversation", (conversation_id,)))

    def _set_last(self, message: Message, *, read: bool = False) -> None:
        old = self.list[message.conversation_id]
        seq = message.seq or old.last_seq
        self.change(
            message.conversation_id,
            last_message=_last_of(message),
            updated_at=message.sent_at,
            last_seq=seq,
            read_seq=seq if read else old.read_seq,
        )

    def _talk(self, conversation_id: str) -> _Talk:
        if conversation_id not in self.talks:
            raise Rejected(type="notFound", description=conversation_id)
        return self.talks[conversation_id]


def _last_of(message: Message) -> LastMessage:
    text = message.text
    if message.attachment is not None and not text:
        text = message.attachment.name
    if message.card is not None and not text:
        text = message.card.title
    return LastMessage(
        message.id, message.seq, message.kind, text, message.sent_at, message.sender_id, message.delivery
    )


class FakeDirectory(_Service):
    """DirectoryService in memory."""

    async def departments(self) -> list[Department]:
        await self._begin("directory.departments")
        return list(DEPARTMENTS)

    async def people(self) -> list[Person]:
        await self._begin("directory.people")
        return list(PEOPLE)

    async def person(self, person_id: str) -> Person | None:
        await self._begin("directory.person", person_id)
        return next((p for p in PEOPLE if p.id == person_id), None)

    async def search(self, text: str) -> list[Person]:
        await self._begin("directory.search", text)
        needle = text.lower()
        return [p for p in PEOPLE if needle in p.name or p.pinyin.startswith(needle) or p.initials.startswith(needle)]

    async def set_hides(self, fields: Iterable[str]) -> None:
        await self._begin("directory.set_hides", sorted(fields))

    async def set_visibility(self, type_name: str, id: str, rules: Mapping[str, str]) -> None:
        await self._begin("directory.set_visibility", type_name, id, dict(rules))

    async def set_people_order(self, department_id: str, person_ids: Sequence[str]) -> None:
        await self._begin("directory.set_people_order", department_id, list(person_ids))

    async def set_departments_order(self, department_ids: Sequence[str]) -> None:
        await self._begin("directory.set_departments_order", list(department_ids))

    async def ask_export(self, person_ids: Sequence[str], format: str) -> None:
        await self._begin("directory.ask_export", list(person_ids), format)


class FakeFiles(_Service):
    """TransferService in memory."""

    def __init__(self, session: "FakeSession") -> None:
        super().__init__(session)
        self.blobs: dict[str, bytes] = {}
        self.list: dict[str, Transfer] = {}

    def keep(self, data: bytes) -> str:
        """Stores bytes and answers their blob id."""
        blob_id = f"b{zlib.crc32(data):08x}"
        self.blobs[blob_id] = data
        return blob_id

    def transfers(self) -> list[Transfer]:
        return list(self.list.values())

    async def thumbnail(self, blob_id: str, edge: int) -> bytes:
        await self._begin("files.thumbnail", blob_id, edge)
        return await self._bytes(blob_id)

    async def open_bytes(self, blob_id: str, name: str = "file", *, quiet: bool = True) -> bytes:
        await self._begin("files.open_bytes", blob_id)
        return await self._bytes(blob_id)

    def has(self, blob_id: str) -> bool:
        """Whether the blob is on this device."""
        return blob_id in self.blobs

    async def ensure(self, blob_id: str, name: str = "file", *, quiet: bool = True) -> None:
        await self._begin("files.ensure", blob_id)
        await self._bytes(blob_id)

    async def save_as(self, blob_id: str, target: Path) -> None:
        await self._begin("files.save_as", blob_id)
        target.write_bytes(await self._bytes(blob_id))

    async def upload_file(self, path: Path) -> Attachment:
        await self._begin("files.upload_file", str(path))
        data = path.read_bytes()
        return Attachment(self.keep(data), path.name, size=len(data))

    async def _bytes(self, blob_id: str) -> bytes:
        if blob_id not in self.blobs:
            raise Offline() if self._session.status.state is not ConnectionState.LIVE else Rejected(type="blobNotFound")
        return self.blobs[blob_id]

    async def download(self, attachment: Attachment) -> Transfer:
        await self._begin("files.download", attachment.blob_id)
        transfer = Transfer(
            f"t-{attachment.blob_id}",
            Direction.DOWN,
            attachment.name,
            attachment.size,
            0,
            TransferState.RUNNING,
            blob_id=attachment.blob_id,
        )
        self.show(transfer)
        return transfer

    async def pause(self, transfer_id: str) -> None:
        await self._begin("files.pause", transfer_id)
        self.show(msgspec.structs.replace(self.list[transfer_id], state=TransferState.PAUSED, speed=0.0))

    async def resume(self, transfer_id: str) -> None:
        await self._begin("files.resume", transfer_id)
        self.show(msgspec.structs.replace(self.list[transfer_id], state=TransferState.RUNNING))

    async def cancel(self, transfer_id: str) -> None:
        await self._begin("files.cancel", transfer_id)
        gone = self.list.pop(transfer_id)
        self._session.events.publish(
            TransferProgress(msgspec.structs.replace(gone, state=TransferState.FAILED, error="userCancelled"))
        )

    def show(self, transfer: Transfer) -> None:
        """A transfer moved on."""
        self.list[transfer.id] = transfer
        self._session.events.publish(TransferProgress(transfer))


class FakeOffice(_Service):
    """OfficeService in memory."""

    def __init__(self, session: "FakeSession") -> None:
        super().__init__(session)
        self.notice_list: dict[str, Notice] = {n.id: n for n in _notices()}
        self.folder_list: dict[str, Folder] = {f.id: f for f in (Folder("f1", "制度规范"), Folder("f2", "防汛", "f1"))}
        self.document_list: dict[str, Document] = {d.id: d for d in _documents()}
        self.document_bytes: dict[str, bytes] = {}
        self.mark_list: dict[str, ReadMark] = {}

    async def modules(self) -> list[ModuleDefinition]:
        await self._begin("office.modules")
        return [
            ModuleDefinition(
                id="notices",
                group="official",
                label=Label("公告通知", "Notices"),
                icon="ph.megaphone",
                order=1,
                types=(),
            ),
            ModuleDefinition(
                id="library", group="official", label=Label("文件库", "Library"), icon="ph.books", order=2, types=()
            ),
        ]

    async def notices(self, filter: object = None) -> list[Notice]:
        await self._begin("office.notices", filter)
        return sorted(self.notice_list.values(), key=lambda n: (not n.pinned, -(n.published_at or n.updated_at)))

    async def notice(self, notice_id: str) -> Notice | None:
        await self._begin("office.notice", notice_id)
        return self.notice_list.get(notice_id)

    async def mark_read(self, record_id: str, record_type: str = "Notice") -> None:
        await self._begin("office.mark_read", record_id)
        self._mark(record_id, my_read_at=self._session.clock.now_ms())

    async def confirm(self, notice_id: str) -> None:
        await self._begin("office.confirm", notice_id)
        now = self._session.clock.now_ms()
        self._mark(notice_id, my_read_at=now, my_confirmed_at=now)

    def _mark(self, notice_id: str, **fields: Any) -> None:
        if notice_id not in self.notice_list:
            return
        self.notice_list[notice_id] = msgspec.structs.replace(self.notice_list[notice_id], **fields)
        mark_id = read_mark_id(notice_id, self._session.me.id)
        self._session.events.publish(ChangeSet("ReadMark", (mark_id,)))
        self._session.events.publish(ChangeSet("Notice", (notice_id,)))

    async def publish(
        self,
        title: str,
        body: str,
        *,
        level: NoticeLevel = NoticeLevel.NORMAL,
        audience: Audience,
        attachments: Sequence[Attachment] = (),
        pinned: bool = False,
        expires_at: int | None = None,
    ) -> str:
        await self._begin("office.publish", title)
        notice = Notice(
            f"n-own-{len(self.notice_list)}",
            title,
            body,
            level,
            audience=audience,
            attachments=tuple(attachments),
            pinned=pinned,
            author_id=self._session.me.id,
            published_at=self._session.clock.now_ms(),
            expires_at=expires_at,
        )
        self.notice_list[notice.id] = notice
        self._session.events.publish(ChangeSet("Notice", (notice.id,)))
        return notice.id

    async def withdraw(self, notice_id: str, reason: str) -> None:
        await self._begin("office.withdraw", notice_id, reason)
        self._mark(notice_id, state="withdrawn", withdrawn_at=NOW, withdraw_reason=reason)

    async def folders(self) -> list[Folder]:
        await self._begin("office.folders")
        return list(self.folder_list.values())

    async def documents(self, folder_id: str | None = None) -> list[Document]:
        await self._begin("office.documents", folder_id)
        return [d for d in self.document_list.values() if folder_id in (None, d.folder_id)]

    async def keep_offline(self, document_id: str, keep: bool) -> None:
        await self._begin("office.keep_offline", document_id, keep)
        old = self.document_list[document_id]
        lease = NOW + old.offline.lease_days * DAY if keep else None
        self.document_list[document_id] = msgspec.structs.replace(old, kept=keep, lease_until=lease)
        self._session.events.publish(ChangeSet("Document", (document_id,)))

    async def open_file(self, attachment: Attachment, target: AnnotationTarget | None = None) -> LocalDocument:
        data = await self._session.files.open_bytes(attachment.blob_id, attachment.name)
        return LocalDocument(attachment.name, attachment.type, data, target=target)

    async def document_path(self, document_id: str, *, early: bool = False) -> LocalDocument:
        await self._begin("office.document_path", document_id)
        document = self.document_list[document_id]
        if document_id not in self.document_bytes:
            raise Offline()
        return LocalDocument(document.name, document.type, self.document_bytes[document_id], document.lease_until)

    async def marks(self, record_id: str) -> list[ReadMark]:
        await self._begin("office.marks", record_id)
        return [m for m in self.mark_list.values() if m.record_id == record_id]


class FakeAlerts(_Service):
    """AlertService in memory."""

    def __init__(self, session: "FakeSession") -> None:
        super().__init__(session)
        first = Alert(
            "a1", "confirm", "关于做好防汛值班工作的通知", "请在今天 18:00 前确认", True, Link("Notice", "n1"), NOW
        )
        self.list: dict[str, Alert] = {first.id: first}

    async def alerts(self) -> list[Alert]:
        await self._begin("alerts.alerts")
        return list(self.list.values())

    async def dismiss(self, alert_id: str) -> None:
        await self._begin("alerts.dismiss", alert_id)
        self.list.pop(alert_id, None)
        self._session.events.publish(ChangeSet("Alert", removed=(alert_id,)))

    def arrive(self, alert: Alert) -> None:
        """A new alert comes."""
        self.list[alert.id] = alert
        self._session.events.publish(ChangeSet("Alert", (alert.id,)))
        self._session.events.publish(AlertArrived(alert))


class FakePresence(_Service):
    """PresenceService in memory."""

    def __init__(self, session: "FakeSession") -> None:
        super().__init__(session)
        self.known: dict[str, Presence] = dict(PRESENCE)
        self.said: dict[str, str] = {}
        self.absence: AbsenceReply | None = None

    def everyone(self) -> dict[str, Presence]:
        """Everyone who is not offline."""
        return dict(self.known)

    def get(self, person_id: str) -> Presence:
        """One person's."""
        return self.known.get(person_id, Presence.OFFLINE)

    def texts(self) -> dict[str, str]:
        """What colleagues say beside their presence."""
        return dict(self.said)

    async def set_text(self, text: str) -> None:
        await self._begin("presence.set_text", text)
        self.said[self._session.me.id] = text
        self._session.events.publish(PresenceChanged({}, texts={self._session.me.id: text}))

    async def fetch_absence(self) -> AbsenceReply | None:
        await self._begin("presence.fetch_absence")
        return self.absence

    async def do_set_absence(self, absence: AbsenceReply) -> None:
        await self._begin("presence.do_set_absence", absence)
        self.absence = absence

    async def set_presence(self, presence: Presence) -> None:
        await self._begin("presence.set_presence", presence)
        self.tell({self._session.me.id: presence})

    def tell(self, changed: dict[str, Presence]) -> None:
        """People come and go."""
        self.known.update(changed)
        self._session.events.publish(PresenceChanged(dict(changed)))


class FakeSettings(_Service):
    """SettingsService in memory."""

    def __init__(self, session: "FakeSession") -> None:
        super().__init__(session)
        self.values: dict[str, Any] = {}

    async def get(self, key: str, default: Any = None) -> Any:
        await self._begin("settings.get", key)
        return self.values.get(key, default)

    async def set(self, key: str, value: Any) -> None:
        await self._begin("settings.set", key, value)
        self.values[key] = value


class FakeOutbox(_Service):
    """OutboxService in memory."""

    async def waiting(self) -> int:
        await self._begin("outbox.waiting")
        return sum(len(t.pending) for t in self._session.chat.talks.values())


class FakeSession:
    """The whole of it. `hold` keeps messages pending although the state is live, to look at their marks."""

    def __init__(self, *, conversations: int = 0, history: int = 0, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.calls: list[tuple[object, ...]] = []
        self.failures: dict[str, Exception] = {}
        self.hold = False
        self.me = PEOPLE[0]
        self.people = PEOPLE
        self.events = EventBus()
        self.status = ConnectionStatus(ConnectionState.LIVE, since=NOW - HOUR)
        self.chat = FakeChat(self)
        self.directory = FakeDirectory(self)
        self.office = FakeOffice(self)
        self.files = FakeFiles(self)
        self.alerts = FakeAlerts(self)
        self.presence = FakePresence(self)
        self.settings = FakeSettings(self)
        self.outbox = FakeOutbox(self)
        _fill(self)
        for number in range(conversations):
            _add_filler(self, number)
        if history:
            self.chat.add(
                Conversation(HISTORY, ConversationKind.GROUP, "防汛值班群", member_count=len(PEOPLE)),
                LazyHistory(HISTORY, history),
                members=tuple(p.id for p in PEOPLE),
            )

    def called(self, name: str) -> list[tuple[object, ...]]:
        """The arguments of each call of one verb."""
        return [call[1:] for call in self.calls if call[0] == name]

    def publish_messages(self, conversation_id: str, *message_ids: str) -> None:
        """Tells that messages were written."""
        self.events.publish(ChangeSet("Message", message_ids, conversations=frozenset({conversation_id})))

    def go(self, state: ConnectionState, *, detail: str | None = None, retry_at: int | None = None) -> None:
        """Changes the connection; going live sends all that waits, in order."""
        self.status = ConnectionStatus(state, detail, self.clock.now_ms(), retry_at)
        self.events.publish(StatusChanged(self.status))
        if state is ConnectionState.LIVE:
            for conversation_id in tuple(self.chat.talks):
                self.chat.acknowledge(conversation_id)

    def receive(self, conversation_id: str, sender_id: str | None, text: str, **more: Any) -> Message:
        """A colleague's message comes in."""
        talk = self.chat.talks[conversation_id]
        seq = len(talk.messages) + 1
        fields: dict[str, Any] = {"kind": MessageKind.TEXT, "sent_at": self.clock.now_ms(), **more}
        message = Message(
            id=f"m-{conversation_id}-{seq}",
            conversation_id=conversation_id,
            text=text,
            seq=seq,
            sender_id=sender_id,
            **fields,
        )
        talk.messages.append(message)
        old = self.chat.list[conversation_id]
        mentioned = self.me.id in message.mentions or "all" in message.mentions
        self.chat.change(
            conversation_id,
            last_message=_last_of(message),
            last_seq=seq,
            updated_at=message.sent_at,
            unread_count=old.unread_count + 1,
            mention_count=old.mention_count + mentioned,
        )
        self.publish_messages(conversation_id, message.id)
        self.events.publish(MessageArrived(message, self.chat.list[conversation_id], not old.muted))
        return message

    def typing(self, conversation_id: str, person_id: str) -> None:
        """A colleague types."""
        self.events.publish(TypingSeen(conversation_id, person_id))

    def read_by(self, conversation_id: str, person_id: str, seq: int) -> None:
        """A colleague reads."""
        self.chat.talks[conversation_id].receipts[person_id] = seq
        self.events.publish(
            ChangeSet("Receipt", (member_id(conversation_id, person_id),), conversations=frozenset({conversation_id}))
        )

    async def sign_out(self, *, everywhere: bool = False, forget: bool = False) -> None:
        self.calls.append(("sign_out", everywhere, forget))

    async def close(self) -> None:
        self.calls.append(("close",))


def _messages(conversation_id: str, rows: Iterable[tuple[Any, ...]]) -> list[Message]:
    made: list[Message] = []
    for number, (sender, minutes_ago, text, *rest) in enumerate(rows, 1):
        fields: dict[str, Any] = {"kind": MessageKind.TEXT, **(rest[0] if rest else {})}
        made.append(
            Message(
                id=f"m-{conversation_id}-{number}",
                conversation_id=conversation_id,
                text=text,
                seq=number,
                sender_id=sender,
                sent_at=NOW - minutes_ago * MINUTE,
                **fields,
            )
        )
    return made


def _office_rows(session: FakeSession) -> Iterator[tuple[Any, ...]]:
    picture = session.files.keep(make_png(360, 240, (70, 150, 190)))
    yield None, 2 * 1440, "张敏 邀请 林远 加入了群聊", {"kind": MessageKind.SYSTEM}
    yield "liuyang", 1500, "机房今晚 22:00–23:00 例行维护，期间 OA 可能短暂中断。"
    yield "wangjianguo", 1490, "收到，财务凭证我们提前归档。"
    photo = Attachment(picture, "现场照片.png", "image/png", 286_000, 360, 240)
    yield "zhaolei", 1480, "", {"kind": MessageKind.PICTURE, "attachment": photo}
    yield "linyuan", 1475, "辛苦了，照片已转防汛办。"
    yield "wufang", 1470, "模板在这里：https://oa.example.gov/files/2026/118 ，各科室按此填报。"
    yield "zhangmin", 17, "@林远 会议材料已上传，请先看第三部分的数据口径。", {"mentions": ("linyuan",)}
    paper = Attachment("b-paper", "防汛工作会议材料（第三稿）.pdf", "application/pdf", 19_293_798)
    yield "zhangmin", 16, "", {"kind": MessageKind.FILE, "attachment": paper}
    yield "linyuan", 12, "收到，口径按省厅 2025 版执行，我 11 点前改完。", {"reply_to_id": f"m-{GROUP}-7"}
    card = {"card": Card("Notice", "n1", "关于做好 2026 年防汛值班工作的通知"), "kind": MessageKind.SYSTEM}
    yield None, 8, "关于做好 2026 年防汛值班工作的通知", card
    yield "hejing", 5, "值班表我这边今天下午排好。"
    yield "wufang", 4, "👍"
    yield "zhangmin", 3, "@林远 会议材料改好后同步给信息中心一份。", {"mentions": ("linyuan",)}


def _fill(session: FakeSession) -> None:
    chat, direct, group = session.chat, ConversationKind.DIRECT, ConversationKind.GROUP
    people = tuple(p.id for p in PEOPLE)
    office = Conversation(
        GROUP,
        group,
        "办公室工作群",
        member_count=len(people),
        unread_count=3,
        mention_count=1,
        pinned=True,
        announcement="周三前各科室报送 2026 年度预算草案。",
    )
    chat.add(office, _messages(GROUP, _office_rows(session)), members=people)
    session.files.list["t-b-paper"] = Transfer(
        "t-b-paper",
        Direction.DOWN,
        "防汛工作会议材料（第三稿）.pdf",
        19_293_798,
        11_960_000,
        TransferState.RUNNING,
        6_500_000,
        2,
        blob_id="b-paper",
    )
    chat.talks[GROUP].receipts.update(dict.fromkeys(("liuyang", "chenjing", "sunqiang"), 4))
    sheet = Attachment("b-sheet", "2026年预算草案.xlsx", size=83_200)
    rows: list[tuple[Any, ...]] = [
        ("zhangmin", 40, "预算草案你先过一遍"),
        ("zhangmin", 5, "", {"kind": MessageKind.FILE, "attachment": sheet}),
    ]
    chat.add(Conversation(ZHANG, direct, "张敏", "zhangmin", 2, unread_count=1), _messages(ZHANG, rows))
    todo = [
        (
            None,
            14,
            "《关于做好防汛值班工作的通知》待您确认",
            {"kind": MessageKind.SYSTEM, "card": Card("Notice", "n1", "关于做好 2026 年防汛值班工作的通知")},
        )
    ]
    chat.add(Conversation("c-alerts", ConversationKind.SYSTEM, "alerts", unread_count=1), _messages("c-alerts", todo))
    talk = [("linyuan", 45, "附件还差一份合同扫描件"), ("wangjianguo", 40, "好的，我下午把附件补齐")]
    chat.add(Conversation(WANG, direct, "王建国", "wangjianguo", 2), _messages(WANG, talk))
    photo = Attachment(
        session.files.keep(make_png(240, 320, (190, 120, 80))), "值班.png", "image/png", 180_000, 240, 320
    )
    duty = [("liuyang", 47, "", {"kind": MessageKind.PICTURE, "attachment": photo})]
    chat.add(
        Conversation("c-duty", group, "信息中心值班群", member_count=4, muted=True, unread_count=1),
        _messages("c-duty", duty),
        members=people[:5],
    )
    chen = direct_conversation_id("linyuan", "chenjing")
    chat.add(
        Conversation(chen, direct, "陈静", "chenjing", 2, draft="档案移交清单我再核"),
        _messages(chen, [("chenjing", 75, "移交清单发您邮箱了")]),
    )
    chat.add(
        Conversation("c-project", group, "项目推进会", member_count=6),
        _messages("c-project", [("zhouhai", 1300, "今天 15:00 三楼会议室")]),
        members=people[:6],
    )
    zhao = direct_conversation_id("linyuan", "zhaolei")
    chat.add(
        Conversation(zhao, direct, "赵磊", "zhaolei", 2), _messages(zhao, [("zhaolei", 1400, "苏A・12345 已出车")])
    )
    chat.add(
        Conversation("c-notices", ConversationKind.SYSTEM, "notices"),
        _messages("c-notices", [(None, 5 * 1440, "国庆假期值班安排", {"kind": MessageKind.SYSTEM})]),
    )


def _add_filler(session: FakeSession, number: int) -> None:
    person = PEOPLE[1 + number % (len(PEOPLE) - 1)]
    key = f"c-fill-{number}"
    row = [(person.id, 1500 + number * 37, _FILLER[number % len(_FILLER)])]
    conversation = Conversation(key, ConversationKind.GROUP, f"{person.name}的工作群 {number + 1}", member_count=3)
    session.chat.add(conversation, _messages(key, row), members=(session.me.id, person.id))


def _notices() -> Iterator[Notice]:
    body = "<p>各科室：</p><p>为做好 2026 年防汛值班工作，现将有关事项通知如下。</p><ol><li>严格执行 24 小时值班制度；</li><li>每两小时报送一次水情；</li></ol>"
    paper = Attachment("b-notice", "值班安排表.pdf", "application/pdf", 120_000)
    yield Notice(
        "n1",
        "关于做好 2026 年防汛值班工作的通知",
        body,
        NoticeLevel.MUST_CONFIRM,
        audience=Audience(everyone=True),
        attachments=(paper,),
        pinned=True,
        author_id="zhangmin",
        department_id="d2",
        published_at=NOW - HOUR,
        created_at=NOW - HOUR,
        updated_at=NOW - HOUR,
    )
    yield Notice(
        "n2",
        "国庆假期值班安排",
        "<p>见附件。</p>",
        NoticeLevel.IMPORTANT,
        author_id="wufang",
        department_id="d2",
        published_at=NOW - 5 * DAY,
        my_read_at=NOW - 4 * DAY,
    )
    yield Notice(
        "n3",
        "关于启用新版用印申请表的通知",
        "<p>自 11 月 1 日起启用。</p>",
        author_id="zhangmin",
        department_id="d2",
        published_at=NOW - 9 * DAY,
    )


def _documents() -> Iterator[Document]:
    yield Document(
        "doc1",
        "公文处理办法",
        "f1",
        "b-doc1",
        "公文处理办法.pdf",
        "application/pdf",
        512_000,
        "水办〔2026〕12号",
        updated_at=NOW - 20 * DAY,
        kept=True,
        lease_until=NOW + 20 * DAY,
    )
    yield Document(
        "doc2",
        "防汛应急预案",
        "f2",
        "b-doc2",
        "防汛应急预案.pdf",
        "application/pdf",
        2_400_000,
        "水汛〔2026〕3号",
        updated_at=NOW - 3 * DAY,
    )
