"""Format, lint, layers, spelling, module folders, types: what `dev.py check` runs. Standard library only.

Cheapest first; every check runs even when an earlier one failed, so that one run tells everything.
Nothing is changed, except with fix=True.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from build_scripts.environment import ROOT
from build_scripts.progress import Step

SPELLED = ("desktop", "server_stub", "build_scripts", "tests", "docs", "README.md", "CHANGELOG.md")
TYPED = ("desktop", "server_stub", "build_scripts", "tests/helpers")
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"  # it has no `python -m`
MODULE_CHECKER = "build_scripts/check_modules.py"


@dataclass(frozen=True)
class Check:
    """One tool: the words after `python -m` (or a script's path)."""

    name: str
    argv: tuple[str, ...]


def run_checks(python: Path, *, fix: bool = False) -> bool:
    """Runs every check with this interpreter and prints the output of those that failed; True when all passed."""
    failed: dict[str, str] = {}
    for check in _checks(fix=fix):
        with Step(check.name) as step:
            done = subprocess.run(
                [python, *check.argv],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
            if done.returncode:
                failed[check.name] = done.stdout
                step.fail()
    for name, output in failed.items():
        print(f"\n--- {name} ---\n{output.rstrip()}")
    if failed:
        print(f"\ncheck: {len(failed)} failed: {', '.join(failed)}")
    return not failed


def _checks(*, fix: bool) -> list[Check]:
    checks = [
        Check("ruff format", ("-m", "ruff", "format", *(() if fix else ("--check",)), ".")),
        Check("ruff check", ("-m", "ruff", "check", *(("--fix",) if fix else ()), "--output-format=concise", ".")),
        Check("codespell", ("-m", "codespell_lib", *_present(SPELLED))),
        Check("import contracts", ("-c", LINT_IMPORTS, "--no-logo")),
    ]
    if (ROOT / MODULE_CHECKER).exists():
        checks.append(Check("module folders", (MODULE_CHECKER,)))
    checks.append(Check("mypy", ("-m", "mypy", *_present(TYPED))))
    return checks


def _present(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if (ROOT / name).is_file() or any((ROOT / name).rglob("*.*")))
