"""工作代理人: a leave that has passed makes a Delegation to whom it names, for its time; it ends when one is back early, and goes when the leave is void."""

import uuid

from server_stub.clock import parse_utc
from server_stub.errors import SetError
from server_stub.modules.engine.alerts import AlertText, do_alert
from server_stub.modules.engine.processes.delegations import do_end_delegation, do_keep_delegation
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.titles import title_of
from server_stub.records.store import Record, load_record
from server_stub.storage.database import Tx

REASON = "请假期间代理"


def delegation_id_of(record_id: str) -> str:
    """The id of a leave's delegation."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"Delegation:{record_id}"))


def do_stand_in(rules: Rules, tx: Tx, record: Record) -> None:
    """Bring the delegation in line with its leave. Where nobody can stand in (a circle, somebody else does), the applicant is told."""
    data, key = record.data, delegation_id_of(record.id)
    gone = load_record(tx.conn, record.id, type_name=record.type) is None
    if gone or data.get("state") not in ("passed", "closed") or not data.get("standInId") or record.author_id is None:
        do_end_delegation(tx, key, tx.now)
        return
    start, end = parse_utc(data["time"]["start"]), parse_utc(data["time"]["end"])
    if data.get("state") == "closed":
        do_end_delegation(tx, key, min(end, max(start, parse_utc(data["backAt"]))))
        return
    if end <= tx.now:
        return
    try:
        with tx.savepoint():
            do_keep_delegation(tx, key, record.author_id, data["standInId"], start, end, f"{REASON} {data['number']}")
    except SetError as refused:
        why = refused.description or "refused"
        title = title_of(tx.conn, rules.context.types, rules.definition, data)
        label = {"zh": f"工作代理未生效：{why}"[:200], "en": f"Nobody stands in: {why}"[:200]}
        do_alert(tx, [record.author_id], AlertText("advance", title, label["zh"], False, record.type, record.id, label))
