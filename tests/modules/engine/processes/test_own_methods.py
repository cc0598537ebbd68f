"""A kind of approval made without code, over the whole server's wire: overlay, step list, try-out, publishing, a case, handing over; and who may not."""

import asyncio
from pathlib import Path
from typing import Any

from desktop.core.domain.processes import Process as ClientProcess
from server_stub.modules.engine.processes.process_handler import ProcessHandler
from tests.helpers.whole_backend import Program, Whole, open_whole

MEMO: dict[str, Any] = {
    "name": "Slip",
    "label": {"zh": "签报", "en": "Slip"},
    "process": "slip",
    "access": {
        "read": ["author", "handler", "participant"],
        "create": ["everyone"],
        "update": ["author"],
        "destroy": [],
    },
    "states": [
        {"value": "draft", "label": {"zh": "草稿", "en": "Draft"}},
        {"value": "done", "label": {"zh": "办结", "en": "Done"}, "color": "green", "final": True},
    ],
    "fields": [
        {"name": "subject", "kind": "text", "label": {"zh": "事由", "en": "Subject"}, "required": True},
        {"name": "sum", "kind": "money", "label": {"zh": "金额", "en": "Sum"}},
    ],
}
VIEW = {"id": "memos", "type": "Slip", "kind": "table", "label": {"zh": "签报", "en": "Memos"}, "columns": ["subject"]}
STEPS: dict[str, Any] = {
    "id": "slip",
    "name": "签报",
    "steps": [
        {"type": "step", "id": "write", "name": "起草", "options": {"performers": ["starter"]}},
        {"type": "step", "id": "judge", "name": "审批", "options": {"performers": ["role:judge"], "limit": "1d"}},
        {"type": "end", "id": "over", "name": "办结", "state": "done"},
    ],
}


async def _made(whole: Whole, admin: Program) -> str:
    """The type and its process; the id of the process's version."""
    overlay = await admin.make("ModuleOverlay", module="tasks", draft={"newTypes": [MEMO], "newViews": [VIEW]})
    planned = await admin.call("ModuleOverlay/plan", id=overlay["id"])
    assert (planned["problems"], planned["lines"][0]["en"]) == ([], "tasks: the definition changed")
    await admin.call("ModuleOverlay/publish", id=overlay["id"])
    draft = await admin.make("Process", stepList=STEPS, recordType="Slip")
    assert draft["problems"] == []
    update = {draft["id"]: {"state": "published"}}
    answer = await admin.call("Process/set", update=update)
    assert answer["updated"], answer
    return str(draft["id"])


def test_a_kind_of_approval_is_made_without_code_and_used(tmp_path: Path) -> None:
    async def scene() -> None:
        async with open_whole(tmp_path) as whole:
            admin = await whole.enroll("管理员", "process-admin")
            judge, other = await whole.enroll("审批人", "judge"), await whole.enroll("接替人")
            clerk = await whole.enroll("科员")
            await _made(whole, admin)
            tried = await admin.call(
                "Process/tryOut", processId="slip", data={"subject": "购书"}, personId=clerk.person_id
            )
            assert [one["stepId"] for one in tried["trace"]] == ["write", "judge", "over"]
            assert (tried["ended"], tried["endState"], tried["trace"][1]["personIds"]) == (
                True,
                "done",
                [judge.person_id],
            )
            memo = await clerk.make("Slip", subject="购书", sum="80.00")
            await clerk.make("CaseEvent", recordType="Slip", recordId=memo["id"], action="submit")
            handed = await admin.call("Person/handOver", fromId=judge.person_id, toId=other.person_id)
            assert handed["count"] == 1
            await other.make("CaseEvent", recordType="Slip", recordId=memo["id"], action="approve")
            shown = await clerk.call("Slip/get", ids=[memo["id"]])
            assert shown["list"][0]["state"] == "done"

    asyncio.run(scene())


def test_it_is_all_there_after_a_restart(tmp_path: Path) -> None:
    async def before() -> tuple[str, str]:
        async with open_whole(tmp_path) as whole:
            admin, clerk = await whole.enroll("管理员", "admin"), await whole.enroll("科员")
            await _made(whole, admin)
            memo = await clerk.make("Slip", subject="购书")
            await clerk.make("CaseEvent", recordType="Slip", recordId=memo["id"], action="submit")
            return admin.secret, admin.person_id

    async def after(secret: str, person_id: str) -> None:
        async with open_whole(tmp_path) as whole:
            admin = Program(whole.app, person_id, secret)
            processes = (await admin.call("Process/get", ids=None))["list"]
            (memo,) = [one for one in processes if one["processId"] == "slip"]
            assert (memo["version"], memo["state"], memo["runningCases"]) == (1, "published", 1)
            judge = await whole.enroll("后来的审批人", "judge")
            tried = await admin.call(
                "Process/tryOut", processId="slip", data={"subject": "x"}, personId=judge.person_id
            )
            assert tried["ended"]

    secret, person_id = asyncio.run(before())
    asyncio.run(after(secret, person_id))


