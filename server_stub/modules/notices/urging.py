"""Those who have not read or confirmed a notice: reminded by hand, and named to their superiors when a confirmation is overdue."""

from collections.abc import Iterable
from typing import Any, Final

from server_stub.accounts.directory import PERSON
from server_stub.clock import parse_utc
from server_stub.errors import SetError, SetErrorType
from server_stub.modules.engine.alerts import AlertText, do_alert
from server_stub.modules.engine.dues import do_clear_due, do_set_due
from server_stub.modules.engine.markup import plain_text
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record, load_records
from server_stub.storage.database import Tx

NOTICE: Final = "Notice"
ESCALATION: Final = "NoticeEscalation"
ESCALATE: Final = "escalate"
HOUR_MS: Final = 3_600_000
PREVIEW: Final = 120


def check_remind(tx: Tx, record: Record) -> None:
    """Raises SetError: they were reminded less than an hour ago."""
    last = record.data.get("remindedAt")
    if last and tx.now - parse_utc(last) < HOUR_MS:
        raise SetError(SetErrorType.RATE_LIMIT, "they were reminded less than an hour ago")


def do_remind(tx: Tx, record: Record, people: Iterable[str]) -> set[str]:
    """Alert those who still owe the notice something, and nobody else. Returns who they are."""
    waiting = owing(tx, record, people) - {record.author_id}
    must = record.data["level"] == "mustConfirm"
    text = AlertText(
        "confirm" if must else "notice",
        record.data["title"],
        plain_text(record.data["body"], PREVIEW),
        must,
        NOTICE,
        record.id,
    )
    do_alert(tx, waiting, text)
    return waiting


def owing(tx: Tx, record: Record, people: Iterable[str]) -> set[str]:
    """Who of these has not read the notice, or not confirmed one that asks for it."""
    done = "confirmed_at IS NOT NULL" if record.data["level"] == "mustConfirm" else "1"
    rows = tx.raw.execute(f"SELECT person_id FROM read_mark WHERE record_id = ? AND {done}", (record.id,))
    return set(people) - {row[0] for row in rows}


def do_set_escalation_due(tx: Tx, record: Record) -> None:
    """Look again when the hours are over, counted from publishing."""
    hours = record.data.get("escalateHours")
    if record.data["level"] == "mustConfirm" and hours:
        at = parse_utc(record.data["publishedAt"]) + int(hours) * HOUR_MS
        do_set_due(tx, record.id, NOTICE, ESCALATE, max(at, tx.now))
    else:
        do_clear_due(tx, record.id, ESCALATE)


def do_escalate(rules: Rules, tx: Tx, record: Record, people: Iterable[str]) -> None:
    """Name to each superior those who have not confirmed. Who has no superior is left to the author's own report."""
    if record.data["state"] != "published" or record.data.get("expired"):
        return
    late = sorted(owing(tx, record, people) - {record.author_id})
    by_superior: dict[str, list[str]] = {}
    for person in load_records(tx.conn, late, type_name=PERSON).values():
        superior = person.data.get("superiorId")
        if superior:
            by_superior.setdefault(superior, []).append(person.id)
    for superior, staff in sorted(by_superior.items()):
        data: dict[str, Any] = {
            "noticeId": record.id,
            "noticeTitle": record.data["title"],
            "superiorId": superior,
            "people": sorted(staff),
            "settled": False,
        }
        rules.make(tx, ESCALATION, data, None)


def do_settle(rules: Rules, tx: Tx, notice_id: str, person_id: str) -> None:
    """Somebody has confirmed after all."""
    for one in load_referrers(tx.conn, ESCALATION, "noticeId", notice_id):
        if person_id in one.data.get("people", ()):
            left = [other for other in one.data["people"] if other != person_id]
            rules.change(tx, ESCALATION, one.id, {"people": left, "settled": not left})
