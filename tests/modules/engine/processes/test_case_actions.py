"""Every action on a case: what it does, who may, what it needs, how it is told."""

from functools import partial
from pathlib import Path

import pytest

from server_stub.ids import uuid7
from server_stub.modules.engine.processes import acts_people
from tests.modules.engine.processes.case_bench import BEGIN, CHOICE, TOML, chain, end, open_cases, process, step
from tests.modules.office_bench import refusal

ALL = "approve refuse return transfer addSignerBefore addSignerAfter countersign circulate suspend terminate"
THREE = chain(
    step("draft", "starter"),
    step("review", "superior", state="review", actions=ALL),
    step("check", "role:checker", state="signing", actions=ALL),
)
EACH = chain(
    step("draft", "starter"), step("sign", "role:signer", count="all", state="signing", actions="approve refuse return"),
    step("check", "role:checker"),
)  # fmt: skip


TOML_FOR_ADMIN = TOML.replace('read = ["author", ', 'read = ["role:admin", "author", ')


def test_return_to_any_earlier_step_and_the_way_forward_again(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "approve", record)
        item = bench.items(record)[0]
        assert [one["stepId"] for one in item["returnTo"]] == ["review", "draft"]
        assert refusal(lambda: bench.act("chen", "return", record, toStepId="check")).type == "invalidProperties"
        bench.act("chen", "return", record, toStepId="draft", opinion="附件不全")
        assert bench.waiting(record) == {"draft": ["yu"]}
        assert bench.state(record) == "draft"
        assert bench.todos("chen") == []
        assert bench.todos("yu") == ["step:draft"]
        assert "已退回" in bench.alerts("yu", "advance")[0]
        bench.update("yu", "Paper", record, note="已补附件")  # the author edits in the first state
        bench.act("yu", "submit", record)
        assert bench.waiting(record) == {"review": ["gao"]}
        assert bench.state(record) == "review"
        bench.act("gao", "approve", record)
        bench.act("chen", "approve", record)
        assert bench.state(record) == "passed"
        assert [one["action"] for one in bench.events(record)] == [
            "submit", "approve", "return", "submit", "approve", "approve", "end",
        ]  # fmt: skip


