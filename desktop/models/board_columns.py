"""Columns of a board: records by the value of a field, and what putting a card into another column means: an action, a patch, or a refusal. No Qt, no words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from desktop.core.domain.conditions import is_empty
from desktop.core.domain.definition import Action, Field, FieldKind, TypeDefinition
from desktop.core.domain.records import Placed, Record

EMPTY = ""
"""Key of the column of records without a value."""


@dataclass(slots=True)
class Column:
    """Ids of the records with one value of the board's field, in order."""

    key: str
    ids: list[str] = field(default_factory=list)


def column_keys(definition: TypeDefinition, group: Field) -> list[str]:
    """Columns that are there even without cards: the states, or the choices."""
    if group.name == "state" and definition.states:
        return [state.value for state in definition.states]
    return [choice.value for choice in group.choices]


def key_of(record: Record, group: Field) -> str:
    """The column of a record; of several values the first one."""
    held = record.author_id if group.name == "authorId" else record.data.get(group.name)
    if isinstance(held, list):
        held = held[0] if held else None
    if isinstance(held, bool):
        return "true" if held else "false"
    return EMPTY if is_empty(held) else str(held)


def key_of_value(value: str | int | float | bool | tuple[str, ...] | None) -> str:
    """The column of a value as the store tells it; of several the first one."""
    held = value[0] if isinstance(value, tuple) else value
    if isinstance(held, bool):
        return "true" if held else "false"
    return EMPTY if held is None else str(held)


def columns_of(definition: TypeDefinition, group: Field, records: Iterable[Placed]) -> list[Column]:
    """Columns with their records in the order given: the known ones first, then others as they come; without a value first of all where there are any."""
    found = {key: Column(key) for key in column_keys(definition, group)}
    for placed in records:
        key = key_of_value(placed.value)
        if key not in found:
            found[key] = Column(key)
        found[key].ids.append(placed.id)
    empty = found.pop(EMPTY, None)
    return [*([empty] if empty is not None else []), *found.values()]


class Way(StrEnum):
    """What putting a card into a column does."""

    NOTHING = "nothing"
    ACT = "act"
    ASK = "ask"
    PATCH = "patch"
    NO_ACTION = "noAction"
    NOT_YOURS = "notYours"
    NO_EDIT = "noEdit"


@dataclass(frozen=True, slots=True)
class Step:
    """The way, with the action or the patch it takes. NOT_YOURS names the action that others may do."""

    way: Way
    action: Action | None = None
    patch: dict[str, Any] = field(default_factory=dict)


def step_to(
    definition: TypeDefinition, group: Field, record: Record, key: str, allowed: Sequence[Action], may_edit: bool
) -> Step:
    """What it takes to put a record into a column. A state changes by an action alone; one that wants values first is asked for."""
    if key == key_of(record, group):
        return Step(Way.NOTHING)
    if group.name == "state" and definition.states:
        return _by_action(definition, record, key, allowed)
    if not may_edit:
        return Step(Way.NO_EDIT)
    return Step(Way.PATCH, patch={group.name: _value(group, record, key)})


def _by_action(definition: TypeDefinition, record: Record, key: str, allowed: Sequence[Action]) -> Step:
    fitting = [action for action in allowed if action.to == key]
    if fitting:
        ready = next((one for one in fitting if not _asks(one, record)), None)
        return Step(Way.ACT, ready) if ready is not None else Step(Way.ASK, fitting[0])
    state = record.data.get("state")
    known = next((one for one in definition.actions if one.to == key and state in one.from_), None)
    return Step(Way.NO_ACTION) if known is None else Step(Way.NOT_YOURS, known)


def _asks(action: Action, record: Record) -> bool:
    """Whether it wants something of the person: what is required and not there yet, or anything it asks."""
    return bool(action.asks) or any(is_empty(record.data.get(name)) for name in action.requires)


def _value(group: Field, record: Record, key: str) -> Any:
    if group.kind is FieldKind.BOOL:
        return key == "true"
    if group.kind in (FieldKind.MULTI_CHOICE, FieldKind.PERSONS, FieldKind.DEPARTMENTS, FieldKind.REFERENCES):
        held = record.data.get(group.name)
        rest = [one for one in held[1:] if one != key] if isinstance(held, list) else []
        return [key, *rest] if key else rest
    return key or None
