"""A small office with one made-up module of forms that processes move. For tests of who acts, of versions, and of overlays."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server_stub.accounts.directory import (
    DEPARTMENT,
    Identity,
    do_create_person,
    do_disable_person,
    do_update_department,
    do_update_person,
    load_people,
    load_rights,
)
from server_stub.modules.engine.processes.performers import CaseFacts, Resolution, RuleAsker, resolve
from server_stub.records.actor import Actor
from server_stub.records.store import load_record, load_records_of_type
from server_stub.storage.database import Tx
from server_stub.workflow.options import StepOptions
from tests.modules.office_bench import Bench

FORMS = """
id = "forms"
group = "official"
label = { zh = "表单", en = "Forms" }
icon = "ph.file"
order = 5

[[types]]
name = "Desk"
label = { zh = "窗口", en = "Desk" }
title = ["name"]
access = { read = ["everyone"], create = ["everyone"], update = ["everyone"], destroy = ["everyone"] }
fields = [
  { name = "name", kind = "text", label = { zh = "名称", en = "Name" }, required = true },
  { name = "clerks", kind = "persons", label = { zh = "经办人", en = "Clerks" } },
]

[[types]]
name = "Form"
label = { zh = "申请", en = "Form" }
title = ["subject"]
access = { read = ["everyone"], create = ["everyone"], update = ["author"], destroy = ["author"] }
states = [
  { value = "draft", label = { zh = "草稿", en = "Draft" } },
  { value = "checking", label = { zh = "审核中", en = "Checking" }, color = "amber" },
  { value = "passed", label = { zh = "已通过", en = "Passed" }, color = "green", final = true },
]
actions = [
  { name = "send", label = { zh = "提交", en = "Send" }, from = ["draft"], to = "checking", who = ["author"] },
  { name = "pass", label = { zh = "通过", en = "Pass" }, from = ["checking"], to = "passed", who = ["role:admin"] },
]
fields = [
  { name = "subject", kind = "text", label = { zh = "事由", en = "Subject" }, required = true, max = 100 },
  { name = "amount", kind = "money", label = { zh = "金额", en = "Amount" } },
  { name = "signerId", kind = "person", label = { zh = "签批人", en = "Signer" } },
  { name = "readers", kind = "persons", label = { zh = "传阅", en = "Readers" } },
  { name = "unitId", kind = "department", label = { zh = "单位", en = "Unit" } },
  { name = "circle", kind = "audience", label = { zh = "范围", en = "Circle" } },
  { name = "deskId", kind = "reference", target = "Desk", label = { zh = "窗口", en = "Desk" } },
  { name = "deadline", kind = "date", label = { zh = "期限", en = "Deadline" } },
  { name = "lines", kind = "lines", label = { zh = "明细", en = "Lines" }, fields = [
    { name = "keeperId", kind = "person", label = { zh = "保管人", en = "Keeper" } },
    { name = "deskId", kind = "reference", target = "Desk", label = { zh = "窗口", en = "Desk" } },
  ] },
]

[[views]]
id = "all"
type = "Form"
kind = "table"
label = { zh = "全部", en = "All" }
columns = ["subject", "amount"]
"""


class FormsBench(Bench):
    """The office of office_bench with the module above; hu is the administrator, gao heads flood, is above yu and below zhang."""

    def __init__(self, folder: Path, text: str = FORMS, files: dict[str, bytes] | None = None) -> None:
        modules = folder / "modules"
        if not modules.exists():
            (modules / "forms").mkdir(parents=True)
            (modules / "forms" / "module.toml").write_text(text, encoding="utf-8")
            for name, content in (files or {}).items():
                (modules / "forms" / name).write_bytes(content)
        self.modules = modules
        super().__init__(folder, modules)
        self.write(self._do_more)

    def _do_people(self, tx: Tx) -> None:
        """Those of the office; on data that is there already, those who are there."""
        held = {one.data["name"]: one.id for one in load_people(tx.conn)}
        if not held:
            super()._do_people(tx)
        for name, person_id in held.items():
            rights = load_rights(tx.conn, person_id)
            self.actors[name] = Actor(person_id, rights.roles, rights.department_ids)
        for record in load_records_of_type(tx.conn, DEPARTMENT):
            self.departments[record.data["name"]] = record.id

    def _do_more(self, tx: Tx) -> None:
        if "hu" in self.actors:
            return
        for name, login, post, roles in (("hu", "hu", "管理员", ("admin",)), ("luo", "luo", "主任", ("cashier",))):
            identity = Identity(self.departments["office"], post)
            person_id = do_create_person(
                tx, name=name, login=login, password_hash="x", identities=[identity], roles=roles
            )
            rights = load_rights(tx.conn, person_id)
            self.actors[name] = Actor(person_id, rights.roles, rights.department_ids)
        do_update_person(tx, self.person("yu"), {"superiorId": self.person("gao")})
        do_update_person(tx, self.person("gao"), {"superiorId": self.person("zhang")})
        do_update_department(tx, self.departments["flood"], {"headId": self.person("gao")})
        do_update_department(tx, self.departments["bureau"], {"headId": self.person("zhang")})

    def form(self, who: str = "yu", **properties: Any) -> str:
        """A new form."""
        return self.create(who, "Form", **{"subject": "换锁", **properties})

    def disable(self, name: str) -> None:
        """Somebody leaves."""
        self.write(lambda tx: do_disable_person(tx, self.person(name)))

    def is_active(self, name: str) -> bool:
        """Whether somebody is still there."""
        return self.database.read_now(lambda conn: load_rights(conn, self.person(name)).active)

    def resolved(
        self,
        performers: Sequence[str],
        *,
        fallback: Sequence[str] = ("role:admin",),
        form: str | None = None,
        chosen: Sequence[str] = (),
        rule: RuleAsker | None = None,
        starter: str = "yu",
        department: str | None = "flood",
        previous: Sequence[str] = (),
        handled: dict[str, tuple[str, ...]] | None = None,
    ) -> Resolution:
        """The people of a step with these words, for a form of yu's unless told otherwise. People by name, here and in what is given."""
        form_id = form or self.form()
        facts = CaseFacts(
            starter_id=self.person(starter),
            department_id=None if department is None else self.departments[department],
            module="forms",
            previous=tuple(map(self.person, previous)),
            handled={step: tuple(map(self.person, people)) for step, people in (handled or {}).items()},
        )
        options = StepOptions(performers=tuple(performers), fallback=tuple(fallback))

        def work(tx: Tx) -> Resolution:
            record = load_record(tx.conn, form_id)
            assert record is not None
            return resolve(tx, self.office.context, options, facts, record, [self.person(one) for one in chosen], rule)

        found = self.write(work)
        return Resolution(
            tuple(map(self.name, found.person_ids)),
            {self.name(key): self.name(value) for key, value in found.on_behalf.items()},
            tuple((self.name(absent), self.name(delegate)) for absent, delegate in found.delegated),
            found.fallback_used,
        )

    def name(self, person_id: str) -> str:
        """Whose id this is."""
        return next(name for name, actor in self.actors.items() if actor.person_id == person_id)


@contextmanager
def open_forms(folder: Path, text: str = FORMS, files: dict[str, bytes] | None = None) -> Iterator[FormsBench]:
    """A forms bench that closes its database."""
    bench = FormsBench(folder, text, files)
    try:
        yield bench
    finally:
        bench.database.close_now()
