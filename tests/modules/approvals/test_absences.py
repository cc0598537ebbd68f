"""请假、出差、外出、加班: who decides, days by the working calendar, balances held, taken and given back, no two absences at once."""

from typing import Any

import pytest

from tests.modules.approvals.approvals_bench import ApprovalsBench, day, days, moment, span
from tests.modules.office_bench import refusal

LEAVE = "Leave"


def leave(bureau: ApprovalsBench, who: str = "jiang", **properties: object) -> str:
    given = {"kind": "personal", "time": day("11-26"), "reason": "家中有事", **properties}
    return bureau.file_(LEAVE, who, **given)


def test_a_short_leave_is_the_head_s_alone(bureau: ApprovalsBench) -> None:
    record = leave(bureau)
    assert "number" not in bureau.show(LEAVE, record, "jiang")
    bureau.act("jiang", LEAVE, record, "submit")
    shown = bureau.show(LEAVE, record, "jiang")
    assert (shown["state"], shown["number"], shown["days"], shown["year"]) == ("pending", "QJ-2025-0001", 1, 2025)
    assert shown["departmentId"] == bureau.departments["flood"]
    assert bureau.waiting(record, "jiang") == {"head": ["feng"]}
    bureau.act("feng", LEAVE, record)
    assert bureau.state_of(LEAVE, record) == "passed"
    assert bureau.case(record, "jiang")["state"] == "completed"
    assert bureau.story(record, "jiang") == ["jiang submit apply", "feng approve head", "end"]


@pytest.mark.parametrize(
    ("time", "counted", "steps"),
    [
        (days("11-26", "11-28"), 3, {}),
        (span("11-26 08:30", "12-01 12:00"), 3.5, {"leader": ["sun"]}),
        (days("11-24", "11-28"), 5, {"leader": ["sun"]}),
        (span("11-26 08:30", "11-26 12:00"), 0.5, {}),
        (span("11-26 13:00", "11-26 13:31"), 0.5, {}),
        (days("11-28", "12-01"), 2, {}),
        (span("09-30 08:30", "10-09 17:30"), 2, {}),
        (span("09-28 08:30", "09-28 17:30"), 1, {}),
    ],
    ids=[
        "three",
        "three and a half",
        "five",
        "morning",
        "begun half",
        "over a weekend",
        "national day",
        "make-up Sunday",
    ],
)
def test_days_are_working_days_and_more_than_three_go_to_the_leader(
    bureau: ApprovalsBench, time: dict[str, str], counted: float, steps: dict[str, list[str]]
) -> None:
    record = leave(bureau, time=time)
    assert bureau.show(LEAVE, record, "jiang")["days"] == counted
    bureau.act("jiang", LEAVE, record, "submit")
    bureau.act("feng", LEAVE, record)
    assert bureau.waiting(record, "jiang") == steps
    if steps:
        bureau.act("sun", LEAVE, record)
    assert bureau.state_of(LEAVE, record) == "passed"


def test_maternity_leave_counts_every_day(bureau: ApprovalsBench) -> None:
    record = leave(bureau, kind="maternity", time=days("08-01", "11-06"))
    assert bureau.show(LEAVE, record, "jiang")["days"] == 98


@pytest.mark.parametrize(
    "time", [span("11-29 08:30", "11-30 17:30"), span("11-26 18:00", "11-26 20:00")], ids=["weekend", "evening"]
)
def test_a_leave_without_working_time_is_refused(bureau: ApprovalsBench, time: dict[str, str]) -> None:
    assert refusal(lambda: leave(bureau, time=time)).properties == ["time"]


def test_a_leave_over_new_year_counts_to_the_year_it_begins_in(bureau: ApprovalsBench) -> None:
    bureau.balance("jiang", "annual", entitled=5)
    record = bureau.submitted(LEAVE, kind="annual", time=span("12-30 08:30", "2026-01-05 17:30"), reason="休假")
    shown = bureau.show(LEAVE, record, "jiang")
    assert (shown["year"], shown["days"]) == (2025, 4)  # 30, 31 December, the make-up Sunday, 5 January
    assert bureau.left("jiang", "annual") == (4, 0, 1)


