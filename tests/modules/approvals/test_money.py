"""报销、付款、借款、采购、合同: who decides above which amount, exact sums, invoices claimed once, loans settled, contracts not overpaid."""

from functools import partial
from typing import Any

import pytest

from tests.modules.approvals.approvals_bench import ApprovalsBench, day
from tests.modules.office_bench import refusal


def line(amount: str, invoice: str = "", **properties: Any) -> dict[str, Any]:
    made = {"date": "2025-11-20", "kind": "office", "what": "墨盒", "amount": amount, **properties}
    return {**made, "invoice": invoice} if invoice else made


def expense(bureau: ApprovalsBench, *amounts: str, who: str = "jiang", **properties: Any) -> str:
    lines = properties.pop("lines", [line(one) for one in amounts])
    given = {"reason": "办公耗材", "lines": lines, "invoices": [bureau.file(who, name="发票.pdf")], **properties}
    return bureau.file_("Expense", who, **given)


def loan(bureau: ApprovalsBench, amount: str, who: str = "jiang", **properties: Any) -> str:
    record = bureau.submitted("Loan", who, reason="差旅备用金", amount=amount, **properties)
    bureau.passed("Loan", record, "feng", "qian")
    bureau.act("shen", "Loan", record, outcome="paid", values={"paidOn": "2025-11-24"})
    return record


def paid(bureau: ApprovalsBench, type_name: str, record: str) -> str:
    bureau.act("shen", type_name, record, outcome="paid", values={"paidOn": "2025-11-24", "voucher": "记-118"})
    return record


@pytest.mark.parametrize(
    ("amounts", "people"),
    [
        (("1999.99", "3000.00"), ("feng", "qian")),
        (("2000.00", "3000.00"), ("feng", "qian", "sun")),
        (("49999.99",), ("feng", "qian", "sun")),
        (("50000.00",), ("feng", "qian", "sun", "gao")),
    ],
)
def test_the_amount_says_how_far_up_a_claim_goes(
    bureau: ApprovalsBench, amounts: tuple[str, ...], people: tuple[str, ...]
) -> None:
    record = expense(bureau, *amounts)
    bureau.act("jiang", "Expense", record, "submit")
    for who in people:
        assert list(bureau.waiting(record, "jiang").values()) == [[who]]
        bureau.act(who, "Expense", record)
    assert bureau.waiting(record, "jiang") == {"pay": ["shen"]}
    assert bureau.state_of("Expense", record) == "paying"
    assert refusal(lambda: bureau.act("shen", "Expense", record, outcome="paid")).properties == ["paidOn"]
    paid(bureau, "Expense", record)
    shown = bureau.show("Expense", record, "jiang")
    assert (shown["state"], shown["number"], shown["voucher"]) == ("passed", "BX-2025-0001", "记-118")


def test_sums_are_exact(bureau: ApprovalsBench) -> None:
    record = expense(bureau, *["0.10"] * 30, "0.01")
    assert bureau.show("Expense", record, "jiang")["amount"] == "3.01"
    assert refusal(lambda: expense(bureau, "0.001")).properties == ["lines"]
    assert refusal(lambda: expense(bureau, "-5.00")).properties == ["lines"]
    assert refusal(lambda: expense(bureau, "5.00", invoices=[])).properties == ["invoices"]


def test_an_invoice_is_claimed_once(bureau: ApprovalsBench) -> None:
    assert refusal(lambda: expense(bureau, lines=[line("1.00", "A1"), line("2.00", "A1")])).properties == ["lines"]
    first, second = (expense(bureau, lines=[line("1.00", "A1")]) for _ in range(2))
    bureau.act("jiang", "Expense", first, "submit")
    assert refusal(lambda: bureau.act("jiang", "Expense", second, "submit")).properties == ["lines"]
    error = refusal(lambda: expense(bureau, who="wu", lines=[line("9.00", "A1")]))
    assert "BX-2025-0001" in str(error)
    bureau.act("feng", "Expense", first, "refuse", opinion="个人消费")
    bureau.act("jiang", "Expense", second, "submit")


