"""收文 from signing for it to the archive, every step by the right people, and the turns that make it hard."""

from typing import Any

import pytest

from server_stub.clock import format_utc
from tests.modules.documents.document_bench import HOUR, DocumentBench
from tests.modules.office_bench import refusal

DOC = "IncomingDocument"


def received(bureau: DocumentBench, **properties: Any) -> str:
    given = {"title": "关于做好2026年防汛值班工作的通知", "sourceUnit": "省水利厅", "sourceNumber": "苏水防〔2026〕18号", "urgency": "express",
             "body": [bureau.file("liu")], **properties}  # fmt: skip
    return bureau.create("liu", DOC, key=f"in{bureau.clock.now_ms()}", **given)


def proposed(bureau: DocumentBench, **properties: Any) -> str:
    """A document that waits for the office's proposal."""
    document = received(bureau, **properties)
    bureau.act("liu", DOC, document, "submit")
    bureau.act("liu", DOC, document, "approve")
    bureau.act("he", DOC, document, "approve")
    return document


def propose(bureau: DocumentBench, document: str, leaders: list[str], **values: Any) -> None:
    given = {"proposal": "请局领导批示", "leaders": [bureau.person(one) for one in leaders], **values}
    bureau.act("min", DOC, document, "approve", values=given)


def handled(bureau: DocumentBench, **values: Any) -> str:
    """A document with the lead unit flood."""
    document = proposed(bureau)
    propose(bureau, document, ["gao"], leadUnits=[bureau.departments["flood"]], **values)
    bureau.act("gao", DOC, document, "approve", opinion="请防汛办牵头办理")
    return document


def test_a_document_passes_every_step_to_the_archive(bureau: DocumentBench) -> None:
    document = received(bureau)
    seen: list[dict[str, list[str]]] = []

    def do(who: str, action: str = "approve", **more: Any) -> None:
        bureau.act(who, DOC, document, action, **more)
        seen.append(bureau.waiting(document))

    do("liu", "submit")
    do("liu")
    do("he")
    do("min", values={"proposal": "请高局批示，防汛办主办", "leaders": [bureau.person("gao")],
                      "leadUnits": [bureau.departments["flood"]], "coUnits": [bureau.departments["works"]],
                      "readers": [bureau.person("jiang"), bureau.person("sun")]})  # fmt: skip
    do("gao", opinion="同意拟办意见")
    do("feng", opinion="值班表已排")
    do("ding", opinion="已配合")
    do("sun", "read")
    do("jiang", "read")
    do("liu", values={"conclusion": "已按要求报送值班表"})
    do("chen")
    assert seen == [
        {"register": ["liu"]}, {"review": ["he"]}, {"propose": ["min"]}, {"instruct": ["gao"]}, {"lead": ["feng"], "support": ["ding"]},
        {"support": ["ding"]}, {"circulate": ["jiang", "sun"]}, {"circulate": ["jiang"]}, {"conclude": ["liu"]}, {"file": ["chen"]}, {},
    ]  # fmt: skip
    shown = bureau.show(DOC, document)
    assert shown["state"] == "archived"
    assert shown["number"] == "收文2025-0001"
    assert shown["archiveCode"] == "SW-2025-D10-0001"
    assert shown["archivedOn"] == "2025-11-24"
    assert bureau.story(document)[-1] == "end"


def test_numbers_of_the_register_run_without_gaps_and_a_returned_document_has_none_before(
    bureau: DocumentBench,
) -> None:
    first, second = received(bureau), received(bureau, title="另一件")
    assert "number" not in bureau.show(DOC, first)
    for one in (second, first):
        bureau.act("liu", DOC, one, "submit")
        bureau.act("liu", DOC, one, "approve")
    assert [bureau.show(DOC, one)["number"] for one in (second, first)] == ["收文2025-0001", "收文2025-0002"]


@pytest.mark.parametrize("who", ["jiang", "gao", "chen", "ding"])
def test_nobody_else_acts_or_sees_it_before_it_is_theirs(bureau: DocumentBench, who: str) -> None:
    document = proposed(bureau)
    assert bureau.get(who, DOC, document) is None
    assert refusal(lambda: bureau.act(who, DOC, document, "approve")).type in (
        "forbidden",
        "notFound",
        "invalidProperties",
    )
    assert bureau.waiting(document) == {"propose": ["min"]}