def test_a_head_s_own_leave_goes_above_and_nobody_decides_on_his_own(bureau: ApprovalsBench) -> None:
    record = leave(bureau, "feng", time=days("11-24", "11-28"))
    bureau.act("feng", LEAVE, record, "submit")
    assert bureau.waiting(record, "feng") == {"head": ["sun"]}
    bureau.act("sun", LEAVE, record)  # the leader would be sun again: passed by
    assert bureau.state_of(LEAVE, record, "feng") == "passed"
    highest = leave(bureau, "gao", time=days("11-24", "11-28"))
    bureau.act("gao", LEAVE, highest, "submit")
    assert "gao" not in [who for people in bureau.waiting(highest, "gao").values() for who in people]


# ---------------------------------------------------------------- balances


def test_a_balance_is_held_then_taken(bureau: ApprovalsBench) -> None:
    bureau.balance("jiang", "annual", entitled=5, carried=1)
    record = bureau.submitted(LEAVE, kind="annual", time=days("11-26", "11-28"), reason="休假")
    assert bureau.left("jiang", "annual") == (3, 0, 3)
    bureau.act("feng", LEAVE, record)
    assert bureau.left("jiang", "annual") == (0, 3, 3)


@pytest.mark.parametrize("how", ["refuse", "return", "withdraw", "cancel"])
def test_what_is_held_is_given_back(bureau: ApprovalsBench, how: str) -> None:
    bureau.balance("jiang", "annual", entitled=5)
    record = bureau.submitted(LEAVE, kind="annual", time=days("11-26", "11-28"), reason="休假")
    if how == "cancel":
        bureau.update("jiang", LEAVE, record, action="cancel")
    elif how == "withdraw":
        bureau.act("jiang", LEAVE, record, "withdraw")
    else:
        bureau.act("feng", LEAVE, record, how, opinion="汛期不准假")
    assert bureau.left("jiang", "annual") == (0, 0, 5)
    ended = {"refuse": "refused", "cancel": "cancelled"}.get(how, "draft")
    assert bureau.state_of(LEAVE, record) == ended
    if ended == "draft":
        bureau.act("jiang", LEAVE, record, "submit")
        assert bureau.left("jiang", "annual") == (3, 0, 2)
    else:
        assert bureau.case(record, "jiang")["state"] != "running"
        assert bureau.waiting(record, "jiang") == {}


def test_back_early_gives_back_what_was_not_used(bureau: ApprovalsBench) -> None:
    bureau.balance("jiang", "annual", entitled=5)
    record = bureau.submitted(LEAVE, kind="annual", time=days("11-24", "11-28"), reason="休假")
    bureau.passed(LEAVE, record, "feng", "sun")
    assert bureau.left("jiang", "annual") == (0, 5, 0)
    assert refusal(lambda: bureau.update("jiang", LEAVE, record, action="reportBack")).properties == ["backAt"]
    bureau.update("jiang", LEAVE, record, action="reportBack", backAt=moment("11-26 12:00"))
    shown = bureau.show(LEAVE, record, "jiang")
    assert (shown["state"], shown["takenDays"]) == ("closed", 2.5)
    assert bureau.left("jiang", "annual") == (0, 2.5, 2.5)
    bureau.submitted(
        LEAVE, kind="annual", time=span("11-26 13:30", "11-28 17:30"), reason="又有事"
    )  # the rest is free again
    assert bureau.left("jiang", "annual") == (2.5, 2.5, 0)


def test_never_having_left_costs_nothing(bureau: ApprovalsBench) -> None:
    bureau.balance("jiang", "annual", entitled=5)
    record = bureau.passed(LEAVE, bureau.submitted(LEAVE, kind="annual", time=day("11-28"), reason="休假"), "feng")
    bureau.update("jiang", LEAVE, record, action="reportBack", backAt=moment("11-27 09:00"))
    assert bureau.left("jiang", "annual") == (0, 0, 5)


def test_no_more_than_there_is(bureau: ApprovalsBench) -> None:
    bureau.balance("jiang", "annual", entitled=3)
    bureau.submitted(LEAVE, kind="annual", time=days("11-24", "11-25"), reason="休假")
    second = leave(bureau, kind="annual", time=days("11-26", "11-27"))
    error = refusal(lambda: bureau.act("jiang", LEAVE, second, "submit"))
    assert (error.properties, "1 days" in str(error)) == (["time"], True)
    assert bureau.state_of(LEAVE, second) == "draft"
    assert bureau.left("jiang", "annual") == (2, 0, 1)
    bureau.update("jiang", LEAVE, second, time=day("11-26"))
    bureau.act("jiang", LEAVE, second, "submit")
    assert bureau.left("jiang", "annual") == (3, 0, 0)


