"""季度通报: counted from the items, ranked by points, signed by a leader, seen by everybody, then never counted anew."""

from tests.modules.office_bench import refusal
from tests.modules.supervision.supervision_bench import CIRCULAR, URGE, SupervisionBench


def quarter(bureau: SupervisionBench, **properties: object) -> str:
    return bureau.create("fang", CIRCULAR, key=f"c{bureau.clock.now_ms()}", year=2025, quarter="q4", **properties)


def test_a_quarter_in_figures(bureau: SupervisionBench) -> None:
    _, items = bureau.under_way(deadline=bureau.day(4), cycle="none")
    bureau.create("fang", URGE, itemId=items["works"], details="请抓紧")
    bureau.finish("feng", items["flood"])
    bureau.pass_days(7)
    record = quarter(bureau)
    shown = bureau.show(CIRCULAR, record, "fang")
    names = {value: key for key, value in bureau.departments.items()}
    rows = [{**one, "departmentId": names[one["departmentId"]]} for one in shown["lines"]]
    assert [(one["departmentId"], one["points"]) for one in rows] == [("flood", 10), ("works", 0)]
    first, second = rows
    assert (first["issued"], first["done"], first["onTime"], first["inHand"], first["averageDelay"]) == (1, 1, 1, 0, 0)
    assert (second["issued"], second["done"], second["overdue"], second["averageDelay"], second["urges"]) == (
        1,
        0,
        1,
        3,
        2,
    )
    assert (shown["issuedTotal"], shown["doneTotal"], shown["overdueTotal"], shown["onTimeRate"]) == (2, 1, 1, 100)
    assert (shown["title"], shown["fromDay"], shown["toDay"]) == (
        "2025年第四季度督查督办工作情况通报",
        "2025-10-01",
        "2025-12-31",
    )
    assert "超期未结1项" in shown["foreword"]
    assert shown["overdueList"] == "工程科：山洪预警设备检修（期限2025-11-28，超期3天）"


def test_it_is_counted_again_signed_and_stays(bureau: SupervisionBench) -> None:
    _, items = bureau.under_way(cycle="none")
    record = quarter(bureau)
    assert bureau.field(CIRCULAR, record, "doneTotal") == 0
    bureau.finish("feng", items["flood"])
    bureau.update("fang", CIRCULAR, record, action="recount")
    assert bureau.field(CIRCULAR, record, "doneTotal") == 1
    assert "办结1项" in bureau.field(CIRCULAR, record, "foreword")
    bureau.update("fang", CIRCULAR, record, remarks="总体较好", foreword="四季度督办工作推进有力。")
    bureau.update("fang", CIRCULAR, record, action="recount")
    assert bureau.field(CIRCULAR, record, "foreword") == "四季度督办工作推进有力。"  # a person's words stay
    assert bureau.get("jiang", CIRCULAR, record) is None
    bureau.update("fang", CIRCULAR, record, action="submit")
    assert "publish" in bureau.todos("gao")
    assert refusal(lambda: bureau.update("fang", CIRCULAR, record, action="publish")).type == "forbidden"
    bureau.update("gao", CIRCULAR, record, action="publish", opinion="印发")
    assert bureau.field(CIRCULAR, record, "number", "publishedOn", who="jiang") == ("督查通报〔2025〕1号", "2025-11-24")
    assert bureau.alerts("feng", "advance")[-1] == "督查通报已印发" or "督查通报已印发" in bureau.alerts(
        "feng", "advance"
    )
    assert refusal(lambda: bureau.update("fang", CIRCULAR, record, action="recount"))
    bureau.finish("ding", items["works"])
    assert bureau.field(CIRCULAR, record, "doneTotal") == 1


def test_one_circular_a_quarter_and_none_of_one_to_come(bureau: SupervisionBench) -> None:
    quarter(bureau)
    bureau.clock.advance(1000)
    assert set(refusal(lambda: quarter(bureau)).properties or ()) <= {"year", "quarter"}
    assert refusal(lambda: bureau.create("fang", CIRCULAR, key="n", year=2026, quarter="q1")).properties == ["quarter"]
    assert refusal(lambda: bureau.create("jiang", CIRCULAR, key="j", year=2025, quarter="q3")).type == "forbidden"
    assert bureau.create("fang", CIRCULAR, key="e", year=2025, quarter="q3")  # a quarter without anything
