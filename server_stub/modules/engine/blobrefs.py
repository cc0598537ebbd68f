"""Which blobs a record refers to, and keeping the references of the blob store in step with the record."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

FIELD_MARK: Final = "#"
"""Blobs of a field that not every reader is shown are referred to by `<record id>#<field>`: no id on the wire has this character."""


def blob_ids(definition: TypeDefinition, data: Mapping[str, Any]) -> list[str]:
    """Every blob the record refers to, in fields of any depth, without doubles."""
    return list(dict.fromkeys(_ids_in(definition.fields, data)))


def do_refer_blobs(
    tx: Tx,
    context: OfficeContext,
    definition: TypeDefinition,
    actor: Actor,
    record_id: str,
    data: JsonObject,
    before: Mapping[str, Any] | None = None,
) -> None:
    """Note the references of new or changed data; type and size of attachments are those of the blob, not what the client says.

    Raises:
        SetError: blobNotFound: the actor may not see one of the blobs that are new in this record.
    """
    facts: dict[str, tuple[int, str]] = {}
    for object_id, fields in _places(definition, record_id).items():
        known = set(_ids_in(fields, before or {}))
        wanted = list(dict.fromkeys(_ids_in(fields, data)))
        for blob_id in wanted:
            if blob_id not in known:
                blob = context.blobs.do_refer(tx, blob_id, object_id, definition.name, actor)
                facts[blob_id] = (blob.size, blob.type)
        if known - set(wanted):
            do_unrefer(tx, object_id, definition.name, wanted)
    files = [field.name for field in definition.fields if field.kind is FieldKind.FILES]
    for entry in (entry for name in files for entry in (before or {}).get(name, ())):
        facts.setdefault(entry["blobId"], (entry["size"], entry["type"]))
    for entry in (entry for name in files for entry in data.get(name, ())):
        if entry["blobId"] in facts:
            entry["size"], entry["type"] = facts[entry["blobId"]]


def do_drop_blobs(tx: Tx, definition: TypeDefinition, record_id: str) -> None:
    """The record refers to nothing any more."""
    for object_id in _places(definition, record_id):
        do_unrefer(tx, object_id, definition.name)


def _places(definition: TypeDefinition, record_id: str) -> dict[str, list[Field]]:
    """Under which id the blobs of which fields are referred to."""
    places: dict[str, list[Field]] = {record_id: [one for one in definition.fields if not one.see]}
    for field in definition.fields:
        if field.see and field.kind in (FieldKind.BLOB, FieldKind.FILES, FieldKind.OBJECT, FieldKind.LINES):
            places[f"{record_id}{FIELD_MARK}{field.name}"] = [field]
    return places


def _ids_in(fields: Iterable[Field], data: Mapping[str, Any]) -> Iterable[str]:
    for field in fields:
        value = data.get(field.name)
        if value is None:
            continue
        match field.kind:
            case FieldKind.BLOB:
                yield value
            case FieldKind.FILES:
                yield from (entry["blobId"] for entry in value)
            case FieldKind.OBJECT:
                yield from _ids_in(field.fields, value)
            case FieldKind.LINES:
                for entry in value:
                    yield from _ids_in(field.fields, entry)
            case _:
                pass