def test_what_nobody_was_given_nobody_has(bureau: ApprovalsBench) -> None:
    for kind in ("annual", "marriage", "maternity", "compensatory"):
        record = leave(bureau, kind=kind)
        assert refusal(lambda record=record: bureau.act("jiang", LEAVE, record, "submit")).properties == ["time"]  # type: ignore[misc]


def test_leave_without_a_limit_is_counted_all_the_same(bureau: ApprovalsBench) -> None:
    record = leave(bureau)
    bureau.act("jiang", LEAVE, record, "submit")
    bureau.act("feng", LEAVE, record)
    assert bureau.left("jiang", "personal")[:2] == (0, 1)
    assert [one["limited"] for one in bureau.all("fang", "LeaveBalance")] == [False]


def test_years_are_apart(bureau: ApprovalsBench) -> None:
    bureau.balance("jiang", "annual", 2025, entitled=5)
    bureau.balance("jiang", "annual", 2026, entitled=10)
    bureau.submitted(LEAVE, kind="annual", time=span("2026-01-06 08:30", "2026-01-07 17:30"), reason="休假")
    assert (bureau.left("jiang", "annual", 2025), bureau.left("jiang", "annual", 2026)) == ((0, 0, 5), (2, 0, 8))


def test_balances_are_the_personnel_office_s_and_never_below_what_is_used(bureau: ApprovalsBench) -> None:
    id_ = bureau.balance("jiang", "annual", entitled=5)
    bureau.submitted(LEAVE, kind="annual", time=days("11-26", "11-28"), reason="休假")
    assert refusal(lambda: bureau.update("jiang", "LeaveBalance", id_, entitled=50)).type == "forbidden"
    assert refusal(lambda: bureau.update("fang", "LeaveBalance", id_, entitled=2)).properties == ["entitled"]
    bureau.update("fang", "LeaveBalance", id_, entitled=3)
    assert bureau.left("jiang", "annual") == (3, 0, 0)
    assert refusal(lambda: bureau.destroy("fang", "LeaveBalance", id_)).properties == ["used"]
    assert refusal(lambda: bureau.update("fang", "LeaveBalance", id_, taken=1)).type in (
        "forbidden",
        "invalidProperties",
    )
    assert bureau.all("wu", "LeaveBalance") == []
    assert len(bureau.all("feng", "LeaveBalance")) == 1  # the superior sees it
    assert refusal(
        lambda: bureau.create("fang", "LeaveBalance", personId=bureau.person("jiang"), year=2025, kind="annual")
    ).properties


def test_a_balance_made_later_knows_what_was_used(bureau: ApprovalsBench) -> None:
    record = leave(bureau, kind="sick")
    bureau.act("jiang", LEAVE, record, "submit")
    assert bureau.left("jiang", "sick")[0] == 1
    assert refusal(lambda: bureau.balance("jiang", "sick", entitled=0)).properties  # there is one by now
    id_ = bureau.create("fang", "LeaveBalance", key="now", personId=bureau.person("wu"), kind="annual", entitled=5)
    assert bureau.show("LeaveBalance", id_, "fang")["year"] == 2025  # this year's, when none is said


# ---------------------------------------------------------------- certificates and overlaps


def test_long_sick_leave_needs_a_certificate(bureau: ApprovalsBench) -> None:
    short = leave(bureau, kind="sick", time=days("11-26", "11-28"))
    bureau.act("jiang", LEAVE, short, "submit")
    long = leave(bureau, "yan", kind="sick", time=days("11-25", "11-28"))
    assert refusal(lambda: bureau.act("yan", LEAVE, long, "submit")).properties == ["certificate"]
    bureau.update("yan", LEAVE, long, certificate=[bureau.file("yan", name="诊断证明.pdf")])
    bureau.act("yan", LEAVE, long, "submit")
    assert bureau.waiting(long, "yan") == {"head": ["feng"]}


@pytest.mark.parametrize(
    ("time", "refused"),
    [
        (span("11-26 13:30", "11-27 12:00"), True),
        (days("11-24", "11-28"), True),
        (day("11-25"), False),
        (span("11-27 08:30", "11-27 12:00"), False),
    ],
    ids=["crosses", "around", "day before", "day after"],
)
def test_one_absence_at_a_time(bureau: ApprovalsBench, time: dict[str, str], refused: bool) -> None:
    bureau.submitted(LEAVE, kind="personal", time=day("11-26"), reason="一")
    if refused:
        assert refusal(lambda: leave(bureau, time=time)).properties == ["time"]
        trip: dict[str, Any] = {"purpose": "开会", "place": "省城", "time": time}
        assert refusal(lambda: bureau.file_("BusinessTrip", **trip)).properties == ["time"]
    else:
        bureau.act("jiang", LEAVE, leave(bureau, time=time), "submit")
    leave(bureau, "yan", time=time)  # somebody else's is none of it


