"""Who has a step: several by the file's own instances, stand-ins, nobody at all, people who leave; records that go or are settled otherwise."""

from pathlib import Path

from server_stub.clock import format_utc
from tests.modules.engine.processes.case_bench import (
    BEGIN,
    CHOICE,
    FORK,
    JOIN,
    TOML,
    CaseBench,
    chain,
    end,
    open_cases,
    process,
    step,
)
from tests.modules.office_bench import refusal

MANY = (
    '<bpmn:multiInstanceLoopCharacteristics isSequential="{sequential}"><bpmn:loopDataInputRef>record.signers</bpmn:loopDataInputRef>'
    '<bpmn:inputDataItem id="signer" name="signer"/>{completion}</bpmn:multiInstanceLoopCharacteristics>'
)
PAIR = chain(step("draft", "starter"), step("review", "superior", state="review"), step("check", "role:checker"))


def many(sequential: bool = False, completion: str = "") -> str:
    """A multi-instance step over the field signers."""
    condition = f"<bpmn:completionCondition>{completion}</bpmn:completionCondition>" if completion else ""
    drawn = MANY.format(sequential=str(sequential).lower(), completion=condition)
    return chain(step("draft", "starter"), step("sign", "role:checker", many=drawn), step("check", "role:checker"))


def signers(bench: CaseBench) -> list[str]:
    return [bench.person(one) for one in ("zhang", "lin", "gao")]


