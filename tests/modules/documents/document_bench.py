"""A bureau that receives and sends documents: the module as it is in the product, people with its roles, chores done when told."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server_stub.accounts.directory import (
    Identity,
    do_create_department,
    do_create_person,
    do_update_department,
    load_rights,
)
from server_stub.ids import uuid7
from server_stub.modules.engine.reading import MODULES_FOLDER
from server_stub.records.actor import Actor
from server_stub.storage.blobs import do_register
from server_stub.storage.database import Tx
from tests.modules.office_bench import START, Bench

HOUR = 3_600_000
MONDAY = START - START % 86_400_000 + 2 * 86_400_000 + HOUR
"""Monday 24 November 2025, 01:00 UTC: nine o'clock in the office."""
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"

DEPARTMENTS = {"office": "办公室", "flood": "防汛办", "works": "工程科"}
STAFF: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "liu": ("office", "收发员", ("registrar",)),
    "min": ("office", "主任", ()),
    "he": ("office", "秘书", ("secretary",)),
    "gao": ("office", "局长", ("leader",)),
    "sun": ("office", "副局长", ("leader",)),
    "feng": ("flood", "主任", ()),
    "jiang": ("flood", "科员", ()),
    "ding": ("works", "科长", ()),
    "keeper": ("office", "印章管理员", ("sealkeeper",)),
    "root": ("office", "管理员", ("admin",)),
}
HEADS = {"office": "min", "flood": "feng", "works": "ding", "archive": "chen"}


class DocumentBench(Bench):
    """The bureau. `unit` is our own bureau, `mark` its mark 云水防."""

    def __init__(self, folder: Path) -> None:
        modules = folder / "modules" / "documents"
        modules.mkdir(parents=True)
        for name in ("module.toml", "rules.py", "receiving.bpmn", "sending.bpmn"):
            shutil.copy(MODULES_FOLDER / "documents" / name, modules / name)
        super().__init__(folder, modules.parent)
        self.clock.advance(MONDAY - self.clock.now_ms())
        self.write(self._do_staff)
        self.write(self.office.do_bring_in_line)
        self.unit = self.create(
            "liu", "IssuingUnit", key="u1", name="云溪县水利局", code="YX", own=True, printer="云溪县水利局办公室"
        )
        self.mark = self.create("liu", "IssuingMark", key="m1", mark="云水防", unitId=self.unit)

    def _do_staff(self, tx: Tx) -> None:
        for key, name in DEPARTMENTS.items():
            self.departments[key] = do_create_department(tx, name=name)
        for login, (department, post, roles) in STAFF.items():
            identity = Identity(self.departments[department], post)
            person_id = do_create_person(tx, name=login, identities=[identity], roles=roles)
            rights = load_rights(tx.conn, person_id)
            self.actors[login] = Actor(person_id, rights.roles, rights.department_ids)
        for key, head in HEADS.items():
            do_update_department(tx, self.departments[key], {"headId": self.person(head)})

    # ------------------------------------------------------------ acting

    def act(self, who: str, type_name: str, record: str, action: str, **properties: Any) -> str:
        """Do something with a record's case; the event's id. `to`: logins or ids."""
        to = properties.pop("to", None)
        if to is not None:
            properties["to"] = [self.person(one) if one in self.actors else one for one in to]
        given = {"recordType": type_name, "recordId": record, "action": action, **properties}
        return self.create(who, "CaseEvent", key=uuid7(self.clock.now_ms()), **given)

    def chores(self) -> int:
        """Do what waits to be typeset, packed or opened; how many there were."""

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

    def waiting(self, record: str, who: str = "liu") -> dict[str, list[str]]:
        """Step → who has it."""
        found: dict[str, list[str]] = {}
        for item in self.all(who, "WorkItem"):
            if item["recordId"] == record and item["state"] == "open":
                found.setdefault(item["stepId"], []).extend(self.name(one) for one in item["candidateIds"])
        return {step: sorted(people) for step, people in found.items()}

    def story(self, record: str, who: str = "liu") -> list[str]:
        """The history in short: `liu submit sign`."""
        events = sorted(
            (one for one in self.all(who, "CaseEvent") if one["recordId"] == record), key=lambda one: one["seq"]
        )
        return [" ".join(filter(None, (self.name(one["personId"]), one["action"], one["stepId"]))) for one in events]

    def show(self, type_name: str, record: str, who: str = "liu") -> dict[str, Any]:
        """The record as somebody sees it; fails when it is hidden."""
        found = self.get(who, type_name, record)
        assert found is not None, f"{who} does not see it"
        return found

    def todos(self, who: str) -> list[str]:
        """The rules of somebody's open to-dos."""
        return sorted(one["rule"] for one in self.all(who, "Todo") if one["state"] == "open")


@contextmanager
def open_bureau(folder: Path) -> Iterator[DocumentBench]:
    """A bench that closes its database."""
    bench = DocumentBench(folder)
    try:
        yield bench
    finally:
        bench.database.close_now()
