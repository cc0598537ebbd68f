"""The rows of a flow: who did what, who has it, what comes next; several at a step, rounds of reading, ways back, what is on its way."""

import asyncio

import msgspec
import pytest

from desktop.core.domain.cases import (
    Case,
    CaseEvent,
    CaseState,
    CurrentStep,
    Flow,
    NextStep,
    Refusal,
    WorkItem,
    WorkKind,
)
from desktop.core.domain.processes import Process, ProcessStep
from desktop.core.domain.records import Light
from desktop.models.case_flow import FlowRow, Look, done_steps, rows_of
from tests.helpers.case_samples import PAPER, SEAL
from tests.helpers.fake_cases import CasesScene
from tests.helpers.fake_session import HOUR, NOW


def flow_of(record_type: str, record_id: str) -> Flow:
    return asyncio.run(CasesScene().cases.flow(record_type, record_id))


def looks(rows: list[FlowRow]) -> list[str]:
    return [f"{row.look} {row.step.zh}" for row in rows]


def event(number: int, action: str, step: str, who: str | None = "a", **more: object) -> CaseEvent:
    made = CaseEvent(f"e{number}", "c", "T", "r", None, action, step_id=step, step_name=step.upper(), person_id=who)
    return msgspec.structs.replace(made, at=NOW + number, seq=number, **more)


def test_the_mockups_document_reads_as_drawn() -> None:
    rows = rows_of(flow_of(PAPER, "d1"), "linyuan")
    assert looks(rows) == [
        "done 签收",
        "done 登记",
        "done 拟办",
        "current 批办",
        "next 会签",
        "next 承办",
        "next 传阅",
        "next 注结 · 归档",
    ]
    proposed, now = rows[2], rows[3]
    assert (proposed.opinion, proposed.signature) == ("请林局批示,防汛办主办", "blob-sign-zhang")
    assert now.mine
    assert now.light(NOW) is Light.GREEN
    assert now.light(NOW + HOUR) is Light.AMBER
    assert now.light(NOW + 2 * HOUR) is Light.RED
    assert len(rows[6].persons) == 9


def test_countersigners_are_one_row_that_counts() -> None:
    rows = rows_of(flow_of(PAPER, "d6"), "linyuan")
    now = next(row for row in rows if row.look is Look.CURRENT)
    assert (now.told, now.count) == (1, 3)
    assert [member.person_id for member in now.waiting] == ["linyuan", "wangjianguo"]
    assert not [row for row in rows if row.look is Look.DONE and row.step_id == "countersign"]


def test_a_round_of_reading_counts_who_has_read() -> None:
    rows = rows_of(flow_of(PAPER, "d3"), "linyuan")
    reading = next(row for row in rows if row.look is Look.READING)
    assert (reading.told, reading.count, reading.mine) == (5, 9, True)
    assert {one.person_id for one in reading.waiting} == {"linyuan", "sunli", "zhaolei", "hejing"}
    assert "read" not in {row.action for row in rows}


def test_a_return_tells_where_to_and_the_first_step_is_entered_again() -> None:
    rows = rows_of(flow_of(SEAL, "s3"), "linyuan")
    assert looks(rows)[:3] == ["done 申请", "note 部门领导审批", "current 申请"]
    assert (rows[1].action, rows[1].to_step.zh) == ("return", "申请")


def test_a_delegate_acts_for_another() -> None:
    now = next(row for row in rows_of(flow_of(SEAL, "s2"), "linyuan") if row.look is Look.CURRENT)
    assert now.on_behalf == {"linyuan": "wangjianguo"}


def test_refused_acts_and_an_end_stand_there() -> None:
    assert [row.look for row in rows_of(flow_of(PAPER, "d5"), "linyuan")].count(Look.REFUSED) == 1
    over = rows_of(flow_of(PAPER, "d4"), "linyuan")
    assert over[-1].look is Look.END
    assert done_steps(over) == {"receive", "register", "propose", "instruct"}


