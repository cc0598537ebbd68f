"""The Process type: drafts, publishing, retiring, going back, what everybody sees of it and what administrators do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server_stub.records.types import JsonObject
from tests.modules.engine.processes.case_bench import step
from tests.modules.engine.processes.forms_bench import FormsBench
from tests.modules.engine.processes.test_process_versions import CALLING, ONE, THREE, TWO, WITH_PROCESS, bpmn
from tests.modules.office_bench import refusal


class Keepers(FormsBench):
    """The forms office with a process; hu keeps the processes."""

    def draft(self, content: bytes = TWO, who: str = "hu", key: str = "k", **more: Any) -> str:
        return self.create(who, "Process", key=key, bpmn=content.decode(), recordType="Form", **more)

    def one(self, id_: str, who: str = "hu", *properties: str) -> JsonObject:
        handler, actor = self.handlers["Process"], self.actors[who]
        found = self.database.read_now(lambda conn: handler.get(conn, actor, [id_], properties or None).list)
        return found[0] if found else {}

    def short(self, who: str = "hu") -> list[tuple[int | None, str]]:
        found = [(one.get("version"), one["state"]) for one in self.all(who, "Process")]
        return sorted(found, key=lambda one: (one[0] is None, one[0] or 0))


@pytest.fixture
def keepers(tmp_path: Path) -> Iterator[Keepers]:
    (tmp_path / "modules" / "forms").mkdir(parents=True)
    (tmp_path / "modules" / "forms" / "module.toml").write_text(WITH_PROCESS, encoding="utf-8")
    (tmp_path / "modules" / "forms" / "form.bpmn").write_bytes(ONE)
    made = Keepers(tmp_path)
    made.write(made.office.do_bring_in_line)
    yield made
    made.database.close_now()


def test_everybody_sees_what_is_published_with_its_steps_and_diagram(keepers: Keepers) -> None:
    (seen,) = keepers.all("yu", "Process")
    assert (seen["processId"], seen["version"], seen["state"], seen["origin"]) == ("form", 1, "published", "folder")
    assert (seen["module"], seen["recordType"]) == ("forms", "Form")
    (only,) = seen["steps"]
    assert (only["id"], list(only["performers"]), only["kind"]) == ("check", ["departmentHead"], "handle")
    assert only["performersText"] == {"zh": "发起人部门负责人", "en": "the head of the starter's department"}
    assert set(seen["diagram"]) == {"width", "height", "shapes", "edges"}
    assert "runningCases" not in seen


def test_a_draft_is_seen_by_administrators_and_published_to_everybody(keepers: Keepers) -> None:
    draft = keepers.draft()
    assert keepers.short("hu") == [(1, "published"), (None, "draft")]
    assert keepers.short("yu") == [(1, "published")]
    answer = keepers.update("hu", "Process", draft, state="published")
    assert answer is not None
    assert answer["version"] == 2
    assert keepers.short("yu") == [(1, "retired"), (2, "published")]
    seen = keepers.one(draft, "yu")
    assert (seen["publishedById"], seen["origin"]) == (keepers.person("hu"), "office")
    assert keepers.one(draft)["runningCases"] == 0


def test_the_file_comes_out_as_it_came_in_for_administrators_only(keepers: Keepers) -> None:
    draft = keepers.draft()
    assert keepers.one(draft, "hu", "bpmn")["bpmn"] == TWO.decode()
    assert "bpmn" not in keepers.one(draft)
    keepers.update("hu", "Process", draft, state="published")
    assert "bpmn" not in keepers.one(draft, "yu", "bpmn")


def test_a_draft_changes_until_it_is_published(keepers: Keepers) -> None:
    draft = keepers.draft()
    keepers.update("hu", "Process", draft, bpmn=THREE.decode())
    assert [one["id"] for one in keepers.one(draft)["steps"]] == ["check"]
    keepers.update("hu", "Process", draft, state="published")
    error = refusal(lambda: keepers.update("hu", "Process", draft, bpmn=TWO.decode()))
    assert error.type == "forbidden"
    assert refusal(lambda: keepers.destroy("hu", "Process", draft)).type == "forbidden"


def test_retiring_and_going_back_to_an_earlier_version(keepers: Keepers) -> None:
    first = keepers.all("hu", "Process")[0]["id"]
    second = keepers.draft()
    keepers.update("hu", "Process", second, state="published")
    keepers.update("hu", "Process", first, state="published")
    assert keepers.short() == [(1, "published"), (2, "retired")]
    keepers.update("hu", "Process", first, state="retired")
    assert keepers.short() == [(1, "retired"), (2, "retired")]
    assert refusal(lambda: keepers.update("hu", "Process", first, state="draft")).properties == ["state"]


def test_a_draft_that_says_what_a_version_says_becomes_that_version(keepers: Keepers) -> None:
    second = keepers.draft()
    keepers.update("hu", "Process", second, state="published")
    again = keepers.draft(ONE, key="again")
    keepers.update("hu", "Process", again, state="published")
    assert keepers.short() == [(1, "published"), (2, "retired")]
    assert keepers.one(again) == {}


def test_what_does_not_fit_is_kept_as_a_draft_with_its_problems_and_not_published(keepers: Keepers) -> None:
    wrong = bpmn(step("check", "field:nothing"), step("stamp", "role:cashier", state="nowhere"))
    draft = keepers.draft(wrong)
    problems = [(one["element"], one["code"]) for one in keepers.one(draft)["problems"]]
    assert problems == [("check", "noField"), ("stamp", "noState")]
    error = refusal(lambda: keepers.update("hu", "Process", draft, state="published"))
    assert error.properties == ["state"]
    told = error.extra["problems"]
    assert isinstance(told, list)
    assert [(one["element"], one["code"]) for one in told] == problems
    assert keepers.short() == [(1, "published"), (None, "draft")]


def test_every_type_a_process_moves_must_fit(keepers: Keepers) -> None:
    elsewhere = bpmn(step("check", "field:clerks"))
    draft = keepers.create("hu", "Process", bpmn=elsewhere.decode(), recordType="Desk")
    error = refusal(lambda: keepers.update("hu", "Process", draft, state="published"))
    assert "Form has no field clerks" in str(error.extra["problems"])


def test_what_cannot_run_is_refused_by_element(keepers: Keepers) -> None:
    broken = TWO.replace(b'targetRef="end"', b'targetRef="nowhere"')
    error = refusal(lambda: keepers.draft(broken))
    assert error.properties == ["bpmn"]
    assert error.extra["problems"]
    assert keepers.short() == [(1, "published")]


@pytest.mark.parametrize(
    ("given", "properties"),
    [
        ({}, ["bpmn", "stepList"]),
        ({"bpmn": ONE.decode(), "stepList": {}}, ["bpmn", "stepList"]),
        ({"bpmn": 5}, ["bpmn"]),
        ({"bpmn": ONE.decode(), "recordType": "Nothing"}, ["recordType"]),
        ({"bpmn": ONE.decode(), "state": "published"}, ["state"]),
        ({"bpmn": ONE.decode(), "version": 7}, ["version"]),
    ],
)
def test_what_makes_no_draft(keepers: Keepers, given: dict[str, Any], properties: list[str]) -> None:
    assert refusal(lambda: keepers.create("hu", "Process", **given)).properties == properties


def test_administrators_alone_keep_processes(keepers: Keepers) -> None:
    first = keepers.all("yu", "Process")[0]["id"]
    draft = keepers.draft()
    assert refusal(lambda: keepers.draft(who="yu", key="x")).type == "forbidden"
    assert refusal(lambda: keepers.update("yu", "Process", first, state="retired")).type == "forbidden"
    assert refusal(lambda: keepers.destroy("yu", "Process", draft)).type == "forbidden"
    keepers.grant("lin", "process-admin")
    keepers.destroy("lin", "Process", draft)
    assert keepers.short("lin") == [(1, "published")]


def test_a_called_process_is_not_retired_under_its_callers(keepers: Keepers) -> None:
    part = keepers.create("hu", "Process", key="p", bpmn=bpmn(step("inner", "superior"), process_id="part").decode())
    draft = keepers.draft(CALLING, key="c")
    assert "part" in str(refusal(lambda: keepers.update("hu", "Process", draft, state="published")).extra["problems"])
    keepers.update("hu", "Process", part, state="published")
    keepers.update("hu", "Process", draft, state="published")
    assert refusal(lambda: keepers.update("hu", "Process", part, state="retired")).type == "forbidden"
    wrong = keepers.create(
        "hu", "Process", key="w", bpmn=bpmn(step("inner", "field:nothing"), process_id="part").decode()
    )
    error = refusal(lambda: keepers.update("hu", "Process", wrong, state="published"))
    assert "Form has no field nothing" in str(error.extra["problems"])


def test_changes_are_heard_of(keepers: Keepers) -> None:
    state = keepers.state()
    draft = keepers.draft()
    assert keepers.changes("hu", "Process", state)[0] == {draft}
    assert keepers.changes("yu", "Process", state) == (set(), set(), set())
    keepers.update("hu", "Process", draft, state="published")
    created, updated, _ = keepers.changes("yu", "Process", state)
    assert (created, len(updated)) == ({draft}, 1)
