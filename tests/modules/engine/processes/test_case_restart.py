"""Cases over the whole server's wire: the same act sent twice is one, and a restart in the middle loses nothing and fires each limit once."""

import asyncio
from pathlib import Path
from typing import Any

from server_stub.accounts.directory import do_disable_person
from server_stub.ids import uuid7
from tests.helpers.whole_backend import Program, Whole, open_whole

DAY = 86_400_000
SLIP: dict[str, Any] = {
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
    "fields": [{"name": "subject", "kind": "text", "label": {"zh": "事由", "en": "Subject"}, "required": True}],
}
VIEW = {"id": "slips", "type": "Slip", "kind": "table", "label": {"zh": "签报", "en": "Slips"}, "columns": ["subject"]}
LIMITS = {"performers": ["role:judge"], "limit": "1d", "urgeAfter": "1h", "fallback": ["role:process-admin"]}
STEPS: dict[str, Any] = {
    "id": "slip",
    "name": "签报",
    "steps": [
        {"type": "step", "id": "write", "name": "起草", "options": {"performers": ["starter"]}},
        {"type": "step", "id": "judge", "name": "审批", "options": LIMITS},
        {"type": "end", "id": "over", "name": "办结", "state": "done"},
    ],
}


async def _publish(admin: Program) -> None:
    overlay = await admin.make("ModuleOverlay", module="tasks", draft={"newTypes": [SLIP], "newViews": [VIEW]})
    await admin.call("ModuleOverlay/publish", id=overlay["id"])
    draft = await admin.make("Process", stepList=STEPS, recordType="Slip")
    answer = await admin.call("Process/set", update={draft["id"]: {"state": "published"}})
    assert answer["updated"], answer


async def _events(who: Program, record_id: str) -> list[str]:
    found = await who.call("CaseEvent/query", filter={"recordId": record_id}, sort=[{"property": "seq"}])
    shown = await who.call("CaseEvent/get", ids=found["ids"])
    return [one["action"] for one in shown["list"]]


async def _until(whole: Whole, who: Program, record_id: str, wanted: list[str]) -> None:
    """Let the server's own task run until the history is as wanted."""
    async with asyncio.timeout(90), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(whole.backend.office.run())
        while await _events(who, record_id) != wanted:
            await asyncio.sleep(0.01)
        running.cancel()


def test_twice_is_once_and_a_restart_loses_and_repeats_nothing(tmp_path: Path) -> None:
    async def first() -> tuple[Program, Program, str]:
        async with open_whole(tmp_path) as whole:
            admin = await whole.enroll("管理员", "process-admin")
            judge, clerk = await whole.enroll("审批人", "judge"), await whole.enroll("科员")
            await _publish(admin)
            slip = await clerk.make("Slip", subject="购书")
            key = uuid7(whole.clock.now)
            event = {"recordType": "Slip", "recordId": slip["id"], "action": "submit"}
            once = await clerk.call("CaseEvent/set", create={key: event})
            twice = await clerk.call("CaseEvent/set", create={key: event})
            assert once["created"] == twice["created"]
            assert once["created"][key]["id"] == key
            assert await _events(clerk, slip["id"]) == ["submit"]
            whole.clock.now += 4 * DAY
            await _until(whole, clerk, slip["id"], ["submit", "urge"])
            return judge, clerk, slip["id"]

    async def second(judge: Program, clerk: Program, record_id: str) -> None:
        async with open_whole(tmp_path) as whole:
            judge.app = clerk.app = whole.app
            whole.clock.now += 9 * DAY
            database = whole.backend.database
            await database.write(lambda tx: do_disable_person(tx, judge.person_id))
            await _until(whole, clerk, record_id, ["submit", "urge", "handOver"])
            items = await clerk.call("WorkItem/query", filter={"recordId": record_id, "state": "open"})
            shown = await clerk.call("WorkItem/get", ids=items["ids"])
            assert [one["stepId"] for one in shown["list"]] == ["judge"]
            assert shown["list"][0]["personId"] not in (judge.person_id, None)

    async def scene() -> None:
        await second(*await first())

    asyncio.run(scene())
