"""IT 服务、来访、签报: dispatch and confirmation, the gate, approvers picked step by step; voiding by the superior; the ledger that reports count."""

from typing import Any

import pytest

from tests.modules.approvals.approvals_bench import ApprovalsBench, day, days, span
from tests.modules.office_bench import refusal

IT = "ServiceRequest"

HEAD, LEADER = "部门负责人审批｜Head of department", "分管领导审批｜Leader in charge"


def chosen(bureau: ApprovalsBench, step: str, *people: str) -> dict[str, list[str]]:
    return {step: [bureau.person(one) for one in people]}


def service(bureau: ApprovalsBench, who: str = "jiang") -> str:
    return bureau.submitted(IT, who, subject="打印机卡纸", kind="printer", place="主楼 103")


def test_it_is_dispatched_done_and_confirmed(bureau: ApprovalsBench) -> None:
    record = service(bureau)
    assert bureau.waiting(record, "jiang") == {"dispatch": ["root"]}
    assert refusal(lambda: bureau.act("root", IT, record, outcome="dispatched")).properties == ["chosen"]
    bureau.act(
        "root", IT, record, outcome="dispatched", chosen=chosen(bureau, "handle", "wu"), values={"urgency": "urgent"}
    )
    assert (bureau.waiting(record, "jiang"), bureau.state_of(IT, record)) == ({"handle": ["wu"]}, "handling")
    assert refusal(lambda: bureau.act("wu", IT, record, outcome="handled")).properties == ["solution"]
    bureau.act("wu", IT, record, outcome="handled", values={"solution": "清理搓纸轮", "minutes": 20})
    assert bureau.waiting(record, "jiang") == {"confirm": ["jiang"]}
    bureau.act("jiang", IT, record, "return", opinion="还是卡")
    assert bureau.waiting(record, "jiang") == {"handle": ["wu"]}
    bureau.act("wu", IT, record, outcome="handled", values={"solution": "更换搓纸轮", "minutes": 60})
    bureau.act("jiang", IT, record, outcome="solved", values={"score": "good"})
    shown = bureau.show(IT, record, "jiang")
    assert (shown["state"], shown["minutes"], shown["score"], shown["urgency"]) == ("passed", 60, "good", "urgent")


def test_what_nobody_confirms_is_solved_after_three_working_days(bureau: ApprovalsBench) -> None:
    record = service(bureau)
    bureau.act("root", IT, record, outcome="dispatched", chosen=chosen(bureau, "handle", "wu"))
    bureau.act("wu", IT, record, outcome="handled", values={"solution": "好了"})
    bureau.clock.advance(4 * 24 * 3_600_000)
    while bureau.run_due():
        pass
    assert bureau.state_of(IT, record) == "passed"


# ---------------------------------------------------------------- visitors


def visit(bureau: ApprovalsBench, **properties: Any) -> str:
    given = {"unit": "市水利局", "visitor": "钱工", "purpose": "验收检查", "time": span("11-25 09:00", "11-25 11:00")}
    return bureau.submitted("Visit", **{**given, "hostId": bureau.person("yan"), **properties})


def test_visitors_come_and_go(bureau: ApprovalsBench) -> None:
    record = visit(bureau, phone="0512-1234567")
    assert bureau.waiting(record, "jiang") == {"host": ["yan"]}
    bureau.act("yan", "Visit", record)
    assert bureau.waiting(record, "jiang") == {"arrive": ["liu"]}
    assert bureau.show("Visit", record, "liu")["phone"] == "0512-1234567"
    bureau.act("liu", "Visit", record, outcome="arrived", values={"badge": "007"})
    shown = bureau.show("Visit", record, "jiang")
    assert (shown["state"], shown["badge"], "arrivedAt" in shown, "leftAt" in shown) == ("visiting", "007", True, False)
    bureau.act("liu", "Visit", record, outcome="left")
    shown = bureau.show("Visit", record, "jiang")
    assert (shown["state"], shown["leftAt"] > shown["arrivedAt"]) == ("passed", True)


@pytest.mark.parametrize(
    ("properties", "step"), [({"count": 11}, "head"), ({"area": "server"}, "head"), ({"count": 10}, "host")]
)
def test_many_or_to_the_server_room_the_head_decides(
    bureau: ApprovalsBench, properties: dict[str, Any], step: str
) -> None:
    assert list(bureau.waiting(visit(bureau, **properties), "jiang")) == [step]


def test_who_does_not_come_is_noted(bureau: ApprovalsBench) -> None:
    record = visit(bureau, hostId=bureau.person("jiang"))
    assert bureau.waiting(record, "jiang") == {"arrive": ["liu"]}  # the applicant himself receives them
    bureau.act("liu", "Visit", record, "refuse", outcome="missed")
    assert (bureau.state_of("Visit", record), bureau.waiting(record, "jiang")) == ("missed", {})
    assert bureau.entry(record)["state"] == "cancelled"


# ---------------------------------------------------------------- memos


