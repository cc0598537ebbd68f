"""督办: 立项 → 分解 → 交办 → 签收 → 办结 → 核查 → 销号 → 归档, and the turns on the way: refused, returned, withdrawn, taken apart by hand."""

import pytest

from tests.modules.office_bench import refusal
from tests.modules.supervision.supervision_bench import ITEM, MATTER, REPORT, URGE, SupervisionBench

STEPS = ["register", "decompose", "issue", "conclude", "verify", "close", "file"]


def test_a_matter_goes_its_whole_way(bureau: SupervisionBench) -> None:
    matter = bureau.matter()
    bureau.act("fang", MATTER, matter, "submit")
    assert bureau.field(MATTER, matter, "state", "number") == ("decomposing", "DB-2025-001")
    assert bureau.waiting(matter, "fang") == {"decompose": ["fang"]}
    bureau.act("fang", MATTER, matter)
    assert bureau.waiting(matter, "fang") == {"issue": ["gao"]}
    assert bureau.items(matter) == {}
    bureau.act("gao", MATTER, matter, opinion="抓紧")
    items = bureau.items(matter)
    assert list(items) == ["flood", "works"]  # each unit its own
    assert [bureau.field(ITEM, one, "part", "state") for one in items.values()] == [
        ("lead", "issued"),
        ("support", "issued"),
    ]
    assert (bureau.waiting(items["flood"], "fang"), bureau.waiting(items["works"], "fang")) == (
        {"sign": ["feng"]},
        {"sign": ["ding"]},
    )
    assert bureau.field(MATTER, matter, "state", "itemsTotal", "light") == ("running", 2, "green")
    bureau.signed(matter)
    bureau.finish("feng", items["flood"])
    assert bureau.field(MATTER, matter, "state", "itemsDone", "progress") == ("running", 1, 50)
    assert bureau.waiting(matter, "fang") == {}
    bureau.finish("ding", items["works"])
    assert bureau.field(MATTER, matter, "state", "itemsDone", "progress") == ("concluding", 2, 100)
    assert "feng 已完成" in bureau.field(MATTER, matter, "result")
    assert bureau.waiting(matter, "fang") == {"conclude": ["feng"]}
    bureau.conclude(matter)
    assert bureau.waiting(matter, "fang") == {"verify": ["fang"]}
    bureau.act("fang", MATTER, matter, values={"verifyNote": "实地查看，属实"})
    assert bureau.waiting(matter, "fang") == {"close": ["gao"]}
    bureau.act("gao", MATTER, matter)
    assert bureau.field(MATTER, matter, "state", "points", "light") == ("closed", 8, "done")  # 10 and 6
    kept = bureau.field(MATTER, matter, "evidence")  # the conclusion's own, and those of both items
    of_items = [one for item in items.values() for one in bureau.field(ITEM, item, "evidence")]
    assert {one["blobId"] for one in of_items} < {one["blobId"] for one in kept}
    assert len(kept) == 3
    assert all(bureau.content("feng", one).startswith(b"%PDF") for one in kept)
    bureau.act("fang", MATTER, matter, values={"points": 9, "fileNote": "归 2025 督查卷"})
    assert bureau.field(MATTER, matter, "state", "points") == ("archived", 9)
    assert bureau.case(matter, "fang")["state"] == "completed"
    story = bureau.story(matter, "fang")
    steps = [one.split(" ")[-1] for one in story]
    assert [one for one in steps if one in STEPS] == STEPS
    assert steps[-1] == "end"
    for who in ("fang", "feng", "ding", "gao"):
        assert bureau.todos(who) == []


def test_a_leader_s_own_matter_needs_no_second_word_of_his(bureau: SupervisionBench) -> None:
    matter = bureau.matter("gao")
    bureau.act("gao", MATTER, matter, "submit")
    assert bureau.waiting(matter, "fang") == {"decompose": ["fang"]}
    bureau.act("fang", MATTER, matter)
    assert bureau.field(MATTER, matter, "state") == "running"
    assert len(bureau.items(matter)) == 2


