"""进展反馈: each cycle's report, missing ones turn red and are urged, what is reported becomes the progress; 催办 and 黄牌 by people."""

import datetime as dt
from typing import Any, Final

from server_stub.clock import utc_offset
from server_stub.errors import invalid_properties
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.dues import do_clear_due
from server_stub.modules.supervision.supervised import ITEM, REPORT, URGE, Supervised, forbidden, urged_by
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

MISSING: Final = "missing"
URGEABLE: Final = frozenset({"issued", "running", "verifying"})


class ReportRules(Supervised):
    """待反馈 → 已反馈 → 已审阅; 逾期未报 when its day is over."""

    type_name = REPORT

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        item = self.load(tx.conn, ITEM, data["itemId"], "itemId")
        if item.data.get("state") != "running":
            raise invalid_properties("is not under way", "itemId")
        return {**data, **self._taken_over(item)}

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        self._do_watch(tx, record)

    def do_open(self, tx: Tx, item: Record, due_on: dt.date) -> None:
        """Feedback of an item is due on a day; one that is over is missing at once."""
        data = {"itemId": item.id, "dueOn": due_on.isoformat(), "late": False, **self._taken_over(item)}
        self._do_watch(tx, self.make(tx, REPORT, data, None))

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if data["state"] == "submitted" and record.data["state"] in ("waiting", "missing"):
            data["late"] = local_day(tx.now, utc_offset(tx.now)).isoformat() > data["dueOn"]
        return data

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        state = after.data["state"]
        if before.data["state"] == state:
            return
        item = load_record(tx.conn, after.data["itemId"], type_name=ITEM)
        if state in ("submitted", "waived"):
            do_clear_due(tx, after.id, MISSING)
            self.do_settle_urges(tx, after.data["itemId"], "report")
        if state == "submitted" and item is not None and item.data.get("state") == "running":
            self.change(tx, ITEM, item.id, {"progress": after.data["progress"]})
            self.do_roll_up(tx, after.data["matterId"])
        if state in ("reviewed", "returned") and after.data.get("remark"):
            zh = f"督察意见：{after.data['remark']}"[:300]
            self.do_tell(
                tx, after, after.data.get("personIds", ()), "advance", zh, f"Supervisor: {zh[5:]}", urgent=False
            )

    def on_due(self, tx: Tx, record: Record, kind: str) -> None:
        if kind == MISSING and record.data.get("state") == "waiting":
            self._do_miss(tx, record)

    def _do_watch(self, tx: Tx, record: Record) -> None:
        """Missing from the day after."""
        day = dt.date.fromisoformat(record.data["dueOn"]) + dt.timedelta(days=1)
        if day > self.today(tx):
            self.do_wake(tx, record, MISSING, day)
        elif record.author_id is None:
            self._do_miss(tx, record)

    def _do_miss(self, tx: Tx, record: Record) -> None:
        self.change(tx, REPORT, record.id, {"state": "missing"})
        item = load_record(tx.conn, record.data["itemId"], type_name=ITEM)
        if item is None or item.data.get("state") != "running":
            return
        item = self.change(tx, ITEM, item.id, {"missedReports": int(item.data.get("missedReports") or 0) + 1})
        self.do_urge(
            tx,
            item,
            "report",
            f"{record.data['dueOn']}的反馈逾期未报",
            f"Feedback of {record.data['dueOn']} is missing",
        )

    def _taken_over(self, item: Record) -> dict[str, Any]:
        return {**urged_by(item), "part": item.data["part"]}


class UrgeRules(Supervised):
    """催办; a yellow card only after something was late or urged for."""

    type_name = URGE

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        item = self.load(tx.conn, ITEM, data["itemId"], "itemId")
        if item.data.get("state") not in URGEABLE:
            raise invalid_properties("nothing waits for anybody", "itemId")
        if "supervisor" not in actor.roles and item.data.get("deployerId") != actor.person_id:
            raise forbidden("who handed it out urges")
        told = sum(int(item.data.get(name) or 0) for name in ("urges", "missedReports"))
        if data["kind"] == "yellow" and item.data.get("light") != "red" and not told:
            raise invalid_properties("a yellow card follows what is overdue, or was urged for before", "kind")
        return {**data, **urged_by(item)}

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        self.do_count_urge(tx, record)

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data["state"] != after.data["state"] == "answered" and after.author_id is not None:
            zh = f"催办已回复：{after.data['answer']}"[:300]
            self.do_tell(tx, after, [after.author_id], "advance", zh, "Answered", urgent=False)
