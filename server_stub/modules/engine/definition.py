"""Module definitions: reads a module.toml, finds every mistake in it, and turns it into frozen values and the synced wire object.

Knows the grammar only. What a field's value may be is checked in fields.py, who may do what in access.py.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

GROUPS: Final = ("official", "personal", "extended")
LANGUAGES: Final = ("zh", "en")
ACTIONS: Final = ("read", "create", "update", "destroy")
_MODULE_ID: Final = re.compile(r"[a-z][a-z0-9_]{1,39}\Z")
_TYPE_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]{1,59}\Z")
_FIELD_NAME: Final = re.compile(r"[a-z][A-Za-z0-9]{0,59}\Z")
_ICON: Final = re.compile(r"ph\.[a-z][a-z0-9-]*\Z")
_PRINCIPAL: Final = re.compile(
    r"(everyone|author|audience|department|role:[a-z][a-z0-9-]{0,39}|field:[a-z][A-Za-z0-9]{0,59})\Z"
)
RESERVED: Final = frozenset({"id", "createdAt", "updatedAt", "authorId"})


class FieldKind(StrEnum):
    """What a field holds; the client draws its form and list cells by it."""

    TEXT = "text"
    LONG_TEXT = "longText"
    RICH_TEXT = "richText"
    CHOICE = "choice"
    MULTI_CHOICE = "multiChoice"
    PERSON = "person"
    PERSONS = "persons"
    DEPARTMENT = "department"
    DEPARTMENTS = "departments"
    DATETIME = "datetime"
    DATE = "date"
    NUMBER = "number"
    BOOL = "bool"
    FILES = "files"
    REFERENCE = "reference"
    AUDIENCE = "audience"
    BLOB = "blob"
    OBJECT = "object"
    OBJECTS = "objects"


CHOICE_KINDS: Final = frozenset({FieldKind.CHOICE, FieldKind.MULTI_CHOICE})
NESTED_KINDS: Final = frozenset({FieldKind.OBJECT, FieldKind.OBJECTS})
LIMITED_KINDS: Final = frozenset(
    {
        FieldKind.TEXT,
        FieldKind.LONG_TEXT,
        FieldKind.RICH_TEXT,
        FieldKind.NUMBER,
        FieldKind.FILES,
        FieldKind.PERSONS,
        FieldKind.DEPARTMENTS,
        FieldKind.OBJECTS,
    }
)


class DefinitionError(Exception):
    """A module.toml that cannot be used. `problems`: one sentence each, with the place it is about."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        super().__init__(f"{source}: " + "; ".join(problems))
        self.source = source
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a choice field."""

    value: str
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type.

    Attributes:
        server_set: clients may not write it; rules do.
        computed: never stored; rules add it when the record is shown.
        visible_to: principals that see it; empty: every reader.
        minimum, maximum: of a number's value, of a text's characters, of a list's items.
    """

    name: str
    kind: FieldKind
    label: Mapping[str, str]
    required: bool = False
    server_set: bool = False
    computed: bool = False
    immutable: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Choice, ...] = ()
    target: str | None = None
    fields: tuple["Field", ...] = ()
    visible_to: tuple[str, ...] = ()

    def to_object(self) -> dict[str, Any]:
        """As the client gets it (docs/protocol.md §4, ModuleDefinition)."""
        shown: dict[str, Any] = {"name": self.name, "kind": self.kind.value, "label": dict(self.label)}
        if self.required:
            shown["required"] = True
        if self.server_set or self.computed:
            shown["readOnly"] = True
        if self.choices:
            shown["choices"] = [{"value": one.value, "label": dict(one.label)} for one in self.choices]
        for key, value in (("min", self.minimum), ("max", self.maximum), ("target", self.target)):
            if value is not None:
                shown[key] = value
        if self.fields:
            shown["fields"] = [inner.to_object() for inner in self.fields]
        return shown


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """One record type of a module.

    Attributes:
        access: action (read, create, update, destroy) → principals.
        marks: whether people leave read marks on its records.
        rules: the name of the class in the module's rules.py, None for a type that needs none.
    """

    name: str
    label: Mapping[str, str]
    fields: tuple[Field, ...]
    access: Mapping[str, tuple[str, ...]]
    marks: bool = False
    rules: str | None = None

    def field(self, name: str) -> Field | None:
        """The field of this name, None when there is none."""
        return next((one for one in self.fields if one.name == name), None)

    def to_object(self) -> dict[str, Any]:
        """As the client gets it."""
        return {
            "name": self.name,
            "label": dict(self.label),
            "fields": [one.to_object() for one in self.fields],
            "access": {action: list(principals) for action, principals in self.access.items()},
            "marks": self.marks,
        }


