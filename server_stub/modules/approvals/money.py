"""报销、付款、借款、合同: an invoice is claimed once, a loan is settled by claims, a contract is not paid beyond its amount. Money is exact."""

from decimal import Decimal
from typing import Any, Final

from server_stub.clock import utc_offset
from server_stub.errors import invalid_properties
from server_stub.modules.approvals.absences import own_records
from server_stub.modules.approvals.kinds import NOT_DONE, KindRules
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.definition import Action
from server_stub.modules.engine.formulas import format_money
from server_stub.modules.engine.lookups import load_by_value
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

EXPENSE: Final = "Expense"
PAYMENT: Final = "Payment"
LOAN: Final = "Loan"
CONTRACT: Final = "Contract"
DRAFT: Final = "draft"
ZERO: Final = Decimal(0)


class ExpenseRules(KindRules):
    """费用报销: every invoice once in the whole office; what settles a loan is not paid again."""

    def completed(self, tx: Tx, author_id: str | None, record_id: str, data: JsonObject) -> JsonObject:
        invoices = [one["invoice"] for one in data["lines"] if one.get("invoice")]
        if len(set(invoices)) < len(invoices):
            raise invalid_properties("an invoice is in it twice", "lines")
        self._refuse_claimed(tx, record_id, invoices)
        offset = money(data.get("offset"))
        if offset > sum((money(one["amount"]) for one in data["lines"]), ZERO):
            raise invalid_properties("more than the claim itself", "offset")
        if offset and not data.get("loanId"):
            raise invalid_properties("say which loan it settles", "loanId")
        if data.get("loanId"):
            self._loan(tx, author_id, data["loanId"])
        return data

    def check_submitted(self, tx: Tx, record: Record) -> None:
        data = record.data
        self._refuse_claimed(tx, record.id, [one["invoice"] for one in data["lines"] if one.get("invoice")])
        if not data.get("loanId"):
            return
        loan = self._loan(tx, record.author_id, data["loanId"])
        others = [
            one for one in claims_on(tx, loan.id) if one.id != record.id and one.data["state"] in ("pending", "paying")
        ]
        left = money(loan.data["outstanding"]) - sum((money(one.data.get("offset")) for one in others), ZERO)
        if money(data.get("offset")) > left:
            raise invalid_properties(f"{format_money(left)} of the loan are left to settle", "offset")

    def do_follow(self, tx: Tx, record: Record) -> None:
        if record.data.get("loanId"):
            do_renew_loan(self, tx, record.data["loanId"])

    def _loan(self, tx: Tx, author_id: str | None, loan_id: str) -> Record:
        loan = load_record(tx.conn, loan_id, type_name=LOAN)
        if loan is None or loan.author_id != author_id:
            raise invalid_properties("is no loan of yours", "loanId")
        return loan

    def _refuse_claimed(self, tx: Tx, record_id: str, invoices: list[str]) -> None:
        for invoice in invoices:
            for other in load_by_value(tx.conn, EXPENSE, "lines.invoice", invoice):
                if other.id != record_id and other.data.get("state") not in NOT_DONE | {DRAFT}:
                    number = other.data.get("number", "")
                    raise invalid_properties(f"the invoice {invoice} was claimed with {number}", "lines")


class PaymentRules(KindRules):
    """付款申请: never more than the contract says."""

    def check_submitted(self, tx: Tx, record: Record) -> None:
        contract = _contract_of(tx, record)
        if contract is None:
            return
        claimed = sum((money(one.data["amount"]) for one in payments_of(tx, contract.id)), ZERO)
        amount = money(contract.data["amount"])
        if claimed > amount:
            left = format_money(max(ZERO, amount - claimed + money(record.data["amount"])))
            raise invalid_properties(f"{left} of the contract are left to pay", "amount")

    def do_follow(self, tx: Tx, record: Record) -> None:
        contract = _contract_of(tx, record)
        if contract is not None:
            paid = [money(one.data["amount"]) for one in payments_of(tx, contract.id) if one.data["state"] == "passed"]
            self.change(tx, CONTRACT, contract.id, {"paidSum": format_money(sum(paid, ZERO))})


class LoanRules(KindRules):
    """借款: settled by claims and by cash; nobody borrows again while something is overdue."""

    def completed(self, tx: Tx, author_id: str | None, record_id: str, data: JsonObject) -> JsonObject:
        return {"settled": "0.00", "cashBack": "0.00", **data}

    def check_submitted(self, tx: Tx, record: Record) -> None:
        today = local_day(tx.now, utc_offset(tx.now)).isoformat()
        for other in own_records(tx, LOAN, record.author_id):
            if other.id != record.id and other.data["state"] == "passed" and other.data["repayBy"] < today:
                raise invalid_properties(f"{other.data['number']} is overdue: settle it first", "amount")

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        super().check_action(tx, actor, record, action, data)
        if action.name == "payBack" and money(data.get("cashBack")) > money(record.data["amount"]) - money(
            record.data["settled"]
        ):
            raise invalid_properties("more than is outstanding", "cashBack")

    def do_follow(self, tx: Tx, record: Record) -> None:
        do_renew_loan(self, tx, record.id)

    def refuse_void(self, tx: Tx, record: Record) -> None:
        if any(one.data["state"] not in NOT_DONE | {DRAFT} for one in claims_on(tx, record.id)) or money(
            record.data.get("cashBack")
        ):
            raise invalid_properties("claims settle it, or cash was paid back", "voidReason")


class ContractRules(KindRules):
    """合同审批: what is paid by it stays in the books."""

    def completed(self, tx: Tx, author_id: str | None, record_id: str, data: JsonObject) -> JsonObject:
        return {"paidSum": "0.00", **data}

    def refuse_void(self, tx: Tx, record: Record) -> None:
        if payments_of(tx, record.id):
            raise invalid_properties("payments stand on it", "voidReason")


def do_renew_loan(rules: Rules, tx: Tx, loan_id: str) -> None:
    """Add up anew what settles a loan; it is settled when nothing is outstanding, and not any more when a claim was voided."""
    loan = load_record(tx.conn, loan_id, type_name=LOAN)
    if loan is None or loan.data["state"] not in ("passed", "settled"):
        return
    claims = [money(one.data.get("offset")) for one in claims_on(tx, loan_id) if one.data["state"] == "passed"]
    settled = sum(claims, ZERO)
    done = settled + money(loan.data.get("cashBack")) >= money(loan.data["amount"])
    values: dict[str, Any] = {"settled": format_money(settled), "state": "settled" if done else "passed"}
    rules.change(tx, LOAN, loan_id, values)


def claims_on(tx: Tx, loan_id: str) -> list[Record]:
    """Every expense claim that names a loan."""
    return load_referrers(tx.conn, EXPENSE, "loanId", loan_id)


def payments_of(tx: Tx, contract_id: str) -> list[Record]:
    """Every payment of a contract that was asked for and not refused."""
    return [
        one
        for one in load_referrers(tx.conn, PAYMENT, "contractId", contract_id)
        if one.data["state"] not in NOT_DONE | {DRAFT}
    ]


def money(value: object) -> Decimal:
    """A money text as a number; nothing is 0."""
    return Decimal(str(value)) if value else ZERO


def _contract_of(tx: Tx, record: Record) -> Record | None:
    contract_id = record.data.get("contractId")
    return None if contract_id is None else load_record(tx.conn, contract_id, type_name=CONTRACT)
