"""Module definitions on the wire: the server's structs, the client's structs and resources/protocol/module.schema.json say the same."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from desktop.core.domain import definition as client
from server_stub.modules.engine import definition as server
from server_stub.modules.engine.reading import load_definitions
from tests.helpers.sample_module import SAMPLE

SCHEMA = Path(__file__).resolve().parents[2] / "resources" / "protocol" / "module.schema.json"
SERVER_ONLY = {"TypeDefinition": {"rules"}, "ModuleDefinition": {"migrations", "kindRules", "kindChoices"}}
TABLES = [
    one.__name__
    for one in vars(server).values()
    if isinstance(one, type) and issubclass(one, msgspec.Struct) and not one.__name__.startswith("_")
]


def wire_forms() -> list[dict[str, Any]]:
    """What a client is sent: every module of the product, and one with everything in it."""
    sample = msgspec.convert(json.loads(json.dumps(SAMPLE)), server.ModuleDefinition)
    return [{"id": one.id, **one.to_object()} for one in (*load_definitions(), sample)]


@pytest.mark.parametrize("wire", wire_forms(), ids=lambda wire: str(wire["id"]))
def test_the_client_understands_every_module_whole(wire: dict[str, Any]) -> None:
    understood = msgspec.json.decode(json.dumps(wire), type=client.ModuleDefinition)
    assert json.loads(msgspec.json.encode(understood)) == wire


@pytest.mark.parametrize("name", [one for one in TABLES if one != "Migration"])
def test_both_sides_have_the_same_keys(name: str) -> None:
    ours, theirs = getattr(server, name), getattr(client, name)
    keys = {field.encode_name for field in msgspec.structs.fields(ours)} - SERVER_ONLY.get(name, set())
    assert keys == {field.encode_name for field in msgspec.structs.fields(theirs)}


@pytest.mark.parametrize("name", ["FieldKind", "ViewKind"])
def test_both_sides_know_the_same_kinds(name: str) -> None:
    assert [one.value for one in getattr(server, name)] == [one.value for one in getattr(client, name)]


def test_the_schema_is_that_of_the_structs() -> None:
    held = json.loads(SCHEMA.read_text(encoding="utf-8"))
    made = json.loads(json.dumps(msgspec.json.schema(server.ModuleDefinition)))
    assert held["$defs"] == made["$defs"], "run: python build_scripts/check_modules.py --write-schema"
    assert held["$ref"] == made["$ref"]


def test_the_client_bears_what_it_does_not_know() -> None:
    wire = wire_forms()[-1]
    wire["types"][0]["fields"][0]["kind"] = "hologram"
    wire["types"][0]["sparkle"] = {"zh": "闪", "en": "Sparkle"}
    wire["views"][0]["kind"] = "globe"
    understood = msgspec.convert(wire, client.ModuleDefinition)
    assert understood.types[0].fields[0].kind == "text"
    assert understood.views[0].kind == "table"
