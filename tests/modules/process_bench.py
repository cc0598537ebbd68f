"""An office whose modules live by processes: one product module as it is, a bureau's people and posts, acting on cases, looking at where they are."""

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server_stub.accounts.directory import (
    Identity,
    do_create_department,
    do_create_person,
    do_update_department,
    do_update_person,
    load_rights,
)
from server_stub.ids import uuid7
from server_stub.modules.engine.reading import MODULES_FOLDER
from server_stub.records.actor import Actor
from server_stub.storage.blobs import do_register
from server_stub.storage.database import Tx
from tests.modules.office_bench import START, Bench

HOUR = 3_600_000
DAY = 24 * HOUR
MONDAY = START - START % DAY + 2 * DAY + HOUR
"""Monday 24 November 2025, 01:00 UTC: nine o'clock in the office."""
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
CLERK = "liu"
"""Who looks where nobody is named: the registrar, in every bureau."""
DEPARTMENTS = {"office": "办公室", "flood": "防汛办", "works": "工程科", "finance": "财务科"}

Staff = Mapping[str, tuple[str, str, tuple[str, ...], str | None]]
"""login → department, post, roles, superior"""

STAFF: Staff = {
    "gao": ("office", "局长", ("leader",), None),
    "sun": ("office", "副局长", ("leader",), "gao"),
    "min": ("office", "主任", (), "gao"),
    "fang": ("office", "副主任", ("sealkeeper",), "min"),
    "liu": ("office", "收发员", ("registrar",), "fang"),
    "feng": ("flood", "主任", (), "sun"),
    "jiang": ("flood", "科员", (), "feng"),
    "yan": ("flood", "科员", (), "feng"),
    "ding": ("works", "科长", (), "sun"),
    "wu": ("works", "科员", (), "ding"),
    "qian": ("finance", "科长", ("finance",), "sun"),
    "shen": ("finance", "会计", ("cashier",), "qian"),
    "root": ("office", "管理员", ("admin",), None),
}
HEADS = {"office": "min", "flood": "feng", "works": "ding", "finance": "qian"}


class ProcessBench(Bench):
    """The bureau with the modules named, read from the product's folders. Another bureau is a subclass with people of its own."""

    departments_of: Mapping[str, str] = DEPARTMENTS
    staff: Staff = STAFF
    heads: Mapping[str, str] = HEADS

    def __init__(self, folder: Path, *modules: str) -> None:
        for one in modules:
            shutil.copytree(
                MODULES_FOLDER / one,
                folder / "modules" / one,
                ignore=shutil.ignore_patterns("__pycache__", "samples.toml"),
            )
        super().__init__(folder, folder / "modules")
        self.clock.advance(MONDAY - self.clock.now_ms())
        self.write(self._do_bureau)
        self.write(self.office.do_bring_in_line)

    def _do_bureau(self, tx: Tx) -> None:
        for key, name in self.departments_of.items():
            self.departments[key] = do_create_department(tx, name=name)
        for login, (department, post, roles, _) in self.staff.items():
            identity = Identity(self.departments[department], post)
            person_id = do_create_person(tx, name=login, identities=[identity], roles=roles)
            rights = load_rights(tx.conn, person_id)
            self.actors[login] = Actor(person_id, rights.roles, rights.department_ids)
        for login, (_, _, _, superior) in self.staff.items():
            if superior is not None:
                do_update_person(tx, self.person(login), {"superiorId": self.person(superior)})
        for key, head in self.heads.items():
            do_update_department(tx, self.departments[key], {"headId": self.person(head)})

    # ------------------------------------------------------------ acting

    def act(self, who: str, type_name: str, record: str, action: str = "approve", **properties: Any) -> str:
        """Do something with a record's case; the event's id. `to`: logins or ids."""
        to = properties.pop("to", None)
        if to is not None:
            properties["to"] = [self.person(one) if one in self.actors else one for one in to]
        given = {"recordType": type_name, "recordId": record, "action": action, **properties}
        return self.create(who, "CaseEvent", key=uuid7(self.clock.now_ms()), **given)

    def chores(self) -> int:
        """Do what waits to be made in the background; how many there were."""

        async def run() -> int:
            done = 0
            while await self.office.chores.run_next():
                done += 1
            return done

        self.clock.advance(1000)
        return asyncio.run(run())

    def file(
        self, who: str, data: bytes = PDF, name: str = "正文.pdf", type_: str = "application/pdf"
    ) -> dict[str, Any]:
        """An uploaded attachment."""
        blob_id = self.blobs.store_bytes(data)
        self.write(lambda tx: do_register(tx, blob_id, len(data), type_, self.person(who)))
        return {"blobId": blob_id, "name": name, "size": len(data), "type": type_}

    def content(self, who: str, file: dict[str, Any]) -> bytes:
        """What somebody downloads."""
        assert self.may_read_blob(who, file["blobId"]), f"{who} may not read {file['name']}"
        return self.blobs.path(file["blobId"]).read_bytes()

    # ------------------------------------------------------------ looking

    def name(self, person_id: str | None) -> str:
        """Whose id this is."""
        return next((name for name, one in self.actors.items() if one.person_id == person_id), "")

    def waiting(self, record: str, who: str = CLERK) -> dict[str, list[str]]:
        """Step → who has it."""
        found: dict[str, list[str]] = {}
        for item in self.all(who, "WorkItem"):
            if item["recordId"] == record and item["state"] == "open":
                found.setdefault(item["stepId"], []).extend(self.name(one) for one in item["candidateIds"])
        return {step: sorted(people) for step, people in found.items()}

    def story(self, record: str, who: str = CLERK) -> list[str]:
        """The history in short: `liu submit sign`."""
        mine = [one for one in self.all(who, "CaseEvent") if one["recordId"] == record]
        ordered = sorted(mine, key=lambda one: one["seq"])
        return [" ".join(filter(None, (self.name(one["personId"]), one["action"], one["stepId"]))) for one in ordered]

    def case(self, record: str, who: str = CLERK) -> dict[str, Any]:
        """The record's newest case."""
        cases = [one for one in self.all(who, "Case") if one["recordId"] == record]
        return max(cases, key=lambda one: one["startedAt"])

    def show(self, type_name: str, record: str, who: str = CLERK) -> dict[str, Any]:
        """The record as somebody sees it; fails when it is hidden."""
        found = self.get(who, type_name, record)
        assert found is not None, f"{who} does not see it"
        return found

    def todos(self, who: str) -> list[str]:
        """The rules of somebody's open to-dos."""
        return sorted(one["rule"] for one in self.all(who, "Todo") if one["state"] == "open")

    def alerts(self, who: str, kind: str) -> list[str]:
        """The texts of somebody's alerts of a kind."""
        return [one["text"] for one in self.all(who, "Alert") if one["kind"] == kind]


@contextmanager
def open_bureau(folder: Path, *modules: str) -> Iterator[ProcessBench]:
    """A bench that closes its database."""
    bench = ProcessBench(folder, *modules)
    try:
        yield bench
    finally:
        bench.database.close_now()
