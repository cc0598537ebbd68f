"""The texts of all screens by key, read fragment by fragment: the first word of a key names its file, which is read when first asked."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

Texts = dict[str, str]


def folder() -> Path:
    """Where the fragments lie: resources/i18n in a checkout, tongban_resources/i18n in an installed wheel."""
    root = Path(__file__).resolve().parents[3]
    for candidate in (root / "resources", root / "tongban_resources"):
        if (candidate / "i18n").is_dir():
            return candidate / "i18n"
    raise FileNotFoundError("resources/i18n")


class Catalog(Mapping[str, Texts]):
    """key → language → text. `chat.title` stands in chat.json and nowhere else; going through all keys reads all files."""

    def __init__(self) -> None:
        self._texts: dict[str, Texts] = {}

    @cached_property
    def _unread(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted(folder().glob("*.json"))}

    def _read(self, name: str) -> bool:
        """Takes in one fragment; False when it is in already, or there is none of that name."""
        path = self._unread.pop(name, None)
        if path is not None:
            self._texts |= json.loads(path.read_text("utf-8"))
        return path is not None

    def _all(self) -> dict[str, Texts]:
        for name in list(self._unread):
            self._read(name)
        return self._texts

    def __getitem__(self, key: str) -> Texts:
        found = self._texts.get(key)
        if found is None and self._read(key.partition(".")[0]):
            found = self._texts.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and (
            key in self._texts or (self._read(key.partition(".")[0]) and key in self._texts)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