def test_returned_by_finance_and_sent_again(bureau: ApprovalsBench) -> None:
    record = expense(bureau, "300.00")
    bureau.act("jiang", "Expense", record, "submit")
    bureau.act("feng", "Expense", record)
    assert refusal(lambda: bureau.act("qian", "Expense", record, "return")).properties == ["opinion"]
    bureau.act("qian", "Expense", record, "return", opinion="发票抬头不对", toStepId="apply")
    assert (bureau.state_of("Expense", record), bureau.waiting(record, "jiang")) == ("draft", {"apply": ["jiang"]})
    bureau.act("jiang", "Expense", record, "submit", values={"lines": [line("280.00")]})
    assert bureau.waiting(record, "jiang") == {"head": ["feng"]}
    bureau.passed("Expense", record, "feng", "qian")
    paid(bureau, "Expense", record)
    assert bureau.show("Expense", record, "jiang")["payable"] == "280.00"
    assert bureau.show("Expense", record, "jiang")["number"] == "BX-2025-0001"


def test_who_is_paid_where_is_not_everybody_s(bureau: ApprovalsBench) -> None:
    record = expense(bureau, "10.00", account="6222 0000 0000 0000")
    bureau.act("jiang", "Expense", record, "submit")
    assert "account" not in bureau.show("Expense", record, "feng")
    assert "account" in bureau.show("Expense", record, "shen")
    assert bureau.get("wu", "Expense", record) is None


# ---------------------------------------------------------------- loans


def test_a_loan_is_settled_by_claims(bureau: ApprovalsBench) -> None:
    borrowed = loan(bureau, "1000.00")
    assert bureau.show("Loan", borrowed, "jiang")["outstanding"] == "1000.00"
    first = expense(bureau, "600.00", loanId=borrowed, offset="600.00")
    bureau.act("jiang", "Expense", first, "submit")
    over = expense(bureau, "500.00", loanId=borrowed, offset="500.00")
    error = refusal(lambda: bureau.act("jiang", "Expense", over, "submit"))
    assert (error.properties, "400.00" in str(error)) == (["offset"], True)  # what is under way counts
    bureau.passed("Expense", first, "feng", "qian")  # nothing to pay: it ends without the cashier
    assert bureau.state_of("Expense", first) == "passed"
    shown = bureau.show("Loan", borrowed, "jiang")
    assert (shown["settled"], shown["outstanding"], shown["state"]) == ("600.00", "400.00", "passed")
    bureau.update("jiang", "Expense", over, offset="400.00")
    bureau.act("jiang", "Expense", over, "submit")
    bureau.passed("Expense", over, "feng", "qian")
    assert bureau.show("Expense", over, "jiang")["payable"] == "100.00"
    assert bureau.state_of("Loan", borrowed) == "passed"
    paid(bureau, "Expense", over)
    shown = bureau.show("Loan", borrowed, "jiang")
    assert (shown["state"], shown["outstanding"]) == ("settled", "0.00")


def test_a_loan_is_settled_by_cash_too(bureau: ApprovalsBench) -> None:
    borrowed = loan(bureau, "1000.00")
    for who in ("jiang", "feng"):
        given = {"action": "payBack", "cashBack": "1.00"}
        assert refusal(partial(bureau.update, who, "Loan", borrowed, **given)).type == "forbidden"
    assert refusal(
        lambda: bureau.update("shen", "Loan", borrowed, action="payBack", cashBack="1000.01")
    ).properties == ["cashBack"]
    bureau.update("shen", "Loan", borrowed, action="payBack", cashBack="1000.00")
    assert bureau.state_of("Loan", borrowed) == "settled"


def test_a_loan_settles_its_own_claims_only(bureau: ApprovalsBench) -> None:
    borrowed = loan(bureau, "1000.00")
    assert refusal(lambda: expense(bureau, "5.00", who="wu", loanId=borrowed)).properties == ["loanId"]
    assert refusal(lambda: expense(bureau, "5.00", offset="5.00")).properties == ["loanId"]
    assert refusal(lambda: expense(bureau, "5.00", loanId=borrowed, offset="5.01")).properties == ["offset"]


