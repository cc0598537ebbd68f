"""The product's source files, parsed once, for the tests of this folder."""

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root with forward slashes, its text, its tree."""

    path: str
    text: str
    tree: ast.Module

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call with its dotted name ("asyncio.create_task", "self.loop.create_task"; "" where it has none)."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, dotted_name(node.func)

    def texts(self) -> Iterator[ast.Constant]:
        """Every string in the code that is no docstring."""
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                yield node


@functools.cache
def sources(*folders: str) -> tuple[Source, ...]:
    """All Python files below these folders of the root."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), text := path.read_text(encoding="utf-8"), ast.parse(text, str(path)))
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    )


@functools.cache
def project_files() -> tuple[Path, ...]:
    """What git tracks or would track; without git (an unpacked archive) everything that is not made here."""
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(argv, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        made_here = re.compile(r"/(\.(?!ci/|gitignore)[^/]+|out|build|dist|__pycache__)(/|$)")
        return tuple(
            path
            for path in ROOT.rglob("*")
            if path.is_file() and not made_here.search("/" + path.relative_to(ROOT).as_posix())
        )
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def dotted_name(node: ast.expr) -> str:
    """`a.b.c` of a chain of names; a call in it keeps its name (`a().b` is "a.b"), anything else is left out."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call):
        return dotted_name(node.func)
    if isinstance(node, ast.Attribute):
        head = dotted_name(node.value)
        return f"{head}.{node.attr}" if head else node.attr
    return ""


def matches(pattern: str, text: str) -> bool:
    """True when the pattern is found anywhere in the text."""
    return re.search(pattern, text) is not None
