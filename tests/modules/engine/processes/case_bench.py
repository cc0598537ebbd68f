"""A small office whose one module passes records by processes written in a few lines. For tests of cases."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server_stub.accounts.directory import (
    Identity,
    do_create_person,
    do_disable_person,
    do_set_roles,
    do_update_department,
    do_update_person,
    load_rights,
)
from server_stub.ids import uuid7
from server_stub.modules.engine.processes.leavers import do_hand_over_leavers
from server_stub.records.actor import Actor
from server_stub.storage.database import Tx
from tests.modules.office_bench import START, Bench

HOUR = 3_600_000
MONDAY = START - START % 86_400_000 + 2 * 86_400_000 + 9 * HOUR
"""Monday 24 November 2025, 09:00 UTC."""

TOML = """
id = "papers"
group = "official"
label = { zh = "文书", en = "Papers" }
icon = "ph.file"
order = 5

[[types]]
name = "Paper"
process = "paper"
label = { zh = "请示", en = "Paper" }
title = ["title"]
states = [
  { value = "draft", label = { zh = "草稿", en = "Draft" } },
  { value = "review", label = { zh = "审核", en = "Review" }, color = "amber" },
  { value = "signing", label = { zh = "会签", en = "Signing" }, color = "accent" },
  { value = "passed", label = { zh = "通过", en = "Passed" }, color = "green", final = true },
  { value = "refused", label = { zh = "不同意", en = "Refused" }, color = "red", final = true },
  { value = "void", label = { zh = "作废", en = "Void" }, final = true },
]
actions = [
  { name = "void", label = { zh = "作废", en = "Void" }, from = ["draft", "review", "signing"], to = "void", who = ["role:leader"] },
]
fields = [
  { name = "title", kind = "text", label = { zh = "标题", en = "Title" }, required = true },
  { name = "amount", kind = "number", label = { zh = "金额", en = "Amount" }, default = 1 },
  { name = "note", kind = "text", label = { zh = "意见", en = "Note" } },
  { name = "secret", kind = "text", label = { zh = "内部", en = "Secret" }, see = ["role:leader"] },
  { name = "signers", kind = "persons", label = { zh = "会签人", en = "Signers" } },
  { name = "deadline", kind = "datetime", label = { zh = "期限", en = "Deadline" } },
]

[types.access]
read = ["author", "handler", "participant"]
create = ["everyone", "role:signer", "role:checker", "role:reader"]
update = ["author@draft"]
destroy = ["author", "role:admin"]

