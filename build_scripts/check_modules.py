"""Checks every office module folder: definition, rules, icon, imports, tests; and that the demo office's data files can be read.

Run by `dev.py check`, or alone: `python build_scripts/check_modules.py`. Prints every problem and exits with 1 when there is one.
"""

import ast
import importlib.util
import json
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from server_stub.app.demo.soundness import problems_of  # noqa: E402 (the path first)
from server_stub.app.demo.source import DemoSource  # noqa: E402
from server_stub.modules.engine.definition import DefinitionError, ModuleDefinition, load_definition  # noqa: E402
from server_stub.modules.engine.loader import (  # noqa: E402
    MODULES_FOLDER,
    MODULES_PACKAGE,
    cross_problems,
    load_rules,
    module_folders,
)

ENGINE: Final = "engine"


def check_modules(root: Path = MODULES_FOLDER, tests: Path | None = ROOT / "tests" / "modules") -> list[str]:
    """Every problem of the module folders below `root`, one sentence each; `tests` None: tests are not asked for."""
    problems: list[str] = []
    modules: list[ModuleDefinition] = []
    for folder in module_folders(root):
        try:
            modules.append(load_definition(folder))
        except DefinitionError as error:
            problems += [f"{error.source}: {one}" for one in error.problems]
    problems += cross_problems(modules)
    icons = known_icons()
    for module in modules:
        if icons is not None and module.icon.removeprefix("ph.") not in icons:
            problems.append(f"{module.id}/module.toml: there is no icon {module.icon}")
        problems += import_problems(module)
        problems += rules_problems(module) if root == MODULES_FOLDER else []
        if tests is not None and not list(tests.glob(f"{module.id}/test_*.py")):
            problems.append(f"{module.id}: has no tests in tests/modules/{module.id}")
    return problems


def rules_problems(module: ModuleDefinition) -> list[str]:
    """Rules that are named but not there."""
    problems: list[str] = []
    for type_ in module.types:
        try:
            load_rules(module, type_)
        except DefinitionError as error:
            problems += [f"{error.source}: {one}" for one in error.problems]
    return problems


def import_problems(module: ModuleDefinition) -> list[str]:
    """Imports of other modules that `needs` does not name."""
    problems: list[str] = []
    allowed = {module.id, ENGINE, *module.needs}
    for path in sorted(module.folder.rglob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError) as error:
            problems.append(f"{module.id}/{path.name}: is no Python: {error}")
            continue
        inside = {name for name in _imported(tree) if name.startswith(f"{MODULES_PACKAGE}.")}
        others = {name.removeprefix(f"{MODULES_PACKAGE}.").partition(".")[0] for name in inside}
        for other in sorted(others - allowed):
            problems.append(f"{module.id}/{path.name}: imports {other}, which needs does not name")
    return problems


def known_icons() -> set[str] | None:
    """Names of the Phosphor icons; None where QtAwesome (a client package) is not installed."""
    found = importlib.util.find_spec("qtawesome")
    if found is None or found.origin is None:
        return None
    names: set[str] = set()
    for path in (Path(found.origin).parent / "fonts").glob("phosphor-charmap*.json"):
        names.update(json.loads(path.read_text(encoding="utf-8")))
    return names


def check_demo() -> list[str]:
    """Problems of resources/demo that would stop the demo office from being made."""
    return problems_of(DemoSource.load())


def _imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
            names.add(node.module)
    return names


def main() -> int:
    """Print every problem; 1 when there is one."""
    problems = check_modules() + check_demo()
    for problem in problems:
        print(problem)
    print("modules: " + (f"{len(problems)} problems" if problems else "all folders are sound"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