def test_two_drafts_may_cross_but_only_one_is_submitted(bureau: ApprovalsBench) -> None:
    first, second = leave(bureau), leave(bureau)
    bureau.act("jiang", LEAVE, first, "submit")
    assert refusal(lambda: bureau.act("jiang", LEAVE, second, "submit")).properties == ["time"]
    bureau.act("feng", LEAVE, first, "refuse", opinion="不行")
    bureau.act("jiang", LEAVE, second, "submit")


# ---------------------------------------------------------------- trips, going out, overtime


def test_a_trip_counts_every_day_and_is_reported_afterwards(bureau: ApprovalsBench) -> None:
    trip = bureau.submitted(
        "BusinessTrip", purpose="调研", place="省城", time=days("11-28", "12-01"), ccIds=[bureau.person("yan")]
    )
    assert bureau.show("BusinessTrip", trip, "jiang")["days"] == 4
    bureau.passed("BusinessTrip", trip, "feng", "sun")
    assert bureau.todos("yan") == ["step:leader"]  # the copy
    bureau.update("jiang", "BusinessTrip", trip, action="reportTrip", report="三条建议")
    assert bureau.state_of("BusinessTrip", trip) == "closed"


def test_going_out_ends_the_same_day(bureau: ApprovalsBench) -> None:
    given = {"reason": "送材料", "place": "县政府"}
    assert refusal(lambda: bureau.file_("Outing", **given, time=days("11-26", "11-27"))).properties == ["time"]
    record = bureau.submitted("Outing", **given, time=span("11-26 14:00", "11-26 16:30"))
    assert bureau.show("Outing", record, "feng")["hours"] == 2.5
    bureau.act("feng", "Outing", record)
    assert bureau.state_of("Outing", record) == "passed"


@pytest.mark.parametrize(
    ("time", "kind", "hours"),
    [
        (span("11-26 17:30", "11-26 21:40"), "workday", 4),
        (span("11-26 16:30", "11-26 19:30"), "workday", 2),
        (span("11-29 08:30", "11-29 17:30"), "restDay", 9),
        (span("10-01 08:00", "10-01 12:00"), "holiday", 4),
    ],
)
def test_overtime_is_what_lies_outside_working_hours(
    bureau: ApprovalsBench, time: dict[str, str], kind: str, hours: float
) -> None:
    record = bureau.file_("Overtime", reason="防汛值守", time=time)
    shown = bureau.show("Overtime", record, "jiang")
    assert (shown["dayKind"], shown["hours"], shown["leaveDays"]) == (kind, hours, round(hours / 8, 2))


def test_overtime_inside_working_hours_is_none(bureau: ApprovalsBench) -> None:
    assert refusal(
        lambda: bureau.file_("Overtime", reason="x", time=day("11-26") | {"end": moment("11-26 12:00")})
    ).properties == ["time"]


def test_overtime_gives_leave_once_it_has_passed(bureau: ApprovalsBench) -> None:
    time = span("11-22 08:00", "11-22 16:00")
    record = bureau.submitted("Overtime", reason="防汛值守", time=time)
    assert bureau.left("jiang", "compensatory") == (0, 0, 0)
    again = bureau.file_("Overtime", reason="再报一次", time=time)
    assert refusal(lambda: bureau.act("jiang", "Overtime", again, "submit")).properties == ["time"]
    bureau.act("feng", "Overtime", record)
    assert bureau.left("jiang", "compensatory") == (0, 0, 1)
    bureau.submitted(LEAVE, kind="compensatory", time=day("11-26"), reason="调休")
    assert bureau.left("jiang", "compensatory") == (1, 0, 0)
    more = leave(bureau, kind="compensatory", time=day("11-27"))
    assert refusal(lambda: bureau.act("jiang", LEAVE, more, "submit")).properties == ["time"]
    assert refusal(
        lambda: bureau.update("jiang", "Overtime", record, action="askVoid", voidReason="记错了")
    ).properties == ["voidReason"]


def test_paid_overtime_gives_no_leave(bureau: ApprovalsBench) -> None:
    record = bureau.submitted("Overtime", reason="防汛值守", time=span("11-22 08:00", "11-22 16:00"), reward="pay")
    bureau.act("feng", "Overtime", record)
    assert bureau.left("jiang", "compensatory") == (0, 0, 0)


