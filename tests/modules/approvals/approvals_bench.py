"""The bureau with approvals: fang keeps the leave balances, liu the gate and the purchases, ding reads contracts, root dispatches IT."""

import datetime as dt
from pathlib import Path
from typing import Any

from server_stub.clock import format_utc, parse_utc
from server_stub.modules.approvals.ledger import entry_id_of
from tests.modules.process_bench import ProcessBench

TYPES = (
    "Leave",
    "BusinessTrip",
    "Outing",
    "Overtime",
    "Expense",
    "Payment",
    "Loan",
    "Purchase",
    "Contract",
    "ServiceRequest",
    "Visit",
    "Memo",
)


class ApprovalsBench(ProcessBench):
    """jiang is a clerk of flood (head feng, leader sun, highest leader gao); qian is finance, shen the cashier."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "approvals")
        for who, role in (("fang", "personnel"), ("liu", "storekeeper"), ("ding", "legal"), ("root", "it-desk")):
            self.grant(who, role)

    def file_(self, type_name: str, who: str = "jiang", **properties: Any) -> str:
        """A draft; its id."""
        return self.create(who, type_name, key=f"{type_name}{self.clock.now_ms()}", **properties)

    def submitted(self, type_name: str, who: str = "jiang", **properties: Any) -> str:
        """A record that was submitted."""
        record = self.file_(type_name, who, **properties)
        self.act(who, type_name, record, "submit")
        return record

    def passed(self, type_name: str, record: str, *people: str) -> str:
        """Everybody named agrees, one after the other."""
        for who in people:
            self.act(who, type_name, record)
        return record

    def balance(self, who: str, kind: str, year: int = 2025, **days: float) -> str:
        """The personnel office says what somebody has."""
        given = {"personId": self.person(who), "year": year, "kind": kind, **days}
        return self.create("fang", "LeaveBalance", key=f"{who}{kind}{year}", **given)

    def left(self, who: str, kind: str, year: int = 2025) -> tuple[float, float, float]:
        """(held, taken, left) of somebody's leave."""
        for one in self.all(who, "LeaveBalance"):
            if (one["kind"], one["year"], self.name(one["personId"])) == (kind, year, who):
                return one["held"], one["taken"], one["left"]
        return 0, 0, 0

    def state_of(self, type_name: str, record: str, who: str = "jiang") -> str:
        """The state as somebody sees it."""
        return str(self.show(type_name, record, who)["state"])

    def wait_until(self, text: str) -> None:
        """The clock goes on to a moment."""
        self.clock.advance(parse_utc(moment(text)) - self.clock.now_ms())

    def entry(self, record: str, who: str = "gao") -> dict[str, Any]:
        """The line of the ledger as somebody sees it."""
        return next(one for one in self.all(who, "ApprovalEntry") if one["id"] == entry_id_of(record))


def span(start: str, end: str) -> dict[str, str]:
    """`11-26 08:30` of 2025, or with a year, in office time."""
    return {"start": moment(start), "end": moment(end)}


def moment(text: str) -> str:
    """A moment in office time on the wire."""
    full = text if text[:2] == "20" else f"2025-{text}"
    local = dt.datetime.fromisoformat(full.replace(" ", "T"))
    return format_utc(int(local.astimezone().timestamp() * 1000))


def day(text: str) -> dict[str, str]:
    """A whole working day of 2025: `11-26`."""
    return span(f"{text} 08:30", f"{text} 17:30")


def days(first: str, last: str) -> dict[str, str]:
    """Whole working days of 2025, from one to the other."""
    return span(f"{first} 08:30", f"{last} 17:30")
