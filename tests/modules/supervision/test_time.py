"""What days alone do: lights, feedback by cycle, missing reports, urging; extensions move a deadline and keep the original; yellow cards."""

from functools import partial

import pytest

from server_stub.modules.engine.office import Office
from tests.modules.office_bench import refusal
from tests.modules.supervision.supervision_bench import DAY, EXTENSION, ITEM, MATTER, REPORT, URGE, SupervisionBench


def test_lights_change_by_themselves_and_an_extension_turns_them_back(bureau: SupervisionBench) -> None:
    matter, items = bureau.under_way(deadline=bureau.day(9), cycle="none")
    item, original = items["flood"], bureau.day(9)
    seen = [bureau.field(ITEM, item, "light")]
    for _ in range(12):
        bureau.pass_days(1)
        seen.append(bureau.field(ITEM, item, "light"))
    assert seen == ["green"] * 7 + ["amber"] * 3 + ["red"] * 3
    assert any("黄灯" in one for one in bureau.alerts("feng", "due"))
    assert any("红灯" in one for one in bureau.alerts("gao", "due"))
    assert bureau.field(ITEM, item, "delayDays", "late") == (3, 1)
    assert bureau.field(MATTER, matter, "light", "delayDays") == ("red", 3)
    assert [one["why"] for one in bureau.of(URGE, item)] == ["deadline"]  # once, not daily
    record = bureau.create("feng", EXTENSION, matterId=matter, newDeadline=bureau.day(20), reason="设备到货延迟")
    assert bureau.field(EXTENSION, record, "originalDeadline", "currentDeadline", "title", who="feng") == (
        original,
        original,
        "山洪预警设备检修",
    )
    bureau.act("feng", EXTENSION, record, "submit")
    bureau.act("fang", EXTENSION, record)
    assert bureau.waiting(record, "fang") == {"decide": ["gao"]}
    assert bureau.field(MATTER, matter, "deadline") == original
    bureau.act("gao", EXTENSION, record)
    new = bureau.day(20)
    assert bureau.field(MATTER, matter, "deadline", "originalDeadline", "extensions", "light", "delayDays") == (
        new,
        original,
        1,
        "green",
        0,
    )
    assert bureau.field(ITEM, item, "deadline", "originalDeadline", "extensions", "light", "late") == (
        new,
        original,
        1,
        "green",
        0,
    )
    (work,) = [one for one in bureau.all("feng", "WorkItem") if one["recordId"] == item and one["state"] == "open"]
    assert work["dueAt"][:10] == new  # the piece of work is due when the item is
    (todo,) = [one for one in bureau.all("feng", "Todo") if one["recordId"] == item and one["state"] == "open"]
    assert todo["dueAt"][:10] == new
    bureau.finish("feng", item)
    assert bureau.field(ITEM, item, "onTime", "late", "light", "points") == (1, 0, "done", 9.5)


def test_an_extended_item_gets_late_again(bureau: SupervisionBench) -> None:
    matter, items = bureau.under_way(deadline=bureau.day(4), cycle="none", supportUnits=[])
    bureau.pass_days(6)
    record = bureau.create("feng", EXTENSION, matterId=matter, newDeadline=bureau.day(3), reason="x")
    bureau.act("feng", EXTENSION, record, "submit")
    bureau.act("fang", EXTENSION, record)
    bureau.act("gao", EXTENSION, record)
    before = len(bureau.of(URGE, items["flood"]))
    bureau.pass_days(5)
    assert len(bureau.of(URGE, items["flood"])) == before + 1
    assert bureau.field(ITEM, items["flood"], "light", "delayDays") == ("red", 2)


def test_waiting_for_the_check_makes_nobody_late(bureau: SupervisionBench) -> None:
    _, items = bureau.under_way(deadline=bureau.day(3), cycle="none", supportUnits=[])
    bureau.pass_days(3)
    bureau.say_done("feng", items["flood"])
    bureau.pass_days(3)
    assert bureau.field(ITEM, items["flood"], "light", "delayDays") == ("amber", 0)
    bureau.act("fang", ITEM, items["flood"], "return", opinion="不全")
    bureau.pass_days(1)
    assert bureau.field(ITEM, items["flood"], "light", "delayDays") == ("red", 4)


