"""Exchange packages and records: what a package makes of a document received, and what of a document sent, or returned, goes into one."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from server_stub.modules.documents.exchange.manifest import SUFFIX, Manifest, PackedDocument, PackedFile, Unit
from server_stub.modules.documents.exchange.opening import PackageRefused, open_package
from server_stub.modules.documents.exchange.packing import BODY_TYPES, Content, make_package
from server_stub.modules.documents.naming import file_name
from server_stub.modules.documents.papers import UNIT, person_name, word_of
from server_stub.modules.engine.chores import ChoreRefused, MadeFile, Workshop
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.records.store import Record, load_record, load_records

URGENCIES: Final = {"特急": "express", "加急": "urgent", "特提": "express"}
OPENNESS: Final = {"公开": "open", "open": "open"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A package whose files are in the blob store."""

    manifest: Manifest
    files: tuple[tuple[PackedFile, MadeFile], ...]


def opening_of(blob_id: str) -> Callable[[Workshop], Opened]:
    """The work of opening a package. It raises ChoreRefused: the package is not taken."""

    def work(workshop: Workshop) -> Opened:
        try:
            with open_package(workshop.path(blob_id)) as package:
                files = tuple((one, package.read(one)) for one in package.manifest.files)
                kept = tuple((one, workshop.store(data, one.type)) for one, data in files)
                return Opened(package.manifest, kept)
        except PackageRefused as refused:
            raise ChoreRefused(f"{refused.code}: {refused.reason}") from refused

    return work


def incoming_data(definition: TypeDefinition, opened: Opened, unit_id: str | None) -> dict[str, Any]:
    """The fields of the document received that a package becomes."""
    manifest = opened.manifest
    document = manifest.document
    body, *others = opened.files
    kinds = {one.label.zh: one.value for one in (definition.field("kind") or _nothing()).choices}
    data: dict[str, Any] = {
        "title": document.title,
        "sourceUnit": manifest.sender.name,
        "sourceUnitId": unit_id,
        "sourceNumber": document.number[:60] or None,
        "documentDate": document.day,
        "kind": kinds.get(document.kind, "notice"),
        "urgency": URGENCIES.get(document.urgency, "normal"),
        "secrecy": OPENNESS.get(document.secrecy, "internal"),
        "body": [_file(*body)],
        "attachments": [_file(*one) for one in others][:50] or None,
        "pages": document.pages or None,
        "copies": document.copies or None,
        "deadline": None if document.reply_by is None else f"{document.reply_by}T09:00:00Z",
        "arrived": "package",
    }
    return {key: value for key, value in data.items() if value is not None}


def _nothing() -> Any:
    raise AssertionError("a document received has a kind")


def _file(packed: PackedFile, made: MadeFile) -> dict[str, Any]:
    return {"blobId": made.blob_id, "name": packed.name, "size": made.size, "type": made.type}


# ---------------------------------------------------------------- out


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything a package is made of, read from the database; files still as blobs."""

    sending_id: str
    sent_at: str
    sender: Unit
    receivers: tuple[Unit, ...]
    document: PackedDocument
    body: Mapping[str, Any]
    attachments: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """A package in the blob store."""

    sending_id: str
    name: str
    file: MadeFile


def packing_of(parcel: Parcel) -> Callable[[Workshop], Packed]:
    """The work of making a package. It raises ChoreRefused: what is to be sent is no document."""

    def work(workshop: Workshop) -> Packed:
        def content(file: Mapping[str, Any]) -> Content:
            return Content(file["name"], file["type"], workshop.path(file["blobId"]).read_bytes())

        try:
            data = make_package(
                parcel.sending_id,
                parcel.sent_at,
                parcel.sender,
                parcel.receivers,
                parcel.document,
                content(parcel.body),
                [content(one) for one in parcel.attachments],
            )
        except ValueError as problem:
            raise ChoreRefused(str(problem)[:300]) from problem
        made = workshop.store(data, "application/vnd.tongban.exchange+zip")
        return Packed(parcel.sending_id, file_name(parcel.document.number, parcel.document.title, SUFFIX), made)

    return work


def outgoing_parcel(
    conn: sa.Connection, definition: TypeDefinition, document: Record, units: Sequence[str], sent_at: str
) -> Parcel:
    """A document sent, on its way to other bureaus. Raises ChoreRefused: there is no paper to send."""
    data = document.data
    body = _sendable(data.get("sealedPaper") or data.get("paper") or ())
    joint = load_records(conn, list(data.get("jointUnits", ())), type_name=UNIT)
    issuers = [_unit(conn, data.get("unitId")), *(_as_unit(one) for one in joint.values())]
    packed = PackedDocument(
        number=data.get("number", ""),
        title=data["title"],
        kind=word_of(definition, "kind", data.get("kind")),
        urgency="" if data.get("urgency", "normal") == "normal" else word_of(definition, "urgency", data["urgency"]),
        secrecy=word_of(definition, "secrecy", data.get("secrecy")),
        day=data.get("day") or sent_at[:10],
        issuers=tuple(one.name for one in issuers),
        signers=tuple(filter(None, [person_name(conn, data.get("signerId"))])),
        recipients=data.get("recipients", ""),
        cc=data.get("cc", ""),
        note=data.get("note", ""),
        pages=int(data.get("pages", 0)),
        copies=int(data.get("copies", 0)),
    )
    receivers = tuple(_as_unit(one) for one in load_records(conn, list(units), type_name=UNIT).values())
    return Parcel(uuid.uuid4().hex, sent_at, issuers[0], receivers, packed, body, tuple(data.get("attachments", ())))


def returned_parcel(
    conn: sa.Connection, definition: TypeDefinition, document: Record, sender: Unit, sent_at: str
) -> Parcel:
    """A document received, on its way back with the reason. Raises ChoreRefused: it came on paper only."""
    data = document.data
    receiver = (
        _unit(conn, data.get("sourceUnitId")) if data.get("sourceUnitId") else Unit(code="", name=data["sourceUnit"])
    )
    packed = PackedDocument(
        number=data.get("sourceNumber", ""),
        title=f"退文：{data['title']}"[:300],
        kind=word_of(definition, "kind", data.get("kind")),
        secrecy=word_of(definition, "secrecy", data.get("secrecy")),
        day=data.get("documentDate") or sent_at[:10],
        issuers=(data["sourceUnit"],),
        note=data.get("returnReason", ""),
        reply_to=data.get("sourceNumber", ""),
    )
    body = _sendable(data.get("body") or ())
    return Parcel(uuid.uuid4().hex, sent_at, sender, (receiver,), packed, body, tuple(data.get("attachments", ())))


def own_unit(conn: sa.Connection, units: Sequence[Record]) -> Unit:
    """Our own bureau, the first of them. Raises ChoreRefused: nobody has entered it."""
    own = next((one for one in units if one.data.get("own")), None)
    if own is None:
        raise ChoreRefused("请先登记本机关")
    return _as_unit(own)


def _sendable(files: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    found = next((one for one in files if one["type"] in BODY_TYPES), None)
    if found is None:
        raise ChoreRefused("没有可交换的 PDF 或 OFD 正文")
    return found


def _unit(conn: sa.Connection, unit_id: str | None) -> Unit:
    record = load_record(conn, unit_id or "", type_name=UNIT)
    if record is None:
        raise ChoreRefused("机关已不存在")
    return _as_unit(record)


def _as_unit(record: Record) -> Unit:
    return Unit(code=record.data.get("code", ""), name=record.data["name"])
