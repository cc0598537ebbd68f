"""Records with the outbox laid over them. Pure. What the server refused is not laid: its version shows, with the reason; a refused new record shows itself."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

from desktop.core.domain import Record, TypeDefinition
from desktop.core.domain.conditions import BadFilter, Facts, Literal, resolve
from desktop.core.domain.formulas import with_formulas
from desktop.core.sync.outbox import Edit, EditKind, EditState

NOT_DATA: Final = frozenset({"version", "action"})
"""Members of an update that are no fields: the version it was written on, the action it means."""


class Laid(msgspec.Struct, frozen=True):
    """What the outbox makes of some records: as they look now, and those that are gone."""

    records: dict[str, Record] = {}
    hidden: frozenset[str] = frozenset()


def edits_of(edits: Iterable[Edit], type_name: str) -> list[Edit]:
    """The outbox's edits of one type, in order."""
    return [edit for edit in edits if edit.type_name == type_name]


def with_acts(edits: Iterable[Edit], type_name: str) -> list[Edit]:
    """The outbox's edits of one type with the fields that acts on cases write, in order."""
    found: list[Edit] = []
    for edit in edits:
        if edit.type_name == type_name:
            found.append(edit)
        elif edit.type_name == "CaseEvent" and edit.state is EditState.PENDING:
            values, record_id = edit.payload.get("values"), edit.payload.get("recordId")
            if values and edit.payload.get("recordType") == type_name:
                changed = {"kind": EditKind.UPDATE, "type_name": type_name, "object_id": record_id, "payload": values}
                found.append(msgspec.structs.replace(edit, **changed))
    return found


def lay(edits: Collection[Edit], stored: Mapping[str, Record], type_: TypeDefinition | None, facts: Facts) -> Laid:
    """`edits` of one type over the `stored` records they touch."""
    found: dict[str, Record] = {}
    hidden: set[str] = set()
    for edit in edits:
        record = found.get(edit.object_id, stored.get(edit.object_id))
        if edit.kind is EditKind.DESTROY:
            if edit.state is EditState.PENDING:
                hidden.add(edit.object_id)
            continue
        record = _created(edit, type_, facts) if edit.kind is EditKind.CREATE and record is None else record
        if record is None:  # an update of what is not here
            continue
        found[edit.object_id] = record if edit.kind is EditKind.CREATE else _patched(record, edit)
    if type_ is not None and any(field.formula or field.fields for field in type_.fields):
        found = {
            key: msgspec.structs.replace(one, data=with_formulas(type_.fields, one.data)) if one.pending else one
            for key, one in found.items()
        }
    return Laid({key: one for key, one in found.items() if key not in hidden}, frozenset(hidden))


def _created(edit: Edit, type_: TypeDefinition | None, facts: Facts) -> Record:
    refused = edit.state is EditState.REFUSED
    data = {key: value for key, value in edit.payload.items() if key not in NOT_DATA and value is not None}
    if type_ is not None:
        data = {**defaults(type_, facts), **data}
    return Record(
        edit.object_id,
        edit.type_name,
        data,
        facts.me,
        edit.created_at,
        edit.created_at,
        pending=not refused,
        refusal=(edit.code or "rejected") if refused else None,
    )


def _patched(record: Record, edit: Edit) -> Record:
    if edit.state is EditState.REFUSED:
        return msgspec.structs.replace(record, refusal=edit.code or "rejected")
    data = dict(record.data)
    for key, value in edit.payload.items():
        if key in NOT_DATA:
            continue
        if value is None:
            data.pop(key, None)
        else:
            data[key] = value
    return msgspec.structs.replace(record, data=data, pending=True)


def defaults(type_: TypeDefinition, facts: Facts) -> dict[str, Any]:
    """What the server will fill into a new record of this type, as far as the definition tells."""
    found: dict[str, Any] = {}
    if type_.states:
        found["state"] = type_.states[0].value
    for field in type_.fields:
        value = default_value(field.default, facts)
        if value is not None:
            found[field.name] = value
    return found


def default_value(value: Any, facts: Facts) -> Any:
    """A default with its placeholder filled in; None: nothing."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    try:
        condition = resolve({"x": value}, facts)
    except BadFilter:
        return None
    first: Literal | None = next(iter(getattr(condition, "values", ())), None)
    return None if first is None else first.text
