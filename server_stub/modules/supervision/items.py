"""分解任务: 签收 in time or 督察科 hears of it, feedback by cycle, 办结 with evidence, 核查, points."""

import datetime as dt
from typing import Final

from server_stub.clock import utc_offset
from server_stub.errors import invalid_properties
from server_stub.modules.engine.definition import Action
from server_stub.modules.engine.dues import do_clear_due, do_set_due
from server_stub.modules.engine.processes.acting import do_start_by_server
from server_stub.modules.engine.processes.rows import open_case
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.supervision.feedback import ReportRules
from server_stub.modules.supervision.reckoning import (
    EARLIER,
    days_late,
    first_report,
    on_working_day,
    points_of,
    report_after,
)
from server_stub.modules.supervision.supervised import (
    ITEM,
    ITEM_OVER,
    LIGHT,
    MATTER,
    REPORT,
    Supervised,
    urged_by,
)
from server_stub.modules.supervision.transfers import responsible_after
from server_stub.records.actor import Actor
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx
from server_stub.workflow.working_time import WorkingTime

SIGN_IN: Final = "signIn"
FEEDBACK: Final = "report"
SIGN_LIMIT: Final = "1d"
"""Working time; as in item.bpmn."""
ASKED_AT: Final = 8 * 60
TAKES_ITEMS: Final = frozenset({"draft", "decomposing", "issuing", "running", "concluding"})
MAX_ROUNDS: Final = 400
"""Cycles made up for at once after a long sleep."""


