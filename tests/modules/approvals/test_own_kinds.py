"""A kind an administrator makes without code, in the whole running server: filed, approved, counted in the reports, voided."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from desktop.core.domain.definition import ModuleDefinition
from desktop.core.domain.records import Record
from desktop.models.report_table import table_of
from server_stub.accounts.directory import do_update_person
from tests.helpers.whole_backend import Program, Whole, open_whole

LABEL = {"zh": "补卡申请", "en": "Punch repair"}
PUNCH: dict[str, Any] = {
    "name": "PunchRepair",
    "label": LABEL,
    "process": "punchRepair",
    "tracked": True,
    "access": {
        "read": ["author", "handler", "participant"],
        "create": ["everyone"],
        "update": ["author@draft"],
        "destroy": ["author@draft"],
    },
    "numbering": {"field": "number", "pattern": "BK-{yyyy}-{n:04}", "period": "year", "state": "pending"},
    "states": [
        {"value": "draft", "label": {"zh": "草稿", "en": "Draft"}},
        {"value": "pending", "label": {"zh": "审批中", "en": "Under way"}, "color": "amber"},
        {"value": "passed", "label": {"zh": "已通过", "en": "Passed"}, "color": "green", "final": True},
        {"value": "refused", "label": {"zh": "不同意", "en": "Refused"}, "color": "red", "final": True},
        {"value": "voided", "label": {"zh": "已作废", "en": "Void"}, "final": True},
    ],
    "title": ["number", "reason"],
    "fields": [
        {"name": "number", "kind": "text", "label": {"zh": "单号", "en": "Number"}, "readOnly": True},
        {"name": "day", "kind": "date", "label": {"zh": "日期", "en": "Day"}, "required": True},
        {
            "name": "moment",
            "kind": "choice",
            "label": {"zh": "时段", "en": "When"},
            "required": True,
            "choices": [
                {"value": "come", "label": {"zh": "上班", "en": "Coming"}},
                {"value": "leave", "label": {"zh": "下班", "en": "Leaving"}},
            ],
        },
        {"name": "reason", "kind": "text", "label": {"zh": "原因", "en": "Reason"}, "required": True, "max": 200},
    ],
}
VIEW = {
    "id": "punches",
    "type": "PunchRepair",
    "kind": "table",
    "label": LABEL,
    "columns": ["number", "day", "moment", "reason", "state"],
}
STEPS: dict[str, Any] = {
    "id": "punchRepair",
    "name": "补卡",
    "steps": [
        {"type": "step", "id": "write", "name": "申请", "options": {"performers": ["starter"], "editable": ["*"]}},
        {
            "type": "step",
            "id": "boss",
            "name": "领导审批",
            "options": {
                "performers": ["rule:leader"],
                "state": "pending",
                "limit": "1d",
                "actions": [{"name": "approve"}, {"name": "refuse", "opinion": "required"}],
            },
        },
        {"type": "step", "id": "note", "name": "人事登记", "options": {"performers": ["role:personnel"]}},
        {"type": "end", "id": "over", "name": "办结", "state": "passed"},
    ],
}
CHANGES: dict[str, Any] = {
    "newTypes": [PUNCH],
    "newViews": [VIEW],
    "views": [{"id": "desk", "types": ["PunchRepair"]}],
}


class Office:
    """A running office with an administrator, a leader, his clerk and the personnel office."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole

    async def open(self) -> "Office":
        self.admin = await self.whole.enroll("管理员", "process-admin")
        self.leader = await self.whole.enroll("局长", "leader")
        self.other = await self.whole.enroll("副局长", "leader")
        self.personnel = await self.whole.enroll("人事", "personnel")
        self.clerk = await self.whole.enroll("科员")
        superior = {"superiorId": self.leader.person_id}
        await self.whole.backend.database.write(lambda tx: do_update_person(tx, self.clerk.person_id, superior))
        return self

    async def publish(self, changes: dict[str, Any]) -> None:
        held = (await self.admin.call("ModuleOverlay/get", ids=None))["list"]
        if held:
            await self.admin.call("ModuleOverlay/set", update={held[0]["id"]: {"draft": changes}})
        else:
            await self.admin.make("ModuleOverlay", module="approvals", draft=changes)
        await self.admin.call("ModuleOverlay/publish", id="overlay_approvals")

    async def make_kind(self) -> None:
        """The type, then its process, as a designer does it."""
        await self.publish(CHANGES)
        draft = await self.admin.make("Process", stepList=STEPS, recordType="PunchRepair")
        assert draft["problems"] == []
        answer = await self.admin.call("Process/set", update={draft["id"]: {"state": "published"}})
        assert answer["updated"], answer

    async def file(self, reason: str = "指纹机故障") -> str:
        made = await self.clerk.make("PunchRepair", day="2026-11-20", moment="come", reason=reason)
        await self.act(self.clerk, made["id"], "submit")
        return str(made["id"])

    async def act(self, who: Program, record: str, action: str, type_name: str = "PunchRepair", **more: Any) -> None:
        await who.make("CaseEvent", recordType=type_name, recordId=record, action=action, **more)

    async def show(self, type_name: str, who: Program, ids: list[str] | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await who.call(f"{type_name}/get", ids=ids))["list"]
        return found

    async def figures(self, report_id: str, type_name: str = "ApprovalEntry") -> dict[tuple[Any, ...], Decimal | None]:
        """A report of the module as the leader's desktop adds it up: keys → the first figure."""
        (wire,) = await self.show("ModuleDefinition", self.leader, ["approvals"])
        module = msgspec.convert(wire, ModuleDefinition)
        report = next(one for one in module.reports if one.id == report_id)
        wanted = (report.filter or {}).get("state")
        states = [wanted] if isinstance(wanted, str) else wanted
        rows = await self.show(type_name, self.leader)
        kept = [one for one in rows if states is None or one["state"] in states]
        kinds = (report.filter or {}).get("kind")
        records = [Record(one["id"], type_name, one) for one in kept if kinds is None or one["kind"] == kinds]
        return {row.keys: row.figures[0] for row in table_of(report, records).rows}


