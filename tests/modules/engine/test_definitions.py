"""The product's module folders are sound, and the checks say clearly what is wrong with a broken one."""

import copy
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from build_scripts.check_modules import check_demo, check_modules, known_icons
from server_stub.modules.engine.definition import DefinitionError, ModuleDefinition
from server_stub.modules.engine.reading import load_definition, load_definitions, read_modules
from server_stub.modules.engine.shape import shape_problems
from server_stub.modules.engine.soundness import cross_problems, module_problems
from tests.helpers.sample_module import SAMPLE
from tests.modules.engine.definition_files import GOOD, definition_of, write_module

TRIP = 1


def good() -> dict[str, Any]:
    """A definition with every kind of field and view, as parsed."""
    made: dict[str, Any] = json.loads(json.dumps(SAMPLE))
    return made


def problems_of(content: dict[str, Any], whole: bool = True) -> list[str]:
    """What the checks say about a parsed definition."""
    problems = shape_problems(content, ModuleDefinition)
    if problems:
        return problems
    module = definition_of(content)
    return module_problems(module, [module] if whole else None, icons=known_icons())


def test_the_folders_of_the_product_are_sound() -> None:
    assert check_modules() == []


def test_the_demo_office_s_files_are_sound() -> None:
    assert check_demo() == []


def test_modules_come_in_the_order_of_the_workbench() -> None:
    modules = load_definitions()
    assert [module.order for module in modules] == sorted(module.order for module in modules)
    assert {"notices", "library"} <= {module.id for module in modules}


def test_the_sample_with_everything_in_it_is_sound() -> None:
    assert problems_of(good()) == []


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


def test_the_wire_form_names_no_rules_and_no_migrations() -> None:
    content = tomllib.loads(GOOD)
    content["types"][0]["rules"] = "CarRules"
    content["migrations"] = [{"type": "Car", "field": "color", "drop": True}]
    shown = definition_of(content).to_object()
    assert "rules" not in shown["types"][0]
    assert "migrations" not in shown
    assert "id" not in shown
    assert shown["views"] == content["views"]


