"""Trying a process out: who would have each step and by when, with given outcomes; nothing stays behind."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server_stub.errors import MethodError, invalid_properties
from server_stub.modules.engine.processes.process_methods import ProcessMethods
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import Record
from server_stub.storage.database import Tx
from tests.modules.engine.processes.case_bench import BEGIN, CHOICE, end, process, step
from tests.modules.engine.processes.forms_bench import FormsBench, open_forms
from tests.modules.office_bench import refusal

FLOW = process(
    BEGIN,
    step("draft", "starter"),
    step("check", "departmentHead", actions="approve refuse return", limit="1d", state="checking"),
    CHOICE,
    step("pay", "role:cashier"),
    end("yes", "passed"),
    end("no", "draft"),
    flows="begin>draft draft>check check>choice choice>no[outcome_==_'refused'] choice>pay* pay>yes",
    process_id="form",
)


class Trials(FormsBench):
    """The forms office and its try-outs."""

    def attempt(
        self, *, who: str = "hu", starter: str = "yu", bpmn: str | None = FLOW, **arguments: Any
    ) -> dict[str, Any]:
        methods = ProcessMethods(self.database, self.office.context, self.office.rules_of)
        given = {"bpmn": bpmn, "recordType": "Form", "data": {"subject": "换锁"}, "personId": self.person(starter)}
        return asyncio.run(methods.try_out(self.actors[who], {**given, **arguments}))

    def steps(self, answer: dict[str, Any]) -> list[tuple[str, list[str], str | None]]:
        return [
            (one["stepId"], [self.name(person) for person in one["personIds"]], one.get("outcome"))
            for one in answer["trace"]
        ]

    def count(self, table: str) -> int:
        return int(
            self.database.read_now(lambda conn: conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())
        )


@pytest.fixture
def trials(tmp_path: Path) -> Iterator[Trials]:
    (tmp_path / "modules" / "forms").mkdir(parents=True)
    with open_forms(tmp_path / "first"):
        pass
    text = (tmp_path / "first" / "modules" / "forms" / "module.toml").read_text(encoding="utf-8")
    (tmp_path / "modules" / "forms" / "module.toml").write_text(text, encoding="utf-8")
    made = Trials(tmp_path)
    yield made
    made.database.close_now()


def test_tells_who_would_have_each_step_and_by_when(trials: Trials) -> None:
    answer = trials.attempt()
    assert trials.steps(answer) == [
        ("draft", ["yu"], "submitted"),
        ("check", ["gao"], "approved"),
        ("pay", ["luo"], "approved"),
        ("yes", [], None),
    ]
    assert (answer["ended"], answer["endState"], answer["problems"]) == (True, "passed", [])
    check = answer["trace"][1]
    assert check["state"] == "checking"
    assert check["dueAt"] > check["enteredAt"]


def test_follows_the_script(trials: Trials) -> None:
    answer = trials.attempt(script=["submitted", "refused"])
    assert [one[0] for one in trials.steps(answer)] == ["draft", "check", "no"]
    assert answer["endState"] == "draft"


def test_returns_go_back_and_come_again(trials: Trials) -> None:
    answer = trials.attempt(script=["submitted", "return", "submitted", "return:draft"])
    assert [one[0] for one in trials.steps(answer)] == [
        "draft",
        "check",
        "draft",
        "check",
        "draft",
        "check",
        "pay",
        "yes",
    ]
    assert "cannot be returned to" in str(trials.attempt(script=["submitted", "return:pay"])["problems"])


def test_nothing_stays_behind(trials: Trials) -> None:
    trials.form()
    tables = ("record", "record_change", "todo", "alert", "office_case", "process", "process_file", "audit_entry")
    held = [one for one in tables if one in _tables(trials)]
    before, state = [trials.count(one) for one in held], trials.state()
    trials.attempt()
    assert ([trials.count(one) for one in held], trials.state()) == (before, state)


def _tables(trials: Trials) -> set[str]:
    rows = trials.database.read_now(lambda conn: conn.exec_driver_sql("SELECT name FROM sqlite_master").fetchall())
    return {row[0] for row in rows}


def test_a_step_nobody_has_shows_its_fallback(trials: Trials) -> None:
    flow = FLOW.replace("role:cashier", "role:nobody")
    entry = trials.attempt(bpmn=flow)["trace"][2]
    assert ([trials.name(one) for one in entry["personIds"]], entry["fallback"]) == (["hu"], True)


def test_delegates_show_with_whom_they_stand_in_for(trials: Trials) -> None:
    times = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
    assert refusal(lambda: trials.create("gao", "Delegation", delegateId=trials.person("lin"), **times)).type
    trials.create(
        "gao",
        "Delegation",
        delegateId=trials.person("lin"),
        **{"from": "2025-11-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
    )
    entry = trials.attempt()["trace"][1]
    assert entry["onBehalf"] == {trials.person("lin"): trials.person("gao")}


def test_many_act_and_timers_fire(trials: Trials) -> None:
    wait = (
        '<bpmn:intermediateCatchEvent id="wait"><bpmn:timerEventDefinition id="t"><bpmn:timeDuration>PT4H</bpmn:timeDuration>'
        "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    )
    flow = process(
        BEGIN, step("sign", "field:readers", count="all"), wait, step("last", "previous", count="all"), end(),
        flows="begin>sign sign>wait wait>last last>end", process_id="form",
    )  # fmt: skip
    readers = [trials.person("lin"), trials.person("chen")]
    answer = trials.attempt(bpmn=flow, data={"subject": "会签", "readers": readers})
    assert [one[:2] for one in trials.steps(answer)] == [
        ("sign", ["lin", "chen"]), ("wait", []), ("last", ["lin", "chen"]), ("end", []),
    ]  # fmt: skip
    assert answer["trace"][2]["enteredAt"] > answer["trace"][0]["enteredAt"]


def test_who_is_chosen_can_be_said_else_it_tells_where_somebody_would_be(trials: Trials) -> None:
    flow = process(
        BEGIN, step("pick", "superior", chooses="sign"), step("sign", "chosen"), step("next", "of:sign"), end(),
        flows="begin>pick pick>sign sign>next next>end", process_id="form",
    )  # fmt: skip
    entry = trials.attempt(bpmn=flow)["trace"][1]
    assert (entry["chosenAt"], "fallback" in entry) == ("pick", False)
    answer = trials.attempt(bpmn=flow, chosen={"sign": [trials.person("lin")]})
    assert [one[1] for one in trials.steps(answer)] == [["gao"], ["lin"], ["lin"], []]
    assert refusal(lambda: trials.attempt(bpmn=flow, chosen=["lin"])).properties == ["chosen"]


def test_an_endless_process_is_stopped_and_said_so(trials: Trials) -> None:
    flow = process(
        BEGIN, step("again", "starter"), CHOICE, end(),
        flows="begin>again again>choice choice>again* choice>end[outcome_==_'done']", process_id="form",
    )  # fmt: skip
    answer = trials.attempt(bpmn=flow)
    assert (answer["ended"], answer["problems"][0]["code"]) == (False, "noEnd")
    assert len(answer["trace"]) == 100


def test_problems_of_the_file_come_with_the_trace(trials: Trials) -> None:
    flow = FLOW.replace("role:cashier", "field:nothing")
    answer = trials.attempt(bpmn=flow)
    assert ("pay", "noField") in [(one["element"], one["code"]) for one in answer["problems"]]
    assert answer["ended"]


def test_what_cannot_be_tried_is_refused(trials: Trials) -> None:
    with pytest.raises(MethodError):
        trials.attempt(who="yu")
    with pytest.raises(MethodError):
        trials.attempt(nonsense=1)
    assert refusal(lambda: trials.attempt(recordType="Nothing")).properties == ["recordType"]
    assert refusal(lambda: trials.attempt(data={"amount": "much"})).properties == ["amount"]
    assert refusal(lambda: trials.attempt(personId="nobody")).properties == ["personId"]
    error = refusal(lambda: trials.attempt(bpmn="<x/>"))
    assert error.properties == ["bpmn"]
    assert error.extra["problems"]
    assert refusal(lambda: trials.attempt(bpmn=None, processId="nothing")).type == "notFound"
    assert refusal(lambda: trials.attempt(script="approved")).properties == ["script"]


def test_what_the_types_own_rules_would_refuse_is_said_and_it_goes_on(
    trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(_self: Rules, _tx: Tx, actor: Actor, _record: Record, event: dict[str, Any]) -> None:
        if event["stepId"] == "check" and event["outcome"] == "approved":
            raise invalid_properties(f"{trials.name(actor.person_id)} cannot yet", "subject")

    monkeypatch.setattr(Rules, "check_case_action", check)
    answer = trials.attempt()
    notes = {one["stepId"]: one.get("note") for one in answer["trace"]}
    assert notes["check"]["en"] == "it would be refused: gao cannot yet (subject)"
    assert (notes["draft"], notes["pay"], answer["ended"]) == (None, None, True)
    assert trials.attempt(script=["submitted", "refused"])["trace"][1].get("note") is None
