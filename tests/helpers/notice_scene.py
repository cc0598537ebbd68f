"""The notices module as it is written (module.toml) over records in memory: what is written as a record is read as a notice, as in the real core."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from desktop.core.clock import utc_date
from desktop.core.domain import Notice
from desktop.core.domain.definition import ModuleDefinition
from desktop.core.domain.records import Record
from desktop.core.errors import Rejected
from desktop.core.protocol.objects import as_record, value_of
from tests.helpers.fake_records import FakeRecords, RecordsScene
from tests.helpers.fake_session import DAY, HOUR, NOW, FakeOffice

NOTICE = "Notice"
MODULE = Path(__file__).parents[2] / "server_stub/modules/notices/module.toml"


def notices_module() -> ModuleDefinition:
    """The definition as a server sends it."""
    return msgspec.convert(tomllib.loads(MODULE.read_text("utf-8")), ModuleDefinition)


class NoticeRecords(FakeRecords):
    """Records of the notices module too."""

    def __init__(self, session: RecordsScene) -> None:
        super().__init__(session)
        self.definitions.append(notices_module())
        self.put(*(as_record(NOTICE, one) for one in session.office.notice_list.values()))

    def put(self, *records: Record, tell: bool = False) -> None:
        for record in records:
            if record.type == NOTICE:
                self._show(record)
        super().put(*records, tell=tell)

    def settle(self) -> None:
        super().settle()
        for record in self.held[NOTICE].values():
            self._show(record)

    def _show(self, record: Record) -> None:
        notice, shown = value_of(record, self._session.me.id), self._session.office.notice_list
        assert isinstance(notice, Notice)
        old = shown.get(record.id, notice)
        marks = {"my_read_at": old.my_read_at, "my_confirmed_at": old.my_confirmed_at}
        shown[record.id] = msgspec.structs.replace(notice, pending=record.pending, **marks)


class NoticeOffice(FakeOffice):
    """With the reminder."""

    def __init__(self, session: "NoticeScene") -> None:
        super().__init__(session)
        self._scene = session
        self.counts: dict[str, Any] = {}
        """What the server adds to a notice that is asked for."""

    async def fetch_notice(self, notice_id: str) -> Record | None:
        await self._begin("office.fetch_notice", notice_id)
        record = self._scene.records.held[NOTICE].get(notice_id)
        return record if record is None else msgspec.structs.replace(record, data={**record.data, **self.counts})

    async def remind(self, notice_id: str) -> None:
        await self._begin("office.remind", notice_id)
        record, now = self._scene.records.get(notice_id), self._session.clock.now_ms()
        if "remindedAt" in record.data:
            raise Rejected(type="rateLimit", description="they were reminded less than an hour ago")
        data = {**record.data, "remindedAt": utc_date(now)}
        self._scene.records.put(msgspec.structs.replace(record, data=data), tell=True)


class NoticeScene(RecordsScene):
    """A signed-in 林远 with the notices module."""

    def __init__(self) -> None:
        super().__init__()
        self.office: NoticeOffice = NoticeOffice(self)
        self.records = NoticeRecords(self)

    def change(self, notice_id: str, **fields: Any) -> Record:
        """The notice with other wire values, as the sync would bring it."""
        record = self.records.get(notice_id)
        data = {key: value for key, value in {**record.data, **fields}.items() if value is not None}
        self.records.put(msgspec.structs.replace(record, data=data, version=record.version + 1), tell=True)
        return self.records.get(notice_id)

    def add(self, key: str, author: str = "zhangmin", **fields: Any) -> Record:
        """One more notice."""
        data = {
            "title": f"通知 {key}",
            "state": "published",
            "level": "normal",
            "audience": {"everyone": True},
            **fields,
        }
        if data["state"] == "published":
            data.setdefault("publishedAt", utc_date(NOW - HOUR))
        self.records.put(Record(key, NOTICE, data, author, NOW - HOUR, NOW - HOUR, 1), tell=True)
        return self.records.get(key)

    def add_vote(self, key: str = "vote", **fields: Any) -> Record:
        """A notice with a vote between three places."""
        vote = {
            "hasVote": True,
            "voteQuestion": "春游去哪里",
            "voteOptions": [{"text": "湿地公园"}, {"text": "博物馆"}, {"text": "水库"}],
            "voteMost": 1,
            "voteSecret": False,
            "voteResults": "afterVote",
            "voteClosesAt": utc_date(NOW + 3 * DAY),
            **fields,
        }
        return self.add(key, **{"title": "关于春游的投票", "body": "<p>请在三处中选一处。</p>", **vote})
