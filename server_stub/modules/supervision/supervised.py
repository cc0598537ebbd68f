"""What the types of supervision share: today, lights kept by moments of time, telling people, urging, rolling figures up to the matter."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, TypeVar

import sqlalchemy as sa

from server_stub.accounts.directory import DEPARTMENT
from server_stub.clock import utc_offset
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.alerts import AlertText, do_alert
from server_stub.modules.engine.conditions import day_start, local_day
from server_stub.modules.engine.definition import HANDLERS
from server_stub.modules.engine.dues import do_clear_due, do_set_due
from server_stub.modules.engine.processes.by_server import do_deliver
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.scopes import people_of
from server_stub.modules.engine.titles import title_of
from server_stub.modules.supervision.reckoning import days_late, light_on, next_change
from server_stub.records.store import Record, load_record
from server_stub.storage.database import Tx

MATTER: Final = "SupervisionMatter"
ITEM: Final = "SupervisionItem"
REPORT: Final = "SupervisionReport"
EXTENSION: Final = "SupervisionExtension"
URGE: Final = "SupervisionUrge"
R = TypeVar("R", bound="Supervised")
SUPERVISORS: Final = "role:supervisor"
LIGHT: Final = "light"
ITEM_OVER: Final = frozenset({"done", "cancelled"})
LIT: Final[Mapping[str, frozenset[str]]] = {
    MATTER: frozenset({"running", "concluding", "verifying", "closing"}),
    ITEM: frozenset({"issued", "running", "verifying"}),
}
"""States in which there is a light."""
ITEMS_DONE: Final = "itemsDone"
"""The message a matter's process waits for."""
MAX_RESULT: Final = 5000
HELD: Final[Mapping[str, str]] = {"verifying": "doneOn", "closing": "doneOn"}
"""States in which others look at what was done: the light stays as it was on the day in this field (of an item: finishedOn)."""


