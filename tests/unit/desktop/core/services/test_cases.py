"""The verbs of cases over the real driver: lists and counts, acts that queue and show at once, what was overtaken keeps what was typed, files first."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from desktop.core.clock import parse_utc_date, utc_date
from desktop.core.domain import Attachment, Label
from desktop.core.domain.cases import CaseEvent, CaseState, Flow, Refusal, WorkItem, WorkKind, WorkQuery, WorkTab
from desktop.core.domain.processes import StepAction
from desktop.core.domain.records import Light
from desktop.core.errors import Offline, Rejected
from desktop.core.events import ChangeSet
from desktop.core.services.cases import CasesService
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.outbox import EditState
from tests.helpers.case_model import REQUEST, STAMP, CaseModel
from tests.helpers.fake_session import make_png
from tests.helpers.record_desk import RecordDesk, record_desk

APPROVE = StepAction("approve")
BACK = StepAction("return", opinion="required")
PNG = make_png(8, 4, (20, 20, 20))

Work = Callable[[CaseModel, RecordDesk, CasesService], Coroutine[Any, Any, None]]


def with_desk(
    folder: Path, work: Work, model: CaseModel | None = None, account: str = "anna", *, encrypted: bool = False
) -> None:
    """A desk over the model, in step with it."""
    model = model or CaseModel("anna", "ben", "carl")

    async def scenario() -> None:
        store = SqliteStore.open(folder / "store.db", bytes(32), account) if encrypted else None
        async with record_desk(model, account, folder, store) as desk:
            await desk.live()
            await work(model, desk, desk.session.cases)

    asyncio.run(scenario())


async def fresh(desk: RecordDesk) -> None:
    """What the model has now is here."""
    desk.look()

    async def same() -> bool:
        held = {name: dict(desk.network.model.objects[name]) for name in ("WorkItem", "Case", "CaseEvent", REQUEST)}
        for name in ("WorkItem", "Case", REQUEST):
            stored = desk.store.load_records(name, held[name])
            if {key: one.data.get("state") for key, one in stored.items()} != {
                k: v.get("state") for k, v in held[name].items()
            }:
                return False
        return {one.id for one in desk.store.load_objects("CaseEvent")} == set(held["CaseEvent"])

    await desk.until(same)


async def flow_of(cases: CasesService, record_id: str) -> Flow:
    return await cases.flow(REQUEST, record_id)


async def titles(cases: CasesService, tab: WorkTab = WorkTab.TODO, **query: Any) -> list[str]:
    return [row.title for row in (await cases.work(WorkQuery(tab, **query))).rows]


# ------------------------------------------------------------ lists
def filled() -> CaseModel:
    model = CaseModel("anna", "ben", "carl")
    now = parse_utc_date("2026-11-22T08:00:00.000Z")
    for name, unit in (("a", "省水利厅"), ("b", "市档案局"), ("c", "市政府办"), ("d", "市财政局"), ("e", "县委")):
        model.record(name, subject=f"关于{name}的通知", unit=unit, leadId="ben")
    model.open("a", "anna", dueAt=utc_date(now - 3_600_000), amberAt=utc_date(now - 7_200_000))
    model.open("b", "anna", "ben", dueAt="2126-01-01T00:00:00.000Z")
    model.open("c", "anna", kind="read")
    model.open("d", "ben")
    done = model.open("e", "anna")
    model.act("anna", "event-e", {"recordType": REQUEST, "recordId": "e", "workItemId": done, "action": "approve"})
    return model


@pytest.mark.parametrize("encrypted", [False, True])
def test_tabs_counts_and_lights(tmp_path: Path, encrypted: bool) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        del model
        await fresh(desk)
        assert await titles(cases) == ["title a", "title b"]  # what is due first
        assert await titles(cases, WorkTab.TO_READ) == ["title c"]
        assert await titles(cases, WorkTab.DONE) == ["title e"]
        assert sorted(await titles(cases, WorkTab.ALL)) == [f"title {one}" for one in "abcde"]
        assert sorted(await titles(cases, WorkTab.STARTED)) == [f"title {one}" for one in "abcde"]
        assert await titles(cases, modules=("other",)) == []
        assert await titles(cases, types=(REQUEST,), limit=1, offset=1) == ["title b"]
        counts = await cases.counts()
        assert (counts.todo, counts.to_read, counts.red) == (2, 1, 1)
        assert (counts.todo_by_module, counts.to_read_by_module) == ({"requests": 2}, {"requests": 1})
        rows = (await cases.work(WorkQuery())).rows
        assert [(row.light, row.item is not None and row.item.is_of("anna")) for row in rows] == [
            (Light.RED, True),
            (Light.GREEN, True),
        ]
        assert rows[0].record is not None
        assert rows[0].record.data["unit"] == "省水利厅"
        assert rows[0].case is not None
        assert rows[0].case.now[0].name == "审核"
        page = await cases.work(WorkQuery(limit=1))
        assert (len(page.rows), page.total) == (1, 2)
        row = next(row for row in (await cases.work(WorkQuery(WorkTab.ALL))).rows if row.title == "title c")
        assert row.item is not None
        assert row.item.kind is WorkKind.READ
        assert row.key == row.item.id

    with_desk(tmp_path, work, filled(), encrypted=encrypted)


@pytest.mark.parametrize("encrypted", [False, True])
def test_words_are_found_in_the_record_in_the_title_and_in_the_step(tmp_path: Path, encrypted: bool) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        del model
        await fresh(desk)
        found = {
            text: await titles(cases, text=text)
            for text in ("水利厅", "关于b", "审核", "档案 审核", "title", "市政府", "x")
        }
        assert found == {
            "水利厅": ["title a"], "关于b": ["title b"], "审核": ["title a", "title b"], "档案 审核": ["title b"],
            "title": ["title a", "title b"], "市政府": [], "x": [],
        }  # fmt: skip
        assert await titles(cases, WorkTab.ALL, text="财政局") == ["title d"]

    with_desk(tmp_path, work, filled(), encrypted=encrypted)


def test_a_flow_has_the_case_its_items_its_history_and_the_buttons_as_the_server_gives_them(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        model.put(
            "CaseEvent", "z2", caseId="case-a", recordType=REQUEST, recordId="a", action="approve", seq=2, at=STAMP
        )
        model.put("CaseEvent", "z1", caseId="case-a", recordType=REQUEST, recordId="a", action="start", seq=1, at=STAMP)
        await fresh(desk)
        flow = await flow_of(cases, "a")
        assert flow.case is not None
        assert flow.case.id == "case-a"
        assert flow.case.state is CaseState.RUNNING
        assert [event.id for event in flow.events] == ["z1", "z2"]
        assert [event.id for event in await cases.events("case-a")] == ["z1", "z2"]
        assert [action.name for action in flow.actions] == ["approve", "return", "urge"]
        assert flow.item is not None
        assert flow.item.open
        assert not flow.pending
        record = await desk.one(REQUEST, "a")
        assert cases.allowed(record, flow.item) == list(flow.actions)
        others = await flow_of(cases, "d")
        assert (others.item, others.actions, len(others.items)) == (None, (), 1)
        assert await flow_of(cases, "nothing") == Flow(REQUEST, "nothing")
        assert await cases.case_of(REQUEST, "a") == flow.case
        assert await cases.item(flow.item.id) == flow.item

    with_desk(tmp_path, work, filled())


# ------------------------------------------------------------ acting
@pytest.mark.parametrize("encrypted", [False, True])
def test_an_act_shows_at_once_goes_out_once_and_the_case_goes_on(tmp_path: Path, encrypted: bool) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await fresh(desk)
        await desk.offline()
        record, flow = await desk.one(REQUEST, "a"), await flow_of(cases, "a")
        event_id = await cases.act(record, APPROVE, flow.item, opinion=" 同意 ", values={"unit": "改了"}, to=["ben"])
        flow = await flow_of(cases, "a")
        assert flow.pending
        assert flow.actions == ()
        assert flow.item is not None
        assert flow.item.pending
        assert (flow.events[-1].id, flow.events[-1].pending, flow.events[-1].opinion) == (event_id, True, "同意")
        assert (flow.events[-1].step_name, flow.events[-1].to) == ("审核", ("ben",))
        assert (await desk.one(REQUEST, "a")).data["unit"] == "改了"
        row = next(row for row in (await cases.work(WorkQuery())).rows if row.title == "title a")
        assert row.pending
        assert (await cases.counts()).todo == 1
        assert cases.allowed(record, flow.item) == []
        await desk.online()
        await desk.sent()
        await fresh(desk)
        flow = await flow_of(cases, "a")
        assert (flow.pending, flow.item, flow.events[-1].pending, flow.events[-1].seq) == (False, None, False, 1)
        assert await titles(cases) == ["title b"]
        assert [one["id"] for one in model.done if one["recordId"] == "a"] == [event_id]

    with_desk(tmp_path, work, filled(), encrypted=encrypted)


def test_a_confirmed_act_does_not_bring_its_buttons_back_before_the_item_follows(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await fresh(desk)
        flow, record = await flow_of(cases, "a"), await desk.one(REQUEST, "a")
        model._tell = lambda *_: None  # type: ignore[method-assign]  # the answer comes, the news of the item does not
        await cases.act(record, APPROVE, flow.item)
        await desk.sent()
        assert await desk.session.outbox.edits() == []
        between = await flow_of(cases, "a")
        assert between.item is not None
        assert between.item.open
        assert between.pending
        assert between.actions == ()
        assert (await cases.counts()).todo == 1
        assert "a" in {one["recordId"] for one in model.done}

    with_desk(tmp_path, work, filled())


def test_what_was_overtaken_keeps_all_that_was_typed_and_tells_who_was_faster(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await fresh(desk)
        await desk.offline()
        record, item = await desk.one(REQUEST, "b"), (await flow_of(cases, "b")).item
        assert item is not None
        paper = Attachment("b" * 64, "意见.pdf", "application/pdf", 7)
        event_id = await cases.act(
            record, APPROVE, item, opinion="防汛办牵头", attachments=[paper], signature=PNG, values={"unit": "x"}
        )
        faster = {"recordType": REQUEST, "recordId": "b", "workItemId": item.id, "action": "return", "opinion": "no"}
        assert model.act("ben", "faster", faster) is None
        desk.network.up = True
        desk.session.network_changed()
        await desk.until(lambda: refused(cases, "b"))
        await fresh(desk)
        flow = await flow_of(cases, "b")
        (lost,) = flow.refused
        assert lost.refusal == Refusal(
            "overtaken", "ben", parse_utc_date(STAMP), "return", step_names=(Label("审核", "审核"),)
        )
        assert (lost.id, lost.opinion, lost.attachments, lost.values, lost.pending) == (
            event_id,
            "防汛办牵头",
            (paper,),
            {"unit": "x"},
            False,
        )
        assert lost.signature == hashlib.sha256(PNG).hexdigest()
        assert (await desk.one(REQUEST, "b")).data["unit"] == "市档案局"  # the screen shows the server's again
        assert [event.id for event in flow.events] == ["faster"]
        assert not flow.pending
        assert flow.item is None
        assert await cases.refused() == [lost]
        assert await cases.refused("a") == []
        assert await desk.session.files.open_bytes(lost.signature) == PNG
        await cases.drop(event_id)
        assert await cases.refused() == []
        assert await desk.session.outbox.edits() == []

    with_desk(tmp_path, work, filled())


async def refused(cases: CasesService, record_id: str) -> bool:
    return bool(await cases.refused(record_id))


def test_what_a_step_asks_for_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        actions = [{"name": "approve"}, {"name": "return"}, {"name": "refuse"}]
        wanted = {"opinion": "onReturn", "signature": "onApprove", "required": ["leadId", "papers"]}
        key = model.open("a", "anna", **wanted, actions=actions)
        await fresh(desk)
        record, item = await desk.one(REQUEST, "a"), await cases.item(key)
        for action, more, wrong in (
            (BACK, {}, ["opinion"]),
            (StepAction("refuse"), {"opinion": " "}, ["opinion"]),
            (APPROVE, {}, ["signature", "papers"]),
            (APPROVE, {"signature": PNG, "values": {"leadId": None}}, ["leadId", "papers"]),
        ):
            with pytest.raises(Rejected) as raised:
                await cases.act(record, action, item, **more)
            assert raised.value.data["properties"] == wrong
        assert await desk.session.outbox.edits() == []
        assert model.attempts == 1

    with_desk(tmp_path, work, filled())


def test_what_the_server_finds_wrong_is_told_by_field_and_mended_in_one_go(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await fresh(desk)
        record, item = await desk.one(REQUEST, "a"), (await flow_of(cases, "a")).item
        event_id = await cases.act(record, APPROVE, item, opinion="bad words")
        await desk.until(lambda: refused(cases, "a"))
        flow = await flow_of(cases, "a")
        refusal = flow.refused[0].refusal
        assert refusal is not None
        assert (refusal.code, refusal.properties) == ("invalidProperties", ("opinion",))
        assert refusal.reasons == {"opinion": "not like this"}
        assert flow.actions
        assert not flow.pending
        again = await cases.act(record, APPROVE, flow.item, opinion="good words", instead_of=event_id)
        await desk.sent()
        assert await cases.refused() == []
        assert [one["id"] for one in model.done if one["recordId"] == "a"] == [again]

    with_desk(tmp_path, work, filled())


def test_a_refused_act_may_go_again_as_it_was(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await fresh(desk)
        record, item = await desk.one(REQUEST, "a"), (await flow_of(cases, "a")).item
        kept = model.objects[REQUEST].pop("a")
        event_id = await cases.act(record, APPROVE, item, opinion="x")
        await desk.until(lambda: refused(cases, "a"))
        model.objects[REQUEST]["a"] = kept
        await cases.retry(event_id)
        await desk.sent()
        assert [one["id"] for one in model.done if one["recordId"] == "a"] == [event_id]

    with_desk(tmp_path, work, filled())


# ------------------------------------------------------------ drafts
def test_a_draft_written_offline_goes_first_and_its_submission_after_it(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await desk.offline()
        key = await desk.records.create(REQUEST, {"subject": "用印"})
        record = await desk.one(REQUEST, key)
        assert await cases.may_submit(record)
        event_id = await cases.submit(record, opinion="请批")
        assert not await cases.may_submit(record)
        assert (await flow_of(cases, key)).events[0].action == "submit"
        await desk.online()
        await desk.sent()
        await fresh(desk)
        assert [one["id"] for one in model.done] == [event_id]
        assert model.attempts == 1
        flow = await flow_of(cases, key)
        assert flow.case is not None
        assert flow.item is None
        assert flow.case.now[0].person_ids == ("ben",)

    with_desk(tmp_path, work)


def test_while_the_draft_is_refused_its_submission_is_held_and_goes_when_it_is_mended(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await desk.offline()
        key = await desk.records.create(REQUEST, {"subject": "bad"})
        await cases.submit(await desk.one(REQUEST, key), opinion="请批")
        await desk.online()

        async def is_refused() -> bool:
            return any(edit.state is EditState.REFUSED for edit in await desk.session.outbox.edits())

        await desk.until(is_refused)
        assert model.attempts == 0  # nothing to submit there yet
        record = await desk.one(REQUEST, key)
        assert record.refusal == "invalidProperties"
        assert (await flow_of(cases, key)).pending
        await desk.records.update(record, {"subject": "good"})
        await desk.sent()
        assert model.objects[REQUEST][key]["subject"] == "good"
        assert [one["opinion"] for one in model.done] == ["请批"]
        assert model.attempts == 1

    with_desk(tmp_path, work)


def test_a_draft_that_is_thrown_away_takes_its_submission_along(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await desk.offline()
        record = await desk.one(REQUEST, await desk.records.create(REQUEST, {"subject": "x"}))
        await cases.submit(record)
        await desk.records.destroy(record)
        assert await desk.session.outbox.edits() == []
        await desk.online()
        assert (model.attempts, model.objects[REQUEST]) == (0, {})

    with_desk(tmp_path, work)


# ------------------------------------------------------------ files
def test_files_go_up_first_and_their_blobs_stand_in_the_act(tmp_path: Path) -> None:
    paper = tmp_path / "拟办单.txt"
    paper.write_bytes(b"propose" * 300)

    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await fresh(desk)
        await desk.offline()
        record, item = await desk.one(REQUEST, "a"), (await flow_of(cases, "a")).item
        old = Attachment("c" * 64, "旧.pdf", "application/pdf", 5)
        event_id = await cases.act(record, APPROVE, item, attachments=[old, paper], signature=PNG)
        (edit,) = await desk.session.outbox.edits()
        assert len(edit.uploads) == 2
        assert not edit.ready
        assert [one.name for one in (await flow_of(cases, "a")).events[-1].attachments] == ["旧.pdf", "拟办单.txt"]
        assert [one.name for one in desk.session.files.transfers()] == ["拟办单.txt"]  # a signature is no file of his
        await desk.online()
        await desk.sent()
        done = next(one for one in model.done if one["id"] == event_id)
        assert [one["blobId"] for one in done["attachments"]] == [
            "c" * 64,
            hashlib.sha256(paper.read_bytes()).hexdigest(),
        ]
        assert done["signature"] == hashlib.sha256(PNG).hexdigest()
        assert {done["signature"], done["attachments"][1]["blobId"]} <= desk.network.blobs.keys()

    with_desk(tmp_path, work, filled())


def test_a_file_that_cannot_go_leaves_the_words_and_can_be_taken_out(tmp_path: Path) -> None:
    paper = tmp_path / "gone.txt"
    paper.write_bytes(b"x" * 100)

    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        await fresh(desk)
        await desk.offline()
        record, item = await desk.one(REQUEST, "a"), (await flow_of(cases, "a")).item
        event_id = await cases.act(record, APPROVE, item, opinion="kept", attachments=[paper])
        paper.unlink()
        desk.network.up = True
        desk.session.network_changed()
        await desk.until(lambda: refused(cases, "a"))
        (lost,) = await cases.refused()
        assert (lost.opinion, [one.name for one in lost.attachments]) == ("kept", ["gone.txt"])
        await cases.act(record, APPROVE, item, opinion=lost.opinion, instead_of=event_id)
        await desk.sent()
        assert [one.get("opinion") for one in model.done if one["recordId"] == "a"] == ["kept"]
        assert desk.session.files.transfers() == []

    with_desk(tmp_path, work, filled())


def test_cancelling_the_transfer_leaves_the_act_with_its_reason(tmp_path: Path) -> None:
    paper = tmp_path / "big.txt"
    paper.write_bytes(b"x" * 100)

    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        del model
        await fresh(desk)
        await desk.offline()
        record, item = await desk.one(REQUEST, "a"), (await flow_of(cases, "a")).item
        await cases.act(record, APPROVE, item, opinion="words", attachments=[paper])
        await desk.session.files.cancel(desk.session.files.transfers()[0].id)
        await desk.until(lambda: refused(cases, "a"))
        assert (await cases.refused())[0].opinion == "words"

    with_desk(tmp_path, work, filled())


def test_files_of_work_open_and_done_are_fetched_ahead_and_kept_when_room_is_made(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        data, handled = b"document" * 50, b"what went through these hands"
        blob, done = hashlib.sha256(data).hexdigest(), hashlib.sha256(handled).hexdigest()
        desk.network.blobs |= {blob: data, done: handled}
        model.put(REQUEST, "b", papers=[{"blobId": blob, "name": "正文.pdf", "size": len(data)}])
        model.put(REQUEST, "e", papers=[{"blobId": done, "name": "批件.pdf", "size": len(handled)}])
        desk.look()

        async def is_here() -> bool:
            return desk.session.files.has(blob) and desk.session.files.has(done)

        await desk.until(is_here)
        await desk.offline()
        assert await desk.session.cache.clear() == 0
        row = next(row for row in (await cases.work(WorkQuery())).rows if row.title == "title b")
        assert row.kept
        assert await desk.session.files.open_bytes(blob) == data
        assert await desk.session.files.open_bytes(done) == handled
        assert not next(row for row in (await cases.work(WorkQuery())).rows if row.title == "title a").kept

    with_desk(tmp_path, work, filled())


def test_a_file_that_is_not_to_be_had_is_asked_for_once(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        del cases
        asked: list[str] = []
        plain = desk.transport.download

        async def download(blob_id: str, name: str, offset: int) -> Any:
            asked.append(blob_id)
            return await plain(blob_id, name, offset)

        desk.transport.download = download  # type: ignore[method-assign]  # the same, with a note
        data = b"there" * 9
        there, gone = hashlib.sha256(data).hexdigest(), "e" * 64
        desk.network.blobs[there] = data
        model.put(REQUEST, "a", papers=[{"blobId": gone, "name": "gone.pdf", "size": 3}])
        await fresh(desk)
        model.put(REQUEST, "b", papers=[{"blobId": there, "name": "there.pdf", "size": len(data)}])
        desk.look()

        async def is_here() -> bool:
            return desk.session.files.has(there)

        await desk.until(is_here)
        assert asked.count(there) == 1
        assert asked.count(gone) == 1

    with_desk(tmp_path, work, filled())


# ------------------------------------------------------------ around
def test_phrases_are_the_users_own_once_he_kept_some(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        del model, desk
        assert await cases.phrases(("同意", "请阅")) == ["同意", "请阅"]
        await cases.set_phrases([" 已阅 ", "", "同意", "已阅"])
        assert await cases.phrases(("请阅",)) == ["已阅", "同意"]
        await cases.set_phrases([])
        assert await cases.phrases(("请阅",)) == []

    with_desk(tmp_path, work)


def test_delegations_need_the_servers_word(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        del model
        asked: list[dict[str, Any]] = []

        def answer(arguments: dict[str, Any]) -> dict[str, Any]:
            asked.append(arguments)
            return {
                "created": {key: {"id": key} for key in arguments.get("create", {})},
                "updated": arguments.get("update"),
            }

        desk.transport.answers["Delegation/set"] = answer
        key = await cases.delegate("ben", 1_795_000_000_000, 1_795_100_000_000, modules=["requests"], reason=" 出差 ")
        assert asked[0]["create"][key] == {
            "delegateId": "ben", "from": utc_date(1_795_000_000_000), "to": utc_date(1_795_100_000_000),
            "modules": ["requests"], "reason": "出差",
        }  # fmt: skip
        await cases.end_delegation(key)
        assert asked[1]["update"] == {key: {"state": "revoked"}}
        await cases.change_delegation(key, 1_795_000_000_000, 1_795_000_000_001)
        assert asked[2]["update"][key]["modules"] == []
        await cases.delegate("ben", 1, 2, person_id="carl")
        assert next(iter(asked[3]["create"].values()))["personId"] == "carl"
        await desk.offline()
        with pytest.raises(Offline):
            await cases.delegate("ben", 1, 2)

    with_desk(tmp_path, work)


def test_screens_hear_of_an_act_at_once(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        del model
        await fresh(desk)
        await desk.offline()
        record, item = await desk.one(REQUEST, "a"), (await flow_of(cases, "a")).item
        assert isinstance(item, WorkItem)
        desk.seen.clear()
        event_id = await cases.act(record, APPROVE, item)
        told = {(one.type_name, key) for one in desk.seen if isinstance(one, ChangeSet) for key in one.upserts}
        assert {("CaseEvent", event_id), ("WorkItem", item.id), (REQUEST, "a")} <= told

    with_desk(tmp_path, work, filled())


def test_unknown_words_of_a_newer_server_are_shown_as_they_are(tmp_path: Path) -> None:
    async def work(model: CaseModel, desk: RecordDesk, cases: CasesService) -> None:
        event = {
            "caseId": "case-a",
            "recordType": REQUEST,
            "recordId": "a",
            "action": "teleport",
            "seq": 9,
            "at": STAMP,
            "new": [1],
        }
        model.put("CaseEvent", "n", **event, personId=None)
        model.put(
            "WorkItem", next(iter(model.objects["WorkItem"])), actions=[{"name": "sing", "label": None, "tune": 1}]
        )
        await fresh(desk)

        async def sings() -> bool:
            return [action.name for action in (await flow_of(cases, "a")).actions] == ["sing"]

        await desk.until(sings)
        last = (await flow_of(cases, "a")).events[-1]
        assert isinstance(last, CaseEvent)
        assert (last.action, last.person_id) == ("teleport", None)

    with_desk(tmp_path, work, filled())