def test_the_field_state_is_there_where_states_are() -> None:
    type_ = definition_of(good()).types[TRIP]
    state = type_.field("state")
    assert state is not None
    assert [one.value for one in state.choices] == ["draft", "asked", "approved", "done", "refused"]
    assert (state.default, state.required) == ("draft", True)
    assert type_.every_field[0] is state
    assert [one.name for one in type_.every_field[1:]] == [one.name for one in type_.fields]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('id = "cars"', 'id = "trucks"', "id: is 'trucks', but the folder is named 'cars'"),
        ('group = "official"', 'group = "work"', "group: must be one of official, personal, extended"),
        ('en = "Cars"', 'en = " "', "label: the text in en is blank"),
        ('en = "Cars"', 'en = "TODO"', "label: 'TODO' is no text for people"),
        ('en = "Cars"', 'en = "车辆"', "label: the English text has Chinese in it"),
        ('zh = "车辆"', 'zh = "Cars"', "label: the Chinese text is the English one"),
        ('label = { zh = "车辆", en = "Cars" }', "", "module: label is missing"),
        ('label = { zh = "车辆", en = "Cars" }', 'label = { en = "Cars" }', "label: zh is missing"),
        ('icon = "ph.car"', 'icon = "car.png"', "icon: must be a Phosphor icon"),
        ('icon = "ph.car"', 'icon = "ph.no-such-icon"', "icon: there is no icon ph.no-such-icon"),
        ("order = 5", 'order = "5"', "order: must be a whole number"),
        ("order = 5", "order = 5\ncolor = 1", "module: unknown key 'color'"),
        ("order = 5", "order = 2026-11-22", "order: dates are written as texts"),
        ('name = "Car"', 'name = "car"', "types.car.name: must be a type's name in PascalCase"),
        ('name = "Car"', 'name = "Alert"', "modules: cars: the type Alert exists already"),
        ('kind = "text"', 'kind = "string"', "types.Car.fields.plate.kind: must be one of text, longText"),
        ('name = "plate"', 'name = "id"', "types.Car.id: this name is taken"),
        ('name = "size"', 'name = "plate"', "types.Car: field plate is there twice"),
        (", destroy = []", "", "types.Car.access: destroy is missing"),
        ('"role:admin"', '"boss"', "types.Car.access.create[0]: must be everyone, author"),
        ('"role:admin"', '"audience"', "types.Car.access.create: audience needs a field audience of kind audience"),
        ('"role:admin"', '"department"', "types.Car.access.create: department needs a field departmentId"),
        ('"role:admin"', '"field:plate"', "types.Car.access.create: plate is a text; it takes person, persons"),
        ('"role:admin"', '"field:driver"', "types.Car.access.create: there is no field driver"),
        ('"role:admin"', '"author@new"', "types.Car.access.create: there is no state new"),
        ("max = 20", 'max = "x"', "types.Car.fields.plate.max: must be a number"),
        ("max = 20", "min = 30, max = 20", "types.Car.plate: min is more than max"),
        ("max = 20", "max = 20.5", "types.Car.plate: max counts characters"),
        ("max = 20", "max = nan", "types.Car.fields.plate.max: must be a finite number"),
        ("max = 20", "pattern = '('", "types.Car.plate: pattern is no regular expression"),
        ("max = 20", "decimals = 2", "types.Car.plate: decimals means nothing for kind text"),
        ("max = 20", 'color = "red"', "types.Car.plate: color means nothing for kind text"),
        ('kind = "choice"', 'kind = "bool"', "types.Car.size: choices belong to choice, multiChoice"),
        ('kind = "text"', 'kind = "reference"', "types.Car.plate: target belong to reference"),
        ('kind = "text"', 'kind = "object"', "types.Car.plate: fields belong to lines, object"),
        ('default = "small"', 'default = "tiny"', "types.Car.size: default 'tiny' is none of small, large"),
        ('kind = "table"', 'kind = "board"', "views.all: a board needs group"),
        ('columns = ["plate"]', 'columns = ["color"]', "views.all.columns: there is no field color"),
        ('columns = ["plate"]', 'columns = ["plate"]\nsort = ["-age"]', "views.all.sort: there is no field age"),
        (
            'columns = ["plate"]',
            'columns = ["plate"]\nfilter = { size = "huge" }',
            "views.all.filter: size: 'huge' is none",
        ),
        ('columns = ["plate"]', 'columns = ["plate"]\nfilter = { age = 3 }', "views.all.filter: there is no field age"),
        ('type = "Car"', 'type = "Bus"', "views.all: there is no type Bus"),
        (GOOD[GOOD.index("[[views]]") :], "", "views: there must be at least one"),
        ("required = true", 'required = "yes"', "types.Car.fields.plate.required: must be true or false"),
        ('id = "cars"', 'id = "cars', "is no TOML"),
    ],
)
def test_a_broken_folder_is_refused_with_a_clear_word(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    write_module(tmp_path, GOOD.replace(old, new, 1))
    problems = check_modules(tmp_path, tests=None)
    assert any(complaint in problem for problem in problems), problems
    assert all(problem.startswith(("cars/module.toml: ", "modules: ")) for problem in problems)


Change = Callable[[dict[str, Any]], object]


def trip(content: dict[str, Any]) -> dict[str, Any]:
    """The type with states, numbers and bookings."""
    found: dict[str, Any] = content["types"][TRIP]
    return found


def field(content: dict[str, Any], name: str) -> dict[str, Any]:
    """A field of it."""
    found: dict[str, Any] = next(one for one in trip(content)["fields"] if one["name"] == name)
    return found


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda c: trip(c).update(title=["items"]), "items is a lines; it takes"),
        (lambda c: trip(c)["states"].append({"value": "lost", "label": {"zh": "丢", "en": "Lost"}}), "no action leads here"),
        (lambda c: trip(c)["states"][3].pop("final"), "states.done: no action leads on: say final = true"),
        (lambda c: trip(c)["states"].append(trip(c)["states"][0]), "state draft is there twice"),
        (lambda c: trip(c)["actions"][0].update({"from": ["nowhere"]}), "actions.ask: there is no state nowhere"),
        (lambda c: trip(c)["actions"][0].update({"to": "draft"}), "leads from draft to itself"),
        (lambda c: trip(c)["actions"][0].pop("to"), "actions.ask: does nothing"),
        (lambda c: trip(c)["actions"][0].update({"who": ["field:reason"]}), "reason is a longText; it takes person"),
        (lambda c: trip(c)["actions"][0].update({"asks": ["state"]}), "state cannot be filled in by a person"),
        (lambda c: trip(c)["actions"][0].update({"sets": {"leavesAt": "soon"}}), "sets leavesAt: must be a time"),
        (lambda c: trip(c)["actions"][0].update({"sets": {"cost": "1.00"}}), "cost cannot be set by an action"),
        (lambda c: trip(c)["actions"][0].update({"icon": "ph.nothing-at-all"}), "there is no icon ph.nothing-at-all"),
        (lambda c: trip(c)["actions"].append({**trip(c)["actions"][0], "name": "again"}), "does from draft what ask does"),
        (lambda c: trip(c)["fields"].append({**field(c, "reason"), "name": "state"}), "Trip.state: this name is taken"),
        (lambda c: trip(c).pop("states"), "say which states there are"),
        (lambda c: trip(c)["numbering"].update(pattern="YC-{n}"), "pattern must show the year"),
        (lambda c: trip(c)["numbering"].update(pattern="{yyyy}"), "pattern has {n} once"),
        (lambda c: trip(c)["numbering"].update(pattern="{yyyy}{n}{x}"), "pattern takes {yyyy}"),
        (lambda c: trip(c)["numbering"].update(state="gone"), "numbering: there is no state gone"),
        (lambda c: field(c, "number").pop("readOnly"), "say readOnly = true"),
        (lambda c: trip(c)["booking"].update(resource="driverId"), "driverId is a person; it takes reference, references"),
        (lambda c: trip(c)["booking"].update(span="wanted"), "wanted is a date; it takes span"),
        (lambda c: trip(c)["booking"].update(states=["off"]), "booking: there is no state off"),
        (lambda c: trip(c).update(unique=[["number"]]), "names at least two fields"),
        (lambda c: trip(c).update(unique=[["number", "items"]]), "items is a lines"),
        (lambda c: trip(c)["due"][0].update(field="reason"), "reason is a longText; it takes date, datetime, span"),
        (lambda c: trip(c)["due"][0].update(remindDays=[-1]), "days before the date, not negative"),
        (lambda c: trip(c)["due"][0].update(unless={"state": "over"}), "state: 'over' is none of"),
        (lambda c: trip(c)["todos"][0].update(when={}), "it would never be done"),
        (lambda c: trip(c)["todos"][0].update(kind="toRead"), "say marks = true"),
        (lambda c: trip(c)["todos"][0].update(to=["head:driverId"]), "driverId is a person; it takes department"),
        (lambda c: trip(c)["sections"][0]["fields"].append("items"), "field items is there twice"),
        (lambda c: trip(c)["paper"]["rows"].append(["items"]), "items is a lines"),
        (lambda c: trip(c)["paper"].update(lines="needs"), "needs is a multiChoice; it takes lines"),
        (lambda c: c["types"][0]["links"][0].update(field="kind"), "kind is a choice; it takes reference"),
        (lambda c: c["types"][0]["links"][0].update(type="SampleVehicle", field="parentId"), None),
        (lambda c: field(c, "returnsOn").update(after="span"), None),
        (lambda c: field(c, "returnsOn").update(after="reason"), "after is for date, datetime and span"),
        (lambda c: field(c, "wanted").update(after="returnsOn"), "after leads back to itself"),
        (lambda c: field(c, "nights").update(when={"nights": 3}), "looks at the field itself"),
        (lambda c: field(c, "nights").update(when={"overnight": "yes"}), "overnight: must be true or false"),
        (lambda c: field(c, "vehicleId").update(only={"color": "red"}), "vehicleId.only: there is no field color"),
        (lambda c: field(c, "vehicleId").update(target="Boat"), "there is no type Boat"),
        (lambda c: field(c, "distance").update(formula=["halve", "odometerIn"]), "formula begins with one of"),
        (lambda c: field(c, "distance").update(formula=["subtract", "odometerIn"]), "subtract takes 2 to 20 operands"),
        (lambda c: field(c, "distance").update(formula=["add", "odometerIn", "reason"]), "takes number or money"),
        (lambda c: field(c, "distance").update(formula=["add", "distance", 1]), "formula leads back to itself"),
        (lambda c: field(c, "cost").update(formula=["sum", "items.weight"]), "formula: there is no field items.weight"),
        (lambda c: field(c, "cost").update(default="1.00"), "what a formula computes has no default"),
        (lambda c: field(c, "reason").update(formula=["add", 1, 2]), "a longText has no formula"),
        (lambda c: field(c, "items")["fields"][0].update(unique=True), "unique is for the fields of a record"),
        (lambda c: field(c, "items")["fields"][0].update(kind="lines"), "a lines cannot lie inside a lines"),
        (lambda c: field(c, "cost").update(computed=True), "what is computed when shown has no formula"),
        (lambda c: field(c, "papers").update(unique=True), "a files cannot be unique"),
        (lambda c: field(c, "wanted").update(default="tomorrow"), "default must be a date"),
        (lambda c: field(c, "wanted").update(default="@today+3d"), None),
        (lambda c: field(c, "wanted").update(default="@now"), "default must be a date"),
        (lambda c: field(c, "leavesAt").update(default="@now"), None),
        (lambda c: field(c, "driverId").update(default="@me"), None),
        (lambda c: field(c, "driverId").update(default="zhangsan"), "no person can be named here"),
        (lambda c: field(c, "reason").update(see=["field:driverId", "role:fleet@asked"]), None),
        (lambda c: field(c, "reason").update(see=["field:vehicleId.keeperId"]), None),
        (lambda c: field(c, "reason").update(see=["field:vehicleId.plate"]), "vehicleId.plate is a text"),
        (lambda c: field(c, "reason").update(edit=["field:vehicleId.boss"]), "SampleVehicle has no field boss"),
        (lambda c: c["views"][0].update(time="reason"), "views.calendar.time: reason is a longText"),
        (lambda c: c["views"][0].pop("resource"), "a timeline needs resource"),
        (lambda c: c["views"][0].update(filter={"operator": "XOR", "conditions": []}), "operator is one of AND, OR, NOT"),
        (lambda c: c["views"][0].update(filter={"spanAfter": "@today-1m", "authorId": "@me"}), None),
        (lambda c: c["views"][0].update(filter={"spanAfter": "soon"}), "spanAfter takes a date or a time"),
        (lambda c: c["views"][0].update(filter={"reasonBefore": "x"}), "it has no before and after"),
        (lambda c: c["views"][5].update(parent="keeperId"), "keeperId is a person; it takes reference"),
        (lambda c: c["views"][1].update(totals=["kind"]), "kind is a choice; it takes number, money"),
        (lambda c: c["views"][1].update(labels={"nope": {"zh": "甲", "en": "A"}}), "there is no field nope"),
        (lambda c: c["views"][1].update(labels={"plate": {"zh": "甲", "en": "甲"}}), "the English text has Chinese in it"),
        (lambda c: c["views"][9].update(reports=["none"]), "there is no report none"),
        (lambda c: c["views"].append(c["views"][0]), "view calendar is there twice"),
        (lambda c: c["reports"][0].update(group=["month:kind"]), "kind is a choice; it takes date"),
        (lambda c: c["reports"][0]["measures"][0].update(field="cost"), "count counts records: no field"),
        (lambda c: c["reports"][0]["measures"][1].pop("field"), "sum needs a field"),
        (lambda c: c["reports"][0].update(measures=[]), "measures nothing"),
        (lambda c: c.update(migrations=[{"type": "SampleTrip", "field": "old"}]), "exactly one of rename, drop"),
        (lambda c: c.update(migrations=[{"type": "SampleTrip", "field": "kind", "rename": "reason"}]), "kind is still there"),
        (lambda c: c.update(migrations=[{"type": "SampleTrip", "field": "kind", "values": {"duty": "x"}}]), "from a choice that"),
        (lambda c: c.update(migrations=[{"type": "SampleTrip", "field": "kind", "values": {"old": "duty"}}]), None),
        (lambda c: c.update(migrations=[{"type": "SampleTrip", "field": "kind", "fill": "no"}]), "fill 'no' is none of"),
        (lambda c: c.update(migrations=[{"type": "SampleBoat", "drop": True}]), None),
        (lambda c: c.update(migrations=[{"type": "SampleTrip", "drop": True}]), "only the drop of a type that is gone"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_named(change: Change, complaint: str | None) -> None:
    content = good()
    change(content)
    problems = problems_of(content)
    if complaint is None:
        assert problems == []
    else:
        assert any(complaint in problem for problem in problems), problems


def test_every_mistake_of_shape_is_named_at_once(tmp_path: Path) -> None:
    folder = write_module(tmp_path, GOOD.replace("order = 5", "").replace('"ph.car"', '"x"').replace('"text"', '"y"'))
    with pytest.raises(DefinitionError) as caught:
        load_definition(folder)
    assert len(caught.value.problems) == 3


def test_what_another_module_may_have_is_no_mistake_of_one_alone(tmp_path: Path) -> None:
    folder = write_module(
        tmp_path,
        GOOD.replace('kind = "text"', 'kind = "reference", target = "Plate"')
        .replace(", max = 20", "")
        .replace("[[types]]", '[[types]]\ntitle = ["size"]'),
    )
    assert load_definition(folder).id == "cars"
    problems = check_modules(tmp_path, tests=None)
    assert [one for one in problems if "no type Plate" in one] == [
        "cars/module.toml: types.Car.plate: there is no type Plate"
    ]


def test_modules_are_checked_against_each_other(tmp_path: Path) -> None:
    write_module(tmp_path, GOOD)
    trips = GOOD.replace('id = "cars"', 'id = "trips"').replace("Car", "Trip").replace(", max = 20", "")
    reference = '{ name = "plate", kind = "reference", target = "Car",'
    other = write_module(tmp_path, trips.replace('{ name = "plate", kind = "text",', reference), "trips")
    needs = "modules: trips: refers to Car of cars: say needs = ['cars']"
    assert needs in check_modules(tmp_path, tests=None)
    with pytest.raises(DefinitionError):
        load_definitions(tmp_path)
    path = other / "module.toml"
    text = path.read_text(encoding="utf-8").replace("order = 5", 'order = 5\nneeds = ["cars"]')
    path.write_text(text.replace("[[types]]", '[[types]]\ntitle = ["plate"]'), encoding="utf-8")
    assert check_modules(tmp_path, tests=None) == []


def test_needs_go_in_no_circle() -> None:
    one = {**tomllib.loads(GOOD), "needs": ["trips", "none"]}
    two = {**json.loads(json.dumps(one).replace("Car", "Trip")), "id": "trips", "needs": ["cars"]}
    problems = cross_problems([definition_of(one), definition_of(two)])
    assert "cars: needs none, which does not exist" in problems
    assert "cars: needs itself, perhaps by way of others" in problems
    assert "trips: needs itself, perhaps by way of others" in problems


def test_imports_of_other_modules_must_be_declared(tmp_path: Path) -> None:
    folder = write_module(tmp_path, GOOD)
    (folder / "rules.py").write_text("from server_stub.modules.notices.rules import NoticeRules\n", encoding="utf-8")
    assert check_modules(tmp_path, tests=None) == ["cars/rules.py: imports notices, which needs does not name"]


def test_a_module_without_tests_is_told(tmp_path: Path) -> None:
    write_module(tmp_path / "modules", GOOD)
    assert check_modules(tmp_path / "modules", tests=tmp_path) == ["cars: has no tests in tests/modules/cars"]


# ---------------------------------------------------------------- property: whatever is in the file


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a parsed definition."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


PLACES = places(good())
TEXTS = [path for path in PLACES if isinstance(path[-1], str)]


def holder(content: dict[str, Any], path: tuple[Any, ...]) -> Any:
    """What holds the last step of a path."""
    for step in path[:-1]:
        content = content[step]
    return content


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(["drop", "swap", "put"]), json_values),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_no_mutation_of_a_definition_stops_the_checks(
    changes: list[tuple[tuple[Any, ...], str, Any]], data: st.DataObject
) -> None:
    content = good()
    for path, how, value in changes:
        try:
            inside = holder(content, path)
            if how == "drop":
                del inside[path[-1]]
            elif how == "swap":
                other = data.draw(st.sampled_from(PLACES))
                inside[path[-1]] = copy.deepcopy(holder(good(), other)[other[-1]])
            else:
                inside[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    problems = problems_of(content)
    assert all(isinstance(one, str) and ": " in one for one in problems)
    if not shape_problems(content, ModuleDefinition):
        definition_of(content)  # what has its shape can be read
        assert json.dumps(definition_of(content).to_object())


NAMES = {
    **{one["name"]: one for one in SAMPLE["types"][0]["fields"]},
    **{one["name"]: one for one in SAMPLE["types"][TRIP]["fields"]},
}
NAMED = [
    path
    for path in PLACES
    if isinstance(value := holder(good(), path)[path[-1]], str)
    and (value in NAMES or value in ("SampleTrip", "SampleVehicle", "asked", "perKind"))
    and path[-1] not in ("name", "id", "value", "zh", "en", "kind")
]


def test_there_is_much_to_dangle() -> None:
    assert len(NAMED) > 100


@pytest.mark.parametrize("path", NAMED, ids=lambda path: ".".join(str(step) for step in path))
def test_every_dangling_name_is_found(path: tuple[Any, ...]) -> None:
    content = good()
    inside = holder(content, path)
    held = inside[path[-1]]
    inside[path[-1]] = "NoSuchThing" if held.startswith("Sample") else "noSuchThing"
    problems = problems_of(content)
    assert any("oSuchThing" in problem for problem in problems), problems


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_file_is_answered_with_sentences(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    root = tmp_path_factory.mktemp("any")
    (root / "cars").mkdir()
    (root / "cars" / "module.toml").write_bytes(data)
    modules, problems = read_modules(root)
    assert modules == []
    assert problems
