"""A case from submitting to its end: who has it, what waits, what is remembered, who sees it."""

from pathlib import Path

from tests.modules.engine.processes.case_bench import BEGIN, chain, end, open_cases, process, step
from tests.modules.office_bench import refusal

PLAIN = chain(
    step("draft", "starter"),
    step("review", "superior", state="review", limit="1d"),
    step("sign", "role:signer", state="signing", actions="approve refuse return transfer"),
)


def test_a_case_passes_from_person_to_person_to_its_end(tmp_path: Path) -> None:
    with open_cases(tmp_path, PLAIN) as bench:
        record = bench.paper()
        assert bench.get("gao", "Paper", record) is None
        bench.act("yu", "submit", record)
        assert bench.waiting(record) == {"review": ["gao"]}
        assert bench.state(record) == "review"
        assert bench.get("gao", "Paper", record) is not None
        assert bench.todos("gao") == ["step:review"]
        assert bench.alerts("gao", "todo") == ["review"]
        bench.act("gao", "approve", record, opinion="同意")
        assert bench.waiting(record) == {"sign": ["lin", "zhang"]}
        assert bench.todos("gao") == []
        assert bench.todos("zhang") == ["step:sign"] == bench.todos("lin")
        shown = bench.get("yu", "Paper", record) or {}
        assert set(shown["handlerIds"]) == {bench.person("zhang"), bench.person("lin")}
        bench.act("lin", "approve", record)
        assert bench.state(record) == "passed"
        case = bench.case(record)
        assert (case["state"], case["endState"], case["now"]) == ("completed", "passed", [])
        assert case["done"] == ["draft", "review", "sign", "end"]
        assert bench.todos("zhang") == []
        assert bench.items(record) == []
        assert bench.story(record) == ["yu submit draft", "gao approve review", "lin approve sign", "end"]
        assert bench.get("zhang", "Paper", record) is not None  # took part
        assert bench.get("chen", "Paper", record) is None
        assert bench.all("chen", "CaseEvent") == []


def test_what_is_shown_of_a_running_case(tmp_path: Path) -> None:
    with open_cases(tmp_path, PLAIN) as bench:
        record = bench.submitted()
        case = bench.case(record, "gao")
        assert case["state"] == "running"
        assert case["startedById"] == bench.person("yu")
        assert case["departmentId"] == bench.departments["flood"]
        assert [(one["stepId"], one["personIds"]) for one in case["now"]] == [("review", [bench.person("gao")])]
        assert case["now"][0]["dueAt"] > case["now"][0]["amberAt"] > case["now"][0]["since"]
        assert [one["stepId"] for one in case["next"]] == ["sign"]
        assert len(case["next"][0]["personIds"]) == 2
        item = bench.items(record)[0]
        assert [one["name"] for one in item["actions"]] == [
            "approve", "return", "transfer", "addSignerBefore", "addSignerAfter", "circulate",
        ]  # fmt: skip
        assert item["returnTo"] == [{"stepId": "draft", "name": "draft", "personId": bench.person("yu")}]
        assert item["dueAt"] == case["now"][0]["dueAt"]


def test_the_starter_hears_of_each_advance_and_has_one_card(tmp_path: Path) -> None:
    with open_cases(tmp_path, PLAIN) as bench:
        record = bench.submitted()
        assert bench.alerts("yu", "advance") == []
        assert bench.system_texts("yu", "process") == ["关于堤防的请示"]
        bench.act("gao", "approve", record)
        (told,) = bench.alerts("yu", "advance")
        assert told.startswith("review：gao已同意；现在：sign（")
        assert "zhang" in told
        assert "lin" in told
        bench.act("zhang", "approve", record)
        assert bench.alerts("yu", "advance") == ["sign：zhang已同意；办理完毕"]
        assert bench.system_texts("yu", "process") == ["关于堤防的请示"]


