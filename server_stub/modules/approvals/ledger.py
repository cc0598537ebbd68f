"""审批台账: one line for each application with where it is, how long it took and why it was refused, and the working time of each step of it.

Reports count these lines, so that all kinds are counted together, those an administrator makes too. Written by the server alone.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from server_stub.clock import format_utc, utc_offset
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.definition import BOTH
from server_stub.modules.engine.keeping import do_keep, do_keep_new
from server_stub.modules.engine.overlays import kind_word
from server_stub.modules.engine.processes.rows import ENDED as CASE_ENDED
from server_stub.modules.engine.processes.rows import CaseRow, newest_case
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.titles import title_of
from server_stub.records.store import Record, load_record
from server_stub.storage.database import Tx
from server_stub.workflow.working_time import WorkingTime

ENTRY: Final = "ApprovalEntry"
STEP: Final = "ApprovalStep"
OTHER: Final = "other"
REFUSED: Final = frozenset({"refused", "rejected", "declined"})
CANCELLED: Final = frozenset({"terminated", "cancelled", "canceled", "withdrawn", "missed"})
VOID: Final = frozenset({"void", "voided"})
MAX_REASON: Final = 500
MAX_TITLE: Final = 300
MAX_WORDS: Final = 120
_DECIDED: Final = ("approve", "refuse", "read")


class LedgerRules(Rules):
    """Nobody writes the ledger by hand."""


def do_note(rules: Rules, tx: Tx, record: Record) -> None:
    """Bring the line of a record in line with its newest case; the first time one is made."""
    case = newest_case(tx.conn, record.id)
    if case is None or ENTRY not in rules.context.types:
        return
    data = {key: value for key, value in _entry(rules, tx, record, case).items() if value is not None}
    entry_id = entry_id_of(record.id)
    held = load_record(tx.conn, entry_id, type_name=ENTRY)
    if held is None:
        do_keep_new(tx, rules.context, ENTRY, entry_id, data, None)
    else:
        do_keep(tx, rules.context, held, data, None)
    if case.state in CASE_ENDED and (held is None or "endedAt" not in held.data):
        _do_note_steps(rules, tx, case, entry_id, data)


def entry_id_of(record_id: str) -> str:
    """The id of a record's line."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{ENTRY}:{record_id}"))


def kind_of(rules: Rules, type_name: str) -> str:
    """The kind as the ledger's choice; kinds made here have one by `kindChoices`; `other` is what was counted before."""
    field = rules.context.types[ENTRY].field("kind")
    word = kind_word(type_name)
    return word if field is not None and any(one.value == word for one in field.choices) else OTHER


def in_both(label: Mapping[str, str] | None, name: str | None = None) -> str | None:
    """Words in Chinese and in English as a field `in_both` holds them; a name of which nothing else is known as it is."""
    if label is None or label["zh"] == label["en"]:
        return (label["zh"] if label is not None else name or "")[: 2 * MAX_WORDS] or None
    return f"{label['zh'][:MAX_WORDS]}{BOTH}{label['en'][:MAX_WORDS]}"


def _entry(rules: Rules, tx: Tx, record: Record, case: CaseRow) -> dict[str, Any]:
    type_ = rules.context.types[record.type]
    now = (case.shown.get("now") or [{}])[0]
    made: dict[str, Any] = {
        "kind": kind_of(rules, record.type),
        "kindName": in_both({"zh": type_.label.zh, "en": type_.label.en}),
        "number": record.data.get("number"),
        "title": title_of(tx.conn, rules.context.types, type_, record.data)[:MAX_TITLE],
        "recordType": record.type,
        "recordId": record.id,
        "applicantId": case.started_by,
        "departmentId": case.department_id,
        "submittedAt": format_utc(case.started_at),
        "stepName": in_both(now.get("label"), now.get("name")),
        "stepSince": now.get("since"),
        "state": _state(rules, record, case),
    }
    if case.ended_at is not None:
        work = WorkingTime(utc_offset=utc_offset(tx.now))
        made["endedAt"] = format_utc(case.ended_at)
        made["hours"] = round(work.between(case.started_at, case.ended_at) / 60, 1)
    return made | (_refusal(tx, case) if made["state"] == "refused" else {})


def _state(rules: Rules, record: Record, case: CaseRow) -> str:
    state, first = record.data.get("state"), rules.context.types[record.type].states[0].value
    if case.state not in CASE_ENDED:
        return "returned" if state == first else "pending"
    for words, meant in ((REFUSED, "refused"), (CANCELLED, "cancelled"), (VOID, "voided")):
        if state in words:
            return meant
    return "returned" if state == first else "passed"


def _refusal(tx: Tx, case: CaseRow) -> dict[str, Any]:
    row = tx.raw.execute(
        "SELECT step_name, person_id, extra FROM case_event WHERE case_id = ? AND action = 'refuse' ORDER BY seq DESC LIMIT 1",
        (case.id,),
    ).fetchone()
    if row is None:
        return {}
    extra: Mapping[str, Any] = msgspec.json.decode(row[2])
    return {
        "refusedAt": in_both(extra.get("stepLabel"), row[0]),
        "refusedById": row[1],
        "reason": str(extra.get("opinion") or "")[:MAX_REASON] or None,
    }


def _do_note_steps(rules: Rules, tx: Tx, case: CaseRow, entry_id: str, entry: Mapping[str, Any]) -> None:
    """A line for each step that somebody decided at, once the case has ended."""
    rows = tx.raw.execute(
        "SELECT step_id, step_name, person_id, at, json_extract(extra, '$.stepLabel') FROM case_event"
        " WHERE case_id = ? AND action IN (?, ?, ?) AND step_id <> '' ORDER BY seq",
        (case.id, *_DECIDED),
    )
    minutes = case.shown.get("durations") or {}
    for step_id, (name, person_id, at, label) in {row[0]: row[1:] for row in rows}.items():
        made = {
            "entryId": entry_id,
            "kind": entry["kind"],
            "kindName": entry["kindName"],
            "stepName": in_both(None if label is None else msgspec.json.decode(label), name or step_id),
            "departmentId": case.department_id,
            "personId": person_id,
            "hours": round(minutes.get(step_id, 0) / 60, 1),
            "doneOn": local_day(at, utc_offset(at)).isoformat(),
        }
        rules.make(tx, STEP, {key: value for key, value in made.items() if value is not None}, None)
