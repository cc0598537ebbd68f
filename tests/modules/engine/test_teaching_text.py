"""docs/modules.md teaches what is there: its example is a sound module that runs, its reference names every key."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from build_scripts.check_modules import known_icons
from server_stub.chat.messages import do_post_system
from server_stub.clock import format_utc
from server_stub.modules.engine import definition
from server_stub.modules.engine.office import Office
from server_stub.modules.engine.shape import shape_problems
from server_stub.modules.engine.soundness import module_problems
from server_stub.records.actor import Actor
from tests.modules.engine.definition_files import write_module
from tests.modules.office_bench import Bench, refusal

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "modules.md").read_text(encoding="utf-8")
STRUCTS = [
    one
    for one in vars(definition).values()
    if isinstance(one, type) and issubclass(one, msgspec.Struct) and not one.__name__.startswith("_")
]


def examples() -> list[dict[str, Any]]:
    """Every TOML block of the text, parsed."""
    return [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)]


def test_the_worked_example_is_a_sound_module() -> None:
    whole = examples()[0]
    assert shape_problems(whole, definition.ModuleDefinition) == []
    module = msgspec.convert(whole, definition.ModuleDefinition)
    assert module_problems(module, [module], icons=known_icons()) == []


def test_the_worked_example_does_what_the_text_says(bench: Bench, tmp_path: Path) -> None:
    block = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)[0]
    write_module(tmp_path / "modules", block, "keys")
    office = Office(bench.database, bench.clock, bench.blobs, do_post_system, folder=tmp_path / "modules")
    bench.handlers = {one.name: one for one in office.handlers}
    chen = bench.actors["chen"]
    bench.actors["chen"] = Actor(chen.person_id, chen.roles | {"keeper"}, chen.department_ids)
    key, other = (bench.create("chen", "Key", room=room) for room in ("301", "302"))
    span = {"start": format_utc(bench.clock.now_ms() + 3_600_000), "end": format_utc(bench.clock.now_ms() + 9_000_000)}
    loan = bench.create("lin", "KeyLoan", keyId=key, time=span)
    refused = refusal(lambda: bench.create("yu", "KeyLoan", keyId=key, time=span))
    assert (refused.type, refused.extra["free"]) == ("overlap", [other])
    assert refusal(lambda: bench.update("lin", "KeyLoan", loan, state="out")).type == "forbidden"
    bench.update("chen", "KeyLoan", loan, state="out")
    bench.update("chen", "KeyLoan", loan, state="back", remark="ring is loose")
    shown = bench.get("lin", "KeyLoan", loan) or {}
    assert re.fullmatch(r"YS-\d{4}-001", shown["number"])
    assert (shown["state"], shown["hours"], shown["remark"]) == ("back", 1.5, "ring is loose")
    assert shown["handedAt"] < format_utc(bench.clock.now_ms())
    assert "remark" not in (bench.get("yu", "KeyLoan", loan) or {})
    assert bench.create("yu", "KeyLoan", keyId=key, time=span)


def test_the_migration_of_the_text_has_the_shape_of_one() -> None:
    (entry,) = examples()[-1]["migrations"]
    assert shape_problems(entry, definition.Migration) == []


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_key_is_in_the_reference(struct: type[msgspec.Struct]) -> None:
    reference = DOCS[DOCS.index("## Reference") : DOCS.index("## rules.py")]
    keys = {field.encode_name for field in msgspec.structs.fields(struct)} - {"zh", "en"}
    assert {key for key in keys if f"`{key}`" not in reference} == set()


@pytest.mark.parametrize("kind", list(definition.FieldKind))
def test_every_kind_is_in_the_reference(kind: str) -> None:
    assert f"`{kind}`" in DOCS
