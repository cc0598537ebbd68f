"""Matters under supervision in the bureau: the ways from one station to the next, by days of the office."""

import datetime as dt
from pathlib import Path
from typing import Any

from server_stub.clock import utc_offset
from server_stub.modules.engine.conditions import local_day
from tests.modules.process_bench import DAY, HOUR, PDF, ProcessBench

MATTER, ITEM = "SupervisionMatter", "SupervisionItem"
REPORT, EXTENSION, URGE, CIRCULAR = (
    "SupervisionReport",
    "SupervisionExtension",
    "SupervisionUrge",
    "SupervisionCircular",
)
EVIDENCE = PDF + b"evidence"


class SupervisionBench(ProcessBench):
    """gao is the leader, fang 督察科; flood (head feng) leads, works (head ding) supports. It is Monday 24 November 2025."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "supervision")
        self.modules = folder / "modules"
        self.grant("fang", "supervisor")
        self.clock.advance(
            8 * HOUR
        )  # 09:00 UTC: within working hours wherever this test runs between London and Beijing

    # ------------------------------------------------------------ time

    @property
    def today(self) -> dt.date:
        """The office's day."""
        return local_day(self.clock.now_ms(), utc_offset(self.clock.now_ms()))

    def day(self, days: int) -> str:
        """So many days from today."""
        return (self.today + dt.timedelta(days=days)).isoformat()

    def pass_days(self, days: int) -> None:
        """Days go by, and everything that falls due is done day by day."""
        for _ in range(days):
            self.clock.advance(DAY)
            self.settle()

    def settle(self) -> None:
        """Do what is due now."""
        while self.run_due():
            pass

    # ------------------------------------------------------------ stations

    def matter(self, who: str = "fang", **properties: Any) -> str:
        """A matter of gao's in draft, due in 20 days."""
        given = {
            "title": "山洪预警设备检修",
            "deployerId": self.person("gao"),
            "leadUnits": [self.departments["flood"]],
            "supportUnits": [self.departments["works"]],
            "deadline": self.day(19),
            "cycle": "weekly",
            "cycleDay": 5,
            **properties,
        }
        return self.create(who, MATTER, key=f"m{self.clock.now_ms()}", **given)

    def issued(self, record: str, who: str = "fang") -> str:
        """Taken apart and handed out."""
        self.act(who, MATTER, record, "submit")
        self.act("fang", MATTER, record)
        if self.waiting(record, "fang"):
            self.act("gao", MATTER, record)
        return record

    def items(self, matter: str, who: str = "fang") -> dict[str, str]:
        """Department key → item."""
        names = {value: key for key, value in self.departments.items()}
        found = [one for one in self.all(who, ITEM) if one["matterId"] == matter]
        return {
            names[one["departmentId"]]: one["id"]
            for one in sorted(found, key=lambda one: (one["createdAt"], one["part"]))
        }

    def signed(self, matter: str) -> dict[str, str]:
        """Both units have signed."""
        items = self.items(matter)
        for unit, head in (("flood", "feng"), ("works", "ding")):
            if unit in items:
                self.act(head, ITEM, items[unit])
        return items

    def under_way(self, **properties: Any) -> tuple[str, dict[str, str]]:
        """A matter handed out and signed for, with its items."""
        matter = self.issued(self.matter(**properties))
        return matter, self.signed(matter)

    def finish(self, head: str, item: str) -> None:
        """Said to be done with evidence, and found to be so."""
        self.say_done(head, item)
        self.act("fang", ITEM, item)

    def say_done(self, head: str, item: str) -> None:
        """Said to be done."""
        proof = self.file(head, EVIDENCE + head.encode(), name="佐证.pdf")
        self.act(head, ITEM, item, values={"result": f"{head} 已完成", "evidence": [proof]})

    def conclude(self, matter: str) -> None:
        """feng concludes it."""
        proof = self.file("feng", EVIDENCE + b"all", name="总结.pdf")
        self.act("feng", MATTER, matter, values={"result": "全部完成", "evidence": [proof]})

    # ------------------------------------------------------------ looking

    def field(self, type_name: str, record: str, *names: str, who: str = "fang") -> Any:
        """Some fields of a record."""
        shown = self.show(type_name, record, who)
        found = tuple(shown.get(name) for name in names)
        return found[0] if len(names) == 1 else found

    def of(self, type_name: str, item: str, who: str = "fang") -> list[dict[str, Any]]:
        """Feedback or urging of an item, oldest first."""
        found = [one for one in self.all(who, type_name) if one.get("itemId") == item]
        return sorted(found, key=lambda one: (one.get("dueOn", ""), one["createdAt"]))

    def report(self, head: str, report: str, progress: int = 40, **more: Any) -> None:
        """Feedback is given."""
        self.update(head, REPORT, report, action="submit", progress=progress, details="已检修 12 处站点", **more)


__all__ = ["CIRCULAR", "DAY", "EXTENSION", "HOUR", "ITEM", "MATTER", "REPORT", "URGE", "SupervisionBench"]
