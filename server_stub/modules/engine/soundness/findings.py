"""Where the checks are and what they know: the type looked at, the types around it, the problems found so far."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from server_stub.modules.engine.definition import Field, FieldKind, Label, TypeDefinition
from server_stub.modules.engine.saying import reason

TIME_KINDS: Final = frozenset({FieldKind.DATE, FieldKind.DATETIME, FieldKind.SPAN})
FIGURE_KINDS: Final = frozenset({FieldKind.NUMBER, FieldKind.MONEY})
PERSON_KINDS: Final = frozenset({FieldKind.PERSON, FieldKind.PERSONS})
DEPARTMENT_KINDS: Final = frozenset({FieldKind.DEPARTMENT, FieldKind.DEPARTMENTS})
REFERENCE_KINDS: Final = frozenset({FieldKind.REFERENCE, FieldKind.REFERENCES})
LIST_KINDS: Final = frozenset(
    {FieldKind.MULTI_CHOICE, FieldKind.PERSONS, FieldKind.DEPARTMENTS, FieldKind.REFERENCES}
    | {FieldKind.FILES, FieldKind.LINES}
)
PLAIN_KINDS: Final = frozenset(
    {FieldKind.TEXT, FieldKind.NUMBER, FieldKind.MONEY, FieldKind.DATE, FieldKind.DATETIME, FieldKind.BOOL}
    | {FieldKind.CHOICE, FieldKind.PERSON, FieldKind.DEPARTMENT, FieldKind.REFERENCE}
)
"""Kinds with one value that can be compared: what groups, sorts and unique sets are made of."""
SORTABLE_KINDS: Final = PLAIN_KINDS | {FieldKind.SPAN}
SHOWN_KINDS: Final = frozenset(FieldKind) - {FieldKind.BLOB, FieldKind.OBJECT}
"""What a cell can show."""
TITLE_KINDS: Final = PLAIN_KINDS - {FieldKind.BOOL} | {FieldKind.SPAN}

ENVELOPE_FIELDS: Final[Mapping[str, Field]] = {
    one.name: one
    for one in (
        Field(name="createdAt", kind=FieldKind.DATETIME, label=Label(zh="创建时间", en="Created")),
        Field(name="updatedAt", kind=FieldKind.DATETIME, label=Label(zh="更新时间", en="Updated")),
        Field(name="authorId", kind=FieldKind.PERSON, label=Label(zh="创建人", en="Created by")),
    )
}
"""What every record has besides its fields, as far as views, filters, reports and papers may name it."""


@dataclass(slots=True)
class Findings:
    """The problems of one module.

    Attributes:
        types: every type that is known, by name.
        whole: whether `types` are all types there are; else a type that is not among them may be another module's.
    """

    types: Mapping[str, TypeDefinition]
    whole: bool
    problems: list[str] = field(default_factory=list)

    def say(self, where: str, code: str, text: str, /, **args: object) -> None:
        """Note a problem, once: reason() of a place."""
        sentence = reason(code, text, **args).at(where)
        if sentence not in self.problems:
            self.problems.append(sentence)

    def twice(self, where: str, what: str, names: Iterable[str]) -> None:
        """Complain about every name that is there more than once."""
        seen = list(names)
        for name in sorted({one for one in seen if seen.count(one) > 1}):
            self.say(where, "twice", "{what} {name} is there twice", what=what, name=name)

    def field(
        self,
        where: str,
        type_: TypeDefinition,
        name: str,
        kinds: Iterable[FieldKind] = frozenset(FieldKind),
        *,
        envelope: bool = False,
    ) -> Field | None:
        """The field of this name; complains when there is none or it has another kind."""
        found = type_.field(name) or (ENVELOPE_FIELDS.get(name) if envelope else None)
        if found is None:
            self.say(where, "noField", "there is no field {name}", name=name)
            return None
        if found.kind not in kinds:
            self.say(
                where,
                "wrongKind",
                "{name} is a {kind}; it takes {kinds}",
                name=name,
                kind=found.kind,
                kinds=words(kinds),
            )
            return None
        return found

    def type(self, where: str, name: str) -> TypeDefinition | None:
        """The type of this name; complains when no module has it (as far as that is known)."""
        found = self.types.get(name)
        if found is None and self.whole:
            self.say(where, "noType", "there is no type {name}", name=name)
        return found

    def states(self, where: str, type_: TypeDefinition, values: Iterable[str]) -> None:
        """Complain about every value that is no state of the type (or choice of a field `state` of its own)."""
        field_ = type_.field("state")
        known = {one.value for one in field_.choices} if field_ is not None else set()
        for value in values:
            if value not in known:
                self.say(where, "noState", "there is no state {value}", value=value)


def words(kinds: Iterable[FieldKind]) -> list[str]:
    """Kinds in their order, for a sentence."""
    return [kind.value for kind in FieldKind if kind in set(kinds)]


def every_label(value: object, where: str = "") -> Iterator[tuple[str, Label]]:
    """Every label at any depth of a struct, with its place."""
    if isinstance(value, Label):
        yield where, value
    elif isinstance(value, tuple):
        for index, one in enumerate(value):
            if isinstance(one, str):
                continue
            name = next((got for key in ("name", "id", "value") if isinstance(got := getattr(one, key, None), str)), "")
            yield from every_label(one, f"{where}.{name}" if name else f"{where}[{index}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from every_label(one, f"{where}.{key}")
    elif hasattr(value, "__struct_fields__"):
        for key in value.__struct_fields__:
            inner = getattr(value, key)
            if inner and not isinstance(inner, str | int | float):  # nearly all: a definition is read at each start
                yield from every_label(inner, f"{where}.{key}" if where else key)