def test_only_the_registrar_receives_documents(bureau: DocumentBench) -> None:
    refused = refusal(lambda: bureau.create("jiang", DOC, title="x", sourceUnit="y"))
    assert refused.type == "forbidden"


def test_a_document_outside_our_remit_goes_back_to_the_sender_with_the_reason(bureau: DocumentBench) -> None:
    sender = bureau.create("liu", "IssuingUnit", key="u9", name="省水利厅", code="SL")
    document = received(bureau, sourceUnitId=sender)
    bureau.act("liu", DOC, document, "submit")
    bureau.act("liu", DOC, document, "approve")
    silent = refusal(lambda: bureau.act("he", DOC, document, "refuse", outcome="returnToSender"))
    assert silent.properties == ["opinion"]
    bureau.act("he", DOC, document, "refuse", outcome="returnToSender", opinion="不属我局职责")
    shown = bureau.show(DOC, document)
    assert shown["state"] == "returned"
    assert shown["returnReason"] == "不属我局职责"
    assert bureau.waiting(document) == {}
    assert bureau.chores() == 1
    (package,) = bureau.all("liu", "ExchangePackage")
    assert (package["state"], package["purpose"], package["direction"]) == ("ready", "return", "out")
    assert bureau.content("liu", package["package"][0])[30:38] == b"mimetype"


def test_without_leaders_nothing_goes_to_them_and_without_readers_nothing_circulates(bureau: DocumentBench) -> None:
    document = proposed(bureau)
    assert refusal(lambda: propose(bureau, document, [])).properties == ["leaders"]
    bare = refusal(
        lambda: bureau.act("min", DOC, document, "approve", outcome="circulateOnly", values={"proposal": "传阅"})
    )
    assert bare.properties == ["readers"]
    assert refusal(
        lambda: bureau.act("min", DOC, document, "approve", values={"leaders": [bureau.person("gao")]})
    ).properties == ["proposal"]


def test_a_document_only_to_read_goes_to_its_readers_at_once(bureau: DocumentBench) -> None:
    document = proposed(bureau, handling="toRead")
    values = {"proposal": "请阅", "readers": [bureau.person("ding"), bureau.person("jiang")]}
    bureau.act("min", DOC, document, "approve", outcome="circulateOnly", values=values)
    assert bureau.waiting(document) == {"circulate": ["ding", "jiang"]}
    assert bureau.todos("ding") == ["step:circulate"]


def test_several_leaders_instruct_one_after_the_other(bureau: DocumentBench) -> None:
    document = proposed(bureau)
    propose(bureau, document, ["gao", "sun"])
    assert bureau.waiting(document) == {"instruct": ["gao"]}
    assert bureau.get("sun", DOC, document) is None, "it is not his yet"
    bureau.act("gao", DOC, document, "approve", opinion="请孙局阅示")
    assert bureau.waiting(document) == {"instruct": ["sun"]}


def test_several_leaders_instruct_at_once_and_each_has_to(bureau: DocumentBench) -> None:
    document = proposed(bureau)
    propose(bureau, document, ["gao", "sun"], leaderOrder="together", leadUnits=[bureau.departments["flood"]])
    assert bureau.waiting(document) == {"instructTogether": ["gao", "sun"]}
    bureau.act("sun", DOC, document, "approve", opinion="同意")
    assert bureau.waiting(document) == {"instructTogether": ["gao"]}
    bureau.act("gao", DOC, document, "approve", opinion="同意")
    assert bureau.waiting(document) == {"lead": ["feng"]}


def test_a_leader_names_the_units_himself(bureau: DocumentBench) -> None:
    document = proposed(bureau)
    propose(bureau, document, ["gao"])
    units = {"leadUnits": [bureau.departments["flood"], bureau.departments["works"]]}
    bureau.act("gao", DOC, document, "approve", opinion="两家牵头", values=units)
    assert bureau.waiting(document) == {"lead": ["ding", "feng"]}
    bureau.act("feng", DOC, document, "approve", opinion="办毕")
    assert bureau.waiting(document) == {"lead": ["ding"]}, "every lead unit has to finish"


