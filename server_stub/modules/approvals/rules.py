"""The rules that module.toml names: what is true of each kind. Also kinds.py (common), absences.py, money.py, voiding.py, ledger.py."""

from collections.abc import Mapping
from typing import Any

from server_stub.clock import format_utc
from server_stub.errors import invalid_properties
from server_stub.modules.approvals.absences import BalanceRules, LeaveRules, OutingRules, OvertimeRules, TripRules
from server_stub.modules.approvals.kinds import KindRules
from server_stub.modules.approvals.ledger import LedgerRules
from server_stub.modules.approvals.money import ContractRules, ExpenseRules, LoanRules, PaymentRules
from server_stub.modules.approvals.voiding import VoidingRules
from server_stub.records.actor import Actor
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

__all__ = [
    "BalanceRules",
    "ContractRules",
    "ExpenseRules",
    "KindRules",
    "LeaveRules",
    "LedgerRules",
    "LoanRules",
    "MemoRules",
    "OutingRules",
    "OvertimeRules",
    "PaymentRules",
    "TripRules",
    "VisitRules",
    "VoidingRules",
]


class VisitRules(KindRules):
    """来访登记: the clock says when they came and went."""

    def service(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Mapping[str, Any]:
        """arrived, left."""
        self.change(tx, record.type, record.id, {f"{name}At": format_utc(tx.now)})
        return {}


class MemoRules(KindRules):
    """签报: the applicant picks who decides, as often as he likes, but never himself."""

    def check_case_action(self, tx: Tx, actor: Actor, record: Record, event: JsonObject) -> None:
        chosen = (event.get("chosen") or {}).get("sign", [])
        if record.author_id in chosen:
            raise invalid_properties("somebody else decides", "chosen")
        if event.get("outcome") == "more" and not chosen:
            raise invalid_properties("pick who has it next", "chosen")
