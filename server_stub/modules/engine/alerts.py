"""Alerts: one for each person, object and kind (or thing to be said of it), dismissed on one device and gone on all (docs/protocol.md §4, Alert)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType
from server_stub.ids import uuid7
from server_stub.modules.engine.scopes import do_share_many, person_scope_ids
from server_stub.modules.engine.tables import alert
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import do_bury, visible_ids
from server_stub.storage.database import Tx

ALERT: Final = "Alert"
OFFICE: Final = "urn:tongban:office"
MAX_TEXT: Final = 500
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class AlertText:
    """What an alert says and where it leads.

    Attributes:
        kind: notice, confirm, system, todo, due, comment, mention or follow.
        label: words of the definition, by language, that clients may show instead of `text`.
        beside: it stands beside others of its kind about the object that say something else (two steps that wait); else it is the newer word on them.
    """

    kind: str
    title: str
    text: str
    urgent: bool
    link_type: str
    link_id: str
    label: Mapping[str, str] | None = None
    beside: bool = False


def do_alert(tx: Tx, person_ids: Collection[str], content: AlertText) -> None:
    """Give each of these people the alert; one of the kind they already have about the same object is replaced (and pops up again)."""
    same = content.text if content.beside else None
    do_drop_alerts(tx, content.link_type, content.link_id, person_ids, kinds=(content.kind,), text=same)
    scopes = person_scope_ids(tx, person_ids)
    made = [(uuid7(tx.now), person_id) for person_id in sorted(scopes)]
    tx.raw.executemany(
        "INSERT INTO alert(id, person_id, kind, title, text, urgent, link_type, link_id, created_at, label)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                alert_id,
                person_id,
                content.kind,
                content.title[:MAX_TEXT],
                content.text[:MAX_TEXT],
                content.urgent,
                content.link_type,
                content.link_id,
                tx.now,
                None if content.label is None else msgspec.json.encode(content.label).decode(),
            )
            for alert_id, person_id in made
        ],
    )
    do_share_many(tx, ALERT, [(alert_id, scopes[person_id]) for alert_id, person_id in made])


def do_drop_alerts(
    tx: Tx,
    link_type: str,
    link_id: str,
    person_ids: Iterable[str] | None = None,
    *,
    kinds: Collection[str] | None = None,
    text: str | None = None,
) -> int:
    """Take the alerts about an object (None: of every kind, with any text) away from these people (None: from everyone). Returns how many there were."""
    rows = tx.raw.execute(
        "SELECT id, person_id, kind FROM alert WHERE link_type = ? AND link_id = ? AND (? IS NULL OR text = ?)",
        (link_type, link_id, text, None if text is None else text[:MAX_TEXT]),
    ).fetchall()
    wanted = None if person_ids is None else set(person_ids)
    ids = [row[0] for row in rows if (wanted is None or row[1] in wanted) and (kinds is None or row[2] in kinds)]
    for alert_id in ids:
        do_bury(tx, alert_id)
    tx.raw.executemany("DELETE FROM alert WHERE id = ?", [(alert_id,) for alert_id in ids])
    return len(ids)


class AlertHandler(RecordHandler):
    """The Alert type: read your own, destroy to dismiss, nothing else."""

    def __init__(self) -> None:
        super().__init__(ALERT, OFFICE)

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        found: dict[str, JsonObject] = {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            found.update((row.id, _present(row)) for row in conn.execute(sa.select(alert).where(alert.c.id.in_(chunk))))
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        raise SetError(SetErrorType.FORBIDDEN, "an alert cannot be changed, only destroyed")

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        if not visible_ids(tx.conn, actor.person_id, self.name, [id_]):
            raise SetError(SetErrorType.NOT_FOUND)
        do_bury(tx, id_)
        tx.raw.execute("DELETE FROM alert WHERE id = ?", (id_,))


def _present(row: Any) -> JsonObject:
    shown = {
        "id": row.id,
        "kind": row.kind,
        "title": row.title,
        "text": row.text,
        "urgent": bool(row.urgent),
        "link": {"type": row.link_type, "id": row.link_id},
        "createdAt": format_utc(row.created_at),
    }
    if row.label is not None:
        shown["label"] = msgspec.json.decode(row.label)
    return shown
