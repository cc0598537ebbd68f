"""Which blobs a record refers to, and keeping the references of the blob store in step with the record."""

from collections.abc import Iterable, Mapping
from typing import Any

from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition
from server_stub.records.actor import Actor
from server_stub.records.types import JsonObject
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx


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
    known = set() if before is None else set(blob_ids(definition, before))
    now = blob_ids(definition, data)
    sizes = {one: context.blobs.do_refer(tx, one, record_id, definition.name, actor) for one in now if one not in known}
    facts = {one: (blob.size, blob.type) for one, blob in sizes.items()}
    files = [field.name for field in definition.fields if field.kind is FieldKind.FILES]
    for entry in (entry for name in files for entry in (before or {}).get(name, ())):
        facts.setdefault(entry["blobId"], (entry["size"], entry["type"]))
    for entry in (entry for name in files for entry in data.get(name, ())):
        if entry["blobId"] in facts:
            entry["size"], entry["type"] = facts[entry["blobId"]]
    if before is not None and known - set(now):
        do_unrefer(tx, record_id, definition.name, now)


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
            case FieldKind.OBJECTS:
                for entry in value:
                    yield from _ids_in(field.fields, entry)
            case _:
                pass