def test_withdraw_while_the_next_has_not_acted(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        assert [one["name"] for one in bench.case(record)["actions"]] == ["withdraw", "urge"]
        bench.act("yu", "withdraw", record)
        assert bench.waiting(record) == {"draft": ["yu"]}
        assert bench.state(record) == "draft"
        assert bench.get("gao", "Paper", record) is not None
        assert bench.todos("gao") == []
        bench.act("yu", "submit", record)
        bench.act("gao", "approve", record)
        assert refusal(lambda: bench.act("yu", "withdraw", record)).type == "forbidden"
        bench.act("gao", "withdraw", record)
        assert bench.waiting(record) == {"review": ["gao"]}
        assert bench.state(record) == "review"
        bench.act("gao", "approve", record)
        bench.act("chen", "transfer", record, to=["lin"])
        assert refusal(lambda: bench.act("gao", "withdraw", record)).type == "forbidden"


def test_one_of_several_takes_a_signature_back(tmp_path: Path) -> None:
    with open_cases(tmp_path, EACH) as bench:
        record = bench.submitted()
        assert bench.waiting(record) == {"sign": ["lin", "zhang"]}
        bench.act("lin", "approve", record)
        assert bench.waiting(record) == {"sign": ["zhang"]}
        bench.act("lin", "withdraw", record)
        assert bench.waiting(record) == {"sign": ["lin", "zhang"]}
        bench.act("lin", "approve", record)
        bench.act("zhang", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
        bench.act("zhang", "withdraw", record)  # the step had ended by it: it goes on with lin's signature in place
        assert bench.waiting(record) == {"sign": ["zhang"]}
        bench.act("zhang", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}


def test_a_return_is_taken_back_while_nobody_has_acted(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "approve", record)
        (before,), state, case = bench.items(record), bench.state(record), bench.case(record)
        bench.act("chen", "return", record, toStepId="draft")
        assert bench.waiting(record) == {"draft": ["yu"]}
        assert [one["name"] for one in bench.case(record, "chen")["actions"]][:1] == ["withdraw"]
        assert refusal(lambda: bench.act("gao", "withdraw", record)).type == "forbidden"
        bench.act("chen", "urge", record)  # changes nothing about it
        bench.act("chen", "withdraw", record)
        (after,) = bench.items(record)
        same = ("stepId", "candidateIds", "actions", "returnTo", "dueAt")
        assert {key: after.get(key) for key in same} == {key: before.get(key) for key in same}
        assert (bench.state(record), bench.case(record)["done"]) == (state, case["done"])
        assert bench.todos("yu") == []
        assert refusal(lambda: bench.act("chen", "withdraw", record)).type == "forbidden"  # once
        bench.act("chen", "return", record, toStepId="draft")
        bench.act("yu", "submit", record)
        assert refusal(lambda: bench.act("chen", "withdraw", record)).type == "forbidden"
        assert bench.waiting(record) == {"review": ["gao"]}


def test_a_transfer_is_taken_back_while_nobody_has_acted(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "transfer", record, to=["lin", "zhang"])
        bench.act("gao", "withdraw", record)
        assert bench.waiting(record) == {"review": ["gao"]}
        assert bench.todos("lin") == []
        bench.act("gao", "transfer", record, to=["lin"])
        bench.act("lin", "transfer", record, to=["zhang"])
        assert refusal(lambda: bench.act("gao", "withdraw", record)).type == "forbidden"
        bench.act("lin", "withdraw", record)
        assert bench.waiting(record) == {"review": ["lin"]}
        bench.act("lin", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
        assert bench.story(record)[-2:] == ["lin withdraw review", "lin approve review"]


def test_back_into_a_step_that_several_had_done(tmp_path: Path) -> None:
    """Those who did it have it again, each for himself; drawn instances, too."""
    drawn = "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>2</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
    for steps in (step("sign", "role:signer", count="all"), step("sign", "role:signer", many=drawn)):
        flow = chain(step("draft", "starter"), steps, step("check", "role:checker"))
        with open_cases(tmp_path / str(len(steps)), flow) as bench:
            record = bench.submitted()
            assert bench.waiting(record) == {"sign": ["lin", "zhang"]}
            bench.act("lin", "approve", record)
            bench.act("zhang", "approve", record)
            bench.act("chen", "return", record, toStepId="sign")
            assert bench.waiting(record) == {"sign": ["lin", "zhang"]}
            bench.act("zhang", "approve", record)
            assert bench.waiting(record) == {"sign": ["lin"]}
            bench.act("lin", "approve", record)
            assert bench.waiting(record) == {"check": ["chen"]}


UNITS = (
    '<bpmn:subProcess id="units" name="units"><bpmn:multiInstanceLoopCharacteristics>'
    '<bpmn:loopDataInputRef>record.signers</bpmn:loopDataInputRef><bpmn:inputDataItem id="unit" name="unit"/>'
    '</bpmn:multiInstanceLoopCharacteristics><bpmn:startEvent id="one"/>{steps}<bpmn:endEvent id="done"/>'
    '<bpmn:sequenceFlow id="u0" sourceRef="one" targetRef="deal"/><bpmn:sequenceFlow id="u1" sourceRef="deal" targetRef="close"/>'
    '<bpmn:sequenceFlow id="u2" sourceRef="close" targetRef="done"/></bpmn:subProcess>'
).format(steps=step("deal", "role:signer", actions="approve return transfer") + step("close", "role:signer"))


def test_back_into_a_drawn_sub_process_for_several_that_is_over(tmp_path: Path) -> None:
    """Each has his own again, as far as he did it; who signed last takes back his own alone."""
    with open_cases(tmp_path, chain(step("draft", "starter"), UNITS, step("check", "role:checker"))) as bench:
        record = bench.submitted(signers=[bench.person(one) for one in ("zhang", "lin")])
        assert bench.waiting(record) == {"deal": ["lin", "zhang"]}
        bench.act("zhang", "transfer", record, to=["gao"])
        for who in ("gao", "lin"):
            bench.act(who, "approve", record)
        assert bench.waiting(record) == {"close": ["lin", "zhang"]}
        bench.act("lin", "approve", record)
        bench.act("zhang", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
        bench.act("zhang", "withdraw", record)
        assert bench.waiting(record) == {"close": ["zhang"]}, "lin's stays done"
        bench.act("zhang", "approve", record)
        assert [one["stepId"] for one in bench.items(record)[0]["returnTo"]] == ["close", "deal", "draft"]
        bench.act("chen", "return", record, toStepId="deal")
        assert bench.waiting(record) == {"deal": ["gao", "lin"]}, "those who did it"
        for who in ("gao", "lin", "lin", "zhang"):
            bench.act(who, "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
        bench.act("chen", "approve", record)
        assert bench.case(record)["state"] == "completed"


def test_an_added_signature_is_taken_back(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "addSignerAfter", record, to=["lin", "zhang"])
        assert bench.waiting(record) == {"review": ["lin", "zhang"]}
        bench.act("gao", "withdraw", record)
        assert bench.waiting(record) == {"review": ["gao"]}
        bench.act("gao", "addSignerAfter", record, to=["lin"])
        bench.act("lin", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}


def test_transfer(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        assert refusal(lambda: bench.act("gao", "transfer", record)).properties == ["to"]
        assert refusal(lambda: bench.act("gao", "transfer", record, to=["gao"])).properties == ["to"]
        bench.act("gao", "transfer", record, to=["lin"], opinion="请代为审核")
        assert bench.waiting(record) == {"review": ["lin"]}
        assert bench.todos("gao") == []
        assert bench.items(record)[0]["addedById"] == bench.person("gao")
        assert bench.get("lin", "Paper", record) is not None
        bench.act("lin", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}


def test_an_administrator_passes_on_what_somebody_left_lying(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE, TOML_FOR_ADMIN) as bench:
        record = bench.submitted()
        item = bench.items(record)[0]["id"]
        assert refusal(lambda: bench.act("root", "approve", record, workItemId=item)).type == "forbidden"
        bench.act("root", "transfer", record, workItemId=item, to=["lin"])
        assert bench.waiting(record) == {"review": ["lin"]}


def test_added_signers_before_and_after(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "addSignerBefore", record, to=["lin", "zhang"], opinion="请先看")
        assert bench.waiting(record) == {"review": ["lin", "zhang"]}
        assert [one["name"] for one in bench.items(record)[0]["actions"]] == [
            "approve",
            "refuse",
            "transfer",
            "circulate",
        ]
        bench.act("lin", "approve", record, opinion="可以")
        assert bench.waiting(record) == {"review": ["zhang"]}
        bench.act("zhang", "refuse", record, opinion="金额偏大")
        assert bench.waiting(record) == {"review": ["gao"]}
        assert bench.state(record) == "review"
        bench.act("gao", "addSignerAfter", record, to=["zhang"], opinion="同意，请会签")
        assert bench.waiting(record) == {"review": ["zhang"]}
        bench.act("zhang", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}


def test_countersign_counts_and_orders(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "countersign", record, to=["lin", "zhang", "chen"], order="sequential", count=2)
        assert bench.waiting(record) == {"review": ["lin"]}
        bench.act("lin", "approve", record)
        assert bench.waiting(record) == {"review": ["zhang"]}
        bench.act("zhang", "approve", record)
        assert bench.waiting(record) == {"review": ["gao"]}
        bench.act("gao", "countersign", record, to=["lin", "zhang"], count="one")
        bench.act("zhang", "approve", record)
        assert bench.waiting(record) == {"review": ["gao"]}
        assert bench.todos("lin") == []


def test_circulation_grows_while_it_runs_and_holds_nothing_up(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "circulate", record, to=["lin"])
        assert bench.waiting(record) == {"review": ["gao", "lin"]}
        assert bench.todos("lin") == ["step:review"]
        bench.act("lin", "circulate", record, to=["zhang", "lin"])
        assert bench.todos("zhang") == ["step:review"]
        assert (bench.get("yu", "Paper", record) or {})["handlerIds"] == [bench.person("gao")]
        bench.act("lin", "read", record, opinion="已阅")
        assert bench.todos("lin") == []
        bench.act("gao", "approve", record)
        bench.act("chen", "approve", record)
        case = bench.case(record)
        assert case["state"] == "completed"
        assert bench.todos("zhang") == ["step:review"]
        bench.act("zhang", "read", record)
        assert bench.items(record) == []
        assert bench.todos("zhang") == []
        assert bench.story(record)[-1] == "zhang read review"


def test_many_readers_come_in_several_transactions_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts_people, "READERS_AT_ONCE", 1)
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "circulate", record, to=["lin", "zhang", "chen"])
        read = {"lin", "zhang", "chen"}
        assert len(read & set(bench.waiting(record)["review"])) == 1
        bench.act("gao", "circulate", record, to=["zhang"])  # is on the way already
        bench.act("gao", "approve", record)
        while bench.run_due():
            pass
        assert read <= set(bench.waiting(record)["review"])
        assert len([one for one in bench.items(record, state=None) if one["part"] == "read"]) == 3
        bench.act("chen", "circulate", record, to=["yu", "gao"])
        bench.act("chen", "approve", record)
        while bench.run_due():
            pass
        assert bench.case(record)["state"] == "completed"
        assert bench.todos("yu") == bench.todos("gao") == ["step:check"]


def test_urge(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("yu", "urge", record, opinion="今天要用")
        assert bench.alerts("gao", "urge") == ["yu催办：今天要用"]
        assert bench.items(record)[0]["urgedAt"]
        assert refusal(lambda: bench.act("yu", "urge", record)).type == "rateLimit"
        bench.clock.advance(600_000)
        bench.act("yu", "urge", record)
        assert refusal(lambda: bench.act("gao", "urge", record)).type in ("rateLimit", "invalidProperties")


def test_suspend_and_resume_move_the_limits(tmp_path: Path) -> None:
    limited = chain(step("draft", "starter"), step("review", "superior", limit="1d", actions="approve suspend"))
    with open_cases(tmp_path, limited) as bench:
        record = bench.submitted()
        due = bench.items(record)[0]["dueAt"]
        assert refusal(lambda: bench.act("yu", "suspend", record)).type == "forbidden"
        bench.act("gao", "suspend", record, opinion="等待补充材料")
        assert bench.case(record)["state"] == "suspended"
        assert refusal(lambda: bench.act("gao", "approve", record)).type == "suspended"
        bench.clock.advance(3 * 86_400_000)
        assert bench.run_due() == 0
        assert refusal(lambda: bench.act("yu", "resume", record)).type == "forbidden"
        bench.act("gao", "resume", record)
        assert bench.items(record)[0]["dueAt"] > due
        assert bench.alerts("gao", "overdue") == []
        bench.act("gao", "approve", record)
        assert bench.state(record) == "passed"


def test_terminate(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        assert refusal(lambda: bench.act("yu", "terminate", record)).type == "forbidden"
        bench.act("gao", "circulate", record, to=["lin"])
        bench.act("gao", "terminate", record, opinion="不再办理")
        assert bench.state(record) == "void"
        assert bench.case(record)["state"] == "terminated"
        assert bench.items(record) == []
        assert bench.todos("gao") == bench.todos("lin") == []
        assert refusal(lambda: bench.act("gao", "approve", record)).type == "overtaken"


def test_the_starter_gives_up_what_came_back(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "return", record)
        assert "terminate" in [one["name"] for one in bench.case(record)["actions"]]
        bench.act("yu", "terminate", record)
        assert bench.case(record)["state"] == "terminated"


def test_a_refusal_the_process_says_nothing_of_ends_it(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        bench.act("gao", "refuse", record, opinion="不同意")
        assert bench.state(record) == "refused"
        case = bench.case(record)
        assert (case["state"], case["endState"]) == ("completed", "refused")
        assert bench.story(record)[-2:] == ["gao refuse review", "end"]


def test_a_refusal_the_process_asks_for_goes_its_way(tmp_path: Path) -> None:
    bpmn = process(
        BEGIN, step("draft", "starter"), step("review", "superior", actions="approve refuse"), CHOICE,
        step("talk", "role:checker"), end(),
        flows='begin>draft draft>review review>choice choice>talk[outcome_==_"refused"] choice>end* talk>end',
    )  # fmt: skip
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted()
        bench.act("gao", "refuse", record)
        assert bench.waiting(record) == {"talk": ["chen"]}
        other = bench.submitted(title="另一件")
        bench.act("gao", "approve", other)
        assert bench.state(other) == "passed"


def test_custom_buttons_give_their_outcome(tmp_path: Path) -> None:
    bpmn = process(
        BEGIN, step("draft", "starter"), step("stamp", "superior", actions="approve=stamped approve=given-up"), CHOICE,
        end("end", "passed"), end("other", "void"),
        flows='begin>draft draft>stamp stamp>choice choice>other[outcome_==_"given-up"] choice>end*',
    )  # fmt: skip
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted()
        assert refusal(lambda: bench.act("gao", "approve", record, outcome="lost")).type == "forbidden"
        bench.act("gao", "approve", record, outcome="given-up")
        assert bench.state(record) == "void"
        assert bench.events(record)[1]["outcome"] == "given-up"


def test_each_of_several_must_act_or_so_many_or_in_order(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with open_cases(tmp_path / "a", EACH) as bench:
        record = bench.submitted()
        bench.act("zhang", "approve", record)
        bench.act("lin", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
    (tmp_path / "b").mkdir()
    ordered = EACH.replace('count="all"', 'count="all" order="sequential"')
    with open_cases(tmp_path / "b", ordered) as bench:
        record = bench.submitted()
        (first,) = bench.waiting(record)["sign"]
        second = {"lin": "zhang", "zhang": "lin"}[first]
        assert refusal(lambda: bench.act(second, "approve", record)).type == "invalidProperties"
        bench.act(first, "approve", record)
        assert bench.waiting(record) == {"sign": [second]}
        bench.act(first, "withdraw", record)
        assert bench.waiting(record) == {"sign": [first]}
        bench.act(first, "approve", record)
        bench.act(second, "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
    (tmp_path / "c").mkdir()
    with open_cases(tmp_path / "c", EACH.replace('count="all"', 'count="1"')) as bench:
        record = bench.submitted()
        bench.act("lin", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
        assert bench.todos("zhang") == []


def test_who_approved_before_passes_by_setting(tmp_path: Path) -> None:
    bpmn = chain(
        step("draft", "starter"), step("review", "superior"), step("again", "superior", skip_repeated="true"),
        step("check", "role:checker"),
    )  # fmt: skip
    with open_cases(tmp_path, bpmn.replace("skip_repeated", "skipRepeated")) as bench:
        record = bench.submitted()
        bench.act("gao", "approve", record)
        assert bench.waiting(record) == {"check": ["chen"]}
        assert bench.story(record)[-1] == "gao skip again"


def test_people_of_a_later_step_are_picked(tmp_path: Path) -> None:
    bpmn = chain(
        step("draft", "starter"), step("review", "superior", chooses="sign"), step("sign", "chosen", count="all")
    )
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted()
        assert bench.items(record)[0]["chooses"] == [{"stepId": "sign", "name": "sign"}]
        assert refusal(lambda: bench.act("gao", "approve", record)).properties == ["chosen"]
        assert refusal(lambda: bench.act("gao", "approve", record, chosen={"draft": []})).properties == ["chosen"]
        bench.act("gao", "approve", record, chosen={"sign": [bench.person("lin"), bench.person("zhang")]})
        assert bench.waiting(record) == {"sign": ["lin", "zhang"]}


def test_opinions_signatures_and_attachments_as_the_step_wants_them(tmp_path: Path) -> None:
    bpmn = chain(
        step("draft", "starter"),
        step("review", "superior", opinion="onReturn", signature="onApprove", attachments="false"),
        step("check", "role:checker", opinion="required"),
    )
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted()
        assert refusal(lambda: bench.act("gao", "return", record)).properties == ["opinion"]
        assert refusal(lambda: bench.act("gao", "approve", record)).properties == ["signature"]
        pdf, png = bench.blob("gao", b"%PDF"), bench.blob("gao", b"PNG", "image/png")
        assert refusal(lambda: bench.act("gao", "approve", record, signature=pdf)).properties == ["signature"]
        assert refusal(lambda: bench.act("gao", "approve", record, signature="0" * 64)).type == "blobNotFound"
        file = {"blobId": pdf, "name": "a.pdf"}
        error = refusal(lambda: bench.act("gao", "approve", record, signature=png, attachments=[file]))
        assert error.properties == ["attachments"]
        bench.act("gao", "approve", record, signature=png)
        assert bench.events(record)[-1]["signature"] == png
        assert bench.may_read_blob("chen", png)
        assert not bench.may_read_blob("lin", png)
        assert refusal(lambda: bench.act("chen", "approve", record)).properties == ["opinion"]
        bench.act(
            "chen", "approve", record, opinion="同意", attachments=[{"blobId": bench.blob("chen", b"x"), "name": "b"}]
        )
        assert bench.events(record)[-2]["attachments"][0]["size"] == 1


def test_fields_are_written_where_the_step_says_so(tmp_path: Path) -> None:
    bpmn = chain(
        step("draft", "starter"), step("review", "superior", editable="note,amount", required="note"),
        step("check", "role:checker", editable="*"),
    )  # fmt: skip
    with open_cases(tmp_path, bpmn) as bench:
        record = bench.submitted()
        assert refusal(lambda: bench.update("gao", "Paper", record, note="x")).type == "forbidden"
        assert refusal(lambda: bench.act("gao", "approve", record)).properties == ["note"]
        assert refusal(lambda: bench.act("gao", "approve", record, values={"title": "x"})).type == "forbidden"
        assert refusal(lambda: bench.act("gao", "approve", record, values={"amount": "x"})).type == "invalidProperties"
        assert (
            refusal(lambda: bench.act("gao", "approve", record, values={"state": "passed"})).type == "invalidProperties"
        )
        assert bench.story(record) == ["yu submit draft"]
        bench.act("gao", "approve", record, values={"note": "核定", "amount": 7})
        shown = bench.get("yu", "Paper", record) or {}
        assert (shown["note"], shown["amount"]) == ("核定", 7)
        assert bench.events(record)[-1]["values"] == {"note": "核定", "amount": 7}
        ids = bench.query("yu", "RecordChange", {"recordId": record}, "at")
        last = bench.get("yu", "RecordChange", ids[-1]) or {}
        assert last["personId"] == bench.person("gao")
        assert {one["field"] for one in last["changes"]} == {
            "note",
            "amount",
        }
        bench.act("chen", "approve", record, values={"title": "改过的题目"})
        assert bench.case(record)["title"] == "改过的题目"
        assert refusal(lambda: bench.act("chen", "approve", record, values={"secret": "x"})).type == "overtaken"


def test_the_same_id_twice_is_one_act(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record, key = bench.submitted(), uuid7(bench.clock.now_ms())
        bench.act("gao", "approve", record, key=key)
        error = refusal(lambda: bench.act("gao", "approve", record, key=key))
        assert error.type == "invalidProperties"
        assert error.properties == ["id"]
        assert bench.waiting(record) == {"check": ["chen"]}


def test_nothing_of_the_history_is_rewritten(tmp_path: Path) -> None:
    with open_cases(tmp_path, THREE) as bench:
        record = bench.submitted()
        event, case, item = bench.events(record)[0]["id"], bench.case(record)["id"], bench.items(record)[0]["id"]
        for kind, one in (("CaseEvent", event), ("Case", case), ("WorkItem", item)):
            assert refusal(partial(bench.destroy, "yu", kind, one)).type == "forbidden"
            assert refusal(partial(bench.update, "yu", kind, one, opinion="x")).type == "forbidden"
        assert refusal(lambda: bench.create("yu", "WorkItem", caseId=case)).type == "forbidden"
        assert refusal(lambda: bench.act("gao", "approve", record, personId="x")).properties == ["personId"]
        assert refusal(lambda: bench.act("gao", "explode", record)).type == "invalidProperties"


def test_a_process_without_a_step_of_the_starter(tmp_path: Path) -> None:
    with open_cases(tmp_path, chain(step("review", "superior", state="review"))) as bench:
        record = bench.submitted()
        assert bench.items(record)[0]["returnTo"] == [{"stepId": "start", "name": "", "personId": bench.person("yu")}]
        bench.act("gao", "return", record)
        assert bench.state(record) == "draft"
        assert bench.case(record)["state"] == "terminated"
        bench.act("yu", "submit", record)
        bench.act("yu", "withdraw", record)
        assert bench.state(record) == "draft"
        bench.act("yu", "submit", record)
        bench.act("gao", "approve", record)
        assert bench.state(record) == "passed"
        assert len(bench.query("yu", "Case", {"recordId": record})) == 3