class ItemRules(Supervised):
    """交办 → 签收 → 办理 → 核查 → 办结."""

    type_name = ITEM

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        return self.completed(tx, data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if record.data.get("state") == "planned":
            return self.completed(tx, data)
        if not data.get("responsibleIds"):
            data["responsibleIds"] = self.heads_of(tx.conn, [data["departmentId"]])
        return data

    def completed(self, tx: Tx, data: JsonObject) -> JsonObject:
        """What an item takes over from its matter. Raises SetError: dates, a matter that takes no more items."""
        matter = self.load(tx.conn, MATTER, data["matterId"], "matterId")
        if matter.data.get("state") not in TAKES_ITEMS:
            raise invalid_properties("is concluded: it takes no more items", "matterId")
        data.setdefault("deadline", matter.data["deadline"])
        if data["deadline"] > matter.data["deadline"]:
            raise invalid_properties("is later than the matter's", "deadline")
        data["originalDeadline"] = data["deadline"]
        if not data.get("cycle"):
            names = ("cycle", "cycleDay", "firstReportOn")
            data.update({name: matter.data[name] for name in names if matter.data.get(name) is not None})
        if not data.get("responsibleIds"):
            data["responsibleIds"] = self.heads_of(tx.conn, [data["departmentId"]])
        data["deployerId"] = matter.data["deployerId"]
        data["leadIds"] = matter.data.get("responsibleIds", [])
        return {name: value for name, value in data.items() if value != []}

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        self.do_roll_up(tx, record.data["matterId"])
        matter = self.load(tx.conn, MATTER, record.data["matterId"], "matterId")
        if matter.data.get("state") in ("running", "concluding"):
            self.do_begin(tx, record)

    def do_begin(self, tx: Tx, record: Record) -> None:
        """Hand an item out: its own case begins."""
        today = self.today(tx).isoformat()
        item = self.change(tx, ITEM, record.id, {"issuedOn": today, "lightFrom": today})
        starter = record.author_id or str(record.data["deployerId"])
        do_start_by_server(tx, self.context, self, item, starter)

    # ------------------------------------------------------------ people

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        if action.name in ("askReport", "addReport") and data["askedReportOn"] < self.today(tx).isoformat():
            raise invalid_properties("lies in the past", "askedReportOn")

    def check_case_action(self, tx: Tx, actor: Actor, record: Record, event: JsonObject) -> None:
        if event.get("action") == "approve" and record.data.get("state") == "verifying":
            case = open_case(tx.conn, str(record.data["matterId"]))
            if case is not None and case.state == "suspended":
                raise invalid_properties("the matter is suspended", "state")

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        asked = after.data.get("askedReportOn")
        if asked is not None and asked != before.data.get("askedReportOn"):
            self._do_ask(tx, after, dt.date.fromisoformat(asked))
        if before.data.get("state") != after.data.get("state") == "cancelled":
            self._do_settle(tx, after)
        elif before.data.get("state") == "planned":
            self.do_roll_up(tx, after.data["matterId"])

    def after_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        self.do_roll_up(tx, record.data["matterId"])

    # ------------------------------------------------------------ the process

    def on_step(self, tx: Tx, record: Record, step_id: str, event: JsonObject) -> None:
        today = self.today(tx).isoformat()
        match step_id:
            case "hand":
                work = WorkingTime(utc_offset=utc_offset(tx.now))
                do_set_due(tx, record.id, ITEM, SIGN_IN, work.add(tx.now, SIGN_LIMIT))
            case "sign":
                do_clear_due(tx, record.id, SIGN_IN)
                signed = self.change(tx, ITEM, record.id, {"signedOn": today})
                self.do_settle_urges(tx, record.id, "sign")
                self._do_first_report(tx, signed)
            case "work":
                self.change(tx, ITEM, record.id, {"finishedOn": today})
        self.do_light(tx, self.load(tx.conn, ITEM, record.id, "id"))

    def on_case_end(self, tx: Tx, record: Record, end_state: str | None) -> None:
        if end_state == "done":
            self._do_finish(tx, record)
        if record.data.get("state") in ITEM_OVER:
            self._do_settle(tx, record)

    def on_case(self, tx: Tx, record: Record, before: str | None) -> None:
        """Who it was passed on to is responsible for it from now on, in what is asked of the item too."""
        if record.data.get("state") not in ("issued", "running"):
            return
        taken = responsible_after(tx, record)
        if taken is None:
            return
        giver, people = taken
        after = self.change(tx, ITEM, record.id, {"responsibleIds": people}, by=giver)
        for report in load_referrers(tx.conn, REPORT, "itemId", record.id):
            if report.data.get("state") in ("waiting", "missing", "returned"):
                self.change(tx, REPORT, report.id, {"personIds": urged_by(after).get("personIds")})

    def on_due(self, tx: Tx, record: Record, kind: str) -> None:
        if kind == LIGHT:
            after = self.do_light(tx, record)
            turned = after.data.get("light") if after.data.get("light") != record.data.get("light") else None
            if turned == "red":
                self.do_urge(tx, after, "deadline", "已超过完成期限", "Past its deadline")
            elif turned == "amber":
                zh, en = f"黄灯：期限{after.data['deadline']}，剩余时间不足三成", f"Amber: due {after.data['deadline']}"
                self.do_tell(tx, after, after.data.get("responsibleIds", ()), "due", zh, en, urgent=False)
        elif kind == SIGN_IN and record.data.get("state") == "issued":
            self.do_urge(tx, record, "sign", "逾期未签收", "Not signed for in time")
        elif kind == FEEDBACK:
            self._do_reports(tx, record)

    # ------------------------------------------------------------ feedback

    def _do_first_report(self, tx: Tx, record: Record) -> None:
        first = self._first(record)
        if first is None:
            return
        if not record.data.get("firstReportOn"):
            first = self._working(record, first)
        self._do_reports(tx, self.change(tx, ITEM, record.id, {"nextReportOn": first.isoformat()}))

    def _working(self, record: Record, day: dt.date) -> dt.date:
        """A day of feedback that nobody works on is moved to the next one; two that meet there are one."""
        return on_working_day(day, record.data.get("cycle") or "none", int(record.data.get("cycleDay") or 5))

    def _first(self, record: Record) -> dt.date | None:
        data = record.data
        named, signed = data.get("firstReportOn"), dt.date.fromisoformat(data["signedOn"])
        first = first_report(
            data.get("cycle") or "none",
            int(data.get("cycleDay") or 5),
            dt.date.fromisoformat(named) if named else None,
            signed,
        )
        return first

    def _do_reports(self, tx: Tx, record: Record) -> None:
        """Ask for what has come up, make up for what was slept through, and be called again for the next one."""
        data, today = record.data, self.today(tx)
        first = None if data.get("state") in ITEM_OVER or not data.get("signedOn") else self._first(record)
        if first is None or not data.get("nextReportOn"):
            return
        cycle, day = str(data["cycle"]), int(data.get("cycleDay") or 5)
        next_on = dt.date.fromisoformat(data["nextReportOn"])
        signed = dt.date.fromisoformat(data["signedOn"])
        for _ in range(MAX_ROUNDS):
            opens = next_on - dt.timedelta(days=EARLIER[cycle])
            if opens > today or (opens == today and not self._morning_is_over(tx)):
                break
            if next_on >= signed and data.get("state") == "running":
                self._do_ask(tx, record, next_on)
            next_on = self._working(record, report_after(cycle, first, day, next_on))
        held = self.load(tx.conn, ITEM, record.id, "id")
        if held.data.get("nextReportOn") != next_on.isoformat():
            self.change(tx, ITEM, record.id, {"nextReportOn": next_on.isoformat()})
        self.do_wake(tx, record, FEEDBACK, next_on - dt.timedelta(days=EARLIER[cycle]), ASKED_AT)

    def _morning_is_over(self, tx: Tx) -> bool:
        minutes = (tx.now // 60_000 + utc_offset(tx.now)) % 1440
        return minutes >= ASKED_AT

    def _do_ask(self, tx: Tx, record: Record, due_on: dt.date) -> None:
        """One piece of feedback for a day, once."""
        held = (one.data.get("dueOn") for one in load_referrers(tx.conn, REPORT, "itemId", record.id))
        if due_on.isoformat() not in held:
            self.peer(ReportRules).do_open(tx, record, due_on)

    # ------------------------------------------------------------ the end

    def _do_finish(self, tx: Tx, record: Record) -> None:
        """It was done on the day on which it was said to be done."""
        data = record.data
        done = dt.date.fromisoformat(data.get("finishedOn") or self.today(tx).isoformat())
        delay = days_late(done, dt.date.fromisoformat(data["deadline"]))
        counts = (int(data.get(name) or 0) for name in ("urges", "yellowCards", "missedReports"))
        values = {
            "doneOn": done.isoformat(),
            "progress": 100,
            "light": "done",
            "delayDays": delay,
            "late": int(delay > 0),
            "onTime": int(delay == 0),
            "points": points_of(data["part"], delay, *counts),
            "nextReportOn": None,
        }
        self.change(tx, ITEM, record.id, values)

    def _do_settle(self, tx: Tx, record: Record) -> None:
        """Nothing is asked about it any more; the matter goes on when it was the last."""
        for kind in (SIGN_IN, FEEDBACK, LIGHT):
            do_clear_due(tx, record.id, kind)
        for report in load_referrers(tx.conn, REPORT, "itemId", record.id):
            if report.data.get("state") in ("waiting", "missing", "returned"):
                self.change(tx, REPORT, report.id, {"state": "waived"})
                do_clear_due(tx, report.id)
        self.do_settle_urges(tx, record.id)
        self.do_roll_up(tx, record.data["matterId"])
        self.do_pass_on(tx, record.data["matterId"])