def scene(tmp_path: Path, play: Any) -> None:
    async def run() -> None:
        async with open_whole(tmp_path) as whole:
            await play(await Office(whole).open())

    asyncio.run(run())


def test_a_kind_made_in_the_running_office_is_filed_approved_and_counted(tmp_path: Path) -> None:
    async def play(office: Office) -> None:
        name, answer = await office.clerk.calls("PunchRepair/get", ids=None)
        assert (name, answer["type"]) == ("error", "unknownMethod")
        await office.make_kind()
        (module,) = await office.show("ModuleDefinition", office.clerk, ["approvals"])
        desk = next(one for one in module["views"] if one["id"] == "desk")
        assert (desk["types"][-1], desk["types"][0]) == ("PunchRepair", "Leave")
        assert "kindRules" not in module
        record = await office.file()
        (shown,) = await office.show("PunchRepair", office.clerk, [record])
        assert (shown["number"], shown["state"]) == ("BK-2026-0001", "pending")
        assert shown["handlerIds"] == [office.leader.person_id]  # rule:leader works without code of one's own
        assert [one["kind"] for one in await office.show("Todo", office.leader)] == ["todo"]
        await office.act(office.leader, record, "approve")
        await office.act(office.personnel, record, "approve")
        (shown,) = await office.show("PunchRepair", office.clerk, [record])
        assert shown["state"] == "passed"
        refused = await office.file("忘了")
        await office.act(office.leader, refused, "refuse", opinion="本月已补三次")
        assert await office.figures("byKind") == {
            ("punchRepair",): Decimal(2)
        }  # under its own name, without anybody's doing
        assert await office.figures("refusalReasons") == {("punchRepair", "本月已补三次"): Decimal(1)}
        steps = await office.figures("byStep", "ApprovalStep")
        assert steps.keys() == {("补卡申请｜Punch repair", "领导审批"), ("补卡申请｜Punch repair", "人事登记")}

    scene(tmp_path, play)


def test_an_administrators_own_words_for_it_in_the_ledger_stand(tmp_path: Path) -> None:
    async def play(office: Office) -> None:
        await office.make_kind()
        words = {"zh": "补打卡", "en": "Punch"}
        choice = {"value": "punchRepair", "label": words}
        types = [
            {"name": name, "change": [{"name": "kind", "choices": [choice]}]}
            for name in ("ApprovalEntry", "ApprovalStep")
        ]
        await office.publish({**CHANGES, "types": types})
        record = await office.file()
        await office.act(office.leader, record, "approve")
        await office.act(office.personnel, record, "approve")
        assert await office.figures("byKind") == {("punchRepair",): Decimal(1)}
        (module,) = await office.show("ModuleDefinition", office.clerk, ["approvals"])
        ledger = next(one for one in module["types"] if one["name"] == "ApprovalEntry")
        kind = next(one for one in ledger["fields"] if one["name"] == "kind")
        assert [one["label"] for one in kind["choices"] if one["value"] == "punchRepair"] == [words]

    scene(tmp_path, play)


def test_it_is_voided_by_its_number(tmp_path: Path) -> None:
    async def play(office: Office) -> None:
        await office.make_kind()
        record = await office.file()
        await office.act(office.leader, record, "approve")
        await office.act(office.personnel, record, "approve")
        voiding = await office.clerk.make("Voiding", recordNumber="BK-2026-0001", reason="考勤机里有记录")
        await office.act(office.clerk, voiding["id"], "submit", "Voiding")
        await office.act(office.leader, voiding["id"], "approve", "Voiding")
        (shown,) = await office.show("PunchRepair", office.clerk, [record])
        assert shown["state"] == "voided"
        entries = {one["kindName"]: one["state"] for one in await office.show("ApprovalEntry", office.leader)}
        assert entries == {"补卡申请｜Punch repair": "voided", "作废申请｜Voiding": "passed"}

    scene(tmp_path, play)
