"""Makes handlers of module definitions, with the rules of their folders. Code that changed on disk is imported anew when asked."""

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import DefinitionError, ModuleDefinition, TypeDefinition
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.modules.engine.reading import MODULES_FOLDER
from server_stub.modules.engine.rules import Rules

MODULES_PACKAGE: Final = "server_stub.modules"
ELSEWHERE: Final = "tongban_modules"
"""Package of rules that lie in another folder than the product's."""
_imported: Final[dict[Path, str]] = {}
"""Module folder → digest of its code when it was imported."""


def load_rules(module: ModuleDefinition, type_: TypeDefinition, root: Path = MODULES_FOLDER) -> type[Rules]:
    """The class that a type names, or the plain Rules.

    Raises:
        DefinitionError: it is not there, is no Rules, or its file cannot be imported.
    """
    if type_.rules is None:
        return Rules
    _imported.setdefault(root / module.id, code_digest(root / module.id))
    try:
        rules = getattr(_rules_module(module.id, root), type_.rules)
    except Exception as problem:  # border: whatever a module's code does while it is imported
        raise DefinitionError(f"{module.id}/rules.py", [f"{type_.rules}: {problem}"]) from problem
    if not inspect.isclass(rules) or not issubclass(rules, Rules):
        raise DefinitionError(f"{module.id}/rules.py", [f"{type_.rules} is no subclass of Rules"])
    return rules


def make_handlers(
    modules: Sequence[ModuleDefinition], context: OfficeContext, root: Path = MODULES_FOLDER
) -> list[OfficeHandler]:
    """One handler for each type of each module. Raises DefinitionError."""
    return [
        OfficeHandler(context, type_, load_rules(module, type_, root)(context, type_), module.id)
        for module in modules
        for type_ in module.types
    ]


def make_fresh_handlers(
    modules: Sequence[ModuleDefinition], context: OfficeContext, root: Path = MODULES_FOLDER
) -> list[OfficeHandler]:
    """The same, with code that changed since it was imported read again, and that of modules that need it.

    Raises:
        DefinitionError: then the code that was there before stays.
    """
    forgotten = _forget_changed_code(modules, root)
    digests = {folder: _imported.pop(folder) for folder in _folders_of(forgotten, root) if folder in _imported}
    try:
        return make_handlers(modules, context, root)
    except DefinitionError:
        sys.modules.update(forgotten)
        _imported.update(digests)
        raise


def code_digest(folder: Path) -> str:
    """Changes when any Python file of the folder does."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _rules_module(module_id: str, root: Path) -> ModuleType:
    if root == MODULES_FOLDER:
        return importlib.import_module(f"{MODULES_PACKAGE}.{module_id}.rules")
    name = f"{ELSEWHERE}.{module_id}.rules"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, root / module_id / "rules.py")
        if spec is None or spec.loader is None:  # pragma: no cover - a .py file always has a loader
            raise ImportError(name)
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        sys.modules[name] = made
    return sys.modules[name]


def _forget_changed_code(modules: Sequence[ModuleDefinition], root: Path) -> dict[str, Any]:
    """Take changed modules (and those that need them) out of sys.modules; what was taken out."""
    stale = {one.id for one in modules if _imported.get(root / one.id) not in (None, code_digest(root / one.id))}
    while more := {one.id for one in modules if one.id not in stale and stale & set(one.needs)}:
        stale |= more
    package = MODULES_PACKAGE if root == MODULES_FOLDER else ELSEWHERE
    prefixes = tuple(f"{package}.{one}" for one in stale)
    names = [name for name in sys.modules if name.startswith(tuple(f"{one}." for one in prefixes)) or name in prefixes]
    importlib.invalidate_caches()
    return {name: sys.modules.pop(name) for name in names}


def _folders_of(names: dict[str, Any], root: Path) -> set[Path]:
    package = MODULES_PACKAGE if root == MODULES_FOLDER else ELSEWHERE
    return {root / name.removeprefix(f"{package}.").partition(".")[0] for name in names}
