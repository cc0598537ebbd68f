"""Cases moved by modules' own code, by messages, and what a record's number, its title and its people do on the way."""

from pathlib import Path

from server_stub.modules.engine.processes.acting import do_start_by_server
from server_stub.modules.engine.processes.by_server import do_circulate_by_server, do_deliver, do_terminate_by_server
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record, load_record
from server_stub.storage.database import Tx
from tests.helpers.json_schema import problems
from tests.modules.engine.processes.case_bench import BEGIN, TOML, CaseBench, chain, end, open_cases, process, step
from tests.modules.office_bench import refusal

PAIR = chain(
    step("draft", "starter"), step("review", "superior", state="review", limit="2h"), step("check", "role:checker")
)
NUMBERED = TOML.replace('title = ["title"]', 'title = ["number", "title"]').replace(
    "fields = [\n",
    'numbering = { field = "number", pattern = "QS-{yyyy}-{n:03}", period = "year", state = "review" }\nfields = [\n'
    '  { name = "number", kind = "text", label = { zh = "编号", en = "Number" }, readOnly = true },\n',
)


def held(bench: CaseBench, tx: Tx, record: str) -> tuple[Rules, Record]:
    rules, found = bench.office.rules_of("Paper"), load_record(tx.conn, record)
    assert rules is not None
    assert found is not None
    return rules, found


def test_the_wire_is_as_the_schema_says(tmp_path: Path) -> None:
    with open_cases(tmp_path, PAIR) as bench:
        record = bench.submitted()
        png = bench.blob("gao", b"PNG", "image/png")
        bench.act("gao", "circulate", record, to=["lin"])
        bench.act("gao", "approve", record, opinion="同意", signature=png, attachments=[{"blobId": png, "name": "a"}])
        bench.act("chen", "return", record, toStepId="draft")
        bench.act("yu", "submit", record)
        for kind in ("Case", "WorkItem", "CaseEvent", "Alert", "Todo"):
            for who in ("yu", "gao", "lin", "chen"):
                for one in bench.all(who, kind):
                    assert problems(one, kind) == [], one
                    handler = bench.handlers[kind]
                    assert handler.properties is None or set(one) <= set(handler.properties), kind


def test_a_case_is_started_by_the_server(tmp_path: Path) -> None:
    with open_cases(tmp_path, PAIR) as bench:
        record = bench.paper()
        yu = bench.person("yu")
        bench.write(lambda tx: do_start_by_server(tx, bench.office.context, *held(bench, tx, record), yu))
        assert bench.waiting(record) == {"review": ["gao"]}
        assert bench.story(record) == ["yu start draft"]
        again = refusal(
            lambda: bench.write(lambda tx: do_start_by_server(tx, bench.office.context, *held(bench, tx, record), yu))
        )
        assert again.properties == ["recordId"]


def test_shown_to_many_and_ended_by_the_server(tmp_path: Path) -> None:
    with open_cases(tmp_path, PAIR) as bench:
        record = bench.submitted()
        people = [bench.person("lin"), bench.person("zhang")]
        circulate = lambda tx: do_circulate_by_server(tx, bench.office.context, *held(bench, tx, record), people)  # noqa: E731
        assert bench.write(circulate) == 2
        assert bench.write(circulate) == 0
        assert bench.todos("lin") == ["step:draft"]
        terminate = lambda tx: do_terminate_by_server(tx, bench.office.context, *held(bench, tx, record), "重复")  # noqa: E731
        assert bench.write(terminate)
        assert not bench.write(terminate)
        assert bench.todos("lin") == []
        assert bench.state(record) == "void"
        assert bench.events(record)[-2]["opinion"] == "重复"


def test_a_message_lets_the_case_go_on(tmp_path: Path) -> None:
    catch = '<bpmn:intermediateCatchEvent id="paid"><bpmn:messageEventDefinition messageRef="m"/></bpmn:intermediateCatchEvent>'
    bpmn = process(
        BEGIN, step("draft", "starter"), '<bpmn:parallelGateway id="fork"/>', step("review", "superior"), catch,
        step("check", "role:checker"), end(), end("other"),
        flows="begin>draft draft>fork fork>review fork>paid review>end paid>check check>other",
    ).replace("<bpmn:process ", '<bpmn:message id="m" name="paid"/><bpmn:process ')  # fmt: skip
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted()
        assert bench.waiting(record) == {"review": ["gao"]}

        def deliver(name: str) -> bool:
            return bench.write(lambda tx: do_deliver(tx, bench.office.context, *held(bench, tx, record), name))

        assert not deliver("other")
        assert deliver("paid")
        assert bench.waiting(record) == {"review": ["gao"], "check": ["chen"]}
        bench.act("gao", "approve", record)
        bench.act("chen", "approve", record)
        assert bench.case(record)["state"] == "completed"


def test_a_number_given_on_the_way_is_in_every_title(tmp_path: Path) -> None:
    with open_cases(tmp_path, PAIR, NUMBERED) as bench:
        record = bench.submitted()
        title = "QS-2025-001 · 关于堤防的请示"
        assert bench.case(record)["title"] == title
        assert {one["title"] for one in bench.items(record, state=None)} == {title}
        assert {one["title"] for one in bench.all("gao", "Todo")} == {title}


def test_who_waits_for_his_turn_and_leaves_is_passed_over(tmp_path: Path) -> None:
    bpmn = chain(
        step("draft", "starter"),
        step("sign", "field:signers", count="all", order="sequential"),
        step("check", "role:checker"),
    )
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted(signers=[bench.person(one) for one in ("zhang", "lin", "gao")])
        assert bench.waiting(record) == {"sign": ["zhang"]}
        bench.leave("lin")
        bench.act("zhang", "approve", record)
        assert bench.waiting(record) == {"sign": ["gao"]}
        bench.leave("gao")
        (left,) = bench.waiting(record)["sign"]
        bench.act(left, "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}


def test_edited_beside_its_case_conditions_see_the_new_values(tmp_path: Path) -> None:
    timer = (
        '<bpmn:boundaryEvent id="late" attachedToRef="review"><bpmn:timerEventDefinition>'
        '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">PT2H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>'
    )
    bpmn = process(
        BEGIN, step("draft", "starter"), step("review", "superior"), timer, '<bpmn:exclusiveGateway id="choice"/>',
        step("large", "role:signer"), step("small", "role:checker"), end(),
        flows="begin>draft draft>review review>end late>choice choice>large[record.amount_>_100] choice>small* large>end small>end",
    )  # fmt: skip
    with open_cases(tmp_path, bpmn, TOML.replace("author@draft", "author")) as bench:
        record = bench.submitted(amount=1)
        bench.update("yu", "Paper", record, amount=500)
        bench.clock.advance(3 * 3_600_000)
        bench.run_due()
        assert list(bench.waiting(record)) == ["large"]