def test_instances_of_the_file_at_once_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with open_cases(tmp_path / "a", many()) as bench:
        record = bench.submitted(signers=signers(bench))
        assert bench.waiting(record) == {"sign": ["gao", "lin", "zhang"]}
        for who in ("lin", "gao", "zhang"):
            bench.act(who, "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
    (tmp_path / "b").mkdir()
    with open_cases(tmp_path / "b", many(sequential=True)) as bench:
        record = bench.submitted(signers=signers(bench))
        for who in ("zhang", "lin", "gao"):
            assert bench.waiting(record) == {"sign": [who]}
            bench.act(who, "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}


def test_a_completion_condition_withdraws_the_rest(tmp_path: Path) -> None:
    with open_cases(tmp_path, many(completion="numberOfCompletedInstances / numberOfInstances &gt;= 0.5")) as bench:
        record = bench.submitted(signers=signers(bench))
        bench.act("lin", "approve", record)
        assert bench.waiting(record) == {"sign": ["gao", "zhang"]}
        bench.act("gao", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
        assert bench.todos("zhang") == []
        item = next(
            one for one in bench.items(record, state="withdrawn") if bench.person("zhang") in one["candidateIds"]
        )
        error = refusal(lambda: bench.act("zhang", "approve", record, workItemId=item["id"]))
        assert error.type == "overtaken"
        assert error.extra["by"] == bench.person("gao")


def test_branches_wait_for_each_other(tmp_path: Path) -> None:
    bpmn = process(
        BEGIN, step("draft", "starter"), FORK, step("a", "superior"), step("b", "role:checker"), JOIN,
        step("last", "role:signer"), end(),
        flows="begin>draft draft>fork fork>a fork>b a>join b>join join>last last>end",
    )  # fmt: skip
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted()
        assert bench.waiting(record) == {"a": ["gao"], "b": ["chen"]}
        bench.act("gao", "approve", record)
        assert bench.waiting(record) == {"b": ["chen"]}
        bench.act("chen", "return", record, toStepId="draft")
        assert bench.waiting(record) == {"draft": ["yu"]}
        bench.act("yu", "submit", record)
        assert bench.waiting(record) == {"a": ["gao"], "b": ["chen"]}
        bench.act("yu", "withdraw", record)
        assert bench.waiting(record) == {"draft": ["yu"]}
        assert bench.todos("gao") == bench.todos("chen") == []
        bench.act("yu", "submit", record)
        bench.act("chen", "approve", record)
        assert refusal(lambda: bench.act("yu", "withdraw", record)).type == "forbidden"
        bench.act("gao", "approve", record)
        assert bench.waiting(record) == {"last": ["lin", "zhang"]}


def test_conditions_see_the_record(tmp_path: Path) -> None:
    bpmn = process(
        BEGIN, step("draft", "starter"), CHOICE, step("small", "superior"), step("large", "role:checker"), end(),
        flows="begin>draft draft>choice choice>large[record.amount_>_100] choice>small* small>end large>end",
    )  # fmt: skip
    with open_cases(tmp_path, bpmn) as bench:
        assert bench.waiting(bench.submitted(amount=5)) == {"small": ["gao"]}
        assert bench.waiting(bench.submitted(amount=500)) == {"large": ["chen"]}


def test_a_delegate_acts_and_both_names_stay(tmp_path: Path) -> None:
    with open_cases(tmp_path, PAIR) as bench:
        now = bench.clock.now_ms()
        bench.create(
            "gao", "Delegation", personId=bench.person("gao"), delegateId=bench.person("lin"),
            **{"from": format_utc(now - 1000), "to": format_utc(now + 86_400_000)}, reason="出差",
        )  # fmt: skip
        record = bench.submitted()
        (item,) = bench.items(record)
        assert item["personId"] == bench.person("lin")
        assert item["onBehalfOfId"] == bench.person("gao")
        assert bench.case(record)["now"][0]["onBehalf"] == {bench.person("lin"): bench.person("gao")}
        assert bench.get("gao", "Paper", record) is not None
        assert bench.todos("gao") == []
        bench.act("lin", "approve", record)
        done = bench.events(record)[-1]
        assert (done["personId"], done["onBehalfOfId"]) == (bench.person("lin"), bench.person("gao"))
        assert [one["action"] for one in bench.events(record)] == ["submit", "delegate", "approve"]


def test_nobody_found_goes_to_the_fallback_with_an_alert(tmp_path: Path) -> None:
    bpmn = chain(step("draft", "starter"), step("review", "role:reader", fallback="role:checker"))
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted()
        assert bench.waiting(record) == {"review": ["chen"]}
        assert len(bench.alerts("chen", "system")) == 1


def test_who_leaves_hands_over(tmp_path: Path) -> None:
    with open_cases(tmp_path, PAIR) as bench:
        record = bench.submitted()
        bench.act("gao", "approve", record)
        bench.leave("chen")
        assert bench.waiting(record) == {"check": ["root"]}
        assert bench.todos("root") == ["step:check"]
        assert len(bench.alerts("root", "system")) == 1
        last = bench.events(record)[-1]
        assert (last["action"], last["onBehalfOfId"], last["to"]) == (
            "handOver",
            bench.person("chen"),
            [bench.person("root")],
        )
        bench.act("root", "approve", record)
        assert bench.state(record) == "passed"


def test_one_of_several_candidates_leaves(tmp_path: Path) -> None:
    with open_cases(tmp_path, chain(step("draft", "starter"), step("sign", "role:signer"))) as bench:
        record = bench.submitted()
        bench.leave("lin")
        assert bench.waiting(record) == {"sign": ["zhang"]}
        assert bench.todos("zhang") == ["step:sign"]
        bench.act("zhang", "approve", record)
        assert bench.state(record) == "passed"


def test_a_record_with_an_open_case_is_not_destroyed(tmp_path: Path) -> None:
    with open_cases(tmp_path, PAIR) as bench:
        record = bench.submitted()
        before = bench.state()
        assert refusal(lambda: bench.destroy("yu", "Paper", record)).type == "forbidden"
        bench.act("gao", "approve", record)
        bench.act("chen", "approve", record)
        blob = bench.blob("yu", b"x")
        assert blob
        bench.destroy("yu", "Paper", record)
        assert bench.all("gao", "CaseEvent") == bench.all("gao", "WorkItem") == bench.all("gao", "Case") == []
        assert len(bench.changes("gao", "WorkItem", before)[2]) >= 1
        for table in ("office_case", "case_state", "work_item", "work_item_person", "case_event", "companion", "due"):
            assert bench.count(table) == 0, table


def test_voiding_a_record_ends_its_case(tmp_path: Path) -> None:
    with open_cases(tmp_path, PAIR) as bench:
        record = bench.submitted()
        bench.update("gao", "Paper", record, state="void")
        case = bench.case(record)
        assert (case["state"], case["endState"]) == ("terminated", "void")
        assert bench.todos("gao") == []
        assert bench.items(record) == []
        assert bench.story(record)[-2:] == ["gao terminate", "end"]


RULES = """
from server_stub.errors import SetError
from server_stub.modules.engine.rules import Rules


class PaperRules(Rules):
    def performers(self, tx, name, case, record):
        return [record.author_id] if name == "writer" else []

    def service(self, tx, name, case, record):
        self.change(tx, "Paper", record.id, {"note": f"served {name}"})
        return {"level": 3}

    def check_case_action(self, tx, actor, record, event):
        if event.get("opinion") == "wrong":
            raise SetError("forbidden", "not like that")

    def on_step(self, tx, record, step_id, event):
        steps = (record.data.get("secret") or "") + f"{step_id}:{event['action']} "
        self.change(tx, "Paper", record.id, {"secret": steps.strip() + " "})

    def on_case_end(self, tx, record, end_state):
        self.change(tx, "Paper", record.id, {"amount": 99 if end_state == "passed" else 0})
"""


def test_the_hooks_of_a_types_rules(tmp_path: Path) -> None:
    service = '<bpmn:serviceTask id="book" name="book"><bpmn:extensionElements><tongban:service name="book"/></bpmn:extensionElements></bpmn:serviceTask>'
    bpmn = process(
        BEGIN, step("draft", "starter"), step("mine", "rule:writer"), service, CHOICE, step("check", "role:checker"),
        step("never", "role:signer"), end(),
        flows="begin>draft draft>mine mine>book book>choice choice>check[level_==_3] choice>never* check>end never>end",
    )  # fmt: skip
    toml = TOML.replace('process = "paper"', 'process = "paper"\nrules = "PaperRules"')
    with open_cases(tmp_path, bpmn, toml, RULES) as bench:
        record = bench.submitted()
        assert bench.waiting(record) == {"mine": ["yu"]}
        assert refusal(lambda: bench.act("yu", "approve", record, opinion="wrong")).type == "forbidden"
        bench.act("yu", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
        assert (bench.get("yu", "Paper", record) or {})["note"] == "served book"
        bench.act("chen", "approve", record)
        shown = bench.get("gao", "Paper", record)
        assert shown is None  # took no part
        assert (bench.get("yu", "Paper", record) or {})["amount"] == 99
        secret = bench.database.read_now(
            lambda conn: conn.exec_driver_sql(
                "SELECT json_extract(data, '$.secret') FROM record WHERE id = ?", (record,)
            ).scalar_one()
        )
        assert secret == "draft:submit mine:approve check:approve "
