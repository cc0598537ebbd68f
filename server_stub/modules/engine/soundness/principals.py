"""Whether principals name somebody: fields that hold people or departments, states that exist."""

from collections.abc import Iterable

from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition
from server_stub.modules.engine.soundness.findings import (
    DEPARTMENT_KINDS,
    PERSON_KINDS,
    REFERENCE_KINDS,
    Findings,
    words,
)


def check_principals(found: Findings, where: str, type_: TypeDefinition, principals: Iterable[str]) -> None:
    """Note everything wrong with these principals of records of the type."""
    for principal in principals:
        who, at, states = principal.partition("@")
        if at:
            found.states(where, type_, states.split("|"))
        word, _, path = who.partition(":")
        match word:
            case "audience":
                _needs(found, where, type_, who, FieldKind.AUDIENCE, "audience")
            case "department":
                _needs(found, where, type_, who, FieldKind.DEPARTMENT, "departmentId")
            case "field" | "superior" if path:
                _follow(found, where, type_, path, PERSON_KINDS)
            case "handler" | "participant" if type_.process is None:
                found.say(where, "needsProcess", "{who} needs a process", who=word)
            case "head":
                _follow(found, where, type_, path, DEPARTMENT_KINDS)
            case _:
                pass


def _needs(found: Findings, where: str, type_: TypeDefinition, who: str, kind: FieldKind, name: str) -> None:
    field = type_.field(name)
    if field is None or field.kind is not kind:
        found.say(where, "principalNeeds", "{who} needs a field {name} of kind {kind}", who=who, name=name, kind=kind)


def _follow(found: Findings, where: str, type_: TypeDefinition, path: str, kinds: frozenset[FieldKind]) -> None:
    name, dot, inner = path.partition(".")
    if not dot:
        found.field(where, type_, name, kinds)
        return
    reference: Field | None = found.field(where, type_, name, REFERENCE_KINDS)
    if reference is None or reference.target is None:
        return
    target = found.type(where, reference.target)
    if target is None:
        return
    field = target.field(inner)
    if field is None:
        found.say(where, "typeHasNoField", "{type} has no field {name}", type=target.name, name=inner)
    elif field.kind not in kinds:
        found.say(
            where, "wrongKind", "{name} is a {kind}; it takes {kinds}", name=path, kind=field.kind, kinds=words(kinds)
        )
