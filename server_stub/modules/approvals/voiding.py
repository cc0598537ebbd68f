"""作废申请: what has passed is voided by the applicant's superior alone, whatever kind it is, one made by an administrator too."""

from collections.abc import Mapping
from typing import Any, Final

from server_stub.errors import invalid_properties
from server_stub.modules.approvals import absences, ledger, money
from server_stub.modules.approvals.kinds import VOIDED, VOIDING, KindRules, about
from server_stub.modules.engine.lookups import load_by_value
from server_stub.modules.engine.referrers import load_written_by
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

PASSED: Final = "passed"
_OWN_RULES: Final[Mapping[str, type[KindRules]]] = {
    one.__name__: one
    for one in (
        absences.LeaveRules,
        absences.TripRules,
        absences.OutingRules,
        absences.OvertimeRules,
        money.ExpenseRules,
        money.PaymentRules,
        money.LoanRules,
        money.ContractRules,
    )
}


class VoidingRules(KindRules):
    """The application names a matter by its number; once agreed, the matter is void and all that hung on it is given back."""

    def completed(self, tx: Tx, author_id: str | None, record_id: str, data: JsonObject) -> JsonObject:
        record = self._find(tx, author_id, data["recordNumber"])
        self._refuse(tx, record, record_id)
        return {**data, **about(self, tx, record)}

    def check_submitted(self, tx: Tx, record: Record) -> None:
        self._refuse(tx, self._voided(tx, record), record.id)

    def do_follow(self, tx: Tx, record: Record) -> None:
        """When nothing comes of it, it may be asked for again."""
        if record.data.get("state") in ledger.REFUSED | ledger.CANCELLED:
            about_it = load_record(tx.conn, record.data["recordId"], type_name=record.data["recordType"])
            if about_it is not None and about_it.data.get("voidReason") and about_it.data.get("state") == PASSED:
                self.change(tx, about_it.type, about_it.id, {"voidReason": None})

    def service(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Mapping[str, Any]:
        """carryOut: the matter is void."""
        if name == "carryOut":
            matter = self._voided(tx, record)
            self._refuse(tx, matter, record.id)
            after = self.change(tx, matter.type, matter.id, {"state": VOIDED}, by=record.author_id)
            self._rules_of(matter.type).do_follow(tx, after)
            ledger.do_note(self, tx, after)
        return {}

    def _find(self, tx: Tx, author_id: str | None, number: str) -> Record:
        """The applicant's matter of this number. Raises SetError."""
        module = self.context.modules[VOIDING]
        for type_ in self.context.types.values():
            if self.context.modules.get(type_.name) != module or type_.state(VOIDED) is None or type_.process is None:
                continue
            own = load_written_by(tx.conn, type_.name, author_id)
            found = next((one for one in own if one.data.get("number") == number.strip()), None)
            if found is not None:
                return found
        raise invalid_properties("is no number of a matter of yours that can be voided", "recordNumber")

    def _voided(self, tx: Tx, record: Record) -> Record:
        found = load_record(tx.conn, record.data["recordId"], type_name=record.data["recordType"])
        if found is None:
            raise invalid_properties("it is not there any more", "recordNumber")
        return found

    def _refuse(self, tx: Tx, matter: Record, record_id: str) -> None:
        """Raises SetError: it cannot be voided now."""
        if matter.data.get("state") != PASSED:
            raise invalid_properties("only what has passed is voided", "recordNumber")
        for other in load_by_value(tx.conn, VOIDING, "recordId", matter.id):
            if other.id != record_id and other.data.get("state") == "pending":
                raise invalid_properties(f"{other.data.get('number', '')} asks for it already", "recordNumber")
        self._rules_of(matter.type).refuse_void(tx, matter)

    def _rules_of(self, type_name: str) -> KindRules:
        type_ = self.context.types[type_name]
        return _OWN_RULES.get(type_.rules or "", KindRules)(self.context, type_)