def test_taken_apart_by_hand(bureau: SupervisionBench) -> None:
    matter = bureau.matter(supportUnits=[])
    bureau.act("fang", MATTER, matter, "submit")
    yan = bureau.person("yan")
    given = {"matterId": matter, "departmentId": bureau.departments["flood"]}
    first = bureau.create(
        "fang", ITEM, key="a", title="更换传感器", deadline=bureau.day(9), responsibleIds=[yan], **given
    )
    second = bureau.create("fang", ITEM, key="b", title="培训值守员", **given)
    assert refusal(
        lambda: bureau.create("fang", ITEM, key="c", title="x", deadline=bureau.day(30), **given)
    ).properties == ["deadline"]
    assert refusal(lambda: bureau.create("feng", ITEM, key="c", title="x", **given)).type == "forbidden"
    assert bureau.field(ITEM, second, "deadline", "cycle") == (bureau.day(19), "weekly")
    bureau.act("fang", MATTER, matter)
    bureau.act("gao", MATTER, matter)
    assert len([one for one in bureau.all("fang", ITEM) if one["matterId"] == matter]) == 2  # flood has its own already
    assert bureau.waiting(first, "fang") == {"sign": ["yan"]}
    late = bureau.create(
        "fang",
        ITEM,
        key="d",
        title="补充任务",
        departmentId=bureau.departments["finance"],
        part="support",
        matterId=matter,
    )
    assert bureau.waiting(late, "fang") == {"sign": ["qian"]}  # begins at once
    assert bureau.field(MATTER, matter, "itemsTotal") == 3


def test_not_taken_up_and_sent_back(bureau: SupervisionBench) -> None:
    matter = bureau.matter()
    bureau.act("fang", MATTER, matter, "submit")
    bureau.act("fang", MATTER, matter)
    bureau.act("gao", MATTER, matter, "return", opinion="牵头单位不对", toStepId="decompose")
    works, flood = bureau.departments["works"], bureau.departments["flood"]
    values = {
        "leadUnits": [works],
        "supportUnits": [flood],
        "responsibleIds": [bureau.person("ding")],
        "deadline": bureau.day(25),
    }
    bureau.act("fang", MATTER, matter, values=values)
    assert bureau.field(MATTER, matter, "originalDeadline") == bureau.day(25)  # nothing was handed out yet
    bureau.act("gao", MATTER, matter, "refuse", opinion="并入年度任务")
    assert bureau.field(MATTER, matter, "state") == "refused"
    assert bureau.items(matter) == {}


def test_a_matter_is_not_concluded_while_an_item_is_open(bureau: SupervisionBench) -> None:
    matter, items = bureau.under_way()
    bureau.finish("feng", items["flood"])
    bureau.finish("ding", items["works"])
    later = bureau.create(
        "fang", ITEM, key="later", title="补充", departmentId=bureau.departments["finance"], matterId=matter
    )
    assert refusal(lambda: bureau.conclude(matter)).properties == ["state"]
    bureau.update("fang", ITEM, later, action="drop", dropReason="不再需要")
    bureau.conclude(matter)
    assert bureau.field(MATTER, matter, "state") == "verifying"


def test_evidence_is_needed_and_the_check_may_send_back(bureau: SupervisionBench) -> None:
    matter, items = bureau.under_way(supportUnits=[])
    item = items["flood"]
    assert refusal(lambda: bureau.act("feng", ITEM, item, values={"result": "做完了"})).properties == ["evidence"]
    bureau.say_done("feng", item)
    assert refusal(lambda: bureau.act("fang", ITEM, item, "return")).properties == ["opinion"]
    bureau.act("fang", ITEM, item, "return", opinion="两处站点没有数据")
    assert bureau.waiting(item, "fang") == {"work": ["feng"]}
    bureau.finish("feng", item)
    bureau.conclude(matter)
    bureau.act("fang", MATTER, matter, "return", opinion="缺验收单")
    assert bureau.waiting(matter, "fang") == {"conclude": ["feng"]}
    bureau.act("feng", MATTER, matter, values={"result": "补齐"})
    bureau.act("fang", MATTER, matter)
    assert refusal(lambda: bureau.act("gao", MATTER, matter, "return", opinion="x", toStepId="issue")).properties == [
        "toStepId"
    ]
    bureau.act("gao", MATTER, matter, "return", opinion="再核一遍", toStepId="verify")
    bureau.act("fang", MATTER, matter)
    bureau.act("gao", MATTER, matter)
    assert bureau.field(MATTER, matter, "state") == "closed"