def test_the_step_list_comes_back_as_it_was_written(tmp_path: Path) -> None:
    async def scene() -> None:
        async with open_whole(tmp_path) as whole:
            admin = await whole.enroll("管理员", "admin")
            words = {"zh": "用印申请（新）", "en": "Seal request (new)"}
            draft = await admin.make("Process", stepList={**STEPS, "name": words["zh"], "label": words})
            wanted = ["stepList", "bpmn", "diagram", "name", "label"]
            got = await admin.call("Process/get", ids=[draft["id"]], properties=wanted)
            (shown,) = got["list"]
            assert (shown["name"], shown["label"], shown["stepList"]["label"]) == (words["zh"], words, words)
            assert shown["stepList"]["steps"][1]["options"]["performers"] == ["role:judge"]
            assert {one["id"] for one in shown["stepList"]["steps"]} == {"write", "judge", "over"}
            assert shown["diagram"]["width"] > 0
            assert {"write", "judge", "over"} <= shown["diagram"]["shapes"].keys()
            again = await admin.make("Process", bpmn=shown["bpmn"])
            back = await admin.call("Process/get", ids=[again["id"]], properties=["stepList"])
            assert back["list"][0]["stepList"] == shown["stepList"]
            wrong = await admin.call("Process/set", create={"w": {"stepList": {**STEPS, "steps": []}}})
            assert wrong["notCreated"]["w"]["properties"] == ["stepList"]

    asyncio.run(scene())


def test_own_methods_refuse_others_and_nonsense(tmp_path: Path) -> None:
    async def scene() -> None:
        async with open_whole(tmp_path) as whole:
            admin, clerk = await whole.enroll("管理员", "admin"), await whole.enroll("科员")
            for method, arguments in (
                ("Process/tryOut", {"personId": clerk.person_id, "data": {}}),
                ("Process/moveCase", {"caseId": "x", "version": 1}),
                ("Person/handOver", {"fromId": "x", "toId": "y"}),
                ("ModuleOverlay/plan", {"id": "overlay_tasks"}),
                ("ModuleOverlay/publish", {"id": "overlay_tasks"}),
            ):
                name, answer = await clerk.calls(method, **arguments)
                assert (name, answer["type"]) == ("error", "forbidden"), method
            assert (await clerk.calls("Person/dance"))[1]["type"] == "unknownMethod"
            assert (await admin.calls("Person/handOver", accountId="somebody"))[1]["type"] == "accountNotFound"
            assert (await admin.calls("Person/handOver", fromId="x"))[1]["type"] == "invalidArguments"
            refused = await admin.call("Process/moveCase", caseId="nothing", version=1)
            assert refused["refused"]["type"] == "notFound"
            refused = await admin.call("ModuleOverlay/publish", id="overlay_tasks")
            assert refused["refused"]["type"] == "notFound"

    asyncio.run(scene())


def test_the_client_asks_for_no_property_the_server_does_not_know() -> None:
    def wire(name: str) -> str:
        head, *rest = name.split("_")
        return head + "".join(part.capitalize() for part in rest)

    known = ProcessHandler.properties
    assert known is not None
    assert {wire(one) for one in ClientProcess.__struct_fields__} <= known


def test_a_change_that_a_published_process_cannot_live_with_is_refused(tmp_path: Path) -> None:
    async def scene() -> None:
        async with open_whole(tmp_path) as whole:
            admin = await whole.enroll("管理员", "admin")
            overlay = await admin.make("ModuleOverlay", module="tasks", draft={"newTypes": [MEMO], "newViews": [VIEW]})
            await admin.call("ModuleOverlay/publish", id=overlay["id"])
            judge = {**STEPS["steps"][1], "options": {"performers": ["role:judge"], "editable": ["sum"]}}
            draft = await admin.make(
                "Process", stepList={**STEPS, "steps": [judge, STEPS["steps"][2]]}, recordType="Slip"
            )
            await admin.call("Process/set", update={draft["id"]: {"state": "published"}})
            less = {**MEMO, "fields": MEMO["fields"][:1]}
            await admin.call(
                "ModuleOverlay/set", update={overlay["id"]: {"draft": {"newTypes": [less], "newViews": [VIEW]}}}
            )
            sentence = {
                "zh": "“签报”的流程“签报 · judge”：“签报”没有字段 sum",
                "en": "modules: the process slip of Slip: judge: Slip has no field sum",
            }
            assert (await admin.call("ModuleOverlay/plan", id=overlay["id"]))["problems"] == [sentence]
            refused = (await admin.call("ModuleOverlay/publish", id=overlay["id"]))["refused"]
            assert (refused["type"], refused["sentences"]) == ("overlayRefused", [sentence])
            shown = (await admin.call("ModuleDefinition/get", ids=["tasks"]))["list"][0]
            memo = next(one for one in shown["types"] if one["name"] == "Slip")
            assert [one["name"] for one in memo["fields"]] == ["subject", "sum"]

    asyncio.run(scene())
