"""Rules of notices: states, who publishes, alerts and messages to the audience, counts, re-marking after an edit, expiry."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import format_utc, parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.access import audience_scopes
from server_stub.modules.engine.alerts import AlertText, do_alert, do_drop_alerts
from server_stub.modules.engine.definition import Action
from server_stub.modules.engine.dues import do_clear_due, do_set_due
from server_stub.modules.engine.marks import MarkCounts, do_drop_marks, load_mark_counts
from server_stub.modules.engine.markup import plain_text
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.scopes import do_touch_for
from server_stub.modules.notices.urging import (
    check_remind,
    do_escalate,
    do_remind,
    do_set_escalation_due,
    do_settle,
)
from server_stub.modules.notices.votes import BallotRules, check_vote, do_close_vote, do_set_vote_due, show_vote
from server_stub.records.actor import Actor
from server_stub.records.store import Record, do_update_record, load_records_of_type
from server_stub.records.types import JsonObject
from server_stub.records.visibility import EVERYONE, ScopeKind, audience, find_scope, scope_id
from server_stub.storage.blobs import do_link, do_unrefer
from server_stub.storage.database import Tx

__all__ = ["BallotRules", "NoticeRules"]  # what module.toml names

NOTICE: Final = "Notice"
SENDER: Final = "notices"
PUBLISHER: Final = "publisher"
EXPIRE: Final = "expire"
PUBLISH: Final = "publish"
SHOWN: Final = ("published", "withdrawn")
PREVIEW: Final = 120  # characters of the body in an alert
CONTENT: Final = frozenset({"title", "body", "level", "attachments"})
"""What makes a published notice new to its readers again when it changes."""
KEPT_BLOBS: Final = "WithdrawnNotice"
"""Attachments of a withdrawn notice are referred to under this name, which nobody sees: kept, but no longer handed out."""


class NoticeRules(Rules):
    """公告通知: draft → published → withdrawn; what is published can never be destroyed, only withdrawn, which leaves a trace."""

    hidden_unless_filtered = ("expired",)

    # ------------------------------------------------------------ rights

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        if action.name in ("publish", "schedule"):
            _check_approval(tx, actor, record.author_id)
        if action.name == "remind":
            check_remind(tx, record)

    def check_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> None:
        super().check_update(tx, actor, record, data, changed)
        if record.data["state"] == "withdrawn":
            raise SetError(SetErrorType.FORBIDDEN, "a withdrawn notice cannot be changed")
        if data["state"] == "withdrawn":
            self._check_withdrawal(data, changed)
        elif data["state"] == "published":
            _must_publish(actor)

    def _check_withdrawal(self, data: JsonObject, changed: set[str]) -> None:
        if changed - {"state", "withdrawReason", "pinned"}:
            raise invalid_properties("withdraw it without changing anything else", *sorted(changed))
        if not str(data.get("withdrawReason") or "").strip():
            raise invalid_properties("a reason is required", "withdrawReason")

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        super().check_destroy(tx, actor, record)
        if record.data["state"] != "draft":
            raise SetError(SetErrorType.FORBIDDEN, "a published notice can only be withdrawn")

    # ------------------------------------------------------------ content

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        self._check_department(actor, data, fill=True)
        data.pop("withdrawReason", None)
        if data["state"] == "published":
            _check_approval(tx, actor, actor.person_id)
            self._publish(tx, data)
            data["approvedBy"] = actor.person_id
        self._check_expiry(tx, data)
        check_vote(tx, data, {})
        return data

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if "departmentId" in changed:
            self._check_department(actor, data, fill=True)
        if data["state"] != "withdrawn":
            data.pop("withdrawReason", None)
        moved = record.data["state"] != data["state"]
        if moved:
            self._enter(tx, actor, record.data["state"], data)
        if "expiresAt" in changed or moved:
            self._check_expiry(tx, data)
        check_vote(tx, data, record.data)
        return data

    def _enter(self, tx: Tx, actor: Actor, before: str, data: JsonObject) -> None:
        """What a new state brings along."""
        data["sentBack"] = before == "submitted" and data["state"] == "draft"
        match data["state"]:
            case "published":
                self._publish(tx, data)
                data["approvedBy"] = actor.person_id
            case "scheduled":
                if parse_utc(data["publishAt"]) <= tx.now:
                    raise invalid_properties("lies in the past", "publishAt")
                data["approvedBy"] = actor.person_id
            case "withdrawn":
                data["withdrawnAt"] = format_utc(tx.now)
                data["pinned"] = False

    def _publish(self, tx: Tx, data: JsonObject) -> None:
        data["publishedAt"] = format_utc(tx.now)

    def _check_department(self, actor: Actor, data: JsonObject, *, fill: bool) -> None:
        if "departmentId" in data:
            if data["departmentId"] not in actor.department_ids and PUBLISHER not in actor.roles:
                raise invalid_properties("you issue notices of your own departments only", "departmentId")
        elif fill and actor.department_ids:
            data["departmentId"] = actor.department_ids[0]

    def _check_expiry(self, tx: Tx, data: JsonObject) -> None:
        """A notice that is (or becomes) published must have a future before it; the flag follows."""
        if data["state"] == "published" and "expiresAt" in data and parse_utc(data["expiresAt"]) <= tx.now:
            raise invalid_properties("lies in the past", "expiresAt")
        if data["state"] != "withdrawn":
            data["expired"] = False

    # ------------------------------------------------------------ effects

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        if record.data["state"] == "published":
            self._announce(tx, record, self._people(tx, record.data))

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if after.data["state"] == "withdrawn":
            if before.data["state"] != "withdrawn":
                self._withdraw(tx, after)
            return
        if after.data["state"] == "scheduled":
            do_set_due(tx, after.id, NOTICE, PUBLISH, parse_utc(after.data["publishAt"]))
        elif before.data["state"] == "scheduled":
            do_clear_due(tx, after.id, PUBLISH)
        if after.data["state"] != "published":
            return
        people = self._people(tx, after.data)
        if before.data["state"] != "published":
            self._announce(tx, after, people)
        elif before.data.get("remindedAt") != after.data.get("remindedAt"):
            do_remind(tx, after, people)
        elif any(before.data.get(name) != after.data.get(name) for name in CONTENT):
            do_drop_marks(tx, after.id)
            do_drop_alerts(tx, NOTICE, after.id)
            self._announce(tx, after, people)
        else:
            added = people - self._people(tx, before.data)
            do_drop_alerts(tx, NOTICE, after.id, self._people(tx, before.data) - people)
            self._announce(tx, after, added)

    def _announce(self, tx: Tx, record: Record, people: set[str]) -> None:
        """A message to everyone of the audience, an alert when the level asks for one, and the dates that follow."""
        data = record.data
        do_set_vote_due(tx, record)
        do_set_escalation_due(tx, record)
        if "expiresAt" in data:
            do_set_due(tx, record.id, NOTICE, EXPIRE, parse_utc(data["expiresAt"]))
        else:
            do_clear_due(tx, record.id, EXPIRE)
        others = people - {record.author_id}
        if not others:
            return
        self.context.say(
            tx, SENDER, sorted(others), data["title"], {"type": NOTICE, "id": record.id, "title": data["title"]}
        )
        if data["level"] != "normal":
            must = data["level"] == "mustConfirm"
            kind = "confirm" if must else "notice"
            do_alert(
                tx, others, AlertText(kind, data["title"], plain_text(data["body"], PREVIEW), must, NOTICE, record.id)
            )

    def _withdraw(self, tx: Tx, record: Record) -> None:
        do_drop_alerts(tx, NOTICE, record.id)
        do_clear_due(tx, record.id)
        for entry in record.data.get("attachments", ()):
            do_link(tx, entry["blobId"], record.id, KEPT_BLOBS)
        do_unrefer(tx, record.id, NOTICE)

    def _people(self, tx: Tx, data: Mapping[str, Any]) -> set[str]:
        return audience(tx.conn, audience_scopes(tx, data["audience"]))

    # ------------------------------------------------------------ events

    def check_mark(self, tx: Tx, actor: Actor, record: Record, confirmed: bool) -> None:
        if record.data["state"] != "published":
            raise invalid_properties("only a published notice is read and confirmed", "recordId")
        if confirmed and record.data["level"] != "mustConfirm":
            raise invalid_properties("this notice asks for no confirmation", "confirmed")

    def on_mark(self, tx: Tx, actor: Actor, record: Record, confirmed: bool) -> None:
        if confirmed or record.data["level"] != "mustConfirm":
            do_drop_alerts(tx, NOTICE, record.id, [actor.person_id])
        counters = [scope_id(tx, "role", PUBLISHER)]
        if record.author_id is not None:
            counters.append(scope_id(tx, "person", record.author_id))
        do_touch_for(tx, record.id, counters)
        if confirmed:
            do_settle(self, tx, record.id, actor.person_id)

    def on_due(self, tx: Tx, record: Record, kind: str) -> None:
        match kind:
            case "publish":
                self._publish_now(tx, record)
            case "expire":
                self._expire(tx, record)
            case "closeVote":
                do_close_vote(tx, record)
            case "escalate":
                do_escalate(self, tx, record, self._people(tx, record.data))

    def _publish_now(self, tx: Tx, record: Record) -> None:
        """The time a publisher set has come."""
        if record.data["state"] != "scheduled":
            return
        values = {"state": "published", "publishedAt": format_utc(tx.now), "expired": False}
        after = self.change(tx, NOTICE, record.id, values, by=record.data.get("approvedBy"))
        self._announce(tx, after, self._people(tx, after.data))

    def _expire(self, tx: Tx, record: Record) -> None:
        if record.data["state"] != "published" or "expiresAt" not in record.data:
            return
        do_drop_alerts(tx, NOTICE, record.id)
        do_update_record(tx, record, {**record.data, "expired": True, "pinned": False}, touch_time=False)

    # ------------------------------------------------------------ showing

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record], objects: list[JsonObject]) -> None:
        counted = [one.id for one in records if one.data["state"] in SHOWN and _manages(actor, one)]
        counts = load_mark_counts(conn, counted)
        sizes: dict[str, int] = {}
        for record, obj in zip(records, objects, strict=True):
            if record.data["state"] == "withdrawn" and not _manages(actor, record):
                obj["body"], obj["attachments"] = "", []
            show_vote(conn, actor, record, obj, manages=_manages(actor, record))
            if record.data["state"] in SHOWN and _manages(actor, record):
                one = counts.get(record.id, MarkCounts())
                obj["readCount"], obj["confirmedCount"] = one.read, one.confirmed
                obj["audienceCount"] = _audience_size(conn, record.data["audience"], sizes)


def _check_approval(tx: Tx, actor: Actor, author_id: str | None) -> None:
    """With the switch on nobody publishes what they wrote themselves."""
    if author_id == actor.person_id and approval_needed(tx.conn):
        raise SetError(SetErrorType.FORBIDDEN, "somebody else must approve it", ["state"])


def approval_needed(conn: sa.Connection) -> bool:
    """Whether the office has switched approval on."""
    return any(one.data.get("approval") for one in load_records_of_type(conn, "NoticeSettings"))


def _must_publish(actor: Actor) -> None:
    if PUBLISHER not in actor.roles:
        raise SetError(SetErrorType.FORBIDDEN, "publishing, and changing what is published, needs the role publisher")


def _manages(actor: Actor, record: Record) -> bool:
    return record.author_id == actor.person_id or PUBLISHER in actor.roles


def _audience_size(conn: sa.Connection, wanted: Mapping[str, Any], sizes: dict[str, int]) -> int:
    """How many people an audience is now; `sizes` remembers within one call."""
    key = repr(wanted)
    if key not in sizes:
        kinds: tuple[tuple[ScopeKind, str], ...] = (
            ("department", "departmentIds"),
            ("role", "roles"),
            ("person", "personIds"),
        )
        pairs: list[tuple[ScopeKind, str]] = [EVERYONE] if wanted.get("everyone") else []
        pairs += [(kind, ref) for kind, name in kinds for ref in wanted.get(name, ()) if not wanted.get("everyone")]
        found = (find_scope(conn, kind, ref) for kind, ref in pairs)
        sizes[key] = len(audience(conn, [one for one in found if one is not None]))
    return sizes[key]
