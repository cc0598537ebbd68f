"""Values that no two records of a type share: an index of their compared forms, written with the record. An empty part makes no claim."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import msgspec

from server_stub.errors import SetError, SetErrorType
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.conditions import is_empty
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.records.visibility import is_visible
from server_stub.storage.database import Tx


def do_claim_unique(
    tx: Tx, definition: TypeDefinition, record_id: str, data: Mapping[str, Any], viewer: Viewer | None
) -> None:
    """Claim the record's unique values, giving up those it had.

    Raises:
        SetError: invalidProperties, with `existingId` when the viewer sees the record that has the value.
    """
    claims = _claims(definition, data)
    if claims is None:
        return
    held = {
        (row[0], row[1])
        for row in tx.raw.execute("SELECT fields, value FROM unique_value WHERE record_id = ?", (record_id,))
    }
    for fields, value in held - claims:
        tx.raw.execute(
            "DELETE FROM unique_value WHERE type = ? AND fields = ? AND value = ?", (definition.name, fields, value)
        )
    for fields, value in sorted(claims - held):
        other = tx.raw.execute(
            "INSERT INTO unique_value(type, fields, value, record_id) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (type, fields, value) DO UPDATE SET record_id = record_id RETURNING record_id",
            (definition.name, fields, value, record_id),
        ).fetchone()[0]
        if other != record_id:
            raise _taken(tx, definition, fields.split(","), other, viewer)


def do_release_unique(tx: Tx, record_id: str) -> None:
    """The record is gone."""
    tx.raw.execute("DELETE FROM unique_value WHERE record_id = ?", (record_id,))


def compared_form(value: Any) -> Any:
    """A value as it is compared: texts without blanks around them, wide forms and case."""
    return unicodedata.normalize("NFKC", value).strip().casefold() if isinstance(value, str) else value


def _claims(definition: TypeDefinition, data: Mapping[str, Any]) -> set[tuple[str, str]] | None:
    sets = [(one.name,) for one in definition.fields if one.unique] + list(definition.unique)
    if not sets:
        return None
    claims: set[tuple[str, str]] = set()
    for names in sets:
        values = [compared_form(data.get(name)) for name in names]
        if not any(is_empty(one) for one in values):
            claims.add((",".join(names), msgspec.json.encode(values).decode()))
    return claims


def _taken(tx: Tx, definition: TypeDefinition, names: list[str], other: str, viewer: Viewer | None) -> SetError:
    extra: dict[str, object] = {"reasons": dict.fromkeys(names, "is taken")}
    if viewer is None or is_visible(tx.conn, viewer.actor.person_id, definition.name, other):
        extra["existingId"] = other
    return SetError(SetErrorType.INVALID_PROPERTIES, "another record has this already", names, **extra)
