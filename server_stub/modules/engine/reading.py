"""Reads the module folders. A folder with a sound module.toml is all there is to add a module."""

import functools
import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import msgspec

from server_stub.modules.engine.definition import DefinitionError, ModuleDefinition
from server_stub.modules.engine.processes.process_folders import process_problems, read_processes, unlabelled
from server_stub.modules.engine.saying import after
from server_stub.modules.engine.shape import shape_problems
from server_stub.modules.engine.soundness import cross_problems, module_problems

MODULES_FOLDER: Final = Path(__file__).resolve().parent.parent


def module_folders(root: Path = MODULES_FOLDER) -> list[Path]:
    """The folders that hold a module.toml, by name."""
    return sorted(path.parent for path in root.glob("*/module.toml"))


def read_definition(folder: Path) -> ModuleDefinition:
    """Read `folder/module.toml`; every table has its shape, what must fit together is not looked at.

    Raises:
        DefinitionError: with every problem found, not just the first.
    """
    try:
        text = (folder / "module.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise DefinitionError(
            f"{folder.name}/module.toml", [f"cannot be read: {problem.__class__.__name__}"]
        ) from problem
    return _parse(folder.name, text)


@functools.lru_cache(maxsize=64)  # a change in one folder reads every folder again
def _parse(name: str, text: str) -> ModuleDefinition:
    source = f"{name}/module.toml"
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise DefinitionError(source, [f"is no TOML: {problem}"]) from problem
    problems = shape_problems(content, ModuleDefinition)
    if content.get("id", name) != name:
        problems.append(f"id: is {str(content['id'])[:60]!r}, but the folder is named {name!r}")
    if problems:
        raise DefinitionError(source, problems)
    return msgspec.convert(content, ModuleDefinition)


def load_definition(folder: Path) -> ModuleDefinition:
    """Read one module and check it as far as that can be done without the others.

    Raises:
        DefinitionError: with every problem found.
    """
    module = read_definition(folder)
    problems = module_problems(module)
    if problems:
        raise DefinitionError(f"{folder.name}/module.toml", problems)
    return module


def read_modules(
    root: Path = MODULES_FOLDER, icons: Collection[str] | None = None
) -> tuple[list[ModuleDefinition], list[str]]:
    """Every module below `root` that can be read, in the order of the workbench, and everything wrong with any of them or their processes."""
    modules, problems = _read_changed(root, icons, _unchanged)
    processes, broken = read_processes(root, modules)
    problems += broken
    return modules, problems if problems else [*process_problems(modules, processes), *unlabelled(processes)]


def _unchanged(module: ModuleDefinition) -> ModuleDefinition:
    return module


def _read_changed(
    root: Path, icons: Collection[str] | None, change: Callable[[ModuleDefinition], ModuleDefinition]
) -> tuple[list[ModuleDefinition], list[str]]:
    modules: list[ModuleDefinition] = []
    problems: list[str] = []
    for folder in module_folders(root):
        try:
            modules.append(change(read_definition(folder)))
        except DefinitionError as error:
            problems += [after(f"{error.source}: ", one) for one in error.problems]
    whole = modules if not problems else None  # a type may be missing only because its module cannot be read
    for module in modules:
        problems += [after(f"{module.id}/module.toml: ", one) for one in module_problems(module, whole, icons=icons)]
    problems += [after("modules: ", one) for one in cross_problems(modules)]
    return sorted(modules, key=lambda module: (module.order, module.id)), problems


def load_definitions(
    root: Path = MODULES_FOLDER, change: Callable[[ModuleDefinition], ModuleDefinition] = _unchanged
) -> list[ModuleDefinition]:
    """Every module's definition, in the order of the workbench; processes are not looked at.

    Args:
        change: what administrators made of it, before it is checked.

    Raises:
        DefinitionError: one is broken, or two do not go together (a type twice, a reference to nothing).
    """
    modules, problems = _read_changed(root, None, change)
    if problems:
        raise DefinitionError("modules", problems)
    return modules
