"""Versions of processes: what folders say becomes versions at start and reload; administrators' word stands; called processes make versions of their own."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_stub.modules.engine.definition import DefinitionError
from server_stub.modules.engine.processes import process_publishing, process_store
from server_stub.modules.engine.processes.process_folders import process_problems, read_processes
from server_stub.modules.engine.processes.process_store import StoredProcess, Version
from server_stub.modules.engine.reading import load_definitions, read_modules
from server_stub.storage.database import Tx
from server_stub.workflow.reading import read_bpmn
from tests.modules.engine.processes.case_bench import BEGIN, end, process, step
from tests.modules.engine.processes.forms_bench import FORMS, FormsBench, open_forms

WITH_PROCESS = FORMS.replace('name = "Form"\n', 'name = "Form"\nprocess = "form"\n')


def bpmn(*steps: str, process_id: str = "form", state: str = "passed") -> bytes:
    """A chain of steps."""
    ids = ["begin", *(one.split('id="')[1].split('"')[0] for one in steps), "end"]
    ways = " ".join(f"{one}>{other}" for one, other in itertools.pairwise(ids))
    return process(BEGIN, *steps, end(state=state), flows=ways, process_id=process_id).encode()


ONE = bpmn(step("check", "departmentHead"))
TWO = bpmn(step("check", "departmentHead"), step("stamp", "role:cashier"))
THREE = bpmn(step("check", "superior"))


class Versions(FormsBench):
    """The forms office with a process, and its versions in short."""

    def put(self, content: bytes | None, name: str = "form.bpmn") -> list[str]:
        path = self.modules / "forms" / name
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        return asyncio.run(self.office.reload())

    def versions(self, process_id: str = "form") -> list[tuple[int | None, str, str]]:
        rows = self.database.read_now(
            lambda conn: conn.exec_driver_sql(
                "SELECT version, state, origin FROM process WHERE process_id = ? ORDER BY version IS NULL, version",
                (process_id,),
            ).fetchall()
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def current(self, process_id: str = "form") -> StoredProcess | None:
        return self.write(lambda tx: process_store.load_current(tx, process_id))

    def publish_own(self, content: bytes) -> Version:
        """What an administrator publishes."""

        def work(tx: Tx) -> Version:
            file = read_bpmn(content)
            sha = process_store.do_keep_file(tx, file, content)
            process_publishing.do_create_draft(
                tx, "own", sha, process_id=file.id, module="forms", record_type="Form", origin="office", author_id=None
            )
            return process_publishing.do_publish(tx, "own", self.person("hu"))

        return self.write(work)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Versions]:
    (tmp_path / "modules" / "forms").mkdir(parents=True)
    (tmp_path / "modules" / "forms" / "module.toml").write_text(WITH_PROCESS, encoding="utf-8")
    (tmp_path / "modules" / "forms" / "form.bpmn").write_bytes(ONE)
    made = Versions(tmp_path)
    asyncio.run(made.office.start())
    yield made
    made.database.close_now()


def test_a_folder_s_file_is_version_1_and_an_unchanged_one_stays_so(office: Versions) -> None:
    assert office.versions() == [(1, "published", "folder")]
    asyncio.run(office.office.reload())
    asyncio.run(office.office.start())
    assert office.versions() == [(1, "published", "folder")]
    current = office.current()
    assert current is not None
    assert (current.version, list(current.file.steps)) == (1, ["check"])


def test_a_changed_file_is_the_next_version_and_the_old_one_can_be_loaded(office: Versions) -> None:
    first = office.current()
    assert first is not None
    lines = office.put(TWO)
    assert "forms/form.bpmn: the process form is version 2 now" in lines
    assert office.versions() == [(1, "retired", "folder"), (2, "published", "folder")]
    loaded = office.write(lambda tx: process_store.load(tx, first.sha))
    assert (loaded.version, loaded.file) == (1, first.file)
    second = office.current()
    assert second is not None
    assert list(second.file.steps) == ["check", "stamp"]


def test_going_back_to_an_earlier_file_is_that_version_again(office: Versions) -> None:
    office.put(TWO)
    office.put(ONE)
    assert office.versions() == [(1, "published", "folder"), (2, "retired", "folder")]
    assert office.put(ONE) == ["the data in place fits; nothing is to be done with it"]


def test_planning_tells_and_publishes_nothing(office: Versions) -> None:
    (office.modules / "forms" / "form.bpmn").write_bytes(TWO)
    assert "forms/form.bpmn: the process form is version 2 now" in asyncio.run(office.office.plan())
    assert office.versions() == [(1, "published", "folder")]


def test_an_administrator_s_version_stands_and_a_new_file_waits_as_a_draft(office: Versions) -> None:
    made = office.publish_own(TWO)
    assert made.version == 2
    asyncio.run(office.office.reload())
    assert office.versions() == [(1, "retired", "folder"), (2, "published", "office")]
    lines = office.put(THREE)
    assert any("waits as a draft" in one for one in lines)
    (alert,) = [one for one in office.all("hu", "Alert") if one["link"]["type"] == "Process"]
    assert alert["label"]["en"] == "A module brings a new version of “form”: it waits as a draft"
    assert office.versions() == [(1, "retired", "folder"), (2, "published", "office"), (None, "draft", "folder")]
    asyncio.run(office.office.reload())
    office.put(bpmn(step("check", "superior"), step("more", "role:cashier")))
    assert office.versions()[-1] == (None, "draft", "folder")
    assert len(office.versions()) == 3


def test_a_process_an_administrator_retired_stays_retired(office: Versions) -> None:
    current = office.write(lambda tx: process_store.current_version(tx, "form"))
    assert current is not None
    office.write(lambda tx: process_publishing.do_retire(tx, current.id, office.person("hu")))
    asyncio.run(office.office.reload())
    assert office.current() is None
    office.put(TWO)
    assert office.current() is None
    assert office.versions()[-1] == (None, "draft", "folder")


def test_a_file_that_is_gone_retires_its_process_and_comes_back_as_it_was(office: Versions) -> None:
    (office.modules / "forms" / "module.toml").write_text(FORMS, encoding="utf-8")
    lines = office.put(None)
    assert any("is gone from the folder" in one for one in lines)
    assert office.current() is None
    office.put(ONE)
    assert office.versions() == [(1, "published", "folder")]


def test_the_same_content_as_an_earlier_version_makes_no_new_number(office: Versions) -> None:
    office.put(TWO)
    assert office.publish_own(ONE).version == 1
    assert office.versions() == [(1, "published", "folder"), (2, "retired", "folder")]


def test_a_draft_that_is_dropped_takes_its_file_along(office: Versions) -> None:
    def work(tx: Tx) -> int:
        file = read_bpmn(THREE)
        sha = process_store.do_keep_file(tx, file, THREE)
        process_publishing.do_create_draft(
            tx, "own", sha, process_id="form", module="forms", record_type="Form", origin="office", author_id=None
        )
        process_publishing.do_drop_draft(tx, "own")
        return int(tx.raw.execute("SELECT count(*) FROM process_file").fetchone()[0])

    assert office.write(work) == 1


CALLING = process(
    BEGIN, '<bpmn:callActivity id="sub" calledElement="part"/>', end(), flows="begin>sub sub>end", process_id="form"
).encode()
PART = bpmn(step("inner", "superior"), process_id="part")
PART_2 = bpmn(step("inner", "superior"), step("inner2", "role:cashier"), process_id="part")


def test_what_a_process_calls_belongs_to_its_version(office: Versions) -> None:
    (office.modules / "forms" / "part.bpmn").write_bytes(PART)
    office.put(CALLING)
    first = office.current()
    assert first is not None
    assert (first.version, list(first.called)) == (2, ["part"])
    office.put(PART_2, "part.bpmn")
    assert [one[0] for one in office.versions("part")] == [1, 2]
    second = office.current()
    assert second is not None
    assert (second.version, list(second.called["part"].steps)) == (3, ["inner", "inner2"])
    assert list(office.write(lambda tx: process_store.load(tx, first.sha)).called["part"].steps) == ["inner"]
    assert office.put(CALLING) == ["the data in place fits; nothing is to be done with it"]


def test_a_call_to_what_is_not_there_is_refused_and_changes_nothing(office: Versions) -> None:
    with pytest.raises(DefinitionError, match="it calls part, which is not there"):
        office.put(CALLING)
    assert office.versions() == [(1, "published", "folder")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (bpmn(step("check", "field:nobody")), "check: Form has no field nobody"),
        (bpmn(step("check", "field:subject")), "check: subject is a text"),
        (bpmn(step("check", "field:deskId.nothing")), "check: Form has no field deskId.nothing"),
        (bpmn(step("check", "head:signerId")), "check: signerId is a person"),
        (bpmn(step("check", "rule:keepers")), "check: the type has no rules"),
        (bpmn(step("check", "of:nothing")), "check: there is no step nothing"),
        (bpmn(step("check", "chosen")), "check: no step chooses"),
        (bpmn(step("check", "superior", chooses="nothing")), "check: there is no step nothing"),
        (bpmn(step("check", "superior", state="nowhere")), "check: Form has no state nowhere"),
        (bpmn(step("check", "superior"), state="nowhere"), "end: Form has no state nowhere"),
        (bpmn(step("check", "superior", editable="nothing")), "check: Form has no field nothing"),
        (bpmn(step("check", "superior", required="deskId.name")), "check: Form has no field deskId.name"),
        (bpmn(step("check", "superior", limit="field:subject")), "check: subject is a text"),
        (bpmn(step("check", "superior"), process_id="other"), "types.Form.process: there is no process form"),
        (b"<nothing/>", "forms/form.bpmn: "),
        (bpmn(step("check", "superior", actions="dance")), "forms/form.bpmn: "),
    ],
)
def test_checks_of_folders_read_every_process(tmp_path: Path, content: bytes, sentence: str) -> None:
    with open_forms(tmp_path, FORMS):
        pass
    folder = tmp_path / "modules"
    (folder / "forms" / "module.toml").write_text(WITH_PROCESS, encoding="utf-8")
    (folder / "forms" / "form.bpmn").write_bytes(content)
    _, problems = read_modules(folder)
    assert any(sentence in one for one in problems), problems


def test_a_sound_process_with_everything_is_not_complained_about(tmp_path: Path) -> None:
    everything = bpmn(
        step(
            "check",
            "departmentHead,field:deskId.clerks",
            state="checking",
            editable="amount,lines.keeperId",
            required="amount",
        ),
        step("pay", "role:cashier,head:unitId", chooses="sign", limit="field:deadline"),
        step("sign", "chosen", limit="2d", fallback="of:check"),
        step("read", "field:circle", kind="read"),
    )
    with open_forms(tmp_path, FORMS):
        pass
    (tmp_path / "modules" / "forms" / "module.toml").write_text(WITH_PROCESS, encoding="utf-8")
    (tmp_path / "modules" / "forms" / "form.bpmn").write_bytes(everything)
    assert read_modules(tmp_path / "modules")[1] == []


def test_names_that_ship_are_in_both_languages(tmp_path: Path) -> None:
    """A finding of the check of folders alone: an office may draw in its own language."""
    with open_forms(tmp_path, FORMS):
        pass
    folder = tmp_path / "modules" / "forms"
    (folder / "module.toml").write_text(WITH_PROCESS, encoding="utf-8")
    named = bpmn(step("check", "starter")).replace(b'name="check"', 'name="核对"'.encode())
    (folder / "form.bpmn").write_bytes(named)
    assert [one.split(":")[:2] for one in read_modules(tmp_path / "modules")[1]] == [["forms/form.bpmn", " check"]]
    labelled = named.replace(b"<tongban:step", b'<tongban:label en="Check"/><tongban:step')
    (folder / "form.bpmn").write_bytes(labelled)
    assert read_modules(tmp_path / "modules")[1] == []


def test_two_files_of_one_process_are_one_too_many(tmp_path: Path) -> None:
    with open_forms(tmp_path, FORMS):
        pass
    for name in ("a.bpmn", "b.bpmn"):
        (tmp_path / "modules" / "forms" / name).write_bytes(ONE)
    modules = load_definitions(tmp_path / "modules")
    processes, problems = read_processes(tmp_path / "modules", modules)
    assert problems == ["forms/b.bpmn: the process form is in forms/a.bpmn already"]
    assert process_problems(modules, processes) == []
