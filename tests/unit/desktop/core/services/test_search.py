"""session.search: every kind by itself, marked where it hit; from this device alone without a network; what the server has beyond comes as such."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from desktop.core.clock import parse_utc_date
from desktop.core.domain import (
    Attachment,
    Conversation,
    ConversationKind,
    Department,
    Identity,
    Member,
    Message,
    MessageKind,
    ModuleDefinition,
    Person,
    Record,
)
from desktop.core.domain.search import Excerpt, Facet, Found, FoundKind, FoundPart, SearchQuery, excerpt, marked
from desktop.core.errors import Offline
from desktop.core.protocol.answers import GetAnswer, QueryAnswer
from desktop.core.protocol.objects import object_of
from desktop.core.services.context import Context
from desktop.core.services.search import SearchService
from desktop.core.store.memory import MemoryStore
from desktop.core.sync.port import PutObjects
from tests.helpers.record_desk import record_desk
from tests.helpers.record_model import RecordModel

NOW = 1_795_000_000_000
EVERYONE = {"read": ["everyone"], "create": ["everyone"], "update": ["author"], "destroy": []}


def label(zh: str) -> dict[str, str]:
    return {"zh": zh, "en": zh}


def module(module_id: str, zh: str, type_name: str, *fields: dict[str, Any]) -> ModuleDefinition:
    type_ = {"name": type_name, "label": label(zh), "title": ["title"], "fields": list(fields), "access": EVERYONE}
    found = object_of(
        "ModuleDefinition",
        {"id": module_id, "group": "official", "label": label(zh), "icon": "ph.car", "order": 1, "types": [type_], "views": []},
        "me",
    )  # fmt: skip
    assert isinstance(found, ModuleDefinition)
    return found


def filled() -> MemoryStore:
    """An office of four people, two groups, some talk, and three modules."""
    store = MemoryStore("me")
    title = {"name": "title", "kind": "text", "label": label("标题")}
    body = {"name": "body", "kind": "richText", "label": label("正文")}
    store.apply([PutObjects("ModuleDefinition", (
        module("notices", "公告", "Notice", title, body),
        module("documents", "公文", "Dispatch", title, body),
        module("vehicles", "车辆", "Trip", title, {"name": "driver", "kind": "person", "label": label("驾驶员")}),
    ))])  # fmt: skip
    post = (Identity("d2", "主任", primary=True),)
    store.apply([PutObjects("Person", (
        Person("me", "林远", "linyuan", "ly", "linyuan"),
        Person("zhang", "张敏", "zhangmin", "zm", "zhangm", identities=post, office_phone="0512-55502210"),
        Person("zhou", "周海", "zhouhai", "zh", "zhouh"),
        Person("gone", "张明", "zhangming", "zm", "old", active=False),
    ))])  # fmt: skip
    store.apply(
        [PutObjects("Department", (Department("d1", "水务局"), Department("d2", "防汛办", "d1", head_id="zhang")))]
    )
    store.apply([PutObjects("Conversation", (
        Conversation("office", ConversationKind.GROUP, "办公室工作群", member_count=3, last_seq=9, updated_at=NOW),
        Conversation("cars", ConversationKind.GROUP, "车队", member_count=2, updated_at=NOW - 1),
        Conversation("direct", ConversationKind.DIRECT, peer_id="zhang", updated_at=NOW - 2),
    ))])  # fmt: skip
    store.apply(
        [PutObjects("Member", (Member("cars_zhou", "cars", "zhou"), Member("office_zhang", "office", "zhang")))]
    )
    file = Attachment("b" * 64, "防汛方案.pdf")
    store.apply([PutObjects("Message", (
        Message("m1", "office", MessageKind.TEXT, "关于明天的值班:请大家看一下防汛物资清单", 1, "zhang", NOW - 50),
        Message("m2", "direct", MessageKind.TEXT, "防汛", 1, "zhang", NOW - 40),
        Message("m3", "office", MessageKind.FILE, "", 2, "zhou", NOW - 30, attachment=file),
    ))])  # fmt: skip
    for record in (
        Record("n1", "Notice", {"title": "防汛值班通知", "body": "<p>请各科室</p>"}, "zhang", NOW, NOW - 100, 1),
        Record(
            "n2", "Notice", {"title": "放假安排", "body": "<p>放假期间<b>防汛</b>照常值守</p>"}, "zhou", NOW, NOW, 1
        ),
        Record("x1", "Dispatch", {"title": "防汛物资储备情况的函"}, "zhou", NOW, NOW, 1),
        Record("t1", "Trip", {"title": "督查用车", "driver": "zhou"}, "zhang", NOW, NOW, 1),
    ):
        store.apply([PutObjects(record.type, (record,))])
    return store


def offline(folder: Path, work: Callable[[SearchService], Coroutine[Any, Any, None]]) -> None:
    async def scenario() -> None:
        async with record_desk(RecordModel("me"), "me", folder, filled()) as desk:
            desk.network.cut()
            await work(desk.session.search)

    asyncio.run(scenario())


def names(part: FoundPart) -> list[str]:
    return [one.id for one in part.items]


def lit(found: Excerpt) -> list[str]:
    return [found.text[start:end] for start, end in found.marks]


def test_people_departments_and_groups(tmp_path: Path) -> None:
    async def work(search: SearchService) -> None:
        async def people(text: str) -> list[str]:
            return names(await search.people(SearchQuery(text)))

        assert await people("张敏") == ["zhang"]
        assert await people("zhangmin") == await people("zm") == await people("ZhangM") == ["zhang"]
        assert await people("2210") == ["zhang"]
        assert await people("防汛 张") == ["zhang"]
        assert await people("防汛办") == ["d2", "zhang"]  # a department itself stands before those who are in it
        assert await people("fxb") == ["d2"]
        assert await people("水务") == ["d1"]
        assert await people("没有") == []
        (zhang,) = (await search.people(SearchQuery("主任"))).items
        assert (zhang.title.text, zhang.detail.text, lit(zhang.detail)) == ("张敏", "防汛办主任", ["主任"])
        unit = (await search.people(SearchQuery("防汛办"))).items[0]
        assert (unit.type, unit.detail.text, unit.count) == ("Department", "水务局 ・ 张敏", 1)
        assert names(await search.people(SearchQuery("张敏", person_id="zhou"))) == []

        assert names(await search.conversations(SearchQuery("工作"))) == ["office"]
        assert names(await search.conversations(SearchQuery("bgs"))) == ["office"]
        (cars,) = (await search.conversations(SearchQuery("周海"))).items
        assert (cars.id, cars.detail.text, lit(cars.detail)) == ("cars", "周海", ["周海"])
        assert await search.rank_names(["消息", "设置", "新建用车"], "sz") == [None, 2, None]

    offline(tmp_path, work)


def test_messages_and_files(tmp_path: Path) -> None:
    async def work(search: SearchService) -> None:
        part = await search.messages(SearchQuery("防汛"))
        assert (names(part), part.total, part.more) == (["m2", "m1"], 2, False)
        direct, office = part.items
        assert direct.conversation is not None
        assert (direct.conversation.name, direct.who) == ("张敏", "张敏")
        assert lit(office.title) == ["防汛"]
        assert (await search.messages(SearchQuery("防汛"), 1)).total == 2
        (file,) = (await search.files(SearchQuery("方案"))).items
        assert (file.id, file.title.text, file.who) == ("m3", "防汛方案.pdf", "周海")
        assert names(await search.messages(SearchQuery("", person_id="zhou", facet=Facet.FILE))) == ["m3"]
        assert names(await search.messages(SearchQuery("防汛", conversation_id="office"))) == ["m1"]
        assert names(await search.messages(SearchQuery("防汛", until=NOW - 45))) == ["m1"]
        assert names(await search.messages(SearchQuery(""))) == []

    offline(tmp_path, work)


def test_records_of_every_module(tmp_path: Path) -> None:
    async def work(search: SearchService) -> None:
        notices = await search.records(FoundKind.NOTICE, SearchQuery("防汛"))
        assert names(notices) == ["n1", "n2"]  # a title that hits stands before a newer text that does
        titled, inside = notices.items
        assert (lit(titled.title), titled.detail.text) == (["防汛"], "公告")
        assert (inside.detail.text, lit(inside.detail)) == ("公告 ・ 放假期间 防汛 照常值守", ["防汛"])
        assert names(await search.records(FoundKind.DOCUMENT, SearchQuery("物资"))) == ["x1"]
        (trip,) = (await search.records(FoundKind.RECORD, SearchQuery("周海"))).items
        assert (trip.type, trip.title.text, trip.icon, lit(trip.detail)) == ("Trip", "督查用车", "ph.car", ["周海"])
        assert names(await search.records(FoundKind.NOTICE, SearchQuery("防汛", person_id="zhou"))) == ["n2"]
        assert names(await search.records(FoundKind.NOTICE, SearchQuery("防汛", since=NOW - 1))) == ["n2"]
        assert names(await search.records(FoundKind.NOTICE, SearchQuery("防汛", facet=Facet.FILE))) == []
        assert names(await search.records(FoundKind.NOTICE, SearchQuery(""))) == []

    offline(tmp_path, work)


def test_what_was_looked_for_is_remembered_here(tmp_path: Path) -> None:
    async def work(search: SearchService) -> None:
        for text in ("防汛", " 张敏  电话 ", "防汛", " "):
            await search.remember(text)
        assert await search.recent() == ["防汛", "张敏 电话"]
        await search.forget_recent()
        assert await search.recent() == []

    offline(tmp_path, work)


def test_the_server_is_asked_for_what_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = {"id": "m0", "conversationId": "office", "seq": 8, "kind": "text", "text": "去年的防汛总结", "senderId": "zhou",
           "sentAt": "2025-06-01T08:00:00.000Z"}  # fmt: skip
    asked: list[dict[str, Any]] = []

    async def call(_context: Context, method: str, arguments: dict[str, Any], kind: Any) -> Any:
        asked.append({method: arguments})
        if kind is QueryAnswer:
            return QueryAnswer(["m2", "m0"], total=2)
        return GetAnswer("1", [msgspec.Raw(msgspec.json.encode(old))])

    async def work(search: SearchService) -> None:
        with pytest.raises(Offline):
            await search.remote_messages(SearchQuery("防汛"))
        monkeypatch.setattr(Context, "call", call)
        query = SearchQuery("防汛 ", "zhou", "office", Facet.TEXT, NOW, NOW + 1)
        part = await search.remote_messages(query)
        (found,) = part.items
        assert (found.id, found.remote, found.who, part.total) == ("m0", True, "周海", 2)
        assert found.at == parse_utc_date(str(old["sentAt"]))
        sent = {"text": "防汛", "conversationId": "office", "senderId": "zhou", "is": "text"}
        filter_ = asked[0]["Message/query"]["filter"]
        assert {key: filter_[key] for key in sent} == sent
        assert parse_utc_date(filter_["sentAfter"]) == NOW
        assert asked[1] == {"Message/get": {"ids": ["m0"]}}
        assert (await search.remote_messages(SearchQuery(" "))).items == ()

    offline(tmp_path, work)


def test_excerpts_show_the_hit_with_what_is_around_it() -> None:
    long = "前文" * 40 + "重点防汛" + "后文" * 80
    found = excerpt(long, ("防汛",))
    assert (found.text[0], found.text[-1]) == ("…", "…")
    assert lit(found) == ["防汛"]
    assert found.marks[0][0] < 25
    assert lit(marked("ＡＢＣ abc Straße", ("abc",))) == ["ＡＢＣ", "abc"]
    assert lit(marked("İstanbul 防汛", ("防汛",))) == ["防汛"]  # folding makes some letters longer; places stay
    assert marked("防汛防汛办", ("防汛", "汛办")).marks == ((0, 5),)
    assert Found(FoundKind.MESSAGE, "Message", "m", excerpt("", ())).title == Excerpt("", ())
