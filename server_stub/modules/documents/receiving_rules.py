"""收文: leaders before instruction, the reason of a return, when it was concluded, the archive code."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from server_stub.clock import format_utc, parse_utc
from server_stub.errors import invalid_properties
from server_stub.modules.documents.archiving import ARCHIVE, packing_for_archive
from server_stub.modules.documents.exchange_rules import PACK
from server_stub.modules.documents.filing import do_keep_archive, filed, with_values
from server_stub.modules.documents.naming import INCOMING, PACKAGE
from server_stub.modules.engine.chores import ChoreRules, Work, do_ask_chore
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx


class IncomingRules(ChoreRules):
    """收文: leaders before instruction, the reason of a return, when it was concluded, the archive code."""

    def check_case_action(self, tx: Tx, actor: Actor, record: Record, event: JsonObject) -> None:
        if event.get("stepId") != "propose" or event.get("action") != "approve":
            return
        data = with_values(record, event)
        needed = "readers" if event.get("outcome") == "circulateOnly" else "leaders"
        if not data.get(needed):
            raise invalid_properties("is required", needed)

    def service(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Mapping[str, Any]:
        if name == "noteFinished":
            deadline = record.data.get("deadline")
            values: dict[str, Any] = {"finishedAt": format_utc(tx.now)}
            if deadline:
                values["onTime"] = "yes" if tx.now <= parse_utc(deadline) else "no"
            self.change(tx, INCOMING, record.id, values)
        elif name == "fileIncoming":
            after = self.change(tx, INCOMING, record.id, filed(record, "SW", tx.now))
            do_ask_chore(tx, after, ARCHIVE, None)
        return {}

    def prepare_chore(self, conn: sa.Connection, record: Record, kind: str) -> Work | None:
        return packing_for_archive(conn, self.definition, record, format_utc(self.context.clock.now_ms()))

    def do_finish_chore(self, tx: Tx, record: Record, kind: str, result: Any, by: str | None) -> None:
        self.do_attach(tx, result, record, by)
        do_keep_archive(self, tx, record, result)

    def on_step(self, tx: Tx, record: Record, step_id: str, event: JsonObject) -> None:
        if step_id == "review" and event.get("outcome") == "returnToSender":
            changed = self.change(tx, INCOMING, record.id, {"returnReason": event.get("opinion", "")[:500]})
            _do_return(self, tx, changed, event.get("personId"))


def _do_return(rules: Rules, tx: Tx, record: Record, by: str | None) -> None:
    """What came by exchange goes back by exchange, with the reason."""
    if not record.data.get("body"):
        return
    data = {"direction": "out", "purpose": "return", "title": record.data["title"], "incomingId": record.id}
    if record.data.get("sourceUnitId"):
        data["toUnits"] = [record.data["sourceUnitId"]]
    package = rules.make(tx, PACKAGE, data, by)
    do_ask_chore(tx, package, PACK, by)