[[views]]
id = "all"
type = "Paper"
kind = "table"
label = { zh = "全部", en = "All" }
filter = { handlerIds = "@me" }
columns = ["title", "state", "handlerIds"]
"""

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:tongban="urn:tongban:bpmn" id="d"'
    ' targetNamespace="urn:test">'
)


def step(step_id: str, performers: str, *, actions: str = "", many: str = "", **options: str) -> str:
    """A user task. `actions`: names in one text, `name=outcome` for one with its own; options as attributes of tongban:step."""
    shown = "".join(f' {key}="{value}"' for key, value in options.items())
    inner = "".join(_action(one) for one in actions.split())
    return (
        f'<bpmn:userTask id="{step_id}" name="{step_id}"><bpmn:extensionElements>'
        f'<tongban:step performers="{performers}"{shown}>{inner}</tongban:step></bpmn:extensionElements>{many}</bpmn:userTask>'
    )


def _action(text: str) -> str:
    name, equals, outcome = text.partition("=")
    return f'<tongban:action name="{name}"' + (f' outcome="{outcome}"' if equals else "") + "/>"


def end(end_id: str = "end", state: str = "passed") -> str:
    """An end event that leaves the record in a state."""
    return (
        f'<bpmn:endEvent id="{end_id}"><bpmn:extensionElements><tongban:end state="{state}"/></bpmn:extensionElements>'
        "</bpmn:endEvent>"
    )


def process(*nodes: str, flows: str, process_id: str = "paper") -> str:
    """A whole file. `flows`: `a>b c>d[condition] c>e*`; a star marks the default way of a gateway."""
    drawn, defaults = [], {}
    for index, flow in enumerate(flows.split()):
        way, _, condition = flow.partition("[")
        source, _, target = way.rstrip("*").partition(">")
        if way.endswith("*"):
            defaults[source] = f"f{index}"
        text = condition.rstrip("]").replace("_", " ").replace("<", "&lt;").replace(">", "&gt;")
        inner = f"<bpmn:conditionExpression>{text}</bpmn:conditionExpression>" if text else ""
        drawn.append(
            f'<bpmn:sequenceFlow id="f{index}" sourceRef="{source}" targetRef="{target}">{inner}</bpmn:sequenceFlow>'
        )
    body = "".join((*nodes, *drawn))
    for source, flow_id in defaults.items():
        body = body.replace(f'Gateway id="{source}"', f'Gateway id="{source}" default="{flow_id}"')
    return f'{HEAD}<bpmn:process id="{process_id}" name="{process_id}" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'


BEGIN = '<bpmn:startEvent id="begin"/>'
FORK = '<bpmn:parallelGateway id="fork"/>'
JOIN = '<bpmn:parallelGateway id="join"/>'
CHOICE = '<bpmn:exclusiveGateway id="choice"/>'


def chain(*nodes: str) -> str:
    """Steps one after the other, from a start to an end."""
    ids = [one.split('id="')[1].split('"')[0] for one in nodes]
    ways = " ".join(f"{one}>{other}" for one, other in zip(["begin", *ids], [*ids, "end"], strict=True))
    return process(BEGIN, *nodes, end(), flows=ways)


class CaseBench(Bench):
    """The office of office_bench with the module above. gao heads flood and is above yu; zhang is above gao; `root` is an administrator.

    Roles: zhang and lin are signers, chen is a checker, gao is a leader.
    """

    def __init__(self, folder: Path, bpmn: str, toml: str = TOML, rules: str = "") -> None:
        modules = folder / "modules"
        (modules / "papers").mkdir(parents=True)
        (modules / "papers" / "module.toml").write_text(toml, encoding="utf-8")
        (modules / "papers" / "paper.bpmn").write_text(bpmn, encoding="utf-8")
        if rules:
            (modules / "papers" / "rules.py").write_text(rules, encoding="utf-8")
        super().__init__(folder, modules)
        self.clock.advance(MONDAY - self.clock.now_ms())
        self.write(self._do_more)
        self.write(self.office.do_bring_in_line)

    def _do_more(self, tx: Tx) -> None:
        person_id = do_create_person(
            tx, name="root", identities=[Identity(self.departments["office"], "管理员")], roles=("admin",)
        )
        rights = load_rights(tx.conn, person_id)
        self.actors["root"] = Actor(person_id, rights.roles, rights.department_ids)
        for name, role in (("zhang", "signer"), ("lin", "signer"), ("chen", "checker")):
            do_set_roles(tx, self.person(name), [*self.actors[name].roles, role])
            rights = load_rights(tx.conn, self.person(name))
            self.actors[name] = Actor(self.person(name), rights.roles, rights.department_ids)
        do_update_person(tx, self.person("yu"), {"superiorId": self.person("gao")})
        do_update_person(tx, self.person("gao"), {"superiorId": self.person("zhang")})
        do_update_department(tx, self.departments["flood"], {"headId": self.person("gao")})

    # ------------------------------------------------------------ acting

    def paper(self, who: str = "yu", **properties: Any) -> str:
        """A draft."""
        return self.create(who, "Paper", **{"title": "关于堤防的请示", **properties})

    def act(self, who: str, action: str, record: str, **properties: Any) -> str:
        """Create a CaseEvent; its id."""
        key = properties.pop("key", None) or uuid7(self.clock.now_ms())
        to = properties.pop("to", None)
        if to is not None:
            properties["to"] = [self.person(one) for one in to]
        return self.create(who, "CaseEvent", key=key, recordType="Paper", recordId=record, action=action, **properties)

    def submitted(self, who: str = "yu", **properties: Any) -> str:
        """A record whose case has begun."""
        record = self.paper(who, **properties)
        self.act(who, "submit", record)
        return record

    # ------------------------------------------------------------ looking

    def name(self, person_id: str | None) -> str | None:
        """Whose id this is."""
        return next((name for name, one in self.actors.items() if one.person_id == person_id), None)

    def case(self, record: str, who: str = "yu") -> dict[str, Any]:
        """The newest case of a record."""
        ids = self.query(who, "Case", {"recordId": record}, "startedAt")
        return self.get(who, "Case", ids[-1]) or {}

    def items(self, record: str, who: str = "yu", state: str | None = "open") -> list[dict[str, Any]]:
        """Work items, oldest first."""
        found = [
            one for one in self.all(who, "WorkItem") if one["recordId"] == record and state in (None, one["state"])
        ]
        return sorted(found, key=lambda one: (one["createdAt"], one["id"]))

    def waiting(self, record: str, who: str = "yu") -> dict[str, list[str]]:
        """Step → who has it."""
        found: dict[str, list[str]] = {}
        for item in self.items(record, who):
            people = [str(self.name(one)) for one in item["candidateIds"]]
            found.setdefault(item["stepId"], []).extend(people)
        return {step_id: sorted(people) for step_id, people in found.items()}

    def events(self, record: str, who: str = "yu") -> list[dict[str, Any]]:
        """The history."""
        found = [one for one in self.all(who, "CaseEvent") if one["recordId"] == record]
        return sorted(found, key=lambda one: (one["at"], one["seq"]))

    def story(self, record: str, who: str = "yu") -> list[str]:
        """The history in short: `yu submit draft`."""
        return [
            " ".join(filter(None, (self.name(one["personId"]), one["action"], one["stepId"])))
            for one in self.events(record, who)
        ]

    def state(self, record: str | None = None, who: str = "yu") -> str:
        """The record's state; without a record the sync state."""
        if record is None:
            return super().state()
        return str((self.get(who, "Paper", record) or {})["state"])

    def todos(self, who: str, state: str = "open") -> list[str]:
        """The rules of a person's to-dos."""
        return sorted(one["rule"] for one in self.all(who, "Todo") if one["state"] == state)

    def alerts(self, who: str, kind: str) -> list[str]:
        """What a person's alerts of a kind say."""
        return [one["text"] for one in self.all(who, "Alert") if one["kind"] == kind]

    def count(self, table: str) -> int:
        """Rows of a table."""
        statement = f"SELECT count(*) FROM {table}"
        return int(self.database.read_now(lambda conn: conn.exec_driver_sql(statement).scalar_one()))

    def leave(self, who: str) -> None:
        """Somebody is not there any more; what that person had is handed over."""
        person_id = self.person(who)
        self.write(lambda tx: do_disable_person(tx, person_id))
        self.write(lambda tx: do_hand_over_leavers(tx, self.office.context, self.office.rules_of))


@contextmanager
def open_cases(folder: Path, bpmn: str, toml: str = TOML, rules: str = "") -> Iterator[CaseBench]:
    """A bench that closes its database."""
    bench = CaseBench(folder, bpmn, toml, rules)
    try:
        yield bench
    finally:
        bench.database.close_now()
