"""Reads resources/demo: what the demo office is made of. Knows where the files lie, decides nothing."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import server_stub

Table = Mapping[str, Any]
_ROOT: Final = Path(server_stub.__file__).resolve().parent.parent


class DemoFilesMissing(Exception):
    """The program came without its data files."""


def demo_folder() -> Path:
    """`resources/demo` of a checkout, or the same folder of an installed package. Raises DemoFilesMissing."""
    for name in ("resources", "tongban_resources"):
        folder = _ROOT / name / "demo"
        if (folder / "office.toml").is_file():
            return folder
    raise DemoFilesMissing("the folder resources/demo is missing")


@dataclass(frozen=True, slots=True)
class DemoSource:
    """Every data file, parsed."""

    folder: Path
    office: Table
    conversations: Table
    scenes: Table
    slots: Table
    notices: Table
    documents: Table
    assets: Table
    today: Table
    duty: Table

    @classmethod
    def load(cls, folder: Path | None = None) -> "DemoSource":
        """Read them all. Raises DemoFilesMissing, tomllib.TOMLDecodeError."""
        root = folder or demo_folder()
        names = ("office", "conversations", "scenes", "slots", "notices", "documents", "assets", "today", "duty")
        return cls(root, **{name: tomllib.loads((root / f"{name}.toml").read_text(encoding="utf-8")) for name in names})