def test_a_unit_that_it_does_not_belong_to_hands_it_over(bureau: DocumentBench) -> None:
    document = handled(bureau)
    bureau.act("feng", DOC, document, "refuse", outcome="handOver", opinion="属工程科职责")
    assert bureau.waiting(document) == {"propose": ["min"]}
    propose(bureau, document, ["gao"], leadUnits=[bureau.departments["works"]])
    bureau.act("gao", DOC, document, "approve", opinion="工程科办")
    assert bureau.waiting(document) == {"lead": ["ding"]}
    bureau.act("ding", DOC, document, "approve", opinion="办毕")
    assert bureau.waiting(document) == {"conclude": ["liu"]}


def test_a_unit_passes_it_to_one_of_its_people(bureau: DocumentBench) -> None:
    document = handled(bureau)
    bureau.act("feng", DOC, document, "transfer", to=["jiang"], opinion="请江办")
    assert bureau.waiting(document) == {"lead": ["jiang"]}
    bureau.act("jiang", DOC, document, "approve", opinion="办毕")
    assert bureau.show(DOC, document)["state"] == "concluding"


def test_a_reader_instructs_once_more(bureau: DocumentBench) -> None:
    document = handled(bureau, readers=[bureau.person("sun"), bureau.person("jiang")])
    bureau.act("feng", DOC, document, "approve", opinion="办毕")
    bureau.act("sun", DOC, document, "approve", outcome="instruct", opinion="请工程科也研究")
    assert bureau.waiting(document) == {"circulate": ["jiang"]}
    bureau.act("jiang", DOC, document, "read")
    assert bureau.waiting(document) == {"propose": ["min"]}
    propose(bureau, document, ["gao"], leadUnits=[bureau.departments["works"]])
    assert "sun approve circulate" in bureau.story(document)


def test_readers_are_added_while_it_circulates(bureau: DocumentBench) -> None:
    document = handled(bureau, readers=[bureau.person("sun")])
    bureau.act("feng", DOC, document, "approve", opinion="办毕")
    bureau.act("sun", DOC, document, "circulate", to=["ding", "jiang"])
    assert bureau.waiting(document) == {"circulate": ["ding", "jiang", "sun"]}
    assert bureau.get("jiang", DOC, document) is not None
    bureau.act("sun", DOC, document, "read")
    assert bureau.show(DOC, document)["state"] == "concluding", "who was added holds nothing up"
    bureau.act("ding", DOC, document, "read")


def test_who_has_it_is_known_at_every_moment(bureau: DocumentBench) -> None:
    document = handled(bureau, coUnits=[bureau.departments["works"]])
    assert sorted(bureau.name(one) for one in bureau.show(DOC, document)["handlerIds"]) == ["ding", "feng"]
    assert bureau.query("liu", DOC, {"handlerIds": bureau.person("feng")}) == [document]


def test_a_leader_returns_it_to_the_office(bureau: DocumentBench) -> None:
    document = proposed(bureau)
    propose(bureau, document, ["gao"])
    bureau.act("gao", DOC, document, "return", toStepId="propose", opinion="请先征求工程科意见")
    assert bureau.waiting(document) == {"propose": ["min"]}
    assert bureau.show(DOC, document)["state"] == "proposing"


def test_whoever_took_part_urges(bureau: DocumentBench) -> None:
    document = handled(bureau)
    bureau.act("liu", DOC, document, "urge", opinion="今天下班前")
    assert any("催办" in one["text"] for one in bureau.all("feng", "Alert"))


def test_on_time_is_measured_against_the_deadline(bureau: DocumentBench) -> None:
    for hours, wanted in ((1, "no"), (100, "yes")):
        deadline = bureau.clock.now_ms() + hours * HOUR
        document = handled(bureau, deadline=format_utc(deadline))
        bureau.clock.advance(2 * HOUR)
        bureau.act("feng", DOC, document, "approve", opinion="办毕")
        bureau.act("liu", DOC, document, "approve", values={"conclusion": "办结"})
        assert bureau.show(DOC, document)["onTime"] == wanted


def test_it_is_concluded_or_proposed_again(bureau: DocumentBench) -> None:
    document = handled(bureau)
    bureau.act("feng", DOC, document, "approve", opinion="办毕")
    bureau.act("liu", DOC, document, "approve", outcome="again", opinion="结果不完整", values={"conclusion": "待补"})
    assert bureau.waiting(document) == {"propose": ["min"]}
