"""What administrators change of modules without code: fields, views, whole new types; drafts, publishing, refusals, restarts, updates of the folder."""

import asyncio
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server_stub.modules.engine.definition import DefinitionError, ModuleDefinition
from server_stub.modules.engine.overlays import Changes, FieldChange, TypeChange, ViewChange, merged
from server_stub.modules.engine.overlays_handler import ModuleOverlayHandler
from server_stub.modules.engine.shape import shape_problems
from server_stub.modules.engine.soundness import module_problems
from tests.modules.engine.processes.forms_bench import FORMS, FormsBench
from tests.modules.office_bench import refusal

LABEL = {"zh": "备注说明", "en": "Note"}
NOTE = {"name": "note", "kind": "text", "label": LABEL, "max": 50}
LEAVE: dict[str, Any] = {
    "name": "Leave",
    "label": {"zh": "请假", "en": "Leave"},
    "access": {"read": ["everyone"], "create": ["everyone"], "update": ["author"], "destroy": []},
    "fields": [
        {"name": "reason", "kind": "text", "label": {"zh": "理由", "en": "Reason"}, "required": True},
        {"name": "time", "kind": "span", "label": {"zh": "时间", "en": "Time"}},
        {"name": "hours", "kind": "number", "label": {"zh": "小时", "en": "Hours"}, "formula": ["hours", "time"]},
    ],
}
LEAVE_VIEW = {
    "id": "leaves",
    "type": "Leave",
    "kind": "table",
    "label": {"zh": "请假", "en": "Leave"},
    "columns": ["reason"],
}


class Desk(FormsBench):
    """The forms office with an administrator at work."""

    def draft(self, who: str = "hu", **draft: Any) -> str:
        held = self.all(who, "ModuleOverlay")
        if held:
            self.update(who, "ModuleOverlay", held[0]["id"], draft=draft)
            return str(held[0]["id"])
        return self.create(who, "ModuleOverlay", module="forms", draft=draft)

    def call(self, method: str, who: str = "hu", **arguments: Any) -> dict[str, Any]:
        handler = self.handlers["ModuleOverlay"]
        assert isinstance(handler, ModuleOverlayHandler)
        return asyncio.run(_await(handler.own_methods[method](self.actors[who], arguments)))

    def meet(self, type_name: str) -> None:
        """The registry's part: a type that has come is called by its name."""
        handler = self.office.handler_of(type_name)
        assert handler is not None
        self.handlers[type_name] = handler

    def publish(self, **draft: Any) -> list[str]:
        id_ = self.draft(**draft)
        lines: list[str] = [one["en"] for one in self.call("publish", id=id_)["lines"]]
        return lines

    def definition(self) -> dict[str, Any]:
        found = self.get("yu", "ModuleDefinition", "forms")
        assert found is not None
        return found

    def fields(self, type_name: str = "Form") -> dict[str, dict[str, Any]]:
        type_ = next(one for one in self.definition()["types"] if one["name"] == type_name)
        return {one["name"]: one for one in type_["fields"]}


async def _await(answer: Any) -> Any:
    return await answer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = start(tmp_path)
    yield made
    made.database.close_now()


def start(folder: Path) -> Desk:
    made = Desk(folder)
    asyncio.run(made.office.start())
    return made


def again(desk: Desk, folder: Path) -> Desk:
    """The server is started anew on the same data."""
    desk.database.close_now()
    made = Desk(folder)
    asyncio.run(made.office.start())
    return made


def test_a_new_field_is_there_at_once_without_a_restart(desk: Desk) -> None:
    form = desk.form()
    lines = desk.publish(types=[{"name": "Form", "fields": [NOTE]}])
    assert any("forms: the definition changed" in one for one in lines)
    assert desk.fields()["note"]["label"] == LABEL
    desk.update("yu", "Form", form, note="急")
    shown = desk.get("yu", "Form", form)
    assert shown is not None
    assert shown["note"] == "急"
    assert refusal(lambda: desk.update("yu", "Form", form, note="长" * 51)).properties == ["note"]


