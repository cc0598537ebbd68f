"""Finds and runs the benches: modules of build_scripts/bench with `main(argv) -> dict`, each in a process of its own.

`dev.py bench [NAME…] [--json FILE] [--peers]`. What the runner does not know goes to the bench. A bench measures its
references in the same sitting and returns them in the same dict; the runner only prints and writes down.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from build_scripts.environment import ROOT
from build_scripts.progress import Step

BENCHES = Path(__file__).resolve().parent / "bench"
Figures = dict[str, Any]


def bench_names() -> list[str]:
    """The benches there are: modules with a function main; the others are their tools."""
    return sorted(path.stem for path in BENCHES.glob("*.py") if _has_main(path))


def main(argv: list[str] | None = None) -> int:
    """Runs the benches named (all when none is) and prints their figures; 0 when every one ended well."""
    parser = argparse.ArgumentParser(
        prog="dev.py bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(bench_names())}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--peers", action="store_true", help="install and measure other servers as well")
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)  # this process is the bench itself
    options, rest = parser.parse_known_intermixed_args(argv)
    if options.result is not None:
        return _be_bench(options.names[0], options.result, [*rest, *(["--peers"] if options.peers else [])])
    unknown = sorted(set(options.names) - set(bench_names()))
    if unknown:
        parser.error(f"no such bench: {', '.join(unknown)}; there are: {', '.join(bench_names()) or 'none yet'}")
    results = {name: _run_bench(name, rest, peers=options.peers) for name in options.names or bench_names()}
    for name, figures in results.items():
        print(f"\n{name}" if figures is not None else f"\n{name}: FAILED")
        for key, value in _flat(figures or {}):
            print(f"  {key:<52} {value}")
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(
            json.dumps({**_sitting(), "benches": results}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return 1 if not results or None in results.values() else 0


def _has_main(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)


def _run_bench(name: str, argv: list[str], *, peers: bool) -> Figures | None:
    """Its figures, or None when it failed (its own words are on the terminal)."""
    with tempfile.TemporaryDirectory(prefix="tongban-bench-") as folder, Step(f"bench {name}") as step:
        result = Path(folder) / "figures.json"
        if peers and "--peers" in (BENCHES / f"{name}.py").read_text(encoding="utf-8"):  # not every bench has peers
            argv = [*argv, "--peers"]
        command = [sys.executable, "-m", "build_scripts.bench_runner", "--result", str(result), name, *argv]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code or not result.exists():
            step.note(f"code {code}")
            step.fail()
            return None
        figures = json.loads(result.read_text(encoding="utf-8"))
        return figures if isinstance(figures, dict) else None


def _be_bench(name: str, result: Path, argv: list[str]) -> int:
    module = importlib.import_module(f"build_scripts.bench.{name}")
    figures = module.main(argv)
    if not isinstance(figures, dict):
        raise TypeError(f"bench {name} returned {type(figures).__name__}, not a dict of figures")
    result.write_text(json.dumps(figures, ensure_ascii=False), encoding="utf-8")
    return 0


def _sitting() -> Figures:
    """When and on what: figures of two sittings cannot be compared, the machine drifts."""
    machine = {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": machine,
    }


def _flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key} · ")
        else:
            yield f"{prefix}{key}", f"{value:,.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
