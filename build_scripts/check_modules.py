"""Checks every office module folder: definition, rules, icons, imports, samples, tests; and that the demo office's data files can be read.

Run by `dev.py check`, or alone: `python build_scripts/check_modules.py`. Prints every problem and exits with 1 when there is one.
`--write-schema` writes resources/protocol/module.schema.json anew from the structs.
"""

import argparse
import ast
import importlib.util
import json
import sys
from pathlib import Path
from typing import Final

import msgspec

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from server_stub.app.demo.soundness import problems_of  # noqa: E402 (the path first)
from server_stub.app.demo.source import DemoSource  # noqa: E402
from server_stub.modules.engine.definition import DefinitionError, ModuleDefinition  # noqa: E402
from server_stub.modules.engine.loader import MODULES_PACKAGE, load_rules  # noqa: E402
from server_stub.modules.engine.reading import MODULES_FOLDER, read_modules  # noqa: E402
from server_stub.modules.engine.samples import (  # noqa: E402
    Event,
    KnownNames,
    SamplesBroken,
    load_samples,
    sample_problems,
)

ENGINE: Final = "engine"
SCHEMA: Final = ROOT / "resources" / "protocol" / "module.schema.json"


def check_modules(root: Path = MODULES_FOLDER, tests: Path | None = ROOT / "tests" / "modules") -> list[str]:
    """Every problem of the module folders below `root`, one sentence each; `tests` None: tests are not asked for."""
    modules, problems = read_modules(root, known_icons())
    for module in modules:
        problems += import_problems(module, root / module.id)
        problems += rules_problems(module) if root == MODULES_FOLDER else []
        if tests is not None and not list(tests.glob(f"{module.id}/test_*.py")):
            problems.append(f"{module.id}: has no tests in tests/modules/{module.id}")

    return problems + sample_mistakes(modules, root)


def sample_mistakes(modules: list[ModuleDefinition], root: Path = MODULES_FOLDER) -> list[str]:
    """What is wrong with the samples.toml of these folders, against the people and assets of resources/demo."""
    source = DemoSource.load()
    papers = {one["key"] for one in (*source.documents["papers"], *source.documents["documents"]) if "key" in one}
    names = KnownNames(
        logins={one["login"] for one in source.office["people"]},
        departments={one["key"] for one in source.office["departments"]},
        assets={*source.assets["pictures"], *source.assets["files"], *papers},
    )
    problems: list[str] = []
    samples: dict[str, list[Event]] = {}
    for module in modules:
        try:
            samples[module.id] = load_samples(root / module.id, module)
        except SamplesBroken as error:
            problems.append(f"{module.id}/samples.toml: {error}")
    return problems + sample_problems(modules, samples, names)


def rules_problems(module: ModuleDefinition) -> list[str]:
    """Rules that are named but not there."""
    problems: list[str] = []
    made_here = [msgspec.structs.replace(module.types[0], rules=module.kind_rules)] if module.kind_rules else []
    for type_ in (*module.types, *made_here):
        try:
            load_rules(module, type_)
        except DefinitionError as error:
            problems += [f"{error.source}: {one}" for one in error.problems]
    return problems


def import_problems(module: ModuleDefinition, folder: Path) -> list[str]:
    """Imports of other modules that `needs` does not name."""
    problems: list[str] = []
    allowed = {module.id, ENGINE, *module.needs}
    for path in sorted(folder.rglob("*.py")):
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


def schema_text() -> str:
    """The JSON schema of a module.toml, as it should lie in resources/protocol."""
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "module.toml and the synced ModuleDefinition of Tongban",
        **msgspec.json.schema(ModuleDefinition),
    }
    return json.dumps(made, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def schema_problems(path: Path = SCHEMA) -> list[str]:
    """Whether the schema that lies there is the one of the structs."""
    if path.is_file() and path.read_text(encoding="utf-8") == schema_text():
        return []
    return [f"{path.name}: is not that of the structs; run: python build_scripts/check_modules.py --write-schema"]


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write-schema", action="store_true", help="write module.schema.json anew")
    if parser.parse_args().write_schema:
        SCHEMA.write_text(schema_text(), encoding="utf-8", newline="\n")
    problems = check_modules() + schema_problems() + check_demo()
    for problem in problems:
        print(problem)
    print("modules: " + (f"{len(problems)} problems" if problems else "all folders are sound"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