def test_labels_order_required_choices_and_defaults_change(desk: Desk) -> None:
    change = [
        {"name": "amount", "label": {"zh": "合计金额", "en": "Total amount"}},
        {"name": "signerId", "required": True},
    ]
    desk.publish(types=[{"name": "Form", "change": change, "order": ["amount", "subject"]}])
    fields = desk.fields()
    assert list(fields)[:2] == ["amount", "subject"]
    assert fields["amount"]["label"]["en"] == "Total amount"
    assert refusal(desk.form).properties == ["signerId"]
    desk.form(signerId=desk.person("gao"))


def test_a_hidden_field_is_on_no_wire_and_keeps_its_values(desk: Desk) -> None:
    form = desk.form(amount="12.00")
    desk.publish(types=[{"name": "Form", "change": [{"name": "amount", "hidden": True}]}])
    assert "amount" not in desk.fields()
    assert "amount" not in desk.definition()["views"][0]["columns"]
    shown = desk.get("yu", "Form", form)
    assert shown is not None
    assert "amount" not in shown
    assert refusal(lambda: desk.update("yu", "Form", form, amount="1.00")).type == "forbidden"
    desk.update("yu", "Form", form, subject="换锁芯")
    desk.publish()
    shown = desk.get("yu", "Form", form)
    assert shown is not None
    assert shown["amount"] == "12.00"


def test_what_something_needs_cannot_be_hidden(desk: Desk) -> None:
    id_ = desk.draft(types=[{"name": "Form", "change": [{"name": "subject", "hidden": True}]}])
    error = refusal(lambda: desk.call("publish", id=id_))
    assert error.type == "overlayRefused"
    assert "subject cannot be hidden" in str(error.extra["sentences"])
    assert "subject" in desk.fields()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("deadline", "the view soon is made by it"),
        ("amount", "the report sums is made of it"),
        ("signerId", "the action pass needs it"),
        ("deskId", "Desk lists records by it"),
        ("unitId", "readers depends on it"),
    ],
)
def test_what_desktops_work_with_cannot_be_hidden(desk: Desk, name: str, why: str) -> None:
    text = FORMS.replace('who = ["role:admin"] }', 'who = ["field:signerId"] }')
    text = text.replace(
        'kind = "persons", label = { zh = "传阅", en = "Readers" } }',
        'kind = "persons", label = { zh = "传阅", en = "Readers" }, see = ["head:unitId"] }',
    )
    text = text.replace(
        'title = ["name"]',
        'title = ["name"]\nlinks = [{ type = "Form", field = "deskId", label = { zh = "申请", en = "Forms" } }]',
    )
    text += """
[[views]]
id = "soon"
type = "Form"
kind = "calendar"
label = { zh = "日历", en = "Calendar" }
time = "deadline"

[[reports]]
id = "sums"
type = "Form"
label = { zh = "合计", en = "Sums" }
group = ["state"]
measures = [{ label = { zh = "金额", en = "Amount" }, op = "sum", field = "amount" }]
"""
    (desk.modules / "forms" / "module.toml").write_text(text, encoding="utf-8")
    asyncio.run(desk.office.reload())
    id_ = desk.draft(types=[{"name": "Form", "change": [{"name": name, "hidden": True}]}])
    assert f"types.Form: {name} cannot be hidden: {why}" in str(desk.call("plan", id=id_)["problems"])


def test_a_whole_new_type_is_usable_at_once(desk: Desk) -> None:
    heard: list[list[str]] = []
    desk.office.on_types = lambda added, gone: heard.append([one.name for one in added])
    desk.publish(newTypes=[LEAVE], newViews=[LEAVE_VIEW])
    assert heard == [["Leave"]]
    desk.meet("Leave")
    made = desk.create(
        "yu", "Leave", reason="探亲", time={"start": "2026-01-05T00:00:00Z", "end": "2026-01-07T00:00:00Z"}
    )
    shown = desk.get("gao", "Leave", made)
    assert shown is not None
    assert shown["hours"] == 48
    assert [one["id"] for one in desk.definition()["views"]] == ["all", "leaves"]


