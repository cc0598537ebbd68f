"""Small module folders for tests of definitions."""

from pathlib import Path
from typing import Any

import msgspec

from server_stub.modules.engine.definition import ModuleDefinition

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
  { name = "size", kind = "choice", label = { zh = "大小", en = "Size" }, default = "small", choices = [
    { value = "small", label = { zh = "小", en = "Small" } },
    { value = "large", label = { zh = "大", en = "Large" } },
  ] },
]

[[views]]
id = "all"
type = "Car"
kind = "table"
label = { zh = "全部", en = "All" }
columns = ["plate"]
"""
"""A sound module.toml of one small type."""


def write_module(root: Path, text: str, name: str = "cars") -> Path:
    """A module folder with this module.toml."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "module.toml").write_text(text, encoding="utf-8")
    return folder


def definition_of(content: dict[str, Any]) -> ModuleDefinition:
    """A parsed definition as structs; its shape must be right."""
    return msgspec.convert(content, ModuleDefinition)