class Supervised(Rules):
    """Rules of one of the types of this module."""

    type_name: ClassVar[str]
    kinds: ClassVar[dict[str, type["Supervised"]]] = {}

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        Supervised.kinds[cls.type_name] = cls

    def peer(self, kind: type[R]) -> R:
        """The rules of another type of this module."""
        return kind(self.context, self.context.types[kind.type_name])

    def rules_of(self, type_name: str) -> "Supervised":
        """The rules of a type known by its name."""
        return self.peer(self.kinds[type_name])

    # ------------------------------------------------------------ looking

    def today(self, tx: Tx) -> dt.date:
        """The office's day."""
        return local_day(tx.now, utc_offset(tx.now))

    def load(self, conn: sa.Connection, type_name: str, record_id: Any, field: str) -> Record:
        """A record another one refers to. Raises SetError: there is none."""
        found = load_record(conn, str(record_id), type_name=type_name)
        if found is None:
            raise invalid_properties("there is no such record", field)
        return found

    def items_of(self, conn: sa.Connection, matter_id: str) -> list[Record]:
        """The items of a matter that were not withdrawn, oldest first."""
        items = load_referrers(conn, ITEM, "matterId", matter_id)
        return [one for one in items if one.data.get("state") != "cancelled"]

    def heads_of(self, conn: sa.Connection, unit_ids: Iterable[str]) -> list[str]:
        """Who heads these units, each once."""
        found = (load_record(conn, one, type_name=DEPARTMENT) for one in unit_ids)
        return list(
            dict.fromkeys(str(one.data["headId"]) for one in found if one is not None and one.data.get("headId"))
        )

    def supervisors(self, tx: Tx, record: Record) -> set[str]:
        """督察科: those of them who see the record."""
        return people_of(tx, self.context, self.context.types[record.type], record, [SUPERVISORS])

    # ------------------------------------------------------------ lights

    def do_light(self, tx: Tx, record: Record) -> Record:
        """Keep light and days late as they are today, and set the moment at which they will be others."""
        data = record.data
        if data.get("state") not in LIT[record.type]:
            do_clear_due(tx, record.id, LIGHT)
            return record
        today, deadline = self.today(tx), dt.date.fromisoformat(data["deadline"])
        start = dt.date.fromisoformat(data.get("lightFrom") or today.isoformat())
        held = (
            data.get("finishedOn" if record.type == ITEM else HELD.get(data["state"], ""))
            if data["state"] in HELD
            else None
        )
        day = dt.date.fromisoformat(held) if held else today
        self.do_wake(tx, record, LIGHT, today + dt.timedelta(days=1) if held else next_change(today, start, deadline))
        values: dict[str, Any] = {"light": light_on(day, start, deadline), "delayDays": days_late(day, deadline)}
        if record.type == ITEM:
            values["late"] = int(values["light"] == "red")
        if all(data.get(name) == value for name, value in values.items()):
            return record
        return self.change(tx, record.type, record.id, values)

    def do_wake(self, tx: Tx, record: Record, kind: str, day: dt.date, minutes: int = 0) -> None:
        """Have on_due called on a day of the office, so many minutes after midnight."""
        noon = int(dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC).timestamp() * 1000)
        do_set_due(tx, record.id, record.type, kind, day_start(day, utc_offset(noon)) + minutes * 60_000)

    # ------------------------------------------------------------ telling, urging

    def do_tell(
        self, tx: Tx, record: Record, people: Iterable[str], kind: str, zh: str, en: str, *, urgent: bool
    ) -> None:
        """An alert about a record."""
        wanted = list(dict.fromkeys(people))
        if wanted:
            title = title_of(tx.conn, self.context.types, self.context.types[record.type], record.data)
            do_alert(tx, wanted, AlertText(kind, title, zh, urgent, record.type, record.id, {"zh": zh, "en": en}))

    def do_urge(self, tx: Tx, item: Record, why: str, zh: str, en: str) -> None:
        """The system urges who is responsible for an item, and 督察科 hears of it."""
        title = str(item.data["title"])
        text = f"“{title[:150]}”{zh}，请抓紧办理并回复。"
        values = {"kind": "urge", "why": why, "details": text, "auto": True, "itemId": item.id}
        made = self.make(tx, URGE, {**values, **urged_by(item)}, None)
        self.do_count_urge(tx, made)
        self.do_tell(tx, item, self.supervisors(tx, item), "overdue", f"{zh}，已催办", f"{en}: urged", urgent=True)

    def do_count_urge(self, tx: Tx, urge: Record) -> None:
        """An urging counts for its item and its matter; who is urged hears of it at once, of a yellow card the heads do, too."""
        item = self.load(tx.conn, ITEM, urge.data["itemId"], "itemId")
        yellow = urge.data["kind"] == "yellow"
        name = "yellowCards" if yellow else "urges"
        self.change(tx, ITEM, item.id, {name: int(item.data.get(name) or 0) + 1})
        self.do_roll_up(tx, str(item.data["matterId"]))
        people = [
            *urge.data.get("personIds", ()),
            *(self.heads_of(tx.conn, [item.data["departmentId"]]) if yellow else ()),
        ]
        zh, en = ("黄牌警告", "A yellow card") if yellow else ("督办催办", "Urged")
        self.do_tell(tx, urge, people, "urge", f"{zh}：{urge.data['details']}"[:400], en, urgent=True)

    def do_settle_urges(self, tx: Tx, item_id: str, why: str | None = None) -> None:
        """What the system urged for is done (None: whatever it was): nobody has to answer any more."""
        for one in load_referrers(tx.conn, URGE, "itemId", item_id):
            if one.data.get("state") == "open" and why in (None, one.data.get("why")):
                self.change(tx, URGE, one.id, {"state": "settled"})

    # ------------------------------------------------------------ the matter above

    def do_roll_up(self, tx: Tx, matter_id: str) -> None:
        """Figures of the items become those of their matter."""
        items = self.items_of(tx.conn, matter_id)
        progress = sum(int(one.data.get("progress") or 0) for one in items)
        values = {
            "itemsTotal": len(items),
            "itemsDone": sum(one.data.get("state") == "done" for one in items),
            "progress": progress // len(items) if items else 0,
            "urges": sum(int(one.data.get("urges") or 0) for one in items),
            "yellowCards": sum(int(one.data.get("yellowCards") or 0) for one in items),
        }
        matter = load_record(tx.conn, matter_id, type_name=MATTER)
        if matter is not None and any(matter.data.get(name) != value for name, value in values.items()):
            self.change(tx, MATTER, matter_id, values)

    def do_pass_on(self, tx: Tx, matter_id: str) -> None:
        """When no item is open any more who leads concludes the matter, beginning with the results of the items."""
        matter = load_record(tx.conn, matter_id, type_name=MATTER)
        if matter is None or matter.data.get("state") != "running":
            return
        items = self.items_of(tx.conn, matter_id)
        if any(one.data.get("state") not in ITEM_OVER for one in items):
            return
        if do_deliver(tx, self.context, self.rules_of(MATTER), matter, ITEMS_DONE) and not matter.data.get("result"):
            lines = [f"{one.data['title']}：{one.data['result']}" for one in items if one.data.get("result")]
            self.change(tx, MATTER, matter_id, {"result": "\n".join(lines)[:MAX_RESULT] or None})


def urged_by(item: Record) -> dict[str, Any]:
    """What an urging or a piece of feedback takes over from its item: also whoever it was passed on to has to answer."""
    data = item.data
    names = ("matterId", "title", "departmentId", "deployerId", "leadIds")
    taken = {name: data[name] for name in names if data.get(name)}
    has_it = data.get(HANDLERS, ()) if data.get("state") in ("issued", "running") else ()
    people = list(dict.fromkeys([*data.get("responsibleIds", ()), *has_it]))
    return {**taken, "personIds": people} if people else taken


def forbidden(why: str) -> SetError:
    """Not for this person, not now."""
    return SetError(SetErrorType.FORBIDDEN, why)