def test_views_change_and_are_ordered(desk: Desk) -> None:
    mine = {
        "id": "mine",
        "type": "Form",
        "kind": "table",
        "label": {"zh": "我的", "en": "Mine"},
        "columns": ["subject"],
    }
    desk.publish(
        views=[{"id": "all", "columns": ["subject", "deadline"], "sort": ["-deadline"]}],
        newViews=[mine],
        viewOrder=["mine"],
    )
    views = desk.definition()["views"]
    assert [one["id"] for one in views] == ["mine", "all"]
    assert views[1]["columns"] == ["subject", "deadline"]


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        ({"types": [{"name": "Form", "fields": [{**NOTE, "kind": "choice"}]}]}, "choices belong to"),
        ({"types": [{"name": "Form", "fields": [{**NOTE, "name": "version"}]}]}, "this name is taken"),
        ({"views": [{"id": "all", "columns": ["nothing"]}]}, "there is no field nothing"),
        ({"newTypes": [{**LEAVE, "name": "Person"}]}, "the type Person exists already"),
        ({"newTypes": [{**LEAVE, "rules": "Sneaky"}]}, "rules are code"),
        ({"newTypes": [LEAVE], "newViews": [{**LEAVE_VIEW, "columns": ["what"]}]}, "there is no field what"),
    ],
)
def test_what_is_unsound_is_refused_in_sentences_and_changes_nothing(
    desk: Desk, draft: dict[str, Any], sentence: str
) -> None:
    before = desk.definition()
    id_ = desk.draft(**draft)
    planned = desk.call("plan", id=id_)
    told = next(one for one in planned["problems"] if sentence in one["en"])
    assert told["code"], "clients have words of their own for it"
    error = refusal(lambda: desk.call("publish", id=id_))
    assert any(sentence in one["en"] for one in error.extra["sentences"])  # type: ignore[attr-defined]
    assert desk.definition() == before
    shown = desk.get("hu", "ModuleOverlay", id_)
    assert shown is not None
    assert (shown["changes"], shown["draft"]) == (None, draft)
    desk.form()


@pytest.mark.parametrize(
    "draft",
    [
        {"colour": "red"},
        {"types": [{"name": "Form", "fields": [{"name": "x"}]}]},
        [],
        {"types": [{"name": "form"}]},
        {"order": "first"},
    ],
)
def test_a_draft_of_the_wrong_shape_is_refused(desk: Desk, draft: Any) -> None:
    error = refusal(lambda: desk.create("hu", "ModuleOverlay", module="forms", draft=draft))
    assert error.properties == ["draft"]
    assert error.extra["sentences"]
    assert desk.all("hu", "ModuleOverlay") == []


def test_planning_says_what_would_happen_and_does_nothing(desk: Desk) -> None:
    desk.form()
    number: dict[str, Any] = {
        "name": "urgency",
        "kind": "choice",
        "label": {"zh": "缓急", "en": "Urgency"},
        "default": "normal",
    }
    number["choices"] = [{"value": "normal", "label": {"zh": "平件", "en": "Normal"}}]
    id_ = desk.draft(types=[{"name": "Form", "fields": [number]}])
    planned = desk.call("plan", id=id_)
    assert planned["problems"] == []
    assert any("the default is filled in in 1 record" in one["en"] for one in planned["lines"])
    assert any(one["zh"].endswith("“缓急”：为1 条记录填入默认值") for one in planned["lines"])
    assert "urgency" not in desk.fields()


def test_losing_data_is_refused_until_a_migration_says_what_is_meant(desk: Desk) -> None:
    desk.publish(types=[{"name": "Form", "fields": [NOTE]}])
    form = desk.form(note="急")
    id_ = desk.draft()
    error = refusal(lambda: desk.call("publish", id=id_))
    assert "Form.note: the field is gone, but 1 record" in str(error.extra["sentences"])
    assert "note" in desk.fields()
    desk.publish(migrations=[{"type": "Form", "field": "note", "drop": True}])
    assert "note" not in desk.fields()
    shown = desk.get("yu", "Form", form)
    assert shown is not None
    assert "note" not in shown