def test_a_unit_that_is_not_meant_gives_it_back(bureau: SupervisionBench) -> None:
    matter = bureau.issued(bureau.matter(supportUnits=[]))
    item = bureau.items(matter)["flood"]
    bureau.act("feng", ITEM, item, "return", opinion="应由工程科负责")
    assert (bureau.field(ITEM, item, "state"), bureau.waiting(item, "fang")) == ("planned", {"hand": ["fang"]})
    works, ding = bureau.departments["works"], bureau.person("ding")
    bureau.act("fang", ITEM, item, "submit", values={"departmentId": works, "responsibleIds": [ding]})
    assert bureau.waiting(item, "fang") == {"sign": ["ding"]}


def test_not_signed_in_time_is_urged_and_told_to_the_supervisor(bureau: SupervisionBench) -> None:
    matter = bureau.issued(bureau.matter(supportUnits=[]))
    item = bureau.items(matter)["flood"]
    bureau.pass_days(2)
    (urge,) = bureau.of(URGE, item)
    assert (urge["why"], urge["auto"], urge["state"]) == ("sign", True, "open")
    assert bureau.alerts("feng", "urge")
    assert any("逾期未签收" in one for one in bureau.alerts("fang", "overdue"))
    assert "answer" in bureau.todos("feng")
    bureau.act("feng", ITEM, item)
    assert bureau.of(URGE, item)[0]["state"] == "settled"
    assert "answer" not in bureau.todos("feng")
    assert bureau.field(MATTER, matter, "urges") == 1


def test_signed_in_time_urges_nobody(bureau: SupervisionBench) -> None:
    _, items = bureau.under_way(cycle="none")
    bureau.pass_days(3)
    assert [bureau.of(URGE, one) for one in items.values()] == [[], []]


@pytest.mark.parametrize("who", ["gao", "fang"])
def test_a_matter_is_withdrawn_with_all_its_items(bureau: SupervisionBench, who: str) -> None:
    matter, items = bureau.under_way(cycle="weekly", cycleDay=2)
    bureau.pass_days(1)
    assert bureau.of(REPORT, items["flood"])
    assert refusal(lambda: bureau.update(who, MATTER, matter, action="revoke")).properties == ["revokeReason"]
    bureau.update(who, MATTER, matter, action="revoke", revokeReason="政策调整")
    assert bureau.field(MATTER, matter, "state") == "cancelled"
    assert [bureau.field(ITEM, one, "state") for one in items.values()] == ["cancelled", "cancelled"]
    assert {one["state"] for one in bureau.of(REPORT, items["flood"])} == {"waived"}
    assert (bureau.todos("feng"), bureau.todos("ding"), bureau.waiting(matter, "fang")) == ([], [], {})
    bureau.pass_days(30)
    assert not bureau.of(URGE, items["flood"])


def test_dropping_the_last_open_item_lets_the_matter_go_on(bureau: SupervisionBench) -> None:
    matter, items = bureau.under_way()
    bureau.finish("feng", items["flood"])
    bureau.update("fang", ITEM, items["works"], action="drop", dropReason="并入牵头任务")
    assert bureau.waiting(matter, "fang") == {"conclude": ["feng"]}
    assert bureau.field(MATTER, matter, "itemsTotal", "itemsDone", "progress") == (1, 1, 100)


