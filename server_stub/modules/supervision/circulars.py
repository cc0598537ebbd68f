"""季度通报: a quarter's table by unit, counted from the items, with words made of it; published it stays as it was."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from server_stub.accounts.directory import DEPARTMENT
from server_stub.clock import format_utc, utc_offset
from server_stub.errors import invalid_properties
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.supervision.reckoning import days_late, quarter_days
from server_stub.modules.supervision.supervised import ITEM, REPORT, URGE, Supervised
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record, load_records_of_type
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

CIRCULAR: Final = "SupervisionCircular"
NAMES: Final = {"q1": "第一季度", "q2": "第二季度", "q3": "第三季度", "q4": "第四季度"}
MAX_LIST: Final = 10_000
LOOKS_BACK: Final = dt.timedelta(days=15)
"""A circular is about the quarter of so many days ago, unless somebody says which."""


@dataclass(slots=True)
class UnitFigures:
    """What a unit did in a quarter."""

    issued: int = 0
    in_hand: int = 0
    done: int = 0
    on_time: int = 0
    late: int = 0
    overdue: int = 0
    delays: list[int] = field(default_factory=list)
    extended: int = 0
    urges: int = 0
    yellow: int = 0
    missed: int = 0
    points: float = 0.0

    def line(self, unit_id: str) -> JsonObject:
        """As a row of the table."""
        mean = round(sum(self.delays) / len(self.delays), 1) if self.delays else 0
        return {
            "departmentId": unit_id, "issued": self.issued, "inHand": self.in_hand, "done": self.done, "onTime": self.on_time,
            "late": self.late, "overdue": self.overdue, "averageDelay": mean, "extended": self.extended, "urges": self.urges,
            "yellowCards": self.yellow, "missed": self.missed, "points": round(self.points, 1),
        }  # fmt: skip


class CircularRules(Supervised):
    """Counted when it is made and when asked again; signed by a leader."""

    type_name = CIRCULAR

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        then = self.today(tx) - LOOKS_BACK
        data.setdefault("year", then.year)
        data.setdefault("quarter", f"q{(then.month + 2) // 3}")
        return self._counted(tx, data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        moved = bool(changed & {"year", "quarter"})
        if not moved and data.get("countedAt") == record.data.get("countedAt"):
            return data
        if moved:
            data.pop("title", None)
        if moved or data.get("foreword") == _foreword(record.data):  # a person's words stay
            data.pop("foreword", None)
        return self._counted(tx, data)

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data["state"] != after.data["state"] == "published":
            heads = self.heads_of(tx.conn, [one["departmentId"] for one in after.data.get("lines", ())])
            self.do_tell(tx, after, heads, "advance", "督查通报已印发", "The circular was published", urgent=False)

    def _counted(self, tx: Tx, data: JsonObject) -> JsonObject:
        first, last = quarter_days(int(data["year"]), int(str(data["quarter"])[1:]))
        until = min(last, self.today(tx))
        if first > until:
            raise invalid_properties("has not begun", "quarter")
        figures, overdue = self._figures(tx, first, until)
        lines = [one.line(unit_id) for unit_id, one in figures.items()]
        lines.sort(key=lambda one: (-one["points"], one["averageDelay"], -one["done"], one["departmentId"]))
        counted = {
            "fromDay": first.isoformat(),
            "toDay": last.isoformat(),
            "lines": lines,
            "issuedTotal": sum(one["issued"] for one in lines),
            "doneTotal": sum(one["done"] for one in lines),
            "overdueTotal": sum(one["overdue"] for one in lines),
            "onTimeRate": _rate(sum(one["onTime"] for one in lines), sum(one["done"] for one in lines)),
            "overdueList": "\n".join(overdue)[:MAX_LIST] or None,
            "countedAt": format_utc(tx.now),
        }
        made = {**data, **counted}
        made.setdefault("title", f"{data['year']}年{NAMES[data['quarter']]}督查督办工作情况通报")
        made.setdefault("foreword", _foreword(made))
        return {name: value for name, value in made.items() if value is not None and value != []}

    def _figures(self, tx: Tx, first: dt.date, until: dt.date) -> tuple[dict[str, UnitFigures], list[str]]:
        """By unit, and a line for each item that is overdue at the end."""
        found: dict[str, UnitFigures] = {}
        overdue: list[str] = []
        for item in load_records_of_type(tx.conn, ITEM):
            issued, done = _day(item.data.get("issuedOn")), _day(item.data.get("doneOn"))
            if (
                issued is None
                or issued > until
                or item.data.get("state") == "cancelled"
                or (done is not None and done < first)
            ):
                continue
            one = found.setdefault(str(item.data["departmentId"]), UnitFigures())
            one.issued += issued >= first
            one.extended += int(bool(item.data.get("extensions")))
            deadline = dt.date.fromisoformat(item.data["deadline"])
            if done is not None and done <= until:
                delay = days_late(done, deadline)
                one.done, one.on_time, one.late = one.done + 1, one.on_time + (delay == 0), one.late + (delay > 0)
                one.points += float(item.data.get("points") or 0)
                one.delays.append(delay)
                continue
            one.in_hand += 1
            delay = days_late(until, deadline)
            if delay:
                one.overdue += 1
                one.delays.append(delay)
                overdue.append(f"{self._unit(tx, item)}：{item.data['title']}（期限{deadline}，超期{delay}天）")
        self._count_urging(tx, found, first, until)
        return found, overdue

    def _count_urging(self, tx: Tx, found: dict[str, UnitFigures], first: dt.date, until: dt.date) -> None:
        for urge in _within(load_records_of_type(tx.conn, URGE), first, until):
            one = found.setdefault(str(urge.data["departmentId"]), UnitFigures())
            if urge.data["kind"] == "yellow":
                one.yellow += 1
            else:
                one.urges += 1
        for report in load_records_of_type(tx.conn, REPORT):
            due = _day(report.data.get("dueOn"))
            missed = report.data.get("state") == "missing" or report.data.get("late")
            if missed and due is not None and first <= due <= until:
                found.setdefault(str(report.data["departmentId"]), UnitFigures()).missed += 1

    def _unit(self, tx: Tx, item: Record) -> str:
        unit = load_record(tx.conn, str(item.data["departmentId"]), type_name=DEPARTMENT)
        return "" if unit is None else str(unit.data.get("name", ""))


def _within(records: Iterable[Record], first: dt.date, until: dt.date) -> Iterable[Record]:
    return (one for one in records if first <= local_day(one.created_at, utc_offset(one.created_at)) <= until)


def _rate(part: int, whole: int) -> float | None:
    return round(part * 100 / whole, 1) if whole else None


def _foreword(data: Any) -> str:
    rate = "" if data.get("onTimeRate") is None else f"按期办结率{data['onTimeRate']}%，"
    return (
        f"{data['year']}年{NAMES[data['quarter']]}，新交办任务{data['issuedTotal']}项，办结{data['doneTotal']}项，"
        f"{rate}超期未结{data['overdueTotal']}项。现将有关情况通报如下。"
    )


def _day(value: Any) -> dt.date | None:
    return dt.date.fromisoformat(value) if isinstance(value, str) and value else None