# ---------------------------------------------------------------- feedback


def test_feedback_appears_each_cycle_and_missing_ones_turn_red(bureau: SupervisionBench) -> None:
    matter, items = bureau.under_way(cycle="weekly", cycleDay=5)  # Monday; the first is due on Friday the 28th
    item = items["flood"]
    bureau.pass_days(2)
    assert bureau.of(REPORT, item) == []
    bureau.pass_days(1)  # Thursday: it is asked for a day before
    (first,) = bureau.of(REPORT, item)
    assert (first["dueOn"], first["state"], first["part"]) == ("2025-11-28", "waiting", "lead")
    assert "report" in bureau.todos("feng")
    assert [one["personIds"] for one in bureau.of(REPORT, items["works"])] == [[bureau.person("ding")]]
    bureau.report("feng", first["id"], 30)
    assert bureau.field(REPORT, first["id"], "state", "late") == ("submitted", False)
    assert bureau.field(ITEM, item, "progress") == 30
    assert bureau.field(MATTER, matter, "progress") == 15
    assert "report" not in bureau.todos("feng")
    assert "review" in bureau.todos("fang")
    bureau.update("fang", REPORT, first["id"], action="review", remark="进度偏慢")
    assert any("进度偏慢" in one for one in bureau.alerts("feng", "advance"))
    bureau.pass_days(2)  # Saturday: works said nothing
    (missing,) = bureau.of(REPORT, items["works"])
    assert missing["state"] == "missing"
    (urge,) = bureau.of(URGE, items["works"])
    assert (urge["why"], urge["personIds"]) == ("report", [bureau.person("ding")])
    assert "逾期未报" in bureau.alerts("ding", "urge")[0]
    assert bureau.field(ITEM, items["works"], "missedReports", "urges") == (1, 1)
    bureau.report("ding", missing["id"], 10)
    assert bureau.field(REPORT, missing["id"], "state", "late") == ("submitted", True)
    assert bureau.of(URGE, items["works"])[0]["state"] == "settled"
    bureau.pass_days(5)
    assert [one["dueOn"] for one in bureau.of(REPORT, item)] == ["2025-11-28", "2025-12-05"]


def test_feedback_is_sent_back_and_given_again(bureau: SupervisionBench) -> None:
    _, items = bureau.under_way(cycle="weekly", cycleDay=2, supportUnits=[])
    bureau.settle()
    (one,) = bureau.of(REPORT, items["flood"])  # due tomorrow: asked for at once
    bureau.report("feng", one["id"])
    assert refusal(lambda: bureau.update("fang", REPORT, one["id"], action="sendBack")).properties == ["remark"]
    bureau.update("fang", REPORT, one["id"], action="sendBack", remark="请写明站点名称")
    assert "report" in bureau.todos("feng")
    bureau.pass_days(3)
    assert bureau.field(REPORT, one["id"], "state") == "returned"
    bureau.report("feng", one["id"], 60)
    assert bureau.field(REPORT, one["id"], "state", "late") == ("submitted", False)
    assert bureau.field(ITEM, items["flood"], "progress") == 60


@pytest.mark.parametrize("values", [{"progress": 10}, {"details": "x"}, {"progress": 101, "details": "x"}])
def test_feedback_says_how_far_and_what(bureau: SupervisionBench, values: dict[str, object]) -> None:
    _, items = bureau.under_way(cycle="weekly", cycleDay=2, supportUnits=[])
    (one,) = bureau.of(REPORT, items["flood"])
    assert (
        refusal(lambda: bureau.update("feng", REPORT, one["id"], action="submit", **values)).type == "invalidProperties"
    )
    assert refusal(lambda: bureau.report("ding", one["id"])).type in ("forbidden", "notFound")
    assert bureau.field(REPORT, one["id"], "state") == "waiting"


