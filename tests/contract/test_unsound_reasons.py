"""Why a definition is not sound: whatever the server says by a code, the client has words for, in both languages, with the same arguments."""

import ast
import json
from collections.abc import Iterator
from string import Formatter
from typing import Any

from tests.architecture.source_tree import ROOT, sources

PREFIX = "office_unsound."
CLIENTS_OWN = ("kind.", "word.", "place.", "somewhere", "comma")
SAYING = {"reason": 0, "say": 1, "_say": 1}
"""Function → where its code stands; the text comes after it."""


def said() -> Iterator[tuple[str, set[str], str]]:
    """(code, names of its arguments, place) of all the server says."""
    for source in sources("server_stub"):
        if not source.path.startswith("server_stub/modules/engine/"):
            continue
        for call, name in source.calls():
            place = SAYING.get(name.rpartition(".")[2])
            code = call.args[place] if place is not None and len(call.args) == place + 2 else None
            if isinstance(code, ast.Constant):
                names = {one.arg for one in call.keywords if one.arg is not None}
                yield str(code.value), names, f"{source.path}:{call.lineno}"
        for node in ast.walk(source.tree):
            if isinstance(node, ast.keyword) and node.arg == "extra" and source.path.endswith("/definition.py"):
                yield str(ast.literal_eval(node.value)["code"]), set(), source.path


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_code_has_words_with_its_arguments() -> None:
    catalog: dict[str, Any] = json.loads((ROOT / "resources/i18n/office_unsound.json").read_text("utf-8"))
    words = {key.removeprefix(PREFIX): one for key, one in catalog.items()}
    codes = list(said())
    assert len(codes) > 120
    assert [one for one in codes if one[0] not in words] == []
    wrong = [(code, names, place) for code, names, place in codes if names and not fields(words[code]["zh"]) <= names]
    assert wrong == []
    assert (
        sorted(code for code in words if code not in {one[0] for one in codes} and not code.startswith(CLIENTS_OWN))
        == []
    )
