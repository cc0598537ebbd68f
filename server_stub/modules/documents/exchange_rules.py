"""交换件: a package that is dropped here becomes a document received; one that goes out is made. Both beside the writer."""

from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import SetError, invalid_properties
from server_stub.modules.documents.filing import today
from server_stub.modules.documents.naming import INCOMING, OUTGOING, PACKAGE
from server_stub.modules.documents.packages import (
    Opened,
    Packed,
    incoming_data,
    opening_of,
    outgoing_parcel,
    own_unit,
    packing_of,
    returned_parcel,
)
from server_stub.modules.documents.papers import UNIT
from server_stub.modules.engine.chores import ChoreRules, Work, do_ask_chore
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record, load_records_of_type
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

OPEN: Final = "open"
PACK: Final = "pack"


class PackageRules(ChoreRules):
    """交换件: a package that is dropped here becomes a document received; one that goes out is made."""

    def check_create(self, tx: Tx, actor: Actor, data: JsonObject) -> None:
        if not data.get("package"):
            raise invalid_properties("drop a package here", "package")

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        do_ask_chore(tx, record, OPEN, actor.person_id)

    def prepare_chore(self, conn: sa.Connection, record: Record, kind: str) -> Work | None:
        if record.data.get("state") != "waiting":
            return None
        if kind == OPEN:
            return opening_of(record.data["package"][0]["blobId"])
        sent_at = format_utc(self.context.clock.now_ms())
        types = self.context.types
        if record.data.get("purpose") == "return":
            document = load_record(conn, record.data["incomingId"], type_name=INCOMING)
            sender = own_unit(conn, load_records_of_type(conn, UNIT))
            parcel = None if document is None else returned_parcel(conn, types[INCOMING], document, sender, sent_at)
        else:
            document = load_record(conn, record.data["outgoingId"], type_name=OUTGOING)
            units = record.data.get("toUnits", ())
            parcel = None if document is None else outgoing_parcel(conn, types[OUTGOING], document, units, sent_at)
        return None if parcel is None else packing_of(parcel)

    def do_finish_chore(self, tx: Tx, record: Record, kind: str, result: Any, by: str | None) -> None:
        if kind == OPEN:
            self._do_receive(tx, record, result, by)
        else:
            self._do_keep_package(tx, record, result, by)

    def do_give_up_chore(self, tx: Tx, record: Record, kind: str, reason: str, by: str | None) -> None:
        state = "refused" if kind == OPEN else "failed"
        self.change(tx, PACKAGE, record.id, {"state": state, "problem": reason}, by=by)

    def _do_receive(self, tx: Tx, record: Record, opened: Opened, by: str | None) -> None:
        manifest = opened.manifest
        told = {
            "title": manifest.document.title,
            "number": manifest.document.number or None,
            "fromUnit": manifest.sender.name,
        }
        try:
            with tx.savepoint():
                self.change(tx, PACKAGE, record.id, {**told, "sendingId": manifest.id}, by=by)
        except SetError:  # another package has this id: it was received before
            problem = {"state": "refused", "problem": "这个交换包已经收过"}
            self.change(tx, PACKAGE, record.id, {**told, **problem}, by=by)
            return
        units = load_records_of_type(tx.conn, UNIT)
        unit = next((one for one in units if one.data.get("code") and one.data["code"] == manifest.sender.code), None)
        data = incoming_data(self.context.types[INCOMING], opened, None if unit is None else unit.id)
        received_on = today(tx.now).isoformat()
        made = self.make(
            tx, INCOMING, {"handling": "toHandle", "receivedOn": received_on, "leaderOrder": "inOrder", **data}, by
        )
        for _, file in opened.files:
            self.do_attach(tx, file, made, by)
        values = {"state": "received", "incomingId": made.id}
        self.change(tx, PACKAGE, record.id, values, by=by)

    def _do_keep_package(self, tx: Tx, record: Record, packed: Packed, by: str | None) -> None:
        self.do_attach(tx, packed.file, record, by)
        file = {"blobId": packed.file.blob_id, "name": packed.name, "size": packed.file.size, "type": packed.file.type}
        values = {"state": "ready", "package": [file]}
        self.change(tx, PACKAGE, record.id, values, by=by)