def test_feedback_is_asked_for_in_between(bureau: SupervisionBench) -> None:
    _, items = bureau.under_way(cycle="none")
    item = items["flood"]
    bureau.update("gao", ITEM, item, action="askReport", askedReportOn=bureau.day(2))
    assert [one["dueOn"] for one in bureau.of(REPORT, item)] == [bureau.day(2)]
    assert refusal(
        lambda: bureau.update("fang", ITEM, item, action="askReport", askedReportOn=bureau.day(-1))
    ).properties == ["askedReportOn"]
    assert refusal(lambda: bureau.update("ding", ITEM, item, action="addReport", askedReportOn=bureau.day(0))).type in (
        "forbidden",
        "notFound",
    )
    bureau.update("feng", ITEM, item, action="addReport", askedReportOn=bureau.day(0))
    assert [one["dueOn"] for one in bureau.of(REPORT, item)] == [bureau.day(0), bureau.day(2)]


def test_a_sleep_of_weeks_is_made_up_for_once_over_a_restart(bureau: SupervisionBench) -> None:
    _, items = bureau.under_way(deadline=bureau.day(60), cycle="weekly", cycleDay=5, supportUnits=[])
    bureau.clock.advance(25 * DAY)
    old = bureau.office
    bureau.office = Office(bureau.database, bureau.clock, bureau.blobs, old.context.say, folder=bureau.modules)
    bureau.settle()
    bureau.settle()
    found = bureau.of(REPORT, items["flood"])
    assert [(one["dueOn"], one["state"]) for one in found] == [
        ("2025-11-28", "missing"),
        ("2025-12-05", "missing"),
        ("2025-12-12", "missing"),
        ("2025-12-19", "waiting"),  # today
    ]
    assert bureau.field(ITEM, items["flood"], "missedReports", "nextReportOn") == (3, "2025-12-26")


def test_what_is_done_is_not_reported_on(bureau: SupervisionBench) -> None:
    _, items = bureau.under_way(cycle="weekly", cycleDay=3)
    bureau.pass_days(1)
    bureau.finish("feng", items["flood"])
    assert [one["state"] for one in bureau.of(REPORT, items["flood"])] == ["waived"]
    bureau.pass_days(15)
    assert len(bureau.of(REPORT, items["flood"])) == 1
    assert len(bureau.of(REPORT, items["works"])) == 3


def test_who_it_was_passed_on_to_reports_and_is_urged(bureau: SupervisionBench) -> None:
    matter = bureau.issued(bureau.matter(cycle="weekly", cycleDay=5, supportUnits=[]))
    item = bureau.items(matter)["flood"]
    bureau.act("feng", ITEM, item, values={"responsibleIds": [bureau.person("jiang")]})  # the head names his man
    assert bureau.waiting(item, "fang") == {"work": ["jiang"]}
    bureau.act("jiang", ITEM, item, "transfer", to=["yan"], opinion="休假")
    assert [bureau.name(one) for one in bureau.field(ITEM, item, "responsibleIds")] == ["yan"]
    bureau.pass_days(3)
    (one,) = bureau.of(REPORT, item)
    assert [bureau.name(key) for key in one["personIds"]] == ["yan"]
    assert refusal(lambda: bureau.report("jiang", one["id"])).type == "forbidden"  # no more his to say
    bureau.act("yan", ITEM, item, "transfer", to=["feng"], opinion="回处")
    assert [bureau.name(key) for key in bureau.field(REPORT, one["id"], "personIds")] == ["feng"]
    bureau.report("feng", one["id"])
    assert bureau.field(REPORT, one["id"], "submittedById") == bureau.person("feng")
    assert bureau.field(ITEM, item, "progress") == 40


def test_feedback_moves_off_days_nobody_works_on_and_two_that_meet_are_one(bureau: SupervisionBench) -> None:
    bureau.clock.advance(33 * DAY)  # Saturday 27 December 2025
    assert bureau.today.isoformat() == "2025-12-27"
    _, items = bureau.under_way(deadline="2026-03-31", cycle="weekly", cycleDay=4, supportUnits=[])
    item = items["flood"]
    assert bureau.field(ITEM, item, "nextReportOn") == "2026-01-04"
    bureau.pass_days(70)
    seen = [one["dueOn"] for one in bureau.of(REPORT, item)]
    assert seen[0] == "2026-01-04", "Thursday 1 January is a holiday, Sunday the 4th is worked for it"
    assert seen[1:6] == ["2026-01-08", "2026-01-15", "2026-01-22", "2026-01-29", "2026-02-05"]
    assert "2026-02-19" not in seen, "Spring Festival"
    assert seen[6:9] == ["2026-02-12", "2026-02-24", "2026-02-26"]
    assert len(seen) == len(set(seen))