@dataclass(frozen=True, slots=True)
class ModuleDefinition:
    """One office module: what the workbench shows and what its types are. `needs`: modules whose types it refers to."""

    id: str
    group: str
    label: Mapping[str, str]
    icon: str
    order: int
    types: tuple[TypeDefinition, ...]
    needs: tuple[str, ...] = ()
    folder: Path = field(default=Path(), compare=False)

    def to_object(self) -> dict[str, Any]:
        """The ModuleDefinition of the wire, without its id."""
        return {
            "group": self.group,
            "label": dict(self.label),
            "icon": self.icon,
            "order": self.order,
            "types": [one.to_object() for one in self.types],
        }


def load_definition(folder: Path) -> ModuleDefinition:
    """Read `folder/module.toml`.

    Raises:
        DefinitionError: with every problem found, not just the first.
    """
    path = folder / "module.toml"
    source = f"{folder.name}/module.toml"
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as problem:
        raise DefinitionError(source, [f"cannot be read: {problem.__class__.__name__}"]) from problem
    except tomllib.TOMLDecodeError as problem:
        raise DefinitionError(source, [f"is no TOML: {problem}"]) from problem
    reader = _Reader()
    module = reader.module(content, folder)
    if reader.problems:
        raise DefinitionError(source, reader.problems)
    return module