def test_survives_a_restart(desk: Desk, tmp_path: Path) -> None:
    desk.publish(types=[{"name": "Form", "fields": [NOTE]}], newTypes=[LEAVE], newViews=[LEAVE_VIEW])
    form = desk.form(note="急")
    desk = again(desk, tmp_path)
    try:
        assert "note" in desk.fields()
        shown = desk.get("yu", "Form", form)
        assert shown is not None
        assert shown["note"] == "急"
        desk.create("yu", "Leave", reason="探亲")
    finally:
        desk.database.close_now()


def test_the_folder_moves_on_under_the_changes(desk: Desk) -> None:
    change = [
        {"name": "amount", "label": {"zh": "合计", "en": "Total"}},
        {"name": "deadline", "label": {"zh": "截止", "en": "Until"}},
    ]
    desk.publish(types=[{"name": "Form", "fields": [NOTE], "change": change}])
    form = desk.form(note="急")
    more = '{ name = "place", kind = "text", label = { zh = "地点", en = "Place" } },\n  { name = "unitId"'
    text = FORMS.replace('{ name = "unitId"', more).replace('en = "Amount"', 'en = "Sum of money"')
    gone = text.index('  { name = "deadline"')
    (desk.modules / "forms" / "module.toml").write_text(
        text[:gone] + text[text.index("\n", gone) + 1 :], encoding="utf-8"
    )
    asyncio.run(desk.office.reload())
    fields = desk.fields()
    assert {"place", "note"} <= fields.keys()
    assert "deadline" not in fields  # gone from the folder: what is said of it is passed over
    assert fields["amount"]["label"]["en"] == "Total"  # the administrator's words stand
    desk.update("yu", "Form", form, note="缓", place="三楼")


def without(text: str, name: str) -> str:
    """The module without one of its fields."""
    start = text.index(f'  {{ name = "{name}"')
    return text[:start] + text[text.index("\n", start) + 1 :]


def test_views_and_sections_live_on_without_fields_that_are_gone(desk: Desk, tmp_path: Path) -> None:
    soon = {**LEAVE_VIEW, "id": "soon", "type": "Form", "kind": "calendar", "time": "deadline", "columns": []}
    late = {**LEAVE_VIEW, "id": "late", "type": "Form", "filter": {"deadlineBefore": "@today"}, "columns": ["subject"]}
    mine = {
        **LEAVE_VIEW,
        "id": "mine",
        "type": "Form",
        "columns": ["deadline", "note"],
        "sort": ["-deadline", "createdAt"],
    }
    section = {"label": {"zh": "基本", "en": "Basics"}, "fields": ["deadline", "note"]}
    desk.publish(
        types=[{"name": "Form", "fields": [NOTE], "sections": [section], "title": ["subject", "deadline"]}],
        views=[{"id": "all", "columns": ["deadline"]}],
        newViews=[soon, late, mine],
    )
    (desk.modules / "forms" / "module.toml").write_text(without(FORMS, "deadline"), encoding="utf-8")
    asyncio.run(desk.office.reload())
    made = desk.definition()
    assert [(one["id"], one.get("columns"), one.get("sort")) for one in made["views"]] == [
        ("all", ["subject", "amount"], None),
        ("mine", ["note"], ["createdAt"]),
    ]
    form = next(one for one in made["types"] if one["name"] == "Form")
    assert (form["title"], form["sections"][0]["fields"]) == (["subject"], ["note"])
    again(desk, tmp_path).database.close_now()


