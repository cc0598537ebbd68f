"""Read-only fields inside lines: clients may drop, reorder and edit lines, but only the server gives a line such a value."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from server_stub.errors import invalid_properties
from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition

_NOTHING: Final[Mapping[str, Any]] = {}


def check_lines(definition: TypeDefinition, before: Mapping[str, Any] | None, data: Mapping[str, Any]) -> None:
    """Refuse lines that carry read-only values which no line of the stored record had.

    Args:
        before: the record as it is stored; None: it is new, so that no line has any.
        data: as it came from the client; what is no list of objects is left to the checks of values.

    Raises:
        SetError: invalidProperties, names the `lines` field.
    """
    held = before or _NOTHING
    for field in definition.fields:
        guarded = _guarded(field)
        if not guarded or data.get(field.name) == held.get(field.name):
            continue
        stored = Counter(_values(guarded, held.get(field.name)))
        if Counter(_values(guarded, data.get(field.name))) - stored:
            raise invalid_properties(f"the server alone fills in {', '.join(guarded)} of a line", field.name)


def _guarded(field: Field) -> list[str]:
    return [one.name for one in field.fields if one.read_only] if field.kind == FieldKind.LINES else []


def _values(names: list[str], lines: Any) -> Iterable[bytes]:
    """One comparable value for each line that has any of these fields."""
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, dict):
            carried = {name: line[name] for name in names if line.get(name) is not None}
            if carried:
                yield msgspec.json.encode(carried, order="deterministic")