def test_nobody_borrows_again_while_something_is_overdue(bureau: ApprovalsBench) -> None:
    borrowed = loan(bureau, "1000.00", repayBy="2025-11-28")
    bureau.submitted("Loan", reason="又一笔", amount="10.00")
    bureau.clock.advance(10 * 24 * 3_600_000)
    again = bureau.file_("Loan", reason="再一笔", amount="10.00")
    assert refusal(lambda: bureau.act("jiang", "Loan", again, "submit")).properties == ["amount"]
    bureau.update("shen", "Loan", borrowed, action="payBack", cashBack="1000.00")
    bureau.act("jiang", "Loan", again, "submit")


def test_voiding_a_claim_opens_the_loan_again(bureau: ApprovalsBench) -> None:
    borrowed = loan(bureau, "100.00")
    claim = expense(bureau, "100.00", loanId=borrowed, offset="100.00")
    bureau.act("jiang", "Expense", claim, "submit")
    bureau.passed("Expense", claim, "feng", "qian")
    assert bureau.state_of("Loan", borrowed) == "settled"
    bureau.update("jiang", "Expense", claim, action="askVoid", voidReason="票据作废")
    (voiding,) = bureau.all("jiang", "Voiding")
    bureau.act("feng", "Voiding", voiding["id"])
    assert bureau.state_of("Expense", claim) == "voided"
    shown = bureau.show("Loan", borrowed, "jiang")
    assert (shown["state"], shown["outstanding"]) == ("passed", "100.00")


# ---------------------------------------------------------------- contracts, payments, purchases


def contract(bureau: ApprovalsBench, amount: str = "9000.00", who: str = "jiang") -> str:
    given = {
        "name": "抽水泵采购合同",
        "party": "江源机电",
        "amount": amount,
        "draft": [bureau.file(who, name="合同.pdf")],
    }
    return bureau.submitted("Contract", who, **given)


def signed(bureau: ApprovalsBench, record: str, who: str = "jiang") -> str:
    values = {"signedOn": "2025-11-25", "signedFiles": [bureau.file(who, name="已签.pdf")]}
    bureau.act(who, "Contract", record, outcome="signed", values=values)
    return record


def test_a_contract_is_read_by_law_and_finance_at_once(bureau: ApprovalsBench) -> None:
    record = contract(bureau, "60000.00")
    bureau.act("feng", "Contract", record)
    assert bureau.waiting(record, "jiang") == {"legal": ["ding"], "finance": ["qian"]}
    assert refusal(lambda: bureau.act("ding", "Contract", record)).properties == ["opinion"]
    bureau.act("qian", "Contract", record)
    assert bureau.waiting(record, "jiang") == {"legal": ["ding"]}
    bureau.act("ding", "Contract", record, opinion="合法有效")
    bureau.passed("Contract", record, "sun", "gao")
    assert bureau.waiting(record, "jiang") == {"sign": ["jiang"]}
    assert refusal(lambda: bureau.act("jiang", "Contract", record, outcome="signed")).properties == [
        "signedOn",
        "signedFiles",
    ]
    assert bureau.state_of("Contract", signed(bureau, record)) == "passed"


def test_refused_by_law_it_ends_for_finance_too(bureau: ApprovalsBench) -> None:
    record = contract(bureau)
    bureau.act("feng", "Contract", record)
    bureau.act("ding", "Contract", record, "refuse", opinion="违约条款显失公平")
    assert (bureau.state_of("Contract", record), bureau.waiting(record, "jiang")) == ("refused", {})
    assert bureau.todos("qian") == []


