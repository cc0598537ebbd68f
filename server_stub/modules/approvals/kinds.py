"""What every kind of application has in common: the department then, who is the leader in charge, copies after the end, voiding, the ledger.

Kinds that an administrator makes live by this class too (`kindRules` of module.toml). What hangs on single kinds is in absences.py and money.py.
"""

from collections.abc import Collection
from typing import Any, Final

from server_stub.accounts.directory import PERSON, load_rights
from server_stub.errors import invalid_properties
from server_stub.modules.approvals import ledger
from server_stub.modules.engine.definition import Action
from server_stub.modules.engine.processes.acting import do_start_by_server
from server_stub.modules.engine.processes.by_server import do_circulate_by_server
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.scopes import people_in
from server_stub.modules.engine.titles import title_of
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

VOIDING: Final = "Voiding"
VOIDED: Final = "voided"
LEADER: Final = "leader"
MAX_CHAIN: Final = 16
NOT_DONE: Final = ledger.REFUSED | ledger.CANCELLED | {VOIDED}
"""States in which nothing came of an application."""


class KindRules(Rules):
    """The rules of a kind that needs none of its own."""

    # ------------------------------------------------------------ for the kinds

    def completed(self, tx: Tx, author_id: str | None, record_id: str, data: JsonObject) -> JsonObject:
        """Compute and check what follows from the fields of an application. Raises SetError."""
        return data

    def check_submitted(self, tx: Tx, record: Record) -> None:
        """Refuse what may not be submitted; the record has left its first state already. Raises SetError."""

    def do_follow(self, tx: Tx, record: Record) -> None:
        """Bring what hangs on the record in line with it: it was moved, changed, voided or destroyed."""

    def refuse_void(self, tx: Tx, record: Record) -> None:
        """Raises SetError: something else stands on the record."""

    # ------------------------------------------------------------ writing

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        made = self.completed(tx, actor.person_id, record_id, data)
        if actor.department_ids and self.definition.field("departmentId") is not None:
            made = {**made, "departmentId": actor.department_ids[0]}
        return made

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        return self.completed(tx, record.author_id, record.id, data) if changed else data

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        if action.name == "askVoid":
            if record.data.get("voidReason"):
                raise invalid_properties("its voiding is asked for already", "voidReason")
            self.refuse_void(tx, record)

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if after.data.get("voidReason") and not before.data.get("voidReason"):
            self._do_ask_void(tx, actor, after)
        self.do_follow(tx, after)

    def after_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        self.do_follow(tx, record)

    def _do_ask_void(self, tx: Tx, actor: Actor, record: Record) -> None:
        """The little process that voids a finished record begins."""
        asked = {"recordNumber": record.data["number"], "reason": record.data["voidReason"]}
        made = self.make(tx, VOIDING, {**asked, **about(self, tx, record)}, actor.person_id)
        rules = KindRules(self.context, self.context.types[VOIDING])
        do_start_by_server(tx, self.context, rules, made, actor.person_id)

    # ------------------------------------------------------------ the case

    def performers(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Collection[str]:
        """`rule:leader` the nearest leader above the applicant, `rule:topLeader` the highest; a leader's own matter goes to the other leaders."""
        starter = str(case["startedById"])
        above = leaders_above(tx, starter)
        if not above:
            return sorted(people_in(tx, [("role", LEADER)]) - {starter})
        return above[:1] if name == LEADER else above[-1:]

    def on_case_end(self, tx: Tx, record: Record, end_state: str | None) -> None:
        """Those who get copies read what has passed."""
        copies = record.data.get("ccIds") or ()
        if copies and end_state is not None and end_state not in NOT_DONE:
            do_circulate_by_server(tx, self.context, self, record, copies, record.author_id)

    def on_case(self, tx: Tx, record: Record, before: str | None) -> None:
        first = self.definition.states[0].value
        if record.data.get("state") != before:
            self.do_follow(tx, record)
            if before == first and record.data.get("state") not in NOT_DONE:
                self.check_submitted(tx, record)
        ledger.do_note(self, tx, record)


def leaders_above(tx: Tx, person_id: str) -> list[str]:
    """The superiors of a person who have the role of a leader, nearest first; a circle ends where it closes."""
    chain: list[str] = []
    current: str | None = person_id
    while current is not None and len(chain) < MAX_CHAIN:
        record = load_record(tx.conn, current, type_name=PERSON)
        current = None if record is None else record.data.get("superiorId")
        if current in chain or current == person_id:
            break
        chain += [current] if current is not None else []
    return [one for one in chain if LEADER in load_rights(tx.conn, one).roles]


def about(rules: Rules, tx: Tx, record: Record) -> dict[str, Any]:
    """What an application to void a record says about it."""
    type_ = rules.context.types[record.type]
    title = title_of(tx.conn, rules.context.types, type_, record.data)
    return {
        "recordType": record.type,
        "recordId": record.id,
        "recordTitle": title,
        "kind": ledger.kind_of(rules, record.type),
    }
