"""Finds the module folders and makes handlers of them. A folder with a module.toml is all there is to add a module."""

import importlib
import inspect
from pathlib import Path
from typing import Final

from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import (
    DefinitionError,
    FieldKind,
    ModuleDefinition,
    TypeDefinition,
    load_definition,
)
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.modules.engine.rules import Rules

MODULES_FOLDER: Final = Path(__file__).resolve().parent.parent
MODULES_PACKAGE: Final = "server_stub.modules"
BUILT_IN_TYPES: Final = frozenset({"ReadMark", "Alert", "ModuleDefinition", "Person", "Department"})


def module_folders(root: Path = MODULES_FOLDER) -> list[Path]:
    """The folders that hold a module.toml, by name."""
    return sorted(path.parent for path in root.glob("*/module.toml"))


def load_definitions(root: Path = MODULES_FOLDER) -> list[ModuleDefinition]:
    """Every module's definition, in the order of the workbench.

    Raises:
        DefinitionError: one is broken, or two do not go together (a type twice, a reference to nothing).
    """
    modules = [load_definition(folder) for folder in module_folders(root)]
    problems = cross_problems(modules)
    if problems:
        raise DefinitionError("modules", problems)
    return sorted(modules, key=lambda module: (module.order, module.id))


def cross_problems(modules: list[ModuleDefinition]) -> list[str]:
    """What is wrong between modules: types of one name, references to a type that is nowhere or in a module that is not named in needs."""
    owner: dict[str, str] = {}
    problems: list[str] = []
    for module in modules:
        for one in module.types:
            if one.name in BUILT_IN_TYPES or one.name in owner:
                problems.append(f"{module.id}: the type {one.name} exists already")
            owner.setdefault(one.name, module.id)
    for module in modules:
        for needed in module.needs:
            if needed not in {one.id for one in modules}:
                problems.append(f"{module.id}: needs {needed}, which does not exist")
        for target in _targets(module):
            if target not in owner:
                problems.append(f"{module.id}: refers to {target}, which no module has")
            elif owner[target] != module.id and owner[target] not in module.needs:
                problems.append(f"{module.id}: refers to {target} of {owner[target]}: say needs = [{owner[target]!r}]")
    return problems


def load_rules(module: ModuleDefinition, type_: TypeDefinition, package: str = MODULES_PACKAGE) -> type[Rules]:
    """The class that a type names, or the plain Rules.

    Raises:
        DefinitionError: it is not there, or is no Rules.
    """
    if type_.rules is None:
        return Rules
    try:
        rules = getattr(importlib.import_module(f"{package}.{module.id}.rules"), type_.rules)
    except (ImportError, AttributeError) as problem:
        raise DefinitionError(f"{module.id}/rules.py", [f"{type_.rules}: {problem}"]) from problem
    if not inspect.isclass(rules) or not issubclass(rules, Rules):
        raise DefinitionError(f"{module.id}/rules.py", [f"{type_.rules} is no subclass of Rules"])
    return rules


def make_handlers(modules: list[ModuleDefinition], context: OfficeContext) -> list[OfficeHandler]:
    """One handler for each type of each module."""
    return [
        OfficeHandler(context, type_, load_rules(module, type_)(context, type_))
        for module in modules
        for type_ in module.types
    ]


def _targets(module: ModuleDefinition) -> list[str]:
    return [
        one.target
        for type_ in module.types
        for field in type_.fields
        for one in (field, *field.fields)
        if one.kind is FieldKind.REFERENCE and one.target is not None
    ]