def test_a_contract_is_not_paid_beyond_its_amount(bureau: ApprovalsBench) -> None:
    record = contract(bureau)
    bureau.act("feng", "Contract", record)
    bureau.act("ding", "Contract", record, opinion="同意")
    bureau.passed("Contract", record, "qian", "sun")
    signed(bureau, record)

    def pay(amount: str) -> str:
        given = {"reason": "进度款", "payee": "江源机电", "bank": "县农商行", "account": "6228 0000 1111"}
        return bureau.file_("Payment", **given, amount=amount, contractId=record, files=[bureau.file("jiang")])

    first, second = pay("4000.00"), pay("5000.01")
    bureau.act("jiang", "Payment", first, "submit")
    error = refusal(lambda: bureau.act("jiang", "Payment", second, "submit"))
    assert (error.properties, "5000.00" in str(error)) == (["amount"], True)
    bureau.passed("Payment", first, "feng", "qian")
    paid(bureau, "Payment", first)
    shown = bureau.show("Contract", record, "jiang")
    assert (shown["paidSum"], shown["unpaid"]) == ("4000.00", "5000.00")
    assert refusal(lambda: bureau.update("jiang", "Contract", record, action="askVoid", voidReason="x")).properties == [
        "voidReason"
    ]
    bureau.update("jiang", "Payment", first, action="askVoid", voidReason="付错了")
    (voiding,) = bureau.all("jiang", "Voiding")
    bureau.act("feng", "Voiding", voiding["id"])
    assert bureau.show("Contract", record, "jiang")["paidSum"] == "0.00"


def test_a_purchase_is_bought_and_received(bureau: ApprovalsBench) -> None:
    lines = [
        {"what": "打印机", "count": 2, "unit": "台", "price": "1299.99"},
        {"what": "硒鼓", "count": 3, "price": "100.00"},
    ]
    record = bureau.submitted("Purchase", reason="更新打印设备", lines=lines)
    assert bureau.show("Purchase", record, "jiang")["amount"] == "2899.98"
    bureau.passed("Purchase", record, "feng", "qian")
    assert bureau.waiting(record, "jiang") == {"buy": ["liu"]}
    values = {"supplier": "县文化用品店", "actualAmount": "2800.00", "boughtOn": "2025-11-26"}
    bureau.act("liu", "Purchase", record, outcome="bought", values=values)
    assert bureau.waiting(record, "jiang") == {"receive": ["jiang"]}
    bureau.act("jiang", "Purchase", record, "return", opinion="型号不对")
    assert bureau.waiting(record, "jiang") == {"buy": ["liu"]}
    bureau.act("liu", "Purchase", record, outcome="bought")
    bureau.act("jiang", "Purchase", record, outcome="received")
    shown = bureau.show("Purchase", record, "jiang")
    assert (shown["state"], shown["saved"]) == ("passed", "99.98")


def test_a_single_source_always_goes_to_the_leader_and_needs_a_reason(bureau: ApprovalsBench) -> None:
    given: dict[str, Any] = {
        "reason": "系统维保",
        "lines": [{"what": "维保", "count": 1, "price": "100.00"}],
        "manner": "single",
    }
    assert refusal(lambda: bureau.file_("Purchase", **given)).properties == ["singleReason"]
    record = bureau.submitted("Purchase", **given, singleReason="原厂唯一授权")
    bureau.passed("Purchase", record, "feng", "qian")
    assert bureau.waiting(record, "jiang") == {"leader": ["sun"]}


def test_cancelled_only_while_under_way(bureau: ApprovalsBench) -> None:
    record = expense(bureau, "10.00")
    bureau.act("jiang", "Expense", record, "submit")
    assert refusal(lambda: bureau.update("feng", "Expense", record, action="cancel")).type == "forbidden"
    bureau.passed("Expense", record, "feng", "qian")
    assert refusal(lambda: bureau.update("jiang", "Expense", record, action="cancel")).properties == ["state"]
    trip = bureau.submitted("BusinessTrip", purpose="x", place="y", time=day("11-26"))
    bureau.update("jiang", "BusinessTrip", trip, action="cancel")
    assert (bureau.state_of("BusinessTrip", trip), bureau.todos("feng")) == ("cancelled", [])