# ---------------------------------------------------------------- time


def test_an_approval_that_is_not_given_is_urged_and_goes_up(bureau: ApprovalsBench) -> None:
    record = leave(bureau, time=days("12-08", "12-09"))
    bureau.act("jiang", LEAVE, record, "submit")
    bureau.clock.advance(26 * 3_600_000)  # one working day and more
    while bureau.run_due():
        pass
    assert bureau.alerts("feng", "overdue") or bureau.alerts("feng", "urge")
    bureau.clock.advance(24 * 3_600_000)
    while bureau.run_due():
        pass
    assert bureau.alerts("sun", "overdue") or bureau.alerts("sun", "escalate")
    assert bureau.waiting(record, "jiang") == {"head": ["feng"]}


# ---------------------------------------------------------------- who stands in


def delegations(bureau: ApprovalsBench, who: str = "jiang") -> list[tuple[str, str, str, str]]:
    found = [one for one in bureau.all(who, "Delegation") if bureau.name(one["personId"]) == who]
    found.sort(key=lambda one: str(one["from"]))
    return [(bureau.name(one["delegateId"]), one["from"], one["to"], one["state"]) for one in found]


def test_the_stand_in_of_a_leave_that_has_passed_gets_the_work_meanwhile(bureau: ApprovalsBench) -> None:
    record = leave(bureau, who="feng", standInId=bureau.person("jiang"))
    bureau.act("feng", LEAVE, record, "submit")
    assert delegations(bureau, "feng") == []
    bureau.passed(LEAVE, record, "sun")
    assert delegations(bureau, "feng") == [("jiang", moment("11-26 08:30"), moment("11-26 17:30"), "active")]
    assert [bureau.name(one["personId"]) for one in bureau.all("jiang", "Delegation")] == ["feng"]
    bureau.wait_until("11-26 09:00")
    other = leave(bureau, who="yan", time=day("11-28"))
    bureau.act("yan", LEAVE, other, "submit")
    assert bureau.waiting(other, "yan") == {"head": ["jiang"]}
    (item,) = [one for one in bureau.all("jiang", "WorkItem") if one["recordId"] == other and one["stepId"] == "head"]
    assert item["onBehalfOfId"] == bureau.person("feng")


def test_being_back_early_ends_it_and_a_void_leave_takes_it_away(bureau: ApprovalsBench) -> None:
    time = days("11-26", "11-28")
    early = leave(bureau, time=time, standInId=bureau.person("yan"))
    bureau.act("jiang", LEAVE, early, "submit")
    bureau.passed(LEAVE, early, "feng")
    bureau.wait_until("11-27 14:00")
    bureau.update("jiang", LEAVE, early, action="reportBack", backAt=moment("11-27 13:30"))
    assert [state for *_, state in delegations(bureau)] == ["revoked"]
    void = leave(bureau, time=day("12-03"), standInId=bureau.person("yan"))
    bureau.act("jiang", LEAVE, void, "submit")
    bureau.passed(LEAVE, void, "feng")
    assert [state for *_, state in delegations(bureau)] == ["revoked", "active"]
    bureau.update("jiang", LEAVE, void, action="askVoid", voidReason="不休了")
    (asked,) = bureau.all("jiang", "Voiding")
    bureau.passed("Voiding", asked["id"], "feng")
    assert bureau.state_of(LEAVE, void) == "voided"
    assert [state for *_, state in delegations(bureau)] == ["revoked", "revoked"]


def test_a_stand_in_who_is_away_himself_for_the_applicant_is_told_to_the_applicant(bureau: ApprovalsBench) -> None:
    first = leave(bureau, who="yan", standInId=bureau.person("jiang"))
    bureau.act("yan", LEAVE, first, "submit")
    bureau.passed(LEAVE, first, "feng")
    second = leave(bureau, standInId=bureau.person("yan"))
    bureau.act("jiang", LEAVE, second, "submit")
    bureau.passed(LEAVE, second, "feng")
    assert bureau.state_of(LEAVE, second) == "passed"
    assert delegations(bureau) == []
    assert any(text.startswith("工作代理未生效") for text in bureau.alerts("jiang", "advance"))
    own = leave(bureau, time=day("12-10"), standInId=bureau.person("jiang"))
    assert refusal(lambda: bureau.act("jiang", LEAVE, own, "submit")).properties == ["standInId"]
