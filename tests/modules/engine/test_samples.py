"""samples.toml: what can be said in one, and that every mistake is named before anything is written."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from server_stub.modules.engine.definition import ModuleDefinition
from server_stub.modules.engine.samples import (
    Event,
    KnownNames,
    SamplesBroken,
    in_order,
    load_samples,
    moment_of,
    sample_problems,
    span_of,
)
from tests.helpers.sample_module import SAMPLE
from tests.modules.engine.definition_files import definition_of

NAMES = KnownNames(logins={"lin", "zhao"}, departments={"office"}, assets={"plan"})
GOOD = """
[[SampleVehicle]]
key = "bus"
author = "zhao"
at = "-40d 08:00"
plate = "云A12345"
model = "中巴"
seats = 19
price = "210000.00"
keeperId = "person:zhao"
departmentId = "department:office"
inspectionDate = "date:+20d"

[[SampleTrip]]
key = "trip"
author = "lin"
at = "-3d 09:30"
destination = "白石水库"
span = "span:-2d 08:00/12:30"
passengers = ["person:lin"]
needs = ["boots"]
items = [{ item = "过路费", quantity = 2, price = "15.00", paidOn = "date:-2d" }]
papers = ["asset:plan"]
readers = { everyone = false, departmentIds = ["department:office"] }
steps = [
  { do = "ask", at = "-3d 09:31" },
  { do = "comment", by = "zhao", at = "-3d 10:00", text = "收到" },
  { do = "approve", by = "zhao", at = "-3d 10:05", vehicleId = "ref:bus", driverId = "person:zhao" },
  { do = "edit", by = "zhao", at = "-2d 07:50", leavesAt = "time:-2d 07:50" },
  { do = "finish", by = "zhao", at = "-2d 13:00", odometerOut = 100, odometerIn = 180 },
]
"""


def module() -> ModuleDefinition:
    content: dict[str, Any] = json.loads(json.dumps(SAMPLE))
    return definition_of(content)


def events_of(folder: Path, text: str) -> list[Event]:
    (folder / "samples.toml").write_text(text, encoding="utf-8")
    return load_samples(folder, module())


def problems_of(folder: Path, text: str) -> list[str]:
    one = module()
    return sample_problems([one], {one.id: events_of(folder, text)}, NAMES)


def test_good_samples_have_no_problems(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD) == []


def test_events_come_in_the_order_in_which_they_happen(tmp_path: Path) -> None:
    events = in_order(events_of(tmp_path, GOOD.replace("-40d 08:00", "-2d 07:55")))
    assert [(one.key, one.do) for one in events] == [
        ("trip", ""),
        ("trip", "ask"),
        ("trip", "comment"),
        ("trip", "approve"),
        ("trip", "edit"),
        ("bus", ""),
        ("trip", "finish"),
    ]


def test_a_folder_without_samples_has_none(tmp_path: Path) -> None:
    assert load_samples(tmp_path, module()) == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [("-3d 09:30", (-3, 9, 30)), ("+0d", (0, 0, 0)), ("3d 09:30", None), ("-3d 24:00", None), ("-3d 9:30", None)],
)
def test_moments(text: str, meant: tuple[int, int, int] | None) -> None:
    assert moment_of(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("+0d 09:00/12:00", ("+0d 09:00", "+0d 12:00")),
        ("+0d 09:00/+1d 08:00", ("+0d 09:00", "+1d 08:00")),
        ("+0d 09:00/08:00", None),
        ("+0d 09:00/09:00", None),
        ("+0d/09:00", None),
    ],
)
def test_spans(text: str, meant: tuple[str, str] | None) -> None:
    assert span_of(text) == meant


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[[SampleTrip]]", "[[SampleBoat]]", "the module has no type SampleBoat"),
        ('author = "lin"', 'author = "nobody"', "nobody is called nobody"),
        ('at = "-3d 09:30"', 'at = "soon"', 'at takes a moment such as "-3d 09:30"'),
        ('key = "trip"', 'key = "bus"', "this key is there twice"),
        ('destination = "白石水库"', "", "destination is missing"),
        ('destination = "白石水库"', 'destination = "x"\ncolor = "red"', "there is no field color"),
        ('destination = "白石水库"', 'destination = "x"\nnumber = "1"', "number is set by the server"),
        ('destination = "白石水库"', 'destination = "x"\ncost = "1.00"', "cost is set by the server"),
        ('price = "210000.00"', "price = 210000", 'price must be money such as "1250.00"'),
        ("seats = 19", "seats = 99", "seats is more than 60"),
        ('needs = ["boots"]', 'needs = ["hat"]', "needs 'hat' is none of boots"),
        ('"person:lin"', '"lin"', 'passengers takes "person:…"'),
        ('"person:lin"', '"person:wang"', "passengers: there is no person:wang"),
        ('passengers = ["person:lin"]', 'passengers = "person:lin"', "passengers must be a list"),
        ("span:-2d 08:00/12:30", "span:-2d 12:30/08:00", "span: there is no span:-2d 12:30/08:00"),
        ('"date:+20d"', '"date:+20d 08:00"', "inspectionDate: there is no date:+20d 08:00"),
        ('"ref:bus"', '"ref:car"', "vehicleId: there is no car at that time"),
        ('"ref:bus"', '"ref:trip"', "vehicleId: trip is a SampleTrip, not a SampleVehicle"),
        ('"ref:bus"', '"ref:supplies/pen"', "needs does not name the module of supplies/pen"),
        ('at = "-40d 08:00"', 'at = "-1d 08:00"', "vehicleId: there is no bus at that time"),
        ('item = "过路费", ', "", "items[1].item is missing"),
        ('item = "过路费"', 'thing = "过路费"', "items[1].thing cannot be given"),
        ('"asset:plan"', '"asset:map"', "papers: there is no asset:map"),
        ('["department:office"]', '["department:moon"]', "readers: there is no department:moon"),
        ('do = "ask"', 'do = "fly"', "there is no action fly"),
        ('{ do = "ask", at = "-3d 09:31" },', "", "cannot be done while the state is draft"),
        ('{ do = "ask", at = "-3d 09:31" }', '{ do = "ask", reason = "x" }', "does not ask for reason"),
        ('at = "-3d 09:31"', 'at = "-4d 09:31"', "happens before the record is made"),
        ('text = "收到"', 'words = "收到"', "a comment has a text"),
        ('{ do = "ask", at = "-3d 09:31" }', '{ do = "read" }', "is for types with marks"),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    problems = problems_of(tmp_path, GOOD.replace(old, new, 1))
    assert any(complaint in problem for problem in problems), problems
    assert all(problem.startswith("sample_vehicles/samples.toml: ") for problem in problems)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[SampleTrip]", "is no TOML"),
        ("SampleTrip = 3", "write [[SampleTrip]] for each record"),
        ('[[SampleTrip]]\nkey = "x"', "every sample has key and author"),
        ('[[SampleTrip]]\nkey = "x"\nauthor = "lin"\nsteps = ["ask"]', "steps is a list of tables"),
        ('[[SampleTrip]]\nkey = "x"\nauthor = "lin"\nsteps = [{ by = "lin" }]', "every step says what to do"),
    ],
)
def test_what_is_no_list_of_samples_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SamplesBroken, match=re.escape(complaint)):
        events_of(tmp_path, text)