# ---------------------------------------------------------------- urging


def test_urging_and_yellow_cards(bureau: SupervisionBench) -> None:
    _, items = bureau.under_way(cycle="none")
    item = items["flood"]
    given = {"itemId": item, "details": "请于本周内完成"}
    assert refusal(lambda: bureau.create("fang", URGE, kind="yellow", **given)).properties == ["kind"]
    urge = bureau.create("fang", URGE, key="u", **given)
    assert bureau.alerts("feng", "urge") == ["督办催办：请于本周内完成"]
    bureau.clock.advance(1000)
    bureau.create("gao", URGE, key="y", kind="yellow", **given)  # urged for before
    assert bureau.field(ITEM, item, "urges", "yellowCards") == (1, 1)
    assert refusal(lambda: bureau.create("sun", URGE, key="s", **given)).type == "forbidden"  # not handed out by him
    assert refusal(lambda: bureau.update("feng", URGE, urge, action="answer")).properties == ["answer"]
    bureau.update("feng", URGE, urge, action="answer", answer="周五前完成")
    assert any("周五前完成" in one for one in bureau.alerts("fang", "advance"))
    bureau.finish("feng", item)
    assert bureau.field(ITEM, item, "points") == 7.5
    assert refusal(lambda: bureau.create("fang", URGE, key="z", **given)).properties == ["itemId"]


# ---------------------------------------------------------------- extensions


def test_an_item_is_extended_within_its_matter(bureau: SupervisionBench) -> None:
    matter = bureau.matter(supportUnits=[])
    item = bureau.create(
        "fang", ITEM, title="一期", matterId=matter, departmentId=bureau.departments["flood"], deadline=bureau.day(5)
    )
    bureau.issued(matter)
    given = {"matterId": matter, "itemId": item, "reason": "等待设备"}
    for wrong in (bureau.day(5), bureau.day(3), bureau.day(40)):
        asking = partial(bureau.create, "feng", EXTENSION, newDeadline=wrong, **given)
        assert refusal(asking).properties == ["newDeadline"]
    assert refusal(lambda: bureau.create("wu", EXTENSION, newDeadline=bureau.day(9), **given)).type in (
        "forbidden",
        "invalidProperties",
    )
    record = bureau.create("feng", EXTENSION, key="e", newDeadline=bureau.day(9), **given)
    assert refusal(
        lambda: bureau.create("feng", EXTENSION, key="f", newDeadline=bureau.day(8), **given)
    ).properties == ["newDeadline"]
    bureau.act("feng", EXTENSION, record, "submit")
    bureau.act("fang", EXTENSION, record, "refuse", opinion="理由不充分")
    assert bureau.field(EXTENSION, record, "state") == "refused"
    assert bureau.field(ITEM, item, "deadline") == bureau.day(5)
    again = bureau.create("feng", EXTENSION, key="g", newDeadline=bureau.day(9), **given)
    bureau.act("feng", EXTENSION, again, "submit")
    bureau.act("fang", EXTENSION, again)
    bureau.act("gao", EXTENSION, again, values={"newDeadline": bureau.day(7)})  # not as long as asked for
    assert bureau.field(ITEM, item, "deadline", "originalDeadline") == (bureau.day(7), bureau.day(5))
    assert bureau.field(MATTER, matter, "deadline", "extensions") == (bureau.day(19), 0)


def test_what_was_done_meanwhile_is_not_extended(bureau: SupervisionBench) -> None:
    matter, items = bureau.under_way(supportUnits=[])
    record = bureau.create("feng", EXTENSION, matterId=matter, newDeadline=bureau.day(30), reason="x")
    bureau.act("feng", EXTENSION, record, "submit")
    bureau.finish("feng", items["flood"])
    bureau.conclude(matter)
    assert refusal(lambda: bureau.act("fang", EXTENSION, record)).properties == ["matterId"]
    bureau.act("fang", EXTENSION, record, "refuse", opinion="已办结")
    assert bureau.field(EXTENSION, record, "state") == "refused"
