"""The register of stampings: a line for each seal that was laid on something, whoever's work led there."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from server_stub.clock import utc_offset
from server_stub.errors import invalid_properties
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record, load_records
from server_stub.storage.database import Tx

SEAL: Final = "Seal"
USE: Final = "SealUse"
USABLE: Final = frozenset({"active", "out"})


class Stamping(Struct, frozen=True, kw_only=True):
    """What was stamped, on how many copies of how many pages; for whom, by whom, where it came from, and on whose word.

    basis: the approval that covers it, in both languages (`中文｜English`). approved_on: a day.
    """

    subject: str
    manner: str
    copies: int
    pages: int
    applicant_id: str | None
    keeper_id: str | None
    department_id: str | None = None
    request_id: str | None = None
    origin_link: str | None = None
    scan: list[dict[str, Any]] | None = None
    basis: str | None = None
    approver_id: str | None = None
    approved_on: str | None = None


def load_usable_seals(
    tx: Tx, seal_ids: Iterable[str], *, lending: bool = False, field: str = "sealIds"
) -> list[Record]:
    """The seals of these ids. Raises SetError: one cannot be used now."""
    found = load_records(tx.conn, list(seal_ids), type_name=SEAL)
    for seal in found.values():
        state = seal.data.get("state")
        if state not in USABLE:
            raise invalid_properties(f"{seal.data['name']} is {state} and cannot be used", field)
        if lending and state == "out":
            raise invalid_properties(f"{seal.data['name']} is out and not back yet", field)
    return list(found.values())


def do_register(rules: Rules, tx: Tx, seals: Iterable[Record], stamping: Stamping) -> list[str]:
    """Write the lines, count the uses; the ids of the lines."""
    today = local_day(tx.now, utc_offset(tx.now)).isoformat()
    made = []
    for seal in seals:
        line: Mapping[str, Any] = {
            "sealId": seal.id,
            "requestId": stamping.request_id,
            "originLink": stamping.origin_link,
            "subject": stamping.subject[:200],
            "manner": stamping.manner,
            "copies": stamping.copies,
            "pages": stamping.pages,
            "departmentId": stamping.department_id,
            "applicantId": stamping.applicant_id,
            "keeperId": stamping.keeper_id,
            "keepers": seal.data["keepers"],
            "usedOn": today,
            "scan": stamping.scan,
            "basis": None if stamping.basis is None else stamping.basis[:200],
            "approverId": stamping.approver_id,
            "approvedOn": stamping.approved_on,
        }
        kept = {key: value for key, value in line.items() if value is not None}
        made.append(rules.make(tx, USE, kept, stamping.applicant_id).id)
        rules.change(tx, SEAL, seal.id, {"uses": int(seal.data.get("uses") or 0) + 1, "lastUsedOn": today})
    return made
