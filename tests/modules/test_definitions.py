"""Both module folders are sound, and the checker says clearly what is wrong with a broken one."""

from pathlib import Path

import pytest

from build_scripts.check_modules import check_demo, check_modules
from server_stub.modules.engine.definition import DefinitionError, load_definition
from server_stub.modules.engine.loader import load_definitions

GOOD = """
id = "cars"
group = "official"
label = { zh = "车辆", en = "Cars" }
icon = "ph.car"
order = 5

[[types]]
name = "Car"
label = { zh = "车", en = "Car" }
access = { read = ["everyone"], create = ["role:admin"], update = ["author"], destroy = [] }
fields = [
  { name = "plate", kind = "text", label = { zh = "车牌", en = "Plate" }, required = true, max = 20 },
  { name = "state", kind = "choice", label = { zh = "状态", en = "State" }, choices = [{ value = "free", label = { zh = "空闲", en = "Free" } }] },
]
"""


def write_module(root: Path, text: str, name: str = "cars") -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "module.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_folders_of_the_product_are_sound() -> None:
    assert check_modules() == []


def test_the_demo_office_s_files_are_sound() -> None:
    assert check_demo() == []


def test_modules_come_in_the_order_of_the_workbench() -> None:
    modules = load_definitions()
    assert [module.id for module in modules] == ["notices", "library"]
    notice = modules[0].types[0]
    assert {field.name for field in notice.fields} >= {
        "title",
        "body",
        "level",
        "audience",
        "attachments",
        "pinned",
        "state",
    }


def test_a_sound_folder_is_all_it_takes(tmp_path: Path) -> None:
    write_module(tmp_path, GOOD)
    assert check_modules(tmp_path, tests=None) == []
    (module,) = load_definitions(tmp_path)
    assert module.to_object()["types"][0]["fields"][0] == {
        "name": "plate",
        "kind": "text",
        "label": {"zh": "车牌", "en": "Plate"},
        "required": True,
        "max": 20,
    }


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('id = "cars"', 'id = "trucks"', "id: is 'trucks', but the folder is named 'cars'"),
        ('group = "official"', 'group = "work"', "group: must be one of official, personal, extended"),
        ('en = "Cars"', 'en = " "', "module: label has no text in en"),
        ('label = { zh = "车辆", en = "Cars" }', "", "module: label is missing"),
        ('icon = "ph.car"', 'icon = "car.png"', "icon: must be a Phosphor icon"),
        ('icon = "ph.car"', 'icon = "ph.no-such-icon"', "there is no icon ph.no-such-icon"),
        ("order = 5", 'order = "5"', "module: order must be a whole number"),
        ("order = 5", "order = 5\ncolor = 1", "module: unknown key color"),
        ('name = "Car"', 'name = "car"', "car: a type's name is in PascalCase"),
        ('kind = "text"', 'kind = "string"', "Car.plate: kind must be one of text"),
        ('name = "plate"', 'name = "id"', "Car.id: a field's name"),
        ('name = "state"', 'name = "plate"', "Car: field plate is there twice"),
        (", destroy = []", "", "Car.access: destroy is missing"),
        ('"role:admin"', '"boss"', "Car.access.create: 'boss' is none of"),
        ('"role:admin"', '"audience"', "Car.access.create: audience needs a field audience"),
        ("max = 20", 'max = "x"', "Car.plate: max must be a number"),
        ('kind = "choice"', 'kind = "bool"', "Car.state: choices belong to choice"),
        ('kind = "text"', 'kind = "reference"', "Car.plate: target belongs to a reference"),
        ('kind = "text"', 'kind = "object"', "Car.plate: fields belong to object"),
        ("required = true", 'required = "yes"', "Car.plate: required must be true or false"),
        ('id = "cars"', 'id = "cars', "is no TOML"),
    ],
)
def test_a_broken_folder_is_refused_with_a_clear_word(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    write_module(tmp_path, GOOD.replace(old, new, 1))
    problems = check_modules(tmp_path, tests=None)
    assert any(complaint in problem for problem in problems), problems
    assert all(problem.startswith("cars/module.toml: ") for problem in problems)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    folder = write_module(tmp_path, GOOD.replace("order = 5", "").replace('"ph.car"', '"x"').replace('"text"', '"y"'))
    with pytest.raises(DefinitionError) as caught:
        load_definition(folder)
    assert len(caught.value.problems) == 3


def test_modules_are_checked_against_each_other(tmp_path: Path) -> None:
    write_module(tmp_path, GOOD)
    trips = GOOD.replace('id = "cars"', 'id = "trips"').replace("Car", "Trip")
    reference = '{ name = "plate", kind = "reference", target = "Car",'
    write_module(
        tmp_path, trips.replace('{ name = "plate", kind = "text",', reference).replace(", max = 20", ""), "trips"
    )
    assert check_modules(tmp_path, tests=None) == ["trips: refers to Car of cars: say needs = ['cars']"]
    with pytest.raises(DefinitionError):
        load_definitions(tmp_path)


def test_imports_of_other_modules_must_be_declared(tmp_path: Path) -> None:
    folder = write_module(tmp_path, GOOD)
    (folder / "rules.py").write_text("from server_stub.modules.notices.rules import NoticeRules\n", encoding="utf-8")
    assert check_modules(tmp_path, tests=None) == ["cars/rules.py: imports notices, which needs does not name"]


def test_a_module_without_tests_is_told(tmp_path: Path) -> None:
    write_module(tmp_path / "modules", GOOD)
    assert check_modules(tmp_path / "modules", tests=tmp_path) == ["cars: has no tests in tests/modules/cars"]
