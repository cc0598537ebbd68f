"""What time does to a case: limits of items in working time, timers of the file, each once, over restarts too."""

from pathlib import Path

from server_stub.chat.messages import do_post_system
from server_stub.modules.engine.office import Office
from tests.modules.engine.processes.case_bench import BEGIN, HOUR, CaseBench, chain, end, open_cases, process, step

DAY = 24 * HOUR
LIMITED = chain(
    step("draft", "starter"), step("review", "superior", limit="1d", urgeAfter="2h", escalateAfter="1d"),
    step("check", "role:checker"),
)  # fmt: skip


def at(bench: CaseBench, hours: float) -> None:
    """Let so many hours pass; do what is due."""
    bench.clock.advance(int(hours * HOUR))
    while bench.run_due():
        pass


def count(bench: CaseBench, record: str, action: str) -> int:
    """How often something stands in the history."""
    return sum(one["action"] == action for one in bench.events(record))


def test_amber_and_red_are_in_working_time(tmp_path: Path) -> None:
    with open_cases(tmp_path, LIMITED) as bench:
        record = bench.submitted()  # Monday 09:00
        item = bench.items(record)[0]
        assert item["dueAt"].startswith("2025-11-25T09:00")
        assert item["amberAt"] < item["dueAt"]
        (todo,) = bench.all("gao", "Todo")
        assert todo["dueAt"] == item["dueAt"]


def test_overdue_urged_and_told_to_the_superior_each_once(tmp_path: Path) -> None:
    with open_cases(tmp_path, LIMITED) as bench:
        record = bench.submitted()
        at(bench, 23)
        assert bench.alerts("gao", "overdue") == []
        assert count(bench, record, "urge") == 0
        at(bench, 1.5)  # Tuesday 09:30
        assert bench.alerts("gao", "overdue") == ["“review”已超期"]
        at(bench, 2)
        assert bench.alerts("gao", "urge") == ["催办：“review”"]
        assert count(bench, record, "urge") == 1
        assert bench.get("zhang", "Paper", record) is None
        at(bench, DAY / HOUR)
        assert count(bench, record, "escalate") == 1
        assert bench.alerts("zhang", "overdue") == ["下属办理的“review”已超期"]
        assert bench.get("zhang", "Paper", record) is not None
        at(bench, 10 * DAY / HOUR)
        assert (count(bench, record, "urge"), count(bench, record, "escalate")) == (1, 1)
        bench.act("gao", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}


def test_a_restart_neither_loses_nor_repeats(tmp_path: Path) -> None:
    with open_cases(tmp_path, LIMITED) as bench:
        record = bench.submitted()
        at(bench, 26.5)
        assert count(bench, record, "urge") == 1
        bench.office = Office(bench.database, bench.clock, bench.blobs, do_post_system, folder=tmp_path / "modules")
        bench.handlers = {one.name: one for one in bench.office.handlers}
        at(bench, 24)
        assert (count(bench, record, "urge"), count(bench, record, "escalate")) == (1, 1)
        bench.act("gao", "approve", record)
        bench.act("chen", "approve", record)
        assert bench.state(record) == "passed"
        assert bench.count("due") == 0


def test_the_system_acts_when_told_to(tmp_path: Path) -> None:
    for kind, left in (("approve", {"check": ["chen"]}), ("return", {"draft": ["yu"]}), ("terminate", {})):
        folder = tmp_path / kind
        folder.mkdir()
        bpmn = chain(
            step("draft", "starter"), step("review", "superior", limit="1d", onOverdue=kind, overdueAfter="1h"),
            step("check", "role:checker"),
        )  # fmt: skip
        with open_cases(folder, bpmn) as bench:
            record = bench.submitted()
            at(bench, 24.5)
            assert bench.waiting(record) == {"review": ["gao"]}
            at(bench, 1)
            assert bench.waiting(record) == left
            assert count(bench, record, "timeout") == 1
            assert bench.todos("gao") == []
            assert len(bench.alerts("yu", "advance")) == 1


def test_passing_on_or_asking_first_gains_no_time(tmp_path: Path) -> None:
    with open_cases(tmp_path, LIMITED) as bench:
        record = bench.submitted()
        due = bench.items(record)[0]["dueAt"]
        at(bench, 26.5)
        assert count(bench, record, "urge") == 1
        bench.act("gao", "addSignerBefore", record, to=["lin"])
        assert bench.items(record)[0]["dueAt"] > due  # who is asked has the step's time
        bench.act("lin", "approve", record)
        assert bench.items(record)[0]["dueAt"] == due
        bench.act("gao", "transfer", record, to=["zhang"])
        assert bench.items(record)[0]["dueAt"] == due
        assert [one["dueAt"] for one in bench.all("zhang", "Todo")] == [due]
        at(bench, 1)
        assert count(bench, record, "urge") == 1  # not again


def test_a_deadline_in_a_field(tmp_path: Path) -> None:
    bpmn = chain(step("draft", "starter"), step("review", "superior", limit="field:deadline"))
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted(deadline="2025-11-28T08:00:00.000Z")
        assert bench.items(record)[0]["dueAt"] == "2025-11-28T08:00:00.000Z"
        other = bench.submitted()
        assert "dueAt" not in bench.items(other)[0]


def test_timers_of_the_file_go_off_once(tmp_path: Path) -> None:
    timer = (
        '<bpmn:boundaryEvent id="late" attachedToRef="review" cancelActivity="{cancel}"><bpmn:timerEventDefinition>'
        '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">PT2H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>'
    )
    for cancel, waiting in (("true", {"check": ["chen"]}), ("false", {"check": ["chen"], "review": ["gao"]})):
        folder = tmp_path / cancel
        folder.mkdir()
        bpmn = process(
            BEGIN, step("draft", "starter"), step("review", "superior"), timer.format(cancel=cancel),
            step("check", "role:checker"), end(), end("other"),
            flows="begin>draft draft>review review>end late>check check>other",
        )  # fmt: skip
        with open_cases(folder, bpmn) as bench:
            record = bench.submitted()
            at(bench, 1.9)
            assert bench.waiting(record) == {"review": ["gao"]}
            at(bench, 0.2)
            assert bench.waiting(record) == waiting
            assert count(bench, record, "advance") == 1
            at(bench, 24)
            assert count(bench, record, "advance") == 1
            bench.act("chen", "approve", record)
            assert bench.case(record)["state"] == ("completed" if cancel == "true" else "running")