def memo(bureau: ApprovalsBench) -> str:
    return bureau.file_("Memo", subject="关于购置冲锋舟的请示", body="拟购置两艘。")


def test_the_applicant_picks_who_decides_step_by_step(bureau: ApprovalsBench) -> None:
    record = memo(bureau)
    assert refusal(lambda: bureau.act("jiang", "Memo", record, "submit")).properties == ["chosen"]
    assert refusal(
        lambda: bureau.act("jiang", "Memo", record, "submit", chosen=chosen(bureau, "sign", "jiang"))
    ).properties == ["chosen"]
    bureau.act("jiang", "Memo", record, "submit", chosen=chosen(bureau, "sign", "feng", "qian"))
    assert bureau.waiting(record, "jiang") == {"sign": ["feng"]}  # one after the other
    bureau.act("feng", "Memo", record)
    assert bureau.waiting(record, "jiang") == {"sign": ["qian"]}
    bureau.act("qian", "Memo", record, opinion="预算可行")
    assert bureau.waiting(record, "jiang") == {"next": ["jiang"]}
    assert refusal(lambda: bureau.act("jiang", "Memo", record, outcome="more")).properties == ["chosen"]
    bureau.act("jiang", "Memo", record, outcome="more", chosen=chosen(bureau, "sign", "gao"))
    assert bureau.waiting(record, "jiang") == {"sign": ["gao"]}
    bureau.act("gao", "Memo", record)
    bureau.act("jiang", "Memo", record, outcome="finished")
    assert bureau.state_of("Memo", record) == "passed"
    assert [one for one in bureau.story(record, "jiang") if "sign" in one] == [
        "feng approve sign",
        "qian approve sign",
        "gao approve sign",
    ]


def test_one_refusal_ends_a_memo(bureau: ApprovalsBench) -> None:
    record = memo(bureau)
    bureau.act("jiang", "Memo", record, "submit", chosen=chosen(bureau, "sign", "feng", "qian"))
    assert refusal(lambda: bureau.act("feng", "Memo", record, "refuse")).properties == ["opinion"]
    bureau.act("feng", "Memo", record, "refuse", opinion="暂缓")
    assert (bureau.state_of("Memo", record), bureau.todos("qian")) == ("refused", [])


def test_a_memo_is_transferred(bureau: ApprovalsBench) -> None:
    record = memo(bureau)
    bureau.act("jiang", "Memo", record, "submit", chosen=chosen(bureau, "sign", "feng"))
    bureau.act("feng", "Memo", record, "transfer", to=["yan"])
    assert bureau.waiting(record, "jiang") == {"sign": ["yan"]}
    bureau.act("yan", "Memo", record)
    assert bureau.waiting(record, "jiang") == {"next": ["jiang"]}


# ---------------------------------------------------------------- voiding


def passed_leave(bureau: ApprovalsBench) -> str:
    bureau.balance("jiang", "annual", entitled=5)
    record = bureau.submitted("Leave", kind="annual", time=days("11-26", "11-27"), reason="休假")
    return bureau.passed("Leave", record, "feng")


def test_what_has_passed_is_voided_by_the_superior_alone(bureau: ApprovalsBench) -> None:
    record = passed_leave(bureau)
    assert bureau.left("jiang", "annual") == (0, 2, 3)
    assert refusal(lambda: bureau.update("jiang", "Leave", record, state="voided")).properties
    assert refusal(lambda: bureau.update("feng", "Leave", record, action="askVoid", voidReason="x")).type == "forbidden"
    bureau.update("jiang", "Leave", record, action="askVoid", voidReason="任务取消")
    (voiding,) = bureau.all("feng", "Voiding")
    assert (voiding["recordNumber"], voiding["kind"], voiding["number"]) == ("QJ-2025-0001", "leave", "ZF-2025-0001")
    assert "recordId" not in voiding
    assert refusal(lambda: bureau.update("jiang", "Leave", record, action="askVoid", voidReason="再来")).properties == [
        "voidReason"
    ]
    assert bureau.waiting(voiding["id"], "jiang") == {"superior": ["feng"]}
    bureau.act("feng", "Voiding", voiding["id"])
    assert (bureau.state_of("Leave", record), bureau.state_of("Voiding", voiding["id"])) == ("voided", "passed")
    assert bureau.left("jiang", "annual") == (0, 0, 5)
    assert bureau.entry(record)["state"] == "voided"


def test_a_voiding_refused_may_be_asked_for_again(bureau: ApprovalsBench) -> None:
    record = passed_leave(bureau)
    bureau.update("jiang", "Leave", record, action="askVoid", voidReason="任务取消")
    (voiding,) = bureau.all("jiang", "Voiding")
    bureau.act("feng", "Voiding", voiding["id"], "refuse", opinion="已经休了")
    shown = bureau.show("Leave", record, "jiang")
    assert (shown["state"], shown.get("voidReason")) == ("passed", None)
    bureau.update("jiang", "Leave", record, action="askVoid", voidReason="确实没休")


