"""归档包: one file with all there is of a document, for the archive: final paper, attachments, versions, what was done by whom, and metadata with digests.

A zip of our own making (docs/modules.md names its parts), not the encapsulated record of DA/T 48; what it says is what the archive module takes.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.modules.documents.naming import INCOMING, OUTGOING, file_name
from server_stub.modules.documents.papers import UNIT, person_name, word_of
from server_stub.modules.documents.versions import VERSION
from server_stub.modules.engine.chores import MadeFile, Workshop
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.modules.engine.processes.rows import load_events
from server_stub.modules.engine.referrers import load_referrers
from server_stub.records.store import Record, load_record

ARCHIVE: Final = "archive"
FORMAT: Final = "tongban-archive"
VERSION_NUMBER: Final = 1
FOLDERS: Final[Mapping[str, Mapping[str, str]]] = {
    OUTGOING: {"sealedPaper": "正文", "paper": "正文", "attachments": "附件"},
    INCOMING: {"body": "正文", "attachments": "附件"},
}
"""Which files go into which folder."""
CHOICES: Final = ("kind", "urgency", "secrecy", "retention", "layout", "signing", "handling", "arrived", "state")
TEXTS: Final = (
    "title", "number", "sourceNumber", "sourceUnit", "recipients", "cc", "note", "archiveCode", "archivedOn", "day", "documentDate",
    "receivedOn", "issuedAt", "finishedAt", "pages", "copies", "copyNumber", "printer", "conclusion", "proposal", "fonts",
)  # fmt: skip
_EPOCH: Final = (2000, 1, 1, 0, 0, 0)
_UNFIT: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    role: str
    blob_id: str = ""
    data: bytes = b""


def archive_name(record: Record) -> str:
    """What the package is called."""
    return file_name(record.data.get("archiveCode", ""), record.data["title"], ".zip")


def packing_for_archive(
    conn: sa.Connection, definition: TypeDefinition, record: Record, made_at: str
) -> Callable[[Workshop], MadeFile]:
    """The work of packing a document for the archive."""
    metadata = _metadata(conn, definition, record, made_at)
    files = [*_attached(definition.name, record), *_written(conn, record)]

    def work(workshop: Workshop) -> MadeFile:
        content = [(one, one.data or workshop.path(one.blob_id).read_bytes()) for one in files]
        return workshop.store(_zip(metadata, content), "application/zip")

    return work


def _metadata(conn: sa.Connection, definition: TypeDefinition, record: Record, made_at: str) -> dict[str, Any]:
    data = record.data
    named: dict[str, Any] = {name: data[name] for name in TEXTS if data.get(name) not in (None, "")}
    named |= {name: word_of(definition, name, data[name]) for name in CHOICES if data.get(name)}
    state = definition.state(data.get("state"))
    named["state"] = "" if state is None else state.label.zh
    units = [load_record(conn, key, type_name=UNIT) for key in (data.get("unitId"), *data.get("jointUnits", ())) if key]
    named["issuers"] = [one.data["name"] for one in units if one is not None]
    named["signer"] = person_name(conn, data.get("signerId"))
    named["drafter"] = person_name(conn, record.author_id)
    return {
        "format": FORMAT,
        "version": VERSION_NUMBER,
        "made": made_at,
        "type": definition.name,
        "id": record.id,
        "document": {key: value for key, value in named.items() if value},
    }


def _attached(type_name: str, record: Record) -> list[_File]:
    found, taken = [], set()
    for name, folder in FOLDERS[type_name].items():
        for count, one in enumerate(record.data.get(name, ()), 1):
            title = _UNFIT.sub("_", one["name"])[:120]
            path = f"{folder}/{count:02} {title}" if folder == "附件" else f"{folder}/{title}"
            if path not in taken:
                taken.add(path)
                found.append(_File(path, name, blob_id=one["blobId"]))
    return found


def _written(conn: sa.Connection, record: Record) -> list[_File]:
    """The history of its cases and the versions of its text."""
    keys = conn.exec_driver_sql(
        "SELECT e.id FROM case_event e JOIN office_case c ON c.id = e.case_id WHERE c.record_id = ? ORDER BY c.started_at, e.seq",
        (record.id,),
    )
    events = load_events(conn, [row[0] for row in keys]).values()
    told = [
        {**one.to_object(record.type, record.id), "person": person_name(conn, one.person_id)}
        for one in sorted(events, key=lambda one: (one.at, one.seq))
    ]
    files = [_File("过程/办理过程.json", "history", data=msgspec.json.format(msgspec.json.encode(told), indent=1))]
    versions = sorted(load_referrers(conn, VERSION, "documentId", record.id), key=lambda one: one.data["edition"])
    files += [
        _File(f"过程/正文第{int(one.data['edition'])}稿.txt", "version", data=str(one.data["content"]).encode())
        for one in versions
    ]
    return files


def _zip(metadata: Mapping[str, Any], content: list[tuple[_File, bytes]]) -> bytes:
    told = [
        {"path": one.path, "role": one.role, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for one, data in content
    ]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        written = msgspec.json.format(msgspec.json.encode({**metadata, "files": told}), indent=1)
        package.writestr(_info("元数据.json"), written, zipfile.ZIP_DEFLATED)
        for one, data in content:
            package.writestr(_info(one.path), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.external_attr = 0o644 << 16
    return info
