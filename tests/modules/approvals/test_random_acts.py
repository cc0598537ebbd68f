"""Random people do random things with every kind: nothing is without somebody who has it, nothing ended waits, balances add up, the ledger agrees."""

import random
from typing import Any

import pytest

from server_stub.errors import SetError
from tests.modules.approvals.approvals_bench import TYPES, ApprovalsBench, days, span
from tests.modules.process_bench import STAFF

ACTS = (
    *("approve",) * 6,
    *("return",) * 2,
    "submit",
    "refuse",
    "withdraw",
    "transfer",
    "addSignerBefore",
    "terminate",
    "urge",
)
ROUNDS = 40


def filled(bureau: ApprovalsBench, type_name: str) -> dict[str, Any]:
    """An application of this kind that may be submitted."""
    paper = [bureau.file("jiang")]
    lines = [{"date": "2025-11-20", "what": "测试", "amount": "60000.00"}]
    items = [{"what": "测试", "count": 1, "price": "6000.00"}]
    kinds: dict[str, dict[str, Any]] = {
        "Leave": {"kind": "annual", "time": days("12-08", "12-12"), "reason": "休假"},
        "BusinessTrip": {"purpose": "调研", "place": "省城", "time": days("12-08", "12-12")},
        "Outing": {"reason": "送件", "place": "县政府", "time": span("12-08 14:00", "12-08 16:00")},
        "Overtime": {"reason": "值守", "time": span("12-06 08:00", "12-06 16:00")},
        "Expense": {"reason": "试验", "lines": lines, "invoices": paper},
        "Payment": {"reason": "工程款", "payee": "甲", "bank": "乙", "account": "622800", "amount": "60000.00", "files": paper},
        "Loan": {"reason": "备用金", "amount": "100.00"},
        "Purchase": {"reason": "设备", "lines": items},
        "Contract": {"name": "合同", "party": "甲", "amount": "60000.00", "draft": paper},
        "ServiceRequest": {"subject": "卡纸", "place": "301"},
        "Visit": {"unit": "甲", "visitor": "乙", "purpose": "参观", "time": span("12-08 14:00", "12-08 16:00"), "hostId": bureau.person("yan"), "count": 20},
        "Memo": {"subject": "请示", "body": "正文"},
    }  # fmt: skip
    return kinds[type_name]


def filling(bureau: ApprovalsBench, who: str) -> dict[str, Any]:
    """What the last steps of the kinds ask for."""
    return {
        "paidOn": "2025-11-25",
        "supplier": "甲",
        "actualAmount": "5900.00",
        "boughtOn": "2025-11-25",
        "signedOn": "2025-11-25",
        "signedFiles": [bureau.file(who)],
        "solution": "好了",
    }


def try_one(bureau: ApprovalsBench, chance: random.Random, type_name: str, record: str) -> None:
    """Somebody, more often than not who has it, tries something; being refused is fine, anything else is not."""
    have = [who for people in bureau.waiting(record, "jiang").values() for who in people]
    who = chance.choice(have) if have and chance.random() < 0.75 else chance.choice(sorted(STAFF))
    action = chance.choice(ACTS)
    if chance.random() < 0.7 and have in ([], ["jiang"]):
        who, action = "jiang", chance.choice(("submit", "approve"))
    given: dict[str, Any] = {"opinion": "意见"} if action != "submit" and chance.random() < 0.8 else {}
    if action in ("transfer", "addSignerBefore"):
        given["to"] = [chance.choice(sorted(STAFF))]
    if action in ("submit", "approve") and chance.random() < 0.8:
        steps = [
            one
            for item in bureau.all(who, "WorkItem")
            if item["recordId"] == record and item["state"] == "open"
            for one in item.get("chooses", ())
        ]
        names = [str(one["stepId"]) for one in steps] or (
            ["sign"] if type_name == "Memo" and action == "submit" else []
        )
        given["chosen"] = {name: [bureau.person(chance.choice(("feng", "wu", "gao")))] for name in names}
        fields = {
            name
            for item in bureau.all(who, "WorkItem")
            if item["recordId"] == record and item["state"] == "open"
            for name in item["required"]
        }
        given["values"] = {name: value for name, value in filling(bureau, who).items() if name in fields}
    try:
        bureau.act(who, type_name, record, action, **{key: value for key, value in given.items() if value})
    except SetError:
        return


def check(bureau: ApprovalsBench, type_name: str, record: str, seen: int) -> int:
    """What always holds; how long the history is."""
    cases = [one for one in bureau.all("jiang", "Case") if one["recordId"] == record]
    waiting = bureau.waiting(record, "jiang")
    shown = bureau.show(type_name, record, "jiang")
    running = [one for one in cases if one["state"] == "running"]
    assert len(running) <= 1
    assert bool(running) == any(waiting.values()), (running, waiting)
    if cases:
        entry = bureau.entry(record)["state"]
        assert (entry in ("pending", "returned")) == (bool(running) or shown["state"] == "draft")
    if not running:
        assert shown["state"] != "pending"
    state = shown["state"] if type_name == "Leave" else ""
    balances: dict[str, tuple[float, float, float]] = {"pending": (5, 0, 5), "passed": (0, 5, 5)}
    wanted = balances.get(state, (0.0, 0.0, 10.0))
    assert bureau.left("jiang", "annual") == wanted
    story = bureau.story(record, "jiang")
    assert len(story) >= seen
    return len(story)


@pytest.mark.parametrize("seed", ["1", "2"])
@pytest.mark.parametrize("type_name", TYPES)
def test_whatever_people_do(bureau: ApprovalsBench, type_name: str, seed: str) -> None:
    chance = random.Random(type_name + seed)
    bureau.balance("jiang", "annual", entitled=10)
    record = bureau.file_(type_name, **filled(bureau, type_name))
    seen = 0
    for _ in range(ROUNDS):
        try_one(bureau, chance, type_name, record)
        seen = check(bureau, type_name, record, seen)
    assert seen >= 3