def test_a_folder_that_cannot_live_with_the_changes_is_refused_and_says_so(desk: Desk, tmp_path: Path) -> None:
    double = {
        "name": "double",
        "kind": "number",
        "label": {"zh": "两倍", "en": "Double"},
        "formula": ["multiply", "amount", 2],
    }
    desk.publish(types=[{"name": "Form", "fields": [double]}])
    text = without(FORMS, "amount").replace('columns = ["subject", "amount"]', 'columns = ["subject"]')
    (desk.modules / "forms" / "module.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match="there is no field amount"):
        asyncio.run(desk.office.reload())
    assert "double" in desk.fields()
    desk.database.close_now()
    with pytest.raises(DefinitionError, match="there is no field amount"):
        Desk(tmp_path)


def test_a_name_both_have_made_is_the_folder_s_and_keeps_the_values(desk: Desk) -> None:
    desk.publish(types=[{"name": "Form", "fields": [NOTE]}])
    form = desk.form(note="急")
    own = '{ name = "note", kind = "longText", label = { zh = "说明", en = "Remark" } },\n  { name = "unitId"'
    text = FORMS.replace('{ name = "unitId"', own)
    (desk.modules / "forms" / "module.toml").write_text(text, encoding="utf-8")
    asyncio.run(desk.office.reload())
    assert desk.fields()["note"]["kind"] == "longText"
    shown = desk.get("yu", "Form", form)
    assert shown is not None
    assert shown["note"] == "急"


def test_only_administrators_see_and_change_and_a_process_administrator_is_one(desk: Desk) -> None:
    id_ = desk.draft(types=[{"name": "Form", "fields": [NOTE]}])
    assert desk.all("yu", "ModuleOverlay") == []
    assert refusal(lambda: desk.create("yu", "ModuleOverlay", module="forms", draft={})).type == "forbidden"
    assert refusal(lambda: desk.update("yu", "ModuleOverlay", id_, draft={})).type == "forbidden"
    desk.grant("lin", "process-admin")
    assert [one["id"] for one in desk.all("lin", "ModuleOverlay")] == [id_]
    desk.call("publish", who="lin", id=id_)
    assert "note" in desk.fields()


def test_one_for_each_module_and_destroyed_only_while_nothing_is_in_force(desk: Desk) -> None:
    id_ = desk.draft(types=[{"name": "Form", "fields": [NOTE]}])
    again_ = refusal(lambda: desk.create("hu", "ModuleOverlay", module="forms", draft={}))
    assert again_.extra["existingId"] == id_
    assert refusal(lambda: desk.create("hu", "ModuleOverlay", module="nothing", draft={})).properties == ["module"]
    desk.destroy("hu", "ModuleOverlay", id_)
    desk.publish(types=[{"name": "Form", "fields": [NOTE]}])
    assert refusal(lambda: desk.destroy("hu", "ModuleOverlay", id_)).type == "forbidden"
    desk.publish()
    assert "note" not in desk.fields()
    desk.destroy("hu", "ModuleOverlay", id_)
    assert desk.all("hu", "ModuleOverlay") == []


def test_definitions_stay_readable_by_the_struct(desk: Desk) -> None:
    desk.publish(types=[{"name": "Form", "fields": [NOTE]}], newTypes=[LEAVE], newViews=[LEAVE_VIEW])
    wire = {key: value for key, value in desk.definition().items() if key not in ("createdAt", "updatedAt", "authorId")}
    assert msgspec.convert(wire, ModuleDefinition).type("Leave") is not None


DOCS = (Path(__file__).resolve().parents[3] / "docs" / "modules.md").read_text(encoding="utf-8")


def test_the_example_of_the_documentation_fits_the_module_it_teaches() -> None:
    module = msgspec.convert(tomllib.loads(DOCS.split("```toml\n")[1].split("```")[0]), ModuleDefinition)
    draft = json.loads(DOCS.split("```json\n")[1].split("```")[0])
    assert shape_problems(draft, Changes) == []
    changed = merged(module, msgspec.convert(draft, Changes))
    assert module_problems(changed, [changed]) == []
    loan = next(one for one in changed.to_object()["types"] if one["name"] == "KeyLoan")
    assert [one["name"] for one in loan["fields"]] == ["time", "keyId", "number", "handedAt", "remark", "phone"]


@pytest.mark.parametrize("struct", [Changes, TypeChange, FieldChange, ViewChange])
def test_every_key_of_the_changes_is_documented(struct: type[msgspec.Struct]) -> None:
    text = DOCS[DOCS.index("## Changes of an administrator") : DOCS.index("## Changing a definition")]
    keys = {field.encode_name for field in msgspec.structs.fields(struct)} - {"name", "id"}
    assert {key for key in keys if f"`{key}`" not in text} == set()