def test_names_go_along_in_both_languages(tmp_path: Path) -> None:
    """Of the case, items, the history and alerts; and what the program passed between the steps is told."""
    named = {"draft": '<tongban:label zh="起草" en="Draft"/>', "review": '<tongban:label zh="审核" en="Review"/>'}
    nodes = [
        step(key, who, state=key if key == "review" else "draft").replace("<tongban:step", f"{label}<tongban:step")
        for (key, label), who in zip(named.items(), ("starter", "superior"), strict=True)
    ]
    gate = '<bpmn:exclusiveGateway id="gate"/>'
    flows = "begin>draft draft>gate gate>review* gate>end[1_<_0] review>end"
    with open_cases(tmp_path, process(BEGIN, *nodes, gate, end(), flows=flows)) as bench:
        record = bench.submitted()
        case, (item,) = bench.case(record), bench.items(record)
        review = {"zh": "审核", "en": "Review"}
        assert (case["now"][0]["name"], case["now"][0]["label"]) == ("review", review)
        assert (case["done"], "gate" in case["way"]) == (["draft"], True)
        assert (item["stepLabel"], item["returnTo"][0]["label"]) == (review, {"zh": "起草", "en": "Draft"})
        assert bench.events(record)[0]["stepLabel"] == {"zh": "起草", "en": "Draft"}
        assert [one["label"] for one in bench.all("gao", "Alert") if one["kind"] == "todo"] == [review]
        bench.act("gao", "approve", record)
        (news,) = [one["label"] for one in bench.all("yu", "Alert") if one["kind"] == "advance"]
        assert news["en"].startswith("Review: ")
        assert news["zh"].startswith("审核：")


def test_alerts_of_two_steps_stand_side_by_side(tmp_path: Path) -> None:
    """One person with two pieces of work about one record hears of both; what is done takes its own alert along."""
    nodes = (step("lead", "superior"), step("help", "superior"))
    fork = '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>'
    flows = "begin>fork fork>lead fork>help lead>join help>join join>end"
    with open_cases(tmp_path, process(BEGIN, *nodes, fork, end(), flows=flows)) as bench:
        record = bench.submitted()
        assert sorted(bench.alerts("gao", "todo")) == ["help", "lead"]
        (lead,) = [one["id"] for one in bench.items(record) if one["stepId"] == "lead"]
        bench.act("gao", "approve", record, workItemId=lead)
        assert bench.alerts("gao", "todo") == ["help"]
        bench.act("yu", "urge", record)
        assert len(bench.alerts("gao", "urge")) == 1
        bench.act("gao", "approve", record)
        assert bench.alerts("gao", "todo") == bench.alerts("gao", "urge") == []


def test_two_at_once_one_wins_and_the_other_hears_who(tmp_path: Path) -> None:
    with open_cases(tmp_path, PLAIN) as bench:
        record = bench.submitted()
        bench.act("gao", "approve", record)
        item = bench.items(record)[0]["id"]
        bench.act("lin", "approve", record, workItemId=item)
        error = refusal(lambda: bench.act("zhang", "approve", record, workItemId=item, opinion="同意"))
        assert error.type == "overtaken"
        assert error.extra["by"] == bench.person("lin")
        assert error.extra["action"] == "approve"
        assert error.extra["case"]["state"] == "completed"  # type: ignore[index]


def test_only_who_has_it_may_act(tmp_path: Path) -> None:
    with open_cases(tmp_path, PLAIN) as bench:
        record = bench.submitted()
        item = bench.items(record)[0]["id"]
        assert refusal(lambda: bench.act("yu", "approve", record, workItemId=item)).type == "forbidden"
        assert refusal(lambda: bench.act("zhang", "approve", record)).type == "invalidProperties"  # sees no record
        assert refusal(lambda: bench.act("gao", "refuse", record)).type == "forbidden"  # not offered
        assert refusal(lambda: bench.act("yu", "submit", record)).type == "overtaken"
        assert bench.story(record) == ["yu submit draft"]


def test_sync_tells_exactly_those_who_see_the_record(tmp_path: Path) -> None:
    with open_cases(tmp_path, PLAIN) as bench:
        record = bench.submitted()
        before = bench.state()
        bench.act("gao", "approve", record)
        created, _, _ = bench.changes("zhang", "WorkItem", before)
        assert len(created) == 3  # draft, review, sign: all of the case
        created, updated, _ = bench.changes("yu", "WorkItem", before)
        assert (len(created), len(updated)) == (1, 1)
        assert bench.changes("yu", "Case", before)[1] == {bench.case(record)["id"]}
        assert bench.changes("chen", "WorkItem", before) == (set(), set(), set())
        assert bench.query("zhang", "WorkItem", {"candidateIds": bench.person("zhang"), "state": "open"}) == [
            bench.items(record)[0]["id"]
        ]


def test_the_history_of_the_record_tells_of_its_state_and_of_nobody_having_it(tmp_path: Path) -> None:
    with open_cases(tmp_path, PLAIN) as bench:
        record = bench.submitted()
        ids = bench.query("yu", "RecordChange", {"recordId": record}, "at")
        changes = [bench.get("yu", "RecordChange", one) for one in ids]
        assert [entry["field"] for one in changes if one for entry in one["changes"]] == ["state"]
