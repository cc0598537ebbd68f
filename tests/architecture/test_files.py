"""Every file says what it is for, is named for it, and names nothing of the machine it was written on."""

import ast
import re

from tests.architecture.source_tree import ROOT, project_files, sources

DOCSTRING_LINES = 8
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "data"}
# Written so that this file does not match itself.
FORBIDDEN = re.compile(
    r"py[p]i[.]org|python[h]osted[.]org|registry[.]np[m]js|deb[.]de[b]ian[.]org|/wor[k]/(main|steering|shared|[.]library)|/far[m]/|/tm[p]/(v/|brief)|/roo[t]/[.]"
)


def test_every_module_says_what_it_is_for() -> None:
    missing = [
        source.path
        for source in sources("desktop", "server_stub", "build_scripts")
        if source.tree.body and not ast.get_docstring(source.tree)
    ]
    assert missing == []


def test_module_docstrings_are_short() -> None:
    long = {
        source.path: len(lines)
        for source in sources("desktop", "server_stub", "build_scripts")
        if len(lines := (ast.get_docstring(source.tree) or "").splitlines()) > DOCSTRING_LINES
        and not source.path.endswith("/errors.py")  # it draws the tree of errors
    }
    assert long == {}, "a module's docstring is 1 to 8 lines; more belongs into docs/"


def test_modules_are_named_for_their_concept() -> None:
    vague = [
        source.path
        for source in sources("desktop", "server_stub", "build_scripts")
        if source.path.rpartition("/")[2][:-3].split("_")[-1] in VAGUE_NAMES
    ]
    assert vague == []


def test_no_file_names_a_registry_or_this_machine() -> None:
    found = []
    for path in project_files():
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            if FORBIDDEN.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert found == []


def test_the_lock_holds_names_versions_and_hashes_only() -> None:
    allowed = re.compile(r"[a-z0-9.-]+==[^\s;]+( ; [^\\]+)?( \\)?|    --hash=sha256:[0-9a-f]{64}( \\)?")
    lines = (ROOT / "build_scripts" / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not allowed.fullmatch(line)] == []
    assert len(lines) > 500


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    decisions = sorted(path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [name for name in decisions if f"]({name})" not in index] == []
    assert len({name[:4] for name in decisions}) == len(decisions), "two decisions share a number"