def test_who_sees_what(bureau: SupervisionBench) -> None:
    matter = bureau.matter()
    for who in ("feng", "jiang", "qian", "liu"):
        assert bureau.get(who, MATTER, matter) is None  # nothing before it is handed out
    bureau.issued(matter)
    items = bureau.signed(matter)
    for who in ("gao", "sun", "fang", "feng", "jiang", "ding", "wu"):
        assert bureau.get(who, MATTER, matter) is not None
    for who in ("qian", "liu"):
        assert bureau.get(who, MATTER, matter) is None
    assert bureau.get("feng", ITEM, items["works"]) is not None  # who leads sees how the others do
    assert bureau.get("ding", ITEM, items["flood"]) is None
    assert (
        refusal(
            lambda: bureau.create(
                "jiang",
                MATTER,
                title="x",
                deployerId=bureau.person("gao"),
                leadUnits=[bureau.departments["flood"]],
                deadline=bureau.day(3),
            )
        ).type
        == "forbidden"
    )


def test_a_matter_that_began_from_a_message_or_a_document(bureau: SupervisionBench) -> None:
    talk = bureau.matter(
        origin={"type": "Message", "id": "m1", "conversationId": "c1", "title": "高局：请防汛办周五前落实"}
    )
    assert bureau.field(MATTER, talk, "originLink", "originTitle") == (
        "tongban://conversation/c1",
        "高局：请防汛办周五前落实",
    )
    bureau.clock.advance(1000)
    paper = bureau.matter(
        kind="document", origin={"type": "IncomingDocument", "id": "d7", "title": "关于开展检修的通知"}
    )
    assert bureau.field(MATTER, paper, "originLink") == "tongban://IncomingDocument/d7"
    bureau.clock.advance(1000)
    meeting = bureau.matter(kind="decision", originLink="tongban://Meeting/x", originTitle="第 12 次局长办公会")
    assert bureau.field(MATTER, meeting, "originLink") == "tongban://Meeting/x"
    bureau.clock.advance(1000)
    assert refusal(lambda: bureau.matter(originLink="https://example.org")).properties == ["originLink"]


def test_what_is_refused_at_once(bureau: SupervisionBench) -> None:
    flood = bureau.departments["flood"]
    assert refusal(lambda: bureau.matter(supportUnits=[flood])).properties == ["supportUnits"]
    assert refusal(lambda: bureau.matter(deadline=bureau.day(-1))).properties == ["deadline"]
    assert refusal(lambda: bureau.matter(originalDeadline=bureau.day(3))).properties == ["originalDeadline"]
    assert refusal(lambda: bureau.matter(light="green")).properties == ["light"]


def test_nobody_goes_back_behind_the_handing_out(bureau: SupervisionBench) -> None:
    matter, _ = bureau.under_way()
    assert refusal(lambda: bureau.act("gao", MATTER, matter, "withdraw"))
    assert bureau.field(MATTER, matter, "state") == "running"


def test_a_suspended_matter_loses_nothing(bureau: SupervisionBench) -> None:
    matter, items = bureau.under_way(supportUnits=[])
    bureau.say_done("feng", items["flood"])
    bureau.grant("gao", "process-admin")
    bureau.act("gao", MATTER, matter, "suspend", opinion="等待批复")
    assert refusal(lambda: bureau.act("fang", ITEM, items["flood"])).properties == ["state"]
    bureau.act("gao", MATTER, matter, "resume")
    bureau.act("fang", ITEM, items["flood"])
    assert bureau.waiting(matter, "fang") == {"conclude": ["feng"]}


def test_who_concludes_a_matter_instead_is_responsible_for_it(bureau: SupervisionBench) -> None:
    matter, items = bureau.under_way(supportUnits=[])
    bureau.finish("feng", items["flood"])
    bureau.act("feng", MATTER, matter, "transfer", to=["jiang"], opinion="请汇总")
    assert [bureau.name(one) for one in bureau.field(MATTER, matter, "responsibleIds")] == ["jiang"]
    assert bureau.waiting(matter, "fang") == {"conclude": ["jiang"]}