def test_an_act_on_its_way_is_a_row_of_its_own_beside_the_step() -> None:
    flow = flow_of(PAPER, "d1")
    mine = event(9, "approve", "instruct", "linyuan", pending=True, opinion="同意")
    rows = rows_of(msgspec.structs.replace(flow, events=(*flow.events, mine), pending=True), "linyuan")
    assert "pending INSTRUCT" in looks(rows)
    assert "current 批办" in looks(rows)


@pytest.mark.parametrize(("count", "rows_there"), [("all", 1), ("one", 2)])
def test_two_who_acted_at_one_step_are_members_where_the_step_is_of_several(count: str, rows_there: int) -> None:
    process = Process("p", steps=(ProcessStep("s", count=count),))
    events = (event(1, "approve", "s", "a"), event(2, "approve", "s", "b"))
    case = Case("c", state=CaseState.COMPLETED, ended_at=NOW)
    rows = rows_of(Flow("T", "r", case, events=events, process=process), "a")
    assert len([row for row in rows if row.step_id == "s"]) == rows_there
    assert rows[-1].look is Look.END


def test_a_second_visit_is_a_second_row() -> None:
    process = Process("p", steps=(ProcessStep("s", count="all"),))
    acted = (
        event(1, "approve", "s", "a"),
        event(2, "return", "t", "x", to_step_id="s"),
        event(3, "approve", "s", "a"),
        event(4, "approve", "s", "b"),
    )
    rows = rows_of(Flow("T", "r", Case("c", next=(NextStep("u", "U"),)), events=acted, process=process), "a")
    assert looks(rows) == ["done S", "note T", "done S", "next U"]
    assert (rows[2].told, rows[2].count) == (2, 2)


def test_readers_added_while_something_is_handled_do_not_hide_it() -> None:
    items = (
        WorkItem("w1", step_id="s", kind=WorkKind.HANDLE, person_id="a"),
        WorkItem("w2", step_id="s", kind=WorkKind.READ, person_id="b"),
    )
    case = Case("c", now=(CurrentStep("s", "S", NOW, person_ids=("a",)),))
    rows = rows_of(Flow("T", "r", case, items=items), "a")
    assert looks(rows) == ["current S"]
    assert rows[0].mine


def test_a_suspended_or_terminated_case_says_so() -> None:
    now = (CurrentStep("s", "S", NOW, person_ids=("a",)),)
    held = rows_of(Flow("T", "r", Case("c", state=CaseState.SUSPENDED, now=now)), "a")
    assert held[0].look is Look.STOPPED
    over = rows_of(Flow("T", "r", Case("c", state=CaseState.TERMINATED, ended_at=NOW)), "a")
    assert (over[-1].look, over[-1].action) == (Look.STOPPED, "terminate")


def test_nothing_started_has_no_rows() -> None:
    assert rows_of(Flow("T", "r"), "a") == []
    refused = event(1, "submit", "s", refusal=Refusal("forbidden"))
    assert [row.look for row in rows_of(Flow("T", "r", refused=(refused,)), "a")] == [Look.REFUSED]


def test_a_round_of_reading_that_is_over_stands_where_it_began() -> None:
    events = (
        event(1, "submit", "draft"),
        event(3, "read", "see", "b"),
        event(5, "approve", "file", "c"),
        event(6, "end", "", None),
    )
    item = WorkItem(
        "i", "c", "T", "r", step_id="see", step_name="SEE", kind=WorkKind.READ, state="done", person_id="b", created_at=NOW + 2
    )  # fmt: skip
    case = Case("c", "T", "r", state=CaseState.COMPLETED, started_at=NOW)
    rows = rows_of(Flow("T", "r", case, items=(item,), events=events), "a")
    assert [row.step_id for row in rows] == ["draft", "see", "file", ""]
    assert rows[-1].look is Look.END
