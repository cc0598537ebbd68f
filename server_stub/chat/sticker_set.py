"""The built-in stickers, which every client draws itself: resources/stickers in a checkout, tongban_resources/stickers in an installed wheel."""

from functools import cache
from pathlib import Path

import msgspec


class _Entry(msgspec.Struct):
    name: str
    zh: str


@cache
def words() -> dict[str, str]:
    """name → what a sticker says, in Chinese; empty where the set is not installed: then none can be sent."""
    root = Path(__file__).resolve().parents[2]
    for folder in ("resources", "tongban_resources"):
        path = root / folder / "stickers" / "stickers.json"
        if path.is_file():
            return {entry.name: entry.zh for entry in msgspec.json.decode(path.read_bytes(), type=list[_Entry])}
    return {}
