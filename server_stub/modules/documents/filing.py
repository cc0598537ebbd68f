"""What both kinds of documents do at the end: filed on, archive code, archive package; and what an act would leave of a record."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from server_stub.clock import utc_offset
from server_stub.modules.documents.archiving import archive_name
from server_stub.modules.engine.chores import MadeFile
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx


def today(now: int) -> date:
    """The day in the office."""
    return local_day(now, utc_offset(now))


def filed(record: Record, kind: str, now: int) -> dict[str, Any]:
    """Filed on, and an archive code where the archivist gave none: kind-year-retention-number."""
    year = today(now).year
    number = "".join(one for one in record.data.get("number", "").rpartition("-")[2] if one.isdigit()) or record.id[:8]
    words = {"permanent": "Y", "thirty": "D30", "ten": "D10"}
    code = record.data.get("archiveCode") or f"{kind}-{year}-{words.get(record.data.get('retention', 'ten'))}-{number}"
    return {"archivedOn": today(now).isoformat(), "archiveCode": code}


def with_values(record: Record, event: JsonObject) -> dict[str, Any]:
    """The record as the event would leave it."""
    return {**record.data, **event.get("values", {})}


def changed_record(record: Record, data: Mapping[str, Any]) -> Record:
    """The record with other data, for functions that look at records."""
    return Record(
        record.id, record.type, dict(data), record.author_id, record.created_at, record.updated_at, record.modseq
    )


def do_keep_archive(rules: Rules, tx: Tx, record: Record, made: MadeFile) -> None:
    """The package hangs on its document; the archive takes it from there."""
    file = {"blobId": made.blob_id, "name": archive_name(record), "size": made.size, "type": made.type}
    rules.change(tx, record.type, record.id, {"archivePackage": [file]})