def test_a_voiding_may_name_a_number_of_one_s_own(bureau: ApprovalsBench) -> None:
    passed_leave(bureau)
    for who, number in (("yan", "QJ-2025-0001"), ("jiang", "QJ-2025-0009")):
        error = refusal(lambda who=who, number=number: bureau.file_("Voiding", who, recordNumber=number, reason="x"))  # type: ignore[misc]
        assert error.properties == ["recordNumber"]
    voiding = bureau.submitted("Voiding", recordNumber="QJ-2025-0001", reason="未休")
    assert refusal(lambda: bureau.submitted("Voiding", recordNumber="QJ-2025-0001", reason="再来")).properties == [
        "recordNumber"
    ]
    bureau.act("feng", "Voiding", voiding)
    assert bureau.left("jiang", "annual") == (0, 0, 5)


def test_only_what_has_passed_is_voided(bureau: ApprovalsBench) -> None:
    record = bureau.submitted("Leave", kind="personal", time=day("11-26"), reason="有事")
    assert refusal(lambda: bureau.file_("Voiding", recordNumber="QJ-2025-0001", reason="x")).properties == [
        "recordNumber"
    ]
    assert refusal(lambda: bureau.update("jiang", "Leave", record, action="askVoid", voidReason="x")).properties == [
        "state"
    ]


# ---------------------------------------------------------------- the ledger


def test_the_ledger_follows_each_application(bureau: ApprovalsBench) -> None:
    bureau.wait_until("11-25 09:00")
    record = bureau.submitted("Leave", kind="personal", time=days("12-08", "12-12"), reason="有事")
    entry = bureau.entry(record)
    assert (entry["kind"], entry["state"], entry["stepName"], entry["number"]) == (
        "leave",
        "pending",
        HEAD,
        "QJ-2025-0001",
    )
    assert (bureau.name(entry["applicantId"]), entry["departmentId"]) == ("jiang", bureau.departments["flood"])
    bureau.act("feng", "Leave", record, "return", opinion="写明原因")
    assert bureau.entry(record)["state"] == "returned"
    bureau.act("jiang", "Leave", record, "submit", values={"reason": "家人手术"})
    bureau.clock.advance(2 * 3_600_000)
    bureau.act("feng", "Leave", record)
    assert (bureau.entry(record)["stepName"], bureau.entry(record)["state"]) == (LEADER, "pending")
    bureau.act("feng", "Leave", record, "withdraw")
    assert bureau.entry(record)["stepName"] == HEAD
    bureau.act("feng", "Leave", record)
    bureau.clock.advance(24 * 3_600_000)
    bureau.act("sun", "Leave", record, "refuse", opinion="汛期不安排")
    entry = bureau.entry(record)
    assert (entry["state"], entry["reason"], entry["refusedAt"], bureau.name(entry["refusedById"])) == (
        "refused",
        "汛期不安排",
        LEADER,
        "sun",
    )
    assert (entry["hours"], "stepName" in entry) == (9.5, False)  # two hours and a working day
    steps = {one["stepName"]: one for one in bureau.all("gao", "ApprovalStep")}
    assert {name: (one["hours"], bureau.name(one["personId"])) for name, one in steps.items()} == {
        HEAD: (2.0, "feng"),
        LEADER: (7.5, "sun"),
    }


def test_the_ledger_is_nobody_s_to_write_and_not_everybody_s_to_read(bureau: ApprovalsBench) -> None:
    record = bureau.submitted("Leave", kind="personal", time=day("11-26"), reason="有事")
    (entry,) = bureau.all("jiang", "ApprovalEntry")
    assert "recordId" not in entry
    assert bureau.all("wu", "ApprovalEntry") == bureau.all("yan", "ApprovalEntry") == []
    assert len(bureau.all("feng", "ApprovalEntry")) == 1  # the head of the department
    for who in ("jiang", "gao", "root"):
        assert refusal(lambda who=who: bureau.update(who, "ApprovalEntry", entry["id"], hours=1)).type == "forbidden"  # type: ignore[misc]
        assert refusal(lambda who=who: bureau.create(who, "ApprovalEntry", kind="leave")).type == "forbidden"  # type: ignore[misc]
    bureau.act("feng", "Leave", record)
    assert bureau.entry(record)["state"] == "passed"


def test_copies_are_read_after_the_end_only(bureau: ApprovalsBench) -> None:
    record = bureau.submitted(
        "Outing", reason="送材料", place="县政府", time=span("11-26 14:00", "11-26 16:00"), ccIds=[bureau.person("yan")]
    )
    assert bureau.todos("yan") == []
    bureau.act("feng", "Outing", record)
    assert bureau.todos("yan") == ["step:head"]
    other = bureau.submitted(
        "Outing", reason="办事", place="银行", time=span("11-27 14:00", "11-27 16:00"), ccIds=[bureau.person("wu")]
    )
    bureau.act("feng", "Outing", other, "refuse", opinion="不必")
    assert bureau.todos("wu") == []