class _Reader:
    """Walks the parsed TOML and collects problems; what it returns is worth something only when there are none."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def module(self, content: Mapping[str, Any], folder: Path) -> ModuleDefinition:
        self._known(content, "module", {"id", "group", "label", "icon", "order", "types", "needs"})
        module_id = self._text(content, "id", "module")
        if module_id != folder.name:
            self._problem("id", f"is {module_id!r}, but the folder is named {folder.name!r}")
        if not _MODULE_ID.match(module_id):
            self._problem("id", "must be lower-case letters, digits and _")
        group = self._text(content, "group", "module")
        if group not in GROUPS:
            self._problem("group", f"must be one of {', '.join(GROUPS)}")
        icon = self._text(content, "icon", "module")
        if not _ICON.match(icon):
            self._problem("icon", "must be a Phosphor icon such as ph.megaphone")
        types = self._tables(content, "types", "module")
        if not types:
            self._problem("types", "there must be at least one [[types]]")
        made = tuple(self._type(one, index) for index, one in enumerate(types))
        names = [one.name for one in made]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._problem("types", f"{name} is there twice")
        return ModuleDefinition(
            id=module_id,
            group=group,
            label=self._label(content, "module"),
            icon=icon,
            order=self._whole(content, "order", "module"),
            types=made,
            needs=self._texts(content, "needs", "module"),
            folder=folder,
        )

    def _type(self, content: Mapping[str, Any], index: int) -> TypeDefinition:
        name = self._text(content, "name", f"types[{index}]")
        where = name or f"types[{index}]"
        self._known(content, where, {"name", "label", "fields", "access", "marks", "rules"})
        if not _TYPE_NAME.match(name):
            self._problem(where, "a type's name is in PascalCase")
        fields = tuple(self._field(one, where, RESERVED) for one in self._tables(content, "fields", where))
        if not fields:
            self._problem(where, "has no fields")
        names = [one.name for one in fields]
        for twice in sorted({one for one in names if names.count(one) > 1}):
            self._problem(where, f"field {twice} is there twice")
        access = self._access(content.get("access"), where, names)
        rules = content.get("rules")
        if rules is not None and not isinstance(rules, str):
            self._problem(where, "rules names a class of rules.py")
        return TypeDefinition(
            name=name,
            label=self._label(content, where),
            fields=fields,
            access=access,
            marks=self._flag(content, "marks", where),
            rules=rules if isinstance(rules, str) else None,
        )

    def _access(self, content: Any, where: str, field_names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        if not isinstance(content, dict):
            self._problem(where, "access is missing: say for read, create, update, destroy who may")
            return {}
        self._known(content, f"{where}.access", set(ACTIONS))
        access: dict[str, tuple[str, ...]] = {}
        for action in ACTIONS:
            if action not in content:
                self._problem(f"{where}.access", f"{action} is missing (an empty list means nobody)")
            principals = self._texts(content, action, f"{where}.access")
            self._principals(principals, f"{where}.access.{action}", field_names)
            access[action] = principals
        return access

    def _principals(self, principals: Sequence[str], where: str, field_names: Sequence[str]) -> None:
        for principal in principals:
            if not _PRINCIPAL.match(principal):
                self._problem(
                    where, f"{principal!r} is none of everyone, author, audience, department, role:<r>, field:<f>"
                )
            needed = {"audience": "audience", "department": "departmentId"}.get(
                principal, principal.partition("field:")[2]
            )
            if needed and needed not in field_names:
                self._problem(where, f"{principal} needs a field {needed}")

    def _field(self, content: Mapping[str, Any], type_name: str, reserved: frozenset[str] = frozenset()) -> Field:
        name = self._text(content, "name", f"{type_name}.fields")
        where = f"{type_name}.{name or '?'}"
        known = {"name", "kind", "label", "required", "server_set", "computed", "immutable", "default"}
        self._known(content, where, known | {"min", "max", "choices", "target", "fields", "visible_to"})
        if not _FIELD_NAME.match(name) or name in reserved:
            self._problem(where, "a field's name is in camelCase and none of id, createdAt, updatedAt, authorId")
        kind = self._kind(content, where)
        return Field(
            name=name,
            kind=kind,
            label=self._label(content, where),
            required=self._flag(content, "required", where),
            server_set=self._flag(content, "server_set", where),
            computed=self._flag(content, "computed", where),
            immutable=self._flag(content, "immutable", where),
            default=content.get("default"),
            minimum=self._limit(content, "min", kind, where),
            maximum=self._limit(content, "max", kind, where),
            choices=self._choices(content, kind, where),
            target=self._target(content, kind, where),
            fields=self._nested(content, kind, where),
            visible_to=self._visible_to(content, where),
        )

    def _kind(self, content: Mapping[str, Any], where: str) -> FieldKind:
        try:
            return FieldKind(content.get("kind", ""))
        except ValueError:
            self._problem(where, f"kind must be one of {', '.join(FieldKind)}")
            return FieldKind.TEXT

    def _limit(self, content: Mapping[str, Any], key: str, kind: FieldKind, where: str) -> float | None:
        value = content.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._problem(where, f"{key} must be a number")
            return None
        if kind not in LIMITED_KINDS:
            self._problem(where, f"{key} means nothing for kind {kind}")
        return value

    def _choices(self, content: Mapping[str, Any], kind: FieldKind, where: str) -> tuple[Choice, ...]:
        tables = self._tables(content, "choices", where)
        if bool(tables) != (kind in CHOICE_KINDS):
            self._problem(where, "choices belong to choice and multiChoice, and those need them")
        made = tuple(Choice(self._text(one, "value", where), self._label(one, f"{where}.choices")) for one in tables)
        values = [one.value for one in made]
        if len(set(values)) != len(values):
            self._problem(where, "a choice is there twice")
        default = content.get("default")
        if kind is FieldKind.CHOICE and default is not None and default not in values:
            self._problem(where, f"default {default!r} is none of its choices")
        return made

    def _target(self, content: Mapping[str, Any], kind: FieldKind, where: str) -> str | None:
        target = content.get("target")
        if (target is not None) != (kind is FieldKind.REFERENCE):
            self._problem(where, "target belongs to a reference, and a reference needs one")
        if target is not None and (not isinstance(target, str) or not _TYPE_NAME.match(target)):
            self._problem(where, "target is the name of a type")
            return None
        return target

    def _nested(self, content: Mapping[str, Any], kind: FieldKind, where: str) -> tuple[Field, ...]:
        tables = self._tables(content, "fields", where)
        if bool(tables) != (kind in NESTED_KINDS):
            self._problem(where, "fields belong to object and objects, and those need them")
        return tuple(self._field(one, where) for one in tables)

    def _visible_to(self, content: Mapping[str, Any], where: str) -> tuple[str, ...]:
        principals = self._texts(content, "visible_to", where)
        for principal in principals:
            if principal != "author" and not principal.startswith("role:"):
                self._problem(where, "visible_to takes author and role:<r>")
        return principals

    # ------------------------------------------------------------ small things

    def _problem(self, where: str, what: str) -> None:
        self.problems.append(f"{where}: {what}")

    def _known(self, content: Mapping[str, Any], where: str, names: set[str]) -> None:
        for name in sorted(content.keys() - names):
            self._problem(where, f"unknown key {name}")

    def _label(self, content: Mapping[str, Any], where: str) -> dict[str, str]:
        label = content.get("label")
        if not isinstance(label, dict):
            self._problem(where, "label is missing: { zh = ..., en = ... }")
            return dict.fromkeys(LANGUAGES, "")
        self._known(label, f"{where}.label", set(LANGUAGES))
        for language in LANGUAGES:
            if not isinstance(label.get(language), str) or not label[language].strip():
                self._problem(where, f"label has no text in {language}")
        return {language: str(label.get(language, "")) for language in LANGUAGES}

    def _text(self, content: Mapping[str, Any], key: str, where: str) -> str:
        value = content.get(key)
        if not isinstance(value, str) or not value:
            self._problem(where, f"{key} is missing or no text")
            return ""
        return value

    def _texts(self, content: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        value = content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._problem(where, f"{key} must be a list of texts")
            return ()
        return tuple(value)

    def _tables(self, content: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
        value = content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self._problem(where, f"{key} must be a list of tables")
            return []
        return value

    def _flag(self, content: Mapping[str, Any], key: str, where: str) -> bool:
        value = content.get(key, False)
        if not isinstance(value, bool):
            self._problem(where, f"{key} must be true or false")
            return False
        return value

    def _whole(self, content: Mapping[str, Any], key: str, where: str) -> int:
        value = content.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            self._problem(where, f"{key} must be a whole number")
            return 0
        return value
