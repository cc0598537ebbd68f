"""What administrators ask of processes: drafts with their problems, trials, moves, hand-over, overlays; files in any encoding."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from desktop.core.clock import parse_utc_date
from desktop.core.domain import Label
from desktop.core.domain.processes import OverlayPlan, Process, ProcessNote, ProcessState
from desktop.core.errors import BadFile, Offline, Rejected
from desktop.core.services.cases import CasesService
from desktop.core.services.process_admin import bpmn_text
from tests.helpers.case_model import STAMP, CaseModel
from tests.helpers.record_desk import RecordDesk, record_desk

STEP = {
    "id": "check", "name": "审核", "kind": "handle", "performersText": {"zh": "发起人部门负责人", "en": "Head"},
    "performers": ["departmentHead"], "actions": [{"name": "approve", "label": {"zh": "同意", "en": "Agree"}}], "limit": "1d", "new": 1,
}  # fmt: skip
PROCESS = {
    "id": "v1", "processId": "request", "module": "requests", "recordType": "Request", "version": 2, "state": "published", "name": "用印",
    "origin": "office", "steps": [STEP], "createdAt": STAMP, "updatedAt": STAMP, "publishedAt": STAMP, "publishedById": "root",
    "diagram": {"width": 400, "height": 90.5, "shapes": {"check": {"kind": "userTask", "name": "审核", "x": 1, "y": 2, "w": 90, "h": 40}},
                "edges": {"f": {"name": "", "points": [[1, 2], [3.5, 4]], "kind": "flow"}}},
    "notes": [{"element": "check", "code": "assignee", "zh": "改", "en": "changed"}], "runningCases": 4,
}  # fmt: skip
PROBLEM = {"element": "task1", "code": "script", "zh": "不可用", "en": "not allowed"}

Work = Callable[[RecordDesk, CasesService, list[dict[str, Any]]], Coroutine[Any, Any, None]]


def with_answers(folder: Path, work: Work, **answers: Any) -> None:
    """A desk whose server answers these methods (`Process_get`); what it was asked."""

    async def scenario() -> None:
        asked: list[dict[str, Any]] = []
        async with record_desk(CaseModel("root"), "root", folder) as desk:
            await desk.live()
            for name, answer in answers.items():
                desk.transport.answers[name.replace("_", "/")] = _noting(asked, answer)
            await work(desk, desk.session.cases, asked)

    asyncio.run(scenario())


def _noting(asked: list[dict[str, Any]], answer: Any) -> Callable[[dict[str, Any]], Any]:
    def reply(arguments: dict[str, Any]) -> Any:
        asked.append(arguments)
        return answer(arguments) if callable(answer) else answer

    return reply


def listed(*objects: dict[str, Any]) -> dict[str, Any]:
    return {"state": "1", "list": list(objects), "notFound": []}


def test_a_version_comes_with_its_steps_diagram_and_file(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, cases: CasesService, asked: list[dict[str, Any]]) -> None:
        del desk
        form = await cases.process_form("v1")
        assert {"bpmn", "stepList", "stepListReason", "diagram"} <= set(asked[0]["properties"])
        assert (form.bpmn, form.step_list, form.reason) == ("<x>用印</x>".encode(), None, Label("有回路", "It loops"))
        process = form.process
        assert (process.version, process.state, process.running_cases) == (2, ProcessState.PUBLISHED, 4)
        step = process.step("check")
        assert step is not None
        assert (step.limit, step.performers, step.performers_text) == (
            "1d",
            ("departmentHead",),
            Label("发起人部门负责人", "Head"),
        )
        assert step.actions[0].label == Label("同意", "Agree")
        assert process.diagram is not None
        assert process.diagram.edges["f"].points == ((1.0, 2.0), (3.5, 4.0))
        assert process.notes[0].text("zh") == "改"
        assert await cases.export_bpmn("v1") == form.bpmn

    bpmn = {"bpmn": "<x>用印</x>", "stepList": None, "stepListReason": {"zh": "有回路", "en": "It loops"}}
    with_answers(tmp_path, work, Process_get=listed({**PROCESS, **bpmn}))


def test_versions_are_synced_and_found_by_process_and_number(tmp_path: Path) -> None:
    async def scenario() -> None:
        model = CaseModel("root", "ben")
        model.types.append("Process")
        model.objects["Process"] = {}
        model.put("Process", "v1", **{k: v for k, v in PROCESS.items() if k != "id"})
        draft = {**PROCESS, "state": "draft", "version": None, "problems": [PROBLEM]}
        model.put("Process", "d", **{k: v for k, v in draft.items() if k != "id"})
        async with record_desk(model, "ben", tmp_path) as desk:
            await desk.live()
            cases = desk.session.cases

            async def both() -> bool:
                return len(await cases.processes()) == 2

            await desk.until(both)
            first, second = await cases.processes()
            assert (first.id, first.state, first.version, first.problems[0].element) == ("d", "draft", 0, "task1")
            assert await cases.process("request", 2) == second
            model.put("Process", "v1", name="改名")
            desk.look()

            async def renamed() -> bool:
                found = await cases.process("request", 2)
                return isinstance(found, Process) and found.name == "改名"

            await desk.until(renamed)

    asyncio.run(scenario())


def test_a_draft_that_cannot_run_tells_its_problems_by_element(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, cases: CasesService, asked: list[dict[str, Any]]) -> None:
        refused = await cases.save_draft(b"<definitions/>", record_type="Request")
        assert refused.id is None
        assert refused.problems == (ProcessNote("task1", "script", "不可用", "not allowed"),)
        (key,) = asked[0]["create"]
        assert asked[0]["create"][key] == {"bpmn": "<definitions/>", "recordType": "Request"}
        desk.transport.answers["Process/set"] = {"notUpdated": {"d": {"type": "forbidden"}}}
        with pytest.raises(Rejected):
            await cases.save_draft({"id": "x"}, draft_id="d")

    def refuse(arguments: dict[str, Any]) -> dict[str, Any]:
        return {
            "notCreated": {key: {"type": "invalidProperties", "problems": [PROBLEM]} for key in arguments["create"]}
        }

    with_answers(tmp_path, work, Process_set=refuse)


def test_a_draft_is_kept_with_what_keeps_it_from_being_published(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, cases: CasesService, asked: list[dict[str, Any]]) -> None:
        draft = await cases.save_draft({"id": "request", "steps": []}, draft_id="d")
        assert asked[0]["update"] == {"d": {"stepList": {"id": "request", "steps": []}}}
        assert (draft.id, draft.notes[0].code, draft.problems[0].element) == ("d", "assignee", "task1")
        desk.transport.answers["Process/set"] = {
            "notUpdated": {"d": {"type": "invalidProperties", "problems": [PROBLEM]}}
        }
        assert [one.element for one in await cases.publish("d")] == ["task1"]
        desk.transport.answers["Process/set"] = {"updated": {"d": None}}
        assert await cases.publish("d") == ()
        await cases.retire("d")
        desk.transport.answers["Process/set"] = {"notDestroyed": {"d": {"type": "forbidden"}}}
        with pytest.raises(Rejected):
            await cases.drop_draft("d")

    with_answers(
        tmp_path,
        work,
        Process_set={"updated": {"d": None}},
        Process_get=listed({**PROCESS, "id": "d", "problems": [PROBLEM]}),
    )


def test_a_trial_tells_step_by_step_and_writes_nothing(tmp_path: Path) -> None:
    trace = [
        {"stepId": "check", "name": "审核", "kind": "userTask", "personIds": ["ben"], "onBehalf": {"ben": "carl"}, "fallback": True,
         "outcome": "approved", "enteredAt": STAMP, "dueAt": None},
        {"stepId": "end", "name": "", "kind": "end", "personIds": [], "state": "passed"},
    ]  # fmt: skip

    async def work(desk: RecordDesk, cases: CasesService, asked: list[dict[str, Any]]) -> None:
        tried = await cases.try_out("v1", "Request", {"subject": "x"}, "anna", ["approved"])
        assert asked[0] == {
            "accountId": "root", "id": "v1", "recordType": "Request", "data": {"subject": "x"}, "personId": "anna", "script": ["approved"],
        }  # fmt: skip
        first = tried.trace[0]
        assert (first.person_ids, first.on_behalf, first.fallback, first.due_at) == (
            ("ben",),
            {"ben": "carl"},
            True,
            None,
        )
        assert first.entered_at == parse_utc_date(STAMP)
        assert (tried.ended, tried.end_state, tried.notes) == (True, "passed", ())
        desk.transport.answers["Process/tryOut"] = {"refused": {"type": "invalidProperties", "problems": [PROBLEM]}}
        assert (await cases.try_out(b"<x/>", "Request", {}, "anna")).problems[0].code == "script"
        desk.transport.answers["Process/tryOut"] = {"refused": {"type": "notFound", "description": "none"}}
        with pytest.raises(Rejected) as raised:
            await cases.try_out("v9", "Request", {}, "anna")
        assert raised.value.data["type"] == "notFound"
        desk.transport.answers["Process/tryOut"] = {"trace": [{"stepId": 5}]}
        with pytest.raises(Offline):
            await cases.try_out("v1", "Request", {}, "anna")

    with_answers(
        tmp_path,
        work,
        Process_tryOut={"trace": trace, "ended": True, "endState": "passed", "notes": [], "problems": []},
    )


def test_cases_move_and_work_is_handed_over(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, cases: CasesService, asked: list[dict[str, Any]]) -> None:
        await cases.move_case("c1", 3, {"check": "review"})
        assert asked[0]["map"] == {"check": "review"}
        assert await cases.hand_over("carl", "ben", ["requests"]) == 7
        assert {k: asked[1][k] for k in ("fromId", "toId", "modules")} == {
            "fromId": "carl",
            "toId": "ben",
            "modules": ["requests"],
        }
        desk.transport.answers["Person/handOver"] = {"refused": {"type": "invalidProperties", "properties": ["toId"]}}
        with pytest.raises(Rejected) as raised:
            await cases.hand_over("carl", "carl")
        assert raised.value.data["properties"] == ["toId"]

    moved = {"moved": {"caseId": "c1", "version": 3, "steps": ["review"]}}
    with_answers(tmp_path, work, Process_moveCase=moved, Person_handOver={"count": 7})


def test_overlays_are_written_planned_and_published(tmp_path: Path) -> None:
    held: list[dict[str, Any]] = []

    def change(arguments: dict[str, Any]) -> dict[str, Any]:
        for body in arguments.get("create", {}).values():
            held.append({"id": "overlay_requests", "changes": None, "updatedAt": STAMP, **body})
        for body in arguments.get("update", {}).values():
            held[0] |= body
        return {"created": {key: {"id": "overlay_requests"} for key in arguments.get("create", {})},
                "updated": dict.fromkeys(arguments.get("update", {}))}  # fmt: skip

    async def work(desk: RecordDesk, cases: CasesService, asked: list[dict[str, Any]]) -> None:
        assert await cases.overlay("requests") is None
        with pytest.raises(Rejected):
            await cases.plan_overlay("requests")
        await cases.save_overlay("requests", {"fields": [1]})
        await cases.save_overlay("requests", {"fields": [2]})
        found = await cases.overlay("requests")
        assert found is not None
        assert (found.module, found.draft, found.changes, found.published_at) == (
            "requests",
            {"fields": [2]},
            None,
            None,
        )
        assert await cases.plan_overlay("requests") == OverlayPlan(("adds a field",), ())
        assert asked[-1]["id"] == "overlay_requests"
        assert (await cases.publish_overlay("requests")).lines == ("done",)
        desk.transport.answers["ModuleOverlay/publish"] = {
            "refused": {"type": "overlayRefused", "sentences": ["data would be lost"]}
        }
        assert await cases.publish_overlay("requests") == OverlayPlan(problems=("data would be lost",))
        await cases.save_overlay("requests", None)
        assert held[0]["draft"] is None

    with_answers(
        tmp_path,
        work,
        ModuleOverlay_get=lambda _: listed(*held),
        ModuleOverlay_set=change,
        ModuleOverlay_plan={"lines": ["adds a field"], "problems": []},
        ModuleOverlay_publish={"lines": ["done"]},
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('<?xml version="1.0" encoding="UTF-8"?><a name="用印"/>'.encode(), '<?xml version="1.0"?><a name="用印"/>'),
        (
            '<?xml version="1.0" encoding="GB2312"?><a name="用印镕"/>'.encode("gb18030"),
            '<?xml version="1.0"?><a name="用印镕"/>',
        ),
        (
            '<?xml version="1.0" encoding="UTF-16"?><a name="用印"/>'.encode("utf-16"),
            '<?xml version="1.0"?><a name="用印"/>',
        ),
        ("\ufeff<a/>".encode(), "<a/>"),
        (b"<a/>", "<a/>"),
    ],
)
def test_files_in_any_encoding_become_text(data: bytes, text: str) -> None:
    assert bpmn_text(data) == text


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"<a>\xff</a>", b'<?xml version="1.0" encoding="klingon"?><a/>'])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(BadFile):
        bpmn_text(data)
